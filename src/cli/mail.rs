//! `gatehouse mail`: whether mails arrive.

use std::time::Duration;

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::failure::Failure;
use super::request::Answer;
use crate::accounts::mails;
use crate::app::App;
use crate::ids::MailId;

/// How long a command waits for a mail server.
const PATIENCE: Duration = Duration::from_secs(60);

/// What can be done with mails.
#[derive(Debug, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mail {
    /// Send a mail, and tell what the mail server says
    Test {
        /// Where to
        address: String,
    },
}

impl Mail {
    /// Does it.
    ///
    /// # Errors
    /// Why it was not done, for the admin.
    pub async fn carry_out(self, app: &App) -> Result<Answer, Failure> {
        let Mail::Test { address } = self;
        if !app.config.email.is_on() {
            return Err(Failure::usage("mails are off; email.transport in the configuration turns them on"));
        }
        let now = app.clock.now();
        let language = app.config.branding.default_language;
        let letter =
            mails::write(&app.config, language, MailId::new(now), now, &address, None, &mails::Mail::Test)
                .map_err(|error| Failure::failed(error.to_string()))?;
        match tokio::time::timeout(PATIENCE, app.mailer.send(&letter)).await {
            Ok(Ok(())) => {
                let text = format!("The mail to {address} was taken. Whether it arrives shows there.");
                Ok(Answer { text, data: json!({ "is_taken": true }) })
            }
            Ok(Err(error)) => Err(Failure::failed(format!("{error}: {}", error.in_full()))),
            Err(_) => Err(Failure::failed("the mail server does not answer")),
        }
    }
}
