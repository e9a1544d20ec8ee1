//! How strongly a person proved who they are: what clients ask and read of it, and what gives an account away.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::support::factors::{
    ADD_APP, CODES, SECOND, SECURITY, add_app, enter, first_step, make_codes, sign_in, user_with_app,
};
use crate::support::page::Page;
use crate::support::server::{
    Browser, Engine, PASSWORD, Server, Tokens, authorization_query, code_form, on_both_engines,
};

const REMEMBER: [(&str, &str); 1] = [("remember", "yes")];
const TEN_MINUTES: Duration = Duration::from_secs(600);

/// The claims of the ID token that a browser gets for a client.
async fn claims(server: &Server, browser: &mut Browser<'_>, client: &str, changes: &[(&str, &str)]) -> Value {
    let answer = browser.allow(&authorization_query(client, "openid", changes)).await;
    let code = answer.query_parameter("code").unwrap_or_else(|| panic!("no code in {}", answer.location()));
    let answer = server.post("/oauth2/token", &code_form(client, &code)).await;
    let tokens = Tokens::from(answer.json());
    let id_token = tokens.answer["id_token"].as_str().expect("an ID token");
    server.app.keys.current().verify_jwt(id_token).expect("a signature of ours")
}

/// Signs out, and in again with the password alone, in a browser that is remembered.
async fn come_back_remembered(browser: &mut Browser<'_>, localpart: &str) {
    let csrf = browser.csrf().await;
    browser.post("/logout", &[("csrf", &csrf)]).await;
    assert_eq!(first_step(browser, localpart, "/account/").await, "/account/");
}

