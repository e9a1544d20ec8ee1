//! The one secret from which the others follow.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, hmac};

use super::{base64url, from_base64url};

/// 256 bits kept outside the database; keys for everything that is encrypted, peppered or
/// authenticated by us follow from it (HKDF-SHA-256, RFC 5869), one for each purpose.
#[derive(Clone)]
pub struct RootSecret {
    encryption: [u8; 32],
    pepper: [u8; 32],
    check: [u8; 32],
    family: hmac::Key,
    successor: hmac::Key,
    form: hmac::Key,
    user_code: hmac::Key,
    recovery_code: hmac::Key,
    registration_token: hmac::Key,
    captcha: hmac::Key,
    ceremony: hmac::Key,
    sealing: hmac::Key,
}

/// The length that is asked of HKDF.
struct KeyLength;

impl hkdf::KeyType for KeyLength {
    fn len(&self) -> usize {
        32
    }
}

impl RootSecret {
    /// Takes the secret as text, as a file or the configuration holds it.
    ///
    /// # Errors
    /// When the text is shorter than 32 characters: then it can hardly hold 128 bits.
    pub fn new(text: &str) -> Result<RootSecret, WeakRootSecret> {
        let text = text.trim();
        if text.chars().count() < 32 {
            return Err(WeakRootSecret);
        }
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, b"gatehouse root secret").extract(text.as_bytes());
        let derive = |purpose: &str| {
            let mut key = [0u8; 32];
            let info = [purpose.as_bytes()];
            let filled = extracted.expand(&info, KeyLength).and_then(|okm| okm.fill(&mut key));
            filled.map(|()| key).map_err(|_| WeakRootSecret)
        };
        Ok(RootSecret {
            encryption: derive("encryption at rest")?,
            pepper: derive("password pepper")?,
            check: derive("check value")?,
            family: hmac::Key::new(hmac::HMAC_SHA256, &derive("access token family")?),
            successor: hmac::Key::new(hmac::HMAC_SHA256, &derive("successor tokens")?),
            form: hmac::Key::new(hmac::HMAC_SHA256, &derive("form tokens")?),
            user_code: hmac::Key::new(hmac::HMAC_SHA256, &derive("user codes")?),
            recovery_code: hmac::Key::new(hmac::HMAC_SHA256, &derive("recovery codes")?),
            registration_token: hmac::Key::new(hmac::HMAC_SHA256, &derive("registration tokens")?),
            captcha: hmac::Key::new(hmac::HMAC_SHA256, &derive("captchas")?),
            ceremony: hmac::Key::new(hmac::HMAC_SHA256, &derive("passkey ceremonies")?),
            sealing: hmac::Key::new(hmac::HMAC_SHA256, &derive("sealed by identifier")?),
        })
    }

    /// A new secret that nobody else holds; for tests of what follows from one.
    #[cfg(test)]
    pub fn generate() -> RootSecret {
        match RootSecret::new(&super::random_secret()) {
            Ok(secret) => secret,
            Err(error) => panic!("{error}"),
        }
    }

    /// A value that tells two root secrets apart and nothing about either.
    pub fn check_value(&self) -> String {
        base64url(self.check)
    }

    /// The pepper of passwords when the configuration names none.
    pub fn password_pepper(&self) -> &[u8] {
        &self.pepper
    }

    /// The key that ties a form to the browser it was made for.
    pub fn form_key(&self) -> &hmac::Key {
        &self.form
    }

    /// The key that proves what a page was given to begin a ceremony with a passkey.
    pub fn ceremony_key(&self) -> &hmac::Key {
        &self.ceremony
    }

    /// The key that proves what a page was given for its browser to compute.
    pub fn captcha_key(&self) -> &hmac::Key {
        &self.captcha
    }

    /// What the database knows of a code that people type: too short for a digest without a key. Codes
    /// of different kinds must differ in what stands before them.
    pub fn digest_of_user_code(&self, code: &[u8]) -> String {
        base64url(hmac::sign(&self.user_code, code))
    }

    /// What the database knows of a recovery code and whose it is.
    pub fn digest_of_recovery_code(&self, code: &[u8]) -> String {
        base64url(hmac::sign(&self.recovery_code, code))
    }

    /// What the database knows of a registration token.
    pub fn digest_of_registration_token(&self, token: &[u8]) -> String {
        base64url(hmac::sign(&self.registration_token, token))
    }

    pub(super) fn family_key(&self) -> &hmac::Key {
        &self.family
    }

    pub(super) fn successor_key(&self) -> &hmac::Key {
        &self.successor
    }

    /// Encrypts what must be read back later (AES-256-GCM). `context` says what it is, and must be
    /// the same when it is decrypted.
    ///
    /// # Errors
    /// When the cipher fails, which it has no reason to.
    pub fn encrypt(&self, context: &str, plain: &[u8]) -> Result<String, BrokenCiphertext> {
        encrypt(&self.encryption, context, plain.to_vec()).map(base64url)
    }

    /// Decrypts what [`RootSecret::encrypt`] made.
    ///
    /// # Errors
    /// When the text was changed, or made under another root secret or for another context.
    pub fn decrypt(&self, context: &str, text: &str) -> Result<Vec<u8>, BrokenCiphertext> {
        decrypt(&self.encryption, context, from_base64url(text).ok_or(BrokenCiphertext)?)
    }

    /// Encrypts what travels through a browser and comes back, with an identifier, under a key that follows from
    /// that: anybody may have as many made as they like, which would wear out random nonces under one key (NIST SP
    /// 800-38D §8.3). `context` says what it is.
    ///
    /// # Errors
    /// When the cipher fails, which it has no reason to.
    pub fn seal(&self, context: &str, id: [u8; 16], plain: Vec<u8>) -> Result<String, BrokenCiphertext> {
        let mut sealed = id.to_vec();
        sealed.append(&mut encrypt(&self.key_of(&id)?, context, plain)?);
        Ok(base64url(sealed))
    }

    /// The identifier, and what [`RootSecret::seal`] has encrypted.
    ///
    /// # Errors
    /// When the text was changed, or made under another root secret or for another context.
    pub fn open(&self, context: &str, text: &str) -> Result<([u8; 16], Vec<u8>), BrokenCiphertext> {
        let mut id = from_base64url(text).ok_or(BrokenCiphertext)?;
        if id.len() < 16 {
            return Err(BrokenCiphertext);
        }
        let sealed = id.split_off(16);
        let id = id.try_into().map_err(|_| BrokenCiphertext)?;
        Ok((id, decrypt(&self.key_of(&id)?, context, sealed)?))
    }

    fn key_of(&self, id: &[u8; 16]) -> Result<[u8; 32], BrokenCiphertext> {
        hmac::sign(&self.sealing, id).as_ref().try_into().map_err(|_| BrokenCiphertext)
    }
}

