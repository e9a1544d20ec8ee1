//! Where signing keys are kept, and how they change: rows in the database, with the private part in
//! a file beside SQLite or encrypted in the row on PostgreSQL.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::{Algorithm, KeyError, PrivateKey, PublishedKeys, RootSecret, SigningKey, files};
use crate::store::{self, FromRow, Row, Store, Tx, query};
use crate::time::Timestamp;

/// How long a new key is published before it signs: longer than clients and proxies keep the set.
const PUBLISHED_AHEAD: Duration = Duration::from_secs(60 * 60);
/// How long an old key stays published after its last signature: longer than ID tokens live.
const PUBLISHED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

const LIST: &str = "
SELECT kid, algorithm, created_at, signs_from, retires_at, private_key
FROM signing_keys WHERE retires_at IS NULL OR retires_at > $1 ORDER BY created_at, kid";

const ADD: &str = "
INSERT INTO signing_keys (kid, algorithm, created_at, signs_from, private_key) VALUES ($1, $2, $3, $4, $5)";

const RETIRE: &str = "UPDATE signing_keys SET retires_at = $1 WHERE retires_at IS NULL";

const LIST_RETIRED: &str = "SELECT kid FROM signing_keys WHERE retires_at <= $1";

const CLAIM_FIRST_START: &str = "
INSERT INTO installation (name, value) VALUES ('first_keys', 'made') ON CONFLICT (name) DO NOTHING";

const REMEMBER_CHECK: &str = "
INSERT INTO installation (name, value) VALUES ('root_secret_check', $1) ON CONFLICT (name) DO NOTHING";

const FIND_CHECK: &str = "SELECT value FROM installation WHERE name = 'root_secret_check'";

/// The signing keys of the installation, as this node last read them.
pub struct Keyring {
    current: RwLock<Arc<PublishedKeys>>,
    root: RootSecret,
    /// Where private keys are files; `None` when they are encrypted in the database.
    folder: Option<PathBuf>,
}

/// What can be told of a key without its private part.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct KeyFacts {
    /// Its name in the published set (RFC 7517 §4.5).
    pub kid: String,
    /// Its `alg`.
    pub algorithm: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs.
    pub signs_from: Timestamp,
    /// When it leaves the published set.
    pub retires_at: Option<Timestamp>,
}

struct StoredKey {
    facts: KeyFacts,
    private_key: Option<String>,
}

impl FromRow for StoredKey {
    fn from_row(row: &Row) -> Result<StoredKey, store::Error> {
        Ok(StoredKey {
            facts: KeyFacts {
                kid: row.get("kid")?,
                algorithm: row.get("algorithm")?,
                created_at: row.get("created_at")?,
                signs_from: row.get("signs_from")?,
                retires_at: row.get("retires_at")?,
            },
            private_key: row.get("private_key")?,
        })
    }
}

struct Kid(String);

impl FromRow for Kid {
    fn from_row(row: &Row) -> Result<Kid, store::Error> {
        Ok(Kid(row.get("kid")?))
    }
}

struct CheckValue(String);

impl FromRow for CheckValue {
    fn from_row(row: &Row) -> Result<CheckValue, store::Error> {
        Ok(CheckValue(row.get("value")?))
    }
}

/// Why the keys could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A key file could not be read or written.
    #[error("cannot access {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A key could not be made or read.
    #[error("signing key {kid}: {source}")]
    Key {
        /// Its name.
        kid: String,
        /// Why.
        source: KeyError,
    },
    /// The root secret is another one than the data was written under.
    #[error(
        "the root secret is not the one that this database was set up with; put the right one into \
         secrets.root_secret (or the root_secret file in the data folder)"
    )]
    OtherRootSecret,
}

impl Keyring {
    /// Reads the keys, making the first ones when there are none. `folder` is where private keys
    /// are files; without one they are encrypted in the database.
    ///
    /// # Errors
    /// When the database, a file or a key fails, or the root secret is another one than before.
    pub async fn open(
        store: &Store,
        root: RootSecret,
        folder: Option<&Path>,
        now: Timestamp,
    ) -> Result<Keyring, KeyringError> {
        let keyring = Keyring {
            current: RwLock::new(Arc::new(PublishedKeys::new(Vec::new()))),
            root,
            folder: folder.map(Path::to_owned),
        };
        let known: Option<CheckValue> = query(FIND_CHECK).fetch_optional(store).await?;
        match known {
            Some(CheckValue(value)) if !super::equal_secrets(&value, keyring.root.check_value()) => {
                return Err(KeyringError::OtherRootSecret);
            }
            Some(_) => {}
            None => keyring.first_start(store, now).await?,
        }
        keyring.reload(store, now).await?;
        Ok(keyring)
    }

