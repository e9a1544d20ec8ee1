//! Scopes: which there are, and which may be asked for together (RFC 6749 §3.3; Matrix CS API,
//! Scope; MSC2967).

use std::collections::BTreeSet;

use crate::ids::DeviceId;
use crate::sessions::client::MATRIX_API_SCOPE;

/// OpenID Connect Core §3.1.2.1: the client wants an ID token.
pub const OPENID: &str = "openid";
/// OpenID Connect Core §5.4: the client may know the person's name.
pub const PROFILE: &str = "profile";
/// OpenID Connect Core §5.4: the client may know the person's e-mail address.
pub const EMAIL: &str = "email";
/// Administration of a Synapse homeserver.
pub const SYNAPSE_ADMIN: &str = crate::accounts::users::ADMIN_SCOPE;

/// The Matrix API and device scopes: stable since Matrix 1.15, and as MSC2967 spelled them, which
/// many clients still do. Each pair means the same.
const API: [&str; 2] = [MATRIX_API_SCOPE, "urn:matrix:org.matrix.msc2967.client:api:*"];
const DEVICE: [&str; 2] = ["urn:matrix:client:device:", "urn:matrix:org.matrix.msc2967.client:device:"];

/// The most bytes of a device identifier that homeservers accept.
const LONGEST_DEVICE_ID: usize = 255;
/// The most bytes of a scope; twice a device identifier and all the rest fit well.
const LONGEST: usize = 2048;

/// A scope that may be granted, as the client spelled it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The tokens in the order in which they came, each once, without unknown Matrix scopes.
    tokens: Vec<String>,
    device_id: Option<DeviceId>,
}

/// Why a scope cannot be granted to anybody: `invalid_scope`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidScope {
    /// Nothing was asked for.
    #[error("scope is required")]
    Empty,
    /// Longer than any scope needs to be.
    #[error("the scope is too long")]
    Long,
    /// A character outside of RFC 6749 §3.3.
    #[error("the scope has a character that is not allowed")]
    Character,
    /// A scope that this server does not have.
    #[error("the scope has a value that this server does not know")]
    Unknown,
    /// The Matrix API without a device.
    #[error("the Matrix API scope needs exactly one device scope")]
    NoDevice,
    /// Two devices.
    #[error("the scope names more than one device")]
    TwoDevices,
    /// A device without the API.
    #[error("a device scope needs the Matrix API scope")]
    DeviceWithoutApi,
    /// No homeserver accepts this device identifier.
    #[error("a device identifier has between 1 and 255 characters")]
    DeviceId,
    /// Administration without the API.
    #[error("the administration scope needs the Matrix API scope")]
    AdminWithoutApi,
}

impl Scope {
    /// Reads a scope that a client asks for.
    ///
    /// # Errors
    /// [`InvalidScope`].
    pub fn parse(text: &str) -> Result<Scope, InvalidScope> {
        if text.len() > LONGEST {
            return Err(InvalidScope::Long);
        }
        let is_allowed =
            |b: u8| b == b' ' || b == 0x21 || (0x23..=0x5b).contains(&b) || (0x5d..=0x7e).contains(&b);
        if !text.bytes().all(is_allowed) {
            return Err(InvalidScope::Character);
        }
        let mut scope = Scope { tokens: Vec::new(), device_id: None };
        for token in text.split(' ').filter(|token| !token.is_empty()) {
            scope.add(token)?;
        }
        scope.check()?;
        Ok(scope)
    }

    /// Reads a scope that was granted and stored.
    pub fn stored(text: &str) -> Scope {
        let tokens: Vec<String> =
            text.split(' ').filter(|token| !token.is_empty()).map(str::to_owned).collect();
        let device_id = tokens.iter().find_map(|token| device_of(token)).map(|id| DeviceId(id.to_owned()));
        Scope { tokens, device_id }
    }

