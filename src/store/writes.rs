//! Whether the database takes writes. A full disk can still be read, so a question does not tell: what
//! tells is what became of the last writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::{Error, Store, query};

/// How long after a refused write the next attempt to write is made.
const AGAIN: Duration = Duration::from_secs(1);

/// What became of the last writes.
#[derive(Clone, Default)]
pub(super) struct Writes(Arc<Counted>);

#[derive(Default)]
struct Counted {
    /// How many were refused so far.
    refused: AtomicU64,
    /// Whether the database has yet to prove that it takes writes again.
    proving: AtomicBool,
}

impl Writes {
    /// Whether no write was refused since the last one that is known to have succeeded.
    pub(super) fn succeed(&self) -> bool {
        !self.0.proving.load(Ordering::SeqCst)
    }
}

impl Store {
    /// Notes that a write was refused. From now on the database is written to each second, until that
    /// works and nobody else was refused in the same second: then writes succeed again.
    pub(super) fn note_refused_write(&self) {
        self.writes.0.refused.fetch_add(1, Ordering::SeqCst);
        if !self.writes.0.proving.swap(true, Ordering::SeqCst) {
            tokio::spawn(prove(self.clone()));
        }
    }
}

async fn prove(store: Store) {
    let Counted { refused, proving } = &*store.writes.0;
    loop {
        let before = refused.load(Ordering::SeqCst);
        tokio::time::sleep(AGAIN).await;
        if store.is_closed() {
            return;
        }
        if write(&store).await.is_err() || refused.load(Ordering::SeqCst) != before {
            continue;
        }
        tracing::info!("the database takes writes again");
        proving.store(false, Ordering::SeqCst);
        // Somebody may have been refused just before that, and left the proof to this task.
        if refused.load(Ordering::SeqCst) == before || proving.swap(true, Ordering::SeqCst) {
            return;
        }
    }
}

/// Writes something that changes nothing: a transaction without any write would succeed on a full disk.
async fn write(store: &Store) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    query("UPDATE installation SET value = value").execute(&mut tx).await?;
    tx.commit().await
}
