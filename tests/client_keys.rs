//! The keys that clients publish: how often they are fetched, and how long they are believed (OpenID
//! Connect Core §10.1).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::future::join_all;
use gatehouse::config::StaticClient;
use gatehouse::keys::{Algorithm, PrivateKey, PublishedKeys, SigningKey};
use gatehouse::time::Timestamp;
use http::StatusCode;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::command_line::Installation;
use super::private_key_jwt::{TYPE, claims, introspect};
use crate::support::homeserver::StubHomeserver;
use crate::support::postgres;
use crate::support::server::{Answer, Engine, Server, on_both_engines};
use crate::support::wire::{Wire, post};

/// Where clients publish their keys. It counts how often it is asked.
struct Site {
    port: u16,
    state: Arc<Published>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Published {
    keys: Mutex<Value>,
    asked: AtomicUsize,
    is_down: AtomicBool,
}

async fn publish(State(site): State<Arc<Published>>) -> Response {
    site.asked.fetch_add(1, Ordering::SeqCst);
    match site.is_down.load(Ordering::SeqCst) {
        true => StatusCode::BAD_GATEWAY.into_response(),
        false => axum::Json(site.keys.lock().unwrap().clone()).into_response(),
    }
}

impl Site {
    async fn start() -> Site {
        let state = Arc::new(Published::default());
        let router = Router::new().route("/{path}", get(publish)).with_state(state.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Site { port, state, task }
    }

    /// Publishes this key and no other.
    fn publish(&self, key: &Key) {
        *self.state.keys.lock().unwrap() = key.jwks.clone();
    }

    fn set_down(&self, is_down: bool) {
        self.state.is_down.store(is_down, Ordering::SeqCst);
    }

    /// How often it was asked until now.
    fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// A client whose keys are here.
    fn client(&self, client_id: &str, path: &str) -> StaticClient {
        let client = json!({
            "client_id": client_id, "client_name": client_id, "grant_types": ["refresh_token"],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": format!("http://127.0.0.1:{}/{path}", self.port),
        });
        serde_json::from_value(client).expect("a client")
    }

    /// A server that knows these clients.
    async fn server(&self, engine: Engine, clients: Vec<StaticClient>) -> Server {
        Server::start_with(engine, |config| {
            config.outbound.allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
            config.rate_limits.client_secret_per_client.burst = 1000;
            config.clients = clients;
        })
        .await
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A client's key.
struct Key {
    signing: SigningKey,
    pkcs8: Vec<u8>,
    jwks: Value,
}

fn key() -> Key {
    let (private_key, pkcs8) = PrivateKey::generate(Algorithm::Es256).unwrap();
    let of = |private_key: PrivateKey| SigningKey {
        kid: private_key.thumbprint(),
        algorithm: Algorithm::Es256,
        signs_from: Timestamp(0),
        retires_at: None,
        private_key,
    };
    let again = PrivateKey::from_pkcs8(Algorithm::Es256, &pkcs8).unwrap();
    let jwks = serde_json::from_slice(PublishedKeys::new(vec![of(again)]).jwks()).unwrap();
    Key { signing: of(private_key), pkcs8: pkcs8.to_vec(), jwks }
}

/// Whether the server believes that the client has signed with this key.
async fn ask(server: &Server, client: &str, key: &Key) -> StatusCode {
    let assertion = key.signing.sign_jwt(&claims(server, client, json!({}))).unwrap();
    introspect(server, &assertion).await.status
}

/// The same for an assertion that does not name its key.
async fn ask_without_kid(server: &Server, client: &str, key: &Key) -> StatusCode {
    let (header, signs) = (Header::new(jsonwebtoken::Algorithm::ES256), EncodingKey::from_ec_der(&key.pkcs8));
    let assertion = jsonwebtoken::encode(&header, &claims(server, client, json!({})), &signs).unwrap();
    introspect(server, &assertion).await.status
}

const GOOD: StatusCode = StatusCode::OK;
const REFUSED: StatusCode = StatusCode::UNAUTHORIZED;
const UNAVAILABLE: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

on_both_engines! {
    async fn keys_are_fetched_once_in_five_minutes_also_by_many_at_once(engine: Engine) {
        let (site, key) = (Site::start().await, key());
        site.publish(&key);
        let server = site.server(engine, vec![site.client("robot", "keys")]).await;
        let answers = join_all((0..20).map(|_| ask(&server, "robot", &key))).await;
        assert!(answers.into_iter().all(|status| status == GOOD));
        assert_eq!(site.asked(), 1);
        server.advance(seconds(299));
        assert_eq!((ask(&server, "robot", &key).await, site.asked()), (GOOD, 1));
        // The key was withdrawn: it is believed no longer than that.
        site.publish(&self::key());
        server.advance(seconds(1));
        assert_eq!((ask(&server, "robot", &key).await, site.asked()), (REFUSED, 2));
    }

    async fn a_new_key_is_looked_for_and_not_more_often_than_every_ten_seconds(engine: Engine) {
        let (site, old, new) = (Site::start().await, key(), key());
        site.publish(&old);
        let server = site.server(engine, vec![site.client("robot", "keys"), site.client("other", "keys")]).await;
        assert_eq!(ask(&server, "robot", &old).await, GOOD);
        site.publish(&new);
        server.advance(seconds(10));
        assert_eq!((ask(&server, "robot", &new).await, site.asked()), (GOOD, 2));
        assert_eq!((ask(&server, "robot", &old).await, site.asked()), (REFUSED, 2), "withdrawn, and not asked for");
        // A stranger signs with keys that the client does not have.
        let stranger = key();
        for _ in 0..3 {
            server.advance(seconds(10));
            let before = site.asked();
            let answers = join_all((0..10).map(|_| ask(&server, "robot", &stranger))).await;
            assert!(answers.into_iter().all(|status| status == REFUSED));
            assert_eq!(site.asked(), before + 1);
            assert_eq!((ask(&server, "robot", &new).await, site.asked()), (GOOD, before + 1));
        }
        // What is kept of one client says nothing of another.
        let before = site.asked();
        assert_eq!((ask(&server, "other", &new).await, site.asked()), (GOOD, before + 1));
    }

    async fn a_new_key_is_looked_for_also_when_nobody_names_it(engine: Engine) {
        let (site, old, new) = (Site::start().await, key(), key());
        site.publish(&old);
        let server = site.server(engine, vec![site.client("robot", "keys")]).await;
        assert_eq!((ask_without_kid(&server, "robot", &old).await, site.asked()), (GOOD, 1));
        assert_eq!((ask_without_kid(&server, "robot", &old).await, site.asked()), (GOOD, 1));
        site.publish(&new);
        assert_eq!((ask_without_kid(&server, "robot", &new).await, site.asked()), (REFUSED, 1), "too soon");
        server.advance(seconds(10));
        assert_eq!((ask_without_kid(&server, "robot", &new).await, site.asked()), (GOOD, 2));
    }

    async fn a_client_that_publishes_elsewhere_is_at_once_believed_by_those_keys_alone(engine: Engine) {
        let (before, after) = (Site::start().await, Site::start().await);
        let (old, new) = (key(), key());
        before.publish(&old);
        after.publish(&new);
        let server = before.server(engine, vec![before.client("robot", "keys")]).await;
        assert_eq!(ask(&server, "robot", &old).await, GOOD);
        let mut config = server.config.clone();
        config.clients = vec![after.client("robot", "keys")];
        let mut tx = server.app.store.begin().await.unwrap();
        gatehouse::clients::sync_configured(&mut tx, &config, server.app.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(ask(&server, "robot", &old).await, REFUSED);
        assert_eq!(ask(&server, "robot", &new).await, GOOD);
        assert_eq!((before.asked(), after.asked()), (1, 1));
    }

    async fn a_site_that_is_down_is_no_fault_of_the_client_and_is_asked_seldom(engine: Engine) {
        let (site, key, new) = (Site::start().await, key(), key());
        site.publish(&key);
        site.set_down(true);
        let server = site.server(engine, vec![site.client("robot", "keys")]).await;
        for _ in 0..3 {
            assert_eq!((ask(&server, "robot", &key).await, site.asked()), (UNAVAILABLE, 1));
        }
        site.set_down(false);
        server.advance(seconds(10));
        assert_eq!((ask(&server, "robot", &key).await, site.asked()), (GOOD, 2));
        site.set_down(true);
        server.advance(seconds(299));
        assert_eq!((ask(&server, "robot", &key).await, site.asked()), (GOOD, 2), "its keys are at hand");
        for _ in 0..3 {
            let other = ask(&server, "robot", &new).await;
            assert_eq!((other, site.asked()), (UNAVAILABLE, 3), "it may be one of the client's");
            assert_eq!(ask(&server, "robot", &key).await, GOOD);
        }
        server.advance(seconds(10));
        assert_eq!((ask(&server, "robot", &key).await, site.asked()), (UNAVAILABLE, 4), "too old to be believed");
        site.set_down(false);
        server.advance(seconds(10));
        assert_eq!((ask(&server, "robot", &key).await, site.asked()), (GOOD, 5));
    }
}

/// What the program is started with besides: nothing more on SQLite.
async fn settings(engine: Engine) -> String {
    let outbound = "outbound: {allowed_networks: [127.0.0.0/8]}\n";
    match engine {
        Engine::Sqlite => outbound.to_owned(),
        Engine::Postgres => {
            let (uri, root) = (postgres::fresh_database().await, gatehouse::keys::random_secret());
            format!("{outbound}database: {{uri: '{uri}'}}\nsecrets: {{root_secret: {root}}}\n")
        }
    }
}

/// Asks the program for a token of the client's own.
async fn own_token(port: u16, client: &str, key: &Key) -> Answer {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({
        "iss": client, "sub": client, "aud": format!("http://127.0.0.1:{port}/oauth2/token"),
        "exp": now + 60, "jti": gatehouse::keys::random_secret(),
    });
    let assertion = key.signing.sign_jwt(&claims).unwrap();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion.as_str()),
    ];
    Wire::new(port).send(post("/oauth2/token", &[], &form)).await.expect("an answer")
}

const CREATE: [&str; 10] = [
    "--json",
    "clients",
    "create",
    "--name=Robot",
    "--grant-type",
    "client_credentials",
    "--scope",
    "jobs:run",
    "--auth-method",
    "private_key_jwt",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_the_command_line_proves_itself_by_its_key() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let (homeserver, site, key) = (StubHomeserver::start().await, Site::start().await, key());
        let installation = Installation::with(&homeserver, &settings(engine).await);
        let file = installation.folder.path().join("keys.json");
        std::fs::write(&file, key.jwks.to_string()).unwrap();
        site.publish(&key);
        let uri = format!("http://127.0.0.1:{}/robot", site.port);
        let _running = installation.serve();
        for keys in [["--jwks", "keys.json"], ["--jwks-uri", &uri]] {
            let made = installation.run(&[&CREATE[..], &keys].concat()).json();
            assert_eq!(made["client_secret"], Value::Null);
            let client = made["client_id"].as_str().unwrap();
            let answer = own_token(installation.port, client, &key).await;
            assert_eq!((answer.status, &answer.json()["scope"]), (StatusCode::OK, &json!("jobs:run")));
            assert_eq!(own_token(installation.port, client, &self::key()).await.status, REFUSED);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_makes_no_client_that_could_not_prove_itself() {
    let homeserver = StubHomeserver::start().await;
    let installation = Installation::new(&homeserver);
    let write = |name: &str, text: &str| std::fs::write(installation.folder.path().join(name), text).unwrap();
    let jwks = key().jwks;
    write("keys.json", &jwks.to_string());
    write("text.json", "keys");
    let mut secret = jwks.clone();
    secret["keys"][0]["d"] = json!("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
    write("secret.json", &secret.to_string());
    let uri = "https://robot.example.org/keys.json";
    for (keys, complaint) in [
        (&[][..], "--jwks-uri: is needed for the method private_key_jwt, or else jwks"),
        (&["--jwks", "keys.json", "--jwks-uri", uri], "--jwks-uri: is given besides jwks"),
        (
            &["--redirect-uri", "https://a.org/", "--redirect-uri", "https://a.org/#x"],
            "--redirect-uri https://a.org/#x: must be",
        ),
        (&["--jwks", "nowhere.json"], "No such file"),
        (&["--jwks", "text.json"], "no JSON object"),
        (&["--jwks", "secret.json"], "--jwks: has a key that must stay with the client"),
        (&["--jwks-uri", "http://robot.example.org/keys.json"], "--jwks-uri: must be an https URL"),
    ] {
        let words = [&CREATE[..], keys].concat();
        let complained = installation.run(&words);
        assert!(complained.refused(2).contains(complaint), "{keys:?}: {}", complained.err);
    }
    for keys in [["--jwks", "keys.json"], ["--jwks-uri", uri]] {
        let words = [&CREATE[..8], &["--auth-method", "client_secret_basic"], &keys].concat();
        let complained = installation.run(&words);
        let expected = format!("{}: goes with the method private_key_jwt", keys[0]);
        assert!(complained.refused(2).contains(&expected), "{}", complained.err);
    }
    assert_eq!(installation.run(&["--json", "clients", "list"]).json()["clients"], json!([]));
}
