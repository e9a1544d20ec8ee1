//! What the authorization endpoint refuses, and where it says so: on a page while client and redirect
//! URI are not known to belong together, to the client afterwards (RFC 6749 §4.1.2.1).

use http::StatusCode;
use serde_json::json;

use crate::support::server::{
    Answer, Engine, PASSWORD, REDIRECT_URI, Server, authorization_query, code_form, form_request,
    matrix_scope, on_both_engines,
};

/// Asks as a browser that nobody is signed in with.
async fn ask(server: &Server, query: &str) -> Answer {
    server.get(&format!("/authorize?{query}")).await
}

fn assert_is_page(answer: &Answer, asked: &str) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{asked}");
    assert!(answer.header("content-type").starts_with("text/html"), "{asked}");
    assert_eq!(answer.header("location"), "", "nobody may be redirected: {asked}");
}

fn assert_is_refused(answer: &Answer, code: &str, asked: &str) {
    assert_eq!(answer.query_parameter("error").as_deref(), Some(code), "{asked}: {}", answer.location());
    assert!(answer.location().starts_with(&format!("{REDIRECT_URI}?")), "{asked}");
    assert_eq!(answer.query_parameter("iss").as_deref(), Some("https://auth.example.org/"), "{asked}");
    assert_eq!(answer.query_parameter("code"), None, "{asked}");
    assert_eq!(answer.header("cache-control"), "no-store", "{asked}");
}

