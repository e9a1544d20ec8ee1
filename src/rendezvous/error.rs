//! How the rendezvous says that something is wrong: in the words of Matrix (Matrix CS API, Standard error
//! response; MSC4108).

use std::any::Any;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

use crate::http::headers::{no_store, set_retry_after};
use crate::http::rate_limits::Allowance;
use crate::store;

/// When to come back after something passing.
const SOON: Duration = Duration::from_secs(2);

/// Why a request is not granted.
#[derive(Debug)]
pub enum Error {
    /// A header that must be there is not.
    MissingParam(&'static str),
    /// A header says what it must not say.
    InvalidParam(&'static str),
    /// The text is too large.
    TooLarge,
    /// There is no such session, or no longer.
    NotFound,
    /// A browser wants to show what is there as a page.
    Forbidden,
    /// Too many sessions.
    TooMany(Duration),
    /// No such method here.
    MethodNotAllowed,
    /// It may be tried again a moment later.
    Unavailable,
    /// Our fault.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Error {
        match error.is_passing() {
            true => {
                tracing::error!(%error, "the database is not available");
                Error::Unavailable
            }
            false => Error::Internal(Box::new(error)),
        }
    }
}

impl Error {
    /// What a limit says, as an error.
    ///
    /// # Errors
    /// [`Error::TooMany`] when the allowance is exhausted.
    pub fn check(allowance: Allowance) -> Result<(), Error> {
        match allowance {
            Allowance::Granted => Ok(()),
            Allowance::Exhausted(wait) => Err(Error::TooMany(wait)),
        }
    }

    fn parts(&self) -> (StatusCode, &'static str, &'static str) {
        let bad = StatusCode::BAD_REQUEST;
        match self {
            Error::MissingParam(why) => (bad, "M_MISSING_PARAM", why),
            Error::InvalidParam(why) => (bad, "M_INVALID_PARAM", why),
            Error::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "M_TOO_LARGE", "4096 bytes are the most"),
            Error::NotFound => {
                (StatusCode::NOT_FOUND, "M_NOT_FOUND", "there is no such session, or no longer")
            }
            Error::Forbidden => (StatusCode::FORBIDDEN, "M_FORBIDDEN", "this is not for browsers to show"),
            Error::TooMany(_) => {
                (StatusCode::TOO_MANY_REQUESTS, "M_UNKNOWN", "too many sessions; wait before the next")
            }
            Error::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "M_UNRECOGNIZED", "this method is not offered here")
            }
            Error::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "M_UNKNOWN", "this cannot be done just now; try again")
            }
            Error::Internal(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "M_UNKNOWN", "something went wrong here")
            }
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, errcode, error) = self.parts();
        if let Error::Internal(error) = &self {
            tracing::error!(error = &**error as &dyn std::error::Error, "a rendezvous request failed");
        }
        let mut response = no_store((status, Json(json!({ "errcode": errcode, "error": error }))));
        match self {
            Error::TooMany(wait) => set_retry_after(&mut response, wait),
            Error::Unavailable => set_retry_after(&mut response, SOON),
            _ => {}
        }
        response
    }
}

/// Answers methods that are not offered (RFC 9110 §15.5.6); the router adds `Allow`.
pub async fn method_not_allowed() -> Response {
    Error::MethodNotAllowed.into_response()
}

/// Layer, by `axum::middleware::from_fn_with_state`: no request takes longer.
pub async fn in_time(State(longest): State<Duration>, request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(longest, next.run(request)).await;
    answered.unwrap_or_else(|_| Error::Unavailable.into_response())
}

/// Answers for a handler that panicked.
pub fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    Error::Internal("a handler panicked".into()).into_response()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    #[tokio::test]
    async fn programs_can_read_what_came_in_the_place_of_an_answer() {
        let router = Router::new()
            .route("/stuck", get(std::future::pending::<()>))
            .route("/broken", get(async || -> () { panic!("with a secret") }))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(from_fn_with_state(Duration::from_millis(1), in_time));
        for (path, status) in [("/stuck", 503), ("/broken", 500)] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let answer = router.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), status, "{path}");
            assert_eq!(answer.headers().contains_key("retry-after"), status == 503, "{path}");
            let body = to_bytes(answer.into_body(), 1 << 16).await.unwrap();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["errcode"], "M_UNKNOWN", "{path}");
            assert!(!body.to_string().contains("secret"), "{body}");
        }
    }
}
