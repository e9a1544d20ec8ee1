//! Client metadata: what a client says of itself, read strictly where it decides about safety and
//! leniently where it does not (RFC 7591 §2; Matrix CS API, Client registration).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::redirect_uri::{ApplicationType, is_same_or_below, may_register, parse_https};
use crate::config::{GrantType, StaticClient, TokenEndpointAuthMethod, check_keys};
use crate::keys::Algorithm;

/// What a client registered (RFC 7591 §2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientMetadata {
    /// The name to show; anybody may claim any name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// The client's home page, whose host every other URI must share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<Url>,
    /// A picture. It is never fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<Url>,
    /// Its terms of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<Url>,
    /// Its privacy policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<Url>,
    /// Where a browser may be sent with an answer, as received.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirect_uris: Vec<String>,
    /// Where a browser may be sent after the person has signed out (OpenID Connect RP-Initiated Logout
    /// §3.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    /// Where it is told that a browser session is over (OpenID Connect Back-Channel Logout §2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<Url>,
    /// Whether it must be told which one; it always is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub backchannel_logout_session_required: bool,
    /// `code`, for a client with redirect URIs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_types: Vec<String>,
    /// The grants that it may use.
    pub grant_types: Vec<GrantType>,
    /// What it may ask for with its own credentials; only an admin can say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Where it runs.
    pub application_type: ApplicationType,
    /// How it proves itself.
    pub token_endpoint_auth_method: TokenEndpointAuthMethod,
    /// Its public keys (RFC 7517 §5), for a client that signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// Where it publishes them instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<Url>,
    /// What its ID tokens are signed with (OpenID Connect Registration §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<String>,
    /// Variants in other languages, as `client_name#fr` (RFC 7591 §2.2).
    #[serde(flatten)]
    pub localized: BTreeMap<String, String>,
    /// Needs no consent; only the configuration can say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not", rename = "gatehouse_trusted")]
    pub is_trusted: bool,
    /// Its own access token lifetime in seconds; only an admin can say so.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        rename = "gatehouse_access_token_lifetime_seconds"
    )]
    pub access_token_lifetime_seconds: Option<u64>,
}

/// Why metadata is refused (RFC 7591 §3.2.2).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMetadata {
    /// `invalid_redirect_uri`.
    #[error("{0}")]
    RedirectUri(String),
    /// `invalid_client_metadata`.
    #[error("{0}")]
    Metadata(String),
}

fn refuse<T>(why: impl Into<String>) -> Result<T, InvalidMetadata> {
    Err(InvalidMetadata::Metadata(why.into()))
}

/// The keys that may come in several languages, and whether they are URIs.
const LOCALIZED: [(&str, bool); 5] = [
    ("client_name", false),
    ("client_uri", true),
    ("logo_uri", true),
    ("tos_uri", true),
    ("policy_uri", true),
];

/// The most entries of a list, and the most bytes of one text.
const MOST: usize = 20;
const LONGEST: usize = 2048;
const LONGEST_NAME: usize = 256;

