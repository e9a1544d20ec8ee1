//! The client credentials grant (RFC 6749 §4.4): a client acts for itself, without a person.

use super::super::error::{Challenge, Error};
use super::super::permission::{self, Access};
use super::super::scope::Scope;
use super::super::token::{TokenResponse, access_token_lifetime};
use crate::app::App;
use crate::clients::{self, Client, GrantType, TokenEndpointAuthMethod};
use crate::http::form::Parameters;
use crate::http::requester::Requester;
use crate::methods::Methods;
use crate::sessions::client::NewClientSession;
use crate::sessions::tokens::{self, Issue};

pub(crate) async fn run(
    app: &App,
    requester: &Requester,
    client: &Client,
    form: &Parameters,
) -> Result<TokenResponse, Error> {
    if client.metadata.token_endpoint_auth_method == TokenEndpointAuthMethod::None {
        return Err(Error::UnauthorizedClient("a public client cannot act for itself"));
    }
    // Only an admin can say what that is, so no client that registered itself has any.
    let Some(own) = &client.metadata.scope else {
        return Err(Error::UnauthorizedClient("the client has no scope of its own"));
    };
    let scope = Scope::stored(&granted(own, form.get("scope"))?);
    let access = Access { user: None, client, scope: &scope, grant_type: GrantType::ClientCredentials };
    if !permission::ask(app, access, requester).await?.is_allowed() {
        return Err(Error::UnauthorizedClient("the policy of this server does not allow it"));
    }
    let now = app.clock.now();
    let lifetime = access_token_lifetime(app, client);
    let issue = Issue { requester, root: app.keys.root(), lifetime, limits: &app.config.sessions, now };
    let new = NewClientSession {
        user_id: None,
        client_id: Some(client.id.clone()),
        browser_session_id: None,
        scope: scope.to_string(),
        device_id: None,
        authenticated_at: now,
        methods: Methods::default(),
    };
    let mut tx = app.store.begin().await?;
    if !clients::keep(&mut tx, &client.id).await? {
        return Err(Error::InvalidClient(Challenge::Basic));
    }
    // The refresh token of the pair is given to nobody (RFC 6749 §4.4.3).
    let (session, pair) = tokens::start_session(&mut tx, &new, &issue).await?;
    tx.commit().await?;
    tracing::info!(client = %client.id, %session, ip = requester.ip(), "a client got a token for itself");
    Ok(TokenResponse::without_refresh(pair, new.scope))
}

/// What is granted of the client's own scope: what was asked for, or all of it (RFC 6749 §3.3).
fn granted(own: &str, asked: Option<&str>) -> Result<String, Error> {
    let Some(asked) = asked else { return Ok(own.to_owned()) };
    let mut granted: Vec<&str> = Vec::new();
    for token in asked.split(' ').filter(|token| !token.is_empty()) {
        if !own.split(' ').any(|known| known == token) {
            return Err(Error::InvalidScope(
                "the scope has a value that this client may not have".to_owned(),
            ));
        }
        if !granted.contains(&token) {
            granted.push(token);
        }
    }
    match granted.is_empty() {
        true => Err(Error::InvalidScope("the scope is empty".to_owned())),
        false => Ok(granted.join(" ")),
    }
}
