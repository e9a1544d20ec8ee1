//! SQL over both kinds of sessions.

use super::LAST_ID;
use crate::ids::{BrowserSessionId, UserId};
use crate::sessions::all::{Counts, Part, Session, SessionId};
use crate::sessions::browser::BrowserSession;
use crate::sessions::client::ClientSession;
use crate::store::{Error, FromRow, Row, Store, query};
use crate::time::Timestamp;

impl FromRow for Session {
    fn from_row(row: &Row) -> Result<Session, Error> {
        Ok(match row.get("is_browser")? {
            true => Session::Browser(BrowserSession::from_row(row)?),
            false => Session::Client(ClientSession::from_row(row)?),
        })
    }
}

macro_rules! list {
    ($where:literal, $order:literal) => {
        concat!(
            "
SELECT TRUE AS is_browser, id, user_id, created_at, authenticated_at, methods, last_seen_at, last_seen_ip, user_agent,
       CAST(NULL AS TEXT) AS client_id, CAST(NULL AS TEXT) AS scope, CAST(NULL AS TEXT) AS device_id,
       CAST(NULL AS TEXT) AS name, CAST(NULL AS BIGINT) AS expires_at
FROM browser_sessions
WHERE user_id = $1 AND id <> $2 AND ended_at IS NULL AND ",
            $where,
            "
UNION ALL
SELECT FALSE AS is_browser, id, user_id, created_at, authenticated_at, methods, last_seen_at, last_seen_ip, user_agent,
       client_id, scope, device_id, name, expires_at
FROM client_sessions
WHERE user_id = $1 AND ended_at IS NULL AND ",
            $where,
            $order
        )
    };
}

// No index has `last_seen_at`: each refresh writes it, and would have to move its entry too. Of one person's
// sessions few are sorted.
pub(in crate::sessions) const LIST_BEFORE: &str = list!(
    "(last_seen_at < $3 OR (last_seen_at = $3 AND id < $4))",
    "\nORDER BY last_seen_at DESC, id DESC LIMIT $5"
);
pub(in crate::sessions) const LIST_AFTER: &str =
    list!("(last_seen_at > $3 OR (last_seen_at = $3 AND id > $4))", "\nORDER BY last_seen_at, id LIMIT $5");

pub(in crate::sessions) async fn list(
    store: &Store,
    user: UserId,
    except: BrowserSessionId,
    part: &Part,
    limit: i64,
) -> Result<Vec<Session>, Error> {
    let (list, last_seen_at, id) = match part {
        Part::First => (LIST_BEFORE, Timestamp(i64::MAX), LAST_ID),
        Part::Before(place) => (LIST_BEFORE, place.last_seen_at, place.id.as_str()),
        Part::After(place) => (LIST_AFTER, place.last_seen_at, place.id.as_str()),
    };
    query(list).bind(user).bind(except).bind(last_seen_at).bind(id).bind(limit).fetch_all(store).await
}

impl FromRow for Counts {
    fn from_row(row: &Row) -> Result<Counts, Error> {
        let count = |column| row.get::<i64>(column).map(|count| u64::try_from(count).unwrap_or(0));
        Ok(Counts { sessions: count("browsers")? + count("clients")?, devices: count("devices")? })
    }
}

pub(in crate::sessions) async fn count(
    store: &Store,
    user: UserId,
    except: BrowserSessionId,
) -> Result<Counts, Error> {
    const COUNT: &str = "
SELECT (SELECT COUNT(*) FROM browser_sessions WHERE user_id = $1 AND id <> $2 AND ended_at IS NULL) AS browsers,
       COUNT(*) AS clients, COUNT(device_id) AS devices
FROM client_sessions WHERE user_id = $1 AND ended_at IS NULL";
    query(COUNT).bind(user).bind(except).fetch_one(store).await
}

pub(in crate::sessions) async fn find(
    store: &Store,
    id: SessionId,
    user: UserId,
) -> Result<Option<Session>, Error> {
    const BROWSER: &str = "
SELECT TRUE AS is_browser, id, user_id, created_at, authenticated_at, methods, last_seen_at, last_seen_ip, user_agent
FROM browser_sessions WHERE id = $1 AND user_id = $2 AND ended_at IS NULL";
    const CLIENT: &str = "
SELECT FALSE AS is_browser, id, user_id, client_id, scope, device_id, created_at, last_seen_at, last_seen_ip, user_agent,
       name, expires_at
FROM client_sessions WHERE id = $1 AND user_id = $2 AND ended_at IS NULL";
    let found = match id {
        SessionId::Browser(id) => query(BROWSER).bind(id),
        SessionId::Client(id) => query(CLIENT).bind(id),
    };
    found.bind(user).fetch_optional(store).await
}

pub(in crate::sessions) async fn was_of(store: &Store, id: SessionId, user: UserId) -> Result<bool, Error> {
    const BROWSER: &str = "SELECT id FROM browser_sessions WHERE id = $1 AND user_id = $2";
    const CLIENT: &str = "SELECT id FROM client_sessions WHERE id = $1 AND user_id = $2";
    let found = match id {
        SessionId::Browser(id) => query(BROWSER).bind(id),
        SessionId::Client(id) => query(CLIENT).bind(id),
    };
    Ok(found.bind(user).fetch_optional::<()>(store).await?.is_some())
}
