//! The device authorization endpoint (RFC 8628 §3.1, §3.2; MSC4341): a device without a browser of its own
//! begins its sign-in. The person answers at `link.rs`; the device polls the token endpoint meanwhile.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde::Serialize;

use super::client_auth;
use super::error::Error;
use super::link;
use super::scope::Scope;
use crate::app::App;
use crate::clients::GrantType;
use crate::clients::device_requests::{self, INTERVAL, LIFETIME, NewRequest};
use crate::clients::user_code::UserCode;
use crate::http::form::{FormError, Parameters};
use crate::http::headers::no_store;
use crate::http::requester::Requester;
use crate::keys;

/// How many user codes are tried. One of thousands of millions is hardly ever taken.
const TRIES: usize = 5;

/// What a device is told (RFC 8628 §3.2).
#[derive(Serialize)]
struct DeviceAuthorization {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    expires_in: u64,
    interval: u64,
}

/// `POST /oauth2/device`.
pub async fn post(
    State(app): State<App>,
    requester: Requester,
    headers: HeaderMap,
    form: Result<Parameters, FormError>,
) -> Response {
    match begin(&app, &requester, &headers, form).await {
        Ok(begun) => no_store(Json(begun)),
        Err(error) => error.into_response(),
    }
}

async fn begin(
    app: &App,
    requester: &Requester,
    headers: &HeaderMap,
    form: Result<Parameters, FormError>,
) -> Result<DeviceAuthorization, Error> {
    let mut form = form?;
    let client = client_auth::authenticate(app, headers, &mut form, requester, "oauth2/device").await?;
    if !client.may_use(GrantType::DeviceCode) {
        return Err(Error::UnauthorizedClient("the client did not register this grant type"));
    }
    let scope = Scope::parse(form.get("scope").unwrap_or_default())
        .map_err(|error| Error::InvalidScope(error.to_string()))?;
    let device_code = keys::random_secret();
    for _ in 0..TRIES {
        let user_code = UserCode::random();
        let new = NewRequest {
            device_code_digest: &keys::digest(&device_code),
            user_code_digest: &user_code.digest(app.keys.root()),
            client_id: &client.id,
            scope: &scope.to_string(),
            requester,
        };
        if device_requests::add(&app.store, &new, app.clock.now()).await? {
            tracing::info!(client = %client.id, ip = requester.ip(), "a device asks to be let in");
            let at =
                |local: &str| format!("{}{}", app.config.http.public_base, local.trim_start_matches('/'));
            return Ok(DeviceAuthorization {
                device_code,
                user_code: user_code.to_string(),
                verification_uri: at(link::PATH),
                verification_uri_complete: at(&link::path_of(&user_code)),
                expires_in: LIFETIME.as_secs(),
                interval: INTERVAL.as_secs(),
            });
        }
    }
    Err(Error::TemporarilyUnavailable("no user code is free".into()))
}
