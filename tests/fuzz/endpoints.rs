//! Whole requests to the server: every URL, however it is asked.

use std::cell::RefCell;
use std::collections::BTreeSet;

use axum::body::Body;
use gatehouse::config::{Limit, MailTransport, StaticClient};
use http::header::{CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LOCATION};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{Corpus, fuzz, headers, text};
use crate::device_grant::{Begun, DEVICE_CODE};
use crate::rendezvous::PATH as RENDEZVOUS;
use crate::support::routes;
use crate::support::server::{Answer, Engine, PUBLIC_BASE, REDIRECT_URI, Server, matrix_scope};

/// A request goes through the whole server with its database: fewer than elsewhere.
const EXECUTIONS: usize = 1_000;

/// Whatever is asked, no answer is a fault of ours, none leads elsewhere than to us or to a registered
/// redirect URI, no page lets markup through, and errors are worded as their specification wants.
#[test]
fn endpoints() {
    let world = World::new();
    fuzz!("endpoints", EXECUTIONS, |input: &[u8]| world.judge(&text(input)));
}

/// Each URL has a request of its own in the corpus, which inputs are made from.
#[test]
fn every_url_is_in_the_corpus() {
    let routes = routes::all();
    let asked = RefCell::new(BTreeSet::new());
    Corpus::read("endpoints").each(|input| {
        let input = text(input);
        let target = input.split_whitespace().nth(1).unwrap_or_default();
        asked.borrow_mut().extend(routes::find(&routes, target.split('?').next().unwrap_or_default()));
    });
    let asked = asked.into_inner();
    let missing: Vec<_> = routes.iter().filter(|route| !asked.contains(route.as_str())).collect();
    assert!(missing.is_empty(), "no file in tests/fuzz/corpus/endpoints/ asks for {missing:?}");
}

/// A server with a client and a person, and what a request may hold of them.
struct World {
    runtime: Runtime,
    server: Server,
    /// Texts that stand for what differs with each run.
    given: Vec<(&'static str, String)>,
}

impl World {
    fn new() -> World {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (server, given) = runtime.block_on(async {
            let server = Server::start_with(Engine::Sqlite, |config| {
                config.clients = clients();
                config.rendezvous.msc4108 = true;
                let limit = Limit { burst: u32::MAX, per_hour: u32::MAX };
                let limits = &mut config.rate_limits;
                limits.sign_in_per_address = limit;
                limits.sign_in_per_account = limit;
                limits.client_registration_per_address = limit;
                limits.client_secret_per_client = limit;
                limits.user_code_per_address = limit;
                limits.user_code_per_account = limit;
                limits.rendezvous_per_address = limit;
                limits.email_code_per_account = limit;
                limits.email_code_per_recipient = limit;
                limits.registration_per_address = limit;
                config.registration.enabled = true;
                config.captcha.work = 0;
                limits.password_reset_per_address = limit;
                limits.password_reset_per_recipient = limit;
                // Mails are asked for; nobody sends them.
                config.email.transport = MailTransport::Sendmail;
                config.email.from = Some("noreply@example.org".to_owned());
            })
            .await;
            server.user("alice").await;
            let tokens =
                server.tokens_for("alice", "app", &format!("openid {}", matrix_scope("DEVICE"))).await;
            let spare = server.tokens_for("alice", "app", &matrix_scope("SPARE")).await;
            let mut browser = server.signed_in("alice").await;
            let csrf = browser.csrf().await;
            let older = server.logged_in("alice", "OLDER", json!({ "refresh_token": true })).await;
            let encoded: String = url::form_urlencoded::byte_serialize(REDIRECT_URI.as_bytes()).collect();
            let sso =
                server.get(&format!("/_matrix/client/v3/login/sso/redirect?redirectUrl={encoded}")).await;
            let cookies: Vec<String> =
                browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let begin =
                Request::post(RENDEZVOUS).header(CONTENT_TYPE, "text/plain").header(CONTENT_LENGTH, 0);
            let begun = server.send(begin.body(Body::empty()).expect("a request")).await;
            let (url, tag) = (begun.json()["url"].to_string(), begun.header(ETAG).to_owned());
            let session = url.trim_matches('"').rsplit('/').next().expect("an id").to_owned();
            let secret = server.homeserver.secret().to_owned();
            let begun = Begun::new(&server, "app", "openid").await;
            let given = vec![
                ("{token}", tokens.access),
                ("{refresh}", tokens.refresh),
                ("{spare}", spare.refresh),
                ("{older}", older.access),
                ("{older_refresh}", older.refresh),
                ("{sso}", sso.location().rsplit('/').next().expect("an identifier").to_owned()),
                ("{csrf}", csrf),
                ("{cookie}", cookies.join("; ")),
                ("{secret}", secret),
                ("{device_code}", begun.device_code),
                ("{user_code}", begun.user_code),
                ("{session}", session),
                ("{tag}", tag),
            ];
            (server, given)
        });
        World { runtime, server, given }
    }

