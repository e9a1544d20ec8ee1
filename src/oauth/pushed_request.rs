//! Pushed authorization requests (RFC 9126): a client hands its request over before the browser comes, so
//! that nothing of it stands in a URL.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::authorize::{PUSHED_PREFIX, Refusal, check};
use super::client_auth;
use super::error::Error;
use super::response_mode::Return;
use crate::app::App;
use crate::clients::authorization_requests::ResponseMode;
use crate::clients::pushed_requests;
use crate::clients::redirect_uri;
use crate::http::form::{FormError, Parameters};
use crate::http::headers::no_store;
use crate::http::requester::Requester;
use crate::ids::AuthorizationRequestId;

/// `POST /oauth2/par`.
pub async fn post(
    State(app): State<App>,
    requester: Requester,
    headers: HeaderMap,
    form: Result<Parameters, FormError>,
) -> Response {
    match push(&app, &requester, &headers, form).await {
        Ok(id) => {
            let answer = json!({ "request_uri": format!("{PUSHED_PREFIX}{id}"), "expires_in": pushed_requests::LIFETIME.as_secs() });
            no_store((StatusCode::CREATED, Json(answer)))
        }
        Err(error) => error.into_response(),
    }
}

async fn push(
    app: &App,
    requester: &Requester,
    headers: &HeaderMap,
    form: Result<Parameters, FormError>,
) -> Result<AuthorizationRequestId, Error> {
    let mut form = form?;
    let client = client_auth::authenticate(app, headers, &mut form, requester, "oauth2/par").await?;
    if form.get("request_uri").is_some() {
        return Err(Error::InvalidRequest("a pushed request cannot name another one".into()));
    }
    let requested = form.get("redirect_uri").unwrap_or_default();
    if !client.metadata.redirect_uris.iter().any(|uri| redirect_uri::matches(uri, requested)) {
        return Err(Error::InvalidRequest("redirect_uri is not one that the client registered".into()));
    }
    let response_mode = match form.get("response_mode") {
        None => ResponseMode::default(),
        Some(asked) => ResponseMode::ALL
            .into_iter()
            .find(|mode| mode.as_str() == asked)
            .ok_or(Error::InvalidRequest("response_mode must be query, fragment or form_post".into()))?,
    };
    let state = form.get("state").map(str::to_owned);
    let way_back = Return { redirect_uri: requested.to_owned(), response_mode, state };
    let asked = check(app, &client, &form, &way_back)
        .map_err(|Refusal(code, why)| Error::Authorization(code, why))?;
    let id = pushed_requests::push(&app.store, &client.id, &asked, app.clock.now()).await?;
    tracing::info!(client = %client.id, ip = requester.ip(), "a client pushed an authorization request");
    Ok(id)
}
