//! What people are asked before a client may use their account, and when they are not.

use gatehouse::accounts::users;
use gatehouse::config::{GrantType, StaticClient, TokenEndpointAuthMethod};
use gatehouse::store::query;
use http::StatusCode;
use serde_json::json;
use std::time::Duration;

use crate::support::server::{
    Answer, Engine, REDIRECT_URI, Server, authorization_query, code_form, matrix_scope, on_both_engines,
};

/// Whether the answer asks the person.
fn is_question(answer: &Answer) -> bool {
    answer.status == StatusCode::OK && answer.text().contains("value=\"approve\"")
}

on_both_engines! {
    async fn a_person_who_does_not_allow_it_sends_the_client_away(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let mut browser = server.signed_in("alice").await;
        let (path, page) = browser.ask(&authorization_query(&client, &matrix_scope("DEVICE0001"), &[])).await;
        let csrf = page.field("csrf");
        let back = browser.post(&path, &[("csrf", &csrf), ("answer", "deny")]).await;
        assert!(back.location().starts_with(&format!("{REDIRECT_URI}?error=access_denied&")));
        assert_eq!(back.query_parameter("state").as_deref(), Some("some state"));
        let again = browser.post(&path, &[("csrf", &csrf), ("answer", "approve")]).await;
        assert!(again.query_parameter("code").is_some(), "who goes back may think again");
    }

    async fn every_new_device_is_asked_about(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let mut browser = server.signed_in("alice").await;
        for device in ["DEVICE0001", "DEVICE0002", "DEVICE0001"] {
            let query = authorization_query(&client, &matrix_scope(device), &[]);
            assert!(is_question(&browser.ask(&query).await.1), "{device}");
            browser.allow(&query).await.query_parameter("code").unwrap();
        }
    }

    async fn what_was_allowed_without_a_device_is_remembered_and_more_is_asked_about(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        server.user("bob").await;
        let client = server.client().await;
        let mut browser = server.signed_in("alice").await;
        let query = authorization_query(&client, "openid", &[]);
        assert!(is_question(&browser.ask(&query).await.1));
        browser.allow(&query).await.query_parameter("code").unwrap();
        assert!(browser.ask(&query).await.1.query_parameter("code").is_some(), "nobody is asked twice");
        let more = format!("openid {}", matrix_scope("DEVICE0001"));
        assert!(is_question(&browser.ask(&authorization_query(&client, &more, &[])).await.1));
        let mut other_person = server.signed_in("bob").await;
        assert!(is_question(&other_person.ask(&query).await.1));
        let other_client = server.client_with(json!({ "client_name": "Other app" })).await;
        let query = authorization_query(other_client["client_id"].as_str().unwrap(), "openid", &[]);
        assert!(is_question(&browser.ask(&query).await.1));
    }

    async fn an_app_that_others_can_pretend_to_be_is_asked_about_each_time(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        for redirect_uri in ["com.example.app:/callback", "http://127.0.0.1/callback"] {
            let members = json!({ "application_type": "native", "redirect_uris": [redirect_uri] });
            let client = server.client_with(members).await["client_id"].as_str().unwrap().to_owned();
            let query = authorization_query(&client, "openid", &[("redirect_uri", redirect_uri)]);
            for _ in 0..2 {
                let page = browser.ask(&query).await.1;
                assert!(is_question(&page), "{redirect_uri}");
                assert!(page.text().contains("We can’t check which app this is."), "{redirect_uri}");
                browser.allow(&query).await.query_parameter("code").unwrap();
            }
            let changes = [("redirect_uri", redirect_uri), ("prompt", "none")];
            let silent = browser.ask(&authorization_query(&client, "openid", &changes)).await.1;
            assert_eq!(silent.query_parameter("error").as_deref(), Some("consent_required"), "{redirect_uri}");
        }
        // Nobody else can use its code.
        let members = json!({
            "application_type": "native", "redirect_uris": ["http://127.0.0.1/callback"],
            "token_endpoint_auth_method": "client_secret_basic",
        });
        let client = server.client_with(members).await["client_id"].as_str().unwrap().to_owned();
        let query = authorization_query(&client, "openid", &[("redirect_uri", "http://127.0.0.1/callback")]);
        browser.allow(&query).await.query_parameter("code").unwrap();
        assert!(browser.ask(&query).await.1.query_parameter("code").is_some());
    }

    async fn of_two_answers_at_once_one_counts(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let mut browser = server.signed_in("alice").await;
        let (path, page) = browser.ask(&authorization_query(&client, &matrix_scope("DEVICE0001"), &[])).await;
        let csrf = page.field("csrf");
        let mut twin = server.browser();
        twin.cookies = browser.cookies.clone();
        let form = [("csrf", csrf.as_str()), ("answer", "approve")];
        let (one, other) = tokio::join!(browser.post(&path, &form), twin.post(&path, &form));
        let codes = [one, other].map(|back| back.query_parameter("code").expect("who presses twice is led on"));
        let redeem = async |code: &String| server.post("/oauth2/token", &code_form(&client, code)).await.status;
        let both = tokio::join!(redeem(&codes[0]), redeem(&codes[1]));
        assert!([(StatusCode::OK, StatusCode::BAD_REQUEST), (StatusCode::BAD_REQUEST, StatusCode::OK)].contains(&both));
        assert_eq!(browser.get(&path).await.status, StatusCode::BAD_REQUEST, "it was answered");
        let late = browser.post(&path, &[("csrf", &csrf), ("answer", "deny")]).await;
        assert_eq!(late.status, StatusCode::BAD_REQUEST, "too late for a no");
        server.advance(Duration::from_secs(30));
        assert_eq!(redeem(&codes[0]).await, StatusCode::BAD_REQUEST);
        let live: i64 = query("SELECT COUNT(*) AS n FROM client_sessions WHERE ended_at IS NULL")
            .fetch_one(&server.app.store)
            .await
            .unwrap();
        assert_eq!(live, 0, "a code for a request that has its session was stolen");
    }

    async fn only_administrators_may_hand_out_administration(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let client = server.client().await;
        let scope = format!("{} urn:synapse:admin:*", matrix_scope("DEVICE0001"));
        let query = authorization_query(&client, &scope, &[]);
        let mut browser = server.signed_in("alice").await;
        let refused = browser.ask(&query).await.1;
        assert_eq!(refused.query_parameter("error").as_deref(), Some("access_denied"));
        let mut tx = server.app.store.begin().await.unwrap();
        users::set_admin(&mut tx, alice.id, true, server.app.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        let (path, page) = browser.ask(&query).await;
        assert!(is_question(&page));
        let csrf = page.field("csrf");
        let back = browser.post(&path, &[("csrf", &csrf), ("answer", "approve")]).await;
        let code = back.query_parameter("code").unwrap();
        let tokens = server.post("/oauth2/token", &code_form(&client, &code)).await.json();
        assert_eq!(tokens["scope"], scope);
        let code = browser.allow(&query).await.query_parameter("code").unwrap();
        let mut tx = server.app.store.begin().await.unwrap();
        users::set_admin(&mut tx, alice.id, false, server.app.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        let answer = server.post("/oauth2/token", &code_form(&client, &code)).await;
        assert_eq!(answer.error(), "invalid_grant", "not an administrator any more");
    }

    async fn a_client_that_the_configuration_trusts_is_not_asked_about(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.clients = vec![configured("trusted", true), configured("plain", false)];
        }).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let query = authorization_query("trusted", &matrix_scope("DEVICE0001"), &[]);
        let code = browser.ask(&query).await.1.query_parameter("code").unwrap();
        let answer = server.post("/oauth2/token", &code_form("trusted", &code)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let query = authorization_query("plain", &matrix_scope("DEVICE0001"), &[]);
        assert!(is_question(&browser.ask(&query).await.1));
    }

    async fn a_homeserver_that_does_not_know_the_person_yet_and_is_down_is_told_to_the_person(engine: Engine) {
        let server = Server::start(engine).await;
        server.user_not_provisioned("alice").await;
        let client = server.client().await;
        server.homeserver.answer_with(Some(StatusCode::BAD_GATEWAY));
        let mut browser = server.signed_in("alice").await;
        let (path, page) = browser.ask(&authorization_query(&client, &matrix_scope("DEVICE0001"), &[])).await;
        let csrf = page.field("csrf");
        let form = [("csrf", csrf.as_str()), ("answer", "approve")];
        let told = browser.post(&path, &form).await;
        assert_eq!(told.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(told.text().contains("The chat server is not answering") && told.text().contains(&path));
        server.homeserver.answer_with(None);
        let back = browser.post(&path, &form).await;
        let code = back.query_parameter("code").expect("the request waited");
        let answer = server.post("/oauth2/token", &code_form(&client, &code)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);
    }

    async fn nobody_who_is_not_there_reads_that_the_homeserver_is_down(engine: Engine) {
        let server = Server::start_with(engine, |config| config.clients = vec![configured("trusted", true)]).await;
        server.user_not_provisioned("alice").await;
        server.homeserver.answer_with(Some(StatusCode::BAD_GATEWAY));
        let mut browser = server.signed_in("alice").await;
        let ask = |prompt| authorization_query("trusted", &matrix_scope("DEVICE0001"), &[("prompt", prompt)]);
        let page = browser.ask(&ask("")).await.1;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "whoever looks reads it");
        let (path, silent) = browser.ask(&ask("none")).await;
        assert!(silent.location().starts_with(REDIRECT_URI));
        assert_eq!(silent.query_parameter("error").as_deref(), Some("temporarily_unavailable"));
        assert_eq!(silent.query_parameter("state").as_deref(), Some("some state"));
        server.homeserver.answer_with(None);
        assert!(browser.get(&path).await.query_parameter("code").is_some(), "the request still waits");
        assert!(browser.ask(&ask("none")).await.1.query_parameter("code").is_some());
    }

    async fn a_request_waits_for_an_hour(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let mut browser = server.signed_in("alice").await;
        let (path, page) = browser.ask(&authorization_query(&client, "openid", &[])).await;
        server.advance(Duration::from_secs(3599));
        assert!(is_question(&browser.get(&path).await));
        server.advance(Duration::from_secs(1));
        let csrf = page.field("csrf");
        let late = browser.post(&path, &[("csrf", &csrf), ("answer", "approve")]).await;
        assert_eq!(late.status, StatusCode::BAD_REQUEST);
        assert!(late.text().contains("Start again in your app"));
    }
}

fn configured(client_id: &str, trusted: bool) -> StaticClient {
    StaticClient {
        client_id: client_id.to_owned(),
        client_name: "From the configuration".to_owned(),
        client_uri: None,
        redirect_uris: vec![REDIRECT_URI.to_owned()],
        post_logout_redirect_uris: Vec::new(),
        backchannel_logout_uri: None,
        backchannel_logout_session_required: false,
        token_endpoint_auth_method: TokenEndpointAuthMethod::None,
        client_secret: None,
        client_secret_file: None,
        jwks: None,
        jwks_uri: None,
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        scope: None,
        trusted,
        access_token_lifetime_seconds: None,
    }
}

#[tokio::test]
async fn the_page_says_who_asks_for_what_and_where_the_answer_goes() {
    let server = Server::start(Engine::Sqlite).await;
    server.user("alice").await;
    let members = json!({
        "client_name": "<b>Bold</b>", "client_name#fr": "Application d’exemple",
        "tos_uri": "https://example.com/terms", "policy_uri": "https://example.com/privacy",
        "logo_uri": "https://example.com/logo.png",
    });
    let client = server.client_with(members).await["client_id"].as_str().unwrap().to_owned();
    let mut browser = server.signed_in("alice").await;
    let (path, page) = browser.ask(&authorization_query(&client, &matrix_scope("DEVICE0001"), &[])).await;
    let text = page.text();
    for part in [
        "app.example.com",
        "@alice:example.org",
        "DEVICE0001",
        "urn:matrix:client:api:*",
        "This lasts until you sign it out",
        "<a href=\"https://example.com/terms\" target=\"_blank\" rel=\"noopener noreferrer\">",
        "<a href=\"https://example.com/privacy\" target=\"_blank\" rel=\"noopener noreferrer\">",
    ] {
        assert!(text.contains(part), "{part}");
    }
    assert!(
        !text.contains("<b>Bold") && !text.contains("logo.png"),
        "nothing of the client is trusted or fetched"
    );
    assert!(page.header("content-security-policy").contains("form-action 'self' https://app.example.com;"));
    let request = http::Request::get(&path).header("accept-language", "fr-CH, fr;q=0.9");
    let page = browser.send(request.body(axum::body::Body::empty()).unwrap()).await;
    assert!(page.text().contains("Application d’exemple"));
}

#[tokio::test]
async fn an_answer_needs_the_form_of_the_browser_that_was_asked() {
    let server = Server::start(Engine::Sqlite).await;
    server.user("alice").await;
    let client = server.client().await;
    let mut browser = server.signed_in("alice").await;
    let (path, page) = browser.ask(&authorization_query(&client, "openid", &[])).await;
    let own = page.field("csrf");
    let strangers = server.browser().csrf().await;
    for form in [vec![("answer", "approve")], vec![("csrf", strangers.as_str()), ("answer", "approve")]] {
        assert_eq!(browser.post(&path, &form).await.status, StatusCode::FORBIDDEN);
    }
    let form = [("csrf", own.as_str()), ("answer", "approve")];
    for origin in
        ["https://evil.example", "null", "http://auth.example.org", "https://auth.example.org.evil.example"]
    {
        let request = crate::support::server::form_request(&path, &[(http::header::ORIGIN, origin)], &form);
        assert_eq!(browser.send(request).await.status, StatusCode::FORBIDDEN, "{origin}");
    }
    assert_eq!(browser.post(&path, &[("csrf", &own)]).await.status, StatusCode::BAD_REQUEST, "no answer");
    assert!(browser.post(&path, &form).await.query_parameter("code").is_some());
}

#[tokio::test]
async fn an_identifier_that_names_no_request_is_told_on_a_page() {
    let server = Server::start(Engine::Sqlite).await;
    for id in ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "nonsense", "%00", "..%2Faccount"] {
        assert_eq!(server.get(&format!("/authorize/{id}")).await.status, StatusCode::BAD_REQUEST, "{id}");
    }
}
