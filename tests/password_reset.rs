//! Getting back into an account: a link is for one person, once, for ten minutes; and whoever asks for one
//! learns nothing.

use std::time::Duration;

use gatehouse::accounts::mails::LIFETIME;
use gatehouse::accounts::users::{self, User};
use gatehouse::config::Limit;
use http::StatusCode;
use http::header::{HOST, ORIGIN};

use crate::account_pages::{let_in, open};
use crate::account_password::{NEW, is_right, problem};
use crate::mails::{ALICE, add_address, alice, with_mails};
use crate::support::factors::{SECOND, enter, user_with_app};
use crate::support::page::Page;
use crate::support::server::{
    Answer, Browser, Engine, PASSWORD, Server, form_request, on_both_engines, send_to,
};
use crate::support::smtp::{MailServer, Received};

const RESET: &str = "/reset-password";

/// Asks for a link.
async fn ask(browser: &mut Browser<'_>, address: &str) -> Answer {
    let csrf = browser.csrf().await;
    browser.post(RESET, &[("csrf", &csrf), ("email", address)]).await
}

/// The local path of the link in a mail.
fn link(mail: &Received) -> String {
    mail.link("https://auth.example.org/reset-password/").replace("https://auth.example.org", "")
}

/// A link for whoever has the address.
async fn link_for(server: &Server, mail_server: &MailServer, address: &str) -> String {
    assert_eq!(ask(&mut server.browser(), address).await.location(), "/reset-password?result=sent");
    server.run_jobs().await;
    let mails = mail_server.received_by(address);
    let mails: Vec<_> = mails.iter().filter(|mail| mail.header("Subject").starts_with("Get back")).collect();
    link(mails.last().expect("a mail with a link"))
}

/// Chooses a password at a link.
async fn choose(browser: &mut Browser<'_>, link: &str, fields: &[(&str, &str)]) -> Answer {
    let csrf = browser.csrf().await;
    let new = [("new_password", NEW), ("new_password_again", NEW), ("csrf", &csrf)];
    let given = |name: &str| fields.iter().any(|(known, _)| *known == name);
    let form: Vec<_> =
        new.into_iter().filter(|(name, _)| !given(name)).chain(fields.iter().copied()).collect();
    browser.post(link, &form).await
}

async fn change_account(server: &Server, user: &User, lock: bool) {
    let now = server.app.clock.now();
    let mut tx = server.app.store.begin().await.unwrap();
    match lock {
        true => users::lock(&mut tx, user.id, now).await.unwrap(),
        false => users::deactivate(&mut tx, user.id, false, now).await.unwrap(),
    }
    tx.commit().await.unwrap();
}

