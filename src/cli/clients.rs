//! `gatehouse clients`: OAuth clients.

use std::fs;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use super::failure::Failure;
use super::request::Answer;
use crate::app::App;
use crate::clients::{self, Client, ClientMetadata, GrantType, Origin, TokenEndpointAuthMethod};
use crate::config::{Problem, StaticClient};
use crate::http::words;
use crate::ids::ClientId;
use crate::sessions::client;

/// What can be done with clients.
#[derive(Debug, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clients {
    /// List clients: configured, made here, and those that registered themselves
    List {
        /// Go on after the client with this identifier, the last one of the list before
        #[arg(long, value_name = "CLIENT_ID")]
        after: Option<String>,
        /// List this many at most
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
    },
    /// Create a client and print its identifier and its secret, which is shown only now
    Create(Box<Create>),
    /// Delete a client and end its sessions
    Delete {
        /// Which
        client_id: String,
    },
}

/// `clients create`.
#[derive(Debug, Args, Serialize, Deserialize)]
pub struct Create {
    /// The name that people read when they are asked for consent
    #[arg(long)]
    pub name: String,
    /// The client's home page
    #[arg(long, value_name = "URL")]
    pub client_uri: Option<Url>,
    /// Where the client may ask to be redirected, compared literally; may be repeated
    #[arg(long = "redirect-uri", value_name = "URL")]
    pub redirect_uris: Vec<String>,
    /// Where the client is told that a person's browser session is over
    #[arg(long, value_name = "URL")]
    pub backchannel_logout_uri: Option<Url>,
    /// How the client proves itself at the token endpoint
    #[arg(long, value_name = "METHOD", default_value = "none", value_parser = auth_methods())]
    pub auth_method: String,
    /// Where the client publishes its keys, for the method private_key_jwt
    #[arg(long, value_name = "URL")]
    pub jwks_uri: Option<Url>,
    /// The client's public keys instead: a file with a JWK set
    // Read where the command runs: a running server may not see the file.
    #[arg(long, value_name = "FILE", value_parser = read_keys)]
    pub jwks: Option<Map<String, Value>>,
    /// What the client may do at the token endpoint; may be repeated
    #[arg(long = "grant-type", value_name = "GRANT", value_parser = grants(), default_values = USUAL_GRANTS)]
    pub grant_types: Vec<String>,
    /// What the client may ask for with its own credentials, values with spaces between them; for the
    /// grant client_credentials
    #[arg(long)]
    pub scope: Option<String>,
}

const USUAL_GRANTS: [&str; 2] = [GrantType::USUAL[0].as_str(), GrantType::USUAL[1].as_str()];

fn auth_methods() -> PossibleValuesParser {
    TokenEndpointAuthMethod::ALL.map(TokenEndpointAuthMethod::as_str).into()
}

fn grants() -> PossibleValuesParser {
    GrantType::ALL.map(GrantType::as_str).into()
}

fn read_keys(path: &str) -> Result<Map<String, Value>, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|_| "this is no JSON object".to_owned())
}

impl Clients {
    /// Does it.
    ///
    /// # Errors
    /// Why it was not done, for the admin.
    pub async fn carry_out(self, app: &App) -> Result<Answer, Failure> {
        match self {
            Clients::List { after, limit } => list(app, after.map(ClientId).as_ref(), limit).await,
            Clients::Create(create) => create.carry_out(app).await,
            Clients::Delete { client_id } => delete(app, &ClientId(client_id)).await,
        }
    }
}

async fn list(app: &App, after: Option<&ClientId>, limit: i64) -> Result<Answer, Failure> {
    let limit = limit.clamp(1, 1000);
    let mut found = clients::list(&app.store, after, limit + 1).await?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = found.len() > shown;
    found.truncate(shown);
    let next = if has_more { found.last().map(|client| client.id.clone()) } else { None };
    let mut lines: Vec<String> = found
        .iter()
        .map(|client| format!("{:<26}  {:<10}  {}", client.id, origin(client), name(client)))
        .collect();
    if let Some(next) = &next {
        lines.push(format!("There are more: gatehouse clients list --after {next}"));
    }
    if lines.is_empty() {
        lines.push("There are no clients yet; Matrix clients register themselves.".to_owned());
    }
    let clients: Vec<_> = found.iter().map(facts).collect();
    Ok(Answer { text: lines.join("\n"), data: json!({ "clients": clients, "next": next }) })
}

