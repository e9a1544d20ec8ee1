//! `gatehouse doctor`: looks at everything that has to fit together, and says what to do.

mod database;
mod files;
mod homeserver;
mod mail;
mod passkeys;
mod passwords;
mod public;
mod rendezvous;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::failure::{Failure, Kind};
use super::reach;
use super::request::{Answer, Request};
use crate::app::{self, App};
use crate::config::{self, Config, Engine};

pub use passkeys::Domain;
pub(super) use public::{has_server_name, is_public};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// How it is.
    pub outcome: Outcome,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub advice: Option<String>,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// Perhaps as it should be.
    Warning,
    /// Somebody must do something.
    Problem,
}

fn fine(name: &str, found: impl Into<String>) -> Check {
    Check { name: name.to_owned(), outcome: Outcome::Ok, found: found.into(), advice: None }
}

fn warning(name: &str, found: impl Into<String>, advice: impl Into<String>) -> Check {
    Check {
        name: name.to_owned(),
        outcome: Outcome::Warning,
        found: found.into(),
        advice: Some(advice.into()),
    }
}

fn problem(name: &str, found: impl Into<String>, advice: impl Into<String>) -> Check {
    Check {
        name: name.to_owned(),
        outcome: Outcome::Problem,
        found: found.into(),
        advice: Some(advice.into()),
    }
}

/// Looks at everything, and tells whether a problem was found.
pub async fn run(path: Option<&Path>) -> (Answer, Option<Kind>) {
    let checks = match Config::load(path, config::environment()) {
        Ok(config) => look(path, &config).await,
        Err(error) => {
            vec![problem(
                "configuration",
                error.to_string(),
                "correct it; `gatehouse config generate` shows every key",
            )]
        }
    };
    let problems = checks.iter().filter(|check| check.outcome == Outcome::Problem).count();
    let warnings = checks.iter().filter(|check| check.outcome == Outcome::Warning).count();
    let mut lines: Vec<String> = checks.iter().map(describe).collect();
    lines.push(format!("\n{} and {}.", counted(problems, "problem"), counted(warnings, "warning")));
    let answer = Answer {
        text: lines.join("\n"),
        data: json!({ "checks": checks, "problems": problems, "warnings": warnings }),
    };
    (answer, (problems > 0).then_some(Kind::Problems))
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn describe(check: &Check) -> String {
    let outcome = match check.outcome {
        Outcome::Ok => "ok",
        Outcome::Warning => "warning",
        Outcome::Problem => "PROBLEM",
    };
    let advice =
        check.advice.as_ref().map_or(String::new(), |advice| format!("\n{:>9} {:<20} -> {advice}", "", ""));
    format!("{outcome:<9} {:<20} {}{advice}", check.name, check.found)
}

async fn look(path: Option<&Path>, config: &Config) -> Vec<Check> {
    let mut checks = vec![match path {
        Some(path) => fine("configuration", path.display().to_string()),
        None => warning(
            "configuration",
            "no file; defaults and environment only",
            "that is for trying things out: gatehouse config generate --output gatehouse.yaml",
        ),
    }];
    checks.extend(public::settings(config));
    checks.extend(files::look(config));
    checks.extend(passwords::look(config));
    let is_served = match sqlite_file(config) {
        None => true,
        Some(file) => {
            let socket = app::command_socket(config);
            let is_served = tokio::net::UnixStream::connect(&socket).await.is_ok();
            checks.push(match is_served {
                true => fine("server", format!("running; it answers on {}", socket.display())),
                false => warning("server", "not running", "start it: gatehouse serve"),
            });
            if !is_served && !file.exists() {
                checks.push(warning("database", "not there yet", "the first start of the server creates it"));
                return checks;
            }
            is_served
        }
    };
    match reach::carry_out(config, Request::Doctor { is_served, domain: Domain::of(config) }).await {
        Ok(answer) => match serde_json::from_value::<Vec<Check>>(answer.data) {
            Ok(found) => checks.extend(found),
            Err(error) => {
                checks.push(problem("server", error.to_string(), "restart the server with this program"))
            }
        },
        Err(Failure { message, .. }) => checks.push(problem("database", message, "put that right first")),
    }
    checks
}

fn sqlite_file(config: &Config) -> Option<PathBuf> {
    match config.database.engine(&config.data.folder) {
        Engine::Sqlite(path) => Some(path),
        Engine::Postgresql(_) => None,
    }
}

/// The checks that need the database or the homeserver. `is_served` says whether a server runs, `domain` what
/// the configuration says of passkeys.
///
/// # Errors
/// When the database fails.
pub(super) async fn carry_out(app: &App, is_served: bool, domain: &Domain) -> Result<Answer, Failure> {
    let mut checks = database::look(app).await?;
    checks.push(passkeys::look(app, domain).await?);
    checks.extend(homeserver::look(app, is_served).await);
    checks.extend(public::look(app, is_served).await);
    checks.extend(rendezvous::look(app, is_served).await);
    checks.push(mail::look(app).await);
    Ok(Answer { text: String::new(), data: json!(checks) })
}
