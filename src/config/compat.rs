//! The `compat` section.

use schemars::JsonSchema;
use serde::Deserialize;

/// Signing in with Matrix clients that do not know OAuth.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Compat {
    /// Whether such clients may sign in here: whether `/_matrix/client/*/login`, `logout` and `refresh`,
    /// which the reverse proxy sends here, are answered. When they are not, clients that signed in so
    /// before keep their access, but those that refresh it lose it.
    pub enabled: bool,
    /// Whether they may name a person by a verified e-mail address beside a password, and not only by
    /// their user name.
    pub login_by_email: bool,
}

impl Default for Compat {
    fn default() -> Self {
        Self { enabled: true, login_by_email: false }
    }
}
