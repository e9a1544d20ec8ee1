//! How people prove who they are, and how strong that is.

/// One way in which a person proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Their password.
    Password,
    /// A code of an authenticator app (RFC 6238).
    Totp,
    /// A recovery code, or a recovery link of an admin.
    RecoveryCode,
    /// A WebAuthn credential whose owner was present, and not verified: good beside a password.
    SecurityKey,
    /// A WebAuthn credential whose owner was verified by a PIN or a trait of theirs: enough alone.
    Passkey,
    /// The browser itself, in which a second factor was used some time ago. It spares the second step and
    /// proves nothing else.
    RememberedBrowser,
}

impl Method {
    const ALL: [Method; 6] = [
        Method::Password,
        Method::Totp,
        Method::RecoveryCode,
        Method::SecurityKey,
        Method::Passkey,
        Method::RememberedBrowser,
    ];

    /// The method as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Password => "password",
            Method::Totp => "totp",
            Method::RecoveryCode => "recovery_code",
            Method::SecurityKey => "security_key",
            Method::Passkey => "passkey",
            Method::RememberedBrowser => "remembered_browser",
        }
    }

    /// RFC 8176 §2; `pop` is of OpenID Connect EAP ACR Values §3, since nobody knows whether a passkey is
    /// held by hardware (`hwk`) or software (`swk`).
    fn amr(self) -> &'static [&'static str] {
        match self {
            Method::Password => &["pwd"],
            Method::Totp | Method::RecoveryCode => &["otp"],
            Method::SecurityKey | Method::Passkey => &["pop", "user"],
            Method::RememberedBrowser => &[],
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// How strong a proof was (OpenID Connect Core §2, `acr`), the weaker before the stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Acr {
    /// One factor.
    OneFactor,
    /// Two factors.
    TwoFactors,
    /// A key took part that answers this site alone (OpenID Connect EAP ACR Values §2).
    PhishingResistant,
}

impl Acr {
    /// All that there are.
    pub const ALL: [Acr; 3] = [Acr::OneFactor, Acr::TwoFactors, Acr::PhishingResistant];

    /// The value as clients read and ask for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Acr::OneFactor => "1",
            Acr::TwoFactors => "2",
            Acr::PhishingResistant => "phr",
        }
    }

    /// The least that satisfies `acr_values` (OpenID Connect Core §3.1.2.1), each of which would do.
    /// Unknown values ask for nothing.
    pub fn asked(acr_values: &str) -> Option<Acr> {
        let known = |value: &str| Acr::ALL.into_iter().find(|acr| acr.as_str() == value);
        acr_values.split(' ').filter_map(known).min()
    }
}

/// The ways in which a person proved who they are in one sign-in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Methods(u8);

impl Methods {
    /// Whether there are none: nobody knows, or nobody had to.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this one is among them.
    pub fn has(self, method: Method) -> bool {
        self.0 & method.bit() != 0
    }

    /// The same with one more.
    #[must_use]
    pub fn with(self, method: Method) -> Methods {
        Methods(self.0 | method.bit())
    }

    /// Whether a key took part that answers this site alone.
    pub fn has_key(self) -> bool {
        self.has(Method::SecurityKey) || self.has(Method::Passkey)
    }

    /// Whether a second step was done, or none is needed beside the first.
    pub fn has_second(self) -> bool {
        self.has(Method::Totp) || self.has(Method::RecoveryCode) || self.has_key()
    }

    /// Whether two factors were proved in this sign-in.
    pub fn has_two_factors(self) -> bool {
        self.has(Method::Passkey) || (self.has(Method::Password) && self.has_second())
    }

    /// How strong they are together.
    pub fn acr(self) -> Acr {
        match (self.has_key(), self.has_two_factors()) {
            (true, _) => Acr::PhishingResistant,
            (false, true) => Acr::TwoFactors,
            (false, false) => Acr::OneFactor,
        }
    }

    /// The methods as clients read them (RFC 8176 §2).
    pub fn amr(self) -> Vec<&'static str> {
        let mut values: Vec<&str> = Vec::new();
        for value in self.iter().flat_map(Method::amr) {
            if !values.contains(value) {
                values.push(value);
            }
        }
        if self.has_two_factors() {
            values.push("mfa");
        }
        values
    }

    fn iter(self) -> impl Iterator<Item = Method> {
        Method::ALL.into_iter().filter(move |method| self.has(*method))
    }

    /// The methods as they are stored: words with spaces between them.
    pub fn to_text(self) -> String {
        self.iter().map(Method::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Reads what is stored; `None` for a word that is not known.
    pub fn parse(text: &str) -> Option<Methods> {
        text.split(' ').filter(|word| !word.is_empty()).try_fold(Methods::default(), |methods, word| {
            let method = Method::ALL.into_iter().find(|method| method.as_str() == word)?;
            Some(methods.with(method))
        })
    }
}

impl From<Method> for Methods {
    fn from(method: Method) -> Methods {
        Methods::default().with(method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = Methods> {
        (0..1 << Method::ALL.len()).map(Methods)
    }

    #[test]
    fn methods_are_read_as_they_are_written() {
        assert!(all().all(|methods| Methods::parse(&methods.to_text()) == Some(methods)));
        assert_eq!(Methods::parse("password totp"), Some(Methods::from(Method::Password).with(Method::Totp)));
        assert_eq!(Methods::parse("password telepathy"), None);
    }

    #[test]
    fn clients_read_what_was_proved() {
        let told = |methods: &[Method]| {
            let methods = methods.iter().fold(Methods::default(), |all, one| all.with(*one));
            (methods.acr().as_str(), methods.amr())
        };
        use Method::{Passkey, Password, RecoveryCode, RememberedBrowser, SecurityKey, Totp};
        assert_eq!(told(&[Password]), ("1", vec!["pwd"]));
        assert_eq!(told(&[Password, RememberedBrowser]), ("1", vec!["pwd"]));
        assert_eq!(told(&[Password, Totp]), ("2", vec!["pwd", "otp", "mfa"]));
        assert_eq!(told(&[Password, RecoveryCode]), ("2", vec!["pwd", "otp", "mfa"]));
        assert_eq!(told(&[Password, SecurityKey]), ("phr", vec!["pwd", "pop", "user", "mfa"]));
        assert_eq!(told(&[Passkey]), ("phr", vec!["pop", "user", "mfa"]));
        assert_eq!(told(&[RecoveryCode]), ("1", vec!["otp"]));
    }

    #[test]
    fn a_method_more_never_weakens_a_proof() {
        for methods in all() {
            assert!(Method::ALL.into_iter().all(|more| methods.with(more).acr() >= methods.acr()));
        }
    }

    #[test]
    fn the_least_of_the_known_values_is_asked_for() {
        assert_eq!(Acr::asked("phr 2"), Some(Acr::TwoFactors));
        assert_eq!(Acr::asked("urn:mace:incommon:iap:silver phr"), Some(Acr::PhishingResistant));
        assert_eq!(Acr::asked("1"), Some(Acr::OneFactor));
        assert_eq!(Acr::asked(""), None);
    }
}
