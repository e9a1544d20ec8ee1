//! The terms of service: who is asked to accept them, when, and what goes on meanwhile.

use std::time::Duration;

use gatehouse::accounts::terms;
use gatehouse::config::{Config, RequiredFor};
use http::StatusCode;
use serde_json::json;

use crate::support::factors::{SECOND, enter, first_step, user_with_app};
use crate::support::page::Page;
use crate::support::server::{
    Answer, Browser, Engine, PASSWORD, Server, authorization_query, code_form, matrix_scope, on_both_engines,
};

const TERMS: &str = "/login/terms";

fn have_terms(config: &mut Config, version: &str) {
    config.branding.tos_uri = Some("https://example.org/terms".parse().expect("a URL"));
    config.terms.version = Some(version.to_owned());
}

async fn server_with_terms(engine: Engine) -> Server {
    Server::start_with(engine, |config| have_terms(config, "2026-01")).await
}

/// The same data under other terms.
async fn change_terms(server: Server, version: Option<&str>) -> Server {
    let mut config = server.config.clone();
    have_terms(&mut config, version.unwrap_or_default());
    config.terms.version = version.map(str::to_owned);
    server.restart_with(config).await
}

/// Follows redirects to the page at their end; its path and the page.
async fn arrive(browser: &mut Browser<'_>, mut path: String) -> (String, Answer) {
    for _ in 0..6 {
        let answer = browser.get(&path).await;
        if answer.status != StatusCode::SEE_OTHER {
            return (path, answer);
        }
        path = answer.location().to_owned();
    }
    panic!("{path} leads on and on");
}

/// Accepts what the page asks for; where that leads.
async fn accept(browser: &mut Browser<'_>, page: &Answer) -> String {
    let (csrf, version) = (page.field("csrf"), page.field("terms"));
    let next = page.field("next");
    let form = [("csrf", csrf.as_str()), ("terms", &version), ("next", &next)];
    browser.post(TERMS, &form).await.location().to_owned()
}