    fn add(&mut self, token: &str) -> Result<(), InvalidScope> {
        if self.tokens.iter().any(|known| known == token) {
            return Ok(());
        }
        if let Some(id) = device_of(token) {
            if id.is_empty() || id.len() > LONGEST_DEVICE_ID {
                return Err(InvalidScope::DeviceId);
            }
            if self.device_id.as_ref().is_some_and(|known| known.0 != id) {
                return Err(InvalidScope::TwoDevices);
            }
            self.device_id = Some(DeviceId(id.to_owned()));
        } else if !API.contains(&token) && ![OPENID, PROFILE, EMAIL, SYNAPSE_ADMIN].contains(&token) {
            // Matrix scopes of the future are dropped, and the client sees that in the answer.
            return if token.starts_with("urn:matrix:") { Ok(()) } else { Err(InvalidScope::Unknown) };
        }
        self.tokens.push(token.to_owned());
        Ok(())
    }

    fn check(&self) -> Result<(), InvalidScope> {
        match (self.has_api(), &self.device_id) {
            (true, None) => Err(InvalidScope::NoDevice),
            (false, Some(_)) => Err(InvalidScope::DeviceWithoutApi),
            (false, None) if self.has(SYNAPSE_ADMIN) => Err(InvalidScope::AdminWithoutApi),
            _ if self.tokens.is_empty() => Err(InvalidScope::Empty),
            _ => Ok(()),
        }
    }

    /// Whether the token is part of it.
    pub fn has(&self, token: &str) -> bool {
        self.tokens.iter().any(|known| known == token)
    }

    /// Whether it gives access to the Matrix API, in either spelling.
    pub fn has_api(&self) -> bool {
        self.tokens.iter().any(|token| API.contains(&token.as_str()))
    }

    /// The Matrix device.
    pub fn device_id(&self) -> Option<&DeviceId> {
        self.device_id.as_ref()
    }

    /// The tokens that consent is about beside the device, which is new with every sign-in.
    pub fn without_device(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().map(String::as_str).filter(|token| device_of(token).is_none())
    }

    /// The same with a device that is known beside it, if its identifier can stand in a scope.
    #[must_use]
    pub fn with_device(self, device_id: &DeviceId) -> Scope {
        let can_stand = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        match &self.device_id {
            None if device_id.0.bytes().all(can_stand) => {
                Scope { device_id: Some(device_id.clone()), ..self }
            }
            _ => self,
        }
    }

    /// Whether every token of `other` means something that this scope grants.
    pub fn covers(&self, other: &str) -> bool {
        let own = self.in_both_spellings();
        let own: BTreeSet<&str> = own.split(' ').collect();
        other.split(' ').filter(|token| !token.is_empty()).all(|token| own.contains(token))
    }

    /// The scope with each Matrix token in both spellings, for homeservers that know only one
    /// (Synapse reads the stable ones since 1.138).
    pub fn in_both_spellings(&self) -> String {
        let mut tokens: Vec<String> = Vec::with_capacity(self.tokens.len() + 2);
        if self.has_api() {
            tokens.extend(API.map(str::to_owned));
        }
        if let Some(device_id) = &self.device_id {
            tokens.extend(DEVICE.map(|prefix| format!("{prefix}{device_id}")));
        }
        let is_matrix = |token: &String| API.contains(&token.as_str()) || device_of(token).is_some();
        tokens.extend(self.tokens.iter().filter(|token| !is_matrix(token)).cloned());
        tokens.join(" ")
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.tokens.join(" "))
    }
}

