//! Authenticator apps: codes that change with time (RFC 6238).

use std::time::Duration;

use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder};
use totp_rs::{Builder, Secret, Totp};

use super::users::User;
use crate::app::App;
use crate::ids::{AuthenticatorAppId, UserId};
use crate::keys::BrokenCiphertext;
use crate::random;
use crate::store::{self, FromRow, On, Row, Tx, query};
use crate::time::Timestamp;

/// How many a person can have.
pub const MOST: usize = 10;
/// The longest name of one, in characters.
pub const LONGEST_NAME: usize = 64;
/// How long setting one up may take.
const PATIENCE: Duration = Duration::from_secs(60 * 60);
/// As RFC 4226 §4 recommends, in bytes.
const SECRET_LENGTH: usize = 20;

/// An app as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticatorApp {
    /// Its identifier.
    pub id: AuthenticatorAppId,
    /// What the person calls it.
    pub name: String,
    /// Since when it counts.
    pub created_at: Timestamp,
    /// When a code of it was last taken.
    pub last_used_at: Timestamp,
}

impl FromRow for AuthenticatorApp {
    fn from_row(row: &Row) -> Result<AuthenticatorApp, store::Error> {
        Ok(AuthenticatorApp {
            id: row.get("id")?,
            name: row.get("name")?,
            created_at: row.get("created_at")?,
            last_used_at: row.get("last_used_at")?,
        })
    }
}

/// An app that is being set up: it counts once the person has shown a code of it. Until then it stands
/// nowhere but in the form, sealed, so that nothing is left of those that were abandoned.
pub struct Enrolment {
    id: AuthenticatorAppId,
    secret: Secret,
}

/// What a person gives their app.
#[derive(Clone, Debug)]
pub struct Instructions {
    /// A picture to be scanned, as SVG.
    pub picture: String,
    /// The secret in groups of four characters, to be typed (RFC 4648 §6).
    pub text: String,
    /// The form's own copy, which says nothing to anybody else.
    pub sealed: String,
}

fn sealed_for(user: UserId) -> String {
    format!("authenticator app that {user} sets up")
}

fn stored_for(user: UserId) -> String {
    format!("authenticator app of {user}")
}

impl Enrolment {
    /// Begins one, with a fresh secret.
    pub fn begin(now: Timestamp) -> Enrolment {
        let mut secret = [0u8; SECRET_LENGTH];
        random::fill(&mut secret);
        Enrolment { id: AuthenticatorAppId::new(now), secret: Secret::new_stack(secret) }
    }

    /// Goes on with the one that a form has brought back; `None` when that is not the user's, or too old.
    pub fn resume(app: &App, user: UserId, sealed: &str) -> Option<Enrolment> {
        let plain = app.keys.root().decrypt(&sealed_for(user), sealed).ok()?;
        let (id, secret) = plain.split_first_chunk::<16>()?;
        let id = AuthenticatorAppId::from_bytes(*id);
        let secret: [u8; SECRET_LENGTH] = secret.try_into().ok()?;
        let is_young = app.clock.now().since(id.made_at()) < PATIENCE;
        is_young.then(|| Enrolment { id, secret: Secret::new_stack(secret) })
    }

    /// What the person needs for it.
    ///
    /// # Errors
    /// When it cannot be drawn or sealed, which has no reason to happen.
    pub fn instructions(&self, app: &App, user: &User) -> Result<Instructions, Unusable> {
        let mut plain = self.id.to_bytes().to_vec();
        plain.extend_from_slice(self.secret.as_bytes());
        let sealed = app.keys.root().encrypt(&sealed_for(user.id), &plain)?;
        // A colon would end the name in the URI.
        let issuer = app.config.homeserver.server_name.replace(':', " ");
        let totp = Builder::new()
            .with_secret(self.secret.as_bytes().to_vec())
            .with_issuer(Some(issuer))
            .with_account_name(user.localpart.as_str())
            .build()
            .map_err(|_| Unusable)?;
        let uri = totp.to_url().map_err(|_| Unusable)?;
        let code = QRBuilder::new(uri).ecl(ECL::M).build().map_err(|_| Unusable)?;
        let base32 = self.secret.to_base32();
        let groups: Vec<&str> =
            base32.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
        Ok(Instructions { picture: SvgBuilder::default().to_str(&code), text: groups.join(" "), sealed })
    }

    /// Lets the app count if the code is one of it, and says whether it was. What was set up once cannot be
    /// set up again.
    ///
    /// # Errors
    /// When the database fails, or the secret cannot be encrypted.
    pub async fn confirm(
        &self,
        tx: &mut Tx,
        app: &App,
        user: UserId,
        name: &str,
        code: &str,
    ) -> Result<bool, Error> {
        const ADD: &str = "
INSERT INTO authenticator_apps (id, user_id, name, secret, last_step, created_at, last_used_at)
VALUES ($1, $2, $3, $4, $5, $6, $6)
ON CONFLICT (id) DO NOTHING";
        let now = app.clock.now();
        let Some(step) = matched_step(self.secret.as_bytes().to_vec(), code, now)? else { return Ok(false) };
        let secret = app.keys.root().encrypt(&stored_for(user), self.secret.as_bytes())?;
        let add = query(ADD).bind(self.id).bind(user).bind(name).bind(secret).bind(step).bind(now);
        Ok(add.execute(tx).await? == 1)
    }
}

