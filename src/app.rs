//! The parts that everything shares, behind one pointer, and how they come up.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::ops::Deref;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::config::{Config, Engine};
use crate::homeserver::{self, Homeserver};
use crate::keys::{self, HashError, HashPool, HashSettings, Keyring, KeyringError, RootSecret, files};
use crate::known::Known;
use crate::mail::{self, Mailer};
use crate::outbound::{self, KeySets, Outbound};
use crate::policy::{self, Policy};
use crate::store::{self, Location, Store};
use crate::telemetry::metrics::Metrics;
use crate::time::Clock;

/// A refused password is answered no sooner than this after it came: longer than any hash that a
/// migration brings in takes to compare.
pub const REFUSAL_FLOOR: Duration = Duration::from_millis(500);

/// The shared parts of a running server or command. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] holds.
pub struct Parts {
    /// The configuration, checked.
    pub config: Config,
    /// The database.
    pub store: Store,
    /// What this node remembers of access tokens.
    pub known: Known,
    /// Signing keys and the root secret.
    pub keys: Keyring,
    /// Password hashing.
    pub passwords: HashPool,
    /// What this node counts.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Clock,
    /// The paired homeserver.
    pub homeserver: Homeserver,
    /// The way out for mails.
    pub mailer: Mailer,
    /// The way to addresses that clients name.
    pub outbound: Outbound,
    /// What this node keeps of the keys that clients publish.
    pub key_sets: KeySets,
    /// What is allowed here beyond what the protocols demand.
    pub policy: Policy,
    /// The secrets that the homeserver may present at introspection: the present one and, while it
    /// is being changed, the one before.
    pub homeserver_secrets: Vec<String>,
    work: Notify,
    /// The same for those workers that call clients: one notification wakes one of each.
    calls: Notify,
    /// The same for those that send mails.
    mails: Notify,
    /// Held for as long as the SQLite file is in use.
    _lock: Option<DatabaseLock>,
}

