//! The second step of a sign-in: a code of an authenticator app, or a recovery code.
//!
//! A person whose password was right comes here with the secret of their attempt in a cookie, and has a session
//! only once the step is done.

use std::time::Duration;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::arrive::arrive;
use super::attempts::{self, Attempt};
use super::enrol;
use super::next::{self, Onward};
use crate::accounts::activity::{self, Event, note};
use crate::accounts::factors::{self, Factors};
use crate::accounts::remembered_browsers;
use crate::accounts::second_step::{Tried, try_code};
use crate::accounts::sign_in::Counted;
use crate::app::App;
use crate::clients::label::ClientLabel;
use crate::http::error::{PageError, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters};
use crate::http::headers::set_retry_after;
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::methods::Method;

/// Local path of the page.
pub const PATH: &str = "/login/second";
/// Local path of the page for recovery codes.
pub const RECOVERY_PATH: &str = "/login/recovery-code";

/// `GET /login/second`: asks for a code of an authenticator app, and names the other ways.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(show(&app, &visit, &query.unwrap_or_default(), Method::Totp).await)
}

/// `POST /login/second`.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(try_form(&app, &visit, form, Method::Totp).await)
}

/// `GET /login/recovery-code`.
pub async fn get_recovery(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(show(&app, &visit, &query.unwrap_or_default(), Method::RecoveryCode).await)
}

/// `POST /login/recovery-code`.
pub async fn post_recovery(
    State(app): State<App>,
    visit: Visit,
    form: Result<Parameters, FormError>,
) -> Response {
    visit.answer(try_form(&app, &visit, form, Method::RecoveryCode).await)
}

async fn show(app: &App, visit: &Visit, query: &str, method: Method) -> Result<Response, PageError> {
    let onward = Onward::read(&Parameters::parse(query.as_bytes())?);
    let Some(attempt) = attempts::find(app, visit).await? else {
        return Ok(visit.go(&onward.through("/login")));
    };
    match factors::find(&app.store, attempt.user.id).await?.has_second() {
        true => page(app, visit, &attempt, onward, method, None).await,
        false => Ok(visit.go(&onward.through(enrol::PATH))),
    }
}

async fn try_form(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
    method: Method,
) -> Result<Response, PageError> {
    let form = form?;
    let onward = Onward::read(&form);
    let Some(attempt) = attempts::find(app, visit).await? else {
        return Ok(visit.go(&onward.through("/login")));
    };
    if visit.check_form(&form).is_err() {
        return page(app, visit, &attempt, onward, method, Some(CodeProblem::FormExpired)).await;
    }
    let lead_back = |error: PageError| error.then(WayOn::Again(onward.through(PATH)));
    let code = form.get("code").unwrap_or_default();
    let tried = try_code(app, visit, attempt.user.id, method, code).await;
    let problem = match tried.map_err(lead_back)? {
        Tried::Right => {
            let arrived = let_on(app, visit, &form, &attempt, method, None, &onward).await;
            return arrived.map_err(lead_back);
        }
        Tried::Wrong => CodeProblem::Wrong,
        Tried::TooMany(wait) => CodeProblem::TooManyAttempts(wait),
    };
    page(app, visit, &attempt, onward, method, Some(problem)).await
}

/// Goes on with an attempt whose second step was just done, and has the browser remembered if that is wanted.
pub(super) async fn let_on(
    app: &App,
    visit: &Visit,
    form: &Parameters,
    attempt: &Attempt,
    method: Method,
    counted: Option<&Counted>,
    onward: &Onward,
) -> Result<Response, PageError> {
    let remembered_for = app.config.second_factor.remembered_for();
    let wanted = remembered_for.filter(|_| form.get("remember") == Some("yes"));
    let kept = match wanted {
        Some(lifetime) => Some((remember(app, visit, attempt, lifetime).await?, lifetime)),
        None => None,
    };
    let methods = attempt.methods.with(method);
    let response = arrive(app, visit, &attempt.user, methods, Some(attempt), counted, onward).await?;
    Ok(match kept {
        Some((secret, lifetime)) => visit.keep_remembered(response, &secret, lifetime),
        None => response,
    })
}

