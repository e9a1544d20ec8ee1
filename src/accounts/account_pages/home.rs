//! The first account page.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::Section;
use super::action::Action;
use crate::accounts::display_name::{self, DisplayName};
use crate::accounts::signed_in;
use crate::app::App;
use crate::http::error::PageError;
use crate::http::filters;
use crate::http::form::{Parameters, with_query};
use crate::http::pages::{Frame, Person};
use crate::http::visit::Visit;

/// Local path of the page.
pub const PATH: &str = "/account/";

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

/// Shows who the account is, or leads to where a client wants its person.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(show(&app, &visit, &query.unwrap_or_default()).await)
}

async fn show(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.as_bytes())?;
    let action = Action::parse(&parameters);
    let Some(signed_in) = signed_in::find(app, visit).await? else {
        let back = action.as_ref().map_or_else(|| PATH.to_owned(), Action::path);
        let hint = parameters.get("login_hint").map(|hint| ("login_hint", hint.into()));
        let to_login: Vec<_> = [("next", back.into())].into_iter().chain(hint).collect();
        return Ok(visit.go(&with_query("/login", &to_login)));
    };
    if let Some(action) = action {
        return Ok(visit.go(&action.page(app, signed_in.user.id).await?));
    }
    let known = display_name::find(app, signed_in.user.id, &signed_in.user.localpart).await?;
    let (display_name, homeserver_unreachable) = match known {
        DisplayName::Known(name) => (name, false),
        DisplayName::Unknown => (None, true),
    };
    let person = Person { display_name, ..signed_in.person(app) };
    let page = AccountHomePage { frame: visit.frame(), person, homeserver_unreachable };
    Ok(visit.page(StatusCode::OK, &page, None))
}
