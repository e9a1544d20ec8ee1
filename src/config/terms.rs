//! The `terms` section.

use schemars::JsonSchema;
use serde::Deserialize;

use super::branding::Branding;
use super::error::Problems;

/// The terms of service that people must accept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// Which version of the terms at `branding.tos_uri` people must accept, such as the day from which they
    /// hold, in quotes. They are asked when they make an account; after a change of this everybody is asked
    /// once more, at the next sign-in or page. What is signed in with clients goes on meanwhile. Without it,
    /// nobody is asked.
    #[schemars(example = "2026-01-31")]
    pub version: Option<String>,
}

impl Terms {
    pub(super) fn check(&self, branding: &Branding, problems: &mut Problems) {
        let Some(version) = &self.version else { return };
        if version.trim().is_empty() || version.len() > 64 {
            problems.add("terms.version", "must have 1 to 64 characters; remove the key to ask nobody");
        }
        if branding.tos_uri.is_none() {
            problems.add("terms.version", "names terms that nobody can read; set branding.tos_uri");
        }
    }
}
