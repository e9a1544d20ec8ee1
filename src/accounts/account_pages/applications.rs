//! The clients that have access to the account, or were allowed it once and need not ask again.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::{Section, application};
use crate::accounts::signed_in::{self, SignedIn};
use crate::app::App;
use crate::clients::label::ClientLabel;
use crate::clients::scope_words::{self, ScopeRow};
use crate::clients::{self, consents};
use crate::http::error::PageError;
use crate::http::filters;
use crate::http::form::{Parameters, with_query};
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::http::words;
use crate::ids::ClientId;
use crate::languages::{Language, Text};
use crate::sessions::client;
use crate::store;
use crate::time::Timestamp;

/// Local path of the list.
pub const PATH: &str = "/account/applications";

/// How many one page of the list has.
const PAGE: usize = 50;

/// A client as the person sees it.
#[derive(Clone, Debug)]
pub struct ApplicationRow {
    /// Its identifier.
    pub id: ClientId,
    /// Local path of the page that shows it alone.
    pub path: String,
    /// What it is called.
    pub client: ClientLabel,
    /// What its sessions may do, and what it need not ask for.
    pub scopes: Vec<ScopeRow>,
    /// Since when it has access: when the oldest of its sessions began, or it was allowed something.
    pub since: Timestamp,
    /// When one of its sessions was last used.
    pub last_seen_at: Option<Timestamp>,
    /// How many sessions it has.
    pub sessions: usize,
    /// What it was allowed that is remembered, and when.
    pub remembered: Option<(Vec<ScopeRow>, Timestamp)>,
    /// Whether the admin's configuration says that nobody is asked.
    pub is_trusted: bool,
}

impl ApplicationRow {
    /// What it is called.
    pub fn called(&self, t: &Language) -> Text {
        match (&self.client.name, &self.client.verified_host) {
            (Some(name), _) => Text::isolated(&words::shown(name)),
            (None, Some(host)) => Text::isolated(&words::exact(host)),
            (None, None) => t.unnamed_app(),
        }
    }
}

/// One page of the list, last used first.
#[derive(Debug, Template)]
#[template(path = "account/applications.html")]
pub struct ApplicationsPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Whether one was removed just now.
    pub is_removed: bool,
    /// The clients.
    pub applications: Vec<ApplicationRow>,
    /// Local path of the next page of the list.
    pub next: Option<String>,
    /// Local path of the first page, on every other page.
    pub first: Option<String>,
    /// The present moment.
    pub now: Timestamp,
}

impl ApplicationsPage<'_> {
    const SECTION: Section = Section::Applications;
}

/// Shows one page of the list.
pub async fn get(State(app): State<App>, visit: Visit, RawQuery(query): RawQuery) -> Response {
    visit.answer(show(&app, &visit, &query.unwrap_or_default()).await)
}

async fn show(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let asked = Parameters::parse(query.as_bytes())?;
    let is_removed = visit.is_from_own_page() && asked.get("notice") == Some("removed");
    let signed_in = match signed_in::require(app, visit, PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let mut applications = list(app, visit, &signed_in).await?;
    // The one that the page before has ended with; without it, the list from its beginning.
    let after = asked.get("after").and_then(|id| applications.iter().position(|row| row.id.0 == id));
    if let Some(last) = after {
        applications.drain(..=last);
    }
    let has_more = applications.len() > PAGE;
    applications.truncate(PAGE);
    let next = applications.last().filter(|_| has_more);
    let page = ApplicationsPage {
        frame: visit.frame(),
        is_removed,
        next: next.map(|row| with_query(PATH, &[("after", row.id.0.as_str().into())])),
        first: after.map(|_| PATH.to_owned()),
        applications,
        now: app.clock.now(),
    };
    Ok(visit.page(StatusCode::OK, &page, None))
}

/// What is known of a client from the person's sessions and consents.
#[derive(Default)]
struct Access {
    scopes: Vec<String>,
    since: Option<Timestamp>,
    last_seen_at: Option<Timestamp>,
    sessions: usize,
    remembered: Option<(String, Timestamp)>,
}

/// All clients with access to the person's account, last used first.
///
/// # Errors
/// When the database fails.
pub(super) async fn list(
    app: &App,
    visit: &Visit,
    who: &SignedIn,
) -> Result<Vec<ApplicationRow>, store::Error> {
    let mut found: HashMap<ClientId, Access> = HashMap::new();
    for session in client::list(&app.store, who.user.id, None, i64::MAX).await? {
        let Some(id) = session.client_id else { continue };
        let access = found.entry(id).or_default();
        access.sessions += 1;
        access.scopes.push(session.scope);
        access.since = access.since.into_iter().chain([session.created_at]).min();
        access.last_seen_at = access.last_seen_at.into_iter().chain([session.last_seen_at]).max();
    }
    for consent in consents::list(&app.store, who.user.id).await? {
        let access = found.entry(consent.client_id).or_default();
        access.scopes.push(consent.scope.clone());
        access.since = access.since.or(Some(consent.granted_at));
        access.remembered = Some((consent.scope, consent.granted_at));
    }
    let mut rows = Vec::with_capacity(found.len());
    for (id, access) in found {
        rows.push(row(app, visit, id, access).await?);
    }
    rows.sort_by(|one, other| {
        let when = |row: &ApplicationRow| row.last_seen_at.unwrap_or(row.since);
        when(other).cmp(&when(one)).then_with(|| one.id.0.cmp(&other.id.0))
    });
    Ok(rows)
}

async fn row(app: &App, visit: &Visit, id: ClientId, access: Access) -> Result<ApplicationRow, store::Error> {
    let client = clients::find_known(app, &id).await?;
    Ok(ApplicationRow {
        path: application::path(&id),
        client: match &client {
            Some(client) => ClientLabel::of_registration(client, &visit.languages),
            None => ClientLabel { name: None, verified_host: None },
        },
        scopes: scope_words::rows(&access.scopes.join(" ")),
        since: access.since.unwrap_or_else(|| app.clock.now()),
        last_seen_at: access.last_seen_at,
        sessions: access.sessions,
        remembered: access.remembered.map(|(scope, at)| (scope_words::rows(&scope), at)),
        is_trusted: client.is_some_and(|client| client.metadata.is_trusted),
        id,
    })
}
