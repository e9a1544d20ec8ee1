//! What a login gives: a client session without an OAuth client, on a device.

use std::time::Duration;

use serde::Serialize;

use super::error::{Error, milliseconds};
use super::password::NOT_RIGHT;
use super::request::Wanted;
use super::sso_logins;
use crate::accounts::account_pages::sessions as sessions_page;
use crate::accounts::activity::{self, Event};
use crate::accounts::jobs::provision;
use crate::accounts::mails::{self, Mail, Occasion};
use crate::accounts::sign_in::Counted;
use crate::accounts::users::{self, Standing, User};
use crate::app::App;
use crate::http::requester::Requester;
use crate::ids::{BrowserSessionId, DeviceId};
use crate::methods::{Method, Methods};
use crate::policy::{Decision, input, sessions_to_end};
use crate::sessions::browser;
use crate::sessions::client::{self, MATRIX_API_SCOPE, NewClientSession};
use crate::sessions::device::{self, HeldDevice};
use crate::sessions::tokens::{self, Issue, Pair};
use crate::store::{self, Tx};
use crate::time::Timestamp;

/// The answer to every login token that is not good.
pub(super) const BAD_LOGIN_TOKEN: Error = Error::Forbidden("the login token is not valid");

/// Somebody who has proved who they are.
pub(super) struct Proven {
    pub user: User,
    pub proof: Proof,
}

/// How they proved it.
pub(super) enum Proof {
    Password(Counted),
    /// The digest of a login token, and where, when and how the person behind it had proved who they are.
    Token {
        digest: String,
        browser_session_id: BrowserSessionId,
        authenticated_at: Timestamp,
        methods: Methods,
    },
}

impl Proof {
    fn login_type(&self) -> &'static str {
        match self {
            Proof::Password(_) => "m.login.password",
            Proof::Token { .. } => "m.login.token",
        }
    }
}

/// A successful answer (Matrix CS API, `POST /login`).
#[derive(Serialize)]
pub(super) struct LoggedIn {
    user_id: String,
    access_token: String,
    device_id: DeviceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in_ms: Option<u64>,
}

/// Begins a session, once nothing speaks against it and the homeserver has the device.
pub(super) async fn begin(
    app: &App,
    requester: &Requester,
    proven: Proven,
    wanted: Wanted,
) -> Result<LoggedIn, Error> {
    let Proven { user, proof } = proven;
    match user.standing() {
        Standing::Active => {}
        Standing::Locked => return Err(Error::Locked),
        Standing::Deactivated => return Err(Error::Deactivated),
    }
    permit(app, requester, &user, proof.login_type(), wanted.device_id.as_ref()).await?;
    if user.provisioned_at.is_none() {
        provision(app, &user).await?;
    }
    let now = app.clock.now();
    let device_id = wanted.device_id.unwrap_or_else(device::new_id);
    let name = wanted.initial_device_display_name.as_deref();
    let is_known = client::find_by_device(&app.store, user.id, &device_id).await?.is_some();
    let held = device::make_ready(app, user.id, &user.localpart, &device_id, name, now).await?;
    let refreshes = wanted.refresh_token == Some(true);
    let lifetime = match refreshes {
        true => access_token_lifetime(app),
        // Who cannot refresh must not have to.
        false => Duration::MAX,
    };
    let issue = Issue { requester, root: app.keys.root(), lifetime, limits: &app.config.sessions, now };
    let device = (device_id.clone(), is_known, name);
    let begun = start(app, &user, &proof, device, &held, &issue).await;
    let pair = device::settle(app, Some(&held), begun).await?;
    app.wake_workers();
    Ok(LoggedIn {
        user_id: user.localpart.mxid(&app.config.homeserver.server_name),
        access_token: pair.access_token,
        device_id,
        refresh_token: refreshes.then_some(pair.refresh_token),
        expires_in_ms: refreshes.then(|| milliseconds(pair.expires_in)),
    })
}

/// How long an access token lives that can be refreshed.
pub(super) fn access_token_lifetime(app: &App) -> Duration {
    Duration::from_secs(app.config.oauth.access_token_lifetime_seconds)
}

