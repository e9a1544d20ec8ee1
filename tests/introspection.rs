//! Introspection (RFC 7662) as the homeserver depends on it: strict types, one answer for everything
//! that is not active, and no word to strangers.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use gatehouse::accounts::users;
use gatehouse::config::Secret;
use gatehouse::keys::{Family, TokenKind};
use gatehouse::store::{Change, query};
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ORIGIN, WWW_AUTHENTICATE,
};
use http::{HeaderName, StatusCode};
use serde_json::{Value, json};

use crate::support::server::{
    Answer, BEGINNING, Engine, Server, Tokens, code_form, matrix_scope, on_both_engines,
};

const SUPPORTS_DEVICE_ID: HeaderName = HeaderName::from_static("x-mas-supports-device-id");

/// A server on which alice has signed in: her first tokens.
async fn signed_in(engine: Engine) -> (Server, Tokens) {
    let server = Server::start(engine).await;
    server.user("alice").await;
    let client = server.client().await;
    let tokens = server.tokens("alice", &client, "DEVICE0001").await;
    (server, tokens)
}

/// Asks with this `Authorization` header; without one when it is empty.
async fn ask(server: &Server, authorization: &str, form: &[(&str, &str)]) -> Answer {
    let header = [(AUTHORIZATION, authorization)];
    let headers = if authorization.is_empty() { &[][..] } else { &header[..] };
    server.post_with("/oauth2/introspect", headers, form).await
}

fn secret(server: &Server) -> String {
    format!("Bearer {}", server.homeserver.secret())
}

fn assert_inactive(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.text(), r#"{"active":false}"#);
}

fn assert_stranger(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text());
    assert!(["invalid_client", "invalid_token"].contains(&answer.error().as_str()), "{}", answer.text());
    assert!(!answer.header(WWW_AUTHENTICATE).is_empty());
    assert!(!answer.text().contains("alice") && !answer.text().contains("active"));
}

