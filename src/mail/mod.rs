//! The way out for mails: by SMTP, or through a program on this machine.
//!
//! Which mails there are is the business of other rooms; here one becomes a message (RFC 5322) and is handed
//! over.

mod error;
mod letter;
mod transport;

pub use error::{Error, OpenError};
pub use letter::Letter;
pub use transport::Mailer;
