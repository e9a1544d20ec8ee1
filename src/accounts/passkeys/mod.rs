//! Passkeys and security keys (WebAuthn Level 3): what people have enrolled, and the ceremonies by which
//! they enrol and use it.
//!
//! A passkey is found by the browser without a name, verifies its owner, and so signs them in by itself. A
//! security key need do neither, and only ever comes second, after another proof.

pub mod assertion;
pub mod enrolment;
mod providers;
mod relying_party;
mod sealed;
pub mod signals;
mod sql;

use serde::{Deserialize, Serialize};
use webauthn_rs::prelude::{Credential, Uuid, WebauthnError};

pub use providers::provider;
pub use relying_party::{Moved, Stranded, look, settle};
pub use sealed::{Ceremony, expire};

use crate::app::App;
use crate::http::error::{PageError, Problem};
use crate::http::words;
use crate::ids::{PasskeyId, UserId};
use crate::keys;
use crate::store::{self, On, Tx};
use crate::time::Timestamp;

/// The longest name of a passkey, in characters.
pub const LONGEST_NAME: usize = 60;
/// How many passkeys and security keys one account may have.
pub const MOST: usize = 20;

/// What a person can sign in with, or confirm a sign-in with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Passkey {
    /// Our name for it.
    pub id: PasskeyId,
    /// Whose it is.
    pub user_id: UserId,
    /// Whether it can sign in by itself.
    pub kind: Kind,
    /// The domain it was made for.
    pub relying_party_id: String,
    /// Its own identifier, public key, counter and flags.
    credential: Credential,
    /// The same as it is stored, to notice when another request has changed it meanwhile.
    stored: String,
    /// What its owner calls it.
    pub name: String,
    /// The model of what made it, as far as that says.
    pub aaguid: Option<Uuid>,
    /// When it was enrolled.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// What a credential is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Signs in by itself: discoverable, and verifies its owner.
    Passkey,
    /// Comes second.
    SecurityKey,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::Passkey => "passkey",
            Kind::SecurityKey => "security_key",
        }
    }
}

impl Passkey {
    /// Its own identifier as browsers write it, in base64url.
    pub fn credential_id(&self) -> String {
        keys::base64url(&self.credential.cred_id)
    }

    /// Whether it is known to exist, or to be backed up, in more than one place.
    pub fn is_synced(&self) -> bool {
        self.credential.backup_state
    }
}

/// Why nothing was enrolled, or nobody recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The ceremony is over, was begun elsewhere, or was used already: a fresh one may work.
    Stale,
    /// Nobody has this credential; its identifier, for the browser to forget it.
    Unknown(String),
    /// What the authenticator says does not hold.
    Invalid,
    /// It is enrolled already.
    AlreadyEnrolled,
    /// The account has as many as it may.
    TooMany,
}

/// Why a ceremony could be neither begun nor finished.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database does not say.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The library refuses what we ask of it.
    #[error("a ceremony cannot be begun: {0}")]
    Webauthn(#[from] WebauthnError),
    /// What has to be kept cannot be written.
    #[error("a ceremony cannot be written: {0}")]
    Unwritable(#[from] serde_json::Error),
}

impl From<Error> for PageError {
    fn from(error: Error) -> PageError {
        match error {
            Error::Store(error) => error.into(),
            error => {
                tracing::error!(%error, "passkeys do not work");
                Problem::Internal.into()
            }
        }
    }
}

/// Everything of the user, oldest first; what was made for another domain too.
///
/// # Errors
/// When the database fails.
pub async fn list(on: impl Into<On<'_>>, user: UserId) -> Result<Vec<Passkey>, store::Error> {
    sql::list(on, user).await
}

/// Those of the user that work here.
///
/// # Errors
/// When the database fails.
pub async fn list_usable(
    app: &App,
    on: impl Into<On<'_>>,
    user: UserId,
) -> Result<Vec<Passkey>, store::Error> {
    let Some(here) = app.config.relying_party_id() else { return Ok(Vec::new()) };
    let mut all = sql::list(on, user).await?;
    all.retain(|passkey| passkey.relying_party_id == here);
    Ok(all)
}

/// Keeps one that was made for somebody who had no account yet ([`enrolment::finish_early`]), in the transaction
/// in which they get it; `false` when it is somebody's already.
///
/// # Errors
/// When the database fails.
pub async fn add(tx: &mut Tx, passkey: &Passkey) -> Result<bool, store::Error> {
    sql::add(tx, passkey).await
}

/// One of the user's.
///
/// # Errors
/// When the database fails.
pub async fn find(
    on: impl Into<On<'_>>,
    id: PasskeyId,
    user: UserId,
) -> Result<Option<Passkey>, store::Error> {
    sql::find(on, id, user).await
}

/// Gives one of the user's another name; `false` when they have no such.
///
/// # Errors
/// When the database fails.
pub async fn rename(tx: &mut Tx, id: PasskeyId, user: UserId, name: &str) -> Result<bool, store::Error> {
    sql::rename(tx, id, user, name).await
}

/// Forgets one of the user's; `false` when they have no such.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, id: PasskeyId, user: UserId) -> Result<bool, store::Error> {
    sql::remove(tx, id, user).await
}

/// A name as it is kept: as pages show it, and not too long. `None` for one in which nothing can be seen.
pub fn name_of(typed: &str) -> Option<String> {
    words::name(typed).map(|name| name.chars().take(LONGEST_NAME).collect())
}

/// Whether a browser says that it was asked inside a page of another site (`crossOrigin`, WebAuthn L3 §5.8.1).
/// Our pages are never framed.
fn is_framed(client_data: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct ClientData {
        #[serde(rename = "crossOrigin", default)]
        cross_origin: bool,
    }
    serde_json::from_slice(client_data).is_ok_and(|ClientData { cross_origin }| cross_origin)
}