/// A client that authenticates in this way, with tokens of alice: identifier, secret and tokens.
async fn confidential(server: &Server, method: &str) -> (String, String, Tokens) {
    let registered = server.client_with(json!({ "token_endpoint_auth_method": method })).await;
    let text = |key: &str| registered[key].as_str().unwrap().to_owned();
    let (client, secret) = (text("client_id"), text("client_secret"));
    let code = server.signed_in("alice").await.code(&client, &matrix_scope("DEVICE0002")).await;
    let mut form = code_form(&client, &code).to_vec();
    let basic = format!("Basic {}", STANDARD.encode(format!("{client}:{secret}")));
    let headers = [(AUTHORIZATION, basic.as_str())];
    let headers = if method == "client_secret_basic" { &headers[..] } else { &[][..] };
    if method == "client_secret_post" {
        form.push(("client_secret", &secret));
    }
    let answer = server.post_with("/oauth2/token", headers, &form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    (client.clone(), secret.clone(), Tokens::from(answer.json()))
}

on_both_engines! {
    async fn the_homeserver_learns_all_that_it_reads_in_the_types_that_it_expects(engine: Engine) {
        let (server, tokens) = signed_in(engine).await;
        server.advance(Duration::from_millis(1500));
        let mut answer = server.introspect(&tokens.access).await;
        let begun = BEGINNING.as_seconds();
        let sub = answer["sub"].take();
        let client = answer["client_id"].take();
        assert!(sub.as_str().is_some_and(|sub| sub.len() == 26) && client.is_string());
        assert_eq!(answer, json!({
            "active": true,
            "scope": "urn:matrix:client:api:* urn:matrix:org.matrix.msc2967.client:api:* \
                      urn:matrix:client:device:DEVICE0001 urn:matrix:org.matrix.msc2967.client:device:DEVICE0001",
            "client_id": null, "username": "alice", "token_type": "access_token", "device_id": "DEVICE0001",
            "exp": begun + 300, "expires_in": 299, "iat": begun, "nbf": begun, "sub": null,
        }));
        assert!(answer["expires_in"].is_u64(), "Synapse refuses 299.0");
    }

    async fn a_homeserver_that_does_not_read_device_id_finds_it_in_the_scope(engine: Engine) {
        let (server, tokens) = signed_in(engine).await;
        let answer = ask(&server, &secret(&server), &[("token", &tokens.access)]).await;
        assert!(answer.json().get("device_id").is_none());
        assert!(answer.json()["scope"].as_str().unwrap().contains("urn:matrix:client:device:DEVICE0001"));
        let headers = [(AUTHORIZATION, secret(&server)), (SUPPORTS_DEVICE_ID, "0".to_owned())];
        let headers = headers.each_ref().map(|(name, value)| (name.clone(), value.as_str()));
        let answer = server.post_with("/oauth2/introspect", &headers, &[("token", &tokens.access)]).await;
        assert!(answer.json().get("device_id").is_none());
    }

    async fn both_spellings_and_any_device_id_are_answered_alike(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        // The Curve25519 key that names a device in sign-in by QR code.
        let device = "wjLpTLRqbqBzLs63aYaEv2Boi6cFEbbM/sSR+2oAKk4";
        let (new, old) = ("urn:matrix:client:", "urn:matrix:org.matrix.msc2967.client:");
        let scope = format!("openid {old}api:*  {old}device:{device}");
        let tokens = server.tokens_for("alice", &client, &scope).await;
        let answer = server.introspect(&tokens.access).await;
        assert_eq!(answer["device_id"], device);
        let scope = answer["scope"].as_str().unwrap();
        let both = format!("{new}api:* {old}api:* {new}device:{device} {old}device:{device} openid");
        assert_eq!(scope, both);
        assert_eq!(server.homeserver.devices("alice"), [device]);
    }

    async fn everything_that_is_not_an_access_token_of_ours_is_inactive(engine: Engine) {
        let (server, tokens) = signed_in(engine).await;
        let code = server.signed_in("alice").await.code(&server.client().await, &matrix_scope("OTHER")).await;
        let (unknown, long) = (Family::new().random_token(TokenKind::Access), "x".repeat(10 * 1024));
        let mut mistyped = tokens.access.clone();
        mistyped.pop();
        mistyped.push('_');
        for wrong in [
            &unknown, &long, &mistyped, &code, &tokens.refresh, &server.homeserver.secret(), "syt_YWxpY2U_abc_1", "mat_abc",
            "gha_", "gha_\u{e9}", "\u{1f511}", " ", "", "null", "' OR 1=1 --",
        ] {
            for hint in ["access_token", "refresh_token", "unknown"] {
                let form = [("token", wrong), ("token_type_hint", hint)];
                assert_inactive(&ask(&server, &secret(&server), &form).await);
            }
        }
    }

    async fn a_token_is_inactive_from_the_moment_at_which_it_expires(engine: Engine) {
        let (server, tokens) = signed_in(engine).await;
        server.advance(Duration::from_millis(299_999));
        assert_eq!(server.introspect(&tokens.access).await["expires_in"], json!(1));
        server.advance(Duration::from_millis(1));
        assert_inactive(&ask(&server, &secret(&server), &[("token", &tokens.access)]).await);
    }

    async fn a_token_of_a_revoked_session_is_inactive(engine: Engine) {
        let (server, tokens) = signed_in(engine).await;
        server.post("/oauth2/revoke", &[("token", &tokens.refresh)]).await;
        assert_inactive(&ask(&server, &secret(&server), &[("token", &tokens.access)]).await);
    }

    async fn a_locked_a_deactivated_and_an_unprovisioned_account_have_no_active_tokens(engine: Engine) {
        let (server, tokens) = signed_in(engine).await;
        let alice = users::find_by_localpart(&server.app.store, "alice").await.unwrap().unwrap();
        let now = server.app.clock.now();
        let mut tx = server.app.store.begin().await.unwrap();
        users::lock(&mut tx, alice.id, now).await.unwrap();
        tx.commit().await.unwrap();
        assert_inactive(&ask(&server, &secret(&server), &[("token", &tokens.access)]).await);
        let mut tx = server.app.store.begin().await.unwrap();
        users::unlock(&mut tx, alice.id, now).await.unwrap();
        tx.announce(Change::User(alice.id));
        query("UPDATE users SET provisioned_at = NULL").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        assert_inactive(&ask(&server, &secret(&server), &[("token", &tokens.access)]).await);
        server.run_jobs().await;
        assert!(server.is_active(&tokens.access).await);
        let mut tx = server.app.store.begin().await.unwrap();
        users::deactivate(&mut tx, alice.id, false, now).await.unwrap();
        tx.commit().await.unwrap();
        assert_inactive(&ask(&server, &secret(&server), &[("token", &tokens.access)]).await);
    }

    async fn strangers_learn_nothing_not_even_whether_the_request_is_well_formed(engine: Engine) {
        let (server, tokens) = signed_in(engine).await;
        let public = server.client().await;
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let token = ("token", tokens.access.as_str());
        for authorization in [
            "", "Bearer wrong", "Bearer", "Bearer ", "Digest x", "Basic !", &basic("no colon"),
            &basic("unknown:secret"), &basic(&format!("{public}:")), &basic(&format!("{public}:{public}")),
            &format!("Bearer {}", tokens.access), &format!("Basic {}", server.homeserver.secret()),
            &format!("Bearer {}x", server.homeserver.secret()),
        ] {
            assert_stranger(&ask(&server, authorization, &[token]).await);
        }
        assert_stranger(&ask(&server, "", &[token, ("client_id", &public)]).await);
        assert_stranger(&ask(&server, "", &[token, ("client_id", &public), ("client_secret", "x")]).await);
        assert_stranger(&ask(&server, "", &[]).await);
        assert_stranger(&ask(&server, "Bearer wrong", &[token, token]).await);
    }

    async fn a_proven_caller_must_send_one_token_in_a_form(engine: Engine) {
        let (server, tokens) = signed_in(engine).await;
        let secret = secret(&server);
        let token = ("token", tokens.access.as_str());
        for form in [&[][..], &[("token_type_hint", "access_token")], &[token, token]] {
            let answer = ask(&server, &secret, form).await;
            assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_request"));
        }
        let json = http::Request::post("/oauth2/introspect")
            .header(AUTHORIZATION, &secret)
            .header(CONTENT_TYPE, "application/json")
            .body(json!({ "token": tokens.access }).to_string().into())
            .unwrap();
        assert_eq!(server.send(json).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(server.get("/oauth2/introspect").await.status, StatusCode::METHOD_NOT_ALLOWED);
        // The scheme has no letter case (RFC 9110 §11.1).
        assert_eq!(ask(&server, &secret.replace("Bearer", "bearer"), &[token]).await.json()["active"], json!(true));
    }

    async fn the_former_secret_is_accepted_while_it_is_being_changed(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.homeserver.previous_secret = Some(Secret::new("the former secret".to_owned()));
        })
        .await;
        for known in [secret(&server), "Bearer the former secret".to_owned()] {
            assert_inactive(&ask(&server, &known, &[("token", "x")]).await);
        }
        assert_stranger(&ask(&server, "Bearer another secret", &[("token", "x")]).await);
    }

    async fn a_client_with_a_secret_may_ask_about_access_and_refresh_tokens(engine: Engine) {
        let (server, others) = signed_in(engine).await;
        for method in ["client_secret_basic", "client_secret_post"] {
            let (client, secret, tokens) = confidential(&server, method).await;
            let about = async |token: &str| -> Value {
                let answer = match method {
                    "client_secret_basic" => {
                        let basic = format!("Basic {}", STANDARD.encode(format!("{client}:{secret}")));
                        ask(&server, &basic, &[("token", token)]).await
                    }
                    _ => ask(&server, "", &[("token", token), ("client_id", &client), ("client_secret", &secret)]).await,
                };
                assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
                answer.json()
            };
            assert_eq!(about(&tokens.access).await["username"], "alice");
            assert!(about(&tokens.access).await.get("device_id").is_none());
            assert_eq!(about(&tokens.refresh).await["token_type"], "refresh_token");
            assert_eq!(about(&others.access).await["active"], json!(true));
            assert_eq!(about("garbage").await, json!({ "active": false }));
            let wrong = format!("Basic {}", STANDARD.encode(format!("{client}:wrong")));
            assert_stranger(&ask(&server, &wrong, &[("token", &tokens.access)]).await);
        }
    }

    async fn asking_about_a_refresh_token_does_not_use_it(engine: Engine) {
        let (server, _) = signed_in(engine).await;
        let (client, secret, tokens) = confidential(&server, "client_secret_post").await;
        let proof = [("client_id", client.as_str()), ("client_secret", secret.as_str())];
        let with = |more: &[(&'static str, &str)]| {
            let pairs = proof.iter().chain(more).map(|(name, value)| (*name, (*value).to_owned()));
            pairs.collect::<Vec<_>>()
        };
        let post = async |path: &str, form: Vec<(&'static str, String)>| {
            let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
            server.post(path, &form).await.json()
        };
        let refresh = with(&[("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh)]);
        let next = Tokens::from(post("/oauth2/token", refresh.clone()).await);
        for token in [&tokens.refresh, &next.refresh] {
            assert_eq!(post("/oauth2/introspect", with(&[("token", token)])).await["active"], json!(true));
        }
        assert_eq!(post("/oauth2/token", refresh).await["refresh_token"], next.refresh);
    }

    async fn the_homeservers_secret_is_no_token_and_a_token_no_secret(engine: Engine) {
        let (server, tokens) = signed_in(engine).await;
        let secret = server.homeserver.secret();
        assert_inactive(&ask(&server, &format!("Bearer {secret}"), &[("token", &secret)]).await);
        assert_stranger(&ask(&server, &format!("Bearer {}", tokens.access), &[("token", &tokens.access)]).await);
        let bearer = format!("Bearer {secret}");
        let answer = server.post_with("/oauth2/userinfo", &[(AUTHORIZATION, &bearer)], &[]).await;
        assert_eq!((answer.status, answer.error().as_str()), (StatusCode::UNAUTHORIZED, "invalid_token"));
        assert_eq!(server.refresh("any", &secret).await.error(), "invalid_client");
    }

    async fn many_workers_ask_about_a_new_token_at_once(engine: Engine) {
        let (server, tokens) = signed_in(engine).await;
        let client = tokens.answer["client_id"].as_str().map(str::to_owned);
        let client = match client {
            Some(client) => client,
            None => server.introspect(&tokens.access).await["client_id"].as_str().unwrap().to_owned(),
        };
        let next = Tokens::from(server.refresh(&client, &tokens.refresh).await.json());
        let answers = join_all((0..40).map(|_| server.is_active(&next.access))).await;
        assert!(answers.into_iter().all(|is_active| is_active));
    }

    async fn many_tokens_that_the_node_does_not_know_are_asked_about_at_once(engine: Engine) {
        let (server, first) = signed_in(engine).await;
        let client = server.client().await;
        let mut asked = vec![(first.access, true)];
        for number in 0..5 {
            asked.push((server.tokens("alice", &client, &format!("DEVICE100{number}")).await.access, true));
        }
        asked.extend((0..34).map(|_| (Family::new().random_token(TokenKind::Access), false)));
        // None of them was asked about before: in this order and another, each twice.
        let questions = asked.iter().chain(asked.iter().rev());
        let answers = join_all(questions.clone().map(|(token, _)| server.is_active(token))).await;
        let expected: Vec<bool> = questions.map(|(_, is_active)| *is_active).collect();
        assert_eq!(answers, expected);
    }

    async fn answers_are_not_stored_and_no_script_may_read_them(engine: Engine) {
        let (server, tokens) = signed_in(engine).await;
        let secret = secret(&server);
        let headers = [(AUTHORIZATION, secret.as_str()), (ORIGIN, "https://app.example.com")];
        for token in [tokens.access.as_str(), "garbage"] {
            let answer = server.post_with("/oauth2/introspect", &headers, &[("token", token)]).await;
            assert_eq!(answer.header(CACHE_CONTROL), "no-store");
            assert_eq!(answer.header(CONTENT_TYPE), "application/json");
            assert!(!answer.headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
        }
    }
}

/// What is not a token of ours by its checksum is turned away without a look at the database, which
/// shows when there is none.
#[tokio::test]
async fn a_wrong_checksum_needs_no_database_and_everything_else_is_told_to_come_back() {
    let (server, tokens) = signed_in(Engine::Sqlite).await;
    // That no token of another server was brought here is looked up once.
    assert!(!server.is_active("syt_YWxpY2U_def_2").await);
    server.app.store.close().await;
    let mut mistyped = tokens.access.clone();
    mistyped.replace_range(10..11, if &mistyped[10..11] == "x" { "y" } else { "x" });
    for wrong in [mistyped.as_str(), &tokens.refresh, "syt_YWxpY2U_abc_1"] {
        assert_inactive(&ask(&server, &secret(&server), &[("token", wrong)]).await);
    }
    let answer = ask(&server, &secret(&server), &[("token", &tokens.access)]).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "never inactive while it cannot be known");
    assert_eq!(server.refresh("any", &tokens.refresh).await.status, StatusCode::SERVICE_UNAVAILABLE);
    let revoked = server.post("/oauth2/revoke", &[("token", &tokens.access)]).await;
    assert_eq!(revoked.status, StatusCode::SERVICE_UNAVAILABLE);
}
