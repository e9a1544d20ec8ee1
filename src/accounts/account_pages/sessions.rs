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
use crate::sessions::all::{self, Part, Place, Session};
use crate::store;
use crate::time::Timestamp;

/// Local path of the list.
pub const PATH: &str = "/account/sessions";

/// How many sessions one page of the list has, besides the one asking.
const PAGE: usize = 50;

/// The longest text to look for, in characters.
const LONGEST_SEARCH: usize = 100;

/// How many sessions are searched in one go, and for one page. What is looked for are the words on the page, such
/// as the name of a client in the reader's language, which no database knows.
const SEARCHED_AT_ONCE: usize = 500;
const SEARCHED: usize = 10 * SEARCHED_AT_ONCE;

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
            AccountNotice::Ended(SessionKind::Token) => "token-ended".to_owned(),
            AccountNotice::AlreadyEnded => "already-ended".to_owned(),
            AccountNotice::EndedOthers(count) => format!("{count}-ended"),
        };
        with_query(PATH, &[("notice", notice.into())])
    }

    fn parse(text: &str) -> Option<AccountNotice> {
        Some(match text.strip_suffix("-ended")? {
            "browser" => AccountNotice::Ended(SessionKind::Browser),
            "client" => AccountNotice::Ended(SessionKind::Client),
            "token" => AccountNotice::Ended(SessionKind::Token),
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
    /// What is looked for; empty when everything is shown.
    pub search: String,
    /// Local path of the next page of the list.
    pub next: Option<String>,
    /// Local path of the page before.
    pub previous: Option<String>,
    /// Local path of the first page, on every other page.
    pub first: Option<String>,
    /// Whether there is a session besides the one asking, on any page.
    pub has_others: bool,
    /// The present moment.
    pub now: Timestamp,
}

impl SessionsPage<'_> {
    const SECTION: Section = Section::Sessions;
    const LONGEST_SEARCH: usize = LONGEST_SEARCH;
}

/// Shows one page of the list.
pub async fn get(State(app): State<App>, visit: Visit, RawQuery(query): RawQuery) -> Response {
    visit.answer(show(&app, &visit, query.unwrap_or_default()).await)
}

async fn show(app: &App, visit: &Visit, query: String) -> Result<Response, PageError> {
    let asked = Parameters::parse(query.as_bytes())?;
    // A place that cannot be read leads to the beginning: somebody cut the link.
    let place = |name| asked.get(name).and_then(|place| place.parse().ok());
    let part = match (place("before"), place("after")) {
        (Some(place), _) => Part::Before(place),
        (None, Some(place)) => Part::After(place),
        (None, None) => Part::First,
    };
    let search: String = asked.get("q").unwrap_or_default().trim().chars().take(LONGEST_SEARCH).collect();
    // Anybody can write a link that claims something was ended; only our own pages are believed.
    let notice = asked.get("notice").filter(|_| visit.is_from_own_page()).and_then(AccountNotice::parse);
    let signed_in = match signed_in::require(app, visit, PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let list = List { app, visit, signed_in: &signed_in, search: search.to_lowercase() };
    let shown = list.page(part).await?;
    let now = app.clock.now();
    let path = |key: &'static str, place: Place| {
        let place = (key, place.to_string().into());
        let search = (!search.is_empty()).then(|| ("q", search.as_str().into()));
        with_query(PATH, &search.into_iter().chain([place]).collect::<Vec<_>>())
    };
    let (next, previous) =
        (shown.next.map(|at| path("before", at)), shown.previous.map(|at| path("after", at)));
    let first = (!shown.is_first).then(|| match search.is_empty() {
        true => PATH.to_owned(),
        false => with_query(PATH, &[("q", search.as_str().into())]),
    });
    let (in_use, unused) = shown
        .rows
        .into_iter()
        .partition(|row| row.is_this_one || row.last_seen_at.is_some_and(|at| now.since(at) < UNUSED));
    let page = SessionsPage {
        frame: visit.frame(),
        notice,
        in_use,
        unused,
        search,
        next,
        previous,
        first,
        has_others: all::count(&app.store, signed_in.user.id, signed_in.session.id).await?.sessions > 0,
        now,
    };
    Ok(visit.page(StatusCode::OK, &page, None))
}

/// Somebody's list, as far as it has what is looked for.
struct List<'a> {
    app: &'a App,
    visit: &'a Visit,
    signed_in: &'a SignedIn,
    /// In lower case.
    search: String,
}

