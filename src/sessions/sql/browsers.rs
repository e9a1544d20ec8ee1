//! SQL of people signed in with browsers.

use super::super::browser::BrowserSession;
use super::LAST_ID;
use crate::http::requester::Requester;
use crate::ids::{BrowserSessionId, UserId};
use crate::methods::Methods;
use crate::store::{Error, FromRow, On, Query, Row, Tx, query, query_kept};
use crate::time::Timestamp;

impl FromRow for BrowserSession {
    fn from_row(row: &Row) -> Result<BrowserSession, Error> {
        Ok(BrowserSession {
            id: row.get("id")?,
            user_id: row.get("user_id")?,
            created_at: row.get("created_at")?,
            authenticated_at: row.get("authenticated_at")?,
            methods: row.get("methods")?,
            last_seen_at: row.get("last_seen_at")?,
            last_seen_ip: row.get("last_seen_ip")?,
            user_agent: row.get("user_agent")?,
        })
    }
}

pub(in crate::sessions) async fn add_browser_session(
    tx: &mut Tx,
    session: &BrowserSession,
    cookie_digest: &str,
    browser_digest: &str,
) -> Result<(), Error> {
    const ADD: &str = "
INSERT INTO browser_sessions
    (id, user_id, cookie_digest, browser_digest, created_at, authenticated_at, last_seen_at, methods, last_seen_ip,
     user_agent)
VALUES ($1, $2, $3, $4, $5, $5, $5, $6, $7, $8)";
    query(ADD)
        .bind(session.id)
        .bind(session.user_id)
        .bind(cookie_digest)
        .bind(browser_digest)
        .bind(session.created_at)
        .bind(session.methods)
        .bind(session.last_seen_ip.clone())
        .bind(session.user_agent.clone())
        .execute(tx)
        .await?;
    Ok(())
}

pub(in crate::sessions) async fn touch_browser_session(
    tx: &mut Tx,
    id: BrowserSessionId,
    requester: &Requester,
    now: Timestamp,
) -> Result<(), Error> {
    const TOUCH: &str = "
UPDATE browser_sessions
SET last_seen_at = $1, last_seen_ip = COALESCE($2, last_seen_ip), user_agent = COALESCE($3, user_agent) WHERE id = $4";
    query(TOUCH)
        .bind(now)
        .bind(requester.address.map(|address| address.to_string()))
        .bind(requester.user_agent.clone())
        .bind(id)
        .execute(tx)
        .await?;
    Ok(())
}

pub(in crate::sessions) async fn is_known_browser(
    on: impl Into<On<'_>>,
    browser_digest: &str,
    user: UserId,
) -> Result<bool, Error> {
    const FIND: &str = "SELECT id FROM browser_sessions WHERE browser_digest = $1 AND user_id = $2 LIMIT 1";
    Ok(query(FIND).bind(browser_digest).bind(user).fetch_optional::<()>(on).await?.is_some())
}

pub(in crate::sessions) async fn list_browser_sessions(
    on: impl Into<On<'_>>,
    user: UserId,
    before: Option<BrowserSessionId>,
    limit: i64,
) -> Result<Vec<BrowserSession>, Error> {
    const LIST: &str = "
SELECT id, user_id, created_at, authenticated_at, methods, last_seen_at, last_seen_ip, user_agent
FROM browser_sessions WHERE user_id = $1 AND ended_at IS NULL AND id < $2 ORDER BY id DESC LIMIT $3";
    let before = before.map_or(LAST_ID.to_owned(), |id| id.to_string());
    query(LIST).bind(user).bind(before).bind(limit).fetch_all(on).await
}

pub(in crate::sessions) async fn find_live_browser_session(
    on: impl Into<On<'_>>,
    id: BrowserSessionId,
) -> Result<Option<BrowserSession>, Error> {
    const FIND: &str = "
SELECT id, user_id, created_at, authenticated_at, methods, last_seen_at, last_seen_ip, user_agent
FROM browser_sessions WHERE id = $1 AND ended_at IS NULL";
    query(FIND).bind(id).fetch_optional(on).await
}

