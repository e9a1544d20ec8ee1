//! How the OAuth endpoints say that something is wrong (RFC 6749 §5.2, RFC 6750 §3, RFC 7591 §3.2.2,
//! RFC 8628 §3.5).

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{HeaderValue, WWW_AUTHENTICATE};
use serde_json::json;

use crate::http::form::FormError;
use crate::http::headers::{no_store, set_retry_after};
use crate::http::rate_limits::Allowance;
use crate::sessions::device::NotReady;
use crate::{homeserver, policy, store};

use super::permission::Undecided;

/// When a client should come back after something passing.
const SOON: Duration = Duration::from_secs(2);

/// Why an OAuth request is not granted.
#[derive(Debug)]
pub enum Error {
    /// The request is malformed.
    InvalidRequest(Cow<'static, str>),
    /// The caller is not proven. The field is the scheme to challenge with, since a 401 always names one
    /// (RFC 9110 §15.5.2).
    InvalidClient(Challenge),
    /// The code or refresh token is not good.
    InvalidGrant(&'static str),
    /// The client may not use this grant.
    UnauthorizedClient(&'static str),
    /// There is no such grant here.
    UnsupportedGrantType,
    /// The scope cannot be granted.
    InvalidScope(String),
    /// A redirect URI cannot be registered.
    InvalidRedirectUri(String),
    /// Metadata cannot be registered.
    InvalidClientMetadata(String),
    /// A pushed authorization request is refused (RFC 9126 §2.3), with the code that a redirect would have.
    Authorization(&'static str, String),
    /// What has become of a device's sign-in so far (RFC 8628 §3.5): code and reason.
    Device(&'static str, &'static str),
    /// The access token is missing (no code is told then) or not good (RFC 6750 §3.1).
    InvalidToken(Option<&'static str>),
    /// The access token has not the scope that is needed.
    InsufficientScope(&'static str),
    /// Too many attempts.
    TooManyRequests(Duration),
    /// Nothing is wrong with the request; it may be repeated a moment later.
    TemporarilyUnavailable(Cow<'static, str>),
    /// The body is too large.
    TooLarge,
    /// The endpoint does not have the method.
    MethodNotAllowed,
    /// Our fault.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

/// Which scheme an unproven caller is told to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// HTTP Basic (RFC 6749 §5.2).
    Basic,
    /// A bearer token (RFC 7662 §2.1).
    Bearer,
}

impl From<FormError> for Error {
    fn from(error: FormError) -> Error {
        match error {
            FormError::TooLarge => Error::TooLarge,
            other => Error::InvalidRequest(other.to_string().into()),
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Error {
        match error.is_passing() {
            true => {
                tracing::error!(%error, "the database is not available");
                Error::TemporarilyUnavailable("the database is not available".into())
            }
            false => Error::Internal(Box::new(error)),
        }
    }
}

impl From<homeserver::Error> for Error {
    fn from(error: homeserver::Error) -> Error {
        tracing::error!(%error, "the homeserver did not do what a grant needs");
        Error::TemporarilyUnavailable("the homeserver cannot be reached".into())
    }
}

impl From<NotReady> for Error {
    fn from(error: NotReady) -> Error {
        match error {
            NotReady::Busy | NotReady::TooLate => Error::TemporarilyUnavailable(error.to_string().into()),
            NotReady::Homeserver(error) => error.into(),
            NotReady::Store(error) => error.into(),
        }
    }
}

impl From<policy::Error> for Error {
    fn from(error: policy::Error) -> Error {
        Error::Internal(Box::new(error))
    }
}

impl From<Undecided> for Error {
    fn from(error: Undecided) -> Error {
        match error {
            Undecided::Policy(error) => error.into(),
            Undecided::Store(error) => error.into(),
        }
    }
}

impl Error {
    /// What a limit says, as an error.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`] when the allowance is exhausted.
    pub fn check(allowance: Allowance) -> Result<(), Error> {
        match allowance {
            Allowance::Granted => Ok(()),
            Allowance::Exhausted(wait) => Err(Error::TooManyRequests(wait)),
        }
    }

    /// The code by which OAuth calls it.
    pub fn code(&self) -> &'static str {
        self.parts().1
    }

    fn parts(&self) -> (StatusCode, &'static str, Cow<'static, str>) {
        let bad = StatusCode::BAD_REQUEST;
        match self {
            Error::InvalidRequest(why) => (bad, "invalid_request", why.clone()),
            Error::InvalidClient(_) => (
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "the client is unknown or its credentials are wrong".into(),
            ),
            Error::InvalidGrant(why) => (bad, "invalid_grant", (*why).into()),
            Error::UnauthorizedClient(why) => (bad, "unauthorized_client", (*why).into()),
            Error::UnsupportedGrantType => {
                (bad, "unsupported_grant_type", "this grant type is not offered".into())
            }
            Error::InvalidScope(why) => (bad, "invalid_scope", why.clone().into()),
            Error::InvalidRedirectUri(why) => (bad, "invalid_redirect_uri", why.clone().into()),
            Error::InvalidClientMetadata(why) => (bad, "invalid_client_metadata", why.clone().into()),
            Error::Authorization(code, why) => (bad, code, why.clone().into()),
            Error::Device(code, why) => (bad, code, (*why).into()),
            Error::InvalidToken(why) => (
                StatusCode::UNAUTHORIZED,
                "invalid_token",
                why.unwrap_or("an access token is required").into(),
            ),
            Error::InsufficientScope(_) => (
                StatusCode::FORBIDDEN,
                "insufficient_scope",
                "the access token has not the scope for this".into(),
            ),
            Error::TooManyRequests(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "temporarily_unavailable",
                "too many attempts; wait before the next".into(),
            ),
            Error::TemporarilyUnavailable(why) => {
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", why.clone())
            }
            Error::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", "the request is too large".into())
            }
            Error::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "invalid_request", "this method is not offered here".into())
            }
            Error::Internal(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "server_error", "something went wrong here".into())
            }
        }
    }

    fn challenge(&self) -> Option<String> {
        match self {
            Error::InvalidClient(Challenge::Basic) => Some("Basic realm=\"gatehouse\"".to_owned()),
            Error::InvalidClient(Challenge::Bearer) => Some("Bearer realm=\"gatehouse\"".to_owned()),
            // A request without any token gets no error code (RFC 6750 §3.1).
            Error::InvalidToken(None) => Some("Bearer realm=\"gatehouse\"".to_owned()),
            Error::InvalidToken(Some(why)) => Some(format!(
                "Bearer realm=\"gatehouse\", error=\"invalid_token\", error_description=\"{why}\""
            )),
            Error::InsufficientScope(scope) => {
                Some(format!("Bearer realm=\"gatehouse\", error=\"insufficient_scope\", scope=\"{scope}\""))
            }
            _ => None,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, code, description) = self.parts();
        match &self {
            Error::Internal(error) => {
                tracing::error!(error = &**error as &dyn std::error::Error, "an OAuth request failed")
            }
            _ => tracing::debug!(code, %description, "an OAuth request was refused"),
        }
        let body = Json(json!({ "error": code, "error_description": description_text(&description) }));
        let mut response = no_store((status, body));
        match &self {
            Error::TooManyRequests(wait) => set_retry_after(&mut response, *wait),
            Error::TemporarilyUnavailable(_) => set_retry_after(&mut response, SOON),
            _ => {}
        }
        if let Some(challenge) = self.challenge().and_then(|text| HeaderValue::try_from(text).ok()) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The characters that a description may have (RFC 6749 §5.2).
pub fn description_text(text: &str) -> String {
    text.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect()
}