    async fn first_start(&self, store: &Store, now: Timestamp) -> Result<(), KeyringError> {
        let mut tx = store.begin().await?;
        query(REMEMBER_CHECK).bind(self.root.check_value()).execute(&mut tx).await?;
        let CheckValue(value) = query(FIND_CHECK).fetch_one(&mut tx).await?;
        if !super::equal_secrets(&value, self.root.check_value()) {
            return Err(KeyringError::OtherRootSecret);
        }
        // Of several nodes that start at once, one makes the keys.
        if query(CLAIM_FIRST_START).execute(&mut tx).await? == 1 {
            self.add_keys(&mut tx, now, now).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Reads the keys anew, for what another node or a command has changed.
    ///
    /// # Errors
    /// When the database, a file or a key fails; the node goes on with what it had.
    pub async fn reload(&self, store: &Store, now: Timestamp) -> Result<(), KeyringError> {
        let stored: Vec<StoredKey> = query(LIST).bind(now).fetch_all(store).await?;
        let keys = stored.into_iter().map(|key| self.read(key)).collect::<Result<Vec<_>, _>>()?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(PublishedKeys::new(keys));
        Ok(())
    }

    /// The keys of the moment.
    pub fn current(&self) -> Arc<PublishedKeys> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The root secret that other rooms derive from.
    pub fn root(&self) -> &RootSecret {
        &self.root
    }

    /// Lists the published keys.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, store: &Store, now: Timestamp) -> Result<Vec<KeyFacts>, KeyringError> {
        let stored: Vec<StoredKey> = query(LIST).bind(now).fetch_all(store).await?;
        Ok(stored.into_iter().map(|key| key.facts).collect())
    }

    /// Adds a key of each algorithm, published at once and signing an hour later, and retires the
    /// old ones a day after that.
    ///
    /// # Errors
    /// When the database, a file or a key fails.
    pub async fn rotate(&self, store: &Store, now: Timestamp) -> Result<(), KeyringError> {
        let signs_from = now + PUBLISHED_AHEAD;
        let mut tx = store.begin().await?;
        query(RETIRE).bind(signs_from + PUBLISHED_AFTER).execute(&mut tx).await?;
        self.add_keys(&mut tx, now, signs_from).await?;
        tx.commit().await?;
        self.reload(store, now).await
    }

    /// Removes the keys that have left the published set, with their files.
    ///
    /// # Errors
    /// When the database or a file fails; the rest is removed the next time.
    pub async fn forget_retired(&self, store: &Store, now: Timestamp) -> Result<(), KeyringError> {
        let retired: Vec<Kid> = query(LIST_RETIRED).bind(now).fetch_all(store).await?;
        for Kid(kid) in retired {
            if let Some(folder) = &self.folder {
                let path = key_file(folder, &kid);
                match std::fs::remove_file(&path) {
                    Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                        return Err(KeyringError::File { path, source });
                    }
                    _ => {}
                }
            }
            let mut tx = store.begin().await?;
            query("DELETE FROM signing_keys WHERE kid = $1").bind(&kid).execute(&mut tx).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn add_keys(&self, tx: &mut Tx, now: Timestamp, signs_from: Timestamp) -> Result<(), KeyringError> {
        for algorithm in Algorithm::ALL {
            let unnamed = |source| KeyringError::Key { kid: algorithm.as_str().to_owned(), source };
            let (key, pkcs8) = PrivateKey::generate(algorithm).map_err(unnamed)?;
            let kid = key.thumbprint();
            let stored = match &self.folder {
                // The file first: a row without its key would stop the next start.
                Some(folder) => {
                    let path = key_file(folder, &kid);
                    files::write_private(&path, &pkcs8)
                        .map_err(|source| KeyringError::File { path, source })?;
                    None
                }
                None => Some(self.root.encrypt(&kid, &pkcs8).map_err(|_| unnamed(KeyError::Generate))?),
            };
            query(ADD)
                .bind(&kid)
                .bind(algorithm.as_str())
                .bind(now)
                .bind(signs_from)
                .bind(stored)
                .execute(tx)
                .await?;
        }
        Ok(())
    }

    fn read(&self, stored: StoredKey) -> Result<SigningKey, KeyringError> {
        let kid = stored.facts.kid;
        let invalid = |source| KeyringError::Key { kid: kid.clone(), source };
        let algorithm =
            Algorithm::parse(&stored.facts.algorithm).ok_or_else(|| invalid(KeyError::Invalid))?;
        let pkcs8 = match (&stored.private_key, &self.folder) {
            (Some(text), _) => self.root.decrypt(&kid, text).map_err(|_| invalid(KeyError::Invalid))?,
            (None, Some(folder)) => {
                let path = key_file(folder, &kid);
                std::fs::read(&path).map_err(|source| KeyringError::File { path, source })?
            }
            (None, None) => return Err(invalid(KeyError::Invalid)),
        };
        let private_key = PrivateKey::from_pkcs8(algorithm, &pkcs8).map_err(invalid)?;
        let (signs_from, retires_at) = (stored.facts.signs_from, stored.facts.retires_at);
        Ok(SigningKey { kid, algorithm, signs_from, retires_at, private_key })
    }
}

fn key_file(folder: &Path, kid: &str) -> PathBuf {
    folder.join(format!("{kid}.der"))
}
