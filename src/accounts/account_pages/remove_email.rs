//! Removing an address.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::emails::{self as list, EmailNotice};
use crate::accounts::emails::{self, Address};
use crate::accounts::jobs;
use crate::accounts::mails::{self, Mail, Occasion};
use crate::accounts::password_resets;
use crate::accounts::signed_in::{self, SignedIn};
use crate::app::App;
use crate::http::error::{PageError, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::pages::Frame;
use crate::http::visit::Visit;

/// Local path of the page.
pub const PATH: &str = "/account/email/remove";

/// The page that asks whether to remove an address. The answer is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "account/remove_email.html")]
pub struct RemoveEmailPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Which.
    pub address: String,
    /// Whether no other one is known to be the person's.
    pub is_last: bool,
}

/// Asks whether to remove an address.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(ask(&app, &visit, &query.unwrap_or_default()).await)
}

/// Removes an address.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(remove(&app, &visit, form).await)
}

/// The person and the address that is meant, which may be nobody's. The inner error is an answer already.
async fn find(
    app: &App,
    visit: &Visit,
    given: &Parameters,
) -> Result<Result<(SignedIn, Address), Response>, PageError> {
    let typed = given.get("email").unwrap_or_default();
    let path = with_query(PATH, &[("email", typed.into())]);
    Ok(match (signed_in::require_recent(app, visit, &path).await?, typed.parse()) {
        (Ok(signed_in), Ok(address)) => Ok((signed_in, address)),
        (Ok(_), Err(_)) => Err(visit.go(list::PATH)),
        (Err(sign_in_first), _) => Err(sign_in_first),
    })
}

async fn ask(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let given = Parameters::parse(query.as_bytes())?;
    let (signed_in, address) = match find(app, visit, &given).await? {
        Ok(found) => found,
        Err(answer) => return Ok(answer),
    };
    let emails = emails::list(&app.store, signed_in.user.id).await?;
    let is_it = |known: &str| known.to_lowercase() == address.folded();
    let Some(email) = emails.iter().find(|email| is_it(&email.address)) else {
        return Ok(visit.go(list::PATH));
    };
    let is_last = !emails.iter().any(|other| other.verified_at.is_some() && !is_it(&other.address));
    let page = RemoveEmailPage { frame: visit.frame(), address: email.address.clone(), is_last };
    Ok(visit.page(StatusCode::OK, &page, None))
}

async fn remove(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    let again = WayOn::Again(list::PATH.to_owned());
    visit.check_form(&form).map_err(|error| PageError::from(error).then(again))?;
    let (signed_in, address) = match find(app, visit, &form).await? {
        Ok(found) => found,
        Err(answer) => return Ok(answer),
    };
    let (user, now) = (&signed_in.user, app.clock.now());
    let occasion = Occasion::by(&visit.requester, now);
    let mut tx = signed_in.begin(app).await?;
    // To this address too: it may be the only one that its owner still reads.
    let mail = Mail::EmailRemoved { address: address.to_string(), occasion };
    mails::tell(&mut tx, app, user, &mail, now).await?;
    if !emails::remove(&mut tx, user.id, &address).await? {
        return Ok(visit.go(list::PATH));
    }
    // One may be on its way there.
    password_resets::forget(&mut tx, user.id).await?;
    jobs::emails_changed(&mut tx, app, user.id, now).await?;
    tx.commit().await?;
    app.wake_workers();
    tracing::info!(user = %user.id, "a person removed an e-mail address");
    Ok(visit.go(&EmailNotice::Removed.path()))
}