    fn judge(&self, input: &str) {
        let mut input = input.to_owned();
        for (name, value) in &self.given {
            input = input.replace(name, value);
        }
        let Some(request) = request(&input) else { return };
        let path = request.uri().path().to_owned();
        let answer = self.runtime.block_on(self.server.send(request));
        assert!(!answer.status.is_server_error(), "{}: {}", answer.status, answer.text());
        check_redirect(&answer);
        if answer.header(CONTENT_TYPE).starts_with("text/html") {
            assert!(!answer.text().contains("<x-injected"), "markup was let through");
            let policy = answer.header(CONTENT_SECURITY_POLICY);
            assert!(policy.starts_with("default-src 'none'; script-src 'nonce-"), "{policy}");
            assert!(!policy.contains("unsafe"), "{policy}");
        }
        if path.starts_with(RENDEZVOUS) {
            check_rendezvous(&path, &answer);
        }
        if path.starts_with("/oauth2/") && answer.status.is_client_error() {
            check_error(&answer);
        }
        if path.starts_with("/_matrix/") && answer.status.is_client_error() && !path.contains("/sso/redirect")
        {
            check_matrix_error(&answer);
        }
        // What the request itself brings may be shown again in its page; {csrf} stands in every form.
        for (name, secret) in self.given.iter().filter(|(name, _)| !["{csrf}", "{tag}"].contains(name)) {
            assert!(input.contains(secret) || !answer.text().contains(secret), "{name} was told");
        }
    }
}

/// A method and a target, headers up to an empty line, and a body. What no HTTP library would make a
/// request of is none.
fn request(input: &str) -> Option<Request<Body>> {
    let (head, body) = input.split_once("\n\n").unwrap_or((input, ""));
    let (line, lines) = head.split_once('\n').unwrap_or((head, ""));
    let (method, target) = line.split_once(' ')?;
    let mut request = Request::new(Body::from(body.to_owned()));
    *request.method_mut() = Method::from_bytes(method.as_bytes()).ok()?;
    *request.uri_mut() = target.parse().ok().filter(|uri: &http::Uri| uri.path().starts_with('/'))?;
    *request.headers_mut() = headers(lines);
    Some(request)
}

fn clients() -> Vec<StaticClient> {
    let app = json!({
        "client_id": "app",
        "client_name": "App",
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token", DEVICE_CODE],
    });
    let web = json!({
        "client_id": "web",
        "client_name": "Web",
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "client_secret_basic",
        "client_secret": "a-secret-of-the-web-client",
    });
    [app, web].map(|client| serde_json::from_value(client).expect("a client")).into()
}

/// Never anything that a browser would show, and errors in the words of Matrix.
fn check_rendezvous(path: &str, answer: &Answer) {
    let is_below = path == RENDEZVOUS || path[RENDEZVOUS.len()..].rfind('/') == Some(0);
    if !is_below || path.ends_with('/') {
        return assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let media_type = answer.header(CONTENT_TYPE);
    assert!(["", "text/plain", "application/json"].contains(&media_type), "{media_type}");
    if answer.status.is_client_error() && !answer.body.is_empty() {
        assert!(
            answer.json()["errcode"].as_str().is_some_and(|code| code.starts_with("M_")),
            "{}",
            answer.text()
        );
    }
}

/// To a page of ours, or with an answer to the redirect URI of the clients, which single sign-on was asked to
/// lead to as well.
fn check_redirect(answer: &Answer) {
    let location = answer.header(LOCATION);
    if location.is_empty() {
        return assert!(!answer.status.is_redirection() || answer.status == StatusCode::NOT_MODIFIED);
    }
    let base = url::Url::parse(PUBLIC_BASE).expect("a URL");
    let target = base.join(location).expect("a URL");
    if target.origin() != base.origin() {
        let answered = ['?', '#'].iter().any(|joint| location.starts_with(&format!("{REDIRECT_URI}{joint}")));
        assert!(answered, "{location}");
    }
}

/// Matrix CS API, Standard error response: a code and a sentence.
fn check_matrix_error(answer: &Answer) {
    let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert!(body["errcode"].as_str().is_some_and(|code| code.starts_with("M_")), "{body}");
    assert!(body["error"].is_string(), "{body}");
    assert!(answer.header("cache-control").starts_with("no-store"));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
}

/// RFC 6749 §5.2: a code, and a description in its characters.
fn check_error(answer: &Answer) {
    if answer.body.is_empty() {
        // A method or a path that is not there.
        return assert!(matches!(
            answer.status,
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND | StatusCode::UNAUTHORIZED
        ));
    }
    if answer.status == StatusCode::NOT_FOUND {
        return;
    }
    let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    for key in ["error", "error_description"] {
        let text = body[key].as_str().unwrap_or_else(|| panic!("{key} is missing in {body}"));
        assert!(text.chars().all(|c| matches!(c, ' '..='~') && c != '"' && c != '\\'), "{text}");
    }
    assert_eq!(answer.header("cache-control"), "no-store");
}