impl Create {
    async fn carry_out(self, app: &App) -> Result<Answer, Failure> {
        let now = app.clock.now();
        let id = ClientId::new(now);
        let metadata = self.metadata(&id)?;
        let mut tx = app.store.begin().await?;
        let (client, secret) = clients::create(&mut tx, id, metadata, now).await?;
        tx.commit().await?;
        tracing::info!(client = %client.id, "a client was created by an admin");
        let mut text = format!("Created the client {}.\n\n  client_id      {}", name(&client), client.id);
        if let Some(secret) = &secret {
            text = format!(
                "{text}\n  client_secret  {secret}\n\nThe secret is shown only now; it cannot be read again."
            );
        }
        let mut data = facts(&client);
        data["client_secret"] = json!(secret);
        Ok(Answer { text, data })
    }

    /// The metadata, by the rules for clients of the configuration.
    fn metadata(self, id: &ClientId) -> Result<ClientMetadata, Failure> {
        if self.name.chars().any(char::is_control) {
            return Err(Failure::usage("--name: has control characters"));
        }
        let methods = TokenEndpointAuthMethod::ALL;
        let Some(method) = methods.into_iter().find(|method| method.as_str() == self.auth_method) else {
            return Err(Failure::usage(format!(
                "--auth-method {}: there is no such method",
                self.auth_method
            )));
        };
        let is_asked = |grant: &GrantType| self.grant_types.iter().any(|asked| asked == grant.as_str());
        let client = StaticClient {
            client_id: id.0.clone(),
            client_name: self.name,
            client_uri: self.client_uri,
            redirect_uris: self.redirect_uris,
            post_logout_redirect_uris: Vec::new(),
            backchannel_logout_uri: self.backchannel_logout_uri,
            backchannel_logout_session_required: false,
            token_endpoint_auth_method: method,
            client_secret: None,
            client_secret_file: None,
            jwks: self.jwks,
            jwks_uri: self.jwks_uri,
            grant_types: GrantType::ALL.into_iter().filter(is_asked).collect(),
            scope: self.scope,
            trusted: false,
            access_token_lifetime_seconds: None,
        };
        let wrong: Vec<String> =
            client.problems().iter().map(|problem| complaint(problem, &client)).collect();
        match wrong.is_empty() {
            true => Ok(ClientMetadata::from_config(&client)),
            false => Err(Failure::usage(wrong.join("\n"))),
        }
    }
}

/// What is wrong, under the name of the option, and with which of several redirect URIs.
fn complaint(problem: &Problem, client: &StaticClient) -> String {
    let (key, place) = problem.key.split_once('[').unwrap_or((&problem.key, ""));
    let option = match key {
        "client_name" => "name".to_owned(),
        "redirect_uris" => {
            let place: Option<usize> = place.trim_end_matches(']').parse().ok();
            let wrong = place.and_then(|place| client.redirect_uris.get(place));
            wrong.map_or("redirect-uri".to_owned(), |uri| format!("redirect-uri {}", uri.escape_default()))
        }
        "grant_types" => "grant-type".to_owned(),
        _ => problem.key.replace('_', "-"),
    };
    format!("--{option}: {}", problem.message)
}

async fn delete(app: &App, id: &ClientId) -> Result<Answer, Failure> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let Some(client) = clients::find(&mut tx, id).await? else {
        return Err(Failure::not_found(format!(
            "there is no client {id}; `gatehouse clients list` shows which there are"
        )));
    };
    if client.origin == Origin::Configured {
        return Err(Failure::refused(format!(
            "{id} comes from the configuration; remove it from the section `clients` there and restart the server"
        )));
    }
    clients::remove(&mut tx, id, now).await?;
    client::end_all_of_client(&mut tx, id, now).await?;
    tx.commit().await?;
    app.wake_workers();
    tracing::info!(client = %id, "a client was deleted by an admin");
    let text = format!("Deleted the client {} and ended its sessions.", name(&client));
    Ok(Answer { text, data: facts(&client) })
}

/// What a client calls itself, without what would confuse a terminal; else its identifier.
pub(super) fn name(client: &Client) -> String {
    client.given_name(&[]).and_then(words::name).unwrap_or_else(|| client.id.to_string())
}

fn origin(client: &Client) -> &'static str {
    match client.origin {
        Origin::Configured => "configured",
        Origin::Created => "created",
        Origin::Registered => "registered",
    }
}

fn facts(client: &Client) -> Value {
    json!({
        "client_id": client.id,
        "origin": client.origin,
        "client_name": client.metadata.client_name,
        "client_uri": client.metadata.client_uri,
        "redirect_uris": client.metadata.redirect_uris,
        "backchannel_logout_uri": client.metadata.backchannel_logout_uri,
        "grant_types": client.metadata.grant_types,
        "scope": client.metadata.scope,
        "token_endpoint_auth_method": client.metadata.token_endpoint_auth_method,
        "jwks": client.metadata.jwks,
        "jwks_uri": client.metadata.jwks_uri,
        "created_at": client.created_at.to_rfc3339(),
    })
}
