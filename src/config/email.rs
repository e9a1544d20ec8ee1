//! The `email` section.

use std::net::IpAddr;
use std::path::PathBuf;

use lettre::message::Mailbox;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    error::Problems,
    secret::{self, Secret},
};

/// How mails are sent.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Email {
    /// Who takes the mails. Without one there are none: nobody who forgot a password can come back by
    /// themselves, add an address, or is told what happened to their account.
    pub transport: MailTransport,
    /// Whom the mails are from. Required to send any.
    #[schemars(example = "Example Chat <noreply@example.org>")]
    pub from: Option<String>,
    /// Where answers to them go, if not to `from`.
    #[schemars(example = "help@example.org")]
    pub reply_to: Option<String>,
    /// The mail server, with `transport: smtp`.
    pub smtp: Smtp,
    /// The program that takes mails as sendmail does, with `transport: sendmail`.
    #[schemars(extend("format" = "path"))]
    pub sendmail_command: PathBuf,
}

/// Who takes the mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailTransport {
    /// Nobody: mails are off.
    None,
    /// A mail server (RFC 5321).
    Smtp,
    /// A program on this machine.
    Sendmail,
}

/// A mail server.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Smtp {
    /// Its name or address.
    #[schemars(example = "mail.example.org")]
    pub host: String,
    /// Its port. Without one, the usual one: 465 with `tls`, 587 with `starttls`, 25 with `none`.
    #[schemars(range(min = 1, max = 65535), example = 465)]
    pub port: Option<u16>,
    /// How the way there is protected. A server that does not offer it is not used without it.
    pub security: SmtpSecurity,
    /// The name to sign in with, if the server wants that.
    #[schemars(example = &"gatehouse")]
    pub username: Option<String>,
    /// The password that belongs to it.
    #[schemars(example = "the password of the mail account")]
    pub password: Option<Secret>,
    /// A file that holds the value of `password`; give one or the other.
    #[schemars(extend("format" = "path"), example = "/run/secrets/gatehouse-smtp")]
    pub password_file: Option<PathBuf>,
    /// A PEM file with certificates of authorities that are trusted besides those of the system, for
    /// a mail server whose certificate comes from an authority of your own.
    #[schemars(extend("format" = "path"), example = "/etc/gatehouse/own-ca.pem")]
    pub ca_file: Option<PathBuf>,
}

/// How the way to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SmtpSecurity {
    /// By TLS from the first byte (RFC 8314 §3.3).
    Tls,
    /// By TLS after a greeting in clear (RFC 3207).
    Starttls,
    /// Not at all: for a server on the same machine or network.
    None,
}

impl Default for Email {
    fn default() -> Self {
        Self {
            transport: MailTransport::None,
            from: None,
            reply_to: None,
            smtp: Smtp::default(),
            sendmail_command: "/usr/sbin/sendmail".into(),
        }
    }
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: None,
            security: SmtpSecurity::Tls,
            username: None,
            password: None,
            password_file: None,
            ca_file: None,
        }
    }
}

impl Email {
    /// Whether any mail can be sent.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.transport != MailTransport::None
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        if self.is_on() && self.from.is_none() {
            problems.add(
                "email.from",
                "is required to send mails, such as \"Example Chat <noreply@example.org>\"",
            );
        }
        for (key, mailbox) in [("from", &self.from), ("reply_to", &self.reply_to)] {
            if mailbox.as_ref().is_some_and(|mailbox| mailbox.parse::<Mailbox>().is_err()) {
                problems.add(
                    format!("email.{key}"),
                    "is not an e-mail address; write noreply@example.org, or Example Chat <noreply@example.org>",
                );
            }
        }
        if self.sendmail_command.as_os_str().is_empty() {
            problems.add("email.sendmail_command", "is empty; name a program, or leave it out");
        }
        self.smtp.check(problems);
    }

    pub(super) fn read_secret_files(&mut self, problems: &mut Problems) {
        let smtp = &mut self.smtp;
        secret::read_file("email.smtp.password", &mut smtp.password, &mut smtp.password_file, problems);
    }
}

impl Smtp {
    fn check(&self, problems: &mut Problems) {
        if self.host.is_empty() {
            problems.add("email.smtp.host", "is empty; name the mail server");
        }
        if self.port == Some(0) {
            problems.add("email.smtp.port", "must be 1 to 65535");
        }
        match (&self.username, &self.password) {
            (Some(_), None) => problems.add("email.smtp.password", "is missing; username is set"),
            (None, Some(_)) => problems.add("email.smtp.username", "is missing; password is set"),
            (Some(_), Some(_)) if self.security == SmtpSecurity::None && !self.is_on_this_machine() => {
                problems.add(
                    "email.smtp.security",
                    "would send the password in clear over the network; use tls or starttls",
                );
            }
            _ => {}
        }
    }

    fn is_on_this_machine(&self) -> bool {
        let address = self.host.parse::<IpAddr>();
        self.host == "localhost" || address.is_ok_and(|address| address.to_canonical().is_loopback())
    }
}
