//! Access and refresh tokens: issuing, refreshing and finding them.
//!
//! A session has one *confirmed* refresh token, which is known to have reached the client, and at
//! most one *pending* pair, which was answered and whose arrival nothing has shown yet. The first use
//! of the pending pair, by either of its tokens, confirms it. Until then the confirmed token may be
//! presented again: the answer was lost, or two requests ran at once (Matrix CS API, Refreshing access
//! tokens). It then gets the very same pair again, so that there is never more than one live chain.
//! Only the access token of a pair that waited long is replaced; the refresh token beside it stays, so
//! that none that was ever answered turns bad before the client went on to the next.

use std::sync::Arc;
use std::time::Duration;

use super::oauth::{self, EndReason, NewOauthSession};
use super::sql;
use crate::app::App;
use crate::config;
use crate::http::requester::Requester;
use crate::ids::{ClientId, DeviceId, OauthSessionId, UserId};
use crate::keys::{self, Family, RootSecret, TokenKind, digest_of_token};
use crate::known::ActiveToken;
use crate::store::{self, Store, Tx};
use crate::time::Timestamp;

/// How long a pending pair is answered again unchanged; after that its access token would reach the
/// client too old to be of use, and a fresh one takes its place.
const ANSWERED_AGAIN: Duration = Duration::from_secs(60);

/// How long after the first use of its successor an old refresh token is taken for a straggler; later
/// it is taken for stolen (RFC 9700 §4.14.2).
const STRAGGLERS: Duration = Duration::from_secs(30);

/// The circumstances under which tokens are issued.
pub struct Issue<'a> {
    /// Who asks.
    pub requester: &'a Requester,
    /// What tokens are derived with.
    pub root: &'a RootSecret,
    /// How long the access token shall live.
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
    pub session_id: OauthSessionId,
    /// Whose account.
    pub user_id: UserId,
    /// The user's name on the homeserver.
    pub localpart: String,
    /// Which client.
    pub client_id: ClientId,
    /// What was granted.
    pub scope: String,
    /// The Matrix device in the scope.
    pub device_id: Option<DeviceId>,
    /// When the person last proved who they are.
    pub authenticated_at: Timestamp,
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
    /// Whether the session may be used now.
    pub fn is_usable(&self) -> bool {
        !self.is_ended && !self.is_locked && !self.is_deactivated && self.is_provisioned
    }
}

/// Starts a session with its first pair. The device, if there is one, must have been claimed in the
/// same transaction ([`oauth::claim_device`]).
///
/// # Errors
/// When the database fails.
pub async fn start_session(
    tx: &mut Tx,
    new: &NewOauthSession,
    issue: &Issue<'_>,
) -> Result<(OauthSessionId, Pair), store::Error> {
    let refresh_family = Family::new();
    let (now, lifetime) = (issue.now, issue.lifetime);
    let access_family = refresh_family.for_access(issue.root);
    let access_token = access_family.random_token(TokenKind::Access);
    let refresh_token = refresh_family.random_token(TokenKind::Refresh);
    let id = OauthSessionId::new(now);
    let digests = sql::FirstDigests {
        access_family: access_family.digest(),
        refresh_family: refresh_family.digest(),
        refresh: digest_of_token(&refresh_token),
    };
    sql::add_oauth_session(tx, id, new, digests, issue.requester, now).await?;
    sql::add_access_token(tx, &digest_of_token(&access_token), id, now, now + lifetime).await?;
    Ok((id, Pair { access_token, refresh_token, expires_in: lifetime }))
}

/// What became of a presented refresh token.
pub enum Refreshed {
    /// A pair to answer with, and the session it belongs to.
    Pair(Pair, Box<Found>),
    /// The session is over, or the token was never one of ours, or is another client's.
    Over,
    /// Nothing is wrong for good; the client should come back.
    Later,
}

/// Refreshes: spends a refresh token for a new pair (RFC 6749 §6).
///
/// # Errors
/// When the database fails; nothing has changed then.
pub async fn refresh(
    tx: &mut Tx,
    presented: &str,
    client_id: &ClientId,
    issue: &Issue<'_>,
) -> Result<Refreshed, store::Error> {
    let (root, lifetime, now) = (issue.root, issue.lifetime, issue.now);
    let Some(family) = refresh_family_of(presented) else { return Ok(Refreshed::Over) };
    // Locks the session's row: of two requests the second waits here and sees what the first did.
    let Some(chain) = sql::lock_chain(tx, &family.digest()).await? else { return Ok(Refreshed::Over) };
    let found = &chain.found;
    if found.client_id != *client_id || found.is_deactivated {
        return Ok(Refreshed::Over);
    }
    if is_too_old(&chain, issue) {
        let device = found.device_id.clone();
        oauth::end(tx, found.session_id, found.user_id, device, EndReason::Expired, now).await?;
        return Ok(Refreshed::Over);
    }
    if found.is_locked {
        return Ok(Refreshed::Later);
    }
    let digest = digest_of_token(presented);
    let is_pending =
        chain.pending_refresh.as_deref().is_some_and(|pending| keys::equal_secrets(pending, &digest));
    let is_confirmed = keys::equal_secrets(&chain.refresh, &digest);
    if !is_pending && !is_confirmed {
        return superseded(tx, &chain, now).await;
    }
    if is_confirmed && let Some(pair) = pending_again(&chain, presented, &family, root, now) {
        return Ok(Refreshed::Pair(pair, Box::new(chain.found)));
    }
    let nonce = match &chain.pending_nonce {
        Some(nonce) if is_confirmed => nonce.clone(),
        _ => keys::random_secret(),
    };
    let pair = successor(presented, &nonce, now, &family, root, lifetime);
    if let (true, Some(unused)) = (is_confirmed, &chain.pending_access) {
        sql::remove_access_token(tx, unused).await?;
    }
    let pending = sql::Pending {
        refresh: digest_of_token(&pair.refresh_token),
        access: digest_of_token(&pair.access_token),
        nonce,
    };
    let confirmed_at = if is_pending { now } else { chain.confirmed_at };
    sql::set_pending(tx, found.session_id, &digest, confirmed_at, &pending, issue.requester, now).await?;
    sql::add_access_token(tx, &pending.access, found.session_id, now, now + lifetime).await?;
    Ok(Refreshed::Pair(pair, Box::new(chain.found)))
}

