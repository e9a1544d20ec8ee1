//! What a policy answers.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing speaks against it.
    Allowed,
    /// Everything that speaks against it; never empty.
    Denied(Vec<Violation>),
}

impl Decision {
    /// What speaks against it: nothing when it is allowed.
    pub fn violations(&self) -> &[Violation] {
        match self {
            Decision::Allowed => &[],
            Decision::Denied(violations) => violations,
        }
    }

    /// Whether nothing speaks against it.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Decision::Allowed)
    }
}

/// One thing that speaks against what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// What kind of thing: pages have a sentence for each that they know.
    pub code: Code,
    /// A sentence of the rule's own, which wins over that of the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Everything else that the rule says, such as the limit that was exceeded.
    #[serde(flatten)]
    pub data: Map<String, Value>,
}

impl Violation {
    /// A whole number among the data.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.data.get(key).and_then(Value::as_u64)
    }
}

/// For developers and logs: the rule's own sentence, else the code and its data.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(message) = &self.message {
            return f.write_str(message);
        }
        write!(f, "{}", self.code)?;
        for (key, value) in &self.data {
            match value {
                Value::String(text) => write!(f, " {key}={text}")?,
                other => write!(f, " {key}={other}")?,
            }
        }
        Ok(())
    }
}

/// Several violations in one line, for developers and logs.
pub fn in_one_line(violations: &[Violation]) -> String {
    violations.iter().map(Violation::to_string).collect::<Vec<_>>().join("; ")
}

/// How many sessions have to end first, when that is all that is wrong: the person can do that.
pub fn sessions_to_end(violations: &[Violation]) -> Option<u64> {
    let to_end = |violation: &Violation| match violation.code {
        Code::TooManySessions => Some(violation.number("to_end").unwrap_or(1)),
        _ => None,
    };
    violations.iter().map(to_end).collect::<Option<Vec<u64>>>()?.into_iter().max()
}

/// The kinds of violations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The requester's network or program is banned.
    RequesterBanned,
    /// Accounts are not created in this way.
    MethodNotAllowed,
    /// The name has fewer characters than `minimum`.
    NameTooShort,
    /// The name is banned.
    NameBanned,
    /// The name is not one of those that are allowed.
    NameNotAllowed,
    /// The domain of the e-mail address, `domain`, is banned.
    EmailDomainBanned,
    /// The e-mail address is banned.
    EmailBanned,
    /// The e-mail address is not one of those that are allowed.
    EmailNotAllowed,
    /// Clients of this `application_type` do not register here.
    ApplicationTypeNotAllowed,
    /// The host of the client's home page, `host`, is banned.
    ClientBanned,
    /// The host of the client's home page, `host`, is not one of those that are allowed.
    ClientNotAllowed,
    /// The host of a redirect URI, `host`, is banned.
    RedirectHostBanned,
    /// The host of a redirect URI, `host`, is not one of those that are allowed.
    RedirectHostNotAllowed,
    /// This account or client may not have `scope`.
    ScopeNotAllowed,
    /// One session more would exceed `limit`; `to_end` sessions have to end first.
    TooManySessions,
    /// A kind that only an administrator's own rules know.
    #[serde(untagged)]
    Other(String),
}

/// The code as rules spell it.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
