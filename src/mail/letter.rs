//! One mail, ready to be handed over.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lettre::Message;
use lettre::address::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

use super::Error;
use crate::ids::MailId;
use crate::time::Timestamp;

/// One mail to one person, as text and as HTML. Its `Message-ID` follows from its identifier, so that a mail
/// that is handed over twice is the same one to whoever gets it.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Its identifier.
    pub id: MailId,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// The address it goes to.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The same as [`Letter::html`], for those who read text.
    pub text: String,
    /// The whole page.
    pub html: String,
}

impl Letter {
    /// The message that is handed over.
    pub(super) fn message(&self, from: &Mailbox, reply_to: Option<&Mailbox>) -> Result<Message, Error> {
        // Whoever may write into a header writes the mail.
        if self.subject.chars().any(char::is_control) {
            return Err(Error::Unsendable("its subject has a control character"));
        }
        let to: Address = self.to.parse().map_err(|_| Error::Unsendable("its address is none"))?;
        let millis = u64::try_from(self.asked_at.0).unwrap_or(0);
        let date: SystemTime = UNIX_EPOCH + Duration::from_millis(millis);
        // A program wrote this: nobody's out-of-office reply shall answer it (RFC 3834 §5).
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mut message = Message::builder()
            .message_id(Some(format!("<{}@{}>", self.id, from.email.domain())))
            .date(date)
            .from(from.clone())
            .to(Mailbox::new(None, to))
            .subject(self.subject.clone())
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()));
        if let Some(reply_to) = reply_to {
            message = message.reply_to(reply_to.clone());
        }
        message
            .multipart(MultiPart::alternative_plain_html(self.text.clone(), self.html.clone()))
            .map_err(|_| Error::Unsendable("it makes no message"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn letter(to: &str, subject: &str) -> Letter {
        let (text, html) = ("One\r\n.\r\nBcc: x@example.org\r\n".to_owned(), "<p>One</p>".to_owned());
        let (to, subject) = (to.to_owned(), subject.to_owned());
        Letter { id: MailId::of_name("one"), asked_at: Timestamp(1_795_216_860_000), to, subject, text, html }
    }

    fn lines(letter: &Letter, from: &str) -> Option<Vec<String>> {
        let message = letter.message(&from.parse().unwrap(), None).ok()?.formatted();
        let message = String::from_utf8(message).unwrap();
        let (head, _) = message.split_once("\r\n\r\n").unwrap();
        Some(head.split("\r\n").map(str::to_owned).collect())
    }

    #[test]
    fn the_same_mail_has_the_same_message_id_and_date() {
        let head = lines(&letter("alice@example.com", "Hello"), "Chat <noreply@example.org>").unwrap();
        let id = format!("Message-ID: <{}@example.org>", MailId::of_name("one"));
        for line in [id.as_str(), "Date: Fri, 20 Nov 2026 23:21:00 +0000", "Auto-Submitted: auto-generated"] {
            assert!(head.iter().any(|found| found == line), "{line}: {head:#?}");
        }
    }

    #[test]
    fn nobody_writes_into_a_header() {
        for subject in ["a\r\nBcc: x@example.org", "a\nBcc: x@example.org", "a\rb", "a\0b"] {
            assert!(lines(&letter("alice@example.com", subject), "noreply@example.org").is_none());
        }
        for to in ["alice@example.com\r\nBcc: x@example.org", "alice@example.com, bob@example.com", ""] {
            assert!(lines(&letter(to, "Hello"), "noreply@example.org").is_none(), "{to:?}");
        }
    }

    proptest! {
        #[test]
        fn every_header_is_one_of_ours(subject in ".{0,200}", name in "[^\\r\\n\\x00]{0,60}") {
            let from = Mailbox::new(Some(name), "noreply@example.org".parse().unwrap());
            let Ok(message) = letter("alice@example.com", &subject).message(&from, None) else { return Ok(()) };
            let message = String::from_utf8(message.formatted()).unwrap();
            let (head, _) = message.split_once("\r\n\r\n").unwrap();
            for line in head.split("\r\n").filter(|line| !line.starts_with([' ', '\t'])) {
                let name = line.split(':').next().unwrap_or_default();
                prop_assert!(
                    ["Message-ID", "Date", "From", "To", "Subject", "Auto-Submitted", "MIME-Version", "Content-Type"]
                        .contains(&name),
                    "{line}"
                );
                prop_assert!(!line.contains(['\r', '\n']));
            }
        }
    }
}
