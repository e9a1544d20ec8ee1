//! The clients that have access to an account: what they may do, what they were allowed, and ending that.

use std::time::Duration;

use http::StatusCode;
use http::header::ORIGIN;
use serde_json::json;

use crate::account_pages::open;
use crate::support::page::Page;
use crate::support::server::{
    Answer, Browser, Engine, Server, authorization_query, code_form, form_request, on_both_engines,
};

const LIST: &str = "/account/applications";

fn page_of(client: &str) -> String {
    format!("/account/application?client_id={client}")
}

/// Takes a client's access away, as the form of the page does.
async fn take_away(browser: &mut Browser<'_>, client: &str) -> Answer {
    let asked = browser.get(&format!("/account/application/end?client_id={client}")).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.text());
    let (csrf, id) = (asked.field("csrf"), asked.field("client_id"));
    browser.post("/account/application/end", &[("csrf", &csrf), ("client_id", &id)]).await
}

on_both_engines! {
    async fn clients_with_sessions_or_consents_are_listed_last_used_first(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        server.user("bob").await;
        let mut browser = server.signed_in("alice").await;
        let empty = open(&mut browser, LIST).await;
        assert!(empty.main().contains("No app has access."), "{}", empty.main());

        let first = server.client().await;
        server.tokens("alice", &first, "PHONE").await;
        server.tokens("alice", &first, "LAPTOP").await;
        server.advance(Duration::from_secs(60));
        let members = json!({ "client_name": "Wiki", "redirect_uris": ["https://wiki.example.com/callback"], "client_uri": "https://wiki.example.com/" });
        let wiki = server.client_with(members).await["client_id"].as_str().expect("an id").to_owned();
        // Allowed, and never used.
        let query = authorization_query(&wiki, "openid email", &[("redirect_uri", "https://wiki.example.com/callback")]);
        browser.allow(&query).await;
        let bobs = server.client_with(json!({ "client_name": "Bob's" })).await["client_id"].as_str().expect("an id").to_owned();
        server.tokens("bob", &bobs, "BOBS").await;
        // Sessions without a client are no apps of this list.
        server.logged_in("alice", "OLD", json!({})).await;

        let page = open(&mut browser, LIST).await;
        assert_eq!(page.texts("li.session h2"), ["Wiki", "Example app"]);
        assert_eq!(page.texts("li.session .host"), ["wiki.example.com", "app.example.com"]);
        let what = page.texts("li.session p.muted");
        assert!(what[0].starts_with("Not signed in") && what[1].starts_with("2 sessions"), "{what:?}");
        let can = page.texts("li.session .list li");
        assert_eq!(can[..2], ["Know which account is yours", "See your e-mail address"]);
        assert!(can[2].starts_with("Read and send messages as you"), "{can:?}");
        assert!(!page.main().contains("urn:"), "everyday words: {}", page.main());

        let stranger = browser.get(&page_of(&bobs)).await;
        assert_eq!(stranger.status, StatusCode::NOT_FOUND, "what others use is nobody's business");
        assert_eq!(browser.get(&page_of("nobody")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(browser.get("/account/application").await.status, StatusCode::NOT_FOUND);
    }

    async fn one_is_shown_with_its_sessions_its_permissions_and_its_own_pages(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let members = json!({ "policy_uri": "https://example.com/privacy", "tos_uri": "https://example.com/terms" });
        let client = server.client_with(members).await["client_id"].as_str().expect("an id").to_owned();
        server.tokens("alice", &client, "PHONE").await;
        let mut browser = server.signed_in("alice").await;
        let page = open(&mut browser, &page_of(&client)).await;
        assert_eq!(page.texts("h1"), ["Example app"]);
        assert_eq!(page.texts("main section h3"), ["Device PHONE"]);
        assert_eq!(page.links(".links a"), ["https://example.com/", "https://example.com/terms", "https://example.com/privacy"]);
        let remembered = page.texts("section .list li");
        assert_eq!(remembered, ["Read and send messages as you, and do all else a chat app can"]);
        assert!(page.texts("details code").contains(&"urn:matrix:client:api:*".to_owned()));
        assert!(page.links(".list-rows a")[0].starts_with("/account/sessions/client/"));
    }

    async fn taking_its_access_away_ends_its_sessions_and_has_it_ask_again(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        server.user("bob").await;
        let client = server.client().await;
        let other = server.client_with(json!({ "client_name": "Other" })).await["client_id"].as_str().expect("an id").to_owned();
        let (phone, laptop) = (server.tokens("alice", &client, "PHONE").await, server.tokens("alice", &client, "LAPTOP").await);
        let (kept, bobs) = (server.tokens("alice", &other, "KEPT").await, server.tokens("bob", &client, "BOBS").await);
        let mut browser = server.signed_in("alice").await;
        // It was allowed its name, and so need not ask.
        let code = browser.code(&client, "openid").await;
        assert_eq!(server.post("/oauth2/token", &code_form(&client, &code)).await.status, StatusCode::OK);
        let query = authorization_query(&client, "openid", &[]);
        assert_eq!(browser.ask(&query).await.1.status, StatusCode::SEE_OTHER);

        let asked = open(&mut browser, &format!("/account/application/end?client_id={client}")).await;
        assert!(asked.main().contains("This ends its 3 sessions."), "{}", asked.main());
        assert!(asked.main().contains("It is 2 devices that may hold keys"), "{}", asked.main());
        assert!(server.is_active(&phone.access).await, "asking changes nothing");

        assert_eq!(take_away(&mut browser, &client).await.location(), "/account/applications?notice=removed");
        for ended in [&phone, &laptop] {
            assert!(!server.is_active(&ended.access).await);
        }
        assert!(server.is_active(&kept.access).await && server.is_active(&bobs.access).await);
        server.run_jobs().await;
        assert_eq!(server.homeserver.devices("alice"), ["KEPT"]);
        assert_eq!(browser.ask(&query).await.1.status, StatusCode::OK, "it asks again");
        let page = open(&mut browser, &format!("{LIST}?notice=removed")).await;
        assert_eq!(page.texts("[role=status]"), ["The app has no access any more."]);
        assert_eq!(page.texts("li.session h2"), ["Other"]);
        assert_eq!(browser.get(&page_of(&client)).await.status, StatusCode::NOT_FOUND);
        let activity = open(&mut browser, "/account/activity").await;
        assert!(activity.texts("main h2").contains(&"App signed out, and its permissions forgotten".to_owned()));
    }

    async fn what_was_allowed_and_not_fetched_yet_is_taken_back_too(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let other = server.client_with(json!({ "client_name": "Other" })).await["client_id"].as_str().expect("an id").to_owned();
        let mut browser = server.signed_in("alice").await;
        let code = browser.code(&client, "openid").await;
        let kept = browser.code(&other, "openid").await;
        assert_eq!(take_away(&mut browser, &client).await.location(), "/account/applications?notice=removed");
        assert_eq!(server.post("/oauth2/token", &code_form(&client, &code)).await.error(), "invalid_grant");
        assert_eq!(server.post("/oauth2/token", &code_form(&other, &kept)).await.status, StatusCode::OK);
    }

    async fn a_form_from_elsewhere_takes_nothing_away(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let tokens = server.tokens("alice", &client, "PHONE").await;
        let mut browser = server.signed_in("alice").await;
        let path = "/account/application/end";
        let csrf = browser.get(&format!("{path}?client_id={client}")).await.field("csrf");
        let form = [("csrf", csrf.as_str()), ("client_id", client.as_str())];
        for answer in [
            browser.post(path, &[("client_id", &client)]).await,
            browser.send(form_request(path, &[(ORIGIN, "https://evil.example")], &form)).await,
        ] {
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
        }
        assert!(server.post_with(path, &[], &form).await.status != StatusCode::SEE_OTHER);
        assert!(server.is_active(&tokens.access).await);
    }

    async fn names_from_strangers_stay_text_and_many_are_paged(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let payload = "\"'><script>alert(1)</script>\u{202e}";
        let mut browser = server.signed_in("alice").await;
        for number in 0..60 {
            let members = json!({ "client_name": format!("{payload}{number}") });
            let client = server.client_with(members).await["client_id"].as_str().expect("an id").to_owned();
            browser.allow(&authorization_query(&client, "openid", &[])).await;
            server.advance(Duration::from_secs(1));
        }
        let first = browser.get(LIST).await;
        assert!(!first.text().contains("<script>alert"));
        let first = Page::of(&first);
        assert_eq!(first.texts("li.session h2").len(), 50);
        let next = first.links(".pager a").pop().expect("a next page");
        let rest = open(&mut browser, &next).await;
        let names = rest.texts("li.session h2");
        assert_eq!((names.len(), names[9].as_str()), (10, "\"'><script>alert(1)</script>0"));
        assert_eq!(rest.links(".pager a"), [LIST]);
        let one = browser.get(&first.links("li.session > a")[0]).await;
        assert!(one.status == StatusCode::OK && !one.text().contains("<script>alert"));
    }
}
