//! A person's e-mail addresses on the account pages: nobody adds one that they do not read, and nobody learns
//! whose it is.

use std::time::Duration;

use gatehouse::accounts::emails;
use gatehouse::accounts::mails::LIFETIME;
use gatehouse::accounts::new_password::{self, Chooser};
use gatehouse::accounts::users::{self, User};
use gatehouse::config::Limit;
use http::StatusCode;
use http::header::{HOST, ORIGIN};

use crate::account_pages::open;
use crate::mails::{ALICE, add_address, alice, with_mails};
use crate::support::page::Page;
use crate::support::server::{Answer, Browser, Engine, Server, form_request, on_both_engines};
use crate::support::smtp::{MailServer, Received};

const LIST: &str = "/account/email";
const ADD: &str = "/account/email/add";
const REMOVE: &str = "/account/email/remove";
const NEW: &str = "new@example.com";

/// Enters an address; what comes of it.
async fn enter(browser: &mut Browser<'_>, address: &str) -> Answer {
    let csrf = browser.csrf().await;
    browser.post(ADD, &[("csrf", &csrf), ("email", address)]).await
}

/// Enters an address; the path of the page that asks for the code.
async fn entered(browser: &mut Browser<'_>, address: &str) -> String {
    let answer = enter(browser, address).await;
    let path = answer.location().to_owned();
    assert!(path.starts_with("/account/email/verify/"), "{path}");
    path
}

async fn type_code(browser: &mut Browser<'_>, path: &str, code: &str) -> Answer {
    let csrf = browser.csrf().await;
    browser.post(path, &[("csrf", &csrf), ("code", code)]).await
}

/// The last mail to an address.
async fn last_mail(server: &Server, mail_server: &MailServer, address: &str) -> Received {
    server.run_jobs().await;
    mail_server.received_by(address).pop().unwrap_or_else(|| panic!("no mail for {address}"))
}

fn code(mail: &Received) -> String {
    let text = mail.text();
    let line = text.lines().find(|line| line.starts_with("    ")).expect("a code");
    line.trim().to_owned()
}

/// The local path of the link in a mail.
fn link(mail: &Received) -> String {
    mail.link("https://auth.example.org/email/").replace("https://auth.example.org", "")
}

async fn addresses(server: &Server, user: &User) -> Vec<String> {
    let found = emails::list(&server.app.store, user.id).await.expect("the addresses");
    found.into_iter().filter(|email| email.verified_at.is_some()).map(|email| email.address).collect()
}