async fn remember(
    app: &App,
    visit: &Visit,
    attempt: &Attempt,
    lifetime: Duration,
) -> Result<String, PageError> {
    let (user, before, now) = (attempt.user.id, visit.remembered_secret.as_deref(), app.clock.now());
    let mut tx = attempt.begin(app).await?;
    let secret =
        remembered_browsers::remember(&mut tx, user, before, &visit.requester, lifetime, now).await?;
    activity::tell(&mut tx, app, user, Event::BrowserRemembered, Some(&visit.requester)).await?;
    tx.commit().await?;
    note(user, Event::BrowserRemembered, Some(&visit.requester));
    Ok(secret)
}

async fn page(
    app: &App,
    visit: &Visit,
    attempt: &Attempt,
    onward: Onward,
    method: Method,
    problem: Option<CodeProblem>,
) -> Result<Response, PageError> {
    let factors = factors::find(&app.store, attempt.user.id).await?;
    let waiting = next::waiting(app, visit, onward.next.as_deref()).await?;
    let (client, form_action) = match waiting {
        Some(waiting) => (Some(waiting.client), waiting.form_action),
        None => (None, None),
    };
    let ways = Ways::of(attempt, &factors);
    let mxid = attempt.user.localpart.mxid(&app.config.homeserver.server_name);
    let status = match problem {
        None => StatusCode::OK,
        Some(CodeProblem::TooManyAttempts(_)) => StatusCode::TOO_MANY_REQUESTS,
        Some(CodeProblem::Wrong | CodeProblem::FormExpired) => StatusCode::FORBIDDEN,
    };
    let path = if method == Method::RecoveryCode { RECOVERY_PATH } else { PATH };
    let frame = visit.frame().back_to(onward.through(path));
    let mut response = match method {
        Method::RecoveryCode => {
            visit.page(status, &RecoveryCodePage { frame, onward, client, mxid, problem }, form_action)
        }
        _ => {
            let remembered_for = app.config.second_factor.remembered_for();
            let page = SecondStepPage { frame, onward, client, mxid, ways, remembered_for, problem };
            visit.page(status, &page, form_action)
        }
    };
    if let Some(CodeProblem::TooManyAttempts(wait)) = problem {
        set_retry_after(&mut response, wait);
    }
    Ok(response)
}

/// What is wrong with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeProblem {
    /// It is none, or was used before.
    Wrong,
    /// Too many were wrong; after this time another one is looked at.
    TooManyAttempts(Duration),
    /// The form is older than its token, or the browser keeps no cookies.
    FormExpired,
}

/// The ways in which a person can do the second step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    /// By a code of an authenticator app.
    pub app: bool,
    /// By a passkey or security key.
    pub key: bool,
    /// By a recovery code.
    pub recovery_code: bool,
}

impl Ways {
    fn of(attempt: &Attempt, factors: &Factors) -> Ways {
        Ways {
            // Who has shown one already is asked for something stronger.
            app: factors.apps > 0 && !attempt.methods.has(Method::Totp),
            key: factors.passkeys > 0,
            recovery_code: factors.recovery_codes > 0,
        }
    }
}

/// The page `GET /login/second` shows, and `POST` again when it refuses.
#[derive(Debug, Template)]
#[template(path = "login/second.html")]
pub struct SecondStepPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Where the sign-in leads.
    pub onward: Onward,
    /// The client that waits for it.
    pub client: Option<ClientLabel>,
    /// Who signs in.
    pub mxid: String,
    /// What the person can choose from.
    pub ways: Ways,
    /// For how long the browser can be remembered, if it can.
    pub remembered_for: Option<Duration>,
    /// What was wrong with the last code.
    pub problem: Option<CodeProblem>,
}

/// The page `GET /login/recovery-code` shows, and `POST` again when it refuses.
#[derive(Debug, Template)]
#[template(path = "login/recovery_code.html")]
pub struct RecoveryCodePage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Where the sign-in leads.
    pub onward: Onward,
    /// The client that waits for it.
    pub client: Option<ClientLabel>,
    /// Who signs in.
    pub mxid: String,
    /// What was wrong with the last code.
    pub problem: Option<CodeProblem>,
}
