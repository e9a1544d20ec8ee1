//! Sign-ins that wait for their second step.

use std::time::Duration;

use crate::accounts::users::User;
use crate::app::App;
use crate::http::visit::Visit;
use crate::ids::UserId;
use crate::keys;
use crate::methods::Methods;
use crate::store::{Error, FromRow, Row, Tx, query};
use crate::time::Timestamp;

/// How long after the first step the second may be done.
pub const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// A sign-in that waits for its second step.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Who signs in.
    pub user: User,
    /// How they have proved so far who they are.
    pub methods: Methods,
}

impl FromRow for Attempt {
    fn from_row(row: &Row) -> Result<Attempt, Error> {
        Ok(Attempt { user: User::from_row(row)?, methods: row.get("methods")? })
    }
}

/// Begins one of a person who has proved at `proved_at` who they are, and returns the secret that the browser
/// keeps.
///
/// # Errors
/// When the database fails.
pub(super) async fn begin(
    tx: &mut Tx,
    user: UserId,
    methods: Methods,
    proved_at: Timestamp,
    now: Timestamp,
) -> Result<String, Error> {
    const ADD: &str = "
INSERT INTO sign_in_attempts (secret_digest, user_id, methods, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)";
    let secret = keys::random_secret();
    let add =
        query(ADD).bind(keys::digest(&secret)).bind(user).bind(methods).bind(now).bind(proved_at + LIFETIME);
    add.execute(tx).await?;
    Ok(secret)
}

/// The sign-in that the browser has begun. It is over when it took too long, when the account is no longer
/// active, and when the password by which it began is no longer the person's.
///
/// # Errors
/// When the database fails.
pub async fn find(app: &App, visit: &Visit) -> Result<Option<Attempt>, Error> {
    const FIND: &str = "
SELECT a.methods, u.id, u.localpart, u.is_admin, u.created_at, u.provisioned_at, u.locked_at, u.deactivated_at
FROM sign_in_attempts AS a
JOIN users AS u ON u.id = a.user_id
WHERE a.secret_digest = $1 AND a.expires_at > $2 AND u.locked_at IS NULL AND u.deactivated_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM passwords AS p WHERE p.user_id = a.user_id AND p.created_at > a.created_at)";
    let Some(secret) = &visit.attempt_secret else { return Ok(None) };
    query(FIND).bind(keys::digest(secret)).bind(app.clock.now()).fetch_optional(&app.store).await
}

/// Ends the sign-in that the browser has begun, if it has.
///
/// # Errors
/// When the database fails.
pub(super) async fn end(tx: &mut Tx, visit: &Visit) -> Result<(), Error> {
    let Some(secret) = &visit.attempt_secret else { return Ok(()) };
    query("DELETE FROM sign_in_attempts WHERE secret_digest = $1")
        .bind(keys::digest(secret))
        .execute(tx)
        .await?;
    Ok(())
}

/// Forgets those that took too long.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    query("DELETE FROM sign_in_attempts WHERE expires_at < $1").bind(now).execute(tx).await?;
    Ok(())
}