/// Why the parts did not come up.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process uses the SQLite file.
    #[error(
        "{} is in use by another Gatehouse; one SQLite file serves one server. Stop the other one, or use PostgreSQL \
         to run several", .0.display()
    )]
    InUse(PathBuf),
    /// A file or folder cannot be used.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Several nodes need the same secret, and only the admin can give it to all of them.
    #[error("on PostgreSQL {0} must be set, the same on every node")]
    SecretMissing(&'static str),
    /// The root secret is too short.
    #[error(transparent)]
    RootSecret(#[from] keys::WeakRootSecret),
    /// The database does not come up.
    #[error("the database does not open: {0}")]
    Store(#[from] store::Error),
    /// The signing keys cannot be had.
    #[error(transparent)]
    Keys(#[from] KeyringError),
    /// The cost of password hashing is out of range.
    #[error("passwords.argon2 has a cost that argon2 does not allow")]
    Passwords(#[from] HashError),
    /// The policies do not compile, or something else is wrong with them.
    #[error(transparent)]
    Policy(#[from] policy::Broken),
    /// The HTTP client does not come up.
    #[error(transparent)]
    Homeserver(#[from] homeserver::Error),
    /// There is no way out for mails.
    #[error(transparent)]
    Mail(#[from] mail::OpenError),
    /// Addresses that clients name cannot be called.
    #[error(transparent)]
    Outbound(#[from] outbound::OpenError),
}

impl App {
    /// Brings everything up: the data folder with its secrets, the database with its schema, the
    /// signing keys. What is missing is created.
    ///
    /// # Errors
    /// [`OpenError`], worded for the admin.
    pub async fn open(config: Config, clock: Clock, refusal_floor: Duration) -> Result<App, OpenError> {
        let policy = Policy::open(&config.policy)?;
        let folder = config.data.folder.clone();
        files::create_private_folder(&folder)
            .map_err(|source| OpenError::File { path: folder.clone(), source })?;
        let (location, lock) = match config.database.engine(&folder) {
            Engine::Sqlite(path) => {
                let lock = lock_database(&path)?;
                (Location::Sqlite(path), Some(lock))
            }
            Engine::Postgresql(uri) => (Location::Postgres(uri.expose().to_owned()), None),
        };
        let is_shared = lock.is_none();
        let root = root_secret(&config, is_shared)?;
        let homeserver_secret = homeserver_secret(&config, is_shared)?;
        let store = Store::open(&location, config.database.max_connections).await?;
        let key_folder = folder.join("keys");
        if !is_shared {
            let unusable = |source| OpenError::File { path: key_folder.clone(), source };
            files::create_private_folder(&key_folder).map_err(unusable)?;
        }
        let key_files = (!is_shared).then_some(key_folder.as_path());
        let passwords = HashPool::new(hash_settings(&config, &root, refusal_floor))?;
        let keys = Keyring::open(&store, root, key_files, clock.now()).await?;
        let metrics = Arc::new(Metrics::new());
        let endpoint = config.homeserver.endpoint.clone();
        let homeserver = Homeserver::new(endpoint, homeserver_secret.clone(), Arc::clone(&metrics))?;
        let mailer = Mailer::open(&config.email)?;
        let outbound = Outbound::new(&config.outbound)?;
        let previous = config.homeserver.previous_secret.as_ref().map(|secret| secret.expose().to_owned());
        let homeserver_secrets = std::iter::once(homeserver_secret).chain(previous).collect();
        Ok(App(Arc::new(Parts {
            config,
            known: Known::new(store.changes()),
            store,
            keys,
            passwords,
            metrics,
            clock,
            homeserver,
            mailer,
            key_sets: KeySets::new(outbound.clone()),
            outbound,
            policy,
            homeserver_secrets,
            work: Notify::new(),
            calls: Notify::new(),
            mails: Notify::new(),
            _lock: lock,
        })))
    }

    /// Tells the workers that a transaction with jobs was committed.
    pub fn wake_workers(&self) {
        self.work.notify_one();
        self.calls.notify_one();
        self.mails.notify_one();
    }

    /// Waits until [`App::wake_workers`] is called.
    pub async fn work_arrives(&self) {
        self.work.notified().await;
    }

    /// The same, for workers that call clients.
    pub async fn calls_arrive(&self) {
        self.calls.notified().await;
    }

    /// The same, for workers that send mails.
    pub async fn mails_arrive(&self) {
        self.mails.notified().await;
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The socket through which commands reach a running server that uses SQLite.
pub fn command_socket(config: &Config) -> PathBuf {
    config.data.folder.join("commands.sock")
}

/// The file that holds the secret shared with the homeserver, when the configuration names none.
pub fn homeserver_secret_file(config: &Config) -> PathBuf {
    config.data.folder.join("homeserver_secret")
}

/// The right to use an SQLite file. It is given back at once: a process that was just forked may hold
/// a copy of the open file for a moment longer.
struct DatabaseLock(File);

impl Drop for DatabaseLock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

fn lock_database(path: &Path) -> Result<DatabaseLock, OpenError> {
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    let lock = PathBuf::from(lock);
    let unusable = |source| OpenError::File { path: lock.clone(), source };
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&lock)
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(DatabaseLock(file)),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(OpenError::File { path: lock, source }),
    }
}

fn root_secret(config: &Config, is_shared: bool) -> Result<RootSecret, OpenError> {
    let text = match &config.secrets.root_secret {
        Some(secret) => secret.expose().to_owned(),
        None if is_shared => {
            return Err(OpenError::SecretMissing("secrets.root_secret (or secrets.root_secret_file)"));
        }
        None => secret_file(config.data.folder.join("root_secret"))?,
    };
    Ok(RootSecret::new(&text)?)
}

fn homeserver_secret(config: &Config, is_shared: bool) -> Result<String, OpenError> {
    match &config.homeserver.secret {
        Some(secret) => Ok(secret.expose().to_owned()),
        None if is_shared => Err(OpenError::SecretMissing("homeserver.secret (or homeserver.secret_file)")),
        None => secret_file(homeserver_secret_file(config)),
    }
}

fn secret_file(path: PathBuf) -> Result<String, OpenError> {
    files::read_or_create(&path, keys::random_secret).map_err(|source| OpenError::File { path, source })
}

fn hash_settings(config: &Config, root: &RootSecret, refusal_floor: Duration) -> HashSettings {
    let passwords = &config.passwords;
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    HashSettings {
        memory_kib: passwords.argon2.memory_kib,
        iterations: passwords.argon2.iterations,
        parallelism: passwords.argon2.parallelism,
        pepper: match &passwords.pepper {
            Some(pepper) => pepper.expose().as_bytes().to_vec(),
            None => root.password_pepper().to_vec(),
        },
        bcrypt_pepper: passwords
            .bcrypt_pepper
            .as_ref()
            .map(|pepper| pepper.expose().to_owned())
            .unwrap_or_default(),
        parallel: if passwords.parallel_hashes == 0 { cores } else { passwords.parallel_hashes },
        waiting: passwords.waiting_hashes,
        refusal_floor,
    }
}
