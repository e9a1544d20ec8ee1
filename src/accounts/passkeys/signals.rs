//! What pages tell the browser of passkeys, so that it neither offers one that is gone nor shows an old name
//! (WebAuthn L3 §5.1.10): JSON with a member for each method to be called.

use serde_json::json;

use super::Passkey;
use super::enrolment::Names;
use crate::accounts::users::User;
use crate::app::App;

/// Nobody has this credential.
pub fn unknown(app: &App, credential_id: &str) -> String {
    let here = app.config.relying_party_id();
    json!({ "signalUnknownCredential": { "rpId": here, "credentialId": credential_id } }).to_string()
}

/// The user has these and no others, and this name.
pub fn current(app: &App, user: &User, passkeys: &[Passkey]) -> String {
    let here = app.config.relying_party_id();
    let usable = passkeys.iter().filter(|passkey| Some(passkey.relying_party_id.as_str()) == here);
    let accepted: Vec<String> = usable.map(Passkey::credential_id).collect();
    let Names { name, display_name, handle } = Names::of(app, user);
    json!({
        "signalAllAcceptedCredentials": {
            "rpId": here, "userId": handle, "allAcceptedCredentialIds": accepted,
        },
        "signalCurrentUserDetails": {
            "rpId": here, "userId": handle, "name": name, "displayName": display_name,
        },
    })
    .to_string()
}
