//! An account that somebody is making, as far as they have come.

use std::time::Duration;

use super::super::captcha;
use super::super::next::Onward;
use crate::accounts::email_verifications::{self, ATTEMPTS};
use crate::accounts::emails::Address;
use crate::accounts::mails::{self, LIFETIME as CODE_LIFETIME, Mail};
use crate::accounts::passkeys::Passkey;
use crate::accounts::passwords::Hashed;
use crate::accounts::users::User;
use crate::app::App;
use crate::http::visit::Visit;
use crate::ids::{Localpart, UserId};
use crate::keys;
use crate::store::{Error, FromRow, Query, Row, Store, Tx, query};
use crate::time::Timestamp;

/// How long somebody may take; nothing of it remains afterwards.
pub const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// What somebody has said so far of the account that they are making.
#[derive(Clone)]
pub struct Begun {
    pub(super) secret_digest: String,
    /// The identifier that the account is going to have.
    pub user_id: UserId,
    /// The name that it is going to have, if nobody is faster.
    pub localpart: Localpart,
    /// The registration token, encrypted.
    token: Option<String>,
    /// Where the person goes on afterwards.
    pub next: Option<String>,
    /// The address that they have entered.
    pub email: Option<Address>,
    /// Whether they go on without one.
    pub is_email_skipped: bool,
    /// Until when the code counts that was sent there, if it still does.
    code_expires_at: Option<Timestamp>,
    attempts: i64,
    /// When they have shown that they receive what is sent there.
    pub email_verified_at: Option<Timestamp>,
    /// The hash of the password, and the scheme that made it.
    pub password: Option<Hashed>,
    /// The passkey that was made.
    pub passkey: Option<Passkey>,
    /// Whether they have a password and want no passkey beside it.
    pub is_passkey_skipped: bool,
    /// Which version of the terms of service they have accepted.
    pub terms: Option<String>,
}

impl FromRow for Begun {
    fn from_row(row: &Row) -> Result<Begun, Error> {
        let email: Option<String> = row.get("email")?;
        let passkey: Option<String> = row.get("passkey")?;
        let hash: Option<String> = row.get("password_hash")?;
        let version: Option<i64> = row.get("password_version")?;
        let read =
            |stored: &str| serde_json::from_str(stored).map_err(|_| Error::Corrupt { column: "passkey" });
        let parse = |email: String| email.parse().map_err(|_| Error::Corrupt { column: "email" });
        Ok(Begun {
            secret_digest: row.get("secret_digest")?,
            user_id: row.get("user_id")?,
            localpart: row.get("localpart")?,
            token: row.get("token")?,
            next: row.get("next")?,
            email: email.map(parse).transpose()?,
            is_email_skipped: row.get("is_email_skipped")?,
            code_expires_at: row.get("email_code_expires_at")?,
            attempts: row.get("email_attempts")?,
            email_verified_at: row.get("email_verified_at")?,
            // Nobody has a second factor yet, so it is long enough by itself.
            password: hash.zip(version).map(|(text, version)| Hashed { text, version, needs_second: false }),
            passkey: passkey.as_deref().map(read).transpose()?,
            is_passkey_skipped: row.get("is_passkey_skipped")?,
            terms: row.get("terms")?,
        })
    }
}

impl Begun {
    /// Whether a code was sent that can still be typed.
    pub fn is_code_sent(&self, now: Timestamp) -> bool {
        self.code_expires_at.is_some_and(|at| now < at) && self.attempts < ATTEMPTS
    }

    /// The address that is shown to be theirs.
    pub fn verified_email(&self) -> Option<&Address> {
        self.email.as_ref().filter(|_| self.email_verified_at.is_some())
    }

    /// The account as it is going to be.
    pub fn user(&self, now: Timestamp) -> User {
        User {
            id: self.user_id,
            localpart: self.localpart.clone(),
            is_admin: false,
            created_at: now,
            provisioned_at: None,
            locked_at: None,
            deactivated_at: None,
        }
    }

    /// Where the person goes on afterwards.
    pub fn onward(&self) -> Onward {
        super::onward(self.next.clone())
    }

