//! What a person can prove who they are with.

use super::users::User;
use super::{passwords, recovery_codes, remembered_browsers};
use crate::app::App;
use crate::ids::UserId;
use crate::methods::{Method, Methods};
use crate::store::{Error, FromRow, On, Row, Store, Tx, query};
use crate::time::Timestamp;

/// How many of each there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Factors {
    /// Whether there is a password.
    pub has_password: bool,
    /// WebAuthn credentials: passkeys and security keys, but for those that do not work at this site.
    pub passkeys: i64,
    /// Authenticator apps.
    pub apps: i64,
    /// Recovery codes that are left.
    pub recovery_codes: i64,
}

impl FromRow for Factors {
    fn from_row(row: &Row) -> Result<Factors, Error> {
        Ok(Factors {
            has_password: row.get("has_password")?,
            passkeys: row.get("passkeys")?,
            apps: row.get("apps")?,
            recovery_codes: row.get("recovery_codes")?,
        })
    }
}

impl Factors {
    /// Whether the person has something that is asked for after the password. Recovery codes only stand
    /// in for that.
    pub fn has_second(&self) -> bool {
        self.passkeys > 0 || self.apps > 0
    }

    /// Whether nothing stronger could have been asked of the person. A recovery code stands in for
    /// whatever was lost.
    pub fn are_proved_by(&self, methods: Methods) -> bool {
        match (self.passkeys, self.apps) {
            (1.., _) => methods.has_key() || methods.has(Method::RecoveryCode),
            (_, 1..) => methods.has_second(),
            _ => true,
        }
    }
}

/// What the user has.
///
/// # Errors
/// When the database fails.
pub async fn find(on: impl Into<On<'_>>, user: UserId) -> Result<Factors, Error> {
    const FIND: &str = "
SELECT EXISTS (SELECT 1 FROM passwords WHERE user_id = $1) AS has_password,
       (SELECT COUNT(*) FROM passkeys AS k WHERE k.user_id = $1 AND NOT EXISTS
        (SELECT 1 FROM installation AS i WHERE i.name = 'relying_party_id' AND i.value <> k.relying_party_id)) AS passkeys,
       (SELECT COUNT(*) FROM authenticator_apps WHERE user_id = $1) AS apps,
       (SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1) AS recovery_codes";
    query(FIND).bind(user).fetch_one(on).await
}

/// Why nobody may be without a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    /// They must have a second one.
    Second,
    /// Their password is too short to be the only one.
    LongerPassword,
}

/// Of two removals at once, has the second count when the first is done.
///
/// # Errors
/// When the database fails.
pub async fn hold(tx: &mut Tx, user: UserId) -> Result<(), Error> {
    query("UPDATE users SET is_admin = is_admin WHERE id = $1").bind(user).execute(tx).await?;
    Ok(())
}

/// Whether a person can be without the factor that was removed in the same transaction: not if it was the
/// last one while they must have one, or while their password is short because of it, and nothing of the
/// transaction may stay then. With the last one go recovery codes and remembered browsers, which only stood in
/// for it.
///
/// # Errors
/// When the database fails.
pub async fn may_be_without(tx: &mut Tx, app: &App, user: &User) -> Result<Result<(), Needed>, Error> {
    hold(tx, user.id).await?;
    let is_required = app.config.second_factor.is_required_for(user.is_admin);
    if !find(&mut *tx, user.id).await?.has_second() {
        if is_required {
            return Ok(Err(Needed::Second));
        }
        if passwords::needs_second(tx, user.id).await? {
            return Ok(Err(Needed::LongerPassword));
        }
    }
    forget_stand_ins(tx, user.id).await?;
    Ok(Ok(()))
}

/// Forgets recovery codes and remembered browsers, if there is no second factor any more that they stand in for.
///
/// # Errors
/// When the database fails.
pub async fn forget_stand_ins(tx: &mut Tx, user: UserId) -> Result<(), Error> {
    if !find(&mut *tx, user).await?.has_second() {
        recovery_codes::remove_all(tx, user).await?;
        remembered_browsers::forget_all(tx, user).await?;
    }
    Ok(())
}

/// A second factor as admins see it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its identifier.
    pub id: String,
    /// What it is.
    pub kind: String,
    /// What the person calls it.
    pub name: String,
    /// Since when it counts.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

impl FromRow for Listed {
    fn from_row(row: &Row) -> Result<Listed, Error> {
        Ok(Listed {
            id: row.get("id")?,
            kind: row.get("kind")?,
            name: row.get("name")?,
            created_at: row.get("created_at")?,
            last_used_at: row.get("last_used_at")?,
        })
    }
}

/// The user's second factors of every kind, the oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store, user: UserId) -> Result<Vec<Listed>, Error> {
    const LIST: &str = "
SELECT id, REPLACE(kind, '_', ' ') AS kind, name, created_at, last_used_at FROM passkeys WHERE user_id = $1
UNION ALL
SELECT id, 'authenticator app' AS kind, name, created_at, last_used_at FROM authenticator_apps WHERE user_id = $1
ORDER BY id";
    query(LIST).bind(user).fetch_all(store).await
}

/// Removes the user's second factor with that identifier, or all of them, and returns how many these were.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, user: UserId, id: Option<&str>) -> Result<u64, Error> {
    const PASSKEYS: &str = "DELETE FROM passkeys WHERE user_id = $1 AND COALESCE($2, id) = id";
    const APPS: &str = "DELETE FROM authenticator_apps WHERE user_id = $1 AND COALESCE($2, id) = id";
    let passkeys = query(PASSKEYS).bind(user).bind(id).execute(tx).await?;
    Ok(passkeys + query(APPS).bind(user).bind(id).execute(tx).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_factor_is_asked_for_and_a_recovery_code_stands_in() {
        use Method::{Passkey, Password, RecoveryCode, RememberedBrowser, SecurityKey, Totp};
        let password = Methods::from(Password);
        let none = Factors { has_password: true, ..Factors::default() };
        let app = Factors { apps: 1, ..none };
        let both = Factors { passkeys: 2, ..app };
        for (factors, enough, short) in [
            (none, vec![password], vec![]),
            (
                app,
                vec![password.with(Totp), Passkey.into()],
                vec![password, password.with(RememberedBrowser)],
            ),
            (both, vec![password.with(SecurityKey), Passkey.into()], vec![password, password.with(Totp)]),
        ] {
            assert!(factors.are_proved_by(password.with(RecoveryCode)));
            assert!(enough.into_iter().all(|methods| factors.are_proved_by(methods)), "{factors:?}");
            assert!(!short.into_iter().any(|methods| factors.are_proved_by(methods)), "{factors:?}");
        }
    }
}
