//! What a client has that logged in by the login API: refreshing (MSC2918) and logging out (Matrix CS API,
//! `POST /refresh`, `POST /logout`, `POST /logout/all`).

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::accounts::users::{self, User};
use gatehouse::http::requester::Requester;
use gatehouse::ids::DeviceId;
use gatehouse::sessions::foreign::{self, ForeignSession};
use gatehouse::time::Timestamp;
use http::StatusCode;
use http::header::RETRY_AFTER;
use serde_json::json;

use crate::support::server::{Answer, Engine, Server, Tokens, on_both_engines};

async fn refresh(server: &Server, refresh_token: &str) -> Answer {
    server.matrix("refresh", &json!({ "refresh_token": refresh_token })).await
}

async fn refreshed(server: &Server, refresh_token: &str) -> Tokens {
    let answer = refresh(server, refresh_token).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    Tokens::from(answer.json())
}

async fn refreshing(server: &Server, user: &str, device_id: &str) -> Tokens {
    server.logged_in(user, device_id, json!({ "refresh_token": true })).await
}

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

/// A session as a homeserver had it that refreshed its tokens itself.
async fn bring_refreshable(server: &Server, user: &User) {
    let now = server.app.clock.now();
    let session = ForeignSession {
        user_id: user.id,
        device_id: Some(DeviceId("PHONE".to_owned())),
        access_tokens: vec![("syt_old".to_owned(), now + Duration::from_secs(300))],
        refresh_token: Some("syr_old".to_owned()),
        created_at: Timestamp(1_600_000_000_000),
        last_seen_at: now,
        last_seen_by: Requester::default(),
    };
    let mut tx = server.app.store.begin().await.unwrap();
    foreign::add(&mut tx, &session, server.app.keys.root()).await.unwrap();
    tx.commit().await.unwrap();
}

fn unknown_token() -> (u16, String) {
    (401, "M_UNKNOWN_TOKEN".to_owned())
}

