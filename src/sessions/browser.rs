//! People signed in with a browser.

use std::time::Duration;

use super::{logout, sql};
use crate::config;
use crate::http::requester::Requester;
use crate::ids::{BrowserSessionId, UserId};
use crate::keys;
use crate::methods::Methods;
use crate::store::{self, On, Query, Store, Tx};
use crate::time::Timestamp;

/// A last-seen time is written again only when it is older than this, or than a quarter of the idle
/// limit where that is short.
const SEEN_AGAIN: Duration = Duration::from_secs(5 * 60);

/// A person signed in with a browser.
#[derive(Clone, Debug)]
pub struct BrowserSession {
    /// Its identifier.
    pub id: BrowserSessionId,
    /// Who signed in.
    pub user_id: UserId,
    /// When it began.
    pub created_at: Timestamp,
    /// When the person last proved who they are (OpenID Connect Core §2, `auth_time`).
    pub authenticated_at: Timestamp,
    /// How they proved it.
    pub methods: Methods,
    /// When it was last used.
    pub last_seen_at: Timestamp,
    /// From which address.
    pub last_seen_ip: Option<String>,
    /// What the browser calls itself.
    pub user_agent: Option<String>,
}

impl BrowserSession {
    /// Whether it has not outlived the limits.
    pub fn is_within(&self, limits: &config::Sessions, now: Timestamp) -> bool {
        now.since(self.last_seen_at) < Duration::from_secs(limits.browser_idle_seconds)
            && now.since(self.created_at) < Duration::from_secs(limits.browser_absolute_seconds)
    }
}

/// Starts a session of somebody who has just proved who they are, and returns it with the secret for its
/// cookie. `browser` is the secret that this browser was given at an earlier sign-in or is given now.
///
/// # Errors
/// When the database fails.
pub async fn start(
    tx: &mut Tx,
    user_id: UserId,
    methods: Methods,
    browser: &str,
    requester: &Requester,
    now: Timestamp,
) -> Result<(BrowserSession, String), store::Error> {
    let secret = keys::random_secret();
    let session = BrowserSession {
        id: BrowserSessionId::new(now),
        user_id,
        created_at: now,
        authenticated_at: now,
        methods,
        last_seen_at: now,
        last_seen_ip: requester.address.map(|address| address.to_string()),
        user_agent: requester.user_agent.clone(),
    };
    sql::browsers::add_browser_session(tx, &session, &keys::digest(&secret), &keys::digest(browser)).await?;
    Ok((session, secret))
}

/// Goes on with a session whose person has proved anew who they are, and returns the secret for its new
/// cookie; the old one is worth nothing any more. `None` when the session is over.
///
/// # Errors
/// When the database fails.
pub async fn renew(
    tx: &mut Tx,
    id: BrowserSessionId,
    methods: Methods,
    requester: &Requester,
    now: Timestamp,
) -> Result<Option<String>, store::Error> {
    let secret = keys::random_secret();
    let is_live =
        sql::browsers::renew_browser_session(tx, id, methods, &keys::digest(&secret), requester, now).await?;
    Ok(is_live.then_some(secret))
}

/// Whether a session is not over, and will not be until the transaction ends: whoever ends it at the same
/// moment waits, and then finds the client session that was allowed in it.
///
/// # Errors
/// When the database fails.
pub async fn is_still_live(tx: &mut Tx, id: BrowserSessionId) -> Result<bool, store::Error> {
    Ok(live(id).fetch_optional::<()>(tx).await?.is_some())
}

/// The same for one transaction at a time, which may end the session itself.
///
/// # Errors
/// When the database fails.
pub async fn hold(tx: &mut Tx, id: BrowserSessionId) -> Result<bool, store::Error> {
    sql::browsers::hold_browser_session(tx, id).await
}

/// The question of [`is_still_live`], to be asked together with other things.
pub fn live(id: BrowserSessionId) -> Query {
    sql::browsers::live_browser_session(id)
}

/// A live session by its identifier.
///
/// # Errors
/// When the database fails.
pub async fn find_by_id(
    on: impl Into<On<'_>>,
    id: BrowserSessionId,
) -> Result<Option<BrowserSession>, store::Error> {
    sql::browsers::find_live_browser_session(on, id).await
}

/// Remembers that the session was used, if that was not remembered a moment ago.
///
/// # Errors
/// When the database fails.
pub async fn touch(
    store: &Store,
    session: &BrowserSession,
    requester: &Requester,
    limits: &config::Sessions,
    now: Timestamp,
) -> Result<(), store::Error> {
    let again = SEEN_AGAIN.min(Duration::from_secs(limits.browser_idle_seconds) / 4);
    if now.since(session.last_seen_at) < again {
        return Ok(());
    }
    let mut tx = store.begin().await?;
    sql::browsers::touch_browser_session(&mut tx, session.id, requester, now).await?;
    tx.commit().await
}

/// Whether this browser was signed in as the user before, whether or not it still is.
///
/// # Errors
/// When the database fails.
pub async fn is_known(on: impl Into<On<'_>>, browser: &str, user_id: UserId) -> Result<bool, store::Error> {
    sql::browsers::is_known_browser(on, &keys::digest(browser), user_id).await
}

/// The user's live sessions, the last begun first, below the one named `before`.
///
/// # Errors
/// When the database fails.
pub async fn list(
    on: impl Into<On<'_>>,
    user_id: UserId,
    before: Option<BrowserSessionId>,
    limit: i64,
) -> Result<Vec<BrowserSession>, store::Error> {
    sql::browsers::list_browser_sessions(on, user_id, before, limit).await
}

/// Ends one session of the user; `false` when it was not live or is not theirs. Clients that want to be
/// told are told ([`logout`]), once the workers are woken.
///
/// # Errors
/// When the database fails.
pub async fn end(
    tx: &mut Tx,
    id: BrowserSessionId,
    user_id: UserId,
    now: Timestamp,
) -> Result<bool, store::Error> {
    if !sql::browsers::end_browser_session(tx, id, user_id, now).await? {
        return Ok(false);
    }
    logout::follow(tx, &[id], now).await?;
    Ok(true)
}

/// Ends all of the user's sessions but one, as [`end`] does, and returns how many these were.
///
/// # Errors
/// When the database fails.
pub async fn end_all(
    tx: &mut Tx,
    user_id: UserId,
    except: Option<BrowserSessionId>,
    now: Timestamp,
) -> Result<u64, store::Error> {
    let ended = sql::browsers::end_browser_sessions(tx, user_id, except, now).await?;
    logout::follow(tx, &ended, now).await?;
    Ok(ended.len() as u64)
}

/// Ends those that have outlived their limits, as [`end`] does.
///
/// # Errors
/// When the database fails.
pub(super) async fn end_stale(
    tx: &mut Tx,
    limits: &config::Sessions,
    now: Timestamp,
) -> Result<(), store::Error> {
    let ago = |seconds: u64| now - Duration::from_secs(seconds);
    let (idle, absolute) = (ago(limits.browser_idle_seconds), ago(limits.browser_absolute_seconds));
    let ended = sql::browsers::end_stale_browser_sessions(tx, idle, absolute, now).await?;
    logout::follow(tx, &ended, now).await
}
