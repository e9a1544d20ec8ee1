//! Dynamic client registration (RFC 7591; Matrix CS API, Client registration).

use std::collections::BTreeSet;

use futures_util::future::join_all;
use gatehouse::config::Limit;
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::support::server::{Answer, BEGINNING, Engine, Server, code_form, matrix_scope, on_both_engines};

/// What Element X sends, through the Rust SDK.
fn sdk() -> Value {
    json!({
        "application_type": "native",
        "client_name": "Element X",
        "client_uri": "https://element.io/",
        "logo_uri": "https://element.io/logo.png",
        "policy_uri": "https://element.io/privacy",
        "tos_uri": "https://element.io/terms",
        "redirect_uris": ["io.element:/callback"],
        "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "token_endpoint_auth_method": "none",
    })
}

/// What Element Web sends, through matrix-js-sdk up to version 41.
fn js() -> Value {
    json!({
        "client_name": "Element",
        "client_uri": "https://app.element.io/",
        "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": ["https://app.element.io/?no_universal_links=true"],
        "id_token_signed_response_alg": "RS256",
        "token_endpoint_auth_method": "none",
        "application_type": "web",
        "logo_uri": "https://app.element.io/vector-icons/1024.png",
        "contacts": ["mailto:support@element.io"],
        "tos_uri": "https://app.element.io/terms",
        "policy_uri": "https://app.element.io/privacy",
    })
}

fn with(mut metadata: Value, key: &str, value: Value) -> Value {
    match value {
        Value::Null => drop(metadata.as_object_mut().unwrap().remove(key)),
        value => metadata[key] = value,
    }
    metadata
}

async fn register(server: &Server, metadata: &Value) -> Answer {
    server.post_json("/oauth2/registration", metadata).await
}

async fn register_text(server: &Server, content_type: &str, body: &str) -> Answer {
    let request = Request::post("/oauth2/registration").header(CONTENT_TYPE, content_type);
    server.send(request.body(axum::body::Body::from(body.to_owned())).unwrap()).await
}

async fn id_of(server: &Server, metadata: &Value) -> String {
    let answer = register(server, metadata).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer.json()["client_id"].as_str().unwrap().to_owned()
}

