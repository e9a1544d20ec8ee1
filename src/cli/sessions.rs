//! `gatehouse sessions`: people signed in with browsers, and what clients hold.

use std::collections::HashMap;

use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::failure::Failure;
use super::request::Answer;
use super::users::{Told, get, tell};
use crate::accounts::mails::{self, Mail, Occasion};
use crate::accounts::users::{self, User};
use crate::app::App;
use crate::clients;
use crate::ids::{BrowserSessionId, ClientId, UserId};
use crate::login::attempts;
use crate::sessions::all::{self, Ended};
use crate::sessions::browser::{self, BrowserSession};
use crate::sessions::client::{self, ClientSession, EndReason};
use crate::store::{self, Tx};
use crate::time::Timestamp;

/// What can be done with sessions.
#[derive(Debug, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sessions {
    /// List the live sessions of an account or of a client, the last begun first
    List {
        /// Whose: a local part or a whole Matrix identifier
        #[arg(required_unless_present = "client", conflicts_with = "client")]
        name: Option<String>,
        /// What this client holds, of accounts and for itself
        #[arg(long, value_name = "CLIENT_ID", conflicts_with = "kind")]
        client: Option<String>,
        /// Only sessions of this kind
        #[arg(long)]
        kind: Option<SessionKind>,
    },
    /// End one session, or all of an account; devices that went with them are deleted
    End(End),
}

/// The two kinds of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// A person signed in with a browser
    Browser,
    /// What a client holds
    Client,
}

/// `sessions end`.
#[derive(Debug, Args, Serialize, Deserialize)]
pub struct End {
    /// The session to end
    #[arg(required_unless_present = "user", conflicts_with = "user")]
    pub session_id: Option<String>,
    /// End sessions of this account
    #[arg(long, value_name = "NAME", requires = "all")]
    pub user: Option<String>,
    /// End all of them
    #[arg(long, requires = "user")]
    pub all: bool,
}

impl Sessions {
    /// Does it.
    ///
    /// # Errors
    /// Why it was not done, for the admin.
    pub async fn carry_out(self, app: &App) -> Result<Answer, Failure> {
        match self {
            Sessions::List { client: Some(id), .. } => list_of_client(app, &ClientId(id)).await,
            Sessions::List { name: Some(name), kind, .. } => list(app, &name, kind).await,
            Sessions::List { .. } => {
                Err(Failure::usage("name an account, or a client with --client CLIENT_ID"))
            }
            Sessions::End(End { session_id: Some(id), .. }) => end_one(app, &id).await,
            Sessions::End(End { user: Some(name), all: true, .. }) => end_all(app, &name).await,
            Sessions::End(_) => Err(Failure::usage("name a session, or an account with --user NAME --all")),
        }
    }
}

async fn list(app: &App, name: &str, kind: Option<SessionKind>) -> Result<Answer, Failure> {
    let user = get(app, &app.store, name).await?;
    let mut lines = Vec::new();
    let mut sessions = Vec::new();
    if kind != Some(SessionKind::Client) {
        for session in browser::list(&app.store, user.id, None, i64::MAX).await? {
            let agent = session.user_agent.as_deref().unwrap_or("an unknown browser");
            lines.push(format!("{}  browser  last seen {}  {agent}", session.id, session.last_seen_at));
            sessions.push(browser_facts(&session, &user));
        }
    }
    if kind != Some(SessionKind::Browser) {
        let mut names = HashMap::new();
        for session in client::list(&app.store, user.id, None, i64::MAX).await? {
            let client = match &session.client_id {
                Some(id) => Some(client_name(app, &mut names, id).await?),
                None => None,
            };
            let kind = if client.is_some() { "oauth  " } else { "older  " };
            let device =
                session.device_id.as_ref().map_or(String::new(), |device| format!("  device {device}"));
            lines.push(format!(
                "{}  {kind}  last seen {}  {}{device}",
                session.id,
                session.last_seen_at,
                client.as_deref().unwrap_or("signed in with an older login")
            ));
            sessions.push(client_facts(&session, Some(&user), client.as_deref()));
        }
    }
    if lines.is_empty() {
        lines.push(format!("{} has no live sessions.", user.localpart));
    }
    Ok(Answer { text: lines.join("\n"), data: json!({ "sessions": sessions }) })
}

async fn list_of_client(app: &App, id: &ClientId) -> Result<Answer, Failure> {
    let Some(client) = clients::find(&app.store, id).await? else {
        return Err(Failure::not_found(format!(
            "there is no client {id}; `gatehouse clients list` shows which there are"
        )));
    };
    let client = super::clients::name(&client);
    let mut lines = Vec::new();
    let mut sessions = Vec::new();
    for session in client::list_of_client(&app.store, id).await? {
        let user = match session.user_id {
            Some(id) => users::find(&app.store, id).await?,
            None => None,
        };
        let whose = user.as_ref().map_or("for itself".to_owned(), |user| format!("of {}", user.localpart));
        let device = session.device_id.as_ref().map_or(String::new(), |device| format!("  device {device}"));
        lines.push(format!("{}  oauth    last seen {}  {whose}{device}", session.id, session.last_seen_at));
        sessions.push(client_facts(&session, user.as_ref(), Some(&client)));
    }
    if lines.is_empty() {
        lines.push(format!("{client} has no live sessions."));
    }
    Ok(Answer { text: lines.join("\n"), data: json!({ "sessions": sessions }) })
}

