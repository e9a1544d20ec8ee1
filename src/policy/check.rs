//! `policy check`: compiles everything and runs the tests.

use serde::Serialize;

use super::error::{Broken, Fault};
use super::rules::{self, Rules};
use super::sources::{Source, Sources};
use crate::config;

/// What the tests said.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// One entry for each test, ours first.
    pub tests: Vec<TestResult>,
}

impl Report {
    /// Whether all tests passed.
    pub fn is_passed(&self) -> bool {
        self.tests.iter().all(|test| test.failure.is_none())
    }
}

/// What one test said.
#[derive(Clone, Debug, Serialize)]
pub struct TestResult {
    /// The file with the test.
    pub file: String,
    /// Its line, counted from 1.
    pub line: u32,
    /// The name of the rule.
    pub name: String,
    /// Why it failed, if it did.
    pub failure: Option<String>,
}

/// Compiles the rules that come with Gatehouse and those of the configuration, and runs the tests of
/// both: ours against our own rules and settings, the administrator's against what is in force.
///
/// # Errors
/// What keeps the rules or tests from compiling.
pub fn check(config: &config::Policy) -> Result<Report, Broken> {
    let mut tests = Vec::new();
    for sources in [Sources::shipped(), Sources::configured(config)?] {
        Rules::compile(&sources)?;
        tests.extend(run(&sources)?);
    }
    Ok(Report { tests })
}

/// Runs the tests with the engine's interpreter: the compiled form does not know `with`.
fn run(sources: &Sources) -> Result<Vec<TestResult>, Broken> {
    let files: Vec<Source> = sources.rules.iter().chain(&sources.tests).cloned().collect();
    let mut engine = rules::engine(&files, &rules::data(sources))?;
    let mut results = Vec::new();
    for test in &sources.tests {
        for (line, rule) in named(&mut engine, &test.name) {
            let answer = engine.eval_rule(rule.clone());
            let failure = match answer {
                Ok(regorus::Value::Bool(true)) => None,
                Ok(regorus::Value::Undefined) => Some("is not true".to_owned()),
                Ok(other) => Some(format!("is {other}, not true")),
                Err(error) => Some(Fault::from_engine(&test.name, &error.to_string()).to_string()),
            };
            let name = rule.strip_prefix("data.").unwrap_or(&rule).to_owned();
            results.push(TestResult { file: test.name.clone(), line, name, failure });
        }
    }
    Ok(results)
}

/// The rules of a file whose names begin with `test_`, with their lines and full names.
fn named(engine: &mut regorus::Engine, file: &str) -> Vec<(u32, String)> {
    let modules = engine.get_modules();
    let Some(module) = modules.iter().find(|module| module.package.refr.span().source.file() == file) else {
        return Vec::new();
    };
    let package = module.package.refr.span().text().to_owned();
    let mut found: Vec<(u32, String)> = Vec::new();
    for rule in &module.policy {
        let text = rule.span().text();
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        let name = format!("data.{package}.{}", &text[..end]);
        if text.starts_with("test_") && found.iter().all(|(_, known)| *known != name) {
            found.push((rule.span().line, name));
        }
    }
    found
}
