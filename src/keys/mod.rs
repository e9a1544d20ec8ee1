//! Keys and secrets: randomness, digests, tokens' form, encryption at rest, signing keys and the
//! hashing of passwords. Everything cryptographic is a library's; this room chooses and holds.

pub mod files;
mod keyring;
mod password_hash;
mod password_strength;
mod root_secret;
mod signing;
mod token_form;

pub use keyring::{KeyFacts, Keyring, KeyringError};
pub use password_hash::{HashError, HashPool, HashSettings, IMPORTED, Password, Verified};
pub use password_strength::Weakness;
pub use root_secret::{BrokenCiphertext, RootSecret, WeakRootSecret};
pub use signing::{Algorithm, KeyError, PrivateKey, PublishedKeys, SignatureError, SigningKey};
pub use token_form::{Family, TokenKind, digest_of_token};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

/// A fresh secret of 256 bits as base64url text, for cookies, codes and the like.
pub fn random_secret() -> String {
    let mut bytes = [0u8; 32];
    crate::random::fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// SHA-256 as base64url text: how secrets with enough randomness of their own are stored.
pub fn digest(data: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(sha256(data))
}

/// SHA-256 of the data.
pub fn sha256(data: impl AsRef<[u8]>) -> [u8; 32] {
    let mut out = [0u8; 32];
    out.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, data.as_ref()).as_ref());
    out
}

/// Compares two secrets in a time that depends only on their lengths. The one place where secrets
/// are compared.
pub fn equal_secrets(one: impl AsRef<[u8]>, other: impl AsRef<[u8]>) -> bool {
    one.as_ref().ct_eq(other.as_ref()).into()
}

/// Base64url without padding (RFC 4648 §5), as all of JOSE and PKCE write bytes.
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base64url without padding; `None` for anything else.
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