on_both_engines! {
    async fn an_address_is_added_by_the_code_that_was_sent_there(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let mut browser = server.signed_in("alice").await;
        server.run_jobs().await;
        let path = entered(&mut browser, "New@Example.com").await;
        let mail = last_mail(&server, &mail_server, "New@Example.com").await;
        assert!(open(&mut browser, &path).await.main().contains("We sent a mail to New@Example.com."));
        assert_eq!(addresses(&server, &alice).await, [ALICE], "not before it is shown to be theirs");
        let spaced = format!(" {} {}-", &code(&mail)[..3], &code(&mail)[3..]);
        assert_eq!(type_code(&mut browser, &path, &spaced).await.location(), "/account/email?notice=added");
        assert_eq!(addresses(&server, &alice).await, [ALICE, "New@Example.com"]);
        let page = open(&mut browser, "/account/email?notice=added").await;
        assert_eq!(page.texts("[role=status]"), ["The address belongs to your account now."]);
        assert_eq!(page.texts("li h2"), [ALICE, "New@Example.com"]);

        let notice = last_mail(&server, &mail_server, ALICE).await;
        assert!(notice.header("Subject").starts_with("An e-mail address was added"), "the old address is told");
        assert!(notice.text().contains("    New@Example.com\n"));
        assert_eq!(type_code(&mut browser, &path, &code(&mail)).await.location(), "/account/email?notice=over", "once");
        assert_eq!(browser.get(&link(&mail)).await.status, StatusCode::NOT_FOUND, "and the link with it");
    }

    async fn the_link_works_in_another_browser_and_looking_at_it_changes_nothing(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let mut browser = server.signed_in("alice").await;
        let path = entered(&mut browser, NEW).await;
        let link = link(&last_mail(&server, &mail_server, NEW).await);
        let mut phone = server.browser();
        for _ in 0..2 {
            let page = open(&mut phone, &link).await;
            assert!(page.main().contains(NEW) && page.main().contains("@alice:example.org"), "{}", page.main());
        }
        assert_eq!(addresses(&server, &alice).await, [ALICE]);
        let csrf = phone.csrf().await;
        let answer = phone.post(&link, &[("csrf", &csrf)]).await;
        assert_eq!(answer.location(), format!("{link}?result=done"));
        assert_eq!(open(&mut phone, answer.location()).await.texts("h1"), ["Your address is confirmed"]);
        assert_eq!(addresses(&server, &alice).await, [ALICE, NEW]);
        assert!(phone.get("/account/").await.location().starts_with("/login"), "nobody is signed in by it");
        assert_eq!(phone.post(&link, &[("csrf", &csrf)]).await.status, StatusCode::NOT_FOUND, "once");
        assert_eq!(browser.get(&path).await.location(), "/account/email?notice=over");
        let page = phone.get(&format!("{link}x")).await;
        assert_eq!(Page::of(&page).texts("h1"), ["This link no longer works"]);
    }

    async fn a_code_is_good_for_ten_minutes_to_the_second_and_five_tries(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let mut browser = server.signed_in("alice").await;
        let late = entered(&mut browser, NEW).await;
        let late_mail = last_mail(&server, &mail_server, NEW).await;
        server.advance(LIFETIME - Duration::from_millis(1));
        assert_eq!(browser.get(&late).await.status, StatusCode::OK);
        assert_eq!(browser.get(&link(&late_mail)).await.status, StatusCode::OK);
        server.advance(Duration::from_millis(1));
        assert_eq!(type_code(&mut browser, &late, &code(&late_mail)).await.location(), "/account/email?notice=over");
        let csrf = browser.csrf().await;
        let by_link = browser.post(&link(&late_mail), &[("csrf", &csrf)]).await;
        assert_eq!(by_link.status, StatusCode::NOT_FOUND);

        let mut browser = server.signed_in("alice").await;
        let path = entered(&mut browser, NEW).await;
        let mail = last_mail(&server, &mail_server, NEW).await;
        let wrong = if code(&mail) == "000000" { "000001" } else { "000000" };
        for _ in 0..5 {
            let refused = type_code(&mut browser, &path, wrong).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST);
            assert!(Page::of(&refused).texts("[role=alert] a")[0].contains("Enter the code of the last mail"));
        }
        assert_eq!(type_code(&mut browser, &path, &code(&mail)).await.location(), "/account/email?notice=over");
        assert_eq!(addresses(&server, &alice).await, [ALICE]);
    }

    async fn a_code_is_for_the_account_that_asked_for_it(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let bob = server.user("bob").await;
        let (mut browser, mut bobs) = (server.signed_in("alice").await, server.signed_in("bob").await);
        let path = entered(&mut browser, NEW).await;
        let mail = last_mail(&server, &mail_server, NEW).await;
        assert_eq!(bobs.get(&path).await.location(), "/account/email?notice=over");
        assert_eq!(type_code(&mut bobs, &path, &code(&mail)).await.location(), "/account/email?notice=over");
        // The link adds it to the account that it names, whoever is signed in.
        let csrf = bobs.csrf().await;
        let form = [("csrf", csrf.as_str()), ("user", "bob"), ("user_id", "bob"), ("email", "other@example.com")];
        bobs.post(&link(&mail), &form).await.location();
        assert_eq!(addresses(&server, &alice).await, [ALICE, NEW]);
        assert!(addresses(&server, &bob).await.is_empty());
    }

    async fn nobody_learns_whether_an_address_has_an_account(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let bob = server.user("bob").await;
        let mut bobs = server.signed_in("bob").await;
        let mut pages = Vec::new();
        for address in ["ALICE@example.com", "nobody@example.com"] {
            let path = entered(&mut bobs, address).await;
            let page = open(&mut bobs, &path).await.main().replace(address, "");
            let wrong = type_code(&mut bobs, &path, "abc").await;
            pages.push((page, wrong.status, Page::of(&wrong).main().replace(address, "")));
        }
        assert_eq!(pages[0], pages[1]);
        let mail = last_mail(&server, &mail_server, "ALICE@example.com").await;
        assert!(mail.header("Subject").starts_with("Your e-mail address is in use"));
        assert!(mail.text().contains("Account: @bob:example.org") && !mail.text().contains("/email/"));
        assert_eq!(addresses(&server, &alice).await, [ALICE]);
        assert!(addresses(&server, &bob).await.is_empty());
    }

    async fn of_two_who_show_the_same_the_first_has_it(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let (alice, bob) = (server.user("alice").await, server.user("bob").await);
        let (mut one, mut other) = (server.signed_in("alice").await, server.signed_in("bob").await);
        let first = entered(&mut one, NEW).await;
        let of_first = code(&last_mail(&server, &mail_server, NEW).await);
        server.advance(Duration::from_millis(1));
        let second = entered(&mut other, NEW).await;
        let of_second = code(&last_mail(&server, &mail_server, NEW).await);
        assert!(type_code(&mut one, &first, &of_first).await.location().ends_with("added"));
        assert!(type_code(&mut other, &second, &of_second).await.location().ends_with("taken"));
        assert_eq!(addresses(&server, &alice).await, [NEW]);
        assert!(addresses(&server, &bob).await.is_empty());
    }

    async fn who_shows_that_it_is_theirs_gets_it_from_an_account_that_never_did(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let (alice, bob) = (server.user("alice").await, server.user("bob").await);
        let mut tx = server.app.store.begin().await.unwrap();
        let now = server.app.clock.now();
        emails::add(&mut tx, bob.id, &NEW.parse().unwrap(), None, now).await.unwrap();
        tx.commit().await.unwrap();
        let mut browser = server.signed_in("alice").await;
        let path = entered(&mut browser, NEW).await;
        let mail = last_mail(&server, &mail_server, NEW).await;
        assert!(type_code(&mut browser, &path, &code(&mail)).await.location().ends_with("added"));
        assert_eq!(addresses(&server, &alice).await, [NEW]);
        assert!(emails::list(&server.app.store, bob.id).await.unwrap().is_empty());
    }

    async fn what_a_thief_began_ends_with_the_password_and_the_sessions(engine: Engine) {
        for by in ["a new password", "an admin's new password", "the end of all others"] {
            let (server, mail_server) = with_mails(engine).await;
            let alice = alice(&server).await;
            let mut thief = server.signed_in("alice").await;
            let path = entered(&mut thief, NEW).await;
            let mail = last_mail(&server, &mail_server, NEW).await;
            let mut owner = server.signed_in("alice").await;
            let csrf = owner.csrf().await;
            match by {
                "a new password" => {
                    let new = "a password that nobody else knows";
                    let form = [("csrf", csrf.as_str()), ("new_password", new), ("new_password_again", new)];
                    assert_eq!(owner.post("/account/password", &form).await.location(), "/account/password?result=done");
                    assert_eq!(type_code(&mut thief, &path, &code(&mail)).await.location(), "/account/email?notice=over");
                }
                "an admin's new password" => {
                    let now = server.app.clock.now();
                    let password = gatehouse::keys::Password::new("a password of the admin's".to_owned()).unwrap();
                    let hash = new_password::hash(&server.app, &Chooser::new("alice", None), password).await.unwrap().unwrap();
                    let mut tx = server.app.store.begin().await.unwrap();
                    gatehouse::accounts::passwords::set(&mut tx, alice.id, &hash, now).await.unwrap();
                    tx.commit().await.unwrap();
                }
                _ => {
                    owner.post("/account/sessions/end-others", &[("csrf", &csrf)]).await.location();
                }
            }
            let mut anywhere = server.browser();
            assert_eq!(anywhere.get(&link(&mail)).await.status, StatusCode::NOT_FOUND, "{by}");
            let csrf = anywhere.csrf().await;
            assert_eq!(anywhere.post(&link(&mail), &[("csrf", &csrf)]).await.status, StatusCode::NOT_FOUND, "{by}");
            assert_eq!(addresses(&server, &alice).await, [ALICE], "{by}");
        }
    }

    async fn adding_and_removing_need_a_sign_in_of_the_last_ten_minutes(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let mut browser = server.signed_in("alice").await;
        server.advance(Duration::from_secs(600));
        let csrf = browser.csrf().await;
        let remove = format!("{REMOVE}?email=alice%40example.com");
        for answer in [
            browser.get(ADD).await,
            browser.get(&remove).await,
            browser.post(ADD, &[("csrf", &csrf), ("email", NEW)]).await,
            browser.post(REMOVE, &[("csrf", &csrf), ("email", ALICE)]).await,
        ] {
            assert!(answer.location().starts_with("/login?next=%2Faccount%2Femail%2F"), "{}", answer.location());
        }
        server.run_jobs().await;
        assert!(mail_server.received_by(NEW).is_empty());
        assert_eq!(addresses(&server, &alice).await, [ALICE]);
        assert_eq!(browser.get(LIST).await.status, StatusCode::OK, "seeing them does not");
    }

    async fn an_address_is_removed_and_told_so(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        add_address(&server, &alice, NEW).await;
        let mut browser = server.signed_in("alice").await;
        server.run_jobs().await;
        let path = Page::of(&browser.get(LIST).await).links("li a.button")[0].clone();
        assert!(!open(&mut browser, &path).await.main().contains("the only one"));
        let csrf = browser.csrf().await;
        let answer = browser.post(REMOVE, &[("csrf", &csrf), ("email", "ALICE@example.com")]).await;
        assert_eq!(answer.location(), "/account/email?notice=removed");
        assert_eq!(addresses(&server, &alice).await, [NEW]);
        for address in [ALICE, NEW] {
            let mail = last_mail(&server, &mail_server, address).await;
            assert!(mail.header("Subject").starts_with("An e-mail address was removed"), "{address}");
        }
        let path = Page::of(&browser.get(LIST).await).links("li a.button")[0].clone();
        assert!(open(&mut browser, &path).await.main().contains("It is the only one we can write to."));
    }

    async fn the_addresses_of_others_are_not_removed(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        server.user("bob").await;
        let mut bobs = server.signed_in("bob").await;
        let csrf = bobs.csrf().await;
        for address in [ALICE, "nobody@example.com", "<script>", ""] {
            let answer = bobs.post(REMOVE, &[("csrf", &csrf), ("email", address)]).await;
            assert_eq!(answer.location(), LIST, "{address}");
        }
        server.run_jobs().await;
        assert!(mail_server.received().is_empty());
        assert_eq!(addresses(&server, &alice).await, [ALICE]);
    }

    async fn a_form_from_elsewhere_changes_no_address(engine: Engine) {
        let (server, _mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let mut browser = server.signed_in("alice").await;
        let csrf = browser.csrf().await;
        for (path, origin, csrf) in [
            (ADD, "https://evil.example", csrf.as_str()),
            (REMOVE, "https://evil.example", &csrf),
            (ADD, "https://auth.example.org", "x"),
            (REMOVE, "https://auth.example.org", "x"),
            ("/account/email/verify/01ARZ3NDEKTSV4RRFFQ69G5FAV", "https://evil.example", &csrf),
            ("/email/x", "https://evil.example", &csrf),
        ] {
            let form = [("csrf", csrf), ("email", ALICE)];
            let answer = browser.send(form_request(path, &[(ORIGIN, origin)], &form)).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} from {origin}");
        }
        assert_eq!(addresses(&server, &alice).await, [ALICE]);
    }

    async fn an_address_that_is_none_or_is_not_allowed_gets_no_mail(engine: Engine) {
        let mail_server = MailServer::start().await;
        let server = Server::start_with(engine, |config| {
            mail_server.configure(config);
            let banned = serde_json::json!({ "banned_domains": ["banned.example"] });
            config.policy.data.insert("email".to_owned(), banned);
        })
        .await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let long = format!("{}@example.com", "a".repeat(300));
        for bad in ["", "alice", "a@b@c", "a@example.com\r\nBcc: b@example.com", "Alice <a@example.com>", &long] {
            let answer = enter(&mut browser, bad).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{bad:?}");
            assert!(Page::of(&answer).texts("[role=alert] a")[0].starts_with("Enter an e-mail address"), "{bad:?}");
        }
        for banned in ["a@banned.example", "a@BANNED.example", "a@Banned.Example"] {
            let answer = enter(&mut browser, banned).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{banned}");
            assert!(answer.text().contains("Use another address"));
        }
        server.run_jobs().await;
        assert!(mail_server.received().is_empty());
    }

    async fn codes_are_limited_by_account_and_by_address(engine: Engine) {
        let mail_server = MailServer::start().await;
        let server = Server::start_with(engine, |config| {
            mail_server.configure(config);
            config.rate_limits.email_code_per_account = Limit { burst: 3, per_hour: 1 };
            config.rate_limits.email_code_per_recipient = Limit { burst: 2, per_hour: 1 };
        })
        .await;
        server.user("alice").await;
        server.user("bob").await;
        let (mut browser, mut bobs) = (server.signed_in("alice").await, server.signed_in("bob").await);
        for address in ["one@example.com", "two@example.com", "ONE@example.com"] {
            entered(&mut browser, address).await;
        }
        let refused = enter(&mut browser, "three@example.com").await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "by account");
        assert!(!refused.header("retry-after").is_empty());
        let refused = enter(&mut bobs, "one@example.com").await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "by address, whoever asks");
        entered(&mut bobs, "four@example.com").await;
        server.run_jobs().await;
        assert_eq!(mail_server.received().len(), 4);
    }

    async fn of_many_who_spend_a_link_or_code_at_once_one_does(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let mut browser = server.signed_in("alice").await;
        let path = entered(&mut browser, NEW).await;
        let mail = last_mail(&server, &mail_server, NEW).await;
        let (csrf, code, link) = (browser.csrf().await, code(&mail), link(&mail));
        let cookies = browser.cookies.clone();
        let spend = async |at: usize| {
            let mut this = server.browser();
            this.cookies = cookies.clone();
            let answer = match at % 2 {
                0 => this.post(&path, &[("csrf", &csrf), ("code", &code)]).await,
                _ => this.post(&link, &[("csrf", &csrf)]).await,
            };
            usize::from(answer.status == StatusCode::SEE_OTHER && !answer.location().ends_with("over"))
        };
        let spent = futures_util::future::join_all((0..4).map(spend)).await;
        assert_eq!(spent.iter().sum::<usize>(), 1);
        assert_eq!(addresses(&server, &alice).await, [ALICE, NEW]);
    }

    async fn an_account_that_is_locked_meanwhile_gets_no_address(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let mut browser = server.signed_in("alice").await;
        entered(&mut browser, NEW).await;
        let link = link(&last_mail(&server, &mail_server, NEW).await);
        let mut tx = server.app.store.begin().await.unwrap();
        users::lock(&mut tx, alice.id, server.app.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        let mut phone = server.browser();
        let csrf = phone.csrf().await;
        assert_eq!(phone.post(&link, &[("csrf", &csrf)]).await.status, StatusCode::NOT_FOUND);
        assert_eq!(addresses(&server, &alice).await, [ALICE]);
    }

    async fn links_lead_to_the_public_base_whatever_the_request_says(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        alice(&server).await;
        let mut browser = server.signed_in("alice").await;
        let csrf = browser.csrf().await;
        let form = [("csrf", csrf.as_str()), ("email", NEW)];
        let headers = [
            (ORIGIN, "https://auth.example.org"),
            (HOST, "evil.example"),
            ("x-forwarded-host".parse().unwrap(), "evil.example"),
            ("forwarded".parse().unwrap(), "host=evil.example"),
        ];
        browser.send(form_request(ADD, &headers, &form)).await.location();
        let mail = last_mail(&server, &mail_server, NEW).await;
        assert!(!mail.text().contains("evil") && !mail.html().contains("evil"));
        assert_eq!(browser.get(&link(&mail)).await.status, StatusCode::OK);
    }

    async fn without_mails_the_page_says_so(engine: Engine) {
        let server = Server::start(engine).await;
        alice(&server).await;
        let mut browser = server.signed_in("alice").await;
        assert!(open(&mut browser, LIST).await.main().contains("This server sends no mail"));
        assert_eq!(browser.get(ADD).await.location(), LIST);
        assert_eq!(enter(&mut browser, NEW).await.status, StatusCode::FORBIDDEN);
    }
}
