//! The mails that people get about their accounts, each a job in the transaction of what it tells of.
//!
//! Their shape stands in `templates/mail/<mail>/`, their words in `locales/<language>/mail.ftl`. What is to be sent waits encrypted, since some of it lets
//! somebody in.

mod job;
mod page;
mod preview;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use job::SendMail;
pub use page::write;
pub use preview::{one_of_each, preview};

use super::activity::{self, Event};
use super::emails;
use super::users::{self, User};
use crate::app::App;
use crate::http::requester::Requester;
use crate::http::user_agent;
use crate::http::visit::Visit;
use crate::languages::Language;
use crate::sessions::browser;
use crate::store::{self, Tx};
use crate::time::Timestamp;

/// How long a link or a code in a mail is good.
pub const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// What a mail says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mail {
    /// That mails arrive: an admin wants to know.
    Test,
    /// How to show that this address is theirs.
    VerifyEmail {
        /// What is typed on the page where the address was entered.
        code: String,
        /// What the link ends in, for any browser.
        token: String,
    },
    /// That somebody wants to have this address for their account, while it belongs to another one.
    EmailTaken,
    /// How to show that this address is theirs, for an account that is being made. If it belongs to an account,
    /// [`Mail::AccountExists`] is sent instead.
    VerifyRegistration {
        /// What is typed on the page where the address was entered.
        code: String,
        /// What the link ends in, for any browser.
        token: String,
    },
    /// That somebody wants to make an account with this address, while it belongs to one.
    AccountExists,
    /// How to choose a new password without knowing the old one.
    ResetPassword {
        /// What the link ends in.
        token: String,
    },
    /// That a browser has signed in which did not before.
    NewSignIn(Occasion),
    /// That there is another password.
    PasswordChanged(Occasion),
    /// That an address was added to the account.
    EmailAdded {
        /// Which.
        address: String,
        /// When and by whom.
        occasion: Occasion,
    },
    /// That an address was taken from the account.
    EmailRemoved {
        /// Which.
        address: String,
        /// When and by whom.
        occasion: Occasion,
    },
    /// That there is another way to sign in, or one less.
    FactorChanged {
        /// What became of which.
        change: Event,
        /// When and by whom.
        occasion: Occasion,
    },
    /// That a recovery code was spent.
    RecoveryCodeUsed {
        /// How many are left.
        left: u64,
        /// When and by whom.
        occasion: Occasion,
    },
    /// That an admin signed something out.
    SessionsEnded {
        /// How many sessions.
        count: u64,
        /// When.
        occasion: Occasion,
    },
}

/// When something was done, and by whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Occasion {
    /// When.
    pub at: Timestamp,
    /// Whether an admin did it; nothing else is known then.
    pub is_by_admin: bool,
    /// From which address.
    pub ip_address: Option<String>,
    /// With which browser, in words.
    pub browser: Option<String>,
}

impl Occasion {
    /// Something that somebody did with a browser.
    pub fn by(requester: &Requester, at: Timestamp) -> Occasion {
        Occasion {
            at,
            is_by_admin: false,
            ip_address: requester.address.map(|address| address.to_string()),
            browser: requester.user_agent.as_deref().and_then(user_agent::in_words),
        }
    }

    /// Something that an admin did.
    pub fn by_admin(at: Timestamp) -> Occasion {
        Occasion { at, is_by_admin: true, ip_address: None, browser: None }
    }
}

impl Mail {
    /// What it tells of, if that happened to the account, and when.
    fn event(&self) -> Option<(Event, &Occasion)> {
        Some(match self {
            Mail::PasswordChanged(occasion) => (Event::PasswordChanged, occasion),
            Mail::EmailAdded { occasion, .. } => (Event::EmailAdded, occasion),
            Mail::EmailRemoved { occasion, .. } => (Event::EmailRemoved, occasion),
            Mail::RecoveryCodeUsed { occasion, .. } => (Event::RecoveryCodeUsed, occasion),
            Mail::SessionsEnded { occasion, .. } => (Event::SessionsEnded, occasion),
            Mail::FactorChanged { change, occasion } => (*change, occasion),
            // A sign-in is an entry also with a browser that is known.
            Mail::NewSignIn(_) => return None,
            Mail::Test
            | Mail::VerifyEmail { .. }
            | Mail::EmailTaken
            | Mail::VerifyRegistration { .. }
            | Mail::AccountExists
            | Mail::ResetPassword { .. } => return None,
        })
    }

    /// How long it is of use.
    fn lifetime(&self) -> Option<Duration> {
        match self {
            Mail::VerifyEmail { .. } | Mail::VerifyRegistration { .. } | Mail::ResetPassword { .. } => {
                Some(LIFETIME)
            }
            _ => None,
        }
    }
}

/// Has a mail about an account sent to an address, in the language of whom the account belongs to, once the transaction is committed and
/// [`App::wake_workers`] was called. Nothing happens when mails are off.
///
/// # Errors
/// When the database fails.
pub async fn send(
    tx: &mut Tx,
    app: &App,
    to: &str,
    user: &User,
    mail: &Mail,
    now: Timestamp,
) -> Result<(), store::Error> {
    if !app.config.email.is_on() {
        return Ok(());
    }
    let language = users::language(&mut *tx, user.id).await?;
    send_in(tx, app, language, to, user, mail, now).await
}

/// The same in a language, or in the server's own, and perhaps about no account.
///
/// # Errors
/// When the database fails.
pub async fn send_in<'a>(
    tx: &mut Tx,
    app: &App,
    language: Option<Language>,
    to: &str,
    user: impl Into<Option<&'a User>>,
    mail: &Mail,
    now: Timestamp,
) -> Result<(), store::Error> {
    if !app.config.email.is_on() {
        return Ok(());
    }
    let job = SendMail::new(app, to, user.into(), language, mail, now)?;
    crate::jobs::enqueue(tx, &job, now).await
}

/// Tells a person of a sign-in, if the browser was not used for the account before; to be asked before the
/// session begins.
///
/// # Errors
/// When the database fails.
pub async fn tell_of_new_browser(
    tx: &mut Tx,
    app: &App,
    user: &User,
    visit: &Visit,
    now: Timestamp,
) -> Result<(), store::Error> {
    if !app.config.email.is_on() || browser::is_known(&mut *tx, visit.browser(), user.id).await? {
        return Ok(());
    }
    tell(tx, app, user, &Mail::NewSignIn(Occasion::by(&visit.requester, now)), now).await
}

/// Tells a person something at every address that is known to be theirs, and by an entry of the account's
/// activity.
///
/// # Errors
/// When the database fails.
pub async fn tell(
    tx: &mut Tx,
    app: &App,
    user: &User,
    mail: &Mail,
    now: Timestamp,
) -> Result<(), store::Error> {
    if let Some((event, occasion)) = mail.event() {
        activity::add(tx, user.id, event, occasion).await?;
    }
    if !app.config.email.is_on() {
        return Ok(());
    }
    for email in emails::list(&mut *tx, user.id).await? {
        if email.verified_at.is_some() {
            send(tx, app, &email.address, user, mail, now).await?;
        }
    }
    Ok(())
}