impl ClientMetadata {
    /// Reads what a client sends to register. Unknown keys, grants and response types are dropped.
    ///
    /// # Errors
    /// [`InvalidMetadata`] with a sentence for the client's developer.
    pub fn from_registration(given: &Map<String, Value>) -> Result<ClientMetadata, InvalidMetadata> {
        let Some(client_uri) = text(given, "client_uri")? else {
            return refuse("client_uri is required: the https URI of the client's home page");
        };
        let Some(client_uri) = parse_https(&client_uri) else {
            return refuse("client_uri must be an https URI with a host and without user or password");
        };
        let host = client_uri.host_str().unwrap_or_default().to_owned();
        if is_public_suffix(&host) {
            return refuse(format!("client_uri: anybody can have a host below {host}"));
        }
        let application_type = match text(given, "application_type")?.as_deref() {
            None | Some("web") => ApplicationType::Web,
            Some("native") => ApplicationType::Native,
            Some(_) => return refuse("application_type must be web or native"),
        };
        let (grant_types, response_types) = grants(given)?;
        let redirect_uris = redirects(given, application_type, &client_uri, &grant_types)?;
        let post_logout_redirect_uris = texts(given, "post_logout_redirect_uris")?.unwrap_or_default();
        if !post_logout_redirect_uris.iter().all(|uri| may_register(uri, application_type, Some(&client_uri)))
        {
            return refuse("post_logout_redirect_uris must keep the same rules as redirect_uris");
        }
        let algorithm = text(given, "id_token_signed_response_alg")?;
        if let Some(algorithm) = &algorithm
            && Algorithm::parse(algorithm).is_none()
        {
            return refuse("id_token_signed_response_alg must be RS256, ES256 or EdDSA");
        }
        let token_endpoint_auth_method = auth_method(given)?;
        if token_endpoint_auth_method == TokenEndpointAuthMethod::None
            && grant_types.contains(&GrantType::ClientCredentials)
        {
            return refuse("grant_types: client_credentials needs a client that proves itself");
        }
        let (jwks, jwks_uri) = signing_keys(given, token_endpoint_auth_method, &host)?;
        Ok(ClientMetadata {
            jwks,
            jwks_uri,
            client_name: name(given, "client_name")?,
            logo_uri: shared_uri(given, "logo_uri", &host)?,
            tos_uri: shared_uri(given, "tos_uri", &host)?,
            policy_uri: shared_uri(given, "policy_uri", &host)?,
            client_uri: Some(client_uri),
            redirect_uris,
            post_logout_redirect_uris,
            backchannel_logout_uri: logout_uri(given, &host)?,
            backchannel_logout_session_required: flag(given, "backchannel_logout_session_required")?,
            response_types,
            grant_types,
            scope: None,
            application_type,
            token_endpoint_auth_method,
            id_token_signed_response_alg: algorithm,
            localized: localized(given, &host)?,
            is_trusted: false,
            access_token_lifetime_seconds: None,
        })
    }

    /// What the configuration says of a client.
    pub fn from_config(client: &StaticClient) -> ClientMetadata {
        let has_code = client.grant_types.contains(&GrantType::AuthorizationCode);
        ClientMetadata {
            client_name: Some(client.client_name.clone()),
            client_uri: client.client_uri.clone(),
            redirect_uris: client.redirect_uris.clone(),
            post_logout_redirect_uris: client.post_logout_redirect_uris.clone(),
            backchannel_logout_uri: client.backchannel_logout_uri.clone(),
            backchannel_logout_session_required: client.backchannel_logout_session_required,
            response_types: if has_code { vec!["code".to_owned()] } else { Vec::new() },
            grant_types: client.grant_types.clone(),
            scope: client.scope.clone(),
            application_type: ApplicationType::Native,
            token_endpoint_auth_method: client.token_endpoint_auth_method,
            is_trusted: client.trusted,
            access_token_lifetime_seconds: client.access_token_lifetime_seconds,
            logo_uri: None,
            tos_uri: None,
            policy_uri: None,
            id_token_signed_response_alg: None,
            jwks: client.jwks.clone().map(Value::Object),
            jwks_uri: client.jwks_uri.clone(),
            localized: BTreeMap::new(),
        }
    }

    /// What its ID tokens are signed with: RS256 if it named nothing (OpenID Connect Registration §2).
    pub fn id_token_algorithm(&self) -> Algorithm {
        self.id_token_signed_response_alg.as_deref().and_then(Algorithm::parse).unwrap_or(Algorithm::Rs256)
    }

    /// One text for the same metadata, however it was ordered when it came.
    pub fn canonical(&self) -> String {
        // Through a map that sorts its keys, whatever serde_json's own map does.
        let Ok(Value::Object(members)) = serde_json::to_value(self) else { return String::new() };
        let sorted: BTreeMap<String, String> =
            members.into_iter().map(|(key, value)| (key, value.to_string())).collect();
        serde_json::to_string(&sorted).unwrap_or_default()
    }

