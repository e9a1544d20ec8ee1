//! The channel over which the nodes of a PostgreSQL cluster hear of each other's changes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Executor, PgPool};
use tokio::time::timeout;

use super::Error;
use super::changes::{Change, Changes};
use super::pool::Pool;

/// The channel's name.
pub(super) const CHANNEL: &str = "gatehouse_changes";
/// How often the channel is proven alive by a round trip over the very connection that listens.
const BEAT: Duration = Duration::from_millis(250);
/// How long one proof lasts, counted from before it was asked for. A node that lost the channel
/// stops trusting its memory after this at the latest.
const PROOF: Duration = Duration::from_millis(900);
/// How long to wait before listening again.
const AGAIN: Duration = Duration::from_millis(200);

/// Follows the channel over a connection of its own, for as long as the pool is open.
pub(super) async fn follow(options: PgConnectOptions, pool: Pool, changes: Arc<Changes>) {
    while !pool.is_closed() {
        // A new one each time: a connection that is frozen comes back to nobody.
        let own = PgPoolOptions::new().max_connections(1).connect_lazy_with(options.clone());
        if let Err(error) = listen(&own, &pool, &changes).await
            && !pool.is_closed()
        {
            tracing::warn!(%error, "the channel to the other nodes is lost; reading the database until it is back");
        }
        changes.distrust();
        tokio::time::sleep(AGAIN).await;
    }
}

async fn listen(own: &PgPool, pool: &Pool, changes: &Changes) -> Result<(), Error> {
    let mut listener = timeout(PROOF, PgListener::connect_with(own)).await.map_err(|_| silent())??;
    // A reconnect that is hidden would hide what was announced meanwhile.
    listener.eager_reconnect(false);
    timeout(PROOF, listener.listen(CHANNEL)).await.map_err(|_| silent())??;
    changes.forget_everything();
    while !pool.is_closed() {
        let asked = Instant::now();
        timeout(PROOF, listener.execute("SELECT 1")).await.map_err(|_| silent())??;
        // What was announced before this round trip was delivered with it.
        while let Some(notification) = listener.next_buffered() {
            heard(changes, notification.payload());
        }
        changes.trust(asked, PROOF);
        let next_beat = tokio::time::Instant::now() + BEAT;
        while let Ok(received) = tokio::time::timeout_at(next_beat, listener.try_recv()).await {
            match received? {
                Some(notification) => heard(changes, notification.payload()),
                None => return Err(silent()),
            }
        }
    }
    Ok(())
}

fn heard(changes: &Changes, payload: &str) {
    match Change::from_payload(payload) {
        Some(change) => changes.announce(&change),
        // A newer node speaks of something that this one does not know: all may depend on it.
        None => changes.forget_everything(),
    }
}

fn silent() -> Error {
    Error::Unavailable("the channel is silent".to_owned())
}
