//! Signing in and out with name and password.

use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::accounts::{passwords, users};
use gatehouse::config::{Limit, Secret};
use gatehouse::keys::{self, IMPORTED};
use http::header::{ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::json;

use crate::support::page::Page;
use crate::support::server::{
    Answer, BEGINNING, Browser, Engine, PASSWORD, Server, authorization_query, form_request, on_both_engines,
    send_to,
};

const SESSION: &str = "__Host-gatehouse_session";
const WRONG: &str = "not the password of anybody";

/// Signs in with a browser that was never here.
async fn try_once(server: &Server, username: &str, password: &str) -> Answer {
    server.browser().sign_in(username, password, "/account/").await
}

/// Whether the browser is signed in.
async fn is_signed_in(browser: &mut Browser<'_>) -> bool {
    browser.get("/account/").await.status == StatusCode::OK
}

/// What of an answer depends on what was asked: without identifiers, tokens and the name that was typed.
fn without_ids(answer: &Answer, username: &str) -> (StatusCode, HeaderMap, String) {
    let csrf = answer.field("csrf");
    let policy = answer.header("content-security-policy").to_owned();
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
    let mut headers = answer.headers.clone();
    headers.remove("x-request-id");
    // The name stands in the page.
    headers.remove("content-length");
    headers.insert("content-security-policy", policy.replace(nonce, "NONCE").parse().unwrap());
    let typed = format!("value=\"{username}\"");
    let page = Page::of(answer);
    let options = page.attribute("form[data-passkey]", "data-options");
    let challenge = options.split("\"challenge\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let ceremony = page.attribute("input[name=ceremony]", "value");
    let body = answer.text().replace(challenge, "CHALLENGE").replace(&ceremony, "CEREMONY");
    let body = body.replace(&csrf, "CSRF").replace(nonce, "NONCE").replace(&typed, "value=\"NAME\"");
    (answer.status, headers, body)
}

async fn change_user(server: &Server, localpart: &str, change: &str) {
    let user = users::find_by_localpart(&server.app.store, localpart).await.unwrap().unwrap();
    let now = server.app.clock.now();
    let mut tx = server.app.store.begin().await.unwrap();
    match change {
        "lock" => users::lock(&mut tx, user.id, now).await.unwrap(),
        "unlock" => users::unlock(&mut tx, user.id, now).await.unwrap(),
        _ => users::deactivate(&mut tx, user.id, false, now).await.unwrap(),
    }
    tx.commit().await.unwrap();
}

on_both_engines! {
    async fn a_person_signs_in_by_any_spelling_of_their_name(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        for name in ["alice", "@alice", "@alice:example.org", " alice ", "Alice", "@ALICE:Example.ORG"] {
            let answer = try_once(&server, name, PASSWORD).await;
            assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/account/"), "{name}");
        }
        for name in ["@alice:elsewhere.org", "alice:example.org", "alice@example.org", "aliced", "álice"] {
            assert_eq!(try_once(&server, name, PASSWORD).await.status, StatusCode::FORBIDDEN, "{name}");
        }
    }

    async fn letter_case_matters_where_names_differ_in_nothing_else(engine: Engine) {
        let server = Server::start(engine).await;
        for (name, password) in [("Bob", "the password of Bob"), ("BOB", "the password of BOB")] {
            import(&server, name, password).await;
        }
        assert_eq!(try_once(&server, "Bob", "the password of Bob").await.status, StatusCode::SEE_OTHER);
        assert_eq!(try_once(&server, "BOB", "the password of BOB").await.status, StatusCode::SEE_OTHER);
        assert_eq!(try_once(&server, "BOB", "the password of Bob").await.status, StatusCode::FORBIDDEN);
        assert_eq!(try_once(&server, "bob", "the password of Bob").await.status, StatusCode::FORBIDDEN, "it could be either");
    }

    async fn nothing_tells_an_unknown_person_from_a_wrong_password(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        server.user("gone").await;
        change_user(&server, "gone", "deactivate").await;
        no_password(&server, "bare").await;
        let mut answers = Vec::new();
        for (name, password) in [("alice", WRONG), ("nobody", WRONG), ("bare", WRONG), ("gone", WRONG), ("gone", PASSWORD), ("@alice:elsewhere.org", PASSWORD)] {
            let mut browser = server.browser();
            browser.csrf().await;
            let before = server.app.passwords.compared();
            let answer = browser.sign_in(name, password, "/account/").await;
            assert_eq!(server.app.passwords.compared() - before, 1, "{name}: as much work");
            answers.push(without_ids(&answer, name));
        }
        assert_eq!(answers[0].0, StatusCode::FORBIDDEN);
        assert!(answers[0].2.contains("The username or the password is not right"));
        for answer in &answers[1..] {
            assert_eq!(answer, &answers[0]);
        }
    }

    async fn that_an_account_is_locked_is_told_to_those_who_know_its_password(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        change_user(&server, "alice", "lock").await;
        assert!(!is_signed_in(&mut browser).await);
        let told = try_once(&server, "alice", PASSWORD).await;
        assert_eq!(told.status, StatusCode::FORBIDDEN);
        assert!(told.text().contains("This account is locked"));
        let guessed = try_once(&server, "alice", WRONG).await;
        assert!(!guessed.text().contains("locked"));
        change_user(&server, "alice", "unlock").await;
        assert!(is_signed_in(&mut browser).await, "a lock ends no session");
        change_user(&server, "alice", "deactivate").await;
        assert!(!is_signed_in(&mut browser).await);
    }

    async fn a_password_that_synapse_hashed_works_and_is_hashed_anew(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.passwords.bcrypt_pepper = Some(Secret::new("the pepper of Synapse".to_owned()));
        }).await;
        import(&server, "alice", "a pass\u{fb01}word").await;
        assert_eq!(try_once(&server, "alice", "a passfiword!").await.status, StatusCode::FORBIDDEN);
        // Composed differently, it is the same text.
        assert_eq!(try_once(&server, "alice", "a passfiword").await.status, StatusCode::SEE_OTHER);
        let server = server.restart().await;
        let before = stored_hash(&server, "alice").await;
        assert!(before.starts_with("$argon2id$"), "{before}");
        assert_eq!(try_once(&server, "alice", "a pass\u{fb01}word").await.status, StatusCode::SEE_OTHER);
        assert_eq!(stored_hash(&server, "alice").await, before, "once is enough");
    }

    async fn guesses_at_one_account_are_limited_wherever_they_come_from(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.rate_limits.sign_in_per_account = Limit { burst: 3, per_hour: 60 };
        }).await;
        server.user("alice").await;
        let mut known = server.signed_in("alice").await;
        for name in ["alice", "nobody"] {
            for (spelling, address) in [("", "192.0.2.1"), ("@", "192.0.2.2"), (" ", "192.0.2.3")] {
                let mut browser = server.browser();
                browser.address = address.to_owned();
                let answer = browser.sign_in(&format!("{spelling}{name}"), WRONG, "/").await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN);
            }
            let limited = try_once(&server, &name.to_uppercase(), PASSWORD).await;
            assert_eq!((limited.status, limited.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "60"), "{name}");
        }
        let again = known.sign_in("alice", PASSWORD, "/").await;
        assert_eq!(again.status, StatusCode::SEE_OTHER, "strangers do not keep the owner out");
        assert_eq!(try_once(&server, "alice", WRONG).await.status, StatusCode::TOO_MANY_REQUESTS, "nor does the owner let them in");
        server.advance(Duration::from_secs(60));
        assert_eq!(try_once(&server, "alice", PASSWORD).await.status, StatusCode::SEE_OTHER);
        assert_eq!(try_once(&server, "alice", PASSWORD).await.status, StatusCode::SEE_OTHER, "success costs nothing");
    }

    async fn who_has_a_browser_that_is_known_there_does_not_guess_without_end(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.rate_limits.sign_in_per_account = Limit { burst: 3, per_hour: 60 };
        }).await;
        server.user("alice").await;
        let mut known = server.signed_in("alice").await;
        let csrf = known.csrf().await;
        known.post("/logout", &[("csrf", &csrf)]).await.location();
        for number in 0..3 {
            known.address = format!("192.0.2.{number}");
            assert_eq!(known.sign_in("alice", WRONG, "/").await.status, StatusCode::FORBIDDEN);
        }
        known.address = "192.0.2.99".to_owned();
        let limited = known.sign_in("alice", PASSWORD, "/").await;
        assert_eq!((limited.status, limited.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "60"));
        assert_eq!(try_once(&server, "alice", PASSWORD).await.status, StatusCode::SEE_OTHER, "nor does that keep the owner out elsewhere");
        server.advance(Duration::from_secs(60));
        for _ in 0..3 {
            assert_eq!(known.sign_in("alice", PASSWORD, "/").await.status, StatusCode::SEE_OTHER, "success costs nothing");
        }
    }

    async fn guesses_from_one_address_are_limited_whomever_they_are_about(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.rate_limits.sign_in_per_address = Limit { burst: 3, per_hour: 60 };
        }).await;
        server.user("alice").await;
        let guess = async |address: &str, name: &str, password: &str| {
            let mut browser = server.browser();
            browser.address = address.to_owned();
            browser.sign_in(name, password, "/").await.status
        };
        // One subscriber holds a whole /64.
        for (address, name) in [("2001:db8::1", "a"), ("2001:db8::2", "b"), ("2001:db8::ffff:3", "c")] {
            assert_eq!(guess(address, name, WRONG).await, StatusCode::FORBIDDEN);
        }
        assert_eq!(guess("2001:db8::4", "alice", PASSWORD).await, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(guess("2001:db8:0:1::1", "alice", PASSWORD).await, StatusCode::SEE_OTHER);
        for _ in 0..5 {
            assert_eq!(guess("192.0.2.9", "alice", PASSWORD).await, StatusCode::SEE_OTHER, "success costs nothing");
        }
    }

    async fn a_new_sign_in_is_a_new_session_and_the_one_before_ends(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        server.user("bob").await;
        let mut victim = server.browser();
        victim.cookies.insert(SESSION.to_owned(), keys::random_secret());
        let planted = victim.cookies[SESSION].clone();
        victim.sign_in("alice", PASSWORD, "/").await;
        assert_ne!(victim.cookies[SESSION], planted, "a planted cookie is replaced");
        let mut before = server.browser();
        before.cookies = victim.cookies.clone();
        assert!(is_signed_in(&mut before).await);
        assert_eq!(victim.sign_in("bob", PASSWORD, "/").await.status, StatusCode::SEE_OTHER);
        assert!(!is_signed_in(&mut before).await, "the cookie of before is worth nothing");
        assert!(victim.get("/account/").await.text().contains("@bob:example.org"));
    }

    async fn a_person_signs_out(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let tokens = server.tokens("alice", &client, "DEVICE0001").await;
        let mut browser = server.signed_in("alice").await;
        let (copy, csrf) = (browser.cookies.clone(), browser.csrf().await);
        assert_eq!(browser.post("/logout", &[("csrf", "x")]).await.status, StatusCode::FORBIDDEN);
        assert!(is_signed_in(&mut browser).await);
        let answer = browser.post("/logout", &[("csrf", &csrf)]).await;
        assert_eq!(answer.location(), "/signed-out");
        assert!(!browser.cookies.contains_key(SESSION));
        browser.cookies = copy;
        assert!(!is_signed_in(&mut browser).await, "the session itself has ended");
        assert!(server.is_active(&tokens.access).await, "clients stay signed in");
    }

    async fn a_session_ends_when_it_is_idle_or_old(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.sessions.browser_idle_seconds = 1000;
            config.sessions.browser_absolute_seconds = 3000;
        }).await;
        server.user("alice").await;
        let mut idle = server.signed_in("alice").await;
        let mut busy = server.signed_in("alice").await;
        server.advance(Duration::from_secs(999));
        assert!(is_signed_in(&mut busy).await);
        server.advance(Duration::from_secs(1));
        assert!(!is_signed_in(&mut idle).await, "idle");
        assert!(idle.get("/login").await.text().contains("You were signed out of this browser"));
        for _ in 0..4 {
            server.advance(Duration::from_secs(499));
            assert!(is_signed_in(&mut busy).await);
        }
        server.advance(Duration::from_secs(4));
        assert!(!is_signed_in(&mut busy).await, "old");
    }

    async fn a_short_idle_limit_counts_from_the_last_visit(engine: Engine) {
        let server = Server::start_with(engine, |config| config.sessions.browser_idle_seconds = 60).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        for _ in 0..5 {
            server.advance(Duration::from_secs(40));
            assert!(is_signed_in(&mut browser).await);
        }
        server.advance(Duration::from_secs(60));
        assert!(!is_signed_in(&mut browser).await);
    }
}

