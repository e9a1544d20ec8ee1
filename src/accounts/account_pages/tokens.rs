//! Personal tokens: those that there are.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::Section;
use super::session_row::{self, SessionKind, SessionRow};
use crate::accounts::personal_tokens::MOST;
use crate::accounts::signed_in;
use crate::app::App;
use crate::http::error::PageError;
use crate::http::filters;
use crate::http::form::{Parameters, with_query};
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::sessions::all::Session;
use crate::sessions::personal;
use crate::time::Timestamp;

/// Local path of the list.
pub const PATH: &str = "/account/tokens";

/// What was just done, to be announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenNotice {
    /// A token works no more.
    Revoked,
    /// There are as many as there can be.
    TooMany,
}

impl TokenNotice {
    const ALL: [(TokenNotice, &str); 2] =
        [(TokenNotice::Revoked, "revoked"), (TokenNotice::TooMany, "too-many")];

    /// Local path of the list that announces it.
    pub(super) fn path(self) -> String {
        let name = TokenNotice::ALL.into_iter().find(|(notice, _)| *notice == self);
        with_query(PATH, &[("notice", name.map_or("", |(_, name)| name).into())])
    }
}

/// The list, the last made first.
#[derive(Debug, Template)]
#[template(path = "account/tokens.html")]
pub struct TokensPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// What was just done.
    pub notice: Option<TokenNotice>,
    /// The tokens.
    pub tokens: Vec<SessionRow>,
    /// The present moment.
    pub now: Timestamp,
}

impl TokensPage<'_> {
    const SECTION: Section = Section::Tokens;
    const MOST: usize = MOST;
}

/// Shows the list.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(show(&app, &visit, &query.unwrap_or_default()).await)
}

async fn show(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let asked = Parameters::parse(query.as_bytes())?;
    // Anybody can write a link that claims something was done; only our own pages are believed.
    let told = asked.get("notice").filter(|_| visit.is_from_own_page());
    let notice = TokenNotice::ALL.into_iter().find(|(_, name)| told == Some(*name)).map(|(notice, _)| notice);
    let signed_in = match signed_in::require(app, visit, PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let tokens = personal::list(&app.store, signed_in.user.id).await?;
    let tokens = tokens.into_iter().map(Session::Client).collect();
    let page = TokensPage {
        frame: visit.frame(),
        notice,
        tokens: session_row::rows(app, visit, &signed_in, tokens).await?,
        now: app.clock.now(),
    };
    Ok(visit.page(StatusCode::OK, &page, None))
}
