//! What the server says of itself, and the headers that its answers carry (RFC 8414, OpenID Connect
//! Discovery; Matrix CS API, Server metadata discovery, Web Browser Clients).

use std::collections::BTreeSet;

use axum::body::Body;
use http::header::{HOST, IF_NONE_MATCH};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::support::server::{Answer, Engine, Server, authorization_query, on_both_engines};

const OIDC: &str = "/.well-known/openid-configuration";
const RFC_8414: &str = "/.well-known/oauth-authorization-server";

async fn ask(server: &Server, method: Method, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header("origin", "https://app.example.com");
    server.send(request.body(Body::empty()).unwrap()).await
}

on_both_engines! {
    async fn the_document_says_what_is_offered_and_nothing_else(engine: Engine) {
        assert_whole_document(&Server::start(engine).await).await;
    }
}

async fn assert_whole_document(server: &Server) {
    let expected = json!({
        "issuer": "https://auth.example.org/",
        "authorization_endpoint": "https://auth.example.org/authorize",
        "token_endpoint": "https://auth.example.org/oauth2/token",
        "revocation_endpoint": "https://auth.example.org/oauth2/revoke",
        "registration_endpoint": "https://auth.example.org/oauth2/registration",
        "introspection_endpoint": "https://auth.example.org/oauth2/introspect",
        "userinfo_endpoint": "https://auth.example.org/oauth2/userinfo",
        "jwks_uri": "https://auth.example.org/oauth2/keys.json",
        "account_management_uri": "https://auth.example.org/account/",
        "account_management_actions_supported": [
            "org.matrix.profile", "org.matrix.devices_list", "org.matrix.device_view", "org.matrix.device_delete",
            "org.matrix.account_deactivate", "org.matrix.cross_signing_reset", "org.matrix.sessions_list",
            "org.matrix.session_view", "org.matrix.session_end",
        ],
        "pushed_authorization_request_endpoint": "https://auth.example.org/oauth2/par",
        "require_pushed_authorization_requests": false,
        "end_session_endpoint": "https://auth.example.org/end-session",
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "scopes_supported": [
            "openid", "profile", "email", "urn:matrix:client:api:*", "urn:matrix:client:device:*", "urn:synapse:admin:*",
        ],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "acr_values_supported": ["1", "2", "phr"],
        "display_values_supported": ["page"],
        "ui_locales_supported": ["en", "de", "fr"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "device_authorization_endpoint": "https://auth.example.org/oauth2/device",
        "grant_types_supported": [
            "authorization_code", "refresh_token", "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported":
            ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
        "revocation_endpoint_auth_methods_supported":
            ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"],
        "revocation_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
        "introspection_endpoint_auth_methods_supported":
            ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "introspection_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "acr", "amr", "sid", "name",
            "preferred_username", "email", "email_verified",
        ],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
    });
    for path in [OIDC, RFC_8414] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/json"));
        let document = answer.json();
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&document[key], value, "{key}");
        }
        // Homeservers append `?action=…` to it as text.
        let account: url::Url = document["account_management_uri"].as_str().unwrap().parse().unwrap();
        assert_eq!((account.query(), account.fragment()), (None, None));
        let unknown = document.as_object().unwrap().keys().find(|key| expected.get(key).is_none());
        assert_eq!(unknown, None);
    }
}

#[tokio::test]
async fn urls_come_from_the_public_base_and_never_from_the_request() {
    let server = Server::start(Engine::Sqlite).await;
    let usual = server.get(OIDC).await.json();
    let request = Request::get(OIDC)
        .header(HOST, "localhost:8080")
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-proto", "http")
        .header("forwarded", "host=evil.example;proto=http");
    let internal = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(internal.json(), usual);
}

