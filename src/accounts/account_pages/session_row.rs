//! One session as a person sees it, in the list and where it is ended.

use std::collections::HashMap;

use crate::accounts::signed_in::SignedIn;
use crate::app::App;
use crate::clients;
use crate::clients::label::ClientLabel;
use crate::clients::scope_words::{self, ScopeRow};
use crate::http::visit::Visit;
use crate::http::{user_agent, words};
use crate::ids::{ClientId, ClientSessionId};
use crate::languages::{Language, Text};
use crate::sessions::all::{Session, SessionId};
use crate::sessions::browser::BrowserSession;
use crate::sessions::client::ClientSession;
use crate::store;
use crate::time::Timestamp;

/// What a session is to the person who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// A browser signed in to this server.
    Browser,
    /// An app that was let in.
    Client,
    /// A program of the person's own, with a token that they made for it.
    Token,
}

impl SessionKind {
    /// The kind of a session.
    pub(super) fn of(session: &Session) -> SessionKind {
        match session {
            Session::Browser(_) => SessionKind::Browser,
            Session::Client(session) if session.is_personal() => SessionKind::Token,
            Session::Client(_) => SessionKind::Client,
        }
    }
}

/// One session in the list.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// What it is.
    pub kind: SessionKind,
    /// Local path of the page that shows it alone; browsers have none.
    pub path: Option<String>,
    /// Local path of the page that ends it.
    pub end_path: String,
    /// The client; `None` for a browser, and for one that signed in by the login API of older Matrix
    /// clients.
    pub client: Option<ClientLabel>,
    /// Browser and system in words, "Firefox on Linux", where known.
    pub user_agent: Option<String>,
    /// What the Matrix device was last called here, or what the person calls the token.
    pub name: Option<String>,
    /// The Matrix device.
    pub device_id: Option<String>,
    /// When it was last used; `None` when never or not known.
    pub last_seen_at: Option<Timestamp>,
    /// The address it was last used from.
    pub ip_address: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// What the client may do.
    pub scopes: Vec<ScopeRow>,
    /// When it ends by itself; tokens do.
    pub expires_at: Option<Timestamp>,
    /// Whether it is the one asking.
    pub is_this_one: bool,
}

impl SessionRow {
    /// What it is called: the app, or browser and system.
    pub fn called(&self, t: &Language) -> Text {
        if self.kind == SessionKind::Token {
            return Text::isolated(&words::shown(self.name.as_deref().unwrap_or_default()));
        }
        match (&self.client, &self.user_agent) {
            (Some(ClientLabel { name: Some(name), .. }), _) => Text::isolated(&words::shown(name)),
            (Some(ClientLabel { verified_host: Some(host), .. }), _) => Text::isolated(&words::exact(host)),
            (None, Some(browser)) => t.program(browser),
            (Some(_), _) => t.unnamed_app(),
            (None, None) if self.kind == SessionKind::Client => t.unnamed_app(),
            (None, None) => t.unknown_browser(),
        }
    }

    /// Whether what can be read of it has this text in it, which is in lower case.
    pub(super) fn matches(&self, search: &str, t: &Language) -> bool {
        let client = self.client.as_ref();
        let texts = [
            client.and_then(|client| client.name.as_deref()),
            client.and_then(|client| client.verified_host.as_deref()),
            self.user_agent.as_deref(),
            self.name.as_deref(),
            self.device_id.as_deref(),
            self.ip_address.as_deref(),
        ];
        let has = |text: &str| text.to_lowercase().contains(search);
        search.is_empty() || texts.into_iter().flatten().any(has) || has(&self.called(t).plain())
    }
}

/// Local path of the page that ends a session.
pub(super) fn end_path(id: SessionId) -> String {
    match id {
        SessionId::Browser(id) => format!("/account/sessions/browser/{id}/end"),
        SessionId::Client(id) => format!("{}/end", client_path(id)),
    }
}

/// Local path of the page that shows the session of a client.
pub(super) fn client_path(id: ClientSessionId) -> String {
    format!("/account/sessions/client/{id}")
}

/// The rows of some sessions, in their order. Each client is looked up once.
pub(super) async fn rows(
    app: &App,
    visit: &Visit,
    signed_in: &SignedIn,
    sessions: Vec<Session>,
) -> Result<Vec<SessionRow>, store::Error> {
    let mut clients: HashMap<ClientId, ClientLabel> = HashMap::new();
    let mut rows = Vec::with_capacity(sessions.len());
    for session in sessions {
        rows.push(match session {
            Session::Browser(session) => browser(session, signed_in),
            Session::Client(session) => {
                let label = match session.client_id.as_ref().map(|id| (id, clients.get(id))) {
                    None => None,
                    Some((_, Some(label))) => Some(label.clone()),
                    Some((id, None)) => {
                        let label = label(app, visit, id).await?;
                        clients.insert(id.clone(), label.clone());
                        Some(label)
                    }
                };
                client(session, label)
            }
        });
    }
    Ok(rows)
}

async fn label(app: &App, visit: &Visit, id: &ClientId) -> Result<ClientLabel, store::Error> {
    Ok(match clients::find_known(app, id).await? {
        Some(client) => ClientLabel::of_registration(&client, &visit.languages),
        None => ClientLabel { name: None, verified_host: None },
    })
}

fn browser(session: BrowserSession, signed_in: &SignedIn) -> SessionRow {
    SessionRow {
        kind: SessionKind::Browser,
        path: None,
        end_path: end_path(SessionId::Browser(session.id)),
        client: None,
        user_agent: session.user_agent.as_deref().and_then(user_agent::in_words),
        name: None,
        device_id: None,
        last_seen_at: Some(session.last_seen_at),
        ip_address: session.last_seen_ip,
        created_at: session.created_at,
        scopes: Vec::new(),
        expires_at: None,
        is_this_one: session.id == signed_in.session.id,
    }
}

fn client(session: ClientSession, label: Option<ClientLabel>) -> SessionRow {
    let is_personal = session.is_personal();
    // When a token was made is not a use of it, and where it is used nobody says.
    let last_seen_at = Some(session.last_seen_at).filter(|at| !is_personal || *at > session.created_at);
    SessionRow {
        kind: if is_personal { SessionKind::Token } else { SessionKind::Client },
        path: Some(client_path(session.id)),
        end_path: end_path(SessionId::Client(session.id)),
        client: label,
        user_agent: session.user_agent.as_deref().and_then(user_agent::in_words),
        name: session.name,
        device_id: session.device_id.map(|id| id.0),
        last_seen_at,
        ip_address: session.last_seen_ip,
        created_at: session.created_at,
        scopes: scope_words::rows(&session.scope),
        expires_at: session.expires_at,
        is_this_one: false,
    }
}
