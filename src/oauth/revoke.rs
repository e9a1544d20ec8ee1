//! Revocation (RFC 7009; Matrix CS API, Token revocation; MSC4254): a client signs out.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde_json::{Value, json};

use super::client_auth::Credentials;
use super::error::Error;
use crate::app::App;
use crate::http::form::{FormError, Parameters};
use crate::http::headers::no_store;
use crate::http::requester::Requester;
use crate::sessions::client::{self, EndReason};
use crate::sessions::tokens;

/// `POST /oauth2/revoke`: ends the whole session of either token, however old it is, and does not
/// wait for the homeserver.
pub async fn post(
    State(app): State<App>,
    requester: Requester,
    headers: HeaderMap,
    form: Result<Parameters, FormError>,
) -> Response {
    match revoke(&app, &requester, &headers, form).await {
        // A JSON body, though RFC 7009 asks for none: Matrix web clients parse it.
        Ok(()) => no_store(Json::<Value>(json!({}))),
        Err(error) => error.into_response(),
    }
}

async fn revoke(
    app: &App,
    requester: &Requester,
    headers: &HeaderMap,
    form: Result<Parameters, FormError>,
) -> Result<(), Error> {
    let mut form = form?;
    // Who holds a token may end it, as those do who find one where it should not be; only
    // credentials that are presented have to be right.
    if let Some(credentials) = Credentials::read(headers, &mut form)?.filter(Credentials::has_proof) {
        credentials.prove(app, requester, "oauth2/revoke").await?;
    }
    let token = form.get("token").ok_or(Error::InvalidRequest("token is required".into()))?;
    let now = app.clock.now();
    // The hint is not needed: a token tells what it is.
    let session = match tokens::find_session_of_access_token(app, token).await? {
        Some(session) => session,
        None => match tokens::find_session_of_refresh_token(app, token).await? {
            Some(session) => session,
            None => return Ok(()),
        },
    };
    let mut tx = app.store.begin().await?;
    client::end(&mut tx, session.id, session.user_id, session.device_id, EndReason::Revoked, now).await?;
    tx.commit().await?;
    app.wake_workers();
    Ok(())
}
