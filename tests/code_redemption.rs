//! What a code is good for, and for whom, how long and how often (RFC 6749 §4.1.3, §10.5; RFC 7636 §4.6).

use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::accounts::users;
use gatehouse::clients::{self, consents};
use gatehouse::ids::ClientId;
use gatehouse::store::query;
use gatehouse::work;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::json;

use crate::support::server::{
    Answer, Engine, REDIRECT_URI, Server, VERIFIER, authorization_query, code_form, matrix_scope,
    on_both_engines, with_changes,
};

/// A server with a user and a client, and a code of that client.
async fn with_code(engine: Engine) -> (Server, String, String) {
    let server = Server::start(engine).await;
    server.user("alice").await;
    let client = server.client().await;
    let code = server.signed_in("alice").await.code(&client, &matrix_scope("DEVICE0001")).await;
    (server, client, code)
}

async fn redeem(server: &Server, client: &str, code: &str) -> Answer {
    server.post("/oauth2/token", &code_form(client, code)).await
}

fn assert_refused(answer: &Answer, code: &str) {
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (StatusCode::BAD_REQUEST, code),
        "{}",
        answer.text()
    );
}

on_both_engines! {
    async fn a_code_works_once_and_a_double_post_harms_nothing(engine: Engine) {
        let (server, client, code) = with_code(engine).await;
        let tokens = redeem(&server, &client, &code).await.json();
        for _ in 0..2 {
            assert_refused(&redeem(&server, &client, &code).await, "invalid_grant");
            server.advance(Duration::from_secs(10));
        }
        server.run_jobs().await;
        assert!(server.is_active(tokens["access_token"].as_str().unwrap()).await);
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);
    }

    async fn a_code_that_comes_back_late_was_stolen_and_its_session_ends(engine: Engine) {
        let (server, client, code) = with_code(engine).await;
        let tokens = redeem(&server, &client, &code).await.json();
        server.advance(Duration::from_millis(20_001));
        assert_refused(&redeem(&server, &client, &code).await, "invalid_grant");
        server.run_jobs().await;
        assert!(!server.is_active(tokens["access_token"].as_str().unwrap()).await);
        assert_refused(&server.refresh(&client, tokens["refresh_token"].as_str().unwrap()).await, "invalid_grant");
        assert!(server.homeserver.devices("alice").is_empty(), "its device is deleted");
    }

    async fn of_many_redemptions_at_once_one_succeeds(engine: Engine) {
        let (server, client, code) = with_code(engine).await;
        let answers = join_all((0..5).map(|_| redeem(&server, &client, &code))).await;
        let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == StatusCode::OK);
        assert_eq!(good.len(), 1);
        bad.iter().for_each(|answer| assert_refused(answer, "invalid_grant"));
        server.run_jobs().await;
        assert!(server.is_active(good[0].json()["access_token"].as_str().unwrap()).await);
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);
    }

    async fn a_code_is_good_for_ten_minutes_to_the_second(engine: Engine) {
        let (server, client, code) = with_code(engine).await;
        let late = server.signed_in("alice").await.code(&client, &matrix_scope("DEVICE0002")).await;
        server.advance(Duration::from_secs(599));
        assert_eq!(redeem(&server, &client, &code).await.status, StatusCode::OK);
        server.advance(Duration::from_secs(1));
        assert_refused(&redeem(&server, &client, &late).await, "invalid_grant");
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);
    }

    async fn a_code_is_bound_to_its_client_redirect_uri_and_verifier(engine: Engine) {
        let (server, client, code) = with_code(engine).await;
        let other = server.client_with(json!({ "client_name": "Other app" })).await;
        let other = other["client_id"].as_str().unwrap();
        for (name, value, error) in [
            ("client_id", other, "invalid_grant"),
            ("redirect_uri", "https://app.example.com/callback/", "invalid_grant"),
            ("redirect_uri", "", "invalid_request"),
            ("code_verifier", "", "invalid_grant"),
            ("code_verifier", &VERIFIER[..42], "invalid_grant"),
            ("code_verifier", "EBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "invalid_grant"),
            ("code", "", "invalid_request"),
            ("code", "nonsense", "invalid_grant"),
        ] {
            let form = with_changes(&code_form(&client, &code), &[(name, value)]);
            assert_refused(&server.post("/oauth2/token", &form).await, error);
        }
        assert_eq!(redeem(&server, &client, &code).await.status, StatusCode::OK, "none of it spent the code");
    }

    async fn a_locked_or_deactivated_person_gets_nothing_for_a_code(engine: Engine) {
        let (server, client, code) = with_code(engine).await;
        let now = server.app.clock.now();
        let alice = users::find_by_localpart(&server.app.store, "alice").await.unwrap().unwrap();
        for step in ["lock", "deactivate"] {
            let mut tx = server.app.store.begin().await.unwrap();
            match step {
                "lock" => users::lock(&mut tx, alice.id, now).await.unwrap(),
                _ => users::deactivate(&mut tx, alice.id, false, now).await.unwrap(),
            }
            tx.commit().await.unwrap();
            assert_refused(&redeem(&server, &client, &code).await, "invalid_grant");
        }
        assert!(server.homeserver.devices("alice").is_empty());
    }

    async fn what_is_taken_back_at_the_same_moment_gives_nothing(engine: Engine) {
        for (is_client_removed, refused) in [
            (true, (StatusCode::UNAUTHORIZED, "invalid_client")),
            (false, (StatusCode::BAD_REQUEST, "invalid_grant")),
        ] {
            let (server, client, code) = with_code(engine).await;
            let alice = users::find_by_localpart(&server.app.store, "alice").await.unwrap().unwrap();
            let id = ClientId(client.clone());
            let homeserver = &server.homeserver;
            homeserver.hold("upsert_device");
            let take_back = async {
                // The client has proved who it is, and the code was found good.
                homeserver.until_called("upsert_device", 1).await;
                let mut tx = server.app.store.begin().await.unwrap();
                let is_gone = match is_client_removed {
                    true => clients::remove(&mut tx, &id, server.app.clock.now()).await,
                    false => consents::forget(&mut tx, alice.id, &id).await,
                };
                assert!(is_gone.unwrap());
                tx.commit().await.unwrap();
                homeserver.release("upsert_device");
            };
            let (answer, ()) = tokio::join!(redeem(&server, &client, &code), take_back);
            assert_eq!((answer.status, answer.error().as_str()), refused, "{}", answer.text());
            let sessions = query("SELECT COUNT(*) AS n FROM client_sessions");
            assert_eq!(sessions.fetch_one::<i64>(&server.app.store).await.unwrap(), 0);
            server.run_jobs().await;
            assert!(server.homeserver.devices("alice").is_empty(), "its device is deleted");
        }
    }

    async fn the_tokens_of_a_session_are_forgotten_with_it(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.oauth.access_token_lifetime_seconds = 365 * 24 * 60 * 60;
        }).await;
        server.user("alice").await;
        let client = server.client().await;
        let tokens = server.tokens("alice", &client, "DEVICE0001").await;
        let kept = server.tokens("alice", &client, "DEVICE0002").await;
        server.post("/oauth2/revoke", &[("token", &tokens.access)]).await;
        let count = async || -> i64 {
            query("SELECT COUNT(*) AS n FROM access_tokens").fetch_one(&server.app.store).await.unwrap()
        };
        assert_eq!(count().await, 2);
        server.advance(Duration::from_secs(31 * 24 * 60 * 60));
        work::sweep(&server.app).await.unwrap();
        assert_eq!(count().await, 1);
        assert!(server.is_active(&kept.access).await);
    }

    async fn a_sign_in_on_the_same_device_replaces_the_session_and_keeps_the_device(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let other = server.client_with(json!({ "client_name": "Other app" })).await["client_id"].as_str().unwrap().to_owned();
        let mut before = (&client, server.tokens("alice", &client, "DEVICE0001").await);
        for client in [&client, &other] {
            let after = server.tokens("alice", client, "DEVICE0001").await;
            server.run_jobs().await;
            let (old_client, old) = before;
            assert!(!server.is_active(&old.access).await && server.is_active(&after.access).await);
            assert_refused(&server.refresh(old_client, &old.refresh).await, "invalid_grant");
            before = (client, after);
        }
        assert!(server.homeserver.calls_of("delete_device").is_empty(), "its keys would be lost");
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);
    }

    async fn two_sign_ins_on_one_device_at_once_leave_one_session(engine: Engine) {
        let (server, client, code) = with_code(engine).await;
        let other = server.signed_in("alice").await.code(&client, &matrix_scope("DEVICE0001")).await;
        let (one, other) = tokio::join!(redeem(&server, &client, &code), redeem(&server, &client, &other));
        assert_eq!((one.status, other.status), (StatusCode::OK, StatusCode::OK), "{} {}", one.text(), other.text());
        server.run_jobs().await;
        let mut live = 0;
        for answer in [one, other] {
            live += usize::from(server.is_active(answer.json()["access_token"].as_str().unwrap()).await);
        }
        assert_eq!(live, 1);
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);
    }

    async fn a_homeserver_that_is_down_delays_a_sign_in_and_spends_no_code(engine: Engine) {
        let (mut server, client, code) = with_code(engine).await;
        server.homeserver.go_down().await;
        let answer = redeem(&server, &client, &code).await;
        assert_eq!((answer.status, answer.error().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"));
        assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
        server.homeserver.come_back().await;
        assert_eq!(redeem(&server, &client, &code).await.status, StatusCode::OK);
        server.run_jobs().await;
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);
    }

    async fn a_sign_in_while_the_same_device_is_being_deleted_ends_with_the_device_there(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        for round in 1..=4 {
            let before = server.tokens("alice", &client, "DEVICE0001").await;
            let code = server.signed_in("alice").await.code(&client, &matrix_scope("DEVICE0001")).await;
            server.post("/oauth2/revoke", &[("token", before.access.as_str())]).await;
            let homeserver = &server.homeserver;
            homeserver.forget_calls();
            homeserver.hold("delete_device");
            let sign_in = async {
                homeserver.until_called("delete_device", 1).await;
                let release = async {
                    // Sometimes the deletion ends first, sometimes the sign-in gets in between.
                    if round % 2 == 0 {
                        tokio::task::yield_now().await;
                    }
                    homeserver.release("delete_device");
                };
                tokio::join!(redeem(&server, &client, &code), release).0
            };
            let (answer, ()) = tokio::join!(sign_in, server.run_jobs());
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
            server.run_jobs().await;
            assert!(server.is_active(answer.json()["access_token"].as_str().unwrap()).await);
            assert_eq!(homeserver.devices("alice"), ["DEVICE0001"], "round {round}");
        }
    }

    async fn a_session_that_ends_during_a_sign_in_on_its_device_does_not_take_the_device_away(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let before = server.tokens("alice", &client, "DEVICE0001").await;
        let code = server.signed_in("alice").await.code(&client, &matrix_scope("DEVICE0001")).await;
        let homeserver = &server.homeserver;
        homeserver.forget_calls();
        homeserver.hold("upsert_device");
        let revoke = async {
            homeserver.until_called("upsert_device", 1).await;
            server.post("/oauth2/revoke", &[("token", before.access.as_str())]).await;
            server.run_jobs().await;
            homeserver.release("upsert_device");
        };
        let (answer, ()) = tokio::join!(redeem(&server, &client, &code), revoke);
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        server.run_jobs().await;
        assert_eq!(homeserver.devices("alice"), ["DEVICE0001"]);
    }
}

