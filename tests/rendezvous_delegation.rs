//! How clients come to the rendezvous: sent by a real homeserver, through proxies that may meddle, and what
//! `gatehouse doctor` says of it.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use gatehouse::cli::{Domain, Request};
use gatehouse::config::{Config, Secret};
use gatehouse::time::Clock;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, LOCATION};
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
use url::Url;

use crate::rendezvous::PATH;
use crate::support::browser::{Browser, Options};
use crate::support::homeserver::StubHomeserver;
use crate::support::process::free_port;
use crate::support::running::{Running, http_client, send};
use crate::support::server::Engine;
use crate::support::synapse::{Synapse, SynapseOptions};

const SECRET: &str = "shared-by-the-two-for-this-test-alone";

/// A homeserver with these experimental features, which delegates to the server on that port.
async fn homeserver(port: u16, features: Value) -> Synapse {
    let options = SynapseOptions {
        server_name: "example.org".to_owned(),
        auth_endpoint: format!("http://127.0.0.1:{port}/").parse().expect("a URL"),
        secret: SECRET.to_owned(),
    };
    Synapse::start_with(options, free_port(), |configuration| {
        configuration["experimental_features"] = features;
    })
    .await
}

async fn server(port: u16, homeserver: &Url, change: impl FnOnce(&mut Config)) -> Running {
    Running::start(Engine::Sqlite, port, Clock::System, |config| {
        config.homeserver.endpoint = homeserver.clone();
        config.homeserver.secret = Some(Secret::new(SECRET.to_owned()));
        config.rendezvous.msc4108 = true;
        change(config);
    })
    .await
}

/// What the doctor finds under a name: how it is, and the words.
async fn diagnosis(server: &Running, name: &str) -> (String, String) {
    let report = Request::Doctor { is_served: true, domain: Domain::of(&server.app.config) }
        .carry_out(&server.app)
        .await
        .expect("a report");
    let checks = report.data.as_array().cloned().unwrap_or_default();
    let check = checks.iter().find(|check| check["name"] == name);
    let check = check.unwrap_or_else(|| panic!("no {name} in {}", report.data));
    let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
    (text("outcome"), text("found"))
}

const OFFER: &str = "QR code sign-in";
const ROUND_TRIP: &str = "rendezvous";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_homeserver_offers_it_and_sends_clients_here() {
    let port = free_port();
    let ours = format!("http://127.0.0.1:{port}{PATH}");
    let (delegating, hosting) = tokio::join!(
        homeserver(port, json!({ "msc4108_delegation_endpoint": ours })),
        homeserver(port, json!({ "msc4108_enabled": true })),
    );
    let gatehouse = server(port, &delegating.base_url(), |_| ()).await;

    let at = |path: &str| delegating.base_url().join(path).expect("a path");
    let versions = send(http_client().get(at("_matrix/client/versions"))).await.json();
    assert_eq!(versions["unstable_features"]["org.matrix.msc4108"], true, "{versions}");
    let begin =
        |client: reqwest::Client| client.post(at(PATH)).header(CONTENT_TYPE, "text/plain").body("hello");
    let sent_on = send(begin(http_client())).await;
    assert_eq!((sent_on.status, sent_on.header(LOCATION)), (StatusCode::TEMPORARY_REDIRECT, ours.as_str()));
    assert_eq!(sent_on.header(ACCESS_CONTROL_ALLOW_ORIGIN), "*");

    // A client that follows brings its text along.
    let following = reqwest::Client::builder().no_proxy().build().expect("a client");
    let begun = send(begin(following)).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.text());
    let url = begun.json()["url"].as_str().expect("a URL").to_owned();
    assert!(url.starts_with(&format!("{ours}/")), "{url}");
    let there = send(http_client().get(&url)).await;
    assert_eq!((there.text().as_str(), there.header(CONTENT_TYPE)), ("hello", "text/plain"));
    assert_eq!(there.header(ETAG), begun.header(ETAG));
    let write = http_client().put(&url).header(CONTENT_TYPE, "text/plain").body("again");
    let written = send(write.header(IF_MATCH, there.header(ETAG))).await;
    assert_eq!(written.status, StatusCode::ACCEPTED, "{}", written.text());
    assert_eq!(send(http_client().delete(&url)).await.status, StatusCode::NO_CONTENT);

    for name in [OFFER, ROUND_TRIP] {
        let (outcome, found) = diagnosis(&gatehouse, name).await;
        assert_eq!(outcome, "ok", "{name}: {found}");
    }
    a_page_of_an_app_goes_through_it(&at(PATH)).await;

    // A homeserver that hosts it itself.
    drop(gatehouse);
    let gatehouse = server(free_port(), &hosting.base_url(), |_| ()).await;
    let (outcome, found) = diagnosis(&gatehouse, OFFER).await;
    assert_eq!(outcome, "problem");
    assert!(found.contains(&format!("sends clients to {}", hosting.base_url())), "{found}");
    // One that sends them to where we no longer are.
    drop(gatehouse);
    let gatehouse = server(free_port(), &delegating.base_url(), |_| ()).await;
    let (outcome, found) = diagnosis(&gatehouse, OFFER).await;
    assert_eq!((outcome.as_str(), found), ("problem", format!("the homeserver sends clients to {ours}")));
}

