//! What devices without a browser of their own ask for, from the request to the redeemed code (RFC 8628).

use std::time::Duration;

use crate::http::requester::Requester;
use crate::ids::{ClientId, UserId};
use crate::methods::Methods;
use crate::store::{Error, FromRow, Query, Row, Store, Tx, query};
use crate::time::Timestamp;

/// How long both codes are good (RFC 8628 §3.2, `expires_in`).
pub const LIFETIME: Duration = Duration::from_secs(20 * 60);
/// How long a client waits between two polls at first (RFC 8628 §3.2, `interval`).
pub const INTERVAL: Duration = Duration::from_secs(5);
/// How long a request is kept after its end, so that a client that still polls reads what became of it.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What a client begins.
pub struct NewRequest<'a> {
    /// Digest of the code that the client polls with.
    pub device_code_digest: &'a str,
    /// Digest of the code that the person enters.
    pub user_code_digest: &'a str,
    /// Who asks.
    pub client_id: &'a ClientId,
    /// For what.
    pub scope: &'a str,
    /// From where.
    pub requester: &'a Requester,
}

/// A request that waits for a person's answer.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Names the request.
    pub device_code_digest: String,
    /// Who asks.
    pub client_id: ClientId,
    /// For what.
    pub scope: String,
    /// The address that it came from.
    pub requester_ip: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// Since when it waits.
    pub created_at: Timestamp,
}

/// A request as its client polls it.
#[derive(Clone, Debug)]
pub struct Polled {
    /// Whose it is.
    pub client_id: ClientId,
    /// What was asked for.
    pub scope: String,
    /// Until when the codes are good.
    pub expires_at: Timestamp,
    /// How long the client has to wait between two polls.
    pub interval: Duration,
    /// When it last polled.
    pub polled_at: Option<Timestamp>,
    /// What has become of it.
    pub state: State,
}

/// What has become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has answered.
    Pending,
    /// A person said no.
    Denied,
    /// A person said yes.
    Allowed {
        /// Who.
        user_id: UserId,
        /// When they last proved who they are.
        authenticated_at: Timestamp,
        /// How they proved it.
        methods: Methods,
    },
    /// The client has got its tokens.
    Redeemed,
}

impl FromRow for Pending {
    fn from_row(row: &Row) -> Result<Pending, Error> {
        Ok(Pending {
            device_code_digest: row.get("device_code_digest")?,
            client_id: row.get("client_id")?,
            scope: row.get("scope")?,
            requester_ip: row.get("requester_ip")?,
            user_agent: row.get("user_agent")?,
            created_at: row.get("created_at")?,
        })
    }
}

impl FromRow for Polled {
    fn from_row(row: &Row) -> Result<Polled, Error> {
        let is_set = |column| row.get::<Option<Timestamp>>(column).map(|at| at.is_some());
        let state = if is_set("redeemed_at")? {
            State::Redeemed
        } else if let Some(user_id) = row.get("user_id")? {
            State::Allowed {
                user_id,
                authenticated_at: row.get("authenticated_at")?,
                methods: row.get("methods")?,
            }
        } else if is_set("answered_at")? {
            State::Denied
        } else {
            State::Pending
        };
        let interval: i64 = row.get("interval_seconds")?;
        Ok(Polled {
            client_id: row.get("client_id")?,
            scope: row.get("scope")?,
            expires_at: row.get("expires_at")?,
            interval: Duration::from_secs(interval.unsigned_abs()),
            polled_at: row.get("polled_at")?,
            state,
        })
    }
}

