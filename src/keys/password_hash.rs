//! Hashing of passwords: argon2id for new ones, other schemes only until the next sign-in, and
//! never more at once than the processor can do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, Params};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::password_strength::{Weakness, weakness};

/// The longest password, in bytes. Long enough for any passphrase, short enough that hashing it is
/// no burden.
const LONGEST: usize = 1024;

/// Bcrypt reads no more than this many bytes.
const BCRYPT_LONGEST: usize = 72;

/// A password as someone typed it; wiped from memory when it is dropped.
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes a password as it was typed.
    ///
    /// # Errors
    /// [`HashError::Unusable`] for one of more than 1,024 bytes or with a NUL character.
    pub fn new(text: String) -> Result<Password, HashError> {
        let password = Password(Zeroizing::new(text));
        if password.0.len() > LONGEST || password.0.contains('\0') {
            return Err(HashError::Unusable);
        }
        Ok(password)
    }

    /// How many characters it has, for rules about its length (NIST SP 800-63B-4 §3.1.1.2 counts
    /// code points after normalisation).
    pub fn length(&self) -> usize {
        self.normalized().chars().count()
    }

    /// How lists of stolen passwords name it.
    pub fn sha1(&self) -> [u8; 20] {
        let mut out = [0u8; 20];
        let sha1 = &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY;
        out.copy_from_slice(aws_lc_rs::digest::digest(sha1, self.normalized().as_bytes()).as_ref());
        out
    }

    /// NFKC, so that the same password typed on another keyboard is the same bytes.
    fn normalized(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.nfkc().collect())
    }
}

/// How new passwords are hashed.
#[derive(Clone, Debug)]
pub struct HashSettings {
    /// Memory of one hash in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
    /// Mixed into every hash and kept outside the database.
    pub pepper: Vec<u8>,
    /// Appended to passwords before bcrypt, as the homeserver did that made those hashes.
    pub bcrypt_pepper: String,
    /// Hashes under way at once.
    pub parallel: usize,
    /// Callers that may wait for their turn.
    pub waiting: usize,
    /// A refusal is never answered sooner than this after the question, whatever there was to do.
    pub refusal_floor: Duration,
}

/// Why a password could not be hashed or compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Longer than 1,024 bytes, or with a NUL character.
    #[error("a password has at most 1,024 bytes and no NUL character")]
    Unusable,
    /// Too many are waiting already.
    #[error("too many sign-ins at once; try again in a moment")]
    Busy,
    /// The cost settings are outside of what argon2 allows, or a stored hash is of no known scheme.
    #[error("the password could not be hashed or compared")]
    Scheme,
}

/// The outcome of a comparison.
pub struct Verified {
    /// Whether the password is the one that was hashed.
    pub is_right: bool,
    /// A new hash to store instead, when the old one was made in another way than hashes are now.
    pub upgrade: Option<(String, i64)>,
}

/// Hashes from elsewhere, which do not have our pepper.
pub const IMPORTED: i64 = 0;
/// Argon2id with our pepper.
const CURRENT: i64 = 1;

/// The threads' share for password hashing: as many at once as there are cores, a bounded number
/// waiting, and the rest turned away at once. Cheap to clone.
#[derive(Clone)]
pub struct HashPool(Arc<Pool>);

struct Pool {
    settings: HashSettings,
    parameters: Params,
    /// A hash of nothing in particular, compared when there is no account to compare with.
    decoy: String,
    turns: Semaphore,
    waiting: AtomicUsize,
    compared: AtomicU64,
}

impl HashPool {
    /// Prepares the pool.
    ///
    /// # Errors
    /// [`HashError::Scheme`] for cost settings outside of what argon2 allows.
    pub fn new(settings: HashSettings) -> Result<HashPool, HashError> {
        let parameters = Params::new(settings.memory_kib, settings.iterations, settings.parallelism, None)
            .map_err(|_| HashError::Scheme)?;
        let pool = Pool {
            turns: Semaphore::new(settings.parallel.max(1)),
            settings,
            decoy: decoy(&parameters)?,
            parameters,
            waiting: AtomicUsize::new(0),
            compared: AtomicU64::new(0),
        };
        Ok(HashPool(Arc::new(pool)))
    }

