//! The page that a recovery link of an admin leads to: a person who has lost their factors gets in once.

use std::time::Duration;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::arrive::arrive;
use super::next::Onward;
use super::password::refused;
use crate::accounts::account_pages::security::SecurityNotice;
use crate::accounts::activity::{Event, note, tell};
use crate::accounts::sign_in::{self, Attempt, Counted, Named};
use crate::accounts::users::User;
use crate::accounts::{passwords, recovery_links};
use crate::app::App;
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::headers::set_retry_after;
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::methods::{Method, Methods};
use crate::telemetry::metrics::SignIn;

/// `GET /recover`: says what the link does. It is used only by the form, since programs open links too.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(show(&app, &visit, &query.unwrap_or_default()).await)
}

/// `POST /recover`.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(use_link(&app, &visit, form).await)
}

async fn find(app: &App, token: &str) -> Result<User, PageError> {
    let found = recovery_links::find(&app.store, token, app.clock.now()).await?;
    Ok(found.ok_or(Problem::LinkExpired)?)
}

async fn show(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.as_bytes())?;
    let token = parameters.get("token").unwrap_or_default().to_owned();
    let user = find(app, &token).await?;
    page(app, visit, &user, token, None).await
}

async fn page(
    app: &App,
    visit: &Visit,
    user: &User,
    token: String,
    problem: Option<RecoverProblem>,
) -> Result<Response, PageError> {
    let page = RecoverPage {
        frame: visit.frame().back_to(with_query("/recover", &[("token", token.as_str().into())])),
        mxid: user.localpart.mxid(&app.config.homeserver.server_name),
        token,
        has_password: has_password(app, user).await?,
        problem,
    };
    let status = match problem {
        None => StatusCode::OK,
        Some(RecoverProblem::TooManyAttempts(_)) => StatusCode::TOO_MANY_REQUESTS,
        Some(_) => StatusCode::FORBIDDEN,
    };
    let mut response = visit.page(status, &page, None);
    if let Some(RecoverProblem::TooManyAttempts(wait)) = problem {
        set_retry_after(&mut response, wait);
    }
    Ok(response)
}

/// Whether a password is asked for beside the link: the admin who made it vouches for what was lost, and no more.
async fn has_password(app: &App, user: &User) -> Result<bool, PageError> {
    Ok(app.config.passwords.enabled && passwords::is_set(&app.store, user.id).await?)
}

async fn use_link(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let mut form = form?;
    let token = form.get("token").unwrap_or_default().to_owned();
    let password = form.take("password").unwrap_or_default();
    let user = find(app, &token).await?;
    if visit.check_form(&form).is_err() {
        return page(app, visit, &user, token, Some(RecoverProblem::FormExpired)).await;
    }
    let (methods, counted) = match has_password(app, &user).await? {
        true => match prove_password(app, visit, &user, password).await? {
            Ok(counted) => (Methods::from(Method::Password), Some(counted)),
            Err(problem) => return page(app, visit, &user, token, Some(problem)).await,
        },
        false => (Methods::default(), None),
    };
    let mut tx = app.store.begin().await?;
    if !recovery_links::spend(&mut tx, &token, app.clock.now()).await? {
        return Err(Problem::LinkExpired.into());
    }
    tell(&mut tx, app, user.id, Event::RecoveryLinkUsed, Some(&visit.requester)).await?;
    tx.commit().await?;
    note(user.id, Event::RecoveryLinkUsed, Some(&visit.requester));
    let onward = Onward { next: Some(SecurityNotice::Recovered.path()), needs_second: false };
    let methods = methods.with(Method::RecoveryCode);
    let lead_back = |error: PageError| error.then(WayOn::SignIn);
    arrive(app, visit, &user, methods, None, counted.as_ref(), &onward).await.map_err(lead_back)
}

async fn prove_password(
    app: &App,
    visit: &Visit,
    user: &User,
    password: String,
) -> Result<Result<Counted, RecoverProblem>, PageError> {
    let named = Named::User(user.localpart.as_str());
    let attempt = sign_in::attempt(app, &visit.requester, Some(visit.browser()), named, password).await;
    Ok(match attempt.map_err(refused)? {
        Attempt::Right(_, counted) => {
            counted.note(app, SignIn::Succeeded);
            Ok(counted)
        }
        Attempt::Wrong => Err(RecoverProblem::WrongPassword),
        Attempt::TooMany(wait) => Err(RecoverProblem::TooManyAttempts(wait)),
    })
}

/// Why a link was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoverProblem {
    /// The password is not right.
    WrongPassword,
    /// Too many were wrong; after this time another one is allowed.
    TooManyAttempts(Duration),
    /// The form is older than its token, or the browser keeps no cookies.
    FormExpired,
}

/// The page `GET /recover` shows, and `POST` again when it refuses.
#[derive(Debug, Template)]
#[template(path = "login/recover.html")]
pub struct RecoverPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Whom the link lets in.
    pub mxid: String,
    /// The token of the link.
    pub token: String,
    /// Whether the password is asked for.
    pub has_password: bool,
    /// What was wrong.
    pub problem: Option<RecoverProblem>,
}
