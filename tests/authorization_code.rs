//! The authorization code flow from the client's request to its tokens (RFC 6749 §4.1, RFC 7636,
//! RFC 9207; Matrix CS API, Authorization code flow).

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::server::{
    Engine, PASSWORD, REDIRECT_URI, Server, authorization_query, code_form, matrix_scope, on_both_engines,
    parameter, with_changes,
};

on_both_engines! {
    async fn a_matrix_client_signs_in(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let mut browser = server.browser();

        let begun = browser.get(&format!("/authorize?{}", authorization_query(&client, &matrix_scope("DEVICE0001"), &[]))).await;
        let path = begun.location().to_owned();
        let to_login = browser.get(&path).await;
        assert_eq!(to_login.location(), format!("/login?next={}", path.replace('/', "%2F")));
        let signed_in = browser.sign_in("alice", PASSWORD, &path).await;
        assert_eq!(signed_in.location(), path);
        let page = browser.get(&path).await;
        assert!(page.text().contains("app.example.com"), "the page names who asks");
        let csrf = page.field("csrf");
        let back = browser.post(&path, &[("csrf", &csrf), ("answer", "approve")]).await;
        assert!(back.location().starts_with(&format!("{REDIRECT_URI}?code=")));
        assert_eq!(back.query_parameter("state").as_deref(), Some("some state"));
        assert_eq!(back.query_parameter("iss").as_deref(), Some("https://auth.example.org/"));
        assert!(server.homeserver.devices("alice").is_empty(), "no device before the code is exchanged");

        let code = back.query_parameter("code").unwrap();
        let answer = server.post("/oauth2/token", &code_form(&client, &code)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
        let tokens = answer.json();
        assert_eq!(tokens["token_type"], "Bearer");
        assert_eq!(tokens["expires_in"], 300);
        assert_eq!(tokens["scope"], matrix_scope("DEVICE0001"));
        assert!(tokens["refresh_token"].is_string() && tokens.get("id_token").is_none());
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);

        let introspected = server.introspect(tokens["access_token"].as_str().unwrap()).await;
        assert_eq!(introspected["active"], json!(true));
        assert_eq!(introspected["username"], "alice");
        assert_eq!(introspected["device_id"], "DEVICE0001");
        assert_eq!(introspected["expires_in"], json!(300));
    }

    async fn a_native_app_gets_its_code_in_the_query_of_its_own_scheme(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let redirect_uri = "com.example.app:/callback";
        let client = native_client(&server, redirect_uri).await;
        let scope = "urn:matrix:org.matrix.msc2967.client:api:* urn:matrix:org.matrix.msc2967.client:device:wjLpTLRqbqBzLs63aYaEv2Boi6cFEbbM/sSRQ2oAKk4";
        let query = authorization_query(&client, scope, &[("redirect_uri", redirect_uri)]);
        let back = server.signed_in("alice").await.allow(&query).await;
        assert!(back.location().starts_with("com.example.app:/callback?code="), "{}", back.location());
        let code = back.query_parameter("code").unwrap();
        let form = with_changes(&code_form(&client, &code), &[("redirect_uri", redirect_uri)]);
        let tokens = server.post("/oauth2/token", &form).await.json();
        assert_eq!(tokens["scope"], scope, "the scope comes back as the client spelled it");
        assert_eq!(server.homeserver.devices("alice"), ["wjLpTLRqbqBzLs63aYaEv2Boi6cFEbbM/sSRQ2oAKk4"]);
        let introspected = server.introspect(tokens["access_token"].as_str().unwrap()).await;
        let scope = introspected["scope"].as_str().unwrap();
        assert!(scope.contains("urn:matrix:client:api:* urn:matrix:org.matrix.msc2967.client:api:*"));
    }

    async fn a_web_app_gets_its_code_in_the_fragment(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let query = authorization_query(&client, &matrix_scope("DEVICE0001"), &[("response_mode", "fragment"), ("prompt", "create")]);
        let back = server.signed_in("alice").await.allow(&query).await;
        let (uri, fragment) = back.location().split_once('#').unwrap();
        assert_eq!(uri, REDIRECT_URI);
        assert_eq!(parameter(fragment, "state").as_deref(), Some("some state"));
        assert_eq!(parameter(fragment, "iss").as_deref(), Some("https://auth.example.org/"));
        let code = parameter(fragment, "code").unwrap();
        let answer = server.post("/oauth2/token", &code_form(&client, &code)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }

    async fn all_spellings_of_the_scope_in_any_order_mean_the_same(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let mut browser = server.signed_in("alice").await;
        for scope in [
            "urn:matrix:client:api:* urn:matrix:client:device:DEVICE0001",
            "urn:matrix:org.matrix.msc2967.client:device:DEVICE0001 urn:matrix:client:api:*",
            "urn:matrix:client:device:DEVICE0001 urn:matrix:org.matrix.msc2967.client:api:*",
            "urn:matrix:client:api:* urn:matrix:client:device:DEVICE0001 urn:matrix:org.matrix.msc2967.client:device:DEVICE0001",
        ] {
            let code = browser.code(&client, scope).await;
            let answer = server.post("/oauth2/token", &code_form(&client, &code)).await.json();
            let introspected = server.introspect(answer["access_token"].as_str().unwrap()).await;
            assert_eq!(
                introspected["scope"],
                "urn:matrix:client:api:* urn:matrix:org.matrix.msc2967.client:api:* \
                 urn:matrix:client:device:DEVICE0001 urn:matrix:org.matrix.msc2967.client:device:DEVICE0001"
            );
        }
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);
    }
}

