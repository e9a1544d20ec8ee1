//! OAuth clients: who they say they are, where they may send a browser, what they may ask for, and
//! what people have allowed them.
//!
//! Owns `oauth_clients`, `consents`, `pushed_requests`, `spent_codes`, `device_requests` and `used_assertions`.
//! Registration over HTTP is `oauth/client_registration.rs`; authentication of clients is `oauth/client_auth.rs`.

pub mod assertions;
pub mod authorization_codes;
pub mod authorization_requests;
pub mod consents;
pub mod device_requests;
pub mod label;
pub mod metadata;
pub mod pushed_requests;
pub mod redirect_uri;
pub mod scope_words;
mod sql;
pub mod user_code;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::config::Config;
use crate::ids::ClientId;
use crate::keys;
use crate::store::{self, Change, On, Query, Store, Tx};
use crate::time::Timestamp;

pub use crate::config::{GrantType, TokenEndpointAuthMethod};
pub use metadata::{ClientMetadata, InvalidMetadata};

/// Where a client comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Named in the configuration file.
    Configured,
    /// Made on the command line.
    Created,
    /// Registered itself (RFC 7591).
    Registered,
}

impl Origin {
    /// As it is stored, and as policies are told.
    pub fn as_str(self) -> &'static str {
        match self {
            Origin::Configured => "configured",
            Origin::Created => "created",
            Origin::Registered => "registered",
        }
    }

    fn parse(text: &str) -> Option<Origin> {
        [Origin::Configured, Origin::Created, Origin::Registered]
            .into_iter()
            .find(|origin| origin.as_str() == text)
    }
}

/// An OAuth client (RFC 6749 §2).
#[derive(Clone, Debug)]
pub struct Client {
    /// Its `client_id`.
    pub id: ClientId,
    /// Where it comes from.
    pub origin: Origin,
    /// What it registered.
    pub metadata: ClientMetadata,
    /// Digest of its secret, for a confidential client that was not configured.
    pub secret_digest: Option<String>,
    /// When it was first seen.
    pub created_at: Timestamp,
}

impl Client {
    /// Whether it registered a grant (RFC 7591 §2, `grant_types`).
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.metadata.grant_types.contains(&grant)
    }

    /// The name that it gave itself, in the first of the languages that it has one for.
    pub fn given_name(&self, languages: &[String]) -> Option<&str> {
        self.metadata.localized("client_name", languages).or(self.metadata.client_name.as_deref())
    }
}

/// A client by its identifier, as this node remembers it or else as the database has it; removed ones
/// are not found.
///
/// # Errors
/// When the database fails.
pub async fn find_known(app: &App, id: &ClientId) -> Result<Option<Arc<Client>>, store::Error> {
    if let Some(client) = app.known.find_client(id) {
        return Ok(Some(client));
    }
    let stamp = app.known.stamp();
    let Some(client) = sql::find(&app.store, id).await?.map(Arc::new) else { return Ok(None) };
    app.known.remember_client(id, stamp, client.clone());
    Ok(Some(client))
}

/// A client by its identifier, as the database has it; removed ones are not found.
///
/// # Errors
/// When the database fails.
pub async fn find(on: impl Into<On<'_>>, id: &ClientId) -> Result<Option<Client>, store::Error> {
    sql::find(on, id).await
}

/// Up to `limit` clients after the one with the identifier `after`, in the order of identifiers.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store, after: Option<&ClientId>, limit: i64) -> Result<Vec<Client>, store::Error> {
    sql::list(store, after, limit).await
}

/// A client that registers itself. The same public metadata gives the same client again, so that
/// the many registrations of one app do not pile up (Matrix CS API, Dynamic client registration).
///
/// # Errors
/// When the database fails.
pub async fn register(
    tx: &mut Tx,
    metadata: ClientMetadata,
    new_id: ClientId,
    now: Timestamp,
) -> Result<(Client, Option<String>), store::Error> {
    let secret = metadata.token_endpoint_auth_method.needs_secret().then(keys::random_secret);
    let metadata_digest = secret.is_none().then(|| keys::digest(metadata.canonical()));
    let client = Client {
        id: new_id,
        origin: Origin::Registered,
        metadata,
        secret_digest: secret.as_ref().map(keys::digest),
        created_at: now,
    };
    let client = sql::add_or_find(tx, client, metadata_digest).await?;
    Ok((client, secret))
}

/// A client made by an admin; the second value is its secret, told only now.
///
/// # Errors
/// [`store::Error::Conflict`] when the identifier is in use.
pub async fn create(
    tx: &mut Tx,
    id: ClientId,
    metadata: ClientMetadata,
    now: Timestamp,
) -> Result<(Client, Option<String>), store::Error> {
    let secret = metadata.token_endpoint_auth_method.needs_secret().then(keys::random_secret);
    let secret_digest = secret.as_ref().map(keys::digest);
    let client = Client { id, origin: Origin::Created, metadata, secret_digest, created_at: now };
    sql::add(tx, &client).await?;
    Ok((client, secret))
}

/// Whether the client is still there, and stays so until the transaction ends: a removal that comes at
/// the same moment waits, and then finds what this transaction has begun.
///
/// # Errors
/// When the database fails.
pub async fn keep(tx: &mut Tx, id: &ClientId) -> Result<bool, store::Error> {
    Ok(keeping(id).fetch_optional::<()>(tx).await?.is_some())
}

/// The question of [`keep`], to be asked together with other things.
pub fn keeping(id: &ClientId) -> Query {
    sql::keeping(id)
}

/// Removes a client and what people have allowed it; `false` when there is none. Its sessions must be ended by the
/// caller, afterwards: one that began at the same moment is then there.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, id: &ClientId, now: Timestamp) -> Result<bool, store::Error> {
    tx.announce(Change::Client(id.clone()));
    let is_removed = sql::remove(tx, id, now).await?;
    consents::forget_client(tx, id).await?;
    Ok(is_removed)
}

/// Makes the configured clients exactly those of the configuration, and returns the identifiers of
/// those that went.
///
/// # Errors
/// When the database fails, or an identifier belongs to a client that was made otherwise.
pub async fn sync_configured(
    tx: &mut Tx,
    config: &Config,
    now: Timestamp,
) -> Result<Vec<ClientId>, store::Error> {
    let before = sql::list_configured(tx).await?;
    for configured in &config.clients {
        let metadata = ClientMetadata::from_config(configured);
        let id = ClientId(configured.client_id.clone());
        sql::set_configured(tx, &id, &metadata, now).await?;
        tx.announce(Change::Client(id));
    }
    let gone: Vec<ClientId> = before
        .into_iter()
        .filter(|id| config.clients.iter().all(|client| client.client_id != id.0))
        .collect();
    for id in &gone {
        remove(tx, id, now).await?;
    }
    Ok(gone)
}

/// Removes clients that registered themselves and that nothing refers to any more.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), store::Error> {
    assertions::expire(tx, now).await?;
    pushed_requests::expire(tx, now).await?;
    authorization_codes::expire(tx, now).await?;
    device_requests::expire(tx, now).await?;
    for gone in sql::expire(tx, now).await? {
        tx.announce(Change::Client(gone));
    }
    Ok(())
}
