//! Clients are told that a browser session is over (OpenID Connect Back-Channel Logout).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use gatehouse::config::StaticClient;
use gatehouse::jobs;
use gatehouse::keys::{Algorithm, SigningKey};
use gatehouse::work;
use http::header::{CONTENT_TYPE, LOCATION, ORIGIN, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::command_line::ask;
use super::outbound::Site as TlsSite;
use crate::support::process::free_port;
use crate::support::server::{
    Browser, Engine, PASSWORD, REDIRECT_URI, Server, Tokens, authorization_query, code_form, matrix_scope,
    on_both_engines, parameter,
};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Where clients are told, at a path for each.
struct Site {
    port: u16,
    state: Arc<Told>,
    task: JoinHandle<()>,
}

struct Told {
    calls: Mutex<Vec<(String, String)>>,
    status: Mutex<StatusCode>,
}

async fn take(
    State(told): State<Arc<Told>>,
    Path(client): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    assert_eq!(headers[CONTENT_TYPE], "application/x-www-form-urlencoded");
    let body = std::str::from_utf8(&body).unwrap();
    assert_eq!(url::form_urlencoded::parse(body.as_bytes()).count(), 1);
    let token = parameter(body, "logout_token").expect("a logout token");
    told.calls.lock().unwrap().push((client, token));
    let status = *told.status.lock().unwrap();
    match status.is_redirection() {
        true => (status, [(LOCATION, "/elsewhere")]).into_response(),
        false => status.into_response(),
    }
}

fn routes() -> (Router, Arc<Told>) {
    let state = Arc::new(Told { calls: Mutex::default(), status: Mutex::new(StatusCode::OK) });
    (Router::new().route("/{client}", any(take)).with_state(state.clone()), state)
}

impl Site {
    async fn start() -> Site {
        let (router, state) = routes();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Site { port, state, task }
    }

    fn answer_with(&self, status: StatusCode) {
        *self.state.status.lock().unwrap() = status;
    }

    /// A server that knows these clients, which are told here.
    async fn server(&self, engine: Engine, clients: &[&str]) -> Server {
        let clients: Vec<StaticClient> = clients.iter().map(|id| told_at(id, self.port)).collect();
        Server::start_with(engine, |config| {
            config.clients = clients;
            config.outbound.allowed_networks = vec!["127.0.0.1/32".parse().unwrap()];
        })
        .await
    }

    /// Who was told since this was asked last, with what the tokens say.
    async fn told(&self, server: &Server) -> Vec<(String, Value)> {
        let calls = std::mem::take(&mut *self.state.calls.lock().unwrap());
        let mut told = Vec::new();
        for (client, token) in calls {
            told.push((client, claims(server, &token).await.1));
        }
        told.sort_by(|one, other| one.0.cmp(&other.0));
        told
    }

    /// The same as names alone.
    async fn names(&self, server: &Server) -> Vec<String> {
        self.told(server).await.into_iter().map(|(client, _)| client).collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A client of the configuration that needs no consent.
fn told_at(client_id: &str, port: u16) -> StaticClient {
    let client = json!({
        "client_id": client_id, "client_name": client_id, "redirect_uris": [REDIRECT_URI], "trusted": true,
        "token_endpoint_auth_method": "none",
        "backchannel_logout_uri": format!("http://127.0.0.1:{port}/{client_id}"),
    });
    serde_json::from_value(client).expect("a client")
}

/// The type and the claims of a logout token, as another library verifies it.
async fn claims(server: &Server, token: &str) -> (String, Value) {
    let jwks: JwkSet = serde_json::from_value(server.get("/oauth2/keys.json").await.json()).unwrap();
    let header = decode_header(token).unwrap();
    let key = jwks.find(header.kid.as_deref().expect("a kid")).expect("a published key");
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&["https://auth.example.org/"]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    // By the clock of the test.
    validation.validate_exp = false;
    validation.validate_aud = false;
    let decoded = decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap();
    (format!("{} {:?}", header.typ.unwrap_or_default(), header.alg), decoded.claims)
}

fn id_token(server: &Server, tokens: &Tokens) -> Value {
    let id_token = tokens.answer["id_token"].as_str().expect("an ID token");
    server.app.keys.current().verify_jwt(id_token).expect("a signature of ours")
}

/// Signs a client in with a browser.
async fn sign_in(server: &Server, browser: &mut Browser<'_>, client: &str, scope: &str) -> Tokens {
    let code = browser.code(client, scope).await;
    let answer = server.post("/oauth2/token", &code_form(client, &code)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    Tokens::from(answer.json())
}

async fn sign_out(browser: &mut Browser<'_>) {
    let csrf = browser.csrf().await;
    let answer = browser.post("/logout", &[("csrf", &csrf)]).await;
    assert_eq!(answer.location(), "/signed-out");
}

/// Jobs that wait.
async fn waiting(server: &Server) -> i64 {
    gatehouse::store::query("SELECT COUNT(*) AS n FROM jobs").fetch_one(&server.app.store).await.unwrap()
}

on_both_engines! {
    async fn the_logout_token_names_the_session_and_lasts_two_minutes(engine: Engine) {
        let site = Site::start().await;
        let server = site.server(engine, &["wiki"]).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let tokens = sign_in(&server, &mut browser, "wiki", "openid").await;
        server.advance(HOUR);
        sign_out(&mut browser).await;
        assert!(site.state.calls.lock().unwrap().is_empty(), "told by a job");
        server.run_jobs().await;

        let (client, token) = site.state.calls.lock().unwrap().pop().expect("a call");
        let (kind, claims) = claims(&server, &token).await;
        let (id_token, now) = (id_token(&server, &tokens), server.app.clock.now().as_seconds());
        assert_eq!((client.as_str(), kind.as_str()), ("wiki", "logout+jwt RS256"));
        let jti = claims["jti"].as_str().expect("a jti");
        let expected = json!({
            "iss": "https://auth.example.org/", "aud": "wiki", "sub": id_token["sub"], "sid": id_token["sid"],
            "iat": now, "exp": now + 120, "jti": jti, "events": { EVENT: {} },
        });
        assert_eq!(claims, expected);
        assert!(jti.len() > 20 && claims["sid"].is_string());
        assert_eq!(waiting(&server).await, 0);
    }

    async fn it_is_signed_with_what_the_client_registered_for_id_tokens(engine: Engine) {
        let (router, told) = routes();
        let site = TlsSite::start(router);
        let ca_file = site.ca_file();
        let server = Server::start_with(engine, |config| {
            config.outbound.ca_file = Some(ca_file);
            config.outbound.allowed_networks = vec!["127.0.0.1/32".parse().unwrap()];
        })
        .await;
        server.user("alice").await;
        let uri = format!("https://127.0.0.1:{}/out", site.port);
        for algorithm in Algorithm::ALL.map(Algorithm::as_str) {
            let registered = server
                .client_with(json!({
                    "client_uri": "https://127.0.0.1/", "application_type": "native",
                    "redirect_uris": ["http://127.0.0.1/callback"],
                    "id_token_signed_response_alg": algorithm,
                    "backchannel_logout_uri": uri, "backchannel_logout_session_required": true,
                }))
                .await;
            assert_eq!(registered["backchannel_logout_uri"], json!(uri));
            assert_eq!(registered["backchannel_logout_session_required"], json!(true));
            let client = registered["client_id"].as_str().unwrap();
            let mut browser = server.signed_in("alice").await;
            let redirect = ("redirect_uri", "http://127.0.0.1/callback");
            let answer = browser.allow(&authorization_query(client, "openid", &[redirect])).await;
            let code = answer.query_parameter("code").expect("a code");
            let mut form = code_form(client, &code);
            form[2] = redirect;
            assert_eq!(server.post("/oauth2/token", &form).await.status, StatusCode::OK);
            sign_out(&mut browser).await;
            server.run_jobs().await;
            let (_, token) = told.calls.lock().unwrap().pop().expect("a call");
            let (kind, claims) = claims(&server, &token).await;
            assert_eq!((kind, &claims["aud"]), (format!("logout+jwt {algorithm}"), &json!(client)));
        }
    }

    async fn every_way_to_end_a_browser_session_tells_its_clients(engine: Engine) {
        let site = Site::start().await;
        let server = site.server(engine, &["wiki", "chat"]).await;
        let ways = [
            "sign out", "by a client", "end one", "end others", "command", "command for all", "password",
            "deactivation", "idle", "absolute", "another person",
        ];
        for (number, way) in ways.into_iter().enumerate() {
            let name = format!("user{number}");
            server.user(&name).await;
            let mut browser = server.signed_in(&name).await;
            let tokens = sign_in(&server, &mut browser, "wiki", "openid").await;
            sign_in(&server, &mut browser, "chat", &format!("openid {}", matrix_scope("DEVICE"))).await;
            let claims = id_token(&server, &tokens);
            let sid = claims["sid"].as_str().unwrap();
            let end = |id: Value, user: Value| json!({ "sessions": { "end": {
                "session_id": id, "all": !user.is_null(), "user": user,
            } } });
            match way {
                "sign out" => sign_out(&mut browser).await,
                "by a client" => {
                    let hint = tokens.answer["id_token"].as_str().unwrap();
                    browser.get(&format!("/end-session?id_token_hint={hint}")).await;
                }
                "end one" => {
                    let mut other = server.signed_in(&name).await;
                    let csrf = other.csrf().await;
                    let path = format!("/account/sessions/browser/{sid}/end");
                    other.post(&path, &[("csrf", &csrf)]).await;
                }
                "end others" => {
                    let mut other = server.signed_in(&name).await;
                    let csrf = other.csrf().await;
                    other.post("/account/sessions/end-others", &[("csrf", &csrf)]).await;
                }
                "command" => drop(ask(&server, end(json!(sid), Value::Null)).await.expect("an end")),
                "command for all" => drop(ask(&server, end(Value::Null, json!(name))).await.expect("an end")),
                "password" => {
                    let set = json!({ "users": { "set_password": {
                        "name": name, "end_sessions": true, "password": "another passphrase of hers",
                    } } });
                    ask(&server, set).await.expect("a password");
                }
                "deactivation" => {
                    let deactivate = json!({ "users": { "deactivate": { "name": name, "erase": false } } });
                    ask(&server, deactivate).await.expect("a deactivation");
                }
                "idle" => {
                    server.advance(Duration::from_secs(server.config.sessions.browser_idle_seconds));
                    work::sweep(&server.app).await.unwrap();
                }
                "absolute" => {
                    let half = Duration::from_secs(server.config.sessions.browser_idle_seconds / 2);
                    let absolute = Duration::from_secs(server.config.sessions.browser_absolute_seconds);
                    let begun = server.app.clock.now();
                    while server.app.clock.now().since(begun) + half < absolute {
                        server.advance(half);
                        assert_eq!(browser.get("/account/").await.status, StatusCode::OK);
                    }
                    server.advance(half);
                    work::sweep(&server.app).await.unwrap();
                }
                "another person" => {
                    server.user("mallory").await;
                    browser.sign_in("mallory", PASSWORD, "/account/").await;
                    sign_out(&mut browser).await;
                }
                other => panic!("{other}"),
            }
            server.run_jobs().await;
            let told = site.told(&server).await;
            let names: Vec<&str> = told.iter().map(|(client, _)| client.as_str()).collect();
            assert_eq!(names, ["chat", "wiki"], "{way}");
            for (client, told) in &told {
                assert_eq!((&told["aud"], &told["sid"], &told["sub"]), (&json!(client), &json!(sid), &claims["sub"]), "{way}");
            }
            // What is over is over: nobody is told twice.
            work::sweep(&server.app).await.unwrap();
            server.run_jobs().await;
            assert_eq!(site.names(&server).await, [""; 0], "{way}");
        }
    }

    async fn a_form_of_the_clients_own_site_signs_out_and_tells_the_clients(engine: Engine) {
        let site = Site::start().await;
        let mut wiki = told_at("wiki", site.port);
        wiki.post_logout_redirect_uris = vec!["https://app.example.com/bye".to_owned()];
        let server = Server::start_with(engine, |config| {
            config.clients = vec![wiki];
            config.outbound.allowed_networks = vec!["127.0.0.1/32".parse().unwrap()];
        })
        .await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let tokens = sign_in(&server, &mut browser, "wiki", "openid").await;
        let form = [
            ("id_token_hint", tokens.answer["id_token"].as_str().expect("an ID token")),
            ("post_logout_redirect_uri", "https://app.example.com/bye"),
            ("state", "a&b=\u{e9}"),
        ];
        // As browsers send it: without our cookies, which are SameSite=Lax.
        let posted = server.post_with("/end-session", &[(ORIGIN, "https://app.example.com")], &form).await;
        assert_eq!((posted.status, posted.headers.contains_key(SET_COOKIE)), (StatusCode::SEE_OTHER, false));
        let out = browser.get(posted.location()).await;
        assert_eq!(out.location(), "https://app.example.com/bye?state=a%26b%3D%C3%A9");
        assert!(browser.get("/account/").await.location().starts_with("/login"));
        server.run_jobs().await;
        assert_eq!(site.names(&server).await, ["wiki"]);
    }

    async fn only_clients_that_got_an_id_token_in_that_session_are_told(engine: Engine) {
        let site = Site::start().await;
        let server = site.server(engine, &["here", "twice", "elsewhere", "others", "silent"]).await;
        server.user("alice").await;
        server.user("bob").await;
        let unaware = server.client().await;
        let mut browser = server.signed_in("alice").await;
        let mut other = server.signed_in("alice").await;
        let mut bob = server.signed_in("bob").await;
        sign_in(&server, &mut browser, "here", "openid").await;
        sign_in(&server, &mut browser, "twice", "openid").await;
        sign_in(&server, &mut browser, "twice", "openid profile").await;
        sign_in(&server, &mut other, "elsewhere", "openid").await;
        sign_in(&server, &mut bob, "others", "openid").await;
        sign_in(&server, &mut browser, "silent", &matrix_scope("DEVICE")).await;
        sign_in(&server, &mut browser, &unaware, "openid").await;
        sign_out(&mut browser).await;
        server.run_jobs().await;
        assert_eq!(site.names(&server).await, ["here", "twice"]);
        sign_out(&mut bob).await;
        server.run_jobs().await;
        assert_eq!(site.names(&server).await, ["others"]);
    }

    async fn a_client_whose_tokens_ended_before_is_told_all_the_same(engine: Engine) {
        let site = Site::start().await;
        let server = site.server(engine, &["wiki"]).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let tokens = sign_in(&server, &mut browser, "wiki", "openid").await;
        server.post("/oauth2/revoke", &[("token", &tokens.refresh), ("client_id", "wiki")]).await;
        for _ in 0..10 {
            server.advance(Duration::from_secs(4 * 24 * 60 * 60));
            work::sweep(&server.app).await.unwrap();
            assert_eq!(browser.get("/account/").await.status, StatusCode::OK);
        }
        sign_out(&mut browser).await;
        server.run_jobs().await;
        assert_eq!(site.names(&server).await, ["wiki"]);
        // Then nothing is remembered of it.
        server.advance(Duration::from_secs(31 * 24 * 60 * 60));
        work::sweep(&server.app).await.unwrap();
        let left = gatehouse::store::query("SELECT COUNT(*) AS n FROM client_sessions");
        assert_eq!(left.fetch_one::<i64>(&server.app.store).await.unwrap(), 0);
    }

    async fn to_prove_once_more_who_one_is_ends_nothing(engine: Engine) {
        let site = Site::start().await;
        let server = site.server(engine, &["wiki"]).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let first = sign_in(&server, &mut browser, "wiki", "openid").await;
        let stolen = browser.cookies.clone();
        server.advance(HOUR);
        let query = authorization_query("wiki", "openid", &[("prompt", "login")]);
        let (path, to_login) = browser.ask(&query).await;
        let login = browser.get(to_login.location()).await;
        browser.sign_in_at(&login, "alice", PASSWORD, &path).await;
        let code = browser.get(&path).await.query_parameter("code").expect("a code");
        let answer = server.post("/oauth2/token", &code_form("wiki", &code)).await;
        let (first, second) = (id_token(&server, &first), id_token(&server, &Tokens::from(answer.json())));
        assert_eq!(first["sid"], second["sid"]);
        assert_eq!(second["auth_time"].as_i64().unwrap() - first["auth_time"].as_i64().unwrap(), 3600);
        server.run_jobs().await;
        assert_eq!(site.names(&server).await, [""; 0]);
        let now = std::mem::replace(&mut browser.cookies, stolen);
        assert!(browser.get("/account/").await.location().starts_with("/login"), "the old cookie is worth nothing");
        browser.cookies = now;
        sign_out(&mut browser).await;
        server.run_jobs().await;
        assert_eq!(site.names(&server).await, ["wiki"]);
    }

    async fn what_a_told_client_holds_ends_with_the_browser_but_matrix_devices_go_on(engine: Engine) {
        let site = Site::start().await;
        let server = site.server(engine, &["wiki", "chat"]).await;
        server.user("alice").await;
        let unaware = server.client().await;
        let mut browser = server.signed_in("alice").await;
        let plain = sign_in(&server, &mut browser, "wiki", "openid").await;
        let matrix = sign_in(&server, &mut browser, "chat", &format!("openid {}", matrix_scope("DEVICE"))).await;
        let unaware_tokens = sign_in(&server, &mut browser, &unaware, "openid").await;
        sign_out(&mut browser).await;
        server.run_jobs().await;
        assert_eq!(site.names(&server).await, ["chat", "wiki"]);
        assert_eq!(server.refresh("wiki", &plain.refresh).await.error(), "invalid_grant");
        assert!(server.is_active(&matrix.access).await);
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE"]);
        assert_eq!(server.refresh("chat", &matrix.refresh).await.status, StatusCode::OK);
        assert_eq!(server.refresh(&unaware, &unaware_tokens.refresh).await.status, StatusCode::OK);
    }

    async fn a_client_that_is_down_is_told_when_it_is_back(engine: Engine) {
        let site = Site::start().await;
        let free = free_port();
        let server = {
            let port = site.port;
            Server::start_with(engine, |config| {
                config.clients = vec![told_at("down", free), told_at("up", port)];
                config.outbound.allowed_networks = vec!["127.0.0.1/32".parse().unwrap()];
            })
            .await
        };
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        sign_in(&server, &mut browser, "down", "openid").await;
        sign_in(&server, &mut browser, "up", "openid").await;
        sign_out(&mut browser).await;
        server.run_jobs().await;
        assert_eq!(site.names(&server).await, ["up"], "one that is down holds up nobody else");
        let backlog = jobs::backlog(&server.app).await.unwrap();
        assert_eq!((backlog.retrying, backlog.given_up), (1, 0));
        let said = backlog.last_error.unwrap();
        assert!(said.contains("the client down was not told") && !said.contains("eyJ"), "{said}");
        // It comes back at the address that it had.
        let listener = TcpListener::bind(("127.0.0.1", free)).await.unwrap();
        let (router, told) = routes();
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        server.advance(Duration::from_secs(2));
        let now = server.app.clock.now().as_seconds();
        server.run_jobs().await;
        task.abort();
        let (_, token) = told.calls.lock().unwrap().pop().expect("a call");
        assert_eq!(claims(&server, &token).await.1["iat"], json!(now), "each try has a token of its own");
        assert_eq!(waiting(&server).await, 0);
    }

    async fn a_client_in_trouble_is_tried_for_an_hour(engine: Engine) {
        let site = Site::start().await;
        let server = site.server(engine, &["wiki"]).await;
        server.user("alice").await;
        for status in [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::NOT_FOUND, StatusCode::FOUND] {
            let mut browser = server.signed_in("alice").await;
            sign_in(&server, &mut browser, "wiki", "openid").await;
            sign_out(&mut browser).await;
            site.answer_with(status);
            let begun = server.app.clock.now();
            let mut seen = BTreeMap::new();
            while server.app.clock.now().since(begun) < 3 * HOUR {
                server.run_jobs().await;
                for (path, claims) in site.told(&server).await {
                    assert_eq!(path, "wiki", "a redirect is not followed");
                    seen.insert(claims["jti"].to_string(), server.app.clock.now().since(begun));
                }
                server.advance(Duration::from_secs(1));
            }
            let mut tries: Vec<u64> = seen.into_values().map(|after| after.as_secs()).collect();
            tries.sort();
            assert_eq!(tries[..5], [0, 2, 6, 14, 30], "{status}");
            let last = *tries.last().unwrap();
            assert!((3600..3600 + 600).contains(&last), "{status}: {last}");
            assert_eq!(waiting(&server).await, 0);
        }
        // What came later was not held up for ever, and nobody need look at it.
        site.answer_with(StatusCode::NO_CONTENT);
        let mut browser = server.signed_in("alice").await;
        sign_in(&server, &mut browser, "wiki", "openid").await;
        sign_out(&mut browser).await;
        server.run_jobs().await;
        assert_eq!((site.names(&server).await.len(), waiting(&server).await), (1, 0));
        assert_eq!(jobs::backlog(&server.app).await.unwrap().given_up, 0);
    }

    async fn a_client_that_refuses_is_not_asked_again(engine: Engine) {
        let site = Site::start().await;
        let server = site.server(engine, &["wiki"]).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        sign_in(&server, &mut browser, "wiki", "openid").await;
        sign_out(&mut browser).await;
        site.answer_with(StatusCode::BAD_REQUEST);
        server.run_jobs().await;
        assert_eq!((site.names(&server).await.len(), waiting(&server).await), (1, 0));
    }

    async fn an_address_that_is_not_public_is_not_called(engine: Engine) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        let task = tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        let server = Server::start_with(engine, |config| config.clients = vec![told_at("wiki", port)]).await;
        server.user("alice").await;
        let registered = server
            .client_with(json!({
                "client_uri": "https://localhost/", "application_type": "native",
                "redirect_uris": ["http://localhost/callback"],
                "backchannel_logout_uri": format!("https://localhost:{port}/out"),
            }))
            .await;
        let client = registered["client_id"].as_str().unwrap();
        let mut browser = server.signed_in("alice").await;
        sign_in(&server, &mut browser, "wiki", "openid").await;
        let redirect = ("redirect_uri", "http://localhost/callback");
        let answer = browser.allow(&authorization_query(client, "openid", &[redirect])).await;
        let code = answer.query_parameter("code").expect("a code");
        let mut form = code_form(client, &code);
        form[2] = redirect;
        assert_eq!(server.post("/oauth2/token", &form).await.status, StatusCode::OK);
        sign_out(&mut browser).await;
        assert_eq!(waiting(&server).await, 2);
        server.run_jobs().await;
        assert_eq!((waiting(&server).await, connections.load(Ordering::SeqCst)), (0, 0));
        task.abort();
    }

    async fn a_client_that_never_answers_does_not_hold_up_what_the_homeserver_is_told(engine: Engine) {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = silent.local_addr().unwrap().port();
        let names: Vec<String> = (0..12).map(|number| format!("client{number}")).collect();
        let clients = names.iter().map(|name| told_at(name, port)).collect();
        let server = Server::start_with(engine, |config| {
            config.clients = clients;
            config.outbound.allowed_networks = vec!["127.0.0.1/32".parse().unwrap()];
        })
        .await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        for name in &names {
            sign_in(&server, &mut browser, name, "openid").await;
        }
        sign_out(&mut browser).await;
        let matrix = server.client().await;
        let phone = server.tokens("alice", &matrix, "PHONE").await;
        server.post("/oauth2/revoke", &[("token", &phone.refresh), ("client_id", &matrix)]).await;
        let untried = gatehouse::store::query(
            "SELECT COUNT(*) AS n FROM jobs WHERE kind = 'tell_client_of_logout' AND last_error IS NULL",
        );
        tokio::select! {
            () = work::run(&server.app) => panic!("the workers stopped"),
            _ = server.homeserver.until_called("delete_device", 1) => {}
        }
        assert_eq!(untried.fetch_one::<i64>(&server.app.store).await.unwrap(), 12, "no call had come to its end");
    }

    async fn a_code_is_worth_nothing_once_the_session_is_over_in_which_it_was_allowed(engine: Engine) {
        let site = Site::start().await;
        let server = site.server(engine, &["wiki", "chat"]).await;
        server.user("alice").await;
        let unaware = server.client().await;
        let mut browser = server.signed_in("alice").await;
        let plain = browser.code("wiki", "openid").await;
        let matrix = browser.code("chat", &format!("openid {}", matrix_scope("DEVICE"))).await;
        let without = browser.code("chat", &matrix_scope("OTHER")).await;
        let of_unaware = browser.code(&unaware, "openid").await;
        sign_out(&mut browser).await;
        // Also of clients that nobody tells of the end.
        let codes = [("wiki", &plain), ("chat", &matrix), ("chat", &without), (unaware.as_str(), &of_unaware)];
        for (client, code) in codes {
            assert_eq!(server.post("/oauth2/token", &code_form(client, code)).await.error(), "invalid_grant");
        }
        server.run_jobs().await;
        assert_eq!(server.homeserver.devices("alice"), [""; 0]);
        assert_eq!(site.names(&server).await, [""; 0]);
    }

    async fn a_sign_in_at_the_moment_of_the_sign_out_fails_or_is_told(engine: Engine) {
        let site = Site::start().await;
        let server = site.server(engine, &["wiki"]).await;
        server.user("alice").await;
        for _ in 0..20 {
            let mut browser = server.signed_in("alice").await;
            let code = browser.code("wiki", "openid").await;
            let csrf = browser.csrf().await;
            let form = [("csrf", csrf.as_str())];
            let exchange = code_form("wiki", &code);
            let (exchanged, _) = tokio::join!(server.post("/oauth2/token", &exchange), browser.post("/logout", &form));
            server.run_jobs().await;
            let told = site.names(&server).await.len();
            match exchanged.status {
                StatusCode::OK => assert_eq!(told, 1),
                _ => assert_eq!((exchanged.error().as_str(), told), ("invalid_grant", 0)),
            }
        }
    }

    async fn a_logout_token_is_no_id_token(engine: Engine) {
        let site = Site::start().await;
        let server = site.server(engine, &["wiki"]).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let tokens = sign_in(&server, &mut browser, "wiki", "openid").await;
        let good = id_token(&server, &tokens);
        let keys = server.app.keys.current();
        let key: &SigningKey = keys.signing_key(Algorithm::Rs256, server.app.clock.now()).unwrap();
        let mut with_events = good.clone();
        with_events["events"] = json!({ EVENT: {} });
        let bad = [
            key.sign_jwt_of("logout+jwt", &good).unwrap(),
            key.sign_jwt_of("logout+jwt", &with_events).unwrap(),
            key.sign_jwt(&with_events).unwrap(),
        ];
        for hint in &bad {
            let query = authorization_query("wiki", "openid", &[("id_token_hint", hint)]);
            let refused = browser.get(&format!("/authorize?{query}")).await;
            assert_eq!(refused.query_parameter("error").as_deref(), Some("invalid_request"));
            let asked = browser.get(&format!("/end-session?id_token_hint={hint}")).await;
            assert_eq!(asked.status, StatusCode::OK, "it proves nothing");
        }
        let hint = key.sign_jwt(&good).unwrap();
        let out = browser.get(&format!("/end-session?id_token_hint={hint}")).await;
        assert_eq!(out.location(), "/signed-out");
    }

    async fn discovery_says_so_and_commands_make_such_clients(engine: Engine) {
        let server = Server::start(engine).await;
        let discovery = server.get("/.well-known/openid-configuration").await.json();
        for key in ["backchannel_logout_supported", "backchannel_logout_session_supported"] {
            assert_eq!(discovery[key], json!(true), "{key}");
        }
        let create = |uri: &str| json!({ "clients": { "create": {
            "name": "Wiki", "client_uri": null, "redirect_uris": [REDIRECT_URI], "auth_method": "none",
            "grant_types": ["authorization_code"], "backchannel_logout_uri": uri,
        } } });
        let uri = "https://wiki.example.org/out";
        let made = ask(&server, create(uri)).await.expect("a client");
        assert_eq!(made.data["backchannel_logout_uri"], json!(uri));
        for bad in ["http://wiki.example.org/", "https://wiki.example.org/#x", "https://a:b@wiki.example.org/"] {
            assert!(ask(&server, create(bad)).await.is_err(), "{bad}");
        }
    }
}
