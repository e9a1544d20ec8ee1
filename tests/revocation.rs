//! Revocation (RFC 7009; Matrix CS API, Token revocation; MSC4254): one token ends its whole session,
//! and the homeserver hears of it when it can.

use std::time::Duration;

use gatehouse::work;
use http::StatusCode;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE};
use serde_json::json;

use crate::support::server::{Answer, Engine, Server, Tokens, code_form, matrix_scope, on_both_engines};

/// A server on which alice has signed in with a client: its `client_id` and first tokens.
async fn signed_in(engine: Engine) -> (Server, String, Tokens) {
    let server = Server::start(engine).await;
    server.user("alice").await;
    let client = server.client().await;
    let tokens = server.tokens("alice", &client, "DEVICE0001").await;
    (server, client, tokens)
}

async fn revoke(server: &Server, form: &[(&str, &str)]) -> Answer {
    server.post("/oauth2/revoke", form).await
}

/// Web clients parse the body, and fail on an empty one.
fn assert_revoked(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.header(CONTENT_TYPE), "application/json");
    assert_eq!(answer.json(), json!({}));
    assert_eq!(answer.header(ACCESS_CONTROL_ALLOW_ORIGIN), "*");
}

/// Neither token works any more, and the device is gone once the jobs have run.
async fn assert_signed_out(server: &Server, client: &str, tokens: &Tokens) {
    assert!(!server.is_active(&tokens.access).await);
    let answer = server.refresh(client, &tokens.refresh).await;
    assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));
    server.run_jobs().await;
    assert!(server.homeserver.devices("alice").is_empty());
}

