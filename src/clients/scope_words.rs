//! What scopes mean to people.

use crate::http::words;
use crate::languages::{Language, Text};

/// What a client may do, in terms a person cares about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// The whole Matrix client API: read and send messages, and all else.
    Messages,
    /// Being a device of the account, with encryption keys of its own.
    Device,
    /// Administering the homeserver.
    ServerAdministration,
    /// Knowing who the person is.
    Identity,
    /// Knowing the e-mail address.
    Email,
    /// Knowing name and picture.
    Profile,
    /// A scope we have no sentence for; its exact text is shown.
    Other,
}

/// One thing a client may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeRow {
    /// What it means.
    pub meaning: Meaning,
    /// The scope tokens that say so: two spellings of one scope are one row.
    pub exact: Vec<String>,
}

impl ScopeRow {
    /// The end of "It will be able to".
    pub fn in_words(&self, t: &Language) -> Text {
        match self.meaning {
            Meaning::Messages => t.scope_messages(),
            Meaning::Device => t.scope_device(),
            Meaning::ServerAdministration => t.scope_server_administration(),
            Meaning::Identity => t.scope_identity(),
            Meaning::Email => t.scope_email(),
            Meaning::Profile => t.scope_profile(),
            Meaning::Other => t.scope_other(words::exact(&self.exact.join(" "))),
        }
    }
}

/// Reads a scope (RFC 6749 §3.3): the weightiest first, each meaning once, each unknown token on
/// its own.
pub fn rows(scope: &str) -> Vec<ScopeRow> {
    let mut rows: Vec<ScopeRow> = Vec::new();
    for token in scope.split(' ').filter(|token| !token.is_empty()) {
        if rows.iter().any(|row| row.exact.iter().any(|known| known == token)) {
            continue;
        }
        let meaning = meaning(token);
        match rows.iter_mut().find(|row| row.meaning == meaning && meaning != Meaning::Other) {
            Some(row) => row.exact.push(token.to_owned()),
            None => rows.push(ScopeRow { meaning, exact: vec![token.to_owned()] }),
        }
    }
    rows.sort_by_key(|row| row.meaning);
    rows
}

/// Both spellings of the Matrix scopes are in use: those of MSC2967 and, since Matrix 1.15, the
/// ones without `org.matrix.msc2967`.
fn meaning(token: &str) -> Meaning {
    let matrix =
        token.strip_prefix("urn:matrix:org.matrix.msc2967.").or_else(|| token.strip_prefix("urn:matrix:"));
    match (matrix, token) {
        (Some("client:api:*"), _) => Meaning::Messages,
        (Some(rest), _) if rest.starts_with("client:device:") => Meaning::Device,
        (_, "urn:synapse:admin:*") => Meaning::ServerAdministration,
        (_, "openid") => Meaning::Identity,
        (_, "email") => Meaning::Email,
        (_, "profile") => Meaning::Profile,
        _ => Meaning::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_spellings_are_one_row() {
        let scope = "openid urn:matrix:org.matrix.msc2967.client:api:*  urn:matrix:client:api:* \
                     urn:matrix:client:device:AB urn:matrix:org.matrix.msc2967.client:device:AB";
        let rows = rows(scope);
        let meanings: Vec<Meaning> = rows.iter().map(|row| row.meaning).collect();
        assert_eq!(meanings, [Meaning::Messages, Meaning::Device, Meaning::Identity]);
        assert_eq!(rows[0].exact.len(), 2);
    }

    #[test]
    fn unknown_scopes_are_each_shown_once() {
        let rows = rows("urn:x urn:y urn:x");
        assert_eq!(rows.iter().map(|row| row.exact.join(" ")).collect::<Vec<_>>(), ["urn:x", "urn:y"]);
    }

    #[test]
    fn a_repeated_scope_is_shown_once() {
        assert_eq!(rows("openid openid").len(), 1);
        assert_eq!(rows("openid openid")[0].exact, ["openid"]);
    }
}
