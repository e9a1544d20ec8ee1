//! The password of a new account.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::begun::{self, Begun};
use super::{Step, at, for_whom, go_on};
use crate::accounts::new_password::{self, Chooser, Problem};
use crate::app::App;
use crate::clients::label::ClientLabel;
use crate::http::error::{PageError, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters};
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::keys::Weakness;

/// Local path of the page.
pub const PATH: &str = "/register/password";

/// The page that asks for a password. It is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "login/register/password.html")]
pub struct PasswordPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// For which client the account is made.
    pub client: Option<ClientLabel>,
    /// The account as it is going to be called.
    pub mxid: String,
    /// The least number of characters.
    pub minimum_length: usize,
    /// Whether a passkey would do instead.
    pub or_passkey: bool,
    /// What was wrong with the password.
    pub problem: Option<Problem>,
}

/// Asks for a password.
pub async fn get(State(app): State<App>, visit: Visit) -> Response {
    visit.answer(show(&app, &visit).await)
}

/// Takes it.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(choose(&app, &visit, form).await)
}

async fn show(app: &App, visit: &Visit) -> Result<Response, PageError> {
    match at(app, visit, Step::Password).await? {
        Ok(begun) => page(app, visit, &begun, None).await,
        Err(elsewhere) => Ok(elsewhere),
    }
}

async fn page(
    app: &App,
    visit: &Visit,
    begun: &Begun,
    problem: Option<Problem>,
) -> Result<Response, PageError> {
    let (client, form_action) = for_whom(app, visit, begun.next.as_deref()).await?;
    let page = PasswordPage {
        frame: visit.frame(),
        client,
        mxid: begun.localpart.mxid(&app.config.homeserver.server_name),
        minimum_length: app.config.passwords.minimum_length,
        or_passkey: app.config.registers_with_passkey(),
        problem,
    };
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(visit.page(status, &page, form_action))
}

async fn choose(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let mut form = form?;
    let again = || WayOn::Again(PATH.to_owned());
    visit.check_form(&form).map_err(|error| PageError::from(error).then(again()))?;
    let begun = match at(app, visit, Step::Password).await? {
        Ok(begun) => begun,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let email = begun.verified_email().map(ToString::to_string);
    let chooser = Chooser::new(begun.localpart.as_str(), email.as_deref());
    match new_password::of_form(app, &chooser, &mut form).await? {
        Ok(hash) => {
            begun::set_password(app, &begun, &hash).await?;
            go_on(app, visit, &begun).await
        }
        Err(problem) => page(app, visit, &begun, Some(problem)).await,
    }
}
