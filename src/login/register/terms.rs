//! The terms of service that a new account is made under.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::begun::{self, Begun};
use super::{Step, at, for_whom, go_on};
use crate::accounts::terms::{self, Terms};
use crate::app::App;
use crate::clients::label::ClientLabel;
use crate::http::error::{PageError, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters};
use crate::http::pages::Frame;
use crate::http::visit::Visit;

/// Local path of the page.
pub const PATH: &str = "/register/terms";

/// The page that asks whether the person accepts the terms. It is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "login/register/terms.html")]
pub struct TermsPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// For which client the account is made.
    pub client: Option<ClientLabel>,
    /// The account as it is going to be called.
    pub mxid: String,
    /// What the person is to accept.
    pub terms: Option<Terms<'a>>,
    /// Whether they went on without.
    pub terms_missing: bool,
}

/// Asks whether they are accepted.
pub async fn get(State(app): State<App>, visit: Visit) -> Response {
    visit.answer(show(&app, &visit).await)
}

/// Makes the account when they are.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(accept(&app, &visit, form).await)
}

async fn show(app: &App, visit: &Visit) -> Result<Response, PageError> {
    match at(app, visit, Step::Terms).await? {
        Ok(begun) => page(app, visit, &begun, false).await,
        Err(elsewhere) => Ok(elsewhere),
    }
}

async fn page(app: &App, visit: &Visit, begun: &Begun, terms_missing: bool) -> Result<Response, PageError> {
    let (client, form_action) = for_whom(app, visit, begun.next.as_deref()).await?;
    let mxid = begun.localpart.mxid(&app.config.homeserver.server_name);
    let terms = terms::current(&app.config);
    let page = TermsPage { frame: visit.frame(), client, mxid, terms, terms_missing };
    let status = if terms_missing { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(visit.page(status, &page, form_action))
}

async fn accept(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    visit.check_form(&form).map_err(|error| PageError::from(error).then(WayOn::Again(PATH.to_owned())))?;
    let begun = match at(app, visit, Step::Terms).await? {
        Ok(begun) => begun,
        Err(elsewhere) => return Ok(elsewhere),
    };
    // They may have changed while the page was open.
    match (form.get("terms"), terms::current(&app.config)) {
        (Some(read), Some(current)) if read == current.version => {
            begun::accept_terms(app, &begun, read).await?;
            go_on(app, visit, &begun).await
        }
        (_, None) => go_on(app, visit, &begun).await,
        (_, Some(_)) => page(app, visit, &begun, true).await,
    }
}
