//! Users, from their creation to their deactivation. Every change that the homeserver must know of
//! is enqueued in the same transaction.

use serde::Serialize;

use super::jobs::{DeactivateUser, ProvisionUser, ReactivateUser};
use super::sql;
use crate::clients::consents;
use crate::ids::{Localpart, UserId};
use crate::jobs;
use crate::languages::Language;
use crate::policy::input;
use crate::sessions::{browser, client, records};
use crate::store::{self, Change, On, Query, Store, Tx};
use crate::time::Timestamp;

/// What a client is granted to administer the homeserver in the name of its administrator.
pub const ADMIN_SCOPE: &str = "urn:synapse:admin:*";

/// A person's account.
#[derive(Clone, Debug, Serialize)]
pub struct User {
    /// Its identifier, also the `sub` of OpenID Connect.
    pub id: UserId,
    /// Its name on the homeserver.
    pub localpart: Localpart,
    /// Whether the person may administer the homeserver.
    pub is_admin: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When the homeserver confirmed that it knows the user.
    pub provisioned_at: Option<Timestamp>,
    /// Since when it is locked: sessions stay, but none of them works.
    pub locked_at: Option<Timestamp>,
    /// Since when it is deactivated: all sessions have ended.
    pub deactivated_at: Option<Timestamp>,
}

/// What keeps a person from signing in, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// All is well.
    Active,
    /// An admin has locked the account.
    Locked,
    /// The account is deactivated.
    Deactivated,
}

impl User {
    /// The account as policies are told of it.
    pub fn for_policy(&self) -> input::User {
        input::User { id: self.id, username: self.localpart.clone(), is_admin: self.is_admin }
    }

    /// What keeps the person from signing in.
    pub fn standing(&self) -> Standing {
        match (self.deactivated_at, self.locked_at) {
            (Some(_), _) => Standing::Deactivated,
            (None, Some(_)) => Standing::Locked,
            (None, None) => Standing::Active,
        }
    }
}

/// Creates an account. Its name must be one that the homeserver has found available.
///
/// # Errors
/// [`store::Error::Conflict`] when the name is taken.
pub async fn create(
    tx: &mut Tx,
    localpart: Localpart,
    is_admin: bool,
    now: Timestamp,
) -> Result<User, store::Error> {
    create_as(tx, UserId::new(now), localpart, is_admin, now).await
}

/// The same, with an identifier that was made for it before.
///
/// # Errors
/// [`store::Error::Conflict`] when the name is taken.
pub async fn create_as(
    tx: &mut Tx,
    id: UserId,
    localpart: Localpart,
    is_admin: bool,
    now: Timestamp,
) -> Result<User, store::Error> {
    let user = User {
        id,
        localpart,
        is_admin,
        created_at: now,
        provisioned_at: None,
        locked_at: None,
        deactivated_at: None,
    };
    sql::add(tx, &user).await?;
    jobs::enqueue(tx, &ProvisionUser { user_id: user.id }, now).await?;
    Ok(user)
}

/// The user of that identifier.
///
/// # Errors
/// When the database fails.
pub async fn find(on: impl Into<On<'_>>, id: UserId) -> Result<Option<User>, store::Error> {
    sql::find(on, id).await
}

/// The user of exactly that name.
///
/// # Errors
/// When the database fails.
pub async fn find_by_localpart(on: impl Into<On<'_>>, localpart: &str) -> Result<Option<User>, store::Error> {
    sql::find_by_localpart(on, localpart).await
}

/// The user whom someone means who typed that name: the one of exactly that name, else the only one
/// whose name differs in letter case alone.
///
/// # Errors
/// When the database fails.
pub async fn find_by_typed_name(store: &Store, typed: &str) -> Result<Option<User>, store::Error> {
    if let Some(user) = sql::find_by_localpart(store, typed).await? {
        return Ok(Some(user));
    }
    let mut folded = sql::list_by_folded(store, &typed.to_lowercase()).await?;
    Ok(if folded.len() == 1 { folded.pop() } else { None })
}

/// Whether an account has the name, however it is capitalised.
///
/// # Errors
/// When the database fails.
pub async fn is_name_taken(on: impl Into<On<'_>>, localpart: &Localpart) -> Result<bool, store::Error> {
    Ok(!sql::list_by_folded(on, &localpart.as_str().to_lowercase()).await?.is_empty())
}

/// Up to `limit` users after the one named `after`, in the order in which they were created.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store, after: Option<UserId>, limit: i64) -> Result<Vec<User>, store::Error> {
    sql::list(store, after, limit).await
}

