//! SQL of what is remembered of sessions, and of forgetting it.

use serde_json::Value;

use super::super::records::{BrowserRecord, ClientRecord};
use super::LAST_ID;
use crate::ids::UserId;
use crate::store::{Error, FromRow, Row, Store, Tx, query};

impl FromRow for BrowserRecord {
    fn from_row(row: &Row) -> Result<BrowserRecord, Error> {
        Ok(BrowserRecord {
            id: row.get("id")?,
            created_at: row.get("created_at")?,
            authenticated_at: row.get("authenticated_at")?,
            methods: row.get("methods")?,
            last_seen_at: row.get("last_seen_at")?,
            last_seen_ip: row.get("last_seen_ip")?,
            user_agent: row.get("user_agent")?,
            ended_at: row.get("ended_at")?,
        })
    }
}

impl FromRow for ClientRecord {
    fn from_row(row: &Row) -> Result<ClientRecord, Error> {
        let metadata: Option<String> = row.get("metadata")?;
        let metadata: Option<Value> = metadata.and_then(|metadata| serde_json::from_str(&metadata).ok());
        Ok(ClientRecord {
            id: row.get("id")?,
            client_id: row.get("client_id")?,
            client_name: metadata.and_then(|metadata| metadata["client_name"].as_str().map(str::to_owned)),
            scope: row.get("scope")?,
            device_id: row.get("device_id")?,
            name: row.get("name")?,
            created_at: row.get("created_at")?,
            last_seen_at: row.get("last_seen_at")?,
            last_seen_ip: row.get("last_seen_ip")?,
            user_agent: row.get("user_agent")?,
            expires_at: row.get("expires_at")?,
            ended_at: row.get("ended_at")?,
            end_reason: row.get("end_reason")?,
        })
    }
}

pub(in crate::sessions) async fn list_browsers(
    store: &Store,
    user: UserId,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<BrowserRecord>, Error> {
    const LIST: &str = "
SELECT id, created_at, authenticated_at, methods, last_seen_at, last_seen_ip, user_agent, ended_at
FROM browser_sessions WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    query(LIST).bind(user).bind(before.unwrap_or(LAST_ID)).bind(limit).fetch_all(store).await
}

pub(in crate::sessions) async fn list_clients(
    store: &Store,
    user: UserId,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<ClientRecord>, Error> {
    const LIST: &str = "
SELECT s.id, s.client_id, c.metadata, s.scope, s.device_id, s.name, s.created_at, s.last_seen_at, s.last_seen_ip,
       s.user_agent, s.expires_at, s.ended_at, s.end_reason
FROM client_sessions AS s
LEFT JOIN oauth_clients AS c ON c.id = s.client_id
WHERE s.user_id = $1 AND s.id < $2 ORDER BY s.id DESC LIMIT $3";
    query(LIST).bind(user).bind(before.unwrap_or(LAST_ID)).bind(limit).fetch_all(store).await
}

/// Forgets where the user's sessions were used, with what, and what they were called.
pub(in crate::sessions) async fn erase(tx: &mut Tx, user: UserId) -> Result<(), Error> {
    const BROWSERS: &str =
        "UPDATE browser_sessions SET last_seen_ip = NULL, user_agent = NULL WHERE user_id = $1";
    const CLIENTS: &str =
        "UPDATE client_sessions SET last_seen_ip = NULL, user_agent = NULL, name = NULL WHERE user_id = $1";
    query(CLIENTS).bind(user).execute(&mut *tx).await?;
    query(BROWSERS).bind(user).execute(tx).await?;
    Ok(())
}
