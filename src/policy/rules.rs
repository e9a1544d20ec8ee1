//! Rules, compiled, and how one question is put to them.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::{Program, RegoVM};
use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, Value};

use super::decision::{Decision, Violation};
use super::error::{Broken, Fault};
use super::sources::{Source, Sources};
use super::{Error, Question};

/// How many steps an answer may take. The rules that come with Gatehouse take a few hundred; lists of
/// ten thousand names fit.
const MOST_STEPS: usize = 1_000_000;

/// How long an answer may take, in case that steps are slow. A busy machine stops programs for a
/// while, and nobody is to be refused for that.
const LONGEST: Duration = Duration::from_secs(2);

/// After how many steps the clock is read.
const STEPS_BETWEEN: NonZeroU32 = NonZeroU32::new(1024).unwrap();

/// The packages of ours in which a rule called `violations` is asked for.
const SHARED: &str = "requester";

/// Compiled rules and their settings. They never change; other rules are another value.
pub(super) struct Rules {
    /// In the order of [`Question::ALL`].
    programs: Vec<Arc<Program>>,
    data: Value,
    /// The same rules for the interpreter, when an administrator wrote some of them.
    ///
    /// The machine takes a function that fails for "undefined": `to_number("x") > 0` would merely be
    /// false, and a ban that relies on it would let everybody pass. The interpreter takes it for the
    /// failure it is. Our own rules only use functions that do not fail.
    interpreter: Option<Engine>,
}

impl Rules {
    /// Compiles, and tries each question once: what fails for every input is found now.
    pub fn compile(sources: &Sources) -> Result<Rules, Broken> {
        let mut engine = engine(&sources.rules, &data(sources))?;
        let mut programs = Vec::new();
        for question in Question::ALL {
            let program = program(&mut engine, &question.entry_point())
                .map_err(|text| Broken(vec![Fault::from_engine(question.package(), &text)]))?;
            programs.push(program);
        }
        let interpreter = sources.has_own_rules.then_some(engine);
        let rules = Rules { programs, data: data(sources), interpreter };
        let fault = |error: Error| Fault::new(format!("package {}", error.question), error.reason);
        let faults: Vec<Fault> = Question::ALL
            .into_iter()
            .filter_map(|question| rules.ask(question, question.example()).err())
            .map(fault)
            .collect();
        if faults.is_empty() { Ok(rules) } else { Err(Broken(faults)) }
    }

    /// Puts a question. Each gets a machine of its own, so that any number may be put at once.
    pub fn ask(&self, question: Question, input: Value) -> Result<Decision, Error> {
        let failed = |reason: String| Error { question, reason };
        let rule = question.entry_point();
        let answer = run(&self.programs[question as usize], &self.data, input.clone(), &rule);
        let decided = decision(&answer.map_err(failed)?).map_err(failed)?;
        match &self.interpreter {
            Some(interpreter) if decided.is_allowed() => {
                let answer = interpret(interpreter.clone(), input, rule).map_err(failed)?;
                decision(&answer).map_err(failed)
            }
            _ => Ok(decided),
        }
    }
}

fn interpret(mut engine: Engine, input: Value, rule: String) -> Result<Value, String> {
    engine.set_input(input);
    engine.eval_rule(rule).map_err(|error| Fault::from_engine("policy", &error.to_string()).to_string())
}

/// The data document.
pub(super) fn data(sources: &Sources) -> Value {
    let mut document = serde_json::Map::new();
    document.insert("settings".to_owned(), sources.settings.clone().into());
    Value::from(serde_json::Value::Object(document))
}

/// The engine with these files, or everything that is wrong with them.
pub(super) fn engine(files: &[Source], data: &Value) -> Result<Engine, Broken> {
    let mut engine = Engine::new();
    engine.set_execution_timer_config(limit());
    let mut faults = Vec::new();
    for file in files {
        match engine.add_policy(file.name.clone(), file.text.clone()) {
            Ok(package) => faults.extend(misplaced(&mut engine, &file.name, &package)),
            Err(error) => faults.push(Fault::from_engine(&file.name, &error.to_string())),
        }
    }
    if let Err(error) = engine.add_data(data.clone()) {
        faults.push(Fault::new("policy.data", error.to_string()));
    }
    if faults.is_empty() { Ok(engine) } else { Err(Broken(faults)) }
}

/// A rule that would never be asked: most likely its package is misspelled.
fn misplaced(engine: &mut Engine, file: &str, package: &str) -> Option<Fault> {
    let name = package.strip_prefix("data.").unwrap_or(package);
    let is_known = name == SHARED || Question::ALL.iter().any(|question| question.package() == name);
    let module = engine.get_modules().last()?;
    let rule = module.policy.iter().find(|rule| rule.span().text().starts_with("violations "))?;
    if is_known {
        return None;
    }
    let line = Some(rule.span().line);
    let known: Vec<&str> = Question::ALL.iter().map(|question| question.package()).collect();
    let known = known.join(", ");
    let message = format!(
        "no question is called {name}, so nobody would ask for its violations; there are {known} and {SHARED}"
    );
    Some(Fault { place: file.to_owned(), line, message })
}

/// The program that answers one rule.
pub(super) fn program(engine: &mut Engine, rule: &str) -> Result<Arc<Program>, String> {
    let policy = engine.compile_with_entrypoint(&rule.into()).map_err(|error| error.to_string())?;
    Compiler::compile_from_policy(&policy, &[rule]).map_err(|error| error.to_string())
}

/// Runs a program, bounded in steps and in time.
pub(super) fn run(program: &Arc<Program>, data: &Value, input: Value, rule: &str) -> Result<Value, String> {
    let mut machine = RegoVM::new();
    machine.set_max_instructions(MOST_STEPS);
    machine.set_execution_timer_config(Some(limit()));
    machine.load_program(program.clone());
    machine.set_data(data.clone()).map_err(|error| error.to_string())?;
    machine.set_input(input);
    machine.execute_entry_point_by_name(rule).map_err(|error| error.to_string())
}

fn limit() -> ExecutionTimerConfig {
    ExecutionTimerConfig { limit: LONGEST, check_interval: STEPS_BETWEEN }
}

/// Reads an answer: only an empty set of violations allows.
fn decision(answer: &Value) -> Result<Decision, String> {
    let violations = violations(answer)?;
    Ok(if violations.is_empty() { Decision::Allowed } else { Decision::Denied(violations) })
}

/// Reads the violations in an answer.
pub(super) fn violations(answer: &Value) -> Result<Vec<Violation>, String> {
    let members: Vec<&Value> = match answer {
        Value::Set(members) => members.iter().collect(),
        Value::Array(members) => members.iter().collect(),
        _ => return Err("violations must be a set of objects with a code".to_owned()),
    };
    let read = |member: &Value| {
        let json = serde_json::to_value(member).map_err(|error| error.to_string())?;
        serde_json::from_value(json)
            .map_err(|error| format!("a violation must be an object with a code: {error}"))
    };
    members.into_iter().map(read).collect()
}
