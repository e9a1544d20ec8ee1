//! The keys that clients publish (`jwks_uri`: OpenID Connect Core §10.1), kept for a while.
//!
//! They are kept for one client at one address, so that a client whose metadata changes is at once
//! believed by its new keys alone. Strangers can have keys fetched, by assertions that name a key which
//! is not there; so this happens no more often than every [`AGAIN`] for each client.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use quick_cache::sync::Cache;
use url::Url;

use super::{Error, Limits, Outbound};
use crate::ids::ClientId;
use crate::time::Timestamp;

/// Keys are fetched anew after this. A key that the client withdrew may be believed for as long.
const KEPT: Duration = Duration::from_secs(5 * 60);
/// And no sooner than this after the last time, whether that succeeded or not.
const AGAIN: Duration = Duration::from_secs(10);
/// How many sets are kept; the largest take some hundred kilobytes.
const CAPACITY: usize = 256;

/// What is kept of the keys of clients.
pub struct KeySets {
    outbound: Outbound,
    entries: Cache<(ClientId, Url), Arc<Entry>>,
}

#[derive(Default)]
struct Entry {
    held: Mutex<Held>,
    /// One asks, and the others wait for what comes of it.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Held {
    asked_at: Option<Timestamp>,
    /// What came of it, if no keys did.
    failed: Option<Error>,
    fetched: Option<(Timestamp, Arc<JwkSet>)>,
}

impl Entry {
    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fresh(&self, now: Timestamp) -> Option<Arc<JwkSet>> {
        let held = self.held();
        held.fetched.as_ref().filter(|(at, _)| now.since(*at) < KEPT).map(|(_, set)| Arc::clone(set))
    }

    /// What there is, without asking: not what was wanted.
    fn as_it_is(&self, now: Timestamp) -> Result<Arc<JwkSet>, Error> {
        if let Some(error) = self.held().failed.clone() {
            return Err(error);
        }
        self.fresh(now).ok_or(Error::Slow)
    }
}

impl KeySets {
    /// Keeps nothing yet.
    pub fn new(outbound: Outbound) -> KeySets {
        KeySets { outbound, entries: Cache::new(CAPACITY) }
    }

    /// The keys of a client: those that are kept if they are among what is `wanted`, else those that it
    /// publishes now, unless these were fetched a moment ago.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn get(
        &self,
        client: &ClientId,
        uri: &Url,
        now: Timestamp,
        wanted: impl Fn(&JwkSet) -> bool,
    ) -> Result<Arc<JwkSet>, Error> {
        let entry = self.entry(client, uri);
        let fresh = || entry.fresh(now).filter(|set| wanted(set));
        if let Some(set) = fresh() {
            return Ok(set);
        }
        let _turn = entry.turn.lock().await;
        if let Some(set) = fresh() {
            return Ok(set);
        }
        {
            let mut held = entry.held();
            if held.asked_at.is_some_and(|at| now.since(at) < AGAIN) {
                drop(held);
                return entry.as_it_is(now);
            }
            held.asked_at = Some(now);
            // True until there is an answer, which nobody waits for if this request is given up.
            held.failed = Some(Error::Slow);
        }
        match self.outbound.get_json::<JwkSet>(uri, Limits::default()).await {
            Ok(set) => {
                let set = Arc::new(set);
                let mut held = entry.held();
                held.failed = None;
                held.fetched = Some((now, Arc::clone(&set)));
                Ok(set)
            }
            Err(error) => {
                entry.held().failed = Some(error.clone());
                Err(error)
            }
        }
    }

    fn entry(&self, client: &ClientId, uri: &Url) -> Arc<Entry> {
        let key = (client.clone(), uri.clone());
        let made =
            self.entries.get_or_insert_with(&key, || Ok::<_, std::convert::Infallible>(Arc::default()));
        made.unwrap_or_else(|never| match never {})
    }
}
