//! All SQL of the sessions and their tokens; here, that of client sessions.

pub(super) mod all;
pub(super) mod browsers;
pub(super) mod logout;
pub(super) mod records;
pub(super) mod tokens;

use std::sync::LazyLock;

use super::client::{ClientSession, Count};
use crate::ids::{ClientId, ClientSessionId, DeviceId, Localpart, UserId};
use crate::store::{Error, FromRow, On, Row, Store, Tx, query};
use crate::time::Timestamp;

impl FromRow for ClientSession {
    fn from_row(row: &Row) -> Result<ClientSession, Error> {
        Ok(ClientSession {
            id: row.get("id")?,
            user_id: row.get("user_id")?,
            client_id: row.get("client_id")?,
            scope: row.get("scope")?,
            device_id: row.get("device_id")?,
            created_at: row.get("created_at")?,
            last_seen_at: row.get("last_seen_at")?,
            last_seen_ip: row.get("last_seen_ip")?,
            user_agent: row.get("user_agent")?,
            name: row.get("name")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

pub(super) async fn has_foreign_tokens(store: &Store) -> Result<bool, Error> {
    const FIND: &str = "SELECT id FROM client_sessions WHERE has_foreign_tokens LIMIT 1";
    Ok(query(FIND).fetch_optional::<()>(store).await?.is_some())
}

pub(super) async fn set_foreign(tx: &mut Tx, session: ClientSessionId) -> Result<(), Error> {
    query("UPDATE client_sessions SET has_foreign_tokens = TRUE WHERE id = $1")
        .bind(session)
        .execute(tx)
        .await?;
    Ok(())
}

impl FromRow for Count {
    fn from_row(row: &Row) -> Result<Count, Error> {
        let sessions: String = row.get("sessions")?;
        let counts = sessions.split_once(' ').map(|(live, with_device)| (live.parse(), with_device.parse()));
        match counts {
            Some((Ok(live), Ok(with_device))) => Ok(Count { live, with_device }),
            _ => Err(Error::Corrupt { column: "sessions" }),
        }
    }
}

pub(super) async fn count_client_sessions(
    on: impl Into<On<'_>>,
    user: UserId,
    except: Option<&DeviceId>,
) -> Result<Count, Error> {
    const COUNT: &str = "
SELECT COUNT(*) || ' ' || COUNT(device_id) AS sessions FROM client_sessions
WHERE user_id = $1 AND ended_at IS NULL AND (device_id IS NULL OR device_id <> $2)";
    // No device has an empty identifier.
    let except = except.map_or("", |device| device.0.as_str());
    query(COUNT).bind(user).bind(except).fetch_one(on).await
}

const CLIENT_SESSION: &str = "
SELECT id, user_id, client_id, scope, device_id, created_at, last_seen_at, last_seen_ip, user_agent, name, expires_at
FROM client_sessions WHERE id = $1 AND ended_at IS NULL";

pub(super) async fn find_client_session(
    on: impl Into<On<'_>>,
    id: ClientSessionId,
) -> Result<Option<ClientSession>, Error> {
    query(CLIENT_SESSION).bind(id).fetch_optional(on).await
}

pub(super) async fn find_client_session_of_device(
    store: &Store,
    user: UserId,
    device: &DeviceId,
) -> Result<Option<ClientSession>, Error> {
    const FIND: &str = "
SELECT id, user_id, client_id, scope, device_id, created_at, last_seen_at, last_seen_ip, user_agent, name, expires_at
FROM client_sessions WHERE user_id = $1 AND device_id = $2 AND ended_at IS NULL";
    query(FIND).bind(user).bind(device).fetch_optional(store).await
}

/// Sorts after every ULID, in every collation: punctuation would not.
const LAST_ID: &str = "ZZZZZZZZZZZZZZZZZZZZZZZZZZ";

pub(super) async fn list_client_sessions(
    on: impl Into<On<'_>>,
    user: UserId,
    before: Option<ClientSessionId>,
    limit: i64,
) -> Result<Vec<ClientSession>, Error> {
    const LIST: &str = "
SELECT id, user_id, client_id, scope, device_id, created_at, last_seen_at, last_seen_ip, user_agent, name, expires_at
FROM client_sessions WHERE user_id = $1 AND ended_at IS NULL AND id < $2 ORDER BY id DESC LIMIT $3";
    let before = before.map_or(LAST_ID.to_owned(), |id| id.to_string());
    query(LIST).bind(user).bind(before).bind(limit).fetch_all(on).await
}

pub(super) async fn list_client_sessions_of_client(
    on: impl Into<On<'_>>,
    client: &ClientId,
) -> Result<Vec<ClientSession>, Error> {
    const LIST: &str = "
SELECT id, user_id, client_id, scope, device_id, created_at, last_seen_at, last_seen_ip, user_agent, name, expires_at
FROM client_sessions WHERE client_id = $1 AND ended_at IS NULL ORDER BY id DESC";
    query(LIST).bind(client).fetch_all(on).await
}

pub(super) async fn end_client_session(
    tx: &mut Tx,
    id: ClientSessionId,
    reason: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    const SET: &str =
        "UPDATE client_sessions SET ended_at = $1, end_reason = $2 WHERE id = $3 AND ended_at IS NULL";
    Ok(query(SET).bind(now).bind(reason).bind(id).execute(tx).await? == 1)
}

pub(super) async fn end_sessions_of_device(
    tx: &mut Tx,
    user: UserId,
    device: &DeviceId,
    reason: &str,
    now: Timestamp,
) -> Result<Vec<ClientSessionId>, Error> {
    const SET: &str = "
UPDATE client_sessions SET ended_at = $1, end_reason = $2 WHERE user_id = $3 AND device_id = $4 AND ended_at IS NULL
RETURNING id";
    struct Ended(ClientSessionId);
    impl FromRow for Ended {
        fn from_row(row: &Row) -> Result<Ended, Error> {
            Ok(Ended(row.get("id")?))
        }
    }
    let ended: Vec<Ended> = query(SET).bind(now).bind(reason).bind(user).bind(device).fetch_all(tx).await?;
    Ok(ended.into_iter().map(|Ended(id)| id).collect())
}

/// Gives a live session of the user another name; `false` when it is over.
pub(super) async fn set_name(
    tx: &mut Tx,
    session: ClientSessionId,
    user: UserId,
    name: &str,
) -> Result<bool, Error> {
    const SET: &str =
        "UPDATE client_sessions SET name = $1 WHERE id = $2 AND user_id = $3 AND ended_at IS NULL";
    Ok(query(SET).bind(name).bind(session).bind(user).execute(tx).await? == 1)
}

pub(super) async fn set_expiry(tx: &mut Tx, session: ClientSessionId, at: Timestamp) -> Result<(), Error> {
    query("UPDATE client_sessions SET expires_at = $1 WHERE id = $2")
        .bind(at)
        .bind(session)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn list_personal_tokens(
    on: impl Into<On<'_>>,
    user: UserId,
) -> Result<Vec<ClientSession>, Error> {
    const LIST: &str = "
SELECT id, user_id, client_id, scope, device_id, created_at, last_seen_at, last_seen_ip, user_agent, name, expires_at
FROM client_sessions WHERE user_id = $1 AND ended_at IS NULL AND expires_at IS NOT NULL ORDER BY id DESC";
    query(LIST).bind(user).fetch_all(on).await
}

/// The name of the user whose device shall be deleted; `None` when a live session uses it.
pub(super) async fn find_device_to_delete(
    store: &Store,
    user: UserId,
    device: &DeviceId,
) -> Result<Option<Localpart>, Error> {
    const FIND: &str = "
SELECT localpart FROM users
WHERE id = $1 AND NOT EXISTS (
    SELECT 1 FROM client_sessions WHERE user_id = $1 AND device_id = $2 AND ended_at IS NULL
)";
    struct Name(Localpart);
    impl FromRow for Name {
        fn from_row(row: &Row) -> Result<Name, Error> {
            Ok(Name(row.get("localpart")?))
        }
    }
    let found: Option<Name> = query(FIND).bind(user).bind(device).fetch_optional(store).await?;
    Ok(found.map(|Name(localpart)| localpart))
}

pub(super) async fn list_stale_client_sessions(
    tx: &mut Tx,
    idle_since: Timestamp,
    created_before: Timestamp,
    now: Timestamp,
) -> Result<Vec<(ClientSessionId, UserId, Option<DeviceId>)>, Error> {
    const LIST: &str = "
SELECT id, user_id, device_id FROM client_sessions
WHERE user_id IS NOT NULL AND ended_at IS NULL AND (last_seen_at <= $1 OR created_at <= $2 OR expires_at <= $3)
LIMIT 1000";
    struct Stale(ClientSessionId, UserId, Option<DeviceId>);
    impl FromRow for Stale {
        fn from_row(row: &Row) -> Result<Stale, Error> {
            Ok(Stale(row.get("id")?, row.get("user_id")?, row.get("device_id")?))
        }
    }
    let stale: Vec<Stale> = query(LIST).bind(idle_since).bind(created_before).bind(now).fetch_all(tx).await?;
    Ok(stale.into_iter().map(|Stale(id, user, device)| (id, user, device)).collect())
}

/// Writes down when a session was last used.
pub(super) async fn set_seen(tx: &mut Tx, session: ClientSessionId, at: Timestamp) -> Result<(), Error> {
    const SET: &str = "UPDATE client_sessions SET last_seen_at = $1 WHERE id = $2 AND last_seen_at < $1";
    query(SET).bind(at).bind(session).execute(tx).await?;
    Ok(())
}

/// How many sessions [`set_all_seen`] takes at once: it is done with them in a few milliseconds.
pub(super) const SEEN_AT_ONCE: usize = 256;

/// Writes down when sessions were last used: all of them, or after an error none. There are no more than
/// [`SEEN_AT_ONCE`]; the statement is the same for fewer, and finds no session in the rows that are left.
pub(super) async fn set_all_seen(store: &Store, seen: &[(ClientSessionId, Timestamp)]) -> Result<(), Error> {
    static SET: LazyLock<String> = LazyLock::new(|| {
        let row = |number: usize| format!("(${}, CAST(${} AS BIGINT))", 2 * number + 1, 2 * number + 2);
        let rows: Vec<String> = (0..SEEN_AT_ONCE).map(row).collect();
        format!(
            "
WITH seen (id, used_at) AS (VALUES {})
UPDATE client_sessions SET last_seen_at = seen.used_at FROM seen
WHERE client_sessions.id = seen.id AND client_sessions.last_seen_at < seen.used_at",
            rows.join(", ")
        )
    });
    let mut set = query(&SET);
    for row in 0..SEEN_AT_ONCE {
        let (session, at) = seen.get(row).copied().unzip();
        set = set.bind(session).bind(at);
    }
    set.execute_alone(store).await?;
    Ok(())
}

/// Removes expired access tokens, with the sessions of clients that acted for themselves, which have
/// one token each, and sessions that ended before `ended_before`, with theirs; not those that were allowed in a browser
/// session which goes on: their clients have yet to be told of its end.
pub(super) async fn forget(tx: &mut Tx, ended_before: Timestamp, now: Timestamp) -> Result<(), Error> {
    query("DELETE FROM access_tokens WHERE expires_at < $1").bind(now).execute(tx).await?;
    const FORGET_CLIENTS_OWN: &str = "
DELETE FROM client_sessions
WHERE user_id IS NULL AND NOT EXISTS (SELECT 1 FROM access_tokens WHERE session_id = client_sessions.id)";
    query(FORGET_CLIENTS_OWN).execute(tx).await?;
    const FORGET_TOKENS: &str =
        "DELETE FROM access_tokens WHERE session_id IN (SELECT id FROM client_sessions WHERE ended_at < $1)";
    query(FORGET_TOKENS).bind(ended_before).execute(tx).await?;
    const FORGET_ENDED: &str = "
DELETE FROM client_sessions
WHERE ended_at < $1 AND NOT EXISTS (
    SELECT 1 FROM browser_sessions AS b WHERE b.id = client_sessions.browser_session_id AND b.ended_at IS NULL
)";
    query(FORGET_ENDED).bind(ended_before).execute(tx).await?;
    query("DELETE FROM browser_sessions WHERE ended_at < $1").bind(ended_before).execute(tx).await?;
    Ok(())
}
