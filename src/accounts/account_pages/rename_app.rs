//! Giving an authenticator app another name.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;

use super::security::{self, SecurityNotice};
use crate::accounts::authenticator_apps::{self, AuthenticatorApp, LONGEST_NAME};
use crate::accounts::signed_in::{self, SignedIn};
use crate::app::App;
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters};
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::http::words;
use crate::ids::AuthenticatorAppId;

/// Local path of the page.
pub fn path(id: AuthenticatorAppId) -> String {
    format!("/account/security/apps/{id}/rename")
}

/// The page that asks for a name. It is posted to `action`.
#[derive(Debug, Template)]
#[template(path = "account/rename_app.html")]
pub struct RenameAppPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Local path of this page.
    pub action: String,
    /// Which.
    pub authenticator: AuthenticatorApp,
    /// Whether a name was missing.
    pub is_name_missing: bool,
}

impl RenameAppPage<'_> {
    const LONGEST_NAME: usize = LONGEST_NAME;
}

/// `GET /account/security/apps/{id}/rename`.
pub async fn get(State(app): State<App>, Path(id): Path<String>, visit: Visit) -> Response {
    visit.answer(ask(&app, &visit, &id).await)
}

/// `POST /account/security/apps/{id}/rename`. Nothing is given away by that, so it needs no fresh proof.
pub async fn post(
    State(app): State<App>,
    Path(id): Path<String>,
    visit: Visit,
    form: Result<Parameters, FormError>,
) -> Response {
    visit.answer(rename(&app, &visit, &id, form).await)
}

/// The person and their app.
async fn find(
    app: &App,
    visit: &Visit,
    id: &str,
) -> Result<Result<(SignedIn, AuthenticatorApp), Response>, PageError> {
    let not_found = || PageError::from(Problem::NotFound).then(WayOn::Account);
    let id: AuthenticatorAppId = id.parse().map_err(|_| not_found())?;
    let signed_in = match signed_in::require(app, visit, &path(id)).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(Err(sign_in_first)),
    };
    let apps = authenticator_apps::list(&app.store, signed_in.user.id).await?;
    let found = apps.into_iter().find(|one| one.id == id).ok_or_else(not_found)?;
    Ok(Ok((signed_in, found)))
}

fn page(visit: &Visit, authenticator: AuthenticatorApp, is_name_missing: bool) -> Response {
    let action = path(authenticator.id);
    let page = RenameAppPage { frame: visit.frame(), action, authenticator, is_name_missing };
    visit.page(if is_name_missing { StatusCode::BAD_REQUEST } else { StatusCode::OK }, &page, None)
}

async fn ask(app: &App, visit: &Visit, id: &str) -> Result<Response, PageError> {
    match find(app, visit, id).await? {
        Ok((_, authenticator)) => Ok(page(visit, authenticator, false)),
        Err(answer) => Ok(answer),
    }
}

async fn rename(
    app: &App,
    visit: &Visit,
    id: &str,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    let again = WayOn::Again(security::PATH.to_owned());
    visit.check_form(&form).map_err(|error| PageError::from(error).then(again))?;
    let (who, authenticator) = match find(app, visit, id).await? {
        Ok(found) => found,
        Err(answer) => return Ok(answer),
    };
    let name = form.get("name").unwrap_or_default().trim();
    let name: String = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    if words::shown(&name).is_empty() {
        return Ok(page(visit, authenticator, true));
    }
    let mut tx = who.begin(app).await?;
    authenticator_apps::rename(&mut tx, authenticator.id, who.user.id, &name).await?;
    tx.commit().await?;
    Ok(visit.go(&SecurityNotice::AppRenamed.path()))
}
