//! A device that keeps passkeys, and the browser that speaks for it, which can be told to lie.

use gatehouse::keys;
use passkey::authenticator::{Authenticator as Device, MemoryStore, UiHint, UserCheck, UserValidationMethod};
use passkey::crypto::AvailableBackend;
use passkey::types::Passkey;
use passkey::types::ctap2::{Aaguid, Ctap2Error, get_assertion, make_credential};
use serde_json::{Value, json};

/// The model that the device says it is: Bitwarden's.
pub const AAGUID: [u8; 16] =
    [0xd5, 0x48, 0x82, 0x6e, 0x79, 0xb4, 0xdb, 0x40, 0xa3, 0xd8, 0x11, 0x11, 0x6f, 0x7e, 0x83, 0x49];

/// The device's owner is there, and proves it when asked.
struct Owner;

#[async_trait::async_trait]
impl UserValidationMethod for Owner {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        _: UiHint<'a, Passkey>,
        presence: bool,
        verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        Ok(UserCheck { presence, verification })
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}

/// The device and its browser.
pub struct Authenticator {
    device: Device<MemoryStore, Owner, AvailableBackend>,
    /// Whether the owner is verified each time.
    pub verifies: bool,
}

impl Authenticator {
    /// A device that counts.
    pub fn new() -> Authenticator {
        let mut authenticator = Authenticator::with(MemoryStore::new());
        authenticator.device.set_make_credentials_with_signature_counter(true);
        authenticator
    }

    /// A password manager on several devices: it does not count.
    pub fn synced() -> Authenticator {
        Authenticator::with(MemoryStore::new())
    }

    fn with(store: MemoryStore) -> Authenticator {
        let device = Device::new(Aaguid::from(AAGUID), store, Owner, AvailableBackend);
        Authenticator { device, verifies: true }
    }

    /// A device with the same keys and counters.
    pub fn copy(&self) -> Authenticator {
        Authenticator::with(self.device.store().clone())
    }

    /// What a browser at `origin` answers to `options` for a new credential (WebAuthn L3, RegistrationResponseJSON).
    pub async fn create(&mut self, options: &Value, origin: &str) -> Value {
        let client_data = client_data("webauthn.create", options, origin);
        let id = options["rp"]["id"].as_str().expect("a domain").to_owned();
        let read = |name: &str| options[name].clone();
        let request = make_credential::Request {
            client_data_hash: keys::sha256(&client_data).to_vec().into(),
            rp: make_credential::PublicKeyCredentialRpEntity { id, name: None },
            user: serde_json::from_value(read("user")).expect("a user"),
            pub_key_cred_params: serde_json::from_value(read("pubKeyCredParams")).expect("algorithms"),
            exclude_list: None,
            extensions: None,
            options: make_credential::Options { rk: true, up: true, uv: self.verifies },
            pin_auth: None,
            pin_protocol: None,
        };
        let made = self.device.make_credential(request).await.expect("the device makes a credential");
        let data = made.auth_data.attested_credential_data.as_ref().expect("a credential");
        let id = keys::base64url(data.credential_id());
        json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": keys::base64url(&client_data),
                "authenticatorData": keys::base64url(made.auth_data.to_vec()),
                "attestationObject": keys::base64url(made.as_webauthn_bytes().as_slice()),
                "transports": ["internal"],
            },
        })
    }

    /// What a browser at `origin` answers to `options` with the one credential of the device
    /// (WebAuthn L3, AuthenticationResponseJSON).
    pub async fn get(&mut self, options: &Value, origin: &str) -> Value {
        self.answer("webauthn.get", options, origin).await
    }

    /// The same, with what the browser says that it was asked for.
    pub async fn answer(&mut self, what: &str, options: &Value, origin: &str) -> Value {
        self.sign(options, &client_data(what, options, origin)).await
    }

    /// The same, with whatever the browser says.
    pub async fn sign(&mut self, options: &Value, client_data: &[u8]) -> Value {
        let passkey = self.device.store().values().next().expect("a passkey").clone();
        let request = get_assertion::Request {
            rp_id: options["rpId"].as_str().expect("a domain").to_owned(),
            client_data_hash: keys::sha256(client_data).to_vec().into(),
            allow_list: Some(vec![(&passkey).into()]),
            extensions: None,
            options: get_assertion::Options { up: true, uv: self.verifies },
            pin_auth: None,
            pin_protocol: None,
        };
        let made = self.device.get_assertion(request).await.expect("the device answers");
        let id = keys::base64url(passkey.credential_id.as_slice());
        json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": keys::base64url(client_data),
                "authenticatorData": keys::base64url(made.auth_data.to_vec()),
                "signature": keys::base64url(made.signature.as_slice()),
                "userHandle": passkey.user_handle.map(|handle| keys::base64url(handle.as_slice())),
            },
        })
    }
}

fn client_data(what: &str, options: &Value, origin: &str) -> Vec<u8> {
    let data =
        json!({ "type": what, "challenge": options["challenge"], "origin": origin, "crossOrigin": false });
    data.to_string().into_bytes()
}
