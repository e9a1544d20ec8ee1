//! The `registration` section.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Config, error::Problems};

/// Accounts that people make by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Registration {
    /// Whether anybody may make an account. Otherwise accounts are made by `gatehouse users create` alone.
    pub enabled: bool,
    /// By what people sign in to an account that they make. With both, they choose a password and are then
    /// offered a passkey, or choose a passkey alone.
    pub ways: RegistrationWays,
    /// Whether an e-mail address is asked for. One that is given is shown to be theirs, by a code or a link
    /// that is sent there. Without one, nobody who forgets their password comes back by themselves.
    pub email: RegistrationEmail,
    /// Whether a registration token is needed, such as `gatehouse registration-tokens create` makes.
    pub token_required: bool,
}

/// By what people sign in to an account that they make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationWays {
    /// By a password.
    Password,
    /// By a passkey.
    Passkey,
    /// By a password, a passkey or both. Where there are no passkeys, by a password.
    Both,
}

/// Whether an e-mail address is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationEmail {
    /// Nobody gets an account without.
    Required,
    /// It is asked for, and people may go on without.
    Optional,
    /// It is not asked for.
    NotAsked,
}

impl Default for Registration {
    fn default() -> Self {
        Self {
            enabled: false,
            ways: RegistrationWays::Both,
            email: RegistrationEmail::Required,
            token_required: false,
        }
    }
}

impl Registration {
    pub(super) fn check(&self, config: &Config, problems: &mut Problems) {
        if !self.enabled {
            return;
        }
        if self.email != RegistrationEmail::NotAsked && !config.email.is_on() {
            problems.add(
                "registration.email",
                "asks for addresses, and no mail can be sent to them; set up email, or say not_asked here",
            );
        }
        match self.ways {
            RegistrationWays::Passkey if config.relying_party_id().is_none() => problems.add(
                "registration.ways",
                "asks for passkeys, and there are none without a host name in http.public_base",
            ),
            RegistrationWays::Password if !config.passwords.enabled => problems.add(
                "registration.ways",
                "asks for passwords, and nobody may sign in with one; see passwords.enabled",
            ),
            RegistrationWays::Both
                if !config.registers_with_password() && !config.registers_with_passkey() =>
            {
                problems.add(
                    "registration.ways",
                    "leaves none: passwords.enabled is false, and there are no passkeys without a host name in \
                     http.public_base",
                );
            }
            _ => {}
        }
    }
}

impl Config {
    /// Whether people who make an account may choose a password.
    pub fn registers_with_password(&self) -> bool {
        self.registration.ways != RegistrationWays::Passkey && self.passwords.enabled
    }

    /// Whether people who make an account may choose a passkey.
    pub fn registers_with_passkey(&self) -> bool {
        self.registration.ways != RegistrationWays::Password && self.relying_party_id().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::super::http::url_of;
    use super::super::{MailTransport, RegistrationWays};
    use super::*;

    fn problems_of(base: &'static str, change: impl FnOnce(&mut Config)) -> Vec<String> {
        let mut config = Config::default();
        config.http.public_base = url_of(base);
        config.registration.enabled = true;
        config.email.transport = MailTransport::Sendmail;
        change(&mut config);
        let mut problems = Problems::default();
        config.registration.check(&config, &mut problems);
        problems.0.into_iter().map(|problem| problem.key).collect()
    }

    #[test]
    fn what_is_asked_for_must_be_there() {
        const NAMED: &str = "https://auth.example.org/";
        const ADDRESS: &str = "https://192.0.2.1/";
        assert!(problems_of(NAMED, |_| ()).is_empty());
        assert!(problems_of(ADDRESS, |_| ()).is_empty());
        let none = |config: &mut Config| config.email.transport = MailTransport::None;
        assert_eq!(problems_of(NAMED, none), ["registration.email"]);
        let off = |config: &mut Config| {
            none(config);
            config.registration.enabled = false;
        };
        assert!(problems_of(NAMED, off).is_empty());
        let not_asked = |config: &mut Config| {
            none(config);
            config.registration.email = RegistrationEmail::NotAsked;
        };
        assert!(problems_of(NAMED, not_asked).is_empty());
        let passkey = |config: &mut Config| config.registration.ways = RegistrationWays::Passkey;
        assert!(problems_of(NAMED, passkey).is_empty());
        assert_eq!(problems_of(ADDRESS, passkey), ["registration.ways"]);
        let no_passwords = |config: &mut Config| config.passwords.enabled = false;
        assert!(problems_of(NAMED, no_passwords).is_empty());
        assert_eq!(problems_of(ADDRESS, no_passwords), ["registration.ways"]);
        let by_password_alone = |config: &mut Config| {
            no_passwords(config);
            config.registration.ways = RegistrationWays::Password;
        };
        assert_eq!(problems_of(NAMED, by_password_alone), ["registration.ways"]);
    }
}
