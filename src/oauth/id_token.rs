//! ID tokens (OpenID Connect Core §2).

use std::time::Duration;

use serde::Serialize;

use super::error::Error;
use crate::app::App;
use crate::clients::Client;
use crate::ids::{BrowserSessionId, ClientId, UserId};
use crate::keys::{self, Algorithm};
use crate::methods::Methods;
use crate::time::Timestamp;

/// How long an ID token is good: long enough for clients whose clock is wrong.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// Whom an ID token speaks of.
pub(super) struct Subject<'a> {
    pub user_id: UserId,
    pub authenticated_at: Timestamp,
    /// How they proved it.
    pub methods: Methods,
    /// The browser session in which it was granted, while it is remembered.
    pub browser_session_id: Option<BrowserSessionId>,
    /// That of the authorization request; a refreshed ID token has none.
    pub nonce: Option<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: UserId,
    /// A plain string: older Matrix web clients do not read an array.
    aud: &'a str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    at_hash: String,
    acr: &'static str,
    amr: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<BrowserSessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

/// Signs an ID token with the algorithm that the client registered.
pub(super) fn sign(
    app: &App,
    client: &Client,
    subject: &Subject<'_>,
    access_token: &str,
    now: Timestamp,
) -> Result<String, Error> {
    let algorithm = client.metadata.id_token_algorithm();
    let keys = app.keys.current();
    let key =
        keys.signing_key(algorithm, now).ok_or_else(|| Error::Internal("there is no signing key".into()))?;
    let claims = Claims {
        iss: app.config.http.public_base.as_str(),
        sub: subject.user_id,
        aud: &client.id.0,
        exp: (now + LIFETIME).as_seconds(),
        iat: now.as_seconds(),
        auth_time: subject.authenticated_at.as_seconds(),
        at_hash: at_hash(algorithm, access_token),
        acr: subject.methods.acr().as_str(),
        amr: subject.methods.amr(),
        sid: subject.browser_session_id,
        nonce: subject.nonce,
    };
    key.sign_jwt(&claims).map_err(|error| Error::Internal(Box::new(error)))
}

/// The left half of the access token's hash, by the hash of the signature's algorithm (OpenID Connect
/// Core §3.1.3.6): SHA-512 for Ed25519, SHA-256 for the others.
fn at_hash(algorithm: Algorithm, access_token: &str) -> String {
    let hash = match algorithm {
        Algorithm::EdDsa => &aws_lc_rs::digest::SHA512,
        Algorithm::Rs256 | Algorithm::Es256 => &aws_lc_rs::digest::SHA256,
    };
    let digest = aws_lc_rs::digest::digest(hash, access_token.as_bytes());
    let digest = digest.as_ref();
    keys::base64url(&digest[..digest.len() / 2])
}

/// What an ID token of ours says when a client brings it back.
pub(super) struct Hint {
    pub user_id: UserId,
    pub client_id: ClientId,
    pub browser_session_id: Option<BrowserSessionId>,
}

/// Reads an ID token of ours, which may have expired (OpenID Connect Core §3.1.2.1, RP-Initiated
/// Logout §2). A logout token is none (Back-Channel Logout §2.4).
pub(super) fn read_hint(app: &App, token: &str) -> Option<Hint> {
    let claims = app.keys.current().verify_jwt(token)?;
    claims.get("events").is_none().then_some(())?;
    let text = |name: &str| claims.get(name).and_then(serde_json::Value::as_str);
    (text("iss")? == app.config.http.public_base.as_str()).then_some(())?;
    Some(Hint {
        user_id: text("sub")?.parse().ok()?,
        client_id: ClientId(text("aud")?.to_owned()),
        browser_session_id: text("sid").and_then(|sid| sid.parse().ok()),
    })
}
