//! The `second_factor` section.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::Problems;

/// Proving who one is by more than a password: authenticator apps, passkeys and recovery codes. Whoever has
/// set one up is always asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SecondFactor {
    /// Who must have a second factor. Those who have none set one up when they next sign in.
    pub required_for: RequiredFor,
    /// Clients, by their `client_id`, that nobody signs in to without a second factor. For these a
    /// remembered browser does not count.
    #[schemars(example = ["01J3ZK7Q9V5T8X2M4N6P0R1S3W"])]
    pub required_for_clients: Vec<String>,
    /// Scopes that nobody allows a client without a second factor. For these a remembered browser does not
    /// count. The scope of the Matrix API concerns all Matrix clients, older ones too.
    #[schemars(example = ["urn:synapse:admin:*"])]
    pub required_for_scopes: Vec<String>,
    /// For how many days a browser can be remembered, in which the password is then enough. 0 means that
    /// none can.
    #[schemars(range(max = 365))]
    pub remember_browser_days: u32,
}

/// Who must have a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequiredFor {
    /// Nobody.
    Nobody,
    /// Those who administer the homeserver.
    Admins,
    /// Everybody.
    Everybody,
}

impl Default for SecondFactor {
    fn default() -> Self {
        Self {
            required_for: RequiredFor::Nobody,
            required_for_clients: Vec::new(),
            required_for_scopes: Vec::new(),
            remember_browser_days: 30,
        }
    }
}

impl SecondFactor {
    /// Whether a person must have one, wherever they sign in.
    pub fn is_required_for(&self, is_admin: bool) -> bool {
        match self.required_for {
            RequiredFor::Nobody => false,
            RequiredFor::Admins => is_admin,
            RequiredFor::Everybody => true,
        }
    }

    /// Whether a client may only have this scope from somebody who has used one.
    pub fn is_required_by<'a>(
        &self,
        client_id: Option<&str>,
        mut scopes: impl Iterator<Item = &'a str>,
    ) -> bool {
        client_id.is_some_and(|id| self.required_for_clients.iter().any(|known| known == id))
            || scopes.any(|scope| self.required_for_scopes.iter().any(|known| known == scope))
    }

    /// For how long a browser is remembered; `None` when it is not.
    pub fn remembered_for(&self) -> Option<Duration> {
        let days = u64::from(self.remember_browser_days);
        (days > 0).then(|| Duration::from_secs(days * 24 * 60 * 60))
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        problems.range("second_factor.remember_browser_days", self.remember_browser_days, 0..=365);
        for (index, scope) in self.required_for_scopes.iter().enumerate() {
            if scope.starts_with("urn:matrix:org.matrix.msc2967.") {
                problems.add(
                    format!("second_factor.required_for_scopes[{index}]"),
                    "is an old spelling; name it as Matrix 1.15 does, which stands for both",
                );
            }
        }
    }
}
