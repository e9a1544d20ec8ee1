//! The `telemetry` section.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use super::error::Problems;
use super::http::Listener;

/// What Gatehouse tells about itself while it runs.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// How much is logged: `error`, `warn`, `info`, `debug` or `trace`, and with commas for single
    /// parts (`info,sqlx=debug`).
    pub log_filter: String,
    /// The form of the log on standard error.
    pub log_format: LogFormat,
    /// Where `/metrics` is told, in a form that Prometheus reads; nowhere without it. It is never told on
    /// the listeners of the section `http`. Whoever reaches it may read it: let that be this machine or a
    /// network of yours.
    #[schemars(example = [serde_json::json!({ "address": "127.0.0.1:9090" })])]
    pub metrics_listeners: Vec<Listener>,
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
        Self { log_filter: "info".to_owned(), log_format: LogFormat::Text, metrics_listeners: Vec::new() }
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
        for (index, listener) in self.metrics_listeners.iter().enumerate() {
            listener.check(&format!("telemetry.metrics_listeners[{index}]"), problems);
        }
    }
}