    /// The registration token as it was typed.
    ///
    /// # Errors
    /// When it does not decrypt.
    pub fn token(&self, app: &App) -> Result<Option<String>, Error> {
        let Some(sealed) = &self.token else { return Ok(None) };
        let opened = app.keys.root().decrypt(&context(self.user_id), sealed).ok();
        let opened = opened.and_then(|bytes| String::from_utf8(bytes).ok());
        opened.map(Some).ok_or(Error::Corrupt { column: "token" })
    }
}

fn context(id: UserId) -> String {
    format!("registration {id}")
}

fn seal(app: &App, id: UserId, token: Option<&str>) -> Result<Option<String>, Error> {
    let broken = |_| Error::Corrupt { column: "token" };
    token.map(|token| app.keys.root().encrypt(&context(id), token.as_bytes()).map_err(broken)).transpose()
}

/// Begins, and returns the secret that the browser keeps with what was begun; `None` when the captcha counted
/// before.
///
/// # Errors
/// When the database fails.
pub(super) async fn begin(
    app: &App,
    localpart: &Localpart,
    token: Option<&str>,
    captcha: Option<&captcha::Proof>,
    next: Option<&str>,
) -> Result<Option<(String, Begun)>, Error> {
    const ADD: &str = "
INSERT INTO registrations (secret_digest, user_id, localpart, token, next, is_email_skipped, email_attempts,
    is_passkey_skipped, expires_at)
VALUES ($1, $2, $3, $4, $5, FALSE, 0, FALSE, $6)";
    let (secret, now) = (keys::random_secret(), app.clock.now());
    let user_id = UserId::new(now);
    let begun = Begun {
        secret_digest: keys::digest(&secret),
        user_id,
        localpart: localpart.clone(),
        token: seal(app, user_id, token)?,
        next: next.map(str::to_owned),
        email: None,
        is_email_skipped: false,
        code_expires_at: None,
        attempts: 0,
        email_verified_at: None,
        password: None,
        passkey: None,
        is_passkey_skipped: false,
        terms: None,
    };
    let add = query(ADD)
        .bind(&begun.secret_digest)
        .bind(user_id)
        .bind(localpart)
        .bind(begun.token.clone())
        .bind(begun.next.clone())
        .bind(now + LIFETIME);
    let mut tx = app.store.begin().await?;
    if let Some(captcha) = captcha
        && !captcha.use_up(&mut tx).await?
    {
        return Ok(None);
    }
    add.execute(&mut tx).await?;
    tx.commit().await?;
    Ok(Some((secret, begun)))
}

/// What the browser has begun, within the hour.
///
/// # Errors
/// When the database fails.
pub(super) async fn find(app: &App, visit: &Visit) -> Result<Option<Begun>, Error> {
    const FIND: &str = "
SELECT secret_digest, user_id, localpart, token, next, email, is_email_skipped, email_code_expires_at, email_attempts,
       email_verified_at, password_hash, password_version, passkey, is_passkey_skipped, terms
FROM registrations WHERE secret_digest = $1 AND expires_at > $2";
    let Some(secret) = &visit.registration_secret else { return Ok(None) };
    query(FIND).bind(keys::digest(secret)).bind(app.clock.now()).fetch_optional(&app.store).await
}

/// What a link in a mail belongs to, while it is good.
///
/// # Errors
/// When the database fails.
pub(super) async fn find_by_link(store: &Store, token: &str, now: Timestamp) -> Result<Option<Begun>, Error> {
    const FIND: &str = "
SELECT secret_digest, user_id, localpart, token, next, email, is_email_skipped, email_code_expires_at, email_attempts,
       email_verified_at, password_hash, password_version, passkey, is_passkey_skipped, terms
FROM registrations WHERE email_token_digest = $1 AND email_code_expires_at > $2 AND expires_at > $2";
    query(FIND).bind(keys::digest(token)).bind(now).fetch_optional(store).await
}

