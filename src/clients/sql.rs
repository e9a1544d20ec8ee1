//! All SQL of the clients.

use std::time::Duration;

use super::{Client, ClientMetadata, Origin};
use crate::ids::ClientId;
use crate::store::{Error, FromRow, On, Query, Row, Store, Tx, query, query_kept};
use crate::time::Timestamp;

/// A client that registered and was never heard of again is kept this long; one that had sessions,
/// as long as these are remembered.
const UNUSED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl FromRow for Client {
    fn from_row(row: &Row) -> Result<Client, Error> {
        let metadata = serde_json::from_str(&row.get::<String>("metadata")?);
        Ok(Client {
            id: row.get("id")?,
            origin: Origin::parse(&row.get::<String>("origin")?)
                .ok_or(Error::Corrupt { column: "origin" })?,
            metadata: metadata.map_err(|_| Error::Corrupt { column: "metadata" })?,
            secret_digest: row.get("secret_digest")?,
            created_at: row.get("created_at")?,
        })
    }
}

struct FoundId(ClientId);

impl FromRow for FoundId {
    fn from_row(row: &Row) -> Result<FoundId, Error> {
        Ok(FoundId(row.get("id")?))
    }
}

fn to_json(metadata: &ClientMetadata) -> Result<String, Error> {
    serde_json::to_string(metadata).map_err(|_| Error::Corrupt { column: "metadata" })
}

pub(super) async fn find(on: impl Into<On<'_>>, id: &ClientId) -> Result<Option<Client>, Error> {
    const FIND: &str = "
SELECT id, origin, metadata, secret_digest, created_at FROM oauth_clients WHERE id = $1 AND removed_at IS NULL";
    query(FIND).bind(id).fetch_optional(on).await
}

pub(super) async fn list(store: &Store, after: Option<&ClientId>, limit: i64) -> Result<Vec<Client>, Error> {
    const LIST: &str = "
SELECT id, origin, metadata, secret_digest, created_at FROM oauth_clients
WHERE removed_at IS NULL AND id > $1 ORDER BY id LIMIT $2";
    query(LIST).bind(after.map_or("", |id| id.0.as_str())).bind(limit).fetch_all(store).await
}

const ADD: &str = "
INSERT INTO oauth_clients (id, origin, metadata, metadata_digest, secret_digest, created_at)
VALUES ($1, $2, $3, $4, $5, $6)";

pub(super) async fn add(tx: &mut Tx, client: &Client) -> Result<(), Error> {
    query(ADD)
        .bind(&client.id)
        .bind(client.origin.as_str())
        .bind(to_json(&client.metadata)?)
        .bind(None::<String>)
        .bind(client.secret_digest.clone())
        .bind(client.created_at)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn add_or_find(
    tx: &mut Tx,
    client: Client,
    metadata_digest: Option<String>,
) -> Result<Client, Error> {
    const ADD_OR_FIND: &str = "
INSERT INTO oauth_clients (id, origin, metadata, metadata_digest, secret_digest, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (metadata_digest) DO UPDATE SET created_at = excluded.created_at
RETURNING id, origin, metadata, secret_digest, created_at";
    query(ADD_OR_FIND)
        .bind(&client.id)
        .bind(client.origin.as_str())
        .bind(to_json(&client.metadata)?)
        .bind(metadata_digest)
        .bind(client.secret_digest)
        .bind(client.created_at)
        .fetch_one(tx)
        .await
}

pub(super) fn keeping(id: &ClientId) -> Query {
    query_kept!("SELECT id FROM oauth_clients WHERE id = $1 AND removed_at IS NULL").bind(id)
}

pub(super) async fn remove(tx: &mut Tx, id: &ClientId, now: Timestamp) -> Result<bool, Error> {
    const REMOVE: &str = "
UPDATE oauth_clients SET removed_at = $1, metadata_digest = NULL, secret_digest = NULL
WHERE id = $2 AND removed_at IS NULL";
    Ok(query(REMOVE).bind(now).bind(id).execute(tx).await? == 1)
}

pub(super) async fn list_configured(tx: &mut Tx) -> Result<Vec<ClientId>, Error> {
    const LIST: &str = "SELECT id FROM oauth_clients WHERE origin = 'configured' AND removed_at IS NULL";
    let found: Vec<FoundId> = query(LIST).fetch_all(tx).await?;
    Ok(found.into_iter().map(|FoundId(id)| id).collect())
}

pub(super) async fn set_configured(
    tx: &mut Tx,
    id: &ClientId,
    metadata: &ClientMetadata,
    now: Timestamp,
) -> Result<(), Error> {
    const SET: &str = "
INSERT INTO oauth_clients (id, origin, metadata, created_at) VALUES ($1, 'configured', $2, $3)
ON CONFLICT (id) DO UPDATE
SET origin = 'configured', metadata = excluded.metadata, metadata_digest = NULL, secret_digest = NULL, removed_at = NULL";
    query(SET).bind(id).bind(to_json(metadata)?).bind(now).execute(tx).await?;
    Ok(())
}

pub(super) async fn expire(tx: &mut Tx, now: Timestamp) -> Result<Vec<ClientId>, Error> {
    const EXPIRE: &str = "
DELETE FROM oauth_clients
WHERE (origin = 'registered' OR removed_at IS NOT NULL) AND created_at < $1
  AND NOT EXISTS (SELECT 1 FROM client_sessions WHERE client_id = oauth_clients.id)
  AND NOT EXISTS (SELECT 1 FROM device_requests WHERE client_id = oauth_clients.id)
  AND NOT EXISTS (SELECT 1 FROM consents WHERE client_id = oauth_clients.id AND granted_at >= $1)
RETURNING id";
    let gone: Vec<FoundId> = query(EXPIRE).bind(now - UNUSED).fetch_all(tx).await?;
    Ok(gone.into_iter().map(|FoundId(id)| id).collect())
}