/// Finds a browser session that goes on, and does so until the transaction ends.
pub(in crate::sessions) fn live_browser_session(id: BrowserSessionId) -> Query {
    query_kept!("SELECT id FROM browser_sessions WHERE id = $1 AND ended_at IS NULL").bind(id)
}

pub(in crate::sessions) async fn hold_browser_session(
    tx: &mut Tx,
    id: BrowserSessionId,
) -> Result<bool, Error> {
    const HOLD: &str = "UPDATE browser_sessions SET user_id = user_id WHERE id = $1 AND ended_at IS NULL";
    Ok(query(HOLD).bind(id).execute(tx).await? == 1)
}

/// Gives a live session another cookie, for a person who has proved anew who they are; `false` when it is
/// over.
pub(in crate::sessions) async fn renew_browser_session(
    tx: &mut Tx,
    id: BrowserSessionId,
    methods: Methods,
    cookie_digest: &str,
    requester: &Requester,
    now: Timestamp,
) -> Result<bool, Error> {
    const RENEW: &str = "
UPDATE browser_sessions
SET cookie_digest = $1, authenticated_at = $2, methods = $3, last_seen_at = $2,
    last_seen_ip = COALESCE($4, last_seen_ip), user_agent = COALESCE($5, user_agent)
WHERE id = $6 AND ended_at IS NULL";
    let renew = query(RENEW)
        .bind(cookie_digest)
        .bind(now)
        .bind(methods)
        .bind(requester.address.map(|address| address.to_string()))
        .bind(requester.user_agent.clone())
        .bind(id);
    Ok(renew.execute(tx).await? == 1)
}

struct EndedBrowser(BrowserSessionId);

impl FromRow for EndedBrowser {
    fn from_row(row: &Row) -> Result<EndedBrowser, Error> {
        Ok(EndedBrowser(row.get("id")?))
    }
}

pub(in crate::sessions) async fn end_browser_session(
    tx: &mut Tx,
    id: BrowserSessionId,
    user: UserId,
    now: Timestamp,
) -> Result<bool, Error> {
    const SET: &str =
        "UPDATE browser_sessions SET ended_at = $1 WHERE id = $2 AND user_id = $3 AND ended_at IS NULL";
    Ok(query(SET).bind(now).bind(id).bind(user).execute(tx).await? == 1)
}

pub(in crate::sessions) async fn end_browser_sessions(
    tx: &mut Tx,
    user: UserId,
    except: Option<BrowserSessionId>,
    now: Timestamp,
) -> Result<Vec<BrowserSessionId>, Error> {
    const SET: &str = "
UPDATE browser_sessions SET ended_at = $1 WHERE user_id = $2 AND id <> $3 AND ended_at IS NULL RETURNING id";
    let except = except.map_or(LAST_ID.to_owned(), |id| id.to_string());
    let ended: Vec<EndedBrowser> = query(SET).bind(now).bind(user).bind(except).fetch_all(tx).await?;
    Ok(ended.into_iter().map(|EndedBrowser(id)| id).collect())
}

/// Ends up to a thousand of them.
pub(in crate::sessions) async fn end_stale_browser_sessions(
    tx: &mut Tx,
    idle_since: Timestamp,
    created_before: Timestamp,
    now: Timestamp,
) -> Result<Vec<BrowserSessionId>, Error> {
    const SET: &str = "
UPDATE browser_sessions SET ended_at = $1
WHERE ended_at IS NULL AND id IN (
    SELECT id FROM browser_sessions WHERE ended_at IS NULL AND (last_seen_at <= $2 OR created_at <= $3) LIMIT 1000
)
RETURNING id";
    let set = query(SET).bind(now).bind(idle_since).bind(created_before);
    let ended: Vec<EndedBrowser> = set.fetch_all(tx).await?;
    Ok(ended.into_iter().map(|EndedBrowser(id)| id).collect())
}
