//! Tokens that another server issued and that a move brings along: clients go on with them, and their
//! shape does not matter.

use std::time::Duration;

use gatehouse::accounts::users::{self, User};
use gatehouse::app::App;
use gatehouse::http::requester::Requester;
use gatehouse::ids::{ClientSessionId, DeviceId};
use gatehouse::sessions::foreign::{self, ForeignSession};
use gatehouse::store;
use gatehouse::time::Timestamp;
use http::StatusCode;
use serde_json::json;

use crate::support::server::{Engine, Server, on_both_engines, send_to};

/// Shapes of tokens that homeservers have issued over the years, and of such as people made by hand.
const SHAPES: [&str; 5] = [
    "syt_YWxpY2U_iPbVQHOlWqFXyvVKKzkL_2FN3DM",
    "MDAxOGxvY2F0aW9uIGV4YW1wbGUub3JnCjAwMTNpZGVudGlmaWVyIGtleQowMDEwY2lkIGdlbiA9IDEK",
    "mct_PmnjzmfHsTKVvgWUGEPQWBNjNVjNvx_4QcAb0",
    "hand-made",
    "x",
];

fn session(user: &User, device_id: Option<&str>, access_tokens: &[&str]) -> ForeignSession {
    ForeignSession {
        user_id: user.id,
        device_id: device_id.map(|id| DeviceId(id.to_owned())),
        access_tokens: access_tokens.iter().map(|token| ((*token).to_owned(), Timestamp::NEVER)).collect(),
        refresh_token: None,
        created_at: Timestamp(1_600_000_000_000),
        last_seen_at: Timestamp(1_790_000_000_000),
        last_seen_by: Requester {
            address: "192.0.2.77".parse().ok(),
            user_agent: Some("Element/1.0".to_owned()),
        },
    }
}

async fn bring(app: &App, session: &ForeignSession) -> Result<ClientSessionId, store::Error> {
    let mut tx = app.store.begin().await?;
    let id = foreign::add(&mut tx, session, app.keys.root()).await?;
    tx.commit().await?;
    Ok(id)
}

