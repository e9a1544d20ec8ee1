//! What others got wrong with people's accounts, as tests: each is named after what it prevents. The table at the top
//! of `past_vulnerabilities.rs` names them.

use axum::Router;
use axum::body::Body;
use futures_util::future::join_all;
use gatehouse::accounts::{emails, users};
use gatehouse::config::RegistrationWays;
use http::header::{CONTENT_TYPE, COOKIE, ORIGIN};
use http::{Request, StatusCode};
use serde_json::json;

use crate::account_password::is_right;
use crate::command_line;
use crate::mails::{ALICE, alice, with_mails};
use crate::passkeys::{Asked, passkey_of};
use crate::registration;
use crate::support::factors::{CODES, SECOND, SECURITY, add_app, first_step, make_codes, user_with_app};
use crate::support::page::Page;
use crate::support::server::{Browser, Engine, PASSWORD, Server, form_request, on_both_engines, send_to};

const RECOVERY: &str = "/login/recovery-code";
const NEW: &str = "seven green kettles sing at dawn";

/// A form as the browser would send it.
async fn ready(browser: &mut Browser<'_>, path: &str, fields: &[(&str, &str)]) -> Request<Body> {
    let csrf = browser.csrf().await;
    let cookies: Vec<String> =
        browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let headers = [(ORIGIN, "https://auth.example.org"), (COOKIE, &cookies.join("; "))];
    let form: Vec<_> = fields.iter().copied().chain([("csrf", csrf.as_str())]).collect();
    form_request(path, &headers, &form)
}

/// Sends requests to two nodes in turn, all at once; how many of them were answered with `status`.
async fn on_two_nodes(
    server: &Server,
    other: &Router,
    requests: Vec<Request<Body>>,
    status: StatusCode,
) -> usize {
    let sent = requests.into_iter().enumerate().map(async |(number, request)| match number % 2 {
        0 => server.send(request).await.status,
        _ => send_to(other, request).await.status,
    });
    let statuses = join_all(sent).await;
    assert!(statuses.iter().all(|status| !status.is_server_error()), "{statuses:?}");
    statuses.into_iter().filter(|answered| *answered == status).count()
}

#[tokio::test]
async fn what_is_good_once_is_good_once_on_two_nodes_together() {
    let server = Server::start(Engine::Postgres).await;
    let (_app, other) = server.another_node().await;
    let app = user_with_app(&server, "alice").await;
    let codes = {
        let mut browser = server.browser();
        first_step(&mut browser, "alice", CODES).await;
        let request =
            ready(&mut browser, SECOND, &[("code", &app.next_code(&server)), ("next", CODES)]).await;
        browser.send(request).await.location();
        make_codes(&mut browser).await
    };
    for (path, code) in [(SECOND, app.next_code(&server)), (RECOVERY, codes[0].clone())] {
        let mut requests = Vec::new();
        for _ in 0..8 {
            let mut browser = server.browser();
            first_step(&mut browser, "alice", SECURITY).await;
            requests.push(ready(&mut browser, path, &[("code", &code), ("next", SECURITY)]).await);
        }
        assert_eq!(on_two_nodes(&server, &other, requests, StatusCode::SEE_OTHER).await, 1, "{path}");
    }
    // An admin's link.
    let made = json!({ "users": { "recovery_link": { "name": "alice", "hours": 1 } } });
    let link = command_line::ask(&server, made).await.expect("a link");
    let link = link.data["link"].as_str().expect("a link").to_owned();
    let (_, token) = link.split_once("token=").expect("a token");
    let mut requests = Vec::new();
    for _ in 0..8 {
        let mut browser = server.browser();
        requests.push(ready(&mut browser, "/recover", &[("token", token), ("password", PASSWORD)]).await);
    }
    assert_eq!(on_two_nodes(&server, &other, requests, StatusCode::SEE_OTHER).await, 1, "an admin's link");
    // The answer of a passkey.
    server.user("bob").await;
    let mut device = passkey_of(&server, "bob").await;
    let mut browser = server.browser();
    let login = browser.get("/login").await;
    let asked = Asked::by(&login);
    let answer = device.get(&asked.options, "https://auth.example.org").await.to_string();
    let ceremony = Page::of(&login).attribute("form[data-passkey] input[name=ceremony]", "value");
    let mut requests = Vec::new();
    for _ in 0..8 {
        let form = [("ceremony", ceremony.as_str()), ("credential", &answer)];
        requests.push(ready(&mut browser, "/login/passkey", &form).await);
    }
    assert_eq!(on_two_nodes(&server, &other, requests, StatusCode::SEE_OTHER).await, 1, "a passkey");
}

