//! The client credentials grant (RFC 6749 §4.4): what a client may do for itself, and that it never
//! passes for a user.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatehouse::cli::{Answer as CliAnswer, Failure, Kind, Request};
use gatehouse::config::{GrantType, Secret, StaticClient, TokenEndpointAuthMethod};
use gatehouse::keys::{Algorithm, PrivateKey, PublishedKeys, SigningKey};
use gatehouse::store::query;
use gatehouse::time::Timestamp;
use gatehouse::work;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{Request as HttpRequest, StatusCode};
use serde_json::{Value, json};

use crate::support::server::{Answer, Engine, REDIRECT_URI, Server, code_form, on_both_engines};

const SECRET: &str = "the secret of the report client";
const SCOPE: &str = "reports:read reports:write https://api.example.org/all";

fn reporter() -> StaticClient {
    StaticClient {
        client_id: "reporter".to_owned(),
        client_name: "Reporter".to_owned(),
        client_uri: None,
        redirect_uris: vec![REDIRECT_URI.to_owned()],
        post_logout_redirect_uris: Vec::new(),
        backchannel_logout_uri: None,
        backchannel_logout_session_required: false,
        token_endpoint_auth_method: TokenEndpointAuthMethod::ClientSecretBasic,
        client_secret: Some(Secret::new(SECRET)),
        client_secret_file: None,
        jwks: None,
        jwks_uri: None,
        grant_types: GrantType::ALL.to_vec(),
        scope: Some(SCOPE.to_owned()),
        trusted: true,
        access_token_lifetime_seconds: None,
    }
}

async fn server(engine: Engine) -> Server {
    Server::start_with(engine, |config| config.clients = vec![reporter()]).await
}

fn basic() -> String {
    let secret = SECRET.replace(' ', "+");
    format!("Basic {}", STANDARD.encode(format!("reporter:{secret}")))
}

/// Posts as the configured client.
async fn post(server: &Server, path: &str, form: &[(&str, &str)]) -> Answer {
    server.post_with(path, &[(AUTHORIZATION, &basic())], form).await
}

async fn grant(server: &Server, more: &[(&str, &str)]) -> Answer {
    let form = [&[("grant_type", "client_credentials")], more].concat();
    post(server, "/oauth2/token", &form).await
}

