//! Signing in with name and password.

use std::time::Duration;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::arrive::{arrive, ask_for_second};
use super::attempts;
use super::next::{self, Onward, Waiting};
use super::terms;
use super::{register, reset_password};
use crate::accounts::passkeys::{Ceremony, assertion};
use crate::accounts::sign_in::{self, Attempt, Named};
use crate::accounts::signed_in;
use crate::accounts::users::Standing;
use crate::accounts::{factors, passwords};
use crate::app::App;
use crate::clients::label::ClientLabel;
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters};
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::keys::HashError;
use crate::methods::Method;
use crate::telemetry::metrics::SignIn;

/// The longest name that is looked at; a full Matrix identifier has 255 bytes at most.
const LONGEST_NAME: usize = 255;

/// `GET /login`.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(show(&app, &visit, &query.unwrap_or_default()).await)
}

/// `POST /login`.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(try_form(&app, &visit, form).await)
}

async fn show(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.as_bytes())?;
    let onward = Onward::read(&parameters);
    let waiting = next::waiting(app, visit, onward.next.as_deref()).await?;
    let hint = parameters.get("login_hint");
    let hinted = || next::hinted(hint?, &app.config.homeserver.server_name);
    let username = waiting.as_ref().and_then(|waiting| waiting.username.clone()).or_else(hinted);
    let mut username = username.unwrap_or_default();
    let mut notice = visit.session_secret.is_some().then_some(SignInNotice::SessionEnded);
    if let Some(who) = signed_in::holder(app, visit).await? {
        let authenticated_at = who.session.authenticated_at;
        let is_accepted = |waiting: &Waiting| waiting.pending.accepts(who.user.id, authenticated_at);
        // How many seconds ago the person may have proved who they are to go on there.
        let max_age = parameters.get("max_age").and_then(|seconds| seconds.parse().ok());
        let is_recent = |seconds| app.clock.now().since(authenticated_at) < Duration::from_secs(seconds);
        if waiting.as_ref().is_none_or(is_accepted) && max_age.is_none_or(is_recent) {
            let methods = who.session.methods;
            let asked = waiting.as_ref().and_then(|waiting| waiting.pending.asked.acr());
            let is_stronger_asked = max_age.is_some() || asked.is_some_and(|acr| methods.acr() < acr);
            let is_short =
                is_stronger_asked && !factors::find(&app.store, who.user.id).await?.are_proved_by(methods);
            let is_second_due = !who.meets_rule(app) || (onward.needs_second && !methods.has_second());
            if !is_short && !is_second_due {
                return Ok(match who.must_accept_terms {
                    true => visit.go(&onward.through(terms::PATH)),
                    false => visit.go(onward.end()),
                });
            }
            // What was proved a moment ago need not be proved again.
            if is_recent(attempts::LIFETIME.as_secs() / 2) {
                return ask_for_second(app, visit, &who, &onward).await;
            }
        }
        username = who.user.localpart.as_str().to_owned();
        notice = Some(SignInNotice::ConfirmItIsYou);
    }
    let page = Form { onward, waiting, username, notice, signals: None };
    Ok(page.answer(app, visit, StatusCode::OK, Vec::new()))
}

/// What the page is made of beside the problems.
pub(super) struct Form {
    pub onward: Onward,
    pub waiting: Option<Waiting>,
    pub username: String,
    pub notice: Option<SignInNotice>,
    /// What the browser is told of its passkeys.
    pub signals: Option<String>,
}

impl Form {
    pub fn answer(
        self,
        app: &App,
        visit: &Visit,
        status: StatusCode,
        problems: Vec<SignInProblem>,
    ) -> Response {
        let passkey = assertion::begin_sign_in(app, visit.browser()).unwrap_or_else(|error| {
            tracing::error!(%error, "the sign-in page is shown without passkeys");
            None
        });
        let (client, form_action) = match self.waiting {
            Some(waiting) => (Some(waiting.client), waiting.form_action),
            None => (None, None),
        };
        let is_known = self.notice == Some(SignInNotice::ConfirmItIsYou);
        let register = (app.config.registration.enabled && !is_known)
            .then(|| Onward { needs_second: false, ..self.onward.clone() }.through(register::PATH));
        let page = SignInPage {
            // The path that was asked for may name other sites in vain.
            frame: visit.frame().back_to(self.onward.through("/login")),
            onward: self.onward,
            client,
            username: self.username,
            problems,
            notice: self.notice,
            passkey,
            signals: self.signals,
            homeserver_unreachable: !app.homeserver.seems_reachable(),
            help: Some(reset_password::PATH.to_owned()),
            register,
        };
        visit.page(status, &page, form_action)
    }
}

