//! Refreshing (RFC 6749 §6; Matrix CS API, Refresh token grant and Refreshing access tokens): a client
//! that loses an answer goes on, and one whose token was stolen is signed out.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::accounts::users;
use gatehouse::keys::{Family, TokenKind};
use gatehouse::store::query;
use http::StatusCode;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;

use crate::support::server::{
    Answer, Engine, Server, Tokens, code_form, form_request, matrix_scope, on_both_engines, send_to,
};

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// A server on which alice has signed in with a client: its `client_id` and first tokens.
async fn signed_in(engine: Engine) -> (Server, String, Tokens) {
    let server = Server::start(engine).await;
    server.user("alice").await;
    let client = server.client().await;
    let tokens = server.tokens("alice", &client, "DEVICE0001").await;
    (server, client, tokens)
}

/// The pair of a refresh that must succeed.
async fn refreshed(server: &Server, client: &str, refresh_token: &str) -> Tokens {
    pair(server.refresh(client, refresh_token).await)
}

fn pair(answer: Answer) -> Tokens {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    Tokens::from(answer.json())
}

/// The client shall come back: nothing that it could take for the end of its session.
fn assert_later(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text());
    assert_eq!(answer.error(), "temporarily_unavailable");
    let seconds: u64 = answer.header(RETRY_AFTER).parse().expect("Retry-After in seconds");
    assert!((1..=3600).contains(&seconds));
}

/// The session is over: the one answer that makes every client sign out.
fn assert_over(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    assert_eq!(answer.error(), "invalid_grant");
}

async fn ended_for(server: &Server, reason: &str) -> i64 {
    const COUNT: &str = "SELECT COUNT(*) AS n FROM client_sessions WHERE end_reason = $1";
    query(COUNT).bind(reason).fetch_one(&server.app.store).await.expect("a count")
}

