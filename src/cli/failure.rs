//! Why a command was not done, and the exit code that says so to scripts.

use std::error::Error;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::app::OpenError;
use crate::{accounts, config, keys, store};

/// What `--help` says of exit codes.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done, also when there was nothing left to do
  1  failed: the database, a file, the network or the homeserver is in trouble
  2  wrong usage or wrong configuration
  3  not found: no such user, client or session
  4  refused: the name is taken, the password is too short, the client is configured elsewhere
  5  doctor found a problem";

/// Why a command was not done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What sort of reason it is.
    pub error: Kind,
    /// The reason, for the admin, with what to do.
    pub message: String,
}

/// The sorts of reasons; each has an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something that is needed is in trouble.
    Failed,
    /// The command or the configuration is wrong.
    Usage,
    /// What was named does not exist.
    NotFound,
    /// A rule forbids it.
    Refused,
    /// `doctor` found a problem.
    Problems,
}

impl Kind {
    /// The exit code, as [`EXIT_CODES`] explains.
    pub fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::NotFound => 3,
            Kind::Refused => 4,
            Kind::Problems => 5,
        })
    }
}

impl Failure {
    /// Something that is needed is in trouble.
    pub fn failed(message: impl Into<String>) -> Failure {
        Failure { error: Kind::Failed, message: message.into() }
    }

    /// The command or the configuration is wrong.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure { error: Kind::Usage, message: message.into() }
    }

    /// What was named does not exist.
    pub fn not_found(message: impl Into<String>) -> Failure {
        Failure { error: Kind::NotFound, message: message.into() }
    }

    /// A rule forbids it.
    pub fn refused(message: impl Into<String>) -> Failure {
        Failure { error: Kind::Refused, message: message.into() }
    }
}

/// An error with everything that caused it, each once.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Failure {
        Failure::usage(error.to_string())
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Failure {
        Failure::failed(chain(&error))
    }
}

impl From<keys::KeyringError> for Failure {
    fn from(error: keys::KeyringError) -> Failure {
        Failure::failed(chain(&error))
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Failure {
        match error {
            OpenError::SecretMissing(_)
            | OpenError::RootSecret(_)
            | OpenError::Passwords(_)
            | OpenError::Policy(_) => Failure::usage(error.to_string()),
            _ => Failure::failed(chain(&error)),
        }
    }
}

impl From<accounts::passwords::Error> for Failure {
    fn from(error: accounts::passwords::Error) -> Failure {
        use accounts::passwords::Error;
        match error {
            Error::Hash(keys::HashError::Unusable) => Failure::refused(error.to_string()),
            Error::Hash(_) | Error::BreachedPasswords(_) => Failure::failed(chain(&error)),
            Error::Store(error) => error.into(),
        }
    }
}