    /// The variant of a key in the first of the languages that it exists in (RFC 7591 §2.2).
    pub fn localized(&self, key: &str, languages: &[String]) -> Option<&str> {
        languages.iter().find_map(|language| {
            let wanted = format!("{key}#{language}");
            self.localized
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(&wanted))
                .map(|(_, text)| text.as_str())
        })
    }
}

fn is_public_suffix(host: &str) -> bool {
    psl::suffix(host.as_bytes())
        .is_some_and(|suffix| suffix.is_known() && suffix.as_bytes() == host.as_bytes())
}

/// A text member; `null` counts as absent.
fn text(given: &Map<String, Value>, key: &str) -> Result<Option<String>, InvalidMetadata> {
    match given.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() > LONGEST => {
            refuse(format!("{key} is longer than {LONGEST} bytes"))
        }
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => refuse(format!("{key} must be a string")),
    }
}

fn texts(given: &Map<String, Value>, key: &str) -> Result<Option<Vec<String>>, InvalidMetadata> {
    let items = match given.get(key) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(items)) if items.len() > MOST => {
            return refuse(format!("{key} has more than {MOST} entries"));
        }
        Some(Value::Array(items)) => items,
        Some(_) => return refuse(format!("{key} must be an array of strings")),
    };
    let read = |item: &Value| match item.as_str() {
        Some(text) if text.len() <= LONGEST => Ok(text.to_owned()),
        Some(_) => refuse(format!("{key}: an entry is longer than {LONGEST} bytes")),
        None => refuse(format!("{key} must be an array of strings")),
    };
    items.iter().map(read).collect::<Result<Vec<_>, _>>().map(Some)
}

fn name(given: &Map<String, Value>, key: &str) -> Result<Option<String>, InvalidMetadata> {
    match text(given, key)? {
        Some(name) if name.chars().count() > LONGEST_NAME => {
            refuse(format!("{key} is longer than {LONGEST_NAME} characters"))
        }
        Some(name) if name.chars().any(char::is_control) => refuse(format!("{key} has control characters")),
        Some(name) if name.trim().is_empty() => Ok(None),
        other => Ok(other),
    }
}

/// A URI that must be https and share its host with `client_uri`.
fn shared_uri(given: &Map<String, Value>, key: &str, host: &str) -> Result<Option<Url>, InvalidMetadata> {
    let Some(text) = text(given, key)? else { return Ok(None) };
    match parse_https(&text) {
        Some(url) if url.host_str().is_some_and(|other| is_same_or_below(other, host)) => Ok(Some(url)),
        Some(_) => refuse(format!("{key} must be on the host of client_uri or below it")),
        None => refuse(format!("{key} must be an https URI without user or password")),
    }
}

/// Where the server itself calls, so a client that registers itself can name no machine but its own.
fn logout_uri(given: &Map<String, Value>, host: &str) -> Result<Option<Url>, InvalidMetadata> {
    match shared_uri(given, "backchannel_logout_uri", host)? {
        Some(uri) if uri.fragment().is_some() => refuse("backchannel_logout_uri must not have a fragment"),
        other => Ok(other),
    }
}

fn flag(given: &Map<String, Value>, key: &str) -> Result<bool, InvalidMetadata> {
    match given.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => refuse(format!("{key} must be true or false")),
    }
}

/// The grants and response types, without those that are not known here.
fn grants(given: &Map<String, Value>) -> Result<(Vec<GrantType>, Vec<String>), InvalidMetadata> {
    let asked = texts(given, "grant_types")?;
    let is_asked = |grant: &GrantType| match &asked {
        Some(asked) => asked.iter().any(|one| one == grant.as_str()),
        None => GrantType::USUAL.contains(grant),
    };
    let grant_types: Vec<GrantType> = GrantType::ALL.into_iter().filter(is_asked).collect();
    let has_code = grant_types.contains(&GrantType::AuthorizationCode);
    let mut response_types = match texts(given, "response_types")? {
        Some(asked) => asked,
        None if has_code => vec!["code".to_owned()],
        None => Vec::new(),
    };
    response_types.retain(|response_type| response_type == "code");
    response_types.dedup();
    Ok((grant_types, response_types))
}

