//! What follows for clients when a browser session is over: those that asked for it are told (OpenID
//! Connect Back-Channel Logout), by a job in the transaction that ends the session.
//!
//! A client is told if it has a `backchannel_logout_uri` and got an ID token that names the session.
//! What it holds ends with the browser session, unless it is a Matrix device: people close a browser and
//! go on using their devices (§2.7 leaves alone what is meant for use without the person).

use std::collections::HashSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::client::{self, EndReason};
use super::sql;
use crate::app::App;
use crate::clients::{self, Client};
use crate::ids::{BrowserSessionId, ClientId, ClientSessionId, DeviceId, UserId};
use crate::jobs::{self, Crew, Job, JobError};
use crate::keys;
use crate::outbound;
use crate::store::{self, Tx};
use crate::time::Timestamp;

/// The type of a logout token (§2.4).
const TYPE: &str = "logout+jwt";
/// What a logout token says has happened (§2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// How long a logout token is good: no longer than two minutes, as §4 recommends.
const LIFETIME: Duration = Duration::from_secs(2 * 60);
/// How long a client may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A client session that was allowed in a browser session, of a client that wants to be told of its end.
pub(super) struct Held {
    pub id: ClientSessionId,
    pub client_id: ClientId,
    pub user_id: UserId,
    pub browser_session_id: BrowserSessionId,
    pub scope: String,
    pub device_id: Option<DeviceId>,
    pub is_ended: bool,
}

/// Does what follows for clients from the end of these browser sessions, at this very moment and in this
/// transaction.
///
/// # Errors
/// When the database fails.
pub(super) async fn follow(
    tx: &mut Tx,
    ended: &[BrowserSessionId],
    now: Timestamp,
) -> Result<(), store::Error> {
    if ended.is_empty() {
        return Ok(());
    }
    let mut told = HashSet::new();
    for held in sql::logout::list_held(tx, now).await? {
        // Others may have ended at the same moment. Without the scope `openid` there is no ID token.
        let is_of_these = ended.contains(&held.browser_session_id);
        if !is_of_these || !held.scope.split(' ').any(|token| token == "openid") {
            continue;
        }
        if held.device_id.is_none() && !held.is_ended {
            let reason = EndReason::BrowserSessionEnded;
            client::end(tx, held.id, held.user_id, None, reason, now).await?;
        }
        let Held { client_id, user_id, browser_session_id, .. } = held;
        if told.insert((browser_session_id, client_id.clone())) {
            jobs::enqueue(tx, &TellClient { client_id, user_id, browser_session_id }, now).await?;
        }
    }
    Ok(())
}

/// Tells a client that a browser session is over (§2.5).
#[derive(Debug, Serialize, Deserialize)]
pub struct TellClient {
    /// Whom.
    pub client_id: ClientId,
    /// Whose session it was.
    pub user_id: UserId,
    /// Which.
    pub browser_session_id: BrowserSessionId,
}

impl Job for TellClient {
    const KIND: &'static str = "tell_client_of_logout";
    const CREW: Crew = Crew::Clients;
    const WORTH_TRYING: Option<Duration> = Some(Duration::from_secs(60 * 60));

    /// One call to a client at a time: one that is slow or gone holds up nobody but itself.
    fn queue(&self) -> String {
        format!("client:{}", self.client_id)
    }

    async fn run(&self, app: &App) -> Result<(), JobError> {
        let Some(client) = clients::find_known(app, &self.client_id).await? else { return Ok(()) };
        let Some(uri) = &client.metadata.backchannel_logout_uri else { return Ok(()) };
        let token = self.token(app, &client)?;
        let (client, session, user) = (&self.client_id, self.browser_session_id, self.user_id);
        match app.outbound.post_form(uri, &[("logout_token", &token)], PATIENCE).await {
            Ok(()) => {
                tracing::info!(%client, %user, %session, "a client was told that a browser session is over");
                Ok(())
            }
            Err(error) => {
                let why = format!("the client {client} was not told that a browser session is over: {error}");
                Err(match error {
                    // §2.8: the client's word that it did not like the token or failed to sign out.
                    outbound::Error::Status(400) => JobError::Futile(why),
                    outbound::Error::Address(_) | outbound::Error::NotPublic => JobError::Futile(why),
                    _ => JobError::Passing(why),
                })
            }
        }
    }
}

impl TellClient {
    /// The logout token, as of now (§2.4).
    fn token(&self, app: &App, client: &Client) -> Result<String, JobError> {
        let now = app.clock.now();
        let keys = app.keys.current();
        let key = keys.signing_key(client.metadata.id_token_algorithm(), now);
        let key = key.ok_or_else(|| JobError::Passing("there is no signing key".to_owned()))?;
        let claims = json!({
            "iss": app.config.http.public_base.as_str(),
            "sub": self.user_id,
            "aud": self.client_id,
            "iat": now.as_seconds(),
            "exp": (now + LIFETIME).as_seconds(),
            "jti": keys::random_secret(),
            "sid": self.browser_session_id,
            "events": { EVENT: {} },
        });
        key.sign_jwt_of(TYPE, &claims).map_err(|error| JobError::Passing(error.to_string()))
    }
}
