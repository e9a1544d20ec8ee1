//! Choosing another password.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use crate::accounts::mails::{self, Mail, Occasion};
use crate::accounts::new_password::{self, Chooser, Problem};
use crate::accounts::signed_in::{self, SignedIn};
use crate::accounts::{email_verifications, passwords};
use crate::app::App;
use crate::http::error::{self, PageError, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::pages::{Frame, Person};
use crate::http::visit::Visit;
use crate::keys::Weakness;
use crate::sessions::all;
use crate::sessions::client::EndReason;

/// Local path of the page.
pub const PATH: &str = "/account/password";

/// The page that asks for the new password. It is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "account/password.html")]
pub struct PasswordPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Whose password it is.
    pub person: Person,
    /// Local path of this page, where "Not you?" comes back to.
    pub action: String,
    /// The least number of characters.
    pub minimum_length: usize,
    /// Whether everything else shall be signed out, as far as they have chosen.
    pub end_others: bool,
    /// What was wrong with the password.
    pub problem: Option<Problem>,
}

/// The page after that.
#[derive(Debug, Template)]
#[template(path = "account/password_changed.html")]
pub struct ChangedPasswordPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
}

/// Asks for the new password.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    // Only our own page is believed.
    if visit.is_from_own_page() && query.as_deref() == Some("result=done") {
        return visit.page(StatusCode::OK, &ChangedPasswordPage { frame: visit.frame() }, None);
    }
    visit.answer(ask(&app, &visit).await)
}

/// Changes the password.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(change(&app, &visit, form).await)
}

async fn ask(app: &App, visit: &Visit) -> Result<Response, PageError> {
    match signed_in::require_recent(app, visit, PATH).await? {
        Ok(_) if !app.config.passwords.enabled => Err(error::Problem::Forbidden.into()),
        Ok(signed_in) => page(app, visit, &signed_in, false, None).await,
        Err(sign_in_first) => Ok(sign_in_first),
    }
}

async fn page(
    app: &App,
    visit: &Visit,
    signed_in: &SignedIn,
    end_others: bool,
    problem: Option<Problem>,
) -> Result<Response, PageError> {
    let chooser = Chooser::of(app, &signed_in.user).await?;
    let page = PasswordPage {
        frame: visit.frame(),
        person: signed_in.person(app),
        action: PATH.to_owned(),
        minimum_length: chooser.least_length(app),
        end_others,
        problem,
    };
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(visit.page(status, &page, None))
}

async fn change(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let mut form = form?;
    visit.check_form(&form).map_err(|error| PageError::from(error).then(WayOn::Again(PATH.to_owned())))?;
    // A recent sign-in stands for the old password, whatever it was made of.
    let signed_in = match signed_in::require_recent(app, visit, PATH).await? {
        Ok(_) if !app.config.passwords.enabled => return Err(error::Problem::Forbidden.into()),
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let user = &signed_in.user;
    let end_others = form.get("end_others") == Some("yes");
    let chooser = Chooser::of(app, user).await?;
    let hash = match new_password::of_form(app, &chooser, &mut form).await? {
        Ok(hash) => hash,
        Err(problem) => return page(app, visit, &signed_in, end_others, Some(problem)).await,
    };
    let now = app.clock.now();
    let mut tx = signed_in.begin(app).await?;
    passwords::set(&mut tx, user.id, &hash, now).await?;
    if end_others {
        all::end_all(&mut tx, user.id, Some(signed_in.session.id), EndReason::SignedOut, now).await?;
        // Once more: one may have been begun in a session that was just ended.
        email_verifications::forget(&mut tx, user.id).await?;
    }
    let occasion = Occasion::by(&visit.requester, now);
    mails::tell(&mut tx, app, user, &Mail::PasswordChanged(occasion), now).await?;
    tx.commit().await?;
    app.wake_workers();
    tracing::info!(user = %user.id, end_others, "a person changed their password");
    Ok(visit.go(&with_query(PATH, &[("result", "done".into())])))
}
