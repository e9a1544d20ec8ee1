//! Mails: whether there is a way out for them.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::{Check, fine, problem};
use crate::app::App;
use crate::config::MailTransport;

const NAME: &str = "mail";
const PATIENCE: Duration = Duration::from_secs(15);
/// Anybody who may run a program.
const RUN: u32 = 0o111;

pub(super) async fn look(app: &App) -> Check {
    let settings = &app.config.email;
    match settings.transport {
        MailTransport::None => {
            fine(NAME, "off: who forgets a password needs an admin, and nobody is told of a new sign-in")
        }
        MailTransport::Smtp => {
            let host = &settings.smtp.host;
            let advice = "correct email.smtp; `gatehouse mail test ADDRESS` tries again";
            match tokio::time::timeout(PATIENCE, app.mailer.check()).await {
                Ok(Ok(())) => fine(NAME, format!("{host} lets us in")),
                Ok(Err(error)) => {
                    problem(NAME, format!("{host}: {error} ({})", error.in_full().trim_end()), advice)
                }
                Err(_) => problem(NAME, format!("{host} does not answer"), advice),
            }
        }
        MailTransport::Sendmail => {
            let command = settings.sendmail_command.display();
            match std::fs::metadata(&settings.sendmail_command) {
                Ok(found) if found.is_file() && found.permissions().mode() & RUN != 0 => {
                    fine(NAME, format!("{command} takes them"))
                }
                Ok(_) => problem(NAME, format!("{command} is no program"), "correct email.sendmail_command"),
                Err(error) => problem(NAME, format!("{command}: {error}"), "correct email.sendmail_command"),
            }
        }
    }
}