#[tokio::test]
async fn a_verifier_has_between_43_and_128_characters() {
    let server = Server::start(Engine::Sqlite).await;
    server.user("alice").await;
    let client = server.client().await;
    let mut browser = server.signed_in("alice").await;
    for (verifier, is_good) in [
        ("a".repeat(42), false),
        ("a".repeat(43), true),
        ("-._~".repeat(32), true),
        ("a".repeat(129), false),
        (format!("{}+", "a".repeat(43)), false),
        (format!("{}ä", "a".repeat(43)), false),
    ] {
        let challenge = gatehouse::keys::digest(&verifier);
        let query = authorization_query(&client, "openid", &[("code_challenge", &challenge)]);
        let code = browser.allow(&query).await.query_parameter("code").unwrap();
        let form = with_changes(&code_form(&client, &code), &[("code_verifier", &verifier)]);
        let answer = server.post("/oauth2/token", &form).await;
        assert_eq!(answer.status == StatusCode::OK, is_good, "{verifier}");
    }
}

#[tokio::test]
async fn the_token_endpoint_reads_forms_in_which_nothing_comes_twice() {
    let (server, client, code) = with_code(Engine::Sqlite).await;
    let mut form = code_form(&client, &code).to_vec();
    form.push(("code", &code));
    assert_refused(&server.post("/oauth2/token", &form).await, "invalid_request");
    let form = [("grant_type", "authorization_code"), ("client_id", client.as_str()), ("code", "\0")];
    assert_refused(&server.post("/oauth2/token", &form).await, "invalid_request");

    let body = json!({ "grant_type": "authorization_code", "code": code, "client_id": client, "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER });
    assert_refused(&server.post_json("/oauth2/token", &body).await, "invalid_request");
    let request = http::Request::post("/oauth2/token")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8");
    let body =
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(code_form(&client, &code)).finish();
    let answer = server.send(request.body(axum::body::Body::from(body)).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

#[tokio::test]
async fn a_grant_that_is_not_offered_is_refused() {
    let (server, client, code) = with_code(Engine::Sqlite).await;
    for grant in ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer"] {
        let form = with_changes(&code_form(&client, &code), &[("grant_type", grant)]);
        assert_refused(&server.post("/oauth2/token", &form).await, "unsupported_grant_type");
    }
    let form = with_changes(&code_form(&client, &code), &[("grant_type", "")]);
    assert_refused(&server.post("/oauth2/token", &form).await, "invalid_request");
    let form = with_changes(&code_form(&client, &code), &[("client_id", "")]);
    assert_refused(&server.post("/oauth2/token", &form).await, "invalid_request");
    let unknown = server
        .post("/oauth2/token", &with_changes(&code_form(&client, &code), &[("client_id", "nobody")]))
        .await;
    assert_eq!((unknown.status, unknown.error().as_str()), (StatusCode::UNAUTHORIZED, "invalid_client"));
}
