//! Taking one job out of many, and keeping a queue for oneself: what the two engines word differently.

use super::query::{FromRow, query};
use super::{Error, Store, Tx, TxEngine, execute_together};
use crate::ids::JobId;
use crate::time::Timestamp;

/// The next job that is due: not leased, not given up, the oldest of its queue, and with no other of
/// its queue under way. An older job may become visible only after a younger one was leased, when it
/// was asked for in a longer transaction.
const NEXT: &str = "
UPDATE jobs SET leased_until = $1, attempts = attempts + 1
WHERE id = (
    SELECT id FROM jobs AS candidate
    WHERE given_up_at IS NULL AND run_at <= $2 AND (leased_until IS NULL OR leased_until <= $2)
      AND ($3 = '' OR crew = $3)
      AND NOT EXISTS (
          SELECT 1 FROM jobs AS other
          WHERE other.queue = candidate.queue AND other.given_up_at IS NULL
            AND (other.id < candidate.id OR (other.id <> candidate.id AND other.leased_until > $2))
      )
    ORDER BY run_at, id
    LIMIT 1
)
RETURNING id, kind, queue, payload, attempts, refusals, created_at";

/// As [`NEXT`], passing over rows that another node is just leasing.
const NEXT_POSTGRES: &str = "
UPDATE jobs SET leased_until = $1, attempts = attempts + 1
WHERE id = (
    SELECT id FROM jobs AS candidate
    WHERE given_up_at IS NULL AND run_at <= $2 AND (leased_until IS NULL OR leased_until <= $2)
      AND ($3 = '' OR crew = $3)
      AND NOT EXISTS (
          SELECT 1 FROM jobs AS other
          WHERE other.queue = candidate.queue AND other.given_up_at IS NULL
            AND (other.id < candidate.id OR (other.id <> candidate.id AND other.leased_until > $2))
      )
    ORDER BY run_at, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING id, kind, queue, payload, attempts, refusals, created_at";

/// Leases the next due job of a crew, or of any if none is named, until `until`, counting the attempt.
///
/// # Errors
/// When the database does not answer.
pub async fn lease_next_job<T: FromRow>(
    tx: &mut Tx,
    crew: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<T>, Error> {
    let sql = match tx.engine {
        TxEngine::Sqlite(_) => NEXT,
        TxEngine::Postgres(_) => NEXT_POSTGRES,
    };
    query(sql).bind(until).bind(now).bind(crew).fetch_optional(tx).await
}

const CANCEL: &str = "
DELETE FROM jobs WHERE queue = $3 AND (given_up_at IS NOT NULL OR leased_until IS NULL OR leased_until <= $5)";

/// When nothing waits in the queue: at first, or after [`CANCEL`] in the same transaction.
const HOLD: &str = "
INSERT INTO jobs (id, kind, crew, queue, payload, run_at, attempts, refusals, leased_until, created_at)
SELECT $1, $2, $7, $3, $4, $5, 0, 0, $6, $5 WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE queue = $3)
ON CONFLICT (id) DO NOTHING";

/// Both at once, when something waits. A job that another node leases at the same moment is there at the
/// beginning, and is not cancelled in the end.
const HOLD_POSTGRES: &str = "
WITH cancelled AS (
    DELETE FROM jobs WHERE queue = $3 AND (given_up_at IS NOT NULL OR leased_until IS NULL OR leased_until <= $5)
    RETURNING id
)
INSERT INTO jobs (id, kind, crew, queue, payload, run_at, attempts, refusals, leased_until, created_at)
SELECT $1, $2, $7, $3, $4, $5, 0, 0, $6, $5
WHERE (SELECT COUNT(*) FROM jobs WHERE queue = $3) = (SELECT COUNT(*) FROM cancelled)
ON CONFLICT (id) DO NOTHING";

/// Puts a job that is leased until `until` in the place of all that wait in its queue; `false`, if one of
/// them is running. Should it be run twice, it finds its own job running.
///
/// # Errors
/// When the database does not answer.
pub async fn hold_queue(
    store: &Store,
    id: JobId,
    (kind, crew): (&str, &str),
    queue: &str,
    payload: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, Error> {
    let with =
        |sql| query(sql).bind(id).bind(kind).bind(queue).bind(payload).bind(now).bind(until).bind(crew);
    if store.is_shared() {
        // Mostly nothing waits.
        let is_held = execute_together(store, vec![with(HOLD)]).await?;
        return Ok(is_held || with(HOLD_POSTGRES).execute_alone(store).await? == 1);
    }
    let mut tx = store.begin().await?;
    with(CANCEL).execute(&mut tx).await?;
    let is_held = with(HOLD).execute(&mut tx).await? == 1;
    tx.commit().await?;
    Ok(is_held)
}
