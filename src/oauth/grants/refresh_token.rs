//! The refresh token grant (RFC 6749 §6; Matrix CS API, Refresh token grant).

use super::super::error::Error;
use super::super::id_token::{self, Subject};
use super::super::scope::{OPENID, Scope};
use super::super::token::{TokenResponse, access_token_lifetime};
use crate::app::App;
use crate::clients::Client;
use crate::http::form::Parameters;
use crate::http::requester::Requester;
use crate::sessions::tokens::{self, Issue, Refreshed};

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
    tx.commit().await?;
    let id_token = match scope.has(OPENID) {
        true => {
            let subject =
                Subject { user_id: found.user_id, authenticated_at: found.authenticated_at, nonce: None };
            Some(id_token::sign(app, client, &subject, &pair.access_token, now)?)
        }
        false => None,
    };
    Ok(TokenResponse::new(client, pair, found.scope, id_token))
}
