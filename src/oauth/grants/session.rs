//! How what a person has allowed becomes a session: the same for each grant that asks one.

use super::super::error::Error;
use super::super::id_token::{self, Subject};
use super::super::permission::{self, Access};
use super::super::scope::{OPENID, Scope};
use super::super::token::{TokenResponse, access_token_lifetime};
use crate::accounts::jobs::provision;
use crate::accounts::users::{Standing, User};
use crate::app::App;
use crate::clients::{Client, GrantType, authorization_requests, device_requests};
use crate::http::requester::Requester;
use crate::ids::{AuthorizationRequestId, BrowserSessionId, ClientSessionId, DeviceId};
use crate::methods::Methods;
use crate::sessions::browser;
use crate::sessions::client::{Count, NewClientSession};
use crate::sessions::device::{self, HeldDevice};
use crate::sessions::tokens::{self, Issue, Pair};
use crate::store::{self, Tx};
use crate::time::Timestamp;

/// What a person has allowed a client.
pub(super) struct Allowed<'a> {
    /// Who.
    pub user: &'a User,
    /// That person's sessions, without the one that a new one would replace.
    pub sessions: Count,
    /// When they last proved who they are.
    pub authenticated_at: Timestamp,
    /// How they proved it.
    pub methods: Methods,
    /// In which browser session, if that is where the client is used.
    pub browser_session_id: Option<BrowserSessionId>,
    /// To do what.
    pub scope: &'a str,
    /// What the ID token repeats (OpenID Connect Core §2).
    pub nonce: Option<&'a str>,
    /// What the client shows for it, once.
    pub code: Code<'a>,
}

/// A code that is good once.
#[derive(Clone, Copy)]
pub(super) enum Code<'a> {
    /// The authorization code of a request (RFC 6749 §4.1.3).
    Authorization(AuthorizationRequestId),
    /// A device code, by its digest (RFC 8628 §3.4).
    Device(&'a str),
}

impl Code<'_> {
    fn grant_type(self) -> GrantType {
        match self {
            Code::Authorization(_) => GrantType::AuthorizationCode,
            Code::Device(_) => GrantType::DeviceCode,
        }
    }

    /// Why a code that is unknown, or another client's, or was spent, gives nothing.
    pub(super) fn spent(self) -> Error {
        match self {
            Code::Authorization(_) => {
                Error::InvalidGrant("the code is not valid, or was not issued to this client")
            }
            Code::Device(_) => Error::InvalidGrant(
                "the device code is not valid, was used before, or was not issued to this client",
            ),
        }
    }

    /// What a client is told that may not have any more what it was allowed. Devices go on polling after
    /// any other refusal than that of a person (RFC 8628 §3.5).
    fn refused(self, why: &'static str) -> Error {
        match self {
            Code::Authorization(_) => Error::InvalidGrant(why),
            Code::Device(_) => Error::Device("access_denied", why),
        }
    }

    async fn spend(
        self,
        tx: &mut Tx,
        session: ClientSessionId,
        now: Timestamp,
    ) -> Result<bool, store::Error> {
        match self {
            Code::Authorization(id) => authorization_requests::spend_code(tx, id, session, now).await,
            Code::Device(digest) => device_requests::redeem(tx, digest, now).await,
        }
    }
}

/// Begins the session, if the account and the policy still permit it: gets the device ready on the
/// homeserver, then spends the code for a session in one transaction.
pub(super) async fn begin(
    app: &App,
    requester: &Requester,
    client: &Client,
    allowed: &Allowed<'_>,
) -> Result<TokenResponse, Error> {
    let Allowed { code, user, .. } = *allowed;
    match user.standing() {
        Standing::Active => {}
        Standing::Locked => return Err(code.refused("the account is locked")),
        Standing::Deactivated => return Err(code.refused("the account is deactivated")),
    }
    let scope = Scope::stored(allowed.scope);
    let access =
        Access { user: Some(user.for_policy()), client, scope: &scope, grant_type: code.grant_type() };
    if !permission::judge(app, access, allowed.sessions, requester)?.is_allowed() {
        return Err(code.refused("the policy of this server does not allow it any more"));
    }
    let (now, lifetime) = (app.clock.now(), access_token_lifetime(app, client));
    let issue = Issue { requester, root: app.keys.root(), lifetime, limits: &app.config.sessions, now };
    let pair = start(app, client, allowed, &scope, &issue).await?;
    let id_token = match scope.has(OPENID) {
        true => {
            let subject = Subject {
                user_id: user.id,
                authenticated_at: allowed.authenticated_at,
                methods: allowed.methods,
                browser_session_id: allowed.browser_session_id,
                nonce: allowed.nonce,
            };
            Some(id_token::sign(app, client, &subject, &pair.access_token, now)?)
        }
        false => None,
    };
    Ok(TokenResponse::new(client, pair, allowed.scope.to_owned(), id_token))
}

async fn start(
    app: &App,
    client: &Client,
    allowed: &Allowed<'_>,
    scope: &Scope,
    issue: &Issue<'_>,
) -> Result<Pair, Error> {
    let user = allowed.user;
    if user.provisioned_at.is_none() {
        provision(app, user).await?;
    }
    let Some(device_id) = scope.device_id() else {
        return spend(app, client, allowed, None, issue).await;
    };
    let held = device::make_ready(app, user.id, &user.localpart, device_id, None, issue.now).await?;
    let spent = spend(app, client, allowed, Some((device_id.clone(), &held)), issue).await;
    device::settle(app, Some(&held), spent).await
}

/// Starts the session and spends the code, unless another request was faster, or the browser session is over
/// that it would have to end with: what nobody could be told of any more must not begin.
async fn spend(
    app: &App,
    client: &Client,
    allowed: &Allowed<'_>,
    device: Option<(DeviceId, &HeldDevice)>,
    issue: &Issue<'_>,
) -> Result<Pair, Error> {
    let mut tx = app.store.begin().await?;
    if let Some((_, held)) = &device {
        device::claim(&mut tx, held, issue.now).await?;
    }
    let new = NewClientSession {
        user_id: Some(allowed.user.id),
        client_id: Some(client.id.clone()),
        browser_session_id: allowed.browser_session_id,
        scope: allowed.scope.to_owned(),
        device_id: device.map(|(device_id, _)| device_id),
        authenticated_at: allowed.authenticated_at,
        methods: allowed.methods,
    };
    let (session, pair) = tokens::start_session(&mut tx, &new, issue).await?;
    if !allowed.code.spend(&mut tx, session, issue.now).await? {
        return Err(allowed.code.spent());
    }
    let is_told =
        client.metadata.backchannel_logout_uri.is_some() && Scope::stored(allowed.scope).has(OPENID);
    if let Some(browser) = allowed.browser_session_id.filter(|_| is_told)
        && !browser::is_still_live(&mut tx, browser).await?
    {
        let why = "the person has signed out of the browser in which they allowed it";
        return Err(allowed.code.refused(why));
    }
    tx.commit().await?;
    let (user, ip) = (allowed.user.id, issue.requester.ip());
    tracing::info!(%user, client = %client.id, %session, ip, "a client session began");
    Ok(pair)
}
