//! Authorization requests that clients have pushed and no browser has begun yet (RFC 9126).

use std::time::Duration;

use super::authorization_requests::Asked;
use crate::ids::{AuthorizationRequestId, ClientId};
use crate::store::{Error, FromRow, Row, Store, Tx, query};
use crate::time::Timestamp;

/// How long a browser may take to begin one (RFC 9126 §2.2).
pub const LIFETIME: Duration = Duration::from_secs(90);

/// Stores a checked request.
///
/// # Errors
/// When the database fails.
pub async fn push(
    store: &Store,
    client_id: &ClientId,
    asked: &Asked,
    now: Timestamp,
) -> Result<AuthorizationRequestId, Error> {
    // Run twice when a connection dies in the midst.
    const ADD: &str = "
INSERT INTO pushed_requests (id, client_id, request) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";
    let id = AuthorizationRequestId::new(now);
    let request = serde_json::to_string(asked).map_err(|_| Error::Corrupt { column: "request" })?;
    query(ADD).bind(id).bind(client_id).bind(request).execute_alone(store).await?;
    Ok(id)
}

impl FromRow for Asked {
    fn from_row(row: &Row) -> Result<Asked, Error> {
        let text: String = row.get("request")?;
        serde_json::from_str(&text).map_err(|_| Error::Corrupt { column: "request" })
    }
}

/// Takes a request for the browser that begins it; `None` when there is none, it is another client's, it was
/// taken before, or it waited too long.
///
/// # Errors
/// When the database fails.
pub async fn take(
    store: &Store,
    id: AuthorizationRequestId,
    client_id: &ClientId,
    now: Timestamp,
) -> Result<Option<Asked>, Error> {
    const TAKE: &str = "DELETE FROM pushed_requests WHERE id = $1 AND client_id = $2 RETURNING request";
    if now >= id.made_at() + LIFETIME {
        return Ok(None);
    }
    let mut tx = store.begin().await?;
    let asked = query(TAKE).bind(id).bind(client_id).fetch_optional(&mut tx).await?;
    tx.commit().await?;
    Ok(asked)
}

/// Forgets requests that waited too long.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    const EXPIRE: &str = "DELETE FROM pushed_requests WHERE id < $1";
    query(EXPIRE).bind(AuthorizationRequestId::before(now - LIFETIME)).execute(tx).await?;
    Ok(())
}
