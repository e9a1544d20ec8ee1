//! How a person signs in to their account.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::Section;
use crate::accounts::factors::{self, Factors};
use crate::accounts::signed_in;
use crate::app::App;
use crate::http::error::PageError;
use crate::http::filters;
use crate::http::pages::Frame;
use crate::http::visit::Visit;

/// Local path of the page.
pub const PATH: &str = "/account/security";

/// The page `GET /account/security` shows.
#[derive(Debug, Template)]
#[template(path = "account/security.html")]
pub struct SecurityPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// What the person has.
    pub factors: Factors,
}

impl SecurityPage<'_> {
    const SECTION: Section = Section::Security;
}

/// Shows what the person signs in with.
pub async fn get(State(app): State<App>, visit: Visit) -> Response {
    visit.answer(show(&app, &visit).await)
}

async fn show(app: &App, visit: &Visit) -> Result<Response, PageError> {
    let signed_in = match signed_in::require(app, visit, PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let factors = factors::find(&app.store, signed_in.user.id).await?;
    let page = SecurityPage { frame: visit.frame(), factors };
    Ok(visit.page(StatusCode::OK, &page, None))
}
