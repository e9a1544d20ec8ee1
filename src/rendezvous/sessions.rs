//! What was left at a rendezvous: one text at a time, and for minutes only.

use std::time::Duration;

use crate::app::App;
use crate::keys;
use crate::store::{Error, FromRow, Row, Store, Tx, query};
use crate::time::Timestamp;

/// The largest text, in bytes.
pub const LARGEST: usize = 4096;
/// How long a session lives, from its beginning; writes do not prolong it. Within this time a person scans
/// a code, signs in on a page, perhaps with a second factor, and says yes.
pub const LIFETIME: Duration = Duration::from_secs(5 * 60);
/// So many sessions at once: a few more if several begin at the same moment, on PostgreSQL.
pub const CAPACITY: i64 = 5_000;

/// One state of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Names the state: another one after each write, whatever was written.
    pub name: String,
    /// When it was written.
    pub modified_at: Timestamp,
    /// When the session ends.
    pub expires_at: Timestamp,
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is there now, as this revision.
    Done(Revision),
    /// Nothing was written, since the session has another revision than the writer thought: this one.
    Stale(Revision),
    /// There is no such session, or no longer.
    Unknown,
}

impl FromRow for Revision {
    fn from_row(row: &Row) -> Result<Revision, Error> {
        Ok(Revision {
            name: row.get("revision")?,
            modified_at: row.get("modified_at")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

struct Found(Revision, Vec<u8>);

impl FromRow for Found {
    fn from_row(row: &Row) -> Result<Found, Error> {
        let data: String = row.get("data")?;
        let data = keys::from_base64url(&data).ok_or(Error::Corrupt { column: "data" })?;
        Ok(Found(Revision::from_row(row)?, data))
    }
}

/// 128 random bits as text that may stand in a path.
fn random_name() -> String {
    let mut bytes = [0u8; 16];
    crate::random::fill(&mut bytes);
    keys::base64url(bytes)
}

/// Begins a session: its id, which is all that is needed to read, write and end it, and of which only the
/// digest is stored. `None` when there are as many as there may be.
///
/// # Errors
/// When the database fails.
pub async fn create(app: &App, data: &[u8]) -> Result<Option<(String, Revision)>, Error> {
    const CREATE: &str = "
INSERT INTO rendezvous_sessions (id_digest, data, revision, modified_at, expires_at)
SELECT $1, $2, $3, $4, $5
WHERE (SELECT COUNT(*) FROM rendezvous_sessions WHERE expires_at > $4) < $6
RETURNING revision, modified_at, expires_at";
    let id = random_name();
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let created = query(CREATE)
        .bind(keys::digest(&id))
        .bind(keys::base64url(data))
        .bind(random_name())
        .bind(now)
        .bind(now + LIFETIME)
        .bind(CAPACITY)
        .fetch_optional(&mut tx)
        .await?;
    tx.commit().await?;
    Ok(created.map(|revision| (id, revision)))
}

/// What is there; `None` without such a session.
///
/// # Errors
/// When the database fails.
pub async fn read(store: &Store, id: &str, now: Timestamp) -> Result<Option<(Revision, Vec<u8>)>, Error> {
    const READ: &str = "
SELECT data, revision, modified_at, expires_at FROM rendezvous_sessions WHERE id_digest = $1 AND expires_at > $2";
    let found = query(READ).bind(keys::digest(id)).bind(now).fetch_optional(store).await?;
    Ok(found.map(|Found(revision, data)| (revision, data)))
}

/// Writes, if the session still has the revision of that name: of several at once one does.
///
/// # Errors
/// When the database fails.
pub async fn write(app: &App, id: &str, seen: &str, data: &[u8]) -> Result<Written, Error> {
    const WRITE: &str = "
UPDATE rendezvous_sessions SET data = $1, revision = $2, modified_at = $3
WHERE id_digest = $4 AND revision = $5 AND expires_at > $3
RETURNING revision, modified_at, expires_at";
    const FIND: &str = "
SELECT revision, modified_at, expires_at FROM rendezvous_sessions WHERE id_digest = $1 AND expires_at > $2";
    let now = app.clock.now();
    let digest = keys::digest(id);
    let mut tx = app.store.begin().await?;
    let written: Option<Revision> = query(WRITE)
        .bind(keys::base64url(data))
        .bind(random_name())
        .bind(now)
        .bind(&digest)
        .bind(seen)
        .fetch_optional(&mut tx)
        .await?;
    if let Some(revision) = written {
        tx.commit().await?;
        return Ok(Written::Done(revision));
    }
    let found = query(FIND).bind(&digest).bind(now).fetch_optional(&mut tx).await?;
    Ok(found.map_or(Written::Unknown, Written::Stale))
}

/// Ends a session; `false` when there was none.
///
/// # Errors
/// When the database fails.
pub async fn end(app: &App, id: &str) -> Result<bool, Error> {
    const END: &str = "DELETE FROM rendezvous_sessions WHERE id_digest = $1 AND expires_at > $2";
    let mut tx = app.store.begin().await?;
    let ended = query(END).bind(keys::digest(id)).bind(app.clock.now()).execute(&mut tx).await?;
    tx.commit().await?;
    Ok(ended == 1)
}

/// Forgets the sessions whose time is over.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    query("DELETE FROM rendezvous_sessions WHERE expires_at <= $1").bind(now).execute(tx).await?;
    Ok(())
}
