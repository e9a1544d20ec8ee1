//! The authorization code grant (RFC 6749 §4.1.3; RFC 7636 §4.5, §4.6).

use std::time::Duration;

use super::super::error::Error;
use super::super::question::{self, Coded};
use super::super::scope::Scope;
use super::super::token::TokenResponse;
use super::session::{self, Allowed, Code};
use crate::app::App;
use crate::clients::Client;
use crate::clients::authorization_codes::Granted;
use crate::http::form::Parameters;
use crate::http::requester::Requester;
use crate::ids::ClientSessionId;
use crate::keys;
use crate::sessions::client::{self, EndReason};
use crate::time::Timestamp;

/// A code that comes twice within this time was posted twice by the same client; later it was stolen,
/// and what it gave is taken back (RFC 6749 §4.1.2).
const POSTED_TWICE: Duration = Duration::from_secs(20);

const NOT_GOOD: Error = Error::InvalidGrant("the code is not valid, or was not issued to this client");

pub(crate) async fn run(
    app: &App,
    requester: &Requester,
    client: &Client,
    form: &Parameters,
) -> Result<TokenResponse, Error> {
    let code = form.get("code").ok_or(Error::InvalidRequest("code is required".into()))?;
    let now = app.clock.now();
    let granted = Granted::from_code(code, app.keys.root()).ok_or(NOT_GOOD)?;
    if granted.client_id != client.id {
        return Err(NOT_GOOD);
    }
    let scope = Scope::stored(&granted.scope);
    let coded = question::find_coded(&app.store, &granted, scope.device_id()).await?;
    let Coded { user, sessions, spent } = coded.ok_or(NOT_GOOD)?;
    if let Some((spent_at, session)) = spent {
        return Err(came_again(app, spent_at, session, now).await?);
    }
    check(&granted, form, now)?;
    let allowed = Allowed {
        user: &user,
        sessions,
        authenticated_at: granted.authenticated_at,
        methods: granted.methods,
        browser_session_id: Some(granted.browser_session_id),
        scope: &granted.scope,
        nonce: granted.nonce.as_deref(),
        code: Code::Authorization(granted.request_id, granted.consent_id),
    };
    session::begin(app, requester, client, &allowed).await
}

/// The code must come from whoever asked for it, and go where it was sent.
fn check(granted: &Granted, form: &Parameters, now: Timestamp) -> Result<(), Error> {
    if granted.expires_at <= now {
        return Err(Error::InvalidGrant("the code has expired"));
    }
    let redirect_uri =
        form.get("redirect_uri").ok_or(Error::InvalidRequest("redirect_uri is required".into()))?;
    if redirect_uri != granted.redirect_uri {
        return Err(Error::InvalidGrant("redirect_uri differs from that of the authorization request"));
    }
    let verifier =
        form.get("code_verifier").ok_or(Error::InvalidGrant("code_verifier is required (PKCE)"))?;
    match is_proven(verifier, &granted.code_challenge) {
        true => Ok(()),
        false => Err(Error::InvalidGrant("code_verifier does not match code_challenge")),
    }
}

/// Whether the text is a verifier (RFC 7636 §4.1) and the challenge was made of it by S256 (§4.6).
fn is_proven(verifier: &str, challenge: &str) -> bool {
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
        && keys::equal_secrets(keys::digest(verifier), challenge)
}

/// A spent code: a double post, or a thief.
async fn came_again(
    app: &App,
    spent_at: Timestamp,
    session: ClientSessionId,
    now: Timestamp,
) -> Result<Error, Error> {
    if now.since(spent_at) > POSTED_TWICE {
        let mut tx = app.store.begin().await?;
        if let Some(session) = client::find(&mut tx, session).await? {
            tracing::warn!(session = %session.id, "an authorization code was used again: its session ends");
            client::end(&mut tx, session.id, session.user_id, session.device_id, EndReason::CodeReused, now)
                .await?;
        }
        tx.commit().await?;
        app.wake_workers();
    }
    Ok(Error::InvalidGrant("the code was used before"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_challenge_is_met_by_its_own_verifier_alone(
            verifier in "[A-Za-z0-9._~-]{43,128}",
            other in "\\PC{0,140}",
            place in any::<prop::sample::Index>(),
        ) {
            let challenge = keys::digest(&verifier);
            prop_assert!(is_proven(&verifier, &challenge));
            prop_assert!(verifier == other || !is_proven(&other, &challenge));
            // The challenge is public: it is no verifier, nor does a verifier pass for its own challenge.
            prop_assert!(!is_proven(&challenge, &challenge) && !is_proven(&verifier, &verifier));
            let mut changed = verifier.clone();
            let at = place.index(changed.len());
            let new = if changed.as_bytes()[at] == b'x' { "y" } else { "x" };
            changed.replace_range(at..=at, new);
            prop_assert!(!is_proven(&changed, &challenge));
            for cut in [&verifier[1..], &verifier[..verifier.len() - 1]] {
                prop_assert!(!is_proven(cut, &challenge));
            }
        }

        #[test]
        fn what_is_no_verifier_meets_not_even_its_own_challenge(
            text in prop_oneof!["[A-Za-z0-9._~-]{0,42}", "[A-Za-z0-9._~-]{129,140}", "[A-Za-z0-9]{43,60}[ +/=\u{e4}\n]"],
        ) {
            prop_assert!(!is_proven(&text, &keys::digest(&text)));
        }
    }
}
