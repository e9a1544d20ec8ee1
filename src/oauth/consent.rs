//! Asking a person whether a client may use their account.

use std::time::Duration;

use askama::Template;

use crate::clients::label::{ClientLabel, Destination};
use crate::clients::scope_words::{Meaning, ScopeRow};
use crate::http::filters;
use crate::http::pages::{Frame, Person};

/// How long a client keeps what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// Until the person, or the client, signs out.
    UntilSignedOut,
    /// At most this long.
    For(Duration),
}

/// The page `GET /authorize/{id}` shows when the person has to be asked.
///
/// The answer is posted to `action` as `answer=approve` or `answer=deny`.
#[derive(Debug, Template)]
#[template(path = "oauth/consent.html")]
pub struct ConsentPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Who asks.
    pub client: ClientLabel,
    /// Whether this person never let this client in before.
    pub is_first_time: bool,
    /// As whom they would be signed in.
    pub person: Person,
    /// Local path the answer is posted to; also where "Not you?" comes back to.
    pub action: String,
    /// What the client could do.
    pub scopes: Vec<ScopeRow>,
    /// The Matrix device that would be made.
    pub device_id: Option<String>,
    /// How long the client would keep it.
    pub lasts: Lasts,
    /// The client's terms; only an `https` link is shown.
    pub tos_uri: Option<String>,
    /// The client's privacy policy; only an `https` link is shown.
    pub policy_uri: Option<String>,
    /// Where the browser goes with the answer.
    pub destination: Destination,
}

impl ConsentPage<'_> {
    /// The link, if following it is safe.
    fn https<'u>(&self, uri: &'u Option<String>) -> Option<&'u str> {
        uri.as_deref().filter(|uri| uri.starts_with("https://"))
    }
}
