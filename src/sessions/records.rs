//! What is remembered of a person's sessions, also of those that have ended: for the person to read.

use super::sql;
use crate::ids::{BrowserSessionId, ClientId, ClientSessionId, DeviceId, UserId};
use crate::store::{Error, Store, Tx};
use crate::time::Timestamp;

/// A browser session, live or not.
#[derive(Clone, Debug)]
pub struct BrowserRecord {
    /// Its identifier.
    pub id: BrowserSessionId,
    /// When it began.
    pub created_at: Timestamp,
    /// When the person last proved who they are.
    pub authenticated_at: Timestamp,
    /// How they proved it, in words with spaces between them.
    pub methods: String,
    /// When it was last used.
    pub last_seen_at: Timestamp,
    /// From which address.
    pub last_seen_ip: Option<String>,
    /// What the browser calls itself.
    pub user_agent: Option<String>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// A client session, live or not.
#[derive(Clone, Debug)]
pub struct ClientRecord {
    /// Its identifier.
    pub id: ClientSessionId,
    /// Which client.
    pub client_id: Option<ClientId>,
    /// What that calls itself.
    pub client_name: Option<String>,
    /// What was granted.
    pub scope: String,
    /// The Matrix device.
    pub device_id: Option<DeviceId>,
    /// What the device or the token is called.
    pub name: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_seen_at: Timestamp,
    /// From which address.
    pub last_seen_ip: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why.
    pub end_reason: Option<String>,
}

/// The user's browser sessions, the last begun first, below the one named `before`.
///
/// # Errors
/// When the database fails.
pub async fn browsers(
    store: &Store,
    user: UserId,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<BrowserRecord>, Error> {
    sql::records::list_browsers(store, user, before, limit).await
}

/// The user's client sessions, the last begun first, below the one named `before`.
///
/// # Errors
/// When the database fails.
pub async fn clients(
    store: &Store,
    user: UserId,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<ClientRecord>, Error> {
    sql::records::list_clients(store, user, before, limit).await
}

/// Forgets where the user's sessions were used, with what, and what they were called. The sessions must have ended.
///
/// # Errors
/// When the database fails.
pub async fn erase(tx: &mut Tx, user: UserId) -> Result<(), Error> {
    sql::records::erase(tx, user).await
}
