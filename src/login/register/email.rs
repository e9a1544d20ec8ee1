//! The e-mail address of a new account. Whoever's it is, the pages are the same: only its owner learns more, by
//! mail.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::begun::{self, Begun};
use super::{Step, at, code, for_whom, go_on, name};
use crate::accounts::emails::Address;
use crate::app::App;
use crate::clients::label::ClientLabel;
use crate::config::RegistrationEmail;
use crate::http::error::PageError;
use crate::http::filters;
use crate::http::form::{FormError, Parameters};
use crate::http::headers::set_retry_after;
use crate::http::pages::Frame;
use crate::http::rate_limits::{self, Action, Allowance};
use crate::http::visit::Visit;
use crate::login::next;
use crate::policy::{Code, Decision, Violation, input};

/// Local path of the page.
pub const PATH: &str = "/register/email";

/// The longest address that anybody has (RFC 5321 §4.5.3.1.3).
const LONGEST: usize = 254;

/// Why no code was sent, or another one is needed.
#[derive(Clone, Debug, PartialEq)]
pub enum EmailProblem {
    /// What was typed is no address.
    Invalid,
    /// The rules of this server speak against it.
    Denied(Violation),
    /// Too many codes were sent; after this time another one is.
    TooMany(Duration),
    /// The code was tried too often, or is too old.
    CodeOver,
    /// The person has shown that it is theirs, and it belongs to an account since.
    Taken,
    /// The form is older than its token, or the browser keeps no cookies.
    FormExpired,
}

impl EmailProblem {
    fn status(&self) -> StatusCode {
        match self {
            EmailProblem::Invalid | EmailProblem::CodeOver => StatusCode::BAD_REQUEST,
            EmailProblem::Denied(_) | EmailProblem::FormExpired => StatusCode::FORBIDDEN,
            EmailProblem::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            EmailProblem::Taken => StatusCode::CONFLICT,
        }
    }
}

/// The page that asks for an address. It is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "login/register/email.html")]
pub struct EmailPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// For which client the account is made.
    pub client: Option<ClientLabel>,
    /// The account as it is going to be called.
    pub mxid: String,
    /// Whether one can go on without an address.
    pub is_optional: bool,
    /// The address as it was typed.
    pub typed: String,
    /// What was wrong.
    pub problems: Vec<EmailProblem>,
}

impl EmailPage<'_> {
    fn is_taken(&self) -> bool {
        self.problems.contains(&EmailProblem::Taken)
    }
}

/// Asks for an address.
pub async fn get(State(app): State<App>, visit: Visit) -> Response {
    visit.answer(show(&app, &visit).await)
}

/// Has a code sent to it, or goes on without.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(enter(&app, &visit, form).await)
}

async fn show(app: &App, visit: &Visit) -> Result<Response, PageError> {
    let begun = match at(app, visit, Step::Email).await? {
        Ok(begun) => begun,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let typed = match &begun.email {
        Some(email) => email.to_string(),
        None => hinted(app, visit, &begun).await?.unwrap_or_default(),
    };
    page(app, visit, &begun, typed, Vec::new()).await
}

/// The address that the client hints at, if that is one.
async fn hinted(app: &App, visit: &Visit, begun: &Begun) -> Result<Option<String>, PageError> {
    let waiting = next::waiting(app, visit, begun.next.as_deref()).await?;
    let hint = waiting.and_then(|waiting| waiting.pending.asked.login_hint);
    Ok(hint.filter(|hint| hint.len() <= LONGEST && hint.parse::<Address>().is_ok()))
}

/// Asks for another address, or another code.
pub(super) async fn ask_again(
    app: &App,
    visit: &Visit,
    begun: &Begun,
    problem: EmailProblem,
) -> Result<Response, PageError> {
    let typed = begun.email.as_ref().map(Address::to_string).unwrap_or_default();
    page(app, visit, begun, typed, vec![problem]).await
}

async fn page(
    app: &App,
    visit: &Visit,
    begun: &Begun,
    typed: String,
    problems: Vec<EmailProblem>,
) -> Result<Response, PageError> {
    let (client, form_action) = for_whom(app, visit, begun.next.as_deref()).await?;
    let status = problems.first().map_or(StatusCode::OK, EmailProblem::status);
    let wait = problems.iter().find_map(|problem| match problem {
        EmailProblem::TooMany(wait) => Some(*wait),
        _ => None,
    });
    let mxid = begun.localpart.mxid(&app.config.homeserver.server_name);
    let is_optional = app.config.registration.email == RegistrationEmail::Optional;
    let page = EmailPage { frame: visit.frame(), client, mxid, is_optional, typed, problems };
    let mut response = visit.page(status, &page, form_action);
    if let Some(wait) = wait {
        set_retry_after(&mut response, wait);
    }
    Ok(response)
}

async fn enter(app: &App, visit: &Visit, form: Result<Parameters, FormError>) -> Result<Response, PageError> {
    let form = form?;
    let begun = match at(app, visit, Step::Email).await? {
        Ok(begun) => begun,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let typed: String = form.get("email").unwrap_or_default().trim().chars().take(LONGEST + 1).collect();
    let again = |problems| page(app, visit, &begun, typed.clone(), problems);
    if visit.check_form(&form).is_err() {
        return again(vec![EmailProblem::FormExpired]).await;
    }
    let is_optional = app.config.registration.email == RegistrationEmail::Optional;
    if is_optional && form.get("skip") == Some("yes") {
        begun::skip_email(app, &begun).await?;
        return go_on(app, visit, &begun).await;
    }
    let address = match typed.parse::<Address>() {
        Ok(address) if typed.len() <= LONGEST => address,
        _ => return again(vec![EmailProblem::Invalid]).await,
    };
    let violations = violations(app, visit, &begun, &address);
    if !violations.is_empty() {
        return again(violations.into_iter().map(EmailProblem::Denied).collect()).await;
    }
    let from = visit.requester.limit_key();
    for action in [Action::RegisterFrom(&from), Action::EmailCodeTo(&address.folded())] {
        if let Allowance::Exhausted(wait) = rate_limits::spend(app, &action).await? {
            return again(vec![EmailProblem::TooMany(wait)]).await;
        }
    }
    begun::send_code(app, visit, &begun, &address).await?;
    Ok(visit.go(code::PATH))
}

/// What the rules say of the address, and of the account with it.
pub(super) fn violations(app: &App, visit: &Visit, begun: &Begun, address: &Address) -> Vec<Violation> {
    // However it is capitalised: rules compare texts.
    let question = input::Email { email: address.folded(), requester: visit.requester.for_policy() };
    let of_email = match app.policy.email(&question) {
        Ok(Decision::Allowed) => Vec::new(),
        Ok(Decision::Denied(violations)) => violations,
        Err(_) => vec![Violation { code: Code::EmailNotAllowed, message: None, data: Default::default() }],
    };
    let mut all = name::violations(app, visit, &begun.localpart, Some(address.folded()));
    // Both questions say it of the same requester.
    all.extend(of_email.into_iter().filter(|violation| violation.code != Code::RequesterBanned));
    all
}
