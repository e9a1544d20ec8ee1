//! Identifiers: ULID text for what we name ourselves, Matrix's own spelling for what it names.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ulid::Ulid;

use crate::time::Timestamp;

/// An identifier of one kind of thing, written as a ULID.
pub struct Id<Of>(Ulid, PhantomData<fn() -> Of>);

/// What a [`UserId`] names.
pub enum User {}
/// What a [`BrowserSessionId`] names.
pub enum BrowserSession {}
/// What an [`ClientSessionId`] names.
pub enum ClientSession {}
/// What an [`AuthorizationRequestId`] names.
pub enum AuthorizationRequest {}
/// What a [`ConsentId`] names.
pub enum Consent {}
/// What an [`SsoLoginId`] names.
pub enum SsoLogin {}
/// What an [`AuthenticatorAppId`] names.
pub enum AuthenticatorApp {}
/// What a [`RememberedBrowserId`] names.
pub enum RememberedBrowser {}
/// What a [`PasskeyId`] names.
pub enum Passkey {}
/// What an [`AccountEventId`] names.
pub enum AccountEvent {}
/// What a [`JobId`] names.
pub enum Job {}
/// What an [`EmailVerificationId`] names.
pub enum EmailVerification {}
/// What a [`MailId`] names.
pub enum Mail {}
/// What a [`RegistrationTokenId`] names.
pub enum RegistrationToken {}

/// A person's account; also the `sub` of OpenID Connect.
pub type UserId = Id<User>;
/// A person signed in with a browser.
pub type BrowserSessionId = Id<BrowserSession>;
/// What a client holds after a grant: a chain of access and refresh tokens.
pub type ClientSessionId = Id<ClientSession>;
/// One request at the authorization endpoint, from when it is begun until its code is forgotten.
pub type AuthorizationRequestId = Id<AuthorizationRequest>;
/// What a person has allowed a client, until it is forgotten.
pub type ConsentId = Id<Consent>;
/// A sign-in that an older Matrix client began by leading a browser here.
pub type SsoLoginId = Id<SsoLogin>;
/// An authenticator app of a person.
pub type AuthenticatorAppId = Id<AuthenticatorApp>;
/// A browser that a person has had remembered.
pub type RememberedBrowserId = Id<RememberedBrowser>;
/// A passkey or security key of a person.
pub type PasskeyId = Id<Passkey>;
/// Something that happened to an account.
pub type AccountEventId = Id<AccountEvent>;
/// A piece of background work.
pub type JobId = Id<Job>;
/// An address that somebody wants to add to their account.
pub type EmailVerificationId = Id<EmailVerification>;
/// A mail, from when it is asked for until it is handed over.
pub type MailId = Id<Mail>;
/// What an admin gives to people who may register.
pub type RegistrationTokenId = Id<RegistrationToken>;

impl<Of> Id<Of> {
    /// A new identifier that sorts by `now`.
    pub fn new(now: Timestamp) -> Self {
        let mut random = [0u8; 10];
        crate::random::fill(&mut random);
        let mut low = [0u8; 16];
        low[6..].copy_from_slice(&random);
        let millis = u64::try_from(now.0).unwrap_or(0);
        Id(Ulid::from_parts(millis, u128::from_be_bytes(low)), PhantomData)
    }

    /// An identifier that sorts before all that were made at a moment or later, and after all before.
    pub fn before(moment: Timestamp) -> Self {
        Id(Ulid::from_parts(u64::try_from(moment.0).unwrap_or(0), 0), PhantomData)
    }

    /// The identifier that a name stands for: always the same one, and before all that were made at a
    /// moment.
    pub fn of_name(name: &str) -> Self {
        let mut low = [0u8; 16];
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, name.as_bytes());
        low[6..].copy_from_slice(&digest.as_ref()[..10]);
        Id(Ulid::from_parts(0, u128::from_be_bytes(low)), PhantomData)
    }

    /// The sixteen bytes of the identifier.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_bytes()
    }

    /// The identifier with these bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Id(Ulid::from_bytes(bytes), PhantomData)
    }

    /// When it was made.
    pub fn made_at(self) -> Timestamp {
        Timestamp(i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX))
    }
}

impl<Of> Clone for Id<Of> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<Of> Copy for Id<Of> {}
impl<Of> PartialEq for Id<Of> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<Of> Eq for Id<Of> {}
impl<Of> std::hash::Hash for Id<Of> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<Of> fmt::Display for Id<Of> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<Of> fmt::Debug for Id<Of> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl<Of> FromStr for Id<Of> {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        // What is more than 128 bits would be cut, and so be another way to write an identifier.
        let fits = text.bytes().next().is_some_and(|first| matches!(first, b'0'..=b'7'));
        let read = fits.then(|| Ulid::from_string(text).ok()).flatten();
        read.map(|ulid| Id(ulid, PhantomData)).ok_or(InvalidId)
    }
}
impl<Of> Serialize for Id<Of> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
impl<'de, Of> Deserialize<'de> for Id<Of> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The text is not a ULID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of this server")]
pub struct InvalidId;

/// An OAuth client (RFC 6749 §2.2): a ULID for those that registered themselves, any visible
/// ASCII for those named in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(pub String);

