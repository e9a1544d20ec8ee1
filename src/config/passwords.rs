//! The `passwords` section.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    error::Problems,
    secret::{self, Secret},
};

/// Signing in with a password.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Passwords {
    /// Whether people may sign in with a password.
    pub enabled: bool,
    /// The least number of characters of a new password. Existing passwords stay valid.
    #[schemars(range(min = 8, max = 128))]
    pub minimum_length: usize,
    /// The same for those who have a second factor, which is asked for beside the password.
    #[schemars(range(min = 8, max = 128))]
    pub minimum_length_with_second_factor: usize,
    /// A file with passwords that were stolen elsewhere, which nobody may choose. `gatehouse passwords download`
    /// makes it.
    #[schemars(extend("format" = "path"), example = "/var/lib/gatehouse/breached-passwords")]
    pub breached_list: Option<PathBuf>,
    /// What it costs to check a password, and to guess one: the parameters of argon2id (RFC 9106).
    /// After a change, each password is hashed anew at its next sign-in.
    pub argon2: Argon2,
    /// A secret mixed into every password hash, so that a stolen database alone cannot be guessed
    /// at. Without it, one is derived from the root secret. Once passwords are stored it cannot be
    /// changed: they would all be wrong.
    #[schemars(example = "a long random text")]
    pub pepper: Option<Secret>,
    /// A file that holds the value of `pepper`; give one or the other.
    #[schemars(extend("format" = "path"), example = "/run/secrets/gatehouse-pepper")]
    pub pepper_file: Option<PathBuf>,
    /// The pepper of imported bcrypt hashes: Synapse's `password_config.pepper`. Such a password is
    /// hashed anew at its first sign-in.
    #[schemars(example = "the pepper of Synapse")]
    pub bcrypt_pepper: Option<Secret>,
    /// A file that holds the value of `bcrypt_pepper`; give one or the other.
    #[schemars(extend("format" = "path"), example = "/run/secrets/synapse-pepper")]
    pub bcrypt_pepper_file: Option<PathBuf>,
    /// How many passwords are checked at the same time. Each takes one core and the memory of
    /// `argon2.memory_kib`. 0 means one for each core.
    #[schemars(range(max = 1024))]
    pub parallel_hashes: usize,
    /// How many more sign-ins may wait for their password to be checked. Further ones are told to
    /// try again in a moment.
    #[schemars(range(min = 1, max = 100_000))]
    pub waiting_hashes: usize,
}

/// The cost of argon2id (RFC 9106 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Argon2 {
    /// The memory one check takes, in KiB; at least 8 for each unit of `parallelism`.
    #[schemars(range(min = 8, max = 4_194_304))]
    pub memory_kib: u32,
    /// How many times that memory is passed over.
    #[schemars(range(min = 1, max = 1000))]
    pub iterations: u32,
    /// Into how many lanes the memory is divided. They are worked on one after the other.
    #[schemars(range(min = 1, max = 64))]
    pub parallelism: u32,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            enabled: true,
            minimum_length: 15,
            minimum_length_with_second_factor: 8,
            breached_list: None,
            argon2: Argon2::default(),
            pepper: None,
            pepper_file: None,
            bcrypt_pepper: None,
            bcrypt_pepper_file: None,
            parallel_hashes: 0,
            waiting_hashes: 64,
        }
    }
}

impl Default for Argon2 {
    fn default() -> Self {
        Self { memory_kib: 19456, iterations: 2, parallelism: 1 }
    }
}

impl Passwords {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.range("passwords.minimum_length", self.minimum_length, 8..=128);
        problems.range(
            "passwords.minimum_length_with_second_factor",
            self.minimum_length_with_second_factor,
            8..=128,
        );
        problems.range("passwords.parallel_hashes", self.parallel_hashes, 0..=1024);
        problems.range("passwords.waiting_hashes", self.waiting_hashes, 1..=100_000);
        self.argon2.check(problems);
    }

    pub(super) fn read_secret_files(&mut self, problems: &mut Problems) {
        secret::read_file("passwords.pepper", &mut self.pepper, &mut self.pepper_file, problems);
        secret::read_file(
            "passwords.bcrypt_pepper",
            &mut self.bcrypt_pepper,
            &mut self.bcrypt_pepper_file,
            problems,
        );
    }
}

impl Argon2 {
    fn check(&self, problems: &mut Problems) {
        problems.range("passwords.argon2.memory_kib", self.memory_kib, 8..=4_194_304);
        problems.range("passwords.argon2.iterations", self.iterations, 1..=1000);
        problems.range("passwords.argon2.parallelism", self.parallelism, 1..=64);
        if self.memory_kib < self.parallelism.saturating_mul(8) {
            problems.add(
                "passwords.argon2.memory_kib",
                "must be at least 8 for each unit of parallelism (RFC 9106 §3.1)",
            );
        }
    }
}