on_both_engines! {
    async fn a_refresh_gives_a_new_pair(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let first = refreshing(&server, "alice", "my phone").await;
        assert!(server.is_active(&first.access).await);
        let second = refreshed(&server, &first.refresh).await;
        assert_eq!(
            second.answer,
            json!({ "access_token": second.access, "refresh_token": second.refresh, "expires_in_ms": 300_000 }),
        );
        assert!(second.access != first.access && second.refresh != first.refresh);
        assert!(server.is_active(&first.access).await, "it lives to its own end");
        assert_eq!(server.introspect(&second.access).await["device_id"], json!("my phone"));
        server.advance(Duration::from_secs(300));
        assert!(!server.is_active(&first.access).await);
    }

    async fn an_answer_that_was_lost_is_given_again(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let first = refreshing(&server, "alice", "PHONE").await;
        let lost = refreshed(&server, &first.refresh).await;
        let server = server.restart().await;
        let again = refreshed(&server, &first.refresh).await;
        assert_eq!((&lost.access, &lost.refresh), (&again.access, &again.refresh));
        // After a minute the access token is a fresh one, and the refresh token still the same.
        server.advance(Duration::from_secs(61));
        let later = refreshed(&server, &first.refresh).await;
        assert!(later.access != lost.access && later.refresh == lost.refresh);
        assert!(server.is_active(&later.access).await);
        assert!(refreshed(&server, &later.refresh).await.refresh != later.refresh);
    }

    async fn an_old_refresh_token_is_a_straggler_first_and_stolen_later(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let first = refreshing(&server, "alice", "PHONE").await;
        let second = refreshed(&server, &first.refresh).await;
        assert!(server.is_active(&second.access).await, "it arrived");
        let straggler = refresh(&server, &first.refresh).await;
        assert_eq!(straggler.refusal(), (503, "M_UNKNOWN".to_owned()));
        assert!(!straggler.header(RETRY_AFTER).is_empty());
        assert!(server.is_active(&second.access).await, "nothing is harmed");
        server.advance(Duration::from_secs(31));
        assert_eq!(refresh(&server, &first.refresh).await.refusal(), unknown_token());
        assert!(!server.is_active(&second.access).await, "the session is over");
        assert_eq!(refresh(&server, &second.refresh).await.refusal(), unknown_token());
    }

    async fn parallel_refreshes_do_not_fork_the_chain(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let first = refreshing(&server, "alice", "PHONE").await;
        let answers = join_all((0..8).map(|_| refresh(&server, &first.refresh))).await;
        let mut pairs = BTreeSet::new();
        for answer in answers {
            match answer.status {
                StatusCode::OK => {
                    let tokens = Tokens::from(answer.json());
                    pairs.insert((tokens.access, tokens.refresh));
                }
                status => assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "never a 4xx"),
            }
        }
        assert_eq!(pairs.len(), 1);
        assert!(server.is_active(&pairs.first().unwrap().0).await);
    }

    async fn a_locked_account_keeps_its_sessions_and_can_log_out(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let tokens = refreshing(&server, "alice", "PHONE").await;
        let plain = server.logged_in("alice", "TABLET", json!({})).await;
        let other = server.logged_in("alice", "LAPTOP", json!({})).await;
        change(&server, &alice, "lock").await;
        let refused = refresh(&server, &tokens.refresh).await;
        assert_eq!(refused.refusal(), (401, "M_USER_LOCKED".to_owned()));
        assert_eq!(refused.json()["soft_logout"], json!(true));
        assert!(!server.is_active(&plain.access).await);
        assert_eq!(server.matrix_with("logout", &other.access).await.json(), json!({}));
        change(&server, &alice, "unlock").await;
        assert!(server.is_active(&plain.access).await && !server.is_active(&other.access).await);
        let tokens = refreshed(&server, &tokens.refresh).await;
        change(&server, &alice, "lock").await;
        // Longer than its access token lives: only a refresh could give it another one, and it gets none.
        server.advance(Duration::from_secs(1000));
        gatehouse::work::sweep(&server.app).await.unwrap();
        assert_eq!(server.matrix_with("logout/all", &tokens.access).await.json(), json!({}));
        change(&server, &alice, "unlock").await;
        assert!(!server.is_active(&plain.access).await);
        assert_eq!(refresh(&server, &tokens.refresh).await.refusal(), unknown_token());
    }

    async fn nothing_is_left_of_a_deactivated_account(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let tokens = refreshing(&server, "alice", "PHONE").await;
        change(&server, &alice, "deactivate").await;
        assert_eq!(refresh(&server, &tokens.refresh).await.refusal(), unknown_token());
        assert_eq!(server.matrix_with("logout", &tokens.access).await.refusal(), unknown_token());
        assert!(!server.is_active(&tokens.access).await);
    }

    async fn a_client_logs_out(engine: Engine) {
        let mut server = Server::start(engine).await;
        server.user("alice").await;
        let tokens = server.logged_in("alice", "my phone", json!({})).await;
        let other = server.logged_in("alice", "TABLET", json!({})).await;
        assert!(server.is_active(&tokens.access).await);
        server.homeserver.go_down().await;
        let answer = server.matrix_with("logout", &tokens.access).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({})), "it does not wait for the homeserver");
        assert!(!server.is_active(&tokens.access).await);
        assert!(server.is_active(&other.access).await);
        assert_eq!(server.matrix_with("logout", &tokens.access).await.refusal(), unknown_token());
        server.homeserver.come_back().await;
        server.advance(Duration::from_secs(600));
        server.run_jobs().await;
        assert_eq!(server.homeserver.devices("alice"), ["TABLET"]);
    }

    async fn an_expired_token_logs_out_its_client(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let tokens = refreshing(&server, "alice", "PHONE").await;
        let newer = refreshed(&server, &tokens.refresh).await;
        assert!(server.is_active(&newer.access).await);
        server.advance(Duration::from_secs(30 * 24 * 60 * 60));
        gatehouse::work::sweep(&server.app).await.unwrap();
        assert_eq!(server.matrix_with("logout", &tokens.access).await.status, StatusCode::OK);
        assert_eq!(refresh(&server, &newer.refresh).await.refusal(), unknown_token());
        server.run_jobs().await;
        assert!(server.homeserver.devices("alice").is_empty());
    }

    async fn all_that_clients_hold_ends_at_once(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        server.user("bob").await;
        let client = server.client().await;
        let own = server.logged_in("alice", "PHONE", json!({})).await;
        let other = refreshing(&server, "alice", "TABLET").await;
        let oauth = server.tokens("alice", &client, "LAPTOP").await;
        let bare = server.tokens_for("alice", &client, "openid").await;
        let bob = server.logged_in("bob", "PHONE", json!({})).await;
        let mut browser = server.signed_in("alice").await;
        assert_eq!(server.matrix_with("logout/all", &own.access).await.json(), json!({}));
        for gone in [&own, &other, &oauth, &bare] {
            assert!(!server.is_active(&gone.access).await);
        }
        assert_eq!(refresh(&server, &other.refresh).await.refusal(), unknown_token());
        assert_eq!(server.refresh(&client, &oauth.refresh).await.error(), "invalid_grant");
        assert!(server.is_active(&bob.access).await);
        assert_eq!(browser.get("/account/").await.status, StatusCode::OK, "our own pages stay open");
        server.run_jobs().await;
        assert!(server.homeserver.devices("alice").is_empty());
        assert_eq!(server.homeserver.devices("bob"), ["PHONE"]);
    }

    async fn tokens_are_good_only_at_the_api_that_issued_them(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let oauth = server.tokens("alice", &client, "LAPTOP").await;
        let compat = refreshing(&server, "alice", "PHONE").await;
        for path in ["logout", "logout/all"] {
            for wrong in [&oauth.access, &oauth.refresh, &compat.refresh, &server.homeserver.secret()] {
                assert_eq!(server.matrix_with(path, wrong).await.refusal(), unknown_token(), "{path}");
            }
        }
        for wrong in [&oauth.refresh, &oauth.access, &compat.access] {
            assert_eq!(refresh(&server, wrong).await.refusal(), unknown_token());
        }
        for wrong in [&compat.refresh, &compat.access] {
            assert_eq!(server.refresh(&client, wrong).await.error(), "invalid_grant");
        }
        assert!(server.is_active(&oauth.access).await && server.is_active(&compat.access).await, "nothing ended");
        assert_eq!(server.refresh(&client, &oauth.refresh).await.status, StatusCode::OK);
        refreshed(&server, &compat.refresh).await;
        let bearer = format!("Bearer {}", compat.access);
        let userinfo = server.post_with("/oauth2/userinfo", &[(http::header::AUTHORIZATION, &bearer)], &[]).await;
        assert_eq!((userinfo.status, userinfo.error()), (StatusCode::FORBIDDEN, "insufficient_scope".to_owned()));
    }

    async fn who_finds_a_token_can_end_it_without_knowing_whose_it_is(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        for which in ["access", "refresh"] {
            let tokens = refreshing(&server, "alice", "PHONE").await;
            let found = if which == "access" { &tokens.access } else { &tokens.refresh };
            assert_eq!(server.post("/oauth2/revoke", &[("token", found)]).await.json(), json!({}));
            assert!(!server.is_active(&tokens.access).await, "{which}");
        }
    }

    async fn refresh_tokens_of_another_server_are_refreshed_to_ours(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        assert_eq!(refresh(&server, "syr_old").await.refusal(), unknown_token());
        bring_refreshable(&server, &alice).await;
        assert!(server.is_active("syt_old").await && !server.is_active("syr_old").await);
        for strange in ["syr_older", "syt_old"] {
            assert_eq!(refresh(&server, strange).await.refusal(), unknown_token());
        }
        let lost = refreshed(&server, "syr_old").await;
        let first = refreshed(&server, "syr_old").await;
        assert_eq!((&lost.access, &lost.refresh), (&first.access, &first.refresh), "the answer may be lost");
        assert!(first.access.starts_with("gha_") && first.refresh.starts_with("ghr_"));
        assert_eq!(server.introspect(&first.access).await["device_id"], json!("PHONE"));
        assert_eq!(refresh(&server, "syr_old").await.status, StatusCode::SERVICE_UNAVAILABLE);
        let second = refreshed(&server, &first.refresh).await;
        assert!(server.is_active(&second.access).await);
        server.advance(Duration::from_secs(31));
        assert_eq!(refresh(&server, "syr_old").await.refusal(), unknown_token());
        assert!(!server.is_active(&second.access).await, "a copy of it was used: the session ends");
    }

    async fn a_client_of_another_server_logs_out(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        bring_refreshable(&server, &alice).await;
        assert_eq!(server.matrix_with("logout", "syr_old").await.refusal(), unknown_token());
        assert_eq!(server.matrix_with("logout", "syt_old").await.json(), json!({}));
        assert!(!server.is_active("syt_old").await);
        assert_eq!(refresh(&server, "syr_old").await.refusal(), unknown_token());
        assert_eq!(server.matrix_with("logout", "syt_old").await.refusal(), unknown_token());
    }

    async fn sessions_end_by_the_limits_of_the_configuration(engine: Engine) {
        let server = Server::start_with(engine, |config| config.sessions.client_idle_seconds = Some(1000)).await;
        server.user("alice").await;
        let tokens = server.logged_in("alice", "PHONE", json!({})).await;
        server.advance(Duration::from_secs(999));
        assert!(server.is_active(&tokens.access).await);
        gatehouse::work::sweep(&server.app).await.unwrap();
        server.advance(Duration::from_secs(999));
        gatehouse::work::sweep(&server.app).await.unwrap();
        assert!(server.is_active(&tokens.access).await, "it was used in between");
        gatehouse::work::sweep(&server.app).await.unwrap();
        server.advance(Duration::from_secs(1000));
        gatehouse::work::sweep(&server.app).await.unwrap();
        assert!(!server.is_active(&tokens.access).await);
    }

    async fn the_person_sees_how_it_signed_in(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        server.tokens("alice", &client, "LAPTOP").await;
        let tokens = server.logged_in("alice", "my phone", json!({})).await;
        let mut browser = server.signed_in("alice").await;
        let page = browser.get("/account/sessions").await.text();
        assert_eq!(page.matches("Signed in with an older login").count(), 1, "{page}");
        assert!(page.contains("<code>my phone</code>") && page.contains("Unnamed app"), "{page}");
        let list = crate::support::page::Page::of(&browser.get("/account/sessions").await);
        for path in list.links("li.session > a").into_iter().filter(|link| link.contains("/client/")) {
            let asked = browser.get(&path).await;
            if asked.text().contains("my phone") {
                let csrf = asked.field("csrf");
                assert_eq!(browser.post(&path, &[("csrf", &csrf)]).await.status, StatusCode::SEE_OTHER);
            }
        }
        assert!(!server.is_active(&tokens.access).await);
    }
}

/// A token that another node issued a moment ago, or ended, is known so on this one.
#[tokio::test]
async fn nodes_agree() {
    let server = Server::start(Engine::Postgres).await;
    server.user("alice").await;
    let (_other, router) = server.another_node().await;
    let tokens = refreshing(&server, "alice", "PHONE").await;
    let body = json!({ "refresh_token": tokens.refresh }).to_string();
    let request = http::Request::post("/_matrix/client/v3/refresh").body(body.into()).unwrap();
    let there = Tokens::from(crate::support::server::send_to(&router, request).await.json());
    let here = refreshed(&server, &tokens.refresh).await;
    assert_eq!((there.access, there.refresh), (here.access, here.refresh));
}
