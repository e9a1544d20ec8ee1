//! The `sessions` section.

use schemars::JsonSchema;
use serde::Deserialize;

use super::error::Problems;

const DAY: u64 = 24 * 60 * 60;

/// How long people stay signed in.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// After how many seconds without a visit a browser is signed out of these pages. The default
    /// is 14 days.
    #[schemars(range(min = 60))]
    pub browser_idle_seconds: u64,
    /// After how many seconds a browser is signed out of these pages, however often it visits. The
    /// default is 90 days.
    #[schemars(range(min = 60))]
    pub browser_absolute_seconds: u64,
    /// After how many seconds without use a client is signed out, and its device with it. Without
    /// it, clients stay signed in until they or the person end it.
    #[schemars(range(min = 60), example = 7_776_000)]
    pub client_idle_seconds: Option<u64>,
    /// After how many seconds a client is signed out, and its device with it, however often it is
    /// used. Without it there is no such limit.
    #[schemars(range(min = 60), example = 31_536_000)]
    pub client_absolute_seconds: Option<u64>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            browser_idle_seconds: 14 * DAY,
            browser_absolute_seconds: 90 * DAY,
            client_idle_seconds: None,
            client_absolute_seconds: None,
        }
    }
}

impl Sessions {
    pub(super) fn check(&self, problems: &mut Problems) {
        let limits = [
            ("browser_idle_seconds", Some(self.browser_idle_seconds)),
            ("browser_absolute_seconds", Some(self.browser_absolute_seconds)),
            ("client_idle_seconds", self.client_idle_seconds),
            ("client_absolute_seconds", self.client_absolute_seconds),
        ];
        for (key, seconds) in limits {
            if seconds.is_some_and(|seconds| seconds < 60) {
                problems.add(format!("sessions.{key}"), "must be at least 60 seconds");
            }
        }
    }
}
