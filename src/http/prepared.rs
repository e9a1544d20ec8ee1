//! Answers that are the same for everybody: put together once, with a validator and a compressed twin.

use std::io::Write as _;

use axum::body::{Body, Bytes};
use axum::response::Response;
use flate2::{Compression, write::GzEncoder};
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::keys;

/// An answer to `GET` that may be kept by whoever got it, and asked for again by its validator.
#[derive(Clone, Debug)]
pub struct Prepared {
    plain: Form,
    /// Only where it is smaller.
    gzip: Option<Form>,
}

/// The same content in one encoding (RFC 9110 §8.8.3: each has a validator of its own).
#[derive(Clone, Debug)]
struct Form {
    headers: HeaderMap,
    bytes: Bytes,
}

impl Prepared {
    /// Prepares bytes of a media type, with how long they may be kept and other headers.
    pub fn new(
        bytes: impl Into<Bytes>,
        media_type: &'static str,
        cache_control: &'static str,
        others: &[(HeaderName, &'static str)],
    ) -> Prepared {
        let bytes = bytes.into();
        let digest = &keys::digest(&bytes)[..22];
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache_control));
        for (name, value) in others {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let compressed = gzip(&bytes).filter(|compressed| compressed.len() < bytes.len());
        if compressed.is_some() {
            headers.insert(VARY, HeaderValue::from_name(ACCEPT_ENCODING));
        }
        let form = |bytes: Bytes, encoding: &str| {
            let mut headers = headers.clone();
            // Base64url and the name of an encoding: a valid header value.
            if let Ok(tag) = HeaderValue::try_from(format!("\"{digest}{encoding}\"")) {
                headers.insert(ETAG, tag);
            }
            Form { headers, bytes }
        };
        let gzip = compressed.map(|compressed| {
            let mut gzip = form(compressed.into(), "-gzip");
            gzip.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            gzip
        });
        Prepared { plain: form(bytes, ""), gzip }
    }

    /// Answers: in the encoding that the caller takes, and with nothing but the headers if the caller
    /// holds these bytes already.
    pub fn respond(&self, request: &HeaderMap) -> Response {
        let form = self.gzip.as_ref().filter(|_| takes_gzip(request)).unwrap_or(&self.plain);
        let is_held = form.headers.get(ETAG).is_some_and(|etag| is_held(request, etag));
        let mut response = Response::new(match is_held {
            true => Body::empty(),
            false => Body::from(form.bytes.clone()),
        });
        *response.headers_mut() = form.headers.clone();
        if is_held {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        response
    }
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

/// Whether the caller takes gzip (RFC 9110 §12.5.3). Without a word from them the bytes go as they are.
fn takes_gzip(request: &HeaderMap) -> bool {
    let lines = request.get_all(ACCEPT_ENCODING).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let is_refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0f32));
        name.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}

/// Whether the caller holds these bytes already (RFC 9110 §13.1.2, weak comparison).
pub(crate) fn is_held(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let lines = request.get_all(IF_NONE_MATCH).into_iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "the same words again and again, the same words again and again, the same words";

    fn prepared() -> Prepared {
        Prepared::new(TEXT, "text/plain", "public, max-age=600", &[])
    }

    fn ask(prepared: &Prepared, headers: &[(HeaderName, &str)]) -> Response {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
        prepared.respond(&headers.collect())
    }

    async fn body(response: Response) -> Bytes {
        axum::body::to_bytes(response.into_body(), 1000).await.unwrap()
    }

    #[tokio::test]
    async fn whoever_holds_the_bytes_is_not_sent_them_again() {
        let prepared = prepared();
        let first = ask(&prepared, &[]);
        let etag = first.headers()[ETAG].to_str().unwrap().to_owned();
        assert_eq!(first.headers()[CACHE_CONTROL], "public, max-age=600");
        assert_eq!(body(first).await, TEXT);
        for (held, status) in [
            (etag.clone(), 304),
            (format!("\"other\", W/{etag}"), 304),
            ("*".to_owned(), 304),
            ("\"other\"".to_owned(), 200),
            (etag.trim_matches('"').to_owned(), 200),
        ] {
            let again = ask(&prepared, &[(IF_NONE_MATCH, &held)]);
            assert_eq!(again.status(), status, "{held}");
            assert_eq!(again.headers()[ETAG], etag);
            assert_eq!(body(again).await.is_empty(), status == 304);
        }
    }

    #[tokio::test]
    async fn who_takes_gzip_gets_it_under_a_validator_of_its_own() {
        let prepared = prepared();
        for (accepted, is_gzip) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("br", false),
            ("gzip;q=0", false),
            ("gzip; q=0.000", false),
            ("", false),
        ] {
            let answer = ask(&prepared, &[(ACCEPT_ENCODING, accepted)]);
            assert_eq!(answer.headers().contains_key(CONTENT_ENCODING), is_gzip, "{accepted}");
            assert_eq!(answer.headers()[VARY], "accept-encoding");
            let etag = answer.headers()[ETAG].clone();
            assert_eq!(etag != ask(&prepared, &[]).headers()[ETAG], is_gzip);
            let bytes = body(answer).await;
            let mut text = String::new();
            match is_gzip {
                true => drop(std::io::Read::read_to_string(
                    &mut flate2::read::GzDecoder::new(&bytes[..]),
                    &mut text,
                )),
                false => text = String::from_utf8(bytes.to_vec()).unwrap(),
            }
            assert_eq!(text, TEXT);
        }
    }

    #[test]
    fn what_does_not_get_smaller_stays_as_it_is() {
        let short = Prepared::new("x", "text/plain", "no-cache", &[]);
        let answer = ask(&short, &[(ACCEPT_ENCODING, "gzip")]);
        assert!(!answer.headers().contains_key(CONTENT_ENCODING) && !answer.headers().contains_key(VARY));
    }
}
