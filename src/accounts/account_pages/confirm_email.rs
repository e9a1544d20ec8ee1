//! The link in a mail that confirms an address. It works in any browser, and looking at it changes nothing:
//! programs that read mails look at links.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use crate::accounts::email_verifications::{self, Outcome};
use crate::accounts::users;
use crate::app::App;
use crate::http::error::{PageError, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::pages::Frame;
use crate::http::visit::Visit;

/// The page that asks whether the address is to be added. The answer is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "account/confirm_email.html")]
pub struct ConfirmEmailPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Local path of this page.
    pub path: String,
    /// Which address.
    pub address: String,
    /// To whose account.
    pub mxid: String,
}

/// The page after that.
#[derive(Debug, Template)]
#[template(path = "account/confirmed_email.html")]
pub struct ConfirmedEmailPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
}

/// The page for a link that is no longer good, or never was.
#[derive(Debug, Template)]
#[template(path = "account/useless_link.html")]
pub struct UselessLinkPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Local path of the page that sends a new one.
    pub new_one: &'static str,
}

fn path(token: &str) -> String {
    format!("/email/{token}")
}

/// Asks whether the address is to be added.
pub async fn get(
    State(app): State<App>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Response {
    // Only our own page is believed.
    if visit.is_from_own_page() && query.as_deref() == Some("result=done") {
        return visit.page(StatusCode::OK, &ConfirmedEmailPage { frame: visit.frame() }, None);
    }
    visit.answer(ask(&app, &visit, &token).await)
}

/// Adds the address.
pub async fn post(
    State(app): State<App>,
    Path(token): Path<String>,
    visit: Visit,
    form: Result<Parameters, FormError>,
) -> Response {
    visit.answer(confirm(&app, &visit, &token, form).await)
}

async fn ask(app: &App, visit: &Visit, token: &str) -> Result<Response, PageError> {
    let found = email_verifications::find_by_token(&app.store, token, app.clock.now()).await?;
    let Some(verification) = found else { return Ok(useless(visit)) };
    let Some(user) = users::find(&app.store, verification.user_id).await? else { return Ok(useless(visit)) };
    let page = ConfirmEmailPage {
        frame: visit.frame(),
        path: path(token),
        address: verification.address.to_string(),
        mxid: user.localpart.mxid(&app.config.homeserver.server_name),
    };
    Ok(visit.page(StatusCode::OK, &page, None))
}

fn useless(visit: &Visit) -> Response {
    let page = UselessLinkPage { frame: visit.frame(), new_one: super::add_email::PATH };
    visit.page(StatusCode::NOT_FOUND, &page, None)
}

async fn confirm(
    app: &App,
    visit: &Visit,
    token: &str,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let again = || WayOn::Again(path(token));
    visit.check_form(&form?).map_err(|error| PageError::from(error).then(again()))?;
    let mut tx = app.store.begin().await?;
    let tried = email_verifications::confirm_by_token(&mut tx, app, token, &visit.requester).await?;
    tx.commit().await?;
    app.wake_workers();
    match tried {
        Outcome::Confirmed => Ok(visit.go(&with_query(&path(token), &[("result", "done".into())]))),
        Outcome::Wrong | Outcome::Over | Outcome::Taken => Ok(useless(visit)),
    }
}
