//! Clients that prove themselves by a signed JWT (RFC 7523, OpenID Connect Core §9).

use gatehouse::keys::{Algorithm, PrivateKey, PublishedKeys, SigningKey};
use gatehouse::time::Timestamp;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::server::{
    Answer, Engine, REDIRECT_URI, Server, VERIFIER, authorization_query, on_both_engines,
};

pub(crate) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client's key pair.
pub(crate) fn key() -> SigningKey {
    let (private_key, _) = PrivateKey::generate(Algorithm::Es256).unwrap();
    let (kid, signs_from) = (private_key.thumbprint(), Timestamp(0));
    SigningKey { kid, algorithm: Algorithm::Es256, signs_from, retires_at: None, private_key }
}

pub(crate) fn jwks(key: SigningKey) -> Value {
    serde_json::from_slice(PublishedKeys::new(vec![key]).jwks()).unwrap()
}

/// A key that signs, and the set in which it is published.
pub(crate) fn published_key() -> (SigningKey, Value) {
    let (private_key, pkcs8) = PrivateKey::generate(Algorithm::Es256).unwrap();
    let again = PrivateKey::from_pkcs8(Algorithm::Es256, &pkcs8).unwrap();
    let named = |private_key: PrivateKey| SigningKey {
        kid: private_key.thumbprint(),
        algorithm: Algorithm::Es256,
        signs_from: Timestamp(0),
        retires_at: None,
        private_key,
    };
    (named(again), jwks(named(private_key)))
}

/// A registered client, and the key that it signs with.
pub(crate) async fn client(server: &Server) -> (String, SigningKey) {
    let (key, jwks) = published_key();
    let members = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks });
    let registered = server.client_with(members).await;
    assert!(registered.get("client_secret").is_none());
    (registered["client_id"].as_str().unwrap().to_owned(), key)
}