    /// Hashes a new password; the answer is the hash and the version of its scheme.
    ///
    /// # Errors
    /// [`HashError::Busy`] when too many are waiting.
    pub async fn hash(&self, password: Password) -> Result<(String, i64), HashError> {
        self.run(move |pool| Ok((pool.hash_now(&password.normalized())?, CURRENT))).await
    }

    /// As [`HashPool::hash`], unless the password is easily guessed by somebody who knows these words about the
    /// person: then the answer is why. Less is asked of those who have a second factor.
    ///
    /// # Errors
    /// [`HashError::Busy`] when too many are waiting.
    pub async fn hash_unless_guessable(
        &self,
        password: Password,
        words: Vec<String>,
        has_second: bool,
    ) -> Result<Result<(String, i64), Weakness>, HashError> {
        self.run(move |pool| match weakness(&password.normalized(), &words, has_second) {
            Some(weakness) => Ok(Err(weakness)),
            None => Ok(Ok((pool.hash_now(&password.normalized())?, CURRENT))),
        })
        .await
    }

    /// Compares a password with a stored hash. Without one, as much work is done and the answer is
    /// no; and every no comes after the same time at least, so that it tells nothing.
    ///
    /// # Errors
    /// [`HashError::Busy`] when too many are waiting, [`HashError::Scheme`] for a hash that no
    /// scheme of ours made.
    pub async fn verify(
        &self,
        password: Password,
        stored: Option<(String, i64)>,
    ) -> Result<Verified, HashError> {
        let asked = Instant::now();
        let verified = self.run(move |pool| pool.verify_now(&password, stored)).await?;
        if !verified.is_right {
            self.hold_back(asked).await;
        }
        Ok(verified)
    }

    /// Waits until a refusal is answered to what was asked at that moment.
    pub async fn hold_back(&self, asked: Instant) {
        tokio::time::sleep_until(asked + self.0.settings.refusal_floor).await;
    }

    /// How many comparisons were made since the start.
    pub fn compared(&self) -> u64 {
        self.0.compared.load(Ordering::Relaxed)
    }

    /// How many hashes are under way, and how many callers wait for theirs.
    pub fn load(&self) -> (usize, usize) {
        let running = self.0.settings.parallel.max(1).saturating_sub(self.0.turns.available_permits());
        (running, self.0.waiting.load(Ordering::Relaxed))
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Pool) -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let _turn = match self.0.turns.try_acquire() {
            Ok(turn) => turn,
            Err(_) => {
                let queue = Queue::join(&self.0)?;
                let turn = self.0.turns.acquire().await.map_err(|_| HashError::Busy)?;
                drop(queue);
                turn
            }
        };
        let pool = self.0.clone();
        tokio::task::spawn_blocking(move || work(&pool)).await.map_err(|_| HashError::Busy)?
    }
}

/// What a hash of that cost looks like, for which nobody knows a password.
fn decoy(parameters: &Params) -> Result<String, HashError> {
    let mut random = [0u8; 16 + 32];
    crate::random::fill(&mut random);
    let hash = PasswordHash {
        algorithm: argon2::ARGON2ID_IDENT,
        version: Some(argon2::Version::V0x13.into()),
        params: parameters.try_into().map_err(|_| HashError::Scheme)?,
        salt: Some(Salt::new(&random[..16]).map_err(|_| HashError::Scheme)?),
        hash: Some(Output::new(&random[16..]).map_err(|_| HashError::Scheme)?),
    };
    Ok(hash.to_string())
}

/// A place among those who wait; given back when the wait is over or given up.
struct Queue<'a>(&'a AtomicUsize);

