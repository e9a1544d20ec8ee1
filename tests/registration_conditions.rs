//! What an admin may ask of those who make an account: a registration token, a computation, the terms of service.

use std::time::Duration;

use futures_util::future::join;
use gatehouse::accounts::registration_tokens;
use gatehouse::accounts::terms;
use gatehouse::config::{Config, RegistrationWays};
use gatehouse::login::captcha::Challenge;
use http::StatusCode;

use crate::account_pages::open;
use crate::captcha::solve;
use crate::registration::{
    PASSWORD_PAGE, REGISTER, account, begun, choose, choose_password, complaints, count, open_to_all, send,
};
use crate::support::page::Page;
use crate::support::server::{Answer, Browser, Engine, Server, on_both_engines};

const TERMS: &str = "/register/terms";
const TOKEN: &str = "chess-club-2026";

fn by_password(config: &mut Config) {
    open_to_all(config);
    config.registration.ways = RegistrationWays::Password;
}

fn with_tokens(config: &mut Config) {
    by_password(config);
    config.registration.token_required = true;
}

fn with_terms(config: &mut Config) {
    by_password(config);
    config.terms.version = Some("2026-01-31".to_owned());
    config.branding.tos_uri = Some("https://example.org/terms".parse().expect("a URL"));
}

fn with_captcha(config: &mut Config) {
    by_password(config);
    config.captcha.work = 500;
}

async fn add_token(server: &Server, token: &str, uses: i64, lasts: Option<Duration>) {
    let now = server.app.clock.now();
    let mut tx = server.app.store.begin().await.expect("a transaction");
    let expires_at = lasts.map(|lasts| now + lasts);
    registration_tokens::add(&mut tx, &server.app, token, Some(uses), expires_at, now)
        .await
        .expect("a token");
    tx.commit().await.expect("a commit");
}

async fn choose_with(browser: &mut Browser<'_>, name: &str, token: &str) -> Answer {
    send(browser, REGISTER, &[("username", name), ("registration_token", token)]).await
}

async fn uses(server: &Server) -> i64 {
    count(server, "SELECT uses AS n FROM registration_tokens").await
}

/// What the page asks the browser to compute.
fn challenge(page: &Answer) -> Challenge {
    let page = Page::of(page);
    let read = |name: &str| page.attribute("[data-captcha]", name);
    Challenge {
        salt: read("data-salt"),
        target: read("data-target"),
        work: read("data-work").parse().expect("a number"),
        sealed: page.attribute("input[name=captcha]", "value"),
    }
}

on_both_engines! {
    async fn a_token_lets_as_many_register_as_it_was_made_for(engine: Engine) {
        let server = Server::start_with(engine, with_tokens).await;
        add_token(&server, TOKEN, 1, None).await;
        let mut browser = server.browser();
        for (name, token, status, said) in [
            ("alice", "", StatusCode::BAD_REQUEST, "Enter your registration token"),
            ("", "", StatusCode::BAD_REQUEST, "Choose a username"),
            ("alice", "another-club", StatusCode::FORBIDDEN, "Check the registration token"),
        ] {
            let refused = choose_with(&mut browser, name, token).await;
            assert_eq!(refused.status, status, "{token}");
            assert!(complaints(&refused)[0].contains(said), "{:?}", complaints(&refused));
            assert_eq!(Page::of(&refused).attribute("#registration_token", "value"), token, "what was typed stays");
        }
        assert_eq!(choose_with(&mut browser, "alice", TOKEN).await.location(), PASSWORD_PAGE);
        assert_eq!(uses(&server).await, 0, "it is not used by looking");
        assert_eq!(choose_password(&mut browser).await.location(), "/account/");
        assert_eq!(uses(&server).await, 1);
        let refused = choose_with(&mut server.browser(), "bob", TOKEN).await;
        assert!(complaints(&refused)[0].contains("used as often as it can be"), "{:?}", complaints(&refused));
    }

    async fn of_two_with_the_last_use_of_a_token_the_other_is_led_back(engine: Engine) {
        let server = Server::start_with(engine, with_tokens).await;
        add_token(&server, TOKEN, 1, None).await;
        let (mut one, mut other) = (server.browser(), server.browser());
        choose_with(&mut one, "alice", TOKEN).await.location();
        choose_with(&mut other, "bob", TOKEN).await.location();
        let (first, second) = join(choose_password(&mut one), choose_password(&mut other)).await;
        assert_eq!(count(&server, "SELECT COUNT(*) AS n FROM users").await, 1);
        assert_eq!(uses(&server).await, 1);
        let (loser, name, refused) = match first.status {
            StatusCode::SEE_OTHER => (&mut other, "bob", second),
            _ => (&mut one, "alice", first),
        };
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(complaints(&refused)[0].contains("used as often as it can be"), "{:?}", complaints(&refused));
        assert_eq!((refused.field("username").as_str(), refused.field("registration_token").as_str()), (name, TOKEN));
        assert!(account(&server, name).await.is_none(), "nothing of it was made");
        add_token(&server, "chess-club-2027", 1, None).await;
        assert_eq!(choose_with(loser, name, "chess-club-2027").await.location(), "/account/");
    }

    async fn a_token_that_expires_meanwhile_leads_back(engine: Engine) {
        let server = Server::start_with(engine, with_tokens).await;
        add_token(&server, TOKEN, 1, Some(Duration::from_secs(60))).await;
        let mut browser = server.browser();
        choose_with(&mut browser, "alice", TOKEN).await.location();
        server.advance(Duration::from_secs(60));
        let refused = choose_password(&mut browser).await;
        assert!(complaints(&refused)[0].contains("too old"), "{:?}", complaints(&refused));
        assert!(account(&server, "alice").await.is_none());
    }

    async fn a_token_is_kept_encrypted(engine: Engine) {
        let server = Server::start_with(engine, with_tokens).await;
        add_token(&server, TOKEN, 1, None).await;
        choose_with(&mut server.browser(), "alice", TOKEN).await.location();
        let sql = "SELECT COUNT(*) AS n FROM registrations WHERE token LIKE '%chess%' OR token IS NULL";
        assert_eq!((begun(&server).await, count(&server, sql).await), (1, 0));
    }
}

