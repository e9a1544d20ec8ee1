//! The authorization code flow from the client's request to its tokens (RFC 6749 §4.1, RFC 7636,
//! RFC 9207; Matrix CS API, Authorization code flow).

use http::StatusCode;
use serde_json::json;

use crate::support::server::{
    Engine, REDIRECT_URI, Server, authorization_query, code_form, matrix_scope, on_both_engines,
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
        let signed_in = browser.sign_in("alice", crate::support::server::PASSWORD, &path).await;
        assert_eq!(signed_in.location(), path);
        assert!(server.homeserver.devices("alice").is_empty(), "no device before the code is exchanged");
        let page = browser.get(&path).await;
        assert!(page.text().contains("app.example.com"), "the page names who asks");
        let csrf = page.field("csrf");
        let back = browser.post(&path, &[("csrf", &csrf), ("answer", "approve")]).await;
        assert!(back.location().starts_with(&format!("{REDIRECT_URI}?code=")));
        assert_eq!(back.query_parameter("state").as_deref(), Some("some state"));
        assert_eq!(back.query_parameter("iss").as_deref(), Some("https://auth.example.org/"));

        let code = back.query_parameter("code").unwrap();
        let answer = server.post("/oauth2/token", &code_form(&client, &code)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let tokens = answer.json();
        assert_eq!(tokens["token_type"], "Bearer");
        assert_eq!(tokens["expires_in"], 300);
        assert_eq!(tokens["scope"], matrix_scope("DEVICE0001"));
        assert!(tokens.get("id_token").is_none());
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);

        let introspected = server.introspect(tokens["access_token"].as_str().unwrap()).await;
        assert_eq!(introspected["active"], json!(true));
        assert_eq!(introspected["username"], "alice");
        assert_eq!(introspected["device_id"], "DEVICE0001");
        assert_eq!(introspected["expires_in"], json!(300));
    }
}