fn device_of(token: &str) -> Option<&str> {
    DEVICE.into_iter().find_map(|prefix| token.strip_prefix(prefix))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<String, InvalidScope> {
        Scope::parse(text).map(|scope| scope.to_string())
    }

    #[test]
    fn both_spellings_are_accepted_and_kept() {
        for (api, device) in API.into_iter().flat_map(|api| DEVICE.map(|device| (api, device))) {
            let text = format!("openid {api} {device}ABCDEFGHIJ");
            let scope = Scope::parse(&text).unwrap();
            assert_eq!(scope.to_string(), text);
            assert_eq!(scope.device_id().unwrap().0, "ABCDEFGHIJ");
            assert_eq!(
                scope.in_both_spellings(),
                "urn:matrix:client:api:* urn:matrix:org.matrix.msc2967.client:api:* \
                 urn:matrix:client:device:ABCDEFGHIJ urn:matrix:org.matrix.msc2967.client:device:ABCDEFGHIJ openid"
            );
            assert!(scope.covers("openid urn:matrix:client:api:*") && !scope.covers("urn:synapse:admin:*"));
        }
    }

    #[test]
    fn a_matrix_sign_in_names_one_device() {
        let api = API[0];
        assert_eq!(parse(api), Err(InvalidScope::NoDevice));
        assert_eq!(parse(&format!("{}A", DEVICE[0])), Err(InvalidScope::DeviceWithoutApi));
        assert_eq!(parse(&format!("{api} {}A {}B", DEVICE[0], DEVICE[1])), Err(InvalidScope::TwoDevices));
        assert_eq!(parse(&format!("{api} {}A {}a", DEVICE[0], DEVICE[0])), Err(InvalidScope::TwoDevices));
        assert!(parse(&format!("{api} {}A {}A", DEVICE[0], DEVICE[1])).is_ok());
        assert_eq!(parse(&format!("{api} {}", DEVICE[0])), Err(InvalidScope::DeviceId));
        assert_eq!(parse(&format!("{api} {}{}", DEVICE[0], "x".repeat(256))), Err(InvalidScope::DeviceId));
        // The Curve25519 key that names a device in sign-in by QR code.
        assert!(parse(&format!("{api} {}wjLpTLRqbqBzLs63aYaEv2Boi6cFEbbM/sSRQ2oAKk4", DEVICE[1])).is_ok());
    }

    #[test]
    fn unknown_matrix_scopes_are_dropped_and_others_refused() {
        let device = format!("{} {}A", API[0], DEVICE[0]);
        assert_eq!(parse(&format!("urn:matrix:client:new:thing {device}")), Ok(device.clone()));
        assert_eq!(parse(&format!("{device} fridge")), Err(InvalidScope::Unknown));
        assert_eq!(parse("urn:synapse:admin:*"), Err(InvalidScope::AdminWithoutApi));
        assert!(parse(&format!("{device} {SYNAPSE_ADMIN}")).is_ok());
        assert_eq!(parse(""), Err(InvalidScope::Empty));
        assert_eq!(parse("urn:matrix:client:new:thing"), Err(InvalidScope::Empty));
        assert_eq!(parse("open\\id"), Err(InvalidScope::Character));
        assert_eq!(parse("openid\tx"), Err(InvalidScope::Character));
        assert_eq!(parse(" openid  openid "), Ok("openid".to_owned()));
    }

    proptest! {
        #[test]
        fn order_does_not_matter_and_what_is_granted_is_never_more_than_asked(
            mut tokens in prop::collection::vec(prop_oneof![
                Just(API[0].to_owned()), Just(API[1].to_owned()), Just(format!("{}DEV", DEVICE[0])),
                Just(format!("{}DEV", DEVICE[1])), Just(OPENID.to_owned()), Just(SYNAPSE_ADMIN.to_owned()),
                "urn:matrix:[a-z:]{1,8}",
            ], 0..6)
        ) {
            let scope = Scope::parse(&tokens.join(" "));
            tokens.reverse();
            let reversed = Scope::parse(&tokens.join(" "));
            prop_assert_eq!(scope.is_ok(), reversed.is_ok());
            if let (Ok(scope), Ok(reversed)) = (scope, reversed) {
                prop_assert!(scope.covers(&reversed.in_both_spellings()) && reversed.covers(&scope.in_both_spellings()));
                prop_assert!(scope.tokens.iter().all(|token| tokens.contains(token)));
                prop_assert_eq!(Scope::stored(&scope.to_string()), scope);
            }
        }
    }
}
