//! Why a call did not succeed, for the log and for strangers.

use std::error::Error as StdError;
use std::path::PathBuf;

/// Why calls cannot be made at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file with certificates is missing, or this process may not read it.
    #[error("cannot read outbound.ca_file, {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file has no certificate.
    #[error("outbound.ca_file, {}, holds no certificate that can be read; it must hold them in PEM form", .0.display())]
    NoCertificate(PathBuf),
    /// The HTTP client does not come up.
    #[error("the certificates that the system or outbound.ca_file trusts cannot be used: {0}")]
    Client(reqwest::Error),
}

/// Why a call was not made, or brought nothing. Worded for the log; its texts tell what stands in
/// the networks around this server, so whoever chose the address is told
/// [`Error::for_strangers`] instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The address is of a kind that is never called.
    #[error("the address is not called: {0}")]
    Address(&'static str),
    /// It is, or its name resolves to, an address that is not public.
    #[error(
        "the address is not public; if it is meant to be called, add its network to outbound.allowed_networks"
    )]
    NotPublic,
    /// The name is not known.
    #[error("the host name cannot be resolved: {0}")]
    Unresolved(String),
    /// No connection came about, or it broke.
    #[error("no answer: {0}")]
    Unanswered(String),
    /// The time was over.
    #[error("no complete answer in time")]
    Slow,
    /// The answer has more than this many bytes.
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
    /// The answer is an error or a redirect.
    #[error("the answer is HTTP {0}, not success; redirects are not followed")]
    Status(u16),
    /// The answer is not the JSON that was expected.
    #[error("the answer is not JSON of the expected form")]
    NotJson,
}

impl Error {
    /// What may be told to whoever chose the address. Addresses that are not public, names that do
    /// not exist, closed ports and silent ones all read alike, so that nobody can explore the
    /// networks around this server.
    pub fn for_strangers(&self) -> &'static str {
        match self {
            Error::Address(_) => {
                "the address must be https, without user or password, on port 443 or one from 1024"
            }
            Error::NotPublic
            | Error::Unresolved(_)
            | Error::Unanswered(_)
            | Error::Slow
            | Error::TooLarge(_)
            | Error::Status(_)
            | Error::NotJson => {
                "no usable answer came from the address; it must be public, and answer directly and in time"
            }
        }
    }

    /// What the HTTP client says, without the address, which may hold secrets of its owner.
    pub(super) fn of(error: reqwest::Error) -> Error {
        let error = error.without_url();
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            if let Some(own) = cause.downcast_ref::<Error>() {
                return own.clone();
            }
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Error::Unanswered(text)
    }
}
