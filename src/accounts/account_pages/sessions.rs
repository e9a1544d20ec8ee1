//! Everything that is signed in to the account, page by page.

use std::time::Duration;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::Section;
use super::session_row::{self, SessionKind, SessionRow};
use crate::accounts::signed_in::{self, SignedIn};
use crate::app::App;
use crate::http::error::PageError;
use crate::http::filters;
use crate::http::form::{Parameters, with_query};
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::sessions::all::{self, Place, Session};
use crate::store;
use crate::time::Timestamp;

/// Local path of the list.
pub const PATH: &str = "/account/sessions";

/// How many sessions one page of the list has, besides the one asking.
const PAGE: usize = 50;

/// A session not used for this long is set apart.
const UNUSED: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// What was just done, to be announced on the page that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountNotice {
    /// One session of this kind was ended.
    Ended(SessionKind),
    /// The session was over before it could be ended.
    AlreadyEnded,
    /// So many other sessions were ended.
    EndedOthers(u64),
}

impl AccountNotice {
    /// Local path of the list that announces it.
    pub(super) fn path(self) -> String {
        let notice = match self {
            AccountNotice::Ended(SessionKind::Browser) => "browser-ended".to_owned(),
            AccountNotice::Ended(SessionKind::Client) => "client-ended".to_owned(),
            AccountNotice::AlreadyEnded => "already-ended".to_owned(),
            AccountNotice::EndedOthers(count) => format!("{count}-ended"),
        };
        with_query(PATH, &[("notice", notice.into())])
    }

    fn parse(text: &str) -> Option<AccountNotice> {
        Some(match text.strip_suffix("-ended")? {
            "browser" => AccountNotice::Ended(SessionKind::Browser),
            "client" => AccountNotice::Ended(SessionKind::Client),
            "already" => AccountNotice::AlreadyEnded,
            count => AccountNotice::EndedOthers(count.parse().ok()?),
        })
    }
}

/// One page of the list of sessions, last used first.
#[derive(Debug, Template)]
#[template(path = "account/sessions.html")]
pub struct SessionsPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// What was just done.
    pub notice: Option<AccountNotice>,
    /// Sessions used within the last 90 days.
    pub in_use: Vec<SessionRow>,
    /// Sessions not used for 90 days.
    pub unused: Vec<SessionRow>,
    /// Local path of the next page of the list.
    pub next: Option<String>,
    /// Local path of the first page, on every other page.
    pub first: Option<String>,
    /// Whether there is a session besides the one asking, on any page.
    pub has_others: bool,
    /// The present moment.
    pub now: Timestamp,
}

impl SessionsPage<'_> {
    const SECTION: Section = Section::Sessions;
}

/// Shows one page of the list.
pub async fn get(State(app): State<App>, visit: Visit, RawQuery(query): RawQuery) -> Response {
    visit.answer(show(&app, &visit, query.unwrap_or_default()).await)
}

async fn show(app: &App, visit: &Visit, query: String) -> Result<Response, PageError> {
    let asked = Parameters::parse(query.as_bytes())?;
    // A place that cannot be read leads to the beginning: somebody cut the link.
    let before = asked.get("before").and_then(|place| place.parse().ok());
    // Anybody can write a link that claims something was ended; only our own pages are believed.
    let notice = asked.get("notice").filter(|_| visit.is_from_own_page()).and_then(AccountNotice::parse);
    let signed_in = match signed_in::require(app, visit, PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let (sessions, next) = page_of(app, &signed_in, before.as_ref()).await?;
    let now = app.clock.now();
    let (in_use, unused) = session_row::rows(app, visit, &signed_in, sessions)
        .await?
        .into_iter()
        .partition(|row| row.is_this_one || row.last_seen_at.is_some_and(|at| now.since(at) < UNUSED));
    let page = SessionsPage {
        frame: visit.frame(),
        notice,
        in_use,
        unused,
        next: next.map(|place| with_query(PATH, &[("before", place.to_string().into())])),
        first: before.is_some().then(|| PATH.to_owned()),
        has_others: all::count(&app.store, signed_in.user.id, signed_in.session.id).await?.sessions > 0,
        now,
    };
    Ok(visit.page(StatusCode::OK, &page, None))
}

/// The sessions of one page, and the place that the next page begins below. The session asking stands
/// on top of the first page and nowhere else.
async fn page_of(
    app: &App,
    signed_in: &SignedIn,
    before: Option<&Place>,
) -> Result<(Vec<Session>, Option<Place>), store::Error> {
    let (user, this) = (signed_in.user.id, &signed_in.session);
    // One more than is shown tells whether there is a next page.
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut sessions = all::list(&app.store, user, this.id, before, limit).await?;
    let has_more = sessions.len() > PAGE;
    sessions.truncate(PAGE);
    let next = sessions.last().filter(|_| has_more).map(Session::place);
    if before.is_none() {
        sessions.insert(0, Session::Browser(this.clone()));
    }
    Ok((sessions, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_read_as_it_is_written() {
        for notice in [
            AccountNotice::Ended(SessionKind::Browser),
            AccountNotice::Ended(SessionKind::Client),
            AccountNotice::AlreadyEnded,
            AccountNotice::EndedOthers(7),
        ] {
            let path = notice.path();
            let text = path.strip_prefix("/account/sessions?notice=");
            assert_eq!(text.and_then(AccountNotice::parse), Some(notice));
        }
        for bad in ["", "browser", "-1-ended", "<b>-ended", "99999999999999999999-ended"] {
            assert_eq!(AccountNotice::parse(bad), None, "{bad}");
        }
    }
}
