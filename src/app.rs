//! The parts that everything shares, behind one pointer.

use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::config::Config;
use crate::homeserver::Homeserver;
use crate::keys::{HashPool, Keyring};
use crate::store::Store;
use crate::time::Clock;

/// The shared parts of a running server or command. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] holds.
pub struct Parts {
    /// The configuration, checked.
    pub config: Config,
    /// The database.
    pub store: Store,
    /// Signing keys and the root secret.
    pub keys: Keyring,
    /// Password hashing.
    pub passwords: HashPool,
    /// The time.
    pub clock: Clock,
    /// The paired homeserver.
    pub homeserver: Homeserver,
    /// The secrets that the homeserver may present at introspection: the present one and, while it
    /// is being changed, the one before.
    pub homeserver_secrets: Vec<String>,
    /// Wakes the workers; see [`App::wake_workers`].
    pub work: Notify,
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> App {
        App(Arc::new(parts))
    }

    /// Tells the workers that a transaction with jobs was committed.
    pub fn wake_workers(&self) {
        self.0.work.notify_one();
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