/// One page of it.
struct Shown {
    rows: Vec<SessionRow>,
    next: Option<Place>,
    previous: Option<Place>,
    is_first: bool,
}

impl List<'_> {
    /// The page that begins there. The session asking stands on top of the first one and nowhere else.
    async fn page(&self, part: Part) -> Result<Shown, store::Error> {
        if let Part::After(_) = &part {
            let (mut found, more) = self.find(part).await?;
            found.reverse();
            if let (Some(_), Some((first, _)), Some((last, _))) = (more, found.first(), found.last()) {
                let (next, previous) = (Some(last.clone()), Some(first.clone()));
                let rows = found.into_iter().map(|(_, row)| row).collect();
                return Ok(Shown { rows, next, previous, is_first: false });
            }
            // Nothing is above these: they are the first page, which may have room for more.
            return self.downwards(Part::First).await;
        }
        self.downwards(part).await
    }

    async fn downwards(&self, part: Part) -> Result<Shown, store::Error> {
        let is_first = part == Part::First;
        let (found, next) = self.find(part).await?;
        let previous = found.first().map(|(place, _)| place.clone()).filter(|_| !is_first);
        let mut rows: Vec<SessionRow> = found.into_iter().map(|(_, row)| row).collect();
        if is_first {
            let this = vec![Session::Browser(self.signed_in.session.clone())];
            let this = session_row::rows(self.app, self.visit, self.signed_in, this).await?;
            rows.splice(0..0, this.into_iter().filter(|row| row.matches(&self.search, &self.visit.language)));
        }
        Ok(Shown { rows, next, previous, is_first })
    }

    /// Up to one page of rows in the order of the part, and the place to go on from if there may be more.
    async fn find(&self, mut part: Part) -> Result<(Vec<(Place, SessionRow)>, Option<Place>), store::Error> {
        let (user, this) = (self.signed_in.user.id, self.signed_in.session.id);
        // One more than is shown tells whether there is more.
        let batch = if self.search.is_empty() { PAGE + 1 } else { SEARCHED_AT_ONCE };
        let limit = i64::try_from(batch).unwrap_or(i64::MAX);
        let (mut found, mut looked_at, mut last) = (Vec::new(), 0, None);
        loop {
            let sessions = all::list(&self.app.store, user, this, &part, limit).await?;
            let is_end = sessions.len() < batch;
            let places: Vec<Place> = sessions.iter().map(Session::place).collect();
            let rows = session_row::rows(self.app, self.visit, self.signed_in, sessions).await?;
            looked_at += rows.len();
            for (place, row) in places.into_iter().zip(rows) {
                if row.matches(&self.search, &self.visit.language) {
                    if found.len() == PAGE {
                        return Ok((found, last));
                    }
                    found.push((place.clone(), row));
                }
                last = Some(place);
            }
            match &last {
                Some(last) if !is_end && looked_at < SEARCHED => {
                    part = match part {
                        Part::After(_) => Part::After(last.clone()),
                        Part::First | Part::Before(_) => Part::Before(last.clone()),
                    };
                }
                _ => return Ok((found, last.filter(|_| !is_end))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_read_as_it_is_written() {
        for notice in [
            AccountNotice::Ended(SessionKind::Browser),
            AccountNotice::Ended(SessionKind::Client),
            AccountNotice::Ended(SessionKind::Token),
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
