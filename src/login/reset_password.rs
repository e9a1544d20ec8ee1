//! Getting back in without a password: asking for a link, and choosing a new password with it.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::arrive::arrive;
use super::next::Onward;
use crate::accounts::account_pages::UselessLinkPage;
use crate::accounts::emails::Address;
use crate::accounts::mails::{self, Mail, Occasion};
use crate::accounts::new_password::{self, Chooser, Problem};
use crate::accounts::users::User;
use crate::accounts::{email_verifications, password_resets, passwords};
use crate::app::App;
use crate::http::error::{PageError, Problem as PageProblem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::headers::set_retry_after;
use crate::http::pages::Frame;
use crate::http::rate_limits::{self, Action, Allowance};
use crate::http::visit::Visit;
use crate::keys::Weakness;
use crate::methods::Method;
use crate::sessions::client::EndReason;
use crate::sessions::{all, browser};

/// Local path of the page.
pub const PATH: &str = "/reset-password";

/// Why no link was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetProblem {
    /// What was typed is no address.
    Invalid,
    /// Too many were asked for; after this time another one is sent.
    TooMany(Duration),
}

/// The page that asks for an address. It is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "login/reset_password.html")]
pub struct ResetPasswordPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Whether links are sent at all here.
    pub is_possible: bool,
    /// The address as it was typed.
    pub typed: String,
    /// Why no link was sent.
    pub problem: Option<ResetProblem>,
}

/// The page after that, the same for every address.
#[derive(Debug, Template)]
#[template(path = "login/reset_password_sent.html")]
pub struct ResetPasswordSentPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
}

/// The page that a link leads to. It is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "login/new_password.html")]
pub struct NewPasswordPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Local path of this page.
    pub path: String,
    /// Whose password it is.
    pub mxid: String,
    /// The least number of characters.
    pub minimum_length: usize,
    /// Whether apps and devices shall be signed out too, as far as the person has chosen.
    pub end_devices: bool,
    /// What was wrong with the password.
    pub problem: Option<Problem>,
}

fn path(token: &str) -> String {
    format!("{PATH}/{token}")
}

/// Whether people who forgot their password can get back in by themselves.
fn is_possible(app: &App) -> bool {
    app.config.passwords.enabled && app.config.email.is_on()
}

/// Asks for an address.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    // Only our own page is believed.
    if visit.is_from_own_page() && query.as_deref() == Some("result=sent") {
        return visit.page(StatusCode::OK, &ResetPasswordSentPage { frame: visit.frame() }, None);
    }
    ask(&app, &visit, StatusCode::OK, String::new(), None)
}

/// Has a link sent.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(send(&app, &visit, form).await)
}

fn ask(
    app: &App,
    visit: &Visit,
    status: StatusCode,
    typed: String,
    problem: Option<ResetProblem>,
) -> Response {
    let page = ResetPasswordPage { frame: visit.frame(), is_possible: is_possible(app), typed, problem };
    visit.page(status, &page, None)
}

async fn send(app: &App, visit: &Visit, form: Result<Parameters, FormError>) -> Result<Response, PageError> {
    let form = form?;
    visit.check_form(&form).map_err(|error| PageError::from(error).then(WayOn::Again(PATH.to_owned())))?;
    if !is_possible(app) {
        return Err(PageProblem::Forbidden.into());
    }
    let typed: String = form.get("email").unwrap_or_default().trim().chars().take(255).collect();
    let Ok(address) = typed.parse::<Address>() else {
        return Ok(ask(app, visit, StatusCode::BAD_REQUEST, typed, Some(ResetProblem::Invalid)));
    };
    let (from, to) = (visit.requester.limit_key(), address.folded());
    for action in [Action::ResetPasswordFrom(&from), Action::ResetPasswordTo(&to)] {
        if let Allowance::Exhausted(wait) = rate_limits::spend(app, &action).await? {
            let problem = Some(ResetProblem::TooMany(wait));
            let mut response = ask(app, visit, StatusCode::TOO_MANY_REQUESTS, typed, problem);
            set_retry_after(&mut response, wait);
            return Ok(response);
        }
    }
    let mut tx = app.store.begin().await?;
    password_resets::begin(&mut tx, app, &address, app.clock.now()).await?;
    tx.commit().await?;
    app.wake_workers();
    Ok(visit.go(&with_query(PATH, &[("result", "sent".into())])))
}

/// Asks for a new password. Looking at a link does not spend it: programs that read mails look at links.
pub async fn get_link(State(app): State<App>, Path(token): Path<String>, visit: Visit) -> Response {
    visit.answer(show(&app, &visit, &token).await)
}

/// Sets the new password, and goes on as after a sign-in.
pub async fn post_link(
    State(app): State<App>,
    Path(token): Path<String>,
    visit: Visit,
    form: Result<Parameters, FormError>,
) -> Response {
    visit.answer(reset(&app, &visit, &token, form).await)
}

async fn show(app: &App, visit: &Visit, token: &str) -> Result<Response, PageError> {
    match password_resets::find(&app.store, token, app.clock.now()).await? {
        Some(user) if app.config.passwords.enabled => page(app, visit, token, &user, false, None).await,
        _ => Ok(useless(visit)),
    }
}

async fn page(
    app: &App,
    visit: &Visit,
    token: &str,
    user: &User,
    end_devices: bool,
    problem: Option<Problem>,
) -> Result<Response, PageError> {
    let page = NewPasswordPage {
        frame: visit.frame(),
        path: path(token),
        mxid: user.localpart.mxid(&app.config.homeserver.server_name),
        minimum_length: Chooser::of(app, user).await?.least_length(app),
        end_devices,
        problem,
    };
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(visit.page(status, &page, None))
}

fn useless(visit: &Visit) -> Response {
    visit.page(StatusCode::NOT_FOUND, &UselessLinkPage { frame: visit.frame(), new_one: PATH }, None)
}

async fn reset(
    app: &App,
    visit: &Visit,
    token: &str,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let mut form = form?;
    let again = || WayOn::Again(path(token));
    visit.check_form(&form).map_err(|error| PageError::from(error).then(again()))?;
    let now = app.clock.now();
    let user = match password_resets::find(&app.store, token, now).await? {
        Some(user) if app.config.passwords.enabled => user,
        _ => return Ok(useless(visit)),
    };
    let end_devices = form.get("end_devices") == Some("yes");
    let chooser = Chooser::of(app, &user).await?;
    let hash = match new_password::of_form(app, &chooser, &mut form).await? {
        Ok(hash) => hash,
        Err(problem) => return page(app, visit, token, &user, end_devices, Some(problem)).await,
    };
    let mut tx = app.store.begin().await?;
    // Whom the link is for decides, and nothing that the form says.
    let Some(user) = password_resets::spend(&mut tx, token, now).await? else { return Ok(useless(visit)) };
    passwords::set(&mut tx, user.id, &hash, now).await?;
    match end_devices {
        true => drop(all::end_all(&mut tx, user.id, None, EndReason::SignedOut, now).await?),
        false => drop(browser::end_all(&mut tx, user.id, None, now).await?),
    }
    // Once more: one may have been begun in a session that was just ended.
    email_verifications::forget(&mut tx, user.id).await?;
    let occasion = Occasion::by(&visit.requester, now);
    mails::tell(&mut tx, app, &user, &Mail::PasswordChanged(occasion), now).await?;
    tx.commit().await?;
    app.wake_workers();
    tracing::info!(user = %user.id, end_devices, "a person has set a new password by a link in a mail");
    // The mailbox stood for the password, and for nothing more.
    arrive(app, visit, &user, Method::Password.into(), None, None, &Onward::default()).await
}