/// An account as a migration from Synapse makes it: any name, a bcrypt hash with its pepper.
async fn import(server: &Server, localpart: &str, password: &str) {
    let user = no_password(server, localpart).await;
    let pepper = server.config.passwords.bcrypt_pepper.as_ref().map(Secret::expose).unwrap_or_default();
    let normalized: String = unicode_normalization::UnicodeNormalization::nfkc(password).collect();
    let hash = bcrypt::hash(format!("{normalized}{pepper}"), 4).unwrap();
    let mut tx = server.app.store.begin().await.unwrap();
    passwords::set(
        &mut tx,
        user.id,
        &passwords::Hashed { text: hash, version: IMPORTED, needs_second: false },
        BEGINNING,
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

async fn no_password(server: &Server, localpart: &str) -> users::User {
    // Names from elsewhere may have capitals, which new ones may not.
    let name = serde_json::from_value(json!(localpart)).unwrap();
    let mut tx = server.app.store.begin().await.unwrap();
    let user = users::create(&mut tx, name, false, BEGINNING).await.unwrap();
    tx.commit().await.unwrap();
    user
}

async fn stored_hash(server: &Server, localpart: &str) -> String {
    struct Hash(String);
    impl gatehouse::store::FromRow for Hash {
        fn from_row(row: &gatehouse::store::Row) -> Result<Hash, gatehouse::store::Error> {
            Ok(Hash(row.get("hash")?))
        }
    }
    let find = "SELECT hash FROM passwords JOIN users ON users.id = passwords.user_id WHERE localpart = $1";
    let Hash(hash) =
        gatehouse::store::query(find).bind(localpart).fetch_one(&server.app.store).await.unwrap();
    hash
}

#[tokio::test]
async fn two_nodes_together_allow_no_more_guesses_than_one() {
    let server = Server::start_with(Engine::Postgres, |config| {
        config.rate_limits.sign_in_per_account = Limit { burst: 4, per_hour: 60 };
    })
    .await;
    server.user("alice").await;
    let (_app, other) = server.another_node().await;
    let mut browser = server.browser();
    let csrf = browser.csrf().await;
    let cookies: Vec<String> =
        browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let headers = [(ORIGIN, "https://auth.example.org"), (http::header::COOKIE, &cookies.join("; "))];
    let form = [("csrf", csrf.as_str()), ("username", "alice"), ("password", WRONG)];
    let guesses = join_all((0..12).map(|number| {
        let request = form_request("/login", &headers, &form);
        let (server, other) = (&server, &other);
        async move {
            match number % 2 {
                0 => server.send(request).await.status,
                _ => send_to(other, request).await.status,
            }
        }
    }))
    .await;
    assert_eq!(guesses.iter().filter(|status| **status == StatusCode::FORBIDDEN).count(), 4, "{guesses:?}");
    assert_eq!(guesses.iter().filter(|status| **status == StatusCode::TOO_MANY_REQUESTS).count(), 8);
}

#[tokio::test]
async fn only_a_form_of_ours_in_the_same_browser_signs_in() {
    let server = Server::start(Engine::Sqlite).await;
    server.user("alice").await;
    let mut browser = server.browser();
    let own = browser.csrf().await;
    let strangers = server.browser().csrf().await;
    let form = |csrf| [("csrf", csrf), ("username", "alice"), ("password", PASSWORD)];
    let mut attempts = vec![(server.browser(), "https://auth.example.org", own.as_str())];
    for (origin, csrf) in [
        ("https://auth.example.org", ""),
        ("https://auth.example.org", strangers.as_str()),
        ("https://evil.example", &own),
        ("null", &own),
        ("http://auth.example.org", &own),
        ("https://auth.example.org:8443", &own),
    ] {
        let mut same = server.browser();
        same.cookies = browser.cookies.clone();
        attempts.push((same, origin, csrf));
    }
    for (mut browser, origin, csrf) in attempts {
        let answer = browser.send(form_request("/login", &[(ORIGIN, origin)], &form(csrf))).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin} {csrf}");
        assert!(!browser.cookies.contains_key(SESSION) && !answer.text().contains(PASSWORD));
    }
    let fetched = HeaderName::from_static("sec-fetch-site");
    let by_other_site = form_request("/login", &[(fetched, "cross-site")], &form(&own));
    assert_eq!(browser.send(by_other_site).await.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.post("/login", &form(&own)).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn nobody_is_led_elsewhere_after_signing_in() {
    let server = Server::start_with(Engine::Sqlite, |config| {
        config.rate_limits.sign_in_per_address = Limit { burst: 100, per_hour: 100 };
    })
    .await;
    server.user("alice").await;
    for next in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/\t/evil.example/",
        "/\n/evil.example/",
        " //evil.example/",
        "http:evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "evil.example",
        "?next=//evil.example",
        "%2F%2Fevil.example",
        "/ä",
        "",
    ] {
        let mut browser = server.browser();
        let page = browser.get(&format!("/login?next={}", urlencoded(next))).await;
        assert!(!page.text().contains("evil.example"), "{next}");
        assert_eq!(browser.sign_in("alice", PASSWORD, next).await.location(), "/account/", "{next:?}");
        let again = browser.get(&format!("/login?next={}", urlencoded(next))).await;
        assert_eq!(again.location(), "/account/", "{next:?}, signed in already");
        let csrf = browser.get("/account/").await.field("csrf");
        let out = browser.post("/logout", &[("csrf", &csrf), ("next", next)]).await;
        assert_eq!(out.location(), "/signed-out", "{next:?}");
    }
}

fn urlencoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn cookies_are_kept_from_scripts_other_sites_and_plain_connections() {
    for (base, prefix, end) in [
        ("https://auth.example.org/", "__Host-", "; Path=/; Max-Age=7776000; HttpOnly; SameSite=Lax; Secure"),
        (
            "https://example.org/auth/",
            "__Secure-",
            "; Path=/auth/; Max-Age=7776000; HttpOnly; SameSite=Lax; Secure",
        ),
        ("http://127.0.0.1:8080/", "", "; Path=/; Max-Age=7776000; HttpOnly; SameSite=Lax"),
    ] {
        let server =
            Server::start_with(Engine::Sqlite, |config| config.http.public_base = base.parse().unwrap())
                .await;
        server.user("alice").await;
        let answer = try_once(&server, "alice", PASSWORD).await;
        let set: Vec<&str> =
            answer.headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap()).collect();
        let [cookie] = set[..] else { panic!("one cookie, not {set:?}") };
        assert!(
            cookie.starts_with(&format!("{prefix}gatehouse_session=")) && cookie.ends_with(end),
            "{cookie}"
        );
        let first = server.get("/login").await;
        let browsers = first.header(SET_COOKIE);
        assert!(browsers.starts_with(&format!("{prefix}gatehouse_browser=")), "{browsers}");
        assert_eq!(browsers.replace("31536000", "7776000").split_once(';').unwrap().1, &end[1..]);
    }
}

#[tokio::test]
async fn a_password_that_cannot_be_one_is_wrong_and_costs_nothing() {
    let server = Server::start(Engine::Sqlite).await;
    server.user("alice").await;
    let before = server.app.passwords.compared();
    let long = "x".repeat(1025);
    assert_eq!(try_once(&server, "alice", &long).await.status, StatusCode::FORBIDDEN);
    assert_eq!(try_once(&server, "nobody", &long).await.status, StatusCode::FORBIDDEN);
    for (name, password) in [("alice", "with\0in"), ("ali\0ce", PASSWORD)] {
        assert_eq!(try_once(&server, name, password).await.status, StatusCode::BAD_REQUEST);
    }
    assert_eq!(server.app.passwords.compared(), before);
    for (name, password, text) in
        [("", PASSWORD, "Enter your username"), ("alice", "", "Enter your password")]
    {
        let answer = try_once(&server, name, password).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.text().contains(text) && !answer.text().contains(PASSWORD));
    }
}