/// Claims as they should be; `changes` replace them, `null` removes one.
pub(crate) fn claims(server: &Server, client: &str, changes: Value) -> Value {
    let now = server.app.clock.now().as_seconds();
    let mut claims = json!({
        "iss": client, "sub": client, "aud": "https://auth.example.org/oauth2/token",
        "exp": now + 60, "iat": now, "jti": gatehouse::keys::random_secret(),
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

/// Asks whether a token is active, proven by an assertion.
pub(crate) async fn introspect(server: &Server, assertion: &str) -> Answer {
    let form = [("client_assertion_type", TYPE), ("client_assertion", assertion), ("token", "unknown")];
    server.post("/oauth2/introspect", &form).await
}

on_both_engines! {
    async fn a_client_exchanges_its_code_with_an_assertion(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let (client, key) = client(&server).await;
        let code = server.signed_in("alice").await.code(&client, "openid").await;
        let assertion = key.sign_jwt(&claims(&server, &client, json!({}))).unwrap();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
            ("client_assertion_type", TYPE),
            ("client_assertion", &assertion),
        ];
        let answer = server.post("/oauth2/token", &form).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let without = [("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_id", &client)];
        assert_eq!(server.post("/oauth2/token", &without).await.error(), "invalid_client");
    }

    async fn an_assertion_is_good_once_on_all_nodes_and_also_when_it_comes_twice_at_once(engine: Engine) {
        let server = Server::start(engine).await;
        let (client, key) = client(&server).await;
        let assertion = key.sign_jwt(&claims(&server, &client, json!({}))).unwrap();
        let (one, other) = tokio::join!(introspect(&server, &assertion), introspect(&server, &assertion));
        let mut statuses = [one.status, other.status];
        statuses.sort();
        assert_eq!(statuses, [StatusCode::OK, StatusCode::UNAUTHORIZED]);
        assert_eq!(introspect(&server, &assertion).await.error(), "invalid_client");
    }

    async fn every_claim_is_checked(engine: Engine) {
        let server = Server::start(engine).await;
        let (client, key) = client(&server).await;
        let now = server.app.clock.now().as_seconds();
        for good in [
            json!({}),
            json!({ "aud": ["https://elsewhere.example/", "https://auth.example.org/"] }),
            json!({ "aud": "https://auth.example.org/oauth2/introspect" }),
            json!({ "exp": now + 600 }),
            json!({ "nbf": now }),
        ] {
            let assertion = key.sign_jwt(&claims(&server, &client, good.clone())).unwrap();
            assert_eq!(introspect(&server, &assertion).await.status, StatusCode::OK, "{good}");
        }
        for bad in [
            json!({ "aud": "https://elsewhere.example/" }),
            json!({ "aud": "https://auth.example.org/oauth2/par" }),
            json!({ "aud": "https://auth.example.org/oauth2/" }),
            json!({ "aud": null }),
            json!({ "iss": "somebody" }),
            json!({ "sub": "somebody" }),
            json!({ "exp": now - 60 }),
            json!({ "exp": now + 3600 }),
            json!({ "exp": null }),
            json!({ "nbf": now + 120 }),
            json!({ "jti": "" }),
            json!({ "jti": null }),
        ] {
            let assertion = key.sign_jwt(&claims(&server, &client, bad.clone())).unwrap();
            assert_eq!(introspect(&server, &assertion).await.status, StatusCode::UNAUTHORIZED, "{bad}");
        }
        let forged = self::key().sign_jwt(&claims(&server, &client, json!({}))).unwrap();
        assert_eq!(introspect(&server, &forged).await.error(), "invalid_client");
        let unsigned = forged.rsplit_once('.').unwrap().0.to_owned() + ".";
        assert_eq!(introspect(&server, &unsigned).await.error(), "invalid_client");
        assert_eq!(introspect(&server, "a.b.c").await.error(), "invalid_client");
    }

    async fn a_pushed_request_takes_its_own_endpoint_as_the_audience(engine: Engine) {
        let server = Server::start(engine).await;
        let (client, key) = client(&server).await;
        let query = authorization_query(&client, "openid", &[]);
        let asked: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        // RFC 9126 §2 names these three.
        for (audience, status) in [
            ("https://auth.example.org/", StatusCode::CREATED),
            ("https://auth.example.org/oauth2/token", StatusCode::CREATED),
            ("https://auth.example.org/oauth2/par", StatusCode::CREATED),
            ("https://auth.example.org/oauth2/revoke", StatusCode::UNAUTHORIZED),
            ("https://elsewhere.example/oauth2/par", StatusCode::UNAUTHORIZED),
        ] {
            let assertion = key.sign_jwt(&claims(&server, &client, json!({ "aud": audience }))).unwrap();
            let mut form: Vec<(&str, &str)> =
                asked.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            form.extend([("client_assertion_type", TYPE), ("client_assertion", &assertion)]);
            let pushed = server.post("/oauth2/par", &form).await;
            assert_eq!(pushed.status, status, "{audience}: {}", pushed.text());
        }
    }

    async fn keys_must_be_given_in_one_way_and_are_never_fetched_from_private_networks(engine: Engine) {
        let server = Server::start(engine).await;
        let register = async |keys: Value| {
            let mut metadata = json!({
                "client_uri": "https://example.com/", "redirect_uris": [REDIRECT_URI],
                "token_endpoint_auth_method": "private_key_jwt",
            });
            for (name, value) in keys.as_object().unwrap() {
                metadata[name] = value.clone();
            }
            server.post_json("/oauth2/registration", &metadata).await
        };
        let uri = "https://example.com/keys.json";
        for bad in [
            json!({}),
            json!({ "jwks": jwks(key()), "jwks_uri": uri }),
            json!({ "jwks": { "keys": [] } }),
            json!({ "jwks": "keys" }),
            json!({ "jwks_uri": "https://elsewhere.example/keys.json" }),
            json!({ "jwks_uri": "http://example.com/keys.json" }),
        ] {
            assert_eq!(register(bad.clone()).await.error(), "invalid_client_metadata", "{bad}");
        }
        let mut metadata = json!({ "jwks_uri": "https://127.0.0.1/keys.json", "client_uri": "https://127.0.0.1/" });
        metadata["redirect_uris"] = json!(["https://127.0.0.1/cb"]);
        metadata["application_type"] = json!("native");
        metadata["grant_types"] = json!(["refresh_token"]);
        metadata["redirect_uris"] = json!([]);
        let registered = register(metadata).await;
        assert_eq!(registered.status, StatusCode::CREATED, "{}", registered.text());
        let client = registered.json()["client_id"].as_str().unwrap().to_owned();
        let assertion = key().sign_jwt(&claims(&server, &client, json!({}))).unwrap();
        let answer = introspect(&server, &assertion).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text());
    }
}
