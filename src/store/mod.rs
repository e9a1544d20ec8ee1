//! Connections, transactions and migrations: the only code that knows SQLite from PostgreSQL.
//!
//! Rooms write one SQL text for both engines (`$1` parameters, `TEXT`, `BIGINT`, `BOOLEAN`) and run
//! it with [`query()`] on the [`Store`] for a lone read, or on a [`Tx`] for everything that writes.

mod changes;
mod channel;
mod gathered;
mod group_commit;
mod leases;
mod migrations;
mod pool;
mod query;
mod together;
mod writes;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqlitePool};

pub use changes::{Change, Changes, Stamp};
pub use leases::{hold_queue, lease_next_job};
pub(crate) use query::query_kept;
pub use query::{FromRow, On, Query, Row, Value, query};
pub use together::execute_together;

use gathered::Gatherings;
use group_commit::{GroupCommit, GroupTx};
use pool::{Lent, Pool, on_connection};
use writes::Writes;

/// How long a statement waits for a connection before the caller is told to come back: less long than
/// those who ask us usually wait for an answer.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the database has to say that it is there; whoever watches over us waits no longer either.
const PRESENT: Duration = Duration::from_secs(2);

/// The database, on either engine. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
    changes: Arc<Changes>,
    writes: Writes,
    gatherings: Gatherings,
}

#[derive(Clone)]
enum Engine {
    Sqlite { readers: SqlitePool, writer: GroupCommit },
    Postgres(Pool),
}

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// One file, used by one server.
    Sqlite(PathBuf),
    /// A PostgreSQL server, given as a `postgresql://` URI.
    Postgres(String),
}

/// What can go wrong between us and the database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A row with the same unique value is there already.
    #[error("the row conflicts with one that exists")]
    Conflict(#[source] sqlx::Error),
    /// The database does not answer, or cannot take writes just now.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The transaction met an error before and may only be given up.
    #[error("the transaction has failed already")]
    Failed,
    /// Anything else the engine reports.
    #[error("database error")]
    Engine(#[source] sqlx::Error),
    /// A stored value does not have the form that its column promises.
    #[error("the stored value of {column} is not valid")]
    Corrupt {
        /// The column that was read.
        column: &'static str,
    },
    /// The schema could not be brought up to date.
    #[error("{0}")]
    Migration(String),
    /// The URI does not parse; it is not repeated, since it may hold a password.
    #[error("the PostgreSQL URI cannot be read")]
    Location,
}

impl Error {
    /// Whether the same call may succeed a moment later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Error::Unavailable(_))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => Error::Conflict(error),
            sqlx::Error::Database(database) => match database.code().as_deref() {
                // SQLite: BUSY, LOCKED, READONLY, IOERR, FULL with their extended codes in the upper
                // bits. PostgreSQL: classes 08 connection, 53 resources, 57 operator, 40 rollback, and
                // 25006, a standby that only reads.
                Some(code)
                    if code.parse::<i32>().is_ok_and(|c| [5, 6, 8, 10, 13].contains(&(c & 0xff)))
                        && code.len() < 5 =>
                {
                    Error::Unavailable(database.message().to_owned())
                }
                Some(code)
                    if code.len() == 5
                        && (["08", "53", "57", "40"].contains(&&code[..2]) || code == "25006") =>
                {
                    Error::Unavailable(database.message().to_owned())
                }
                _ => Error::Engine(error),
            },
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Error::Unavailable(error.to_string()),
            _ => Error::Engine(error),
        }
    }
}

impl Store {
    /// Opens the database, creating a missing SQLite file (0600), and brings the schema up to date.
    ///
    /// # Errors
    /// When the engine cannot be reached, or the schema is newer than this program.
    pub async fn open(location: &Location, max_connections: u32) -> Result<Store, Error> {
        match location {
            Location::Sqlite(path) => Store::open_sqlite(path, max_connections).await,
            Location::Postgres(uri) => Store::open_postgres(uri, max_connections).await,
        }
    }

