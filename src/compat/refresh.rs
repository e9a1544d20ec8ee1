//! Refreshing an access token (Matrix CS API, `POST /refresh`; MSC2918).

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::error::{Error, milliseconds};
use super::request;
use super::session::access_token_lifetime;
use crate::app::App;
use crate::http::headers::no_store;
use crate::http::requester::Requester;
use crate::sessions::refresh::{self, Refreshed};
use crate::sessions::tokens::Issue;

/// A successful answer.
#[derive(Serialize)]
struct NewTokens {
    access_token: String,
    refresh_token: String,
    expires_in_ms: u64,
}

/// `POST /refresh`. A 4xx is the end of a session to the client, so only one that is over gets it; one that
/// is locked keeps its data.
pub async fn post(
    State(app): State<App>,
    requester: Requester,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match refresh(&app, &requester, body).await {
        Ok(tokens) => no_store(Json(tokens)),
        Err(error) => error.into_response(),
    }
}

async fn refresh(
    app: &App,
    requester: &Requester,
    body: Result<Bytes, BytesRejection>,
) -> Result<NewTokens, Error> {
    let body = request::read(body)?;
    let body = body.as_object().ok_or(Error::BadJson("this is not an object"))?;
    let presented = body.get("refresh_token").ok_or(Error::MissingParam("refresh_token is required"))?;
    let presented = presented.as_str().ok_or(Error::BadJson("refresh_token is a text"))?;
    let issue = Issue {
        requester,
        root: app.keys.root(),
        lifetime: access_token_lifetime(app),
        limits: &app.config.sessions,
        now: app.clock.now(),
    };
    match refresh::refresh(app, presented, None, &issue, |_| Ok::<bool, Error>(true)).await? {
        Refreshed::Pair(pair, _) => Ok(NewTokens {
            access_token: pair.access_token,
            refresh_token: pair.refresh_token,
            expires_in_ms: milliseconds(pair.expires_in),
        }),
        Refreshed::Over | Refreshed::Denied => Err(Error::UnknownToken),
        Refreshed::Locked => Err(Error::Locked),
        Refreshed::Later => Err(Error::Unavailable("come back in a moment".into())),
    }
}