fn redirects(
    given: &Map<String, Value>,
    application_type: ApplicationType,
    client_uri: &Url,
    grant_types: &[GrantType],
) -> Result<Vec<String>, InvalidMetadata> {
    let redirect_uris = texts(given, "redirect_uris")?.unwrap_or_default();
    for uri in &redirect_uris {
        if !may_register(uri, application_type, Some(client_uri)) {
            return Err(InvalidMetadata::RedirectUri(format!(
                "redirect_uris: \"{}\" is not one that this client may register; it needs to be {}",
                uri.escape_default(),
                match application_type {
                    ApplicationType::Web =>
                        "an https URI on the host of client_uri or below it, without fragment",
                    ApplicationType::Native =>
                        "an https URI on the host of client_uri, http://localhost, http://127.0.0.1 or http://[::1] \
                         without port, or a scheme that starts with the reversed host of client_uri",
                }
            )));
        }
    }
    if redirect_uris.is_empty() && grant_types.contains(&GrantType::AuthorizationCode) {
        return Err(InvalidMetadata::RedirectUri(
            "redirect_uris: the authorization code grant needs at least one".to_owned(),
        ));
    }
    Ok(redirect_uris)
}

fn auth_method(given: &Map<String, Value>) -> Result<TokenEndpointAuthMethod, InvalidMetadata> {
    let Some(asked) = text(given, "token_endpoint_auth_method")? else {
        return Ok(TokenEndpointAuthMethod::ClientSecretBasic);
    };
    match TokenEndpointAuthMethod::ALL.into_iter().find(|method| method.as_str() == asked) {
        Some(method) => Ok(method),
        None => refuse(
            "token_endpoint_auth_method must be none, client_secret_basic, client_secret_post or private_key_jwt",
        ),
    }
}

/// The keys of a client that signs, which must be given in one of two ways (RFC 7591 §2). Those of
/// others are of no use here and dropped.
fn signing_keys(
    given: &Map<String, Value>,
    method: TokenEndpointAuthMethod,
    host: &str,
) -> Result<(Option<Value>, Option<Url>), InvalidMetadata> {
    if method != TokenEndpointAuthMethod::PrivateKeyJwt {
        return Ok((None, None));
    }
    let jwks = given.get("jwks").filter(|jwks| !jwks.is_null());
    match (jwks, shared_uri(given, "jwks_uri", host)?) {
        (Some(Value::Object(set)), None) => match check_keys(set) {
            Ok(()) => Ok((jwks.cloned(), None)),
            Err(why) => refuse(format!("jwks {why}")),
        },
        (Some(_), None) => refuse("jwks must be a JWK set"),
        (None, Some(uri)) => Ok((None, Some(uri))),
        (Some(_), Some(_)) => refuse("give jwks or jwks_uri, not both"),
        (None, None) => refuse("private_key_jwt needs jwks or jwks_uri"),
    }
}

/// The variants in other languages. A malformed language tag is passed over; a URI has to obey the
/// same rules as the one without a tag.
fn localized(given: &Map<String, Value>, host: &str) -> Result<BTreeMap<String, String>, InvalidMetadata> {
    let mut found = BTreeMap::new();
    for key in given.keys() {
        let Some((base, tag)) = key.split_once('#') else { continue };
        let Some((_, is_uri)) = LOCALIZED.into_iter().find(|(name, _)| *name == base) else { continue };
        let is_tag = !tag.is_empty()
            && tag.len() <= 35
            && tag
                .split('-')
                .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
        if !is_tag || found.len() >= 5 * MOST {
            continue;
        }
        let value = match is_uri {
            true => shared_uri(given, key, host)?.map(String::from),
            false => name(given, key)?,
        };
        if let Some(value) = value {
            found.insert(key.clone(), value);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