async fn try_form(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let mut form = form?;
    let onward = Onward::read(&form);
    let waiting = next::waiting(app, visit, onward.next.as_deref()).await?;
    let username: String = form.get("username").unwrap_or_default().chars().take(LONGEST_NAME).collect();
    let password = form.take("password");
    let page = Form { onward, waiting, username: username.clone(), notice: None, signals: None };
    if visit.check_form(&form).is_err() {
        return Ok(page.answer(app, visit, StatusCode::FORBIDDEN, vec![SignInProblem::FormExpired]));
    }
    if !app.config.passwords.enabled {
        return Err(Problem::Forbidden.into());
    }
    let mut missing = Vec::new();
    if username.trim().is_empty() {
        missing.push(SignInProblem::MissingUsername);
    }
    let (Some(password), true) = (password, missing.is_empty()) else {
        missing.push(SignInProblem::MissingPassword);
        return Ok(page.answer(app, visit, StatusCode::BAD_REQUEST, missing));
    };
    let again = page.onward.through("/login");
    let lead_back = |error: PageError| error.then(WayOn::Again(again));
    let named = Named::User(&username);
    let attempt = sign_in::attempt(app, &visit.requester, Some(visit.browser()), named, password).await;
    let problem = match attempt.map_err(refused).map_err(lead_back.clone())? {
        Attempt::Right(user, counted) => match user.standing() {
            Standing::Active => {
                counted.note(app, SignIn::Succeeded);
                let methods = Method::Password.into();
                let arrived = arrive(app, visit, &user, methods, None, Some(&counted), &page.onward).await;
                return arrived.map_err(lead_back);
            }
            Standing::Locked => SignInProblem::AccountLocked,
            Standing::Deactivated => SignInProblem::WrongNameOrPassword,
        },
        Attempt::Wrong => SignInProblem::WrongNameOrPassword,
        Attempt::TooMany(wait) => {
            let problems = vec![SignInProblem::TooManyAttempts(wait)];
            let mut response = page.answer(app, visit, StatusCode::TOO_MANY_REQUESTS, problems);
            crate::http::headers::set_retry_after(&mut response, wait);
            return Ok(response);
        }
    };
    Ok(page.answer(app, visit, StatusCode::FORBIDDEN, vec![problem]))
}

/// What a page says of a password that could not be compared.
pub(super) fn refused(error: passwords::Error) -> PageError {
    match error {
        passwords::Error::Store(error) => error.into(),
        passwords::Error::Hash(HashError::Busy) => Problem::Unavailable.into(),
        error => {
            tracing::error!(%error, "a password could not be compared");
            Problem::Internal.into()
        }
    }
}

/// Why a sign-in was refused, to be said on the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInProblem {
    /// No name was given.
    MissingUsername,
    /// No password was given.
    MissingPassword,
    /// Unknown name, wrong password, or an account without one: one text for all.
    WrongNameOrPassword,
    /// Too many attempts; after this time another one is allowed.
    TooManyAttempts(Duration),
    /// The form is older than its token, or the browser keeps no cookies.
    FormExpired,
    /// The password or passkey was right, and the account is locked.
    AccountLocked,
    /// The passkey is nobody's, or its answer does not hold: one text for all.
    PasskeyInvalid,
    /// The page is older than its question to passkeys, or the browser keeps no cookies.
    PasskeyStale,
    /// The form came without the answer of a passkey.
    PasskeyNeedsScript,
}

/// What happened before this page, to be announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInNotice {
    /// The session in this browser came to its end or was ended elsewhere.
    SessionEnded,
    /// The page that was asked for must be confirmed with the password again.
    ConfirmItIsYou,
}

/// The page `GET /login` shows, and `POST /login` again when it refuses.
#[derive(Debug, Template)]
#[template(path = "login/password.html")]
pub struct SignInPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Where the sign-in leads, sent along with the form.
    pub onward: Onward,
    /// The client that waits for the sign-in.
    pub client: Option<ClientLabel>,
    /// The name as it was typed, or as the client hinted.
    pub username: String,
    /// What was wrong with the last attempt, if anything.
    pub problems: Vec<SignInProblem>,
    /// What happened before.
    pub notice: Option<SignInNotice>,
    /// What the browser needs to ask for a passkey, where there are any.
    pub passkey: Option<Ceremony>,
    /// What the browser is told of its passkeys.
    pub signals: Option<String>,
    /// Whether the homeserver does not answer: signing in works, the client may not.
    pub homeserver_unreachable: bool,
    /// Local path of the page for those who cannot sign in.
    pub help: Option<String>,
    /// Local path of the page for those who have no account, where they can make one.
    pub register: Option<String>,
}

impl SignInPage<'_> {
    fn has(&self, problem: SignInProblem) -> bool {
        self.problems.contains(&problem)
    }

    /// Whether the name field is where to go on: it is empty, or it may be wrong.
    fn begins_with_name(&self) -> bool {
        self.username.is_empty()
    }
}
