//! What an authorization request waits for, and what became of it, with everything that decides about
//! it: read at once, across the rooms' tables, since a sign-in pays for each round trip to the database.

use std::collections::BTreeSet;

use crate::accounts::users::User;
use crate::clients::authorization_requests::{Granted, Pending};
use crate::ids::{AuthorizationRequestId, UserId};
use crate::sessions::client::Count;
use crate::store::{Error, FromRow, Row, Store, query};
use crate::time::Timestamp;

/// A request that waits for a person's answer.
pub struct Waiting {
    /// What is asked.
    pub pending: Pending,
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
            allowed_before: allowed.split_whitespace().map(str::to_owned).collect(),
            sessions: Count::from_row(row)?,
        })
    }
}

/// A request that still waits for its answer, which that person would give; `None` when it was
/// answered, or waited too long.
///
/// # Errors
/// When the database fails.
pub async fn find_waiting(
    store: &Store,
    id: AuthorizationRequestId,
    user: Option<UserId>,
    now: Timestamp,
) -> Result<Option<Waiting>, Error> {
    const FIND: &str = "
SELECT r.id AS request_id, r.client_id, r.request, r.created_at,
       (SELECT scope FROM consents WHERE user_id = $1 AND client_id = r.client_id) AS allowed_before,
       COUNT(s.id) AS live, COUNT(s.device_id) AS with_device
FROM authorization_requests AS r
LEFT JOIN client_sessions AS s ON s.user_id = $1 AND s.ended_at IS NULL
      AND (s.device_id IS NULL OR r.device_id IS NULL OR s.device_id <> r.device_id)
WHERE r.id = $2 AND NOT r.is_pushed AND r.answered_at IS NULL AND r.expires_at > $3
GROUP BY r.id";
    query(FIND).bind(user).bind(id).bind(now).fetch_optional(store).await
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

/// What the code of that digest stands for.
///
/// # Errors
/// When the database fails.
pub async fn find_coded(store: &Store, code_digest: &str) -> Result<Option<Coded>, Error> {
    const FIND: &str = "
SELECT r.id AS request_id, r.client_id, r.request, r.user_id, r.browser_session_id, r.authenticated_at,
       r.code_expires_at, r.code_spent_at, r.client_session_id,
       u.id, u.localpart, u.is_admin, u.created_at, u.provisioned_at, u.locked_at, u.deactivated_at,
       COUNT(s.id) AS live, COUNT(s.device_id) AS with_device
FROM authorization_requests AS r
JOIN users AS u ON u.id = r.user_id
LEFT JOIN client_sessions AS s ON s.user_id = r.user_id AND s.ended_at IS NULL
      AND (s.device_id IS NULL OR r.device_id IS NULL OR s.device_id <> r.device_id)
WHERE r.code_digest = $1
GROUP BY r.id, u.id";
    query(FIND).bind(code_digest).fetch_optional(store).await
}
