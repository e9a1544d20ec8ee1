//! Authentication of clients at the token, introspection and revocation endpoints (RFC 6749 §2.3).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use tokio::sync::Semaphore;

use super::client_assertion;
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
    proof: Proof,
}

/// How it proves that.
enum Proof {
    /// Not at all, as public clients do.
    Nothing,
    /// Its secret, in the header or in the form.
    Secret(TokenEndpointAuthMethod, String),
    /// A JWT that it has signed.
    Assertion(String),
}

impl Proof {
    fn method(&self) -> TokenEndpointAuthMethod {
        match self {
            Proof::Nothing => TokenEndpointAuthMethod::None,
            Proof::Secret(method, _) => *method,
            Proof::Assertion(_) => TokenEndpointAuthMethod::PrivateKeyJwt,
        }
    }
}

/// How many secrets are under way between the look at the limit and its count.
static TURNS: Semaphore = Semaphore::const_new(8);

impl Credentials {
    /// Reads the credentials, of which there may be one kind only.
    ///
    /// # Errors
    /// `invalid_request` for two kinds at once, or a `client_id` that differs from the header's or the
    /// assertion's; `invalid_client` for a header or assertion that cannot be read.
    pub fn read(headers: &HeaderMap, form: &mut Parameters) -> Result<Option<Credentials>, Error> {
        let in_form = form.get("client_id").map(|id| ClientId(id.to_owned()));
        let in_header = basic(headers)?;
        let secret = form.take("client_secret");
        let assertion = form.take("client_assertion");
        if [in_header.is_some(), secret.is_some(), assertion.is_some()].into_iter().filter(|one| *one).count()
            > 1
        {
            return Err(Error::InvalidRequest("the client must authenticate in one way only".into()));
        }
        let (client_id, proof) = match (in_header, assertion, secret) {
            (Some((id, secret)), _, _) => {
                (Some(ClientId(id)), Proof::Secret(TokenEndpointAuthMethod::ClientSecretBasic, secret))
            }
            (_, Some(assertion), _) => {
                if form.get("client_assertion_type") != Some(client_assertion::TYPE) {
                    return Err(Error::InvalidRequest(
                        "client_assertion_type must be that of RFC 7523".into(),
                    ));
                }
                let claimed = client_assertion::claimed_client(&assertion);
                (Some(claimed.ok_or(Error::InvalidClient(Challenge::Basic))?), Proof::Assertion(assertion))
            }
            (_, _, Some(secret)) => {
                (in_form.clone(), Proof::Secret(TokenEndpointAuthMethod::ClientSecretPost, secret))
            }
            _ => (in_form.clone(), Proof::Nothing),
        };
        let Some(client_id) = client_id else { return Ok(None) };
        if in_form.is_some_and(|in_form| in_form != client_id) {
            return Err(Error::InvalidRequest("client_id differs from the client's credentials".into()));
        }
        Ok(Some(Credentials { client_id, proof }))
    }

    /// Whether anything is presented that can be wrong.
    pub fn has_proof(&self) -> bool {
        !matches!(self.proof, Proof::Nothing)
    }

    /// Proves that the caller is the client, in the way that the client registered. `path` is that of the
    /// endpoint, without the first slash: an assertion may be made out to it.
    ///
    /// # Errors
    /// `invalid_client`; [`Error::TooManyRequests`] when wrong proofs came too often.
    pub async fn prove(&self, app: &App, requester: &Requester, path: &str) -> Result<Arc<Client>, Error> {
        let method = self.proof.method();
        let refused = Error::InvalidClient(Challenge::Basic);
        let client = clients::find_known(app, &self.client_id).await?;
        let client = client.filter(|client| client.metadata.token_endpoint_auth_method == method);
        if !self.has_proof() {
            // A public client has nothing to prove.
            return client.ok_or(refused);
        }
        let key = requester.limit_key();
        let guess = Action::ClientSecret(&self.client_id.0, &key);
        // Right proofs cost no write, so the limit is looked at first and counts afterwards; few at a time, so that
        // many guesses at once gain nothing. Nobody guesses a signature, and what proves it may have to be fetched.
        let _turn = match self.proof {
            Proof::Secret(..) => TURNS.acquire().await.ok(),
            _ => None,
        };
        Error::check(rate_limits::look(app, &guess).await?)?;
        let proven = match (client, &self.proof) {
            (Some(client), Proof::Secret(_, secret)) if is_secret_of(app, &client, secret) => Ok(client),
            (Some(client), Proof::Assertion(assertion)) => {
                Box::pin(client_assertion::prove(app, &client, assertion, path)).await.map(|()| client)
            }
            _ => Err(refused),
        };
        if let Err(Error::InvalidClient(_)) = proven {
            Error::check(rate_limits::spend(app, &guess).await?)?;
        }
        proven
    }
}

/// Authenticates the client of a request to the endpoint at `path` that must have one.
///
/// # Errors
/// `invalid_request` without credentials, else as [`Credentials::prove`].
pub async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    form: &mut Parameters,
    requester: &Requester,
    path: &str,
) -> Result<Arc<Client>, Error> {
    match Credentials::read(headers, form)? {
        Some(credentials) => credentials.prove(app, requester, path).await,
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