/// Whether the user is not deactivated, and an administrator if what was judged went by that, and stays so until the
/// transaction ends: who changes that at the same moment waits, and then finds the session that has begun, and ends it.
///
/// # Errors
/// When the database fails.
pub async fn is_still_active(tx: &mut Tx, id: UserId, as_admin: bool) -> Result<bool, store::Error> {
    Ok(active(id, as_admin).fetch_optional::<()>(tx).await?.is_some())
}

/// The question of [`is_still_active`], to be asked together with other things.
pub fn active(id: UserId, as_admin: bool) -> Query {
    sql::active(id, as_admin)
}

/// The language in which the person gets mails, if they have ever signed in.
///
/// # Errors
/// When the database fails.
pub async fn language(on: impl Into<On<'_>>, id: UserId) -> Result<Option<Language>, store::Error> {
    sql::find_language(on, id).await
}

/// Has mails to the person be in that language.
///
/// # Errors
/// When the database fails.
pub async fn set_language(tx: &mut Tx, id: UserId, language: Language) -> Result<(), store::Error> {
    sql::set_language(tx, id, language).await
}

/// Notes that the homeserver knows the user.
///
/// # Errors
/// When the database fails.
pub async fn set_provisioned(tx: &mut Tx, id: UserId, now: Timestamp) -> Result<(), store::Error> {
    tx.announce(Change::User(id));
    sql::set_provisioned(tx, id, now).await
}

/// Makes the person an administrator of the homeserver, or no longer one: then the sessions that
/// were granted that power end. Returns how many these were.
///
/// # Errors
/// When the database fails.
pub async fn set_admin(tx: &mut Tx, id: UserId, is_admin: bool, now: Timestamp) -> Result<u64, store::Error> {
    sql::set_admin(tx, id, is_admin).await?;
    if is_admin {
        return Ok(0);
    }
    client::end_all_with_scope(tx, id, ADMIN_SCOPE, client::EndReason::EndedByAdmin, now).await
}

/// Locks the account: its sessions and devices stay, but nothing works until it is unlocked.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &mut Tx, id: UserId, now: Timestamp) -> Result<(), store::Error> {
    tx.announce(Change::User(id));
    sql::set_locked(tx, id, Some(now)).await?;
    jobs::enqueue(tx, &ProvisionUser { user_id: id }, now).await
}

/// Unlocks the account: all of its sessions work again.
///
/// # Errors
/// When the database fails.
pub async fn unlock(tx: &mut Tx, id: UserId, now: Timestamp) -> Result<(), store::Error> {
    tx.announce(Change::User(id));
    sql::set_locked(tx, id, None).await?;
    jobs::enqueue(tx, &ProvisionUser { user_id: id }, now).await
}

/// Deactivates the account: ends its sessions and has the homeserver deactivate it too. The name stays taken. If
/// `erase` says so, the homeserver erases what the person wrote, and we forget all but the name.
///
/// # Errors
/// When the database fails.
pub async fn deactivate(tx: &mut Tx, id: UserId, erase: bool, now: Timestamp) -> Result<(), store::Error> {
    tx.announce(Change::User(id));
    // Browsers first, as sessions of clients begin.
    browser::end_all(tx, id, None, now).await?;
    sql::set_deactivated(tx, id, Some(now)).await?;
    client::end_all(tx, id, client::EndReason::Deactivated, now).await?;
    if erase {
        self::erase(tx, id).await?;
    }
    jobs::enqueue(tx, &DeactivateUser { user_id: id, erase }, now).await
}

/// Erases an account that is deactivated: we forget all but its name, and the homeserver what the person wrote.
///
/// # Errors
/// When the database fails.
pub async fn erase_deactivated(tx: &mut Tx, id: UserId, now: Timestamp) -> Result<(), store::Error> {
    erase(tx, id).await?;
    jobs::enqueue(tx, &DeactivateUser { user_id: id, erase: true }, now).await
}

/// What remains is the name, so that nobody takes it, and which sessions there were until they are forgotten, so
/// that clients are still told of their end.
async fn erase(tx: &mut Tx, id: UserId) -> Result<(), store::Error> {
    sql::erase(tx, id).await?;
    consents::forget_all(tx, id).await?;
    records::erase(tx, id).await
}

/// Reactivates the account, with the password it had unless that was erased; its sessions do not come back.
///
/// # Errors
/// When the database fails.
pub async fn reactivate(tx: &mut Tx, id: UserId, now: Timestamp) -> Result<(), store::Error> {
    tx.announce(Change::User(id));
    sql::set_deactivated(tx, id, None).await?;
    jobs::enqueue(tx, &ReactivateUser { user_id: id }, now).await
}
