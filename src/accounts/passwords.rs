//! Passwords: setting and checking them.

use std::fmt;

use super::users::User;
use super::{breached_passwords, email_verifications, password_resets, remembered_browsers, sql};
use crate::app::App;
use crate::ids::UserId;
use crate::keys::{HashError, Password};
use crate::store::{self, Store, Tx, query};
use crate::time::Timestamp;

/// Why a password could not be set or checked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Too long, or with a character that cannot be in a password.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// Nobody can tell whether it was stolen elsewhere.
    #[error(transparent)]
    BreachedPasswords(#[from] breached_passwords::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The hash of a new password that keeps the rules: see [`new_password`](super::new_password).
#[derive(Clone)]
pub struct Hashed {
    /// The hash, in the words of its scheme.
    pub text: String,
    /// Which of our schemes made it.
    pub version: i64,
    /// Whether the password is too short to be the only factor.
    pub needs_second: bool,
}

impl fmt::Debug for Hashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hashed(…)")
    }
}

/// Whether the user has a password.
///
/// # Errors
/// When the database fails.
pub async fn is_set(store: &Store, user: UserId) -> Result<bool, store::Error> {
    Ok(sql::find_password(store, user).await?.is_some())
}

/// Stores the hash of a password, in place of the one before. Browsers that were remembered are not any more, and
/// links and codes that are on their way, whoever asked for them, are worth nothing.
///
/// # Errors
/// When the database fails.
pub async fn set(tx: &mut Tx, user: UserId, hashed: &Hashed, now: Timestamp) -> Result<(), store::Error> {
    // First: who is remembered at this moment holds the password that they have shown.
    sql::set_password(tx, user, hashed, now).await?;
    remembered_browsers::forget_all(tx, user).await?;
    password_resets::forget(tx, user).await?;
    email_verifications::forget(tx, user).await
}

/// Whether the user has a password that is too short to be the only factor.
///
/// # Errors
/// When the database fails.
pub(super) async fn needs_second(tx: &mut Tx, user: UserId) -> Result<bool, store::Error> {
    const FIND: &str = "SELECT user_id FROM passwords WHERE user_id = $1 AND needs_second";
    Ok(query(FIND).bind(user).fetch_optional::<()>(tx).await?.is_some())
}

/// Whether the password is the user's. Takes as long for no user, or one without a password, as for
/// a wrong password. A hash of an older scheme is replaced when the password was right.
///
/// # Errors
/// [`HashError::Busy`] when too many are being checked.
pub async fn is_right(app: &App, user: Option<&User>, password: Password) -> Result<bool, Error> {
    Ok(prove(app, user, password).await?.is_some())
}

/// The same, for those who go on with it: when the password that was right was set, for [`is_still`].
///
/// # Errors
/// [`HashError::Busy`] when too many are being checked.
pub async fn prove(app: &App, user: Option<&User>, password: Password) -> Result<Option<Timestamp>, Error> {
    let found = match user {
        Some(user) => sql::find_password(&app.store, user.id).await?,
        None => None,
    };
    let set_at = found.as_ref().map(|found| found.set_at);
    let stored = found.map(|found| (found.hash, found.version));
    let before = stored.clone();
    let verified = app.passwords.verify(password, stored).await?;
    if let (Some(upgrade), Some(user), Some((before, _))) = (&verified.upgrade, user, before) {
        let mut tx = app.store.begin().await?;
        // Unless the password was changed meanwhile.
        sql::replace_password(&mut tx, user.id, &before, &upgrade.0, upgrade.1).await?;
        tx.commit().await?;
    }
    Ok(set_at.filter(|_| verified.is_right))
}

/// Whether the password that was set at that moment is still the person's, and stays so until the transaction ends:
/// comparing takes long, and whoever changes it meanwhile ends what began by the old one. To be asked before
/// anything else is written.
///
/// # Errors
/// When the database fails.
pub async fn is_still(tx: &mut Tx, user: UserId, set_at: Timestamp) -> Result<bool, store::Error> {
    sql::hold_password(tx, user, set_at).await
}
