//! How what a person has allowed becomes a session: the same for each grant that asks one.

use super::super::error::{Challenge, Error};
use super::super::id_token::{self, Subject};
use super::super::permission::{self, Access};
use super::super::scope::{OPENID, Scope};
use super::super::token::{TokenResponse, access_token_lifetime};
use crate::accounts::jobs::provision;
use crate::accounts::users::{self, Standing, User};
use crate::app::App;
use crate::clients::{self, Client, GrantType, authorization_codes, consents, device_requests};
use crate::http::requester::Requester;
use crate::ids::{
    AuthorizationRequestId, BrowserSessionId, ClientId, ClientSessionId, ConsentId, DeviceId, UserId,
};
use crate::methods::Methods;
use crate::sessions::browser;
use crate::sessions::client::{Count, NewClientSession};
use crate::sessions::device::{self, HeldDevice};
use crate::sessions::tokens::{Beginning, Issue, Pair};
use crate::store::{self, Query, Tx};
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
    /// The authorization code for a request, and the consent that it rests on (RFC 6749 §4.1.3).
    Authorization(AuthorizationRequestId, ConsentId),
    /// A device code, by its digest (RFC 8628 §3.4).
    Device(&'a str),
}

impl Code<'_> {
    fn grant_type(self) -> GrantType {
        match self {
            Code::Authorization(..) => GrantType::AuthorizationCode,
            Code::Device(_) => GrantType::DeviceCode,
        }
    }

    /// Why a code that is unknown, or another client's, or was spent, gives nothing.
    pub(super) fn spent(self) -> Error {
        match self {
            Code::Authorization(..) => {
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
            Code::Authorization(..) => Error::InvalidGrant(why),
            Code::Device(_) => Error::Device("access_denied", why),
        }
    }

    /// What has to stay as it is until the session is there: the consent, which goes with the client, or the client.
    fn keeping(self, user: UserId, client: &ClientId) -> Query {
        match self {
            Code::Authorization(_, consent) => consents::keeping(user, client, consent),
            Code::Device(_) => clients::keeping(client),
        }
    }

    fn spending(self, session: ClientSessionId, now: Timestamp) -> Query {
        match self {
            Code::Authorization(id, _) => authorization_codes::spending(id, session, now),
            Code::Device(digest) => device_requests::redeeming(digest, now),
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

/// Starts the session and spends the code, all at once if nothing is in the way.
async fn spend(
    app: &App,
    client: &Client,
    allowed: &Allowed<'_>,
    device: Option<(DeviceId, &HeldDevice)>,
    issue: &Issue<'_>,
) -> Result<Pair, Error> {
    let (device_id, held) = device.unzip();
    let user = allowed.user.id;
    let new = NewClientSession {
        user_id: Some(user),
        client_id: Some(client.id.clone()),
        browser_session_id: allowed.browser_session_id,
        scope: allowed.scope.to_owned(),
        device_id,
        authenticated_at: allowed.authenticated_at,
        methods: allowed.methods,
    };
    let browser = allowed.browser_session_id;
    let Beginning { id, pair, steps } = Beginning::new(&new, issue);
    // The browser session first, as account pages do, so that the two cannot wait for each other.
    let all = browser
        .map(browser::live)
        .into_iter()
        .chain([
            users::active(user, allowed.user.is_admin),
            allowed.code.keeping(user, &client.id),
            allowed.code.spending(id, issue.now),
        ])
        .chain(held.map(device::claiming))
        .chain(steps.clone());
    if !store::execute_together(&app.store, all.collect()).await? {
        let mut tx = app.store.begin().await?;
        check(&mut tx, client, allowed, id, browser, issue.now).await?;
        if let Some(held) = held {
            device::claim(&mut tx, held, issue.now).await?;
        }
        for step in steps {
            step.execute(&mut tx).await?;
        }
        tx.commit().await?;
    }
    tracing::info!(%user, client = %client.id, session = %id, ip = issue.requester.ip(), "a client session began");
    Ok(pair)
}

/// Spends the code in a transaction, unless another request was faster, the account is deactivated, the client
/// removed, or the browser session over in which it was allowed: who signs out everywhere else leaves nothing behind that
/// begins later, and what a client could not be told of any more must not begin.
async fn check(
    tx: &mut Tx,
    client: &Client,
    allowed: &Allowed<'_>,
    session: ClientSessionId,
    browser: Option<BrowserSessionId>,
    now: Timestamp,
) -> Result<(), Error> {
    if let Some(browser) = browser
        && !browser::is_still_live(tx, browser).await?
    {
        return Err(allowed
            .code
            .refused("the person has signed out of the browser in which they allowed it"));
    }
    if !users::is_still_active(tx, allowed.user.id, allowed.user.is_admin).await? {
        return Err(allowed.code.refused("the account is deactivated, or not an administrator's any more"));
    }
    if !clients::keep(tx, &client.id).await? {
        return Err(Error::InvalidClient(Challenge::Basic));
    }
    if let Code::Authorization(_, consent) = allowed.code
        && !consents::keep(tx, allowed.user.id, &client.id, consent).await?
    {
        return Err(allowed.code.refused("the person has taken back what they allowed"));
    }
    if allowed.code.spending(session, now).execute(tx).await? == 0 {
        return Err(allowed.code.spent());
    }
    Ok(())
}
