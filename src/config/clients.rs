//! The `clients` section.

use std::{collections::HashSet, path::PathBuf};

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::{Host, Url};

use super::{
    error::{Problem, Problems},
    oauth::ACCESS_TOKEN_LIFETIME,
    secret::{self, Secret},
};

/// An OAuth client that is known from the start.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StaticClient {
    /// The name by which the client presents itself: visible ASCII characters, unique.
    #[schemars(example = "my-client")]
    pub client_id: String,
    /// The name that people read when they are asked for consent.
    #[schemars(example = "My Client")]
    pub client_name: String,
    /// The client's home page, shown beside its name.
    #[serde(default)]
    #[schemars(example = "https://client.example.org/")]
    pub client_uri: Option<Url>,
    /// The URLs to which the client may ask to be redirected, compared literally. Needed for the
    /// grant `authorization_code`.
    #[serde(default)]
    #[schemars(example = ["https://client.example.org/callback"])]
    pub redirect_uris: Vec<String>,
    /// The URLs to which the client may have a browser sent after it asked to sign the person out.
    #[serde(default)]
    #[schemars(example = ["https://client.example.org/signed-out"])]
    pub post_logout_redirect_uris: Vec<String>,
    /// Where the client is told that a person's browser session is over: https, or http to a loopback
    /// address. A private address must be allowed in `outbound.allowed_networks`.
    #[serde(default)]
    #[schemars(example = "https://client.example.org/backchannel-logout")]
    pub backchannel_logout_uri: Option<Url>,
    /// Whether the client must be told which session that was. It always is.
    #[serde(default)]
    pub backchannel_logout_session_required: bool,
    /// How the client proves itself at the token endpoint.
    pub token_endpoint_auth_method: TokenEndpointAuthMethod,
    /// The client's secret: required for `client_secret_basic` and `client_secret_post`.
    #[serde(default)]
    #[schemars(example = "a long random text")]
    pub client_secret: Option<Secret>,
    /// A file that holds the value of `client_secret`; give one or the other.
    #[serde(default)]
    #[schemars(extend("format" = "path"), example = "/run/secrets/my-client")]
    pub client_secret_file: Option<PathBuf>,
    /// The client's public keys, for `private_key_jwt`: a JWK set (RFC 7517 §5), written as YAML or JSON.
    #[serde(default)]
    pub jwks: Option<Map<String, Value>>,
    /// Where the client publishes its keys instead: https, or http to a loopback address. A private
    /// address must be allowed in `outbound.allowed_networks`.
    #[serde(default)]
    #[schemars(example = "https://client.example.org/keys.json")]
    pub jwks_uri: Option<Url>,
    /// What the client may do at the token endpoint.
    #[serde(default = "usual_grant_types")]
    pub grant_types: Vec<GrantType>,
    /// What the client may ask for with its own credentials, separated by spaces. Only for the grant
    /// `client_credentials`, and required there.
    #[serde(default)]
    #[schemars(example = "reports:read reports:write")]
    pub scope: Option<String>,
    /// Whether people are spared the question for consent. Only for clients that are yours.
    #[serde(default)]
    pub trusted: bool,
    /// How long the client's access tokens live, in seconds, when it should differ from
    /// `oauth.access_token_lifetime_seconds`.
    #[serde(default)]
    #[schemars(range(min = 60, max = 86400), example = 600)]
    pub access_token_lifetime_seconds: Option<u64>,
}

/// How a client proves itself at the token endpoint (RFC 7591 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenEndpointAuthMethod {
    /// A public client, without a secret.
    None,
    /// The secret in an `Authorization: Basic` header.
    ClientSecretBasic,
    /// The secret in the body of the request.
    ClientSecretPost,
    /// A JWT that the client signs with its own key (RFC 7523 §2.2, OpenID Connect Core §9).
    PrivateKeyJwt,
}

/// A grant that a client may use (RFC 7591 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// Sign-in in the browser (RFC 6749 §4.1).
    AuthorizationCode,
    /// Fresh access tokens without the person (RFC 6749 §6).
    RefreshToken,
    /// Access tokens for the client itself, without any person (RFC 6749 §4.4).
    ClientCredentials,
    /// Sign-in on a device without a browser, by a code that is entered elsewhere (RFC 8628).
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
}

impl TokenEndpointAuthMethod {
    /// All that are offered, in the order in which metadata lists them.
    pub const ALL: [Self; 4] =
        [Self::None, Self::ClientSecretBasic, Self::ClientSecretPost, Self::PrivateKeyJwt];

    /// Whether it is one that needs a secret.
    #[must_use]
    pub fn needs_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }

    /// The method as OAuth spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }
}

impl GrantType {
    /// All that are offered.
    pub const ALL: [Self; 4] =
        [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials, Self::DeviceCode];

