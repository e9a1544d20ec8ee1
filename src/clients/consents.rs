//! What people have allowed clients, so that they need not be asked again for the same.

use std::collections::BTreeSet;

use crate::ids::{ClientId, UserId};
use crate::store::{Error, FromRow, Row, Tx, query};
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
