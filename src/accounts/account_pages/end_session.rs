//! Ending one session.

use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;

use super::session_row::{self, SessionKind, SessionRow};
use super::sessions::AccountNotice;
use super::tokens::TokenNotice;
use crate::accounts::activity::{self, Event};
use crate::accounts::mails::Occasion;
use crate::accounts::signed_in;
use crate::app::App;
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters};
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::ids::{BrowserSessionId, ClientSessionId, UserId};
use crate::sessions::all::{self, SessionId};
use crate::time::Timestamp;

/// Where a browser goes that has just signed itself out.
const SIGNED_OUT: &str = "/signed-out";

/// The page that asks whether to end one session. The answer is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "account/end_session.html")]
pub struct EndSessionPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// The session.
    pub session: SessionRow,
    /// The present moment.
    pub now: Timestamp,
}

type NamedBrowser = Result<Path<BrowserSessionId>, PathRejection>;
type NamedClient = Result<Path<ClientSessionId>, PathRejection>;
type SentForm = Result<Parameters, FormError>;

/// Asks whether to sign out a browser.
pub async fn get_browser(State(app): State<App>, visit: Visit, id: NamedBrowser) -> Response {
    let id = id.map(|Path(id)| SessionId::Browser(id));
    visit.answer(ask(&app, &visit, id).await)
}

/// Signs out a browser.
pub async fn post_browser(
    State(app): State<App>,
    visit: Visit,
    id: NamedBrowser,
    form: SentForm,
) -> Response {
    let id = id.map(|Path(id)| SessionId::Browser(id));
    visit.answer(end(&app, &visit, id, form).await)
}

/// Asks whether to sign out a client, and its device with it.
pub async fn get_client(State(app): State<App>, visit: Visit, id: NamedClient) -> Response {
    let id = id.map(|Path(id)| SessionId::Client(id));
    visit.answer(ask(&app, &visit, id).await)
}

/// Signs out a client, and its device with it.
pub async fn post_client(State(app): State<App>, visit: Visit, id: NamedClient, form: SentForm) -> Response {
    let id = id.map(|Path(id)| SessionId::Client(id));
    visit.answer(end(&app, &visit, id, form).await)
}

async fn ask(app: &App, visit: &Visit, id: Result<SessionId, PathRejection>) -> Result<Response, PageError> {
    let id = id.map_err(|_| not_found())?;
    let signed_in = match signed_in::require(app, visit, &session_row::end_path(id)).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let user = signed_in.user.id;
    let Some(session) = all::find(&app.store, id, user).await? else {
        return already_ended(app, visit, id, user).await;
    };
    let rows = session_row::rows(app, visit, &signed_in, vec![session]).await?;
    let session = rows.into_iter().next().ok_or_else(not_found)?;
    let page = EndSessionPage { frame: visit.frame(), session, now: app.clock.now() };
    Ok(visit.page(StatusCode::OK, &page, None))
}

async fn end(
    app: &App,
    visit: &Visit,
    id: Result<SessionId, PathRejection>,
    form: SentForm,
) -> Result<Response, PageError> {
    let id = id.map_err(|_| not_found())?;
    let path = session_row::end_path(id);
    visit.check_form(&form?).map_err(|error| PageError::from(error).then(WayOn::Again(path.clone())))?;
    let signed_in = match signed_in::require(app, visit, &path).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let user = signed_in.user.id;
    let kind = match all::find(&app.store, id, user).await? {
        Some(session) => SessionKind::of(&session),
        None => return already_ended(app, visit, id, user).await,
    };
    let mut tx = app.store.begin().await?;
    let now = app.clock.now();
    let is_ended = all::end(&mut tx, id, user, now).await?;
    if is_ended {
        let occasion = Occasion::by(&visit.requester, now);
        let event = if kind == SessionKind::Token { Event::TokenRevoked } else { Event::SessionsEnded };
        activity::add(&mut tx, user, event, &occasion).await?;
    }
    tx.commit().await?;
    if !is_ended {
        return already_ended(app, visit, id, user).await;
    }
    app.wake_workers();
    if id == SessionId::Browser(signed_in.session.id) {
        return Ok(visit.sign_out(visit.go(SIGNED_OUT)));
    }
    Ok(visit.go(&match kind {
        SessionKind::Token => TokenNotice::Revoked.path(),
        kind => AccountNotice::Ended(kind).path(),
    }))
}

/// The answer for a session that is not live: a person who had it is told that it is over; anybody
/// else learns nothing.
pub(super) async fn already_ended(
    app: &App,
    visit: &Visit,
    id: SessionId,
    user: UserId,
) -> Result<Response, PageError> {
    match all::was_of(&app.store, id, user).await? {
        true => Ok(visit.go(&AccountNotice::AlreadyEnded.path())),
        false => Err(not_found()),
    }
}

fn not_found() -> PageError {
    PageError::from(Problem::NotFound).then(WayOn::Account)
}
