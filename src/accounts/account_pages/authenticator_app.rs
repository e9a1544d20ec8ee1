//! Setting up an authenticator app, and removing one.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;

use super::recovery_codes;
use super::security::{self, SecurityNotice};
use crate::accounts::activity::{Event, note, tell};
use crate::accounts::authenticator_apps::{self, AuthenticatorApp, Enrolment, Instructions, LONGEST_NAME};
use crate::accounts::factors;
use crate::accounts::signed_in::{self, SignedIn};
use crate::accounts::users::User;
use crate::app::App;
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::http::words;
use crate::ids::AuthenticatorAppId;
use crate::methods::Method;
use crate::sessions::browser;
use crate::store::Tx;

/// Local path of the page on which one is set up.
pub const ADD_PATH: &str = "/account/security/apps/add";

/// Local path of the page that asks whether to remove one.
pub fn remove_path(id: AuthenticatorAppId) -> String {
    format!("/account/security/apps/{id}/remove")
}

/// The page on which an app is set up, wherever that is done.
#[derive(Clone, Debug)]
pub struct EnrolmentForm {
    /// Local path that it is posted to.
    pub action: &'static str,
    /// What it carries besides.
    pub fields: Vec<(&'static str, String)>,
    /// Whether the person cannot go on without.
    pub is_demanded: bool,
    /// What can be set up in its place, where that is offered.
    pub instead: Option<Instead>,
}

/// Local paths of the pages on which something else is set up.
#[derive(Clone, Debug)]
pub struct Instead {
    /// A passkey.
    pub passkey: String,
    /// A security key.
    pub security_key: String,
}

impl EnrolmentForm {
    /// Shows how to set up an app with a fresh secret.
    ///
    /// # Errors
    /// When that cannot be made.
    pub fn begin(&self, app: &App, visit: &Visit, user: &User) -> Result<Response, PageError> {
        self.show(app, visit, user, &Enrolment::begin(app.clock.now()), String::new(), None)
    }

    /// Lets the app of a form count, if its code is right. The inner error is the form once more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn confirm(
        &self,
        app: &App,
        visit: &Visit,
        user: &User,
        form: &Parameters,
        mut tx: Tx,
    ) -> Result<Result<(), Response>, PageError> {
        let name: String = form.get("name").unwrap_or_default().trim().chars().take(LONGEST_NAME).collect();
        let sealed = form.get("enrolment").unwrap_or_default();
        let Some(enrolment) = Enrolment::resume(app, user.id, sealed) else {
            let afresh = Enrolment::begin(app.clock.now());
            return self.show(app, visit, user, &afresh, name, Some(EnrolmentProblem::Expired)).map(Err);
        };
        if visit.check_form(form).is_err() {
            return self.show(app, visit, user, &enrolment, name, Some(EnrolmentProblem::Expired)).map(Err);
        }
        let code = form.get("code").unwrap_or_default();
        let unnamed = visit.language.authenticator_app().plain();
        let called = if words::shown(&name).is_empty() { &unnamed } else { &name };
        if !enrolment.confirm(&mut tx, app, user.id, called, code).await? {
            return self.show(app, visit, user, &enrolment, name, Some(EnrolmentProblem::WrongCode)).map(Err);
        }
        tell(&mut tx, app, user.id, Event::AuthenticatorAdded, Some(&visit.requester)).await?;
        tx.commit().await?;
        app.wake_workers();
        note(user.id, Event::AuthenticatorAdded, Some(&visit.requester));
        Ok(Ok(()))
    }

    fn show(
        &self,
        app: &App,
        visit: &Visit,
        user: &User,
        enrolment: &Enrolment,
        name: String,
        problem: Option<EnrolmentProblem>,
    ) -> Result<Response, PageError> {
        let instructions = enrolment.instructions(app, user).map_err(authenticator_apps::Error::from)?;
        let fields: Vec<_> = self.fields.iter().map(|(name, value)| (*name, value.as_str().into())).collect();
        let frame = match fields.is_empty() {
            true => visit.frame(),
            false => visit.frame().back_to(with_query(self.action, &fields)),
        };
        let page = AddAppPage { frame, form: self.clone(), instructions, name, problem };
        let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        Ok(visit.page(status, &page, None))
    }
}

/// `GET /account/security/apps/add`.
pub async fn get_add(State(app): State<App>, visit: Visit) -> Response {
    visit.answer(begin(&app, &visit).await)
}

/// `POST /account/security/apps/add`.
pub async fn post_add(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(add(&app, &visit, form).await)
}

const OWN_FORM: EnrolmentForm =
    EnrolmentForm { action: ADD_PATH, fields: Vec::new(), is_demanded: false, instead: None };

/// Who may set up another one.
async fn allowed(app: &App, visit: &Visit) -> Result<Result<SignedIn, Response>, PageError> {
    let signed_in = match signed_in::require_recent(app, visit, ADD_PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(Err(sign_in_first)),
    };
    match authenticator_apps::list(&app.store, signed_in.user.id).await?.len() < authenticator_apps::MOST {
        true => Ok(Ok(signed_in)),
        false => Ok(Err(visit.go(&SecurityNotice::TooManyApps.path()))),
    }
}

