//! What answers in the place of an OAuth endpoint that does not come to answer: in the same form as its
//! own refusals, since programs read them.

use std::any::Any;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue};

use super::error::Error;

/// Answers methods that an endpoint does not have (RFC 9110 §15.5.6); the router adds `Allow`.
pub async fn method_not_allowed() -> Response {
    Error::MethodNotAllowed.into_response()
}

/// The same for addresses without the layer that lets any origin read.
pub async fn method_not_allowed_for_any_origin() -> Response {
    let mut response = method_not_allowed().await;
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// Layer, by `axum::middleware::from_fn_with_state`: no request takes longer.
pub async fn in_time(State(longest): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(longest, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Error::TemporarilyUnavailable("this took too long".into()).into_response(),
    }
}

/// Answers for a handler that panicked.
pub fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word");
    Error::Internal(format!("a handler panicked: {text}").into()).into_response()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn_with_state;
    use axum::routing::post;
    use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
    use http::{Method, StatusCode};
    use tower::ServiceExt;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    async fn ask(method: Method, path: &str) -> (Response, serde_json::Value) {
        let router = Router::new()
            .route("/stuck", post(std::future::pending::<()>))
            .route("/broken", post(async || -> () { panic!("with a secret") }))
            .method_not_allowed_fallback(method_not_allowed)
            .layer(CatchPanicLayer::custom(panicked))
            .layer(from_fn_with_state(Duration::from_millis(1), in_time));
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        let body = serde_json::from_slice(&to_bytes(body, 1 << 16).await.unwrap()).unwrap();
        (Response::from_parts(parts, Body::empty()), body)
    }

    #[tokio::test]
    async fn programs_can_read_what_came_in_the_place_of_an_answer() {
        for (method, path, status, code) in [
            (Method::POST, "/stuck", StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
            (Method::POST, "/broken", StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
            (Method::GET, "/stuck", StatusCode::METHOD_NOT_ALLOWED, "invalid_request"),
        ] {
            let (answer, body) = ask(method.clone(), path).await;
            assert_eq!((answer.status(), &body["error"]), (status, &code.into()), "{method} {path}");
            assert!(body["error_description"].is_string() && !body.to_string().contains("secret"), "{body}");
            let headers = answer.headers();
            assert_eq!(headers[CONTENT_TYPE], "application/json", "{method} {path}");
            assert_eq!(headers[CACHE_CONTROL], "no-store", "{method} {path}");
            assert_eq!(headers.contains_key(RETRY_AFTER), path == "/stuck" && method == Method::POST);
            assert_eq!(
                headers.get(ALLOW).map(|allow| allow == "POST"),
                (method == Method::GET).then_some(true)
            );
        }
    }
}
