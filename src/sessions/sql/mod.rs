//! All SQL of the sessions and their tokens.

pub(super) mod all;
pub(super) mod logout;

use super::browser::BrowserSession;
use super::client::{ClientSession, Count, NewClientSession};
use super::tokens::Found;
use crate::http::requester::Requester;
use crate::ids::{BrowserSessionId, ClientId, ClientSessionId, DeviceId, Localpart, UserId};
use crate::known::{ActiveToken, TokenUser};
use crate::methods::Methods;
use crate::store::{Error, FromRow, Joined, On, Row, Store, Tx, joined, query};
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
        })
    }
}

impl FromRow for Found {
    fn from_row(row: &Row) -> Result<Found, Error> {
        Ok(Found {
            session_id: row.get("session_id")?,
            user_id: row.get("user_id")?,
            localpart: row.get("localpart")?,
            is_admin: row.get("is_admin")?,
            client_id: row.get("client_id")?,
            scope: row.get("scope")?,
            device_id: row.get("device_id")?,
            authenticated_at: row.get("authenticated_at")?,
            methods: row.get("methods")?,
            browser_session_id: row.get("browser_session_id")?,
            is_ended: row.get::<Option<Timestamp>>("ended_at")?.is_some(),
            is_locked: row.get::<Option<Timestamp>>("locked_at")?.is_some(),
            is_deactivated: row.get::<Option<Timestamp>>("deactivated_at")?.is_some(),
            is_provisioned: row.get::<Option<Timestamp>>("provisioned_at")?.is_some(),
        })
    }
}

/// A session's refresh tokens as digests: the confirmed one and the pending pair.
pub(super) struct Chain {
    pub found: Found,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub refresh: String,
    pub confirmed_at: Timestamp,
    pub pending_refresh: Option<String>,
    pub pending_access: Option<String>,
    pub pending_nonce: Option<String>,
    pub pending_issued_at: Option<Timestamp>,
    pub pending_expires_at: Option<Timestamp>,
}

impl FromRow for Chain {
    fn from_row(row: &Row) -> Result<Chain, Error> {
        Ok(Chain {
            found: Found::from_row(row)?,
            created_at: row.get("created_at")?,
            last_seen_at: row.get("last_seen_at")?,
            refresh: row.get("refresh_digest")?,
            confirmed_at: row.get("refresh_confirmed_at")?,
            pending_refresh: row.get("pending_refresh_digest")?,
            pending_access: row.get("pending_access_digest")?,
            pending_nonce: row.get("pending_nonce")?,
            pending_issued_at: row.get("pending_issued_at")?,
            pending_expires_at: row.get("pending_expires_at")?,
        })
    }
}

/// What is stored of a session's first tokens.
pub(super) struct FirstDigests {
    pub access_family: String,
    pub refresh_family: String,
    pub refresh: String,
    pub access: String,
}

/// What is stored of a pair whose arrival nothing has shown yet.
pub(super) struct Pending {
    pub refresh: String,
    pub access: String,
    pub nonce: String,
    /// Of the access token.
    pub expires_at: Timestamp,
}

/// The session with its first access token.
const ADD: Joined = joined!(
    "
INSERT INTO client_sessions
    (id, user_id, client_id, browser_session_id, scope, device_id, created_at, authenticated_at, methods, last_seen_at,
     last_seen_ip, user_agent, access_family_digest, refresh_family_digest, refresh_digest, refresh_confirmed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $7, $10, $11, $12, $13, $14, $7)",
    "
INSERT INTO access_tokens (digest, session_id, issued_at, expires_at) SELECT $15, $1, $7, $16 FROM changed"
);

pub(super) async fn add_client_session(
    tx: &mut Tx,
    id: ClientSessionId,
    new: &NewClientSession,
    digests: FirstDigests,
    requester: &Requester,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), Error> {
    query("")
        .bind(id)
        .bind(new.user_id)
        .bind(new.client_id.as_ref())
        .bind(new.browser_session_id)
        .bind(&new.scope)
        .bind(new.device_id.as_ref())
        .bind(now)
        .bind(new.authenticated_at)
        .bind(new.methods)
        .bind(requester.address.map(|address| address.to_string()))
        .bind(requester.user_agent.clone())
        .bind(digests.access_family)
        .bind(digests.refresh_family)
        .bind(digests.refresh)
        .bind(digests.access)
        .bind(expires_at)
        .execute_joined(&ADD, tx)
        .await?;
    Ok(())
}

