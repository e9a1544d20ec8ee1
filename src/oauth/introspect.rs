//! Introspection (RFC 7662): the homeserver asks whom a token belongs to.

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, PRAGMA};
use http::{HeaderMap, HeaderName};
use serde::Serialize;

use super::client_auth::Credentials;
use super::error::{Challenge, Error};
use super::scope::Scope;
use crate::app::App;
use crate::clients::TokenEndpointAuthMethod;
use crate::http::form::Parameters;
use crate::http::headers::{bearer, no_store};
use crate::http::requester::Requester;
use crate::ids::DeviceId;
use crate::keys::{self, TokenKind};
use crate::known::ActiveToken;
use crate::sessions::tokens;
use crate::time::Timestamp;

/// Synapse sends this when it reads `device_id` beside the scope.
const SUPPORTS_DEVICE_ID: HeaderName = HeaderName::from_static("x-mas-supports-device-id");

/// The answer (RFC 7662 §2.2) as the homeserver reads it: types are strict, and what is not known is
/// left out. Beside it stands `expires_in` for an access token.
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
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    /// How strongly the person proved who they are, and when (RFC 9470 §6.2): told to clients alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
}

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caller {
    Homeserver { reads_device_id: bool },
    Client,
}

/// No answer takes longer.
const LONGEST: Duration = Duration::from_secs(30);

/// `POST /oauth2/introspect`. The caller is proven before the token is looked at (RFC 7662 §2.1), and
/// every token that is not active gets the same answer (§2.2).
pub async fn post(State(app): State<App>, request: Request) -> Response {
    let mut answering = pin!(answer(&app, request));
    // Most requests are here as a whole and need no database: no timer is set for them.
    let at_once = poll_fn(|context| Poll::Ready(answering.as_mut().poll(context))).await;
    let answered = match at_once {
        Poll::Ready(answered) => answered,
        Poll::Pending => tokio::time::timeout(LONGEST, answering)
            .await
            .unwrap_or_else(|_| Err(Error::TemporarilyUnavailable("this took too long".into()))),
    };
    answered.unwrap_or_else(|error| {
        let counted = &app.metrics.introspections;
        let response = error.into_response();
        if response.status().is_server_error() { &counted.failed } else { &counted.refused }.inc();
        response
    })
}

async fn answer(app: &App, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    // The secret comes first: not even the form of a request is judged for a stranger.
    let secret = bearer(&parts.headers);
    let is_homeserver = secret.is_some_and(|secret| is_homeserver_secret(app, secret));
    if secret.is_some() && !is_homeserver {
        // RFC 7662 §2.3: as any resource refuses a bearer token.
        return Err(Error::InvalidToken(Some("the secret is not the homeserver's")));
    }
    let mut form = match Parameters::read(&parts.headers, body).await {
        Ok(form) => form,
        Err(_) if !is_homeserver => return Err(Error::InvalidClient(Challenge::Bearer)),
        Err(error) => return Err(error.into()),
    };
    let caller = match is_homeserver {
        true => {
            let reads_device_id = parts.headers.get(SUPPORTS_DEVICE_ID).is_some_and(|value| value == "1");
            Caller::Homeserver { reads_device_id }
        }
        // What is rare is put aside, so that what is moved about for each request stays small.
        false => Box::pin(prove_client(app, &Requester::of(&parts, app), &parts.headers, &mut form)).await?,
    };
    let token = match form.get("token") {
        Some(token) => token,
        // An empty token that somebody sent to the homeserver, which passes it on, is a wrong one.
        None if form.is_given("token") => return Ok(inactive(app)),
        None => return Err(Error::InvalidRequest("token is required".into())),
    };
    match TokenKind::of(token) {
        Some(TokenKind::Refresh) if caller == Caller::Client => Box::pin(refresh_token(app, token)).await,
        // The homeserver would let a refresh token in as if it were an access token.
        Some(TokenKind::Refresh) => Ok(inactive(app)),
        _ => access_token(app, token, caller).await,
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
    let client = credentials.prove(app, requester, "oauth2/introspect").await?;
    match client.metadata.token_endpoint_auth_method {
        TokenEndpointAuthMethod::None => Err(unproven),
        _ => Ok(Caller::Client),
    }
}

async fn access_token(app: &App, token: &str, caller: Caller) -> Result<Response, Error> {
    let now = app.clock.now();
    let Some(active) = tokens::find_active(app, token, now).await? else { return Ok(inactive(app)) };
    // A homeserver lets users in, and a client that acts for itself is none.
    if active.user.is_none() && caller != Caller::Client {
        return Ok(inactive(app));
    }
    let told: Cow<'_, str> = match caller {
        Caller::Homeserver { reads_device_id } => {
            let known = &active.told[usize::from(reads_device_id)];
            Cow::Borrowed(known.get_or_init(|| describe(&active, caller).into()))
        }
        // What is rare is not kept.
        Caller::Client => Cow::Owned(describe(&active, caller)),
    };
    app.metrics.introspections.active.inc();
    if active.expires_at == Timestamp::NEVER {
        return Ok(json(told.into_owned()));
    }
    let left = seconds_left(active.expires_at, now);
    Ok(json(format!("{},\"expires_in\":{left}}}", told.strip_suffix('}').unwrap_or(&told))))
}