    async fn open_sqlite(path: &Path, max_connections: u32) -> Result<Store, Error> {
        create_private_file(path)
            .map_err(|error| Error::Unavailable(format!("cannot create {}: {error}", path.display())))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: a commit that was answered survives a power cut, not only a crash.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        migrations::run_sqlite(&mut options.connect().await?).await?;
        let writer = GroupCommit::start(options.connect().await?);
        let readers = SqlitePoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .connect_with(options.pragma("query_only", "1"))
            .await?;
        let engine = Engine::Sqlite { readers, writer };
        Ok(Store {
            engine,
            changes: Arc::new(Changes::alone()),
            writes: Writes::default(),
            gatherings: Gatherings::default(),
        })
    }

    async fn open_postgres(uri: &str, max_connections: u32) -> Result<Store, Error> {
        let options = uri
            .parse::<PgConnectOptions>()
            .map_err(|_| Error::Location)?
            .application_name("gatehouse")
            .disable_statement_logging();
        // This one waits for a database that is just starting.
        let first = PgPoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE_TIMEOUT);
        let first = first.connect_with(options.clone()).await?;
        migrations::run_postgres(&first).await?;
        first.close().await;
        let pool = Pool::new(options.clone(), max_connections)?;
        let changes = Arc::new(Changes::among_others());
        tokio::spawn(channel::follow(options, pool.clone(), changes.clone()));
        Ok(Store {
            engine: Engine::Postgres(pool),
            changes,
            writes: Writes::default(),
            gatherings: Gatherings::default(),
        })
    }

    /// Notes a write that was refused, if that says something of the next one.
    fn refused(&self, error: sqlx::Error) -> Error {
        // Of two transactions in each other's way one has to come again, and nothing is wrong.
        let is_in_the_way = |error: &dyn sqlx::error::DatabaseError| {
            error.code().is_some_and(|code| code.len() == 5 && code.starts_with("40"))
        };
        let is_passing_by = error.as_database_error().is_some_and(is_in_the_way);
        let error = Error::from(error);
        if error.is_passing() && !is_passing_by {
            self.note_refused_write();
        }
        error
    }

    /// Waits until all is on disk that a transaction can see at this moment, for who gave one up because of it and is
    /// going to look outside of it: SQLite's transactions see what is still to be flushed with them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle(&self) -> Result<(), Error> {
        match self.is_shared() {
            true => Ok(()),
            false => self.begin().await?.commit().await,
        }
    }

    /// Begins a transaction. No network call may be made while it is open: on SQLite there is one
    /// writer, and everybody waits for it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no connection can be had.
    pub async fn begin(&self) -> Result<Tx, Error> {
        let begun = match &self.engine {
            Engine::Sqlite { writer, .. } => writer.begin().await.map(TxEngine::Sqlite),
            Engine::Postgres(pool) => pool.begin().await.map(TxEngine::Postgres).map_err(Error::from),
        };
        match begun {
            Ok(engine) => Ok(Tx {
                engine,
                has_failed: false,
                changed: Vec::new(),
                has_work: false,
                store: self.clone(),
            }),
            Err(error) => {
                self.note_refused_write();
                Err(error)
            }
        }
    }

    /// The board on which changes are announced.
    pub fn changes(&self) -> Arc<Changes> {
        self.changes.clone()
    }

    /// Whether several servers may share this database.
    pub fn is_shared(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }

    /// The settings that decide whether an answered commit survives a power cut, as the engine
    /// reports them: name, value, and whether the value is safe.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn durability(&self) -> Result<Vec<(String, String, bool)>, Error> {
        match &self.engine {
            Engine::Sqlite { writer, .. } => writer.durability().await,
            Engine::Postgres(pool) => {
                let mut settings = Vec::new();
                for name in ["fsync", "full_page_writes", "synchronous_commit"] {
                    let setting = sqlx::query_scalar("SELECT current_setting($1)").bind(name);
                    let value: String = on_connection!(pool, connection, setting.fetch_one(connection))?;
                    let safe = value != "off";
                    settings.push((name.to_owned(), value, safe));
                }
                Ok(settings)
            }
        }
    }

    /// Whether the database answers, and soon.
    ///
    /// # Errors
    /// When it does not.
    pub async fn answers(&self) -> Result<(), Error> {
        let question = query("SELECT name FROM installation LIMIT 1").fetch_optional::<()>(self);
        match tokio::time::timeout(PRESENT, question).await {
            Ok(answered) => answered.map(drop),
            Err(_) => Err(Error::Unavailable("it does not answer in time".to_owned())),
        }
    }

    /// Whether the database takes writes, as far as the last ones showed. Nothing is written to find out.
    pub fn takes_writes(&self) -> bool {
        self.writes.succeed()
    }

    fn is_closed(&self) -> bool {
        match &self.engine {
            Engine::Sqlite { readers, .. } => readers.is_closed(),
            Engine::Postgres(pool) => pool.is_closed(),
        }
    }

    /// Closes all connections, after the transactions under way.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
            Engine::Postgres(pool) => pool.close().await,
        }
    }
}

