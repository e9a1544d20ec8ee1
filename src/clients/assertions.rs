//! Assertions by which clients have proved themselves: each is good once, on all nodes together.

use crate::ids::ClientId;
use crate::keys;
use crate::store::{Error, Tx, query};
use crate::time::Timestamp;

/// Uses an assertion up; `false` when it was used before (RFC 7523 §3, `jti`).
///
/// # Errors
/// When the database fails.
pub async fn use_once(tx: &mut Tx, client: &ClientId, jti: &str, until: Timestamp) -> Result<bool, Error> {
    const USE: &str = "
INSERT INTO used_assertions (digest, expires_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING";
    let digest = keys::digest(format!("{client} {jti}"));
    Ok(query(USE).bind(digest).bind(until).execute(tx).await? == 1)
}

/// Forgets assertions that have expired.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    query("DELETE FROM used_assertions WHERE expires_at < $1").bind(now).execute(tx).await?;
    Ok(())
}
