//! Everything that is known of the account, as a file.

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

use super::Section;
use crate::accounts::activity::{Event, note, tell};
use crate::accounts::{export, signed_in};
use crate::app::App;
use crate::http::error::{PageError, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters};
use crate::http::headers::no_store;
use crate::http::pages::Frame;
use crate::http::visit::Visit;

/// Local path of the page.
pub const PATH: &str = "/account/export";

/// The page that offers the file. It is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "account/export.html")]
pub struct ExportPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
}

impl ExportPage<'_> {
    const SECTION: Section = Section::Export;
}

/// Says what is in the file.
pub async fn get(State(app): State<App>, visit: Visit) -> Response {
    visit.answer(show(&app, &visit).await)
}

/// The file. A form asks for it, since it is an entry of the activity.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(send(&app, &visit, form).await)
}

async fn show(app: &App, visit: &Visit) -> Result<Response, PageError> {
    match signed_in::require_recent(app, visit, PATH).await? {
        Ok(_) => Ok(visit.page(StatusCode::OK, &ExportPage { frame: visit.frame() }, None)),
        Err(sign_in_first) => Ok(sign_in_first),
    }
}

async fn send(app: &App, visit: &Visit, form: Result<Parameters, FormError>) -> Result<Response, PageError> {
    visit.check_form(&form?).map_err(|error| PageError::from(error).then(WayOn::Again(PATH.to_owned())))?;
    let who = match signed_in::require_recent(app, visit, PATH).await? {
        Ok(who) => who,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let mut tx = who.begin(app).await?;
    tell(&mut tx, app, who.user.id, Event::DataExported, Some(&visit.requester)).await?;
    tx.commit().await?;
    app.wake_workers();
    note(who.user.id, Event::DataExported, Some(&visit.requester));
    let headers = [
        (CONTENT_TYPE, "application/json"),
        // The name has no characters of strangers in it.
        (CONTENT_DISPOSITION, "attachment; filename=\"account.json\""),
    ];
    let document = Body::from_stream(export::document(app.clone(), who.user));
    Ok(no_store((headers, document).into_response()))
}
