//! Showing that one receives what is sent to an address: by a code that is typed where the address was
//! entered, or by a link that works in any browser.
//!
//! Who enters an address that belongs to somebody else sees the same as everybody; the mail is another one.

use super::activity::{self, Event};
use super::emails::{self, Address};
use super::jobs;
use super::mails::{self, LIFETIME, Mail, Occasion};
use super::sql;
use super::users::{self, Standing, User};
use crate::app::App;
use crate::http::requester::Requester;
use crate::ids::{EmailVerificationId, UserId};
use crate::keys;
use crate::store::{self, Store, Tx};
use crate::time::Timestamp;

/// How many codes are tried before a new one is needed. With a million codes, guessing succeeds once in two
/// hundred thousand mails.
pub const ATTEMPTS: i64 = 5;

/// An address that somebody wants to add.
#[derive(Clone, Debug)]
pub struct Verification {
    /// Its identifier.
    pub id: EmailVerificationId,
    /// To whose account.
    pub user_id: UserId,
    /// The address.
    pub address: Address,
    pub(super) code_digest: String,
}

/// What came of a code or a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The address belongs to the account now.
    Confirmed,
    /// Another code.
    Wrong,
    /// Too old, spent, tried too often, or never there.
    Over,
    /// The address belongs to another account, whose person has shown the same.
    Taken,
}

/// Begins: has a mail sent to the address.
///
/// # Errors
/// When the database fails.
pub async fn begin(
    tx: &mut Tx,
    app: &App,
    user: &User,
    address: &Address,
    now: Timestamp,
) -> Result<EmailVerificationId, store::Error> {
    let (id, code, token) = (EmailVerificationId::new(now), random_code(), keys::random_secret());
    let code_digest = digest_of(app, id, &code);
    let verification = Verification { id, user_id: user.id, address: address.clone(), code_digest };
    sql::add_verification(tx, &verification, &keys::digest(&token), now + LIFETIME).await?;
    let owner = emails::find_verified_owner(&mut *tx, address).await?;
    // Whoever reads it is the owner, if there is one already.
    let (reader, mail) = match owner.filter(|owner| *owner != user.id) {
        Some(owner) => (owner, Mail::EmailTaken),
        None => (user.id, Mail::VerifyEmail { code, token }),
    };
    let language = users::language(&mut *tx, reader).await?;
    mails::send_in(tx, app, language, &address.to_string(), user, &mail, now).await?;
    Ok(id)
}

/// Six digits.
pub fn random_code() -> String {
    let mut bytes = [0u8; 8];
    crate::random::fill(&mut bytes);
    format!("{:06}", u64::from_be_bytes(bytes) % 1_000_000)
}

/// A code without what people put between its digits.
pub fn as_typed(typed: &str) -> String {
    typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect()
}

fn digest_of(app: &App, id: EmailVerificationId, code: &str) -> String {
    app.keys.root().digest_of_user_code(format!("e-mail {id} {code}").as_bytes())
}

/// What a person is about to add, while it is good.
///
/// # Errors
/// When the database fails.
pub async fn find(
    store: &Store,
    id: EmailVerificationId,
    user: UserId,
    now: Timestamp,
) -> Result<Option<Verification>, store::Error> {
    sql::find_verification(store, id, user, now).await
}

/// What a link is for, while it is good.
///
/// # Errors
/// When the database fails.
pub async fn find_by_token(
    store: &Store,
    token: &str,
    now: Timestamp,
) -> Result<Option<Verification>, store::Error> {
    sql::find_verification_by_token(store, &keys::digest(token), now).await
}

/// Tries a code that the person has typed; spaces and dashes do not matter. The attempt counts once the
/// transaction is committed.
///
/// # Errors
/// When the database fails.
pub async fn confirm_by_code(
    tx: &mut Tx,
    app: &App,
    user: &User,
    id: EmailVerificationId,
    typed: &str,
    requester: &Requester,
) -> Result<Outcome, store::Error> {
    let now = app.clock.now();
    let Some(verification) = sql::count_verification_attempt(tx, id, user.id, ATTEMPTS, now).await? else {
        return Ok(Outcome::Over);
    };
    let code = as_typed(typed);
    if !keys::equal_secrets(digest_of(app, id, &code), &verification.code_digest) {
        return Ok(Outcome::Wrong);
    }
    sql::remove_verification(tx, id).await?;
    add(tx, app, user, &verification.address, &Occasion::by(requester, now)).await
}

/// Spends a link.
///
/// # Errors
/// When the database fails.
pub async fn confirm_by_token(
    tx: &mut Tx,
    app: &App,
    token: &str,
    requester: &Requester,
) -> Result<Outcome, store::Error> {
    let now = app.clock.now();
    let Some(verification) = sql::spend_verification_token(tx, &keys::digest(token), now).await? else {
        return Ok(Outcome::Over);
    };
    match users::find(&mut *tx, verification.user_id).await? {
        Some(user) if user.standing() == Standing::Active => {
            add(tx, app, &user, &verification.address, &Occasion::by(requester, now)).await
        }
        _ => Ok(Outcome::Over),
    }
}

/// Makes all codes and links of a person worthless.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &mut Tx, user: UserId) -> Result<(), store::Error> {
    sql::forget_verifications(tx, user).await
}

/// Adds the address, and tells of it at those that the account had before.
async fn add(
    tx: &mut Tx,
    app: &App,
    user: &User,
    address: &Address,
    occasion: &Occasion,
) -> Result<Outcome, store::Error> {
    if emails::find_verified_owner(&mut *tx, address).await? == Some(user.id) {
        return Ok(Outcome::Confirmed);
    }
    let before = emails::list(&mut *tx, user.id).await?;
    if !emails::confirm(tx, user.id, address, occasion.at).await? {
        return Ok(Outcome::Taken);
    }
    let mail = Mail::EmailAdded { address: address.to_string(), occasion: occasion.clone() };
    activity::add(tx, user.id, Event::EmailAdded, occasion).await?;
    jobs::emails_changed(tx, app, user.id, occasion.at).await?;
    for known in before.iter().filter(|known| known.verified_at.is_some()) {
        mails::send(tx, app, &known.address, user, &mail, occasion.at).await?;
    }
    tracing::info!(user = %user.id, "a person added an e-mail address");
    Ok(Outcome::Confirmed)
}