/// Takes it out, to make the account of it: of two at once that want to, one gets it.
///
/// # Errors
/// When the database fails.
pub(super) async fn take(tx: &mut Tx, begun: &Begun, now: Timestamp) -> Result<Option<Begun>, Error> {
    const TAKE: &str = "
DELETE FROM registrations WHERE secret_digest = $1 AND expires_at > $2
RETURNING secret_digest, user_id, localpart, token, next, email, is_email_skipped, email_code_expires_at, email_attempts,
          email_verified_at, password_hash, password_version, passkey, is_passkey_skipped, terms";
    query(TAKE).bind(&begun.secret_digest).bind(now).fetch_optional(tx).await
}

/// Gives it another name, and another token.
///
/// # Errors
/// When the database fails.
pub(super) async fn rename(
    app: &App,
    begun: &Begun,
    localpart: &Localpart,
    token: Option<&str>,
) -> Result<(), Error> {
    const RENAME: &str = "UPDATE registrations SET localpart = $1, token = $2 WHERE secret_digest = $3";
    let token = seal(app, begun.user_id, token)?;
    change(app, query(RENAME).bind(localpart).bind(token).bind(&begun.secret_digest)).await
}

/// Has the person go on elsewhere afterwards.
///
/// # Errors
/// When the database fails.
pub(super) async fn set_next(app: &App, begun: &Begun, next: &str) -> Result<(), Error> {
    const SET: &str = "UPDATE registrations SET next = $1 WHERE secret_digest = $2";
    change(app, query(SET).bind(next).bind(&begun.secret_digest)).await
}

/// Has a code and a link sent to an address. What was sent before counts no longer.
///
/// # Errors
/// When the database fails.
pub(super) async fn send_code(
    app: &App,
    visit: &Visit,
    begun: &Begun,
    address: &Address,
) -> Result<(), Error> {
    const SET: &str = "
UPDATE registrations SET email = $1, is_email_skipped = FALSE, email_code_digest = $2, email_token_digest = $3,
    email_attempts = 0, email_code_expires_at = $4, email_verified_at = NULL
WHERE secret_digest = $5";
    let (now, code, token) = (app.clock.now(), email_verifications::random_code(), keys::random_secret());
    let set = query(SET)
        .bind(address.to_string())
        .bind(digest_of(app, &begun.secret_digest, &code))
        .bind(keys::digest(&token))
        .bind(now + CODE_LIFETIME)
        .bind(&begun.secret_digest);
    let mut tx = app.store.begin().await?;
    set.execute(&mut tx).await?;
    let mail = Mail::VerifyRegistration { code, token };
    let (language, to) = (Some(visit.language), address.to_string());
    mails::send_in(&mut tx, app, language, &to, None, &mail, now).await?;
    tx.commit().await?;
    app.wake_workers();
    Ok(())
}

fn digest_of(app: &App, secret_digest: &str, code: &str) -> String {
    app.keys.root().digest_of_user_code(format!("registration {secret_digest} {code}").as_bytes())
}

/// Goes on without an address.
///
/// # Errors
/// When the database fails.
pub(super) async fn skip_email(app: &App, begun: &Begun) -> Result<(), Error> {
    const SKIP: &str = "
UPDATE registrations SET email = NULL, is_email_skipped = TRUE, email_code_digest = NULL, email_token_digest = NULL,
    email_code_expires_at = NULL, email_verified_at = NULL
WHERE secret_digest = $1";
    change(app, query(SKIP).bind(&begun.secret_digest)).await
}

/// What came of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tried {
    /// The address is theirs.
    Right,
    /// Another one was sent.
    Wrong,
    /// It was tried too often, or is too old.
    Over,
}

struct CodeDigest(String);

impl FromRow for CodeDigest {
    fn from_row(row: &Row) -> Result<CodeDigest, Error> {
        Ok(CodeDigest(row.get("email_code_digest")?))
    }
}

