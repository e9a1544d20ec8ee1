//! The `telemetry` section.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use super::error::Problems;

/// What Gatehouse tells about itself while it runs.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// How much is logged: `error`, `warn`, `info`, `debug` or `trace`, and with commas for single
    /// parts (`info,sqlx=debug`).
    pub log_filter: String,
    /// The form of the log on standard error.
    pub log_format: LogFormat,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line, for log collectors.
    Json,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { log_filter: "info".to_owned(), log_format: LogFormat::Text }
    }
}

impl Telemetry {
    pub(super) fn check(&self, problems: &mut Problems) {
        if EnvFilter::builder().parse(&self.log_filter).is_err() {
            problems.add(
                "telemetry.log_filter",
                "is not a log filter; use a level, such as info, or info,sqlx=debug",
            );
        }
    }
}
