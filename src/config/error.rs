//! What can be wrong with a configuration, and where.

use std::{fmt, ops::RangeInclusive, path::PathBuf};

/// Why a configuration was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration file could not be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    Unreadable {
        /// The file that was asked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file or the environment says something that cannot be used.
    #[error("{}", report(file.as_ref(), problems))]
    Invalid {
        /// The configuration file, when there is one.
        file: Option<PathBuf>,
        /// Everything that was found, never empty.
        problems: Vec<Problem>,
    },
}

/// One thing to put right.
///
/// No message repeats a value, since it might be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where the value was given; nothing for a default.
    pub place: Option<Place>,
    /// The key as a path, `http.listeners[0].address`; empty when no key is concerned.
    pub key: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// Where a value was given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A line of the configuration file, counted from 1.
    Line(u64),
    /// An environment variable.
    Variable(String),
}

/// A list of problems being collected.
#[derive(Debug, Default)]
pub(super) struct Problems(pub(super) Vec<Problem>);

impl Problems {
    /// Notes what is wrong with `key`.
    pub(super) fn add(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem { place: None, key: key.into(), message: message.into() });
    }

    /// Notes that the number at `key` is out of range, if it is.
    pub(super) fn range<T: PartialOrd + fmt::Display>(
        &mut self,
        key: &str,
        number: T,
        range: RangeInclusive<T>,
    ) {
        if !range.contains(&number) {
            self.add(key, format!("must be {} to {}", range.start(), range.end()));
        }
    }

    /// Ends the collecting: fine when nothing was found.
    pub(super) fn into_result(mut self, file: Option<PathBuf>) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort_by(|a, b| a.place.cmp(&b.place));
        Err(Error::Invalid { file, problems: self.0 })
    }
}

fn report(file: Option<&PathBuf>, problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(|problem| line(file, problem)).collect();
    lines.join("\n")
}

fn line(file: Option<&PathBuf>, problem: &Problem) -> String {
    let place = match (&problem.place, file) {
        (Some(Place::Line(line)), Some(file)) => format!("{}, line {line}: ", file.display()),
        (Some(place), _) => format!("{place}: "),
        (None, Some(file)) => format!("{}: ", file.display()),
        (None, None) => String::new(),
    };
    let key = match problem.key.as_str() {
        "" => String::new(),
        key => format!("{key}: "),
    };
    format!("{place}{key}{}", problem.message)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(line) => write!(f, "line {line}"),
            Place::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}
