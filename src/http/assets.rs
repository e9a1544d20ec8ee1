//! Stylesheets, modules and pictures: prepared once at start, served as bytes.
//!
//! The name of an asset carries the digest of its bytes, so a browser may keep it for good and a
//! new release is a new name. Modules must not import one another: the names in their source
//! carry no digest.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::keys;

#[derive(rust_embed::Embed)]
#[folder = "$CARGO_MANIFEST_DIR/frontend"]
struct Frontend;

/// Every asset, under the name it is served by.
#[derive(Debug)]
pub struct Assets {
    /// From a plain name, `style.css`, to the name with its digest, `style-<digest>.css`.
    names: HashMap<String, String>,
    prepared: HashMap<String, Asset>,
}

#[derive(Debug)]
struct Asset {
    bytes: Bytes,
    etag: String,
    media_type: &'static str,
}

impl Assets {
    /// Prepares what is in `frontend/` and what was made from the configuration: plain names with
    /// their bytes.
    pub fn new(made: Vec<(String, Vec<u8>)>) -> Assets {
        let mut assets = Assets { names: HashMap::new(), prepared: HashMap::new() };
        for name in Frontend::iter() {
            if let Some(file) = Frontend::get(&name) {
                assets.add(&name, file.data.into_owned());
            }
        }
        for (name, bytes) in made {
            assets.add(&name, bytes);
        }
        assets
    }

    fn add(&mut self, name: &str, bytes: Vec<u8>) {
        let mut digest = keys::digest(&bytes);
        digest.truncate(16);
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let served = format!("{stem}-{digest}.{extension}");
        let media_type = media_type(extension);
        self.prepared
            .insert(served.clone(), Asset { bytes: bytes.into(), etag: format!("\"{digest}\""), media_type });
        self.names.insert(name.to_owned(), served);
    }

    /// The name an asset is served by.
    pub fn name(&self, plain: &str) -> Option<&str> {
        self.names.get(plain).map(String::as_str)
    }

    /// Answers `GET /assets/{name}`; any name but one with today's digest is 404.
    pub fn respond(&self, name: &str, request: &HeaderMap) -> Response {
        let Some(asset) = self.prepared.get(name) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let headers = [
            (CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (CONTENT_TYPE, asset.media_type),
            (ETAG, asset.etag.as_str()),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            // A picture opened by its own address is a document; it may not do anything.
            (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
        ];
        if is_known(request, &asset.etag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, asset.bytes.clone()).into_response()
    }
}

/// Whether the caller holds these bytes already (RFC 9110 §13.1.2, weak comparison).
pub fn is_known(request: &HeaderMap, etag: &str) -> bool {
    request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim())
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

fn media_type(extension: &str) -> &'static str {
    match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(assets: &Assets, name: &str, if_none_match: Option<&str>) -> StatusCode {
        let mut request = HeaderMap::new();
        if let Some(tag) = if_none_match {
            request.insert(IF_NONE_MATCH, tag.parse().expect("a header"));
        }
        assets.respond(name, &request).status()
    }

    #[test]
    fn an_asset_is_found_by_its_digest_alone() {
        let assets = Assets::new(vec![("brand.css".to_owned(), b":root{}".to_vec())]);
        for plain in ["style.css", "brand.css", "show-password.js"] {
            let served = assets.name(plain).expect("a served name");
            assert_ne!(served, plain);
            assert_eq!(status(&assets, served, None), StatusCode::OK);
            assert_eq!(status(&assets, plain, None), StatusCode::NOT_FOUND);
        }
        assert_eq!(status(&assets, "../Cargo.toml", None), StatusCode::NOT_FOUND);
    }

    #[test]
    fn an_asset_the_browser_holds_is_not_sent_again() {
        let assets = Assets::new(Vec::new());
        let served = assets.name("style.css").expect("a served name");
        let response = assets.respond(served, &HeaderMap::new());
        let etag = response.headers()[ETAG].to_str().expect("text").to_owned();
        assert_eq!(response.headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(status(&assets, served, Some(&etag)), StatusCode::NOT_MODIFIED);
        assert_eq!(status(&assets, served, Some(&format!("\"other\", W/{etag}"))), StatusCode::NOT_MODIFIED);
        assert_eq!(status(&assets, served, Some("\"other\"")), StatusCode::OK);
    }

    #[test]
    fn other_bytes_have_another_name() {
        let of = |css: &str| {
            let assets = Assets::new(vec![("brand.css".to_owned(), css.as_bytes().to_vec())]);
            assets.name("brand.css").map(str::to_owned)
        };
        assert_ne!(of("a"), of("b"));
        assert_eq!(of("a"), of("a"));
    }
}
