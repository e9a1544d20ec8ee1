//! The `data` section.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::error::Problems;

/// Where Gatehouse keeps its files.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// The folder for everything Gatehouse creates: the SQLite database, the signing keys and
    /// secrets that go with it, and the socket through which commands reach the running server. It
    /// is created at the first start, readable by its owner only. A relative path starts at the
    /// folder in which Gatehouse is started.
    #[schemars(extend("format" = "path"))]
    pub folder: PathBuf,
}

impl Default for Data {
    fn default() -> Self {
        Self { folder: "gatehouse-data".into() }
    }
}

impl Data {
    pub(super) fn check(&self, problems: &mut Problems) {
        if self.folder.as_os_str().is_empty() {
            problems.add("data.folder", "is empty; name a folder");
        }
    }
}
