//! Limits hold for all nodes of one PostgreSQL database together: three of them allow no more than one.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use futures_util::future::join_all;
use gatehouse::config::{Limit, MailTransport, RateLimits};
use gatehouse::http::listen::Peer;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE, ORIGIN};
use http::{Request, StatusCode};
use serde_json::json;

use crate::support::factors::{SECOND, SECURITY, first_step, user_with_app};
use crate::support::server::{Engine, REDIRECT_URI, Server, form_request, send_to};

/// How many attempts may come at once, and how many further ones an hour.
const LIMIT: Limit = Limit { burst: 5, per_hour: 60 };
const WIDE: Limit = Limit { burst: 1000, per_hour: 1000 };
/// More than three times what is allowed.
const ATTEMPTS: usize = 24;

/// Three nodes, with everything but one action free.
async fn nodes(limited: impl FnOnce(&mut RateLimits)) -> (Server, [Router; 2]) {
    let mut limits = RateLimits {
        sign_in_per_address: WIDE,
        sign_in_per_account: WIDE,
        second_step_per_address: WIDE,
        second_step_per_account: WIDE,
        registration_per_address: WIDE,
        client_registration_per_address: WIDE,
        rendezvous_per_address: WIDE,
        client_secret_per_client: WIDE,
        user_code_per_address: WIDE,
        user_code_per_account: WIDE,
        registration_token_per_address: WIDE,
        email_code_per_account: WIDE,
        email_code_per_recipient: WIDE,
        password_reset_per_address: WIDE,
        password_reset_per_recipient: WIDE,
    };
    limited(&mut limits);
    let server = Server::start_with(Engine::Postgres, |config| {
        config.rate_limits = limits;
        config.rendezvous.msc4108 = true;
        // Nothing is sent: nobody works here.
        config.registration.enabled = true;
        config.captcha.work = 0;
        config.email.transport = MailTransport::Sendmail;
        config.email.from = Some("noreply@example.org".to_owned());
    })
    .await;
    let routers = [server.another_node().await.1, server.another_node().await.1];
    (server, routers)
}

/// Sends requests to the nodes in turn, all at once; how many were answered with each status.
async fn all_at_once((server, others): &(Server, [Router; 2]), requests: Vec<Request<Body>>) -> [usize; 2] {
    let sent = requests.into_iter().enumerate().map(async |(number, request)| match number % 3 {
        0 => server.send(request).await.status,
        other => send_to(&others[other - 1], request).await.status,
    });
    let statuses = join_all(sent).await;
    let refused = statuses.iter().filter(|status| **status == StatusCode::TOO_MANY_REQUESTS).count();
    assert!(statuses.iter().all(|status| !status.is_server_error()), "{statuses:?}");
    [statuses.len() - refused, refused]
}

/// Makes the attempts, and again after one has grown back.
async fn hold(nodes: &(Server, [Router; 2]), mut attempts: impl AsyncFnMut() -> Vec<Request<Body>>) {
    let burst = LIMIT.burst as usize;
    assert_eq!(all_at_once(nodes, attempts().await).await, [burst, ATTEMPTS - burst]);
    assert_eq!(all_at_once(nodes, attempts().await).await, [0, ATTEMPTS]);
    nodes.0.advance(Duration::from_secs(3600 / u64::from(LIMIT.per_hour)));
    assert_eq!(all_at_once(nodes, attempts().await).await, [1, ATTEMPTS - 1]);
}

fn from(address: &str, mut request: Request<Body>) -> Request<Body> {
    request.extensions_mut().insert(Peer(address.parse().ok()));
    request
}

/// Wrong passwords, each from a browser of its own.
async fn sign_ins(server: &Server, to: impl Fn(usize) -> (String, String)) -> Vec<Request<Body>> {
    let base = server.config.http.public_base.origin().ascii_serialization();
    let mut requests = Vec::new();
    for number in 0..ATTEMPTS {
        let (name, address) = to(number);
        let mut browser = server.browser();
        let csrf = browser.csrf().await;
        let cookies: Vec<String> =
            browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let headers = [(ORIGIN, base.as_str()), (COOKIE, &cookies.join("; "))];
        let form = [("csrf", csrf.as_str()), ("username", &name), ("password", "a wrong password")];
        requests.push(from(&address, form_request("/login", &headers, &form)));
    }
    requests
}