on_both_engines! {
    async fn who_makes_an_account_accepts_the_terms(engine: Engine) {
        let server = Server::start_with(engine, with_terms).await;
        let mut browser = server.browser();
        choose(&mut browser, "alice").await;
        assert_eq!(choose_password(&mut browser).await.location(), TERMS);
        let page = open(&mut browser, TERMS).await;
        assert!(page.links("main a").contains(&"https://example.org/terms".to_owned()));
        for version in ["", "2025-01-01"] {
            let refused = send(&mut browser, TERMS, &[("terms", version)]).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST);
            assert_eq!(complaints(&refused), ["Accept the terms of service"]);
        }
        assert!(account(&server, "alice").await.is_none());
        assert_eq!(send(&mut browser, TERMS, &[("terms", "2026-01-31")]).await.location(), "/account/");
        let alice = account(&server, "alice").await.expect("an account");
        assert!(!terms::must_accept(&server.app.store, &server.config, alice.id).await.unwrap());
        assert_eq!(browser.get("/account/").await.status, StatusCode::OK, "and is not asked again");
    }

    async fn what_was_accepted_stays_when_somebody_was_faster(engine: Engine) {
        let server = Server::start_with(engine, with_terms).await;
        let mut browser = server.browser();
        choose(&mut browser, "alice").await;
        choose_password(&mut browser).await;
        server.user("alice").await;
        let refused = send(&mut browser, TERMS, &[("terms", "2026-01-31")]).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert_eq!(choose(&mut browser, "bob").await.location(), "/account/");
    }
}

on_both_engines! {
    async fn a_browser_computes_or_a_token_stands_in_for_that(engine: Engine) {
        let server = Server::start_with(engine, with_captcha).await;
        let mut browser = server.browser();
        let page = browser.get(REGISTER).await;
        assert!(page.text().contains("/assets/captcha"), "{}", page.text());
        let challenge = challenge(&page);
        let answer = solve(&challenge).to_string();
        let form = |name, answer| [("username", name), ("captcha", challenge.sealed.as_str()), ("captcha_answer", answer)];
        for (answer, said) in [("", "has not solved the puzzle"), ("500", "has not solved the puzzle")] {
            let refused = send(&mut browser, REGISTER, &form("alice", answer)).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{answer}");
            assert!(complaints(&refused)[0].contains(said), "{:?}", complaints(&refused));
        }
        assert_eq!((begun(&server).await, server.homeserver.calls().len()), (0, 0));
        assert_eq!(send(&mut browser, REGISTER, &form("alice", &answer)).await.location(), PASSWORD_PAGE);
        // Another name needs no other one.
        assert_eq!(choose(&mut browser, "alice2").await.location(), PASSWORD_PAGE);
        // It counts once, and in this browser.
        send(&mut browser, "/register/continue", &[("answer", "start-again")]).await;
        let refused = send(&mut browser, REGISTER, &form("bob", &answer)).await;
        assert!(complaints(&refused)[0].contains("open for too long"), "{:?}", complaints(&refused));
        assert_eq!(begun(&server).await, 0);

        add_token(&server, TOKEN, 1, None).await;
        let mut without_script = server.browser();
        let page = open(&mut without_script, REGISTER).await;
        assert!(page.texts("noscript").concat().contains("registration token"));
        let refused = choose_with(&mut without_script, "carol", "another-club").await;
        assert_eq!(Page::of(&refused).attribute("#registration_token", "value"), "another-club", "what was typed stays");
        assert_eq!(choose_with(&mut without_script, "carol", TOKEN).await.location(), PASSWORD_PAGE);
        assert_eq!(choose_password(&mut without_script).await.location(), "/account/");
        assert_eq!(uses(&server).await, 1, "it counts as a use all the same");
    }

    async fn a_token_that_stood_in_for_a_computation_can_be_replaced(engine: Engine) {
        let server = Server::start_with(engine, with_captcha).await;
        add_token(&server, TOKEN, 1, Some(Duration::from_secs(60))).await;
        let mut browser = server.browser();
        choose_with(&mut browser, "alice", TOKEN).await.location();
        server.advance(Duration::from_secs(60));
        let refused = choose_password(&mut browser).await;
        assert_eq!(refused.field("registration_token"), TOKEN);
        add_token(&server, "chess-club-2027", 1, None).await;
        assert_eq!(choose_with(&mut browser, "alice", "chess-club-2027").await.location(), "/account/");
    }
}
