//! What the server must know again at the end of a ceremony. It travels with the page, since anybody may open
//! a sign-in page and nothing should be stored for that: proven to be ours, bound to the browser, good for
//! a while, and once.

use std::time::Duration;

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, PasskeyRegistration, SecurityKeyAuthentication, SecurityKeyRegistration,
};

use super::{Refused, sql};
use crate::app::App;
use crate::ids::UserId;
use crate::keys;
use crate::store::{self, Tx};
use crate::time::Timestamp;

/// How long a page may be open before its ceremony ends: people look for their key, and autofill waits
/// until somebody comes back to the page.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// What a page needs for a ceremony.
#[derive(Clone, Debug)]
pub struct Ceremony {
    /// What the browser is asked, as JSON (WebAuthn L3 §5.1.8 and §5.1.9).
    pub options: String,
    /// What comes back to us with the answer.
    pub sealed: String,
}

/// What kind of ceremony it is, with what the answer is compared to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Enrols a passkey.
    EnrolPasskey(UserId, PasskeyRegistration),
    /// Enrols a security key.
    EnrolSecurityKey(UserId, SecurityKeyRegistration),
    /// Signs in whoever has a passkey.
    SignIn(DiscoverableAuthentication),
    /// Confirms that somebody who has proved to be this user also has one of their keys.
    Confirm(UserId, SecurityKeyAuthentication),
}

#[derive(Serialize, Deserialize)]
struct Begun {
    expires_at: Timestamp,
    state: State,
}

/// A ceremony that came back.
pub(super) struct Opened {
    pub state: State,
    digest: String,
    expires_at: Timestamp,
}

impl Opened {
    /// Ends the ceremony; `false` when it was over already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn use_up(&self, tx: &mut Tx) -> Result<bool, store::Error> {
        sql::use_up(tx, &self.digest, self.expires_at).await
    }
}

/// Puts a ceremony into the form in which it travels with a page to `browser`, the secret of that browser.
///
/// # Errors
/// When the state cannot be written, which it has no reason to.
pub(super) fn seal(app: &App, browser: &str, state: State) -> Result<String, serde_json::Error> {
    let begun = serde_json::to_vec(&Begun { expires_at: app.clock.now() + LIFETIME, state })?;
    let proof = hmac::sign(app.keys.root().ceremony_key(), &bound(browser, &begun));
    Ok(format!("{}.{}", keys::base64url(&begun), keys::base64url(proof)))
}

/// Reads what [`seal`] made for the same browser.
///
/// # Errors
/// [`Refused::Stale`] for anything else, and when it is too old.
pub(super) fn open(app: &App, browser: &str, sealed: &str) -> Result<Opened, Refused> {
    let read = |sealed: &str| {
        let (begun, proof) = sealed.split_once('.')?;
        let (begun, proof) = (keys::from_base64url(begun)?, keys::from_base64url(proof)?);
        hmac::verify(app.keys.root().ceremony_key(), &bound(browser, &begun), &proof).ok()?;
        let Begun { expires_at, state } = serde_json::from_slice(&begun).ok()?;
        Some(Opened { state, digest: keys::digest(&begun), expires_at })
    };
    read(sealed).filter(|opened| app.clock.now() < opened.expires_at).ok_or(Refused::Stale)
}

fn bound(browser: &str, begun: &[u8]) -> Vec<u8> {
    [keys::sha256(browser).as_slice(), begun].concat()
}

/// Forgets ceremonies that could no longer come back.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), store::Error> {
    sql::expire(tx, now).await
}
