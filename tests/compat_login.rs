//! Logging in by the login API of older Matrix clients (Matrix CS API, `GET` and `POST /login`).

use std::time::Duration;

use axum::body::Body;
use futures_util::future::join_all;
use gatehouse::accounts::emails;
use gatehouse::accounts::users::{self, User};
use gatehouse::config::Limit;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ORIGIN, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::support::server::{Answer, Engine, PASSWORD, Server, on_both_engines};

const WRONG: &str = "not the password of anybody";

async fn change(server: &Server, user: &User, what: &str) {
    let now = server.app.clock.now();
    let mut tx = server.app.store.begin().await.unwrap();
    match what {
        "lock" => users::lock(&mut tx, user.id, now).await.unwrap(),
        "unlock" => users::unlock(&mut tx, user.id, now).await.unwrap(),
        "deactivate" => users::deactivate(&mut tx, user.id, false, now).await.unwrap(),
        _ => panic!("{what}"),
    }
    tx.commit().await.unwrap();
}

async fn raw(server: &Server, method: Method, path: &str, body: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header(ORIGIN, "https://app.example.com");
    server.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

on_both_engines! {
    async fn the_ways_to_log_in_are_told(engine: Engine) {
        let sso = json!({
            "type": "m.login.sso",
            "oauth_aware_preferred": true,
            "org.matrix.msc3824.delegated_oidc_compatibility": true,
        });
        let token = json!({ "type": "m.login.token" });
        let server = Server::start(engine).await;
        for version in ["v3", "r0", "v1", "unstable", "api"] {
            let answer = server.get(&format!("/_matrix/client/{version}/login")).await;
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(answer.json(), json!({ "flows": [{ "type": "m.login.password" }, sso, token] }));
        }
        let server = Server::start_with(engine, |config| config.passwords.enabled = false).await;
        assert_eq!(server.get("/_matrix/client/v3/login").await.json(), json!({ "flows": [sso, token] }));
        server.user("alice").await;
        assert_eq!(server.log_in("alice", json!({})).await.refusal(), (400, "M_UNKNOWN".to_owned()));
    }

    async fn a_client_that_knows_no_refreshing_gets_a_token_for_ever(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let answer = server.log_in("alice", json!({ "device_id": "PHONE" })).await;
        assert_eq!((answer.status, answer.header(CONTENT_TYPE)), (StatusCode::OK, "application/json"));
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(
            answer.json(),
            json!({ "user_id": "@alice:example.org", "access_token": token, "device_id": "PHONE" }),
        );
        assert!(token.starts_with("gha_"), "{token}");
        assert!(server.homeserver.devices("alice").contains(&"PHONE".to_owned()), "before the answer");
        server.advance(Duration::from_secs(50 * 365 * 24 * 60 * 60));
        gatehouse::work::sweep(&server.app).await.unwrap();
        assert_eq!(
            server.introspect(&token).await,
            json!({
                "active": true,
                "scope": "urn:matrix:client:api:* urn:matrix:org.matrix.msc2967.client:api:*",
                "username": "alice",
                "token_type": "access_token",
                "device_id": "PHONE",
                "iat": 1_800_000_000,
                "nbf": 1_800_000_000,
                "sub": alice.id.to_string(),
            }),
        );
    }

    async fn a_client_that_refreshes_says_so(engine: Engine) {
        let server = Server::start_with(engine, |config| config.oauth.access_token_lifetime_seconds = 90).await;
        server.user("alice").await;
        let answer = server.log_in("alice", json!({ "device_id": "PHONE", "refresh_token": true })).await.json();
        let text = |key: &str| answer[key].as_str().unwrap().to_owned();
        assert_eq!(
            answer,
            json!({
                "user_id": "@alice:example.org",
                "access_token": text("access_token"),
                "device_id": "PHONE",
                "refresh_token": text("refresh_token"),
                "expires_in_ms": 90_000,
            }),
        );
        assert_eq!(server.introspect(&text("access_token")).await["expires_in"], json!(90));
        assert!(!server.is_active(&text("refresh_token")).await);
        server.advance(Duration::from_secs(90));
        assert!(!server.is_active(&text("access_token")).await);
    }

    async fn a_person_is_named_in_any_of_the_ways(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        for name in ["alice", "@alice:example.org", "@Alice:EXAMPLE.org", "ALICE"] {
            assert_eq!(server.log_in(name, json!({})).await.json()["user_id"], json!("@alice:example.org"), "{name}");
        }
        let deprecated = json!({ "type": "m.login.password", "user": "alice", "password": PASSWORD });
        assert_eq!(server.matrix("login", &deprecated).await.status, StatusCode::OK);
        for name in ["@alice:elsewhere.org", "nobody", "", "alice@example.org", "@alice:example.org:8448"] {
            assert_eq!(server.log_in(name, json!({})).await.refusal(), (403, "M_FORBIDDEN".to_owned()), "{name}");
        }
    }

    async fn an_email_address_names_a_person_where_that_is_wanted(engine: Engine) {
        let by_email = |address: &str| json!({
            "identifier": { "type": "m.id.thirdparty", "medium": "email", "address": address },
        });
        for is_wanted in [true, false] {
            let server = Server::start_with(engine, |config| config.compat.login_by_email = is_wanted).await;
            let alice = server.user("alice").await;
            let now = server.app.clock.now();
            let mut tx = server.app.store.begin().await.unwrap();
            emails::add(&mut tx, alice.id, &"Alice@Example.com".parse().unwrap(), Some(now), now).await.unwrap();
            emails::add(&mut tx, alice.id, &"unverified@example.com".parse().unwrap(), None, now).await.unwrap();
            tx.commit().await.unwrap();
            if !is_wanted {
                let refused = server.log_in("", by_email("alice@example.com")).await;
                assert_eq!(refused.refusal(), (400, "M_UNKNOWN".to_owned()));
                continue;
            }
            let answer = server.log_in("", by_email("alice@EXAMPLE.com")).await;
            assert_eq!(answer.json()["user_id"], json!("@alice:example.org"), "{}", answer.text());
            for other in ["unverified@example.com", "nobody@example.com", "alice", "", "@alice:example.org"] {
                let refused = server.log_in("", by_email(other)).await;
                assert_eq!(refused.refusal(), (403, "M_FORBIDDEN".to_owned()), "{other}");
            }
        }
    }

    async fn a_device_is_any_text_that_homeservers_take(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let longest = "\u{1f511}".repeat(255);
        for id in ["my phone", "a/b?c#d%2F", "\u{1f511} \u{e4}\"\\", " ", &longest] {
            let tokens = server.logged_in("alice", id, json!({})).await;
            assert_eq!(tokens.answer["device_id"], json!(id));
            assert_eq!(server.introspect(&tokens.access).await["device_id"], json!(id), "{id}");
            assert!(server.homeserver.devices("alice").contains(&id.to_owned()), "{id}");
        }
        for (bad, refusal) in [
            (json!("x".repeat(256)), (400, "M_INVALID_PARAM")),
            (json!("a\u{0}b"), (400, "M_BAD_JSON")),
            (json!(7), (400, "M_BAD_JSON")),
        ] {
            let answer = server.log_in("alice", json!({ "device_id": bad })).await;
            assert_eq!(answer.refusal(), (refusal.0, refusal.1.to_owned()), "{bad}");
        }
    }

    async fn a_resource_server_reads_the_device_from_the_scope_where_it_can_stand_there(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let scope = async |token: &str| {
            let secret = format!("Bearer {}", server.homeserver.secret());
            let headers = [(AUTHORIZATION, secret.as_str())];
            server.post_with("/oauth2/introspect", &headers, &[("token", token)]).await.json()["scope"].clone()
        };
        let api = "urn:matrix:client:api:* urn:matrix:org.matrix.msc2967.client:api:*";
        let plain = server.logged_in("alice", "PHONE", json!({})).await;
        let with = format!("{api} urn:matrix:client:device:PHONE urn:matrix:org.matrix.msc2967.client:device:PHONE");
        assert_eq!(scope(&plain.access).await, json!(with));
        let spaced = server.logged_in("alice", "my phone", json!({})).await;
        assert_eq!(scope(&spaced.access).await, json!(api));
    }

    async fn a_new_device_gets_an_identifier_and_its_name(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut made = std::collections::BTreeSet::new();
        for nothing in [json!({}), json!({ "device_id": null }), json!({ "device_id": "" })] {
            let id = server.log_in("alice", nothing).await.json()["device_id"].as_str().unwrap().to_owned();
            assert!(id.len() == 10 && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()), "{id}");
            assert!(made.insert(id));
        }
        let name = async |id: &str| server.homeserver.user("alice").unwrap().devices[id].clone();
        server.logged_in("alice", "PHONE", json!({ "initial_device_display_name": "Alice's phone" })).await;
        assert_eq!(name("PHONE").await.as_deref(), Some("Alice's phone"));
        server.logged_in("alice", "PHONE", json!({ "initial_device_display_name": "Another name" })).await;
        assert_eq!(name("PHONE").await.as_deref(), Some("Alice's phone"), "it has one");
        // Longer than the homeserver takes.
        server.logged_in("alice", "LONG", json!({ "initial_device_display_name": "\u{e4}".repeat(300) })).await;
        assert_eq!(name("LONG").await, Some("\u{e4}".repeat(100)));
    }

    async fn a_device_has_one_session_whichever_way_it_signed_in(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let oauth = server.tokens("alice", &client, "PHONE").await;
        let compat = server.logged_in("alice", "PHONE", json!({ "refresh_token": true })).await;
        assert!(!server.is_active(&oauth.access).await && server.is_active(&compat.access).await);
        assert_eq!(server.refresh(&client, &oauth.refresh).await.error(), "invalid_grant");
        let again = server.logged_in("alice", "PHONE", json!({})).await;
        assert!(!server.is_active(&compat.access).await && server.is_active(&again.access).await);
        let oauth = server.tokens("alice", &client, "PHONE").await;
        assert!(!server.is_active(&again.access).await && server.is_active(&oauth.access).await);
        server.run_jobs().await;
        assert_eq!(server.homeserver.calls_of("delete_device"), [], "its keys are still needed");
    }

    async fn many_sign_ins_on_one_device_leave_one_session(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let all = join_all((0..6).map(|_| server.log_in("alice", json!({ "device_id": "PHONE" })))).await;
        let mut live = 0;
        for answer in all {
            match answer.status {
                StatusCode::OK => live += usize::from(server.is_active(answer.json()["access_token"].as_str().unwrap()).await),
                status => assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text()),
            }
        }
        assert_eq!(live, 1);
        server.run_jobs().await;
        assert!(server.homeserver.devices("alice").contains(&"PHONE".to_owned()));
    }

    async fn nothing_tells_an_unknown_person_from_a_wrong_password(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let gone = server.user("gone").await;
        let locked = server.user("locked").await;
        change(&server, &gone, "deactivate").await;
        change(&server, &locked, "lock").await;
        let mut answers = Vec::new();
        for name in ["alice", "nobody", "gone", "locked", "@alice:elsewhere.org"] {
            let before = server.app.passwords.compared();
            let answer = server.log_in(name, json!({ "password": WRONG })).await;
            assert_eq!(server.app.passwords.compared() - before, 1, "{name}: as much work");
            answers.push((answer.status, answer.json()));
        }
        assert_eq!(answers[0], (StatusCode::FORBIDDEN, json!({
            "errcode": "M_FORBIDDEN", "error": "the name or the password is not right",
        })));
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }

    async fn those_who_know_the_password_are_told_what_became_of_the_account(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        change(&server, &alice, "lock").await;
        let told = server.log_in("alice", json!({})).await;
        assert_eq!(told.refusal(), (401, "M_USER_LOCKED".to_owned()));
        assert_eq!(told.json()["soft_logout"], json!(true));
        change(&server, &alice, "unlock").await;
        assert_eq!(server.log_in("alice", json!({})).await.status, StatusCode::OK);
        change(&server, &alice, "deactivate").await;
        assert_eq!(server.log_in("alice", json!({})).await.refusal(), (403, "M_USER_DEACTIVATED".to_owned()));
    }

    async fn guesses_are_limited_beside_those_in_browsers(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.rate_limits.sign_in_per_account = Limit { burst: 3, per_hour: 60 };
        }).await;
        server.user("alice").await;
        let mut known = server.signed_in("alice").await;
        for _ in 0..2 {
            assert_eq!(server.log_in("alice", json!({ "password": WRONG })).await.status, StatusCode::FORBIDDEN);
        }
        let mut stranger = server.browser();
        assert_eq!(stranger.sign_in("alice", WRONG, "/").await.status, StatusCode::FORBIDDEN, "one allowance for both");
        let limited = server.log_in("@ALICE:example.org", json!({})).await;
        assert_eq!(limited.refusal(), (429, "M_LIMIT_EXCEEDED".to_owned()));
        assert_eq!((limited.json()["retry_after_ms"].clone(), limited.header(RETRY_AFTER)), (json!(60_000), "60"));
        assert_eq!(known.sign_in("alice", PASSWORD, "/").await.status, StatusCode::SEE_OTHER);
        server.advance(Duration::from_secs(60));
        for _ in 0..3 {
            assert_eq!(server.log_in("alice", json!({})).await.status, StatusCode::OK, "success costs nothing");
        }
    }

    async fn guesses_from_one_address_are_limited(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.rate_limits.sign_in_per_address = Limit { burst: 3, per_hour: 60 };
        }).await;
        server.user("alice").await;
        for name in ["a", "b", "c"] {
            assert_eq!(server.log_in(name, json!({})).await.status, StatusCode::FORBIDDEN);
        }
        assert_eq!(server.log_in("alice", json!({})).await.refusal(), (429, "M_LIMIT_EXCEEDED".to_owned()));
    }

    async fn the_policy_decides_as_well(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            let settings = json!({ "sessions": { "hard_limit": 2 } });
            config.policy.data = settings.as_object().unwrap().clone();
        }).await;
        server.user("alice").await;
        for device in ["ONE", "TWO", "TWO"] {
            server.logged_in("alice", device, json!({})).await;
        }
        let refused = server.log_in("alice", json!({ "device_id": "THREE" })).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(refused.json(), json!({
            "errcode": "M_USER_LIMIT_EXCEEDED",
            "error": "this account is signed in too often; sign out somewhere first",
            "info_uri": "https://auth.example.org/account/sessions",
        }));
        assert!(!server.homeserver.devices("alice").contains(&"THREE".to_owned()));

        let server = Server::start_with(engine, |config| {
            let settings = json!({ "requester": { "banned_networks": ["203.0.113.0/24"] } });
            config.policy.data = settings.as_object().unwrap().clone();
        }).await;
        server.user("alice").await;
        assert_eq!(server.log_in("alice", json!({})).await.refusal(), (403, "M_FORBIDDEN".to_owned()));
    }

    async fn an_admin_gets_no_power_by_it(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let now = server.app.clock.now();
        let mut tx = server.app.store.begin().await.unwrap();
        users::set_admin(&mut tx, alice.id, true, now).await.unwrap();
        tx.commit().await.unwrap();
        let tokens = server.logged_in("alice", "PHONE", json!({})).await;
        assert!(!server.introspect(&tokens.access).await["scope"].as_str().unwrap().contains("synapse"));
    }

    async fn a_homeserver_that_is_down_costs_a_retry(engine: Engine) {
        let mut server = Server::start(engine).await;
        server.user("alice").await;
        server.homeserver.go_down().await;
        let answer = server.log_in("alice", json!({ "device_id": "PHONE" })).await;
        assert_eq!(answer.refusal(), (503, "M_UNKNOWN".to_owned()));
        assert!(!answer.header(RETRY_AFTER).is_empty());
        server.homeserver.come_back().await;
        server.run_jobs().await;
        let tokens = server.logged_in("alice", "PHONE", json!({})).await;
        assert!(server.is_active(&tokens.access).await);
    }

    async fn a_person_whom_the_homeserver_does_not_know_yet_is_made_known_first(engine: Engine) {
        let server = Server::start(engine).await;
        server.user_not_provisioned("alice").await;
        let tokens = server.logged_in("alice", "PHONE", json!({})).await;
        assert!(server.is_active(&tokens.access).await);
        let order: Vec<String> = server.homeserver.calls().into_iter().map(|call| call.endpoint).collect();
        assert_eq!(order, ["provision_user", "upsert_device"]);
    }

    async fn every_refusal_is_worded_as_the_specification_has_it(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let password = |members: Value| {
            let mut body = json!({ "type": "m.login.password" });
            for (key, value) in members.as_object().unwrap() {
                body[key] = value.clone();
            }
            body.to_string()
        };
        let huge = format!("{{\"x\":\"{}\"}}", "x".repeat(64 * 1024));
        let login = "/_matrix/client/v3/login";
        for (method, path, body, status, code) in [
            (Method::POST, login, "not json".to_owned(), 400, "M_NOT_JSON"),
            (Method::POST, login, String::new(), 400, "M_NOT_JSON"),
            (Method::POST, login, "[]".to_owned(), 400, "M_BAD_JSON"),
            (Method::POST, login, "{}".to_owned(), 400, "M_BAD_JSON"),
            (Method::POST, login, "{\"type\":7}".to_owned(), 400, "M_BAD_JSON"),
            (Method::POST, login, huge, 413, "M_TOO_LARGE"),
            (Method::POST, login, format!("{}1{}", "[".repeat(9_000), "]".repeat(9_000)), 400, "M_NOT_JSON"),
            (Method::POST, login, "{\"type\":\"m.login.dummy\"}".to_owned(), 400, "M_UNKNOWN"),
            (Method::POST, login, "{\"type\":\"org.matrix.login.jwt\",\"token\":\"x\"}".to_owned(), 400, "M_UNKNOWN"),
            (Method::POST, login, "{\"type\":\"m.login.application_service\"}".to_owned(), 400, "M_APPSERVICE_LOGIN_UNSUPPORTED"),
            (Method::POST, login, "{\"type\":\"uk.half-shot.msc2778.login.application_service\",\"identifier\":{}}".to_owned(), 400, "M_APPSERVICE_LOGIN_UNSUPPORTED"),
            (Method::POST, login, "{\"type\":\"m.login.token\"}".to_owned(), 400, "M_BAD_JSON"),
            (Method::POST, login, "{\"type\":\"m.login.token\",\"token\":\"x\"}".to_owned(), 403, "M_FORBIDDEN"),
            (Method::POST, login, password(json!({})), 400, "M_BAD_JSON"),
            (Method::POST, login, password(json!({ "password": "x" })), 400, "M_BAD_JSON"),
            (Method::POST, login, password(json!({ "user": "alice" })), 400, "M_BAD_JSON"),
            (Method::POST, login, password(json!({ "identifier": "alice", "password": "x" })), 400, "M_BAD_JSON"),
            (Method::POST, login, password(json!({ "identifier": { "type": "m.id.phone" }, "password": "x" })), 400, "M_UNKNOWN"),
            (Method::POST, login, password(json!({ "user": "a\u{0}b", "password": "x" })), 400, "M_BAD_JSON"),
            (Method::POST, login, password(json!({ "user": "alice", "password": "" })), 403, "M_FORBIDDEN"),
            (Method::POST, login, password(json!({ "user": "alice", "password": "x".repeat(2000) })), 403, "M_FORBIDDEN"),
            (Method::PUT, login, String::new(), 405, "M_UNRECOGNIZED"),
            (Method::DELETE, login, String::new(), 405, "M_UNRECOGNIZED"),
            (Method::GET, "/_matrix/client/v3/logout", String::new(), 405, "M_UNRECOGNIZED"),
            (Method::GET, "/_matrix/client/v3/logout/all", String::new(), 405, "M_UNRECOGNIZED"),
            (Method::GET, "/_matrix/client/v3/refresh", String::new(), 405, "M_UNRECOGNIZED"),
            (Method::POST, "/_matrix/client/v1/login/get_token", "{}".to_owned(), 404, "M_UNRECOGNIZED"),
            (Method::GET, "/_matrix/client/v3/login/", String::new(), 404, "M_UNRECOGNIZED"),
            (Method::GET, "/_matrix/client/v3/loginx", String::new(), 404, "M_UNRECOGNIZED"),
            (Method::GET, "/_matrix/client/versions", String::new(), 404, "M_UNRECOGNIZED"),
            (Method::POST, "/_matrix/client/v3/logout", String::new(), 401, "M_MISSING_TOKEN"),
            (Method::POST, "/_matrix/client/v3/logout/all", String::new(), 401, "M_MISSING_TOKEN"),
            (Method::POST, "/_matrix/client/v3/refresh", String::new(), 400, "M_NOT_JSON"),
            (Method::POST, "/_matrix/client/v3/refresh", "[1]".to_owned(), 400, "M_BAD_JSON"),
            (Method::POST, "/_matrix/client/v3/refresh", "{}".to_owned(), 400, "M_MISSING_PARAM"),
            (Method::POST, "/_matrix/client/v3/refresh", "{\"refresh_token\":null}".to_owned(), 400, "M_BAD_JSON"),
            (Method::POST, "/_matrix/client/v3/refresh", "{\"refresh_token\":\"x\"}".to_owned(), 401, "M_UNKNOWN_TOKEN"),
        ] {
            let what = format!("{method} {path} {}", body.chars().take(80).collect::<String>());
            let answer = raw(&server, method, path, &body).await;
            assert_eq!(answer.refusal(), (status, code.to_owned()), "{what}");
            assert!(answer.json()["error"].as_str().is_some_and(|text| !text.is_empty()), "{what}");
            assert_eq!(answer.header(ACCESS_CONTROL_ALLOW_ORIGIN), "*", "{what}");
            assert_eq!(answer.header(CACHE_CONTROL), "no-store", "{what}");
            assert_eq!(answer.headers.contains_key(WWW_AUTHENTICATE), status == 401, "{what}");
            assert_eq!(answer.headers.contains_key(ALLOW), status == 405, "{what}");
        }
    }

    async fn everybody_may_ask_from_anywhere(engine: Engine) {
        let server = Server::start(engine).await;
        for path in ["login", "logout", "logout/all", "refresh", "login/get_token"] {
            let answer = raw(&server, Method::OPTIONS, &format!("/_matrix/client/v3/{path}"), "").await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT);
            assert_eq!(answer.header(ACCESS_CONTROL_ALLOW_ORIGIN), "*");
            assert!(answer.header("access-control-allow-headers").contains("Authorization"), "{path}");
        }
    }

    async fn it_can_be_switched_off(engine: Engine) {
        let server = Server::start_with(engine, |config| config.compat.enabled = false).await;
        server.user("alice").await;
        for (method, path) in [
            (Method::GET, "login"),
            (Method::POST, "login"),
            (Method::POST, "logout"),
            (Method::POST, "logout/all"),
            (Method::POST, "refresh"),
            (Method::GET, "login/sso/redirect?redirectUrl=app://x"),
            (Method::GET, "login/sso/redirect/"),
            (Method::GET, "login/sso/redirect/oidc"),
        ] {
            let answer = raw(&server, method, &format!("/_matrix/client/v3/{path}"), "{}").await;
            assert_eq!(answer.refusal(), (404, "M_UNRECOGNIZED".to_owned()), "{path}");
            assert_eq!(answer.header(ACCESS_CONTROL_ALLOW_ORIGIN), "*", "{path}");
        }
    }
}