on_both_engines! {
    async fn an_unknown_client_or_redirect_uri_is_told_to_the_person_alone(engine: Engine) {
        let server = Server::start(engine).await;
        let client = server.client().await;
        for change in [("client_id", ""), ("client_id", "nobody"), ("client_id", "\0"), ("redirect_uri", "")] {
            let query = authorization_query(&client, "openid", &[change]);
            assert_is_page(&ask(&server, &query).await, &query);
        }
    }

    async fn a_bad_request_of_a_known_client_is_told_to_the_client(engine: Engine) {
        let server = Server::start(engine).await;
        let client = server.client().await;
        let device = matrix_scope("DEVICE0001");
        let (two, long) = (format!("{device} urn:matrix:client:device:DEVICE0002"), "x".repeat(4096));
        let other_spelling = format!("{device} urn:matrix:org.matrix.msc2967.client:device:DEVICE0002");
        let no_api = "urn:matrix:client:device:DEVICE0001";
        let too_long = format!("urn:matrix:client:api:* {no_api}{}", "x".repeat(256));
        for (name, value, code) in [
            ("response_type", "", "invalid_request"),
            ("response_type", "none", "unsupported_response_type"),
            ("response_mode", "web_message", "invalid_request"),
            ("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
            ("request_uri", "https://app.example.com/r", "request_uri_not_supported"),
            ("registration", "{}", "registration_not_supported"),
            ("scope", "", "invalid_scope"),
            ("scope", "fridge", "invalid_scope"),
            ("scope", "openid\u{7}", "invalid_scope"),
            ("scope", "urn:matrix:client:api:*", "invalid_scope"),
            ("scope", no_api, "invalid_scope"),
            ("scope", two.as_str(), "invalid_scope"),
            ("scope", other_spelling.as_str(), "invalid_scope"),
            ("scope", too_long.as_str(), "invalid_scope"),
            ("scope", "urn:synapse:admin:*", "invalid_scope"),
            ("scope", "urn:matrix:org.matrix.msc2967.client:api:guest", "invalid_scope"),
            ("nonce", long.as_str(), "invalid_request"),
        ] {
            let answer = ask(&server, &authorization_query(&client, "openid", &[(name, value)])).await;
            assert_is_refused(&answer, code, &format!("{name}={value}"));
            assert_eq!(answer.query_parameter("state").as_deref(), Some("some state"));
        }
    }

    async fn parameters_that_are_not_known_change_nothing(engine: Engine) {
        let server = Server::start(engine).await;
        let client = server.client().await;
        let changes = [("acr_values", "x"), ("claims", "{}"), ("prompt", "create"), ("utterly", "unknown")];
        let answer = ask(&server, &authorization_query(&client, "openid", &changes)).await;
        assert!(answer.location().starts_with("/authorize/"), "{}", answer.location());
    }

    async fn a_long_request_finds_its_way_through_the_sign_in_and_back(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let state = "&=é\"".repeat(400);
        let mut browser = server.browser();
        let query = authorization_query(&client, &matrix_scope("DEVICE0001"), &[("state", &state)]);
        let (path, away) = browser.ask(&query).await;
        let login = browser.get(away.location()).await;
        assert!(login.text().contains("Example app"), "the page names the client");
        let (csrf, next) = (login.field("csrf"), login.field("next"));
        let form = [("csrf", csrf.as_str()), ("next", &next), ("username", "alice"), ("password", PASSWORD)];
        assert_eq!(browser.post("/login", &form).await.location(), path);
        let csrf = browser.get(&path).await.field("csrf");
        let back = browser.post(&path, &[("csrf", &csrf), ("answer", "approve")]).await;
        assert_eq!(back.query_parameter("state"), Some(state));
        let code = back.query_parameter("code").unwrap();
        assert_eq!(server.post("/oauth2/token", &code_form(&client, &code)).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn what_does_not_fit_into_an_address_is_refused() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client().await;
    let long = "x".repeat(2048);
    let (state, nonce) = (("state", long.as_str()), ("nonce", long.as_str()));
    for one in [state, nonce] {
        let answer = ask(&server, &authorization_query(&client, "openid", &[one])).await;
        assert!(answer.location().starts_with("/authorize/"), "{}", answer.location());
    }
    let answer = ask(&server, &authorization_query(&client, "openid", &[state, nonce])).await;
    assert_is_refused(&answer, "invalid_request", "both");
    assert_eq!(answer.query_parameter("error_description").as_deref(), Some("the request is too long"));
    assert_eq!(answer.query_parameter("state"), Some(long));
}

#[tokio::test]
async fn every_request_needs_a_pkce_challenge_by_sha_256() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client().await;
    let secret = json!({ "token_endpoint_auth_method": "client_secret_basic" });
    let confidential = server.client_with(secret).await["client_id"].as_str().unwrap().to_owned();
    for client in [client, confidential] {
        for changes in [
            vec![("code_challenge", ""), ("code_challenge_method", "")],
            vec![("code_challenge", "")],
            vec![("code_challenge_method", "")],
            vec![("code_challenge_method", "plain")],
            vec![("code_challenge_method", "s256")],
            vec![("code_challenge", "too-short")],
            vec![("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=")],
        ] {
            let answer = ask(&server, &authorization_query(&client, "openid", &changes)).await;
            assert_is_refused(&answer, "invalid_request", &format!("{changes:?}"));
        }
    }
}

#[tokio::test]
async fn only_the_registered_redirect_uri_is_redirected_to_byte_for_byte() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client().await;
    for other in [
        "https://app.example.com/callback/",
        "https://app.example.com/callback?",
        "https://app.example.com/callback?x=1",
        "https://app.example.com/callback#",
        "https://app.example.com/callback#x",
        "https://app.example.com/callback/../evil",
        "https://app.example.com/./callback",
        "https://app.example.com//callback",
        "https://app.example.com/%63allback",
        "https://app.example.com/callback%00",
        "https://app.example.com/callback ",
        "https://app.example.com:443/callback",
        "https://app.example.com./callback",
        "https://APP.example.com/callback",
        "HTTPS://app.example.com/callback",
        "http://app.example.com/callback",
        "https:app.example.com/callback",
        "https:/app.example.com/callback",
        "//app.example.com/callback",
        "/callback",
        "https://app.example.com@evil.example/callback",
        "https://evil.example\\@app.example.com/callback",
        "https://app.example.com\\@evil.example/callback",
        "https://app.example.com.evil.example/callback",
        "https://user@app.example.com/callback",
        "https://app.example.com\t/callback",
        "https://app.example.com/callback\r\nx: y",
        "https://аpp.example.com/callback",
        "javascript:alert(1)",
        "*",
    ] {
        let answer = ask(&server, &authorization_query(&client, "openid", &[("redirect_uri", other)])).await;
        assert_is_page(&answer, other);
    }
}

#[tokio::test]
async fn only_the_port_of_a_loopback_redirect_uri_is_free() {
    let server = Server::start(Engine::Sqlite).await;
    let uris = ["http://localhost/callback", "http://[::1]/callback"];
    let client = server.client_with(json!({ "application_type": "native", "redirect_uris": uris })).await;
    let client = client["client_id"].as_str().unwrap();
    let uri = async |uri: String| {
        ask(&server, &authorization_query(client, "openid", &[("redirect_uri", &uri)])).await
    };
    for port in ["0", "1", "8080", "65535"] {
        for host in ["localhost", "[::1]"] {
            let answer = uri(format!("http://{host}:{port}/callback")).await;
            assert!(answer.location().starts_with("/authorize/"), "{host} {port}");
        }
    }
    for other in [
        "http://127.0.0.1:8080/callback",
        "http://localhost:8080/other",
        "http://localhost:8080/callback/",
        "http://localhost:8080/callback?x",
        "http://localhost:65536/callback",
        "http://localhost:/callback",
        "http://localhost:x/callback",
        "http://localhost.evil/callback",
        "http://localhost@evil.example/callback",
        "http://localhost:80@evil.example/callback",
        "https://localhost:8080/callback",
        "http://[::2]:8080/callback",
        "http://[0:0:0:0:0:0:0:1]:8080/callback",
    ] {
        assert_is_page(&uri(other.to_owned()).await, other);
    }
}

#[tokio::test]
async fn a_repeated_parameter_is_refused_wherever_it_stands() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client().await;
    let usual = authorization_query(&client, "openid", &[]);
    for repeated in
        ["scope=openid", "response_type=code", "code_challenge=x", "prompt=&prompt=", "unknown=1&unknown=1"]
    {
        let answer = ask(&server, &format!("{usual}&{repeated}")).await;
        assert_is_refused(&answer, "invalid_request", repeated);
    }
    for repeated in [
        format!("client_id={client}"),
        "redirect_uri=https%3A%2F%2Fevil.example%2F".to_owned(),
        // Not even behind another one that is repeated.
        format!("scope=openid&client_id={client}"),
        "scope=openid&redirect_uri=https%3A%2F%2Fevil.example%2F".to_owned(),
    ] {
        assert_is_page(&ask(&server, &format!("{usual}&{repeated}")).await, &repeated);
    }
}