/// What an app in a browser does, on an origin of its own: begins at the homeserver, writes, reads, ends.
const SCRIPT: &str = r#"(async () => {
    const text = { "Content-Type": "text/plain" };
    const begun = await fetch(BEGIN, { method: "POST", headers: text, body: "" });
    const { url } = await begun.json();
    const first = begun.headers.get("ETag");
    const read = await fetch(url);
    const same = await fetch(url, { headers: { "If-None-Match": first } });
    const written = await fetch(url, { method: "PUT", headers: { ...text, "If-Match": first }, body: "hello" });
    const stale = await fetch(url, { method: "PUT", headers: { ...text, "If-Match": first }, body: "other" });
    const there = await fetch(url, { headers: { "If-None-Match": first } });
    const answers = [begun, read, same, written, stale, there];
    return {
        url,
        statuses: answers.map(answer => answer.status),
        tags: answers.map(answer => answer.headers.get("ETag")),
        mediaTypes: [read, there].map(answer => answer.headers.get("Content-Type")),
        code: (await stale.json())["org.matrix.msc4108.errcode"],
        text: await there.text(),
    };
})()"#;

async fn a_page_of_an_app_goes_through_it(begin: &Url) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let app = format!("http://{}/", listener.local_addr().expect("an address"));
    let page = Router::new().fallback(async || axum::response::Html("<!doctype html><title>App</title>"));
    let serving = tokio::spawn(async move { axum::serve(listener, page).await });
    let browser = Browser::start(Options::default()).await;
    browser.goto(&app).await;
    let seen = browser.evaluate(&SCRIPT.replace("BEGIN", &format!("{:?}", begin.as_str()))).await;
    assert_eq!(seen["statuses"], json!([201, 200, 304, 202, 412, 200]), "{seen}");
    let tags: Vec<&str> = seen["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert!(tags.len() == 6 && tags[0] == tags[1] && tags[0] == tags[2] && tags[0] != tags[3], "{tags:?}");
    assert!(tags[3..].iter().all(|tag| *tag == tags[3]), "{tags:?}");
    assert_eq!(seen["mediaTypes"], json!(["text/plain", "text/plain"]));
    assert_eq!((&seen["code"], &seen["text"]), (&json!("M_CONCURRENT_WRITE"), &json!("hello")));

    // The same address, opened as a page or put into one, shows nothing of it.
    let url = seen["url"].as_str().expect("a URL");
    browser.goto(url).await;
    let shown = browser.text("body").await;
    assert!(shown.contains("M_FORBIDDEN") && !shown.contains("hello"), "{shown}");
    browser.goto(&app).await;
    let end = format!("fetch({url:?}, {{ method: 'DELETE' }}).then(answer => answer.status)");
    assert_eq!(browser.evaluate(&end).await, json!(204));
    serving.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_homeserver_that_offers_nothing_is_told_of() {
    let stub = StubHomeserver::start().await;
    let gatehouse = server(free_port(), &stub.endpoint(), |_| ()).await;
    let (outcome, found) = diagnosis(&gatehouse, OFFER).await;
    assert_eq!(
        (outcome.as_str(), found.as_str()),
        ("problem", "the homeserver does not offer it to clients")
    );
    drop(gatehouse);
    let gatehouse = server(free_port(), &stub.endpoint(), |config| config.rendezvous.msc4108 = false).await;
    let report = Request::Doctor { is_served: true, domain: Domain::of(&gatehouse.app.config) }
        .carry_out(&gatehouse.app)
        .await
        .expect("a report");
    let checks = report.data.as_array().cloned().unwrap_or_default();
    assert!(
        checks.len() > 3 && checks.iter().all(|check| check["name"] != OFFER && check["name"] != ROUND_TRIP)
    );
}

/// What a proxy may do to what passes through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meddling {
    Nothing,
    AddsCharset,
    WeakensTags,
    StripsTags,
    DropsConditions,
    IsBroken,
}