on_both_engines! {
    async fn clients_read_what_was_proved(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("bob").await;
        let client = server.client().await;
        let one = claims(&server, &mut server.signed_in("bob").await, &client, &[]).await;
        assert_eq!((&one["acr"], &one["amr"]), (&json!("1"), &json!(["pwd"])));

        let app = user_with_app(&server, "alice").await;
        let mut browser = server.browser();
        first_step(&mut browser, "alice", SECURITY).await;
        enter(&mut browser, SECOND, SECURITY, &app.next_code(&server), &REMEMBER).await;
        let two = claims(&server, &mut browser, &client, &[]).await;
        assert_eq!((&two["acr"], &two["amr"]), (&json!("2"), &json!(["pwd", "otp", "mfa"])));
        // What is remembered is not proved.
        come_back_remembered(&mut browser, "alice").await;
        let remembered = claims(&server, &mut browser, &client, &[]).await;
        assert_eq!((&remembered["acr"], &remembered["amr"]), (&json!("1"), &json!(["pwd"])));
    }

    async fn acr_values_lead_to_the_second_step_of_those_who_have_one(engine: Engine) {
        let server = Server::start(engine).await;
        let app = user_with_app(&server, "alice").await;
        let client = server.client().await;
        let mut browser = server.browser();
        first_step(&mut browser, "alice", SECURITY).await;
        enter(&mut browser, SECOND, SECURITY, &app.next_code(&server), &REMEMBER).await;
        for asked in ["2", "phr 2", "phr"] {
            come_back_remembered(&mut browser, "alice").await;
            let query = authorization_query(&client, "openid", &[("acr_values", asked)]);
            let (path, led) = browser.ask(&query).await;
            let second = browser.get(led.location()).await.location().to_owned();
            assert!(second.starts_with(SECOND), "{asked}: {second}");
            enter(&mut browser, SECOND, &path, &app.next_code(&server), &[]).await;
            // The most that this person can do is enough, and told as it is.
            let told = claims(&server, &mut browser, &client, &[("acr_values", asked)]).await;
            assert_eq!(told["acr"], json!("2"), "{asked}");
        }
        // `prompt=none` shows no second step either.
        come_back_remembered(&mut browser, "alice").await;
        let silent = authorization_query(&client, "openid", &[("acr_values", "2"), ("prompt", "none")]);
        let (_, answer) = browser.ask(&silent).await;
        assert_eq!(answer.query_parameter("error").as_deref(), Some("login_required"));
        // One factor is what they have; and who has no second one goes on with what there is.
        let told = claims(&server, &mut browser, &client, &[("acr_values", "1 unknown")]).await;
        assert_eq!(told["acr"], json!("1"));
        server.user("bob").await;
        let told = claims(&server, &mut server.signed_in("bob").await, &client, &[("acr_values", "2")]).await;
        assert_eq!(told["acr"], json!("1"));
    }

    async fn prompt_login_and_max_age_ask_for_everything_again(engine: Engine) {
        let server = Server::start(engine).await;
        let app = user_with_app(&server, "alice").await;
        let client = server.client().await;
        let mut browser = server.browser();
        sign_in(&server, &mut browser, "alice", &app, SECURITY).await;
        for changes in [("prompt", "login"), ("max_age", "0")] {
            server.advance(Duration::from_secs(2));
            let (path, led) = browser.ask(&authorization_query(&client, "openid", &[changes])).await;
            let page = browser.get(led.location()).await;
            assert_eq!(page.status, StatusCode::OK, "the password again");
            let second = browser.sign_in_at(&page, "alice", PASSWORD, &path).await;
            assert!(second.location().starts_with(SECOND), "{changes:?}");
            // The password alone changes nothing.
            assert!(browser.get(&path).await.location().starts_with("/login?next="));
            let answer = enter(&mut browser, SECOND, &path, &app.next_code(&server), &[]).await;
            assert_eq!(browser.get(answer.location()).await.status, StatusCode::OK);
        }
    }

    async fn what_gives_an_account_away_wants_the_strongest_factor(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let app = add_app(&server, &mut browser, "Phone").await;
        let codes = make_codes(&mut browser).await;
        let remove = Page::of(&browser.get(SECURITY).await).links("a[href$=remove]").remove(0);
        let pages = [ADD_APP, CODES, &remove, "/account/deactivate", "/account/cross-signing-reset", "/link?code=WDJB-MJHT"];

        let mut browser = server.browser();
        first_step(&mut browser, "alice", SECURITY).await;
        enter(&mut browser, SECOND, SECURITY, &app.next_code(&server), &REMEMBER).await;
        come_back_remembered(&mut browser, "alice").await;
        let mut second = String::new();
        for path in pages {
            let led = browser.get(path).await;
            assert!(led.location().starts_with("/login?next=") && led.location().ends_with("max_age=600"), "{path}");
            let csrf = browser.csrf().await;
            let form = [("csrf", csrf.as_str()), ("code", "WDJB-MJHT"), ("answer", "approve")];
            let posted = browser.post(path.split('?').next().unwrap(), &form).await;
            assert!(posted.location().starts_with("/login?next="), "{path}");
            second = browser.get(led.location()).await.location().to_owned();
            assert!(second.starts_with(SECOND), "{path}: {second}");
        }
        assert!(!second.is_empty());
        enter(&mut browser, SECOND, SECURITY, &app.next_code(&server), &[]).await;
        for path in &pages[..5] {
            assert_eq!(browser.get(path).await.status, StatusCode::OK, "{path}");
        }
        // Ten minutes later all of it has to be proved again, the password too.
        server.advance(TEN_MINUTES);
        for path in pages {
            let led = browser.get(path).await.location().to_owned();
            assert_eq!(browser.get(&led).await.status, StatusCode::OK, "{path}");
        }
        // A recovery code stands in for what was lost.
        let mut browser = server.browser();
        first_step(&mut browser, "alice", SECURITY).await;
        enter(&mut browser, "/login/recovery-code", SECURITY, &codes[0], &[]).await;
        assert_eq!(browser.get(&remove).await.status, StatusCode::OK);
    }

    async fn a_new_proof_replaces_the_cookie_and_keeps_the_session(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let client = server.client().await;
        let sid = claims(&server, &mut browser, &client, &[]).await["sid"].clone();
        let before = browser.cookies.clone();
        add_app(&server, &mut browser, "Phone").await;
        assert_ne!(before["__Host-gatehouse_session"], browser.cookies["__Host-gatehouse_session"]);
        let told = claims(&server, &mut browser, &client, &[]).await;
        assert_eq!((&told["sid"], &told["acr"]), (&sid, &json!("2")));
        // Whoever has the cookie of before has nothing.
        let mut thief = server.browser();
        thief.cookies = before;
        assert!(thief.get(SECURITY).await.location().starts_with("/login"));
    }

    async fn resource_servers_read_it_and_the_homeserver_does_not(engine: Engine) {
        let server = Server::start(engine).await;
        let app = user_with_app(&server, "alice").await;
        let client = server.client().await;
        let mut browser = server.browser();
        sign_in(&server, &mut browser, "alice", &app, SECURITY).await;
        let proved_at = server.app.clock.now().as_seconds();
        server.advance(Duration::from_secs(60));
        let code = browser.code(&client, "openid").await;
        let tokens = Tokens::from(server.post("/oauth2/token", &code_form(&client, &code)).await.json());
        let resource = server.client_with(json!({ "token_endpoint_auth_method": "client_secret_basic" })).await;
        let text = |key: &str| resource[key].as_str().unwrap().to_owned();
        let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", text("client_id"), text("client_secret"))));
        for refreshed in [false, true] {
            let tokens = match refreshed {
                false => tokens.clone(),
                true => Tokens::from(server.refresh(&client, &tokens.refresh).await.json()),
            };
            let homeserver = server.introspect(&tokens.access).await;
            assert!(homeserver.get("acr").is_none() && homeserver.get("auth_time").is_none(), "{homeserver}");
            let form = [("token", tokens.access.as_str())];
            let told = server.post_with("/oauth2/introspect", &[(AUTHORIZATION, &basic)], &form).await.json();
            assert_eq!((&told["acr"], &told["auth_time"]), (&json!("2"), &json!(proved_at)), "{told}");
            // Nor after the other has asked.
            let homeserver = server.introspect(&tokens.access).await;
            assert!(homeserver.get("acr").is_none(), "{homeserver}");
        }
    }
}
