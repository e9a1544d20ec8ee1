//! The passkey of a new account: in the place of a password, or beside it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::begun::{self, Begun};
use super::{Step, at, for_whom, go_on, unless_done};
use crate::accounts::account_pages::NotAdded;
use crate::accounts::passkeys::{Ceremony, Kind, Refused, enrolment};
use crate::app::App;
use crate::clients::label::ClientLabel;
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters};
use crate::http::pages::Frame;
use crate::http::visit::Visit;

/// Local path of the page.
pub const PATH: &str = "/register/passkey";

/// The page on which a browser makes a passkey. It is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "login/register/passkey.html")]
pub struct PasskeyPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// For which client the account is made.
    pub client: Option<ClientLabel>,
    /// The account as it is going to be called.
    pub mxid: String,
    /// Whether there is a password, so that one can go on without.
    pub is_optional: bool,
    /// Whether a password would do instead.
    pub or_password: bool,
    /// What the browser needs.
    pub ceremony: Ceremony,
    /// Why there is no passkey.
    pub problem: Option<NotAdded>,
}

/// Has the browser make one.
pub async fn get(State(app): State<App>, visit: Visit) -> Response {
    visit.answer(show(&app, &visit).await)
}

/// Takes what it made, or goes on without.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(make(&app, &visit, form).await)
}

async fn show(app: &App, visit: &Visit) -> Result<Response, PageError> {
    match at(app, visit, Step::Passkey).await? {
        Ok(begun) => page(app, visit, &begun, None).await,
        Err(elsewhere) => Ok(elsewhere),
    }
}

pub(super) async fn page(
    app: &App,
    visit: &Visit,
    begun: &Begun,
    problem: Option<NotAdded>,
) -> Result<Response, PageError> {
    let (client, form_action) = for_whom(app, visit, begun.next.as_deref()).await?;
    let user = begun.user(app.clock.now());
    let ceremony = enrolment::begin(app, visit.browser(), &user, Kind::Passkey).await?;
    let is_optional = begun.password.is_some();
    let page = PasskeyPage {
        frame: visit.frame(),
        client,
        mxid: begun.localpart.mxid(&app.config.homeserver.server_name),
        is_optional,
        or_password: !is_optional && app.config.registers_with_password(),
        ceremony: ceremony.ok_or(Problem::NotFound)?,
        problem,
    };
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(visit.page(status, &page, form_action))
}

async fn make(app: &App, visit: &Visit, form: Result<Parameters, FormError>) -> Result<Response, PageError> {
    let form = form?;
    visit.check_form(&form).map_err(|error| PageError::from(error).then(WayOn::Again(PATH.to_owned())))?;
    let begun = match at(app, visit, Step::Passkey).await? {
        Ok(begun) => begun,
        Err(elsewhere) => return Ok(elsewhere),
    };
    if form.get("skip") == Some("yes") && begun.password.is_some() {
        begun::skip_passkey(app, &begun).await?;
        return go_on(app, visit, &begun).await;
    }
    let (Some(sealed), Some(answer)) = (form.get("ceremony"), form.get("credential")) else {
        return page(app, visit, &begun, Some(NotAdded::NoScript)).await;
    };
    let user = begun.user(app.clock.now());
    match enrolment::finish_early(app, visit, &user, sealed, answer).await? {
        Ok(passkey) => {
            begun::set_passkey(app, &begun, Some(&passkey)).await?;
            go_on(app, visit, &begun).await
        }
        Err(Refused::Stale) => {
            let back = page(app, visit, &begun, Some(NotAdded::Stale)).await?;
            unless_done(app, visit, &begun, back).await
        }
        Err(_) => page(app, visit, &begun, Some(NotAdded::Invalid)).await,
    }
}
