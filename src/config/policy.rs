//! The `policy` section.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::Problems;

/// What is allowed here beyond what the protocols demand: names, e-mail addresses, clients, scopes,
/// numbers of sessions. `docs/policies.md` describes the rules and what can be set.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// A folder with rules of your own: files that end in `.rego` add to the rules that come with
    /// Gatehouse, or replace the one of the same name; files that end in `_test.rego` test them.
    #[schemars(extend("format" = "path"), example = "/etc/gatehouse/policies")]
    pub folder: Option<PathBuf>,
    /// Settings of the rules, laid over the defaults: sections with keys and values. Rules of your
    /// own find them as `data.settings`, and may have sections of their own.
    pub data: Map<String, Value>,
}

impl Policy {
    pub(super) fn check(&self, problems: &mut Problems) {
        if self.folder.as_ref().is_some_and(|folder| folder.as_os_str().is_empty()) {
            problems.add("policy.folder", "is empty; name a folder, or leave it out");
        }
    }
}
