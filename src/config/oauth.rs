//! The `oauth` section.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::Deserialize;

use super::error::Problems;

/// How long an access token may live, in seconds: clients need time to use one, and a day is long
/// for a token that was stolen.
pub(super) const ACCESS_TOKEN_LIFETIME: RangeInclusive<u64> = 60..=86400;

/// What OAuth clients get.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OAuth {
    /// How long an access token lives, in seconds. Clients fetch the next one by themselves;
    /// shorter is safer, longer makes fewer requests.
    #[schemars(range(min = 60, max = 86400))]
    pub access_token_lifetime_seconds: u64,
    /// Whether clients may register themselves. Matrix clients need it: without it only the
    /// clients of this file and those created on the command line can be used.
    pub dynamic_registration: bool,
}

impl Default for OAuth {
    fn default() -> Self {
        Self { access_token_lifetime_seconds: 300, dynamic_registration: true }
    }
}

impl OAuth {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.range(
            "oauth.access_token_lifetime_seconds",
            self.access_token_lifetime_seconds,
            ACCESS_TOKEN_LIFETIME,
        );
    }
}
