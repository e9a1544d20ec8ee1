//! Dynamic client registration (RFC 7591; Matrix CS API, Client registration).

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::error::Error;
use crate::app::App;
use crate::clients::{self, Client, ClientMetadata, InvalidMetadata};
use crate::http::headers::no_store;
use crate::http::rate_limits::{self, Action};
use crate::http::requester::Requester;
use crate::ids::ClientId;
use crate::policy::{Decision, in_one_line, input};

/// The largest metadata; those of real clients have less than two kilobytes.
const LARGEST: usize = 32 * 1024;

/// `POST /oauth2/registration`. Nothing that the metadata names is fetched.
pub async fn post(
    State(app): State<App>,
    requester: Requester,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match register(&app, &requester, &headers, body).await {
        Ok((client, secret)) => no_store((StatusCode::CREATED, Json(registered(&client, secret)))),
        Err(error) => error.into_response(),
    }
}

async fn register(
    app: &App,
    requester: &Requester,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(Client, Option<String>), Error> {
    Error::check(rate_limits::spend(app, &Action::RegisterClientFrom(&requester.limit_key())).await?)?;
    let given = read(headers, body)?;
    let metadata = ClientMetadata::from_registration(&given).map_err(|error| match error {
        InvalidMetadata::RedirectUri(why) => Error::InvalidRedirectUri(why),
        InvalidMetadata::Metadata(why) => Error::InvalidClientMetadata(why),
    })?;
    permit(app, requester, &metadata)?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let new_id = ClientId::new(now);
    let registered = clients::register(&mut tx, metadata, new_id, now).await?;
    tx.commit().await?;
    tracing::info!(client = %registered.0.id, ip = requester.ip(), "a client registered itself");
    Ok(registered)
}

/// What the administrators of this server do not want is refused like what cannot be registered
/// (RFC 7591 §3.2.2), with their reasons.
fn permit(app: &App, requester: &Requester, metadata: &ClientMetadata) -> Result<(), Error> {
    let client = input::NewClient {
        client_name: metadata.client_name.clone(),
        client_uri: metadata.client_uri.as_ref().map(ToString::to_string).unwrap_or_default(),
        host: metadata.client_uri.as_ref().and_then(|uri| uri.host_str()).unwrap_or_default().to_owned(),
        redirects: metadata.redirect_uris.iter().map(|uri| input::Redirect::new(uri)).collect(),
        application_type: metadata.application_type.as_str().to_owned(),
        grant_types: metadata.grant_types.clone(),
        token_endpoint_auth_method: metadata.token_endpoint_auth_method.as_str().to_owned(),
    };
    let question = input::ClientRegistration { client, requester: requester.for_policy() };
    match app.policy.client_registration(&question)? {
        Decision::Allowed => Ok(()),
        Decision::Denied(violations) => Err(Error::InvalidClientMetadata(format!(
            "the policy of this server does not allow it: {}",
            in_one_line(&violations)
        ))),
    }
}

fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Map<String, Value>, Error> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Error::InvalidRequest("client metadata must be application/json".into()));
    }
    let body = body.map_err(|_| Error::TooLarge)?;
    if body.len() > LARGEST {
        return Err(Error::TooLarge);
    }
    match serde_json::from_slice(&body) {
        Ok(Value::Object(given)) => Ok(given),
        Ok(_) => Err(Error::InvalidRequest("client metadata must be a JSON object".into())),
        Err(_) => Err(Error::InvalidRequest("the body is not valid JSON".into())),
    }
}

/// The metadata as it was registered, with what the client has to know (RFC 7591 §3.2.1).
fn registered(client: &Client, secret: Option<String>) -> Value {
    let mut answer = serde_json::to_value(&client.metadata).unwrap_or_default();
    answer["client_id"] = json!(client.id);
    answer["client_id_issued_at"] = json!(client.created_at.as_seconds());
    if let Some(secret) = secret {
        answer["client_secret"] = json!(secret);
        answer["client_secret_expires_at"] = json!(0);
    }
    answer
}
