//! Registration tokens: what an admin gives to people who may register (Matrix CS API, Token-authenticated
//! registration). Owns `registration_tokens`.
//!
//! An admin may choose one that people keep in mind, so its digest is keyed, and guesses are limited.

use std::time::Duration;

use crate::app::App;
use crate::http::rate_limits::{self, Action, Allowance};
use crate::http::requester::Requester;
use crate::ids::RegistrationTokenId;
use crate::random;
use crate::store::{Error, FromRow, On, Row, Store, Tx, query};
use crate::time::Timestamp;

/// The fewest characters of a token that an admin chooses.
pub const SHORTEST: usize = 8;
/// The most characters of a token (Matrix CS API, Token-authenticated registration).
pub const LONGEST: usize = 64;
/// How many of its first characters tell one token from another in a list.
const SHOWN: usize = 3;
/// How long one that has expired is still known for what it is.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Without letters that look like digits or others (Crockford's Base32).
const CHARACTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A token as an admin sees it; what lets people register is not stored.
#[derive(Clone, Debug)]
pub struct RegistrationToken {
    /// Its identifier.
    pub id: RegistrationTokenId,
    /// Its first characters.
    pub begins_with: String,
    /// How many may register with it; `None` for as many as like.
    pub uses_allowed: Option<i64>,
    /// How many have.
    pub uses: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is good no more.
    pub expires_at: Option<Timestamp>,
}

impl RegistrationToken {
    /// Whether nobody can register with it any more.
    pub fn why_useless(&self, now: Timestamp) -> Option<Useless> {
        if self.expires_at.is_some_and(|at| at <= now) {
            return Some(Useless::Expired);
        }
        self.uses_allowed.is_some_and(|allowed| self.uses >= allowed).then_some(Useless::UsedUp)
    }
}

impl FromRow for RegistrationToken {
    fn from_row(row: &Row) -> Result<RegistrationToken, Error> {
        Ok(RegistrationToken {
            id: row.get("id")?,
            begins_with: row.get("begins_with")?,
            uses_allowed: row.get("uses_allowed")?,
            uses: row.get("uses")?,
            created_at: row.get("created_at")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

/// Why nobody registers with a token. Who has one may know what became of it; that one was revoked nobody
/// needs to know, and it is unknown then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Useless {
    /// There is none like that.
    Unknown,
    /// As many have registered with it as it was made for.
    UsedUp,
    /// Its time is over.
    Expired,
    /// Nothing was looked at: there were too many wrong ones; after this time another one is allowed.
    TooManyGuesses(Duration),
}

/// Why a text cannot be a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsuitable {
    /// It could be guessed.
    #[error("a registration token has at least {SHORTEST} characters")]
    Short,
    /// Clients could not send it.
    #[error("a registration token has at most {LONGEST} characters")]
    Long,
    /// A character that clients could not send.
    #[error("a registration token has only letters from a to z, digits and . _ ~ -")]
    Characters,
}

/// A new token that nobody can guess.
pub fn generate() -> String {
    let mut bytes = [0u8; 16];
    random::fill(&mut bytes);
    let text: Vec<u8> = bytes.iter().map(|byte| CHARACTERS[usize::from(byte % 32)]).collect();
    let groups: Vec<&str> = text.chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join("-")
}

/// Whether a text can be a token.
///
/// # Errors
/// Why not.
pub fn suits(text: &str) -> Result<(), Unsuitable> {
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte)) {
        return Err(Unsuitable::Characters);
    }
    match text.len() {
        ..SHORTEST => Err(Unsuitable::Short),
        SHORTEST..=LONGEST => Ok(()),
        _ => Err(Unsuitable::Long),
    }
}

/// Adds a token that [`suits`].
///
/// # Errors
/// [`Error::Conflict`] when there is the same already.
pub async fn add(
    tx: &mut Tx,
    app: &App,
    token: &str,
    uses_allowed: Option<i64>,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<RegistrationToken, Error> {
    const ADD: &str = "
INSERT INTO registration_tokens (id, token_digest, begins_with, uses_allowed, uses, created_at, expires_at)
VALUES ($1, $2, $3, $4, 0, $5, $6)";
    let begins_with: String = token.chars().take(SHOWN).collect();
    let id = RegistrationTokenId::new(now);
    query(ADD)
        .bind(id)
        .bind(digest(app, token))
        .bind(&begins_with)
        .bind(uses_allowed)
        .bind(now)
        .bind(expires_at)
        .execute(tx)
        .await?;
    Ok(RegistrationToken { id, begins_with, uses_allowed, uses: 0, created_at: now, expires_at })
}

/// Up to `limit` tokens after the one named `after`, the oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    store: &Store,
    after: Option<RegistrationTokenId>,
    limit: i64,
) -> Result<Vec<RegistrationToken>, Error> {
    const LIST: &str = "
SELECT id, begins_with, uses_allowed, uses, created_at, expires_at FROM registration_tokens
WHERE id > $1 ORDER BY id LIMIT $2";
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    query(LIST).bind(after).bind(limit).fetch_all(store).await
}