/// Stores a request; `false` when another one has the user code.
///
/// # Errors
/// When the database fails.
pub async fn add(store: &Store, new: &NewRequest<'_>, now: Timestamp) -> Result<bool, Error> {
    // Should the statement be run twice, because a connection dies in the midst, the second run finds
    // the codes taken: the caller makes others, and nobody ever has these.
    const ADD: &str = "
INSERT INTO device_requests
    (device_code_digest, user_code_digest, client_id, scope, requester_ip, user_agent, created_at, expires_at,
     interval_seconds)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT DO NOTHING";
    let added = query(ADD)
        .bind(new.device_code_digest)
        .bind(new.user_code_digest)
        .bind(new.client_id)
        .bind(new.scope)
        .bind(new.requester.address.map(|address| address.to_string()))
        .bind(new.requester.user_agent.clone())
        .bind(now)
        .bind(now + LIFETIME)
        .bind(seconds(INTERVAL));
    Ok(added.execute_alone(store).await? == 1)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// The request that a person was given a code for, while it waits.
///
/// # Errors
/// When the database fails.
pub async fn find_pending(
    store: &Store,
    user_code_digest: &str,
    now: Timestamp,
) -> Result<Option<Pending>, Error> {
    const FIND: &str = "
SELECT device_code_digest, client_id, scope, requester_ip, user_agent, created_at FROM device_requests
WHERE user_code_digest = $1 AND answered_at IS NULL AND expires_at > $2";
    query(FIND).bind(user_code_digest).bind(now).fetch_optional(store).await
}

/// Answers a request with yes; `false` when it was answered before, or waited too long.
///
/// # Errors
/// When the database fails.
pub async fn approve(
    tx: &mut Tx,
    device_code_digest: &str,
    user_id: UserId,
    authenticated_at: Timestamp,
    methods: Methods,
    now: Timestamp,
) -> Result<bool, Error> {
    const APPROVE: &str = "
UPDATE device_requests SET answered_at = $1, user_id = $2, authenticated_at = $3, methods = $4
WHERE device_code_digest = $5 AND answered_at IS NULL AND expires_at > $1";
    let approved = query(APPROVE)
        .bind(now)
        .bind(user_id)
        .bind(authenticated_at)
        .bind(methods)
        .bind(device_code_digest)
        .execute(tx);
    Ok(approved.await? == 1)
}

/// Answers a request with no; `false` when it was answered before, or waited too long.
///
/// # Errors
/// When the database fails.
pub async fn deny(store: &Store, device_code_digest: &str, now: Timestamp) -> Result<bool, Error> {
    const DENY: &str = "
UPDATE device_requests SET answered_at = $1
WHERE device_code_digest = $2 AND answered_at IS NULL AND expires_at > $1";
    let mut tx = store.begin().await?;
    let denied = query(DENY).bind(now).bind(device_code_digest).execute(&mut tx).await? == 1;
    tx.commit().await?;
    Ok(denied)
}

/// What a device code stands for, whatever became of it.
///
/// # Errors
/// When the database fails.
pub async fn find(store: &Store, device_code_digest: &str) -> Result<Option<Polled>, Error> {
    const FIND: &str = "
SELECT client_id, scope, expires_at, interval_seconds, polled_at, answered_at, user_id, authenticated_at, methods,
       redeemed_at
FROM device_requests WHERE device_code_digest = $1";
    query(FIND).bind(device_code_digest).fetch_optional(store).await
}

/// Notes a poll, and how long the client has to wait from now on. Of two polls at once one is noted.
///
/// # Errors
/// When the database fails.
pub async fn note_poll(
    store: &Store,
    device_code_digest: &str,
    before: &Polled,
    interval: Duration,
    now: Timestamp,
) -> Result<(), Error> {
    const NOTE: &str = "
UPDATE device_requests SET polled_at = $1, interval_seconds = $2
WHERE device_code_digest = $3 AND answered_at IS NULL AND COALESCE(polled_at, 0) = $4";
    let noted = query(NOTE)
        .bind(now)
        .bind(seconds(interval))
        .bind(device_code_digest)
        .bind(before.polled_at.unwrap_or(Timestamp(0)));
    noted.execute_alone(store).await?;
    Ok(())
}

/// What redeems the code of a request that was allowed, for a session that is started with it. It finds
/// nothing when that has happened before, and nothing of the transaction may stay then.
pub fn redeeming(device_code_digest: &str, now: Timestamp) -> Query {
    const REDEEM: &str =
        "UPDATE device_requests SET redeemed_at = $1 WHERE device_code_digest = $2 AND redeemed_at IS NULL";
    query(REDEEM).bind(now).bind(device_code_digest)
}

/// Makes worthless the codes that the person has allowed the client and that it has not redeemed. Whoever
/// redeems one at this moment is waited for, so that the session is there to be ended.
///
/// # Errors
/// When the database fails.
pub async fn withdraw(tx: &mut Tx, user: UserId, client: &ClientId, now: Timestamp) -> Result<(), Error> {
    const WITHDRAW: &str = "UPDATE device_requests SET redeemed_at = $1 WHERE client_id = $2 AND user_id = $3 AND redeemed_at IS NULL";
    query(WITHDRAW).bind(now).bind(client).bind(user).execute(tx).await?;
    Ok(())
}

/// Has nobody redeem what the user has allowed to any client. Who is redeeming it is waited for.
///
/// # Errors
/// When the database fails.
pub async fn withdraw_all(tx: &mut Tx, user: UserId, now: Timestamp) -> Result<(), Error> {
    const WITHDRAW: &str =
        "UPDATE device_requests SET redeemed_at = $1 WHERE user_id = $2 AND redeemed_at IS NULL";
    query(WITHDRAW).bind(now).bind(user).execute(tx).await?;
    Ok(())
}

/// Forgets requests that ended long ago.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    query("DELETE FROM device_requests WHERE expires_at < $1").bind(now - KEPT).execute(tx).await?;
    Ok(())
}
