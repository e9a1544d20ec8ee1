//! Typing the code that was sent to an address.

use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;

use super::emails::EmailNotice;
use crate::accounts::email_verifications::{self, Outcome};
use crate::accounts::signed_in;
use crate::app::App;
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters};
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::ids::EmailVerificationId;

/// The code that was typed is not the one that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongCode;

/// The page that asks for the code. It is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "account/verify_email.html")]
pub struct VerifyEmailPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Local path of this page.
    pub path: String,
    /// Where the code was sent.
    pub address: String,
    /// What was wrong with the code.
    pub problem: Option<WrongCode>,
}

type Named = Result<Path<EmailVerificationId>, PathRejection>;

/// Local path of the page.
pub(super) fn path(id: EmailVerificationId) -> String {
    format!("/account/email/verify/{id}")
}

/// Asks for the code.
pub async fn get(State(app): State<App>, visit: Visit, id: Named) -> Response {
    visit.answer(ask(&app, &visit, id, None).await)
}

/// Tries a code.
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    id: Named,
    form: Result<Parameters, FormError>,
) -> Response {
    visit.answer(confirm(&app, &visit, id, form).await)
}

async fn ask(app: &App, visit: &Visit, id: Named, problem: Option<WrongCode>) -> Result<Response, PageError> {
    let Path(id) = id.map_err(|_| PageError::from(Problem::NotFound).then(WayOn::Account))?;
    let signed_in = match signed_in::require(app, visit, &path(id)).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let found = email_verifications::find(&app.store, id, signed_in.user.id, app.clock.now()).await?;
    // Whoever's it is or was.
    let Some(verification) = found else { return Ok(visit.go(&EmailNotice::Over.path())) };
    let (path, address) = (path(id), verification.address.to_string());
    let page = VerifyEmailPage { frame: visit.frame(), path, address, problem };
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(visit.page(status, &page, None))
}

async fn confirm(
    app: &App,
    visit: &Visit,
    id: Named,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    let Path(id) = id.map_err(|_| PageError::from(Problem::NotFound).then(WayOn::Account))?;
    visit.check_form(&form).map_err(|error| PageError::from(error).then(WayOn::Again(path(id))))?;
    let signed_in = match signed_in::require(app, visit, &path(id)).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let typed = form.get("code").unwrap_or_default();
    let mut tx = signed_in.begin(app).await?;
    let user = &signed_in.user;
    let tried = email_verifications::confirm_by_code(&mut tx, app, user, id, typed, &visit.requester).await?;
    tx.commit().await?;
    app.wake_workers();
    Ok(visit.go(&match tried {
        Outcome::Wrong => return ask(app, visit, Ok(Path(id)), Some(WrongCode)).await,
        Outcome::Confirmed => EmailNotice::Added.path(),
        Outcome::Over => EmailNotice::Over.path(),
        Outcome::Taken => EmailNotice::Taken.path(),
    }))
}
