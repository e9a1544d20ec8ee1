//! Sign-ins that wait for their second step.

use std::time::Duration;

use crate::accounts::passwords;
use crate::accounts::users::User;
use crate::app::App;
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::visit::Visit;
use crate::ids::UserId;
use crate::keys;
use crate::methods::Methods;
use crate::store::{Error, FromRow, Row, Tx, query, query_kept};
use crate::time::Timestamp;

/// How long after the first step the second may be done.
pub const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// A sign-in that waits for its second step.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Who signs in.
    pub user: User,
    /// How they have proved so far who they are.
    pub methods: Methods,
    secret_digest: String,
    /// When the password was set that they had when it began.
    password_set_at: Option<Timestamp>,
}

impl FromRow for Attempt {
    fn from_row(row: &Row) -> Result<Attempt, Error> {
        Ok(Attempt {
            user: User::from_row(row)?,
            methods: row.get("methods")?,
            secret_digest: row.get("secret_digest")?,
            password_set_at: row.get("password_set_at")?,
        })
    }
}

impl Attempt {
    /// Begins a transaction for what the person adds to their account on the way. Until it ends the attempt is not over.
    ///
    /// # Errors
    /// [`Problem::SignedOut`] when it was over while the request was under way, or the database fails.
    pub(super) async fn begin(&self, app: &App) -> Result<Tx, PageError> {
        let find = query_kept!("SELECT user_id FROM sign_in_attempts WHERE secret_digest = $1");
        let mut tx = app.store.begin().await?;
        let is_there = self.still_holds(&mut tx).await?
            && find.bind(&self.secret_digest).fetch_optional::<()>(&mut tx).await?.is_some();
        match is_there {
            true => Ok(tx),
            false => Err(PageError::from(Problem::SignedOut).then(WayOn::SignIn)),
        }
    }

    /// Ends it for a session; `false` when that was done before, or the password that they had then is not theirs any more.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn complete(&self, tx: &mut Tx) -> Result<bool, Error> {
        Ok(self.still_holds(tx).await? && remove(tx, &self.secret_digest).await?)
    }

    /// To be asked before anything else is written, as [`passwords::is_still`].
    async fn still_holds(&self, tx: &mut Tx) -> Result<bool, Error> {
        match self.password_set_at {
            Some(set_at) => passwords::is_still(tx, self.user.id, set_at).await,
            None => Ok(true),
        }
    }
}

/// Begins one of a person who has proved at `proved_at` who they are, and returns the secret that the browser
/// keeps. What they have proved is to be looked at in the same transaction.
///
/// # Errors
/// When the database fails.
pub(super) async fn begin(
    tx: &mut Tx,
    user: UserId,
    methods: Methods,
    proved_at: Timestamp,
) -> Result<String, Error> {
    const ADD: &str = "
INSERT INTO sign_in_attempts (secret_digest, user_id, methods, password_set_at, expires_at)
VALUES ($1, $2, $3, (SELECT created_at FROM passwords WHERE user_id = $2), $4)";
    let secret = keys::random_secret();
    let add = query(ADD).bind(keys::digest(&secret)).bind(user).bind(methods).bind(proved_at + LIFETIME);
    add.execute(tx).await?;
    Ok(secret)
}

/// The sign-in that the browser has begun. It is over when it took too long, when the account is no longer
/// active, and when the password that the person had when it began is no longer theirs.
///
/// # Errors
/// When the database fails.
pub async fn find(app: &App, visit: &Visit) -> Result<Option<Attempt>, Error> {
    const FIND: &str = "
SELECT a.methods, a.secret_digest, a.password_set_at, u.id, u.localpart, u.is_admin, u.created_at, u.provisioned_at, u.locked_at, u.deactivated_at
FROM sign_in_attempts AS a
JOIN users AS u ON u.id = a.user_id
WHERE a.secret_digest = $1 AND a.expires_at > $2 AND u.locked_at IS NULL AND u.deactivated_at IS NULL
  AND (SELECT p.created_at FROM passwords AS p WHERE p.user_id = a.user_id) IS NOT DISTINCT FROM a.password_set_at";
    let Some(secret) = &visit.attempt_secret else { return Ok(None) };
    query(FIND).bind(keys::digest(secret)).bind(app.clock.now()).fetch_optional(&app.store).await
}

/// Ends the sign-in that the browser has begun, if it has.
///
/// # Errors
/// When the database fails.
pub(super) async fn end(tx: &mut Tx, visit: &Visit) -> Result<(), Error> {
    let Some(secret) = &visit.attempt_secret else { return Ok(()) };
    remove(tx, &keys::digest(secret)).await.map(drop)
}

async fn remove(tx: &mut Tx, secret_digest: &str) -> Result<bool, Error> {
    let remove = query("DELETE FROM sign_in_attempts WHERE secret_digest = $1").bind(secret_digest);
    Ok(remove.execute(tx).await? == 1)
}

/// Ends those of a person who signs out everywhere: one may rest on a session that was ended.
///
/// # Errors
/// When the database fails.
pub async fn end_all(tx: &mut Tx, user: UserId) -> Result<(), Error> {
    query("DELETE FROM sign_in_attempts WHERE user_id = $1").bind(user).execute(tx).await?;
    Ok(())
}

/// Forgets those that took too long.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    query("DELETE FROM sign_in_attempts WHERE expires_at < $1").bind(now).execute(tx).await?;
    Ok(())
}