on_both_engines! {
    async fn real_clients_register_and_are_told_what_was_registered(engine: Engine) {
        let server = Server::start(engine).await;
        for given in [sdk(), js()] {
            let answer = register(&server, &given).await;
            assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
            assert_eq!(answer.header("content-type"), "application/json");
            assert_eq!(answer.header("cache-control"), "no-store");
            let registered = answer.json();
            assert!(registered["client_id"].is_string() && registered.get("client_secret").is_none());
            assert_eq!(registered["client_id_issued_at"], json!(BEGINNING.as_seconds()));
            let same = ["grant_types", "application_type", "client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri", "redirect_uris", "response_types", "token_endpoint_auth_method"];
            for key in same {
                assert_eq!(registered[key], given[key], "{key}");
            }
            assert!(registered.as_object().unwrap().keys().all(|key| !key.contains("gatehouse")));
        }
    }

    async fn the_same_metadata_in_another_order_is_the_same_client(engine: Engine) {
        let server = Server::start(engine).await;
        let given = with(with(sdk(), "client_name#fr", json!("Élément")), "client_name#de", json!("Element"));
        let mut members: Vec<(String, Value)> = given.as_object().unwrap().clone().into_iter().collect();
        members.reverse();
        let text: Vec<String> = members.iter().map(|(key, value)| format!("{}: {value}", json!(key))).collect();
        let reversed = register_text(&server, "application/json; charset=utf-8", &format!("{{ {} }}", text.join(", "))).await;
        let first = id_of(&server, &given).await;
        assert_eq!(reversed.json()["client_id"], json!(first));
        assert_eq!(id_of(&server, &with(given.clone(), "contacts", json!(["x"]))).await, first, "what is not known does not count");
        for (key, value) in [("client_name", json!("Other")), ("client_name#fr", json!("Autre")), ("redirect_uris", json!(["io.element:/other"])), ("tos_uri", Value::Null)] {
            assert_ne!(id_of(&server, &with(given.clone(), key, value)).await, first, "{key}");
        }
    }

    async fn many_registrations_of_one_app_at_once_make_one_client(engine: Engine) {
        let server = Server::start(engine).await;
        let (metadata, server) = (sdk(), &server);
        let ids: BTreeSet<String> = join_all((0..8).map(|_| id_of(server, &metadata))).await.into_iter().collect();
        assert_eq!(ids.len(), 1);
    }

    async fn clients_with_a_secret_never_share_an_identifier(engine: Engine) {
        let server = Server::start(engine).await;
        for method in ["client_secret_basic", "client_secret_post"] {
            let given = with(js(), "token_endpoint_auth_method", json!(method));
            let (one, other) = (register(&server, &given).await.json(), register(&server, &given).await.json());
            assert_ne!(one["client_id"], other["client_id"]);
            assert_ne!(one["client_secret"], other["client_secret"]);
            assert_eq!(one["client_secret_expires_at"], json!(0));
        }
        let by_default = register(&server, &with(js(), "token_endpoint_auth_method", Value::Null)).await.json();
        assert_eq!(by_default["token_endpoint_auth_method"], "client_secret_basic");
    }

    async fn registration_is_limited_by_address(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.rate_limits.client_registration_per_address = Limit { burst: 3, per_hour: 60 };
        }).await;
        for _ in 0..3 {
            id_of(&server, &sdk()).await;
        }
        let refused = register(&server, &sdk()).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refused.header("retry-after"), "60");
        assert_eq!(refused.header("access-control-allow-origin"), "*");
        assert!(!refused.error().is_empty());
        server.advance(std::time::Duration::from_secs(60));
        id_of(&server, &sdk()).await;
        assert_eq!(register(&server, &sdk()).await.status, StatusCode::TOO_MANY_REQUESTS);
    }

    async fn a_client_in_use_outlives_the_sweep_and_one_that_nobody_used_does_not(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let used = server.client().await;
        let unused = id_of(&server, &sdk()).await;
        let tokens = server.tokens("alice", &used, "DEVICE0001").await;
        let allowed = server.client_with(json!({ "client_name": "Allowed at last" })).await;
        let allowed = allowed["client_id"].as_str().unwrap();
        server.advance(std::time::Duration::from_secs(100 * 24 * 60 * 60));
        let code = server.signed_in("alice").await.code(allowed, &matrix_scope("DEVICE0002")).await;
        gatehouse::work::sweep(&server.app).await.unwrap();
        let redeemed = server.post("/oauth2/token", &code_form(allowed, &code)).await;
        assert_eq!(redeemed.status, StatusCode::OK, "{}", redeemed.text());
        let refreshed = server.refresh(&used, &tokens.refresh).await;
        assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.text());
        assert_eq!(server.refresh(&unused, &tokens.refresh).await.error(), "invalid_client");
    }
}

#[tokio::test]
async fn metadata_that_breaks_a_rule_is_refused_as_rfc_7591_says() {
    let server = Server::start(Engine::Sqlite).await;
    let web = |uris: Value| with(js(), "redirect_uris", uris);
    let native = |uri: &str| with(sdk(), "redirect_uris", json!([uri]));
    let cases = [
        (with(sdk(), "client_uri", Value::Null), "invalid_client_metadata"),
        (with(sdk(), "client_uri", json!("http://element.io/")), "invalid_client_metadata"),
        (with(sdk(), "client_uri", json!("https://u:p@element.io/")), "invalid_client_metadata"),
        (with(sdk(), "logo_uri", json!("https://evilelement.io/")), "invalid_client_metadata"),
        (with(sdk(), "tos_uri", json!("http://element.io/")), "invalid_client_metadata"),
        (with(sdk(), "tos_uri#fr", json!("https://example.com/")), "invalid_client_metadata"),
        (with(sdk(), "policy_uri", json!("https://io/")), "invalid_client_metadata"),
        (with(sdk(), "application_type", json!("desktop")), "invalid_client_metadata"),
        (with(sdk(), "token_endpoint_auth_method", json!("client_secret_jwt")), "invalid_client_metadata"),
        (with(sdk(), "redirect_uris", json!("io.element:/callback")), "invalid_client_metadata"),
        (with(sdk(), "client_name", json!("x".repeat(257))), "invalid_client_metadata"),
        (with(sdk(), "client_name", json!("a\u{0}b")), "invalid_client_metadata"),
        (web(json!([])), "invalid_redirect_uri"),
        (web(json!(["https://app.element.io/#x"])), "invalid_redirect_uri"),
        (web(json!(["http://app.element.io/"])), "invalid_redirect_uri"),
        (web(json!(["http://localhost/"])), "invalid_redirect_uri"),
        (web(json!(["https://element.io/"])), "invalid_redirect_uri"),
        (
            web(json!(["https://app.element.io/", "https://app.element.io.evil.example/"])),
            "invalid_redirect_uri",
        ),
        (
            with(js(), "application_type", Value::Null).tap("redirect_uris", json!(["io.element.app:/"])),
            "invalid_redirect_uri",
        ),
        (native("io.element://callback"), "invalid_redirect_uri"),
        (native("element:/callback"), "invalid_redirect_uri"),
        (native("io.elements:/callback"), "invalid_redirect_uri"),
        (native("http://localhost:1234/callback"), "invalid_redirect_uri"),
        (native("https://localhost/callback"), "invalid_redirect_uri"),
        (native("javascript:alert(1)"), "invalid_redirect_uri"),
    ];
    for (given, code) in cases {
        let answer = register(&server, &given).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (StatusCode::BAD_REQUEST, code),
            "{given} {}",
            answer.text()
        );
        assert!(answer.json()["error_description"].is_string() && answer.json().get("errcode").is_none());
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
}

