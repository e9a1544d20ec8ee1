//! What the homeserver answers to the calls we make: the same questions to the stub of the other tests
//! and to a real Synapse, so that the stub stays true.

use std::time::{Duration, Instant};

use gatehouse::homeserver::Homeserver;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use url::Url;

use super::support::homeserver::StubHomeserver;
use super::support::synapse::{Synapse, SynapseOptions};

/// A call, the status it gets, and the Matrix error code that goes with a refusal.
struct Question {
    method: Method,
    call: &'static str,
    given: Value,
    status: u16,
    errcode: &'static str,
}

fn get(call: &'static str, given: Value, status: u16, errcode: &'static str) -> Question {
    Question { method: Method::GET, call, given, status, errcode }
}

fn post(call: &'static str, given: Value, status: u16, errcode: &'static str) -> Question {
    Question { method: Method::POST, call, given, status, errcode }
}

fn alice() -> Value {
    json!({ "localpart": "alice" })
}

fn phone() -> Value {
    json!({ "localpart": "alice", "device_id": "PHONE" })
}

/// In this order, to an empty homeserver.
fn questions() -> Vec<Question> {
    let nobody = || json!({ "localpart": "nobody" });
    let long = |characters: usize| "x".repeat(characters);
    vec![
        get("query_user", alice(), 404, "M_NOT_FOUND"),
        get("query_user", json!({}), 400, "M_MISSING_PARAM"),
        get("is_localpart_available", alice(), 200, ""),
        get("is_localpart_available", json!({ "localpart": "Alice" }), 400, "M_INVALID_USERNAME"),
        get("is_localpart_available", json!({ "localpart": "_alice" }), 400, "M_INVALID_USERNAME"),
        get("is_localpart_available", json!({ "localpart": "12345" }), 400, "M_INVALID_USERNAME"),
        get("is_localpart_available", json!({ "localpart": long(250) }), 400, "M_INVALID_USERNAME"),
        get("is_localpart_available", json!({}), 400, "M_UNKNOWN"),
        post("provision_user", alice(), 201, ""),
        post("provision_user", json!({ "localpart": "alice", "locked": true }), 200, ""),
        post("provision_user", json!({ "localpart": "alice", "locked": null, "more": 1 }), 200, ""),
        post("provision_user", json!({ "localpart": "alice", "locked": false }), 200, ""),
        post("provision_user", json!({ "localpart": "alice", "locked": "no" }), 400, "M_BAD_JSON"),
        post("provision_user", json!({ "localpart": "alice", "unset_emails": null }), 400, "M_BAD_JSON"),
        post("provision_user", json!({ "localpart": 1 }), 400, "M_BAD_JSON"),
        post("provision_user", json!({}), 400, "M_MISSING_PARAM"),
        post("provision_user", json!([]), 400, "M_BAD_JSON"),
        post(
            "provision_user",
            json!({ "localpart": "alice", "set_displayname": "A", "unset_displayname": true }),
            400,
            "M_INVALID_PARAM",
        ),
        get("query_user", alice(), 200, ""),
        get("is_localpart_available", alice(), 400, "M_USER_IN_USE"),
        post("set_displayname", json!({ "localpart": "alice", "displayname": "Alice" }), 200, ""),
        post("set_displayname", json!({ "localpart": "alice", "displayname": long(257) }), 400, "M_UNKNOWN"),
        post("unset_displayname", alice(), 200, ""),
        post("unset_displayname", alice(), 200, ""),
        post("upsert_device", phone(), 201, ""),
        post("upsert_device", phone(), 200, ""),
        post(
            "upsert_device",
            json!({ "localpart": "alice", "device_id": "PHONE", "display_name": long(101) }),
            400,
            "M_TOO_LARGE",
        ),
        post("upsert_device", json!({ "localpart": "nobody", "device_id": "PHONE" }), 404, "M_NOT_FOUND"),
        post("upsert_device", json!({}), 400, "M_BAD_JSON"),
        post(
            "update_device_display_name",
            json!({ "localpart": "alice", "device_id": "PHONE", "display_name": "Phone" }),
            200,
            "",
        ),
        post(
            "update_device_display_name",
            json!({ "localpart": "alice", "device_id": "OTHER", "display_name": "Phone" }),
            404,
            "M_NOT_FOUND",
        ),
        post("sync_devices", json!({ "localpart": "alice", "devices": ["PHONE", "LAPTOP"] }), 200, ""),
        post("delete_device", phone(), 204, ""),
        post("delete_device", phone(), 204, ""),
        post("delete_device", json!({ "localpart": "nobody", "device_id": "PHONE" }), 404, "M_NOT_FOUND"),
        post("allow_cross_signing_reset", alice(), 200, ""),
        post("allow_cross_signing_reset", nobody(), 404, "M_NOT_FOUND"),
        post("delete_user", alice(), 400, "M_MISSING_PARAM"),
        post("delete_user", json!({ "localpart": "alice", "erase": false }), 200, ""),
        post("delete_user", json!({ "localpart": "alice", "erase": true }), 200, ""),
        post("delete_user", json!({ "localpart": "nobody", "erase": true }), 404, "M_NOT_FOUND"),
        get("query_user", alice(), 200, ""),
        get("is_localpart_available", alice(), 400, "M_USER_IN_USE"),
        post("reactivate_user", alice(), 200, ""),
        post("reactivate_user", alice(), 200, ""),
        post("reactivate_user", nobody(), 404, "M_NOT_FOUND"),
        get("no_such_call", alice(), 404, ""),
    ]
}

