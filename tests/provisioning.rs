//! What the homeserver is told of accounts, and what it means for them that it was told.

use std::time::Duration;

use gatehouse::accounts;
use gatehouse::accounts::users::{self, User};
use gatehouse::http::requester::Requester;
use gatehouse::ids::{ClientId, DeviceId};
use gatehouse::jobs;
use gatehouse::sessions::client::{self, NewClientSession};
use gatehouse::sessions::tokens::{self, Issue};
use gatehouse::store::{self, Tx, query};
use gatehouse::time::Timestamp;
use http::StatusCode;
use serde_json::json;
use tokio::time::timeout;

use crate::support::server::{
    Engine, Server, Tokens, authorization_query, code_form, matrix_scope, on_both_engines,
};

const SECOND: Duration = Duration::from_secs(1);

/// Changes an account as the command line or a page would, without running the jobs.
async fn change(
    server: &Server,
    user: &User,
    how: impl AsyncFnOnce(&mut Tx, &User, Timestamp) -> Result<(), store::Error>,
) {
    let mut tx = server.app.store.begin().await.unwrap();
    how(&mut tx, user, server.app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    server.advance(Duration::from_millis(1));
}

async fn lock(server: &Server, user: &User) {
    change(server, user, async |tx, user, now| users::lock(tx, user.id, now).await).await;
}

async fn unlock(server: &Server, user: &User) {
    change(server, user, async |tx, user, now| users::unlock(tx, user.id, now).await).await;
}

async fn waiting(server: &Server) -> i64 {
    query("SELECT COUNT(*) AS n FROM jobs").fetch_one(&server.app.store).await.unwrap()
}

on_both_engines! {
    async fn a_new_account_reaches_the_homeserver_and_is_usable_only_then(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user_not_provisioned("alice").await;
        assert!(server.homeserver.user("alice").is_none() && alice.provisioned_at.is_none());
        server.run_jobs().await;
        assert!(!server.homeserver.user("alice").unwrap().is_locked);
        let alice = users::find(&server.app.store, alice.id).await.unwrap().unwrap();
        assert_eq!(alice.provisioned_at, Some(server.app.clock.now()));
        assert_eq!(server.homeserver.calls_of("provision_user")[0].given, json!({ "localpart": "alice", "locked": false }));
        assert_eq!(waiting(&server).await, 0);
    }

    async fn locking_and_unlocking_reach_the_homeserver(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        lock(&server, &alice).await;
        server.run_jobs().await;
        assert!(server.homeserver.user("alice").unwrap().is_locked);
        unlock(&server, &alice).await;
        server.run_jobs().await;
        assert!(!server.homeserver.user("alice").unwrap().is_locked);
    }

    async fn deactivation_reaches_the_homeserver_with_the_wish_to_erase(engine: Engine) {
        let server = Server::start(engine).await;
        for (name, erase) in [("alice", false), ("bob", true)] {
            let user = server.user(name).await;
            change(&server, &user, async |tx, user, now| users::deactivate(tx, user.id, erase, now).await).await;
            server.run_jobs().await;
            let there = server.homeserver.user(name).unwrap();
            assert_eq!((there.is_deactivated, there.is_erased), (true, erase));
            change(&server, &user, async |tx, user, now| users::reactivate(tx, user.id, now).await).await;
            server.run_jobs().await;
            assert!(!server.homeserver.user(name).unwrap().is_deactivated);
        }
    }

    async fn a_deactivation_that_was_taken_back_before_it_was_told_is_never_told(engine: Engine) {
        let mut server = Server::start(engine).await;
        let alice = server.user("alice").await;
        server.homeserver.go_down().await;
        change(&server, &alice, async |tx, user, now| users::deactivate(tx, user.id, true, now).await).await;
        server.run_jobs().await;
        change(&server, &alice, async |tx, user, now| users::reactivate(tx, user.id, now).await).await;
        server.homeserver.come_back().await;
        server.advance(3600 * SECOND);
        server.run_jobs().await;
        assert!(server.homeserver.calls_of("delete_user").is_empty());
        assert_eq!(waiting(&server).await, 0);
    }

    async fn a_wrong_shared_secret_says_what_to_compare_and_is_tried_again(engine: Engine) {
        let server = Server::start(engine).await;
        let right = server.homeserver.secret();
        server.homeserver.set_secret("another secret");
        server.user_not_provisioned("alice").await;
        for _ in 0..12 {
            server.run_jobs().await;
            server.advance(600 * SECOND);
        }
        let backlog = jobs::backlog(&server.app).await.unwrap();
        assert_eq!((backlog.retrying, backlog.given_up), (1, 0));
        let said = backlog.last_error.unwrap();
        assert!(said.contains("compare homeserver.secret here with matrix_authentication_service.secret there"));
        assert!(!said.contains(&right));
        server.homeserver.set_secret(&right);
        server.run_jobs().await;
        assert!(server.homeserver.user("alice").is_some());
    }

    async fn who_signs_in_before_the_homeserver_was_told_is_told_first(engine: Engine) {
        let mut server = Server::start(engine).await;
        server.user_not_provisioned("alice").await;
        let client = server.client().await;
        server.homeserver.go_down().await;
        let mut browser = server.signed_in("alice").await;
        let query = authorization_query(&client, &matrix_scope("DEVICE0001"), &[]);
        let (path, page) = browser.ask(&query).await;
        let answer = browser.post(&path, &[("csrf", &page.field("csrf")), ("answer", "approve")]).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.text().contains(&path), "the page leads back to the request");
        let cookies = browser.cookies.clone();
        server.homeserver.come_back().await;
        let mut browser = server.browser();
        browser.cookies = cookies;
        let code = browser.code(&client, &matrix_scope("DEVICE0001")).await;
        let tokens = Tokens::from(server.post("/oauth2/token", &code_form(&client, &code)).await.json());
        assert!(server.is_active(&tokens.access).await);
        let order: Vec<_> = server.homeserver.calls().into_iter().map(|call| call.endpoint).collect();
        assert_eq!(order, ["provision_user", "upsert_device"]);
    }

    async fn tokens_wait_for_the_device_and_the_code_for_another_try(engine: Engine) {
        let mut server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let code = server.signed_in("alice").await.code(&client, &matrix_scope("DEVICE0001")).await;
        server.homeserver.go_down().await;
        let form = code_form(&client, &code);
        let answer = server.post("/oauth2/token", &form).await;
        assert_eq!((answer.status, answer.error().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"));
        server.homeserver.come_back().await;
        let tokens = Tokens::from(server.post("/oauth2/token", &form).await.json());
        assert!(server.is_active(&tokens.access).await);
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);
    }

    async fn a_deactivated_account_loses_its_sessions_and_devices(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let client = server.client().await;
        for device in ["DEVICE0001", "DEVICE0002"] {
            server.tokens("alice", &client, device).await;
        }
        change(&server, &alice, async |tx, user, now| users::deactivate(tx, user.id, false, now).await).await;
        server.run_jobs().await;
        assert!(server.homeserver.devices("alice").is_empty());
        assert_eq!(waiting(&server).await, 0);
        let live = query("SELECT COUNT(*) AS n FROM client_sessions WHERE ended_at IS NULL");
        assert_eq!(live.fetch_one::<i64>(&server.app.store).await.unwrap(), 0);
    }

    async fn a_deactivation_waits_for_a_session_that_is_beginning_and_ends_it(engine: Engine) {
        let server = Server::start(engine).await;
        let (alice, client) = (server.user("alice").await, ClientId(server.client().await));
        let now = server.app.clock.now();
        let new = NewClientSession {
            user_id: Some(alice.id),
            client_id: Some(client),
            browser_session_id: None,
            scope: matrix_scope("DEVICE0001"),
            device_id: Some(DeviceId("DEVICE0001".to_owned())),
            authenticated_at: now,
            methods: gatehouse::methods::Methods::default(),
        };
        let issue = Issue {
            requester: &Requester::default(),
            root: server.app.keys.root(),
            lifetime: Duration::from_secs(300),
            limits: &server.config.sessions,
            now,
        };
        let mut tx = server.app.store.begin().await.unwrap();
        let (session, _) = tokens::start_session(&mut tx, &new, &issue).await.unwrap();
        assert!(users::is_still_active(&mut tx, alice.id, false).await.unwrap());
        let mut deactivating =
            Box::pin(change(&server, &alice, async |tx, user, now| users::deactivate(tx, user.id, false, now).await));
        let waited = timeout(Duration::from_millis(300), &mut deactivating).await;
        assert!(waited.is_err(), "nobody waited for the session");
        let (committed, ()) = tokio::join!(tx.commit(), deactivating);
        committed.unwrap();
        assert!(client::find(&server.app.store, session).await.unwrap().is_none(), "it has ended");

        let mut tx = server.app.store.begin().await.unwrap();
        tokens::start_session(&mut tx, &new, &issue).await.unwrap();
        assert!(!users::is_still_active(&mut tx, alice.id, false).await.unwrap(), "and none begins afterwards");
    }

    async fn two_who_tell_the_homeserver_of_one_person_at_the_same_moment_both_succeed(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user_not_provisioned("alice").await;
        server.homeserver.hold("provision_user 1");
        let (told, ()) = tokio::join!(accounts::jobs::provision(&server.app, &alice), async {
            server.homeserver.until_called("provision_user", 1).await;
            server.run_jobs().await;
            server.homeserver.release("provision_user 1");
        });
        told.unwrap();
        assert_eq!(server.homeserver.calls_of("provision_user").len(), 3, "once more, after a refusal");
    }

    async fn a_locked_account_keeps_its_devices(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let client = server.client().await;
        server.tokens("alice", &client, "DEVICE0001").await;
        lock(&server, &alice).await;
        server.run_jobs().await;
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);
    }
}
