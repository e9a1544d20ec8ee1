//! The domain that passkeys are made for. It must never change by accident, since all passkeys die with it.

use webauthn_rs::prelude::WebauthnError;
use webauthn_rs::{Webauthn, WebauthnBuilder};

use super::sql;
use crate::config::Config;
use crate::store::{self, Store};

/// Passkeys that were made for another domain, and work here no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranded {
    /// That domain.
    pub relying_party_id: String,
    /// How many.
    pub count: i64,
    /// Whether the server was last started for that domain, so that they would be lost only now.
    pub is_settled: bool,
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum Moved {
    /// Only the public base says that passkeys are for another domain now.
    #[error(
        "{} passkeys were made for {} and would never work again, since http.public_base now has another host. \
         Set passkeys.relying_party_id to {} to keep them, which takes a host that is the same or below it, \
         or to the new host to go on without them", .0.count, .0.relying_party_id, .0.relying_party_id
    )]
    Silently(Stranded),
    /// The database does not say.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The parts of WebAuthn that know our domain and origin; `None` when there are no passkeys here.
pub(super) fn webauthn(config: &Config) -> Result<Option<Webauthn>, WebauthnError> {
    let Some(id) = config.relying_party_id() else { return Ok(None) };
    let name = config.branding.service_name.as_ref().unwrap_or(&config.homeserver.server_name);
    let mut origin = config.http.public_base.clone();
    origin.set_path("");
    WebauthnBuilder::new(id, &origin)?.rp_name(name).build().map(Some)
}

/// How many passkeys there are for the domain that `config` names, and those for others; first those
/// that were made for the domain for which the server was last started.
///
/// # Errors
/// When the database fails.
pub async fn look(
    store: &Store,
    relying_party_id: Option<&str>,
) -> Result<(i64, Vec<Stranded>), store::Error> {
    let all = sql::count_by_relying_party(store).await?;
    let is_here = |group: &Stranded| Some(group.relying_party_id.as_str()) == relying_party_id;
    let (here, elsewhere): (Vec<_>, Vec<_>) = all.into_iter().partition(is_here);
    Ok((here.iter().map(|group| group.count).sum(), elsewhere))
}

/// Settles, when the server starts, for which domain passkeys are: the one that the configuration names, unless
/// passkeys would be lost without anybody having said so there.
///
/// # Errors
/// [`Moved`].
pub async fn settle(store: &Store, config: &Config) -> Result<(), Moved> {
    let here = config.relying_party_id();
    let (_, stranded) = look(store, here).await?;
    if let Some(stranded) = stranded.into_iter().next() {
        if stranded.is_settled && config.passkeys.relying_party_id.is_none() {
            return Err(Moved::Silently(stranded));
        }
        let Stranded { relying_party_id, count, .. } = stranded;
        tracing::warn!(%relying_party_id, count, "passkeys that were made for another domain do not work here");
    }
    if let Some(here) = here {
        let mut tx = store.begin().await?;
        sql::set_relying_party(&mut tx, here).await?;
        tx.commit().await?;
    }
    Ok(())
}
