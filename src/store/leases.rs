//! Taking one job out of many: the one statement that the two engines word differently.

use super::query::{FromRow, query};
use super::{Error, Tx, TxEngine};
use crate::time::Timestamp;

/// The next job that is due: not leased, not given up, the oldest of its queue, and with no other of
/// its queue under way. An older job may become visible only after a younger one was leased, when it
/// was asked for in a longer transaction.
const NEXT: &str = "
UPDATE jobs SET leased_until = $1, attempts = attempts + 1
WHERE id = (
    SELECT id FROM jobs AS candidate
    WHERE given_up_at IS NULL AND run_at <= $2 AND (leased_until IS NULL OR leased_until <= $2)
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

/// Leases the next due job until `until`, counting the attempt.
///
/// # Errors
/// When the database does not answer.
pub async fn lease_next_job<T: FromRow>(
    tx: &mut Tx,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<T>, Error> {
    let sql = match tx.engine {
        TxEngine::Sqlite(_) => NEXT,
        TxEngine::Postgres(_) => NEXT_POSTGRES,
    };
    query(sql).bind(until).bind(now).fetch_optional(tx).await
}
