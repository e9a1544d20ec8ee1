//! Passkeys and security keys as the second step, after the password.

use gatehouse::accounts::users;
use http::StatusCode;

use crate::passkeys::{Asked, ORIGIN, assert_added, enrol, passkey_of};
use crate::support::authenticator::Authenticator;
use crate::support::server::{Answer, Browser, Engine, PASSWORD, Server, on_both_engines};

const NEW: &str = "/account/security/passkeys/new";
const NEW_KEY: &str = "/account/security/passkeys/new?kind=security-key";
const STEP: &str = "/login/security-key";
const ATTEMPT: &str = "__Host-gatehouse_attempt";

/// A key of the user that does not verify its owner.
async fn key_of(server: &Server, localpart: &str) -> Authenticator {
    let mut key = Authenticator::new();
    key.verifies = false;
    let added = enrol(&mut server.signed_in(localpart).await, NEW_KEY, &mut key).await;
    assert_added(&added);
    key
}

/// A browser in which the password was right, and a second step is due.
async fn halfway<'s>(server: &'s Server, localpart: &str) -> Browser<'s> {
    let mut browser = server.browser();
    let answer = browser.sign_in(localpart, PASSWORD, "/account/sessions").await;
    assert!(answer.location().starts_with("/login/second"), "{}", answer.location());
    assert_ne!(browser.get("/account/").await.status, StatusCode::OK, "not signed in yet");
    browser
}

/// Takes the second step with a device; the answer.
async fn confirm(browser: &mut Browser<'_>, device: &mut Authenticator) -> Answer {
    let asked = Asked::by(&browser.get(STEP).await);
    let answer = device.get(&asked.options, ORIGIN).await;
    asked.answer(browser, STEP, &answer).await
}

on_both_engines! {
    async fn a_key_confirms_a_password(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut key = key_of(&server, "alice").await;
        let mut browser = halfway(&server, "alice").await;
        let asked = Asked::by(&browser.get(STEP).await);
        assert_eq!(asked.options["allowCredentials"].as_array().map(Vec::len), Some(1));
        assert_eq!(confirm(&mut browser, &mut key).await.location(), "/account/");
        assert_eq!(browser.get("/account/").await.status, StatusCode::OK);
        // The step is done: it cannot be taken again.
        let mut copy = server.browser();
        copy.cookies = browser.cookies.clone();
        copy.cookies.remove("__Host-gatehouse_session");
        assert!(copy.get(STEP).await.location().starts_with("/login"));
    }

    async fn a_key_alone_signs_nobody_in(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut key = key_of(&server, "alice").await;
        assert!(server.get(STEP).await.location().starts_with("/login"), "no password was given");
        for verifies in [false, true] {
            key.verifies = verifies;
            let mut browser = server.browser();
            let asked = Asked::by(&browser.get("/login").await);
            let answer = key.get(&asked.options, ORIGIN).await;
            assert_eq!(asked.answer(&mut browser, "/login/passkey", &answer).await.status, StatusCode::FORBIDDEN);
        }
    }

    async fn passkeys_and_keys_stand_beside_each_other(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut key = key_of(&server, "alice").await;
        let mut browser = halfway(&server, "alice").await;
        confirm(&mut browser, &mut key).await;
        let mut passkey = Authenticator::synced();
        enrol(&mut browser, NEW, &mut passkey).await;
        for device in [&mut key, &mut passkey] {
            let mut browser = halfway(&server, "alice").await;
            assert_eq!(confirm(&mut browser, device).await.location(), "/account/");
        }
    }

    async fn only_ones_own_key_counts_and_once(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        server.user("bob").await;
        let mut alices = key_of(&server, "alice").await;
        let mut bobs = key_of(&server, "bob").await;
        let mut browser = halfway(&server, "alice").await;
        assert_eq!(confirm(&mut browser, &mut bobs).await.status, StatusCode::FORBIDDEN);
        // What bob's browser was asked in bob's name does not count in alice's.
        let mut bob = server.browser();
        bob.cookies = browser.cookies.clone();
        bob.cookies.remove(ATTEMPT);
        bob.sign_in("bob", PASSWORD, "/account/").await;
        let asked = Asked::by(&bob.get(STEP).await);
        let answer = bobs.get(&asked.options, ORIGIN).await;
        assert_eq!(asked.answer(&mut browser, STEP, &answer).await.status, StatusCode::FORBIDDEN);
        // Nor is a sign-in's question one of the second step.
        let sign_in = Asked::by(&browser.get("/login").await);
        let answer = alices.get(&sign_in.options, ORIGIN).await;
        assert_eq!(sign_in.answer(&mut browser, STEP, &answer).await.status, StatusCode::FORBIDDEN);
        let mut copy = alices.copy();
        assert_eq!(confirm(&mut browser, &mut alices).await.status, StatusCode::SEE_OTHER);
        let mut browser = halfway(&server, "alice").await;
        assert_eq!(confirm(&mut browser, &mut copy).await.status, StatusCode::FORBIDDEN, "a copy that counts behind");
    }

    async fn a_locked_account_gets_no_further(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let mut key = key_of(&server, "alice").await;
        let mut browser = halfway(&server, "alice").await;
        let asked = Asked::by(&browser.get(STEP).await);
        let answer = key.get(&asked.options, ORIGIN).await;
        let mut tx = server.app.store.begin().await.unwrap();
        users::lock(&mut tx, alice.id, server.app.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert!(asked.answer(&mut browser, STEP, &answer).await.location().starts_with("/login"));
        assert_ne!(browser.get("/account/").await.status, StatusCode::OK);
    }

    async fn passkeys_that_work_here_no_more_are_not_asked_for(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        passkey_of(&server, "alice").await;
        halfway(&server, "alice").await;
        let mut config = server.config.clone();
            config.http.public_base = "https://id.example.org/".parse().unwrap();
            config.passkeys.relying_party_id = Some("id.example.org".to_owned());
        let server = server.restart_with(config).await;
        server.signed_in("alice").await;
    }
}
