//! Userinfo (OpenID Connect Core §5.3): a client asks who the person is.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde_json::json;

use super::error::Error;
use super::scope::{EMAIL, OPENID, PROFILE, Scope};
use crate::accounts::display_name::{self, DisplayName};
use crate::accounts::emails;
use crate::app::App;
use crate::http::headers::{bearer, no_store};
use crate::ids::Localpart;
use crate::sessions::tokens;

/// `GET` and `POST /oauth2/userinfo`.
pub async fn respond(State(app): State<App>, headers: HeaderMap) -> Response {
    match answer(&app, &headers).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn answer(app: &App, headers: &HeaderMap) -> Result<Response, Error> {
    let token = bearer(headers).ok_or(Error::InvalidToken(None))?;
    let active = tokens::find_active(app, token, app.clock.now()).await?;
    let session = active.ok_or(Error::InvalidToken(Some("the access token is not valid")))?;
    let scope = Scope::stored(&session.scope);
    // A client that acts for itself has no person to tell about, and never this scope.
    let Some(user) = session.user.as_ref().filter(|_| scope.has(OPENID)) else {
        return Err(Error::InsufficientScope(OPENID));
    };
    let mut claims = json!({ "sub": user.id });
    if scope.has(PROFILE) {
        claims["preferred_username"] = json!(user.localpart);
        // What is not known is left out (§5.3.2): the homeserver has the name, and may be away.
        let localpart = Localpart::from_stored(user.localpart.clone());
        if let DisplayName::Known(Some(name)) = display_name::find(app, user.id, &localpart).await? {
            claims["name"] = json!(name);
        }
    }
    // With a scope, claims go here and not into the ID token, since there is an access token (OpenID Connect
    // Core §5.4). Who has no address has neither claim (§5.3.2).
    if scope.has(EMAIL)
        && let Some(email) = emails::list(&app.store, user.id).await?.into_iter().next()
    {
        claims["email"] = json!(email.address);
        claims["email_verified"] = json!(email.verified_at.is_some());
    }
    Ok(no_store(Json(claims)))
}