async fn start(
    app: &App,
    user: &User,
    proof: &Proof,
    (device_id, is_known, name): (DeviceId, bool, Option<&str>),
    held: &HeldDevice,
    issue: &Issue<'_>,
) -> Result<Pair, Error> {
    let mut tx = app.store.begin().await?;
    let (authenticated_at, methods) = match proof {
        Proof::Password(counted) => {
            if !counted.still_holds(&mut tx, user).await? {
                return Err(NOT_RIGHT);
            }
            counted.give_back(&mut tx, app).await?;
            (issue.now, Method::Password.into())
        }
        Proof::Token { digest, browser_session_id, authenticated_at, methods } => {
            if !sso_logins::spend_token(&mut tx, digest, issue.now).await?
                || !browser::is_still_live(&mut tx, *browser_session_id).await?
            {
                return Err(BAD_LOGIN_TOKEN);
            }
            (*authenticated_at, *methods)
        }
    };
    device::claim(&mut tx, held, issue.now).await?;
    let new = NewClientSession {
        user_id: Some(user.id),
        client_id: None,
        browser_session_id: None,
        // The device stands beside it: its identifier may have characters that no scope can have.
        scope: MATRIX_API_SCOPE.to_owned(),
        device_id: Some(device_id),
        authenticated_at,
        methods,
    };
    let (session, pair) = tokens::start_session(&mut tx, &new, issue).await?;
    // A device that was there before has kept its name.
    if let Some(name) = name.filter(|_| held.is_new()) {
        let name: String = name.chars().take(device::LONGEST_NAME).collect();
        client::rename(&mut tx, session, user.id, &name).await?;
    }
    if !users::is_still_active(&mut tx, user.id, false).await? {
        return Err(Error::Deactivated);
    }
    // Who comes with a token has signed in with a browser, and was told of that.
    if let Proof::Password(_) = proof {
        tell(&mut tx, app, user, is_known, issue).await?;
    }
    tx.commit().await?;
    tracing::info!(user = %user.id, %session, ip = issue.requester.ip(), "a client signed in by the login API");
    Ok(pair)
}

/// Tells a person of a sign-in by their password, by mail too unless it goes on with a device that is signed in.
async fn tell(
    tx: &mut Tx,
    app: &App,
    user: &User,
    is_known: bool,
    issue: &Issue<'_>,
) -> Result<(), store::Error> {
    let occasion = Occasion::by(issue.requester, issue.now);
    activity::add(tx, user.id, Event::SignedIn, &occasion).await?;
    match is_known {
        true => Ok(()),
        false => mails::tell(tx, app, user, &Mail::NewSignIn(occasion), issue.now).await,
    }
}

async fn permit(
    app: &App,
    requester: &Requester,
    user: &User,
    login_type: &str,
    device_id: Option<&DeviceId>,
) -> Result<(), Error> {
    let question = question(app, requester, user, login_type, device_id).await?;
    match app.policy.compat_login(&question)? {
        Decision::Allowed => Ok(()),
        Decision::Denied(violations) => Err(match sessions_to_end(&violations) {
            Some(_) => {
                let path = sessions_page::PATH.trim_start_matches('/');
                Error::TooManySessions(format!("{}{path}", app.config.http.public_base))
            }
            None => Error::Forbidden("the policy of this server does not allow it"),
        }),
    }
}

/// Whether the admin demands a second factor of whoever gives a client the whole Matrix API.
pub(super) fn is_second_required(app: &App) -> bool {
    app.config.second_factor.is_required_by(None, [MATRIX_API_SCOPE].into_iter())
}

/// What the policy is asked about a login.
pub(super) async fn question(
    app: &App,
    requester: &Requester,
    user: &User,
    login_type: &str,
    device_id: Option<&DeviceId>,
) -> Result<input::CompatLogin, store::Error> {
    let count = client::count(&app.store, user.id, device_id).await?;
    Ok(input::CompatLogin {
        user: user.for_policy(),
        login: input::Login { login_type: login_type.to_owned(), redirect_uri: None },
        device_id: device_id.cloned(),
        sessions: input::Sessions { live: count.live, with_device: count.with_device },
        requester: requester.for_policy(),
    })
}
