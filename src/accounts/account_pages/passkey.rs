//! One passkey or security key by itself: its name, and its removal, which asks first.

use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::Section;
use super::passkeys::{self as rows, PasskeyRow};
use super::security::SecurityNotice;
use crate::accounts::activity::{Event, note, tell};
use crate::accounts::factors::{self, Factors};
use crate::accounts::passkeys::{self, Kind, Passkey};
use crate::accounts::signed_in::{self, SignedIn};
use crate::app::App;
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::ids::{PasskeyId, UserId};
use crate::time::Timestamp;

/// The page of one. A new name is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "account/passkey.html")]
pub struct PasskeyPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Which one.
    pub passkey: PasskeyRow,
    /// What was done just now.
    pub notice: Option<PasskeyNotice>,
    /// Whether a name was missing.
    pub is_name_missing: bool,
}

impl PasskeyPage<'_> {
    const SECTION: Section = Section::Security;
}

/// What was done just now, to be announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyNotice {
    /// It was added.
    Added,
    /// It got another name.
    Renamed,
}

impl PasskeyNotice {
    const NAMES: [(&str, PasskeyNotice); 2] =
        [("added", PasskeyNotice::Added), ("renamed", PasskeyNotice::Renamed)];

    /// The local path of a page that tells it.
    pub fn path(self, page: &str) -> String {
        let name =
            PasskeyNotice::NAMES.iter().find(|(_, notice)| *notice == self).map_or("", |(name, _)| name);
        with_query(page, &[("notice", name.into())])
    }

    fn read(visit: &Visit, query: &str) -> Result<Option<PasskeyNotice>, FormError> {
        let parameters = Parameters::parse(query.as_bytes())?;
        let told = parameters.get("notice").filter(|_| visit.is_from_own_page());
        Ok(told.and_then(|told| {
            PasskeyNotice::NAMES.iter().find(|(name, _)| *name == told).map(|(_, notice)| *notice)
        }))
    }
}

/// The page that asks before one is removed, and whose form does it.
#[derive(Debug, Template)]
#[template(path = "account/remove_passkey.html")]
pub struct RemovePasskeyPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Which one.
    pub passkey: PasskeyRow,
    /// What it would mean.
    pub loss: Loss,
    /// The present moment.
    pub now: Timestamp,
}

/// What it would mean to be without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The person could not sign in any more, so it stays.
    OnlyWayIn,
    /// Nothing would be asked for after the password.
    LastSecondStep,
    /// Nothing of note.
    Nothing,
}

impl Loss {
    /// `usable` are all that the person can use, with this one if they can.
    fn of(passkey: &Passkey, factors: &Factors, usable: &[Passkey]) -> Loss {
        let is_usable = usable.iter().any(|other| other.id == passkey.id);
        let others: Vec<&Passkey> = usable.iter().filter(|other| other.id != passkey.id).collect();
        let signs_in = |other: &Passkey| other.kind == Kind::Passkey;
        match factors.has_password {
            _ if !is_usable => Loss::Nothing,
            false if signs_in(passkey) && !others.iter().any(|other| signs_in(other)) => Loss::OnlyWayIn,
            true if factors.apps == 0 && others.is_empty() => Loss::LastSecondStep,
            _ => Loss::Nothing,
        }
    }
}

type Named = Result<Path<PasskeyId>, PathRejection>;
type SentForm = Result<Parameters, FormError>;

/// Shows one.
pub async fn get(State(app): State<App>, visit: Visit, id: Named, RawQuery(query): RawQuery) -> Response {
    visit.answer(show(&app, &visit, id, &query.unwrap_or_default()).await)
}

/// Gives one another name.
pub async fn post(State(app): State<App>, visit: Visit, id: Named, form: SentForm) -> Response {
    visit.answer(rename(&app, &visit, id, form).await)
}

/// Asks whether to remove one.
pub async fn get_remove(State(app): State<App>, visit: Visit, id: Named) -> Response {
    visit.answer(ask_to_remove(&app, &visit, id).await)
}

/// Removes one.
pub async fn post_remove(State(app): State<App>, visit: Visit, id: Named, form: SentForm) -> Response {
    visit.answer(remove(&app, &visit, id, form).await)
}

fn read(id: Named) -> Result<PasskeyId, PageError> {
    id.map(|Path(id)| id).map_err(|_| not_found())
}

fn not_found() -> PageError {
    PageError::from(Problem::NotFound).then(WayOn::Account)
}

async fn find(app: &App, id: PasskeyId, user: UserId) -> Result<Passkey, PageError> {
    passkeys::find(&app.store, id, user).await?.ok_or_else(not_found)
}

