//! `gatehouse mail`: what mails look like, and whether they arrive.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::failure::Failure;
use super::request::Answer;
use crate::accounts::mails;
use crate::app::App;
use crate::config::Config;
use crate::ids::MailId;
use crate::time::Clock;

/// How long a command waits for a mail server.
const PATIENCE: Duration = Duration::from_secs(60);

/// What can be done with mails.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// What the server does.
    #[command(flatten)]
    Asked(Mail),
    /// Write a page that shows every mail in every language, as it would be sent; nothing is sent
    Preview {
        /// The file to write, to be opened in a browser; one that is there is replaced
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// Writes the page of all mails to a file.
///
/// # Errors
/// When it cannot be written.
pub(super) fn preview(config: &Config, out: &Path) -> Result<Answer, Failure> {
    let failed = |error: String| Failure::failed(format!("cannot write {}: {error}", out.display()));
    let page = mails::preview(config, Clock::System.now()).map_err(|error| failed(error.to_string()))?;
    std::fs::write(out, page).map_err(|error| failed(error.to_string()))?;
    let text = format!("Wrote {}. Open it in a browser.", out.display());
    Ok(Answer { text, data: json!({ "file": out }) })
}

/// What the server does with mails.
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