pub(super) async fn add_access_token(
    tx: &mut Tx,
    digest: &str,
    session: ClientSessionId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), Error> {
    const ADD: &str =
        "INSERT INTO access_tokens (digest, session_id, issued_at, expires_at) VALUES ($1, $2, $3, $4)";
    query(ADD).bind(digest).bind(session).bind(now).bind(expires_at).execute(tx).await?;
    Ok(())
}

/// An access token as the database knows it.
pub(super) struct FoundToken {
    pub active: ActiveToken,
    /// Whether neither session nor user keeps it from being used.
    pub is_usable: bool,
    /// Whether it is of the pending pair.
    pub is_pending: bool,
}

impl FromRow for FoundToken {
    fn from_row(row: &Row) -> Result<FoundToken, Error> {
        let is_set = |column| row.get::<Option<Timestamp>>(column).map(|moment| moment.is_some());
        let digest: String = row.get("digest")?;
        let user = match row.get("user_id")? {
            Some(id) => Some(TokenUser { id, localpart: row.get("localpart")? }),
            None => None,
        };
        // Nobody locks a client that acts for itself, and no homeserver has to know it.
        let may_user = user.is_none()
            || (!is_set("locked_at")? && !is_set("deactivated_at")? && is_set("provisioned_at")?);
        Ok(FoundToken {
            is_usable: !is_set("ended_at")? && may_user,
            is_pending: row
                .get::<Option<String>>("pending_access_digest")?
                .is_some_and(|pending| pending == digest),
            active: ActiveToken::new(
                row.get("session_id")?,
                user,
                row.get("client_id")?,
                row.get("scope")?,
                row.get("device_id")?,
                row.get("issued_at")?,
                row.get("expires_at")?,
            )
            .proved(row.get("authenticated_at")?, row.get("methods")?),
        })
    }
}

pub(super) async fn find_access_token(store: &Store, digest: &str) -> Result<Option<FoundToken>, Error> {
    const FIND: &str = "
SELECT t.digest, t.issued_at, t.expires_at,
       s.id AS session_id, s.user_id, s.client_id, s.scope, s.device_id, s.authenticated_at,
       s.methods, s.ended_at, s.pending_access_digest, u.localpart, u.locked_at, u.deactivated_at, u.provisioned_at
FROM access_tokens AS t
JOIN client_sessions AS s ON s.id = t.session_id
LEFT JOIN users AS u ON u.id = s.user_id
WHERE t.digest = $1";
    query(FIND).bind(digest).fetch_optional(store).await
}

/// Makes the pending pair the confirmed one; `false` when it is no longer the one of this access token.
pub(super) async fn confirm_pending(
    store: &Store,
    session: ClientSessionId,
    access_digest: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    const CONFIRM: &str = "
UPDATE client_sessions
SET refresh_digest = pending_refresh_digest, refresh_confirmed_at = $1, last_seen_at = $1,
    pending_refresh_digest = NULL, pending_access_digest = NULL, pending_nonce = NULL, pending_issued_at = NULL
WHERE id = $2 AND pending_access_digest = $3";
    Ok(query(CONFIRM).bind(now).bind(session).bind(access_digest).execute_alone(store).await? == 1)
}

const FIND_CHAIN: &str = "
SELECT s.id AS session_id, s.user_id, s.client_id, s.scope, s.device_id, s.authenticated_at, s.methods,
       s.browser_session_id, s.ended_at, s.created_at, s.last_seen_at, s.refresh_digest, s.refresh_confirmed_at, s.pending_refresh_digest,
       s.pending_access_digest, s.pending_nonce, s.pending_issued_at,
       t.expires_at AS pending_expires_at,
       u.localpart, u.is_admin, u.locked_at, u.deactivated_at, u.provisioned_at
FROM client_sessions AS s
JOIN users AS u ON u.id = s.user_id
LEFT JOIN access_tokens AS t ON t.digest = s.pending_access_digest
WHERE s.refresh_family_digest = $1";

pub(super) async fn find_chain(store: &Store, refresh_family: &str) -> Result<Option<Chain>, Error> {
    query(FIND_CHAIN).bind(refresh_family).fetch_optional(store).await
}

const SET_PENDING: Joined = joined!(
    "
UPDATE client_sessions
SET refresh_digest = $1, refresh_confirmed_at = $2,
    pending_refresh_digest = $3, pending_access_digest = $4, pending_nonce = $5, pending_issued_at = $6,
    last_seen_at = $6, last_seen_ip = COALESCE($7, last_seen_ip), user_agent = COALESCE($8, user_agent)
WHERE id = $9 AND ended_at IS NULL AND refresh_digest = $10 AND COALESCE(pending_access_digest, '') = $11",
    "
INSERT INTO access_tokens (digest, session_id, issued_at, expires_at) SELECT $4, $9, $6, $12 FROM changed"
);

