//! What a node counts, as Prometheus reads it.

use std::collections::BTreeMap;

use axum::body::Body;
use gatehouse::scrape;
use http::header::AUTHORIZATION;
use http::{Request, StatusCode};

use crate::cluster::until;
use crate::support::factors::user_with_app;
use crate::support::server::{Engine, Server, code_form, on_both_engines, send_to};

/// Every sample, with its labels.
async fn scrape(server: &Server) -> BTreeMap<String, f64> {
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let answer = send_to(&scrape::router(server.app.clone()), request).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let text = answer.text();
    assert!(text.ends_with("# EOF\n"), "OpenMetrics 1.0, MetricSet: the end is told");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            (name.to_owned(), value.parse().expect("a number"))
        })
        .collect()
}

on_both_engines! {
    async fn what_happens_is_counted(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let before = scrape(&server).await;
        assert_eq!(before["gatehouse_refreshes_total{outcome=\"reused\"}"], 0.0, "told before it happens");

        assert_eq!(server.browser().sign_in("alice", "a wrong one", "/account/").await.status, 403);
        assert_eq!(server.browser().sign_in("nobody", "a wrong one", "/account/").await.status, 403);
        let tokens = server.tokens("alice", &client, "DEVICE").await;
        let wrong = code_form(&client, "wrong");
        assert_eq!(server.post("/oauth2/token", &wrong).await.status, 400);
        assert_eq!(server.post("/oauth2/token", &[("grant_type", "password")]).await.status, 400);
        assert_eq!(server.introspect(&tokens.access).await["active"], true);
        assert_eq!(server.introspect("mat_unknown").await["active"], false);
        let stranger = server.post_with("/oauth2/introspect", &[(AUTHORIZATION, "Bearer x")], &[("token", "x")]);
        assert_eq!(stranger.await.status, 401);
        let refreshed = server.refresh(&client, &tokens.refresh).await;
        assert_eq!(refreshed.status, 200);
        server.get(&format!("/{}", "x".repeat(30))).await;

        let after = scrape(&server).await;
        let grown = |name: &str| {
            let key = format!("gatehouse_{name}");
            after.get(&key).unwrap_or_else(|| panic!("{key} is not told: {after:#?}"))
                - before.get(&key).copied().unwrap_or_default()
        };
        for (name, by) in [
            ("sign_ins_total{method=\"password\",outcome=\"succeeded\"}", 1.0),
            ("sign_ins_total{method=\"password\",outcome=\"wrong\"}", 2.0),
            ("token_requests_total{grant=\"authorization_code\",outcome=\"granted\"}", 1.0),
            ("token_requests_total{grant=\"authorization_code\",outcome=\"invalid_grant\"}", 1.0),
            ("token_requests_total{grant=\"refresh_token\",outcome=\"granted\"}", 1.0),
            ("token_requests_total{grant=\"other\",outcome=\"unsupported_grant_type\"}", 1.0),
            ("refreshes_total{outcome=\"rotated\"}", 1.0),
            ("introspections_total{outcome=\"active\"}", 1.0),
            ("introspections_total{outcome=\"inactive\"}", 1.0),
            ("introspections_total{outcome=\"refused\"}", 1.0),
            ("homeserver_call_duration_seconds_count{call=\"upsert_device\",outcome=\"ok\"}", 1.0),
            ("http_request_duration_seconds_count{route=\"/oauth2/token\",status=\"2xx\"}", 2.0),
            ("http_request_duration_seconds_count{route=\"/oauth2/token\",status=\"4xx\"}", 2.0),
            // Whatever strangers ask for has one name.
            ("http_request_duration_seconds_count{route=\"other\",status=\"4xx\"}", 1.0),
        ] {
            assert_eq!(grown(name), by, "{name}");
        }
        for present in ["hashes_running", "hashes_waiting", "jobs_given_up", "jobs_waiting"] {
            assert_eq!(after[&format!("gatehouse_{present}")], 0.0, "{present}");
        }
        until("the node trusts its memory", async || {
            scrape(&server).await["gatehouse_memory_trusted"] == 1.0
        }).await;
    }

    async fn an_older_client_that_a_second_factor_keeps_out_is_no_success(engine: Engine) {
        let server = Server::start(engine).await;
        user_with_app(&server, "alice").await;
        server.user("bob").await;
        let count = async |outcome: &str| {
            scrape(&server).await[&format!("gatehouse_sign_ins_total{{method=\"password\",outcome=\"{outcome}\"}}")]
        };
        let before = (count("succeeded").await, count("refused").await);
        assert_eq!(server.log_in("alice", serde_json::json!({})).await.status, 403);
        assert_eq!((count("succeeded").await, count("refused").await), (before.0, before.1 + 1.0));
        assert_eq!(server.log_in("bob", serde_json::json!({})).await.status, 200);
        assert_eq!((count("succeeded").await, count("refused").await), (before.0 + 1.0, before.1 + 1.0));
        assert_eq!(count("wrong").await, 0.0);
    }

    async fn work_that_waits_and_work_that_is_done_are_told(engine: Engine) {
        let server = Server::start(engine).await;
        let client = server.client().await;
        server.user("alice").await;
        let tokens = server.tokens("alice", &client, "DEVICE").await;
        server.homeserver.answer_with(Some(StatusCode::INTERNAL_SERVER_ERROR));
        assert_eq!(server.post("/oauth2/revoke", &[("client_id", &client), ("token", &tokens.refresh)]).await.status, 200);
        server.run_jobs().await;
        server.advance(std::time::Duration::from_secs(5));
        let waiting = scrape(&server).await;
        assert_eq!(waiting["gatehouse_jobs_waiting"], 1.0);
        assert_eq!(waiting["gatehouse_jobs_oldest_seconds"], 5.0);
        assert_eq!(waiting["gatehouse_jobs_total{kind=\"delete_device\",outcome=\"retried\"}"], 1.0);
        server.homeserver.answer_with(None);
        server.run_jobs().await;
        let done = scrape(&server).await;
        assert_eq!(done["gatehouse_jobs_waiting"], 0.0);
        assert_eq!(done["gatehouse_jobs_oldest_seconds"], 0.0);
        assert_eq!(done["gatehouse_jobs_total{kind=\"delete_device\",outcome=\"done\"}"], 1.0);
    }

    async fn what_the_database_does_not_tell_is_not_a_number(engine: Engine) {
        let server = Server::start(engine).await;
        server.app.store.close().await;
        let told = scrape(&server).await;
        assert!(told["gatehouse_jobs_waiting"].is_nan() && told["gatehouse_jobs_oldest_seconds"].is_nan());
        assert_eq!(told["gatehouse_hashes_running"], 0.0, "and the rest is told");
    }
}
