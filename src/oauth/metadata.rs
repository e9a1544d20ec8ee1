//! What the server is and offers: discovery (OpenID Connect Discovery §3, RFC 8414) and its keys.
//!
//! Everything here follows from the configuration, so it is put together once.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use url::Url;

use super::client_assertion;
use super::id_token::ONE_FACTOR;
use super::scope::{EMAIL, OPENID, PROFILE, SYNAPSE_ADMIN};
use crate::app::App;
use crate::clients::authorization_requests::{Prompt, ResponseMode};
use crate::clients::{GrantType, TokenEndpointAuthMethod};
use crate::config::Config;
use crate::http::assets::is_known;
use crate::keys::{self, Algorithm};

/// Ten minutes, as homeservers let clients keep it (Matrix CS API, Server metadata discovery).
const CACHEABLE: HeaderValue = HeaderValue::from_static("public, max-age=600");

/// The document, ready to be sent.
#[derive(Clone)]
pub struct Discovery {
    body: Arc<[u8]>,
    etag: HeaderValue,
}

impl Discovery {
    /// Puts the document together.
    pub fn new(config: &Config) -> Discovery {
        let body = document(config).to_string().into_bytes();
        Discovery { etag: etag_of(&body), body: body.into() }
    }

    /// Answers `GET /.well-known/openid-configuration` and `GET /.well-known/oauth-authorization-server`.
    pub fn respond(&self, headers: &HeaderMap) -> Response {
        cacheable(headers, &self.etag, self.body.to_vec())
    }
}

/// `GET /oauth2/keys.json`: the JWK set (RFC 7517 §5).
pub async fn jwks(State(app): State<App>, headers: HeaderMap) -> Response {
    let keys = app.keys.current();
    cacheable(&headers, &etag_of(keys.jwks()), keys.jwks().to_vec())
}

fn etag_of(body: &[u8]) -> HeaderValue {
    let tag = format!("\"{}\"", &keys::digest(body)[..22]);
    HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""))
}

fn cacheable(headers: &HeaderMap, etag: &HeaderValue, body: Vec<u8>) -> Response {
    let caching = [(CACHE_CONTROL, CACHEABLE), (ETAG, etag.clone())];
    match is_known(headers, etag.to_str().unwrap_or_default()) {
        true => (StatusCode::NOT_MODIFIED, caching).into_response(),
        false => (caching, [(CONTENT_TYPE, "application/json")], body).into_response(),
    }
}

/// The document as JSON.
pub fn document(config: &Config) -> Value {
    let base = &config.http.public_base;
    let at = |path: &str| endpoint(base, path);
    let auth_methods = TokenEndpointAuthMethod::ALL.map(TokenEndpointAuthMethod::as_str);
    let signing = client_assertion::ALGORITHMS.map(|(_, name)| name);
    let mut document = json!({
        "issuer": base.as_str(),
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("oauth2/token"),
        "pushed_authorization_request_endpoint": at("oauth2/par"),
        "require_pushed_authorization_requests": false,
        "revocation_endpoint": at("oauth2/revoke"),
        "end_session_endpoint": at("end-session"),
        "introspection_endpoint": at("oauth2/introspect"),
        "userinfo_endpoint": at("oauth2/userinfo"),
        "jwks_uri": at("oauth2/keys.json"),
        "scopes_supported": [
            OPENID, PROFILE, EMAIL, "urn:matrix:client:api:*", "urn:matrix:client:device:*", SYNAPSE_ADMIN
        ],
        "response_types_supported": ["code"],
        "response_modes_supported": ResponseMode::ALL.map(ResponseMode::as_str),
        "grant_types_supported": GrantType::ALL.map(GrantType::as_str),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": auth_methods,
        "revocation_endpoint_auth_methods_supported": auth_methods,
        "token_endpoint_auth_signing_alg_values_supported": signing,
        "revocation_endpoint_auth_signing_alg_values_supported": signing,
        "introspection_endpoint_auth_methods_supported": auth_methods[1..],
        "introspection_endpoint_auth_signing_alg_values_supported": signing,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": Algorithm::ALL.map(Algorithm::as_str),
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "acr", "amr", "sid", "preferred_username"
        ],
        "acr_values_supported": [ONE_FACTOR],
        "prompt_values_supported": Prompt::SUPPORTED,
        "display_values_supported": ["page"],
        "ui_locales_supported": ["en"],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
        // Homeservers append `?action=…` to it as text: it has neither query nor fragment.
        "account_management_uri": at("account/"),
    });
    if config.oauth.dynamic_registration {
        document["registration_endpoint"] = json!(at("oauth2/registration"));
    }
    let branding = &config.branding;
    for (key, uri) in [("op_policy_uri", &branding.policy_uri), ("op_tos_uri", &branding.tos_uri)] {
        if let Some(uri) = uri {
            document[key] = json!(uri);
        }
    }
    document
}

/// An endpoint below the public base, as browsers and clients reach it.
fn endpoint(base: &Url, path: &str) -> String {
    format!("{base}{path}")
}

/// Where RFC 8414 §3.1 has the document of an issuer with a path: between the host and that path.
pub fn rfc8414_path(config: &Config) -> String {
    let path = config.http.public_base.path().trim_end_matches('/');
    format!("/.well-known/oauth-authorization-server{path}")
}
