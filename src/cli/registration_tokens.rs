//! `gatehouse registration-tokens`: what lets people register.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::failure::Failure;
use super::new_password::{self, NewPassword};
use super::request::Answer;
use crate::accounts::registration_tokens::{self, RegistrationToken, Useless};
use crate::app::App;
use crate::ids::RegistrationTokenId;
use crate::store;
use crate::time::Timestamp;

/// What can be done with registration tokens.
#[derive(Debug, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationTokens {
    /// Make a token with which people can register, and print it; it is shown only now
    Create(Create),
    /// List tokens, the oldest first
    List {
        /// Go on after the token with this identifier, the last one of the list before
        #[arg(long, value_name = "ID")]
        after: Option<RegistrationTokenId>,
        /// List this many at most
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
    },
    /// Have nobody register with a token any more
    Revoke {
        /// Which, as `registration-tokens list` names it
        id: String,
    },
}

/// `registration-tokens create`.
#[derive(Debug, Args, Serialize, Deserialize)]
pub struct Create {
    /// How many people can register with it; without this, as many as like
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..))]
    pub uses: Option<i64>,
    /// For how many days it is good; without this, until it is revoked
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=36500))]
    pub days: Option<u64>,
    /// Read the token from standard input, so that it can be one that people keep in mind
    #[arg(long)]
    #[serde(skip)]
    pub token_stdin: bool,
    /// The token, once it was read.
    #[arg(skip)]
    pub token: Option<NewPassword>,
}

impl RegistrationTokens {
    /// Reads what the command line does not say.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn complete(&mut self) -> Result<(), Failure> {
        if let RegistrationTokens::Create(create) = self
            && create.token_stdin
        {
            create.token = Some(new_password::read_from_stdin()?);
        }
        Ok(())
    }

    /// Does it.
    ///
    /// # Errors
    /// Why it was not done, for the admin.
    pub async fn carry_out(self, app: &App) -> Result<Answer, Failure> {
        match self {
            RegistrationTokens::Create(create) => create.carry_out(app).await,
            RegistrationTokens::List { after, limit } => list(app, after, limit).await,
            RegistrationTokens::Revoke { id } => revoke(app, &id).await,
        }
    }
}

impl Create {
    async fn carry_out(self, app: &App) -> Result<Answer, Failure> {
        let token = match &self.token {
            Some(token) => token.as_str().to_owned(),
            None => registration_tokens::generate(),
        };
        registration_tokens::suits(&token).map_err(|error| Failure::refused(error.to_string()))?;
        let now = app.clock.now();
        let expires_at = self.days.map(|days| now + Duration::from_secs(days * 24 * 60 * 60));
        let mut tx = app.store.begin().await?;
        let added = registration_tokens::add(&mut tx, app, &token, self.uses, expires_at, now).await;
        let made = added.map_err(|error| match error {
            store::Error::Conflict(_) => {
                Failure::refused("there is such a token already; revoke it first, or choose another one")
            }
            error => error.into(),
        })?;
        tx.commit().await?;
        tracing::info!(registration_token = %made.id, "a registration token was made by an admin");
        let text = format!(
            "{token}\n{} Its identifier is {}. It is shown only now; it cannot be read again.",
            allowance(&made),
            made.id
        );
        let mut data = facts(&made, now);
        data["token"] = json!(token);
        Ok(Answer { text, data })
    }
}

async fn list(app: &App, after: Option<RegistrationTokenId>, limit: i64) -> Result<Answer, Failure> {
    let now = app.clock.now();
    let limit = limit.clamp(1, 1000);
    let mut found = registration_tokens::list(&app.store, after, limit + 1).await?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = found.len() > shown;
    found.truncate(shown);
    let next = if has_more { found.last().map(|token| token.id) } else { None };
    let mut lines: Vec<String> = found.iter().map(|token| line(token, now)).collect();
    if let Some(next) = next {
        lines.push(format!("There are more: gatehouse registration-tokens list --after {next}"));
    }
    if lines.is_empty() {
        lines.push(
            "There are no registration tokens; make one: gatehouse registration-tokens create".to_owned(),
        );
    }
    let tokens: Vec<_> = found.iter().map(|token| facts(token, now)).collect();
    Ok(Answer { text: lines.join("\n"), data: json!({ "registration_tokens": tokens, "next": next }) })
}

async fn revoke(app: &App, id: &str) -> Result<Answer, Failure> {
    let mut tx = app.store.begin().await?;
    let is_revoked = match id.parse() {
        Ok(id) => registration_tokens::revoke(&mut tx, id).await?,
        Err(_) => false,
    };
    if !is_revoked {
        return Err(Failure::not_found(format!(
            "there is no registration token {}; `gatehouse registration-tokens list` shows which there are",
            id.escape_default()
        )));
    }
    tx.commit().await?;
    tracing::info!(registration_token = id, "a registration token was revoked by an admin");
    let text = format!("Revoked the registration token {id}; who has registered with it stays.");
    Ok(Answer { text, data: json!({ "id": id }) })
}

fn line(token: &RegistrationToken, now: Timestamp) -> String {
    let state = state(token, now);
    let uses = match token.uses_allowed {
        Some(allowed) => format!("{} of {allowed} uses", token.uses),
        None => format!("{} uses", token.uses),
    };
    let expiry = token.expires_at.map_or("no expiry".to_owned(), |at| format!("until {at}"));
    format!("{}  {:<4}  {state:<8}  {uses}, {expiry}", token.id, format!("{}…", token.begins_with))
}

/// How many can register with it, and until when.
fn allowance(token: &RegistrationToken) -> String {
    let who = match token.uses_allowed {
        Some(1) => "One person can register with it".to_owned(),
        Some(uses) => format!("{uses} people can register with it"),
        None => "Everybody who has it can register".to_owned(),
    };
    match token.expires_at {
        Some(at) => format!("{who}, until {at}."),
        None => format!("{who}, until it is revoked."),
    }
}

fn state(token: &RegistrationToken, now: Timestamp) -> &'static str {
    match token.why_useless(now) {
        None => "good",
        Some(Useless::Expired) => "expired",
        Some(_) => "used up",
    }
}

fn facts(token: &RegistrationToken, now: Timestamp) -> Value {
    json!({
        "id": token.id,
        "begins_with": token.begins_with,
        "state": state(token, now).replace(' ', "_"),
        "uses": token.uses,
        "uses_allowed": token.uses_allowed,
        "created_at": token.created_at.to_rfc3339(),
        "expires_at": token.expires_at.map(Timestamp::to_rfc3339),
    })
}