fn is_too_old(chain: &sql::Chain, issue: &Issue<'_>) -> bool {
    let exceeds = |limit: Option<u64>, since| {
        limit.is_some_and(|limit| issue.now.since(since) >= Duration::from_secs(limit))
    };
    exceeds(issue.limits.oauth_idle_seconds, chain.last_seen_at)
        || exceeds(issue.limits.oauth_absolute_seconds, chain.created_at)
}

/// An old refresh token: a straggler of the client's own, or somebody else's copy.
async fn superseded(tx: &mut Tx, chain: &sql::Chain, now: Timestamp) -> Result<Refreshed, store::Error> {
    if now.since(chain.confirmed_at) < STRAGGLERS {
        return Ok(Refreshed::Later);
    }
    let found = &chain.found;
    tracing::warn!(
        session = %found.session_id, user = %found.user_id, client = %found.client_id,
        "a refresh token was used again long after it was replaced: its session ends"
    );
    let device = found.device_id.clone();
    oauth::end(tx, found.session_id, found.user_id, device, EndReason::RefreshTokenReused, now).await?;
    Ok(Refreshed::Over)
}

/// The pending pair once more, while it is fresh.
fn pending_again(
    chain: &sql::Chain,
    presented: &str,
    family: &Family,
    root: &RootSecret,
    now: Timestamp,
) -> Option<Pair> {
    let (nonce, issued_at) = (chain.pending_nonce.as_deref()?, chain.pending_issued_at?);
    let lifetime = chain.pending_expires_at?.since(now);
    (now.since(issued_at) < ANSWERED_AGAIN && !lifetime.is_zero())
        .then(|| successor(presented, nonce, issued_at, family, root, lifetime))
}

fn successor(
    presented: &str,
    nonce: &str,
    issued_at: Timestamp,
    family: &Family,
    root: &RootSecret,
    expires_in: Duration,
) -> Pair {
    let dated = format!("{nonce} {}", issued_at.0);
    let access = family.for_access(root).successor_token(TokenKind::Access, root, presented, &dated);
    let refresh = family.successor_token(TokenKind::Refresh, root, presented, nonce);
    Pair { access_token: access, refresh_token: refresh, expires_in }
}

fn refresh_family_of(token: &str) -> Option<Family> {
    (TokenKind::of(token) == Some(TokenKind::Refresh)).then(|| Family::of(token)).flatten()
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
    if TokenKind::of(token) != Some(TokenKind::Access) {
        return Ok(None);
    }
    let digest = keys::sha256(token);
    if let Some(known) = app.known.find(&digest, now) {
        app.known.note_seen(&known, now);
        return Ok(Some(known));
    }
    let text = keys::base64url(digest);
    // A second time only when another request confirmed or replaced the pair in between.
    for _ in 0..2 {
        let stamp = app.known.stamp();
        let Some(found) = sql::find_access_token(&app.store, &text).await? else { return Ok(None) };
        if found.active.expires_at <= now || !found.is_usable {
            return Ok(None);
        }
        if found.is_pending && !confirm(app, &found.active, &text, now).await? {
            continue;
        }
        let active = Arc::new(found.active);
        app.known.remember(digest, stamp, active.clone());
        app.known.note_seen(&active, now);
        return Ok(Some(active));
    }
    Ok(None)
}

async fn confirm(app: &App, token: &ActiveToken, digest: &str, now: Timestamp) -> Result<bool, store::Error> {
    let mut tx = app.store.begin().await?;
    let is_confirmed = sql::confirm_pending(&mut tx, token.session_id, digest, now).await?;
    tx.commit().await?;
    Ok(is_confirmed)
}

/// Finds a refresh token that could be used at this moment, without using it.
///
/// # Errors
/// When the database fails.
pub async fn find_refreshable(store: &Store, token: &str) -> Result<Option<Found>, store::Error> {
    let Some(family) = refresh_family_of(token) else { return Ok(None) };
    let Some(chain) = sql::find_chain(store, &family.digest()).await? else { return Ok(None) };
    let digest = digest_of_token(token);
    let is_live = [Some(&chain.refresh), chain.pending_refresh.as_ref()]
        .into_iter()
        .flatten()
        .any(|live| keys::equal_secrets(live, &digest));
    Ok((is_live && chain.found.is_usable()).then_some(chain.found))
}

/// The session that a token names, however old the token is.
///
/// # Errors
/// When the database fails.
pub async fn find_session_of(tx: &mut Tx, token: &str) -> Result<Option<Found>, store::Error> {
    let Some(family) = TokenKind::of(token).and_then(|_| Family::of(token)) else { return Ok(None) };
    sql::find_by_family(tx, &family.digest()).await
}
