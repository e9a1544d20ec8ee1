//! What a command says about the homeserver after a change that it must know of.

use std::time::Duration;

use serde_json::{Value, json};

use crate::accounts::jobs::progress;
use crate::app::App;
use crate::cli::failure::Failure;
use crate::ids::UserId;
use crate::jobs::Progress;

/// How long a command waits for the homeserver to be told.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How far the homeserver was told of a change, when the command ends.
pub(in crate::cli) struct Told(Progress);

/// Waits a moment for the workers to tell the homeserver.
pub(in crate::cli) async fn tell(app: &App, user: UserId) -> Result<Told, Failure> {
    app.wake_workers();
    let settled = async {
        loop {
            match progress(&app.store, user).await? {
                Progress::UnderWay => tokio::time::sleep(LOOK_AGAIN).await,
                settled => return Ok::<_, Failure>(settled),
            }
        }
    };
    Ok(Told(tokio::time::timeout(PATIENCE, settled).await.unwrap_or(Ok(Progress::UnderWay))?))
}

impl Told {
    /// A sentence for people.
    pub(in crate::cli) fn sentence(&self) -> String {
        match &self.0 {
            Progress::Done => "The homeserver knows.".to_owned(),
            Progress::UnderWay => {
                "The homeserver has not answered yet; the server goes on telling it.".to_owned()
            }
            Progress::Failing(why) => {
                format!("The homeserver does not know yet, and will be told as soon as that works: {why}.")
            }
        }
    }

    /// The same for programs.
    pub(in crate::cli) fn facts(&self) -> Value {
        match &self.0 {
            Progress::Done => json!({ "is_told": true }),
            Progress::UnderWay => json!({ "is_told": false }),
            Progress::Failing(why) => json!({ "is_told": false, "error": why }),
        }
    }
}