/// One more change of a metadata.
trait Tap {
    fn tap(self, key: &str, value: Value) -> Value;
}

impl Tap for Value {
    fn tap(self, key: &str, value: Value) -> Value {
        with(self, key, value)
    }
}

#[tokio::test]
async fn what_is_no_json_object_is_an_invalid_request() {
    let server = Server::start(Engine::Sqlite).await;
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    for body in ["", "{", "[]", "null", "\"x\"", "{\"client_uri\": \"\u{0}\"}", deep.as_str()] {
        let answer = register_text(&server, "application/json", body).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (StatusCode::BAD_REQUEST, "invalid_request"),
            "{body:.20}"
        );
    }
    let form = register_text(&server, "application/x-www-form-urlencoded", &sdk().to_string()).await;
    assert_eq!((form.status, form.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_request"));
    let large = with(sdk(), "software_statement", json!("x".repeat(100_000)));
    let answer = register(&server, &large).await;
    assert_eq!((answer.status, answer.error().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request"));
}

#[tokio::test]
async fn unknown_grants_are_dropped_and_a_client_of_the_device_grant_needs_no_redirect() {
    let server = Server::start(Engine::Sqlite).await;
    let grants = json!(["authorization_code", "urn:ietf:params:oauth:grant-type:token-exchange"]);
    let mut given = with(sdk(), "grant_types", grants);
    given["response_types"] = json!(["code", "id_token"]);
    let registered = register(&server, &given).await.json();
    assert_eq!(registered["grant_types"], json!(["authorization_code"]));
    assert_eq!(registered["response_types"], json!(["code"]));
    let device_only = with(sdk(), "grant_types", json!(["urn:ietf:params:oauth:grant-type:device_code"]));
    let device_only = with(with(device_only, "redirect_uris", Value::Null), "response_types", Value::Null);
    assert_eq!(register(&server, &device_only).await.status, StatusCode::CREATED);
    let trusting = with(sdk(), "gatehouse_trusted", json!(true));
    assert_eq!(
        register(&server, &trusting).await.json().get("gatehouse_trusted"),
        None,
        "no client makes itself trusted"
    );
}

#[tokio::test]
async fn registration_can_be_switched_off() {
    let server = Server::start_with(Engine::Sqlite, |config| config.oauth.dynamic_registration = false).await;
    assert_eq!(register(&server, &sdk()).await.status, StatusCode::NOT_FOUND);
    let document = server.get("/.well-known/openid-configuration").await.json();
    assert_eq!(document.get("registration_endpoint"), None);
}

#[tokio::test]
async fn nothing_that_a_client_names_is_fetched() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::start(Engine::Sqlite).await;
    let base = format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let mut given = js();
    for key in ["client_uri", "logo_uri", "tos_uri", "policy_uri"] {
        given[key] = json!(format!("{base}/{key}"));
    }
    given["application_type"] = json!("native");
    given["redirect_uris"] = json!(["http://127.0.0.1/"]);
    assert_eq!(register(&server, &given).await.status, StatusCode::CREATED);
    assert!(server.homeserver.calls().is_empty());
    let asked = futures_util::FutureExt::now_or_never(listener.accept());
    assert!(asked.is_none(), "somebody called");
}
