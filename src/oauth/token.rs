//! The token endpoint (RFC 6749 §3.2): what all grants share.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde::Serialize;

use super::client_auth;
use super::error::Error;
use super::grants;
use crate::app::App;
use crate::clients::{Client, GrantType};
use crate::http::form::{FormError, Parameters};
use crate::http::headers::no_store;
use crate::http::requester::Requester;
use crate::sessions::tokens::Pair;

/// A successful answer (RFC 6749 §5.1).
#[derive(Serialize)]
pub struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

impl TokenResponse {
    /// Answers with an access token alone, to a client that acts for itself (RFC 6749 §4.4.3).
    pub fn without_refresh(pair: Pair, scope: String) -> TokenResponse {
        TokenResponse {
            access_token: pair.access_token,
            token_type: "Bearer",
            expires_in: pair.expires_in.as_secs(),
            refresh_token: None,
            scope,
            id_token: None,
        }
    }

    /// Answers with a pair, to a client that may or may not refresh.
    pub fn new(client: &Client, pair: Pair, scope: String, id_token: Option<String>) -> TokenResponse {
        TokenResponse {
            access_token: pair.access_token,
            token_type: "Bearer",
            expires_in: pair.expires_in.as_secs(),
            refresh_token: client.may_use(GrantType::RefreshToken).then_some(pair.refresh_token),
            scope,
            id_token,
        }
    }
}

/// `POST /oauth2/token`.
pub async fn post(
    State(app): State<App>,
    requester: Requester,
    headers: HeaderMap,
    form: Result<Parameters, FormError>,
) -> Response {
    match answer(&app, &requester, &headers, form).await {
        Ok(tokens) => no_store(Json(tokens)),
        Err(error) => error.into_response(),
    }
}

async fn answer(
    app: &App,
    requester: &Requester,
    headers: &HeaderMap,
    form: Result<Parameters, FormError>,
) -> Result<TokenResponse, Error> {
    let mut form = form?;
    let asked = form.get("grant_type").ok_or(Error::InvalidRequest("grant_type is required".into()))?;
    let Some(grant) = GrantType::ALL.into_iter().find(|grant| grant.as_str() == asked) else {
        app.metrics.token_request("other", Error::UnsupportedGrantType.code());
        return Err(Error::UnsupportedGrantType);
    };
    let granted = run(app, requester, headers, &mut form, grant).await;
    // A client that is refused with 4xx while it refreshes takes itself for signed out (Matrix CS API,
    // Refresh token grant): what passes must not look so.
    let granted = match (grant, granted) {
        (GrantType::RefreshToken, Err(Error::TooManyRequests(_))) => {
            Err(Error::TemporarilyUnavailable("too many attempts; wait before the next".into()))
        }
        (_, granted) => granted,
    };
    let outcome = granted.as_ref().map_or_else(Error::code, |_| "granted");
    app.metrics.token_request(grant.as_str(), outcome);
    granted
}

async fn run(
    app: &App,
    requester: &Requester,
    headers: &HeaderMap,
    form: &mut Parameters,
    grant: GrantType,
) -> Result<TokenResponse, Error> {
    let authenticated = client_auth::authenticate(app, headers, form, requester, "oauth2/token").await;
    let client = authenticated.inspect_err(|error| {
        let (grant, code) = (grant.as_str(), error.code());
        tracing::info!(grant, code, ip = requester.ip(), "a client was refused");
    })?;
    let granted = match grant {
        _ if !client.may_use(grant) => {
            Err(Error::UnauthorizedClient("the client did not register this grant type"))
        }
        GrantType::AuthorizationCode => grants::authorization_code::run(app, requester, &client, form).await,
        GrantType::RefreshToken => grants::refresh_token::run(app, requester, &client, form).await,
        GrantType::ClientCredentials => grants::client_credentials::run(app, requester, &client, form).await,
        GrantType::DeviceCode => grants::device_code::run(app, requester, &client, form).await,
    };
    granted.inspect_err(|error| {
        let (grant, code) = (grant.as_str(), error.code());
        // A device that waits for its person asks every few seconds.
        if !matches!(error, Error::Device("authorization_pending" | "slow_down", _)) {
            tracing::info!(client = %client.id, grant, code, ip = requester.ip(), "a grant was refused");
        }
    })
}

/// How long the client's access tokens live.
pub(super) fn access_token_lifetime(app: &App, client: &Client) -> Duration {
    let own = client.metadata.access_token_lifetime_seconds;
    Duration::from_secs(own.unwrap_or(app.config.oauth.access_token_lifetime_seconds))
}
