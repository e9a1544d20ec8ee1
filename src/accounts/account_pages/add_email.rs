//! Entering an address to be added.

use std::time::Duration;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::{emails as list, verify_email};
use crate::accounts::email_verifications;
use crate::accounts::emails::Address;
use crate::accounts::signed_in;
use crate::app::App;
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters};
use crate::http::headers::set_retry_after;
use crate::http::pages::Frame;
use crate::http::rate_limits::{self, Action, Allowance};
use crate::http::visit::Visit;
use crate::policy::{Decision, input};

/// Local path of the page.
pub const PATH: &str = "/account/email/add";

/// No address is longer (RFC 5321 §4.5.3.1.3).
const LONGEST: usize = 254;

/// Why an address was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailProblem {
    /// It is no address.
    Invalid,
    /// The policy does not allow it here.
    NotAllowed,
    /// Too many codes were sent; after this time another one is.
    TooManyCodes(Duration),
}

/// The page on which an address is entered. It is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "account/add_email.html")]
pub struct AddEmailPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// The address as it was typed.
    pub typed: String,
    /// What was wrong with it.
    pub problem: Option<EmailProblem>,
}

/// Asks for an address.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(ask(&app, &visit, &query.unwrap_or_default()).await)
}

/// Has a code sent to an address.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(add(&app, &visit, form).await)
}

async fn ask(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let given = Parameters::parse(query.as_bytes())?;
    let typed = given.get("email").unwrap_or_default().chars().take(LONGEST).collect();
    match signed_in::require_recent(app, visit, PATH).await? {
        Ok(_) if app.config.email.is_on() => Ok(page(visit, StatusCode::OK, typed, None)),
        Ok(_) => Ok(visit.go(list::PATH)),
        Err(sign_in_first) => Ok(sign_in_first),
    }
}

fn page(visit: &Visit, status: StatusCode, typed: String, problem: Option<EmailProblem>) -> Response {
    visit.page(status, &AddEmailPage { frame: visit.frame(), typed, problem }, None)
}

async fn add(app: &App, visit: &Visit, form: Result<Parameters, FormError>) -> Result<Response, PageError> {
    let form = form?;
    visit.check_form(&form).map_err(|error| PageError::from(error).then(WayOn::Again(PATH.to_owned())))?;
    let signed_in = match signed_in::require_recent(app, visit, PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    if !app.config.email.is_on() {
        return Err(Problem::Forbidden.into());
    }
    let typed: String = form.get("email").unwrap_or_default().trim().chars().take(LONGEST + 1).collect();
    let address = match typed.parse::<Address>() {
        Ok(address) if typed.len() <= LONGEST => address,
        _ => return Ok(page(visit, StatusCode::BAD_REQUEST, typed, Some(EmailProblem::Invalid))),
    };
    // However it is capitalised: rules compare texts.
    let question = input::Email { email: address.folded(), requester: visit.requester.for_policy() };
    if !matches!(app.policy.email(&question), Ok(Decision::Allowed)) {
        return Ok(page(visit, StatusCode::FORBIDDEN, typed, Some(EmailProblem::NotAllowed)));
    }
    let user = &signed_in.user;
    for action in [Action::EmailCodeBy(user.id), Action::EmailCodeTo(&address.folded())] {
        if let Allowance::Exhausted(wait) = rate_limits::spend(app, &action).await? {
            let problem = Some(EmailProblem::TooManyCodes(wait));
            let mut response = page(visit, StatusCode::TOO_MANY_REQUESTS, typed, problem);
            set_retry_after(&mut response, wait);
            return Ok(response);
        }
    }
    let mut tx = signed_in.begin(app).await?;
    let id = email_verifications::begin(&mut tx, app, user, &address, app.clock.now()).await?;
    tx.commit().await?;
    app.wake_workers();
    Ok(visit.go(&verify_email::path(id)))
}
