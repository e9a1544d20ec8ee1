//! `gatehouse keys`: the keys that sign ID tokens.

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::failure::Failure;
use super::request::Answer;
use crate::app::App;
use crate::keys::KeyFacts;
use crate::time::Timestamp;

/// What can be done with signing keys.
#[derive(Debug, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keys {
    /// List the published keys
    List,
    /// Add new keys, which sign from an hour later on; the old ones leave a day after that
    Rotate,
}

impl Keys {
    /// Does it.
    ///
    /// # Errors
    /// Why it was not done, for the admin.
    pub async fn carry_out(self, app: &App) -> Result<Answer, Failure> {
        let now = app.clock.now();
        if matches!(self, Keys::Rotate) {
            app.keys.rotate(&app.store, now).await?;
            tracing::info!("new signing keys were added by an admin");
        }
        let keys = app.keys.list(&app.store, now).await?;
        let text = keys.iter().map(|key| line(key, now)).collect::<Vec<_>>().join("\n");
        let facts = keys.iter().map(|key| {
            json!({
                "kid": key.kid,
                "algorithm": key.algorithm,
                "created_at": key.created_at.to_rfc3339(),
                "signs_from": key.signs_from.to_rfc3339(),
                "retires_at": key.retires_at.map(Timestamp::to_rfc3339),
            })
        });
        Ok(Answer { text, data: json!({ "keys": facts.collect::<Vec<_>>() }) })
    }
}

fn line(key: &KeyFacts, now: Timestamp) -> String {
    let state = match (key.retires_at, key.signs_from > now) {
        (Some(retires_at), _) => format!("leaves at {retires_at}"),
        (None, true) => format!("signs from {}", key.signs_from),
        (None, false) => "signs".to_owned(),
    };
    format!("{}  {:<5}  {state}", key.kid, key.algorithm)
}