/// Writes down the pair that is about to be answered, beside the token that is now confirmed and since
/// when, if the session still is what was read; `false` if not. The access token of a pending pair that
/// this one replaces goes.
pub(super) async fn set_pending(
    store: &Store,
    read: &Chain,
    confirmed: (&str, Timestamp),
    pending: &Pending,
    requester: &Requester,
    now: Timestamp,
) -> Result<bool, Error> {
    let set = query("")
        .bind(confirmed.0)
        .bind(confirmed.1)
        .bind(&pending.refresh)
        .bind(&pending.access)
        .bind(&pending.nonce)
        .bind(now)
        .bind(requester.address.map(|address| address.to_string()))
        .bind(requester.user_agent.clone())
        .bind(read.found.session_id)
        .bind(&read.refresh)
        .bind(read.pending_access.as_deref().unwrap_or_default())
        .bind(pending.expires_at);
    let is_replaced = read.refresh == confirmed.0;
    let Some(unused) = read.pending_access.as_ref().filter(|_| is_replaced) else {
        return set.execute_joined_alone(&SET_PENDING, store).await;
    };
    let mut tx = store.begin().await?;
    if !set.execute_joined(&SET_PENDING, &mut tx).await? {
        return Ok(false);
    }
    query("DELETE FROM access_tokens WHERE digest = $1").bind(unused).execute(&mut tx).await?;
    tx.commit().await?;
    Ok(true)
}

pub(super) async fn find_by_family(store: &Store, family: &str) -> Result<Option<ClientSession>, Error> {
    const FIND: &str = "
SELECT id, user_id, client_id, scope, device_id, created_at, last_seen_at, last_seen_ip, user_agent
FROM client_sessions WHERE (access_family_digest = $1 OR refresh_family_digest = $1) AND ended_at IS NULL";
    query(FIND).bind(family).fetch_optional(store).await
}

/// The session of an access token of any shape, while that is remembered.
pub(super) async fn find_by_access_token(
    store: &Store,
    digest: &str,
) -> Result<Option<ClientSession>, Error> {
    const FIND: &str = "
SELECT id, user_id, client_id, scope, device_id, created_at, last_seen_at, last_seen_ip, user_agent
FROM client_sessions WHERE id = (SELECT session_id FROM access_tokens WHERE digest = $1) AND ended_at IS NULL";
    query(FIND).bind(digest).fetch_optional(store).await
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
        let count = |name| row.get::<i64>(name).map(|count| u64::try_from(count).unwrap_or_default());
        Ok(Count { live: count("live")?, with_device: count("with_device")? })
    }
}

pub(super) async fn count_client_sessions(
    on: impl Into<On<'_>>,
    user: UserId,
    except: Option<&DeviceId>,
) -> Result<Count, Error> {
    const COUNT: &str = "
SELECT COUNT(*) AS live, COUNT(device_id) AS with_device FROM client_sessions
WHERE user_id = $1 AND ended_at IS NULL AND (device_id IS NULL OR device_id <> $2)";
    // No device has an empty identifier.
    let except = except.map_or("", |device| device.0.as_str());
    query(COUNT).bind(user).bind(except).fetch_one(on).await
}

const CLIENT_SESSION: &str = "
SELECT id, user_id, client_id, scope, device_id, created_at, last_seen_at, last_seen_ip, user_agent
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
SELECT id, user_id, client_id, scope, device_id, created_at, last_seen_at, last_seen_ip, user_agent
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
SELECT id, user_id, client_id, scope, device_id, created_at, last_seen_at, last_seen_ip, user_agent
FROM client_sessions WHERE user_id = $1 AND ended_at IS NULL AND id < $2 ORDER BY id DESC LIMIT $3";
    let before = before.map_or(LAST_ID.to_owned(), |id| id.to_string());
    query(LIST).bind(user).bind(before).bind(limit).fetch_all(on).await
}

