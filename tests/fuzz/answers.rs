//! What we ask others for and read: the homeserver's answers, the keys that clients publish, and what other nodes
//! tell by way of the database.

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use gatehouse::config::StaticClient;
use gatehouse::homeserver::{Availability, Error, Homeserver};
use gatehouse::ids::{DeviceId, Localpart};
use gatehouse::keys;
use gatehouse::store::Change;
use gatehouse::telemetry::metrics::Metrics;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::{fuzz, text};
use crate::private_key_jwt;
use crate::support::server::{Engine, Server};

/// Each input is a few requests.
const EXECUTIONS: usize = 1_000;

/// More than is read of an answer.
const TOO_LARGE: usize = 70_000;

/// Somebody who answers everything with what was said last.
struct Site {
    port: u16,
    says: Arc<Mutex<(StatusCode, String)>>,
}

impl Site {
    async fn start() -> Site {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let port = listener.local_addr().expect("an address").port();
        let says = Arc::new(Mutex::new((StatusCode::OK, String::new())));
        let said = Arc::clone(&says);
        let answer = async move || said.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let router = Router::new().fallback(any(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Site { port, says }
    }

    fn says(&self, status: StatusCode, body: &str) {
        *self.says.lock().unwrap_or_else(PoisonError::into_inner) = (status, body.to_owned());
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A member of a JSON object, or what stands in its place in an array, which is read alike.
fn member<'v>(value: &'v Value, name: &str, place: usize) -> &'v Value {
    if value.is_array() { &value[place] } else { &value[name] }
}

/// Whether a point on a curve stands anywhere in a document.
fn has_key(value: &Value, x: &str, y: &str) -> bool {
    let has =
        |name: &str, wanted: &str| value[name].as_str().is_some_and(|it| it.trim_end_matches('=') == wanted);
    match value {
        Value::Object(members) => {
            has("x", x) && has("y", y) || members.values().any(|value| has_key(value, x, y))
        }
        Value::Array(values) => values.iter().any(|value| has_key(value, x, y)),
        _ => false,
    }
}

/// A status and a body, as the homeserver's answer to each call: what is believed stands in it, what is larger
/// than anything it says is not read, and no error repeats our secret.
#[test]
fn homeserver_answers() {
    const SECRET: &str = "the secret that both know";
    let runtime = runtime();
    let site = runtime.block_on(Site::start());
    let endpoint = format!("http://127.0.0.1:{}/", site.port).parse().expect("a URL");
    let homeserver =
        Homeserver::new(endpoint, SECRET.to_owned(), Arc::new(Metrics::new())).expect("a client");
    let alice = Localpart::new("alice", "example.org").expect("a name");
    let device = DeviceId("DEVICE".to_owned());
    let known = Cell::new(0);
    fuzz!("homeserver_answers", EXECUTIONS, |input: &[u8]| {
        let input = text(input).replace("{long}", &" ".repeat(TOO_LARGE));
        let (status, body) = input.split_once('\n').unwrap_or((&input, ""));
        let status = status.trim().parse().ok().filter(|status| (200..600).contains(status));
        let Some(status) = status.and_then(|status: u16| StatusCode::from_u16(status).ok()) else { return };
        site.says(status, body);
        let read: Value = match body.len() < TOO_LARGE {
            true => serde_json::from_str(body).unwrap_or_default(),
            false => Value::Null,
        };
        let check = |error: &Error| {
            assert!(!error.to_string().contains(SECRET));
            if let Error::Refused { errcode, message } = error {
                assert!(status.is_client_error(), "{status}");
                let told = |name: &str, place: usize| member(&read, name, place).as_str().unwrap_or_default();
                assert_eq!((errcode.as_str(), message.as_str()), (told("errcode", 0), told("error", 1)));
            }
            if matches!(error, Error::NotFound) {
                assert!(status == StatusCode::NOT_FOUND && body.contains("M_NOT_FOUND"), "{status} {body}");
            }
        };
        match runtime.block_on(homeserver.query_user(&alice)) {
            Ok(facts) => {
                known.set(known.get() + 1);
                assert!(status.is_success(), "{status}");
                assert_eq!(*member(&read, "user_id", 0), json!(facts.user_id));
                assert_eq!(*member(&read, "display_name", 1), json!(facts.display_name));
                assert_eq!(*member(&read, "is_deactivated", 2), json!(facts.is_deactivated));
            }
            Err(error) => check(&error),
        }
        match runtime.block_on(homeserver.is_localpart_available(&alice)) {
            Ok(Availability::Available) => assert!(status.is_success(), "{status}"),
            Ok(_) => {
                assert!(
                    status.is_client_error() && member(&read, "errcode", 0).is_string(),
                    "{status} {body}"
                );
            }
            Err(error) => check(&error),
        }
        match runtime.block_on(homeserver.upsert_device(&alice, &device)) {
            Ok(is_new) => assert!(status.is_success() && is_new == (status == StatusCode::CREATED)),
            Err(error) => check(&error),
        }
        if let Ok(Some(version)) = runtime.block_on(homeserver.version()) {
            let told = [read.pointer("/server_version"), read.pointer("/server/version")];
            assert!(told.contains(&Some(&json!(version))), "{version}: {body}");
        }
    });
    assert!(known.get() > 0, "no answer is good");
}

/// What is found where a client publishes its keys: no assertion is believed but one that is signed by a key which
/// stands there.
#[test]
fn fetched_keys() {
    let runtime = runtime();
    let (site, server) = runtime.block_on(async {
        let site = Site::start().await;
        let client = json!({
            "client_id": "fetched", "client_name": "Fetched", "grant_types": ["refresh_token"],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": format!("http://127.0.0.1:{}/keys.json", site.port),
        });
        let client: StaticClient = serde_json::from_value(client).expect("a client");
        let server = Server::start_with(Engine::Sqlite, |config| {
            config.outbound.allowed_networks = vec!["127.0.0.0/8".parse().expect("a network")];
            config.rate_limits.client_secret_per_client =
                gatehouse::config::Limit { burst: u32::MAX, per_hour: u32::MAX };
            config.clients = vec![client];
        })
        .await;
        (site, server)
    });
    let ((own, published), (strangers, _)) =
        (private_key_jwt::published_key(), private_key_jwt::published_key());
    let part = |name: &str| published["keys"][0][name].as_str().expect("text").to_owned();
    let (x, y) = (part("x"), part("y"));
    let believed = Cell::new(0);
    fuzz!("fetched_keys", EXECUTIONS, |input: &[u8]| {
        let body = text(input)
            .replace("{x}", &x)
            .replace("{y}", &y)
            .replace("{kid}", &own.kid)
            .replace("{long}", &" ".repeat(TOO_LARGE));
        site.says(StatusCode::OK, &body);
        // What was fetched before counts no more.
        server.advance(Duration::from_secs(301));
        let claims = private_key_jwt::claims(&server, "fetched", json!({}));
        let ask = |assertion: &str| runtime.block_on(private_key_jwt::introspect(&server, assertion)).status;
        let signed = own.sign_jwt(&claims).expect("a signature");
        if ask(&signed) == StatusCode::OK {
            believed.set(believed.get() + 1);
            let set: Value = serde_json::from_str(&body).expect("JSON");
            assert!(body.len() < TOO_LARGE && has_key(&set, &x, &y), "{body}");
        }
        let claims = private_key_jwt::claims(&server, "fetched", json!({}));
        let forged = strangers.sign_jwt(&claims).expect("a signature");
        let (_, rest) = forged.split_once('.').expect("a header");
        for alg in ["ES256", "HS256", "none"] {
            let header = keys::base64url(json!({ "alg": alg, "kid": own.kid }).to_string());
            let refused = [StatusCode::UNAUTHORIZED, StatusCode::SERVICE_UNAVAILABLE];
            assert!(refused.contains(&ask(&format!("{header}.{rest}"))), "{body}");
        }
    });
    assert!(believed.get() > 0, "no set of keys is good");
}

/// What another node announces (a `NOTIFY` of PostgreSQL): it is passed over, or it is one change in its one
/// written form.
#[test]
fn announcements() {
    fuzz!("announcements", |input: &[u8]| {
        let payload = text(input);
        if let Some(change) = Change::from_payload(&payload) {
            assert_eq!(Change::from_payload(&change.to_payload()), Some(change.clone()));
            // Identifiers are read in any case.
            assert!(change.to_payload().eq_ignore_ascii_case(&payload), "{payload:?}: {change:?}");
        }
    });
}
