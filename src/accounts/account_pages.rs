//! What people see of their own account, and the sessions they can end.

use askama::Template;

use crate::clients::label::ClientLabel;
use crate::clients::scope_words::{Meaning, ScopeRow};
use crate::http::filters;
use crate::http::pages::{Frame, Person};
use crate::time::Timestamp;

/// The sections of the account pages, as the list at their side names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Who this account is.
    Account,
    /// Where it is signed in.
    Sessions,
}

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

/// What a session is to the person who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// A browser signed in to this server.
    Browser,
    /// An app that was let in.
    Client,
}

/// One session in the list.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// What it is.
    pub kind: SessionKind,
    /// Local path of the page that ends it.
    pub end_path: String,
    /// The client; `None` for a browser.
    pub client: Option<ClientLabel>,
    /// Browser and system in words, "Firefox on Linux", where known.
    pub user_agent: Option<String>,
    /// The name the Matrix device goes by.
    pub device_name: Option<String>,
    /// The Matrix device.
    pub device_id: Option<String>,
    /// When it was last used; `None` when never or not known.
    pub last_seen_at: Option<Timestamp>,
    /// The address it was last used from.
    pub ip_address: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// What the client may do.
    pub scopes: Vec<ScopeRow>,
    /// Whether it is the one asking.
    pub is_this_one: bool,
}

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

/// The page that asks whether to end one session. The answer is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "account/end_session.html")]
pub struct EndSessionPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// The session.
    pub session: SessionRow,
    /// The present moment.
    pub now: Timestamp,
}

/// The page that asks whether to end every session but the one asking. The answer is posted to
/// its own path.
#[derive(Debug, Template)]
#[template(path = "account/end_others.html")]
pub struct EndOthersPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// How many sessions would end.
    pub others: u64,
    /// How many of them are Matrix devices.
    pub devices: u64,
}
