//! The command line: one file for each command.
//!
//! What a command asks of the database is a [`Request`]. With SQLite the running
//! server carries it out, since it has the file to itself, and its memory must not grow stale; without
//! a server, and with PostgreSQL, the command does it itself. Both give the same answer.

mod clients;
mod config;
mod doctor;
mod failure;
mod keys;
mod mail;
mod new_password;
pub mod passwords;
mod policy;
mod reach;
mod ready;
mod registration_tokens;
mod request;
mod serve;
mod sessions;
mod socket;
mod users;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::telemetry;

pub use clients::Clients;
pub use doctor::{Check, Domain, Outcome};
pub use failure::{EXIT_CODES, Failure, Kind};
pub use keys::Keys;
pub use mail::Mail;
pub use new_password::NewPassword;
pub use passwords::Passwords;
pub use registration_tokens::RegistrationTokens;
pub use request::{Answer, Request};
pub use sessions::{SessionKind, Sessions};
pub use users::Users;

/// The configuration file that is used when none is named and it exists.
const USUAL_FILE: &str = "gatehouse.yaml";

/// Gatehouse signs people in to a Matrix homeserver: an OAuth 2.0 and OpenID Connect server.
///
/// Start it with `gatehouse serve`; it needs no configuration to be tried out.
#[derive(Debug, Parser)]
#[command(name = "gatehouse", version, after_help = EXIT_CODES, max_term_width = 100)]
struct Arguments {
    /// The configuration file; without one, gatehouse.yaml in this folder is used if it is there
    #[arg(long, global = true, value_name = "PATH", env = "GATEHOUSE_CONFIG")]
    config: Option<PathBuf>,
    /// Print the answer as JSON; a failure then is JSON on standard error
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve,
    /// Make, check and describe the configuration file
    #[command(subcommand)]
    Config(config::Command),
    /// Create and change people's accounts
    #[command(subcommand)]
    Users(Users),
    /// Create and delete OAuth clients
    #[command(subcommand)]
    Clients(Clients),
    /// List and end sessions
    #[command(subcommand)]
    Sessions(Sessions),
    /// Make, list and revoke what lets people register
    #[command(subcommand)]
    RegistrationTokens(RegistrationTokens),
    /// List and rotate the keys that sign ID tokens
    #[command(subcommand)]
    Keys(Keys),
    /// See what mails look like, and whether they arrive
    #[command(subcommand)]
    Mail(mail::Command),
    /// Keep people from passwords that were stolen elsewhere
    #[command(subcommand)]
    Passwords(Passwords),
    /// Check rules of your own, and see what an input would get
    #[command(subcommand)]
    Policy(policy::Command),
    /// Look at everything that has to fit together, and say what to do
    Doctor,
}

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let path = arguments.config.or_else(|| Path::new(USUAL_FILE).exists().then(|| USUAL_FILE.into()));
    // Everything that speaks TLS takes the same cryptography; a second call would only find it there.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut runtime = match arguments.command {
        Command::Serve => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let done = match runtime.enable_all().build() {
        Ok(runtime) => runtime.block_on(carry_out(arguments.command, path)),
        Err(error) => Err(Failure::failed(format!("cannot start: {error}"))),
    };
    match done {
        Ok((answer, problems)) => {
            print(answer.as_ref(), arguments.json);
            problems.map_or(ExitCode::SUCCESS, Kind::exit_code)
        }
        Err(failure) => {
            complain(&failure, arguments.json);
            failure.error.exit_code()
        }
    }
}

/// What a command gives: an answer, unless it printed by itself, and what is wrong nevertheless.
type Done = (Option<Answer>, Option<Kind>);

async fn carry_out(command: Command, path: Option<PathBuf>) -> Result<Done, Failure> {
    if let Command::Serve = command {
        serve::serve(path).await?;
        return Ok((None, None));
    }
    // Where something else logs already, that is fine as well.
    let _ = telemetry::start_for_command();
    let path = path.as_deref();
    let load = || Config::load(path, crate::config::environment());
    let answer = match command {
        Command::Doctor => {
            let (answer, problems) = doctor::run(path).await;
            return Ok((Some(answer), problems));
        }
        Command::Config(command) => command.carry_out(path)?,
        Command::Passwords(command) => command.carry_out().await?,
        Command::Policy(command) => {
            let (answer, problems) = command.carry_out(load()?)?;
            return Ok((Some(answer), problems));
        }
        Command::Users(mut command) => {
            let config = load()?;
            command.complete(&config).await?;
            reach::carry_out(&config, Request::Users(command)).await?
        }
        Command::Clients(command) => reach::carry_out(&load()?, Request::Clients(command)).await?,
        Command::Sessions(command) => reach::carry_out(&load()?, Request::Sessions(command)).await?,
        Command::RegistrationTokens(mut command) => {
            command.complete()?;
            reach::carry_out(&load()?, Request::RegistrationTokens(command)).await?
        }
        Command::Keys(command) => reach::carry_out(&load()?, Request::Keys(command)).await?,
        Command::Mail(mail::Command::Preview { out }) => mail::preview(&load()?, &out)?,
        Command::Mail(mail::Command::Asked(command)) => {
            reach::carry_out(&load()?, Request::Mail(command)).await?
        }
        Command::Serve => return Ok((None, None)),
    };
    Ok((Some(answer), None))
}

/// Prints an answer. Whoever reads it may stop reading; that is no failure of the command.
fn print(answer: Option<&Answer>, as_json: bool) {
    let Some(answer) = answer else { return };
    let text = if as_json { format!("{:#}", answer.data) } else { answer.text.clone() };
    let _ = writeln!(io::stdout(), "{text}");
}

fn complain(failure: &Failure, as_json: bool) {
    let text = match serde_json::to_string(failure) {
        Ok(json) if as_json => json,
        _ => format!("gatehouse: {failure}"),
    };
    let _ = writeln!(io::stderr(), "{text}");
}
