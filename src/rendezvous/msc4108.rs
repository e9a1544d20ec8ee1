//! The 2024 form (MSC4108 at commit 87f8317a, "Insecure rendezvous session"): a text at a URL, and entity
//! tags for what was last seen.
//!
//! Its readers compare to the letter. The media type is `text/plain` and nothing behind it, and every entity
//! tag is a strong one that no proxy may touch: an answer that `no-transform` keeps from being compressed
//! on the way keeps its tag.

use axum::Json;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, EXPIRES, HeaderValue, IF_MATCH, LAST_MODIFIED, PRAGMA,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, StatusCode};
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::json;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use url::Url;

use super::error::{Error, in_time, method_not_allowed, panicked};
use super::sessions::{self, CAPACITY, LARGEST, Revision, Written};
use crate::app::App;
use crate::http::cors::{Access, cors_for};
use crate::http::prepared::is_held;
use crate::http::rate_limits::{Action, spend};
use crate::http::requester::Requester;
use crate::time::Timestamp;

/// Where sessions begin. A homeserver may redirect to it from the same path of its own.
pub const PATH: &str = "/_matrix/client/unstable/org.matrix.msc4108/rendezvous";
/// When to come back once there is no place left; most sessions end sooner than they could.
const UNTIL_ONE_ENDS: Duration = Duration::from_secs(30);

/// What scripts from anywhere may do.
const ACCESS: Access = Access {
    methods: "GET, POST, PUT, DELETE, OPTIONS",
    request_headers: "Content-Type, If-Match, If-None-Match",
    exposed: "ETag",
};

/// The routes, with layers of their own. No request takes longer than `longest`.
pub fn router(longest: Duration) -> Router<App> {
    Router::new()
        .route(PATH, post(create))
        .route(&format!("{PATH}/{{secret}}"), get(read).put(write).delete(end))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(longest, in_time))
        .layer(from_fn(no_pages))
        .layer(from_fn_with_state(ACCESS, cors_for))
}

/// The address of our own where sessions begin, as others see it.
pub fn address(public_base: &Url) -> String {
    format!("{}{PATH}", public_base.as_str().trim_end_matches('/'))
}

/// Layer: nothing here is ever a page. What strangers left is not shown by a browser that was led here by a
/// link, an image or a frame (MSC4388, "Unsafe content"), and never taken for anything but text.
async fn no_pages(request: Request, next: Next) -> Response {
    let mut response = match is_navigation(request.headers()) {
        true => Error::Forbidden.into_response(),
        false => next.run(request).await,
    };
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Whether a browser fetches this for itself and not for a script (Fetch Metadata). Programs that are no
/// browsers send none of these headers.
fn is_navigation(headers: &HeaderMap) -> bool {
    let says = |name: &str, wanted: &str| headers.get(name).is_some_and(|value| value == wanted);
    headers.get("sec-fetch-dest").is_some_and(|value| value != "empty")
        || says("sec-fetch-mode", "navigate")
        || says("sec-fetch-user", "?1")
        || says("sec-fetch-site", "none")
}

/// `POST`: begins a session.
async fn create(State(app): State<App>, requester: Requester, request: Request) -> Result<Response, Error> {
    let data = text(request).await?;
    Error::check(spend(&app, &Action::BeginRendezvousFrom(&requester.limit_key())).await?)?;
    let Some((id, revision)) = sessions::create(&app, &data).await? else {
        tracing::warn!(CAPACITY, "there are as many rendezvous sessions as there may be; one was refused");
        return Err(Error::TooMany(UNTIL_ONE_ENDS));
    };
    tracing::info!(ip = requester.ip(), "a rendezvous began");
    let url = format!("{}/{id}", address(&app.config.http.public_base));
    Ok((StatusCode::CREATED, common(&revision), Json(json!({ "url": url }))).into_response())
}

/// `GET`: what is there, unless the caller has seen it.
async fn read(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, Error> {
    let found = sessions::read(&app.store, &id, app.clock.now()).await?;
    let (revision, data) = found.ok_or(Error::NotFound)?;
    let common = common(&revision);
    if common.get(ETAG).is_some_and(|tag| is_held(&headers, tag)) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    Ok(plain(StatusCode::OK, common, data))
}

/// `PUT`: leaves another text in the place of the one that the caller has seen.
async fn write(State(app): State<App>, Path(id): Path<String>, request: Request) -> Result<Response, Error> {
    let seen = seen(request.headers())?;
    let data = text(request).await?;
    match sessions::write(&app, &id, &seen, &data).await? {
        // With a media type, since some proxies spoil the entity tag of an answer that has none.
        Written::Done(revision) => Ok(plain(StatusCode::ACCEPTED, common(&revision), Vec::new())),
        Written::Stale(revision) => {
            let error = json!({
                "errcode": "M_UNKNOWN",
                "org.matrix.msc4108.errcode": "M_CONCURRENT_WRITE",
                "error": "somebody else has written since",
            });
            Ok((StatusCode::PRECONDITION_FAILED, common(&revision), Json(error)).into_response())
        }
        Written::Unknown => Err(Error::NotFound),
    }
}

/// `DELETE`: ends a session.
async fn end(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode, Error> {
    match sessions::end(&app, &id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Error::NotFound),
    }
}

/// The text of a request.
async fn text(request: Request) -> Result<Vec<u8>, Error> {
    let (parts, body) = request.into_parts();
    let header = |name| parts.headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default());
    let media_type = header(CONTENT_TYPE).ok_or(Error::MissingParam("Content-Type is required"))?;
    if !media_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/plain") {
        return Err(Error::InvalidParam("Content-Type must be text/plain"));
    }
    let length = header(CONTENT_LENGTH).ok_or(Error::MissingParam("Content-Length is required"))?;
    let length: u64 = length.parse().map_err(|_| Error::InvalidParam("Content-Length must be a number"))?;
    if length > LARGEST as u64 {
        return Err(Error::TooLarge);
    }
    match to_bytes(body, LARGEST).await {
        Ok(bytes) => Ok(bytes.into()),
        Err(error) if error.to_string().contains("length limit") => Err(Error::TooLarge),
        Err(_) => Err(Error::InvalidParam("the text could not be read")),
    }
}