on_both_engines! {
    async fn tokens_of_any_shape_go_on_working(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        for token in SHAPES {
            assert!(!server.is_active(token).await, "{token}");
        }
        bring(&server.app, &session(&alice, Some("my phone"), &SHAPES)).await.unwrap();
        let now = server.app.clock.now();
        for token in SHAPES {
            // Twice: once from the database, once from memory.
            for _ in 0..2 {
                assert_eq!(
                    server.introspect(token).await,
                    json!({
                        "active": true,
                        "scope": "urn:matrix:client:api:* urn:matrix:org.matrix.msc2967.client:api:*",
                        "username": "alice",
                        "token_type": "access_token",
                        "device_id": "my phone",
                        "iat": 1_600_000_000,
                        "nbf": 1_600_000_000,
                        "sub": alice.id.to_string(),
                    }),
                );
            }
        }
        for token in ["syt_YWxpY2U_iPbVQHOlWqFXyvVKKzkL_2FN3DN", "hand-madé", ""] {
            assert!(!server.is_active(token).await, "{token}");
        }
        // Longer than anybody keeps a server.
        server.advance(Duration::from_secs(100 * 365 * 24 * 60 * 60));
        gatehouse::work::sweep(&server.app).await.unwrap();
        assert!(server.is_active(SHAPES[0]).await);
        assert!(server.app.clock.now() > now);
    }

    async fn a_session_without_a_device_has_none(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        bring(&server.app, &session(&alice, None, &["syt_bot"])).await.unwrap();
        let told = server.introspect("syt_bot").await;
        assert_eq!((&told["active"], &told["username"], told.get("device_id")), (&json!(true), &json!("alice"), None));
        assert!(!told["scope"].as_str().unwrap().contains("device"), "{told}");
    }

    async fn a_lock_and_an_end_hold_for_them_as_well(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let id = bring(&server.app, &session(&alice, Some("PHONE"), &["syt_one"])).await.unwrap();
        assert!(server.is_active("syt_one").await);
        let now = server.app.clock.now();
        for is_locked in [true, false] {
            let mut tx = server.app.store.begin().await.unwrap();
            match is_locked {
                true => users::lock(&mut tx, alice.id, now).await.unwrap(),
                false => users::unlock(&mut tx, alice.id, now).await.unwrap(),
            }
            tx.commit().await.unwrap();
            assert_eq!(server.is_active("syt_one").await, !is_locked);
        }
        let mut tx = server.app.store.begin().await.unwrap();
        let reason = gatehouse::sessions::client::EndReason::SignedOut;
        gatehouse::sessions::client::end_of_user(&mut tx, id, alice.id, reason, now).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!server.is_active("syt_one").await);
    }

    async fn an_access_token_that_expires_does_so_to_the_millisecond(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let mut brought = session(&alice, Some("PHONE"), &["syt_short"]);
        brought.access_tokens[0].1 = server.app.clock.now() + Duration::from_secs(60);
        bring(&server.app, &brought).await.unwrap();
        assert_eq!(server.introspect("syt_short").await["expires_in"], json!(60));
        server.advance(Duration::from_millis(59_999));
        assert!(server.is_active("syt_short").await);
        server.advance(Duration::from_millis(1));
        assert!(!server.is_active("syt_short").await);
    }

    async fn what_is_here_already_is_not_brought_again(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        bring(&server.app, &session(&alice, Some("PHONE"), &["syt_one"])).await.unwrap();
        for again in [session(&alice, Some("OTHER"), &["syt_one"]), session(&alice, Some("PHONE"), &["syt_two"])] {
            assert!(matches!(bring(&server.app, &again).await, Err(store::Error::Conflict(_))));
        }
        assert!(!server.is_active("syt_two").await && server.is_active("syt_one").await);
    }

    async fn what_claims_to_be_ours_is_never_looked_up(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        bring(&server.app, &session(&alice, Some("PHONE"), &["gha_made_by_hand", "ghr_made_by_hand"])).await.unwrap();
        for token in ["gha_made_by_hand", "ghr_made_by_hand"] {
            assert!(!server.is_active(token).await);
        }
    }

    async fn the_person_sees_them_and_signs_them_out(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        bring(&server.app, &session(&alice, Some("PHONE"), &["syt_one"])).await.unwrap();
        assert_eq!(server.introspect("syt_one").await["active"], json!(true));
        let mut browser = server.signed_in("alice").await;
        let page = browser.get("/account/sessions").await.text();
        assert!(page.contains("Signed in with an older login") && page.contains("192.0.2.77"), "{page}");
        let csrf = browser.csrf().await;
        let answer = browser.post("/account/sessions/end-others", &[("csrf", &csrf)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        assert!(!server.is_active("syt_one").await);
        server.run_jobs().await;
        assert_eq!(server.homeserver.calls_of("delete_device").len(), 1);
    }
}

/// That there are none is remembered, and must not be believed for longer than it is so, on any node.
#[tokio::test]
async fn a_node_that_knew_of_none_hears_of_the_first_one() {
    let server = Server::start(Engine::Postgres).await;
    let alice = server.user("alice").await;
    let (other, router) = server.another_node().await;
    let is_active = async || {
        let secret = format!("Bearer {}", server.homeserver.secret());
        let headers = [(http::header::AUTHORIZATION, secret.as_str())];
        let request =
            crate::support::server::form_request("/oauth2/introspect", &headers, &[("token", "syt_one")]);
        send_to(&router, request).await.json()["active"] == json!(true)
    };
    assert!(!is_active().await);
    // The other node trusts what it remembers as soon as it hears the channel.
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while other.known.has_foreign_tokens() != Some(false) {
        assert!(std::time::Instant::now() < deadline, "the node never trusted its memory");
        tokio::time::sleep(Duration::from_millis(20)).await;
        is_active().await;
    }
    bring(&server.app, &session(&alice, Some("PHONE"), &["syt_one"])).await.unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while !is_active().await {
        assert!(std::time::Instant::now() < deadline, "the node never heard of it");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
