//! ID tokens as clients verify them (OpenID Connect Core §3.1.3.7), and userinfo.

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::{Request, StatusCode};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use crate::support::server::{
    Answer, BEGINNING, Engine, PUBLIC_BASE, Server, authorization_query, code_form, on_both_engines,
};

on_both_engines! {
    async fn an_older_web_app_signs_in_with_openid_and_verifies_its_id_token(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let client = server.client_with(json!({ "id_token_signed_response_alg": "RS256", "contacts": ["mailto:a@example.com"] })).await;
        let client = client["client_id"].as_str().unwrap();
        let scope = "openid urn:matrix:org.matrix.msc2967.client:api:* urn:matrix:org.matrix.msc2967.client:device:DEVICE0001";
        let mut browser = server.signed_in("alice").await;
        server.advance(std::time::Duration::from_secs(60));
        let changes = [("nonce", "n-0S6_WzA2Mj"), ("response_mode", "query")];
        let back = browser.allow(&authorization_query(client, scope, &changes)).await;
        let code = back.query_parameter("code").unwrap();
        let tokens = server.post("/oauth2/token", &code_form(client, &code)).await.json();

        let (algorithm, claims) = verified(&server, client, tokens["id_token"].as_str().unwrap()).await;
        assert_eq!(algorithm, "RS256");
        let discovered = server.get("/.well-known/openid-configuration").await.json();
        assert_eq!(claims["iss"], discovered["issuer"], "byte for byte");
        assert_eq!(claims["aud"], json!(client), "a plain string");
        assert_eq!(claims["sub"], json!(alice.id));
        assert_eq!(claims["nonce"], "n-0S6_WzA2Mj");
        assert_eq!(claims["auth_time"], json!(BEGINNING.as_seconds()));
        assert_eq!(claims["iat"], json!(BEGINNING.as_seconds() + 60));
        assert!(claims["exp"].as_i64().unwrap() >= BEGINNING.as_seconds() + 60 + 300, "clocks may differ by minutes");
        let hash = gatehouse::keys::sha256(tokens["access_token"].as_str().unwrap());
        assert_eq!(claims["at_hash"], json!(URL_SAFE_NO_PAD.encode(&hash[..16])));
    }

    async fn an_id_token_is_signed_as_the_client_registered_and_rs256_otherwise(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        for registered in [None, Some("RS256"), Some("ES256"), Some("EdDSA")] {
            let client = server.client_with(json!({ "id_token_signed_response_alg": registered })).await;
            let client = client["client_id"].as_str().unwrap();
            let tokens = server.tokens_for("alice", client, "openid").await;
            let id_token = tokens.answer["id_token"].as_str().unwrap();
            let (algorithm, claims) = verified(&server, client, id_token).await;
            assert_eq!(algorithm, registered.unwrap_or("RS256").to_uppercase());
            // The hash that the signature uses (OpenID Connect Core §3.1.3.6): SHA-512 within Ed25519.
            let hash = match registered {
                Some("EdDSA") => &SHA512,
                _ => &SHA256,
            };
            let hash = digest(hash, tokens.access.as_bytes());
            let half = URL_SAFE_NO_PAD.encode(&hash.as_ref()[..hash.as_ref().len() / 2]);
            assert_eq!(claims["at_hash"], json!(half), "{registered:?}");
            assert_eq!(claims.get("nonce"), None, "no nonce was sent");
        }
    }

    async fn a_refreshed_id_token_is_about_the_same_sign_in(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let tokens = server.tokens_for("alice", &client, "openid").await;
        let (_, first) = verified(&server, &client, tokens.answer["id_token"].as_str().unwrap()).await;
        server.advance(std::time::Duration::from_secs(300));
        let refreshed = server.refresh(&client, &tokens.refresh).await.json();
        let (_, second) = verified(&server, &client, refreshed["id_token"].as_str().unwrap()).await;
        for same in ["iss", "sub", "aud", "auth_time"] {
            assert_eq!(first[same], second[same], "{same}");
        }
        assert_eq!(second["iat"].as_i64().unwrap(), first["iat"].as_i64().unwrap() + 300);
    }

    async fn userinfo_names_the_subject_of_the_id_token_to_those_with_openid(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let client = server.client().await;
        let tokens = server.tokens_for("alice", &client, "openid").await;
        let answer = userinfo(&server, &tokens.access).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "sub": alice.id })));
        assert_eq!(answer.header("cache-control"), "no-store");

        let without = server.tokens("alice", &client, "DEVICE0001").await;
        let refused = userinfo(&server, &without.access).await;
        assert_eq!((refused.status, refused.error().as_str()), (StatusCode::FORBIDDEN, "insufficient_scope"));
        for wrong in [tokens.refresh.as_str(), "nonsense"] {
            let refused = userinfo(&server, wrong).await;
            assert_eq!((refused.status, refused.error().as_str()), (StatusCode::UNAUTHORIZED, "invalid_token"));
        }
        let nothing = server.get("/oauth2/userinfo").await;
        assert_eq!(nothing.header("www-authenticate"), "Bearer realm=\"gatehouse\"", "no code without a token");
    }
}

/// Verifies as a client does: with the published key that the header names.
async fn verified(server: &Server, client: &str, id_token: &str) -> (String, Value) {
    let jwks: JwkSet = serde_json::from_value(server.get("/oauth2/keys.json").await.json()).unwrap();
    let header = decode_header(id_token).unwrap();
    let key = jwks.find(header.kid.as_deref().expect("a kid")).expect("the key is published");
    let mut validation = Validation::new(header.alg);
    validation.set_audience(&[client]);
    validation.set_issuer(&[PUBLIC_BASE]);
    // The server's clock stands still in the tests.
    validation.validate_exp = false;
    let decoded = decode::<Value>(id_token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap();
    (format!("{:?}", header.alg).to_uppercase(), decoded.claims)
}

async fn userinfo(server: &Server, token: &str) -> Answer {
    let request = Request::get("/oauth2/userinfo").header(AUTHORIZATION, format!("Bearer {token}"));
    server.send(request.body(axum::body::Body::empty()).unwrap()).await
}
