//! What the questions are asked with. The room that asks fills these in; rules find them as `input`.
//!
//! A field that is not known is `null`, never absent, so that a rule which looks at it says so.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::config::GrantType;
use crate::ids::{ClientId, DeviceId, Localpart, UserId};

/// May this account be created?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// The name on the homeserver.
    pub username: String,
    /// How the account comes about.
    pub method: RegistrationMethod,
    /// The address that was given, if any. Whether it may be used is a question of its own.
    pub email: Option<String>,
    /// Who asks.
    pub requester: Requester,
}

/// How an account comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationMethod {
    /// A person registers with a password or a passkey.
    Password,
    /// A person arrives from another identity provider.
    Upstream,
    /// An administrator uses the command line.
    CommandLine,
    /// An administrator's program uses the admin API.
    AdminApi,
}

/// May this e-mail address belong to an account?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// The address.
    pub email: String,
    /// Who asks.
    pub requester: Requester,
}

/// May this client register itself?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientRegistration {
    /// What it says of itself.
    pub client: NewClient,
    /// Who asks.
    pub requester: Requester,
}

/// What a client that registers says of itself (RFC 7591 §2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewClient {
    /// The name to show.
    pub client_name: Option<String>,
    /// Its home page.
    pub client_uri: String,
    /// The host of its home page.
    pub host: String,
    /// Where it wants its answers sent.
    pub redirects: Vec<Redirect>,
    /// `web` or `native`.
    pub application_type: String,
    /// The grants that it may use.
    pub grant_types: Vec<GrantType>,
    /// How it proves itself.
    pub token_endpoint_auth_method: String,
}

/// A redirect URI in parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// As the client spelled it.
    pub uri: String,
    /// Its scheme: `https`, `http` for the person's own machine, or one of the client's own.
    pub scheme: String,
    /// Its host, if it has one.
    pub host: Option<String>,
}

impl Redirect {
    /// Takes a URI apart.
    pub fn new(uri: &str) -> Redirect {
        let parsed = Url::parse(uri).ok();
        Redirect {
            uri: uri.to_owned(),
            scheme: parsed.as_ref().map(|url| url.scheme().to_owned()).unwrap_or_default(),
            host: parsed.as_ref().and_then(Url::host_str).map(str::to_owned),
        }
    }
}

/// May this client have this access?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorizationGrant {
    /// Whose account; nobody's when a client acts for itself.
    pub user: Option<User>,
    /// Which client; none when a person makes a token for a program of their own.
    pub client: Option<Client>,
    /// With which grant tokens are asked for.
    pub grant_type: Grant,
    /// The scope, token by token.
    pub scope: Vec<String>,
    /// The Matrix device in the scope.
    pub device_id: Option<DeviceId>,
    /// What the person is signed in with already.
    pub sessions: Sessions,
    /// Who asks.
    pub requester: Requester,
}

/// How access is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// In the browser (RFC 6749 §4.1).
    AuthorizationCode,
    /// It goes on (RFC 6749 §6).
    RefreshToken,
    /// To a client for itself (RFC 6749 §4.4).
    ClientCredentials,
    /// By a code that is entered elsewhere (RFC 8628).
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    /// By a token that a person makes.
    PersonalToken,
}

impl From<GrantType> for Grant {
    fn from(grant_type: GrantType) -> Grant {
        match grant_type {
            GrantType::AuthorizationCode => Grant::AuthorizationCode,
            GrantType::RefreshToken => Grant::RefreshToken,
            GrantType::ClientCredentials => Grant::ClientCredentials,
            GrantType::DeviceCode => Grant::DeviceCode,
        }
    }
}

/// May somebody sign in through the login API of older Matrix clients?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompatLogin {
    /// Whose account.
    pub user: User,
    /// How they sign in.
    pub login: Login,
    /// The Matrix device, if the client named one.
    pub device_id: Option<DeviceId>,
    /// What the person is signed in with already.
    pub sessions: Sessions,
    /// Who asks.
    pub requester: Requester,
}

/// A way of signing in (Matrix CS API, Login).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// `m.login.password`, `m.login.token` or `m.login.sso`.
    #[serde(rename = "type")]
    pub login_type: String,
    /// Where a single sign-on ends.
    pub redirect_uri: Option<String>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Its identifier.
    pub id: UserId,
    /// Its name on the homeserver.
    pub username: Localpart,
    /// Whether the person administers the homeserver.
    pub is_admin: bool,
}

/// A client that is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its identifier.
    pub client_id: ClientId,
    /// `configured`, `created` on the command line, or `registered` by itself.
    pub origin: String,
    /// The name that it gave itself.
    pub client_name: Option<String>,
    /// The host of its home page.
    pub host: Option<String>,
}

/// How many live sessions an account has, without those that the new one replaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// All of them.
    pub live: u64,
    /// Those with a Matrix device.
    pub with_device: u64,
}

/// Where a request comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requester {
    /// The address, if it is known.
    pub ip_address: Option<IpAddr>,
    /// What the browser or program calls itself.
    pub user_agent: Option<String>,
}