on_both_engines! {
    async fn no_form_of_a_page_takes_a_parameter_twice(engine: Engine) {
        let (server, _mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let mut browser = server.signed_in("alice").await;
        let csrf = browser.csrf().await;
        for (path, name, values) in [
            ("/login", "username", ["bob", "alice"]),
            (SECOND, "code", ["000000", "111111"]),
            (RECOVERY, "code", ["0000-0000-0000", "1111-1111-1111"]),
            ("/login/passkey", "credential", ["{}", "[]"]),
            ("/login/security-key", "credential", ["{}", "[]"]),
            ("/login/enrol", "code", ["000000", "111111"]),
            ("/recover", "token", ["one", "another"]),
            ("/reset-password", "email", ["nobody@example.com", ALICE]),
            ("/reset-password/token", "new_password", [NEW, "another password that is long"]),
            ("/link", "code", ["BBBB-BBBB", "CCCC-CCCC"]),
            ("/account/password", "new_password", [NEW, "another password that is long"]),
            ("/account/email/add", "email", ["one@example.com", "two@example.com"]),
            ("/account/email/remove", "email", ["nobody@example.com", ALICE]),
            ("/account/deactivate", "username", ["bob", "alice"]),
            ("/account/tokens/new", "name", ["one", "two"]),
            ("/account/application/end", "client_id", ["one", "two"]),
            ("/login/enrol/key", "credential", ["{}", "[]"]),
            ("/account/security/apps/add", "code", ["000000", "111111"]),
            ("/account/security/passkeys/new", "credential", ["{}", "[]"]),
            (CODES, "next", ["/account/", "/link"]),
            ("/account/sessions/end-others", "answer", ["no", "yes"]),
            ("/account/cross-signing-reset", "answer", ["no", "yes"]),
        ] {
            for values in [values, [values[1], values[1]]] {
                let form = [("csrf", csrf.as_str()), (name, values[0]), (name, values[1]), ("new_password_again", NEW)];
                let answer = browser.post(path, &form).await;
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}: {}", answer.text());
            }
        }
        assert!(is_right(&server, &alice, PASSWORD).await, "none of it was carried out");
        let now = users::find(&server.app.store, alice.id).await.unwrap().unwrap();
        assert_eq!(now.standing(), users::Standing::Active);
        assert_eq!(emails::list(&server.app.store, alice.id).await.unwrap().len(), 1);
        assert_eq!(browser.get(SECURITY).await.status, StatusCode::OK);
    }

    async fn what_people_say_of_themselves_gives_them_nothing_that_nobody_asked_for(engine: Engine) {
        let (server, _mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let bob = server.user("bob").await;
        let mut device = passkey_of(&server, "bob").await;
        let mut bobs = server.signed_in_by(&mut device).await;
        let csrf = bobs.csrf().await;
        let (alices, later) = (alice.id.to_string(), "9999999999999".to_owned());
        let wishes = [
            ("csrf", csrf.as_str()), ("user_id", &alices), ("user", "alice"), ("sub", &alices),
            ("is_admin", "true"), ("admin", "1"), ("verified", "true"), ("verified_at", "1"), ("locked_at", ""),
            ("deactivated_at", ""), ("methods", "passkey"), ("authenticated_at", &later), ("expires_at", &later),
            ("kind", "passkey"), ("relying_party_id", "example.com"), ("created_at", &later), ("attempts", "-100"),
        ];
        let with = |more: &[(&'static str, &'static str)]| {
            let taken = |name: &str| more.iter().any(|(known, _)| *known == name);
            let wished = wishes.iter().copied().filter(|(name, _)| !taken(name));
            wished.chain(more.iter().copied()).collect::<Vec<_>>()
        };
        let added = bobs.post("/account/email/add", &with(&[("email", "bob@example.com")])).await;
        let verify = added.location().to_owned();
        let wrong = bobs.post(&verify, &with(&[("code", "000000")])).await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
        let passkey = Page::of(&bobs.get(SECURITY).await).links("#passkeys a[href*=passkeys]");
        let passkey = passkey.into_iter().find(|path| !path.contains("new")).expect("a passkey");
        bobs.post(&passkey, &with(&[("name", "Renamed")])).await.location();
        bobs.post("/account/password", &with(&[("new_password", NEW), ("new_password_again", NEW)])).await.location();

        assert!(is_right(&server, &bob, NEW).await && is_right(&server, &alice, PASSWORD).await);
        assert!(emails::list(&server.app.store, bob.id).await.unwrap().is_empty(), "nothing is verified by saying so");
        for (user, keys) in [(&alice, 0), (&bob, 1)] {
            let found = users::find(&server.app.store, user.id).await.unwrap().unwrap();
            assert!(!found.is_admin && found.standing() == users::Standing::Active);
            assert_eq!(gatehouse::accounts::passkeys::list(&server.app.store, user.id).await.unwrap().len(), keys);
        }
        assert!(Page::of(&bobs.get("/account/").await).main().contains("@bob:"), "and bob is bob");
        // Nor does a session become stronger by saying so.
        add_app(&server, &mut server.signed_in("alice").await, "Phone").await;
        let mut thief = server.browser();
        first_step(&mut thief, "alice", SECURITY).await;
        let csrf = thief.csrf().await;
        let form = [("csrf", csrf.as_str()), ("methods", "password totp"), ("code", "000000"), ("user_id", "x")];
        assert_eq!(thief.post(SECOND, &form).await.status, StatusCode::FORBIDDEN);
        assert!(thief.get(SECURITY).await.location().starts_with("/login"));
    }

    async fn who_makes_an_account_gets_nothing_that_nobody_asked_for(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            registration::open_to_all(config);
            config.registration.ways = RegistrationWays::Password;
        }).await;
        let bob = server.user("bob").await.id.to_string();
        let mut browser = server.browser();
        let csrf = browser.csrf().await;
        let wishes = [
            ("csrf", csrf.as_str()), ("is_admin", "true"), ("admin", "1"), ("user_id", &bob), ("localpart", "bob"),
            ("email", "bob@example.com"), ("email_verified_at", "1"), ("verified", "true"), ("terms", "any"),
            ("methods", "passkey"), ("provisioned_at", "1"), ("expires_at", "9999999999999"),
        ];
        let with = |more: &[(&'static str, &'static str)]| {
            wishes.iter().copied().chain(more.iter().copied()).collect::<Vec<_>>()
        };
        let twice = browser.post("/register", &with(&[("username", "bob"), ("username", "alice")])).await;
        assert_eq!(twice.status, StatusCode::BAD_REQUEST);
        browser.post("/register", &with(&[("username", "alice")])).await.location();
        let password = [("new_password", NEW), ("new_password_again", NEW)];
        let repeated = [password[0], password[0], password[1]];
        assert_eq!(browser.post("/register/password", &with(&repeated)).await.status, StatusCode::BAD_REQUEST);
        assert!(registration::account(&server, "alice").await.is_none());
        let also = [password[0], password[1], ("username", "bob")];
        assert_eq!(browser.post("/register/password", &with(&also)).await.location(), "/account/");
        let alice = registration::account(&server, "alice").await.expect("alice");
        assert!(!alice.is_admin && alice.id.to_string() != bob);
        assert!(emails::list(&server.app.store, alice.id).await.unwrap().is_empty());
        assert!(is_right(&server, &alice, NEW).await);
        assert_eq!(server.browser().sign_in("bob", NEW, "/").await.status, StatusCode::FORBIDDEN);
    }

    async fn nesting_without_end_from_browsers_and_older_clients_is_refused(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(5_000), "]".repeat(5_000));
        for body in [
            deep("1"),
            "{\"identifier\":".repeat(3_000),
            format!("{{\"type\":\"m.login.password\",\"password\":\"x\",\"identifier\":{}}}", deep("1")),
            format!("{{\"type\":\"m.login.token\",\"token\":{}}}", deep("\"x\"")),
        ] {
            let request = Request::post("/_matrix/client/v3/login").header(CONTENT_TYPE, "application/json");
            let answer = server.send(request.body(body.clone().into()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", &body[..60]);
        }
        let mut browser = server.signed_in("alice").await;
        let credential = |member: &str| format!("{{\"id\":\"AAAA\",\"rawId\":\"AAAA\",\"type\":\"public-key\",\"{member}\":{}}}", deep("1"));
        for (path, expected) in [("/login/passkey", StatusCode::FORBIDDEN), ("/account/security/passkeys/new", StatusCode::BAD_REQUEST)] {
            let page = browser.get(if path == "/login/passkey" { "/login?max_age=0" } else { path }).await;
            let ceremony = Page::of(&page).attribute("form[data-passkey] input[name=ceremony]", "value");
            for member in ["response", "extensions", "clientExtensionResults", "x"] {
                let form = [("csrf", page.field("csrf")), ("ceremony", ceremony.clone()), ("credential", credential(member))];
                let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
                assert_eq!(browser.post(path, &form).await.status, expected, "{path} {member}");
            }
        }
    }
}