on_both_engines! {
    async fn a_person_who_forgot_their_password_gets_back_in(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let mut old = server.signed_in("alice").await;
        let client = server.client().await;
        let phone = let_in(&server, &mut old, &client, "PHONE00000").await;
        server.run_jobs().await;
        let mut browser = server.browser();
        let sign_in = browser.get("/login").await;
        assert_eq!(Page::of(&sign_in).links(".aside a"), [RESET]);
        assert_eq!(ask(&mut browser, "Alice@Example.com").await.location(), "/reset-password?result=sent");
        assert_eq!(open(&mut browser, "/reset-password?result=sent").await.texts("h1"), ["Look at your mail"]);
        server.run_jobs().await;
        let link = link(&mail_server.received_by("Alice@Example.com").pop().expect("a mail"));
        assert!(open(&mut browser, &link).await.main().contains("@alice:example.org"));
        assert!(is_right(&server, &alice, PASSWORD).await, "looking changes nothing");
        assert_eq!(choose(&mut browser, &link, &[]).await.location(), "/account/");
        assert_eq!(browser.get("/account/").await.status, StatusCode::OK, "and is signed in");
        assert!(is_right(&server, &alice, NEW).await && !is_right(&server, &alice, PASSWORD).await);
        assert!(old.get("/account/").await.location().starts_with("/login"), "other browsers are signed out");
        assert!(server.is_active(&phone.access).await, "devices are not, unless that is wanted");
        server.run_jobs().await;
        let subjects: Vec<_> = mail_server.received_by(ALICE).iter().map(|mail| mail.header("Subject")).collect();
        assert!(subjects.iter().any(|subject| subject.starts_with("Your password was changed")), "{subjects:?}");

        let again = choose(&mut browser, &link, &[("new_password", PASSWORD), ("new_password_again", PASSWORD)]).await;
        assert_eq!(again.status, StatusCode::NOT_FOUND, "a link is good once");
        assert!(is_right(&server, &alice, NEW).await);
    }

    async fn the_second_factor_is_asked_for_after_a_link_too(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let authenticator = user_with_app(&server, "alice").await;
        let alice = users::find_by_localpart(&server.app.store, "alice").await.unwrap().expect("alice");
        add_address(&server, &alice, ALICE).await;
        let link = link_for(&server, &mail_server, ALICE).await;
        let mut browser = server.browser();
        assert!(choose(&mut browser, &link, &[]).await.location().starts_with(SECOND));
        assert!(browser.get("/account/").await.location().starts_with("/login"), "nobody is signed in yet");
        assert!(is_right(&server, &alice, NEW).await);
        server.advance(Duration::from_secs(60));
        let code = authenticator.next_code(&server);
        assert_eq!(enter(&mut browser, SECOND, "", &code, &[]).await.location(), "/account/");
        assert_eq!(browser.get("/account/").await.status, StatusCode::OK);
    }

    async fn devices_are_signed_out_too_if_that_is_wanted(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        alice(&server).await;
        let client = server.client().await;
        let phone = server.tokens("alice", &client, "PHONE00000").await;
        let link = link_for(&server, &mail_server, ALICE).await;
        choose(&mut server.browser(), &link, &[("end_devices", "yes")]).await.location();
        assert!(!server.is_active(&phone.access).await);
        server.run_jobs().await;
        assert!(server.homeserver.devices("alice").is_empty());
    }

    async fn nobody_learns_whether_an_address_has_an_account(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let locked = server.user("locked").await;
        add_address(&server, &locked, "locked@example.com").await;
        change_account(&server, &locked, true).await;
        let over = server.user("over").await;
        add_address(&server, &over, "over@example.com").await;
        change_account(&server, &over, false).await;
        let mut tx = server.app.store.begin().await.unwrap();
        let now = server.app.clock.now();
        let unproven = "unproven@example.com".parse().unwrap();
        gatehouse::accounts::emails::add(&mut tx, alice.id, &unproven, None, now).await.unwrap();
        tx.commit().await.unwrap();
        server.run_jobs().await;
        let mut answers = Vec::new();
        for name in ["alice", "nobody", "locked", "over", "unproven"] {
            let mut browser = server.browser();
            let answer = ask(&mut browser, &format!("{name}@example.com")).await;
            let page = browser.get(answer.location()).await;
            answers.push((answer.status, answer.location().to_owned(), answer.body, Page::of(&page).main()));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
        server.run_jobs().await;
        let received = mail_server.received();
        assert_eq!(received.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), [ALICE]);
    }

    async fn the_question_does_the_same_work_for_every_address(engine: Engine) {
        // One row in the queue, encrypted, and of one length for addresses of one length.
        let (server, _mail_server) = with_mails(engine).await;
        alice(&server).await;
        for address in [ALICE, "aline@example.com"] {
            ask(&mut server.browser(), address).await.location();
        }
        struct Job(String);
        impl gatehouse::store::FromRow for Job {
            fn from_row(row: &gatehouse::store::Row) -> Result<Job, gatehouse::store::Error> {
                Ok(Job(row.get("payload")?))
            }
        }
        let jobs: Vec<Job> = gatehouse::store::query("SELECT payload FROM jobs").fetch_all(&server.app.store).await.unwrap();
        assert_eq!(jobs.len(), 2);
        assert_eq!(jobs[0].0.len(), jobs[1].0.len());
        assert!(jobs.iter().all(|Job(payload)| !payload.contains("example.com")));
    }

    async fn a_link_is_for_the_person_it_was_made_for(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let bob = server.user("bob").await;
        add_address(&server, &bob, "bob@example.com").await;
        let link = link_for(&server, &mail_server, "bob@example.com").await;
        // In a browser that is signed in as somebody else, with whatever fields one may think of.
        let mut browser = server.signed_in("alice").await;
        let alices = alice.id.to_string();
        let fields = [
            ("username", "alice"), ("user", "alice"), ("user_id", &alices), ("sub", &alices),
            ("email", ALICE), ("mxid", "@alice:example.org"), ("id", &alices),
        ];
        choose(&mut browser, &link, &fields).await.location();
        assert!(is_right(&server, &alice, PASSWORD).await && is_right(&server, &bob, NEW).await);
        let home = open(&mut browser, "/account/").await;
        assert!(home.main().contains("@bob:example.org"), "{}", home.main());
    }

    async fn a_link_is_good_for_ten_minutes_to_the_second(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let link = link_for(&server, &mail_server, ALICE).await;
        server.advance(LIFETIME - Duration::from_millis(1));
        assert_eq!(server.get(&link).await.status, StatusCode::OK);
        server.advance(Duration::from_millis(1));
        assert_eq!(server.get(&link).await.status, StatusCode::NOT_FOUND);
        let late = choose(&mut server.browser(), &link, &[]).await;
        assert_eq!(late.status, StatusCode::NOT_FOUND);
        assert_eq!(Page::of(&late).texts("h1"), ["This link no longer works"]);
        assert!(is_right(&server, &alice, PASSWORD).await);
    }

    async fn whatever_changes_the_account_makes_its_links_worthless(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        add_address(&server, &alice, "second@example.com").await;
        let links = [
            link_for(&server, &mail_server, ALICE).await,
            link_for(&server, &mail_server, ALICE).await,
            link_for(&server, &mail_server, "second@example.com").await,
        ];
        choose(&mut server.browser(), &links[1], &[]).await.location();
        for link in &links {
            assert_eq!(server.get(link).await.status, StatusCode::NOT_FOUND, "one was used");
        }
        server.advance(Duration::from_secs(3600));
        let link = link_for(&server, &mail_server, ALICE).await;
        let mut browser = server.browser();
        browser.sign_in("alice", NEW, "/account/").await.location();
        let csrf = browser.csrf().await;
        browser.post("/account/email/remove", &[("csrf", &csrf), ("email", "second@example.com")]).await.location();
        assert_eq!(server.get(&link).await.status, StatusCode::NOT_FOUND, "an address was removed");
        server.advance(Duration::from_secs(3600));
        let link = link_for(&server, &mail_server, ALICE).await;
        browser.sign_in("alice", NEW, "/account/").await.location();
        let form = [("csrf", csrf.as_str()), ("new_password", PASSWORD), ("new_password_again", PASSWORD)];
        browser.post("/account/password", &form).await.location();
        assert_eq!(server.get(&link).await.status, StatusCode::NOT_FOUND, "the password was changed");
    }

    async fn a_locked_or_deactivated_account_gets_no_new_password(engine: Engine) {
        for lock in [true, false] {
            let (server, mail_server) = with_mails(engine).await;
            let alice = alice(&server).await;
            let link = link_for(&server, &mail_server, ALICE).await;
            change_account(&server, &alice, lock).await;
            let mut browser = server.browser();
            assert_eq!(browser.get(&link).await.status, StatusCode::NOT_FOUND);
            assert_eq!(choose(&mut browser, &link, &[]).await.status, StatusCode::NOT_FOUND);
            assert!(is_right(&server, &alice, PASSWORD).await, "nor is the password another one");
            assert!(browser.get("/account/").await.location().starts_with("/login"));
            ask(&mut browser, ALICE).await.location();
            server.run_jobs().await;
            let links = mail_server.received_by(ALICE);
            assert_eq!(links.iter().filter(|mail| mail.header("Subject").starts_with("Get back")).count(), 1);
        }
    }

    async fn of_many_who_spend_a_link_at_once_one_does(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        alice(&server).await;
        let link = link_for(&server, &mail_server, ALICE).await;
        let spend = async |_| choose(&mut server.browser(), &link, &[]).await.status;
        let statuses = futures_util::future::join_all((0..5).map(spend)).await;
        assert_eq!(statuses.iter().filter(|status| **status == StatusCode::SEE_OTHER).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == StatusCode::NOT_FOUND).count(), 4, "{statuses:?}");
    }

    async fn a_job_that_runs_twice_makes_one_link(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        alice(&server).await;
        ask(&mut server.browser(), ALICE).await.location();
        let leased = gatehouse::jobs::lease(&server.app, None).await.unwrap().expect("a job");
        for _ in 0..2 {
            gatehouse::jobs::run::<gatehouse::accounts::password_resets::BeginPasswordReset>(&server.app, &leased).await.unwrap();
        }
        server.run_jobs().await;
        assert_eq!(mail_server.received().len(), 1);
    }

    async fn a_new_password_keeps_the_rules(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let link = link_for(&server, &mail_server, ALICE).await;
        let mut browser = server.browser();
        for (password, todo) in [
            ("short", "Use at least 15 characters"),
            ("alice@example.com1", "Use a password without your name, your address"),
            ("\"'><script>alert(1)</script>", "Enter the same password twice"),
        ] {
            let again = if password.contains("script") { "another" } else { password };
            let answer = choose(&mut browser, &link, &[("new_password", password), ("new_password_again", again)]).await;
            assert!(problem(&answer).starts_with(todo), "{password}");
            assert!(!answer.text().contains(password) && !answer.text().contains("<script>alert"));
        }
        assert!(is_right(&server, &alice, PASSWORD).await);
        choose(&mut browser, &link, &[]).await.location();
    }

    async fn links_lead_to_the_public_base_whatever_the_request_says(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        alice(&server).await;
        let mut browser = server.browser();
        let csrf = browser.csrf().await;
        let headers = [
            (ORIGIN, "https://auth.example.org"),
            (HOST, "evil.example"),
            ("x-forwarded-host".parse().unwrap(), "evil.example"),
            ("x-forwarded-proto".parse().unwrap(), "http"),
            ("forwarded".parse().unwrap(), "host=evil.example;proto=http"),
        ];
        let form = [("csrf", csrf.as_str()), ("email", ALICE)];
        browser.send(form_request(RESET, &headers, &form)).await.location();
        server.run_jobs().await;
        let mail = mail_server.received_by(ALICE).pop().expect("a mail");
        assert!(!mail.text().contains("evil") && !mail.html().contains("evil") && !mail.text().contains("http://"));
        assert_eq!(browser.get(&link(&mail)).await.status, StatusCode::OK);
    }

    async fn hostile_links_stay_words(engine: Engine) {
        let (server, _mail_server) = with_mails(engine).await;
        for token in ["%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E", "%00", "..%2F..%2F", "%FF", "x?result=done", "x?result=sent"] {
            for path in [format!("/reset-password/{token}"), format!("/email/{token}")] {
                let answer = server.get(&path).await;
                assert!(!answer.status.is_server_error(), "{path}: {}", answer.status);
                assert!(!answer.text().contains("<script>alert") && !answer.text().contains("onerror"), "{path}");
            }
        }
        let mut browser = server.browser();
        let answer = ask(&mut browser, "\"'><script>alert(1)</script>\u{202e}@x").await;
        assert_eq!(problem(&answer), "Enter an e-mail address, such as name@example.com");
        assert!(!answer.text().contains("<script>alert"));
    }

    async fn links_are_limited_by_where_they_are_asked_for_and_by_address(engine: Engine) {
        let mail_server = MailServer::start().await;
        let server = Server::start_with(engine, |config| {
            mail_server.configure(config);
            config.rate_limits.password_reset_per_address = Limit { burst: 4, per_hour: 1 };
            config.rate_limits.password_reset_per_recipient = Limit { burst: 2, per_hour: 1 };
        })
        .await;
        alice(&server).await;
        for address in [ALICE, "nobody@example.com"] {
            let (mut one, mut other) = (server.browser(), server.browser());
            other.address = "192.0.2.1".to_owned();
            ask(&mut one, address).await.location();
            ask(&mut other, &address.to_uppercase()).await.location();
            for browser in [&mut one, &mut other] {
                let refused = ask(browser, address).await;
                assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{address}");
                assert!(!refused.header("retry-after").is_empty());
            }
        }
        let refused = ask(&mut server.browser(), "somebody@example.com").await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "one place has asked for four");
    }

    async fn without_mails_the_page_says_whom_to_ask(engine: Engine) {
        let server = Server::start(engine).await;
        alice(&server).await;
        let mut browser = server.browser();
        let page = open(&mut browser, RESET).await.main();
        assert!(page.contains("This server sends no links") && page.contains("they can set a new password"), "{page}");
        assert_eq!(ask(&mut browser, ALICE).await.status, StatusCode::FORBIDDEN);
    }

    async fn a_form_from_elsewhere_asks_for_nothing(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let link = link_for(&server, &mail_server, ALICE).await;
        let mut browser = server.browser();
        let csrf = browser.csrf().await;
        for (origin, csrf) in [("https://evil.example", csrf.as_str()), ("https://auth.example.org", "x")] {
            let form = [("csrf", csrf), ("email", ALICE), ("new_password", NEW), ("new_password_again", NEW)];
            for path in [RESET, link.as_str()] {
                let answer = browser.send(form_request(path, &[(ORIGIN, origin)], &form)).await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
            }
        }
        server.run_jobs().await;
        assert_eq!(mail_server.received().len(), 1);
        assert!(is_right(&server, &alice, PASSWORD).await);
    }
}

#[tokio::test]
async fn a_link_that_was_spent_on_one_node_is_spent_on_all() {
    let (server, mail_server) = with_mails(Engine::Postgres).await;
    alice(&server).await;
    let (_, other) = server.another_node().await;
    let link = link_for(&server, &mail_server, ALICE).await;
    choose(&mut server.browser(), &link, &[]).await.location();
    let request = http::Request::get(&link).body(Default::default()).expect("a request");
    assert_eq!(send_to(&other, request).await.status, StatusCode::NOT_FOUND);
}
