//! Access and refresh tokens: issuing and finding them. How one pair follows another stands in
//! [`refresh`](super::refresh).

use std::sync::Arc;
use std::time::Duration;

use super::client::{ClientSession, NewClientSession};
use super::sql;
use crate::app::App;
use crate::config;
use crate::http::requester::Requester;
use crate::ids::{ClientId, ClientSessionId, DeviceId, Localpart, UserId};
use crate::keys::{self, Family, RootSecret, TokenKind, digest_of_token};
use crate::known::{self, ActiveToken};
use crate::methods::Methods;
use crate::policy::input;
use crate::store::{self, Query, Tx};
use crate::time::Timestamp;

/// The circumstances under which tokens are issued.
pub struct Issue<'a> {
    /// Who asks.
    pub requester: &'a Requester,
    /// What tokens are derived with.
    pub root: &'a RootSecret,
    /// How long the access token shall live; [`Duration::MAX`] is for ever.
    pub lifetime: Duration,
    /// How long sessions may last.
    pub limits: &'a config::Sessions,
    /// The moment.
    pub now: Timestamp,
}

/// A pair of tokens for the client; the only moment at which they are known.
pub struct Pair {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
    /// How long the access token still lives.
    pub expires_in: Duration,
}

/// A session that a token belongs to, and what decides whether the token is good.
#[derive(Clone, Debug)]
pub struct Found {
    /// The session.
    pub session_id: ClientSessionId,
    /// Whose account.
    pub user_id: UserId,
    /// The user's name on the homeserver.
    pub localpart: String,
    /// Whether the user administers the homeserver.
    pub is_admin: bool,
    /// Which client; none when it signed in by the login API of older Matrix clients.
    pub client_id: Option<ClientId>,
    /// What was granted.
    pub scope: String,
    /// The Matrix device.
    pub device_id: Option<DeviceId>,
    /// When the person last proved who they are.
    pub authenticated_at: Timestamp,
    /// How they proved it.
    pub methods: Methods,
    /// The browser session in which it was allowed.
    pub browser_session_id: Option<crate::ids::BrowserSessionId>,
    /// Whether the session has ended.
    pub is_ended: bool,
    /// Whether the account is locked.
    pub is_locked: bool,
    /// Whether the account is deactivated.
    pub is_deactivated: bool,
    /// Whether the homeserver has confirmed that it knows the user.
    pub is_provisioned: bool,
}

impl Found {
    /// The account as policies are told of it.
    pub fn for_policy(&self) -> input::User {
        let username = Localpart::from_stored(self.localpart.clone());
        input::User { id: self.user_id, username, is_admin: self.is_admin }
    }

    /// Whether the session may be used now.
    pub fn is_usable(&self) -> bool {
        !self.is_ended && !self.is_locked && !self.is_deactivated && self.is_provisioned
    }
}

/// A session that is about to begin, with its first pair.
pub struct Beginning {
    /// Its identifier.
    pub id: ClientSessionId,
    /// What the client gets.
    pub pair: Pair,
    /// What writes it down. The device, if there is one, must be claimed in the same transaction
    /// ([`claim`](super::device::claim)).
    pub steps: [Query; 2],
}

impl Beginning {
    /// Makes up its tokens; nothing is written yet.
    pub fn new(new: &NewClientSession, issue: &Issue<'_>) -> Beginning {
        let refresh_family = Family::new();
        let (now, lifetime) = (issue.now, issue.lifetime);
        let access_family = refresh_family.for_access(issue.root);
        let access_token = access_family.random_token(TokenKind::Access);
        let refresh_token = refresh_family.random_token(TokenKind::Refresh);
        let id = ClientSessionId::new(now);
        let digests = sql::tokens::FirstDigests {
            access_family: access_family.digest(),
            refresh_family: refresh_family.digest(),
            refresh: digest_of_token(&refresh_token),
        };
        let access = digest_of_token(&access_token);
        let steps = [
            sql::tokens::addition_of_session(id, new, digests, issue.requester, now),
            sql::tokens::addition_of_access_token(&access, id, now, now + lifetime),
        ];
        Beginning { id, pair: Pair { access_token, refresh_token, expires_in: lifetime }, steps }
    }
}

/// Starts a session with its first pair as part of a transaction.
///
/// # Errors
/// When the database fails.
pub async fn start_session(
    tx: &mut Tx,
    new: &NewClientSession,
    issue: &Issue<'_>,
) -> Result<(ClientSessionId, Pair), store::Error> {
    let Beginning { id, pair, steps } = Beginning::new(new, issue);
    for step in steps {
        step.execute(tx).await?;
    }
    Ok((id, pair))
}