#[tokio::test]
async fn sign_ins_from_one_address() {
    let nodes = nodes(|limits| limits.sign_in_per_address = LIMIT).await;
    nodes.0.user("alice").await;
    let to = |number: usize| (format!("user{number}"), "198.51.100.1".to_owned());
    hold(&nodes, async || sign_ins(&nodes.0, to).await).await;
}

#[tokio::test]
async fn sign_ins_to_one_account_whether_it_exists_or_not() {
    for name in ["alice", "nobody"] {
        let nodes = nodes(|limits| limits.sign_in_per_account = LIMIT).await;
        nodes.0.user("alice").await;
        let to = |number: usize| (name.to_owned(), format!("198.51.100.{number}"));
        hold(&nodes, async || sign_ins(&nodes.0, to).await).await;
    }
}

#[tokio::test]
async fn clients_that_register_themselves() {
    let nodes = nodes(|limits| limits.client_registration_per_address = LIMIT).await;
    let register = |number: usize| {
        let metadata = json!({
            "client_name": format!("App {number}"), "client_uri": "https://example.com/",
            "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none",
        });
        let request = Request::post("/oauth2/registration").header(CONTENT_TYPE, "application/json");
        request.body(Body::from(metadata.to_string())).unwrap()
    };
    hold(&nodes, async || (0..ATTEMPTS).map(register).collect()).await;
}

#[tokio::test]
async fn wrong_secrets_of_a_client() {
    let nodes = nodes(|limits| limits.client_secret_per_client = LIMIT).await;
    let client = nodes.0.client_with(json!({ "token_endpoint_auth_method": "client_secret_post" })).await;
    let id = client["client_id"].as_str().unwrap();
    let guess = |number: usize| {
        let secret = format!("guess {number}");
        let who = [("client_id", id), ("client_secret", secret.as_str())];
        let form = [who[0], who[1], ("token", "x"), ("grant_type", "authorization_code")];
        form_request(["/oauth2/introspect", "/oauth2/token", "/oauth2/par"][number / 3 % 3], &[], &form)
    };
    hold(&nodes, async || (0..ATTEMPTS).map(guess).collect()).await;
    let secret = client["client_secret"].as_str().unwrap();
    let right = [("token", "x"), ("client_id", id), ("client_secret", secret)];
    let request = || form_request("/oauth2/introspect", &[], &right);
    let three = vec![request(), request(), request()];
    assert_eq!(all_at_once(&nodes, three).await, [0, 3], "nor is the right one tried");
    nodes.0.advance(Duration::from_secs(3600 / u64::from(LIMIT.per_hour)));
    for _ in 0..3 {
        assert_eq!(all_at_once(&nodes, vec![request()]).await, [1, 0], "and it costs nothing");
    }
}

