//! Proving who one is with what was enrolled (WebAuthn L3 §7.2).

use webauthn_rs::prelude::{
    AuthenticationResult, Credential, Passkey as Verifier, PublicKeyCredential, SecurityKey, WebauthnError,
};

use super::sealed::{self, Ceremony, Opened, State};
use super::{Error, Kind, Passkey, Refused, is_framed, list_usable, relying_party, sql};
use crate::accounts::users::User;
use crate::app::App;
use crate::ids::UserId;
use crate::keys;

/// The longest identifier of a credential, in bytes (WebAuthn L3 §4, Credential ID).
const LONGEST_CREDENTIAL_ID: usize = 1023;

/// Begins a sign-in by whichever passkey the person chooses, the same for everybody; `None` when there are
/// no passkeys here. `browser` is the secret of the person's browser.
///
/// # Errors
/// [`Error`].
pub fn begin_sign_in(app: &App, browser: &str) -> Result<Option<Ceremony>, Error> {
    let Some(webauthn) = relying_party::webauthn(&app.config)? else { return Ok(None) };
    let (challenge, state) = webauthn.start_discoverable_authentication()?;
    let options = serde_json::to_string(&challenge.public_key)?;
    Ok(Some(Ceremony { options, sealed: sealed::seal(app, browser, State::SignIn(state))? }))
}

/// Begins to confirm by a key that a person, known by another proof, is who they say; `None` when they have
/// none that works here.
///
/// # Errors
/// [`Error`].
pub async fn begin_confirmation(app: &App, browser: &str, user: &User) -> Result<Option<Ceremony>, Error> {
    let Some(webauthn) = relying_party::webauthn(&app.config)? else { return Ok(None) };
    let enrolled = list_usable(app, &app.store, user.id).await?;
    if enrolled.is_empty() {
        return Ok(None);
    }
    let enrolled: Vec<SecurityKey> = enrolled.into_iter().map(|passkey| passkey.credential.into()).collect();
    let (challenge, state) = webauthn.start_securitykey_authentication(&enrolled)?;
    let options = serde_json::to_string(&challenge.public_key)?;
    let state = State::Confirm(user.id, state);
    Ok(Some(Ceremony { options, sealed: sealed::seal(app, browser, state)? }))
}

/// Ends a sign-in with the browser's answer, `response` as JSON: whose passkey it was. What keeps that person
/// from signing in is for the caller to say.
///
/// # Errors
/// [`Error`].
pub async fn sign_in(
    app: &App,
    browser: &str,
    sealed: &str,
    response: &str,
) -> Result<Result<UserId, Refused>, Error> {
    finish(app, browser, sealed, response, None).await
}

/// Ends a confirmation that the person is `user`.
///
/// # Errors
/// [`Error`].
pub async fn confirm(
    app: &App,
    browser: &str,
    user: &User,
    sealed: &str,
    response: &str,
) -> Result<Result<(), Refused>, Error> {
    Ok(finish(app, browser, sealed, response, Some(user.id)).await?.map(drop))
}

async fn finish(
    app: &App,
    browser: &str,
    sealed: &str,
    response: &str,
    confirming: Option<UserId>,
) -> Result<Result<UserId, Refused>, Error> {
    let opened = match sealed::open(app, browser, sealed) {
        Ok(opened) => opened,
        Err(refused) => return Ok(Err(refused)),
    };
    let verified = verify(app, &opened, response, confirming).await?;
    let mut tx = app.store.begin().await?;
    let proven = match verified {
        // Whatever came of it, the challenge has had its answer.
        _ if !opened.use_up(&mut tx).await? => Err(Refused::Stale),
        Ok((passkey, credential)) => {
            // Of two answers with one counter, or of one whose passkey was removed meanwhile, none counts.
            match sql::note_use(&mut tx, &passkey, &credential, app.clock.now()).await? {
                true => Ok(passkey.user_id),
                false => Err(Refused::Invalid),
            }
        }
        Err(refused) => Err(refused),
    };
    tx.commit().await?;
    Ok(proven)
}

/// The passkey that has answered, and what is to be stored of it from now on.
type Verified = Result<(Passkey, String), Refused>;

async fn verify(
    app: &App,
    opened: &Opened,
    response: &str,
    confirming: Option<UserId>,
) -> Result<Verified, Error> {
    let Some(webauthn) = relying_party::webauthn(&app.config)? else { return Ok(Err(Refused::Stale)) };
    let Ok(answer) = serde_json::from_str::<PublicKeyCredential>(response) else {
        return Ok(Err(Refused::Invalid));
    };
    if answer.get_credential_id().len() > LONGEST_CREDENTIAL_ID
        || is_framed(&answer.response.client_data_json)
    {
        return Ok(Err(Refused::Invalid));
    }
    let credential_id = keys::base64url(answer.get_credential_id());
    let here = app.config.relying_party_id().unwrap_or_default();
    let found = sql::find_by_credential(&app.store, &credential_id, here).await?;
    let Some(passkey) = found else { return Ok(Err(Refused::Unknown(credential_id))) };
    let verified: Result<AuthenticationResult, WebauthnError> = match (&opened.state, confirming) {
        (State::SignIn(state), None) if passkey.kind == Kind::Passkey && is_of(&answer, passkey.user_id) => {
            let verifier = Verifier::from(passkey.credential.clone());
            webauthn.finish_discoverable_authentication_v2(&answer, state.clone(), &verifier)
        }
        (State::Confirm(owner, state), Some(user)) if *owner == user && passkey.user_id == user => {
            webauthn.finish_securitykey_authentication(&answer, state)
        }
        (State::SignIn(_), None) => return Ok(Err(Refused::Invalid)),
        _ => return Ok(Err(Refused::Stale)),
    };
    let result = match verified {
        Ok(result) if counts_on(&passkey, &result) => result,
        Ok(_) | Err(WebauthnError::CredentialPossibleCompromise) => {
            tracing::warn!(
                user = %passkey.user_id, passkey = %passkey.id,
                "a passkey has not counted on and was refused: there may be a copy of it"
            );
            return Ok(Err(Refused::Invalid));
        }
        Err(error) => {
            tracing::debug!(user = %passkey.user_id, passkey = %passkey.id, %error, "a passkey was refused");
            return Ok(Err(Refused::Invalid));
        }
    };
    let mut verifier = Verifier::from(passkey.credential.clone());
    let stored = match verifier.update_credential(&result) {
        Some(true) => serde_json::to_string(&Credential::from(verifier))?,
        _ => passkey.stored.clone(),
    };
    Ok(Ok((passkey, stored)))
}

/// Whether the counter is ahead of the last one that we know, which may be newer than the one at the beginning
/// of the ceremony; or the authenticator does not count (WebAuthn L3 §7.2, `signCount`).
fn counts_on(passkey: &Passkey, result: &AuthenticationResult) -> bool {
    let (now, before) = (result.counter(), passkey.credential.counter);
    now > before || (now == 0 && before == 0)
}

/// Whether the authenticator names the same owner as we do (WebAuthn L3 §7.2, `userHandle`).
fn is_of(answer: &PublicKeyCredential, user: UserId) -> bool {
    answer.get_user_unique_id().is_some_and(|handle| handle == user.to_bytes())
}
