//! What people read when something went wrong.

use std::time::Duration;

use askama::Template;
use axum::http::StatusCode;

use super::filters;
use super::form::FormError;
use super::pages::Frame;
use super::visit::ForeignForm;
use crate::store;

/// What went wrong; the sentences stand in `templates/error.html`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The request makes no sense: a broken link, or a mistake of the client.
    BadRequest,
    /// The authorization request names a client nobody registered.
    UnknownClient,
    /// The authorization request wants its answer sent somewhere the client did not register
    /// (RFC 6749 §4.1.2.1: nobody may be redirected there).
    UnknownRedirect,
    /// The authorization request was answered already, or waited for too long.
    RequestExpired,
    /// A link that is good once was used already, or is too old.
    LinkExpired,
    /// The form's token is missing, old or of another browser.
    FormExpired,
    /// The person was signed out while their request was under way.
    SignedOut,
    /// The person is signed in, and may not do this.
    Forbidden,
    /// The account is locked.
    AccountLocked,
    /// The account has as many sessions as it may; this many have to end before another one begins.
    TooManySessions(u64),
    /// Nothing is here.
    NotFound,
    /// No device of that name is signed in to the account; it may be anybody's, or nobody's.
    UnknownDevice,
    /// Too many attempts; after this time another one is allowed.
    TooManyAttempts(Duration),
    /// Our fault.
    Internal,
    /// The homeserver does not answer.
    HomeserverUnreachable,
    /// We cannot answer just now: starting, stopping or overloaded.
    Unavailable,
}

impl Problem {
    /// The status a page with this problem is answered with.
    pub fn status(self) -> StatusCode {
        match self {
            Problem::BadRequest
            | Problem::UnknownClient
            | Problem::UnknownRedirect
            | Problem::LinkExpired
            | Problem::RequestExpired => StatusCode::BAD_REQUEST,
            Problem::FormExpired
            | Problem::SignedOut
            | Problem::Forbidden
            | Problem::AccountLocked
            | Problem::TooManySessions(_) => StatusCode::FORBIDDEN,
            Problem::NotFound | Problem::UnknownDevice => StatusCode::NOT_FOUND,
            Problem::TooManyAttempts(_) => StatusCode::TOO_MANY_REQUESTS,
            Problem::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Problem::HomeserverUnreachable | Problem::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Where a person goes on after an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WayOn {
    /// To the sign-in page.
    SignIn,
    /// To the account pages.
    Account,
    /// To the same page once more: a local path.
    Again(String),
}

/// The page for anything that went wrong.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// What went wrong.
    pub problem: Problem,
    /// Where to go on.
    pub way_on: Option<WayOn>,
    /// What to quote when asking for help; the log has the same.
    pub request_id: String,
}

/// What a page's handler gives up with: a problem, and where to go on.
#[derive(Clone, Debug)]
pub struct PageError {
    /// What went wrong.
    pub problem: Problem,
    /// Where to go on.
    pub way_on: Option<WayOn>,
}

impl PageError {
    /// The same with a way on.
    #[must_use]
    pub fn then(self, way_on: WayOn) -> PageError {
        PageError { way_on: Some(way_on), ..self }
    }
}

impl From<Problem> for PageError {
    fn from(problem: Problem) -> PageError {
        PageError { problem, way_on: None }
    }
}

impl From<store::Error> for PageError {
    fn from(error: store::Error) -> PageError {
        tracing::error!(error = &error as &dyn std::error::Error, "the database failed under a page");
        PageError::from(if error.is_passing() { Problem::Unavailable } else { Problem::Internal })
    }
}

impl From<FormError> for PageError {
    fn from(_: FormError) -> PageError {
        PageError::from(Problem::BadRequest)
    }
}

impl From<ForeignForm> for PageError {
    fn from(_: ForeignForm) -> PageError {
        PageError::from(Problem::FormExpired)
    }
}