#[tokio::test]
async fn below_a_path_everything_answers_with_and_without_it() {
    let server = Server::start_with(Engine::Sqlite, |config| {
        config.http.public_base = "https://example.org/auth/path/".parse().unwrap();
    })
    .await;
    let document = server.get(OIDC).await.json();
    assert_eq!(document["issuer"], "https://example.org/auth/path/");
    assert_eq!(document["token_endpoint"], "https://example.org/auth/path/oauth2/token");
    for path in [
        "/auth/path/.well-known/openid-configuration",
        "/auth/path/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server",
        // RFC 8414 §3.1 puts the well-known part before the path of the issuer.
        "/.well-known/oauth-authorization-server/auth/path",
    ] {
        let answer = ask(&server, Method::GET, path).await;
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (StatusCode::OK, "*"),
            "{path}"
        );
        assert_eq!(answer.json(), document, "{path}");
    }
    for (method, path, status) in [
        (Method::POST, "/oauth2/introspect", StatusCode::UNAUTHORIZED),
        (Method::GET, "/oauth2/keys.json", StatusCode::OK),
        (Method::GET, "/login", StatusCode::OK),
        (Method::GET, "/", StatusCode::OK),
        (Method::GET, "/health", StatusCode::OK),
        (Method::GET, "/nothing", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(ask(&server, method.clone(), path).await.status, status, "{path}");
        assert_eq!(ask(&server, method, &format!("/auth/path{path}")).await.status, status, "below: {path}");
    }
    let page = server.get("/auth/path/login").await.text();
    assert!(page.contains("action=\"/auth/path/login\"") && page.contains("href=\"/auth/path/assets/style-"));
    let to_login = server.get("/auth/path/authorize/01ARZ3NDEKTSV4RRFFQ69G5FAV").await;
    assert_eq!(to_login.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_everybody_may_keep_has_a_tag_and_an_age() {
    const TEN_MINUTES: &str = "public, max-age=600";
    const FOR_GOOD: &str = "public, max-age=31536000, immutable";
    let server = Server::start(Engine::Sqlite).await;
    // The stylesheet, modules and pictures that pages name.
    let mut assets = BTreeSet::new();
    for page in ["/", "/login"] {
        let text = server.get(page).await.text();
        let parts = text.split('"').filter(|part| part.starts_with("/assets/"));
        assets.extend(parts.map(str::to_owned));
    }
    assert!([".css", ".js"].iter().all(|kind| assets.iter().any(|path| path.ends_with(kind))), "{assets:?}");
    let documents = [
        (OIDC, TEN_MINUTES, "*"),
        (RFC_8414, TEN_MINUTES, "*"),
        ("/oauth2/keys.json", TEN_MINUTES, "*"),
        ("/.well-known/passkey-endpoints", TEN_MINUTES, ""),
    ];
    let assets = assets.iter().map(|path| (path.as_str(), FOR_GOOD, ""));
    for (path, age, origins) in documents.into_iter().chain(assets) {
        let first = server.get(path).await;
        assert_eq!((first.status, first.header("cache-control")), (StatusCode::OK, age), "{path}");
        let tag = first.header("etag").to_owned();
        assert!(tag.len() > 2, "{path}");
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let request = Request::get(path).header(IF_NONE_MATCH, &known).body(Body::empty()).unwrap();
            let again = server.send(request).await;
            assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{path} {known}");
            assert_eq!(again.header("access-control-allow-origin"), origins, "{path}");
            assert_eq!((again.header("cache-control"), again.header("etag")), (age, tag.as_str()), "{path}");
        }
        let request = Request::get(path).header(IF_NONE_MATCH, "\"other\"").body(Body::empty()).unwrap();
        assert_eq!(server.send(request).await.body, first.body, "{path}");
    }
}

#[tokio::test]
async fn the_published_keys_are_public_and_one_for_each_algorithm() {
    let server = Server::start(Engine::Sqlite).await;
    let jwks = server.get("/oauth2/keys.json").await.json();
    let keys = jwks["keys"].as_array().unwrap();
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let found: Vec<&Value> = keys.iter().filter(|key| key["alg"] == algorithm).collect();
        assert_eq!(found.len(), 1, "{algorithm}");
        assert!(found[0]["kid"].is_string() && found[0]["use"] == "sig");
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert_eq!(found[0].get(private), None, "{algorithm}: {private}");
        }
    }
}

#[tokio::test]
async fn registration_that_is_off_is_not_offered_and_policies_are_named() {
    let server = Server::start_with(Engine::Sqlite, |config| {
        config.oauth.dynamic_registration = false;
        config.branding.tos_uri = Some("https://example.org/terms".parse().unwrap());
    })
    .await;
    let document = server.get(OIDC).await.json();
    assert_eq!(document.get("registration_endpoint"), None);
    assert_eq!(document["op_tos_uri"], "https://example.org/terms");
}