async fn ask(homeserver: &Url, secret: Option<&str>, question: &Question) -> (u16, Value) {
    let mut url = homeserver.join("_synapse/mas/").and_then(|base| base.join(question.call)).expect("a URL");
    if question.method == Method::GET
        && let Some(localpart) = question.given["localpart"].as_str()
    {
        url.query_pairs_mut().append_pair("localpart", localpart);
    }
    let mut request = Client::new().request(question.method.clone(), url);
    if question.method == Method::POST {
        request = request.json(&question.given);
    }
    if let Some(secret) = secret {
        request = request.bearer_auth(secret);
    }
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

/// As [`ask`], and again while the homeserver is in trouble, as our jobs do: a new Synapse cannot
/// reactivate anybody until it has built its indexes in the background.
async fn ask_again(homeserver: &Url, secret: &str, question: &Question) -> (u16, Value) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match ask(homeserver, Some(secret), question).await {
            (500, _) if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(200)).await,
            answer => return answer,
        }
    }
}

async fn answers_as_agreed(homeserver: &Url, secret: &str) {
    for question in questions() {
        let (status, body) = ask_again(homeserver, secret, &question).await;
        let errcode = body["errcode"].as_str().unwrap_or_default();
        let given = format!("{} {}", question.call, question.given);
        assert_eq!((status, errcode), (question.status, question.errcode), "{given}: {body}");
    }
    let question = get("query_user", alice(), 0, "");
    for (secret, status, errcode) in [
        (None, 401, "M_MISSING_TOKEN"),
        (Some("wrong"), 403, "M_UNKNOWN"),
        (Some("two words"), 401, "M_MISSING_TOKEN"),
    ] {
        let (found, body) = ask(homeserver, secret, &question).await;
        assert_eq!((found, body["errcode"].as_str()), (status, Some(errcode)));
    }
    let (_, facts) = ask(homeserver, Some(secret), &question).await;
    assert_eq!(facts["user_id"], "@alice:example.org");
    assert_eq!((&facts["is_deactivated"], &facts["is_suspended"]), (&json!(false), &json!(false)));
    let asking =
        Homeserver::new(homeserver.clone(), secret.to_owned(), Default::default()).expect("a connection");
    let version = asking.version().await.expect("an answer");
    assert!(version.is_some_and(|version| version.starts_with("1.")));
}

#[tokio::test]
async fn the_stub_answers_as_agreed() {
    let stub = StubHomeserver::start().await;
    answers_as_agreed(&stub.endpoint(), &stub.secret()).await;
    assert_eq!(stub.calls_of("delete_user").len(), 4);
    assert!(stub.calls().iter().filter(|call| !call.is_proven).all(|call| call.text("localpart") == "alice"));
    assert_eq!(stub.devices("alice"), Vec::<String>::new());
}

#[tokio::test]
async fn a_real_synapse_answers_as_agreed() {
    let synapse = Synapse::start(SynapseOptions {
        server_name: "example.org".to_owned(),
        // Nobody is there; no call needs it.
        auth_endpoint: "http://127.0.0.1:1/".parse().expect("a URL"),
        secret: "shared".to_owned(),
    })
    .await;
    answers_as_agreed(&synapse.base_url(), "shared").await;
}
