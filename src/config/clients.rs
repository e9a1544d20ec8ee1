//! The `clients` section.

use std::{collections::HashSet, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::{
    error::Problems,
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
    /// Where the client publishes its keys, for `private_key_jwt`: https, or http to a loopback address. A
    /// private address must be allowed in `outbound.allowed_networks`.
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

/// Whether a client may have this scope for itself. A token without a person must mean nothing to the
/// homeserver, and has nobody to tell about.
///
/// # Errors
/// What is wrong with it, for the admin.
pub fn check_own_scope(scope: &str) -> Result<(), String> {
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

/// Whether this address of a client may be called: to tell it that a browser session is over (OpenID Connect
/// Back-Channel Logout §2.2), or to fetch its keys.
///
/// # Errors
/// What is wrong with it, for the admin.
pub fn check_logout_uri(uri: &Url) -> Result<(), &'static str> {
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

/// Whether a browser can be sent there, with parameters added: anywhere on the web, or to an app by a scheme of
/// its own.
fn is_redirect(uri: &str) -> bool {
    // What browsers carry out or show by themselves.
    const NOWHERE: [&str; 7] = ["about", "blob", "data", "file", "filesystem", "javascript", "vbscript"];
    uri.bytes().all(|b| b.is_ascii_graphic())
        && Url::parse(uri).is_ok_and(|url| url.fragment().is_none() && !NOWHERE.contains(&url.scheme()))
}

/// Checks the clients one by one, and that no two are the same.
pub(super) fn check(clients: &[StaticClient], problems: &mut Problems) {
    let mut seen = HashSet::new();
    for (index, client) in clients.iter().enumerate() {
        let key = format!("clients[{index}]");
        client.check(&key, problems);
        if !seen.insert(&client.client_id) {
            let message = "another client has the same client_id; give each its own";
            problems.add(format!("{key}.client_id"), message);
        }
    }
}

impl StaticClient {
    fn check(&self, key: &str, problems: &mut Problems) {
        let is_visible = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_graphic());
        if !is_visible(&self.client_id) {
            problems.add(
                format!("{key}.client_id"),
                "must be one or more visible ASCII characters, without spaces",
            );
        }
        if self.client_name.trim().is_empty() {
            problems.add(format!("{key}.client_name"), "is empty; give a name that people recognise");
        }
        for (list, uris) in [
            ("redirect_uris", &self.redirect_uris),
            ("post_logout_redirect_uris", &self.post_logout_redirect_uris),
        ] {
            for (index, _) in uris.iter().enumerate().filter(|(_, uri)| !is_redirect(uri)) {
                problems.add(
                    format!("{key}.{list}[{index}]"),
                    "must be an absolute URL without spaces and fragment, by https, http or a scheme of the app's own",
                );
            }
        }
        if self.redirect_uris.is_empty() && self.grant_types.contains(&GrantType::AuthorizationCode) {
            problems.add(
                format!("{key}.redirect_uris"),
                "is needed for the grant authorization_code; give at least one URL",
            );
        }
        if let Some(Err(why)) = self.backchannel_logout_uri.as_ref().map(check_logout_uri) {
            problems.add(format!("{key}.backchannel_logout_uri"), why);
        }
        let method = self.token_endpoint_auth_method;
        match (method.needs_secret(), &self.client_secret) {
            (false, Some(_)) => problems.add(
                format!("{key}.client_secret"),
                format!(
                    "is not used with the method {}; remove it, or choose client_secret_basic",
                    method.as_str()
                ),
            ),
            (true, None) => problems.add(
                format!("{key}.client_secret"),
                "is required by token_endpoint_auth_method; set it or client_secret_file",
            ),
            (false, None) | (true, Some(_)) => {}
        }
        if (method == TokenEndpointAuthMethod::PrivateKeyJwt) != self.jwks_uri.is_some() {
            problems.add(
                format!("{key}.jwks_uri"),
                "goes with token_endpoint_auth_method private_key_jwt, and only with that",
            );
        }
        if let Some(Err(why)) = self.jwks_uri.as_ref().map(check_logout_uri) {
            problems.add(format!("{key}.jwks_uri"), why);
        }
        let may_act_alone = self.grant_types.contains(&GrantType::ClientCredentials);
        if may_act_alone && method == TokenEndpointAuthMethod::None {
            problems.add(
                format!("{key}.grant_types"),
                "client_credentials needs a client that proves itself; choose another token_endpoint_auth_method",
            );
        }
        match (&self.scope, may_act_alone) {
            (None, true) => problems.add(
                format!("{key}.scope"),
                "is needed for the grant client_credentials; say what the client may ask for",
            ),
            (Some(_), false) => problems
                .add(format!("{key}.scope"), "goes with the grant client_credentials, and only with that"),
            (Some(scope), true) => {
                if let Err(why) = check_own_scope(scope) {
                    problems.add(format!("{key}.scope"), why);
                }
            }
            (None, false) => {}
        }
        if let Some(seconds) = self.access_token_lifetime_seconds {
            let key = format!("{key}.access_token_lifetime_seconds");
            problems.range(&key, seconds, ACCESS_TOKEN_LIFETIME);
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