on_both_engines! {
    async fn either_token_ends_the_session_and_its_device(engine: Engine) {
        let (server, client, mut tokens) = signed_in(engine).await;
        for by_access in [true, false] {
            let token = if by_access { &tokens.access } else { &tokens.refresh };
            assert_revoked(&revoke(&server, &[("token", token), ("client_id", &client)]).await);
            assert_signed_out(&server, &client, &tokens).await;
            tokens = server.tokens("alice", &client, "DEVICE0001").await;
        }
        assert!(server.is_active(&tokens.access).await);
    }

    async fn the_hint_may_be_wrong_or_unknown(engine: Engine) {
        let (server, client, mut tokens) = signed_in(engine).await;
        for hint in ["refresh_token", "access_token", "something", ""] {
            let form = [("token", tokens.access.as_str()), ("token_type_hint", hint), ("client_id", &client)];
            assert_revoked(&revoke(&server, &form).await);
            assert_signed_out(&server, &client, &tokens).await;
            tokens = server.tokens("alice", &client, "DEVICE0001").await;
        }
    }

    async fn any_pair_of_the_session_ends_all_of_them(engine: Engine) {
        let (server, client, first) = signed_in(engine).await;
        let second = Tokens::from(server.refresh(&client, &first.refresh).await.json());
        let third = Tokens::from(server.refresh(&client, &second.refresh).await.json());
        assert_revoked(&revoke(&server, &[("token", &first.refresh)]).await);
        for tokens in [&first, &second, &third] {
            assert_signed_out(&server, &client, tokens).await;
        }
    }

    async fn an_access_token_that_expired_long_ago_still_ends_its_session(engine: Engine) {
        let (server, client, first) = signed_in(engine).await;
        let second = Tokens::from(server.refresh(&client, &first.refresh).await.json());
        server.advance(Duration::from_secs(20 * 24 * 3600));
        work::sweep(&server.app).await.unwrap();
        assert_revoked(&revoke(&server, &[("token", &first.access), ("client_id", &client)]).await);
        assert_signed_out(&server, &client, &second).await;
    }

    async fn who_finds_a_token_may_end_it_without_being_the_client(engine: Engine) {
        let (server, client, mut tokens) = signed_in(engine).await;
        let other = server.client_with(json!({ "client_name": "Another app" })).await;
        let other = other["client_id"].as_str().unwrap();
        for client_id in [other, "unknown", ""] {
            let form = [("token", tokens.access.as_str()), ("client_id", client_id)];
            assert_revoked(&revoke(&server, &form).await);
            assert_signed_out(&server, &client, &tokens).await;
            tokens = server.tokens("alice", &client, "DEVICE0001").await;
        }
    }

    async fn what_is_not_a_live_token_is_answered_alike(engine: Engine) {
        let (server, client, tokens) = signed_in(engine).await;
        let long = "x".repeat(10_000);
        for token in ["garbage", "syt_YWxpY2U_abc_1", &long, &tokens.access, &tokens.access, &tokens.refresh] {
            assert_revoked(&revoke(&server, &[("token", token), ("client_id", &client)]).await);
        }
        server.advance(Duration::from_secs(40 * 24 * 3600));
        work::sweep(&server.app).await.unwrap();
        assert_revoked(&revoke(&server, &[("token", &tokens.access)]).await);
        assert_eq!(server.homeserver.calls_of("delete_device").len(), 0);
        server.run_jobs().await;
        assert_eq!(server.homeserver.calls_of("delete_device").len(), 1);
    }

    async fn a_request_without_a_token_is_refused(engine: Engine) {
        let (server, client, tokens) = signed_in(engine).await;
        let token = ("token", tokens.access.as_str());
        for form in [&[("client_id", client.as_str())][..], &[("token", "")], &[token, token], &[]] {
            let answer = revoke(&server, form).await;
            assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_request"));
            assert_eq!(answer.header(ACCESS_CONTROL_ALLOW_ORIGIN), "*");
        }
        assert!(server.is_active(&tokens.access).await);
    }

    async fn credentials_that_are_presented_must_be_right(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let registered = server.client_with(json!({ "token_endpoint_auth_method": "client_secret_post" })).await;
        let client = registered["client_id"].as_str().unwrap();
        let secret = registered["client_secret"].as_str().unwrap();
        let code = server.signed_in("alice").await.code(client, &matrix_scope("DEVICE0001")).await;
        let mut form = code_form(client, &code).to_vec();
        form.push(("client_secret", secret));
        let tokens = Tokens::from(server.post("/oauth2/token", &form).await.json());
        let with = |secret| [("token", tokens.access.as_str()), ("client_id", client), ("client_secret", secret)];
        let answer = revoke(&server, &with("wrong")).await;
        assert_eq!((answer.status, answer.error().as_str()), (StatusCode::UNAUTHORIZED, "invalid_client"));
        assert!(server.is_active(&tokens.access).await);
        assert_revoked(&revoke(&server, &with(secret)).await);
        assert!(!server.is_active(&tokens.access).await);
    }

    async fn the_answer_does_not_wait_for_the_homeserver(engine: Engine) {
        let (mut server, client, tokens) = signed_in(engine).await;
        server.homeserver.go_down().await;
        assert_revoked(&revoke(&server, &[("token", &tokens.access), ("client_id", &client)]).await);
        assert!(!server.is_active(&tokens.access).await);
        server.run_jobs().await;
        let mut server = server.restart().await;
        server.homeserver.come_back().await;
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);
        server.advance(Duration::from_secs(2));
        server.run_jobs().await;
        assert!(server.homeserver.devices("alice").is_empty());
    }

    async fn signing_in_again_on_the_device_cancels_its_deletion(engine: Engine) {
        let (mut server, client, tokens) = signed_in(engine).await;
        server.homeserver.go_down().await;
        assert_revoked(&revoke(&server, &[("token", &tokens.access)]).await);
        server.run_jobs().await;
        server.homeserver.come_back().await;
        let again = server.tokens("alice", &client, "DEVICE0001").await;
        server.advance(Duration::from_secs(3600));
        server.run_jobs().await;
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);
        assert!(server.homeserver.calls_of("delete_device").is_empty(), "its keys would be lost");
        let next = Tokens::from(server.refresh(&client, &again.refresh).await.json());
        assert!(server.is_active(&next.access).await);
    }

    async fn signing_in_on_a_device_that_is_being_deleted_waits_and_makes_it_anew(engine: Engine) {
        let (server, client, tokens) = signed_in(engine).await;
        assert_revoked(&revoke(&server, &[("token", &tokens.access)]).await);
        let code = server.signed_in("alice").await.code(&client, &matrix_scope("DEVICE0001")).await;
        server.homeserver.hold("delete_device");
        let form = code_form(&client, &code);
        let ((), answer, ()) = tokio::join!(
            server.run_jobs(),
            async {
                server.homeserver.until_called("delete_device", 1).await;
                server.post("/oauth2/token", &form).await
            },
            async {
                server.homeserver.until_called("delete_device", 1).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
                server.homeserver.release("delete_device");
            },
        );
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);
        assert_eq!(server.homeserver.calls().last().unwrap().endpoint, "upsert_device");
    }

    async fn a_device_is_not_deleted_while_a_sign_in_on_it_is_under_way(engine: Engine) {
        let (server, client, tokens) = signed_in(engine).await;
        let code = server.signed_in("alice").await.code(&client, &matrix_scope("DEVICE0001")).await;
        server.homeserver.hold("upsert_device");
        let form = code_form(&client, &code);
        let (answer, ()) = tokio::join!(server.post("/oauth2/token", &form), async {
            server.homeserver.until_called("upsert_device", 2).await;
            assert_revoked(&revoke(&server, &[("token", &tokens.access)]).await);
            server.run_jobs().await;
            server.homeserver.release("upsert_device");
        });
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        server.advance(Duration::from_secs(3600));
        server.run_jobs().await;
        assert!(server.homeserver.calls_of("delete_device").is_empty());
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);
    }

    async fn a_sign_in_that_fails_leaves_a_deletion_to_come(engine: Engine) {
        let (mut server, client, tokens) = signed_in(engine).await;
        let code = server.signed_in("alice").await.code(&client, &matrix_scope("DEVICE0001")).await;
        server.homeserver.go_down().await;
        assert_revoked(&revoke(&server, &[("token", &tokens.access)]).await);
        let form = code_form(&client, &code);
        assert_eq!(server.post("/oauth2/token", &form).await.status, StatusCode::SERVICE_UNAVAILABLE);
        server.homeserver.come_back().await;
        server.run_jobs().await;
        assert!(server.homeserver.devices("alice").is_empty());
        assert_eq!(server.post("/oauth2/token", &form).await.status, StatusCode::OK, "the code is not spent");
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);
    }

    async fn a_sign_in_that_is_given_up_half_way_leaves_no_device_behind(engine: Engine) {
        let (server, client, tokens) = signed_in(engine).await;
        assert_revoked(&revoke(&server, &[("token", &tokens.access)]).await);
        server.run_jobs().await;
        let code = server.signed_in("alice").await.code(&client, &matrix_scope("DEVICE0002")).await;
        server.homeserver.hold("upsert_device");
        let form = code_form(&client, &code);
        tokio::select! {
            _ = server.post("/oauth2/token", &form) => panic!("the homeserver has not answered"),
            _ = server.homeserver.until_called("upsert_device", 2) => {}
        }
        server.homeserver.release("upsert_device");
        server.homeserver.until_called("upsert_device", 2).await;
        server.run_jobs().await;
        assert!(server.homeserver.calls_of("delete_device").len() == 1, "not yet: somebody may be at it");
        server.advance(Duration::from_secs(60));
        server.run_jobs().await;
        assert_eq!(server.homeserver.calls_of("delete_device")[1].text("device_id"), "DEVICE0002");
    }

    async fn sessions_that_ended_are_forgotten_after_a_month_and_live_ones_never(engine: Engine) {
        let (server, client, ended) = signed_in(engine).await;
        let live = server.tokens("alice", &client, "DEVICE0002").await;
        assert_revoked(&revoke(&server, &[("token", &ended.access)]).await);
        server.advance(Duration::from_secs(400 * 24 * 3600));
        work::sweep(&server.app).await.unwrap();
        let count = gatehouse::store::query("SELECT COUNT(*) AS n FROM client_sessions");
        assert_eq!(count.fetch_one::<i64>(&server.app.store).await.unwrap(), 1);
        let next = Tokens::from(server.refresh(&client, &live.refresh).await.json());
        assert!(server.is_active(&next.access).await);
    }
}
