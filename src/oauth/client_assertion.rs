//! Client authentication by a signed JWT (`private_key_jwt`: RFC 7523 §3, OpenID Connect Core §9).

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use super::error::{Challenge, Error};
use super::metadata::endpoint;
use crate::app::App;
use crate::clients::{Client, assertions};
use crate::ids::ClientId;
use crate::time::Timestamp;

/// The one `client_assertion_type` (RFC 7523 §2.2).
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What clients may sign with, and how metadata spells it.
pub(super) const ALGORITHMS: [(Algorithm, &str); 4] = [
    (Algorithm::RS256, "RS256"),
    (Algorithm::PS256, "PS256"),
    (Algorithm::ES256, "ES256"),
    (Algorithm::EdDSA, "EdDSA"),
];

/// How far ahead an assertion may expire. It is remembered until then.
const LONGEST: Duration = Duration::from_secs(10 * 60);
/// How far the client's clock may be off.
const LEEWAY: Duration = Duration::from_secs(30);

/// Numbers in claims may have fractions (RFC 7519 §2, NumericDate).
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: f64,
    nbf: Option<f64>,
    jti: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// The client that an assertion speaks for, by its own account.
pub(super) fn claimed_client(assertion: &str) -> Option<ClientId> {
    #[derive(Deserialize)]
    struct Subject {
        sub: String,
    }
    let payload = crate::keys::from_base64url(assertion.split('.').nth(1)?)?;
    let subject: Subject = serde_json::from_slice(&payload).ok()?;
    Some(ClientId(subject.sub))
}

/// Proves that the client has signed the assertion, for us, now, and not used it before. `path` is that of the
/// endpoint which it was sent to, without the first slash.
///
/// # Errors
/// `invalid_client`, or that the client's keys cannot be fetched at the moment.
pub(super) async fn prove(app: &App, client: &Client, assertion: &str, path: &str) -> Result<(), Error> {
    let refused = || Error::InvalidClient(Challenge::Basic);
    let keys = keys_of(app, client, assertion).await?;
    let claims = verified(assertion, &keys).ok_or_else(refused)?;
    let now = app.clock.now();
    let expires_at = check(app, client, &claims, path, now).ok_or_else(refused)?;
    let mut tx = app.store.begin().await?;
    let is_new = assertions::use_once(&mut tx, &client.id, &claims.jti, expires_at + LEEWAY).await?;
    tx.commit().await?;
    if is_new { Ok(()) } else { Err(refused()) }
}

/// The keys that the client registered or publishes. Published ones are fetched anew for an assertion
/// that none of those at hand can have signed (OpenID Connect Core §10.1.1).
async fn keys_of(app: &App, client: &Client, assertion: &str) -> Result<Arc<JwkSet>, Error> {
    let metadata = &client.metadata;
    if let Some(jwks) = &metadata.jwks {
        let keys = serde_json::from_value(jwks.clone()).map_err(|error| Error::Internal(Box::new(error)))?;
        return Ok(Arc::new(keys));
    }
    let Some(uri) = &metadata.jwks_uri else { return Err(Error::InvalidClient(Challenge::Basic)) };
    let Ok(header) = decode_header(assertion) else { return Err(Error::InvalidClient(Challenge::Basic)) };
    let wanted = |keys: &JwkSet| match &header.kid {
        Some(kid) => keys.find(kid).is_some(),
        None => verified(assertion, keys).is_some(),
    };
    app.key_sets.get(&client.id, uri, app.clock.now(), wanted).await.map_err(|error| {
        tracing::warn!(%error, client = %client.id, "the keys of a client could not be fetched");
        Error::TemporarilyUnavailable("the keys at jwks_uri cannot be fetched".into())
    })
}

/// The claims, if one of the keys has signed them with an algorithm that is made for it.
fn verified(assertion: &str, keys: &JwkSet) -> Option<Claims> {
    let header = decode_header(assertion).ok()?;
    if ALGORITHMS.iter().all(|(algorithm, _)| *algorithm != header.alg) {
        return None;
    }
    let mut validation = Validation::new(header.alg);
    // Times and audience are checked against our own clock and names.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let may_sign = |key: &&Jwk| {
        let is_named = header.kid.is_none() || key.common.key_id == header.kid;
        is_named && !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption))
    };
    keys.keys.iter().filter(may_sign).find_map(|key| {
        let key = DecodingKey::from_jwk(key).ok()?;
        decode::<Claims>(assertion, &key, &validation).ok().map(|token| token.claims)
    })
}

/// Whether the claims are right (RFC 7523 §3); until when the assertion is good. It may be made out to the issuer,
/// the token endpoint, and the endpoint that it is sent to (RFC 9126 §2).
fn check(app: &App, client: &Client, claims: &Claims, path: &str, now: Timestamp) -> Option<Timestamp> {
    let base = &app.config.http.public_base;
    let is_us = |audience: &String| {
        [base.as_str(), base.as_str().trim_end_matches('/')].contains(&audience.as_str())
            || ["oauth2/token", path].iter().any(|path| *audience == endpoint(base, path))
    };
    let is_for_us = match &claims.aud {
        Audience::One(one) => is_us(one),
        Audience::Many(many) => many.iter().any(is_us),
    };
    let is_from_client = claims.iss == client.id.0 && claims.sub == client.id.0;
    let expires_at = moment(claims.exp)?;
    let is_in_time = now < expires_at + LEEWAY
        && expires_at <= now + LONGEST + LEEWAY
        && claims.nbf.is_none_or(|nbf| moment(nbf).is_some_and(|nbf| nbf <= now + LEEWAY));
    (is_for_us && is_from_client && is_in_time && !claims.jti.is_empty()).then_some(expires_at)
}

fn moment(seconds: f64) -> Option<Timestamp> {
    let is_sensible = (0.0..1e11).contains(&seconds);
    is_sensible.then_some(Timestamp((seconds * 1000.0) as i64))
}
