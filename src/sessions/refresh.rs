//! Refreshing: how one pair of tokens follows another (RFC 6749 §6).
//!
//! A session has one *confirmed* refresh token, which is known to have reached the client, and at
//! most one *pending* pair, which was answered and whose arrival nothing has shown yet. The first use
//! of the pending pair, by either of its tokens, confirms it. Until then the confirmed token may be
//! presented again: the answer was lost, or two requests ran at once (Matrix CS API, Refreshing access
//! tokens). It then gets the very same pair again, so that there is never more than one live chain.
//! Only the access token of a pair that waited long is replaced; the refresh token beside it stays, so
//! that none that was ever answered turns bad before the client went on to the next.

use std::time::Duration;

use super::client::{self, EndReason};
use super::sql;
use super::tokens::{Found, Issue, Pair, refresh_family_of};
use crate::app::App;
use crate::ids::ClientId;
use crate::keys::{self, Family, RootSecret, TokenKind, digest_of_token};
use crate::store;
use crate::telemetry::metrics::Refresh;
use crate::time::Timestamp;

/// How long a pending pair is answered again unchanged; after that its access token would reach the
/// client too old to be of use, and a fresh one takes its place.
const ANSWERED_AGAIN: Duration = Duration::from_secs(60);

/// How long after the first use of its successor an old refresh token is taken for a straggler; later
/// it is taken for stolen (RFC 9700 §4.14.2).
const STRAGGLERS: Duration = Duration::from_secs(30);

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
