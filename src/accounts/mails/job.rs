//! Sending a mail.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Mail, write};
use crate::accounts::emails::{self, Address};
use crate::accounts::users::{self, User};
use crate::app::App;
use crate::ids::MailId;
use crate::jobs::{Crew, Job, JobError};
use crate::languages::Language;
use crate::mail::Error;
use crate::store;
use crate::time::Timestamp;

/// Sends one mail to one address.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendMail {
    /// Stays the same however often it is tried, and is part of the `Message-ID`.
    id: MailId,
    asked_at: Timestamp,
    /// A [`Sealed`], encrypted.
    sealed: String,
}

/// What nobody reads who reads the queue.
#[derive(Serialize, Deserialize)]
struct Sealed {
    to: String,
    /// Whose account it is about, if there is one.
    mxid: Option<String>,
    #[serde(default)]
    language: Option<Language>,
    mail: Mail,
}

impl SendMail {
    pub(super) fn new(
        app: &App,
        to: &str,
        user: Option<&User>,
        language: Option<Language>,
        mail: &Mail,
        now: Timestamp,
    ) -> Result<SendMail, store::Error> {
        let id = MailId::new(now);
        let mxid = user.map(|user| user.localpart.mxid(&app.config.homeserver.server_name));
        let sealed = Sealed { to: to.to_owned(), mxid, language, mail: mail.clone() };
        let plain = serde_json::to_vec(&sealed).map_err(|_| store::Error::Corrupt { column: "payload" })?;
        let sealed = app.keys.root().encrypt(&context(id), &plain);
        let sealed = sealed.map_err(|_| store::Error::Corrupt { column: "payload" })?;
        Ok(SendMail { id, asked_at: now, sealed })
    }

    fn unseal(&self, app: &App) -> Option<Sealed> {
        let plain = app.keys.root().decrypt(&context(self.id), &self.sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}

fn context(id: MailId) -> String {
    format!("mail {id}")
}

impl Job for SendMail {
    const KIND: &'static str = "send_mail";
    const CREW: Crew = Crew::Mails;
    /// A mail server may take as long for its last answer (RFC 5321 §4.5.3.2.6), and who does not wait for
    /// it sends the mail again.
    const PATIENCE: Duration = Duration::from_secs(11 * 60);
    /// As long as mail servers try (RFC 5321 §4.5.4.1).
    const WORTH_TRYING: Option<Duration> = Some(Duration::from_secs(5 * 24 * 60 * 60));

    /// One of its own: no mail waits for another.
    fn queue(&self) -> String {
        context(self.id)
    }

    async fn run(&self, app: &App) -> Result<(), JobError> {
        let unreadable = || JobError::Refused("the stored mail does not decrypt".to_owned());
        let sealed = self.unseal(app).ok_or_else(unreadable)?;
        if sealed.mail.lifetime().is_some_and(|lifetime| app.clock.now().since(self.asked_at) >= lifetime) {
            return Err(JobError::Futile("what is in the mail is no longer good".to_owned()));
        }
        let Sealed { to, mxid, language, mail } = for_the_owner(app, sealed).await?;
        let language = language.unwrap_or(app.config.branding.default_language);
        let letter = write(&app.config, language, self.id, self.asked_at, &to, mxid.as_deref(), &mail)
            .map_err(|error| JobError::Refused(error.to_string()))?;
        app.mailer.send(&letter).await.map_err(failed)?;
        tracing::info!(mail = %self.id, "a mail was handed over");
        Ok(())
    }
}

/// Who makes an account with an address that belongs to one gets no code for it: its owner is told instead. Only
/// here anybody looks, so nothing that the person sees, nor how long it takes, can tell.
async fn for_the_owner(app: &App, sealed: Sealed) -> Result<Sealed, store::Error> {
    let (Mail::VerifyRegistration { .. }, Ok(address)) = (&sealed.mail, sealed.to.parse::<Address>()) else {
        return Ok(sealed);
    };
    let Some(owner) = emails::find_verified_owner(&app.store, &address).await? else { return Ok(sealed) };
    let language = users::language(&app.store, owner).await?;
    let owner = users::find(&app.store, owner).await?;
    let mxid = owner.map(|owner| owner.localpart.mxid(&app.config.homeserver.server_name));
    Ok(Sealed { mxid, language, mail: Mail::AccountExists, ..sealed })
}

fn failed(error: Error) -> JobError {
    match error {
        Error::Off => JobError::Futile(error.to_string()),
        error if error.is_about_the_recipient() => JobError::Futile(error.to_string()),
        error if error.is_passing() => JobError::Passing(error.to_string()),
        error => JobError::Refused(error.to_string()),
    }
}
