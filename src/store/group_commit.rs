//! SQLite has one writer. Its transactions are cheap; flushing them to disk is not. So the
//! transactions that wait for the writer each run inside a savepoint of one outer transaction,
//! which is committed once for all of them.
//!
//! The writer is a fair lock. Whoever finishes a savepoint wakes the committer, which queues for the
//! same lock: everyone who was waiting before it joins the batch, everyone after it starts the next.

use std::sync::Arc;

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Executor};
use tokio::sync::{Mutex, Notify, OwnedMutexGuard, oneshot};

use super::Error;

/// The one writing connection and those waiting for its next commit. Cheap to clone.
#[derive(Clone)]
pub(super) struct GroupCommit {
    writer: Arc<Mutex<Writer>>,
    finish: Arc<Notify>,
}

struct Writer {
    connection: Option<SqliteConnection>,
    /// Whether the outer transaction has begun.
    open: bool,
    /// Whether a savepoint was begun and neither released nor rolled back.
    unfinished: bool,
    /// Those whose savepoint was released and who wait for the commit.
    waiting: Vec<oneshot::Sender<Result<(), String>>>,
}

/// A transaction of the group: the lock on the writer, with a savepoint begun.
pub(super) struct GroupTx {
    /// `None` only after [`GroupTx::commit`] took it.
    writer: Option<OwnedMutexGuard<Writer>>,
    finish: Arc<Notify>,
}

impl GroupCommit {
    /// Takes over the connection and starts the committer, which ends with the last clone.
    pub(super) fn start(connection: SqliteConnection) -> GroupCommit {
        let writer =
            Writer { connection: Some(connection), open: false, unfinished: false, waiting: Vec::new() };
        let group = GroupCommit { writer: Arc::new(Mutex::new(writer)), finish: Arc::new(Notify::new()) };
        let (writer, finish) = (Arc::downgrade(&group.writer), group.finish.clone());
        tokio::spawn(async move {
            loop {
                finish.notified().await;
                let Some(writer) = writer.upgrade() else { return };
                writer.lock().await.finish_batch().await;
            }
        });
        group
    }

    /// Waits for the writer and begins a savepoint.
    pub(super) async fn begin(&self) -> Result<GroupTx, Error> {
        let (writer, finish) = (self.writer.clone(), self.finish.clone());
        // A task of its own, so that a caller who goes away cannot leave the writer between two steps.
        let beginning = tokio::spawn(async move {
            let mut guard = writer.lock_owned().await;
            guard.begin_savepoint().await?;
            Ok(GroupTx { writer: Some(guard), finish })
        });
        beginning.await.map_err(|error| Error::Unavailable(error.to_string()))?
    }

    /// What `PRAGMA` says about the writing connection.
    pub(super) async fn durability(&self) -> Result<Vec<(String, String, bool)>, Error> {
        let mut guard = self.writer.lock().await;
        let connection = guard.connection()?;
        let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
        let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *connection).await?;
        Ok(vec![
            ("journal_mode".to_owned(), journal.clone(), journal == "wal"),
            ("synchronous".to_owned(), synchronous.to_string(), synchronous >= 2),
        ])
    }

    /// Commits what is waiting and closes the connection.
    pub(super) async fn close(&self) {
        let mut writer = self.writer.lock().await;
        writer.finish_batch().await;
        if let Some(connection) = writer.connection.take() {
            let _ = connection.close().await;
        }
        self.finish.notify_one();
    }
}

impl Writer {
    fn connection(&mut self) -> Result<&mut SqliteConnection, Error> {
        self.connection.as_mut().ok_or_else(|| Error::Unavailable("the database is closed".to_owned()))
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), Error> {
        self.connection()?.execute(sql).await?;
        Ok(())
    }

    async fn begin_savepoint(&mut self) -> Result<(), Error> {
        self.undo_unfinished().await;
        if !self.open {
            self.run("BEGIN IMMEDIATE").await?;
            self.open = true;
        }
        self.unfinished = true;
        self.run("SAVEPOINT one").await
    }

    /// Rolls back a savepoint whose transaction was dropped.
    async fn undo_unfinished(&mut self) {
        if !std::mem::take(&mut self.unfinished) {
            return;
        }
        let undone = match self.run("ROLLBACK TO one").await {
            Ok(()) => self.run("RELEASE one").await,
            Err(error) => Err(error),
        };
        if let Err(error) = undone {
            self.fail_batch(&error).await;
        }
    }

    /// SQLite itself rolls the whole outer transaction back on a full disk, an I/O error or a lack
    /// of memory; then nothing of the batch has happened, and everyone in it must hear so.
    async fn fail_batch(&mut self, error: &Error) {
        let _ = self.run("ROLLBACK").await;
        self.open = false;
        for waiting in self.waiting.drain(..) {
            let _ = waiting.send(Err(error.to_string()));
        }
    }

    async fn finish_batch(&mut self) {
        self.undo_unfinished().await;
        if !self.open {
            return;
        }
        let finished =
            if self.waiting.is_empty() { self.run("ROLLBACK").await } else { self.run("COMMIT").await };
        match finished {
            Ok(()) => {
                self.open = false;
                for waiting in self.waiting.drain(..) {
                    let _ = waiting.send(Ok(()));
                }
            }
            Err(error) => self.fail_batch(&error).await,
        }
    }
}

impl GroupTx {
    /// The connection, for one statement.
    pub(super) fn connection(&mut self) -> Result<&mut SqliteConnection, Error> {
        match &mut self.writer {
            Some(writer) => writer.connection(),
            None => Err(Error::Failed),
        }
    }

    /// Releases the savepoint and waits until the batch is on disk.
    pub(super) async fn commit(mut self) -> Result<(), Error> {
        let Some(mut writer) = self.writer.take() else { return Err(Error::Failed) };
        writer.unfinished = false;
        if let Err(error) = writer.run("RELEASE one").await {
            writer.fail_batch(&error).await;
            return Err(error);
        }
        let (done, committed) = oneshot::channel();
        writer.waiting.push(done);
        drop(writer);
        self.finish.notify_one();
        match committed.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(message)) => Err(Error::Unavailable(message)),
            Err(_) => Err(Error::Unavailable("the database was closed".to_owned())),
        }
    }
}

impl Drop for GroupTx {
    fn drop(&mut self) {
        // The lock goes first, so that the committer finds the savepoint to undo.
        if self.writer.take().is_some() {
            self.finish.notify_one();
        }
    }
}
