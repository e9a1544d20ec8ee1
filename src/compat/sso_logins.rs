//! Sign-ins that a client began by leading a browser here, from the request to the spent token.

use std::time::Duration;

use super::redirect_url::RedirectUrl;
use crate::accounts::signed_in::SignedIn;
use crate::ids::{BrowserSessionId, SsoLoginId, UserId};
use crate::methods::Methods;
use crate::store::{Error, FromRow, Row, Store, Tx, query};
use crate::time::Timestamp;

/// How long a person may take to answer.
const PENDING: Duration = Duration::from_secs(60 * 60);
/// How long a login token is good. The client spends it at once, but over a slow link.
const TOKEN_LIFETIME: Duration = Duration::from_secs(30);

impl FromRow for RedirectUrl {
    fn from_row(row: &Row) -> Result<RedirectUrl, Error> {
        let text: String = row.get("redirect_url")?;
        RedirectUrl::parse(&text).ok_or(Error::Corrupt { column: "redirect_url" })
    }
}

/// Stores a request. It does not mind to be run twice, when a connection dies in the midst.
pub(super) async fn add(store: &Store, url: &RedirectUrl, now: Timestamp) -> Result<SsoLoginId, Error> {
    const ADD: &str = "
INSERT INTO sso_logins (id, redirect_url, expires_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";
    let id = SsoLoginId::new(now);
    query(ADD).bind(id).bind(url.as_str()).bind(now + PENDING).execute_alone(store).await?;
    Ok(id)
}

/// Where the token of a request would go that still waits for its answer.
pub(super) async fn find_pending(
    store: &Store,
    id: SsoLoginId,
    now: Timestamp,
) -> Result<Option<RedirectUrl>, Error> {
    const FIND: &str =
        "SELECT redirect_url FROM sso_logins WHERE id = $1 AND token_digest IS NULL AND expires_at > $2";
    query(FIND).bind(id).bind(now).fetch_optional(store).await
}

/// Answers a request with yes; `false` when it was answered before, or waited too long.
pub(super) async fn approve(
    tx: &mut Tx,
    id: SsoLoginId,
    who: &SignedIn,
    token_digest: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    const APPROVE: &str = "
UPDATE sso_logins SET user_id = $1, browser_session_id = $2, authenticated_at = $3, methods = $4, token_digest = $5,
    expires_at = $6
WHERE id = $7 AND token_digest IS NULL AND expires_at > $8";
    let approved = query(APPROVE)
        .bind(who.user.id)
        .bind(who.session.id)
        .bind(who.session.authenticated_at)
        .bind(who.session.methods)
        .bind(token_digest)
        .bind(now + TOKEN_LIFETIME)
        .bind(id)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(approved == 1)
}

/// Answers a request with no: it is over.
pub(super) async fn deny(store: &Store, id: SsoLoginId) -> Result<(), Error> {
    query("DELETE FROM sso_logins WHERE id = $1 AND token_digest IS NULL")
        .bind(id)
        .execute_alone(store)
        .await?;
    Ok(())
}

/// Whom a login token stands for.
pub(super) struct Approved {
    pub user_id: UserId,
    /// In which browser session they were allowed.
    pub browser_session_id: BrowserSessionId,
    pub authenticated_at: Timestamp,
    pub methods: Methods,
}

impl FromRow for Approved {
    fn from_row(row: &Row) -> Result<Approved, Error> {
        Ok(Approved {
            user_id: row.get("user_id")?,
            browser_session_id: row.get("browser_session_id")?,
            authenticated_at: row.get("authenticated_at")?,
            methods: row.get("methods")?,
        })
    }
}

/// Whom a login token stands for that is good at this moment.
pub(super) async fn find_by_token(
    store: &Store,
    digest: &str,
    now: Timestamp,
) -> Result<Option<Approved>, Error> {
    const FIND: &str = "
SELECT user_id, browser_session_id, authenticated_at, methods FROM sso_logins WHERE token_digest = $1 AND expires_at > $2";
    query(FIND).bind(digest).bind(now).fetch_optional(store).await
}

/// Spends a login token; `false` when it was spent before, or is too old.
pub(super) async fn spend_token(tx: &mut Tx, digest: &str, now: Timestamp) -> Result<bool, Error> {
    const SPEND: &str = "DELETE FROM sso_logins WHERE token_digest = $1 AND expires_at > $2";
    Ok(query(SPEND).bind(digest).bind(now).execute(tx).await? == 1)
}

/// Forgets requests that nobody answered and tokens that nobody spent.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    query("DELETE FROM sso_logins WHERE expires_at < $1").bind(now).execute(tx).await?;
    Ok(())
}