pub(super) async fn list_client_sessions_of_client(
    on: impl Into<On<'_>>,
    client: &ClientId,
) -> Result<Vec<ClientSession>, Error> {
    const LIST: &str = "
SELECT id, user_id, client_id, scope, device_id, created_at, last_seen_at, last_seen_ip, user_agent
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
) -> Result<Vec<(ClientSessionId, UserId, Option<DeviceId>)>, Error> {
    const LIST: &str = "
SELECT id, user_id, device_id FROM client_sessions
WHERE user_id IS NOT NULL AND ended_at IS NULL AND (last_seen_at <= $1 OR created_at <= $2) LIMIT 1000";
    struct Stale(ClientSessionId, UserId, Option<DeviceId>);
    impl FromRow for Stale {
        fn from_row(row: &Row) -> Result<Stale, Error> {
            Ok(Stale(row.get("id")?, row.get("user_id")?, row.get("device_id")?))
        }
    }
    let stale: Vec<Stale> = query(LIST).bind(idle_since).bind(created_before).fetch_all(tx).await?;
    Ok(stale.into_iter().map(|Stale(id, user, device)| (id, user, device)).collect())
}

pub(super) async fn add_browser_session(
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

pub(super) async fn touch_browser_session(
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

pub(super) async fn is_known_browser(
    on: impl Into<On<'_>>,
    browser_digest: &str,
    user: UserId,
) -> Result<bool, Error> {
    const FIND: &str = "SELECT id FROM browser_sessions WHERE browser_digest = $1 AND user_id = $2 LIMIT 1";
    Ok(query(FIND).bind(browser_digest).bind(user).fetch_optional::<()>(on).await?.is_some())
}

pub(super) async fn list_browser_sessions(
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

pub(super) async fn find_live_browser_session(
    on: impl Into<On<'_>>,
    id: BrowserSessionId,
) -> Result<Option<BrowserSession>, Error> {
    const FIND: &str = "
SELECT id, user_id, created_at, authenticated_at, methods, last_seen_at, last_seen_ip, user_agent
FROM browser_sessions WHERE id = $1 AND ended_at IS NULL";
    query(FIND).bind(id).fetch_optional(on).await
}

/// Whether a browser session goes on, and does so until the transaction ends if a client session that
/// refers to it was added in the same one.
pub(super) async fn is_browser_session_live(tx: &mut Tx, id: BrowserSessionId) -> Result<bool, Error> {
    const FIND: &str = "SELECT id FROM browser_sessions WHERE id = $1 AND ended_at IS NULL";
    Ok(query(FIND).bind(id).fetch_optional::<()>(tx).await?.is_some())
}

/// Gives a live session another cookie, for a person who has proved anew who they are; `false` when it is
/// over.
pub(super) async fn renew_browser_session(
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

pub(super) async fn end_browser_session(
    tx: &mut Tx,
    id: BrowserSessionId,
    user: UserId,
    now: Timestamp,
) -> Result<bool, Error> {
    const SET: &str =
        "UPDATE browser_sessions SET ended_at = $1 WHERE id = $2 AND user_id = $3 AND ended_at IS NULL";
    Ok(query(SET).bind(now).bind(id).bind(user).execute(tx).await? == 1)
}

pub(super) async fn end_browser_sessions(
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
pub(super) async fn end_stale_browser_sessions(
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

/// Writes down when sessions were last used.
pub(super) async fn set_seen(tx: &mut Tx, session: ClientSessionId, at: Timestamp) -> Result<(), Error> {
    const SET: &str = "UPDATE client_sessions SET last_seen_at = $1 WHERE id = $2 AND last_seen_at < $1";
    query(SET).bind(at).bind(session).execute(tx).await?;
    Ok(())
}

/// Removes expired access tokens, with the sessions of clients that acted for themselves, which have
/// one token each, and sessions that ended before `ended_before`; not those that were allowed in a browser
/// session which goes on: their clients have yet to be told of its end.
pub(super) async fn forget(tx: &mut Tx, ended_before: Timestamp, now: Timestamp) -> Result<(), Error> {
    query("DELETE FROM access_tokens WHERE expires_at < $1").bind(now).execute(tx).await?;
    const FORGET_CLIENTS_OWN: &str = "
DELETE FROM client_sessions
WHERE user_id IS NULL AND NOT EXISTS (SELECT 1 FROM access_tokens WHERE session_id = client_sessions.id)";
    query(FORGET_CLIENTS_OWN).execute(tx).await?;
    const FORGET_ENDED: &str = "
DELETE FROM client_sessions
WHERE ended_at < $1 AND NOT EXISTS (
    SELECT 1 FROM browser_sessions AS b WHERE b.id = client_sessions.browser_session_id AND b.ended_at IS NULL
)";
    query(FORGET_ENDED).bind(ended_before).execute(tx).await?;
    query("DELETE FROM browser_sessions WHERE ended_at < $1").bind(ended_before).execute(tx).await?;
    Ok(())
}
