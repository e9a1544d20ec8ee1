//! Everything that the server holds about a person, as one JSON document for them (GDPR, Articles 15 and 20):
//! without what lets somebody in, and without digests of that.
//!
//! Long lists are read a part at a time while the document is sent, so that no account is too large for it.

use axum::body::Bytes;
use futures_util::stream::{Stream, try_unfold};
use serde_json::{Value, json};

use super::activity::{self, Entry};
use super::display_name::{self, DisplayName};
use super::users::User;
use super::{emails, factors, passwords, remembered_browsers, terms};
use crate::app::App;
use crate::clients::{self, consents};
use crate::http::user_agent;
use crate::ids::AccountEventId;
use crate::sessions::records::{self, BrowserRecord, ClientRecord};
use crate::store;
use crate::time::Timestamp;

/// How many entries of a list are read at once.
const PART: usize = 500;

/// What comes next in the document.
enum Next {
    Facts,
    Browsers(Option<String>),
    Clients(Option<String>),
    Activity(Option<AccountEventId>),
    End,
}

/// The document, part by part.
pub fn document(app: App, user: User) -> impl Stream<Item = Result<Bytes, store::Error>> {
    try_unfold((app, user, Next::Facts), async |(app, user, next)| {
        let (text, next) = match next {
            Next::Facts => (facts(&app, &user).await?, Next::Browsers(None)),
            Next::Browsers(before) => {
                let is_first = before.is_none();
                let found = records::browsers(&app.store, user.id, before.as_deref(), limit()).await?;
                let last = found.last().map(|record| record.id.to_string());
                let text = list("browser_sessions", is_first, &found, browser);
                (
                    text,
                    last.filter(|_| found.len() == PART)
                        .map_or(Next::Clients(None), |id| Next::Browsers(Some(id))),
                )
            }
            Next::Clients(before) => {
                let is_first = before.is_none();
                let found = records::clients(&app.store, user.id, before.as_deref(), limit()).await?;
                let last = found.last().map(|record| record.id.to_string());
                let text = list("client_sessions", is_first, &found, client);
                (
                    text,
                    last.filter(|_| found.len() == PART)
                        .map_or(Next::Activity(None), |id| Next::Clients(Some(id))),
                )
            }
            Next::Activity(before) => {
                let is_first = before.is_none();
                let found = activity::list(&app.store, user.id, before, limit()).await?;
                let last = found.last().map(|entry| entry.id);
                let text = list("activity", is_first, &found, entry);
                (text, last.filter(|_| found.len() == PART).map_or(Next::End, |id| Next::Activity(Some(id))))
            }
            Next::End => return Ok(None),
        };
        // What begins the next list ends this one.
        let end = if matches!(next, Next::End) { "\n  ]\n}\n" } else { "" };
        Ok(Some((Bytes::from(format!("{text}{end}")), (app, user, next))))
    })
}

fn limit() -> i64 {
    i64::try_from(PART).unwrap_or(i64::MAX)
}

/// A part of a list, whose name stands before its first one.
fn list<T>(name: &str, is_first: bool, entries: &[T], tell: fn(&T) -> Value) -> String {
    let open = match (is_first, name) {
        (false, _) => String::new(),
        (true, "browser_sessions") => format!(",\n  \"{name}\": ["),
        (true, _) => format!("\n  ],\n  \"{name}\": ["),
    };
    let comma = if is_first { "" } else { "," };
    let lines: Vec<String> = entries.iter().map(|entry| format!("\n    {}", tell(entry))).collect();
    match lines.is_empty() {
        true => open,
        false => format!("{open}{comma}{}", lines.join(",")),
    }
}

