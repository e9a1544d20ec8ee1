//! What a command asks of the database, as one value: it can be carried out here or sent to the
//! running server, with the same answer.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::clients::Clients;
use super::doctor;
use super::failure::Failure;
use super::keys::Keys;
use super::mail::Mail;
use super::registration_tokens::RegistrationTokens;
use super::sessions::Sessions;
use super::users::Users;
use crate::app::App;

/// Something to be done with the database.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// About people's accounts.
    Users(Users),
    /// About OAuth clients.
    Clients(Clients),
    /// About sessions.
    Sessions(Sessions),
    /// About registration tokens.
    RegistrationTokens(RegistrationTokens),
    /// About signing keys.
    Keys(Keys),
    /// About mails.
    Mail(Mail),
    /// The checks of `doctor` that need the database or the homeserver.
    Doctor {
        /// Whether a server runs that the homeserver could reach.
        is_served: bool,
        /// What the configuration says of passkeys.
        domain: doctor::Domain,
    },
}

/// What a command prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// For people, without the last line end.
    pub text: String,
    /// For programs: what `--json` prints.
    pub data: Value,
}

impl Request {
    /// Does it.
    ///
    /// # Errors
    /// Why it was not done, for the admin.
    pub async fn carry_out(self, app: &App) -> Result<Answer, Failure> {
        match self {
            Request::Users(command) => command.carry_out(app).await,
            Request::Clients(command) => command.carry_out(app).await,
            Request::Sessions(command) => command.carry_out(app).await,
            Request::RegistrationTokens(command) => command.carry_out(app).await,
            Request::Keys(command) => command.carry_out(app).await,
            Request::Mail(command) => command.carry_out(app).await,
            Request::Doctor { is_served, domain } => doctor::carry_out(app, is_served, &domain).await,
        }
    }
}