/// All but the one number that changes.
fn describe(active: &ActiveToken, caller: Caller) -> String {
    let reads_device_id = caller == Caller::Homeserver { reads_device_id: true };
    let client_id = active.client_id.as_ref().map(|id| id.0.as_str());
    let mut scope = Scope::stored(&active.scope);
    if let Some(device_id) = active.device_id.as_ref().filter(|_| !reads_device_id) {
        scope = scope.with_device(device_id);
    }
    let (at, methods) = active.proved;
    let is_proved = caller == Caller::Client && active.user.is_some() && !methods.is_empty();
    let told = Introspection {
        active: true,
        scope: Some(&scope.in_both_spellings()),
        client_id,
        username: active.user.as_ref().map(|user| user.localpart.as_str()),
        token_type: Some("access_token"),
        device_id: active.device_id.as_ref().filter(|_| reads_device_id),
        exp: (active.expires_at < Timestamp::NEVER).then(|| active.expires_at.as_seconds()),
        iat: Some(active.issued_at.as_seconds()),
        nbf: Some(active.issued_at.as_seconds()),
        // Without a user the client is the subject (RFC 9068 §2.2 has it so too).
        sub: active.user.as_ref().map(|user| user.id.to_string()).or_else(|| client_id.map(str::to_owned)),
        acr: is_proved.then(|| methods.acr().as_str()),
        auth_time: is_proved.then(|| at.as_seconds()),
    };
    // Texts and numbers always make JSON.
    serde_json::to_string(&told).unwrap_or_default()
}

async fn refresh_token(app: &App, token: &str) -> Result<Response, Error> {
    let Some(session) = tokens::find_refreshable(app, token).await? else { return Ok(inactive(app)) };
    app.metrics.introspections.active.inc();
    Ok(no_store(Json(Introspection {
        active: true,
        scope: Some(&Scope::stored(&session.scope).in_both_spellings()),
        client_id: session.client_id.as_ref().map(|id| id.0.as_str()),
        username: Some(&session.localpart),
        token_type: Some("refresh_token"),
        sub: Some(session.user_id.to_string()),
        ..Introspection::default()
    })))
}

/// The one answer to every token that is not active.
fn inactive(app: &App) -> Response {
    app.metrics.introspections.inactive.inc();
    json(r#"{"active":false}"#)
}

/// [`no_store`] for JSON that is there already.
fn json(body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (PRAGMA, HeaderValue::from_static("no-cache")),
    ];
    response.headers_mut().reserve(headers.len());
    response.headers_mut().extend(headers);
    response
}

/// Whole seconds, rounded up: a token that is active has at least one left.
fn seconds_left(expires_at: Timestamp, now: Timestamp) -> i64 {
    (expires_at.0 - now.0 + 999) / 1000
}
