//! One client's session by itself, and the name of its device.

use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::Section;
use super::end_session::already_ended;
use super::session_row::{self, SessionKind, SessionRow};
use crate::accounts::signed_in::{self, SignedIn};
use crate::app::App;
use crate::homeserver;
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::http::words;
use crate::ids::ClientSessionId;
use crate::sessions::all::{self, Session, SessionId};
use crate::sessions::client;
use crate::sessions::device::LONGEST_NAME;
use crate::time::Timestamp;

/// The page that shows one client's session. A new name for its device is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "account/session.html")]
pub struct SessionPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// The session.
    pub session: SessionRow,
    /// Local path of the page.
    pub path: String,
    /// Whether the device was given a name just now.
    pub is_renamed: bool,
    /// Whether a name was missing.
    pub is_name_missing: bool,
    /// The present moment.
    pub now: Timestamp,
}

impl SessionPage<'_> {
    const SECTION: Section = Section::Sessions;
}

type Named = Result<Path<ClientSessionId>, PathRejection>;

/// Shows a session.
pub async fn get(State(app): State<App>, visit: Visit, id: Named, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    // Only our own pages are believed that something was done.
    let is_renamed = visit.is_from_own_page() && query == "notice=renamed";
    visit.answer(show(&app, &visit, id, is_renamed).await)
}

/// Gives the device of a session another name.
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    id: Named,
    form: Result<Parameters, FormError>,
) -> Response {
    visit.answer(rename(&app, &visit, id, form).await)
}

/// The person and their session. The inner error is an answer already.
async fn find(
    app: &App,
    visit: &Visit,
    id: Named,
) -> Result<Result<(SignedIn, Session, ClientSessionId), Response>, PageError> {
    let Path(id) = id.map_err(|_| PageError::from(Problem::NotFound).then(WayOn::Account))?;
    let signed_in = match signed_in::require(app, visit, &session_row::client_path(id)).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(Err(sign_in_first)),
    };
    let (named, user) = (SessionId::Client(id), signed_in.user.id);
    match all::find(&app.store, named, user).await? {
        Some(session) => Ok(Ok((signed_in, session, id))),
        None => already_ended(app, visit, named, user).await.map(Err),
    }
}

async fn show(app: &App, visit: &Visit, id: Named, is_renamed: bool) -> Result<Response, PageError> {
    match find(app, visit, id).await? {
        Ok((signed_in, session, id)) => page(app, visit, &signed_in, session, id, (is_renamed, false)).await,
        Err(answer) => Ok(answer),
    }
}

async fn page(
    app: &App,
    visit: &Visit,
    signed_in: &SignedIn,
    session: Session,
    id: ClientSessionId,
    (is_renamed, is_name_missing): (bool, bool),
) -> Result<Response, PageError> {
    let rows = session_row::rows(app, visit, signed_in, vec![session]).await?;
    let session = rows.into_iter().next().ok_or(Problem::NotFound)?;
    let (path, now) = (session_row::client_path(id), app.clock.now());
    let page = SessionPage { frame: visit.frame(), session, path, is_renamed, is_name_missing, now };
    let status = if is_name_missing { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(visit.page(status, &page, None))
}

async fn rename(
    app: &App,
    visit: &Visit,
    id: Named,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    let again = || match &id {
        Ok(Path(id)) => WayOn::Again(session_row::client_path(*id)),
        Err(_) => WayOn::Account,
    };
    visit.check_form(&form).map_err(|error| PageError::from(error).then(again()))?;
    let (signed_in, session, id) = match find(app, visit, id).await? {
        Ok(found) => found,
        Err(answer) => return Ok(answer),
    };
    let Session::Client(client) = &session else { return Err(Problem::NotFound.into()) };
    if client.device_id.is_none() && !client.is_personal() {
        return Err(Problem::BadRequest.into());
    }
    let name = form.get("name").unwrap_or_default().trim();
    let name: String = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    if words::shown(&name).is_empty() {
        return page(app, visit, &signed_in, session, id, (false, true)).await;
    }
    let path = session_row::client_path(id);
    if let Some(device_id) = &client.device_id {
        match app.homeserver.rename_device(&signed_in.user.localpart, device_id, &name).await {
            Ok(()) => {}
            Err(homeserver::Error::NotFound) => return Err(Problem::UnknownDevice.into()),
            Err(error) => {
                tracing::warn!(%error, user = %signed_in.user.id, "the homeserver did not take the name of a device");
                return Err(PageError::from(Problem::HomeserverUnreachable).then(WayOn::Again(path)));
            }
        }
    }
    let mut tx = app.store.begin().await?;
    client::rename(&mut tx, id, signed_in.user.id, &name).await?;
    tx.commit().await?;
    Ok(visit.go(&with_query(&path, &[("notice", "renamed".into())])))
}
