//! Typing the code that was sent to the address of a new account.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::begun::{self, Begun, Tried};
use super::email::{self, EmailProblem};
use super::{Step, at, for_whom, go_on};
use crate::app::App;
use crate::clients::label::ClientLabel;
use crate::http::error::{PageError, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters};
use crate::http::pages::Frame;
use crate::http::visit::Visit;

/// Local path of the page.
pub const PATH: &str = "/register/email/code";

/// The code that was typed is not the one that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongCode;

/// The page that asks for the code. It is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "login/register/code.html")]
pub struct CodePage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// For which client the account is made.
    pub client: Option<ClientLabel>,
    /// Where the code was sent.
    pub address: String,
    /// What was wrong with the code.
    pub problem: Option<WrongCode>,
}

/// Asks for the code; goes on when the link was used meanwhile.
pub async fn get(State(app): State<App>, visit: Visit) -> Response {
    visit.answer(show(&app, &visit).await)
}

/// Tries a code.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(confirm(&app, &visit, form).await)
}

async fn show(app: &App, visit: &Visit) -> Result<Response, PageError> {
    match at(app, visit, Step::Code).await? {
        Ok(begun) => page(app, visit, &begun, None).await,
        Err(elsewhere) => Ok(elsewhere),
    }
}

async fn page(
    app: &App,
    visit: &Visit,
    begun: &Begun,
    problem: Option<WrongCode>,
) -> Result<Response, PageError> {
    let (client, form_action) = for_whom(app, visit, begun.next.as_deref()).await?;
    let address = begun.email.as_ref().map(ToString::to_string).unwrap_or_default();
    let page = CodePage { frame: visit.frame(), client, address, problem };
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(visit.page(status, &page, form_action))
}

async fn confirm(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    visit.check_form(&form).map_err(|error| PageError::from(error).then(WayOn::Again(PATH.to_owned())))?;
    let begun = match at(app, visit, Step::Code).await? {
        Ok(begun) => begun,
        Err(elsewhere) => return Ok(elsewhere),
    };
    match begun::try_code(app, &begun, form.get("code").unwrap_or_default()).await? {
        Tried::Right => go_on(app, visit, &begun).await,
        Tried::Wrong => page(app, visit, &begun, Some(WrongCode)).await,
        Tried::Over => email::ask_again(app, visit, &begun, EmailProblem::CodeOver).await,
    }
}