#[tokio::test]
async fn too_many_sign_ins_at_once_are_asked_to_come_back() {
    let server = Server::start_with(Engine::Sqlite, |config| {
        config.passwords.argon2.memory_kib = 64 * 1024;
        config.passwords.parallel_hashes = 1;
        config.passwords.waiting_hashes = 1;
    })
    .await;
    let mut browsers: Vec<Browser<'_>> = (0..10).map(|_| server.browser()).collect();
    let answers = join_all(browsers.iter_mut().map(|browser| browser.sign_in("nobody", WRONG, "/"))).await;
    let busy: Vec<&Answer> =
        answers.iter().filter(|answer| answer.status == StatusCode::SERVICE_UNAVAILABLE).collect();
    assert!(!busy.is_empty() && busy.len() <= 8, "{}", busy.len());
    assert!(busy[0].text().contains("We are not ready just now"));
    let others = answers.iter().filter(|answer| answer.status == StatusCode::FORBIDDEN).count();
    assert_eq!(others + busy.len(), answers.len());
}

#[tokio::test]
async fn the_sign_in_page_names_the_waiting_client_and_the_person_it_hints_at() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client().await;
    for (hint, name) in [
        ("mxid:@alice:example.org", "alice"),
        ("@nobody:example.org", "nobody"),
        ("alice", "alice"),
        ("mxid:@alice:elsewhere.org", ""),
        ("mailto:alice@example.org", ""),
        ("\"><b>", "\"><b>"),
    ] {
        let mut browser = server.browser();
        let (path, to_login) =
            browser.ask(&authorization_query(&client, "openid", &[("login_hint", hint)])).await;
        let page = browser.get(to_login.location()).await;
        assert_eq!(page.field("username"), name, "{hint}");
        assert_eq!(page.field("next"), path);
        assert!(page.text().contains("app.example.com") && !page.text().contains("<b>"));
        assert!(
            page.header("content-security-policy").contains("form-action 'self' https://app.example.com;")
        );
    }
}
