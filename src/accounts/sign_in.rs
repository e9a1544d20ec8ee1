//! Trying a password: the one place where attempts are counted and compared, whichever way they come.

use std::time::Duration;

use tokio::time::Instant;

use super::emails::{self, Address};
use super::passwords::{self, Error};
use super::users::{self, Standing, User};
use crate::app::App;
use crate::http::rate_limits::{self, Action, Allowance};
use crate::http::requester::Requester;
use crate::ids::localpart_of;
use crate::keys::Password;
use crate::sessions::browser;
use crate::store::{self, Tx};
use crate::telemetry::metrics::SignIn;
use crate::time::Timestamp;

/// How metrics call a sign-in by name and password.
const METHOD: &str = "password";

/// Whom somebody says they are.
#[derive(Clone, Copy, Debug)]
pub enum Named<'a> {
    /// By a name: `alice`, `@alice` or `@alice:server`.
    User(&'a str),
    /// By an e-mail address, which must be verified.
    Email(&'a str),
}

/// What came of a name and a password.
pub enum Attempt {
    /// Whose they are. What keeps that person from signing in is for the caller to say, and whether it counts as
    /// a success: see [`Counted::note`].
    Right(Box<User>, Counted),
    /// Unknown name, wrong password, or an account without one.
    Wrong,
    /// Nothing was compared; after this time another attempt is allowed.
    TooMany(Duration),
}

/// What an attempt was counted by, to be given back once it turned out to be no guess.
pub struct Counted {
    address: String,
    /// The name that was typed, and the secret of the browser if that is known there; none for a passkey.
    name: Option<(String, Option<String>)>,
    compared_at: Instant,
    /// When the password that was right had been set; none for a passkey.
    password_set_at: Option<Timestamp>,
}

impl Counted {
    /// Has metrics know what came of it.
    pub fn note(&self, app: &App, outcome: SignIn) {
        app.metrics.sign_in(METHOD, outcome);
    }

    /// Waits until a wrong password would be answered, for a right one that must look like it.
    pub async fn hold_back(&self, app: &App) {
        app.passwords.hold_back(self.compared_at).await;
    }

    /// Whether what was right then is right still, and stays so until the transaction ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn still_holds(&self, tx: &mut Tx, user: &User) -> Result<bool, store::Error> {
        match self.password_set_at {
            Some(set_at) => passwords::is_still(tx, user.id, set_at).await,
            None => Ok(true),
        }
    }

    /// Gives the attempt back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_back(&self, tx: &mut Tx, app: &App) -> Result<(), store::Error> {
        let name = self.name.as_ref().map(|(name, browser)| Action::SignInTo(name, browser.as_deref()));
        let counted_as: Vec<_> = [Action::SignInFrom(&self.address)].into_iter().chain(name).collect();
        rate_limits::refund(tx, app, &counted_as).await
    }
}

/// Counts an attempt that names nobody, by where it comes from alone; or says after which time another one is
/// allowed. Passkeys and keys cannot be guessed, so no account is ever closed to them.
///
/// # Errors
/// When the database fails.
pub async fn count_by_address(
    app: &App,
    requester: &Requester,
) -> Result<Result<Counted, Duration>, store::Error> {
    let address = requester.limit_key();
    Ok(match rate_limits::spend(app, &Action::SignInFrom(&address)).await? {
        Allowance::Granted => {
            Ok(Counted { address, name: None, compared_at: Instant::now(), password_set_at: None })
        }
        Allowance::Exhausted(wait) => Err(wait),
    })
}

/// Tries a name and a password. Nothing but the right password tells whether there is such an account,
/// or what state it is in. `browser` is the secret of the browser that sends them, if one does.
///
/// # Errors
/// When the database fails, or too many passwords are being compared.
pub async fn attempt(
    app: &App,
    requester: &Requester,
    browser: Option<&str>,
    named: Named<'_>,
    password: String,
) -> Result<Attempt, Error> {
    let address = requester.limit_key();
    // What was typed is told to nobody: it may be a password.
    let refused = |user: Option<&User>, outcome: SignIn| {
        app.metrics.sign_in(METHOD, outcome);
        let user = user.map(|user| tracing::field::display(user.id));
        tracing::info!(user, reason = outcome.as_str(), ip = requester.ip(), "a sign-in was refused");
    };
    if let Allowance::Exhausted(wait) = rate_limits::spend(app, &Action::SignInFrom(&address)).await? {
        refused(None, SignIn::Limited);
        return Ok(Attempt::TooMany(wait));
    }
    let user = find(app, named).await?;
    // Strangers who guess at an account cannot keep its owner out of the browser they always use; nor may
    // whoever has that browser now guess without end.
    let own_browser = match (&user, browser) {
        (Some(user), Some(browser)) if browser::is_known(&app.store, browser, user.id).await? => {
            Some(browser)
        }
        _ => None,
    };
    let name = counted_by(app, named);
    let guess = Action::SignInTo(&name, own_browser);
    if let Allowance::Exhausted(wait) = rate_limits::spend(app, &guess).await? {
        refused(user.as_ref(), SignIn::Limited);
        return Ok(Attempt::TooMany(wait));
    }
    let compared_at = Instant::now();
    let password_set_at = match Password::new(password) {
        Ok(password) => passwords::prove(app, user.as_ref(), password).await?,
        Err(_) => None,
    };
    let Some(user) = user.as_ref().filter(|_| password_set_at.is_some()) else {
        refused(user.as_ref(), SignIn::Wrong);
        return Ok(Attempt::Wrong);
    };
    match user.standing() {
        Standing::Active => {}
        Standing::Locked => refused(Some(user), SignIn::Locked),
        Standing::Deactivated => refused(Some(user), SignIn::Wrong),
    }
    let name = Some((name, own_browser.map(str::to_owned)));
    Ok(Attempt::Right(Box::new(user.clone()), Counted { address, name, compared_at, password_set_at }))
}

async fn find(app: &App, named: Named<'_>) -> Result<Option<User>, store::Error> {
    match named {
        Named::User(typed) => match localpart_of(typed, &app.config.homeserver.server_name) {
            Some(localpart) => users::find_by_typed_name(&app.store, localpart).await,
            None => Ok(None),
        },
        Named::Email(typed) => {
            let Ok(address) = typed.trim().parse::<Address>() else { return Ok(None) };
            match emails::find_verified_owner(&app.store, &address).await? {
                Some(owner) => users::find(&app.store, owner).await,
                None => Ok(None),
            }
        }
    }
}

/// Does not depend on whether there is such an account.
fn counted_by(app: &App, named: Named<'_>) -> String {
    match named {
        Named::User(typed) => {
            localpart_of(typed, &app.config.homeserver.server_name).unwrap_or(typed).to_lowercase()
        }
        Named::Email(typed) => typed.trim().to_lowercase(),
    }
}
