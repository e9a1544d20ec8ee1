//! Introspection (RFC 7662): the homeserver asks whom a token belongs to.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName};
use serde::Serialize;

use super::client_auth::{Credentials, bearer};
use super::error::{Challenge, Error};
use super::scope::Scope;
use crate::app::App;
use crate::clients::TokenEndpointAuthMethod;
use crate::http::form::{FormError, Parameters};
use crate::http::headers::no_store;
use crate::http::requester::Requester;
use crate::ids::{DeviceId, UserId};
use crate::keys::{self, TokenKind};
use crate::sessions::tokens;
use crate::time::Timestamp;

/// Synapse sends this when it reads `device_id` beside the scope.
const SUPPORTS_DEVICE_ID: HeaderName = HeaderName::from_static("x-mas-supports-device-id");

/// The answer (RFC 7662 §2.2) as the homeserver reads it: types are strict, and what is not known is
/// left out.
#[derive(Debug, Default, Serialize)]
pub struct Introspection<'a> {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<&'a DeviceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<UserId>,
}

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caller {
    Homeserver { reads_device_id: bool },
    Client,
}

/// `POST /oauth2/introspect`. The caller is proven before the token is looked at (RFC 7662 §2.1), and
/// every token that is not active gets the same answer (§2.2).
pub async fn post(
    State(app): State<App>,
    requester: Requester,
    headers: HeaderMap,
    form: Result<Parameters, FormError>,
) -> Response {
    match answer(&app, &requester, &headers, form).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn answer(
    app: &App,
    requester: &Requester,
    headers: &HeaderMap,
    form: Result<Parameters, FormError>,
) -> Result<Response, Error> {
    // The secret comes first: not even the form of a request is judged for a stranger.
    let is_homeserver = bearer(headers).is_some_and(|secret| is_homeserver_secret(app, secret));
    if !is_homeserver && bearer(headers).is_some() {
        return Err(Error::InvalidClient(Challenge::Bearer));
    }
    let mut form = match form {
        Ok(form) => form,
        Err(_) if !is_homeserver => return Err(Error::InvalidClient(Challenge::Bearer)),
        Err(error) => return Err(error.into()),
    };
    let caller = match is_homeserver {
        true => {
            Caller::Homeserver { reads_device_id: headers.get(SUPPORTS_DEVICE_ID).is_some_and(|v| v == "1") }
        }
        false => prove_client(app, requester, headers, &mut form).await?,
    };
    let token = match form.get("token") {
        Some(token) => token,
        // An empty token that somebody sent to the homeserver, which passes it on, is a wrong one.
        None if form.is_given("token") => return Ok(inactive()),
        None => return Err(Error::InvalidRequest("token is required".into())),
    };
    match TokenKind::of(token) {
        Some(TokenKind::Access) => access_token(app, token, caller).await,
        // The homeserver would let a refresh token in as if it were an access token.
        Some(TokenKind::Refresh) if caller == Caller::Client => refresh_token(app, token).await,
        _ => Ok(inactive()),
    }
}

fn is_homeserver_secret(app: &App, secret: &str) -> bool {
    // Every accepted secret is compared, so that the time does not tell which one it was.
    app.homeserver_secrets.iter().fold(false, |found, known| keys::equal_secrets(known, secret) | found)
}

/// A confidential client; a public one proves nothing.
async fn prove_client(
    app: &App,
    requester: &Requester,
    headers: &HeaderMap,
    form: &mut Parameters,
) -> Result<Caller, Error> {
    let unproven = Error::InvalidClient(Challenge::Bearer);
    let Some(credentials) = Credentials::read(headers, form)? else { return Err(unproven) };
    let client = credentials.prove(app, requester).await.map_err(|error| match error {
        Error::InvalidClient(Challenge::None) => Error::InvalidClient(Challenge::Bearer),
        other => other,
    })?;
    match client.metadata.token_endpoint_auth_method {
        TokenEndpointAuthMethod::None => Err(unproven),
        _ => Ok(Caller::Client),
    }
}

async fn access_token(app: &App, token: &str, caller: Caller) -> Result<Response, Error> {
    let now = app.clock.now();
    let Some(active) = tokens::find_active(app, token, now).await? else { return Ok(inactive()) };
    let reads_device_id = caller == Caller::Homeserver { reads_device_id: true };
    Ok(no_store(Json(Introspection {
        active: true,
        scope: Some(active.told_scope.get_or_init(|| Scope::stored(&active.scope).in_both_spellings())),
        client_id: Some(&active.client_id.0),
        username: Some(&active.localpart),
        token_type: Some("access_token"),
        device_id: active.device_id.as_ref().filter(|_| reads_device_id),
        exp: Some(active.expires_at.as_seconds()),
        expires_in: Some(seconds_left(active.expires_at, now)),
        iat: Some(active.issued_at.as_seconds()),
        nbf: Some(active.issued_at.as_seconds()),
        sub: Some(active.user_id),
    })))
}

async fn refresh_token(app: &App, token: &str) -> Result<Response, Error> {
    let Some(session) = tokens::find_refreshable(&app.store, token).await? else { return Ok(inactive()) };
    Ok(no_store(Json(Introspection {
        active: true,
        scope: Some(&Scope::stored(&session.scope).in_both_spellings()),
        client_id: Some(&session.client_id.0),
        username: Some(&session.localpart),
        token_type: Some("refresh_token"),
        sub: Some(session.user_id),
        ..Introspection::default()
    })))
}

/// The one answer to every token that is not active.
fn inactive() -> Response {
    const INACTIVE: &[u8] = br#"{"active":false}"#;
    no_store(([(CONTENT_TYPE, "application/json")], INACTIVE))
}

/// Whole seconds, rounded up: a token that is active has at least one left.
fn seconds_left(expires_at: Timestamp, now: Timestamp) -> i64 {
    (expires_at.0 - now.0 + 999) / 1000
}
