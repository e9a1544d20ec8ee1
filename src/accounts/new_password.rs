//! A password that a person chooses: the fields of a form, and what makes a password good
//! (NIST SP 800-63B-4 §3.1.1).

use super::breached_passwords;
use super::passwords::{Error, Hashed};
use super::users::User;
use super::{emails, factors};
use crate::app::App;
use crate::http::error::{self, PageError};
use crate::http::form::Parameters;
use crate::keys::{HashError, Password, Weakness};
use crate::store;

/// Why a password was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// There was none.
    Missing,
    /// It has fewer characters than this.
    TooShort(usize),
    /// It is longer than any password may be.
    TooLong,
    /// It is easily guessed, by everybody or by those who know the person.
    Guessable(Weakness),
    /// It was stolen elsewhere, from this person or another, and is on the lists that are tried first.
    Breached,
    /// The second time it was another one.
    Different,
}

/// Whose password it is to be, as far as the rules ask.
#[derive(Clone, Debug)]
pub struct Chooser {
    /// What those know who know the person.
    about: Vec<String>,
    has_second: bool,
}

impl Chooser {
    /// Somebody without an account yet, or with one that has nothing but a name.
    pub fn new(name: &str, address: Option<&str>) -> Chooser {
        let about = [Some(name), address].into_iter().flatten().map(str::to_owned).collect();
        Chooser { about, has_second: false }
    }

    /// Somebody with an account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(app: &App, user: &User) -> Result<Chooser, store::Error> {
        let mut chooser = Chooser::new(user.localpart.as_str(), None);
        let addresses = emails::list(&app.store, user.id).await?;
        chooser.about.extend(addresses.into_iter().map(|email| email.address));
        chooser.has_second = factors::find(&app.store, user.id).await?.has_second();
        Ok(chooser)
    }

    /// The least number of characters: fewer are enough where a second factor is asked for too.
    pub fn least_length(&self, app: &App) -> usize {
        let rules = &app.config.passwords;
        match self.has_second {
            true => rules.minimum_length_with_second_factor.min(rules.minimum_length),
            false => rules.minimum_length,
        }
    }

    /// What those know who know the person and the service, whole and in parts.
    fn words(&self, app: &App) -> Vec<String> {
        let mut whole = self.about.clone();
        whole.push(app.config.homeserver.server_name.clone());
        whole.extend(app.config.branding.service_name.clone());
        let parts: Vec<String> = whole
            .iter()
            .flat_map(|word| word.split(|c: char| !c.is_alphanumeric()))
            .filter(|part| part.chars().count() > 2)
            .map(str::to_owned)
            .collect();
        whole.extend(parts);
        whole
    }
}

/// The hash of the password in a form, in the fields `new_password` and `new_password_again`, or why it
/// is not taken. No transaction may be open meanwhile, since it takes long.
///
/// # Errors
/// When the database or the list of breached passwords fails, or too many passwords are being hashed.
pub async fn of_form(
    app: &App,
    chooser: &Chooser,
    form: &mut Parameters,
) -> Result<Result<Hashed, Problem>, PageError> {
    let Some(typed) = form.take("new_password") else { return Ok(Err(Problem::Missing)) };
    if form.take("new_password_again").as_ref() != Some(&typed) {
        return Ok(Err(Problem::Different));
    }
    let Ok(password) = Password::new(typed) else { return Ok(Err(Problem::TooLong)) };
    hash(app, chooser, password).await.map_err(|error| match error {
        Error::Store(error) => error.into(),
        Error::Hash(HashError::Busy) => error::Problem::Unavailable.into(),
        Error::BreachedPasswords(_) => {
            tracing::error!(%error, "no password can be set");
            error::Problem::Unavailable.into()
        }
        Error::Hash(error) => {
            tracing::error!(%error, "a password could not be hashed");
            error::Problem::Internal.into()
        }
    })
}

/// The hash of a new password, for [`passwords::set`](super::passwords::set), or why it is not taken. No
/// transaction may be open meanwhile, since it takes long.
///
/// # Errors
/// When the list of breached passwords fails, or too many passwords are being hashed.
pub async fn hash(
    app: &App,
    chooser: &Chooser,
    password: Password,
) -> Result<Result<Hashed, Problem>, Error> {
    let (length, least) = (password.length(), chooser.least_length(app));
    if length < least {
        return Ok(Err(Problem::TooShort(least)));
    }
    if let Some(path) = &app.config.passwords.breached_list
        && breached_passwords::has(path, password.sha1()).await?
    {
        return Ok(Err(Problem::Breached));
    }
    let hashed =
        app.passwords.hash_unless_guessable(password, chooser.words(app), chooser.has_second).await?;
    Ok(match hashed {
        Ok((text, version)) => {
            Ok(Hashed { text, version, needs_second: length < app.config.passwords.minimum_length })
        }
        Err(weakness) => Err(Problem::Guessable(weakness)),
    })
}