/// An access token that the configured client got for itself.
async fn token(server: &Server) -> String {
    let answer = grant(server, &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

async fn is_active(server: &Server, token: &str) -> bool {
    post(server, "/oauth2/introspect", &[("token", token)]).await.json()["active"] == json!(true)
}

async fn command(server: &Server, request: Value) -> Result<CliAnswer, Failure> {
    serde_json::from_value::<Request>(request).expect("a request").carry_out(&server.app).await
}

async fn session_rows(server: &Server) -> usize {
    query("SELECT id FROM client_sessions").fetch_all::<()>(&server.app.store).await.expect("rows").len()
}

on_both_engines! {
    async fn a_client_gets_an_access_token_and_nothing_of_a_person(engine: Engine) {
        let server = server(engine).await;
        let mut answer = grant(&server, &[]).await.json();
        let token = answer["access_token"].take();
        assert!(token.as_str().is_some_and(|token| token.starts_with("gha_")));
        assert_eq!(answer, json!({
            "access_token": null, "token_type": "Bearer", "expires_in": 300, "scope": SCOPE,
        }));
        let told = post(&server, "/oauth2/introspect", &[("token", token.as_str().unwrap())]).await.json();
        let now = server.app.clock.now().as_seconds();
        assert_eq!(told, json!({
            "active": true, "scope": SCOPE, "client_id": "reporter", "sub": "reporter", "token_type": "access_token",
            "exp": now + 300, "expires_in": 300, "iat": now, "nbf": now,
        }));
    }

    async fn to_the_homeserver_a_token_without_a_person_is_never_good(engine: Engine) {
        let server = server(engine).await;
        let token = token(&server).await;
        // Before and after somebody else had it remembered.
        for _ in 0..2 {
            assert_eq!(server.introspect(&token).await, json!({ "active": false }));
            let secret = format!("Bearer {}", server.homeserver.secret());
            let plain = server.post_with("/oauth2/introspect", &[(AUTHORIZATION, &secret)], &[("token", &token)]).await;
            assert_eq!(plain.text(), r#"{"active":false}"#);
            assert!(is_active(&server, &token).await);
        }
    }

    async fn a_client_asks_for_less_but_not_for_more(engine: Engine) {
        let server = server(engine).await;
        for (asked, granted) in [
            ("reports:write", "reports:write"),
            ("reports:write  reports:read reports:write", "reports:write reports:read"),
            // A parameter without a value counts as omitted (RFC 6749 §3.2).
            ("", SCOPE),
        ] {
            assert_eq!(grant(&server, &[("scope", asked)]).await.json()["scope"], granted, "{asked}");
        }
        for asked in [
            "reports:delete", "reports:read openid", "openid", "email", "urn:synapse:admin:*", "reports", " ",
            "urn:matrix:client:api:* urn:matrix:client:device:ABCDEFGHIJ",
        ] {
            let answer = grant(&server, &[("scope", asked)]).await;
            assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_scope"), "{asked}");
        }
        // What it may do for itself it cannot have people asked for.
        let query = crate::support::server::authorization_query("reporter", "reports:read", &[]);
        let refused = server.browser().get(&format!("/authorize?{query}")).await;
        assert_eq!(refused.query_parameter("error").as_deref(), Some("invalid_scope"));
    }

    async fn only_clients_that_prove_themselves_and_have_the_grant_get_anything(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            let codes = StaticClient {
                client_id: "codes".to_owned(), grant_types: GrantType::USUAL.to_vec(), scope: None, ..reporter()
            };
            config.clients = vec![reporter(), codes];
        })
        .await;
        let form = [("grant_type", "client_credentials"), ("client_id", "reporter")];
        assert_eq!(server.post("/oauth2/token", &form).await.error(), "invalid_client");
        let wrong = format!("Basic {}", STANDARD.encode("reporter:wrong"));
        let answer = server.post_with("/oauth2/token", &[(AUTHORIZATION, &wrong)], &form).await;
        assert_eq!((answer.status, answer.error().as_str()), (StatusCode::UNAUTHORIZED, "invalid_client"));
        let codes = format!("Basic {}", STANDARD.encode(format!("codes:{}", SECRET.replace(' ', "+"))));
        let answer = server.post_with("/oauth2/token", &[(AUTHORIZATION, &codes)], &form[..1]).await;
        assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "unauthorized_client"));
        assert_eq!(session_rows(&server).await, 0);
    }

    async fn clients_that_register_themselves_have_nothing_of_their_own(engine: Engine) {
        let server = server(engine).await;
        let public = json!({
            "client_uri": "https://example.com/", "token_endpoint_auth_method": "none",
            "grant_types": ["client_credentials"],
        });
        let refused = server.post_json("/oauth2/registration", &public).await;
        assert_eq!((refused.status, refused.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_client_metadata"));
        let registered = server.client_with(json!({
            "token_endpoint_auth_method": "client_secret_post", "redirect_uris": [],
            "grant_types": ["client_credentials"], "scope": "reports:read",
        })).await;
        assert!(registered.get("scope").is_none());
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", registered["client_id"].as_str().unwrap()),
            ("client_secret", registered["client_secret"].as_str().unwrap()),
        ];
        for scope in [&[][..], &[("scope", "reports:read")]] {
            let answer = server.post("/oauth2/token", &[&form, scope].concat()).await;
            assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "unauthorized_client"));
        }
        // Who does not ask for it does not have it.
        let usual = server.client_with(json!({})).await;
        assert_eq!(usual["grant_types"], json!(["authorization_code", "refresh_token"]));
    }

    async fn a_created_client_proves_itself_by_its_secret_in_the_form(engine: Engine) {
        let server = Server::start(engine).await;
        let create = |method: &str, grants: &[&str], scope: Value| json!({ "clients": { "create": {
            "name": "Service", "client_uri": null, "redirect_uris": [], "auth_method": method,
            "grant_types": grants, "scope": scope,
        } } });
        let own = &["client_credentials"][..];
        let made = command(&server, create("client_secret_post", own, json!("jobs:run"))).await.expect("a client").data;
        assert_eq!(made["scope"], "jobs:run");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", made["client_id"].as_str().unwrap()),
            ("client_secret", made["client_secret"].as_str().unwrap()),
        ];
        let answer = server.post("/oauth2/token", &form).await;
        assert_eq!((answer.status, &answer.json()["scope"]), (StatusCode::OK, &json!("jobs:run")));
        for wrong in [
            create("none", own, json!("jobs:run")),
            create("client_secret_post", own, Value::Null),
            create("client_secret_post", own, json!("openid")),
            create("client_secret_post", own, json!("")),
            create("client_secret_post", &["refresh_token"], json!("jobs:run")),
        ] {
            assert_eq!(command(&server, wrong.clone()).await.map(|_| ()).unwrap_err().error, Kind::Usage, "{wrong}");
        }

        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        let ask = [("token", token.as_str()), form[1], form[2]];
        assert_eq!(server.post("/oauth2/introspect", &ask).await.json()["active"], json!(true));
        let list = json!({ "sessions": { "list": { "name": null, "kind": null, "client": made["client_id"] } } });
        let listed = command(&server, list.clone()).await.expect("a list").data;
        assert_eq!(listed["sessions"][0]["user"], Value::Null);
        let end = json!({ "sessions": { "end": {
            "session_id": listed["sessions"][0]["id"], "user": null, "all": false,
        } } });
        command(&server, end.clone()).await.expect("an end");
        assert_eq!(server.post("/oauth2/introspect", &ask).await.json(), json!({ "active": false }));
        assert_eq!(command(&server, end).await.map(|_| ()).unwrap_err().error, Kind::NotFound);
        assert_eq!(command(&server, list).await.expect("a list").data["sessions"], json!([]));
    }

    async fn deleting_the_client_ends_what_it_has(engine: Engine) {
        let server = server(engine).await;
        let made = command(&server, json!({ "clients": { "create": {
            "name": "Service", "client_uri": null, "redirect_uris": [], "auth_method": "client_secret_post",
            "grant_types": ["client_credentials"], "scope": "jobs:run",
        } } })).await.expect("a client").data;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", made["client_id"].as_str().unwrap()),
            ("client_secret", made["client_secret"].as_str().unwrap()),
        ];
        let answer = server.post("/oauth2/token", &form).await.json();
        let token = answer["access_token"].as_str().unwrap();
        // Another client asks, so that the token is remembered.
        assert!(is_active(&server, token).await);
        let delete = json!({ "clients": { "delete": { "client_id": made["client_id"] } } });
        command(&server, delete).await.expect("a deletion");
        assert!(!is_active(&server, token).await);
        assert_eq!(server.post("/oauth2/token", &form).await.error(), "invalid_client");
    }

    async fn a_client_proves_itself_by_its_key(engine: Engine) {
        let (private_key, _) = PrivateKey::generate(Algorithm::Es256).unwrap();
        let kid = private_key.thumbprint();
        let signing = SigningKey { kid, algorithm: Algorithm::Es256, signs_from: Timestamp(0), retires_at: None, private_key };
        let keys = PublishedKeys::new(vec![signing]);
        let jwks = serde_json::from_slice(keys.jwks()).unwrap();
        let server = Server::start_with(engine, |config| {
            config.clients = vec![StaticClient {
                token_endpoint_auth_method: TokenEndpointAuthMethod::PrivateKeyJwt,
                client_secret: None,
                jwks: Some(jwks),
                ..reporter()
            }];
            config.check().expect("a configuration");
        })
        .await;
        let id = "reporter";
        let now = server.app.clock.now();
        let claims = json!({
            "iss": id, "sub": id, "aud": "https://auth.example.org/oauth2/token",
            "exp": now.as_seconds() + 60, "jti": gatehouse::keys::random_secret(),
        });
        let assertion = keys.signing_key(Algorithm::Es256, now).unwrap().sign_jwt(&claims).unwrap();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ];
        let answer = server.post("/oauth2/token", &form).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(answer.json()["scope"], SCOPE);
    }

    async fn each_grant_gives_the_lifetime_that_the_admin_set_for_the_client(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.clients = vec![StaticClient { access_token_lifetime_seconds: Some(600), ..reporter() }];
        })
        .await;
        server.user("alice").await;
        let code = server.signed_in("alice").await.code("reporter", "openid").await;
        let by_code = post(&server, "/oauth2/token", &code_form("reporter", &code)).await.json();
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", by_code["refresh_token"].as_str().unwrap())];
        let refreshed = post(&server, "/oauth2/token", &refresh).await.json();
        let by_itself = grant(&server, &[]).await.json();
        let answers = [by_code, refreshed, by_itself];
        for answer in &answers {
            assert_eq!(answer["expires_in"], 600, "{answer}");
        }
        let tokens = answers.each_ref().map(|answer| answer["access_token"].as_str().unwrap());
        server.advance(Duration::from_secs(599));
        for token in &tokens[1..] {
            assert!(is_active(&server, token).await);
        }
        server.advance(Duration::from_secs(2));
        for token in tokens {
            assert!(!is_active(&server, token).await);
        }
    }

    async fn userinfo_has_nobody_to_tell_about(engine: Engine) {
        let server = server(engine).await;
        let bearer = format!("Bearer {}", token(&server).await);
        let request = HttpRequest::get("/oauth2/userinfo").header(AUTHORIZATION, bearer);
        let answer = server.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.header(WWW_AUTHENTICATE).contains("insufficient_scope"));
    }

    async fn a_revoked_token_is_inactive_at_once_and_others_stay(engine: Engine) {
        let server = server(engine).await;
        let (one, other) = (token(&server).await, token(&server).await);
        assert!(one != other && is_active(&server, &one).await);
        assert_eq!(post(&server, "/oauth2/revoke", &[("token", &one)]).await.status, StatusCode::OK);
        assert!(!is_active(&server, &one).await && is_active(&server, &other).await);
    }

    async fn an_expired_token_leaves_nothing_behind(engine: Engine) {
        let server = server(engine).await;
        server.user("alice").await;
        // The sign-in of a person stays, and one of the tokens is revoked.
        let code = server.signed_in("alice").await.code("reporter", "openid").await;
        let answer = post(&server, "/oauth2/token", &code_form("reporter", &code)).await.json();
        let (old, revoked) = (token(&server).await, token(&server).await);
        post(&server, "/oauth2/revoke", &[("token", &revoked)]).await;
        server.advance(Duration::from_secs(299));
        let young = token(&server).await;
        assert!(is_active(&server, &old).await);
        server.advance(Duration::from_secs(2));
        assert!(!is_active(&server, &old).await && is_active(&server, &young).await);
        work::sweep(&server.app).await.expect("a sweep");
        assert_eq!(session_rows(&server).await, 2);
        assert!(is_active(&server, &young).await);
        let form = [("grant_type", "refresh_token"), ("refresh_token", answer["refresh_token"].as_str().unwrap())];
        assert_eq!(post(&server, "/oauth2/token", &form).await.status, StatusCode::OK);
    }

    async fn the_policy_is_asked_without_a_user(engine: Engine) {
        let rules = tempfile::tempdir().unwrap();
        let file = rules.path().join("mine.rego");
        std::fs::write(&file, "package authorization_grant\n
violations contains {\"code\": \"not_now\"} if {
\tinput.user == null\n\tinput.grant_type == \"client_credentials\"\n\tinput.client.client_id == \"reporter\"
\t\"reports:write\" in input.scope\n}\n").unwrap();
        let server = Server::start_with(engine, |config| {
            config.clients = vec![reporter()];
            config.policy.folder = Some(rules.path().to_owned());
        })
        .await;
        assert_eq!(grant(&server, &[]).await.error(), "unauthorized_client");
        assert_eq!(grant(&server, &[("scope", "reports:read")]).await.status, StatusCode::OK);
        assert_eq!(session_rows(&server).await, 1);
    }
}