    /// What a client gets that does not say which it uses.
    pub const USUAL: [Self; 2] = [Self::AuthorizationCode, Self::RefreshToken];

    /// The grant as OAuth spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
        }
    }
}

fn usual_grant_types() -> Vec<GrantType> {
    GrantType::USUAL.to_vec()
}

/// The most keys of a client.
const MOST_KEYS: usize = 20;

/// Whether these are public keys (a JWK set, RFC 7517 §5) that can prove who a client is: 1 to 20, one of
/// which at least is of a kind that clients sign with here.
///
/// # Errors
/// What is wrong with them, for an admin or a client's developer.
pub fn check_keys(jwks: &Map<String, Value>) -> Result<(), &'static str> {
    // RFC 7518 §6: the private part of a pair, and a key that both sides have.
    let is_secret = |key: &Value| key.get("d").is_some() || key.get("k").is_some();
    if jwks.get("keys").and_then(Value::as_array).is_some_and(|keys| keys.iter().any(is_secret)) {
        return Err("has a key that must stay with the client; give the public keys only");
    }
    let signs = |key: &Jwk| {
        let is_known = match &key.algorithm {
            AlgorithmParameters::RSA(_) => true,
            AlgorithmParameters::EllipticCurve(key) => key.curve == EllipticCurve::P256,
            AlgorithmParameters::OctetKeyPair(key) => key.curve == EllipticCurve::Ed25519,
            _ => false,
        };
        let is_for_signing = !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption));
        is_known && is_for_signing && DecodingKey::from_jwk(key).is_ok()
    };
    match serde_json::from_value::<JwkSet>(Value::Object(jwks.clone())) {
        Ok(set) if set.keys.len() <= MOST_KEYS && set.keys.iter().any(signs) => Ok(()),
        _ => {
            Err("must be a JWK set of 1 to 20 public keys, at least one of which is for signing and of the \
                  kind RSA, P-256 or Ed25519")
        }
    }
}

/// Whether a client may have this scope for itself. A token without a person must mean nothing to the
/// homeserver, and has nobody to tell about.
///
/// # Errors
/// What is wrong with it, for the admin.
fn check_own_scope(scope: &str) -> Result<(), String> {
    // RFC 6749 §3.3.
    let is_allowed = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
    let mut seen = HashSet::new();
    for token in scope.split(' ') {
        let token_is = |why: &str| Err(format!("{}: {why}", token.escape_default()));
        if token.is_empty() || !token.bytes().all(is_allowed) {
            return Err("must be values of visible ASCII characters other than \" and \\, with one space \
                        between them"
                .to_owned());
        }
        if ["openid", "profile", "email"].contains(&token) {
            return token_is("tells who a person is, and a client that acts for itself is none; remove it");
        }
        if token.starts_with("urn:matrix:") {
            return token_is("is for Matrix users, and a client that acts for itself is none; remove it");
        }
        if token.starts_with("urn:synapse:") {
            return token_is(
                "administers the homeserver in the name of a person, who is not there; remove it",
            );
        }
        if !seen.insert(token) {
            return token_is("stands there twice; remove one");
        }
    }
    match scope.len() {
        0..=2048 => Ok(()),
        _ => Err("is longer than 2048 bytes".to_owned()),
    }
}

/// Whether a client may be called at this address: told that a browser session is over (OpenID Connect
/// Back-Channel Logout §2.2), or asked for its keys.
///
/// # Errors
/// What is wrong with it, for the admin.
fn check_called_uri(uri: &Url) -> Result<(), &'static str> {
    let is_loopback = match uri.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    let is_clean = uri.username().is_empty() && uri.password().is_none() && uri.fragment().is_none();
    match uri.scheme() {
        "https" if is_clean => Ok(()),
        "http" if is_clean && is_loopback => Ok(()),
        _ => Err(
            "must be an https URL, or an http URL with a loopback address such as 127.0.0.1, without user, \
                  password and fragment",
        ),
    }
}

/// Whether the text has only what RFC 3986 lets stand in a URI; the URL parser forgives far more
/// (backslashes, tabs, spaces) and would judge another URI than the one a browser follows.
pub fn is_plain_uri(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&b))
}

/// Whether a browser can be sent there, with parameters added: anywhere on the web, or to an app by a scheme of
/// its own.
fn is_redirect(uri: &str) -> bool {
    // What browsers carry out or show by themselves.
    const NOWHERE: [&str; 7] = ["about", "blob", "data", "file", "filesystem", "javascript", "vbscript"];
    is_plain_uri(uri)
        && Url::parse(uri).is_ok_and(|url| url.fragment().is_none() && !NOWHERE.contains(&url.scheme()))
}

