//! Enrolling a passkey or a security key (WebAuthn L3 §7.1).

use serde_json::Value;
use webauthn_rs::prelude::{
    AuthenticatorAttachment, CreationChallengeResponse, Credential, CredentialID,
    RegisterPublicKeyCredential, Uuid, WebauthnError,
};
use webauthn_rs_proto::ResidentKeyRequirement;

use super::sealed::{self, Ceremony, State};
use super::{Error, Kind, MOST, Passkey, Refused, is_framed, list_usable, provider, relying_party, sql};
use crate::accounts::activity::{Event, tell};
use crate::accounts::users::User;
use crate::app::App;
use crate::http::visit::Visit;
use crate::ids::PasskeyId;
use crate::keys;
use crate::store::Tx;

/// The account as browsers and password managers name it.
pub struct Names {
    /// Tells accounts apart: the Matrix identifier.
    pub name: String,
    /// What the person is called.
    pub display_name: String,
    /// The account's own identifier, in base64url.
    pub handle: String,
}

impl Names {
    /// What browsers are told of the account.
    pub fn of(app: &App, user: &User) -> Names {
        Names {
            name: user.localpart.mxid(&app.config.homeserver.server_name),
            display_name: user.localpart.as_str().to_owned(),
            handle: keys::base64url(user.id.to_bytes()),
        }
    }
}

/// Begins to enrol; `None` when there are no passkeys here. `browser` is the secret of the person's browser.
///
/// # Errors
/// [`Error`].
pub async fn begin(app: &App, browser: &str, user: &User, kind: Kind) -> Result<Option<Ceremony>, Error> {
    let Some(webauthn) = relying_party::webauthn(&app.config)? else { return Ok(None) };
    let enrolled = list_usable(app, &app.store, user.id).await?;
    let enrolled: Vec<CredentialID> =
        enrolled.into_iter().map(|passkey| passkey.credential.cred_id).collect();
    let handle = Uuid::from_bytes(user.id.to_bytes());
    let Names { name, display_name, .. } = Names::of(app, user);
    let (challenge, state) = match kind {
        Kind::Passkey => {
            let begun = webauthn.start_passkey_registration(handle, &name, &display_name, Some(enrolled))?;
            (discoverable(begun.0), State::EnrolPasskey(user.id, begun.1))
        }
        Kind::SecurityKey => {
            let roaming = Some(AuthenticatorAttachment::CrossPlatform);
            let (enrolled, anybody) = (Some(enrolled), None);
            let begun = webauthn.start_securitykey_registration(
                handle,
                &name,
                &display_name,
                enrolled,
                anybody,
                roaming,
            )?;
            (for_any_key(begun.0), State::EnrolSecurityKey(user.id, begun.1))
        }
    };
    let options = serde_json::to_string(&challenge.public_key)?;
    Ok(Some(Ceremony { options, sealed: sealed::seal(app, browser, state)? }))
}

/// Has the authenticator keep what a browser needs to find the passkey without a name (WebAuthn L3 §5.4.4).
fn discoverable(mut challenge: CreationChallengeResponse) -> CreationChallengeResponse {
    if let Some(selection) = &mut challenge.public_key.authenticator_selection {
        selection.resident_key = Some(ResidentKeyRequirement::Required);
        selection.require_resident_key = true;
    }
    challenge
}

/// Takes keys that cannot verify their owner: a browser offers none of them where a protection is asked for that
/// rests on it (CTAP 2.1 §12.1, `credProtect`).
fn for_any_key(mut challenge: CreationChallengeResponse) -> CreationChallengeResponse {
    if let Some(extensions) = &mut challenge.public_key.extensions {
        extensions.cred_protect = None;
    }
    challenge
}

