//! Sessions and their tokens: people signed in with a browser, and what OAuth clients hold.
//!
//! Owns `browser_sessions`, `client_sessions` and `access_tokens`. A user is known here only as a
//! [`UserId`], a client only as a [`ClientId`], until it is to be called; who they are is the business of other rooms.

pub mod all;
pub mod browser;
pub mod client;
pub mod device;
pub mod foreign;
pub mod jobs;
pub mod logout;
pub mod personal;
pub mod records;
pub mod refresh;
mod sql;
pub mod tokens;

use std::time::Duration;

use crate::app::App;
use crate::config;
use crate::store::{self, Tx};
use crate::time::Timestamp;

#[allow(unused_imports, reason = "named in this room's documentation")]
use crate::ids::{ClientId, UserId};

/// How long an ended session is remembered, for those who ask what happened.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Ends what has outlived its limits and forgets what ended long ago.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, limits: &config::Sessions, now: Timestamp) -> Result<(), store::Error> {
    let ago = |seconds: u64| now - Duration::from_secs(seconds);
    let never = Timestamp(i64::MIN);
    let idle_since = limits.client_idle_seconds.map_or(never, ago);
    let created_before = limits.client_absolute_seconds.map_or(never, ago);
    for (session, user, device) in
        sql::list_stale_client_sessions(tx, idle_since, created_before, now).await?
    {
        client::end(tx, session, user, device, client::EndReason::Expired, now).await?;
    }
    // After the clients' sessions, as a sign-in does, so that the two cannot wait for each other.
    browser::end_stale(tx, limits, now).await?;
    sql::forget(tx, now - REMEMBERED, now).await
}

/// Writes down when sessions were last used, as this node has noted it: a few hundred with each statement, which is
/// a transaction of its own, so that nobody waits long for the writer or for a row. What could not be written
/// stays noted.
///
/// # Errors
/// When the database fails.
pub async fn write_seen(app: &App) -> Result<(), store::Error> {
    let mut seen = app.known.seen();
    // In one order on every node, so that two of them seldom meet.
    seen.sort_by_key(|(session, _)| session.to_bytes());
    for some in seen.chunks(sql::SEEN_AT_ONCE) {
        sql::set_all_seen(&app.store, some).await?;
        app.known.forget_seen(some);
    }
    Ok(())
}