on_both_engines! {
    async fn a_refresh_gives_a_new_pair_for_the_same_session_and_device(engine: Engine) {
        let (server, client, first) = signed_in(engine).await;
        let before = server.introspect(&first.access).await;
        server.advance(SECOND);
        let second = refreshed(&server, &client, &first.refresh).await;
        assert_eq!(second.answer["token_type"], "Bearer");
        assert_eq!(second.answer["expires_in"], json!(300));
        assert_eq!(second.answer["scope"], first.answer["scope"]);
        assert_eq!(BTreeSet::from([&first.access, &first.refresh, &second.access, &second.refresh]).len(), 4);
        let after = server.introspect(&second.access).await;
        for same in ["sub", "username", "device_id", "client_id", "scope"] {
            assert_eq!(before[same], after[same]);
        }
    }

    async fn a_refresh_works_while_the_homeserver_is_gone_since_it_is_not_asked(engine: Engine) {
        let (mut server, client, first) = signed_in(engine).await;
        server.homeserver.forget_calls();
        let second = refreshed(&server, &client, &first.refresh).await;
        server.run_jobs().await;
        assert!(server.homeserver.calls().is_empty());
        server.homeserver.go_down().await;
        refreshed(&server, &client, &second.refresh).await;
    }

    async fn a_lost_answer_is_answered_again_with_the_same_pair(engine: Engine) {
        let (server, client, first) = signed_in(engine).await;
        let lost = refreshed(&server, &client, &first.refresh).await;
        server.advance(10 * SECOND);
        let again = refreshed(&server, &client, &first.refresh).await;
        assert_eq!((&again.access, &again.refresh), (&lost.access, &lost.refresh));
        assert_eq!(again.answer["expires_in"], json!(290));
        assert!(server.is_active(&again.access).await);
        refreshed(&server, &client, &lost.refresh).await;
    }

    async fn a_lost_answer_is_answered_again_after_a_restart(engine: Engine) {
        let (server, client, first) = signed_in(engine).await;
        let lost = refreshed(&server, &client, &first.refresh).await;
        let server = server.restart().await;
        let again = refreshed(&server, &client, &first.refresh).await;
        assert_eq!((&again.access, &again.refresh), (&lost.access, &lost.refresh));
        assert!(server.is_active(&again.access).await);
    }

    async fn a_pair_that_waited_a_minute_is_answered_with_a_fresh_access_token(engine: Engine) {
        let (server, client, first) = signed_in(engine).await;
        let lost = refreshed(&server, &client, &first.refresh).await;
        server.advance(60 * SECOND);
        let again = refreshed(&server, &client, &first.refresh).await;
        assert_eq!(again.answer["expires_in"], json!(300));
        assert_ne!(again.access, lost.access);
        assert!(!server.is_active(&lost.access).await, "the one that was never used is gone");
        assert!(server.is_active(&again.access).await);
        // Whoever kept the first answer can go on all the same.
        assert_eq!(again.refresh, lost.refresh);
        refreshed(&server, &client, &lost.refresh).await;
    }

    async fn the_first_use_of_the_new_access_token_retires_the_old_refresh_token(engine: Engine) {
        let (server, client, first) = signed_in(engine).await;
        let second = refreshed(&server, &client, &first.refresh).await;
        assert!(server.is_active(&second.access).await);
        assert_later(&server.refresh(&client, &first.refresh).await);
        assert!(server.is_active(&second.access).await, "nothing is harmed");
        refreshed(&server, &client, &second.refresh).await;
    }

    async fn the_first_use_of_the_new_refresh_token_retires_the_old_one(engine: Engine) {
        let (server, client, first) = signed_in(engine).await;
        let second = refreshed(&server, &client, &first.refresh).await;
        let third = refreshed(&server, &client, &second.refresh).await;
        assert_later(&server.refresh(&client, &first.refresh).await);
        let again = refreshed(&server, &client, &second.refresh).await;
        assert_eq!((&again.access, &again.refresh), (&third.access, &third.refresh));
    }

    async fn userinfo_counts_as_the_first_use_too(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let first = server.tokens_for("alice", &client, "openid").await;
        let second = refreshed(&server, &client, &first.refresh).await;
        let bearer = format!("Bearer {}", second.access);
        let answer = server.post_with("/oauth2/userinfo", &[(AUTHORIZATION, &bearer)], &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_later(&server.refresh(&client, &first.refresh).await);
    }

    async fn a_straggler_within_half_a_minute_harms_nothing(engine: Engine) {
        let (server, client, first) = signed_in(engine).await;
        let second = refreshed(&server, &client, &first.refresh).await;
        assert!(server.is_active(&second.access).await);
        server.advance(30 * SECOND - MILLISECOND);
        assert_later(&server.refresh(&client, &first.refresh).await);
        assert!(server.is_active(&second.access).await);
        refreshed(&server, &client, &second.refresh).await;
        assert_eq!(ended_for(&server, "refresh_token_reused").await, 0);
    }

    async fn an_old_refresh_token_after_half_a_minute_ends_the_session(engine: Engine) {
        let (server, client, first) = signed_in(engine).await;
        let second = refreshed(&server, &client, &first.refresh).await;
        assert!(server.is_active(&second.access).await);
        server.advance(30 * SECOND);
        assert_over(&server.refresh(&client, &first.refresh).await);
        assert_eq!(ended_for(&server, "refresh_token_reused").await, 1);
        for access in [&first.access, &second.access] {
            assert!(!server.is_active(access).await);
        }
        assert_over(&server.refresh(&client, &second.refresh).await);
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"], "the answer does not wait for this");
        server.run_jobs().await;
        assert!(server.homeserver.devices("alice").is_empty());
    }

    async fn a_refresh_token_from_long_ago_still_ends_the_session(engine: Engine) {
        let (server, client, first) = signed_in(engine).await;
        let mut last = first.clone();
        for _ in 0..5 {
            server.advance(400 * SECOND);
            last = refreshed(&server, &client, &last.refresh).await;
            assert!(server.is_active(&last.access).await);
            gatehouse::work::sweep(&server.app).await.unwrap();
        }
        server.advance(40 * SECOND);
        assert_over(&server.refresh(&client, &first.refresh).await);
        assert!(!server.is_active(&last.access).await);
    }

    async fn the_old_access_token_lives_until_its_own_end(engine: Engine) {
        let (server, client, first) = signed_in(engine).await;
        server.advance(100 * SECOND);
        let second = refreshed(&server, &client, &first.refresh).await;
        assert!(server.is_active(&first.access).await, "before the successor is used");
        assert!(server.is_active(&second.access).await);
        assert!(server.is_active(&first.access).await, "and after");
        server.advance(200 * SECOND - MILLISECOND);
        assert!(server.is_active(&first.access).await);
        server.advance(MILLISECOND);
        assert!(!server.is_active(&first.access).await);
        assert!(server.is_active(&second.access).await);
    }

    async fn parallel_refreshes_with_one_token_all_get_the_one_live_pair(engine: Engine) {
        let (server, client, first) = signed_in(engine).await;
        let requests = (0..50).map(|_| server.refresh(&client, &first.refresh));
        let pairs: Vec<Tokens> = join_all(requests).await.into_iter().map(pair).collect();
        let different: BTreeSet<_> = pairs.iter().map(|pair| (&pair.access, &pair.refresh)).collect();
        assert_eq!(different.len(), 1, "one live chain");
        assert!(server.is_active(&pairs[0].access).await);
        refreshed(&server, &client, &pairs[0].refresh).await;
    }

    async fn refreshes_race_with_the_first_use_and_nobody_is_signed_out(engine: Engine) {
        let (server, client, mut last) = signed_in(engine).await;
        for _ in 0..10 {
            server.advance(35 * SECOND);
            let next = refreshed(&server, &client, &last.refresh).await;
            let (old, new, used) = tokio::join!(
                join_all((0..3).map(|_| server.refresh(&client, &last.refresh))),
                server.refresh(&client, &next.refresh),
                join_all((0..5).map(|_| server.is_active(&next.access))),
            );
            assert!(used.iter().all(|is_active| *is_active), "several workers ask at once");
            for answer in &old {
                match answer.status {
                    StatusCode::OK => assert_eq!(pair(answer.clone()).refresh, next.refresh),
                    _ => assert_later(answer),
                }
            }
            last = pair(new);
            assert!(server.is_active(&last.access).await);
        }
        assert_eq!(ended_for(&server, "refresh_token_reused").await, 0);
    }

    async fn fifty_sessions_refresh_twice_at_once_and_each_ends_with_one_live_chain(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let mut browser = server.signed_in("alice").await;
        let mut sessions = Vec::new();
        for device in 0..50 {
            let code = browser.code(&client, &matrix_scope(&format!("DEVICE{device}"))).await;
            sessions.push(pair(server.post("/oauth2/token", &code_form(&client, &code)).await));
        }
        let both = join_all(sessions.iter().map(async |tokens| {
            tokio::join!(server.refresh(&client, &tokens.refresh), server.refresh(&client, &tokens.refresh))
        }));
        for (one, other) in both.await {
            let (one, other) = (pair(one), pair(other));
            assert_eq!((&one.access, &one.refresh), (&other.access, &other.refresh));
            assert!(server.is_active(&one.access).await);
        }
    }

    async fn a_locked_account_is_told_to_come_back_and_works_again_when_unlocked(engine: Engine) {
        let (server, client, first) = signed_in(engine).await;
        let second = refreshed(&server, &client, &first.refresh).await;
        assert!(server.is_active(&second.access).await);
        server.advance(40 * SECOND);
        set_standing(&server, async |tx, id, now| users::lock(tx, id, now).await).await;
        assert_later(&server.refresh(&client, &second.refresh).await);
        assert_later(&server.refresh(&client, &first.refresh).await);
        assert!(!server.is_active(&second.access).await);
        set_standing(&server, async |tx, id, now| users::unlock(tx, id, now).await).await;
        assert!(server.is_active(&second.access).await);
        refreshed(&server, &client, &second.refresh).await;
        server.run_jobs().await;
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);
    }

    async fn a_deactivated_account_is_over_and_stays_so_when_it_is_reactivated(engine: Engine) {
        let (server, client, first) = signed_in(engine).await;
        set_standing(&server, async |tx, id, now| users::deactivate(tx, id, false, now).await).await;
        assert_over(&server.refresh(&client, &first.refresh).await);
        set_standing(&server, async |tx, id, now| users::reactivate(tx, id, now).await).await;
        assert_over(&server.refresh(&client, &first.refresh).await);
        assert!(!server.is_active(&first.access).await);
    }

    async fn whatever_is_not_the_clients_refresh_token_is_an_invalid_grant(engine: Engine) {
        let (server, client, first) = signed_in(engine).await;
        let other = server.client_with(json!({ "client_name": "Another app" })).await;
        let other = other["client_id"].as_str().unwrap();
        let code = server.signed_in("alice").await.code(&client, &matrix_scope("OTHER")).await;
        let (unknown, long) = (Family::new().random_token(TokenKind::Refresh), "x".repeat(10_000));
        let mut mistyped = first.refresh.clone();
        mistyped.pop();
        for wrong in [&first.access, &code, &unknown, &mistyped, &long, "syt_YWxpY2U_abc_123", "garbage", "\u{e9}"] {
            assert_over(&server.refresh(&client, wrong).await);
        }
        assert_over(&server.refresh(other, &first.refresh).await);
        refreshed(&server, &client, &first.refresh).await;
        assert!(server.is_active(&first.access).await, "the owner is not harmed by what others try");
    }

    async fn a_revoked_session_is_over(engine: Engine) {
        let (server, client, first) = signed_in(engine).await;
        let second = refreshed(&server, &client, &first.refresh).await;
        server.post("/oauth2/revoke", &[("token", &first.access), ("client_id", &client)]).await;
        for refresh in [&first.refresh, &second.refresh] {
            assert_over(&server.refresh(&client, refresh).await);
        }
    }

    async fn each_mistake_has_its_own_error_code(engine: Engine) {
        let (server, client, first) = signed_in(engine).await;
        let codes_only = server.client_with(json!({ "grant_types": ["authorization_code"] })).await;
        let codes_only = codes_only["client_id"].as_str().unwrap();
        let refresh = ("grant_type", "refresh_token");
        let (token, id) = (("refresh_token", first.refresh.as_str()), ("client_id", client.as_str()));
        let (bad, unauthorized) = (StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED);
        for (form, status, code) in [
            (vec![refresh, id], bad, "invalid_request"),
            (vec![refresh, id, ("refresh_token", "")], bad, "invalid_request"),
            (vec![refresh, id, token, token], bad, "invalid_request"),
            (vec![refresh, token], bad, "invalid_request"),
            (vec![id, token], bad, "invalid_request"),
            (vec![refresh, token, ("client_id", "unknown")], unauthorized, "invalid_client"),
            (vec![refresh, token, id, ("client_secret", "x")], unauthorized, "invalid_client"),
            (vec![("grant_type", "password"), id, token], bad, "unsupported_grant_type"),
            (vec![refresh, token, ("client_id", codes_only)], bad, "unauthorized_client"),
            (vec![refresh, token, id, ("scope", "openid")], bad, "invalid_scope"),
        ] {
            let answer = server.post("/oauth2/token", &form).await;
            assert_eq!((answer.status, answer.error().as_str()), (status, code), "{form:?}");
            assert_eq!(answer.header("cache-control"), "no-store");
            assert_eq!(answer.header("access-control-allow-origin"), "*");
        }
        assert_eq!(refreshed(&server, &client, &first.refresh).await.answer["expires_in"], 300);
    }

    async fn a_narrower_scope_is_accepted_and_a_wider_one_spends_nothing(engine: Engine) {
        let (server, client, first) = signed_in(engine).await;
        let ask = async |scope: &str| {
            let form = [
                ("grant_type", "refresh_token"), ("refresh_token", &first.refresh), ("client_id", &client), ("scope", scope),
            ];
            server.post("/oauth2/token", &form).await
        };
        for wider in ["openid", "urn:matrix:client:device:ANOTHER", "urn:synapse:admin:*", "fridge"] {
            assert_eq!(ask(wider).await.error(), "invalid_scope");
        }
        let unstable = "urn:matrix:org.matrix.msc2967.client:api:*  urn:matrix:org.matrix.msc2967.client:device:DEVICE0001";
        for narrower in ["urn:matrix:client:api:*", unstable, &matrix_scope("DEVICE0001")] {
            let tokens = pair(ask(narrower).await);
            assert_eq!(tokens.answer["scope"], matrix_scope("DEVICE0001"), "the API and its device stay");
        }
    }

    async fn administration_ends_with_the_right_to_it(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        set_standing(&server, async |tx, id, now| users::set_admin(tx, id, true, now).await.map(drop)).await;
        let client = server.client().await;
        let scope = |device| format!("{} urn:synapse:admin:*", matrix_scope(device));
        let first = server.tokens_for("alice", &client, &scope("DEVICE0001")).await;
        assert!(server.introspect(&first.access).await["scope"].as_str().unwrap().contains("urn:synapse:admin:*"));
        let code = server.signed_in("alice").await.code(&client, &scope("DEVICE0002")).await;
        set_standing(&server, async |tx, id, now| users::set_admin(tx, id, false, now).await.map(drop)).await;
        assert!(!server.is_active(&first.access).await);
        assert_over(&server.refresh(&client, &first.refresh).await);
        let late = server.post("/oauth2/token", &code_form(&client, &code)).await;
        assert_eq!((late.status, late.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"), "a code from before");
    }

    async fn too_many_wrong_secrets_are_503_on_a_refresh_and_never_429(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let registered = server.client_with(json!({ "token_endpoint_auth_method": "client_secret_post" })).await;
        let client = registered["client_id"].as_str().unwrap();
        let secret = registered["client_secret"].as_str().unwrap();
        let code = server.signed_in("alice").await.code(client, &matrix_scope("DEVICE0001")).await;
        let mut form = code_form(client, &code).to_vec();
        form.push(("client_secret", secret));
        let first = pair(server.post("/oauth2/token", &form).await);
        let refresh = async |secret: &str| {
            let form = [
                ("grant_type", "refresh_token"), ("refresh_token", &first.refresh), ("client_id", client),
                ("client_secret", secret),
            ];
            server.post("/oauth2/token", &form).await
        };
        let mut answer = refresh("wrong").await;
        while answer.status == StatusCode::UNAUTHORIZED {
            assert_eq!(answer.error(), "invalid_client");
            answer = refresh("wrong").await;
        }
        assert_later(&answer);
        assert_later(&refresh(secret).await);
        server.advance(Duration::from_secs(3600));
        pair(refresh(secret).await);
    }

    async fn an_idle_session_ends_to_the_second_and_its_device_with_it(engine: Engine) {
        let server = Server::start_with(engine, |config| config.sessions.client_idle_seconds = Some(3600)).await;
        server.user("alice").await;
        let client = server.client().await;
        let first = server.tokens("alice", &client, "DEVICE0001").await;
        server.advance(3600 * SECOND - MILLISECOND);
        gatehouse::work::sweep(&server.app).await.unwrap();
        let second = refreshed(&server, &client, &first.refresh).await;
        assert!(server.is_active(&second.access).await);
        server.advance(3600 * SECOND);
        assert_over(&server.refresh(&client, &second.refresh).await);
        assert_eq!(ended_for(&server, "expired").await, 1);
        server.run_jobs().await;
        assert!(server.homeserver.devices("alice").is_empty());
    }

    async fn the_sweep_ends_idle_sessions_that_nobody_asks_about(engine: Engine) {
        let server = Server::start_with(engine, |config| config.sessions.client_idle_seconds = Some(3600)).await;
        server.user("alice").await;
        let client = server.client().await;
        server.tokens("alice", &client, "DEVICE0001").await;
        server.advance(3600 * SECOND);
        gatehouse::work::sweep(&server.app).await.unwrap();
        server.run_jobs().await;
        assert_eq!(ended_for(&server, "expired").await, 1);
        assert!(server.homeserver.devices("alice").is_empty());
    }

    async fn a_session_in_use_ends_at_its_absolute_limit(engine: Engine) {
        let server = Server::start_with(engine, |config| config.sessions.client_absolute_seconds = Some(1000)).await;
        server.user("alice").await;
        let client = server.client().await;
        let mut last = server.tokens("alice", &client, "DEVICE0001").await;
        for _ in 0..4 {
            server.advance(200 * SECOND);
            last = refreshed(&server, &client, &last.refresh).await;
            assert!(server.is_active(&last.access).await);
        }
        server.advance(200 * SECOND - MILLISECOND);
        last = refreshed(&server, &client, &last.refresh).await;
        server.advance(MILLISECOND);
        assert_over(&server.refresh(&client, &last.refresh).await);
        assert!(!server.is_active(&last.access).await);
    }
}

/// Changes alice's standing in a transaction of its own.
async fn set_standing(
    server: &Server,
    change: impl AsyncFnOnce(
        &mut gatehouse::store::Tx,
        gatehouse::ids::UserId,
        gatehouse::time::Timestamp,
    ) -> Result<(), gatehouse::store::Error>,
) {
    let alice = users::find_by_localpart(&server.app.store, "alice").await.unwrap().expect("alice");
    let mut tx = server.app.store.begin().await.unwrap();
    change(&mut tx, alice.id, server.app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn two_nodes_give_the_same_answer_and_keep_one_chain() {
    let (server, client, first) = signed_in(Engine::Postgres).await;
    let (_, other) = server.another_node().await;
    let form =
        [("grant_type", "refresh_token"), ("refresh_token", &first.refresh), ("client_id", client.as_str())];
    let requests = (0..20).map(async |number| match number % 2 {
        0 => server.post("/oauth2/token", &form).await,
        _ => send_to(&other, form_request("/oauth2/token", &[], &form)).await,
    });
    let pairs: Vec<Tokens> = join_all(requests).await.into_iter().map(pair).collect();
    let different: BTreeSet<_> = pairs.iter().map(|pair| (&pair.access, &pair.refresh)).collect();
    assert_eq!(different.len(), 1);
    assert!(server.is_active(&pairs[0].access).await);
    assert_later(&send_to(&other, form_request("/oauth2/token", &[], &form)).await);
}

/// What may happen to a session; the numbers choose one of the tokens known by then.
#[derive(Clone, Debug)]
enum Step {
    Refresh(prop::sample::Index),
    Use(prop::sample::Index),
    Wait(u64),
    Sweep,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => any::<prop::sample::Index>().prop_map(Step::Refresh),
        6 => any::<prop::sample::Index>().prop_map(Step::Use),
        5 => prop::sample::select(vec![1, 29, 31, 59, 61, 299, 301]).prop_map(Step::Wait),
        1 => Just(Step::Sweep),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..40)
}

/// The rules in their shortest form. Moments are seconds; tokens are places in the lists.
struct Model {
    now: u64,
    is_live: bool,
    refresh: Vec<String>,
    access: Vec<(String, u64)>,
    confirmed: usize,
    confirmed_at: u64,
    /// Refresh token, access token, and when they were issued.
    pending: Option<(usize, usize, u64)>,
}

#[derive(Debug, PartialEq)]
enum Expected {
    SamePair(usize, usize),
    NewAccessBeside(usize),
    NewPair,
    Later,
    Over,
}

impl Model {
    fn refresh(&mut self, token: usize) -> Expected {
        let pending = self.pending;
        match pending {
            _ if !self.is_live => Expected::Over,
            Some((refresh, access, issued_at)) if token == self.confirmed => {
                if self.now - issued_at < 60 {
                    return Expected::SamePair(refresh, access);
                }
                self.access[access].1 = 0;
                Expected::NewAccessBeside(refresh)
            }
            None if token == self.confirmed => Expected::NewPair,
            Some((refresh, ..)) if token == refresh => {
                (self.confirmed, self.confirmed_at) = (token, self.now);
                Expected::NewPair
            }
            _ if self.now - self.confirmed_at < 30 => Expected::Later,
            _ => {
                self.is_live = false;
                Expected::Over
            }
        }
    }

    fn is_active(&mut self, token: usize) -> bool {
        let is_active = self.is_live && self.now < self.access[token].1;
        if let Some((refresh, access, _)) = self.pending
            && is_active
            && access == token
        {
            (self.confirmed, self.confirmed_at, self.pending) = (refresh, self.now, None);
        }
        is_active
    }

    /// Takes note of an answer and checks that it is the expected one.
    fn learn(&mut self, expected: Expected, answer: Answer) {
        match expected {
            Expected::Later => return assert_later(&answer),
            Expected::Over => return assert_over(&answer),
            _ => {}
        }
        let tokens = pair(answer);
        if let Expected::SamePair(refresh, access) = expected {
            assert_eq!((&self.refresh[refresh], &self.access[access].0), (&tokens.refresh, &tokens.access));
            return;
        }
        assert!(self.access.iter().all(|(known, _)| *known != tokens.access));
        self.access.push((tokens.access, self.now + 300));
        let refresh = match expected {
            Expected::NewAccessBeside(refresh) => {
                assert_eq!(self.refresh[refresh], tokens.refresh);
                refresh
            }
            _ => {
                assert!(!self.refresh.contains(&tokens.refresh));
                self.refresh.push(tokens.refresh);
                self.refresh.len() - 1
            }
        };
        self.pending = Some((refresh, self.access.len() - 1, self.now));
    }
}

async fn follows_the_model(mut server: Server, client: &str, device: usize, steps: Vec<Step>) -> Server {
    let device = format!("DEVICE{device}");
    let first = server.tokens("alice", client, &device).await;
    let mut model = Model {
        now: 0,
        is_live: true,
        refresh: vec![first.refresh],
        access: vec![(first.access, 300)],
        confirmed: 0,
        confirmed_at: 0,
        pending: None,
    };
    for step in steps {
        match step {
            Step::Refresh(index) => {
                let token = index.index(model.refresh.len());
                let answer = server.refresh(client, &model.refresh[token]).await;
                let expected = model.refresh(token);
                model.learn(expected, answer);
            }
            Step::Use(index) => {
                let token = index.index(model.access.len());
                let is_active = server.is_active(&model.access[token].0).await;
                assert_eq!(is_active, model.is_active(token), "{}", model.access[token].0);
            }
            Step::Wait(seconds) => {
                server.advance(Duration::from_secs(seconds));
                model.now += seconds;
            }
            Step::Sweep => gatehouse::work::sweep(&server.app).await.unwrap(),
            Step::Restart => server = server.restart().await,
        }
    }
    server.run_jobs().await;
    assert_eq!(server.homeserver.devices("alice").contains(&device), model.is_live);
    server
}

fn any_order_of_events_follows_the_rules(engine: Engine) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(async {
        let server = Server::start(engine).await;
        server.user("alice").await;
        server
    });
    let client = runtime.block_on(server.client());
    let (server, devices) = (RefCell::new(Some(server)), RefCell::new(0));
    let config = ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() };
    let checked = TestRunner::new(config).run(&steps(), |steps| {
        *devices.borrow_mut() += 1;
        let running = server.take().expect("the server of the case before");
        // Sign-ins are limited, and each case needs one.
        running.advance(Duration::from_secs(60));
        let running = runtime.block_on(follows_the_model(running, &client, *devices.borrow(), steps));
        server.replace(Some(running));
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn any_order_of_events_follows_the_rules_on_sqlite() {
    any_order_of_events_follows_the_rules(Engine::Sqlite);
}

#[test]
fn any_order_of_events_follows_the_rules_on_postgres() {
    any_order_of_events_follows_the_rules(Engine::Postgres);
}