/// Has nobody register with a token any more; `false` when there is none of that identifier.
///
/// # Errors
/// When the database fails.
pub async fn revoke(tx: &mut Tx, id: RegistrationTokenId) -> Result<bool, Error> {
    Ok(query("DELETE FROM registration_tokens WHERE id = $1").bind(id).execute(tx).await? == 1)
}

/// Whether somebody could register with a token as they typed it, without counting a use. Wrong ones are
/// counted by where they come from.
///
/// # Errors
/// When the database fails.
pub async fn check(
    app: &App,
    requester: &Requester,
    typed: &str,
) -> Result<Result<RegistrationTokenId, Useless>, Error> {
    // Each counts before it is looked for, so that many at once gain nothing.
    let from = requester.limit_key();
    let guess = Action::RegistrationTokenFrom(&from);
    if let Allowance::Exhausted(wait) = rate_limits::spend(app, &guess).await? {
        return Ok(Err(Useless::TooManyGuesses(wait)));
    }
    let found = match find(&app.store, app, typed).await? {
        Some(found) => found,
        None => return Ok(Err(Useless::Unknown)),
    };
    let mut tx = app.store.begin().await?;
    rate_limits::refund(&mut tx, app, &[guess]).await?;
    tx.commit().await?;
    Ok(match found.why_useless(app.clock.now()) {
        Some(useless) => Err(useless),
        None => Ok(found.id),
    })
}

/// Counts a use of a token that was [`check`]ed before, in the transaction of the registration: of two at once
/// that want its last use, one gets it.
///
/// # Errors
/// When the database fails.
pub async fn take(
    tx: &mut Tx,
    app: &App,
    typed: &str,
    now: Timestamp,
) -> Result<Result<RegistrationTokenId, Useless>, Error> {
    const TAKE: &str = "
UPDATE registration_tokens SET uses = uses + 1
WHERE token_digest = $1 AND (expires_at IS NULL OR expires_at > $2) AND (uses_allowed IS NULL OR uses < uses_allowed)
RETURNING id, begins_with, uses_allowed, uses, created_at, expires_at";
    let taken: Option<RegistrationToken> =
        query(TAKE).bind(digest(app, typed)).bind(now).fetch_optional(&mut *tx).await?;
    if let Some(taken) = taken {
        return Ok(Ok(taken.id));
    }
    let found = find(tx, app, typed).await?;
    Ok(Err(found.and_then(|found| found.why_useless(now)).unwrap_or(Useless::Unknown)))
}

async fn find(on: impl Into<On<'_>>, app: &App, typed: &str) -> Result<Option<RegistrationToken>, Error> {
    const FIND: &str = "
SELECT id, begins_with, uses_allowed, uses, created_at, expires_at FROM registration_tokens WHERE token_digest = $1";
    query(FIND).bind(digest(app, typed)).fetch_optional(on).await
}

fn digest(app: &App, typed: &str) -> String {
    app.keys.root().digest_of_registration_token(typed.trim().as_bytes())
}

/// Forgets those that expired long ago.
///
/// # Errors
/// When the database fails.
pub(super) async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    query("DELETE FROM registration_tokens WHERE expires_at < $1").bind(now - KEPT).execute(tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_that_every_client_can_send() {
        for _ in 0..20 {
            assert_eq!(suits(&generate()), Ok(()));
        }
        assert_ne!(generate(), generate());
        for good in ["chess-club-2026", "a.b_c~d-E9", &"x".repeat(LONGEST)] {
            assert_eq!(suits(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("", Unsuitable::Short),
            ("chess", Unsuitable::Short),
            (&*"x".repeat(LONGEST + 1), Unsuitable::Long),
            ("chess club 2026", Unsuitable::Characters),
            ("schachverein-für-alle", Unsuitable::Characters),
            ("chess-club\0", Unsuitable::Characters),
        ] {
            assert_eq!(suits(bad), Err(why), "{bad:?}");
        }
    }
}