/// A secret cannot be used.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the secret of an authenticator app cannot be used")]
pub struct Unusable;

impl From<BrokenCiphertext> for Unusable {
    fn from(_: BrokenCiphertext) -> Unusable {
        Unusable
    }
}

/// Why codes could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A stored secret does not decrypt, or is none.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<BrokenCiphertext> for Error {
    fn from(error: BrokenCiphertext) -> Error {
        Error::Unusable(error.into())
    }
}

/// The step of the code, if it is that of this moment or one beside it (RFC 6238 §5.2).
fn matched_step(secret: Vec<u8>, code: &str, now: Timestamp) -> Result<Option<i64>, Unusable> {
    let totp: Totp = Builder::new().with_secret(secret).build().map_err(|_| Unusable)?;
    // Apps show codes in groups.
    let digits: String = code.chars().filter(|c| !c.is_whitespace() && *c != '-').take(16).collect();
    let seconds = u64::try_from(now.as_seconds()).unwrap_or_default();
    let step = totp.check(&digits, seconds);
    Ok(step.and_then(|step| i64::try_from(step).ok()))
}

/// An app and its secret.
struct Stored {
    id: AuthenticatorAppId,
    secret: String,
}

impl FromRow for Stored {
    fn from_row(row: &Row) -> Result<Stored, store::Error> {
        Ok(Stored { id: row.get("id")?, secret: row.get("secret")? })
    }
}

/// Spends a code of one of the user's apps; `false` when it is none, or it or a later one was spent before
/// (RFC 6238 §5.2). Of two requests with the same code one spends it.
///
/// # Errors
/// When the database fails, or a stored secret does not decrypt.
pub async fn spend_code(tx: &mut Tx, app: &App, user: UserId, code: &str) -> Result<bool, Error> {
    const LIST: &str = "SELECT id, secret FROM authenticator_apps WHERE user_id = $1 ORDER BY id";
    const SPEND: &str = "
UPDATE authenticator_apps SET last_step = $1, last_used_at = $2 WHERE id = $3 AND last_step < $1";
    let now = app.clock.now();
    let stored: Vec<Stored> = query(LIST).bind(user).fetch_all(&mut *tx).await?;
    for Stored { id, secret } in stored {
        let secret = app.keys.root().decrypt(&stored_for(user), &secret)?;
        if let Some(step) = matched_step(secret, code, now)?
            && query(SPEND).bind(step).bind(now).bind(id).execute(tx).await? == 1
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The user's apps, the oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(on: impl Into<On<'_>>, user: UserId) -> Result<Vec<AuthenticatorApp>, store::Error> {
    const LIST: &str = "
SELECT id, name, created_at, last_used_at FROM authenticator_apps WHERE user_id = $1 ORDER BY id";
    query(LIST).bind(user).fetch_all(on).await
}

/// Gives one another name; `false` when it is not the user's.
///
/// # Errors
/// When the database fails.
pub async fn rename(
    tx: &mut Tx,
    id: AuthenticatorAppId,
    user: UserId,
    name: &str,
) -> Result<bool, store::Error> {
    const RENAME: &str = "UPDATE authenticator_apps SET name = $1 WHERE id = $2 AND user_id = $3";
    Ok(query(RENAME).bind(name).bind(id).bind(user).execute(tx).await? == 1)
}

/// Removes one; `false` when it is not the user's. See [`may_be_without`](super::factors::may_be_without).
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, id: AuthenticatorAppId, user: UserId) -> Result<bool, store::Error> {
    const REMOVE: &str = "DELETE FROM authenticator_apps WHERE id = $1 AND user_id = $2";
    Ok(query(REMOVE).bind(id).bind(user).execute(tx).await? == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn code(secret: &[u8], at: Timestamp) -> String {
        let totp = Builder::new().with_secret(secret.to_vec()).build().unwrap();
        totp.generate(u64::try_from(at.as_seconds()).unwrap()).to_string()
    }

    #[test]
    fn a_code_is_good_in_its_step_and_the_ones_beside_it() {
        // RFC 6238 Appendix B has the same secret, with eight digits.
        let secret = b"12345678901234567890";
        assert_eq!(code(secret, Timestamp(59_000)), "287082");
        let step = NOW.as_seconds() / 30;
        for (late, good) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
            let at = Timestamp(NOW.0 + late * 1000);
            let matched = matched_step(secret.to_vec(), &code(secret, at), NOW).unwrap();
            assert_eq!(matched, good.then_some(step + late / 30), "{late}");
        }
    }

    #[test]
    fn codes_are_read_as_apps_show_them_and_nothing_else_is_one() {
        let secret = b"12345678901234567890";
        let good = code(secret, NOW);
        let (one, other) = good.split_at(3);
        for typed in [good.clone(), format!(" {one} {other} "), format!("{one}-{other}")] {
            assert!(matched_step(secret.to_vec(), &typed, NOW).unwrap().is_some(), "{typed}");
        }
        for typed in
            ["", "0", "12345", "1234567", "abcdef", "+12345", &good[..5], &format!("{good}0"), "１２３４５６"]
        {
            assert_eq!(matched_step(secret.to_vec(), typed, NOW).unwrap(), None, "{typed}");
        }
    }
}
