//! Personal tokens: access for programs that cannot sign in as apps do.

use std::time::Duration;

use gatehouse::accounts::users;
use gatehouse::keys::TokenKind;
use gatehouse::work;
use http::StatusCode;
use http::header::{AUTHORIZATION, ORIGIN};
use serde_json::json;

use crate::account_pages::open;
use crate::command_line::ask;
use crate::support::factors::{self, add_app};
use crate::support::page::Page;
use crate::support::server::{Answer, Browser, Engine, PASSWORD, Server, form_request, on_both_engines};

const LIST: &str = "/account/tokens";
const NEW: &str = "/account/tokens/new";
const DAY: Duration = Duration::from_secs(86_400);
const API: &str = "urn:matrix:client:api:*";
const ADMIN: &str = "urn:synapse:admin:*";

/// Sends the form of the page with these fields beside a name and an end.
async fn send(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> Answer {
    let csrf = browser.get(NEW).await.field("csrf");
    let mut form = vec![("csrf", csrf.as_str())];
    for usual in [("name", "Bot"), ("days", "30")] {
        if !fields.iter().any(|(name, _)| *name == usual.0) {
            form.push(usual);
        }
    }
    form.extend_from_slice(fields);
    browser.post(NEW, &form).await
}

/// Makes a token that may use the Matrix API.
async fn make(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> String {
    let fields: Vec<_> = fields.iter().copied().chain([("messages", "yes")]).collect();
    let made = send(browser, &fields).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    Page::of(&made).texts(".token code").concat()
}

async fn revoke(browser: &mut Browser<'_>, name: &str) -> Answer {
    let page = open(browser, LIST).await;
    let place = page.texts("li.session h2").iter().position(|known| known == name).expect("the token");
    let path = page.links("li.session > a").into_iter().nth(place).expect("a way to revoke it");
    let asked = browser.get(&path).await;
    assert_eq!(Page::of(&asked).texts("h1"), ["Revoke this access token?"]);
    browser.post(&path, &[("csrf", &asked.field("csrf"))]).await
}

on_both_engines! {
    async fn a_token_opens_the_account_until_it_ends(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let empty = open(&mut browser, LIST).await;
        assert!(empty.main().contains("No token yet."), "{}", empty.main());
        let token = make(&mut browser, &[("name", "Weather bot")]).await;
        assert_eq!(TokenKind::of(&token), Some(TokenKind::Access), "{token}: as any other access token");

        let told = server.introspect(&token).await;
        assert_eq!(told["active"], true);
        assert_eq!((&told["username"], &told["sub"]), (&json!("alice"), &json!(alice.id)));
        let scope: Vec<&str> = told["scope"].as_str().expect("a scope").split(' ').collect();
        assert_eq!(scope, [API, "urn:matrix:org.matrix.msc2967.client:api:*"]);
        assert!(!told["scope"].as_str().expect("a scope").contains("device"), "it is no device");
        assert_eq!((told.get("device_id"), told.get("client_id")), (None, None));
        assert_eq!(told["expires_in"], json!(30 * 86_400));
        assert!(server.homeserver.devices("alice").is_empty());

        // The next question is answered from memory; the token ends all the same.
        server.advance(DAY * 30 - Duration::from_secs(1));
        assert!(server.is_active(&token).await);
        server.advance(Duration::from_secs(1));
        assert!(!server.is_active(&token).await);
        work::sweep(&server.app).await.expect("a sweep");
        let mut browser = server.signed_in("alice").await;
        assert!(open(&mut browser, LIST).await.main().contains("No token yet."));
    }

    async fn it_is_listed_with_its_last_use_and_shown_once(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let token = make(&mut browser, &[("name", "Weather bot"), ("days", "90")]).await;
        let page = browser.get(LIST).await;
        assert!(!page.text().contains(&token), "it is shown once");
        let page = Page::of(&page);
        assert_eq!(page.texts("li.session h2"), ["Weather bot"]);
        assert!(page.main().contains("Not used yet"), "{}", page.main());
        server.advance(Duration::from_secs(3600));
        assert!(server.is_active(&token).await);
        work::sweep(&server.app).await.expect("what was used is written down");
        server.advance(Duration::from_secs(3 * 60));
        let page = open(&mut browser, LIST).await;
        assert!(page.main().contains("Last used 3 minutes ago"), "{}", page.main());

        // In the list of all sessions it is one of its kind, found by its name.
        let all = open(&mut browser, "/account/sessions?q=weather").await;
        assert_eq!(all.texts("li.session h3"), ["Weather bot"]);
        assert!(all.main().contains("Access token that you made"), "{}", all.main());
        assert!(!all.main().contains("198.51.100.7"), "where it was made is not where it is used");
        let path = all.links("li.session details a").concat();
        let csrf = browser.get(&path).await.field("csrf");
        browser.post(&path, &[("csrf", &csrf), ("name", "Storm bot")]).await;
        assert_eq!(open(&mut browser, LIST).await.texts("li.session h2"), ["Storm bot"]);
        let activity = open(&mut browser, "/account/activity").await;
        assert!(activity.texts("main h2").contains(&"Access token made".to_owned()));
    }

    async fn with_a_device_it_is_one_until_it_is_revoked(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let fresh = make(&mut browser, &[("name", "Fresh"), ("device", "yes")]).await;
        let named = make(&mut browser, &[("name", "Named"), ("device", "yes"), ("device_id", "BOT/1+=")]).await;
        let devices = server.homeserver.user("alice").expect("alice").devices;
        assert_eq!(devices.len(), 2);
        assert_eq!(devices["BOT/1+="].as_deref(), Some("Named"));
        let told = server.introspect(&named).await;
        assert_eq!(told["device_id"], "BOT/1+=");
        assert_eq!(server.introspect(&fresh).await["device_id"].as_str().expect("a device").len(), 10);
        // A homeserver that does not read `device_id` finds it in the scope.
        let secret = format!("Bearer {}", server.homeserver.secret());
        let answer = server.post_with("/oauth2/introspect", &[(AUTHORIZATION, &secret)], &[("token", &named)]).await;
        assert!(answer.json()["scope"].as_str().expect("a scope").contains("urn:matrix:client:device:BOT/1+="));

        let again = send(&mut browser, &[("messages", "yes"), ("device", "yes"), ("device_id", "BOT/1+=")]).await;
        assert_eq!(again.status, StatusCode::CONFLICT);
        assert!(server.is_active(&named).await, "nobody is thrown out by mistake");

        assert_eq!(revoke(&mut browser, "Named").await.location(), "/account/tokens?notice=revoked");
        assert!(!server.is_active(&named).await, "seen at once");
        assert!(server.is_active(&fresh).await);
        server.run_jobs().await;
        assert_eq!(server.homeserver.devices("alice").len(), 1);
        let page = open(&mut browser, &format!("{LIST}?notice=revoked")).await;
        assert_eq!(page.texts("[role=status]"), ["The token works no more."]);
        let activity = open(&mut browser, "/account/activity").await;
        assert!(activity.texts("main h2").contains(&"Access token revoked".to_owned()));

        // Its end deletes its device too.
        server.advance(DAY * 30);
        work::sweep(&server.app).await.expect("a sweep");
        server.run_jobs().await;
        assert!(server.homeserver.devices("alice").is_empty());
    }

    async fn it_ends_with_what_ends_sessions(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let client = server.client().await;
        let mut browser = server.signed_in("alice").await;
        let by_others = make(&mut browser, &[]).await;
        let csrf = browser.csrf().await;
        browser.post("/account/sessions/end-others", &[("csrf", &csrf)]).await;
        assert!(!server.is_active(&by_others).await, "signing out everywhere else");

        let by_client = make(&mut browser, &[]).await;
        let form = [("token", by_client.as_str()), ("client_id", client.as_str())];
        assert_eq!(server.post("/oauth2/revoke", &form).await.status, StatusCode::OK);
        assert!(!server.is_active(&by_client).await, "whoever finds it may end it");

        let by_lock = make(&mut browser, &[]).await;
        let mut tx = server.app.store.begin().await.expect("a transaction");
        users::lock(&mut tx, alice.id, server.app.clock.now()).await.expect("a lock");
        tx.commit().await.expect("a commit");
        assert!(!server.is_active(&by_lock).await, "a lock");
        let mut tx = server.app.store.begin().await.expect("a transaction");
        users::unlock(&mut tx, alice.id, server.app.clock.now()).await.expect("no lock");
        tx.commit().await.expect("a commit");
        assert!(server.is_active(&by_lock).await);
        let mut tx = server.app.store.begin().await.expect("a transaction");
        users::deactivate(&mut tx, alice.id, false, server.app.clock.now()).await.expect("the end");
        tx.commit().await.expect("a commit");
        assert!(!server.is_active(&by_lock).await, "the account's end");
    }

    async fn it_may_do_what_was_chosen_and_administer_only_for_admins(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let identity = send(&mut browser, &[("identity", "yes")]).await;
        let identity = Page::of(&identity).texts(".token code").concat();
        let bearer = format!("Bearer {identity}");
        let who = server.post_with("/oauth2/userinfo", &[(AUTHORIZATION, &bearer)], &[]).await;
        assert_eq!(who.json()["preferred_username"], "alice");
        let told = server.introspect(&identity).await;
        assert_eq!(told["scope"], "openid profile email");

        let page = browser.get(NEW).await;
        assert!(!page.text().contains("administration"), "it is not offered");
        let refused = send(&mut browser, &[("messages", "yes"), ("administration", "yes")]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(Page::of(&refused).texts("#summary a").concat().starts_with("This server does not allow you"));

        let mut tx = server.app.store.begin().await.expect("a transaction");
        users::set_admin(&mut tx, alice.id, true, server.app.clock.now()).await.expect("an admin");
        tx.commit().await.expect("a commit");
        let token = make(&mut browser, &[("administration", "yes")]).await;
        assert!(server.introspect(&token).await["scope"].as_str().expect("a scope").contains(ADMIN));
        let mut tx = server.app.store.begin().await.expect("a transaction");
        users::set_admin(&mut tx, alice.id, false, server.app.clock.now()).await.expect("no admin");
        tx.commit().await.expect("a commit");
        assert!(!server.is_active(&token).await, "the power ends with its tokens");
    }

    async fn what_cannot_be_had_is_said_and_what_was_typed_stays(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let long = "x".repeat(61);
        let device = "x".repeat(256);
        for (fields, said) in [
            (vec![("name", " "), ("messages", "yes")], "Enter a name"),
            (vec![("name", long.as_str()), ("messages", "yes")], "Use at most 60 characters"),
            (vec![], "Choose what the token may do"),
            (vec![("administration", "yes")], "A token that administers"),
            (vec![("identity", "yes"), ("device", "yes")], "A token that is a device"),
            (vec![("messages", "yes"), ("device", "yes"), ("device_id", "a b")], "Use at most 255 letters"),
            (vec![("messages", "yes"), ("device", "yes"), ("device_id", &device)], "Use at most 255 letters"),
            (vec![("messages", "yes"), ("days", "366")], "Choose how long"),
            (vec![("messages", "yes"), ("days", "0")], "Choose how long"),
            (vec![("messages", "yes"), ("days", "-1")], "Choose how long"),
        ] {
            let answer = send(&mut browser, &fields).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{fields:?}");
            let summary = Page::of(&answer).texts("#summary li").concat();
            assert!(summary.contains(said), "{fields:?}: {summary}");
        }
        let kept = send(&mut browser, &[("name", "A \"bot\""), ("device", "yes"), ("device_id", "a b")]).await;
        let page = Page::of(&kept);
        assert_eq!(page.attribute("#name", "value"), "A \"bot\"");
        assert_eq!(page.attribute("#device_id", "value"), "a b");
        assert!(open(&mut browser, LIST).await.main().contains("No token yet."));
        assert!(server.homeserver.devices("alice").is_empty());
    }

    async fn making_one_needs_a_fresh_proof_and_a_form_of_ours(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let csrf = browser.csrf().await;
        let form = [("csrf", csrf.as_str()), ("name", "Bot"), ("messages", "yes"), ("days", "30")];
        let foreign = form_request(NEW, &[(ORIGIN, "https://evil.example")], &form);
        assert_eq!(browser.send(foreign).await.status, StatusCode::FORBIDDEN);
        server.advance(Duration::from_secs(11 * 60));
        for answer in [browser.get(NEW).await, browser.post(NEW, &form).await] {
            assert_eq!(answer.location(), "/login?next=%2Faccount%2Ftokens%2Fnew&max_age=600");
        }
        browser.sign_in("alice", PASSWORD, NEW).await;
        assert_eq!(browser.get(NEW).await.status, StatusCode::OK);

        // With a second factor, the password alone is not enough.
        let app = add_app(&server, &mut browser, "Phone").await;
        let mut other = server.browser();
        factors::sign_in(&server, &mut other, "alice", &app, "/account/").await;
        server.advance(Duration::from_secs(11 * 60));
        let path = other.sign_in("alice", PASSWORD, NEW).await;
        assert!(path.location().starts_with("/login/second"), "{}", path.location());
        assert!(other.get(NEW).await.location().starts_with("/login"));
    }

    async fn limits_of_sessions_count_it_and_the_policy_is_asked(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            let data = json!({ "sessions": { "soft_limit": 2 } });
            config.policy.data = data.as_object().expect("an object").clone();
        }).await;
        server.user("alice").await;
        let client = server.client().await;
        let mut browser = server.signed_in("alice").await;
        make(&mut browser, &[("device", "yes")]).await;
        make(&mut browser, &[]).await;
        server.tokens("alice", &client, "PHONE").await;
        let full = send(&mut browser, &[("messages", "yes"), ("device", "yes")]).await;
        assert_eq!(full.status, StatusCode::FORBIDDEN, "two devices are the limit");
        assert_eq!(Page::of(&full).texts("h1"), ["You are signed in on too many devices"]);
        make(&mut browser, &[("name", "without a device")]).await;
    }

    async fn no_token_outlives_what_any_session_may(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.sessions.client_absolute_seconds = Some(60 * 86_400);
        }).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let page = open(&mut browser, NEW).await;
        assert_eq!(page.texts("#days option"), ["7 days", "30 days"]);
        assert_eq!(send(&mut browser, &[("messages", "yes"), ("days", "90")]).await.status, StatusCode::BAD_REQUEST);
    }

    async fn an_admin_makes_one_by_a_command(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let issue = |more: serde_json::Value| {
            let mut given = json!({
                "name": "alice", "token_name": "Bridge bot", "days": 30, "permissions": ["messages"],
                "device": false, "device_id": null,
            });
            for (key, value) in more.as_object().expect("an object") {
                given[key] = value.clone();
            }
            json!({ "users": { "issue_token": given } })
        };
        let made = ask(&server, issue(json!({ "device_id": "BRIDGE" }))).await.expect("a token");
        let token = made.data["access_token"].as_str().expect("a token").to_owned();
        assert!(made.text.starts_with(&token), "{}", made.text);
        assert_eq!(server.introspect(&token).await["device_id"], "BRIDGE");
        let mut browser = server.signed_in("alice").await;
        assert_eq!(open(&mut browser, LIST).await.texts("li.session h2"), ["Bridge bot"]);
        let activity = open(&mut browser, "/account/activity").await;
        assert!(activity.main().contains("Access token made") && activity.main().contains("by an administrator"));
        for wrong in [
            json!({ "permissions": ["everything"] }),
            json!({ "permissions": ["administration"] }),
            json!({ "permissions": ["messages", "administration"] }),
            json!({ "token_name": " " }),
            json!({ "days": 366 }),
            json!({ "device_id": "BRIDGE" }),
            json!({ "name": "nobody" }),
        ] {
            assert!(ask(&server, issue(wrong.clone())).await.is_err(), "{wrong}");
        }
        assert_eq!(open(&mut browser, LIST).await.texts("li.session h2").len(), 1);
    }

    async fn there_are_only_so_many(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        for number in 0..50 {
            make(&mut browser, &[("name", &format!("Bot {number}"))]).await;
        }
        let answer = send(&mut browser, &[("messages", "yes")]).await;
        assert_eq!(answer.location(), "/account/tokens?notice=too-many");
        let page = open(&mut browser, "/account/tokens?notice=too-many").await;
        assert!(page.texts("[role=status]")[0].starts_with("You have 50 tokens"));
    }

    async fn a_homeserver_that_is_away_makes_no_half_token(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let csrf = browser.get(NEW).await.field("csrf");
        server.homeserver.answer_with(Some(StatusCode::SERVICE_UNAVAILABLE));
        let form = [("csrf", csrf.as_str()), ("name", "Bot"), ("messages", "yes"), ("days", "30"), ("device", "yes")];
        assert_eq!(browser.post(NEW, &form).await.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(open(&mut browser, LIST).await.main().contains("No token yet."));
        // Without a device nothing is asked of it.
        assert_eq!(browser.post(NEW, &form[..4]).await.status, StatusCode::OK);
    }
}
