//! Browsers that a person has had remembered: there the password is enough for a while. They are known by a
//! secret that is made when a second factor was shown, never by one that the browser came with, which somebody
//! else may have put there. It opens nothing by itself.

use std::time::Duration;

use crate::http::requester::Requester;
use crate::ids::{RememberedBrowserId, UserId};
use crate::keys;
use crate::store::{Error, FromRow, On, Row, Store, Tx, query};
use crate::time::Timestamp;

/// A browser as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RememberedBrowser {
    /// Its identifier.
    pub id: RememberedBrowserId,
    /// What it called itself.
    pub user_agent: Option<String>,
    /// Since when it is remembered.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
}

impl FromRow for RememberedBrowser {
    fn from_row(row: &Row) -> Result<RememberedBrowser, Error> {
        Ok(RememberedBrowser {
            id: row.get("id")?,
            user_agent: row.get("user_agent")?,
            created_at: row.get("created_at")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

/// Remembers a browser, or remembers it anew, and returns the secret that it keeps from now on. With `before`, the
/// secret that it kept until now, it stays remembered for whomever it was, and not by that any more.
///
/// # Errors
/// When the database fails.
pub async fn remember(
    tx: &mut Tx,
    user: UserId,
    before: Option<&str>,
    requester: &Requester,
    lifetime: Duration,
    now: Timestamp,
) -> Result<String, Error> {
    const MOVE: &str = "UPDATE remembered_browsers SET browser_digest = $1 WHERE browser_digest = $2";
    const REMEMBER: &str = "
INSERT INTO remembered_browsers (id, user_id, browser_digest, user_agent, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (user_id, browser_digest)
DO UPDATE SET user_agent = excluded.user_agent, created_at = excluded.created_at, expires_at = excluded.expires_at";
    let secret = keys::random_secret();
    if let Some(before) = before {
        query(MOVE).bind(keys::digest(&secret)).bind(keys::digest(before)).execute(&mut *tx).await?;
    }
    let remember = query(REMEMBER)
        .bind(RememberedBrowserId::new(now))
        .bind(user)
        .bind(keys::digest(&secret))
        .bind(requester.user_agent.clone())
        .bind(now)
        .bind(now + lifetime);
    remember.execute(tx).await?;
    Ok(secret)
}

/// Whether the browser with that secret is remembered, and not for longer than is allowed by now.
///
/// # Errors
/// When the database fails.
pub async fn is_remembered(
    store: &Store,
    user: UserId,
    secret: &str,
    lifetime: Duration,
    now: Timestamp,
) -> Result<bool, Error> {
    const FIND: &str = "
SELECT id FROM remembered_browsers
WHERE user_id = $1 AND browser_digest = $2 AND expires_at > $3 AND created_at > $4";
    let find = query(FIND).bind(user).bind(keys::digest(secret)).bind(now).bind(now - lifetime);
    Ok(find.fetch_optional::<()>(store).await?.is_some())
}

/// The user's remembered browsers, the oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    on: impl Into<On<'_>>,
    user: UserId,
    now: Timestamp,
) -> Result<Vec<RememberedBrowser>, Error> {
    const LIST: &str = "
SELECT id, user_agent, created_at, expires_at FROM remembered_browsers
WHERE user_id = $1 AND expires_at > $2 ORDER BY id";
    query(LIST).bind(user).bind(now).fetch_all(on).await
}

/// Forgets one of the user's.
///
/// # Errors
/// When the database fails.
pub async fn forget(store: &Store, id: RememberedBrowserId, user: UserId) -> Result<bool, Error> {
    const FORGET: &str = "DELETE FROM remembered_browsers WHERE id = $1 AND user_id = $2";
    Ok(query(FORGET).bind(id).bind(user).execute_alone(store).await? == 1)
}

/// Forgets all of the user's.
///
/// # Errors
/// When the database fails.
pub async fn forget_all(tx: &mut Tx, user: UserId) -> Result<(), Error> {
    query("DELETE FROM remembered_browsers WHERE user_id = $1").bind(user).execute(tx).await?;
    Ok(())
}

/// Forgets those whose time is over.
///
/// # Errors
/// When the database fails.
pub(super) async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    query("DELETE FROM remembered_browsers WHERE expires_at < $1").bind(now).execute(tx).await?;
    Ok(())
}
