//! `policy eval`: what an input would get, and which rules say so.

use std::collections::BTreeMap;

use serde::Serialize;

use super::decision::Violation;
use super::error::{Broken, Error};
use super::rules::{self, Rules};
use super::sources::Sources;
use super::{Decision, Question};
use crate::config;

/// What an input would get.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    /// What was asked.
    pub question: Question,
    /// The decision.
    pub decision: Outcome,
    /// What speaks against it.
    pub violations: Vec<Finding>,
}

/// A decision in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing speaks against it.
    Allowed,
    /// Something does.
    Denied,
}

/// A violation, and where it comes from.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What speaks against it.
    #[serde(flatten)]
    pub violation: Violation,
    /// The rules that say so, as `file:line`: the last one is where it begins, the others pass it on.
    pub rules: Vec<String>,
}

/// Why an input gets no decision.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The policies cannot be used.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The input is not one for this question.
    #[error("this is not an input for {question}: {source}; this is one:\n{}", question.example_input())]
    Input {
        /// Which question.
        question: Question,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The rules fail, which denies what was asked.
    #[error("{0}; this denies what was asked")]
    Failed(#[from] Error),
}

/// Puts a question to the rules of the configuration and tells which of them speak against it.
///
/// # Errors
/// [`EvaluateError`].
pub fn evaluate(
    config: &config::Policy,
    question: Question,
    input: serde_json::Value,
) -> Result<Evaluation, EvaluateError> {
    let sources = Sources::configured(config)?;
    let rules = Rules::compile(&sources)?;
    let input = question.normalise(input).map_err(|source| EvaluateError::Input { question, source })?;
    let input = regorus::Value::from(input);
    let (decision, violations) = match rules.ask(question, input.clone())? {
        Decision::Allowed => (Outcome::Allowed, Vec::new()),
        Decision::Denied(violations) => (Outcome::Denied, violations),
    };
    let said = clauses(&sources, question, &input)?;
    let findings = violations.into_iter().map(|violation| {
        let rules =
            said.iter().filter(|(_, by)| by.contains(&violation)).map(|(place, _)| place.clone()).collect();
        Finding { violation, rules }
    });
    Ok(Evaluation { question, decision, violations: findings.collect() })
}

/// What each clause of each rule `violations` says by itself, by its place.
///
/// Every clause is copied under a name of its own, `violations_line_12`, beside the original.
fn clauses(
    sources: &Sources,
    question: Question,
    input: &regorus::Value,
) -> Result<BTreeMap<String, Vec<Violation>>, Broken> {
    let data = rules::data(sources);
    let mut engine = rules::engine(&sources.rules, &data)?;
    let mut copies = sources.rules.clone();
    let mut places = Vec::new();
    for (source, module) in copies.iter_mut().zip(engine.get_modules()) {
        let package = module.package.refr.span().text();
        if Question::ALL.iter().any(|other| *other != question && other.package() == package) {
            continue;
        }
        for clause in &module.policy {
            let (line, text) = (clause.span().line, clause.span().text());
            if let Some(rest) = text.strip_prefix("violations ") {
                let name = format!("violations_line_{line}");
                source.text.push_str(&format!("\n{name} {rest}\n"));
                places.push((format!("{}:{line}", source.name), format!("data.{package}.{name}")));
            }
        }
    }
    let mut engine = rules::engine(&copies, &data)?;
    engine.set_input(input.clone());
    let mut said = BTreeMap::new();
    for (place, rule) in places {
        // A clause that fails over this input says nothing; the decision above has failed then, too.
        let answer = engine.eval_rule(rule).unwrap_or(regorus::Value::Undefined);
        said.insert(place, rules::violations(&answer).unwrap_or_default());
    }
    Ok(said)
}
