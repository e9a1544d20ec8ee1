//! Authentication of clients at the token, introspection and revocation endpoints (RFC 6749 §2.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::error::{Challenge, Error};
use crate::app::App;
use crate::clients::{self, Client, Origin, TokenEndpointAuthMethod};
use crate::http::form::Parameters;
use crate::http::rate_limits::{self, Action};
use crate::http::requester::Requester;
use crate::ids::ClientId;
use crate::keys;

/// What a caller presents to say which client it is.
pub struct Credentials {
    /// The client it claims to be.
    pub client_id: ClientId,
    secret: Option<String>,
    method: TokenEndpointAuthMethod,
}

impl Credentials {
    /// Reads the credentials, of which there may be one kind only.
    ///
    /// # Errors
    /// `invalid_request` for two kinds at once, or a `client_id` that differs from the header's;
    /// `invalid_client` for a header that cannot be read.
    pub fn read(headers: &HeaderMap, form: &mut Parameters) -> Result<Option<Credentials>, Error> {
        let in_form = form.get("client_id").map(str::to_owned);
        let secret_in_form = form.take("client_secret");
        if let Some((client_id, secret)) = basic(headers)? {
            if secret_in_form.is_some() {
                return Err(Error::InvalidRequest("the client must authenticate in one way only".into()));
            }
            if in_form.is_some_and(|in_form| in_form != client_id) {
                return Err(Error::InvalidRequest("client_id differs from the Authorization header".into()));
            }
            let method = TokenEndpointAuthMethod::ClientSecretBasic;
            return Ok(Some(Credentials { client_id: ClientId(client_id), secret: Some(secret), method }));
        }
        let Some(client_id) = in_form else { return Ok(None) };
        let method = match secret_in_form {
            Some(_) => TokenEndpointAuthMethod::ClientSecretPost,
            None => TokenEndpointAuthMethod::None,
        };
        Ok(Some(Credentials { client_id: ClientId(client_id), secret: secret_in_form, method }))
    }

    /// Whether anything is presented that can be wrong.
    pub fn has_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// Proves that the caller is the client, in the way that the client registered.
    ///
    /// # Errors
    /// `invalid_client`; [`Error::TooManyRequests`] when wrong secrets came too often.
    pub async fn prove(&self, app: &App, requester: &Requester) -> Result<Client, Error> {
        let refused = Error::InvalidClient(match self.method {
            TokenEndpointAuthMethod::ClientSecretBasic => Challenge::Basic,
            _ => Challenge::None,
        });
        let client = clients::find(&app.store, &self.client_id).await?;
        let Some(secret) = &self.secret else {
            // A public client has nothing to prove.
            return match client {
                Some(client) if client.metadata.token_endpoint_auth_method == self.method => Ok(client),
                _ => Err(refused),
            };
        };
        let key = requester.limit_key();
        let guess = Action::ClientSecret(&self.client_id.0, &key);
        Error::check(rate_limits::look(app, &guess).await?)?;
        let is_right = client.as_ref().is_some_and(|client| {
            client.metadata.token_endpoint_auth_method == self.method && is_secret_of(app, client, secret)
        });
        match client {
            Some(client) if is_right => Ok(client),
            _ => {
                Error::check(rate_limits::spend(app, &guess).await?)?;
                Err(refused)
            }
        }
    }
}

/// Authenticates the client of a request that must have one.
///
/// # Errors
/// `invalid_request` without credentials, else as [`Credentials::prove`].
pub async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    form: &mut Parameters,
    requester: &Requester,
) -> Result<Client, Error> {
    match Credentials::read(headers, form)? {
        Some(credentials) => credentials.prove(app, requester).await,
        None => Err(Error::InvalidRequest("client_id is required".into())),
    }
}

fn is_secret_of(app: &App, client: &Client, secret: &str) -> bool {
    if client.origin == Origin::Configured {
        let configured = app.config.clients.iter().find(|configured| configured.client_id == client.id.0);
        let expected = configured.and_then(|configured| configured.client_secret.as_ref());
        return expected.is_some_and(|expected| keys::equal_secrets(expected.expose(), secret));
    }
    client.secret_digest.as_ref().is_some_and(|digest| keys::equal_secrets(digest, keys::digest(secret)))
}

/// Client identifier and secret of an `Authorization: Basic` header: both are form-encoded before
/// they are joined (RFC 6749 §2.3.1).
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, Error> {
    let Some(header) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let unreadable = || Error::InvalidClient(Challenge::Basic);
    let text = header.to_str().map_err(|_| unreadable())?;
    let Some((scheme, encoded)) = text.split_once(' ') else { return Err(unreadable()) };
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(unreadable());
    }
    let decoded = STANDARD.decode(encoded.trim()).map_err(|_| unreadable())?;
    let decoded = String::from_utf8(decoded).map_err(|_| unreadable())?;
    let (client_id, secret) = decoded.split_once(':').ok_or_else(unreadable)?;
    match (form_decoded(client_id), form_decoded(secret)) {
        (Some(client_id), Some(secret)) if !client_id.is_empty() => Ok(Some((client_id, secret))),
        _ => Err(unreadable()),
    }
}

fn form_decoded(text: &str) -> Option<String> {
    let query = format!("x={}", text.replace('&', "%26"));
    let decoded = url::form_urlencoded::parse(query.as_bytes()).next().map(|(_, value)| value.into_owned());
    decoded.filter(|text| !text.contains('\0'))
}

/// The token of an `Authorization: Bearer` header (RFC 6750 §2.1).
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}
