//! The refresh token grant (RFC 6749 §6; Matrix CS API, Refresh token grant).

use super::super::error::Error;
use super::super::id_token::{self, Subject};
use super::super::permission::{self, Access};
use super::super::scope::{OPENID, Scope};
use super::super::token::{TokenResponse, access_token_lifetime};
use crate::app::App;
use crate::clients::{Client, GrantType};
use crate::http::form::Parameters;
use crate::http::requester::Requester;
use crate::sessions::refresh::{self, Refreshed};
use crate::sessions::tokens::{Found, Issue};

pub(crate) async fn run(
    app: &App,
    requester: &Requester,
    client: &Client,
    form: &Parameters,
) -> Result<TokenResponse, Error> {
    let presented =
        form.get("refresh_token").ok_or(Error::InvalidRequest("refresh_token is required".into()))?;
    let now = app.clock.now();
    let issue = Issue {
        requester,
        root: app.keys.root(),
        lifetime: access_token_lifetime(app, client),
        limits: &app.config.sessions,
        now,
    };
    let asked = form.get("scope");
    let permits = |found: &Found| {
        let scope = Scope::stored(&found.scope);
        if asked.is_some_and(|asked| !scope.covers(asked)) {
            return Err(Error::InvalidScope("a refresh cannot widen the scope".to_owned()));
        }
        let access = Access {
            user: Some(found.for_policy()),
            client,
            scope: &scope,
            grant_type: GrantType::RefreshToken,
        };
        Ok(permission::ask_again(app, access, requester)?.is_allowed())
    };
    let (pair, found) = match refresh::refresh(app, presented, Some(&client.id), &issue, permits).await? {
        Refreshed::Pair(pair, found) => (pair, found),
        Refreshed::Over => {
            return Err(Error::InvalidGrant("the refresh token is not valid, or its session is over"));
        }
        Refreshed::Denied => {
            return Err(Error::InvalidGrant("the policy of this server does not allow it any more"));
        }
        Refreshed::Later | Refreshed::Locked => {
            return Err(Error::TemporarilyUnavailable("come back in a moment".into()));
        }
    };
    tracing::debug!(
        user = %found.user_id, client = %client.id, session = %found.session_id, ip = requester.ip(),
        "a client session was refreshed"
    );
    let scope = Scope::stored(&found.scope);
    let id_token = match scope.has(OPENID) {
        true => {
            let subject = Subject {
                user_id: found.user_id,
                authenticated_at: found.authenticated_at,
                methods: found.methods,
                browser_session_id: found.browser_session_id,
                nonce: None,
            };
            Some(id_token::sign(app, client, &subject, &pair.access_token, now)?)
        }
        false => None,
    };
    Ok(TokenResponse::new(client, pair, found.scope, id_token))
}
