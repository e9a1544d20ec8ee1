//! Adding a passkey or a security key.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::passkey::PasskeyNotice;
use super::{passkeys as rows, recovery_codes, security};
use crate::accounts::activity::{Event, note};
use crate::accounts::factors;
use crate::accounts::passkeys::{Ceremony, Kind, Refused, enrolment};
use crate::accounts::signed_in::{self, SignedIn};
use crate::app::App;
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::pages::{Frame, Person};
use crate::http::visit::Visit;
use crate::methods::Method;
use crate::sessions::browser;

/// Local path of the page.
pub const PATH: &str = "/account/security/passkeys/new";

/// The page on which a browser makes one.
#[derive(Debug, Template)]
#[template(path = "account/new_passkey.html")]
pub struct NewPasskeyPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Whose account it is for.
    pub person: Person,
    /// Local path of the page, to come back to as somebody else.
    pub action: String,
    /// What leads on, besides what the browser answers.
    pub form: KeyForm,
    /// What is to be made.
    pub kind: Kind,
    /// What the browser needs for it.
    pub ceremony: Ceremony,
    /// Why nothing was added.
    pub problem: Option<NotAdded>,
}

/// Where the page leads, wherever one is set up.
#[derive(Clone, Debug)]
pub struct KeyForm {
    /// Local path that it is posted to.
    pub action: &'static str,
    /// What it carries besides.
    pub fields: Vec<(&'static str, String)>,
    /// Local path to leave it.
    pub back: String,
}

/// Why nothing was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdded {
    /// The form came without an answer of the browser.
    NoScript,
    /// The page was open for too long.
    Stale,
    /// The answer does not hold.
    Invalid,
    /// It is somebody's already.
    AlreadyEnrolled,
    /// The account has as many as it may.
    TooMany,
}

impl From<Refused> for NotAdded {
    fn from(refused: Refused) -> NotAdded {
        match refused {
            Refused::Stale => NotAdded::Stale,
            Refused::AlreadyEnrolled => NotAdded::AlreadyEnrolled,
            Refused::TooMany => NotAdded::TooMany,
            Refused::Invalid | Refused::Unknown(_) => NotAdded::Invalid,
        }
    }
}

/// Shows the page.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(show(&app, &visit, &query.unwrap_or_default()).await)
}

/// Takes the browser's answer.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(add(&app, &visit, form).await)
}

/// Which kind is meant.
pub fn kind_of(parameters: &Parameters) -> Kind {
    match parameters.get("kind") {
        Some("security-key") => Kind::SecurityKey,
        _ => Kind::Passkey,
    }
}

fn path_of(kind: Kind) -> String {
    match kind {
        Kind::Passkey => PATH.to_owned(),
        Kind::SecurityKey => with_query(PATH, &[("kind", "security-key".into())]),
    }
}

async fn show(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let kind = kind_of(&Parameters::parse(query.as_bytes())?);
    match signed_in::require_recent(app, visit, &path_of(kind)).await? {
        Ok(who) => page(app, visit, &who, kind, None).await,
        Err(sign_in_first) => Ok(sign_in_first),
    }
}

async fn page(
    app: &App,
    visit: &Visit,
    who: &SignedIn,
    kind: Kind,
    problem: Option<NotAdded>,
) -> Result<Response, PageError> {
    let ceremony = enrolment::begin(app, visit.browser(), &who.user, kind).await?;
    let ceremony = ceremony.ok_or(Problem::NotFound)?;
    let (person, action) = (who.person(app), path_of(kind));
    let form = KeyForm { action: PATH, fields: Vec::new(), back: security::PATH.to_owned() };
    let page = NewPasskeyPage {
        frame: visit.frame().back_to(path_of(kind)),
        person,
        action,
        form,
        kind,
        ceremony,
        problem,
    };
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(visit.page(status, &page, None))
}

async fn add(app: &App, visit: &Visit, form: Result<Parameters, FormError>) -> Result<Response, PageError> {
    let form = form?;
    let kind = kind_of(&form);
    let again = || WayOn::Again(path_of(kind));
    visit.check_form(&form).map_err(|error| PageError::from(error).then(again()))?;
    let who = match signed_in::require_recent(app, visit, &path_of(kind)).await? {
        Ok(who) => who,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let (Some(sealed), Some(answer)) = (form.get("ceremony"), form.get("credential")) else {
        return page(app, visit, &who, kind, Some(NotAdded::NoScript)).await;
    };
    let problem =
        match enrolment::finish(app, visit, &who.user, sealed, answer, who.begin(app).await?).await? {
            Ok(added) => {
                note(who.user.id, Event::PasskeyAdded, Some(&visit.requester));
                let added_path = PasskeyNotice::Added.path(&rows::path(added.id));
                let on = match factors::find(&app.store, who.user.id).await?.recovery_codes {
                    0 => recovery_codes::path_to(&added_path),
                    _ => added_path,
                };
                return renew(app, visit, &who, added.kind, visit.go(&on)).await;
            }
            Err(refused) => NotAdded::from(refused),
        };
    page(app, visit, &who, kind, Some(problem)).await
}

/// What somebody proves who they are with who has just made one.
pub fn method_of(kind: Kind) -> Method {
    match kind {
        Kind::Passkey => Method::Passkey,
        Kind::SecurityKey => Method::SecurityKey,
    }
}

/// Notes that the person has just used what they added, so that they need not use it again to go on.
async fn renew(
    app: &App,
    visit: &Visit,
    who: &SignedIn,
    kind: Kind,
    response: Response,
) -> Result<Response, PageError> {
    let methods = who.session.methods.with(method_of(kind));
    let mut tx = app.store.begin().await?;
    let secret = browser::renew(&mut tx, who.session.id, methods, &visit.requester, app.clock.now()).await?;
    tx.commit().await?;
    Ok(match secret {
        Some(secret) => visit.sign_in(response, &secret, app.config.sessions.browser_absolute_seconds),
        None => response,
    })
}
