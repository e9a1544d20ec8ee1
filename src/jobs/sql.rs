//! All SQL of the job queue but the lease, which the engines word differently.

use super::{Backlog, Job, Leased};
use crate::ids::JobId;
use crate::store::{Error, FromRow, Query, Row, Store, Tx, query};
use crate::time::Timestamp;

pub(super) async fn add<J: Job>(
    tx: &mut Tx,
    id: JobId,
    job: &J,
    payload: &str,
    now: Timestamp,
) -> Result<(), Error> {
    const ADD: &str = "
INSERT INTO jobs (id, kind, crew, queue, payload, run_at, attempts, refusals, created_at)
VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $6)";
    query(ADD)
        .bind(id)
        .bind(J::KIND)
        .bind(J::CREW.as_str())
        .bind(job.queue())
        .bind(payload)
        .bind(now)
        .execute(tx)
        .await?;
    tx.ask_for_work();
    Ok(())
}

pub(super) async fn find_last_waiting(
    store: &Store,
    queue: &str,
    kind: &str,
) -> Result<Option<String>, Error> {
    const FIND: &str = "
SELECT payload FROM jobs WHERE queue = $1 AND kind = $2 AND given_up_at IS NULL ORDER BY id DESC LIMIT 1";
    struct Payload(String);
    impl FromRow for Payload {
        fn from_row(row: &Row) -> Result<Payload, Error> {
            Ok(Payload(row.get("payload")?))
        }
    }
    let found: Option<Payload> = query(FIND).bind(queue).bind(kind).fetch_optional(store).await?;
    Ok(found.map(|Payload(payload)| payload))
}

/// Prolongs a lease, unless another worker has taken the job over.
pub(super) async fn keep(store: &Store, job: &Leased, until: Timestamp) -> Result<(), Error> {
    const KEEP: &str =
        "UPDATE jobs SET leased_until = $1 WHERE id = $2 AND attempts = $3 AND leased_until IS NOT NULL";
    query(KEEP).bind(until).bind(job.id).bind(job.attempts).execute_alone(store).await?;
    Ok(())
}

/// Removes the held job while no other is in its queue.
pub(super) fn removal_of_held(queue: &str, id: JobId, until: Timestamp) -> Query {
    const REMOVE: &str = "
DELETE FROM jobs
WHERE id = $2 AND leased_until = $3 AND NOT EXISTS (SELECT 1 FROM jobs AS other WHERE other.queue = $1 AND other.id <> $2)";
    query(REMOVE).bind(queue).bind(id).bind(until)
}

/// Removes the held job, and with it the jobs of its queue that wait; `false` when it is not held any more.
pub(super) async fn remove_held(
    tx: &mut Tx,
    queue: &str,
    id: JobId,
    until: Timestamp,
) -> Result<bool, Error> {
    const REMOVE: &str = "
DELETE FROM jobs
WHERE queue = $1 AND ((id = $2 AND leased_until = $3) OR (id <> $2 AND (leased_until IS NULL OR leased_until <= $3)))
RETURNING id";
    struct Removed(JobId);
    impl FromRow for Removed {
        fn from_row(row: &Row) -> Result<Removed, Error> {
            Ok(Removed(row.get("id")?))
        }
    }
    let removed: Vec<Removed> = query(REMOVE).bind(queue).bind(id).bind(until).fetch_all(tx).await?;
    Ok(removed.iter().any(|Removed(removed)| *removed == id))
}

pub(super) async fn end_lease(tx: &mut Tx, id: JobId, until: Timestamp) -> Result<(), Error> {
    const END: &str = "UPDATE jobs SET leased_until = NULL WHERE id = $1 AND leased_until = $2";
    query(END).bind(id).bind(until).execute(tx).await?;
    Ok(())
}

pub(super) async fn is_any_due(store: &Store, crew: &str, now: Timestamp) -> Result<bool, Error> {
    const DUE: &str = "
SELECT id FROM jobs
WHERE given_up_at IS NULL AND run_at <= $1 AND (leased_until IS NULL OR leased_until <= $1)
  AND ($2 = '' OR crew = $2)
LIMIT 1";
    Ok(query(DUE).bind(now).bind(crew).fetch_optional::<()>(store).await?.is_some())
}

pub(super) async fn remove(tx: &mut Tx, id: JobId) -> Result<(), Error> {
    query("DELETE FROM jobs WHERE id = $1").bind(id).execute(tx).await?;
    Ok(())
}

/// Ends the lease until the next try, unless another worker has taken the job over.
pub(super) async fn postpone(
    tx: &mut Tx,
    job: &Leased,
    error: &str,
    refusals: i64,
    again: Timestamp,
) -> Result<(), Error> {
    const POSTPONE: &str = "
UPDATE jobs SET leased_until = NULL, last_error = $1, refusals = $2, run_at = $3 WHERE id = $4 AND attempts = $5";
    query(POSTPONE)
        .bind(error)
        .bind(refusals)
        .bind(again)
        .bind(job.id)
        .bind(job.attempts)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn give_up(tx: &mut Tx, id: JobId, error: &str, now: Timestamp) -> Result<(), Error> {
    const GIVE_UP: &str =
        "UPDATE jobs SET leased_until = NULL, last_error = $1, given_up_at = $2 WHERE id = $3";
    query(GIVE_UP).bind(error).bind(now).bind(id).execute(tx).await?;
    Ok(())
}

/// What the last try of each waiting job said.
pub(super) async fn list_last_errors(
    store: &Store,
    queue: &str,
    prefix: &str,
) -> Result<Vec<Option<String>>, Error> {
    const LIST: &str = "
SELECT last_error FROM jobs
WHERE given_up_at IS NULL AND (queue = $1 OR substr(queue, 1, length($2)) = $2) ORDER BY id";
    struct LastError(Option<String>);
    impl FromRow for LastError {
        fn from_row(row: &Row) -> Result<LastError, Error> {
            Ok(LastError(row.get("last_error")?))
        }
    }
    let found: Vec<LastError> = query(LIST).bind(queue).bind(prefix).fetch_all(store).await?;
    Ok(found.into_iter().map(|LastError(error)| error).collect())
}

pub(super) async fn backlog(store: &Store) -> Result<Backlog, Error> {
    const COUNT: &str = "
SELECT COUNT(CASE WHEN given_up_at IS NULL THEN 1 END) AS waiting,
       MIN(CASE WHEN given_up_at IS NULL THEN created_at END) AS oldest,
       COUNT(CASE WHEN given_up_at IS NULL AND last_error IS NOT NULL THEN 1 END) AS retrying,
       COUNT(given_up_at) AS given_up,
       (SELECT last_error FROM jobs WHERE last_error IS NOT NULL ORDER BY id DESC LIMIT 1) AS last_error
FROM jobs";
    query(COUNT).fetch_one(store).await
}

impl FromRow for Backlog {
    fn from_row(row: &Row) -> Result<Backlog, Error> {
        Ok(Backlog {
            waiting: row.get("waiting")?,
            oldest: row.get("oldest")?,
            retrying: row.get("retrying")?,
            given_up: row.get("given_up")?,
            last_error: row.get("last_error")?,
        })
    }
}