async fn native_client(server: &Server, redirect_uri: &str) -> String {
    let members = json!({ "application_type": "native", "redirect_uris": [redirect_uri] });
    server.client_with(members).await["client_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn matrix_scopes_of_the_future_are_dropped_and_the_client_sees_that() {
    let server = Server::start(Engine::Sqlite).await;
    server.user("alice").await;
    let client = server.client().await;
    let scope = format!("urn:matrix:client:rooms:is_joined {}", matrix_scope("DEVICE0001"));
    let tokens = server.tokens_for("alice", &client, &scope).await;
    assert_eq!(tokens.answer["scope"], matrix_scope("DEVICE0001"));
}

#[tokio::test]
async fn the_query_that_a_redirect_uri_has_is_kept() {
    let server = Server::start(Engine::Sqlite).await;
    server.user("alice").await;
    let redirect_uri = "https://app.example.com/?route=%2Fcallback";
    let client = server.client_with(json!({ "redirect_uris": [redirect_uri] })).await;
    let client = client["client_id"].as_str().unwrap();
    let mut browser = server.signed_in("alice").await;
    for (mode, start) in [("query", "&code="), ("fragment", "#code=")] {
        let changes = [("redirect_uri", redirect_uri), ("response_mode", mode)];
        let back = browser.allow(&authorization_query(client, "openid", &changes)).await;
        assert!(back.location().starts_with(&format!("{redirect_uri}{start}")), "{}", back.location());
    }
}

#[tokio::test]
async fn a_form_post_answer_is_a_page_that_leads_to_the_client_alone() {
    let server = Server::start(Engine::Sqlite).await;
    server.user("alice").await;
    let client = server.client().await;
    let state = "\"><script>alert(1)</script>&'";
    let changes = [("response_mode", "form_post"), ("state", state)];
    let page = server.signed_in("alice").await.allow(&authorization_query(&client, "openid", &changes)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.field("state"), state);
    assert!(!page.text().contains("<script>alert"), "what the client sends is escaped");
    assert!(page.text().contains(&format!("<form method=\"post\" action=\"{REDIRECT_URI}\"")));
    assert!(page.header("content-security-policy").contains("form-action 'self' https://app.example.com;"));
    assert_eq!(page.header("cache-control"), "no-store");
    let answer = server.post("/oauth2/token", &code_form(&client, &page.field("code"))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

#[tokio::test]
async fn a_state_comes_back_unchanged_with_success_and_with_errors() {
    let server = Server::start(Engine::Sqlite).await;
    server.user("alice").await;
    let client = server.client().await;
    let mut browser = server.signed_in("alice").await;
    for state in ["+/=%", "a b&c=d#e", "%2B%25", "ä\"<>\\"] {
        let back = browser.allow(&authorization_query(&client, "openid", &[("state", state)])).await;
        assert_eq!(back.query_parameter("state").as_deref(), Some(state));
        let back = browser
            .get(&format!("/authorize?{}", authorization_query(&client, "fridge", &[("state", state)])))
            .await;
        assert_eq!(back.query_parameter("error").as_deref(), Some("invalid_scope"));
        assert_eq!(back.query_parameter("state").as_deref(), Some(state));
    }
}

#[tokio::test]
async fn an_app_on_this_computer_listens_on_any_port_and_repeats_it_at_the_token_endpoint() {
    let server = Server::start(Engine::Sqlite).await;
    server.user("alice").await;
    let client = native_client(&server, "http://127.0.0.1/callback").await;
    let mut browser = server.signed_in("alice").await;
    let redirect_uri = "http://127.0.0.1:49152/callback";
    let query = authorization_query(&client, "openid", &[("redirect_uri", redirect_uri)]);
    let back = browser.allow(&query).await;
    assert!(back.location().starts_with(&format!("{redirect_uri}?code=")));
    let code = back.query_parameter("code").unwrap();
    for other in ["http://127.0.0.1/callback", "http://127.0.0.1:49153/callback"] {
        let form = with_changes(&code_form(&client, &code), &[("redirect_uri", other)]);
        assert_eq!(server.post("/oauth2/token", &form).await.error(), "invalid_grant");
    }
    let form = with_changes(&code_form(&client, &code), &[("redirect_uri", redirect_uri)]);
    assert_eq!(server.post("/oauth2/token", &form).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_client_without_the_refresh_grant_gets_no_refresh_token() {
    let server = Server::start(Engine::Sqlite).await;
    server.user("alice").await;
    let client = server.client_with(json!({ "grant_types": ["authorization_code"] })).await;
    let client = client["client_id"].as_str().unwrap();
    let tokens = server.tokens_for("alice", client, "openid").await;
    assert_eq!(tokens.answer.get("refresh_token"), None::<&Value>);
    assert_eq!(server.refresh(client, "anything").await.error(), "unauthorized_client");
}
