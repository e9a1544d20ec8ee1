//! Who takes the mails.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::sendmail::AsyncSendmailTransport;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncTransport, Tokio1Executor};

use super::{Error, Letter, OpenError};
use crate::config::{self, MailTransport, SmtpSecurity};

/// How long a mail server may take to greet us and let us in.
const GREETING: Duration = Duration::from_secs(30);
/// How long it may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);

/// Hands mails over.
pub struct Mailer {
    way: Way,
    from: Option<Mailbox>,
    reply_to: Option<Mailbox>,
}

enum Way {
    Off,
    Smtp(Box<Server>),
    Sendmail(PathBuf),
}

/// A mail server, and how it is reached.
struct Server {
    host: String,
    port: u16,
    security: SmtpSecurity,
    tls: TlsParameters,
    credentials: Option<Credentials>,
}

impl Mailer {
    /// Gets ready; nothing is sent yet.
    ///
    /// # Errors
    /// [`OpenError`], worded for the admin.
    pub fn open(settings: &config::Email) -> Result<Mailer, OpenError> {
        let way = match settings.transport {
            MailTransport::None => Way::Off,
            MailTransport::Smtp => Way::Smtp(Box::new(Server::open(&settings.smtp)?)),
            MailTransport::Sendmail => Way::Sendmail(settings.sendmail_command.clone()),
        };
        let mailbox = |given: &Option<String>, key| {
            given.as_ref().map(|text| text.parse().map_err(|_| OpenError::Address(key))).transpose()
        };
        let (from, reply_to) = (mailbox(&settings.from, "from")?, mailbox(&settings.reply_to, "reply_to")?);
        Ok(Mailer { way, from, reply_to })
    }

    /// Hands a mail over. It may have been taken although this says otherwise, when the connection breaks
    /// before the answer comes. A mail server may take ten minutes for that answer (RFC 5321 §4.5.3.2.6);
    /// whoever gives up earlier makes it likelier that the mail comes twice.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn send(&self, letter: &Letter) -> Result<(), Error> {
        let Some(from) = &self.from else { return Err(Error::Off) };
        let message = letter.message(from, self.reply_to.as_ref())?;
        match &self.way {
            Way::Off => Err(Error::Off),
            Way::Smtp(server) => {
                let mut connection = server.connect().await?;
                let sent = connection.send(message.envelope(), &message.formatted()).await;
                sent.map_err(Error::Smtp)?;
                // It is sent, whatever becomes of the goodbye.
                tokio::spawn(async move { tokio::time::timeout(GOODBYE, connection.quit()).await });
                Ok(())
            }
            Way::Sendmail(command) => {
                let program = AsyncSendmailTransport::<Tokio1Executor>::new_with_command(command);
                program.send(message).await.map_err(Error::Sendmail)
            }
        }
    }

    /// Whether the mail server lets us in. A program is not asked.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn check(&self) -> Result<(), Error> {
        if let Way::Smtp(server) = &self.way {
            let mut connection = server.connect().await?;
            let _ = tokio::time::timeout(GOODBYE, connection.quit()).await;
        }
        Ok(())
    }
}

impl Server {
    fn open(settings: &config::Smtp) -> Result<Server, OpenError> {
        let usual_port = match settings.security {
            SmtpSecurity::Tls => 465,
            SmtpSecurity::Starttls => 587,
            SmtpSecurity::None => 25,
        };
        // The authorities of the system and those of the file.
        let mut tls = TlsParameters::builder(settings.host.clone());
        if let Some(file) = &settings.ca_file {
            tls = tls.add_root_certificate(certificates(file)?);
        }
        let password = settings.password.as_ref().map(|password| password.expose().to_owned());
        Ok(Server {
            host: settings.host.clone(),
            port: settings.port.unwrap_or(usual_port),
            security: settings.security,
            tls: tls.build().map_err(OpenError::Tls)?,
            credentials: settings
                .username
                .clone()
                .zip(password)
                .map(|(name, word)| Credentials::new(name, word)),
        })
    }

    /// A connection on which a mail can be sent. It serves one mail: after anything went wrong, nobody
    /// could say which answer belongs to what.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let greeted = tokio::time::timeout(GREETING, self.greet()).await;
        greeted.map_err(|_| Error::Slow)?.map_err(Error::Smtp)
    }

    async fn greet(&self) -> Result<AsyncSmtpConnection, lettre::transport::smtp::Error> {
        let (at, us) = ((self.host.as_str(), self.port), ClientId::default());
        let tls = (self.security == SmtpSecurity::Tls).then(|| self.tls.clone());
        let mut connection = AsyncSmtpConnection::connect_tokio1(at, Some(GREETING), &us, tls, None).await?;
        if self.security == SmtpSecurity::Starttls {
            connection.starttls(self.tls.clone(), &us).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

/// All the certificates of a file.
fn certificates(file: &Path) -> Result<Certificate, OpenError> {
    let pem =
        std::fs::read(file).map_err(|source| OpenError::Unreadable { file: file.to_owned(), source })?;
    // A file without any would be read as one with none.
    let has_one = String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----");
    let read = Certificate::from_pem(&pem).ok().filter(|_| has_one);
    read.ok_or_else(|| OpenError::NoCertificate(file.to_owned()))
}
