//! A password that a person chooses: the fields of a form, and what makes a password good
//! (NIST SP 800-63B-4 §3.1.1).

use super::emails;
use super::users::User;
use crate::app::App;
use crate::http::error::{self, PageError};
use crate::http::form::Parameters;
use crate::keys::{HashError, Password};

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
    Guessable,
    /// The second time it was another one.
    Different,
}

/// The hash of the password in a form, in the fields `new_password` and `new_password_again`, or why it
/// is not taken. No transaction may be open meanwhile, since it takes long.
///
/// # Errors
/// When the database fails, or too many passwords are being hashed.
pub async fn of_form(
    app: &App,
    user: &User,
    form: &mut Parameters,
) -> Result<Result<(String, i64), Problem>, PageError> {
    let emails = emails::list(&app.store, user.id).await?;
    of_form_with(app, user, emails.into_iter().map(|email| email.address), form).await
}

/// The same for somebody who is going to have an account, and these addresses.
///
/// # Errors
/// When too many passwords are being hashed.
pub async fn of_form_with(
    app: &App,
    user: &User,
    emails: impl Iterator<Item = String>,
    form: &mut Parameters,
) -> Result<Result<(String, i64), Problem>, PageError> {
    let Some(typed) = form.take("new_password") else { return Ok(Err(Problem::Missing)) };
    if form.take("new_password_again").as_ref() != Some(&typed) {
        return Ok(Err(Problem::Different));
    }
    let Ok(password) = Password::new(typed) else { return Ok(Err(Problem::TooLong)) };
    let minimum = app.config.passwords.minimum_length;
    if password.length() < minimum {
        return Ok(Err(Problem::TooShort(minimum)));
    }
    let words = words_about(app, user, emails);
    match app.passwords.hash_unless_guessable(password, words).await {
        Ok(hash) => Ok(hash.ok_or(Problem::Guessable)),
        Err(HashError::Busy) => Err(error::Problem::Unavailable.into()),
        Err(error) => {
            tracing::error!(%error, "a password could not be hashed");
            Err(error::Problem::Internal.into())
        }
    }
}

/// What those know who know the person and the service, whole and in parts.
fn words_about(app: &App, user: &User, emails: impl Iterator<Item = String>) -> Vec<String> {
    let mut whole = vec![user.localpart.to_string(), app.config.homeserver.server_name.clone()];
    whole.extend(app.config.branding.service_name.clone());
    whole.extend(emails);
    let parts: Vec<String> = whole
        .iter()
        .flat_map(|word| word.split(|c: char| !c.is_alphanumeric()))
        .filter(|part| part.chars().count() > 2)
        .map(str::to_owned)
        .collect();
    whole.extend(parts);
    whole
}
