//! Secret values of the configuration, and the files they may come from.

use std::{borrow::Cow, fmt, path::PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::error::Problems;

/// A secret from the configuration: it is never printed, and erased from memory when dropped.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(SecretString);

impl Secret {
    /// Keeps `value` as a secret.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The text itself, for the one place that uses it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// In constant time for secrets of the same length.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose().as_bytes().ct_eq(other.expose().as_bytes()).into()
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "writeOnly": true })
    }
}

/// Brings the two forms of a secret into one: a file that is named is read into `secret`.
///
/// `key` is the path of the plain form; the other has the same name and `_file`.
pub(super) fn read_file(
    key: &str,
    secret: &mut Option<Secret>,
    file: &mut Option<PathBuf>,
    problems: &mut Problems,
) {
    let file_key = format!("{key}_file");
    match (&secret, file.take()) {
        (Some(_), Some(_)) => {
            problems.add(file_key, format!("{key} is set as well; keep one of them"));
        }
        (Some(given), None) if given.expose().trim().is_empty() => {
            problems.add(key, "is empty; give a value or remove the key");
        }
        (None, Some(path)) => match std::fs::read_to_string(&path) {
            Ok(text) if text.trim().is_empty() => {
                problems.add(file_key, format!("the file {} is empty", path.display()));
            }
            Ok(text) => *secret = Some(Secret::new(text.trim())),
            Err(error) => {
                problems.add(file_key, format!("cannot read {}: {error}", path.display()));
            }
        },
        _ => {}
    }
}
