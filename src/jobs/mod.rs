//! The kit for background work: rows in `jobs`, written in the transaction of the change that wants
//! them, leased by a worker, retried with growing delay.
//!
//! A job may run twice and must not mind. Jobs of one queue run one after another, oldest first.
//! Which jobs there are is listed in `work.rs`.

mod sql;

use std::convert::Infallible;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::ids::JobId;
use crate::store::{self, FromRow, Query, Row, Store, Tx};
use crate::time::Timestamp;

/// How long a worker may hold a job; one that died is taken over after this.
pub const LEASE: Duration = Duration::from_secs(60);
/// The longest delay between two tries.
const LONGEST_DELAY: Duration = Duration::from_secs(10 * 60);
/// How often the other side refuses a job before a person must look at it.
const REFUSALS: i64 = 10;

/// The workers of which crew do a job: whoever is slow holds up nobody but those who wait for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crew {
    /// Those who tell the homeserver.
    Homeserver,
    /// Those who call clients. A client may be slow on purpose.
    Clients,
    /// Those who send mails.
    Mails,
}

impl Crew {
    fn as_str(self) -> &'static str {
        match self {
            Crew::Homeserver => "homeserver",
            Crew::Clients => "clients",
            Crew::Mails => "mails",
        }
    }
}

/// One kind of background work; its fields are what is stored.
pub trait Job: Serialize + DeserializeOwned + Send + Sync {
    /// Its name in the database.
    const KIND: &'static str;

    /// Who does it.
    const CREW: Crew = Crew::Homeserver;

    /// How long one try may take: a job that hangs must not hold up its queue for long.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// For how long it is worth trying; without it, for ever. One that was not done by then is forgotten.
    const WORTH_TRYING: Option<Duration> = None;

    /// Jobs with the same queue run one after another.
    fn queue(&self) -> String;

    /// Does the work; it may have been done before.
    fn run(&self, app: &App) -> impl Future<Output = Result<(), JobError>> + Send;
}

/// Why a job did not get done.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// It will work later: the other side is not there, or busy. Tried for as long as it is worth it.
    #[error("{0}")]
    Passing(String),
    /// The other side refuses, and somebody must do something. Given up after ten refusals.
    #[error("{0}")]
    Refused(String),
    /// The other side refuses for good, and nobody here can do anything about it. Forgotten.
    #[error("{0}")]
    Futile(String),
}

impl From<store::Error> for JobError {
    fn from(error: store::Error) -> JobError {
        match error {
            error if error.is_passing() => JobError::Passing(error.to_string()),
            error => JobError::Refused(error.to_string()),
        }
    }
}

/// A job that a worker has taken.
#[derive(Debug)]
pub struct Leased {
    /// Its identifier.
    pub id: JobId,
    /// [`Job::KIND`].
    pub kind: String,
    /// The job as JSON.
    pub payload: String,
    /// Tries so far, this one included.
    pub attempts: i64,
    /// How many of the tries before this one were refused.
    pub refusals: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
}

impl FromRow for Leased {
    fn from_row(row: &Row) -> Result<Leased, store::Error> {
        Ok(Leased {
            id: row.get("id")?,
            kind: row.get("kind")?,
            payload: row.get("payload")?,
            attempts: row.get("attempts")?,
            refusals: row.get("refusals")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// Asks for a job as part of the transaction; it is tried as soon as that is committed and
/// [`App::wake_workers`] was called.
///
/// # Errors
/// When the database fails.
pub async fn enqueue<J: Job>(tx: &mut Tx, job: &J, now: Timestamp) -> Result<(), store::Error> {
    let payload = serde_json::to_string(job).map_err(|_| store::Error::Corrupt { column: "payload" })?;
    sql::add(tx, JobId::new(now), job, &payload, now).await
}

/// Takes the next due job, of one crew or of any, if there is one.
///
/// # Errors
/// When the database fails.
pub async fn lease(app: &App, crew: Option<Crew>) -> Result<Option<Leased>, store::Error> {
    let now = app.clock.now();
    // No crew has an empty name.
    let crew = crew.map_or("", Crew::as_str);
    if !sql::is_any_due(&app.store, crew, now).await? {
        return Ok(None);
    }
    let mut tx = app.store.begin().await?;
    let leased = store::lease_next_job(&mut tx, crew, now, now + LEASE).await?;
    tx.commit().await?;
    Ok(leased)
}

/// Runs a leased job and removes it, or notes when to try again.
///
/// # Errors
/// When the database fails; the lease then ends by itself.
pub async fn run<J: Job>(app: &App, leased: &Leased) -> Result<(), store::Error> {
    let outcome = match serde_json::from_str::<J>(&leased.payload) {
        Ok(job) => tokio::select! {
            tried = tokio::time::timeout(J::PATIENCE, job.run(app)) => {
                tried.unwrap_or_else(|_| Err(JobError::Passing("timed out".to_owned())))
            }
            never = keep(app, leased) => match never {},
        },
        Err(error) => Err(JobError::Refused(format!("the stored job does not parse: {error}"))),
    };
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let became = match outcome {
        Ok(()) => {
            sql::remove(&mut tx, leased.id).await?;
            "done"
        }
        Err(JobError::Futile(reason)) => forget(&mut tx, leased, &reason).await?,
        Err(error) if J::WORTH_TRYING.is_some_and(|limit| now.since(leased.created_at) >= limit) => {
            forget(&mut tx, leased, &error.to_string()).await?
        }
        Err(JobError::Refused(reason)) if leased.refusals + 1 >= REFUSALS => {
            tracing::error!(kind = leased.kind, job = %leased.id, reason, "gave up a job; `gatehouse doctor` lists it");
            sql::give_up(&mut tx, leased.id, &reason, now).await?;
            "given_up"
        }
        Err(error) => {
            let again = now + delay_after(leased.attempts);
            let refusals = leased.refusals + i64::from(matches!(error, JobError::Refused(_)));
            tracing::warn!(kind = leased.kind, job = %leased.id, attempt = leased.attempts, %error, "a job failed and will be tried again");
            sql::postpone(&mut tx, leased, &error.to_string(), refusals, again).await?;
            "retried"
        }
    };
    tx.commit().await?;
    app.metrics.job(J::KIND, became);
    Ok(())
}

/// Keeps a job leased for as long as it is worked on: only one whose worker died is taken over.
async fn keep(app: &App, leased: &Leased) -> Infallible {
    loop {
        tokio::time::sleep(LEASE / 3).await;
        let until = app.clock.now() + LEASE;
        if let Err(error) = sql::keep(&app.store, leased, until).await {
            tracing::warn!(kind = leased.kind, job = %leased.id, %error, "the lease of a job could not be prolonged");
        }
    }
}

async fn forget(tx: &mut Tx, leased: &Leased, reason: &str) -> Result<&'static str, store::Error> {
    tracing::warn!(kind = leased.kind, job = %leased.id, attempt = leased.attempts, error = reason, "a job failed and is not tried again");
    sql::remove(tx, leased.id).await?;
    Ok("forgotten")
}

/// Two seconds, then twice as long each time, and ten minutes at most.
fn delay_after(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 16) - 1).unwrap_or(0);
    Duration::from_secs(2 * 2u64.pow(doublings)).min(LONGEST_DELAY)
}

/// How background work stands, for `doctor` and the metrics.
#[derive(Clone, Debug, Default)]
pub struct Backlog {
    /// Jobs that wait or run.
    pub waiting: i64,
    /// When the oldest of them was asked for.
    pub oldest: Option<Timestamp>,
    /// Jobs that failed at least once and wait for their next try.
    pub retrying: i64,
    /// Jobs that a person must look at.
    pub given_up: i64,
    /// What the last of them said.
    pub last_error: Option<String>,
}

/// Counts what is late or stuck.
///
/// # Errors
/// When the database fails.
pub async fn backlog(app: &App) -> Result<Backlog, store::Error> {
    sql::backlog(&app.store).await
}

/// How far the work of some queues has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing is left to do.
    Done,
    /// It has not been tried yet, or is being done.
    UnderWay,
    /// It failed at least once, with this message, and will be tried again.
    Failing(String),
}

