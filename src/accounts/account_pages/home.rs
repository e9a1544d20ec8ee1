//! The first account page.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::Section;
use crate::accounts::signed_in;
use crate::app::App;
use crate::homeserver::{self, UserFacts};
use crate::http::error::PageError;
use crate::http::filters;
use crate::http::pages::{Frame, Person};
use crate::http::visit::Visit;
use crate::ids::Localpart;

/// Local path of the page.
pub const PATH: &str = "/account/";

/// How long the page waits for the homeserver: it can do without.
const PATIENCE: Duration = Duration::from_secs(1);

/// The page `GET /account/` shows.
#[derive(Debug, Template)]
#[template(path = "account/home.html")]
pub struct AccountHomePage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Whose account this is.
    pub person: Person,
    /// Whether the homeserver does not answer: what it knows may be missing.
    pub homeserver_unreachable: bool,
}

impl AccountHomePage<'_> {
    const SECTION: Section = Section::Account;
}

/// Shows who the account is.
pub async fn get(State(app): State<App>, visit: Visit) -> Response {
    visit.answer(show(&app, &visit).await)
}

async fn show(app: &App, visit: &Visit) -> Result<Response, PageError> {
    let signed_in = match signed_in::require(app, visit, PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let known = ask_homeserver(app, &signed_in.user.localpart).await;
    let homeserver_unreachable = known.is_err();
    let display_name = known.ok().flatten().and_then(|facts| facts.display_name);
    let person = Person { display_name, ..signed_in.person(app) };
    let page = AccountHomePage { frame: visit.frame(), person, homeserver_unreachable };
    Ok(visit.page(StatusCode::OK, &page, None))
}

/// What the homeserver knows of the person; nothing if it does not know them yet.
async fn ask_homeserver(app: &App, localpart: &Localpart) -> Result<Option<UserFacts>, homeserver::Error> {
    let asked = tokio::time::timeout(PATIENCE, app.homeserver.query_user(localpart)).await;
    match asked {
        Ok(Ok(facts)) => Ok(Some(facts)),
        Ok(Err(homeserver::Error::NotFound)) => Ok(None),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(homeserver::Error::Unreachable("no answer in time".to_owned())),
    }
    .inspect_err(
        |error| tracing::warn!(%error, "the account page is shown without what the homeserver knows"),
    )
}
