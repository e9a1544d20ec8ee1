//! Account pages: the name, apps with access, personal tokens, the person's data.

use std::time::Duration;

use askama::Template;
use gatehouse::accounts::account_pages::{
    ApplicationPage, ApplicationRow, ApplicationsPage, EndApplicationPage, ExportPage, Links, NewTokenPage,
    ProfilePage, RenameAppPage, SessionKind, SessionPage, SessionRow, TokenMadePage, TokenNotice,
    TokenProblem, TokensPage,
};
use gatehouse::accounts::authenticator_apps::AuthenticatorApp;
use gatehouse::accounts::personal_tokens::{Device, Permission, Wanted, WrongToken};
use gatehouse::clients::scope_words;
use gatehouse::http::pages::Frame;
use gatehouse::ids::{AuthenticatorAppId, ClientId, DeviceId};
use gatehouse::time::Timestamp;

use super::{DAY, NOW, Words};

impl Words {
    /// A personal token, made so many days ago.
    pub fn token(&self, days: i64) -> SessionRow {
        let is_missing = self.which == "missing";
        SessionRow {
            kind: SessionKind::Token,
            client: None,
            name: Some(self.display_name.clone().unwrap_or_else(|| "Bot".to_owned())),
            device_id: (!is_missing).then(|| self.device_id.clone()),
            last_seen_at: (!is_missing).then_some(Timestamp(NOW.0 - DAY)),
            ip_address: None,
            expires_at: Some(Timestamp(NOW.0 + 90 * DAY)),
            ..self.app(days)
        }
    }

    fn application(&self, sessions: usize) -> ApplicationRow {
        let scopes = scope_words::rows(&self.scope);
        ApplicationRow {
            // The database knows no NUL.
            id: ClientId(self.device_id.replace('\0', "")),
            path: "/account/application?client_id=01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(),
            client: self.client(),
            since: Timestamp(NOW.0 - 40 * DAY),
            last_seen_at: (sessions > 0).then_some(Timestamp(NOW.0 - DAY)),
            sessions,
            remembered: (self.which != "missing").then(|| (scopes.clone(), Timestamp(NOW.0 - 30 * DAY))),
            is_trusted: sessions == 0,
            scopes,
        }
    }
}

/// The pages, by name.
pub fn pages(words: &Words) -> Vec<(String, String)> {
    let site = words.site();
    let frame = || Frame::new(&site, "bm9uY2U", "csrf-token").in_language(words.language);
    let mut pages = Vec::new();
    let mut add = |name: &str, html: askama::Result<String>| {
        pages.push((format!("{name}-{}", words.which), html.expect("a page")));
    };
    for (name, homeserver_unreachable, is_too_long, is_changed) in [
        ("profile", false, false, false),
        ("profile-changed", false, false, true),
        ("profile-too-long", false, true, false),
        ("profile-unreachable", true, false, false),
    ] {
        let person = words.person();
        let typed = words.display_name.clone().unwrap_or_default();
        let page = ProfilePage {
            frame: frame(),
            person,
            homeserver_unreachable,
            typed: typed.replace('\0', ""),
            is_too_long,
            is_changed,
        };
        add(name, page.render());
    }

    let next = || Some("/account/applications?after=01".to_owned());
    let applications = |is_removed, applications: Vec<ApplicationRow>| ApplicationsPage {
        frame: frame(),
        is_removed,
        next: next().filter(|_| !applications.is_empty()),
        first: Some("/account/applications".to_owned()).filter(|_| !applications.is_empty()),
        applications,
        now: NOW,
    };
    let several = vec![words.application(3), words.application(1), words.application(0)];
    add("applications", applications(false, several).render());
    add("applications-none", applications(true, Vec::new()).render());
    for (name, count) in [("application", 2), ("application-not-signed-in", 0)] {
        let uri = || Some(words.uri.clone()).filter(|uri| !uri.is_empty());
        let page = ApplicationPage {
            frame: frame(),
            application: words.application(count * 2),
            links: Links { client_uri: uri(), tos_uri: uri(), policy_uri: uri() },
            sessions: (0..count).map(|_| words.app(3)).collect(),
            end_path: "/account/application/end?client_id=01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(),
            now: NOW,
        };
        add(name, page.render());
        let page =
            EndApplicationPage { frame: frame(), application: words.application(count), devices: count };
        add(&format!("end-{name}"), page.render());
    }

    let tokens = |notice, tokens| TokensPage { frame: frame(), notice, tokens, now: NOW }.render();
    add("tokens", tokens(Some(TokenNotice::Revoked), vec![words.token(3), words.token(50)]));
    add("tokens-too-many", tokens(Some(TokenNotice::TooMany), vec![words.token(3)]));
    add("tokens-none", tokens(None, Vec::new()));
    let wanted = |device| Wanted {
        name: words.typed.clone(),
        permissions: vec![Permission::Messages, Permission::Identity],
        device,
        days: 90,
    };
    let new_token = |wanted, problems| {
        let spans = [7, 30, 90, 365].map(|days| (days, Duration::from_secs(days * 86_400))).to_vec();
        let action = "/account/tokens/new".to_owned();
        NewTokenPage { frame: frame(), person: words.person(), action, wanted, spans, problems }.render()
    };
    add("new-token", new_token(wanted(Device::Without), Vec::new()));
    let named = Device::Named(DeviceId(words.typed.clone()));
    let wrong = [
        WrongToken::NameMissing,
        WrongToken::NameTooLong,
        WrongToken::NothingPermitted,
        WrongToken::AdministrationAlone,
        WrongToken::DeviceAlone,
        WrongToken::DeviceId,
        WrongToken::Span,
    ];
    add("new-token-wrong", new_token(wanted(named), wrong.map(TokenProblem::Wrong).to_vec()));
    let refused = [
        TokenProblem::NotAllowed,
        TokenProblem::DeviceInUse,
        TokenProblem::Busy,
        TokenProblem::DeviceRefused,
    ];
    add("new-token-refused", new_token(wanted(Device::New), refused.to_vec()));
    let made = TokenMadePage {
        frame: frame(),
        name: if words.typed.is_empty() { "Bot".to_owned() } else { words.typed.clone() },
        token: format!("gat_{}", "0123456789abcdefABCDEF".repeat(3)),
        device_id: (words.which != "missing").then(|| words.device_id.clone()),
        scopes: scope_words::rows("urn:matrix:client:api:* openid profile email"),
        expires_at: Timestamp(NOW.0 + 90 * DAY),
    };
    add("token-made", made.render());
    let session = |is_renamed, is_name_missing| SessionPage {
        frame: frame(),
        session: words.token(3),
        path: "/account/sessions/client/01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(),
        is_renamed,
        is_name_missing,
        now: NOW,
    };
    add("token", session(false, false).render());
    add("token-renamed", session(true, false).render());
    for (name, is_name_missing) in [("rename-app", false), ("rename-app-missing", true)] {
        let authenticator = AuthenticatorApp {
            id: AuthenticatorAppId::of_name("app"),
            name: words.typed.clone(),
            created_at: NOW,
            last_used_at: NOW,
        };
        let action = "/account/security/apps/01ARZ3NDEKTSV4RRFFQ69G5FAV/rename".to_owned();
        add(name, RenameAppPage { frame: frame(), action, authenticator, is_name_missing }.render());
    }
    add("export", ExportPage { frame: frame() }.render());
    pages
}
