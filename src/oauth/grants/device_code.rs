//! The device code grant (RFC 8628 §3.4, §3.5).

use std::time::Duration;

use super::super::error::Error;
use super::super::scope::Scope;
use super::super::token::TokenResponse;
use super::session::{self, Allowed, Code};
use crate::accounts::users;
use crate::app::App;
use crate::clients::Client;
use crate::clients::device_requests::{self, Polled, State};
use crate::http::form::Parameters;
use crate::http::requester::Requester;
use crate::keys;
use crate::sessions::client;
use crate::time::Timestamp;

/// By how much longer a client has to wait that polls too fast.
const SLOWER: Duration = Duration::from_secs(5);
/// By how much a poll may come early: clocks and networks are not exact.
const JITTER: Duration = Duration::from_secs(1);

pub(crate) async fn run(
    app: &App,
    requester: &Requester,
    client: &Client,
    form: &Parameters,
) -> Result<TokenResponse, Error> {
    let device_code =
        form.get("device_code").ok_or(Error::InvalidRequest("device_code is required".into()))?;
    let digest = keys::digest(device_code);
    let now = app.clock.now();
    let request = device_requests::find(&app.store, &digest).await?;
    let request =
        request.filter(|request| request.client_id == client.id).ok_or(Code::Device(&digest).spent())?;
    match request.state {
        State::Redeemed => Err(Code::Device(&digest).spent()),
        State::Denied => Err(Error::Device("access_denied", "the person did not allow it")),
        _ if request.expires_at <= now => {
            Err(Error::Device("expired_token", "the codes have expired; begin again"))
        }
        State::Pending => Err(wait(app, &digest, &request, now).await?),
        State::Allowed { user_id, authenticated_at, methods } => {
            let user = users::find(&app.store, user_id).await?.ok_or(Code::Device(&digest).spent())?;
            let scope = Scope::stored(&request.scope);
            let allowed = Allowed {
                user: &user,
                sessions: client::count(&app.store, user_id, scope.device_id()).await?,
                authenticated_at,
                methods,
                // The person was asked in a browser elsewhere, which has nothing to do with this client.
                browser_session_id: None,
                scope: &request.scope,
                nonce: None,
                code: Code::Device(&digest),
            };
            session::begin(app, requester, client, &allowed).await
        }
    }
}

/// What a client is told while nobody has answered: to go on, or to go on more slowly.
async fn wait(app: &App, digest: &str, request: &Polled, now: Timestamp) -> Result<Error, Error> {
    let is_early = |before| now.since(before) + JITTER < request.interval;
    let (interval, answer) = match request.polled_at.is_some_and(is_early) {
        true => {
            (request.interval + SLOWER, Error::Device("slow_down", "wait five seconds longer between polls"))
        }
        false => {
            (request.interval, Error::Device("authorization_pending", "the person has not answered yet"))
        }
    };
    device_requests::note_poll(&app.store, digest, request, interval, now).await?;
    Ok(answer)
}
