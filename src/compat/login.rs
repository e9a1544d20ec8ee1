//! Logging in (Matrix CS API, `GET` and `POST /login`).

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::error::Error;
use super::request::{self, Login};
use super::session::{self, LoggedIn};
use super::{password, sso_logins};
use crate::accounts::users;
use crate::app::App;
use crate::config::Config;
use crate::http::headers::no_store;
use crate::http::requester::Requester;
use crate::keys;

/// `GET /login`.
pub async fn get(State(app): State<App>) -> Response {
    no_store(Json(flows(&app.config)))
}

/// How one can log in. Clients that know OAuth read that they had better use it (MSC3824).
pub fn flows(config: &Config) -> Value {
    let mut flows = vec![
        json!({
            "type": "m.login.sso",
            "oauth_aware_preferred": true,
            "org.matrix.msc3824.delegated_oidc_compatibility": true,
        }),
        json!({ "type": "m.login.token" }),
    ];
    if config.passwords.enabled {
        flows.insert(0, json!({ "type": "m.login.password" }));
    }
    json!({ "flows": flows })
}

/// `POST /login`.
pub async fn post(
    State(app): State<App>,
    requester: Requester,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match log_in(&app, &requester, body).await {
        Ok(logged_in) => no_store(Json(logged_in)),
        Err(error) => error.into_response(),
    }
}

async fn log_in(
    app: &App,
    requester: &Requester,
    body: Result<Bytes, BytesRejection>,
) -> Result<LoggedIn, Error> {
    let (login, wanted) = request::login(&request::read(body)?)?;
    let proven = match login {
        Login::Password(login) => password::prove(app, requester, login).await?,
        Login::Token { token } => prove_by_token(app, &token).await?,
        Login::ApplicationService => return Err(Error::AppserviceLogin),
        Login::Other => return Err(Error::Unsupported("this login type is not offered here")),
    };
    session::begin(app, requester, proven, wanted).await
}

/// Who it is by the token that single sign-on gave. It is spent with the beginning of the session.
async fn prove_by_token(app: &App, token: &str) -> Result<session::Proven, Error> {
    let digest = keys::digest(token);
    let approved = sso_logins::find_by_token(&app.store, &digest, app.clock.now()).await?;
    let approved = approved.ok_or(session::BAD_LOGIN_TOKEN)?;
    let user = users::find(&app.store, approved.user_id).await?.ok_or(session::BAD_LOGIN_TOKEN)?;
    let proof = session::Proof::Token {
        digest,
        browser_session_id: approved.browser_session_id,
        authenticated_at: approved.authenticated_at,
        methods: approved.methods,
    };
    Ok(session::Proven { user, proof })
}
