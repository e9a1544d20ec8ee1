//! What a browser computes before somebody makes an account: a number that is found only by trying, and
//! checked by one hash. Nobody else is asked, and there is nothing to see or hear that somebody might not.
//!
//! The challenge travels with the page, since anybody may open that and nothing should be stored for it: proven
//! to be ours, bound to the browser, good for a while, and once. Owns `used_captchas`.

use std::time::Duration;

use askama::Template;
use aws_lc_rs::hmac;

use crate::app::App;
use crate::http::form::Parameters;
use crate::http::pages::Frame;
use crate::keys;
use crate::random;
use crate::store::{self, Tx, query};
use crate::time::Timestamp;

/// How long somebody may take to fill in the form.
const LIFETIME: Duration = Duration::from_secs(30 * 60);

/// What a page needs for it: see `templates/parts/captcha.html` and `frontend/captcha.js`.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// What stands before the number that is looked for.
    pub salt: String,
    /// The SHA-256 of `salt`, a dot and the number, in base64url.
    pub target: String,
    /// The number is below this.
    pub work: u32,
    /// What comes back to us with the number.
    pub sealed: String,
}

/// What a form has for it, by itself.
#[derive(Debug, Template)]
#[template(path = "parts/captcha.html")]
pub struct CaptchaPart<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// The challenge, if there is one.
    pub captcha: Option<Challenge>,
}

/// Why a form does not show that a browser has computed what it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unproven {
    /// It came without a number: the browser ran no JavaScript, or was not yet done.
    Missing,
    /// The page is too old, was made for another browser, or its challenge was used before.
    Stale,
    /// The number is not the one.
    Wrong,
}

/// A challenge that was met, and counts once.
#[derive(Debug)]
pub struct Proof {
    digest: String,
    expires_at: Timestamp,
}

/// A new challenge for `browser`, the secret of that browser; `None` when there is no captcha here.
pub fn begin(app: &App, browser: &str) -> Option<Challenge> {
    let work = Some(app.config.captcha.work).filter(|work| *work > 0)?;
    let (mut salt, mut number) = ([0u8; 16], [0u8; 8]);
    random::fill(&mut salt);
    random::fill(&mut number);
    let salt = keys::base64url(salt);
    let target = hash(&salt, u64::from_be_bytes(number) % u64::from(work));
    let begun = format!("{}.{salt}.{target}", (app.clock.now() + LIFETIME).0);
    let proof = hmac::sign(app.keys.root().captcha_key(), &bound(browser, &begun));
    let sealed = format!("{begun}.{}", keys::base64url(proof));
    Some(Challenge { salt, target, work, sealed })
}

/// Reads the number in a form, in the fields `captcha` and `captcha_answer`, and checks it. The account is
/// made only if [`Proof::use_up`] agrees in the same transaction.
///
/// # Errors
/// [`Unproven`].
pub fn check(app: &App, browser: &str, form: &Parameters) -> Result<Proof, Unproven> {
    let answer = form.get("captcha_answer").filter(|answer| !answer.is_empty()).ok_or(Unproven::Missing)?;
    let sealed = form.get("captcha").ok_or(Unproven::Missing)?;
    let (begun, proof) = sealed.rsplit_once('.').ok_or(Unproven::Stale)?;
    let proof = keys::from_base64url(proof).ok_or(Unproven::Stale)?;
    hmac::verify(app.keys.root().captcha_key(), &bound(browser, begun), &proof)
        .map_err(|_| Unproven::Stale)?;
    let mut parts = begun.split('.');
    let expires_at = parts.next().and_then(|at| at.parse().ok()).map(Timestamp).ok_or(Unproven::Stale)?;
    let (Some(salt), Some(target)) = (parts.next(), parts.next()) else { return Err(Unproven::Stale) };
    if expires_at <= app.clock.now() {
        return Err(Unproven::Stale);
    }
    let number: u32 = answer.parse().map_err(|_| Unproven::Wrong)?;
    match keys::equal_secrets(hash(salt, number.into()), target) {
        true => Ok(Proof { digest: keys::digest(begun), expires_at }),
        false => Err(Unproven::Wrong),
    }
}

impl Proof {
    /// Has the challenge count; `false` when it has before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn use_up(&self, tx: &mut Tx) -> Result<bool, store::Error> {
        const USE_UP: &str =
            "INSERT INTO used_captchas (digest, expires_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING";
        Ok(query(USE_UP).bind(&self.digest).bind(self.expires_at).execute(tx).await? == 1)
    }
}

/// Forgets challenges that could no longer come back.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), store::Error> {
    query("DELETE FROM used_captchas WHERE expires_at <= $1").bind(now).execute(tx).await?;
    Ok(())
}

fn hash(salt: &str, number: u64) -> String {
    keys::digest(format!("{salt}.{number}"))
}

fn bound(browser: &str, begun: &str) -> Vec<u8> {
    [keys::sha256(browser).as_slice(), begun.as_bytes()].concat()
}
