//! The log: one line for each event on standard error; and the [`metrics`].

pub mod metrics;

use std::io::{self, IsTerminal};

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::{LogFormat, Telemetry};

/// Starts logging as the configuration says; once in a process.
///
/// # Errors
/// When something else logs already.
pub fn start(telemetry: &Telemetry) -> Result<(), TryInitError> {
    start_with(EnvFilter::builder().parse_lossy(&telemetry.log_filter), telemetry.log_format)
}

/// Starts logging for a command that a person runs: only what they must know, since the command
/// says the rest in its answer.
///
/// # Errors
/// When something else logs already.
pub fn start_for_command() -> Result<(), TryInitError> {
    start_with(EnvFilter::new("error"), LogFormat::Text)
}

fn start_with(filter: EnvFilter, format: LogFormat) -> Result<(), TryInitError> {
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let told = filter_fn(may_be_told);
    match format {
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).finish().with(told).try_init(),
        LogFormat::Json => log.json().flatten_event(true).finish().with(told).try_init(),
    }
}

/// Whether something may be logged at all, whatever the filter says: the WebAuthn library repeats the challenges of
/// ceremonies below `info`.
fn may_be_told(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO || !metadata.target().starts_with("webauthn")
}