fn encrypt(key: &[u8; 32], context: &str, mut data: Vec<u8>) -> Result<Vec<u8>, BrokenCiphertext> {
    let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| BrokenCiphertext)?;
    let nonce = key.seal_in_place_append_tag(Aad::from(context.as_bytes()), &mut data);
    let mut out = nonce.map_err(|_| BrokenCiphertext)?.as_ref().to_vec();
    out.append(&mut data);
    Ok(out)
}

fn decrypt(key: &[u8; 32], context: &str, mut data: Vec<u8>) -> Result<Vec<u8>, BrokenCiphertext> {
    if data.len() < NONCE_LEN {
        return Err(BrokenCiphertext);
    }
    let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| BrokenCiphertext)?;
    let mut sealed = data.split_off(NONCE_LEN);
    let nonce = Nonce::try_assume_unique_for_key(&data).map_err(|_| BrokenCiphertext)?;
    let plain = key.open_in_place(nonce, Aad::from(context.as_bytes()), &mut sealed);
    Ok(plain.map_err(|_| BrokenCiphertext)?.to_vec())
}

/// The root secret is too short to be one.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "the root secret must have at least 32 characters of good randomness, such as `openssl rand -base64 32` prints"
)]
pub struct WeakRootSecret;

/// A stored secret does not decrypt.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a stored secret does not decrypt under the present root secret")]
pub struct BrokenCiphertext;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encrypted_is_read_back_only_under_the_same_secret_and_context() {
        let root = RootSecret::generate();
        let sealed = root.encrypt("signing key 1", b"private").unwrap();
        assert_eq!(root.decrypt("signing key 1", &sealed).unwrap(), b"private");
        assert!(root.decrypt("signing key 2", &sealed).is_err());
        assert!(RootSecret::generate().decrypt("signing key 1", &sealed).is_err());
        assert!(root.decrypt("signing key 1", "AAAA").is_err());
        assert_ne!(sealed, root.encrypt("signing key 1", b"private").unwrap());
    }

    #[test]
    fn the_same_text_gives_the_same_secrets_and_a_short_one_is_refused() {
        let text = super::super::random_secret();
        let (one, other) = (RootSecret::new(&text).unwrap(), RootSecret::new(&format!(" {text}\n")).unwrap());
        assert_eq!(one.check_value(), other.check_value());
        assert_ne!(one.check_value(), RootSecret::generate().check_value());
        assert!(RootSecret::new("short").is_err());
    }
}
