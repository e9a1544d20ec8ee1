//! What an authorization request waits for, and what became of it, with everything that decides about
//! it: read at once, across the rooms' tables, since a sign-in pays for each round trip to the database.
//! Sessions are counted apart and not by a join, which PostgreSQL would carry out by reading all there are.

use std::collections::BTreeSet;

use crate::accounts::signed_in::SignedIn;
use crate::accounts::users::User;
use crate::clients::authorization_requests::{Granted, Pending};
use crate::ids::{AuthorizationRequestId, UserId};
use crate::sessions::client::Count;
use crate::store::{Error, FromRow, Row, Store, query};
use crate::time::Timestamp;

/// A request that waits for an answer, and the person whose browser brings it.
pub struct Waiting {
    /// What is asked.
    pub pending: Pending,
    /// Who is signed in with that browser.
    pub signed_in: Option<SignedIn>,
    /// The scope tokens that the person has allowed the client before.
    pub allowed_before: BTreeSet<String>,
    /// The person's sessions, without the one that a new one would replace.
    pub sessions: Count,
}

impl FromRow for Waiting {
    fn from_row(row: &Row) -> Result<Waiting, Error> {
        let allowed: Option<String> = row.get("allowed_before")?;
        let allowed = allowed.unwrap_or_default();
        Ok(Waiting {
            pending: Pending::from_row(row)?,
            signed_in: match row.get::<Option<UserId>>("id")? {
                Some(_) => Some(SignedIn::from_row(row)?),
                None => None,
            },
            allowed_before: allowed.split_whitespace().map(str::to_owned).collect(),
            sessions: Count::from_row(row)?,
        })
    }
}

/// A request that still waits for its answer; `None` when it was answered, or waited too long.
///
/// # Errors
/// When the database fails.
pub async fn find_waiting(
    store: &Store,
    id: AuthorizationRequestId,
    cookie_digest: Option<String>,
    now: Timestamp,
) -> Result<Option<Waiting>, Error> {
    const FIND: &str = "
SELECT r.id AS request_id, r.client_id, r.request, r.created_at AS requested_at,
       u.id, u.localpart, u.is_admin, u.created_at, u.provisioned_at, u.locked_at, u.deactivated_at,
       b.id AS session_id, b.created_at AS session_created_at, b.authenticated_at, b.methods,
       b.last_seen_at, b.last_seen_ip, b.user_agent,
       (SELECT scope FROM consents WHERE user_id = u.id AND client_id = r.client_id) AS allowed_before,
       (SELECT COUNT(*) || ' ' || COUNT(s.device_id) FROM client_sessions AS s
        WHERE s.user_id = u.id AND s.ended_at IS NULL
            AND (s.device_id IS NULL OR r.device_id IS NULL OR s.device_id <> r.device_id)) AS sessions
FROM authorization_requests AS r
LEFT JOIN browser_sessions AS b ON b.cookie_digest = $1 AND b.ended_at IS NULL
LEFT JOIN users AS u ON u.id = b.user_id
WHERE r.id = $2 AND NOT r.is_pushed AND r.answered_at IS NULL AND r.expires_at > $3";
    query(FIND).bind(cookie_digest).bind(id).bind(now).fetch_optional(store).await
}

/// What a code stands for, spent or not.
pub struct Coded {
    /// What was granted.
    pub granted: Granted,
    /// By whom.
    pub user: User,
    /// That person's sessions, without the one that a new one would replace.
    pub sessions: Count,
}

impl FromRow for Coded {
    fn from_row(row: &Row) -> Result<Coded, Error> {
        Ok(Coded {
            granted: Granted::from_row(row)?,
            user: User::from_row(row)?,
            sessions: Count::from_row(row)?,
        })
    }
}

/// What became of a request, if it was granted.
///
/// # Errors
/// When the database fails.
pub async fn find_coded(store: &Store, id: AuthorizationRequestId) -> Result<Option<Coded>, Error> {
    const FIND: &str = "
SELECT r.id AS request_id, r.client_id, r.request, r.user_id, r.browser_session_id, r.authenticated_at,
       r.methods, r.code_digest, r.code_expires_at, r.code_spent_at, r.client_session_id,
       u.id, u.localpart, u.is_admin, u.created_at, u.provisioned_at, u.locked_at, u.deactivated_at,
       (SELECT COUNT(*) || ' ' || COUNT(s.device_id) FROM client_sessions AS s
        WHERE s.user_id = u.id AND s.ended_at IS NULL
            AND (s.device_id IS NULL OR r.device_id IS NULL OR s.device_id <> r.device_id)) AS sessions
FROM authorization_requests AS r
JOIN users AS u ON u.id = r.user_id
WHERE r.id = $1 AND r.code_digest IS NOT NULL";
    query(FIND).bind(id).fetch_optional(store).await
}
