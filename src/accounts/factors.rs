//! What a person can prove who they are with.

use crate::ids::UserId;
use crate::methods::{Method, Methods};
use crate::store::{Error, FromRow, On, Row, query};

/// How many of each there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Factors {
    /// Whether there is a password.
    pub has_password: bool,
    /// WebAuthn credentials: passkeys and security keys.
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
       (SELECT COUNT(*) FROM passkeys WHERE user_id = $1) AS passkeys,
       (SELECT COUNT(*) FROM authenticator_apps WHERE user_id = $1) AS apps,
       (SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1) AS recovery_codes";
    query(FIND).bind(user).fetch_one(on).await
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
