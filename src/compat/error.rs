//! How the login API says that something is wrong (Matrix CS API, Standard error response).

use std::any::Any;
use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{HeaderValue, WWW_AUTHENTICATE};
use serde_json::json;

use crate::accounts::passwords;
use crate::http::headers::{no_store, set_retry_after};
use crate::keys::HashError;
use crate::sessions::device::NotReady;
use crate::{homeserver, policy, store};

/// When a client should come back after something passing.
const SOON: Duration = Duration::from_secs(2);

/// Why a request of the login API is not granted.
#[derive(Debug)]
pub enum Error {
    /// The body is not JSON.
    NotJson,
    /// The body is JSON of another form.
    BadJson(&'static str),
    /// A member is missing.
    MissingParam(&'static str),
    /// A member has a value that cannot be used.
    InvalidParam(&'static str),
    /// There is no such login type or kind of identifier here.
    Unsupported(&'static str),
    /// Application services do not log in (MSC4190).
    AppserviceLogin,
    /// Wrong name, password or login token, or the policy does not allow it.
    Forbidden(&'static str),
    /// The account has as many sessions as it may; the field is where the person can end some (MSC4335).
    TooManySessions(String),
    /// The account is deactivated.
    Deactivated,
    /// The account is locked (Matrix CS API, Account locking).
    Locked,
    /// No access token came with the request.
    MissingToken,
    /// The token is not one that this API issued to a session that lives.
    UnknownToken,
    /// Too many attempts.
    TooManyRequests(Duration),
    /// Nothing is wrong with the request; it may be repeated a moment later.
    Unavailable(Cow<'static, str>),
    /// The body is too large.
    TooLarge,
    /// Nothing is here.
    NotFound,
    /// Something is here, but not for this method.
    MethodNotAllowed,
    /// Our fault.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Error {
        match error.is_passing() {
            true => {
                tracing::error!(%error, "the database is not available");
                Error::Unavailable("the database is not available".into())
            }
            false => Error::Internal(Box::new(error)),
        }
    }
}

impl From<homeserver::Error> for Error {
    fn from(error: homeserver::Error) -> Error {
        tracing::error!(%error, "the homeserver did not do what a login needs");
        Error::Unavailable("the homeserver cannot be reached".into())
    }
}

impl From<NotReady> for Error {
    fn from(error: NotReady) -> Error {
        match error {
            NotReady::Busy | NotReady::TooLate => Error::Unavailable(error.to_string().into()),
            NotReady::Homeserver(error) => error.into(),
            NotReady::Store(error) => error.into(),
        }
    }
}

impl From<passwords::Error> for Error {
    fn from(error: passwords::Error) -> Error {
        match error {
            passwords::Error::Store(error) => error.into(),
            passwords::Error::Hash(HashError::Busy) => Error::Unavailable(HashError::Busy.to_string().into()),
            error => Error::Internal(Box::new(error)),
        }
    }
}

impl From<policy::Error> for Error {
    fn from(error: policy::Error) -> Error {
        Error::Internal(Box::new(error))
    }
}

impl Error {
    /// Status, error code, and a sentence for developers.
    fn parts(&self) -> (StatusCode, &'static str, Cow<'static, str>) {
        let bad = StatusCode::BAD_REQUEST;
        match self {
            Error::NotJson => (bad, "M_NOT_JSON", "the body is not JSON".into()),
            Error::BadJson(why) => (bad, "M_BAD_JSON", (*why).into()),
            Error::MissingParam(why) => (bad, "M_MISSING_PARAM", (*why).into()),
            Error::InvalidParam(why) => (bad, "M_INVALID_PARAM", (*why).into()),
            Error::Unsupported(why) => (bad, "M_UNKNOWN", (*why).into()),
            Error::AppserviceLogin => (
                bad,
                "M_APPSERVICE_LOGIN_UNSUPPORTED",
                "application services make their devices at the homeserver".into(),
            ),
            Error::Forbidden(why) => (StatusCode::FORBIDDEN, "M_FORBIDDEN", (*why).into()),
            Error::TooManySessions(_) => (
                StatusCode::FORBIDDEN,
                "M_USER_LIMIT_EXCEEDED",
                "this account is signed in too often; sign out somewhere first".into(),
            ),
            Error::Deactivated => {
                (StatusCode::FORBIDDEN, "M_USER_DEACTIVATED", "this account is deactivated".into())
            }
            Error::Locked => (StatusCode::UNAUTHORIZED, "M_USER_LOCKED", "this account is locked".into()),
            Error::MissingToken => {
                (StatusCode::UNAUTHORIZED, "M_MISSING_TOKEN", "an access token is required".into())
            }
            Error::UnknownToken => {
                (StatusCode::UNAUTHORIZED, "M_UNKNOWN_TOKEN", "the token is not known here".into())
            }
            Error::TooManyRequests(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "M_LIMIT_EXCEEDED",
                "too many attempts; wait before the next".into(),
            ),
            Error::Unavailable(why) => (StatusCode::SERVICE_UNAVAILABLE, "M_UNKNOWN", why.clone()),
            Error::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "M_TOO_LARGE", "the request is too large".into())
            }
            Error::NotFound => (StatusCode::NOT_FOUND, "M_UNRECOGNIZED", "nothing is here".into()),
            Error::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "M_UNRECOGNIZED", "this method is not offered here".into())
            }
            Error::Internal(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "M_UNKNOWN", "something went wrong here".into())
            }
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, errcode, why) = self.parts();
        match &self {
            Error::Internal(error) => {
                tracing::error!(error = &**error as &dyn std::error::Error, "a login request failed")
            }
            _ => tracing::debug!(errcode, %why, "a login request was refused"),
        }
        let mut body = json!({ "errcode": errcode, "error": why });
        match &self {
            // The client keeps its data and comes back (Matrix CS API, Soft logout).
            Error::Locked => body["soft_logout"] = json!(true),
            Error::TooManySessions(info_uri) => body["info_uri"] = json!(info_uri),
            Error::TooManyRequests(wait) => body["retry_after_ms"] = json!(milliseconds(*wait)),
            _ => {}
        }
        let mut response = no_store((status, Json(body)));
        match &self {
            Error::TooManyRequests(wait) => set_retry_after(&mut response, *wait),
            Error::Unavailable(_) => set_retry_after(&mut response, SOON),
            _ => {}
        }
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110 §15.5.2 wants a challenge with every 401.
            let challenge = HeaderValue::from_static("Bearer realm=\"gatehouse\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// A span as Matrix spells it.
pub(super) fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Answers paths that are not here.
pub async fn not_found() -> Response {
    Error::NotFound.into_response()
}

/// Answers methods that an endpoint does not have; the router adds `Allow`.
pub async fn method_not_allowed() -> Response {
    Error::MethodNotAllowed.into_response()
}

/// Layer, by `axum::middleware::from_fn_with_state`: no request takes longer.
pub async fn in_time(State(longest): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(longest, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Error::Unavailable("this took too long".into()).into_response(),
    }
}

/// Answers for a handler that panicked; the message was printed with the panic.
pub fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    Error::Internal("a handler panicked".into()).into_response()
}