/// More guesses than can be under way in any node, and the right secret behind them.
#[tokio::test]
async fn a_right_secret_does_not_slip_through_among_many_guesses() {
    let nodes = nodes(|limits| limits.client_secret_per_client = LIMIT).await;
    let client = nodes.0.client_with(json!({ "token_endpoint_auth_method": "client_secret_post" })).await;
    let (id, secret) = (client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
    let ask = |secret: &str| {
        form_request(
            "/oauth2/introspect",
            &[],
            &[("token", "x"), ("client_id", id), ("client_secret", secret)],
        )
    };
    let mut requests: Vec<_> = (0..300).map(|number| ask(&format!("guess {number}"))).collect();
    requests.extend([ask(secret), ask(secret), ask(secret)]);
    assert_eq!(all_at_once(&nodes, requests).await, [LIMIT.burst as usize, 303 - LIMIT.burst as usize]);
}

#[tokio::test]
async fn right_secrets_cost_nothing_however_many_there_are() {
    let nodes = nodes(|limits| limits.client_secret_per_client = LIMIT).await;
    let client = nodes.0.client_with(json!({ "token_endpoint_auth_method": "client_secret_post" })).await;
    let (id, secret) = (client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
    let right = [("token", "x"), ("client_id", id), ("client_secret", secret)];
    for _ in 0..4 * LIMIT.burst {
        let answer = nodes.0.send(form_request("/oauth2/introspect", &[], &right)).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
}

/// What browsers send that are signed in, each of them once.
async fn from_browsers(
    server: &Server,
    who: impl Fn(usize) -> (String, String),
    request: impl Fn(usize, &[(http::HeaderName, &str)], &str) -> Request<Body>,
) -> Vec<Request<Body>> {
    let base = server.config.http.public_base.origin().ascii_serialization();
    let mut requests = Vec::new();
    for number in 0..ATTEMPTS {
        let (name, address) = who(number);
        let mut browser = server.signed_in(&name).await;
        let csrf = browser.csrf().await;
        let cookies: Vec<String> =
            browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        requests.push(from(&address, request(number, &[(ORIGIN, base.as_str()), (COOKIE, &cookies)], &csrf)));
    }
    requests
}

#[tokio::test]
async fn mails_with_codes() {
    let add = |to: &str, headers: &[(http::HeaderName, &str)], csrf: &str| {
        form_request("/account/email/add", headers, &[("csrf", csrf), ("email", to)])
    };
    let by_account = nodes(|limits| limits.email_code_per_account = LIMIT).await;
    by_account.0.user("alice").await;
    let alice = |number: usize| ("alice".to_owned(), format!("198.51.100.{number}"));
    let to_many = |number: usize, headers: &[(http::HeaderName, &str)], csrf: &str| {
        add(&format!("user{number}@example.com"), headers, csrf)
    };
    hold(&by_account, async || from_browsers(&by_account.0, alice, to_many).await).await;

    let by_recipient = nodes(|limits| limits.email_code_per_recipient = LIMIT).await;
    for number in 0..ATTEMPTS {
        by_recipient.0.user(&format!("user{number}")).await;
    }
    let many = |number: usize| (format!("user{number}"), format!("198.51.100.{number}"));
    let to_one = |_: usize, headers: &[(http::HeaderName, &str)], csrf: &str| {
        add("somebody@example.com", headers, csrf)
    };
    hold(&by_recipient, async || from_browsers(&by_recipient.0, many, to_one).await).await;
}

#[tokio::test]
async fn codes_of_other_devices() {
    let guess = |_: usize, headers: &[(http::HeaderName, &str)], _: &str| {
        let mut request = Request::get("/link?code=BBBB-BBBB");
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        request.body(Body::empty()).unwrap()
    };
    let by_account = nodes(|limits| limits.user_code_per_account = LIMIT).await;
    by_account.0.user("alice").await;
    let alice = |number: usize| ("alice".to_owned(), format!("198.51.100.{number}"));
    hold(&by_account, async || from_browsers(&by_account.0, alice, guess).await).await;

    let by_address = nodes(|limits| limits.user_code_per_address = LIMIT).await;
    for number in 0..ATTEMPTS {
        by_address.0.user(&format!("user{number}")).await;
    }
    let many = |number: usize| (format!("user{number}"), "198.51.100.1".to_owned());
    hold(&by_address, async || from_browsers(&by_address.0, many, guess).await).await;
}

#[tokio::test]
async fn rendezvous_sessions() {
    let nodes = nodes(|limits| limits.rendezvous_per_address = LIMIT).await;
    let begin = |_| {
        let request = Request::post(crate::rendezvous::PATH);
        let request = request.header(CONTENT_TYPE, "text/plain").header(CONTENT_LENGTH, 5);
        from("198.51.100.1", request.body(Body::from("hello")).unwrap())
    };
    hold(&nodes, async || (0..ATTEMPTS).map(begin).collect()).await;
}

#[tokio::test]
async fn second_steps_to_one_account() {
    let nodes = nodes(|limits| limits.second_step_per_account = LIMIT).await;
    user_with_app(&nodes.0, "alice").await;
    let to = |number: usize| format!("198.51.100.{number}");
    hold(&nodes, async || second_steps(&nodes.0, to).await).await;
}

#[tokio::test]
async fn second_steps_from_one_address() {
    let nodes = nodes(|limits| limits.second_step_per_address = LIMIT).await;
    user_with_app(&nodes.0, "alice").await;
    hold(&nodes, async || second_steps(&nodes.0, |_| "198.51.100.1".to_owned()).await).await;
}

/// Wrong codes, each from a browser in which the password was right.
async fn second_steps(server: &Server, from_address: impl Fn(usize) -> String) -> Vec<Request<Body>> {
    let base = server.config.http.public_base.origin().ascii_serialization();
    let mut requests = Vec::new();
    for number in 0..ATTEMPTS {
        let mut browser = server.browser();
        first_step(&mut browser, "alice", SECURITY).await;
        let csrf = browser.csrf().await;
        let cookies: Vec<String> =
            browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let headers = [(ORIGIN, base.as_str()), (COOKIE, &cookies.join("; "))];
        let form = [("csrf", csrf.as_str()), ("code", "000000")];
        requests.push(from(&from_address(number), form_request(SECOND, &headers, &form)));
    }
    requests
}

/// Questions for a link, each from a browser of its own.
async fn password_resets(server: &Server, to: impl Fn(usize) -> (String, String)) -> Vec<Request<Body>> {
    let base = server.config.http.public_base.origin().ascii_serialization();
    let mut requests = Vec::new();
    for number in 0..ATTEMPTS {
        let (email, address) = to(number);
        let mut browser = server.browser();
        let csrf = browser.csrf().await;
        let cookies: Vec<String> =
            browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let headers = [(ORIGIN, base.as_str()), (COOKIE, &cookies.join("; "))];
        let form = [("csrf", csrf.as_str()), ("email", &email)];
        requests.push(from(&address, form_request("/reset-password", &headers, &form)));
    }
    requests
}

#[tokio::test]
async fn links_that_let_people_back_in() {
    let from_one = |number: usize| (format!("user{number}@example.com"), "198.51.100.1".to_owned());
    let by_address = nodes(|limits| limits.password_reset_per_address = LIMIT).await;
    hold(&by_address, async || password_resets(&by_address.0, from_one).await).await;
    let to_one = |number: usize| ("user@example.com".to_owned(), format!("198.51.100.{number}"));
    let by_recipient = nodes(|limits| limits.password_reset_per_recipient = LIMIT).await;
    hold(&by_recipient, async || password_resets(&by_recipient.0, to_one).await).await;
}

/// People who want an account, from one address, each with a browser of their own.
async fn registrations(server: &Server, token: impl Fn(usize) -> String) -> Vec<Request<Body>> {
    let base = server.config.http.public_base.origin().ascii_serialization();
    let mut requests = Vec::new();
    for number in 0..ATTEMPTS {
        let mut browser = server.browser();
        let csrf = browser.csrf().await;
        let cookies: Vec<String> =
            browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let headers = [(ORIGIN, base.as_str()), (COOKIE, &cookies.join("; "))];
        let (name, token) = (format!("robin{number}"), token(number));
        let form = [("csrf", csrf.as_str()), ("username", &name), ("registration_token", &token)];
        requests.push(from("198.51.100.1", form_request("/register", &headers, &form)));
    }
    requests
}

#[tokio::test]
async fn names_for_new_accounts() {
    let nodes = nodes(|limits| limits.registration_per_address = LIMIT).await;
    hold(&nodes, async || registrations(&nodes.0, |_| String::new()).await).await;
}

#[tokio::test]
async fn guesses_at_registration_tokens() {
    let nodes = nodes(|limits| limits.registration_token_per_address = LIMIT).await;
    hold(&nodes, async || registrations(&nodes.0, |number| format!("guess-{number:04}")).await).await;
}
