//! Questions that the server asks before it allows something, answered by rules in Rego.
//!
//! The rules in `policies/` come with the binary; administrators add files of their own and settings
//! (`docs/policies.md`). They are compiled once, each question runs in a machine of its own, bounded
//! in steps and in time. What the specifications fix is not asked here.
//!
//! Whoever asks fails closed: an [`Error`] is never permission.

mod check;
mod decision;
mod error;
mod evaluate;
pub mod input;
mod rules;
mod settings;
mod sources;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use check::{Report, TestResult, check};
pub use decision::{Code, Decision, Violation, in_one_line, sessions_to_end};
pub use error::{Broken, Error, Fault};
pub use evaluate::{EvaluateError, Evaluation, Finding, Outcome, evaluate};

use crate::config;
use rules::Rules;
use sources::Sources;

/// What can be asked. Each question is a package whose rule `violations` is the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// May this account be created?
    Register,
    /// May this e-mail address belong to an account?
    Email,
    /// May this client register itself?
    ClientRegistration,
    /// May this client have this access?
    AuthorizationGrant,
    /// May somebody sign in through the login API of older Matrix clients?
    CompatLogin,
}

impl Question {
    /// All of them.
    pub const ALL: [Question; 5] = [
        Question::Register,
        Question::Email,
        Question::ClientRegistration,
        Question::AuthorizationGrant,
        Question::CompatLogin,
    ];

    /// The name of its package.
    pub fn package(self) -> &'static str {
        match self {
            Question::Register => "register",
            Question::Email => "email",
            Question::ClientRegistration => "client_registration",
            Question::AuthorizationGrant => "authorization_grant",
            Question::CompatLogin => "compat_login",
        }
    }

    /// An input as the documentation shows it.
    pub fn example_input(self) -> &'static str {
        match self {
            Question::Register => include_str!("../../policies/examples/register.json"),
            Question::Email => include_str!("../../policies/examples/email.json"),
            Question::ClientRegistration => include_str!("../../policies/examples/client_registration.json"),
            Question::AuthorizationGrant => include_str!("../../policies/examples/authorization_grant.json"),
            Question::CompatLogin => include_str!("../../policies/examples/compat_login.json"),
        }
    }

    fn entry_point(self) -> String {
        format!("data.{}.violations", self.package())
    }

    fn example(self) -> regorus::Value {
        regorus::Value::from_json_str(self.example_input()).unwrap_or(regorus::Value::Undefined)
    }

    /// The input, if it is one for this question, with `null` for what it leaves out.
    fn normalise(self, given: serde_json::Value) -> Result<serde_json::Value, serde_json::Error> {
        fn through<T: DeserializeOwned + Serialize>(
            given: serde_json::Value,
        ) -> Result<serde_json::Value, serde_json::Error> {
            serde_json::to_value(serde_json::from_value::<T>(given)?)
        }
        match self {
            Question::Register => through::<input::Register>(given),
            Question::Email => through::<input::Email>(given),
            Question::ClientRegistration => through::<input::ClientRegistration>(given),
            Question::AuthorizationGrant => through::<input::AuthorizationGrant>(given),
            Question::CompatLogin => through::<input::CompatLogin>(given),
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.package())
    }
}

impl std::str::FromStr for Question {
    type Err = UnknownQuestion;

    fn from_str(name: &str) -> Result<Question, UnknownQuestion> {
        Question::ALL.into_iter().find(|question| question.package() == name).ok_or(UnknownQuestion)
    }
}

/// There is no such question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the questions are register, email, client_registration, authorization_grant and compat_login")]
pub struct UnknownQuestion;

/// The rules that are in force. Cheap to clone; all clones see a reload.
#[derive(Clone)]
pub struct Policy(Arc<RwLock<Arc<Rules>>>);

/// Rules are long, and an administrator's settings are nobody's business.
impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Policy")
    }
}

impl Policy {
    /// Compiles the rules that come with Gatehouse and those of the configuration.
    ///
    /// # Errors
    /// Everything that is wrong with them, with file and line.
    pub fn open(config: &config::Policy) -> Result<Policy, Broken> {
        let rules = Rules::compile(&Sources::configured(config)?)?;
        Ok(Policy(Arc::new(RwLock::new(Arc::new(rules)))))
    }

    /// Reads everything again, and puts it in force if all of it is good. Questions that are being
    /// answered at this moment are answered by the rules they began with.
    ///
    /// # Errors
    /// Everything that is wrong; the rules stay as they were.
    pub fn reload(&self, config: &config::Policy) -> Result<(), Broken> {
        let rules = Sources::configured(config).and_then(|sources| Rules::compile(&sources));
        match rules {
            Ok(rules) => {
                *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
                tracing::info!("the policies were read again and are in force");
                Ok(())
            }
            Err(broken) => {
                tracing::error!(%broken, "the policies were read again; the former ones stay in force");
                Err(broken)
            }
        }
    }

    /// May this account be created?
    ///
    /// # Errors
    /// [`Error`] when there is no decision: treat it as a denial.
    pub fn register(&self, input: &input::Register) -> Result<Decision, Error> {
        self.ask(Question::Register, input)
    }

    /// May this e-mail address belong to an account?
    ///
    /// # Errors
    /// [`Error`] when there is no decision: treat it as a denial.
    pub fn email(&self, input: &input::Email) -> Result<Decision, Error> {
        self.ask(Question::Email, input)
    }

    /// May this client register itself?
    ///
    /// # Errors
    /// [`Error`] when there is no decision: treat it as a denial.
    pub fn client_registration(&self, input: &input::ClientRegistration) -> Result<Decision, Error> {
        self.ask(Question::ClientRegistration, input)
    }

    /// May this client have this access?
    ///
    /// # Errors
    /// [`Error`] when there is no decision: treat it as a denial.
    pub fn authorization_grant(&self, input: &input::AuthorizationGrant) -> Result<Decision, Error> {
        self.ask(Question::AuthorizationGrant, input)
    }

    /// May somebody sign in through the login API of older Matrix clients?
    ///
    /// # Errors
    /// [`Error`] when there is no decision: treat it as a denial.
    pub fn compat_login(&self, input: &input::CompatLogin) -> Result<Decision, Error> {
        self.ask(Question::CompatLogin, input)
    }

    fn ask(&self, question: Question, input: &impl Serialize) -> Result<Decision, Error> {
        let rules = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let failed = |reason: String| Error { question, reason };
        let decided = serde_json::to_value(input)
            .map_err(|error| failed(error.to_string()))
            .and_then(|input| rules.ask(question, input.into()));
        match &decided {
            Ok(Decision::Allowed) => {}
            Ok(Decision::Denied(violations)) => {
                tracing::info!(%question, violations = in_one_line(violations), "a policy denied something");
            }
            Err(error) => tracing::error!(%error, "a policy failed, which denies what was asked"),
        }
        decided
    }
}