impl ClientId {
    /// A new identifier, for a client that the configuration does not name.
    pub fn new(now: Timestamp) -> ClientId {
        ClientId(Id::<ClientId>::new(now).to_string())
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A Matrix device identifier; case matters and any character may occur (Matrix CS API, Devices).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceId(pub String);

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The local part of a Matrix user identifier as the homeserver writes it (Matrix, Appendices,
/// User identifiers).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Localpart(String);

impl Localpart {
    /// Reads a name for a *new* account: lower case letters, digits and `._=-/+`, not only digits
    /// (those are a homeserver's guests), no leading underscore, and short enough for a full user
    /// identifier of 255 bytes on `server_name`.
    ///
    /// # Errors
    /// One [`InvalidLocalpart`] per rule, worded for the person who chose the name.
    pub fn new(text: &str, server_name: &str) -> Result<Localpart, InvalidLocalpart> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._=-/+".contains(c);
        if text.is_empty() {
            return Err(InvalidLocalpart::Empty);
        }
        if text.starts_with('_') {
            return Err(InvalidLocalpart::Underscore);
        }
        if !text.chars().all(allowed) {
            return Err(InvalidLocalpart::Characters);
        }
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidLocalpart::Digits);
        }
        if text.len() + server_name.len() + 2 > 255 {
            return Err(InvalidLocalpart::Long);
        }
        Ok(Localpart(text.to_owned()))
    }

    /// Takes a name that the database already holds.
    pub fn from_stored(text: String) -> Localpart {
        Localpart(text)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The full Matrix user identifier on `server_name`.
    pub fn mxid(&self, server_name: &str) -> String {
        format!("@{}:{server_name}", self.0)
    }
}

impl fmt::Display for Localpart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a name cannot be a new account's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLocalpart {
    /// Nothing was typed.
    #[error("a user name needs at least one character")]
    Empty,
    /// Homeservers keep a leading underscore for application services.
    #[error("a user name cannot start with an underscore")]
    Underscore,
    /// A character outside Matrix's set.
    #[error("a user name has only lower case letters, digits and . _ = - / +")]
    Characters,
    /// Homeservers keep names of digits for guests.
    #[error("a user name needs more than digits")]
    Digits,
    /// The full identifier would exceed 255 bytes.
    #[error("this user name is too long for the server's name")]
    Long,
}

/// What someone typed to say who they are, reduced to the local part to look for: `alice`,
/// `@alice` or `@alice:server`. `None` when it names another server.
pub fn localpart_of<'a>(typed: &'a str, server_name: &str) -> Option<&'a str> {
    let typed = typed.trim();
    let Some(rest) = typed.strip_prefix('@') else { return Some(typed) };
    match rest.split_once(':') {
        Some((localpart, server)) if server.eq_ignore_ascii_case(server_name) => Some(localpart),
        Some(_) => None,
        None => Some(rest),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_follow_the_rules_of_the_homeserver() {
        for good in ["alice", "a", "a.b_c=d-e/f+g", "1a", "a_"] {
            assert!(Localpart::new(good, "example.org").is_ok(), "{good}");
        }
        for (bad, why) in [
            ("", InvalidLocalpart::Empty),
            ("_bridge", InvalidLocalpart::Underscore),
            ("Alice", InvalidLocalpart::Characters),
            ("al ice", InvalidLocalpart::Characters),
            ("älice", InvalidLocalpart::Characters),
            ("a\u{0}", InvalidLocalpart::Characters),
            ("12345", InvalidLocalpart::Digits),
        ] {
            assert_eq!(Localpart::new(bad, "example.org"), Err(why), "{bad}");
        }
        // "@", ":" and the server's name count towards the 255 bytes.
        assert!(Localpart::new(&"a".repeat(255 - 2 - 11), "example.org").is_ok());
        assert_eq!(Localpart::new(&"a".repeat(255 - 1 - 11), "example.org"), Err(InvalidLocalpart::Long));
    }

    #[test]
    fn a_typed_name_is_reduced_to_its_local_part() {
        assert_eq!(localpart_of(" alice ", "example.org"), Some("alice"));
        assert_eq!(localpart_of("@alice", "example.org"), Some("alice"));
        assert_eq!(localpart_of("@alice:Example.org", "example.org"), Some("alice"));
        assert_eq!(localpart_of("@alice:elsewhere.org", "example.org"), None);
        assert_eq!(localpart_of("@a:example.org:8448", "example.org:8448"), Some("a"));
    }

    proptest! {
        #[test]
        fn a_name_that_may_be_taken_is_found_again_however_it_is_typed(
            name in "[a-zA-Z0-9._=/+@: äK_-]{0,20}",
            server in "[a-z0-9.-]{1,40}(:[0-9]{1,5})?",
        ) {
            if let Ok(localpart) = Localpart::new(&name, &server) {
                let mxid = localpart.mxid(&server);
                for typed in [name.clone(), format!("@{name}"), mxid.clone(), format!(" {} ", mxid), format!("@{name}:{}", server.to_uppercase())] {
                    prop_assert_eq!(localpart_of(&typed, &server), Some(localpart.as_str()));
                }
                prop_assert_eq!(localpart_of(&mxid, &format!("not{server}")), None);
                prop_assert!(mxid.len() <= 255 && name.to_lowercase() == name);
            }
        }

        #[test]
        fn nobody_of_another_server_is_taken_for_one_of_ours(name in "\\PC{0,20}", server in "[a-z.]{1,20}", other in "[a-z.:0-9]{1,20}") {
            prop_assume!(!name.contains(':') && !server.eq_ignore_ascii_case(other.trim()));
            let typed = format!("@{name}:{other}");
            prop_assert_eq!(localpart_of(&typed, &server), None);
        }
    }
}
