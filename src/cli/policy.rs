//! `gatehouse policy`: what is allowed here, and whether the rules do what they should.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::failure::{Failure, Kind};
use super::request::Answer;
use crate::config::Config;
use crate::policy::{self, EvaluateError, Evaluation, Finding, Outcome, Question, Report, TestResult};

/// What can be done with policies. Nothing here needs the database or a running server.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compile all rules and run their tests, yours and those that come with Gatehouse
    Check(Policies),
    /// Show what an input would get, and which rules say so
    Eval {
        /// What is asked: register, email, client_registration, authorization_grant or compat_login
        question: Question,
        /// The file with the input, as JSON; - for standard input, nothing for an example
        #[arg(long, value_name = "FILE")]
        input: Option<PathBuf>,
        #[command(flatten)]
        policies: Policies,
    },
}

/// Which rules are looked at.
#[derive(Debug, Args)]
pub struct Policies {
    /// The folder with rules of your own, instead of the one that the configuration names
    #[arg(long, value_name = "FOLDER")]
    policies: Option<PathBuf>,
}

impl Command {
    /// Does it, with the rules of the configuration.
    ///
    /// # Errors
    /// Why it was not done, for the admin.
    pub fn carry_out(self, config: Config) -> Result<(Answer, Option<Kind>), Failure> {
        let mut policy = config.policy;
        let (Command::Check(policies) | Command::Eval { policies, .. }) = &self;
        policy.folder = policies.policies.clone().or(policy.folder);
        match self {
            Command::Check(_) => {
                let report = policy::check(&policy)?;
                let problems = (!report.is_passed()).then_some(Kind::Failed);
                Ok((answer(report_text(&report), &report)?, problems))
            }
            Command::Eval { question, input, .. } => {
                let evaluation = policy::evaluate(&policy, question, read(question, input)?)?;
                Ok((answer(evaluation_text(&evaluation), &evaluation)?, None))
            }
        }
    }
}

fn answer(text: String, data: &impl serde::Serialize) -> Result<Answer, Failure> {
    let data = serde_json::to_value(data).map_err(|error| Failure::failed(error.to_string()))?;
    Ok(Answer { text, data })
}

fn read(question: Question, input: Option<PathBuf>) -> Result<Value, Failure> {
    let unreadable =
        |path: &PathBuf, error: io::Error| Failure::usage(format!("cannot read {}: {error}", path.display()));
    let text = match &input {
        None => question.example_input().to_owned(),
        Some(path) if path.as_os_str() == "-" => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map_err(|error| unreadable(path, error))?;
            text
        }
        Some(path) => fs::read_to_string(path).map_err(|error| unreadable(path, error))?,
    };
    serde_json::from_str(&text).map_err(|error| Failure::usage(format!("the input is not JSON: {error}")))
}

fn report_text(report: &Report) -> String {
    let failure = |test: &TestResult| {
        let why = test.failure.as_ref()?;
        Some(format!("{}:{}: {} {why}\n", test.file, test.line, test.name))
    };
    let failures: Vec<String> = report.tests.iter().filter_map(failure).collect();
    let (all, failed) = (report.tests.len(), failures.len());
    match failed {
        0 => format!("The rules compile, and {all} tests pass."),
        _ => format!("{}The rules compile, but {failed} of {all} tests failed.", failures.concat()),
    }
}

fn evaluation_text(evaluation: &Evaluation) -> String {
    let question = evaluation.question;
    match evaluation.decision {
        Outcome::Allowed => format!("{question}: allowed"),
        Outcome::Denied => {
            let line =
                |finding: &Finding| format!("\n  {} ({})", finding.violation, finding.rules.join(", "));
            let lines: String = evaluation.violations.iter().map(line).collect();
            format!("{question}: denied{lines}")
        }
    }
}

impl From<policy::Broken> for Failure {
    fn from(error: policy::Broken) -> Failure {
        Failure::usage(error.to_string())
    }
}

impl From<EvaluateError> for Failure {
    fn from(error: EvaluateError) -> Failure {
        match error {
            EvaluateError::Failed(_) => Failure::failed(error.to_string()),
            EvaluateError::Broken(_) | EvaluateError::Input { .. } => Failure::usage(error.to_string()),
        }
    }
}
