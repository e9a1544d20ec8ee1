//! The name that a person is shown by: chosen here, kept by the homeserver, told to clients.

use std::time::Duration;

use gatehouse::accounts::display_name::LONGEST;
use http::StatusCode;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::account_pages::open;
use crate::support::page::Page;
use crate::support::server::{Answer, Browser, Engine, Server, on_both_engines};

const PATH: &str = "/account/profile";

/// Of two changes in one millisecond none is the last.
async fn choose(server: &Server, browser: &mut Browser<'_>, name: &str) -> Answer {
    server.advance(Duration::from_millis(1));
    let csrf = browser.get(PATH).await.field("csrf");
    browser.post(PATH, &[("csrf", &csrf), ("name", name)]).await
}

async fn userinfo(server: &Server, token: &str) -> Value {
    let bearer = format!("Bearer {token}");
    let answer = server.post_with("/oauth2/userinfo", &[(AUTHORIZATION, &bearer)], &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

fn on_homeserver(server: &Server) -> Option<String> {
    server.homeserver.user("alice").expect("alice").display_name
}

on_both_engines! {
    async fn a_name_goes_to_the_homeserver_and_to_clients(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let tokens = server.tokens_for("alice", &client, "openid profile").await;
        let without = server.tokens_for("alice", &client, "openid").await;
        let mut browser = server.signed_in("alice").await;
        assert_eq!(choose(&server, &mut browser, " Alice\tLiddell ").await.location(), "/account/profile?notice=changed");
        // Also before the homeserver was told: the person has just chosen it.
        let page = open(&mut browser, &format!("{PATH}?notice=changed")).await;
        assert_eq!(page.attribute("#name", "value"), "Alice Liddell");
        assert_eq!(page.texts("[role=status]"), ["Your name is changed. It can take a moment until everybody sees it."]);
        assert_eq!(userinfo(&server, &tokens.access).await["name"], "Alice Liddell");
        server.run_jobs().await;
        assert_eq!(on_homeserver(&server).as_deref(), Some("Alice Liddell"));
        assert!(open(&mut browser, "/account/").await.main().contains("Alice Liddell"));
        assert_eq!(userinfo(&server, &tokens.access).await["name"], "Alice Liddell");
        assert_eq!(userinfo(&server, &without.access).await.get("name"), None);

        // The person has changed it in an app since: that counts, and nothing here undoes it.
        let mut user = server.homeserver.user("alice").expect("alice");
        user.display_name = Some("Al".to_owned());
        server.homeserver.set_user("alice", user);
        assert_eq!(userinfo(&server, &tokens.access).await["name"], "Al");
        server.run_jobs().await;
        assert_eq!(on_homeserver(&server).as_deref(), Some("Al"));
    }

    async fn an_empty_name_takes_it_away(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let tokens = server.tokens_for("alice", &client, "openid profile").await;
        let mut browser = server.signed_in("alice").await;
        choose(&server, &mut browser, "Alice").await;
        choose(&server, &mut browser, "\u{200b} ").await;
        let page = open(&mut browser, &format!("{PATH}?notice=changed")).await;
        assert!(page.texts("[role=status]").concat().starts_with("Your name is removed."));
        server.run_jobs().await;
        assert_eq!(on_homeserver(&server), None);
        assert_eq!(userinfo(&server, &tokens.access).await.get("name"), None);
        assert!(open(&mut browser, "/account/").await.main().contains("None set"));
    }

    async fn the_homeserver_is_told_in_order_once_it_is_back(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let tokens = server.tokens_for("alice", &client, "openid profile").await;
        let mut browser = server.signed_in("alice").await;
        server.homeserver.answer_with(Some(StatusCode::SERVICE_UNAVAILABLE));
        assert_eq!(userinfo(&server, &tokens.access).await.get("name"), None, "what is not known is left out");
        let page = open(&mut browser, PATH).await;
        assert!(page.main().contains("The chat server is not answering right now."), "{}", page.main());
        for name in ["First", "Second"] {
            assert_eq!(choose(&server, &mut browser, name).await.status, StatusCode::SEE_OTHER);
        }
        server.run_jobs().await;
        assert_eq!(open(&mut browser, PATH).await.attribute("#name", "value"), "Second");
        server.homeserver.answer_with(None);
        server.advance(Duration::from_secs(60));
        server.run_jobs().await;
        server.advance(Duration::from_secs(60));
        server.run_jobs().await;
        assert_eq!(on_homeserver(&server).as_deref(), Some("Second"));
        let page = open(&mut browser, "/account/activity").await;
        assert_eq!(page.texts("main h2").iter().filter(|what| *what == "Name changed").count(), 2);
    }

    async fn what_is_too_long_or_from_elsewhere_changes_nothing(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let long = "ß".repeat(LONGEST + 1);
        let refused = choose(&server, &mut browser, &long).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        let page = Page::of(&refused);
        assert_eq!(page.texts("#summary a"), ["Use at most 256 characters"]);
        assert_eq!(page.attribute("#name", "value"), long, "what was typed stays");
        let hostile = "\"><script>alert(1)</script>";
        assert_eq!(choose(&server, &mut browser, hostile).await.status, StatusCode::SEE_OTHER);
        let page = browser.get(PATH).await;
        assert!(!page.text().contains("<script>alert"), "{}", page.text());
        assert_eq!(Page::of(&page).attribute("#name", "value"), hostile);

        let foreign = browser.post(PATH, &[("name", "Mallory")]).await;
        assert_eq!(foreign.status, StatusCode::FORBIDDEN);
        server.run_jobs().await;
        assert_eq!(on_homeserver(&server).as_deref(), Some(hostile));
        let stranger = server.get(PATH).await;
        assert_eq!(stranger.location(), "/login?next=%2Faccount%2Fprofile");
        let claims = server.get("/.well-known/openid-configuration").await.json();
        assert!(claims["claims_supported"].as_array().expect("a list").contains(&json!("name")));
    }
}
