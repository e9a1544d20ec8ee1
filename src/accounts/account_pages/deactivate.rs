//! Deactivating one's own account (Matrix CS API, Account deactivation).

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use crate::accounts::signed_in;
use crate::accounts::users;
use crate::app::App;
use crate::http::error::{PageError, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::pages::{Frame, Person};
use crate::http::visit::Visit;
use crate::ids::localpart_of;

/// Local path of the page.
pub const PATH: &str = "/account/deactivate";

/// The name that was typed is not the account's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongName;

/// The page that says what is lost, and asks. The answer is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "account/deactivate.html")]
pub struct DeactivatePage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Whose account it is.
    pub person: Person,
    /// Local path of this page, where "Not you?" comes back to.
    pub action: String,
    /// Whether what the person wrote shall be erased, as far as they have chosen.
    pub erase: bool,
    /// What was wrong with the answer.
    pub problem: Option<WrongName>,
}

/// The page after that.
#[derive(Debug, Template)]
#[template(path = "account/deactivated.html")]
pub struct DeactivatedPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
}

/// Says what is lost, and asks.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    // Nobody is signed in any more then; only our own page is believed.
    if visit.is_from_own_page() && query.as_deref() == Some("result=done") {
        return visit.page(StatusCode::OK, &DeactivatedPage { frame: visit.frame() }, None);
    }
    visit.answer(ask(&app, &visit).await)
}

/// Deactivates the account.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(deactivate(&app, &visit, form).await)
}

async fn ask(app: &App, visit: &Visit) -> Result<Response, PageError> {
    match signed_in::require_recent(app, visit, PATH).await? {
        Ok(signed_in) => Ok(page(visit, signed_in.person(app), false, None)),
        Err(sign_in_first) => Ok(sign_in_first),
    }
}

fn page(visit: &Visit, person: Person, erase: bool, problem: Option<WrongName>) -> Response {
    let page = DeactivatePage { frame: visit.frame(), person, action: PATH.to_owned(), erase, problem };
    visit.page(if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK }, &page, None)
}

async fn deactivate(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    visit.check_form(&form).map_err(|error| PageError::from(error).then(WayOn::Again(PATH.to_owned())))?;
    let signed_in = match signed_in::require_recent(app, visit, PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let erase = form.get("erase") == Some("yes");
    let user = &signed_in.user;
    let typed = form.get("username").unwrap_or_default();
    let typed = localpart_of(typed, &app.config.homeserver.server_name);
    if !typed.is_some_and(|typed| typed.eq_ignore_ascii_case(user.localpart.as_str())) {
        return Ok(page(visit, signed_in.person(app), erase, Some(WrongName)));
    }
    let mut tx = signed_in.begin(app).await?;
    users::deactivate(&mut tx, user.id, erase, app.clock.now()).await?;
    tx.commit().await?;
    app.wake_workers();
    tracing::info!(user = %user.id, erase, "a person deactivated their account");
    Ok(visit.sign_out(visit.go(&with_query(PATH, &[("result", "done".into())]))))
}
