//! What the server is and offers: discovery (OpenID Connect Discovery §3, RFC 8414) and its keys.
//!
//! Everything here follows from the configuration, so it is put together once.

use std::sync::{Arc, Mutex, PoisonError};

use axum::response::Response;
use http::HeaderName;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, HeaderMap};
use serde_json::{Value, json};
use url::Url;

use super::client_assertion;
use super::scope::{EMAIL, OPENID, PROFILE, SYNAPSE_ADMIN};
use crate::accounts::account_pages::action::Action;
use crate::clients::authorization_requests::{Prompt, ResponseMode};
use crate::clients::{GrantType, TokenEndpointAuthMethod};
use crate::config::Config;
use crate::http::prepared::Prepared;
use crate::keys::{Algorithm, PublishedKeys};
use crate::languages::Language;
use crate::methods::Acr;

/// Both documents are for everybody, browsers on any origin included.
const HEADERS: [(HeaderName, &str); 1] = [(ACCESS_CONTROL_ALLOW_ORIGIN, "*")];

/// Prepares one of the documents. Ten minutes, as homeservers let clients keep it (Matrix CS API,
/// Server metadata discovery).
fn prepare(body: Vec<u8>) -> Prepared {
    Prepared::new(body, "application/json", "public, max-age=600", &HEADERS)
}

/// What is answered at `/.well-known/openid-configuration` and
/// `/.well-known/oauth-authorization-server`.
pub fn discovery(config: &Config) -> Prepared {
    prepare(document(config).to_string().into_bytes())
}

/// What is answered at `/oauth2/keys.json`: the JWK set (RFC 7517 §5), prepared again whenever the keys
/// are others.
#[derive(Default)]
pub struct Jwks(Mutex<Option<(Arc<PublishedKeys>, Prepared)>>);

impl Jwks {
    /// Answers with these keys, those of the moment.
    pub fn respond(&self, current: Arc<PublishedKeys>, request: &HeaderMap) -> Response {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*held {
            Some((keys, prepared)) if Arc::ptr_eq(keys, &current) => prepared.respond(request),
            _ => {
                let prepared = prepare(current.jwks().to_vec());
                let response = prepared.respond(request);
                *held = Some((current, prepared));
                response
            }
        }
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
        "device_authorization_endpoint": at("oauth2/device"),
        "revocation_endpoint": at("oauth2/revoke"),
        "end_session_endpoint": at("end-session"),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
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
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "acr", "amr", "sid", "name",
            "preferred_username", "email", "email_verified"
        ],
        "acr_values_supported": Acr::ALL.map(Acr::as_str),
        "prompt_values_supported": Prompt::offered(config.registration.enabled),
        "display_values_supported": ["page"],
        "ui_locales_supported": Language::spoken().collect::<Vec<_>>(),
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
        // Homeservers append `?action=…` to it as text: it has neither query nor fragment.
        "account_management_uri": at("account/"),
        "account_management_actions_supported": Action::NAMES.map(|(name, _)| name),
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
pub(super) fn endpoint(base: &Url, path: &str) -> String {
    format!("{base}{path}")
}

/// Where RFC 8414 §3.1 has the document of an issuer with a path: between the host and that path.
pub fn rfc8414_path(config: &Config) -> String {
    let path = config.http.public_base.path().trim_end_matches('/');
    format!("/.well-known/oauth-authorization-server{path}")
}

#[cfg(test)]
mod tests {
    use axum::body::{Bytes, to_bytes};
    use http::StatusCode;
    use http::header::{ETAG, IF_NONE_MATCH};

    use super::*;
    use crate::keys::{PrivateKey, SigningKey};
    use crate::time::Timestamp;

    fn new_keys() -> Arc<PublishedKeys> {
        let algorithm = Algorithm::ALL[1];
        let (private_key, _) = PrivateKey::generate(algorithm).unwrap();
        let kid = private_key.thumbprint();
        let key = SigningKey { kid, algorithm, signs_from: Timestamp(0), retires_at: None, private_key };
        Arc::new(PublishedKeys::new(vec![key]))
    }

    async fn bytes(answer: Response) -> Bytes {
        to_bytes(answer.into_body(), 10_000).await.unwrap()
    }

    #[tokio::test]
    async fn the_keys_are_prepared_once_and_again_when_they_are_others() {
        let (jwks, keys) = (Jwks::default(), new_keys());
        let ask = |keys: &Arc<PublishedKeys>| jwks.respond(keys.clone(), &HeaderMap::new());
        let etag = ask(&keys).headers()[ETAG].clone();
        let (one, two) = (bytes(ask(&keys)).await, bytes(ask(&keys)).await);
        assert_eq!(one, keys.jwks());
        assert_eq!(one.as_ptr(), two.as_ptr(), "the very same bytes, not a copy");

        let rotated = new_keys();
        let answer = ask(&rotated);
        assert_ne!(answer.headers()[ETAG], etag);
        assert_eq!(bytes(answer).await, rotated.jwks());
        let held = HeaderMap::from_iter([(IF_NONE_MATCH, etag)]);
        assert_eq!(jwks.respond(rotated, &held).status(), StatusCode::OK, "the old tag is worth nothing");
    }
}
