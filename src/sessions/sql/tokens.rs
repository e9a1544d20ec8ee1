//! SQL of tokens, and of the chains in which they follow one another.

use super::super::client::{ClientSession, NewClientSession};
use super::super::tokens::Found;
use crate::http::requester::Requester;
use crate::ids::ClientSessionId;
use crate::known::{ActiveToken, TokenUser};
use crate::store::{Error, FromRow, Query, Row, Store, execute_together, query};
use crate::time::Timestamp;

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
pub(in crate::sessions) struct Chain {
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
pub(in crate::sessions) struct FirstDigests {
    pub access_family: String,
    pub refresh_family: String,
    pub refresh: String,
}

/// What is stored of a pair whose arrival nothing has shown yet.
pub(in crate::sessions) struct Pending {
    pub refresh: String,
    pub access: String,
    pub nonce: String,
    /// Of the access token.
    pub expires_at: Timestamp,
}

/// What adds a session.
pub(in crate::sessions) fn addition_of_session(
    id: ClientSessionId,
    new: &NewClientSession,
    digests: FirstDigests,
    requester: &Requester,
    now: Timestamp,
) -> Query {
    const ADD: &str = "
INSERT INTO client_sessions
    (id, user_id, client_id, browser_session_id, scope, device_id, created_at, authenticated_at, methods, last_seen_at,
     last_seen_ip, user_agent, access_family_digest, refresh_family_digest, refresh_digest, refresh_confirmed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $7, $10, $11, $12, $13, $14, $7)";
    query(ADD)
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
}

/// What adds an access token to a session.
pub(in crate::sessions) fn addition_of_access_token(
    digest: &str,
    session: ClientSessionId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Query {
    const ADD: &str =
        "INSERT INTO access_tokens (digest, session_id, issued_at, expires_at) VALUES ($1, $2, $3, $4)";
    query(ADD).bind(digest).bind(session).bind(now).bind(expires_at)
}

/// An access token as the database knows it.
pub(in crate::sessions) struct FoundToken {
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

pub(in crate::sessions) async fn find_access_token(
    store: &Store,
    digest: &str,
) -> Result<Option<FoundToken>, Error> {
    const FIND: &str = "
SELECT t.digest, t.issued_at, t.expires_at,
       s.id AS session_id, s.user_id, s.client_id, s.scope, s.device_id, s.authenticated_at,
       s.methods, s.ended_at, s.pending_access_digest, u.localpart, u.locked_at, u.deactivated_at, u.provisioned_at
FROM access_tokens AS t
JOIN client_sessions AS s ON s.id = t.session_id
LEFT JOIN users AS u ON u.id = s.user_id
WHERE t.digest = $1";
    query(FIND).bind(digest).fetch_gathered(store).await
}

/// Makes the pending pair the confirmed one; `false` when it is no longer the one of this access token.
pub(in crate::sessions) async fn confirm_pending(
    store: &Store,
    session: ClientSessionId,
    access_digest: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    const CONFIRM: &str = "
UPDATE client_sessions
SET refresh_digest = pending_refresh_digest, refresh_confirmed_at = $3, last_seen_at = $3,
    pending_refresh_digest = NULL, pending_access_digest = NULL, pending_nonce = NULL, pending_issued_at = NULL
WHERE id = $1 AND pending_access_digest = $2";
    execute_together(store, vec![query(CONFIRM).bind(session).bind(access_digest).bind(now)]).await
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

pub(in crate::sessions) async fn find_chain(
    store: &Store,
    refresh_family: &str,
) -> Result<Option<Chain>, Error> {
    query(FIND_CHAIN).bind(refresh_family).fetch_gathered(store).await
}

/// Writes down the pair that is about to be answered, beside the token that is now confirmed and since
/// when, if the session still is what was read; `false` if not. The access token of a pending pair that
/// this one replaces goes.
pub(in crate::sessions) async fn set_pending(
    store: &Store,
    read: &Chain,
    confirmed: (&str, Timestamp),
    pending: &Pending,
    requester: &Requester,
    now: Timestamp,
) -> Result<bool, Error> {
    const SET: &str = "
UPDATE client_sessions
SET refresh_digest = $2, refresh_confirmed_at = $3,
    pending_refresh_digest = $4, pending_access_digest = $5, pending_nonce = $6, pending_issued_at = $7,
    last_seen_at = $7, last_seen_ip = COALESCE($8, last_seen_ip), user_agent = COALESCE($9, user_agent)
WHERE id = $1 AND ended_at IS NULL AND refresh_digest = $10 AND COALESCE(pending_access_digest, '') = $11";
    let session = read.found.session_id;
    let set = query(SET)
        .bind(session)
        .bind(confirmed.0)
        .bind(confirmed.1)
        .bind(&pending.refresh)
        .bind(&pending.access)
        .bind(&pending.nonce)
        .bind(now)
        .bind(requester.address.map(|address| address.to_string()))
        .bind(requester.user_agent.clone())
        .bind(&read.refresh)
        .bind(read.pending_access.as_deref().unwrap_or_default());
    let mut steps = vec![set, addition_of_access_token(&pending.access, session, now, pending.expires_at)];
    // One that has been swept away meanwhile is not there to be removed.
    let is_replaced = read.refresh == confirmed.0 && read.pending_expires_at.is_some();
    if let Some(unused) = read.pending_access.as_ref().filter(|_| is_replaced) {
        steps.push(query("DELETE FROM access_tokens WHERE digest = $1").bind(unused));
    }
    execute_together(store, steps).await
}

pub(in crate::sessions) async fn find_by_family(
    store: &Store,
    family: &str,
) -> Result<Option<ClientSession>, Error> {
    const FIND: &str = "
SELECT id, user_id, client_id, scope, device_id, created_at, last_seen_at, last_seen_ip, user_agent, name, expires_at
FROM client_sessions WHERE (access_family_digest = $1 OR refresh_family_digest = $1) AND ended_at IS NULL";
    query(FIND).bind(family).fetch_optional(store).await
}

/// The session of an access token of any shape, while that is remembered.
pub(in crate::sessions) async fn find_by_access_token(
    store: &Store,
    digest: &str,
) -> Result<Option<ClientSession>, Error> {
    const FIND: &str = "
SELECT id, user_id, client_id, scope, device_id, created_at, last_seen_at, last_seen_ip, user_agent, name, expires_at
FROM client_sessions WHERE id = (SELECT session_id FROM access_tokens WHERE digest = $1) AND ended_at IS NULL";
    query(FIND).bind(digest).fetch_optional(store).await
}