async fn begin(app: &App, visit: &Visit) -> Result<Response, PageError> {
    match allowed(app, visit).await? {
        Ok(signed_in) => OWN_FORM.begin(app, visit, &signed_in.user),
        Err(answer) => Ok(answer),
    }
}

async fn add(app: &App, visit: &Visit, form: Result<Parameters, FormError>) -> Result<Response, PageError> {
    let form = form?;
    let signed_in = match allowed(app, visit).await? {
        Ok(signed_in) => signed_in,
        Err(answer) => return Ok(answer),
    };
    let user = &signed_in.user;
    if let Err(answer) = OWN_FORM.confirm(app, visit, user, &form, signed_in.begin(app).await?).await? {
        return Ok(answer);
    }
    let on = match factors::find(&app.store, user.id).await?.recovery_codes {
        0 => recovery_codes::path_to(&SecurityNotice::AppAdded.path()),
        _ => SecurityNotice::AppAdded.path(),
    };
    // The code was a second factor: the person need not show another one for what they do next.
    let session = &signed_in.session;
    let methods = session.methods.with(Method::Totp);
    let mut tx = app.store.begin().await?;
    let renewed = browser::renew(&mut tx, session.id, methods, &visit.requester, app.clock.now()).await?;
    tx.commit().await?;
    let response = visit.go(&on);
    Ok(match renewed {
        Some(secret) => visit.sign_in(response, &secret, app.config.sessions.browser_absolute_seconds),
        None => response,
    })
}

/// `GET /account/security/apps/{id}/remove`: asks.
pub async fn get_remove(State(app): State<App>, Path(id): Path<String>, visit: Visit) -> Response {
    visit.answer(ask(&app, &visit, &id).await)
}

/// `POST /account/security/apps/{id}/remove`.
pub async fn post_remove(
    State(app): State<App>,
    Path(id): Path<String>,
    visit: Visit,
    form: Result<Parameters, FormError>,
) -> Response {
    visit.answer(remove(&app, &visit, &id, form).await)
}

/// The person and their app.
async fn find(
    app: &App,
    visit: &Visit,
    id: &str,
) -> Result<Result<(SignedIn, AuthenticatorApp), Response>, PageError> {
    let id: AuthenticatorAppId = id.parse().map_err(|_| Problem::NotFound)?;
    let signed_in = match signed_in::require_recent(app, visit, &remove_path(id)).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(Err(sign_in_first)),
    };
    let apps = authenticator_apps::list(&app.store, signed_in.user.id).await?;
    let found = apps.into_iter().find(|one| one.id == id).ok_or(Problem::NotFound)?;
    Ok(Ok((signed_in, found)))
}

async fn ask(app: &App, visit: &Visit, id: &str) -> Result<Response, PageError> {
    let (signed_in, authenticator) = match find(app, visit, id).await? {
        Ok(found) => found,
        Err(answer) => return Ok(answer),
    };
    let factors = factors::find(&app.store, signed_in.user.id).await?;
    let is_last = factors.apps + factors.passkeys == 1;
    let page =
        RemoveAppPage { frame: visit.frame(), action: remove_path(authenticator.id), authenticator, is_last };
    Ok(visit.page(StatusCode::OK, &page, None))
}

async fn remove(
    app: &App,
    visit: &Visit,
    id: &str,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let again = WayOn::Again(security::PATH.to_owned());
    visit.check_form(&form?).map_err(|error| PageError::from(error).then(again))?;
    let (signed_in, authenticator) = match find(app, visit, id).await? {
        Ok(found) => found,
        Err(answer) => return Ok(answer),
    };
    let mut tx = signed_in.begin(app).await?;
    if !authenticator_apps::remove(&mut tx, authenticator.id, signed_in.user.id).await? {
        // The same request, sent a moment earlier, was faster.
        return Ok(visit.go(&SecurityNotice::AppRemoved.path()));
    }
    if let Err(needed) = factors::may_be_without(&mut tx, app, &signed_in.user).await? {
        return Ok(visit.go(&SecurityNotice::from(needed).path()));
    }
    tell(&mut tx, app, signed_in.user.id, Event::AuthenticatorRemoved, Some(&visit.requester)).await?;
    tx.commit().await?;
    app.wake_workers();
    note(signed_in.user.id, Event::AuthenticatorRemoved, Some(&visit.requester));
    Ok(visit.go(&SecurityNotice::AppRemoved.path()))
}

/// Why an app does not count yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrolmentProblem {
    /// The code is not one of it.
    WrongCode,
    /// The page was open for too long, or the browser keeps no cookies.
    Expired,
}

/// The page on which an app is set up.
#[derive(Debug, Template)]
#[template(path = "account/add_app.html")]
pub struct AddAppPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Where it leads.
    pub form: EnrolmentForm,
    /// What the app needs.
    pub instructions: Instructions,
    /// What the person calls it, as far as they have said.
    pub name: String,
    /// What was wrong.
    pub problem: Option<EnrolmentProblem>,
}

/// The page that asks whether to remove an app. The answer is posted to `action`.
#[derive(Debug, Template)]
#[template(path = "account/remove_app.html")]
pub struct RemoveAppPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Local path of this page.
    pub action: String,
    /// Which.
    pub authenticator: AuthenticatorApp,
    /// Whether the password is enough afterwards.
    pub is_last: bool,
}
