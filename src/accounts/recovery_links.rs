//! Links by which an admin lets a person in who has lost their factors. One is good once, and stands in for the
//! second factor alone: a password is still asked for.

use std::time::Duration;

use super::users::User;
use crate::app::App;
use crate::http::form::with_query;
use crate::ids::UserId;
use crate::keys;
use crate::store::{Error, Store, Tx, query};
use crate::time::Timestamp;

/// Local path of the page that a link leads to.
pub const PATH: &str = "/recover";

/// Makes a link for a person, in place of one that was made before.
///
/// # Errors
/// When the database fails.
pub async fn make(
    tx: &mut Tx,
    app: &App,
    user: UserId,
    lifetime: Duration,
    now: Timestamp,
) -> Result<String, Error> {
    const ADD: &str = "INSERT INTO recovery_links (token_digest, user_id, expires_at) VALUES ($1, $2, $3)";
    query("DELETE FROM recovery_links WHERE user_id = $1").bind(user).execute(tx).await?;
    let token = keys::random_secret();
    query(ADD).bind(keys::digest(&token)).bind(user).bind(now + lifetime).execute(tx).await?;
    let path = with_query(PATH, &[("token", token.into())]);
    Ok(format!("{}{}", app.config.http.public_base, path.trim_start_matches('/')))
}

/// Whom a token lets in, if it is good and the account is active.
///
/// # Errors
/// When the database fails.
pub async fn find(store: &Store, token: &str, now: Timestamp) -> Result<Option<User>, Error> {
    const FIND: &str = "
SELECT u.id, u.localpart, u.is_admin, u.created_at, u.provisioned_at, u.locked_at, u.deactivated_at
FROM recovery_links AS r
JOIN users AS u ON u.id = r.user_id
WHERE r.token_digest = $1 AND r.expires_at > $2 AND u.locked_at IS NULL AND u.deactivated_at IS NULL";
    query(FIND).bind(keys::digest(token)).bind(now).fetch_optional(store).await
}

/// Spends a token; `false` when it is not good, or was spent before.
///
/// # Errors
/// When the database fails.
pub async fn spend(tx: &mut Tx, token: &str, now: Timestamp) -> Result<bool, Error> {
    const SPEND: &str = "DELETE FROM recovery_links WHERE token_digest = $1 AND expires_at > $2";
    Ok(query(SPEND).bind(keys::digest(token)).bind(now).execute(tx).await? == 1)
}

/// Forgets those that nobody used in time.
///
/// # Errors
/// When the database fails.
pub(super) async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    query("DELETE FROM recovery_links WHERE expires_at < $1").bind(now).execute(tx).await?;
    Ok(())
}