async fn show(app: &App, visit: &Visit, id: Named, query: &str) -> Result<Response, PageError> {
    let id = read(id)?;
    let notice = PasskeyNotice::read(visit, query)?;
    match signed_in::require(app, visit, &rows::path(id)).await? {
        Ok(who) => Ok(page(app, visit, find(app, id, who.user.id).await?, notice, false)),
        Err(sign_in_first) => Ok(sign_in_first),
    }
}

fn page(
    app: &App,
    visit: &Visit,
    passkey: Passkey,
    notice: Option<PasskeyNotice>,
    is_name_missing: bool,
) -> Response {
    let passkey = PasskeyRow::of(app, passkey);
    let page = PasskeyPage { frame: visit.frame(), passkey, notice, is_name_missing };
    let status = if is_name_missing { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    visit.page(status, &page, None)
}

async fn rename(app: &App, visit: &Visit, id: Named, form: SentForm) -> Result<Response, PageError> {
    let id = read(id)?;
    let (form, path) = (form?, rows::path(id));
    visit.check_form(&form).map_err(|error| PageError::from(error).then(WayOn::Again(path.clone())))?;
    let who = match signed_in::require(app, visit, &path).await? {
        Ok(who) => who,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let Some(name) = passkeys::name_of(form.get("name").unwrap_or_default()) else {
        return Ok(page(app, visit, find(app, id, who.user.id).await?, None, true));
    };
    let mut tx = who.begin(app).await?;
    let is_renamed = passkeys::rename(&mut tx, id, who.user.id, &name).await?;
    tx.commit().await?;
    match is_renamed {
        true => Ok(visit.go(&PasskeyNotice::Renamed.path(&path))),
        false => Err(not_found()),
    }
}

async fn ask_to_remove(app: &App, visit: &Visit, id: Named) -> Result<Response, PageError> {
    let id = read(id)?;
    let who = match require_recent(app, visit, id).await? {
        Ok(who) => who,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let passkey = find(app, id, who.user.id).await?;
    let factors = factors::find(&app.store, who.user.id).await?;
    let loss = Loss::of(&passkey, &factors, &passkeys::list_usable(app, &app.store, who.user.id).await?);
    Ok(removal(app, visit, passkey, loss, StatusCode::OK))
}

fn removal(app: &App, visit: &Visit, passkey: Passkey, loss: Loss, status: StatusCode) -> Response {
    let passkey = PasskeyRow::of(app, passkey);
    let page = RemovePasskeyPage { frame: visit.frame(), passkey, loss, now: app.clock.now() };
    visit.page(status, &page, None)
}

async fn require_recent(
    app: &App,
    visit: &Visit,
    id: PasskeyId,
) -> Result<Result<SignedIn, Response>, PageError> {
    signed_in::require_recent(app, visit, &rows::remove_path(&rows::path(id))).await
}

async fn remove(app: &App, visit: &Visit, id: Named, form: SentForm) -> Result<Response, PageError> {
    let id = read(id)?;
    let again = WayOn::Again(rows::remove_path(&rows::path(id)));
    visit.check_form(&form?).map_err(|error| PageError::from(error).then(again))?;
    let who = match require_recent(app, visit, id).await? {
        Ok(who) => who,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let passkey = find(app, id, who.user.id).await?;
    let mut tx = who.begin(app).await?;
    factors::hold(&mut tx, who.user.id).await?;
    let factors = factors::find(&mut tx, who.user.id).await?;
    let usable = passkeys::list_usable(app, &mut tx, who.user.id).await?;
    if Loss::of(&passkey, &factors, &usable) == Loss::OnlyWayIn {
        return Ok(removal(app, visit, passkey, Loss::OnlyWayIn, StatusCode::CONFLICT));
    }
    if !passkeys::remove(&mut tx, id, who.user.id).await? {
        // The same request, sent a moment earlier, was faster.
        return Ok(visit.go(&SecurityNotice::PasskeyRemoved.path()));
    }
    if let Err(needed) = factors::may_be_without(&mut tx, app, &who.user).await? {
        return Ok(visit.go(&SecurityNotice::from(needed).path()));
    }
    tell(&mut tx, app, who.user.id, Event::PasskeyRemoved, Some(&visit.requester)).await?;
    tx.commit().await?;
    app.wake_workers();
    note(who.user.id, Event::PasskeyRemoved, Some(&visit.requester));
    Ok(visit.go(&SecurityNotice::PasskeyRemoved.path()))
}
