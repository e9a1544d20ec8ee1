//! On PostgreSQL what it says of a commit is held back: no answer of ours comes before.

use std::fmt::Debug;
use std::time::Duration;

use gatehouse::config::{Config, Secret};
use sqlx::{Connection, PgConnection};

use super::proxy::Proxy;
use crate::support::postgres;
use crate::support::server::{Engine, Server, Tokens, authorization_query, code_form, matrix_scope};

/// Whoever answers too early does so within this.
const EARLY: Duration = Duration::from_millis(200);

/// Asks PostgreSQL itself whether that is so: a count.
async fn is_so(direct: &mut PgConnection, sql: &'static str) -> bool {
    sqlx::query_scalar::<_, i64>(sql).fetch_one(direct).await.expect("a count") > 0
}

/// Waits for an answer while each word of PostgreSQL about a commit is kept back for a while: at some moment
/// the database has it committed and we have not heard so, and at no such moment there is an answer.
async fn answered_after<A: Debug>(
    proxy: &Proxy,
    direct: &mut PgConnection,
    committed: &'static str,
    request: impl Future<Output = A>,
) -> A {
    assert!(!is_so(direct, committed).await, "{committed}");
    proxy.keep();
    let mut request = Box::pin(request);
    let mut was_kept = false;
    let answer = loop {
        tokio::select! {
            answer = &mut request => break answer,
            () = proxy.until_kept() => {}
        }
        was_kept |= is_so(direct, committed).await;
        let early = tokio::time::timeout(EARLY, &mut request).await;
        assert!(early.is_err(), "answered before PostgreSQL was heard: {early:?}");
        proxy.let_one_go();
    };
    assert!(was_kept, "answered, and never committed: {committed}");
    let late = tokio::time::timeout(EARLY, proxy.until_kept()).await;
    assert!(late.is_err(), "something is committed after the answer");
    proxy.release();
    answer
}

#[tokio::test]
async fn on_postgres_consent_code_and_first_use_are_answered_after_their_commits() {
    const CONSENTED: &str = "SELECT COUNT(*) FROM consents";
    const EXCHANGED: &str = "
SELECT COUNT(*) FROM spent_codes AS c JOIN client_sessions AS s ON s.id = c.client_session_id
JOIN access_tokens AS t ON t.session_id = s.id";
    const REFRESHED: &str = "SELECT COUNT(*) FROM client_sessions WHERE pending_refresh_digest IS NOT NULL";
    const USED: &str = "
SELECT COUNT(*) FROM client_sessions WHERE pending_refresh_digest IS NULL AND refresh_confirmed_at > created_at";
    let uri = postgres::fresh_database().await;
    let proxy = Proxy::start(&uri);
    let proxied = proxy.uri(&uri);
    let change = |config: &mut Config| config.database.uri = Some(Secret::new(proxied));
    let server = Server::start_with(Engine::Postgres, change).await;
    let mut direct = PgConnection::connect(&uri).await.expect("a connection");
    server.user("alice").await;
    let client = server.client().await;
    let mut browser = server.signed_in("alice").await;

    let query = authorization_query(&client, &matrix_scope("DEVICE0001"), &[]);
    let (path, page) = browser.ask(&query).await;
    let csrf = page.field("csrf");
    let form = [("csrf", csrf.as_str()), ("answer", "approve")];
    let back = answered_after(&proxy, &mut direct, CONSENTED, browser.post(&path, &form)).await;
    let code = back.query_parameter("code").expect("a code");

    let form = code_form(&client, &code);
    let answer = answered_after(&proxy, &mut direct, EXCHANGED, server.post("/oauth2/token", &form)).await;
    let first = Tokens::from(answer.json());

    server.advance(Duration::from_secs(1));
    let refreshing = server.refresh(&client, &first.refresh);
    let second = answered_after(&proxy, &mut direct, REFRESHED, refreshing).await;
    let second = Tokens::from(second.json());
    server.advance(Duration::from_secs(1));
    assert!(answered_after(&proxy, &mut direct, USED, server.is_active(&second.access)).await);
}

#[tokio::test]
async fn on_postgres_nothing_is_acknowledged_before_the_commit_is() {
    let uri = postgres::fresh_database().await;
    let proxy = Proxy::start(&uri);
    let proxied = proxy.uri(&uri);
    let change = |config: &mut Config| config.database.uri = Some(Secret::new(proxied));
    let server = Server::start_with(Engine::Postgres, change).await;
    server.user("alice").await;
    let client = server.client().await;
    let first = server.tokens("alice", &client, "DEVICE0001").await;

    proxy.keep();
    let mut refreshing = Box::pin(server.refresh(&client, &first.refresh));
    tokio::select! {
        answer = &mut refreshing => panic!("answered before PostgreSQL was heard: {answer:?}"),
        () = proxy.until_kept() => {}
    }
    let early = tokio::time::timeout(EARLY, &mut refreshing).await;
    assert!(early.is_err(), "{early:?}");
    proxy.release();
    let second = Tokens::from(refreshing.await.json());
    assert!(server.is_active(&second.access).await);

    // PostgreSQL has committed, and nobody hears of it: whatever is answered, the client can go on.
    proxy.keep();
    let mut refreshing = Box::pin(server.refresh(&client, &second.refresh));
    tokio::select! {
        answer = &mut refreshing => panic!("answered before PostgreSQL was heard: {answer:?}"),
        () = proxy.until_kept() => {}
    }
    proxy.cut();
    let answer = refreshing.await;
    let third = Tokens::from(server.refresh(&client, &second.refresh).await.json());
    match answer.status.as_u16() {
        // It has looked what became of it.
        200 => assert_eq!(Tokens::from(answer.json()).refresh, third.refresh),
        status => {
            assert_eq!((status, answer.error().as_str()), (503, "temporarily_unavailable"));
            assert_ne!(answer.header("retry-after"), "");
        }
    }
    assert!(server.is_active(&third.access).await);

    proxy.keep();
    let query = authorization_query(&client, &matrix_scope("DEVICE0002"), &[]);
    let asked: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let asked: Vec<(&str, &str)> =
        asked.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut pushing = Box::pin(server.post("/oauth2/par", &asked));
    tokio::select! {
        answer = &mut pushing => panic!("answered before PostgreSQL was heard: {answer:?}"),
        () = proxy.until_kept() => {}
    }
    proxy.cut();
    let answer = pushing.await;
    assert!([201, 503].contains(&answer.status.as_u16()), "{}", answer.text());

    // A revocation is always a transaction of several statements.
    proxy.keep();
    let revoking = [("token", third.access.as_str())];
    let mut revoking = Box::pin(server.post("/oauth2/revoke", &revoking));
    tokio::select! {
        answer = &mut revoking => panic!("answered before PostgreSQL was heard: {answer:?}"),
        () = proxy.until_kept() => {}
    }
    proxy.cut();
    assert_eq!(revoking.await.status, 503, "nobody knows whether it was done");
    assert_eq!(server.post("/oauth2/revoke", &[("token", &third.access)]).await.status, 200);
    assert!(!server.is_active(&third.access).await);
}
