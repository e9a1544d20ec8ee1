//! All SQL of the accounts.

use super::email_verifications::Verification;
use super::emails::UserEmail;
use super::passwords::Hashed;
use super::signed_in::SignedIn;
use super::users::User;
use crate::ids::{EmailVerificationId, MailId, UserId};
use crate::languages::Language;
use crate::sessions::browser::BrowserSession;
use crate::store::{Error, FromRow, On, Query, Row, Store, Tx, query, query_kept};
use crate::time::Timestamp;

impl FromRow for User {
    fn from_row(row: &Row) -> Result<User, Error> {
        Ok(User {
            id: row.get("id")?,
            localpart: row.get("localpart")?,
            is_admin: row.get("is_admin")?,
            created_at: row.get("created_at")?,
            provisioned_at: row.get("provisioned_at")?,
            locked_at: row.get("locked_at")?,
            deactivated_at: row.get("deactivated_at")?,
        })
    }
}

impl FromRow for SignedIn {
    fn from_row(row: &Row) -> Result<SignedIn, Error> {
        let user = User::from_row(row)?;
        let session = BrowserSession {
            id: row.get("session_id")?,
            user_id: user.id,
            created_at: row.get("session_created_at")?,
            authenticated_at: row.get("authenticated_at")?,
            methods: row.get("methods")?,
            last_seen_at: row.get("last_seen_at")?,
            last_seen_ip: row.get("last_seen_ip")?,
            user_agent: row.get("user_agent")?,
        };
        Ok(SignedIn { user, session, must_accept_terms: false })
    }
}

/// The person, locked out or not, and the browser session of a cookie, in one round trip: every page asks.
pub(super) async fn find_signed_in(store: &Store, cookie_digest: &str) -> Result<Option<SignedIn>, Error> {
    const FIND: &str = "
SELECT u.id, u.localpart, u.is_admin, u.created_at, u.provisioned_at, u.locked_at, u.deactivated_at,
       b.id AS session_id, b.created_at AS session_created_at, b.authenticated_at, b.methods,
       b.last_seen_at, b.last_seen_ip, b.user_agent
FROM browser_sessions AS b
JOIN users AS u ON u.id = b.user_id
WHERE b.cookie_digest = $1 AND b.ended_at IS NULL";
    query(FIND).bind(cookie_digest).fetch_optional(store).await
}

