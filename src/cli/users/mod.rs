//! `gatehouse users`: people's accounts.

mod changes;
mod creation;
mod emails;
mod factors;
mod homeserver;
pub(super) use homeserver::{Told, tell};
mod tokens;
mod view;

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::failure::Failure;
use super::new_password::{self, NewPassword};
use super::reach;
use super::request::{Answer, Request};
use crate::accounts::users::{self, User};
use crate::app::App;
use crate::config::Config;
use crate::ids::{UserId, localpart_of};
use crate::store::On;

/// What can be done with accounts. NAME is a local part, `alice`, or a whole Matrix identifier,
/// `@alice:example.org`.
#[derive(Debug, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Users {
    /// Create an account, asking for its password
    Create(Create),
    /// Whether an account of that name could be created; asked before somebody types a password.
    #[command(skip)]
    Check(Create),
    /// List accounts in the order in which they were created
    List {
        /// Go on after the account with this identifier, the last one of the list before
        #[arg(long, value_name = "ID")]
        after: Option<UserId>,
        /// List this many at most
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
    },
    /// Show an account
    Show {
        /// Whose
        name: String,
    },
    /// Set an account's password, asking for it
    SetPassword(SetPassword),
    /// Lock an account: it keeps its sessions and devices, but nothing works until it is unlocked
    Lock {
        /// Whose
        name: String,
    },
    /// Unlock an account: its sessions work again
    Unlock {
        /// Whose
        name: String,
    },
    /// Deactivate an account: its sessions end and its devices are deleted; the name stays taken
    Deactivate(Deactivate),
    /// Reactivate an account, with the password it had
    Reactivate {
        /// Whose
        name: String,
    },
    /// Add an e-mail address to an account; it counts as verified
    AddEmail {
        /// Whose
        name: String,
        /// Which
        address: String,
    },
    /// Take an e-mail address from an account
    RemoveEmail {
        /// Whose
        name: String,
        /// Which
        address: String,
    },
    /// List what a person proves who they are with
    Factors {
        /// Whose
        name: String,
    },
    /// Remove factors that a person has lost
    RemoveFactor(RemoveFactor),
    /// Make a link that lets a person in once who has lost their factors; it takes the place of an earlier one
    RecoveryLink {
        /// Whose
        name: String,
        /// For how many hours it is good
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..=168))]
        hours: u64,
    },
    /// Make an access token for a bot; it is printed once
    IssueToken(IssueToken),
    /// Say whether a person may administer the homeserver
    SetAdmin {
        /// Whose
        name: String,
        /// Whether they may; taking it away ends the sessions that have this power
        #[arg(action = clap::ArgAction::Set)]
        is_admin: bool,
    },
}

/// `users create`.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub struct Create {
    /// The name, as the local part of the Matrix identifier
    pub name: String,
    /// Let the person administer the homeserver
    #[arg(long)]
    pub admin: bool,
    /// An e-mail address of the person, which counts as verified
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,
    /// Read the password from standard input
    #[arg(long, conflicts_with = "no_password")]
    #[serde(skip)]
    pub password_stdin: bool,
    /// Create the account without a password; nobody can sign in until one is set
    #[arg(long)]
    #[serde(skip)]
    pub no_password: bool,
    /// Create the account even if the homeserver cannot be asked whether the name is free
    #[arg(long)]
    pub skip_homeserver_check: bool,
    /// The password, once it was read.
    #[arg(skip)]
    pub password: Option<NewPassword>,
}

/// `users set-password`.
#[derive(Debug, Args, Serialize, Deserialize)]
pub struct SetPassword {
    /// Whose
    pub name: String,
    /// Read the password from standard input
    #[arg(long)]
    #[serde(skip)]
    pub password_stdin: bool,
    /// End all sessions of the account, in browsers and clients
    #[arg(long)]
    pub end_sessions: bool,
    /// The password, once it was read.
    #[arg(skip)]
    pub password: Option<NewPassword>,
}

/// `users remove-factor`.
#[derive(Debug, Args, Serialize, Deserialize)]
pub struct RemoveFactor {
    /// Whose
    pub name: String,
    /// The identifier of a factor, as `users factors` lists it
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub id: Option<String>,
    /// Remove all but the password: passkeys, authenticator apps, recovery codes and remembered browsers
    #[arg(long)]
    pub all: bool,
}

/// `users deactivate`.
#[derive(Debug, Args, Serialize, Deserialize)]
pub struct Deactivate {
    /// Whose
    pub name: String,
    /// Forget the person's e-mail addresses, and have the homeserver erase what they wrote, as far as it can
    #[arg(long)]
    pub erase: bool,
    /// Do not ask whether this is meant
    #[arg(long)]
    #[serde(skip)]
    pub yes: bool,
}

