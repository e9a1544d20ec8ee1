//! The `rate_limits` section.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{error::Problems, schema};

/// How often something may be tried.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimits {
    /// Sign-ins with a password or passkey from one address (a /64 network for IPv6).
    #[serde(deserialize_with = "limit::<_, 20, 120>")]
    pub sign_in_per_address: Limit,
    /// Sign-ins with a password to one account, from wherever they come.
    #[serde(deserialize_with = "limit::<_, 10, 60>")]
    pub sign_in_per_account: Limit,
    /// Wrong codes for the second step of a sign-in, entered from one address (a /64 network for IPv6).
    #[serde(deserialize_with = "limit::<_, 20, 60>")]
    pub second_step_per_address: Limit,
    /// Wrong codes for the second step of a sign-in, entered for one account by those who know its password.
    #[serde(deserialize_with = "limit::<_, 10, 12>")]
    pub second_step_per_account: Limit,
    /// Names that are tried for new accounts, and codes that are sent for them, from one address (a /64 network
    /// for IPv6).
    #[serde(deserialize_with = "limit::<_, 20, 60>")]
    pub registration_per_address: Limit,
    /// Clients that register themselves from one address (a /64 network for IPv6).
    #[serde(deserialize_with = "limit::<_, 60, 600>")]
    pub client_registration_per_address: Limit,
    /// Rendezvous sessions (sign-in by QR code) that begin from one address (a /64 network for IPv6).
    #[serde(deserialize_with = "limit::<_, 60, 600>")]
    pub rendezvous_per_address: Limit,
    /// Wrong secrets presented for one client.
    #[serde(deserialize_with = "limit::<_, 20, 120>")]
    pub client_secret_per_client: Limit,
    /// Wrong codes of other devices, entered from one address (a /64 network for IPv6).
    #[serde(deserialize_with = "limit::<_, 20, 60>")]
    pub user_code_per_address: Limit,
    /// Wrong codes of other devices, entered by one person in whichever browser.
    #[serde(deserialize_with = "limit::<_, 10, 30>")]
    pub user_code_per_account: Limit,
    /// Wrong registration tokens, entered from one address (a /64 network for IPv6).
    #[serde(deserialize_with = "limit::<_, 10, 30>")]
    pub registration_token_per_address: Limit,
    /// Mails with a code that confirms an e-mail address, which one person has sent. Five wrong codes are
    /// allowed for each.
    #[serde(deserialize_with = "limit::<_, 5, 10>")]
    pub email_code_per_account: Limit,
    /// The same mails to one e-mail address, whoever has them sent.
    #[serde(deserialize_with = "limit::<_, 5, 10>")]
    pub email_code_per_recipient: Limit,
    /// Mails with a way back into an account, asked for from one address (a /64 network for IPv6).
    #[serde(deserialize_with = "limit::<_, 10, 30>")]
    pub password_reset_per_address: Limit,
    /// The same mails to one e-mail address, whoever asks for them.
    #[serde(deserialize_with = "limit::<_, 3, 6>")]
    pub password_reset_per_recipient: Limit,
}

/// A bucket of attempts that refills evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, transform = schema::nothing_required)]
pub struct Limit {
    /// How many attempts may come at once.
    #[schemars(range(min = 1))]
    pub burst: u32,
    /// How many further attempts an hour are allowed.
    #[schemars(range(min = 1))]
    pub per_hour: u32,
}

impl Default for RateLimits {
    fn default() -> Self {
        let limit = |burst, per_hour| Limit { burst, per_hour };
        Self {
            sign_in_per_address: limit(20, 120),
            sign_in_per_account: limit(10, 60),
            second_step_per_address: limit(20, 60),
            second_step_per_account: limit(10, 12),
            registration_per_address: limit(20, 60),
            client_registration_per_address: limit(60, 600),
            rendezvous_per_address: limit(60, 600),
            client_secret_per_client: limit(20, 120),
            user_code_per_address: limit(20, 60),
            user_code_per_account: limit(10, 30),
            registration_token_per_address: limit(10, 30),
            email_code_per_account: limit(5, 10),
            email_code_per_recipient: limit(5, 10),
            password_reset_per_address: limit(10, 30),
            password_reset_per_recipient: limit(3, 6),
        }
    }
}

impl RateLimits {
    pub(super) fn check(&self, problems: &mut Problems) {
        let limits = [
            ("sign_in_per_address", self.sign_in_per_address),
            ("sign_in_per_account", self.sign_in_per_account),
            ("second_step_per_address", self.second_step_per_address),
            ("second_step_per_account", self.second_step_per_account),
            ("registration_per_address", self.registration_per_address),
            ("client_registration_per_address", self.client_registration_per_address),
            ("rendezvous_per_address", self.rendezvous_per_address),
            ("client_secret_per_client", self.client_secret_per_client),
            ("user_code_per_address", self.user_code_per_address),
            ("user_code_per_account", self.user_code_per_account),
            ("registration_token_per_address", self.registration_token_per_address),
            ("email_code_per_account", self.email_code_per_account),
            ("email_code_per_recipient", self.email_code_per_recipient),
            ("password_reset_per_address", self.password_reset_per_address),
            ("password_reset_per_recipient", self.password_reset_per_recipient),
        ];
        for (name, limit) in limits {
            for (key, number) in [("burst", limit.burst), ("per_hour", limit.per_hour)] {
                if number == 0 {
                    problems.add(
                        format!("rate_limits.{name}.{key}"),
                        "must be at least 1: with 0 nobody could ever pass",
                    );
                }
            }
        }
    }
}

/// Reads a limit of which one number may be left out: the default of that limit takes its place.
fn limit<'de, D: Deserializer<'de>, const BURST: u32, const PER_HOUR: u32>(
    deserializer: D,
) -> Result<Limit, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Given {
        burst: Option<u32>,
        per_hour: Option<u32>,
    }
    let given = Given::deserialize(deserializer)?;
    Ok(Limit { burst: given.burst.unwrap_or(BURST), per_hour: given.per_hour.unwrap_or(PER_HOUR) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_left_out_are_the_defaults() {
        let empty = r#"{
            "sign_in_per_address": {},
            "sign_in_per_account": {},
            "second_step_per_address": {},
            "second_step_per_account": {},
            "registration_per_address": {},
            "client_registration_per_address": {},
            "rendezvous_per_address": {},
            "client_secret_per_client": {},
            "user_code_per_address": {},
            "user_code_per_account": {},
            "registration_token_per_address": {},
            "email_code_per_account": {},
            "email_code_per_recipient": {},
            "password_reset_per_address": {},
            "password_reset_per_recipient": {}
        }"#;
        assert_eq!(serde_json::from_str::<RateLimits>(empty).unwrap(), RateLimits::default());
    }
}
