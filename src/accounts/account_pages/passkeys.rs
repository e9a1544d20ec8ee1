//! What a person has enrolled, as pages show it.

use serde_json::json;

use super::{new_passkey, security};
use crate::accounts::passkeys::{self, Kind, Passkey, signals};
use crate::accounts::users::User;
use crate::app::App;
use crate::config::Config;
use crate::http::prepared::Prepared;
use crate::ids::PasskeyId;
use crate::store;
use crate::time::Timestamp;

/// The part of a page that lists passkeys and security keys.
#[derive(Clone, Debug)]
pub struct PasskeySection {
    /// Whether there are passkeys on this server.
    pub are_offered: bool,
    /// What the person has.
    pub rows: Vec<PasskeyRow>,
    /// What the browser is told of it.
    pub signals: String,
}

impl PasskeySection {
    /// What the user has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(app: &App, user: &User) -> Result<PasskeySection, store::Error> {
        let all = passkeys::list(&app.store, user.id).await?;
        Ok(PasskeySection {
            are_offered: app.config.relying_party_id().is_some(),
            signals: signals::current(app, user, &all),
            rows: all.into_iter().map(|passkey| PasskeyRow::of(app, passkey)).collect(),
        })
    }
}

/// Local path of what password managers ask for.
pub const ENDPOINTS_PATH: &str = "/.well-known/passkey-endpoints";

/// What is answered at [`ENDPOINTS_PATH`]: where password managers lead people to add a passkey
/// and to manage them (W3C, A Well-Known URL for Relying Party Passkey Endpoints). `None` where there are no
/// passkeys.
pub fn endpoints(config: &Config) -> Option<Prepared> {
    config.relying_party_id()?;
    let at = |path: &str| format!("{}{}", config.http.public_base, path.trim_start_matches('/'));
    let document = json!({ "enroll": at(new_passkey::PATH), "manage": at(security::PATH) });
    Some(Prepared::new(document.to_string(), "application/json", "public, max-age=600", &[]))
}

/// One passkey or security key as a page shows it.
#[derive(Clone, Debug)]
pub struct PasskeyRow {
    /// What its owner calls it.
    pub name: String,
    /// What it is good for.
    pub kind: Kind,
    /// Where it lives, if that is known.
    pub provider: Option<&'static str>,
    /// Whether it lives in more than one place.
    pub is_synced: bool,
    /// The domain it was made for, if it does not work here.
    pub made_for: Option<String>,
    /// When it was enrolled.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// Local path of its page.
    pub path: String,
}

impl PasskeyRow {
    pub(super) fn of(app: &App, passkey: Passkey) -> PasskeyRow {
        let is_from_here = Some(passkey.relying_party_id.as_str()) == app.config.relying_party_id();
        PasskeyRow {
            kind: passkey.kind,
            provider: passkey.aaguid.and_then(passkeys::provider),
            is_synced: passkey.is_synced(),
            created_at: passkey.created_at,
            last_used_at: passkey.last_used_at,
            path: path(passkey.id),
            made_for: (!is_from_here).then_some(passkey.relying_party_id),
            name: passkey.name,
        }
    }

    /// Local path of the page that removes it.
    pub fn remove_path(&self) -> String {
        remove_path(&self.path)
    }
}

/// Local path of the page of one.
pub(super) fn path(id: PasskeyId) -> String {
    format!("{}/passkeys/{id}", security::PATH)
}

pub(super) fn remove_path(path: &str) -> String {
    format!("{path}/remove")
}