/// How far the work of one queue, and of all queues whose names begin with a prefix, has come.
///
/// # Errors
/// When the database fails.
pub async fn progress(store: &Store, queue: &str, prefix: &str) -> Result<Progress, store::Error> {
    let errors = sql::list_last_errors(store, queue, prefix).await?;
    Ok(match errors.iter().flatten().next() {
        Some(error) => Progress::Failing(error.clone()),
        None if errors.is_empty() => Progress::Done,
        None => Progress::UnderWay,
    })
}

/// The last job of its kind that waits or runs in a queue, as it was asked for.
///
/// # Errors
/// When the database fails.
pub async fn last_waiting<J: Job>(store: &Store, queue: &str) -> Result<Option<J>, store::Error> {
    let payload = sql::find_last_waiting(store, queue, J::KIND).await?;
    Ok(payload.and_then(|payload| serde_json::from_str(&payload).ok()))
}

/// A queue that somebody works on outside of the workers, who leave it alone meanwhile.
#[derive(Debug)]
pub struct Held {
    queue: String,
    id: JobId,
    until: Timestamp,
}

/// Holds the queue of a job until the moment given: the jobs that wait in it are cancelled, and this one
/// is added in their place. It is run in the end, unless [`finish`] says that it need not be, even if
/// the process dies. `None` while a job of the queue is running or somebody else holds it.
///
/// # Errors
/// When the database fails.
pub async fn hold<J: Job>(
    store: &Store,
    job: &J,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Held>, store::Error> {
    let payload = serde_json::to_string(job).map_err(|_| store::Error::Corrupt { column: "payload" })?;
    let queue = job.queue();
    // One identifier for all holders of a queue, so that of two at once one fails; and before all
    // others, so that no job that comes later is run first.
    let id = JobId::of_name(&queue);
    let is_held =
        store::hold_queue(store, id, (J::KIND, J::CREW.as_str()), &queue, &payload, now, until).await?;
    Ok(is_held.then_some(Held { queue, id, until }))
}

/// Ends a hold as part of the transaction, and cancels all jobs of the queue. `false` when it had
/// lasted too long and a worker took over; give up the transaction then.
///
/// # Errors
/// When the database fails.
pub async fn finish(tx: &mut Tx, held: &Held) -> Result<bool, store::Error> {
    sql::remove_held(tx, &held.queue, held.id, held.until).await
}

/// What ends a hold as [`finish`] does, together with other things, as long as nothing waits in its queue.
pub fn finishing(held: &Held) -> Query {
    sql::removal_of_held(&held.queue, held.id, held.until)
}

/// Ends a hold and has its job run.
///
/// # Errors
/// When the database fails; the job is then run when the hold runs out.
pub async fn let_go(app: &App, held: &Held) -> Result<(), store::Error> {
    let mut tx = app.store.begin().await?;
    sql::end_lease(&mut tx, held.id, held.until).await?;
    tx.commit().await?;
    app.wake_workers();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_to_ten_minutes() {
        assert_eq!(delay_after(1), Duration::from_secs(2));
        assert_eq!(delay_after(4), Duration::from_secs(16));
        assert_eq!(delay_after(40), LONGEST_DELAY);
    }
}
