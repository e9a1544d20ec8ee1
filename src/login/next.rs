//! Where a person goes on after signing in, and for whom.

use crate::accounts::account_pages::home;
use crate::app::App;
use crate::clients;
use crate::clients::authorization_requests::{Pending, WAITING};
use crate::clients::label::{ClientLabel, Destination};
use crate::http::error::PageError;
use crate::http::form::{Parameters, with_query};
use crate::http::headers::{FormAction, form_action_source};
use crate::http::local::local;
use crate::http::visit::Visit;
use crate::ids::localpart_of;

/// Where a sign-in leads, handed on from page to page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Onward {
    /// The local path to go on to; without one, the account page.
    pub next: Option<String>,
    /// Whether a second factor is demanded there even of those who have none yet. It only spares a detour:
    /// the page itself insists.
    pub needs_second: bool,
}

impl Onward {
    /// Reads it from a query or a form.
    pub fn read(parameters: &Parameters) -> Onward {
        Onward {
            next: local(parameters.get("next")),
            needs_second: parameters.get("second") == Some("required"),
        }
    }

    /// The local path of a page on the way.
    pub fn through(&self, page: &str) -> String {
        let fields = self.fields();
        let parameters: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str().into())).collect();
        match parameters.is_empty() {
            true => page.to_owned(),
            false => with_query(page, &parameters),
        }
    }

    /// What a form carries of it.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let next = self.next.clone().map(|next| ("next", next));
        let second = self.needs_second.then(|| ("second", "required".to_owned()));
        next.into_iter().chain(second).collect()
    }

    /// The local path at the end.
    pub fn end(&self) -> &str {
        self.next.as_deref().unwrap_or(home::PATH)
    }
}

/// The client that waits behind the sign-in.
pub struct Waiting {
    /// How pages name it.
    pub client: ClientLabel,
    /// Where the forms on the way may lead in the end.
    pub form_action: Option<FormAction>,
    /// The name that it hinted at (MSC4198).
    pub username: Option<String>,
    /// What it asks.
    pub pending: Pending,
}

/// The client of the authorization request that `next` leads to, if it does.
///
/// # Errors
/// When the database fails.
pub async fn waiting(app: &App, visit: &Visit, next: Option<&str>) -> Result<Option<Waiting>, PageError> {
    let sealed = next.and_then(|next| next.strip_prefix(WAITING));
    let pending = sealed.and_then(|sealed| Pending::open(sealed, app.keys.root(), app.clock.now()));
    let Some(pending) = pending else { return Ok(None) };
    let Some(client) = clients::find_known(app, &pending.client_id).await? else { return Ok(None) };
    let destination = Destination::of(&pending.asked.redirect_uri);
    let hint = pending.asked.login_hint.as_deref();
    Ok(Some(Waiting {
        client: ClientLabel::new(client.given_name(&visit.languages), destination.as_ref()),
        form_action: form_action_source(&pending.asked.redirect_uri),
        username: hint.and_then(|hint| hinted(hint, &app.config.homeserver.server_name)),
        pending,
    }))
}

/// The name in a `login_hint`: `mxid:@alice:server` of this server, or a plain name.
pub(super) fn hinted(hint: &str, server_name: &str) -> Option<String> {
    let named = match hint.split_once(':') {
        Some(("mxid", mxid)) => localpart_of(mxid, server_name)?,
        Some(_) if !hint.starts_with('@') => return None,
        _ => localpart_of(hint, server_name)?,
    };
    let is_name = !named.is_empty() && named.len() <= 255 && !named.chars().any(char::is_control);
    is_name.then(|| named.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_fills_in_a_name_of_this_server_only() {
        let hinted = |hint| hinted(hint, "example.org");
        assert_eq!(hinted("mxid:@alice:example.org").as_deref(), Some("alice"));
        assert_eq!(hinted("@alice:example.org").as_deref(), Some("alice"));
        assert_eq!(hinted("alice").as_deref(), Some("alice"));
        for other in ["mxid:@alice:elsewhere.org", "mailto:alice@example.org", "mxid:@:example.org", "mxid:"]
        {
            assert_eq!(hinted(other), None, "{other}");
        }
    }
}
