//! The `secrets` section.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    database::Database,
    error::Problems,
    secret::{self, Secret},
};

/// A secret with less than this many bytes can be guessed.
const SHORTEST: usize = 32;

/// The secret that protects everything else that is stored.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    /// The secret from which all others are derived and under which signing keys are encrypted: at
    /// least 32 random characters (`openssl rand -base64 32`). Required with PostgreSQL, the same
    /// on every node; keep a copy apart from the database's backups, since neither is of use
    /// without the other. With SQLite one is generated in the data folder.
    #[schemars(example = "at least 32 random characters")]
    pub root_secret: Option<Secret>,
    /// A file that holds the value of `root_secret`; give one or the other.
    #[schemars(extend("format" = "path"), example = "/run/secrets/gatehouse-root")]
    pub root_secret_file: Option<PathBuf>,
}

impl Secrets {
    pub(super) fn check(&self, database: &Database, problems: &mut Problems) {
        match &self.root_secret {
            Some(secret) if secret.expose().len() < SHORTEST => problems.add(
                "secrets.root_secret",
                format!("is too short; use at least {SHORTEST} random characters (openssl rand -base64 32)"),
            ),
            None if database.is_postgresql() => problems.add(
                "secrets.root_secret",
                "is required with PostgreSQL; set it or root_secret_file (openssl rand -base64 32)",
            ),
            _ => {}
        }
    }

    pub(super) fn read_secret_files(&mut self, problems: &mut Problems) {
        secret::read_file("secrets.root_secret", &mut self.root_secret, &mut self.root_secret_file, problems);
    }
}