/// Everything that is short.
async fn facts(app: &App, user: &User) -> Result<String, store::Error> {
    let display_name = match display_name::find(app, user.id, &user.localpart).await? {
        DisplayName::Known(name) => json!(name),
        DisplayName::Unknown => json!("not known: the homeserver does not answer"),
    };
    let email =
        |email: &emails::UserEmail| json!({ "address": email.address, "verified_at": at(email.verified_at) });
    let factor = |factor: factors::Listed| {
        json!({
            "kind": factor.kind, "name": factor.name, "created_at": at(Some(factor.created_at)),
            "last_used_at": at(factor.last_used_at),
        })
    };
    let remembered = |browser: remembered_browsers::RememberedBrowser| {
        json!({
            "browser": browser.user_agent.as_deref().and_then(user_agent::in_words),
            "created_at": at(Some(browser.created_at)), "expires_at": at(Some(browser.expires_at)),
        })
    };
    let mut consents = Vec::new();
    for consent in consents::list(&app.store, user.id).await? {
        let client = clients::find_known(app, &consent.client_id).await?;
        consents.push(json!({
            "client_id": consent.client_id,
            "client_name": client.as_ref().and_then(|client| client.given_name(&[])),
            "scope": consent.scope,
            "granted_at": at(Some(consent.granted_at)),
        }));
    }
    let accepted = |terms: terms::Acceptance| json!({ "version": terms.version, "accepted_at": at(Some(terms.accepted_at)) });
    let now = app.clock.now();
    let addresses = emails::list(&app.store, user.id).await?;
    let facts = json!({
        "exported_at": at(Some(now)),
        "account": {
            "id": user.id,
            "name": user.localpart,
            "matrix_id": user.localpart.mxid(&app.config.homeserver.server_name),
            "display_name": display_name,
            "is_admin": user.is_admin,
            "created_at": at(Some(user.created_at)),
        },
        "emails": addresses.iter().map(email).collect::<Vec<_>>(),
        "sign_in": {
            "has_password": passwords::is_set(&app.store, user.id).await?,
            "factors": factors::list(&app.store, user.id).await?.into_iter().map(factor).collect::<Vec<_>>(),
            "recovery_codes_left": factors::find(&app.store, user.id).await?.recovery_codes,
            "remembered_browsers":
                remembered_browsers::list(&app.store, user.id, now).await?.into_iter().map(remembered).collect::<Vec<_>>(),
        },
        "consents": consents,
        "accepted_terms": terms::list(&app.store, user.id).await?.into_iter().map(accepted).collect::<Vec<_>>(),
    });
    let text = serde_json::to_string_pretty(&facts).unwrap_or_default();
    // The lists follow inside of the same object.
    Ok(text.trim_end_matches('}').trim_end().to_owned())
}

fn at(moment: Option<Timestamp>) -> Option<String> {
    moment.map(Timestamp::to_rfc3339)
}

fn browser(record: &BrowserRecord) -> Value {
    json!({
        "id": record.id,
        "began_at": at(Some(record.created_at)),
        "signed_in_at": at(Some(record.authenticated_at)),
        "signed_in_with": record.methods,
        "last_seen_at": at(Some(record.last_seen_at)),
        "last_seen_from": record.last_seen_ip,
        "user_agent": record.user_agent,
        "ended_at": at(record.ended_at),
    })
}

fn client(record: &ClientRecord) -> Value {
    let kind = match (&record.client_id, record.expires_at) {
        (_, Some(_)) => "personal_token",
        (Some(_), None) => "client",
        (None, None) => "older_login",
    };
    json!({
        "id": record.id,
        "kind": kind,
        "name": record.name,
        "client_id": record.client_id,
        "client_name": record.client_name,
        "scope": record.scope,
        "device_id": record.device_id,
        "began_at": at(Some(record.created_at)),
        "last_seen_at": at(Some(record.last_seen_at)),
        "last_seen_from": record.last_seen_ip,
        "user_agent": record.user_agent,
        "expires_at": at(record.expires_at),
        "ended_at": at(record.ended_at),
        "end_reason": record.end_reason,
    })
}

fn entry(entry: &Entry) -> Value {
    let occasion = &entry.occasion;
    json!({
        "event": entry.event,
        "at": at(Some(occasion.at)),
        "is_by_admin": occasion.is_by_admin,
        "from": occasion.ip_address,
        "browser": occasion.browser,
    })
}
