//! The terms of service, and who has accepted which version of them. Owns `terms_acceptances`.

use url::Url;

use crate::config::Config;
use crate::ids::UserId;
use crate::store::{Error, FromRow, On, Row, Store, Tx, query};
use crate::time::Timestamp;

/// What people must accept.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Which version.
    pub version: &'a str,
    /// Where it can be read.
    pub tos_uri: &'a Url,
    /// What happens with people's data.
    pub policy_uri: Option<&'a Url>,
}

/// The terms as they are now; `None` when nobody has to accept any.
pub fn current(config: &Config) -> Option<Terms<'_>> {
    Some(Terms {
        version: config.terms.version.as_deref()?,
        tos_uri: config.branding.tos_uri.as_ref()?,
        policy_uri: config.branding.policy_uri.as_ref(),
    })
}

/// Whether somebody has yet to accept the terms as they are now. Pages learn it with the session: see
/// [`super::signed_in::SignedIn::must_accept_terms`].
///
/// # Errors
/// When the database fails.
pub async fn must_accept(on: impl Into<On<'_>>, config: &Config, user: UserId) -> Result<bool, Error> {
    const FIND: &str = "SELECT user_id FROM terms_acceptances WHERE user_id = $1 AND version = $2";
    let Some(terms) = current(config) else { return Ok(false) };
    Ok(query(FIND).bind(user).bind(terms.version).fetch_optional::<()>(on).await?.is_none())
}

/// Notes that somebody has accepted a version, if that was not noted before.
///
/// # Errors
/// When the database fails.
pub async fn accept(tx: &mut Tx, user: UserId, version: &str, now: Timestamp) -> Result<(), Error> {
    const ACCEPT: &str = "
INSERT INTO terms_acceptances (user_id, version, accepted_at) VALUES ($1, $2, $3)
ON CONFLICT (user_id, version) DO NOTHING";
    query(ACCEPT).bind(user).bind(version).bind(now).execute(tx).await?;
    Ok(())
}

/// A version that somebody has accepted.
#[derive(Clone, Debug)]
pub struct Acceptance {
    /// Which.
    pub version: String,
    /// When.
    pub accepted_at: Timestamp,
}

impl FromRow for Acceptance {
    fn from_row(row: &Row) -> Result<Acceptance, Error> {
        Ok(Acceptance { version: row.get("version")?, accepted_at: row.get("accepted_at")? })
    }
}

/// What somebody has accepted, the first first.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store, user: UserId) -> Result<Vec<Acceptance>, Error> {
    const LIST: &str = "
SELECT version, accepted_at FROM terms_acceptances WHERE user_id = $1 ORDER BY accepted_at, version";
    query(LIST).bind(user).fetch_all(store).await
}
