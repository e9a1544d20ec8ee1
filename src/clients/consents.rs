//! What people have allowed clients, so that they need not be asked again for the same.

use std::collections::BTreeSet;

use crate::ids::{ClientId, ConsentId, UserId};
use crate::store::{Error, FromRow, Query, Row, Store, Tx, query, query_kept};
use crate::time::Timestamp;

/// What is remembered when a person is asked again.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// Its identifier.
    pub id: ConsentId,
    /// The scope tokens.
    pub scope: BTreeSet<String>,
}

impl FromRow for Remembered {
    fn from_row(row: &Row) -> Result<Remembered, Error> {
        let scope: String = row.get("allowed_scope")?;
        Ok(Remembered {
            id: row.get("consent_id")?,
            scope: scope.split_whitespace().map(str::to_owned).collect(),
        })
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
) -> Result<ConsentId, Error> {
    const FIND: &str = "
SELECT id AS consent_id, scope AS allowed_scope FROM consents WHERE user_id = $1 AND client_id = $2";
    const SET: &str = "
INSERT INTO consents (id, user_id, client_id, scope, granted_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (user_id, client_id) DO UPDATE SET scope = excluded.scope, granted_at = excluded.granted_at
RETURNING id AS consent_id, scope AS allowed_scope";
    let before: Option<Remembered> = query(FIND).bind(user).bind(client).fetch_optional(&mut *tx).await?;
    let before = before.map(|before| before.scope).unwrap_or_default();
    let all: BTreeSet<&str> = scope.iter().copied().chain(before.iter().map(String::as_str)).collect();
    let all: Vec<&str> = all.into_iter().collect();
    let set = query(SET).bind(ConsentId::new(now)).bind(user).bind(client).bind(all.join(" ")).bind(now);
    let set: Remembered = set.fetch_one(tx).await?;
    Ok(set.id)
}

/// Whether the person still allows the client what they allowed; nobody takes it back before the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn keep(tx: &mut Tx, user: UserId, client: &ClientId, id: ConsentId) -> Result<bool, Error> {
    Ok(keeping(user, client, id).fetch_optional::<()>(tx).await?.is_some())
}

/// The question of [`keep`], to be asked together with other things.
pub fn keeping(user: UserId, client: &ClientId, id: ConsentId) -> Query {
    query_kept!("SELECT id FROM consents WHERE user_id = $1 AND client_id = $2 AND id = $3")
        .bind(user)
        .bind(client)
        .bind(id)
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

/// Forgets what anybody has allowed the client.
///
/// # Errors
/// When the database fails.
pub async fn forget_client(tx: &mut Tx, client: &ClientId) -> Result<(), Error> {
    query("DELETE FROM consents WHERE client_id = $1").bind(client).execute(tx).await?;
    Ok(())
}

/// Forgets everything that the person has allowed.
///
/// # Errors
/// When the database fails.
pub async fn forget_all(tx: &mut Tx, user: UserId) -> Result<(), Error> {
    query("DELETE FROM consents WHERE user_id = $1").bind(user).execute(tx).await?;
    Ok(())
}