impl<'a> Queue<'a> {
    fn join(pool: &'a Pool) -> Result<Queue<'a>, HashError> {
        let place = Queue(&pool.waiting);
        if pool.waiting.fetch_add(1, Ordering::Relaxed) >= pool.settings.waiting {
            return Err(HashError::Busy);
        }
        Ok(place)
    }
}

impl Drop for Queue<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    fn argon2(&self) -> Result<Argon2<'_>, HashError> {
        Argon2::new_with_secret(
            &self.settings.pepper,
            argon2::Algorithm::Argon2id,
            argon2::Version::V0x13,
            self.parameters.clone(),
        )
        .map_err(|_| HashError::Scheme)
    }

    fn hash_now(&self, password: &str) -> Result<String, HashError> {
        let mut salt = [0u8; 16];
        crate::random::fill(&mut salt);
        let hash = self.argon2()?.hash_password_with_salt(password.as_bytes(), &salt);
        Ok(hash.map_err(|_| HashError::Scheme)?.to_string())
    }

    fn verify_now(&self, password: &Password, stored: Option<(String, i64)>) -> Result<Verified, HashError> {
        self.compared.fetch_add(1, Ordering::Relaxed);
        let normalized = password.normalized();
        let Some((hash, version)) = stored else {
            self.matches(&normalized, &self.decoy, CURRENT)?;
            return Ok(Verified { is_right: false, upgrade: None });
        };
        let is_right = self.matches(&normalized, &hash, version)?;
        let upgrade = match is_right && !self.is_up_to_date(&hash, version) {
            true => Some((self.hash_now(&normalized)?, CURRENT)),
            false => None,
        };
        Ok(Verified { is_right, upgrade })
    }

    fn matches(&self, password: &str, hash: &str, version: i64) -> Result<bool, HashError> {
        if hash.starts_with("$2") {
            return bcrypt_matches(password, &self.settings.bcrypt_pepper, hash);
        }
        let parsed = PasswordHash::new(hash).map_err(|_| HashError::Scheme)?;
        if hash.starts_with("$pbkdf2") {
            return Ok(pbkdf2::Pbkdf2::default().verify_password(password.as_bytes(), &parsed).is_ok());
        }
        if !hash.starts_with("$argon2") {
            return Err(HashError::Scheme);
        }
        let argon2 = match version {
            IMPORTED => Argon2::default(),
            _ => self.argon2()?,
        };
        Ok(argon2.verify_password(password.as_bytes(), &parsed).is_ok())
    }

    fn is_up_to_date(&self, hash: &str, version: i64) -> bool {
        let parameters = PasswordHash::new(hash).ok().and_then(|hash| Params::try_from(&hash).ok());
        version == CURRENT
            && hash.starts_with("$argon2id$")
            && parameters.is_some_and(|hashed| {
                (hashed.m_cost(), hashed.t_cost(), hashed.p_cost())
                    == (self.parameters.m_cost(), self.parameters.t_cost(), self.parameters.p_cost())
            })
    }
}