/// Checks the clients one by one, and that no two are the same.
pub(super) fn check(clients: &[StaticClient], problems: &mut Problems) {
    let mut seen = HashSet::new();
    for (index, client) in clients.iter().enumerate() {
        let mut found = Problems(client.problems());
        client.check_secret(&mut found);
        if !seen.insert(&client.client_id) {
            found.add("client_id", "another client has the same client_id; give each its own");
        }
        for Problem { key, message, .. } in found.0 {
            problems.add(format!("clients[{index}].{key}"), message);
        }
    }
}

impl StaticClient {
    /// Everything that is wrong with the client but for its secret, which the command line makes by itself.
    /// The keys begin at the entry: `redirect_uris[0]`.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        let is_visible = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_graphic());
        if !is_visible(&self.client_id) {
            problems.add("client_id", "must be one or more visible ASCII characters, without spaces");
        }
        if self.client_name.trim().is_empty() {
            problems.add("client_name", "is empty; give a name that people recognise");
        }
        for (list, uris) in [
            ("redirect_uris", &self.redirect_uris),
            ("post_logout_redirect_uris", &self.post_logout_redirect_uris),
        ] {
            for (index, _) in uris.iter().enumerate().filter(|(_, uri)| !is_redirect(uri)) {
                problems.add(
                    format!("{list}[{index}]"),
                    "must be an absolute URL without spaces and fragment, by https, http or a scheme of the app's own",
                );
            }
        }
        if self.redirect_uris.is_empty() && self.grant_types.contains(&GrantType::AuthorizationCode) {
            problems
                .add("redirect_uris", "is needed for the grant authorization_code; give at least one URL");
        }
        if let Some(Err(why)) = self.backchannel_logout_uri.as_ref().map(check_called_uri) {
            problems.add("backchannel_logout_uri", why);
        }
        self.check_keys(&mut problems);
        self.check_own_grant(&mut problems);
        if let Some(seconds) = self.access_token_lifetime_seconds {
            problems.range("access_token_lifetime_seconds", seconds, ACCESS_TOKEN_LIFETIME);
        }
        problems.0
    }

    /// The keys of a client that signs, which must be given in one of two ways (RFC 7591 §2).
    fn check_keys(&self, problems: &mut Problems) {
        let signs = self.token_endpoint_auth_method == TokenEndpointAuthMethod::PrivateKeyJwt;
        for (key, is_given) in [("jwks", self.jwks.is_some()), ("jwks_uri", self.jwks_uri.is_some())] {
            if is_given && !signs {
                problems.add(key, "goes with the method private_key_jwt, and only with that");
            }
        }
        match (&self.jwks, &self.jwks_uri) {
            (None, None) if signs => {
                problems.add("jwks_uri", "is needed for the method private_key_jwt, or else jwks");
            }
            (Some(_), Some(_)) => problems.add("jwks_uri", "is given besides jwks; remove one of the two"),
            _ => {}
        }
        if let Some(Err(why)) = self.jwks.as_ref().map(check_keys) {
            problems.add("jwks", why);
        }
        if let Some(Err(why)) = self.jwks_uri.as_ref().map(check_called_uri) {
            problems.add("jwks_uri", why);
        }
    }

    /// What the client may do for itself.
    fn check_own_grant(&self, problems: &mut Problems) {
        let may_act_alone = self.grant_types.contains(&GrantType::ClientCredentials);
        if may_act_alone && self.token_endpoint_auth_method == TokenEndpointAuthMethod::None {
            let message = "client_credentials needs a client that proves itself, by another method than none";
            problems.add("grant_types", message);
        }
        match (&self.scope, may_act_alone) {
            (None, true) => problems
                .add("scope", "is needed for the grant client_credentials; say what the client may ask for"),
            (Some(_), false) => {
                problems.add("scope", "goes with the grant client_credentials, and only with that");
            }
            (Some(scope), true) => {
                if let Err(why) = check_own_scope(scope) {
                    problems.add("scope", why);
                }
            }
            (None, false) => {}
        }
    }

    fn check_secret(&self, problems: &mut Problems) {
        let method = self.token_endpoint_auth_method;
        match (method.needs_secret(), &self.client_secret) {
            (false, Some(_)) => problems.add(
                "client_secret",
                format!(
                    "is not used with the method {}; remove it, or choose client_secret_basic",
                    method.as_str()
                ),
            ),
            (true, None) => problems.add(
                "client_secret",
                "is required by token_endpoint_auth_method; set it or client_secret_file",
            ),
            (false, None) | (true, Some(_)) => {}
        }
    }

    pub(super) fn read_secret_files(&mut self, index: usize, problems: &mut Problems) {
        secret::read_file(
            &format!("clients[{index}].client_secret"),
            &mut self.client_secret,
            &mut self.client_secret_file,
            problems,
        );
    }
}
