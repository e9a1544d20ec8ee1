//! The refresh token grant (RFC 6749 §6; Matrix CS API, Refresh token grant).

use super::super::error::Error;
use super::super::id_token::{self, Subject};
use super::super::permission::{self, Access};
use super::super::scope::{OPENID, Scope};
use super::super::token::{TokenResponse, access_token_lifetime};
use crate::accounts::users;
use crate::app::App;
use crate::clients::{Client, GrantType};
use crate::http::form::Parameters;
use crate::http::requester::Requester;
use crate::sessions::oauth::{self, EndReason};
use crate::sessions::tokens::{self, Found, Issue, Refreshed};
use crate::time::Timestamp;

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
    let mut tx = app.store.begin().await?;
    let refreshed = tokens::refresh(&mut tx, presented, &client.id, &issue).await?;
    let (pair, found) = match refreshed {
        Refreshed::Pair(pair, found) => (pair, found),
        Refreshed::Over => {
            // The session may have been ended just now, and that has to last.
            tx.commit().await?;
            app.wake_workers();
            return Err(Error::InvalidGrant("the refresh token is not valid, or its session is over"));
        }
        Refreshed::Later => return Err(Error::TemporarilyUnavailable("come back in a moment".into())),
    };
    let scope = Scope::stored(&found.scope);
    if form.get("scope").is_some_and(|asked| !scope.covers(asked)) {
        return Err(Error::InvalidScope("a refresh cannot widen the scope".to_owned()));
    }
    let user =
        users::find(&mut tx, found.user_id).await?.ok_or(Error::InvalidGrant("the account is gone"))?;
    let access = Access { user: &user, client, scope: &scope, grant_type: GrantType::RefreshToken };
    if !permission::ask(app, &access, requester).await?.is_allowed() {
        drop(tx);
        return Err(end(app, &found, now).await?);
    }
    tx.commit().await?;
    let id_token = match scope.has(OPENID) {
        true => {
            let subject = Subject {
                user_id: found.user_id,
                authenticated_at: found.authenticated_at,
                browser_session_id: found.browser_session_id,
                nonce: None,
            };
            Some(id_token::sign(app, client, &subject, &pair.access_token, now)?)
        }
        false => None,
    };
    Ok(TokenResponse::new(client, pair, found.scope, id_token))
}

/// Ends a session that the policy no longer allows: its client takes this answer for a sign-out.
async fn end(app: &App, found: &Found, now: Timestamp) -> Result<Error, Error> {
    let mut tx = app.store.begin().await?;
    let device = found.device_id.clone();
    oauth::end(&mut tx, found.session_id, found.user_id, device, EndReason::DeniedByPolicy, now).await?;
    tx.commit().await?;
    app.wake_workers();
    Ok(Error::InvalidGrant("the policy of this server does not allow it any more"))
}