/// What programs in browsers call, with a request that succeeds or fails, and its status.
const MACHINES: [(Method, &str, u16); 15] = [
    (Method::GET, OIDC, 200),
    (Method::GET, RFC_8414, 200),
    (Method::GET, "/oauth2/keys.json", 200),
    (Method::POST, "/oauth2/registration", 400),
    (Method::POST, "/oauth2/token", 400),
    (Method::POST, "/oauth2/device", 400),
    (Method::GET, "/oauth2/device", 405),
    (Method::POST, "/oauth2/revoke", 400),
    (Method::GET, "/oauth2/userinfo", 401),
    (Method::POST, "/oauth2/userinfo", 401),
    (Method::GET, "/oauth2/token", 405),
    (Method::PUT, "/oauth2/registration", 405),
    (Method::DELETE, OIDC, 405),
    (Method::GET, "/oauth2/revoke", 405),
    (Method::POST, "/oauth2/keys.json", 405),
];

#[tokio::test]
async fn programs_in_browsers_may_read_every_answer_that_is_meant_for_them() {
    let server = Server::start(Engine::Sqlite).await;
    for (method, path, status) in MACHINES {
        let answer = ask(&server, method.clone(), path).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{method} {path}");
        let preflight = ask(&server, Method::OPTIONS, path).await;
        assert_eq!(preflight.status, StatusCode::NO_CONTENT, "{path}");
        assert_eq!(preflight.header("access-control-allow-origin"), "*");
        assert_eq!(preflight.header("access-control-allow-methods"), "GET, POST, OPTIONS");
        for header in ["Content-Type", "Authorization", "Accept", "Accept-Language", "X-Requested-With"] {
            assert!(preflight.header("access-control-allow-headers").contains(header), "{header}");
        }
        assert_eq!(preflight.header("access-control-allow-credentials"), "", "cookies are never meant");
    }
}

#[tokio::test]
async fn programs_in_browsers_may_not_read_pages_or_introspection() {
    let server = Server::start(Engine::Sqlite).await;
    for path in [
        "/",
        "/authorize",
        "/authorize/x",
        "/link",
        "/login",
        "/logout",
        "/signed-out",
        "/account/",
        "/oauth2/introspect",
        "/nothing",
    ] {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let answer = ask(&server, method.clone(), path).await;
            let allowing = answer.headers.keys().find(|name| name.as_str().starts_with("access-control"));
            assert_eq!(allowing, None, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn nobody_may_keep_what_speaks_of_one_person_or_token() {
    let server = Server::start(Engine::Sqlite).await;
    server.user("alice").await;
    let client = server.client().await;
    let mut browser = server.signed_in("alice").await;
    let query = authorization_query(&client, "openid", &[]);
    let begun = browser.get(&format!("/authorize?{query}")).await;
    let consent = browser.get(begun.location()).await;
    let code = browser.allow(&query).await;
    let refused = browser.get(&format!("/authorize?{}", authorization_query(&client, "fridge", &[]))).await;
    let mut answers = vec![("begun", begun), ("consent", consent), ("code", code), ("refused", refused)];
    for (path, form) in
        [("/oauth2/token", [("x", "")]), ("/oauth2/revoke", [("x", "")]), ("/oauth2/introspect", [("x", "")])]
    {
        answers.push((path, server.post(path, &form).await));
    }
    for path in ["/", "/login", "/authorize", "/signed-out", "/account/", "/nothing", "/oauth2/userinfo"] {
        answers.push((path, server.get(path).await));
    }
    for (what, answer) in answers {
        assert_eq!(answer.header("cache-control"), "no-store", "{what}");
    }
}

#[tokio::test]
async fn every_page_is_guarded_against_abuse() {
    let server = Server::start(Engine::Sqlite).await;
    for path in ["/", "/login", "/authorize", "/authorize/x", "/signed-out", "/nothing", "/account/"] {
        let answer = server.get(path).await;
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(answer.header(name), value, "{path}: {name}");
        }
        let policy = answer.header("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self';"]
        {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
    }
}

#[tokio::test]
async fn a_form_is_answered_by_a_redirect_that_forgets_it() {
    let server = Server::start(Engine::Sqlite).await;
    server.user("alice").await;
    let client = server.client().await;
    let mut browser = server.browser();
    let signed_in = browser.sign_in("alice", crate::support::server::PASSWORD, "/").await;
    let allowed = browser.allow(&authorization_query(&client, "openid", &[])).await;
    let by_form = server.post("/authorize", &[("client_id", client.as_str())]).await;
    let csrf = browser.csrf().await;
    let signed_out = browser.post("/logout", &[("csrf", &csrf)]).await;
    for (what, answer) in
        [("login", signed_in), ("consent", allowed), ("authorize", by_form), ("logout", signed_out)]
    {
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{what}: {}", answer.text());
    }
}
