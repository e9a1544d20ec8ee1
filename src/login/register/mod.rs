//! Making an account: one thing asked for on each page, and all of it made in one transaction in the end.
//!
//! Owns `registrations`. What is asked for follows from the configuration and from what is there already
//! ([`Begun::due`]), so a person who comes back within the hour goes on where they were, and one who was overtaken by
//! somebody else is led back to the page that asks for what is missing.

pub mod begun;
pub mod code;
pub mod email;
mod finish;
pub mod link;
pub mod name;
pub mod passkey;
pub mod password;
pub mod resume;
pub mod terms;

pub use begun::expire;

use axum::response::Response;

use super::next::{self, Onward, Waiting};
use crate::accounts::{self, users};
use crate::app::App;
use crate::clients::label::ClientLabel;
use crate::config::RegistrationEmail;
use crate::http::error::PageError;
use crate::http::headers::FormAction;
use crate::http::visit::Visit;
use begun::Begun;

/// Local path of the first page.
pub const PATH: &str = "/register";

/// What is still to be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// An e-mail address.
    Email,
    /// The code that was sent there.
    Code,
    /// A password.
    Password,
    /// A passkey: in the place of a password, or beside it, if the person likes.
    Passkey,
    /// Whether the person accepts the terms of service.
    Terms,
}

impl Step {
    /// The local path of its page.
    pub fn path(self) -> &'static str {
        match self {
            Step::Email => email::PATH,
            Step::Code => code::PATH,
            Step::Password => password::PATH,
            Step::Passkey => passkey::PATH,
            Step::Terms => terms::PATH,
        }
    }
}

impl Begun {
    /// What is to be asked for next; nothing when all is there.
    pub fn due(&self, app: &App) -> Option<Step> {
        self.email_due(app).or_else(|| self.way_due(app)).or_else(|| self.terms_due(app))
    }

    fn email_due(&self, app: &App) -> Option<Step> {
        let is_done = match app.config.registration.email {
            RegistrationEmail::Required => self.email_verified_at.is_some(),
            RegistrationEmail::Optional => self.email_verified_at.is_some() || self.is_email_skipped,
            RegistrationEmail::NotAsked => true,
        };
        match is_done {
            true => None,
            false if self.is_code_sent(app.clock.now()) => Some(Step::Code),
            false => Some(Step::Email),
        }
    }

    fn way_due(&self, app: &App) -> Option<Step> {
        let by_password = app.config.registers_with_password();
        match (self.password.is_some(), self.passkey.is_some()) {
            (false, false) if by_password => Some(Step::Password),
            (false, false) => Some(Step::Passkey),
            (true, false) if app.config.registers_with_passkey() && !self.is_passkey_skipped => {
                Some(Step::Passkey)
            }
            _ => None,
        }
    }

    fn terms_due(&self, app: &App) -> Option<Step> {
        let current = accounts::terms::current(&app.config)?;
        (self.terms.as_deref() != Some(current.version)).then_some(Step::Terms)
    }
}

/// What the browser is making, if everything that is asked for before `step` is there; else the way to where that
/// is asked for.
async fn at(app: &App, visit: &Visit, step: Step) -> Result<Result<Begun, Response>, PageError> {
    let Some(begun) = begun::find(app, visit).await? else { return Ok(Err(visit.go(PATH))) };
    let before = match step {
        Step::Email => None,
        Step::Code => begun.email_due(app).filter(|due| *due == Step::Email),
        Step::Password | Step::Passkey => begun.email_due(app),
        Step::Terms => begun.email_due(app).or_else(|| begun.way_due(app)),
    };
    let is_offered = match step {
        Step::Email => app.config.registration.email != RegistrationEmail::NotAsked,
        Step::Code => begun.email_due(app).is_some(),
        Step::Password => app.config.registers_with_password(),
        Step::Passkey => app.config.registers_with_passkey(),
        Step::Terms => begun.terms_due(app).is_some(),
    };
    match before {
        Some(before) => Ok(Err(visit.go(before.path()))),
        None if is_offered => Ok(Ok(begun)),
        None => Ok(Err(visit.go(begun.due(app).map_or(PATH, Step::path)))),
    }
}

/// Leads on to what is asked for next, or makes the account when all is there.
async fn go_on(app: &App, visit: &Visit, before: &Begun) -> Result<Response, PageError> {
    let Some(begun) = begun::find(app, visit).await? else { return done(app, visit, before).await };
    match begun.due(app) {
        Some(step) => Ok(visit.go(step.path())),
        None => finish::finish(app, visit, begun).await,
    }
}

/// What leads back, unless the account is there by now: a form may be sent twice, and then the name is taken by the person's
/// own account.
async fn unless_done(app: &App, visit: &Visit, begun: &Begun, back: Response) -> Result<Response, PageError> {
    let is_there = begun::find(app, visit).await?.is_some();
    if is_there { Ok(back) } else { done(app, visit, begun).await }
}

/// Leads on when the account was made by the same form, sent a moment earlier: whose answer the browser may have
/// dropped, and the session in it. It may also have been given up in another window.
async fn done(app: &App, visit: &Visit, begun: &Begun) -> Result<Response, PageError> {
    Ok(match users::find(&app.store, begun.user_id).await? {
        Some(_) => visit.forget_registration(visit.go(&begun.onward().through("/login"))),
        None => visit.go(PATH),
    })
}

/// For whom a person makes the account, and where the forms on the way may lead in the end.
async fn for_whom(
    app: &App,
    visit: &Visit,
    next: Option<&str>,
) -> Result<(Option<ClientLabel>, Option<FormAction>), PageError> {
    Ok(match next::waiting(app, visit, next).await? {
        Some(Waiting { client, form_action, .. }) => (Some(client), form_action),
        None => (None, None),
    })
}

/// Where a person goes on afterwards.
fn onward(next: Option<String>) -> Onward {
    Onward { next, needs_second: false }
}