async fn client_name(
    app: &App,
    names: &mut HashMap<ClientId, String>,
    id: &ClientId,
) -> Result<String, Failure> {
    if let Some(name) = names.get(id) {
        return Ok(name.clone());
    }
    let name = clients::find(&app.store, id)
        .await?
        .map_or_else(|| id.to_string(), |client| super::clients::name(&client));
    names.insert(id.clone(), name.clone());
    Ok(name)
}

async fn end_one(app: &App, id: &str) -> Result<Answer, Failure> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let user = match find(app, id).await? {
        Some(Found::Browser(id, user)) if browser::end(&mut tx, id, user, now).await? => Some(user),
        Some(Found::Client(session))
            if client::end(
                &mut tx,
                session.id,
                session.user_id,
                session.device_id.clone(),
                EndReason::EndedByAdmin,
                now,
            )
            .await? =>
        {
            session.user_id
        }
        _ => return Err(Failure::not_found(format!("there is no live session {id}"))),
    };
    let Some(user) = user else {
        tx.commit().await?;
        let text = format!("Ended the session {id}, which the client had for itself.");
        return Ok(Answer { text, data: json!({ "ended_sessions": 1 }) });
    };
    let user = users::find(&mut tx, user).await?.ok_or_else(|| Failure::not_found("the user is gone"))?;
    tell_person(&mut tx, app, &user, 1, now).await?;
    tx.commit().await?;
    let told = tell(app, user.id).await?;
    Ok(ended(format!("Ended the session {id} of {}.", user.localpart), 1, &told))
}

enum Found {
    Browser(BrowserSessionId, UserId),
    Client(Box<ClientSession>),
}

async fn find(app: &App, id: &str) -> Result<Option<Found>, Failure> {
    let (Ok(of_browser), Ok(of_client)) = (id.parse(), id.parse()) else { return Ok(None) };
    if let Some(session) = browser::find_by_id(&app.store, of_browser).await? {
        return Ok(Some(Found::Browser(session.id, session.user_id)));
    }
    Ok(client::find(&app.store, of_client).await?.map(|session| Found::Client(Box::new(session))))
}

async fn end_all(app: &App, name: &str) -> Result<Answer, Failure> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let user = get(app, &mut tx, name).await?;
    let Ended { browsers, clients } =
        all::end_all(&mut tx, user.id, None, EndReason::EndedByAdmin, now).await?;
    attempts::end_all(&mut tx, user.id).await?;
    if clients + browsers > 0 {
        tell_person(&mut tx, app, &user, clients + browsers, now).await?;
    }
    tx.commit().await?;
    let told = tell(app, user.id).await?;
    let text =
        format!("Ended {browsers} sessions in browsers and {clients} of clients of {}.", user.localpart);
    Ok(ended(text, browsers + clients, &told))
}

async fn tell_person(
    tx: &mut Tx,
    app: &App,
    user: &User,
    count: u64,
    now: Timestamp,
) -> Result<(), store::Error> {
    let mail = Mail::SessionsEnded { count, occasion: Occasion::by_admin(now) };
    mails::tell(tx, app, user, &mail, now).await
}

fn ended(text: String, count: u64, told: &Told) -> Answer {
    let data = json!({ "ended_sessions": count, "homeserver": told.facts() });
    Answer { text: format!("{text}\n{}", told.sentence()), data }
}

fn browser_facts(session: &BrowserSession, user: &User) -> Value {
    json!({
        "id": session.id,
        "kind": SessionKind::Browser,
        "user": user.localpart,
        "created_at": session.created_at.to_rfc3339(),
        "last_seen_at": session.last_seen_at.to_rfc3339(),
        "last_seen_ip": session.last_seen_ip,
        "user_agent": session.user_agent,
    })
}

/// A client that signed in by the login API of older Matrix clients has neither identifier nor name.
fn client_facts(session: &ClientSession, user: Option<&User>, client_name: Option<&str>) -> Value {
    json!({
        "id": session.id,
        "kind": SessionKind::Client,
        "user": user.map(|user| &user.localpart),
        "client_id": session.client_id,
        "client_name": client_name,
        "scope": session.scope,
        "device_id": session.device_id,
        "created_at": session.created_at.to_rfc3339(),
        "last_seen_at": session.last_seen_at.to_rfc3339(),
        "last_seen_ip": session.last_seen_ip,
        "user_agent": session.user_agent,
    })
}
