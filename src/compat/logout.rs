//! Logging out (Matrix CS API, `POST /logout` and `POST /logout/all`). Locked accounts can, and a token that
//! has expired will do, since its client could refresh it.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde_json::{Value, json};

use super::error::Error;
use crate::app::App;
use crate::http::headers::{bearer, no_store};
use crate::ids::UserId;
use crate::sessions::client::{self, ClientSession, EndReason};
use crate::sessions::tokens;

/// `POST /logout`: ends the session and has its device deleted, without waiting for that.
pub async fn post(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(end_one(&app, &headers).await)
}

/// `POST /logout/all`: ends all that clients hold of the account, whichever API they signed in by. Browsers
/// on our own pages stay signed in.
pub async fn post_all(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(end_all(&app, &headers).await)
}

fn answer(ended: Result<(), Error>) -> Response {
    match ended {
        Ok(()) => no_store(Json::<Value>(json!({}))),
        Err(error) => error.into_response(),
    }
}

async fn end_one(app: &App, headers: &HeaderMap) -> Result<(), Error> {
    let (session, user) = find(app, headers).await?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    client::end(&mut tx, session.id, user, session.device_id, EndReason::Revoked, now).await?;
    tx.commit().await?;
    app.wake_workers();
    Ok(())
}

async fn end_all(app: &App, headers: &HeaderMap) -> Result<(), Error> {
    let (_, user) = find(app, headers).await?;
    let mut tx = app.store.begin().await?;
    client::end_all(&mut tx, user, EndReason::SignedOut, app.clock.now()).await?;
    tx.commit().await?;
    app.wake_workers();
    Ok(())
}

/// The session of the token that came. Who signed in by OAuth signs out there (Matrix CS API, OAuth 2.0 API).
async fn find(app: &App, headers: &HeaderMap) -> Result<(ClientSession, UserId), Error> {
    let token = bearer(headers).ok_or(Error::MissingToken)?;
    let session = tokens::find_session_of_access_token(app, token).await?;
    let session = session.filter(|session| session.client_id.is_none()).ok_or(Error::UnknownToken)?;
    let user = session.user_id.ok_or(Error::UnknownToken)?;
    Ok((session, user))
}
