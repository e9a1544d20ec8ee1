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

use super::client::{self, ClientSession, EndReason, NewClientSession};
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
use crate::telemetry::metrics::Refresh;
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

/// What became of a presented refresh token.
pub enum Refreshed {
    /// A pair to answer with, and the session it belongs to.
    Pair(Pair, Box<Found>),
    /// The session is over, or the token was never one of ours, or is another client's.
    Over,
    /// What was granted is not permitted any more; the session has ended.
    Denied,
    /// Nothing is wrong for good; the client should come back.
    Later,
    /// The account is locked; the client should come back when it is not.
    Locked,
}

/// What a presented refresh token calls for.
enum Next {
    /// The pair that was answered before.
    Again(Pair),
    /// A new pair, whose refresh token may already be known.
    New {
        pair: Pair,
        nonce: String,
        confirmed_at: Timestamp,
    },
    Over,
    Later,
    Locked,
    End(EndReason),
}

/// How often a refresh is tried while others move its session on.
const TRIES: usize = 5;

/// Refreshes: spends a refresh token for a new pair (RFC 6749 §6). `permits` is asked before anything
/// is written.
///
/// Nothing is locked: the session is written only if it still is what was read, and read again if
/// not. Of two requests the second then finds what the first has left.
///
/// # Errors
/// When the database fails, or what `permits` answers; nothing has changed then.
pub async fn refresh<E: From<store::Error>>(
    app: &App,
    presented: &str,
    client_id: Option<&ClientId>,
    issue: &Issue<'_>,
    permits: impl Fn(&Found) -> Result<bool, E>,
) -> Result<Refreshed, E> {
    let (refreshed, outcome) = try_to_refresh(app, presented, client_id, issue, permits).await?;
    app.metrics.refresh(outcome);
    Ok(refreshed)
}

async fn try_to_refresh<E: From<store::Error>>(
    app: &App,
    presented: &str,
    client_id: Option<&ClientId>,
    issue: &Issue<'_>,
    permits: impl Fn(&Found) -> Result<bool, E>,
) -> Result<(Refreshed, Refresh), E> {
    let over = (Refreshed::Over, Refresh::Over);
    let Some(family) = refresh_family_of(app, presented).await? else { return Ok(over) };
    let digest = digest_of_token(presented);
    for _ in 0..TRIES {
        let chain = sql::tokens::find_chain(&app.store, &family.digest()).await?;
        let Some(chain) = chain.filter(|chain| chain.found.client_id.as_ref() == client_id) else {
            return Ok(over);
        };
        let next = next(&chain, presented, &digest, &family, issue);
        if matches!(next, Next::Again(_) | Next::New { .. }) && !permits(&chain.found)? {
            end(app, &chain.found, EndReason::DeniedByPolicy, issue.now).await?;
            return Ok((Refreshed::Denied, Refresh::Denied));
        }
        match next {
            Next::Again(pair) => {
                return Ok((Refreshed::Pair(pair, Box::new(chain.found)), Refresh::Repeated));
            }
            Next::Over => return Ok(over),
            Next::Later => return Ok((Refreshed::Later, Refresh::Later)),
            Next::Locked => return Ok((Refreshed::Locked, Refresh::Later)),
            Next::End(reason) => {
                end(app, &chain.found, reason, issue.now).await?;
                let is_reused = reason == EndReason::RefreshTokenReused;
                return Ok((Refreshed::Over, if is_reused { Refresh::Reused } else { Refresh::Expired }));
            }
            Next::New { pair, nonce, confirmed_at } => {
                let pending = sql::tokens::Pending {
                    refresh: digest_of_token(&pair.refresh_token),
                    access: digest_of_token(&pair.access_token),
                    nonce,
                    expires_at: issue.now + issue.lifetime,
                };
                let confirmed = (digest.as_str(), confirmed_at);
                if sql::tokens::set_pending(
                    &app.store,
                    &chain,
                    confirmed,
                    &pending,
                    issue.requester,
                    issue.now,
                )
                .await?
                {
                    return Ok((Refreshed::Pair(pair, Box::new(chain.found)), Refresh::Rotated));
                }
            }
        }
    }
    Ok((Refreshed::Later, Refresh::Later))
}

fn next(
    chain: &sql::tokens::Chain,
    presented: &str,
    digest: &str,
    family: &Family,
    issue: &Issue<'_>,
) -> Next {
    let now = issue.now;
    if chain.found.is_ended || chain.found.is_deactivated {
        return Next::Over;
    }
    if is_too_old(chain, issue) {
        return Next::End(EndReason::Expired);
    }
    if chain.found.is_locked {
        return Next::Locked;
    }
    let is_pending =
        chain.pending_refresh.as_deref().is_some_and(|pending| keys::equal_secrets(pending, digest));
    let is_confirmed = keys::equal_secrets(&chain.refresh, digest);
    if !is_pending && !is_confirmed {
        return superseded(chain, now);
    }
    if is_confirmed && let Some(pair) = pending_again(chain, presented, family, issue.root, now) {
        return Next::Again(pair);
    }
    let nonce = match &chain.pending_nonce {
        Some(nonce) if is_confirmed => nonce.clone(),
        _ => keys::random_secret(),
    };
    let pair = successor(presented, &nonce, now, family, issue.root, issue.lifetime);
    Next::New { pair, nonce, confirmed_at: if is_pending { now } else { chain.confirmed_at } }
}

async fn end(app: &App, found: &Found, reason: EndReason, now: Timestamp) -> Result<(), store::Error> {
    let mut tx = app.store.begin().await?;
    client::end(&mut tx, found.session_id, found.user_id, found.device_id.clone(), reason, now).await?;
    tx.commit().await?;
    app.wake_workers();
    Ok(())
}

fn is_too_old(chain: &sql::tokens::Chain, issue: &Issue<'_>) -> bool {
    let exceeds = |limit: Option<u64>, since| {
        limit.is_some_and(|limit| issue.now.since(since) >= Duration::from_secs(limit))
    };
    exceeds(issue.limits.client_idle_seconds, chain.last_seen_at)
        || exceeds(issue.limits.client_absolute_seconds, chain.created_at)
}

/// An old refresh token: a straggler of the client's own, or somebody else's copy.
fn superseded(chain: &sql::tokens::Chain, now: Timestamp) -> Next {
    if now.since(chain.confirmed_at) < STRAGGLERS {
        return Next::Later;
    }
    let found = &chain.found;
    tracing::warn!(
        session = %found.session_id, user = %found.user_id,
        client = found.client_id.as_ref().map(tracing::field::display),
        "a refresh token was used again long after it was replaced: its session ends"
    );
    Next::End(EndReason::RefreshTokenReused)
}

/// The pending pair once more, while it is fresh.
fn pending_again(
    chain: &sql::tokens::Chain,
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

/// The family that a refresh token of ours names, or the one that follows from one of another server.
async fn refresh_family_of(app: &App, token: &str) -> Result<Option<Family>, store::Error> {
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
