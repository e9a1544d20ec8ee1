//! A name for every request, by which its log lines and the answer can be found again.

use std::{fmt, time::Instant};

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use http::{HeaderName, HeaderValue};
use tracing::{Instrument, field::Empty, info, info_span};
use ulid::Ulid;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Request extension: the id of this request, also sent in the answer as `X-Request-Id`. Ours
/// alone: an id that the caller sent could point a reader of the log to a stranger's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(Ulid);

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Layer, by `axum::middleware::from_fn`, outermost of all: gives the request its id and a tracing
/// span with method, path, status and duration. The query never enters it: it carries codes,
/// states and tokens.
pub async fn request_id(mut request: Request, next: Next) -> Response {
    let id = RequestId(Ulid::generate());
    request.extensions_mut().insert(id);
    let span = info_span!(
        "request",
        id = %id,
        method = %request.method(),
        path = path(&request),
        status = Empty,
        duration_milliseconds = Empty,
    );
    let begun = Instant::now();
    let recorded = span.clone();
    let answer = async move {
        let response = next.run(request).await;
        let duration = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        recorded.record("status", response.status().as_u16());
        recorded.record("duration_milliseconds", duration);
        info!("request answered");
        response
    };
    let mut response = answer.instrument(span).await;
    // A ULID is always a valid header value.
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response
}

/// The path, or in the place of one that holds a secret the route with its `{secret}`.
fn path(request: &Request) -> &str {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    route.filter(|route| route.ends_with("{secret}")).unwrap_or(request.uri().path())
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use axum::{Extension, Router, body::Body, middleware::from_fn, routing::get};
    use tower::ServiceExt;
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Log {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    async fn ask(uri: &str) -> (String, Response) {
        let router = Router::new()
            .route("/echo", get(async |Extension(id): Extension<RequestId>| id.to_string()))
            .layer(from_fn(request_id));
        let request = Request::get(uri).header("x-request-id", "mine").body(Body::empty());
        let response = router.oneshot(request.unwrap()).await.unwrap();
        (response.headers()["x-request-id"].to_str().unwrap().to_owned(), response)
    }

    // One test: what one of two at once writes without a log would stay unwritten for the other.
    #[tokio::test]
    async fn handler_answer_and_log_carry_the_same_fresh_id_and_the_log_never_the_query() {
        let (id, response) = ask("/echo").await;
        let body = axum::body::to_bytes(response.into_body(), 100).await.unwrap();
        assert_eq!(body, id);
        assert_eq!(id.len(), 26);
        assert_ne!(id, ask("/echo").await.0);
        assert_eq!(ask("/unknown").await.1.status(), 404);

        let log = Log::default();
        let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false);
        let id = {
            let _guard = tracing::subscriber::set_default(subscriber.finish());
            ask("/echo?code=top-secret").await.0
        };
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        for part in [id.as_str(), "GET", "/echo", "status=200", "duration_milliseconds="] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
        assert!(!text.contains("secret"), "{text}");
    }
}