/// Synapse's rule: NFKC, then the pepper, then no more than 72 bytes of it.
fn bcrypt_matches(password: &str, pepper: &str, hash: &str) -> Result<bool, HashError> {
    let peppered = Zeroizing::new(format!("{password}{pepper}").into_bytes());
    let read = &peppered[..peppered.len().min(BCRYPT_LONGEST)];
    bcrypt::verify(read, hash).map_err(|_| HashError::Scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(change: impl FnOnce(&mut HashSettings)) -> HashPool {
        let mut settings = HashSettings {
            memory_kib: 64,
            iterations: 1,
            parallelism: 1,
            pepper: b"pepper".to_vec(),
            bcrypt_pepper: String::new(),
            parallel: 1,
            waiting: 8,
            refusal_floor: Duration::ZERO,
        };
        change(&mut settings);
        HashPool::new(settings).unwrap()
    }

    fn password(text: &str) -> Password {
        Password::new(text.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn a_password_matches_its_hash_in_any_normal_form_and_needs_the_pepper() {
        let pool = pool(|_| ());
        let stored = pool.hash(password("caf\u{e9} au lait")).await.unwrap();
        assert!(stored.0.starts_with("$argon2id$"));
        assert!(pool.verify(password("cafe\u{301} au lait"), Some(stored.clone())).await.unwrap().is_right);
        assert!(!pool.verify(password("cafe au lait"), Some(stored.clone())).await.unwrap().is_right);
        let other = super::tests::pool(|settings| settings.pepper = b"salt".to_vec());
        assert!(!other.verify(password("caf\u{e9} au lait"), Some(stored)).await.unwrap().is_right);
    }

    #[tokio::test]
    async fn a_hash_of_other_cost_or_scheme_is_replaced_once_the_password_was_right() {
        let cheap = pool(|_| ());
        let dear = pool(|settings| settings.iterations = 2);
        let stored = cheap.hash(password("correct horse")).await.unwrap();
        assert!(
            cheap.verify(password("correct horse"), Some(stored.clone())).await.unwrap().upgrade.is_none()
        );
        assert!(dear.verify(password("wrong horse"), Some(stored.clone())).await.unwrap().upgrade.is_none());
        let upgrade = dear.verify(password("correct horse"), Some(stored)).await.unwrap().upgrade.unwrap();
        assert!(upgrade.0.contains("t=2"));
        assert!(dear.verify(password("correct horse"), Some(upgrade)).await.unwrap().is_right);
    }

    #[tokio::test]
    async fn bcrypt_follows_the_homeserver_with_pepper_and_72_bytes() {
        let peppered = pool(|settings| settings.bcrypt_pepper = "peper".to_owned());
        let hash = bcrypt::hash("\u{fb01}sh and chipspeper".nfkc().collect::<String>(), 4).unwrap();
        let verified =
            peppered.verify(password("\u{fb01}sh and chips"), Some((hash.clone(), IMPORTED))).await.unwrap();
        assert!(verified.is_right);
        assert!(verified.upgrade.unwrap().0.starts_with("$argon2id$"));
        assert!(
            !pool(|_| ()).verify(password("fish and chips"), Some((hash, IMPORTED))).await.unwrap().is_right
        );

        let long = "x".repeat(80);
        let hash = bcrypt::hash("x".repeat(72), 4).unwrap();
        assert!(peppered.verify(password(&long), Some((hash, IMPORTED))).await.unwrap().is_right);
    }

    #[tokio::test]
    async fn pbkdf2_verifies_and_is_replaced() {
        let hash = pbkdf2::Pbkdf2::default().hash_password_with_salt(b"tr0ub4dor", b"0123456789abcdef");
        let hash: argon2::password_hash::phc::PasswordHash = hash.unwrap();
        let verified =
            pool(|_| ()).verify(password("tr0ub4dor"), Some((hash.to_string(), IMPORTED))).await.unwrap();
        assert!(verified.is_right && verified.upgrade.is_some());
    }

    #[tokio::test]
    async fn without_an_account_as_much_work_is_done() {
        let pool = pool(|_| ());
        assert!(!pool.verify(password("anything"), None).await.unwrap().is_right);
        assert_eq!(pool.compared(), 1);
    }

    #[tokio::test]
    async fn every_refusal_comes_after_the_same_time_at_least() {
        let pool = pool(|settings| settings.refusal_floor = Duration::from_millis(100));
        let stored = pool.hash(password("correct horse")).await.unwrap();
        for stored in [None, Some(stored)] {
            let asked = Instant::now();
            assert!(!pool.verify(password("wrong"), stored).await.unwrap().is_right);
            assert!(asked.elapsed() >= Duration::from_millis(100));
        }
    }

    #[tokio::test]
    async fn more_than_may_wait_are_turned_away() {
        let pool = pool(|settings| settings.waiting = 1);
        let turn = pool.0.turns.acquire().await.unwrap();
        let six = futures_util::future::join_all((0..6).map(|_| pool.verify(password("x"), None)));
        let (all, ()) = tokio::join!(six, async { drop(turn) });
        let busy = all.iter().filter(|answer| matches!(answer, Err(HashError::Busy))).count();
        assert_eq!(busy, 5);
        assert!(pool.verify(password("x"), None).await.is_ok());
    }

    #[test]
    fn a_password_is_bounded_and_holds_no_nul() {
        assert!(Password::new("x".repeat(LONGEST)).is_ok());
        assert!(Password::new("x".repeat(LONGEST + 1)).is_err());
        assert!(Password::new("a\0b".to_owned()).is_err());
        assert_eq!(password("caf\u{65}\u{301}").length(), 4);
    }
}
