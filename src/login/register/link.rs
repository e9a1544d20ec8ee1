//! The link in a mail that shows that the address of a new account is theirs. It works in any browser, and looking
//! at it changes nothing: programs that read mails look at links.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::begun;
use super::{PATH, Step};
use crate::accounts::account_pages::UselessLinkPage;
use crate::app::App;
use crate::http::error::{PageError, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::pages::Frame;
use crate::http::visit::Visit;

/// The page that asks whether the address is to be confirmed. The answer is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "login/register/link.html")]
pub struct LinkPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Local path of this page.
    pub path: String,
    /// Which address.
    pub address: String,
    /// The account as it is going to be called.
    pub mxid: String,
}

/// The page after that, in another browser than the one in which the account is being made.
#[derive(Debug, Template)]
#[template(path = "login/register/link_done.html")]
pub struct LinkDonePage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
}

fn path(token: &str) -> String {
    format!("{PATH}/link/{token}")
}

/// Asks whether the address is to be confirmed.
pub async fn get(
    State(app): State<App>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Response {
    // Only our own page is believed.
    if visit.is_from_own_page() && query.as_deref() == Some("result=done") {
        return visit.page(StatusCode::OK, &LinkDonePage { frame: visit.frame() }, None);
    }
    visit.answer(ask(&app, &visit, &token).await)
}

/// Confirms the address.
pub async fn post(
    State(app): State<App>,
    Path(token): Path<String>,
    visit: Visit,
    form: Result<Parameters, FormError>,
) -> Response {
    visit.answer(confirm(&app, &visit, &token, form).await)
}

async fn ask(app: &App, visit: &Visit, token: &str) -> Result<Response, PageError> {
    let found = begun::find_by_link(&app.store, token, app.clock.now()).await?;
    let Some(begun) = found else { return Ok(useless(visit)) };
    let page = LinkPage {
        frame: visit.frame(),
        path: path(token),
        address: begun.email.map(|email| email.to_string()).unwrap_or_default(),
        mxid: begun.localpart.mxid(&app.config.homeserver.server_name),
    };
    Ok(visit.page(StatusCode::OK, &page, None))
}

fn useless(visit: &Visit) -> Response {
    visit.page(StatusCode::NOT_FOUND, &UselessLinkPage { frame: visit.frame(), new_one: PATH }, None)
}

async fn confirm(
    app: &App,
    visit: &Visit,
    token: &str,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let again = || WayOn::Again(path(token));
    visit.check_form(&form?).map_err(|error| PageError::from(error).then(again()))?;
    let found = begun::find_by_link(&app.store, token, app.clock.now()).await?;
    let Some(confirmed) = found else { return Ok(useless(visit)) };
    if !begun::spend_link(app, token).await? {
        return Ok(useless(visit));
    }
    // Who is making the account with this very browser goes on at once.
    match begun::find(app, visit).await? {
        Some(begun) if begun.user_id == confirmed.user_id => {
            Ok(visit.go(begun.due(app).map_or(PATH, Step::path)))
        }
        _ => Ok(visit.go(&with_query(&path(token), &[("result", "done".into())]))),
    }
}
