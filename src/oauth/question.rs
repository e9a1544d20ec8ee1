//! Everything that decides about an authorization request, and about a code: read at once, across the rooms'
//! tables, since a sign-in pays for each round trip to the database. Sessions are counted apart and not by a join,
//! which PostgreSQL would carry out by reading all there are.

use crate::accounts::signed_in::SignedIn;
use crate::accounts::users::User;
use crate::clients::authorization_codes::Granted;
use crate::clients::authorization_requests::Pending;
use crate::clients::consents::Remembered;
use crate::ids::{ClientSessionId, ConsentId, DeviceId, UserId};
use crate::sessions::client::Count;
use crate::store::{Error, FromRow, Row, Store, query};
use crate::time::Timestamp;

/// Who brings a request that waits for its answer, and what they have allowed and got before.
pub struct Waiting {
    /// Who is signed in with that browser.
    pub signed_in: Option<SignedIn>,
    /// What the person has allowed the client before.
    pub allowed_before: Option<Remembered>,
    /// The person's sessions, without the one that a new one would replace.
    pub sessions: Count,
}

impl FromRow for Waiting {
    fn from_row(row: &Row) -> Result<Waiting, Error> {
        Ok(Waiting {
            signed_in: match row.get::<Option<UserId>>("id")? {
                Some(_) => Some(SignedIn::from_row(row)?),
                None => None,
            },
            allowed_before: match row.get::<Option<ConsentId>>("consent_id")? {
                Some(_) => Some(Remembered::from_row(row)?),
                None => None,
            },
            sessions: Count::from_row(row)?,
        })
    }
}

/// Who brings a request; `None` when its code was spent already.
///
/// # Errors
/// When the database fails.
pub async fn find_waiting(
    store: &Store,
    pending: &Pending,
    cookie_digest: Option<String>,
) -> Result<Option<Waiting>, Error> {
    const FIND: &str = "
SELECT u.id, u.localpart, u.is_admin, u.created_at, u.provisioned_at, u.locked_at, u.deactivated_at,
       b.id AS session_id, b.created_at AS session_created_at, b.authenticated_at, b.methods,
       b.last_seen_at, b.last_seen_ip, b.user_agent,
       k.id AS consent_id, k.scope AS allowed_scope,
       (SELECT COUNT(*) || ' ' || COUNT(s.device_id) FROM client_sessions AS s
        WHERE s.user_id = u.id AND s.ended_at IS NULL
            AND (s.device_id IS NULL OR $3 IS NULL OR s.device_id <> $3)) AS sessions
FROM (SELECT 1 AS one) AS browser
LEFT JOIN browser_sessions AS b ON b.cookie_digest = $1 AND b.ended_at IS NULL
LEFT JOIN users AS u ON u.id = b.user_id
LEFT JOIN consents AS k ON k.user_id = u.id AND k.client_id = $2
WHERE NOT EXISTS (SELECT 1 FROM spent_codes WHERE request_id = $4)";
    query(FIND)
        .bind(cookie_digest)
        .bind(&pending.client_id)
        .bind(pending.asked.device_id.as_ref())
        .bind(pending.id)
        .fetch_gathered(store)
        .await
}

/// What decides about a code, spent or not.
pub struct Coded {
    /// Who granted it.
    pub user: User,
    /// That person's sessions, without the one that a new one would replace.
    pub sessions: Count,
    /// When a code for the same request was spent, and for which session.
    pub spent: Option<(Timestamp, ClientSessionId)>,
}

impl FromRow for Coded {
    fn from_row(row: &Row) -> Result<Coded, Error> {
        Ok(Coded {
            user: User::from_row(row)?,
            sessions: Count::from_row(row)?,
            spent: match row.get("spent_at")? {
                Some(at) => Some((at, row.get("client_session_id")?)),
                None => None,
            },
        })
    }
}

/// What decides about a code; `None` when nobody has granted it.
///
/// # Errors
/// When the database fails.
pub async fn find_coded(
    store: &Store,
    granted: &Granted,
    device_id: Option<&DeviceId>,
) -> Result<Option<Coded>, Error> {
    const FIND: &str = "
SELECT u.id, u.localpart, u.is_admin, u.created_at, u.provisioned_at, u.locked_at, u.deactivated_at,
       c.spent_at, c.client_session_id,
       (SELECT COUNT(*) || ' ' || COUNT(s.device_id) FROM client_sessions AS s
        WHERE s.user_id = u.id AND s.ended_at IS NULL
            AND (s.device_id IS NULL OR $2 IS NULL OR s.device_id <> $2)) AS sessions
FROM users AS u
LEFT JOIN spent_codes AS c ON c.request_id = $3
WHERE u.id = $1";
    query(FIND).bind(granted.user_id).bind(device_id).bind(granted.request_id).fetch_gathered(store).await
}