pub(super) async fn add(tx: &mut Tx, user: &User) -> Result<(), Error> {
    const ADD: &str = "
INSERT INTO users (id, localpart, localpart_folded, is_admin, created_at) VALUES ($1, $2, $3, $4, $5)";
    query(ADD)
        .bind(user.id)
        .bind(&user.localpart)
        .bind(user.localpart.as_str().to_lowercase())
        .bind(user.is_admin)
        .bind(user.created_at)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn find(on: impl Into<On<'_>>, id: UserId) -> Result<Option<User>, Error> {
    const FIND: &str = "
SELECT id, localpart, is_admin, created_at, provisioned_at, locked_at, deactivated_at FROM users WHERE id = $1";
    query(FIND).bind(id).fetch_optional(on).await
}

pub(super) async fn find_by_localpart(on: impl Into<On<'_>>, localpart: &str) -> Result<Option<User>, Error> {
    const FIND: &str = "
SELECT id, localpart, is_admin, created_at, provisioned_at, locked_at, deactivated_at FROM users WHERE localpart = $1";
    query(FIND).bind(localpart).fetch_optional(on).await
}

pub(super) async fn list_by_folded(on: impl Into<On<'_>>, folded: &str) -> Result<Vec<User>, Error> {
    const LIST: &str = "
SELECT id, localpart, is_admin, created_at, provisioned_at, locked_at, deactivated_at FROM users
WHERE localpart_folded = $1 LIMIT 2";
    query(LIST).bind(folded).fetch_all(on).await
}

pub(super) async fn list(store: &Store, after: Option<UserId>, limit: i64) -> Result<Vec<User>, Error> {
    const LIST: &str = "
SELECT id, localpart, is_admin, created_at, provisioned_at, locked_at, deactivated_at FROM users
WHERE id > $1 ORDER BY id LIMIT $2";
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    query(LIST).bind(after).bind(limit).fetch_all(store).await
}

pub(super) fn active(id: UserId, as_admin: bool) -> Query {
    query_kept!("SELECT id FROM users WHERE id = $1 AND deactivated_at IS NULL AND (is_admin OR NOT $2)")
        .bind(id)
        .bind(as_admin)
}

struct StoredLanguage(Option<String>);

impl FromRow for StoredLanguage {
    fn from_row(row: &Row) -> Result<StoredLanguage, Error> {
        Ok(StoredLanguage(row.get("language")?))
    }
}

pub(super) async fn find_language(on: impl Into<On<'_>>, id: UserId) -> Result<Option<Language>, Error> {
    let found: Option<StoredLanguage> =
        query("SELECT language FROM users WHERE id = $1").bind(id).fetch_optional(on).await?;
    Ok(found.and_then(|StoredLanguage(tag)| Language::of_tag(&tag?)))
}

/// Writes only what changes: the account is not locked while a session begins.
pub(super) async fn set_language(tx: &mut Tx, id: UserId, language: Language) -> Result<(), Error> {
    const SET: &str = "UPDATE users SET language = $1 WHERE id = $2 AND (language IS NULL OR language <> $1)";
    query(SET).bind(language.tag()).bind(id).execute(tx).await?;
    Ok(())
}

pub(super) async fn set_provisioned(tx: &mut Tx, id: UserId, now: Timestamp) -> Result<(), Error> {
    const SET: &str = "UPDATE users SET provisioned_at = $1 WHERE id = $2 AND provisioned_at IS NULL";
    query(SET).bind(now).bind(id).execute(tx).await?;
    Ok(())
}

pub(super) async fn set_admin(tx: &mut Tx, id: UserId, is_admin: bool) -> Result<(), Error> {
    query("UPDATE users SET is_admin = $1 WHERE id = $2").bind(is_admin).bind(id).execute(tx).await?;
    Ok(())
}

pub(super) async fn set_locked(tx: &mut Tx, id: UserId, at: Option<Timestamp>) -> Result<(), Error> {
    query("UPDATE users SET locked_at = $1 WHERE id = $2").bind(at).bind(id).execute(tx).await?;
    Ok(())
}

pub(super) async fn set_deactivated(tx: &mut Tx, id: UserId, at: Option<Timestamp>) -> Result<(), Error> {
    query("UPDATE users SET deactivated_at = $1 WHERE id = $2").bind(at).bind(id).execute(tx).await?;
    Ok(())
}

/// Removes everything that is the account's but the account.
pub(super) async fn erase(tx: &mut Tx, id: UserId) -> Result<(), Error> {
    for erase in [
        "DELETE FROM user_emails WHERE user_id = $1",
        "DELETE FROM email_verifications WHERE user_id = $1",
        "DELETE FROM password_resets WHERE user_id = $1",
        "DELETE FROM passwords WHERE user_id = $1",
        "DELETE FROM passkeys WHERE user_id = $1",
        "DELETE FROM authenticator_apps WHERE user_id = $1",
        "DELETE FROM recovery_codes WHERE user_id = $1",
        "DELETE FROM recovery_links WHERE user_id = $1",
        "DELETE FROM remembered_browsers WHERE user_id = $1",
        "DELETE FROM account_events WHERE user_id = $1",
        "DELETE FROM terms_acceptances WHERE user_id = $1",
        "UPDATE users SET language = NULL WHERE id = $1",
    ] {
        query(erase).bind(id).execute(&mut *tx).await?;
    }
    Ok(())
}

/// A password as it is stored.
pub(super) struct StoredPassword {
    pub hash: String,
    pub version: i64,
    /// When it was set; its hash may be younger.
    pub set_at: Timestamp,
}

impl FromRow for StoredPassword {
    fn from_row(row: &Row) -> Result<StoredPassword, Error> {
        Ok(StoredPassword {
            hash: row.get("hash")?,
            version: row.get("version")?,
            set_at: row.get("created_at")?,
        })
    }
}

pub(super) async fn find_password(store: &Store, user: UserId) -> Result<Option<StoredPassword>, Error> {
    const FIND: &str = "SELECT hash, version, created_at FROM passwords WHERE user_id = $1";
    query(FIND).bind(user).fetch_optional(store).await
}

/// Who changes it waits for the end of the transaction.
pub(super) async fn hold_password(tx: &mut Tx, user: UserId, set_at: Timestamp) -> Result<bool, Error> {
    const HOLD: &str = "UPDATE passwords SET version = version WHERE user_id = $1 AND created_at = $2";
    Ok(query(HOLD).bind(user).bind(set_at).execute(tx).await? == 1)
}

pub(super) async fn set_password(
    tx: &mut Tx,
    user: UserId,
    hashed: &Hashed,
    now: Timestamp,
) -> Result<(), Error> {
    const SET: &str = "
INSERT INTO passwords (user_id, hash, version, needs_second, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (user_id) DO UPDATE
SET hash = excluded.hash, version = excluded.version, needs_second = excluded.needs_second, created_at = excluded.created_at";
    let set = query(SET).bind(user).bind(&hashed.text).bind(hashed.version);
    set.bind(hashed.needs_second).bind(now).execute(tx).await?;
    Ok(())
}

/// Another hash of the same password.
pub(super) async fn replace_password(
    tx: &mut Tx,
    user: UserId,
    before: &str,
    hash: &str,
    version: i64,
) -> Result<(), Error> {
    const REPLACE: &str = "UPDATE passwords SET hash = $1, version = $2 WHERE user_id = $3 AND hash = $4";
    query(REPLACE).bind(hash).bind(version).bind(user).bind(before).execute(tx).await?;
    Ok(())
}

pub(super) async fn add_email(
    tx: &mut Tx,
    user: UserId,
    address: &str,
    folded: &str,
    verified_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Error> {
    const ADD: &str = "
INSERT INTO user_emails (folded, user_id, address, created_at, verified_at) VALUES ($1, $2, $3, $4, $5)";
    query(ADD).bind(folded).bind(user).bind(address).bind(now).bind(verified_at).execute(tx).await?;
    Ok(())
}

pub(super) async fn confirm_email(
    tx: &mut Tx,
    user: UserId,
    address: &str,
    folded: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    const CONFIRM: &str = "
INSERT INTO user_emails (folded, user_id, address, created_at, verified_at) VALUES ($1, $2, $3, $4, $4)
ON CONFLICT (folded) DO UPDATE
SET user_id = excluded.user_id, address = excluded.address, created_at = excluded.created_at, verified_at = excluded.verified_at
WHERE user_emails.verified_at IS NULL OR user_emails.user_id = excluded.user_id";
    Ok(query(CONFIRM).bind(folded).bind(user).bind(address).bind(now).execute(tx).await? == 1)
}

struct Owner(UserId);

impl FromRow for Owner {
    fn from_row(row: &Row) -> Result<Owner, Error> {
        Ok(Owner(row.get("user_id")?))
    }
}

pub(super) async fn find_verified_email_owner(
    on: impl Into<On<'_>>,
    folded: &str,
) -> Result<Option<UserId>, Error> {
    const FIND: &str = "SELECT user_id FROM user_emails WHERE folded = $1 AND verified_at IS NOT NULL";
    let found: Option<Owner> = query(FIND).bind(folded).fetch_optional(on).await?;
    Ok(found.map(|Owner(user)| user))
}

pub(super) async fn find_email_owner(on: impl Into<On<'_>>, folded: &str) -> Result<Option<UserId>, Error> {
    let found: Option<Owner> =
        query("SELECT user_id FROM user_emails WHERE folded = $1").bind(folded).fetch_optional(on).await?;
    Ok(found.map(|Owner(user)| user))
}

pub(super) async fn remove_email(tx: &mut Tx, user: UserId, folded: &str) -> Result<bool, Error> {
    const REMOVE: &str = "DELETE FROM user_emails WHERE user_id = $1 AND folded = $2";
    Ok(query(REMOVE).bind(user).bind(folded).execute(tx).await? == 1)
}

impl FromRow for UserEmail {
    fn from_row(row: &Row) -> Result<UserEmail, Error> {
        Ok(UserEmail { address: row.get("address")?, verified_at: row.get("verified_at")? })
    }
}

pub(super) async fn list_emails(on: impl Into<On<'_>>, user: UserId) -> Result<Vec<UserEmail>, Error> {
    const LIST: &str = "
SELECT address, verified_at FROM user_emails WHERE user_id = $1
ORDER BY CASE WHEN verified_at IS NULL THEN 1 ELSE 0 END, created_at, folded";
    query(LIST).bind(user).fetch_all(on).await
}

impl FromRow for Verification {
    fn from_row(row: &Row) -> Result<Verification, Error> {
        let address: String = row.get("address")?;
        Ok(Verification {
            id: row.get("id")?,
            user_id: row.get("user_id")?,
            address: address.parse().map_err(|_| Error::Corrupt { column: "address" })?,
            code_digest: row.get("code_digest")?,
        })
    }
}

pub(super) async fn add_verification(
    tx: &mut Tx,
    verification: &Verification,
    token_digest: &str,
    expires_at: Timestamp,
) -> Result<(), Error> {
    const ADD: &str = "
INSERT INTO email_verifications (id, user_id, address, code_digest, attempts, token_digest, expires_at)
VALUES ($1, $2, $3, $4, 0, $5, $6)";
    query(ADD)
        .bind(verification.id)
        .bind(verification.user_id)
        .bind(verification.address.to_string())
        .bind(&verification.code_digest)
        .bind(token_digest)
        .bind(expires_at)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn find_verification(
    store: &Store,
    id: EmailVerificationId,
    user: UserId,
    now: Timestamp,
) -> Result<Option<Verification>, Error> {
    const FIND: &str = "
SELECT id, user_id, address, code_digest FROM email_verifications
WHERE id = $1 AND user_id = $2 AND expires_at > $3";
    query(FIND).bind(id).bind(user).bind(now).fetch_optional(store).await
}

pub(super) async fn find_verification_by_token(
    store: &Store,
    token_digest: &str,
    now: Timestamp,
) -> Result<Option<Verification>, Error> {
    const FIND: &str = "
SELECT id, user_id, address, code_digest FROM email_verifications WHERE token_digest = $1 AND expires_at > $2";
    query(FIND).bind(token_digest).bind(now).fetch_optional(store).await
}

/// Counts an attempt, if one is left. Who counts next waits for the end of the transaction.
pub(super) async fn count_verification_attempt(
    tx: &mut Tx,
    id: EmailVerificationId,
    user: UserId,
    most: i64,
    now: Timestamp,
) -> Result<Option<Verification>, Error> {
    const COUNT: &str = "
UPDATE email_verifications SET attempts = attempts + 1
WHERE id = $1 AND user_id = $2 AND attempts < $3 AND expires_at > $4
RETURNING id, user_id, address, code_digest";
    query(COUNT).bind(id).bind(user).bind(most).bind(now).fetch_optional(tx).await
}

pub(super) async fn spend_verification_token(
    tx: &mut Tx,
    token_digest: &str,
    now: Timestamp,
) -> Result<Option<Verification>, Error> {
    const SPEND: &str = "
DELETE FROM email_verifications WHERE token_digest = $1 AND expires_at > $2
RETURNING id, user_id, address, code_digest";
    query(SPEND).bind(token_digest).bind(now).fetch_optional(tx).await
}

pub(super) async fn remove_verification(tx: &mut Tx, id: EmailVerificationId) -> Result<(), Error> {
    query("DELETE FROM email_verifications WHERE id = $1").bind(id).execute(tx).await?;
    Ok(())
}

pub(super) async fn forget_verifications(tx: &mut Tx, user: UserId) -> Result<(), Error> {
    query("DELETE FROM email_verifications WHERE user_id = $1").bind(user).execute(tx).await?;
    Ok(())
}

/// `false` when it is there already.
pub(super) async fn add_password_reset(
    tx: &mut Tx,
    id: MailId,
    user: UserId,
    token_digest: &str,
    expires_at: Timestamp,
) -> Result<bool, Error> {
    const ADD: &str = "
INSERT INTO password_resets (id, user_id, token_digest, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING";
    let added = query(ADD).bind(id).bind(user).bind(token_digest).bind(expires_at).execute(tx).await?;
    Ok(added == 1)
}

pub(super) async fn find_password_reset(
    store: &Store,
    token_digest: &str,
    now: Timestamp,
) -> Result<Option<UserId>, Error> {
    const FIND: &str = "SELECT user_id FROM password_resets WHERE token_digest = $1 AND expires_at > $2";
    let found: Option<Owner> = query(FIND).bind(token_digest).bind(now).fetch_optional(store).await?;
    Ok(found.map(|Owner(user)| user))
}

pub(super) async fn spend_password_reset(
    tx: &mut Tx,
    token_digest: &str,
    now: Timestamp,
) -> Result<Option<UserId>, Error> {
    const SPEND: &str =
        "DELETE FROM password_resets WHERE token_digest = $1 AND expires_at > $2 RETURNING user_id";
    let found: Option<Owner> = query(SPEND).bind(token_digest).bind(now).fetch_optional(tx).await?;
    Ok(found.map(|Owner(user)| user))
}

pub(super) async fn forget_password_resets(tx: &mut Tx, user: UserId) -> Result<(), Error> {
    query("DELETE FROM password_resets WHERE user_id = $1").bind(user).execute(tx).await?;
    Ok(())
}

pub(super) async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    query("DELETE FROM email_verifications WHERE expires_at <= $1").bind(now).execute(tx).await?;
    query("DELETE FROM password_resets WHERE expires_at <= $1").bind(now).execute(tx).await?;
    Ok(())
}
