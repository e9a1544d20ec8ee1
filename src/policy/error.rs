//! What can be wrong with policies, and where.

use std::fmt;

use super::Question;

/// A question could not be answered, which counts as a denial that nobody is told the reason of.
#[derive(Debug, thiserror::Error)]
#[error("the policy {question} gave no decision: {reason}")]
pub struct Error {
    /// Which question.
    pub question: Question,
    /// What happened.
    pub reason: String,
}

/// Policies that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policies cannot be used:\n{}", lines(.0))]
pub struct Broken(
    /// Everything that was found, never empty.
    pub Vec<Fault>,
);

/// One thing to put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, or the key of the configuration.
    pub place: String,
    /// The line in the file, counted from 1.
    pub line: Option<u32>,
    /// What is wrong and what to do.
    pub message: String,
}

impl Fault {
    pub(super) fn new(place: impl Into<String>, message: impl Into<String>) -> Fault {
        Fault { place: place.into(), line: None, message: message.into() }
    }

    /// What the engine says: an arrow with the place, the line of the file, and the error.
    pub(super) fn from_engine(place: &str, text: &str) -> Fault {
        let arrow = text.lines().find_map(|line| line.trim().strip_prefix("--> "));
        let mut parts = arrow.unwrap_or_default().rsplitn(3, ':');
        let line = parts.nth(1).and_then(|line| line.parse().ok());
        let file = parts.next().filter(|_| line.is_some()).unwrap_or(place);
        let message = text.split_once("error: ").map_or(text, |(_, message)| message);
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        Fault { place: file.to_owned(), line, message }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

fn lines(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n")
}
