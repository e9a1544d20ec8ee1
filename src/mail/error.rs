//! Why a mail was not handed over.

use std::io;
use std::path::PathBuf;

use lettre::transport::{sendmail, smtp};

/// Why a mail was not handed over. What a mail server says may repeat the address, so it is not part of the
/// message that logs show; [`Error::in_full`] has it for the admin who asks.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration names nobody who takes mails.
    #[error("mails are off")]
    Off,
    /// It is no mail that could be sent.
    #[error("the mail cannot be sent: {0}")]
    Unsendable(&'static str),
    /// The mail server did not take it.
    #[error("{}", in_words(.0))]
    Smtp(#[source] smtp::Error),
    /// The program did not take it.
    #[error("the mail program failed")]
    Sendmail(#[source] sendmail::Error),
    /// No answer in time.
    #[error("the mail server does not answer")]
    Slow,
}

impl Error {
    /// Whether it may work later without anybody doing something.
    pub fn is_passing(&self) -> bool {
        match self {
            Error::Smtp(error) => !error.is_permanent(),
            Error::Sendmail(_) | Error::Slow => true,
            Error::Off | Error::Unsendable(_) => false,
        }
    }

    /// Whether there is no such address, or it takes no mail: nobody here can do anything about that. Mail
    /// servers say so by their enhanced status code (RFC 3463 §3.2, §3.3).
    pub fn is_about_the_recipient(&self) -> bool {
        const OF_THE_SENDER: [&str; 2] = ["5.1.7", "5.1.8"];
        let Error::Smtp(error) = self else { return matches!(self, Error::Unsendable(_)) };
        let said = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        let code = said.split_whitespace().next().unwrap_or_default();
        let is_of_address = code.starts_with("5.1.") || code.starts_with("5.2.");
        error.is_permanent() && is_of_address && !OF_THE_SENDER.contains(&code)
    }

    /// All that is known, with what the other side said.
    pub fn in_full(&self) -> String {
        match self {
            Error::Smtp(error) => error.to_string(),
            Error::Sendmail(error) => error.to_string(),
            other => other.to_string(),
        }
    }
}

fn in_words(error: &smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("the mail server answered {code}"),
        None if error.is_tls() => "the way to the mail server is not secure".to_owned(),
        None if error.is_client() => {
            "the mail server does not offer what is needed (STARTTLS, a way to sign in, or this kind of address)"
                .to_owned()
        }
        None => "the mail server cannot be reached".to_owned(),
    }
}

/// Why there is no way out for mails.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file cannot be read.
    #[error("email.smtp.ca_file: cannot read {}: {source}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file has no certificate that can be used.
    #[error("email.smtp.ca_file: there is no certificate in {}", .0.display())]
    NoCertificate(PathBuf),
    /// An address of ours is none, which a checked configuration never says.
    #[error("email.{0} is not an e-mail address")]
    Address(&'static str),
    /// TLS does not come up.
    #[error("mails cannot be sent over TLS: {0}")]
    Tls(#[source] smtp::Error),
}