/// `users issue-token`.
#[derive(Debug, Args, Serialize, Deserialize)]
pub struct IssueToken {
    /// Whose account it opens
    pub name: String,
    /// What the token is called, for those who come across it later
    #[arg(long = "name", value_name = "TOKEN_NAME")]
    pub token_name: String,
    /// For how many days it is good
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=365))]
    pub days: u64,
    /// What it may do: messages (the Matrix API), administration, identity
    #[arg(long = "permission", value_name = "PERMISSION", default_value = "messages")]
    pub permissions: Vec<String>,
    /// Make a device for it, as end-to-end encryption needs
    #[arg(long)]
    pub device: bool,
    /// Make a device of this identifier for it
    #[arg(long, value_name = "ID", conflicts_with = "device")]
    pub device_id: Option<String>,
}

impl Users {
    /// Asks the person at the terminal for what is still needed.
    ///
    /// # Errors
    /// When it cannot be had, or is known already to be in vain.
    pub async fn complete(&mut self, config: &Config) -> Result<(), Failure> {
        match self {
            Users::Create(create) if create.password_stdin => {
                create.password = Some(new_password::read_from_stdin()?);
            }
            Users::Create(create) if !create.no_password => {
                new_password::require_somebody()?;
                // Nobody should type a password twice only to hear that the name is taken.
                reach::carry_out(config, Request::Users(Users::Check(create.clone()))).await?;
                create.password = Some(new_password::ask(&create.name, config.passwords.minimum_length)?);
            }
            Users::SetPassword(set) if set.password_stdin => {
                set.password = Some(new_password::read_from_stdin()?);
            }
            Users::SetPassword(set) => {
                new_password::require_somebody()?;
                reach::carry_out(config, Request::Users(Users::Show { name: set.name.clone() })).await?;
                // Who has a second factor may have a shorter one; that is judged where it is set.
                let least = config.passwords.minimum_length_with_second_factor;
                set.password = Some(new_password::ask(&set.name, least)?);
                set.end_sessions =
                    set.end_sessions || new_password::confirm("End all sessions of this account?")?;
            }
            Users::Deactivate(deactivate) if !deactivate.yes && new_password::is_somebody_there() => {
                let what = if deactivate.erase { "Deactivate and erase" } else { "Deactivate" };
                if !new_password::confirm(&format!("{what} {}? All sessions end.", deactivate.name))? {
                    return Err(Failure::refused("nothing was changed"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Does it.
    ///
    /// # Errors
    /// Why it was not done, for the admin.
    pub async fn carry_out(self, app: &App) -> Result<Answer, Failure> {
        match self {
            Users::Create(create) => creation::create(app, create).await,
            Users::Check(create) => creation::check(app, &create).await,
            Users::List { after, limit } => list(app, after, limit).await,
            Users::Show { name } => view::show(app, &get(app, &app.store, &name).await?).await,
            Users::SetPassword(set) => changes::set_password(app, set).await,
            Users::Lock { name } => changes::lock(app, &name).await,
            Users::Unlock { name } => changes::unlock(app, &name).await,
            Users::Deactivate(deactivate) => changes::deactivate(app, deactivate).await,
            Users::Reactivate { name } => changes::reactivate(app, &name).await,
            Users::AddEmail { name, address } => emails::add(app, &name, &address).await,
            Users::RemoveEmail { name, address } => emails::remove(app, &name, &address).await,
            Users::Factors { name } => factors::list(app, &name).await,
            Users::RemoveFactor(remove) => factors::remove(app, remove).await,
            Users::RecoveryLink { name, hours } => factors::recovery_link(app, &name, hours).await,
            Users::IssueToken(issue) => tokens::issue(app, issue).await,
            Users::SetAdmin { name, is_admin } => changes::set_admin(app, &name, is_admin).await,
        }
    }
}

/// The user of exactly that name.
pub(super) async fn get(app: &App, on: impl Into<On<'_>>, name: &str) -> Result<User, Failure> {
    let server_name = &app.config.homeserver.server_name;
    let Some(localpart) = localpart_of(name, server_name) else {
        return Err(Failure::not_found(format!("{name} is not on {server_name}")));
    };
    match users::find_by_localpart(on, localpart).await? {
        Some(user) => Ok(user),
        None => Err(Failure::not_found(format!(
            "there is no user named {localpart}; `gatehouse users list` shows who there is"
        ))),
    }
}

async fn list(app: &App, after: Option<UserId>, limit: i64) -> Result<Answer, Failure> {
    let limit = limit.clamp(1, 1000);
    let mut found = users::list(&app.store, after, limit + 1).await?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = found.len() > shown;
    found.truncate(shown);
    let next = if has_more { found.last().map(|user| user.id) } else { None };
    let mut lines: Vec<String> = found.iter().map(|user| view::line(app, user)).collect();
    if let Some(next) = next {
        lines.push(format!("There are more: gatehouse users list --after {next}"));
    }
    if lines.is_empty() {
        lines.push("There are no users; create one: gatehouse users create NAME".to_owned());
    }
    let users: Vec<_> = found.iter().map(|user| view::facts(app, user)).collect();
    Ok(Answer { text: lines.join("\n"), data: json!({ "users": users, "next": next }) })
}