/// Tries a code as it was typed. It counts before it is compared.
///
/// # Errors
/// When the database fails.
pub(super) async fn try_code(app: &App, begun: &Begun, typed: &str) -> Result<Tried, Error> {
    const COUNT: &str = "
UPDATE registrations SET email_attempts = email_attempts + 1
WHERE secret_digest = $1 AND email_attempts < $2 AND email_code_expires_at > $3 AND expires_at > $3
RETURNING email_code_digest";
    const VERIFY: &str = "
UPDATE registrations SET email_verified_at = $1, email_code_digest = NULL, email_token_digest = NULL,
    email_code_expires_at = NULL
WHERE secret_digest = $2 AND email_code_digest = $3";
    let now = app.clock.now();
    let count = query(COUNT).bind(&begun.secret_digest).bind(ATTEMPTS).bind(now);
    let mut tx = app.store.begin().await?;
    let sent: Option<CodeDigest> = count.fetch_optional(&mut tx).await?;
    let code = digest_of(app, &begun.secret_digest, &email_verifications::as_typed(typed));
    let tried = match sent {
        None => Tried::Over,
        Some(CodeDigest(sent)) if keys::equal_secrets(&code, &sent) => {
            query(VERIFY).bind(now).bind(&begun.secret_digest).bind(sent).execute(&mut tx).await?;
            Tried::Right
        }
        Some(_) if begun.attempts + 1 >= ATTEMPTS => Tried::Over,
        Some(_) => Tried::Wrong,
    };
    tx.commit().await?;
    Ok(tried)
}

/// Spends a link; `false` when it is no longer good.
///
/// # Errors
/// When the database fails.
pub(super) async fn spend_link(app: &App, token: &str) -> Result<bool, Error> {
    const SPEND: &str = "
UPDATE registrations SET email_verified_at = $1, email_code_digest = NULL, email_token_digest = NULL,
    email_code_expires_at = NULL
WHERE email_token_digest = $2 AND email_code_expires_at > $1 AND expires_at > $1";
    let mut tx = app.store.begin().await?;
    let spent = query(SPEND).bind(app.clock.now()).bind(keys::digest(token)).execute(&mut tx).await?;
    tx.commit().await?;
    Ok(spent == 1)
}

/// Sets the hash of the password.
///
/// # Errors
/// When the database fails.
pub(super) async fn set_password(app: &App, begun: &Begun, hashed: &Hashed) -> Result<(), Error> {
    const SET: &str =
        "UPDATE registrations SET password_hash = $1, password_version = $2 WHERE secret_digest = $3";
    change(app, query(SET).bind(&hashed.text).bind(hashed.version).bind(&begun.secret_digest)).await
}

/// Sets the passkey, or forgets one that cannot be theirs.
///
/// # Errors
/// When the database fails.
pub(super) async fn set_passkey(app: &App, begun: &Begun, passkey: Option<&Passkey>) -> Result<(), Error> {
    const SET: &str =
        "UPDATE registrations SET passkey = $1, is_passkey_skipped = FALSE WHERE secret_digest = $2";
    let written = passkey.map(serde_json::to_string).transpose();
    let written = written.map_err(|_| Error::Corrupt { column: "passkey" })?;
    change(app, query(SET).bind(written).bind(&begun.secret_digest)).await
}

/// Goes on without a passkey.
///
/// # Errors
/// When the database fails.
pub(super) async fn skip_passkey(app: &App, begun: &Begun) -> Result<(), Error> {
    const SKIP: &str = "UPDATE registrations SET is_passkey_skipped = TRUE WHERE secret_digest = $1";
    change(app, query(SKIP).bind(&begun.secret_digest)).await
}

/// Notes which version of the terms of service they accept.
///
/// # Errors
/// When the database fails.
pub(super) async fn accept_terms(app: &App, begun: &Begun, version: &str) -> Result<(), Error> {
    const ACCEPT: &str = "UPDATE registrations SET terms = $1 WHERE secret_digest = $2";
    change(app, query(ACCEPT).bind(version).bind(&begun.secret_digest)).await
}

/// Forgets it.
///
/// # Errors
/// When the database fails.
pub(super) async fn forget(app: &App, begun: &Begun) -> Result<(), Error> {
    change(app, query("DELETE FROM registrations WHERE secret_digest = $1").bind(&begun.secret_digest)).await
}

async fn change(app: &App, query: Query) -> Result<(), Error> {
    query.execute_alone(&app.store).await.map(drop)
}

/// Forgets those that took too long.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    query("DELETE FROM registrations WHERE expires_at <= $1").bind(now).execute(tx).await?;
    Ok(())
}