struct Proxy {
    behind: u16,
    meddling: Mutex<Meddling>,
}

async fn pass(
    State(proxy): State<Arc<Proxy>>,
    method: Method,
    uri: Uri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Response {
    let meddling = *proxy.meddling.lock().expect("a lock");
    if meddling == Meddling::DropsConditions {
        headers.remove(IF_NONE_MATCH);
    }
    let url = format!("http://127.0.0.1:{}{}", proxy.behind, uri.path());
    let answer = send(http_client().request(method, url).headers(headers).body(body)).await;
    let mut headers = answer.headers.clone();
    let is_text = answer.header(CONTENT_TYPE) == "text/plain";
    match meddling {
        Meddling::AddsCharset if is_text => {
            headers.insert(CONTENT_TYPE, "text/plain; charset=utf-8".parse().expect("a value"));
        }
        Meddling::WeakensTags if is_text => {
            headers.insert(ETAG, format!("W/{}", answer.header(ETAG)).parse().expect("a value"));
        }
        Meddling::StripsTags => drop(headers.remove(ETAG)),
        Meddling::IsBroken => return StatusCode::BAD_GATEWAY.into_response(),
        _ => {}
    }
    (answer.status, headers, answer.body).into_response()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_meddles_is_told_of() {
    let stub = StubHomeserver::start().await;
    let behind = free_port();
    let proxy = Arc::new(Proxy { behind, meddling: Mutex::new(Meddling::Nothing) });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().fallback(pass).with_state(Arc::clone(&proxy));
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let gatehouse = server(behind, &stub.endpoint(), |config| {
        config.http.public_base = format!("http://{address}/").parse().expect("a URL");
    })
    .await;
    for (meddling, outcome, words) in [
        (Meddling::Nothing, "ok", "comes back as it was"),
        (Meddling::AddsCharset, "problem", "media type becomes \"text/plain; charset=utf-8\""),
        (Meddling::WeakensTags, "problem", "becomes \"W/"),
        (Meddling::StripsTags, "problem", "entity tag (ETag)"),
        (Meddling::DropsConditions, "problem", "If-None-Match does not come through"),
        (Meddling::IsBroken, "problem", "HTTP 502"),
    ] {
        *proxy.meddling.lock().expect("a lock") = meddling;
        let found = diagnosis(&gatehouse, ROUND_TRIP).await;
        assert!(found.0 == outcome && found.1.contains(words), "{meddling:?}: {found:?}");
    }
    serving.abort();
    let found = diagnosis(&gatehouse, ROUND_TRIP).await;
    assert!(found.0 == "warning" && found.1.starts_with("not seen from here"), "{found:?}");
}
