//! The configuration file: written by the admin, often by a template that went wrong.

use std::fs;

use gatehouse::config::{Config, Error};

use super::fuzz;

/// A file is taken whole or refused with messages that name something to do, each on its line.
#[test]
fn configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gatehouse.yaml");
    fuzz!("configuration", |input: &[u8]| {
        fs::write(&path, input).unwrap();
        match Config::load(Some(&path), std::iter::empty()) {
            Ok(config) => config.check().expect("what was loaded was checked"),
            Err(Error::Unreadable { .. }) => assert!(str::from_utf8(input).is_err()),
            Err(Error::Invalid { problems, .. }) => {
                assert!(!problems.is_empty());
                for problem in problems {
                    assert!(!problem.message.is_empty());
                    assert!(!problem.message.contains("correct-horse"), "a secret is repeated: {problem:?}");
                }
            }
        }
    });
}