#[tokio::test]
async fn a_request_by_form_is_turned_into_one_by_link() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client().await;
    let form = [("client_id", client.as_str()), ("state", "a b&c"), ("scope", "openid")];
    let elsewhere = (http::header::ORIGIN, "https://app.example.com");
    let answer = server.post_with("/authorize", &[elsewhere], &form).await;
    assert_eq!(answer.location(), format!("/authorize?client_id={client}&state=a+b%26c&scope=openid"));

    let mut request = form_request("/authorize", &[], &[]);
    *request.body_mut() = axum::body::Body::from("a=\r\nLocation: https://evil.example/");
    assert_is_page(&server.send(request).await, "a body that is no form");
}

#[tokio::test]
async fn a_client_without_the_code_grant_may_not_ask() {
    let server = Server::start(Engine::Sqlite).await;
    let grants = json!({ "grant_types": ["refresh_token"] });
    let client = server.client_with(grants).await["client_id"].as_str().unwrap().to_owned();
    let answer = ask(&server, &authorization_query(&client, "openid", &[])).await;
    assert_is_refused(&answer, "unauthorized_client", "a refresh-only client");
}

#[tokio::test]
async fn errors_travel_in_the_response_mode_that_was_asked_for() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client().await;
    let answer =
        ask(&server, &authorization_query(&client, "fridge", &[("response_mode", "fragment")])).await;
    assert!(answer.location().starts_with(&format!("{REDIRECT_URI}#error=invalid_scope&")));
    let page = ask(&server, &authorization_query(&client, "fridge", &[("response_mode", "form_post")])).await;
    assert_eq!((page.status, page.field("error").as_str()), (StatusCode::OK, "invalid_scope"));
}
