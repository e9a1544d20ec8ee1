//! What happened to the account, page by page.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::Section;
use crate::accounts::activity::{self, Entry, Event};
use crate::accounts::signed_in;
use crate::app::App;
use crate::http::error::PageError;
use crate::http::filters;
use crate::http::form::{Parameters, with_query};
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::time::Timestamp;

/// Local path of the list.
pub const PATH: &str = "/account/activity";

/// How many entries one page has.
const PAGE: usize = 50;

/// One page of the list, the last first.
#[derive(Debug, Template)]
#[template(path = "account/activity.html")]
pub struct ActivityPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// What happened.
    pub entries: Vec<Entry>,
    /// Local path of the next page of the list.
    pub next: Option<String>,
    /// Local path of the first page, on every other page.
    pub first: Option<String>,
    /// The present moment.
    pub now: Timestamp,
}

impl ActivityPage<'_> {
    const SECTION: Section = Section::Activity;
    const KEPT_DAYS: u64 = activity::KEPT.as_secs() / (24 * 60 * 60);
}

/// `GET /account/activity`.
pub async fn get(State(app): State<App>, visit: Visit, RawQuery(query): RawQuery) -> Response {
    visit.answer(show(&app, &visit, query.unwrap_or_default()).await)
}

async fn show(app: &App, visit: &Visit, query: String) -> Result<Response, PageError> {
    let asked = Parameters::parse(query.as_bytes())?;
    // A place that cannot be read leads to the beginning: somebody cut the link.
    let before = asked.get("before").and_then(|place| place.parse().ok());
    let signed_in = match signed_in::require(app, visit, PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    // One more than is shown tells whether there is a next page.
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut entries = activity::list(&app.store, signed_in.user.id, before, limit).await?;
    let has_more = entries.len() > PAGE;
    entries.truncate(PAGE);
    let next = entries.last().filter(|_| has_more).map(|entry| entry.id);
    let page = ActivityPage {
        frame: visit.frame(),
        entries,
        next: next.map(|id| with_query(PATH, &[("before", id.to_string().into())])),
        first: before.is_some().then(|| PATH.to_owned()),
        now: app.clock.now(),
    };
    Ok(visit.page(StatusCode::OK, &page, None))
}