/// The revision that a writer has seen. Only a single strong entity tag is one (RFC 9110 §8.8.3).
fn seen(headers: &HeaderMap) -> Result<String, Error> {
    let mut given = headers.get_all(IF_MATCH).iter();
    let tag = given.next().ok_or(Error::MissingParam("If-Match is required"))?.as_bytes();
    let opaque = tag.strip_prefix(b"\"").and_then(|tag| tag.strip_suffix(b"\""));
    let opaque = opaque.filter(|opaque| opaque.iter().all(|byte| matches!(byte, b'!' | b'#'..=b'~')));
    match (opaque, given.next()) {
        (Some(opaque), None) => Ok(String::from_utf8_lossy(opaque).into_owned()),
        _ => Err(Error::InvalidParam("If-Match must be one strong entity tag")),
    }
}

/// What every answer about a session has, "Common HTTP response headers".
fn common(revision: &Revision) -> HeaderMap {
    let moments = [(EXPIRES, revision.expires_at), (LAST_MODIFIED, revision.modified_at)];
    let mut headers: HeaderMap =
        moments.into_iter().filter_map(|(name, moment)| Some((name, http_date(moment)?))).collect();
    if let Ok(tag) = HeaderValue::try_from(format!("\"{}\"", revision.name)) {
        headers.insert(ETAG, tag);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers
}

/// A moment as HTTP writes it (RFC 9110 §5.6.7).
fn http_date(moment: Timestamp) -> Option<HeaderValue> {
    let moment = jiff::Timestamp::from_second(moment.as_seconds()).ok()?;
    DateTimePrinter::new().timestamp_to_rfc9110_string(&moment).ok()?.try_into().ok()
}

/// A text with the media type to the letter.
fn plain(status: StatusCode, mut headers: HeaderMap, data: Vec<u8>) -> Response {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    let mut response = Response::new(Body::from(data));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_browser_that_would_show_it_is_told_from_a_script_and_a_program() {
        let script = ("sec-fetch-dest", "empty");
        for (lines, is_refused) in [
            (&[][..], false),
            (&[script, ("sec-fetch-mode", "cors"), ("sec-fetch-site", "cross-site")], false),
            (&[script, ("sec-fetch-mode", "no-cors"), ("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-dest", "document")], true),
            (&[("sec-fetch-dest", "image")], true),
            (&[("sec-fetch-dest", "iframe")], true),
            (&[("sec-fetch-dest", "")], true),
            (&[script, ("sec-fetch-mode", "navigate")], true),
            (&[script, ("sec-fetch-user", "?1")], true),
            (&[script, ("sec-fetch-user", "?0")], false),
            (&[script, ("sec-fetch-site", "none")], true),
        ] {
            assert_eq!(is_navigation(&headers(lines)), is_refused, "{lines:?}");
        }
    }

    #[test]
    fn only_one_strong_entity_tag_says_what_was_seen() {
        let read = |value| seen(&headers(&[("if-match", value)])).ok();
        assert_eq!(read("\"abc\"").as_deref(), Some("abc"));
        assert_eq!(read("\"\"").as_deref(), Some(""));
        for wrong in ["", "*", "abc", "\"", "W/\"abc\"", "\"a\", \"b\"", "\"a\"b\"", "\"a b\"", "'abc'"] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
        assert!(seen(&headers(&[("if-match", "\"a\""), ("if-match", "\"a\"")])).is_err());
        assert!(matches!(seen(&headers(&[])), Err(Error::MissingParam(_))));
    }

    #[test]
    fn moments_are_written_as_http_writes_them() {
        let moment = http_date(Timestamp(784_111_777_999)).unwrap();
        assert_eq!(moment, "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
