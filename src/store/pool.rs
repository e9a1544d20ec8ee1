//! The connections to PostgreSQL. sqlx's own pool has each connection that comes back to it prove that it is alive,
//! which costs PostgreSQL and us as much as a small read. Here only those have to that were left in the midst of
//! something.

use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};
use tokio::time::timeout;

use super::{ACQUIRE_TIMEOUT, is_dead};

/// How long a connection is used, so that what PostgreSQL remembers for it does not grow for ever.
const OLDEST: Duration = Duration::from_secs(30 * 60);

/// Opens connections.
pub(super) struct Opener(PgConnectOptions);

impl managed::Manager for Opener {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<PgConnection, sqlx::Error> {
        // Seldom done, and large: not a part of each future that has something to do with the database.
        Box::pin(self.0.connect()).await
    }

    async fn recycle(&self, _: &mut PgConnection, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if metrics.age() < OLDEST { Ok(()) } else { Err(RecycleError::message("too old")) }
    }
}

/// The connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct Pool(managed::Pool<Opener>);

impl Pool {
    /// Of at most so many connections, none of which is opened yet.
    pub fn new(options: PgConnectOptions, most: u32) -> Result<Pool, sqlx::Error> {
        managed::Pool::builder(Opener(options))
            .max_size(usize::try_from(most).unwrap_or(usize::MAX))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(ACQUIRE_TIMEOUT))
            .create_timeout(Some(ACQUIRE_TIMEOUT))
            // What PostgreSQL remembers for the last one used is still near its processor.
            .queue_mode(QueueMode::Lifo)
            .build()
            .map(Pool)
            .map_err(|error| sqlx::Error::Configuration(Box::new(error)))
    }

    /// How many connections there may be.
    pub fn most(&self) -> usize {
        self.0.status().max_size
    }

    /// A connection, once one is free.
    pub async fn lend(&self) -> Result<Lent, sqlx::Error> {
        match self.0.get().await {
            Ok(connection) => Ok(Lent { connection: Some(connection), is_in_transaction: false }),
            Err(PoolError::Backend(error)) => Err(error),
            Err(PoolError::Timeout(_)) => Err(sqlx::Error::PoolTimedOut),
            Err(_) => Err(sqlx::Error::PoolClosed),
        }
    }

    /// A connection on which a transaction is open, and which is not dead.
    pub async fn begin(&self) -> Result<Lent, sqlx::Error> {
        let mut left = self.most();
        loop {
            let mut lent = self.lend().await?;
            lent.is_in_transaction = true;
            match lent.connection()?.execute("BEGIN").await {
                Ok(_) => return Ok(lent),
                Err(error) => match lent.settle(Err(error)) {
                    Err(error) if left > 0 && is_dead(&error) => left -= 1,
                    failed => return failed,
                },
            }
        }
    }

    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Closes all connections, after what is under way on them.
    pub async fn close(&self) {
        for idle in self.0.retain(|_, _| false).removed {
            // It is closed in either case; this way PostgreSQL hears of it.
            let _ = idle.close().await;
        }
        self.0.close();
        while self.0.status().size > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A connection while somebody has it.
pub(super) struct Lent {
    connection: Option<Object<Opener>>,
    is_in_transaction: bool,
}

impl Lent {
    /// The connection itself.
    pub fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.connection.as_deref_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// Makes what was done in the transaction durable, and gives the connection back.
    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        let committed = self.connection()?.execute("COMMIT").await;
        self.is_in_transaction = committed.is_err();
        self.settle(committed.map(drop))
    }

    /// Gives the connection back after what was done on it, unless that has shown that it is dead.
    pub fn settle<T>(mut self, done: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        match &done {
            Err(error) if is_dead(error) => drop(self.connection.take().map(Object::take)),
            _ if self.is_in_transaction => {}
            _ => drop(self.connection.take()),
        }
        done
    }
}

impl Drop for Lent {
    /// Whoever had it went away in the midst of something.
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(recover(connection, self.is_in_transaction))),
            Err(_) => drop(Object::take(connection)),
        }
    }
}

/// Undoes what is left of a transaction, waits for the end of what is under way, and gives the connection back if that
/// goes well.
async fn recover(mut connection: Object<Opener>, is_in_transaction: bool) {
    let recovered = async {
        match is_in_transaction {
            true => connection.execute("ROLLBACK").await.map(drop),
            false => connection.ping().await,
        }
    };
    if !matches!(timeout(ACQUIRE_TIMEOUT, recovered).await, Ok(Ok(()))) {
        drop(Object::take(connection));
    }
}

/// Sends something to PostgreSQL over a connection of the pool.
macro_rules! on_connection {
    ($pool:expr, $connection:ident, $send:expr) => {
        match $pool.lend().await {
            Ok(lent) => $crate::store::pool::on_lent!(lent, $connection, $send),
            Err(error) => Err(error),
        }
    };
}
pub(super) use on_connection;

/// Sends something over a connection that is lent, and gives it back.
macro_rules! on_lent {
    ($lent:expr, $connection:ident, $send:expr) => {{
        let mut lent = $lent;
        match lent.connection() {
            Ok($connection) => {
                let done = $send.await;
                lent.settle(done)
            }
            Err(error) => Err(error),
        }
    }};
}
pub(super) use on_lent;

/// As [`on_connection`], again while the connection turns out to have died before it was used: after a restart of the database all
/// that were open have. What cannot be opened anew is not tried again: nobody shall wait for each of them.
macro_rules! on_live_connection {
    ($pool:expr, $connection:ident, $send:expr) => {{
        let mut left = $pool.most();
        loop {
            let lent = match $pool.lend().await {
                Ok(lent) => lent,
                Err(error) => break Err(error),
            };
            match $crate::store::pool::on_lent!(lent, $connection, $send) {
                Err(error) if left > 0 && $crate::store::is_dead(&error) => left -= 1,
                done => break done,
            }
        }
    }};
}
pub(super) use on_live_connection;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use sqlx::postgres::PgSslMode;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn what_cannot_be_reached_is_tried_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tried = Arc::new(AtomicUsize::new(0));
        let counted = tried.clone();
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port);
        let pool = Pool::new(options.ssl_mode(PgSslMode::Disable), 10).unwrap();
        let read = on_live_connection!(pool, connection, connection.execute("SELECT 1"));
        assert!(read.is_err_and(|error| is_dead(&error)));
        assert_eq!(tried.load(Ordering::SeqCst), 1);
        assert!(pool.begin().await.is_err_and(|error| is_dead(&error)));
        assert_eq!(tried.load(Ordering::SeqCst), 2);
    }
}
