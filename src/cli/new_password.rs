//! Passwords that an admin sets: read from the terminal or from standard input, never from the
//! command line, which others on the machine can see.

use std::fmt;
use std::io::{self, IsTerminal, Read};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::failure::Failure;
use crate::accounts::new_password::{self, Chooser, Problem};
use crate::accounts::passwords::Hashed;
use crate::app::App;
use crate::keys::{Password, Weakness};

/// More than any password has; what is longer is a mistake.
const LONGEST_INPUT: u64 = 16 * 1024;

/// A password on its way to the server; wiped from memory when it is dropped, and never shown.
#[derive(Clone)]
pub struct NewPassword(Zeroizing<String>);

impl NewPassword {
    /// Takes a password as it was typed.
    pub fn new(text: impl Into<String>) -> NewPassword {
        NewPassword(Zeroizing::new(text.into()))
    }

    /// The text as it was typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The hash of the password, by the rules that hold for everybody.
    ///
    /// # Errors
    /// Why it is not taken.
    pub async fn hash(&self, app: &App, chooser: &Chooser) -> Result<Hashed, Failure> {
        let password = Password::new(self.0.to_string());
        let password = password.map_err(|error| Failure::refused(error.to_string()))?;
        new_password::hash(app, chooser, password).await?.map_err(refused)
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

impl Serialize for NewPassword {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for NewPassword {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<NewPassword, D::Error> {
        String::deserialize(deserializer).map(NewPassword::new)
    }
}

fn refused(problem: Problem) -> Failure {
    let why = match problem {
        Problem::TooShort(least) => {
            return Failure::refused(format!("the password is too short; use at least {least} characters"));
        }
        Problem::Missing | Problem::Different | Problem::TooLong => "it cannot be used",
        Problem::Breached => "it was stolen elsewhere and is on the lists that are tried first",
        Problem::Guessable(Weakness::AboutYou) => {
            "it is made of what is known about the person or this server"
        }
        Problem::Guessable(Weakness::Common) => "many people have it, or one much like it",
        Problem::Guessable(Weakness::Word) => "it is a word or a name",
        Problem::Guessable(Weakness::Pattern) => "it is keys in a row, repetitions or a sequence",
        Problem::Guessable(Weakness::Date) => "it is a date or a year",
        Problem::Guessable(Weakness::Simple) => "it is easily guessed",
    };
    Failure::refused(format!("choose another password: {why}; several words in a row are good"))
}

/// Whether a person can be asked something.
pub(super) fn is_somebody_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Refuses to go on to [`ask`] when nobody would answer.
pub(super) fn require_somebody() -> Result<(), Failure> {
    match is_somebody_there() {
        true => Ok(()),
        false => Err(Failure::usage(
            "there is no terminal to ask for the password; write it to standard input and add --password-stdin",
        )),
    }
}

/// Reads a password from standard input; one line end after it does not belong to it.
pub(super) fn read_from_stdin() -> Result<NewPassword, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read = io::stdin().lock().take(LONGEST_INPUT).read_to_string(&mut text);
    read.map_err(|error| Failure::failed(format!("cannot read the password from standard input: {error}")))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let password = line.strip_suffix('\r').unwrap_or(line);
    if password.is_empty() {
        return Err(Failure::usage("standard input is empty; write the password to it"));
    }
    if password.contains('\n') {
        return Err(Failure::usage("standard input has several lines; write the password alone to it"));
    }
    Ok(NewPassword::new(password))
}

/// Asks for a password twice.
pub(super) fn ask(whose: &str, minimum_length: usize) -> Result<NewPassword, Failure> {
    let is_long_enough = move |text: &String| match Password::new(text.clone()) {
        Ok(password) if password.length() < minimum_length => {
            Err(format!("use at least {minimum_length} characters"))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    };
    let asked = dialoguer::Password::new()
        .with_prompt(format!("New password of {whose}"))
        .with_confirmation("Once more", "these two differ; again")
        .validate_with(is_long_enough)
        .interact();
    asked.map(NewPassword::new).map_err(|error| Failure::failed(format!("no password was read: {error}")))
}

/// Asks for yes or no; no is the answer of whoever just presses Enter.
pub(super) fn confirm(question: &str) -> Result<bool, Failure> {
    let asked = dialoguer::Confirm::new().with_prompt(question).default(false).interact();
    asked.map_err(|error| Failure::failed(format!("no answer was read: {error}")))
}
