//! Stylesheets, modules and pictures: prepared once at start, served as bytes.
//!
//! The name of an asset carries the digest of its bytes, so a browser may keep it for good and a
//! new release is a new name. Modules must not import one another: the names in their source
//! carry no digest.

use std::collections::HashMap;

use axum::http::header::{CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};

use super::prepared::Prepared;
use crate::keys;

#[derive(rust_embed::Embed)]
#[folder = "$CARGO_MANIFEST_DIR/frontend"]
struct Frontend;

/// Every asset, under the name it is served by.
#[derive(Debug)]
pub struct Assets {
    /// From a plain name, `style.css`, to the name with its digest, `style-<digest>.css`.
    names: HashMap<String, String>,
    prepared: HashMap<String, Prepared>,
}

/// The name of an asset changes with its bytes.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

const HEADERS: [(HeaderName, &str); 2] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // A picture opened by its own address is a document; it may not do anything.
    (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
];

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
        let asset = Prepared::new(bytes, media_type(extension), FOR_GOOD, &HEADERS);
        self.prepared.insert(served.clone(), asset);
        self.names.insert(name.to_owned(), served);
    }

    /// The name an asset is served by.
    pub fn name(&self, plain: &str) -> Option<&str> {
        self.names.get(plain).map(String::as_str)
    }

    /// Answers `GET /assets/{name}`; any name but one with today's digest is 404.
    pub fn respond(&self, name: &str, request: &HeaderMap) -> Response {
        match self.prepared.get(name) {
            Some(asset) => asset.respond(request),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }
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

    #[test]
    fn an_asset_is_found_by_its_digest_alone() {
        let assets = Assets::new(vec![("brand.css".to_owned(), b":root{}".to_vec())]);
        let status = |name: &str| assets.respond(name, &HeaderMap::new()).status();
        for plain in ["style.css", "brand.css", "show-password.js"] {
            let served = assets.name(plain).expect("a served name");
            assert_ne!(served, plain);
            assert_eq!(status(served), StatusCode::OK);
            assert_eq!(status(plain), StatusCode::NOT_FOUND);
        }
        assert_eq!(status("../Cargo.toml"), StatusCode::NOT_FOUND);
    }

    #[test]
    fn an_asset_may_be_kept_for_good() {
        let assets = Assets::new(Vec::new());
        let served = assets.name("style.css").expect("a served name");
        let response = assets.respond(served, &HeaderMap::new());
        assert_eq!(response.headers()["cache-control"], FOR_GOOD);
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
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
