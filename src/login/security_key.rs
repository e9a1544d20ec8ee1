//! The second step by a passkey or security key.

use std::time::Duration;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::attempts::{self, Attempt};
use super::next::{self, Onward};
use super::second;
use crate::accounts::passkeys::{Ceremony, Refused, assertion};
use crate::accounts::sign_in;
use crate::app::App;
use crate::clients::label::ClientLabel;
use crate::http::error::PageError;
use crate::http::filters;
use crate::http::form::{FormError, Parameters};
use crate::http::headers::set_retry_after;
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::methods::Method;

/// Local path of the page.
pub const PATH: &str = "/login/security-key";

/// The page that asks for a key.
#[derive(Debug, Template)]
#[template(path = "login/security_key.html")]
pub struct SecurityKeyPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Where the sign-in leads.
    pub onward: Onward,
    /// The client that waits for it.
    pub client: Option<ClientLabel>,
    /// What the browser needs.
    pub ceremony: Ceremony,
    /// For how long the browser can be remembered, if it can.
    pub remembered_for: Option<Duration>,
    /// What was wrong with the last try.
    pub problem: Option<KeyProblem>,
}

/// Why a key was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyProblem {
    /// The form came without an answer of the browser.
    NoScript,
    /// The page was open for too long, or is not this browser's.
    Stale,
    /// The answer does not hold.
    Invalid,
    /// After this time another one is allowed.
    TooManyAttempts(Duration),
}

impl KeyProblem {
    fn status(self) -> StatusCode {
        match self {
            KeyProblem::NoScript => StatusCode::BAD_REQUEST,
            KeyProblem::Stale | KeyProblem::Invalid => StatusCode::FORBIDDEN,
            KeyProblem::TooManyAttempts(_) => StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

/// `GET /login/security-key`.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(show(&app, &visit, &query.unwrap_or_default()).await)
}

/// `POST /login/security-key`.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(try_key(&app, &visit, form).await)
}

async fn show(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let onward = Onward::read(&Parameters::parse(query.as_bytes())?);
    match attempts::find(app, visit).await? {
        Some(attempt) => page(app, visit, &attempt, onward, None).await,
        None => Ok(visit.go(&onward.through("/login"))),
    }
}

async fn page(
    app: &App,
    visit: &Visit,
    attempt: &Attempt,
    onward: Onward,
    problem: Option<KeyProblem>,
) -> Result<Response, PageError> {
    let ceremony = assertion::begin_confirmation(app, visit.browser(), &attempt.user).await?;
    let Some(ceremony) = ceremony else { return Ok(visit.go(&onward.through(second::PATH))) };
    let waiting = next::waiting(app, visit, onward.next.as_deref()).await?;
    let (client, form_action) = match waiting {
        Some(waiting) => (Some(waiting.client), waiting.form_action),
        None => (None, None),
    };
    let remembered_for = app.config.second_factor.remembered_for();
    let frame = visit.frame().back_to(onward.through(PATH));
    let page = SecurityKeyPage { frame, onward, client, ceremony, remembered_for, problem };
    let status = problem.map_or(StatusCode::OK, KeyProblem::status);
    let mut response = visit.page(status, &page, form_action);
    if let Some(KeyProblem::TooManyAttempts(wait)) = problem {
        set_retry_after(&mut response, wait);
    }
    Ok(response)
}

async fn try_key(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    let onward = Onward::read(&form);
    let Some(attempt) = attempts::find(app, visit).await? else {
        return Ok(visit.go(&onward.through("/login")));
    };
    if visit.check_form(&form).is_err() {
        return page(app, visit, &attempt, onward, Some(KeyProblem::Stale)).await;
    }
    let (Some(sealed), Some(answer)) = (form.get("ceremony"), form.get("credential")) else {
        return page(app, visit, &attempt, onward, Some(KeyProblem::NoScript)).await;
    };
    let counted = match sign_in::count_by_address(app, &visit.requester).await? {
        Ok(counted) => counted,
        Err(wait) => {
            return page(app, visit, &attempt, onward, Some(KeyProblem::TooManyAttempts(wait))).await;
        }
    };
    let problem = match assertion::confirm(app, visit.browser(), &attempt.user, sealed, answer).await? {
        Ok(()) => {
            let method = Method::SecurityKey;
            return second::let_on(app, visit, &form, &attempt, method, Some(&counted), &onward).await;
        }
        Err(Refused::Stale) => KeyProblem::Stale,
        Err(_) => KeyProblem::Invalid,
    };
    page(app, visit, &attempt, onward, Some(problem)).await
}
