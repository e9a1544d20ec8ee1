//! Signing in with name and password.

use std::time::Duration;

use askama::Template;

use crate::clients::label::ClientLabel;
use crate::http::filters;
use crate::http::pages::Frame;

/// Why a sign-in was refused, to be said on the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInProblem {
    /// No name was given.
    MissingUsername,
    /// No password was given.
    MissingPassword,
    /// Unknown name, wrong password, or an account without one: one text for all.
    WrongNameOrPassword,
    /// Too many attempts; after this time another one is allowed.
    TooManyAttempts(Duration),
    /// The form is older than its token, or the browser keeps no cookies.
    FormExpired,
    /// The password was right, and the account is locked.
    AccountLocked,
}

/// What happened before this page, to be announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInNotice {
    /// The session in this browser came to its end or was ended elsewhere.
    SessionEnded,
    /// The page that was asked for must be confirmed with the password again.
    ConfirmItIsYou,
}

/// The page `GET /login` shows, and `POST /login` again when it refuses.
#[derive(Debug, Template)]
#[template(path = "login/password.html")]
pub struct SignInPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// The local path to go on to, sent along with the form.
    pub next: Option<String>,
    /// The client that waits for the sign-in.
    pub client: Option<ClientLabel>,
    /// The name as it was typed, or as the client hinted.
    pub username: String,
    /// What was wrong with the last attempt, if anything.
    pub problems: Vec<SignInProblem>,
    /// What happened before.
    pub notice: Option<SignInNotice>,
    /// Whether the homeserver does not answer: signing in works, the client may not.
    pub homeserver_unreachable: bool,
    /// Local path of the page for those who cannot sign in.
    pub help: Option<String>,
}

impl SignInPage<'_> {
    fn has(&self, problem: SignInProblem) -> bool {
        self.problems.contains(&problem)
    }

    /// Whether the name field is where to go on: it is empty, or it may be wrong.
    fn begins_with_name(&self) -> bool {
        self.username.is_empty()
    }
}
