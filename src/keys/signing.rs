//! The keys that sign ID tokens, and the set that is published for those who verify them.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde::Serialize;

use super::{base64url, sha256};
use crate::time::Timestamp;

/// A signature algorithm for JWTs (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256: what OpenID Connect clients expect when they named nothing.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// EdDSA on Ed25519.
    EdDsa,
}

impl Algorithm {
    /// All that we sign with.
    pub const ALL: [Algorithm; 3] = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa];

    /// The `alg` value.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Rs256 => "RS256",
            Algorithm::Es256 => "ES256",
            Algorithm::EdDsa => "EdDSA",
        }
    }

    /// Reads an `alg` value; `None` for one that we do not sign with.
    pub fn parse(text: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }
}

/// A private key, parsed once and held.
pub enum PrivateKey {
    /// For RS256.
    Rsa(Box<RsaKeyPair>),
    /// For ES256.
    P256(EcdsaKeyPair),
    /// For EdDSA.
    Ed25519(Ed25519KeyPair),
}

/// Why a key could not be made or read.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum KeyError {
    /// The bytes are not a PKCS#8 private key of the algorithm.
    #[error("not a PKCS#8 private key of its algorithm")]
    Invalid,
    /// The library could not generate a key.
    #[error("a key could not be generated")]
    Generate,
}

/// The library refused to sign.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the signing key could not sign")]
pub struct SignatureError;

impl PrivateKey {
    /// Generates a key (RSA with 2,048 bits) and returns it with its PKCS#8 encoding.
    ///
    /// # Errors
    /// [`KeyError::Generate`], which the library has no reason to give.
    pub fn generate(algorithm: Algorithm) -> Result<(PrivateKey, Vec<u8>), KeyError> {
        let pkcs8 = match algorithm {
            Algorithm::Rs256 => {
                let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generate)?;
                AsDer::<Pkcs8V1Der>::as_der(&key).map_err(|_| KeyError::Generate)?.as_ref().to_vec()
            }
            Algorithm::Es256 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                    .map_err(|_| KeyError::Generate)?
                    .as_ref()
                    .to_vec()
            }
            Algorithm::EdDsa => Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
                .map_err(|_| KeyError::Generate)?
                .as_ref()
                .to_vec(),
        };
        Ok((PrivateKey::from_pkcs8(algorithm, &pkcs8)?, pkcs8))
    }

    /// Reads a PKCS#8 encoding.
    ///
    /// # Errors
    /// [`KeyError::Invalid`] when it is not a key of that algorithm.
    pub fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<PrivateKey, KeyError> {
        let invalid = |_| KeyError::Invalid;
        Ok(match algorithm {
            Algorithm::Rs256 => PrivateKey::Rsa(Box::new(RsaKeyPair::from_pkcs8(pkcs8).map_err(invalid)?)),
            Algorithm::Es256 => PrivateKey::P256(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(invalid)?,
            ),
            Algorithm::EdDsa => PrivateKey::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8).map_err(invalid)?),
        })
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        match self {
            PrivateKey::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| SignatureError)?;
                Ok(signature)
            }
            PrivateKey::P256(key) => {
                Ok(key.sign(&SystemRandom::new(), message).map_err(|_| SignatureError)?.as_ref().to_vec())
            }
            PrivateKey::Ed25519(key) => Ok(key.sign(message).as_ref().to_vec()),
        }
    }

    /// The members of the public JWK that make up its thumbprint, in the order of RFC 7638 §3.2.
    fn public_members(&self) -> Vec<(&'static str, String)> {
        match self {
            PrivateKey::Rsa(key) => {
                let public = key.public_key();
                vec![
                    ("e", base64url(public.exponent().big_endian_without_leading_zero())),
                    ("kty", "RSA".to_owned()),
                    ("n", base64url(public.modulus().big_endian_without_leading_zero())),
                ]
            }
            PrivateKey::P256(key) => {
                // An uncompressed point: 0x04, then 32 bytes each of x and y.
                let point = key.public_key().as_ref();
                vec![
                    ("crv", "P-256".to_owned()),
                    ("kty", "EC".to_owned()),
                    ("x", base64url(point.get(1..33).unwrap_or_default())),
                    ("y", base64url(point.get(33..65).unwrap_or_default())),
                ]
            }
            PrivateKey::Ed25519(key) => vec![
                ("crv", "Ed25519".to_owned()),
                ("kty", "OKP".to_owned()),
                ("x", base64url(key.public_key().as_ref())),
            ],
        }
    }

    /// The SHA-256 thumbprint of the public key (RFC 7638), which serves as its `kid`.
    pub fn thumbprint(&self) -> String {
        let members: Vec<String> = self
            .public_members()
            .into_iter()
            .map(|(name, value)| format!("\"{name}\":\"{value}\""))
            .collect();
        base64url(sha256(format!("{{{}}}", members.join(","))))
    }
}

/// A key with its name and its times.
pub struct SigningKey {
    /// Its `kid`.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// Published before, used from here on.
    pub signs_from: Timestamp,
    /// When it leaves the published set.
    pub retires_at: Option<Timestamp>,
    /// The key itself.
    pub private_key: PrivateKey,
}

impl SigningKey {
    /// Signs claims as a JWT in compact form (RFC 7515 §7.1).
    ///
    /// # Errors
    /// When the library refuses to sign.
    pub fn sign_jwt(&self, claims: &impl Serialize) -> Result<String, SignatureError> {
        self.sign_jwt_of("JWT", claims)
    }