/// Ends the ceremony with the browser's answer, `response` as JSON, and keeps what was enrolled, in a transaction in which
/// the person may add it.
///
/// # Errors
/// [`Error`].
pub async fn finish(
    app: &App,
    visit: &Visit,
    user: &User,
    sealed: &str,
    response: &str,
    mut tx: Tx,
) -> Result<Result<Passkey, Refused>, Error> {
    let opened = match sealed::open(app, visit.browser(), sealed) {
        Ok(opened) => opened,
        Err(refused) => return Ok(Err(refused)),
    };
    let made = match verify(app, user, &opened.state, response)? {
        Ok((kind, credential)) => Ok(new(app, visit, user, kind, credential, response)?),
        Err(refused) => Err(refused),
    };
    let enrolled = match made {
        _ if !opened.use_up(&mut tx).await? => Err(Refused::Stale),
        Ok(_) if sql::list(&mut tx, user.id).await?.len() >= MOST => Err(Refused::TooMany),
        Ok(passkey) => match sql::add(&mut tx, &passkey).await? {
            true => {
                tell(&mut tx, app, user.id, Event::PasskeyAdded, Some(&visit.requester)).await?;
                Ok(passkey)
            }
            false => Err(Refused::AlreadyEnrolled),
        },
        Err(refused) => Err(refused),
    };
    tx.commit().await?;
    app.wake_workers();
    Ok(enrolled)
}

/// The same for somebody who is going to have an account: what was made is theirs once [`super::add`] keeps it.
/// `user` is the account as it will be.
///
/// # Errors
/// [`Error`].
pub async fn finish_early(
    app: &App,
    visit: &Visit,
    user: &User,
    sealed: &str,
    response: &str,
) -> Result<Result<Passkey, Refused>, Error> {
    let opened = match sealed::open(app, visit.browser(), sealed) {
        Ok(opened) => opened,
        Err(refused) => return Ok(Err(refused)),
    };
    let verified = verify(app, user, &opened.state, response)?;
    let mut tx = app.store.begin().await?;
    let is_first = opened.use_up(&mut tx).await?;
    tx.commit().await?;
    match verified {
        Ok((kind, credential)) if is_first => Ok(Ok(new(app, visit, user, kind, credential, response)?)),
        Ok(_) => Ok(Err(Refused::Stale)),
        Err(refused) => Ok(Err(refused)),
    }
}

type Verified = Result<(Kind, Credential), Refused>;

fn verify(app: &App, user: &User, state: &State, response: &str) -> Result<Verified, Error> {
    let Some(webauthn) = relying_party::webauthn(&app.config)? else { return Ok(Err(Refused::Stale)) };
    let Ok(answer) = serde_json::from_str::<RegisterPublicKeyCredential>(response) else {
        return Ok(Err(Refused::Invalid));
    };
    if is_framed(&answer.response.client_data_json) {
        return Ok(Err(Refused::Invalid));
    }
    let verified: Result<(Kind, Credential), WebauthnError> = match state {
        State::EnrolPasskey(owner, state) if *owner == user.id => webauthn
            .finish_passkey_registration(&answer, state)
            .map(|passkey| (Kind::Passkey, passkey.into())),
        State::EnrolSecurityKey(owner, state) if *owner == user.id => webauthn
            .finish_securitykey_registration(&answer, state)
            .map(|key| (Kind::SecurityKey, key.into())),
        _ => return Ok(Err(Refused::Stale)),
    };
    Ok(verified.map_err(|error| {
        tracing::info!(user = %user.id, %error, "a passkey was not enrolled");
        Refused::Invalid
    }))
}

fn new(
    app: &App,
    visit: &Visit,
    user: &User,
    kind: Kind,
    credential: Credential,
    response: &str,
) -> Result<Passkey, serde_json::Error> {
    let now = app.clock.now();
    let aaguid = aaguid_of(response);
    let unnamed = match kind {
        Kind::Passkey => visit.language.passkey().plain(),
        Kind::SecurityKey => visit.language.security_key().plain(),
    };
    Ok(Passkey {
        id: PasskeyId::new(now),
        user_id: user.id,
        kind,
        relying_party_id: app.config.relying_party_id().unwrap_or_default().to_owned(),
        stored: serde_json::to_string(&credential)?,
        credential,
        name: aaguid.and_then(provider).map_or(unnamed, str::to_owned),
        aaguid,
        created_at: now,
        last_used_at: None,
    })
}

/// The model of the authenticator (WebAuthn L3 §6.5.1): what stands in its data behind the digest of the
/// domain (32 bytes), the flags (1) and the counter (4). Nothing vouches for it, so it is only ever shown to
/// the person whose browser said so.
fn aaguid_of(response: &str) -> Option<Uuid> {
    let response: Value = serde_json::from_str(response).ok()?;
    let data = keys::from_base64url(response["response"]["authenticatorData"].as_str()?)?;
    let aaguid = Uuid::from_slice(data.get(37..53)?).ok()?;
    (!aaguid.is_nil()).then_some(aaguid)
}
