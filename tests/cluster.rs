//! What a node remembers, and how it forgets: alone, and among other nodes of one PostgreSQL database.

use std::time::Duration;

use axum::Router;
use gatehouse::accounts::users;
use gatehouse::sessions::tokens;
use gatehouse::store::{Store, query};
use http::header::AUTHORIZATION;
use serde_json::json;

use crate::support::server::{Engine, Server, form_request, on_both_engines, send_to};

/// Removes the token behind everybody's back: whoever still calls it good has not asked the database.
async fn remove_rows(store: &Store) {
    let mut tx = store.begin().await.unwrap();
    query("DELETE FROM access_tokens").execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
}

pub(crate) async fn is_active_at(server: &Server, node: &Router, token: &str) -> bool {
    let secret = format!("Bearer {}", server.homeserver.secret());
    let request = form_request("/oauth2/introspect", &[(AUTHORIZATION, &secret)], &[("token", token)]);
    send_to(node, request).await.json()["active"] == json!(true)
}

/// Waits until something is so, which real programs need a moment for.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{what}");
}

on_both_engines! {
    async fn a_token_that_the_node_knows_needs_no_database_until_something_changes(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let client = server.client().await;
        let mut remembered = None;
        // On PostgreSQL a node trusts its memory once it hears the others, and until it has not for a moment: whatever
        // keeps this machine from its work for so long has it read what is not there any more.
        until("the node answers by what it remembers", async || {
            let tokens = server.tokens("alice", &client, "DEVICE0001").await;
            let other = server.tokens("alice", &client, "DEVICE0002").await;
            until("the node trusts its memory", async || {
                let now = server.app.clock.now();
                let (one, two) = tokio::join!(
                    tokens::find_active(&server.app, &tokens.access, now),
                    tokens::find_active(&server.app, &tokens.access, now),
                );
                let again = tokens::find_active(&server.app, &tokens.access, now).await.unwrap().unwrap();
                let (one, two) = (one.unwrap().unwrap(), two.unwrap().unwrap());
                std::sync::Arc::ptr_eq(&again, &one) || std::sync::Arc::ptr_eq(&again, &two)
            }).await;
            assert!(server.is_active(&tokens.access).await && server.is_active(&other.access).await);
            remove_rows(&server.app.store).await;
            let mut tx = server.app.store.begin().await.unwrap();
            users::lock(&mut tx, alice.id, server.app.clock.now()).await.unwrap();
            // What is rolled back is not announced.
            drop(tx);
            let is_good = server.is_active(&tokens.access).await;
            remembered = Some((tokens, other));
            is_good
        }).await;
        let (tokens, other) = remembered.unwrap();
        server.post("/oauth2/revoke", &[("token", &other.access)]).await;
        assert!(!server.is_active(&other.access).await, "seen by the very next call");
        let mut tx = server.app.store.begin().await.unwrap();
        users::lock(&mut tx, alice.id, server.app.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!server.is_active(&tokens.access).await, "seen by the very next call");
    }
}

#[tokio::test]
async fn another_node_hears_of_a_revocation_and_of_a_lock() {
    let server = Server::start(Engine::Postgres).await;
    let alice = server.user("alice").await;
    let client = server.client().await;
    let (node, router) = server.another_node().await;
    let one = server.tokens("alice", &client, "DEVICE0001").await;
    let two = server.tokens("alice", &client, "DEVICE0002").await;
    let now = server.app.clock.now();
    until("the other node trusts its memory", async || {
        let first = tokens::find_active(&node, &one.access, now).await.unwrap().unwrap();
        let again = tokens::find_active(&node, &one.access, now).await.unwrap().unwrap();
        std::sync::Arc::ptr_eq(&first, &again)
    })
    .await;
    assert!(is_active_at(&server, &router, &two.access).await);
    server.post("/oauth2/revoke", &[("token", &one.access)]).await;
    until("the other node hears of the revocation", async || {
        !is_active_at(&server, &router, &one.access).await
    })
    .await;
    assert!(is_active_at(&server, &router, &two.access).await);
    let mut tx = server.app.store.begin().await.unwrap();
    users::lock(&mut tx, alice.id, now).await.unwrap();
    tx.commit().await.unwrap();
    until("the other node hears of the lock", async || !is_active_at(&server, &router, &two.access).await)
        .await;
}
