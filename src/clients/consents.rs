//! What people have allowed clients, so that they need not be asked again for the same.

use std::collections::BTreeSet;

use crate::ids::{ClientId, UserId};
use crate::store::{Error, FromRow, Row, Store, Tx, query};
use crate::time::Timestamp;

struct Granted(String);

impl FromRow for Granted {
    fn from_row(row: &Row) -> Result<Granted, Error> {
        Ok(Granted(row.get("scope")?))
    }
}

/// Remembers that the person allowed the client these scope tokens, beside those of before.
///
/// # Errors
/// When the database fails.
pub async fn add(
    tx: &mut Tx,
    user: UserId,
    client: &ClientId,
    scope: &[&str],
    now: Timestamp,
) -> Result<(), Error> {
    const FIND: &str = "SELECT scope FROM consents WHERE user_id = $1 AND client_id = $2";
    const SET: &str = "
INSERT INTO consents (user_id, client_id, scope, granted_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (user_id, client_id) DO UPDATE SET scope = excluded.scope, granted_at = excluded.granted_at";
    let before: Option<Granted> = query(FIND).bind(user).bind(client).fetch_optional(&mut *tx).await?;
    let before = before.map(|Granted(scope)| scope).unwrap_or_default();
    let all: BTreeSet<&str> =
        scope.iter().copied().chain(before.split(' ')).filter(|token| !token.is_empty()).collect();
    let all: Vec<&str> = all.into_iter().collect();
    query(SET).bind(user).bind(client).bind(all.join(" ")).bind(now).execute(tx).await?;
    Ok(())
}

/// What a person has allowed a client.
#[derive(Clone, Debug)]
pub struct Consent {
    /// Which client.
    pub client_id: ClientId,
    /// The scope tokens, with spaces between them.
    pub scope: String,
    /// When that was last added to.
    pub granted_at: Timestamp,
}

impl FromRow for Consent {
    fn from_row(row: &Row) -> Result<Consent, Error> {
        Ok(Consent {
            client_id: row.get("client_id")?,
            scope: row.get("scope")?,
            granted_at: row.get("granted_at")?,
        })
    }
}

/// Everything that the person has allowed and that is remembered, the last first.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store, user: UserId) -> Result<Vec<Consent>, Error> {
    const LIST: &str = "
SELECT client_id, scope, granted_at FROM consents WHERE user_id = $1 ORDER BY granted_at DESC, client_id";
    query(LIST).bind(user).fetch_all(store).await
}

/// Forgets what the person has allowed the client, so that they are asked again; `false` when nothing was
/// remembered.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &mut Tx, user: UserId, client: &ClientId) -> Result<bool, Error> {
    const FORGET: &str = "DELETE FROM consents WHERE user_id = $1 AND client_id = $2";
    Ok(query(FORGET).bind(user).bind(client).execute(tx).await? > 0)
}

/// Forgets everything that the person has allowed.
///
/// # Errors
/// When the database fails.
pub async fn forget_all(tx: &mut Tx, user: UserId) -> Result<(), Error> {
    query("DELETE FROM consents WHERE user_id = $1").bind(user).execute(tx).await?;
    Ok(())
}
