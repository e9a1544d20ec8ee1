//! `gatehouse config`: the configuration file.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::failure::Failure;
use super::request::Answer;
use crate::config::{self, Config};

/// What can be done with the configuration.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print a commented file with every setting and its default
    Generate {
        /// Write it to this file, which must not exist, instead of printing it
        #[arg(long, value_name = "PATH")]
        output: Option<PathBuf>,
    },
    /// Say what is wrong with the configuration, and where
    Check,
    /// Print the JSON schema of the configuration file, for editors
    Schema,
    /// Print the reference page
    #[command(hide = true)]
    Reference,
}

impl Command {
    /// Does it, with the configuration file at `path`.
    ///
    /// # Errors
    /// Why it was not done, for the admin.
    pub fn carry_out(&self, path: Option<&Path>) -> Result<Answer, Failure> {
        match self {
            Command::Generate { output: None } => Ok(document(config::sample())),
            Command::Generate { output: Some(output) } => generate(output),
            Command::Check => check(path),
            Command::Schema => {
                let schema = config::schema();
                let text = serde_json::to_string_pretty(&schema)
                    .map_err(|error| Failure::failed(error.to_string()))?;
                Ok(Answer { text, data: schema })
            }
            Command::Reference => Ok(document(config::reference())),
        }
    }
}

fn document(text: String) -> Answer {
    let text = text.trim_end().to_owned();
    Answer { data: json!({ "document": text }), text }
}

/// The file may come to hold secrets, so only its owner may read it.
fn generate(output: &Path) -> Result<Answer, Failure> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(output);
    let written = file.and_then(|mut file| file.write_all(config::sample().as_bytes()));
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Failure::refused(format!("{} is there already and was left as it is", output.display()))
        }
        _ => Failure::failed(format!("cannot write {}: {error}", output.display())),
    })?;
    let text = format!(
        "Wrote {0}. Change what you need, then: gatehouse --config {0} config check",
        output.display()
    );
    Ok(Answer { text, data: json!({ "file": output }) })
}

fn check(path: Option<&Path>) -> Result<Answer, Failure> {
    Config::load(path, config::environment())?;
    let what = path.map_or("The defaults and the environment".to_owned(), |path| path.display().to_string());
    Ok(Answer { text: format!("{what}: nothing is wrong."), data: json!({ "file": path, "problems": [] }) })
}