/// The family that a refresh token of ours names, or the one that follows from one of another server.
pub(super) async fn refresh_family_of(app: &App, token: &str) -> Result<Option<Family>, store::Error> {
    Ok(match TokenKind::of(token) {
        Some(TokenKind::Refresh) => Family::of(token),
        None if may_be_foreign(app, token).await? => Some(Family::of_foreign(token, app.keys.root())),
        _ => None,
    })
}

/// Whether a token that has not the form of ours may be one that another server issued and that was
/// brought here: it does not claim to be ours, and there are such tokens.
async fn may_be_foreign(app: &App, token: &str) -> Result<bool, store::Error> {
    if TokenKind::is_claimed_by(token) {
        return Ok(false);
    }
    if let Some(has_some) = app.known.has_foreign_tokens() {
        return Ok(has_some);
    }
    let stamp = app.known.stamp();
    let has_some = sql::has_foreign_tokens(&app.store).await?;
    app.known.remember_foreign_tokens(stamp, has_some);
    Ok(has_some)
}

/// Finds an access token that is good at this moment: in what this node remembers, else in the
/// database. The first use of a pending one confirms its pair, durably, before this returns.
///
/// # Errors
/// When the database fails.
pub async fn find_active(
    app: &App,
    token: &str,
    now: Timestamp,
) -> Result<Option<Arc<ActiveToken>>, store::Error> {
    if TokenKind::of(token) != Some(TokenKind::Access) && !Box::pin(may_be_foreign(app, token)).await? {
        return Ok(None);
    }
    let digest = keys::sha256(token);
    if let Some(known) = app.known.find(&digest, now) {
        app.known.note_seen(&known, now);
        return Ok(Some(known));
    }
    // In a place of its own: what is known is answered without it, and should not carry it about.
    Box::pin(read_active(app, digest, now)).await
}

async fn read_active(
    app: &App,
    digest: known::Digest,
    now: Timestamp,
) -> Result<Option<Arc<ActiveToken>>, store::Error> {
    let text = keys::base64url(digest);
    // A second time only when another request confirmed or replaced the pair in between.
    for _ in 0..2 {
        let stamp = app.known.stamp();
        let Some(found) = sql::tokens::find_access_token(&app.store, &text).await? else { return Ok(None) };
        if found.active.expires_at <= now || !found.is_usable {
            return Ok(None);
        }
        if found.is_pending
            && !sql::tokens::confirm_pending(&app.store, found.active.session_id, &text, now).await?
        {
            continue;
        }
        let active = Arc::new(found.active);
        app.known.remember(digest, stamp, active.clone());
        app.known.note_seen(&active, now);
        return Ok(Some(active));
    }
    Ok(None)
}

/// Finds a refresh token that could be used at this moment, without using it.
///
/// # Errors
/// When the database fails.
pub async fn find_refreshable(app: &App, token: &str) -> Result<Option<Found>, store::Error> {
    let Some(family) = refresh_family_of(app, token).await? else { return Ok(None) };
    let Some(chain) = sql::tokens::find_chain(&app.store, &family.digest()).await? else { return Ok(None) };
    let digest = digest_of_token(token);
    let is_live = [Some(&chain.refresh), chain.pending_refresh.as_ref()]
        .into_iter()
        .flatten()
        .any(|live| keys::equal_secrets(live, &digest));
    Ok((is_live && chain.found.is_usable()).then_some(chain.found))
}

/// The live session that an access token names, however old the token is; one of another server is
/// found until it expires.
///
/// # Errors
/// When the database fails.
pub async fn find_session_of_access_token(
    app: &App,
    token: &str,
) -> Result<Option<ClientSession>, store::Error> {
    match TokenKind::of(token) {
        Some(TokenKind::Access) => find_by_family(app, Family::of(token)).await,
        None if may_be_foreign(app, token).await? => {
            sql::tokens::find_by_access_token(&app.store, &digest_of_token(token)).await
        }
        _ => Ok(None),
    }
}

/// The live session that a refresh token names, however old the token is.
///
/// # Errors
/// When the database fails.
pub async fn find_session_of_refresh_token(
    app: &App,
    token: &str,
) -> Result<Option<ClientSession>, store::Error> {
    find_by_family(app, refresh_family_of(app, token).await?).await
}

async fn find_by_family(app: &App, family: Option<Family>) -> Result<Option<ClientSession>, store::Error> {
    match family {
        Some(family) => sql::tokens::find_by_family(&app.store, &family.digest()).await,
        None => Ok(None),
    }
}