    /// The same with a type of its own (RFC 8725 §3.11), which [`PublishedKeys::verify_jwt`] refuses.
    ///
    /// # Errors
    /// When the library refuses to sign.
    pub fn sign_jwt_of(&self, typ: &str, claims: &impl Serialize) -> Result<String, SignatureError> {
        let header = serde_json::json!({ "alg": self.algorithm.as_str(), "kid": self.kid, "typ": typ });
        let claims = serde_json::to_vec(claims).map_err(|_| SignatureError)?;
        let message = format!("{}.{}", base64url(header.to_string()), base64url(claims));
        let signature = self.private_key.sign(message.as_bytes())?;
        Ok(format!("{message}.{}", base64url(signature)))
    }

    fn public_jwk(&self) -> serde_json::Value {
        let mut jwk = serde_json::Map::new();
        for (name, value) in self.private_key.public_members() {
            jwk.insert(name.to_owned(), value.into());
        }
        jwk.insert("kid".to_owned(), self.kid.clone().into());
        jwk.insert("alg".to_owned(), self.algorithm.as_str().into());
        jwk.insert("use".to_owned(), "sig".into());
        serde_json::Value::Object(jwk)
    }
}

/// All keys of the moment: those that sign and the set that is published.
pub struct PublishedKeys {
    keys: Vec<SigningKey>,
    jwks: Vec<u8>,
}

impl PublishedKeys {
    /// Takes the keys and prepares the published set once.
    pub fn new(keys: Vec<SigningKey>) -> PublishedKeys {
        let set = serde_json::json!({ "keys": keys.iter().map(SigningKey::public_jwk).collect::<Vec<_>>() });
        PublishedKeys { jwks: set.to_string().into_bytes(), keys }
    }

    /// The JWK set (RFC 7517 §5) as it is served.
    pub fn jwks(&self) -> &[u8] {
        &self.jwks
    }

    /// The claims of a plain JWT that one of these keys has signed, whatever its times say; `None` for one
    /// with a type of its own.
    pub fn verify_jwt(&self, token: &str) -> Option<serde_json::Value> {
        let header = decode_header(token).ok()?;
        header.typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT")).then_some(())?;
        let kid = header.kid?;
        let key = self.keys.iter().find(|key| key.kid == kid)?;
        let jwk: Jwk = serde_json::from_value(key.public_jwk()).ok()?;
        // The key says what it signs with; what the token says is not asked.
        let mut validation = Validation::new(key.algorithm.as_str().parse().ok()?);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        Some(decode(token, &DecodingKey::from_jwk(&jwk).ok()?, &validation).ok()?.claims)
    }

    /// The key that signs with the algorithm at this moment: the one that began last.
    pub fn signing_key(&self, algorithm: Algorithm, now: Timestamp) -> Option<&SigningKey> {
        let usable = self.keys.iter().filter(|key| key.algorithm == algorithm);
        let begun = usable.clone().filter(|key| key.signs_from <= now).max_by_key(|key| key.signs_from);
        // Only at the very first start can a key be asked for before any has begun.
        begun.or_else(|| usable.min_by_key(|key| key.signs_from))
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::JwkSet;

    use super::*;

    fn key(algorithm: Algorithm, signs_from: i64) -> SigningKey {
        let (private_key, pkcs8) = PrivateKey::generate(algorithm).unwrap();
        let read_back = PrivateKey::from_pkcs8(algorithm, &pkcs8).unwrap();
        assert_eq!(read_back.thumbprint(), private_key.thumbprint());
        let kid = private_key.thumbprint();
        SigningKey { kid, algorithm, signs_from: Timestamp(signs_from), retires_at: None, private_key }
    }

    #[test]
    fn another_library_verifies_every_algorithm_from_the_published_set() {
        let keys =
            PublishedKeys::new(Algorithm::ALL.into_iter().map(|algorithm| key(algorithm, 0)).collect());
        let set: JwkSet = serde_json::from_slice(keys.jwks()).unwrap();
        for algorithm in Algorithm::ALL {
            let key = keys.signing_key(algorithm, Timestamp(1)).unwrap();
            let token =
                key.sign_jwt(&serde_json::json!({ "sub": "alice", "exp": 4_000_000_000u64 })).unwrap();
            let jwk = set.find(&key.kid).unwrap();
            let expected = algorithm.as_str().parse().unwrap();
            let mut validation = Validation::new(expected);
            validation.validate_aud = false;
            let claims =
                decode::<serde_json::Value>(&token, &DecodingKey::from_jwk(jwk).unwrap(), &validation)
                    .unwrap();
            assert_eq!(claims.claims["sub"], "alice");
        }
    }

    #[test]
    fn a_new_key_is_published_before_it_signs() {
        let (old, new) = (key(Algorithm::Es256, 10), key(Algorithm::Es256, 20));
        let (old_kid, new_kid) = (old.kid.clone(), new.kid.clone());
        let keys = PublishedKeys::new(vec![old, new]);
        assert_eq!(keys.signing_key(Algorithm::Es256, Timestamp(19)).unwrap().kid, old_kid);
        assert_eq!(keys.signing_key(Algorithm::Es256, Timestamp(20)).unwrap().kid, new_kid);
        assert_eq!(keys.signing_key(Algorithm::Es256, Timestamp(1)).unwrap().kid, old_kid);
        assert!(keys.signing_key(Algorithm::Rs256, Timestamp(20)).is_none());
        assert!(String::from_utf8_lossy(keys.jwks()).contains(&new_kid));
    }
}
