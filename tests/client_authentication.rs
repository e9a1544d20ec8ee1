//! How clients prove who they are at the token endpoint (RFC 6749 §2.3, §3.2.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatehouse::config::Limit;
use http::StatusCode;
use http::header::AUTHORIZATION;
use serde_json::json;
use std::time::Duration;

use crate::support::server::{Answer, Engine, Server, code_form, on_both_engines, with_changes};

/// A confidential client and a code for it.
struct Confidential {
    id: String,
    secret: String,
    code: String,
}

async fn confidential(server: &Server, method: &str) -> Confidential {
    let registered = server.client_with(json!({ "token_endpoint_auth_method": method })).await;
    let text = |key: &str| registered[key].as_str().unwrap().to_owned();
    let id = text("client_id");
    assert_eq!(registered["client_secret_expires_at"], json!(0));
    let mut browser = server.signed_in("alice").await;
    let code = browser.code(&id, "openid").await;
    Confidential { secret: text("client_secret"), id, code }
}

fn basic(client_id: &str, secret: &str) -> String {
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret))))
}

impl Confidential {
    async fn by_header(&self, server: &Server, header: &str, changes: &[(&str, &str)]) -> Answer {
        let form = with_changes(&code_form(&self.id, &self.code), changes);
        server.post_with("/oauth2/token", &[(AUTHORIZATION, header)], &form).await
    }

    async fn by_form(&self, server: &Server, secret: &str) -> Answer {
        let form = with_changes(&code_form(&self.id, &self.code), &[("client_secret", secret)]);
        server.post("/oauth2/token", &form).await
    }
}

fn assert_unproven(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text());
    assert_eq!(answer.error(), "invalid_client");
    assert_eq!(answer.header("www-authenticate"), "Basic realm=\"gatehouse\"");
}

on_both_engines! {
    async fn a_client_proves_itself_by_header(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = confidential(&server, "client_secret_basic").await;
        for wrong in [
            basic(&client.id, "wrong"), basic("nobody", &client.secret), "Basic !".to_owned(), "Basic".to_owned(),
            format!("Basic {}", STANDARD.encode(&client.id)), format!("Bearer {}", client.secret),
        ] {
            assert_unproven(&client.by_header(&server, &wrong, &[("client_id", "")]).await);
        }
        assert_unproven(&client.by_form(&server, &client.secret).await);
        assert_unproven(&client.by_form(&server, "").await);
        let right = basic(&client.id, &client.secret);
        let twice = client.by_header(&server, &right, &[("client_secret", &client.secret)]).await;
        assert_eq!((twice.status, twice.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_request"), "two ways at once");
        let differs = client.by_header(&server, &right, &[("client_id", "another")]).await;
        assert_eq!((differs.status, differs.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_request"));
        let answer = client.by_header(&server, &right, &[("client_id", "")]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let tokens = answer.json();
        let form = [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
        assert_unproven(&server.post("/oauth2/token", &with_changes(&form, &[("client_id", &client.id)])).await);
        assert_eq!(server.post_with("/oauth2/token", &[(AUTHORIZATION, &right)], &form).await.status, StatusCode::OK);
    }

    async fn a_client_proves_itself_by_form(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = confidential(&server, "client_secret_post").await;
        for wrong in ["wrong", "", &client.secret[1..]] {
            let answer = client.by_form(&server, wrong).await;
            assert_unproven(&answer);
        }
        assert_unproven(&client.by_header(&server, &basic(&client.id, &client.secret), &[]).await);
        assert_eq!(client.by_form(&server, &client.secret).await.status, StatusCode::OK);
    }

    async fn a_public_client_has_nothing_to_prove_and_may_not_pretend(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let id = server.client().await;
        let code = server.signed_in("alice").await.code(&id, "openid").await;
        let client = Confidential { id, secret: String::new(), code };
        assert_unproven(&client.by_form(&server, "anything").await);
        assert_unproven(&client.by_header(&server, &basic(&client.id, "anything"), &[]).await);
        assert_eq!(client.by_form(&server, "").await.status, StatusCode::OK);
    }

    async fn wrong_secrets_are_limited_and_the_right_one_from_elsewhere_is_not(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.rate_limits.client_secret_per_client = Limit { burst: 2, per_hour: 60 };
        }).await;
        server.user("alice").await;
        let client = confidential(&server, "client_secret_post").await;
        for _ in 0..2 {
            assert_unproven(&client.by_form(&server, "wrong").await);
        }
        let answer = client.by_form(&server, &client.secret).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "not even the right one may be guessed now");
        assert_eq!(answer.header("retry-after"), "60");
        let form = with_changes(&code_form(&client.id, &client.code), &[("client_secret", "wrong")]);
        let refresh = with_changes(&form, &[("grant_type", "refresh_token"), ("refresh_token", "x"), ("code", "")]);
        let refused = server.post("/oauth2/token", &refresh).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "with 4xx it would take itself for signed out");
        server.advance(Duration::from_secs(60));
        assert_eq!(client.by_form(&server, &client.secret).await.status, StatusCode::OK);
    }
}
