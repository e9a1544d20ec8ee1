//! Cross-origin access (Fetch standard, CORS protocol) for the endpoints that programs call.
//!
//! Matrix clients in a browser live on an origin of their own and authenticate with what they
//! send, never with cookies; so any origin may read these answers, errors included. Without the
//! header on an error a browser reports a network failure, and clients try again for ever instead
//! of reading `invalid_grant`.
//!
//! Pages never get this layer.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, Method, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    },
};

const ANY_ORIGIN: HeaderValue = HeaderValue::from_static("*");
const MAX_AGE_SECONDS: &str = "3600";

/// What scripts of other origins may do.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// The methods.
    pub methods: &'static str,
    /// The headers that they may send.
    pub request_headers: &'static str,
    /// The headers that they may read beside the usual ones; may be empty.
    pub exposed: &'static str,
}

const USUAL: Access = Access {
    methods: "GET, POST, OPTIONS",
    request_headers: "Content-Type, Authorization, Accept, Accept-Language, X-Requested-With",
    exposed: "",
};

/// Layer, by `axum::middleware::from_fn`: every answer may be read from any origin, and OPTIONS is
/// answered here, before authentication and before the handler.
///
/// It must lie outside of all layers that answer by themselves (limits, timeouts, caught panics),
/// and a router with it must have set its 404 fallback before the layer is added.
pub async fn cors(request: Request, next: Next) -> Response {
    cors_for(State(USUAL), request, next).await
}

/// [`cors`] where scripts may do other things, by `axum::middleware::from_fn_with_state`.
pub async fn cors_for(State(access): State<Access>, request: Request, next: Next) -> Response {
    let mut response = match *request.method() {
        Method::OPTIONS => allow(access),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY_ORIGIN);
    if !access.exposed.is_empty() {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(access.exposed));
    }
    response
}

/// Answers OPTIONS where the layer is not: at addresses whose answers carry the header already.
pub async fn preflight() -> Response {
    allow(USUAL)
}

fn allow(access: Access) -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_ALLOW_METHODS, access.methods),
        (ACCESS_CONTROL_ALLOW_HEADERS, access.request_headers),
        (ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, middleware::from_fn, routing::post};
    use tower::ServiceExt;

    use super::*;

    /// `/works` answers a POST, `/refuses` refuses it; everything else is unknown.
    async fn ask(method: Method, path: &str) -> Response {
        let router = Router::new()
            .route("/works", post(|| async { "done" }))
            .route("/refuses", post(|| async { StatusCode::UNAUTHORIZED }))
            .route("/fails", post(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
            .fallback(|| async { StatusCode::NOT_FOUND })
            .layer(from_fn(cors));
        let request = Request::builder().method(method).uri(path).body(Body::empty());
        router.oneshot(request.unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn every_answer_may_be_read_from_any_origin() {
        let table = [
            (Method::POST, "/works", 200),
            (Method::POST, "/refuses", 401),
            (Method::POST, "/fails", 500),
            (Method::DELETE, "/works", 405),
            (Method::GET, "/unknown", 404),
            (Method::OPTIONS, "/works", 204),
        ];
        for (method, path, status) in table {
            let answer = ask(method.clone(), path).await;
            assert_eq!(answer.status(), status, "{method} {path}");
            assert_eq!(answer.headers()["access-control-allow-origin"], "*", "{method} {path}");
        }
    }

    #[tokio::test]
    async fn a_preflight_is_answered_before_the_handler() {
        let answer = ask(Method::OPTIONS, "/refuses").await;
        assert_eq!(answer.status(), 204);
        let headers = answer.headers();
        assert_eq!(headers["access-control-allow-methods"], "GET, POST, OPTIONS");
        assert_eq!(
            headers["access-control-allow-headers"],
            "Content-Type, Authorization, Accept, Accept-Language, X-Requested-With"
        );
        assert_eq!(headers["access-control-max-age"], "3600");
        assert!(!headers.contains_key("access-control-allow-credentials"));
    }
}
