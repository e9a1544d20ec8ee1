//! Choosing another password: nobody does it for somebody else, and no password is taken that is easily guessed.

use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::accounts::passwords;
use gatehouse::accounts::sign_in::{self, Attempt, Named};
use gatehouse::accounts::users::User;
use gatehouse::http::requester::Requester;
use gatehouse::keys::Password;
use http::StatusCode;
use http::header::ORIGIN;
use serde_json::json;

use crate::account_pages::{let_in, open};
use crate::mails::{ALICE, alice, with_mails};
use crate::support::page::Page;
use crate::support::server::{Answer, Browser, Engine, PASSWORD, Server, form_request, on_both_engines};

pub(crate) const CHANGE: &str = "/account/password";
pub(crate) const NEW: &str = "seven green kettles sing at dawn";

/// Whether it is the person's password.
pub(crate) async fn is_right(server: &Server, user: &User, password: &str) -> bool {
    let password = Password::new(password.to_owned()).expect("a password");
    passwords::is_right(&server.app, Some(user), password).await.expect("an answer")
}

async fn change(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> Answer {
    let csrf = browser.csrf().await;
    let form: Vec<_> = fields.iter().copied().chain([("csrf", csrf.as_str())]).collect();
    browser.post(CHANGE, &form).await
}

/// What the page says is to be done.
pub(crate) fn problem(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    Page::of(answer).texts("[role=alert] a").remove(0)
}

on_both_engines! {
    async fn a_person_changes_their_password_and_is_told_by_mail(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let mut browser = server.signed_in("alice").await;
        server.run_jobs().await;
        let answer = change(&mut browser, &[("new_password", NEW), ("new_password_again", NEW)]).await;
        assert_eq!(answer.location(), "/account/password?result=done");
        assert_eq!(open(&mut browser, answer.location()).await.texts("h1"), ["Your password is changed"]);
        assert!(is_right(&server, &alice, NEW).await && !is_right(&server, &alice, PASSWORD).await);
        server.run_jobs().await;
        let mail = mail_server.received_by(ALICE).pop().unwrap();
        assert!(mail.header("Subject").starts_with("Your password was changed"));
        assert!(mail.text().contains("From: 198.51.100.7"));
        assert!(!mail.text().contains(NEW) && !mail.html().contains(NEW));
    }

    async fn everything_else_is_signed_out_if_that_is_wanted(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        server.user("bob").await;
        let client = server.client().await;
        let mut browser = server.signed_in("alice").await;
        let mut other = server.signed_in("alice").await;
        let phone = let_in(&server, &mut browser, &client, "PHONE00000").await;
        let mut bobs = server.signed_in("bob").await;
        let bobs_phone = let_in(&server, &mut bobs, &client, "BOBS000000").await;
        change(&mut browser, &[("new_password", NEW), ("new_password_again", NEW)]).await.location();
        assert!(server.is_active(&phone.access).await, "only if it is wanted");
        assert_eq!(other.get("/account/").await.status, StatusCode::OK);
        let fields = [("new_password", PASSWORD), ("new_password_again", PASSWORD), ("end_others", "yes")];
        change(&mut browser, &fields).await.location();
        assert!(!server.is_active(&phone.access).await);
        assert!(other.get("/account/").await.location().starts_with("/login"));
        assert_eq!(browser.get("/account/").await.status, StatusCode::OK, "this one stays");
        assert!(server.is_active(&bobs_phone.access).await);
        assert_eq!(bobs.get("/account/").await.status, StatusCode::OK);
        server.run_jobs().await;
        assert!(server.homeserver.devices("alice").is_empty());
    }

    async fn nobody_gets_in_by_the_old_password_while_it_is_changed(engine: Engine) {
        // Comparing takes a while, as it does where people are signed in for real.
        let server = Server::start_with(engine, |config| {
            config.passwords.argon2.memory_kib = 16 * 1024;
            // However many of them turn out to be wrong.
            config.rate_limits.sign_in_per_account.burst = 100;
            config.rate_limits.sign_in_per_address.burst = 100;
        })
        .await;
        let alice = server.user("alice").await;
        server.advance(Duration::from_secs(1));
        let mut owner = server.signed_in("alice").await;
        let fields = [("new_password", NEW), ("new_password_again", NEW), ("end_others", "yes")];
        let mut thieves: Vec<_> = (0..6).map(|_| server.browser()).collect();
        let guesses = thieves.iter_mut().map(|thief| thief.sign_in("alice", PASSWORD, "/account/"));
        let older = (0..6).map(|number| server.log_in("alice", json!({ "device_id": format!("DEVICE{number}") })));
        let (changed, _, older) = tokio::join!(change(&mut owner, &fields), join_all(guesses), join_all(older));
        assert_eq!(changed.location(), "/account/password?result=done");
        for thief in &mut thieves {
            assert!(thief.get("/account/").await.location().starts_with("/login"));
        }
        for answer in older {
            if let Some(token) = answer.json()["access_token"].as_str() {
                assert!(!server.is_active(token).await);
            }
        }
        // What was right a moment ago is looked at once more in the transaction in which the session begins.
        let requester = Requester::default();
        let attempt = sign_in::attempt(&server.app, &requester, None, Named::User("alice"), NEW.to_owned()).await;
        let Ok(Attempt::Right(_, counted)) = attempt else { panic!("the new password is right") };
        let mut tx = server.app.store.begin().await.unwrap();
        assert!(counted.still_holds(&mut tx, &alice).await.unwrap());
        tx.commit().await.unwrap();
        server.advance(Duration::from_secs(1));
        change(&mut owner, &[("new_password", PASSWORD), ("new_password_again", PASSWORD)]).await.location();
        let mut tx = server.app.store.begin().await.unwrap();
        assert!(!counted.still_holds(&mut tx, &alice).await.unwrap());
    }

    async fn a_password_is_changed_by_who_has_just_proved_who_they_are(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let fields = [("new_password", NEW), ("new_password_again", NEW)];
        server.advance(Duration::from_secs(600));
        let asks = |answer: &Answer| answer.location().starts_with("/login?next=%2Faccount%2Fpassword&max_age=600");
        assert!(asks(&browser.get(CHANGE).await));
        assert!(asks(&change(&mut browser, &fields).await));
        // Nor does a field that nobody asked for help.
        let wrong = [("password", "wrong"), ("current_password", PASSWORD), fields[0], fields[1]];
        assert!(asks(&change(&mut browser, &wrong).await));
        assert!(is_right(&server, &alice, PASSWORD).await);
        browser.sign_in("alice", PASSWORD, CHANGE).await.location();
        assert_eq!(change(&mut browser, &fields).await.location(), "/account/password?result=done");
        let mut nobody = server.browser();
        assert!(asks(&change(&mut nobody, &fields).await));
    }

    async fn a_form_from_elsewhere_changes_no_password(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let csrf = browser.csrf().await;
        for (origin, csrf) in [("https://evil.example", csrf.as_str()), ("https://auth.example.org", "x")] {
            let form = [("csrf", csrf), ("new_password", NEW), ("new_password_again", NEW)];
            let answer = browser.send(form_request(CHANGE, &[(ORIGIN, origin)], &form)).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
        }
        assert!(is_right(&server, &alice, PASSWORD).await);
    }

    async fn a_password_that_is_short_long_or_easily_guessed_is_not_taken(engine: Engine) {
        let (server, _mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let mut browser = server.signed_in("alice").await;
        let long = "x".repeat(1025);
        for (password, todo) in [
            ("", "Enter a new password"),
            ("k7#Fq2!mZp9&Lw", "Use at least 15 characters"),
            // Fifteen characters in another spelling: it is counted as it is stored.
            ("ﬁﬁﬁﬁﬁﬁﬁ", "Use at least 15 characters"),
            (&long, "Use a shorter password"),
            ("aaaaaaaaaaaaaaaaaaaa", "Use a password without keys in a row, repetitions"),
            ("passwordpassword", "Use a password without keys in a row, repetitions"),
            ("qwertyuiopasdfghjkl", "Use another password: many people have this one"),
            ("123456789012345678", "Use a"),
            // What those know who know the person.
            ("alice@example.com1", "Use a password without your name, your address"),
            ("Alice@example.com", "Use a password without your name, your address"),
            ("alicealicealicealice", "Use a password without keys in a row, repetitions"),
        ] {
            let answer = change(&mut browser, &[("new_password", password), ("new_password_again", password)]).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{password}");
            assert!(problem(&answer).starts_with(todo), "{password}: {}", problem(&answer));
            assert!(password.is_empty() || !answer.text().contains(password), "a password stands in the page");
        }
        for again in ["", "seven green kettles sing at dusk"] {
            let answer = change(&mut browser, &[("new_password", NEW), ("new_password_again", again)]).await;
            assert_eq!(problem(&answer), "Enter the same password twice");
        }
        assert!(is_right(&server, &alice, PASSWORD).await);
    }

    async fn every_character_is_taken_as_it_is(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let exactly = "ﬁve wörds";
        let most = format!("{}{}", "zwölf Boxkämpfer jagen Viktor ", "q".repeat(900));
        for password in [format!(" {exactly} 🦊 ñ! "), "tab\tand 'quotes\" <b>&amp;".to_owned(), most] {
            let fields = [("new_password", password.as_str()), ("new_password_again", &password)];
            assert_eq!(change(&mut browser, &fields).await.location(), "/account/password?result=done", "{password}");
            assert!(is_right(&server, &alice, &password).await, "{password}");
        }
    }

    async fn without_passwords_there_is_nothing_to_change(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let cookies = server.signed_in("alice").await.cookies.clone();
        let mut config = server.config.clone();
        config.passwords.enabled = false;
        let server = server.restart_with(config).await;
        let mut browser = server.browser();
        browser.cookies = cookies;
        assert_eq!(browser.get(CHANGE).await.status, StatusCode::FORBIDDEN);
        let answer = change(&mut browser, &[("new_password", NEW), ("new_password_again", NEW)]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
}