/// A transaction: everything done on it happens when [`Tx::commit`] returns, or not at all.
///
/// A statement that fails ends it on either engine, as PostgreSQL would have it: what follows fails
/// too, and nothing is committed.
pub struct Tx {
    engine: TxEngine,
    has_failed: bool,
    /// What is announced once the transaction is committed.
    changed: Vec<Change>,
    /// Whether there is work for others once it is.
    has_work: bool,
    store: Store,
}

enum TxEngine {
    Sqlite(GroupTx),
    Postgres(Lent),
}

impl Tx {
    /// The engine's own transaction, for one statement.
    fn engine(&mut self) -> Result<&mut TxEngine, Error> {
        if self.has_failed { Err(Error::Failed) } else { Ok(&mut self.engine) }
    }

    /// Remembers that a statement failed. SQLite may have rolled the whole batch back, so that what
    /// follows would be written outside of it; PostgreSQL answers a commit as if all were well.
    fn fail(&mut self, error: sqlx::Error) -> Error {
        self.has_failed = true;
        self.store.refused(error)
    }

    /// Has a change announced to everything that remembers answers, on this node and the others, when
    /// and if the transaction is committed.
    pub fn announce(&mut self, change: Change) {
        if !self.changed.contains(&change) {
            self.changed.push(change);
        }
    }

    /// Notes that the transaction asks for work to be done once it is committed.
    pub fn ask_for_work(&mut self) {
        self.has_work = true;
    }

    /// Whether it does: somebody may have to be woken then.
    pub fn asks_for_work(&self) -> bool {
        self.has_work
    }

    /// Makes the transaction durable and announces what it changed. A caller that goes away does not
    /// interrupt it.
    ///
    /// # Errors
    /// When nothing of the transaction has happened, or, if the connection was lost in the midst of
    /// the commit, when that cannot be known.
    pub async fn commit(self) -> Result<(), Error> {
        if self.has_failed {
            return Err(Error::Failed);
        }
        let committing = tokio::spawn(async move {
            let Tx { engine, changed, store, .. } = self;
            let committed = match engine {
                TxEngine::Sqlite(transaction) => transaction.commit().await,
                TxEngine::Postgres(transaction) => commit_postgres(transaction, &changed).await,
            };
            // Also after an error: when the connection broke, the commit may have happened.
            for change in changed {
                store.changes.announce(&change);
            }
            if committed.as_ref().is_err_and(Error::is_passing) {
                store.note_refused_write();
            }
            committed
        });
        committing.await.map_err(|error| Error::Unavailable(error.to_string()))?
    }
}

/// Whether the connection is gone, or the database ends it.
fn is_dead(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| code.starts_with("08") || code.starts_with("57P"))
        }
        _ => false,
    }
}

/// The other nodes hear of the changes with the commit, and only with it.
async fn commit_postgres(mut transaction: Lent, changed: &[Change]) -> Result<(), Error> {
    for change in changed {
        sqlx::query("SELECT pg_notify($1, $2)")
            .bind(channel::CHANNEL)
            .bind(change.to_payload())
            .execute(transaction.connection()?)
            .await?;
    }
    Ok(transaction.commit().await?)
}

/// Creates an empty file that only its owner may read, unless it is there already.
fn create_private_file(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}
