//! A passkey or security key, set up in the midst of a sign-in that demands a second factor; and apps that get
//! other names.

use gatehouse::config::RequiredFor;
use http::StatusCode;

use crate::passkeys::{Asked, ORIGIN};
use crate::support::authenticator::Authenticator;
use crate::support::factors::{SECURITY, add_app, confirm_app, first_step};
use crate::support::page::Page;
use crate::support::server::{Browser, Engine, Server, on_both_engines};

const ENROL: &str = "/login/enrol";
const KEY: &str = "/login/enrol/key";

async fn demanding(engine: Engine) -> Server {
    let server = Server::start_with(engine, |config| {
        config.second_factor.required_for = RequiredFor::Everybody;
    })
    .await;
    server.user("alice").await;
    server
}

/// The page of that kind, as the one for apps leads there.
async fn path_to(browser: &mut Browser<'_>, kind: &str) -> String {
    let second = first_step(browser, "alice", "/account/sessions").await;
    let enrol = browser.get(&second).await.location().to_owned();
    let page = Page::of(&browser.get(&enrol).await);
    let links = page.links("main .actions a");
    links.into_iter().find(|link| link.ends_with(kind)).expect("a way to set one up")
}

on_both_engines! {
    async fn whoever_must_have_a_factor_may_set_up_a_passkey_or_a_security_key(engine: Engine) {
        for (kind, name) in [("kind=passkey", "Add a passkey"), ("kind=security-key", "Add a security key")] {
            let server = demanding(engine).await;
            let mut browser = server.browser();
            let path = path_to(&mut browser, kind).await;
            let page = browser.get(&path).await;
            assert_eq!(Page::of(&page).texts("h1"), [name]);
            assert!(browser.get("/account/").await.location().starts_with("/login"), "nobody is signed in yet");
            let mut device = Authenticator::new();
            let asked = Asked::by(&page);
            let made = device.create(&asked.options, ORIGIN).await;
            let credential = made.to_string();
            let of_form = |name: &str| Page::of(&page).attribute(&format!("form[data-passkey] input[name={name}]"), "value");
            let fields = ["csrf", "ceremony", "kind", "next"].map(|name| (name, of_form(name)));
            let mut form: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            form.push(("credential", &credential));
            let answer = browser.post(KEY, &form).await;
            assert_eq!(answer.location(), "/account/security/recovery-codes?next=%2Faccount%2Fsessions");
            assert_eq!(browser.get("/account/sessions").await.status, StatusCode::OK);
            // It is a factor like any other from then on, and the proof is fresh.
            assert_eq!(browser.get("/account/export").await.status, StatusCode::OK);
            let mut other = server.browser();
            let second = first_step(&mut other, "alice", SECURITY).await;
            assert!(second.starts_with("/login/second"), "{second}");
            assert!(other.get(&second).await.status != StatusCode::SEE_OTHER || !other.get(&second).await.location().contains("enrol"));
        }
    }

    async fn what_the_browser_did_not_make_for_this_page_counts_for_nothing(engine: Engine) {
        let server = demanding(engine).await;
        let (mut browser, mut other) = (server.browser(), server.browser());
        let (path, others) = (path_to(&mut browser, "kind=passkey").await, path_to(&mut other, "kind=passkey").await);
        let mut device = Authenticator::new();
        let foreign = Asked::by(&other.get(&others).await);
        let made = device.create(&foreign.options, ORIGIN).await.to_string();
        let page = browser.get(&path).await;
        let (csrf, sealed, own) = (page.field("csrf"), page.field("ceremony"), other.get(&others).await.field("ceremony"));
        for (form, said) in [
            (vec![("csrf", csrf.as_str()), ("ceremony", &own), ("credential", &made)], "This page was open for too long"),
            (vec![("csrf", &csrf), ("ceremony", &sealed), ("credential", &made)], "Your browser answered with something"),
            (vec![("csrf", &csrf), ("ceremony", &sealed)], "Your browser ran no JavaScript"),
            (vec![("csrf", "wrong"), ("ceremony", &sealed), ("credential", &made)], "This page was open for too long"),
        ] {
            let answer = browser.post(KEY, &form).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST);
            assert!(Page::of(&answer).texts("#summary").concat().contains(said), "{said}: {}", answer.text());
        }
        assert!(browser.get("/account/").await.location().starts_with("/login"));
    }

    async fn nobody_gets_around_the_factor_that_they_have(engine: Engine) {
        let server = demanding(engine).await;
        let (mut alice, mut mallory) = (server.browser(), server.browser());
        let path = path_to(&mut mallory, "kind=passkey").await;
        let his = mallory.get(&path).await;
        first_step(&mut alice, "alice", SECURITY).await;
        let hers = alice.get(ENROL).await;
        let code = crate::support::factors::Authenticator::of(&hers).code_in(&server, 0);
        assert_eq!(confirm_app(&mut alice, ENROL, &hers, "", &code).await.status, StatusCode::SEE_OTHER);
        let asked = Asked::by(&his);
        let made = Authenticator::new().create(&asked.options, ORIGIN).await;
        let answer = asked.answer(&mut mallory, KEY, &made).await;
        assert!(answer.location().starts_with("/login/second"), "{}", answer.location());
        assert!(mallory.get("/account/").await.location().starts_with("/login"));
        let stranger = server.browser().get(KEY).await;
        assert!(stranger.location().starts_with("/login"), "{}", stranger.location());
    }

    async fn an_app_gets_another_name(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        server.user("bob").await;
        let mut browser = server.signed_in("alice").await;
        add_app(&server, &mut browser, "Phone").await;
        let security = Page::of(&browser.get(SECURITY).await);
        let path = security.links("a[href$=rename]").concat();
        let page = browser.get(&path).await;
        assert_eq!(Page::of(&page).attribute("#name", "value"), "Phone");
        let csrf = page.field("csrf");
        let missing = browser.post(&path, &[("csrf", &csrf), ("name", " \u{202e}")]).await;
        assert_eq!(missing.status, StatusCode::BAD_REQUEST);
        assert_eq!(Page::of(&missing).texts("#name-error"), ["Enter a name"]);
        let renamed = browser.post(&path, &[("csrf", &csrf), ("name", "Old phone")]).await;
        assert_eq!(renamed.location(), "/account/security?notice=app-renamed");
        let security = browser.get("/account/security?notice=app-renamed").await;
        let security = Page::of(&security);
        assert_eq!(security.texts("[role=status]"), ["The authenticator app has its new name."]);
        assert!(security.main().contains("Old phone") && !security.main().contains("Rename Phone"));
        assert_eq!(browser.post(&path, &[("name", "x")]).await.status, StatusCode::FORBIDDEN);
        let mut bob = server.signed_in("bob").await;
        let csrf = bob.csrf().await;
        assert_eq!(bob.post(&path, &[("csrf", &csrf), ("name", "Bob's")]).await.status, StatusCode::NOT_FOUND);
    }
}