on_both_engines! {
    async fn after_a_sign_in_they_are_asked_for_once(engine: Engine) {
        let server = server_with_terms(engine).await;
        let alice = server.user("alice").await;
        let mut browser = server.browser();
        let after = browser.sign_in("alice", PASSWORD, "/account/sessions").await.location().to_owned();
        let (path, page) = arrive(&mut browser, after).await;
        assert!(path.starts_with(TERMS), "{path}");
        let text = Page::of(&page).main();
        assert!(text.contains("version 2026-01") && text.contains("@alice:"), "{text}");
        assert!(page.text().contains("href=\"https://example.org/terms\""));
        assert_eq!(accept(&mut browser, &page).await, "/account/sessions");
        assert_eq!(browser.get("/account/sessions").await.status, StatusCode::OK);
        // It is remembered of the person and not of the browser.
        assert_eq!(server.signed_in("alice").await.get("/account/").await.status, StatusCode::OK);
        let store = &server.app.store;
        assert!(!terms::must_accept(store, &server.config, alice.id).await.expect("an answer"));
        // With nothing left to accept, the page leads on.
        assert_eq!(browser.get(&format!("{TERMS}?next=%2Faccount%2Fsecurity")).await.location(), "/account/security");
    }

    async fn nothing_opens_before(engine: Engine) {
        let server = server_with_terms(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        for path in [
            "/account/", "/account/security", "/account/email", "/account/password", "/account/sessions",
            "/account/activity", "/account/deactivate", "/account/security/apps/add", "/link",
        ] {
            let (led, _) = arrive(&mut browser, path.to_owned()).await;
            assert!(led.starts_with(TERMS), "{path}: {led}");
        }
        // Nor does what a form does.
        let csrf = browser.get(TERMS).await.field("csrf");
        let before = [("csrf", csrf.as_str()), ("confirm", "yes")];
        assert!(browser.post("/account/sessions/end-others", &before).await.location().starts_with("/login?next="));
        // No client gets anything, whichever way it asks.
        let client = server.client().await;
        let (path, led) = browser.ask(&authorization_query(&client, &matrix_scope("PHONE"), &[])).await;
        let approve = [("csrf", csrf.as_str()), ("answer", "approve")];
        assert!(browser.post(&path, &approve).await.location().starts_with("/login?next="));
        let (at, page) = arrive(&mut browser, led.location().to_owned()).await;
        assert!(at.starts_with(TERMS), "{at}");
        let silent = authorization_query(&client, "openid", &[("prompt", "none")]);
        let (_, answer) = browser.ask(&silent).await;
        assert_eq!(answer.query_parameter("error").as_deref(), Some("interaction_required"));
        let refused = server.log_in("alice", json!({})).await;
        assert_eq!(refused.refusal(), (403, "M_FORBIDDEN".to_owned()));
        assert!(refused.text().contains("terms of service"), "{}", refused.text());
        let redirect = "/_matrix/client/v3/login/sso/redirect?redirectUrl=https%3A%2F%2Fapp.example.com%2F";
        let begun = browser.get(redirect).await.location().to_owned();
        let (at, _) = arrive(&mut browser, begun).await;
        assert!(at.starts_with(TERMS), "{at}");
        // And then the client that waited goes on.
        assert_eq!(accept(&mut browser, &page).await, path);
        assert_eq!(browser.get(&path).await.status, StatusCode::OK);
        let code = browser.post(&path, &approve).await.query_parameter("code").expect("a code");
        assert_eq!(server.post("/oauth2/token", &code_form(&client, &code)).await.status, StatusCode::OK);
        server.logged_in("alice", "OLD", json!({})).await;
    }

    async fn a_new_version_asks_everybody_again_and_what_clients_hold_goes_on(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let phone = server.tokens("alice", &client, "PHONE").await;
        let older = server.logged_in("alice", "OLDER", json!({ "refresh_token": true })).await;
        let cookies = server.signed_in("alice").await.cookies;
        let mut server = change_terms(server, Some("1")).await;
        for version in ["1", "2"] {
            if version == "2" {
                server = change_terms(server, Some(version)).await;
            }
            server.advance(Duration::from_secs(60));
            assert!(server.is_active(&older.access).await, "{version}");
            let mut browser = server.browser();
            browser.cookies = cookies.clone();
            let (path, page) = arrive(&mut browser, "/account/".to_owned()).await;
            assert!(path.starts_with(TERMS), "{version}: {path}");
            accept(&mut browser, &page).await;
            assert_eq!(browser.get("/account/").await.status, StatusCode::OK);
        }
        assert_eq!(server.refresh(&client, &phone.refresh).await.status, StatusCode::OK);
        assert!(server.is_active(&older.access).await);
        // Going back to what was accepted before asks nobody, nor does asking for nothing.
        for version in [Some("1"), None] {
            server = change_terms(server, version).await;
            let mut browser = server.browser();
            browser.cookies = cookies.clone();
            assert_eq!(browser.get("/account/").await.status, StatusCode::OK, "{version:?}");
        }
    }

    async fn who_does_not_accept_can_sign_out(engine: Engine) {
        let server = server_with_terms(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let (_, page) = arrive(&mut browser, "/account/".to_owned()).await;
        let csrf = page.field("csrf");
        assert!(page.text().contains("action=\"/logout\""));
        assert_eq!(browser.post("/logout", &[("csrf", &csrf)]).await.location(), "/signed-out");
        assert!(browser.get(TERMS).await.location().starts_with("/login"));
    }

    async fn only_what_was_shown_to_that_person_is_accepted(engine: Engine) {
        let server = server_with_terms(engine).await;
        let alice = server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let (_, page) = arrive(&mut browser, "/account/".to_owned()).await;
        let csrf = page.field("csrf");
        // Another version, none, and a form that another site has sent.
        for version in ["2025-01", ""] {
            let again = browser.post(TERMS, &[("csrf", &csrf), ("terms", version)]).await;
            assert_eq!(again.status, StatusCode::OK);
            assert_eq!(again.field("terms"), "2026-01");
        }
        assert_eq!(browser.post(TERMS, &[("csrf", "x"), ("terms", "2026-01")]).await.status, StatusCode::FORBIDDEN);
        assert!(server.browser().post(TERMS, &[("csrf", &csrf), ("terms", "2026-01")]).await.status.is_client_error());
        let is_due = async || terms::must_accept(&server.app.store, &server.config, alice.id).await.expect("an answer");
        assert!(is_due().await);
        browser.post(TERMS, &[("csrf", &csrf), ("terms", "2026-01")]).await;
        assert!(!is_due().await);
    }

    async fn they_come_after_the_second_factor(engine: Engine) {
        let server = Server::start(engine).await;
        let app = user_with_app(&server, "alice").await;
        let mut config = server.config.clone();
        have_terms(&mut config, "1");
        config.second_factor.required_for = RequiredFor::Everybody;
        let server = server.restart_with(config).await;
        let mut browser = server.browser();
        let second = first_step(&mut browser, "alice", "/account/").await;
        assert!(second.starts_with(SECOND), "{second}");
        assert!(browser.get(TERMS).await.location().starts_with("/login"));
        let after = enter(&mut browser, SECOND, "/account/", &app.next_code(&server), &[]).await;
        let (path, page) = arrive(&mut browser, after.location().to_owned()).await;
        assert!(path.starts_with(TERMS), "{path}");
        assert_eq!(accept(&mut browser, &page).await, "/account/");
    }
}
