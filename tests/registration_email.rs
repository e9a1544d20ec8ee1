//! The e-mail address of a new account: shown to be theirs, and never telling whether it is somebody's.

use std::time::Duration;

use gatehouse::accounts::emails;
use gatehouse::accounts::mails::LIFETIME;
use gatehouse::config::{Config, Limit, RegistrationEmail, RegistrationWays};
use gatehouse::store::query;
use gatehouse::work;
use http::StatusCode;
use serde_json::json;

use crate::account_pages::open;
use crate::mails::{ALICE, alice};
use crate::registration::{
    PASSWORD_PAGE, REGISTER, account, begun, choose, choose_password, complaints, count, open_to_all, send,
};
use crate::support::page::Page;
use crate::support::server::{
    Answer, Browser, Engine, Server, authorization_query, matrix_scope, on_both_engines,
};
use crate::support::smtp::{MailServer, Received};

const EMAIL: &str = "/register/email";
const CODE: &str = "/register/email/code";
const BOB: &str = "bob@example.com";

/// A server that asks for addresses, and the mail server that takes its mails.
async fn server(engine: Engine, change: impl FnOnce(&mut Config)) -> (Server, MailServer) {
    let mail_server = MailServer::start().await;
    let server = Server::start_with(engine, |config| {
        open_to_all(config);
        mail_server.configure(config);
        config.registration.ways = RegistrationWays::Password;
        config.registration.email = RegistrationEmail::Required;
        change(config);
    })
    .await;
    (server, mail_server)
}

/// A browser with which somebody has chosen the name `bob`.
async fn bobs(server: &Server) -> Browser<'_> {
    let mut browser = server.browser();
    assert_eq!(choose(&mut browser, "bob").await.location(), EMAIL);
    browser
}

async fn enter(browser: &mut Browser<'_>, address: &str) -> Answer {
    send(browser, EMAIL, &[("email", address)]).await
}

async fn type_code(browser: &mut Browser<'_>, code: &str) -> Answer {
    send(browser, CODE, &[("code", code)]).await
}

async fn last_mail(server: &Server, mail_server: &MailServer, address: &str) -> Received {
    server.run_jobs().await;
    mail_server.received_by(address).pop().unwrap_or_else(|| panic!("no mail for {address}"))
}

fn code(mail: &Received) -> String {
    let text = mail.text();
    text.lines().find(|line| line.starts_with("    ")).expect("a code").trim().to_owned()
}

/// The local path of the link in a mail.
fn link(mail: &Received) -> String {
    mail.link("https://auth.example.org/register/link/").replace("https://auth.example.org", "")
}

async fn addresses(server: &Server, localpart: &str) -> Vec<String> {
    let user = account(server, localpart).await.expect("an account");
    let found = emails::list(&server.app.store, user.id).await.expect("the addresses");
    found.into_iter().filter(|email| email.verified_at.is_some()).map(|email| email.address).collect()
}

on_both_engines! {
    async fn an_address_is_confirmed_by_the_code_that_was_sent_there(engine: Engine) {
        let (server, mail_server) = server(engine, |_| ()).await;
        let mut browser = bobs(&server).await;
        assert_eq!(browser.get(PASSWORD_PAGE).await.location(), EMAIL, "first the address");
        for bad in ["", "bob", "bob@", "Bob <bob@example.com>"] {
            let refused = enter(&mut browser, bad).await;
            assert_eq!((refused.status, complaints(&refused).concat()), (StatusCode::BAD_REQUEST, "Enter an e-mail address, such as name@example.com".to_owned()), "{bad}");
        }
        assert_eq!(enter(&mut browser, "Bob@Example.com").await.location(), CODE);
        assert!(open(&mut browser, CODE).await.main().contains("We sent a mail to Bob@Example.com."));
        let mail = last_mail(&server, &mail_server, "Bob@Example.com").await;
        assert!(mail.header("Subject").starts_with("Your new account"), "{}", mail.header("Subject"));
        assert!(!mail.text().contains("Account:"), "there is none yet: {}", mail.text());
        let wrong = type_code(&mut browser, "abc").await;
        assert_eq!((wrong.status, complaints(&wrong).concat()), (StatusCode::BAD_REQUEST, "Enter the code of the last mail we sent".to_owned()));
        assert_eq!(browser.get(PASSWORD_PAGE).await.location(), CODE);
        let spaced = format!(" {} {}-", &code(&mail)[..3], &code(&mail)[3..]);
        assert_eq!(type_code(&mut browser, &spaced).await.location(), PASSWORD_PAGE);
        assert_eq!(type_code(&mut browser, &code(&mail)).await.location(), PASSWORD_PAGE, "it is over and done with");
        assert_eq!(browser.get(&link(&mail)).await.status, StatusCode::NOT_FOUND, "and the link with it");
        assert_eq!(choose_password(&mut browser).await.location(), "/account/");
        assert_eq!(addresses(&server, "bob").await, ["Bob@Example.com"]);
        server.run_jobs().await;
        let subjects: Vec<_> = mail_server.received().iter().map(|mail| mail.header("Subject")).collect();
        assert_eq!(subjects.len(), 1, "nobody is warned of their own new browser: {subjects:?}");
    }

    async fn the_link_works_on_another_device_and_looking_at_it_changes_nothing(engine: Engine) {
        let (server, mail_server) = server(engine, |_| ()).await;
        let mut browser = bobs(&server).await;
        enter(&mut browser, BOB).await;
        let link = link(&last_mail(&server, &mail_server, BOB).await);
        let mut phone = server.browser();
        for _ in 0..2 {
            let page = open(&mut phone, &link).await;
            assert!(page.main().contains(BOB) && page.main().contains("@bob:example.org"), "{}", page.main());
        }
        assert_eq!(browser.get(PASSWORD_PAGE).await.location(), CODE);
        assert_eq!(phone.post(&link, &[("csrf", "x")]).await.status, StatusCode::FORBIDDEN);
        let done = send(&mut phone, &link, &[]).await;
        assert_eq!(done.location(), format!("{link}?result=done"));
        assert_eq!(open(&mut phone, done.location()).await.texts("h1"), ["Your address is confirmed"]);
        assert_eq!(phone.get(PASSWORD_PAGE).await.location(), REGISTER, "the phone makes no account by it");
        assert_eq!(send(&mut phone, &link, &[]).await.status, StatusCode::NOT_FOUND, "once");
        assert_eq!(browser.get(CODE).await.location(), PASSWORD_PAGE, "the first device goes on");
        assert_eq!(choose_password(&mut browser).await.location(), "/account/");
        assert_eq!(addresses(&server, "bob").await, [BOB]);
        assert_eq!(Page::of(&phone.get(&format!("{link}x")).await).texts("h1"), ["This link no longer works"]);
    }

    async fn the_link_leads_on_where_the_account_is_being_made(engine: Engine) {
        let (server, mail_server) = server(engine, |_| ()).await;
        let mut browser = bobs(&server).await;
        enter(&mut browser, BOB).await;
        let link = link(&last_mail(&server, &mail_server, BOB).await);
        assert_eq!(send(&mut browser, &link, &[]).await.location(), PASSWORD_PAGE);
    }

    async fn only_the_last_mail_counts_for_ten_minutes_and_five_tries(engine: Engine) {
        let (server, mail_server) = server(engine, |_| ()).await;
        let mut browser = bobs(&server).await;
        enter(&mut browser, BOB).await;
        let first = last_mail(&server, &mail_server, BOB).await;
        server.advance(Duration::from_millis(1));
        enter(&mut browser, "bob@example.net").await;
        let second = last_mail(&server, &mail_server, "bob@example.net").await;
        assert_eq!(browser.get(&link(&first)).await.status, StatusCode::NOT_FOUND);
        server.advance(LIFETIME - Duration::from_millis(1));
        assert_eq!(browser.get(&link(&second)).await.status, StatusCode::OK);
        server.advance(Duration::from_millis(1));
        assert_eq!(browser.get(&link(&second)).await.status, StatusCode::NOT_FOUND);
        assert_eq!(type_code(&mut browser, &code(&second)).await.location(), EMAIL);

        enter(&mut browser, BOB).await;
        let third = last_mail(&server, &mail_server, BOB).await;
        let wrong = if code(&third) == "000000" { "000001" } else { "000000" };
        for _ in 0..4 {
            assert!(complaints(&type_code(&mut browser, wrong).await)[0].contains("last mail"));
        }
        let over = type_code(&mut browser, wrong).await;
        assert!(complaints(&over)[0].contains("no longer counts"), "{:?}", complaints(&over));
        assert_eq!(over.field("email"), BOB);
        assert_eq!(type_code(&mut browser, &code(&third)).await.location(), EMAIL);
        assert_eq!(browser.get(PASSWORD_PAGE).await.location(), EMAIL);
    }

    async fn nobody_learns_whether_an_address_has_an_account(engine: Engine) {
        let (server, mail_server) = server(engine, |_| ()).await;
        alice(&server).await;
        // Two addresses of one length.
        let mut seen = Vec::new();
        for address in [ALICE, "aline@example.com"] {
            let mut browser = bobs(&server).await;
            let before = count(&server, "SELECT COUNT(*) AS n FROM jobs").await;
            let entered = enter(&mut browser, address).await;
            let jobs = count(&server, "SELECT COUNT(*) AS n FROM jobs").await - before;
            let length = count(&server, "SELECT CAST(length(payload) AS BIGINT) AS n FROM jobs ORDER BY id DESC LIMIT 1").await;
            let page = browser.get(CODE).await;
            let wrong = type_code(&mut browser, "abc").await;
            let back = browser.get(EMAIL).await;
            let resumed = browser.get(REGISTER).await;
            // Nonces, tokens and the address itself differ; nothing else does.
            let bytes = |answer: &Answer, csrf: &str| {
                let nonce = answer.text().split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned();
                answer.text().replace(csrf, "").replace(&nonce, "").replace(address, "")
            };
            let csrf = page.field("csrf");
            let texts: Vec<String> = [&page, &wrong, &back, &resumed].map(|answer| bytes(answer, &csrf)).to_vec();
            let header = |answer: &Answer| {
                let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
                names.sort();
                (answer.status, names)
            };
            let headers: Vec<_> = [&entered, &page, &wrong, &back, &resumed].map(header).to_vec();
            seen.push((entered.location().to_owned(), entered.body.clone(), jobs, length, texts, headers));
        }
        assert_eq!(seen[0], seen[1]);

        let told = last_mail(&server, &mail_server, ALICE).await;
        assert!(told.header("Subject").starts_with("You already have an account"), "{}", told.header("Subject"));
        assert!(told.text().contains("Account: @alice:example.org"), "{}", told.text());
        assert!(told.text().contains("https://auth.example.org/login") && told.text().contains("https://auth.example.org/reset-password"));
        assert!(!told.text().contains("/register/link/") && !told.text().contains("    "), "nothing that confirms: {}", told.text());
        let other = last_mail(&server, &mail_server, "aline@example.com").await;
        assert!(other.header("Subject").starts_with("Your new account"));
        assert_eq!(addresses(&server, "alice").await, [ALICE]);
    }

    async fn an_address_that_became_known_meanwhile_leads_back(engine: Engine) {
        let (server, mail_server) = server(engine, |_| ()).await;
        let mut browser = bobs(&server).await;
        enter(&mut browser, BOB).await;
        type_code(&mut browser, &code(&last_mail(&server, &mail_server, BOB).await)).await.location();
        // The same person has added it to another account of theirs.
        let other = server.user("carol").await;
        crate::mails::add_address(&server, &other, BOB).await;
        let refused = choose_password(&mut browser).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert!(complaints(&refused)[0].contains("An account has this address by now"), "{:?}", complaints(&refused));
        assert_eq!(Page::of(&refused).links(".aside a"), ["/login"]);
        assert!(account(&server, "bob").await.is_none(), "nothing of it was made");
        enter(&mut browser, "bob@example.net").await;
        let mail = last_mail(&server, &mail_server, "bob@example.net").await;
        assert_eq!(type_code(&mut browser, &code(&mail)).await.location(), "/account/", "the password is still there");
        assert_eq!(addresses(&server, "bob").await, ["bob@example.net"]);
    }

    async fn who_reads_the_mails_gets_an_address_that_was_never_shown_to_be_anybodys(engine: Engine) {
        let (server, mail_server) = server(engine, |_| ()).await;
        let carol = server.user("carol").await;
        let mut tx = server.app.store.begin().await.unwrap();
        emails::add(&mut tx, carol.id, &BOB.parse().unwrap(), None, server.app.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        let mut browser = bobs(&server).await;
        enter(&mut browser, BOB).await;
        type_code(&mut browser, &code(&last_mail(&server, &mail_server, BOB).await)).await.location();
        assert_eq!(choose_password(&mut browser).await.location(), "/account/");
        assert_eq!(addresses(&server, "bob").await, [BOB]);
        assert!(addresses(&server, "carol").await.is_empty());
    }

    async fn an_address_that_the_client_hints_at_is_filled_in(engine: Engine) {
        let (server, _mail_server) = server(engine, |_| ()).await;
        let client = server.client().await;
        let query = authorization_query(&client, &matrix_scope("DEVICE0001"), &[("prompt", "create"), ("login_hint", BOB)]);
        let mut browser = server.browser();
        let (request, led) = browser.ask(&query).await;
        assert_eq!(browser.get(led.location()).await.field("username"), "", "it is no name");
        send(&mut browser, REGISTER, &[("username", "bob"), ("next", &request)]).await;
        assert_eq!(browser.get(EMAIL).await.field("email"), BOB);
    }

    async fn an_address_may_be_left_out_where_that_is_allowed(engine: Engine) {
        let (server, mail_server) = server(engine, |config| config.registration.email = RegistrationEmail::Optional).await;
        let mut browser = bobs(&server).await;
        assert!(open(&mut browser, EMAIL).await.texts("button").contains(&"Go on without an address".to_owned()));
        // Also after a code was sent that never came.
        enter(&mut browser, "bob@exmaple.com").await;
        assert_eq!(send(&mut browser, EMAIL, &[("skip", "yes"), ("email", "")]).await.location(), PASSWORD_PAGE);
        assert_eq!(choose_password(&mut browser).await.location(), "/account/");
        assert!(addresses(&server, "bob").await.is_empty());
        let _ = mail_server;
    }

    async fn an_address_may_not_be_left_out_where_it_is_required(engine: Engine) {
        let (server, _mail_server) = server(engine, |_| ()).await;
        let mut browser = bobs(&server).await;
        assert!(!open(&mut browser, EMAIL).await.main().contains("without"));
        assert_eq!(send(&mut browser, EMAIL, &[("skip", "yes")]).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(choose_password(&mut browser).await.location(), EMAIL);
    }

    async fn the_rules_for_addresses_speak_in_words(engine: Engine) {
        let (server, mail_server) = server(engine, |config| {
            let rules = json!({ "banned_domains": ["*.example"], "banned_addresses": { "prefixes": ["postmaster@"] } });
            config.policy.data.insert("email".to_owned(), rules);
        })
        .await;
        let mut browser = bobs(&server).await;
        for (address, said) in [
            ("bob@Mail.Example", "This server takes none from that provider"),
            ("Postmaster@example.com", "This server does not take this one"),
        ] {
            let refused = enter(&mut browser, address).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN);
            assert!(complaints(&refused)[0].contains(said), "{:?}", complaints(&refused));
            assert_eq!(refused.field("email"), address);
        }
        server.run_jobs().await;
        assert!(mail_server.received().is_empty());
    }

    async fn mails_are_sent_within_limits(engine: Engine) {
        let (server, mail_server) = server(engine, |config| {
            config.rate_limits.email_code_per_recipient = Limit { burst: 2, per_hour: 60 };
            config.rate_limits.registration_per_address = Limit { burst: 5, per_hour: 60 };
        })
        .await;
        alice(&server).await;
        // Whether or not it is anybody's, and however it is capitalised.
        for address in [ALICE, "aline@example.com"] {
            let mut browser = server.browser();
            browser.address = format!("198.51.100.{}", address.len());
            choose(&mut browser, "bob").await.location();
            enter(&mut browser, address).await.location();
            enter(&mut browser, &address.to_uppercase()).await.location();
            let refused = enter(&mut browser, address).await;
            assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
            assert!(complaints(&refused)[0].contains("Too many codes were sent. Try again in 1 minute"));
            server.advance(Duration::from_secs(600));
        }
        let mut browser = bobs(&server).await;
        for number in 0..4 {
            enter(&mut browser, &format!("bob{number}@example.com")).await.location();
        }
        assert_eq!(enter(&mut browser, BOB).await.status, StatusCode::TOO_MANY_REQUESTS, "from one address");
        let _ = mail_server;
    }

    async fn an_address_that_was_entered_is_forgotten_within_the_hour(engine: Engine) {
        let (server, mail_server) = server(engine, |_| ()).await;
        let mut browser = bobs(&server).await;
        enter(&mut browser, BOB).await;
        let link = link(&last_mail(&server, &mail_server, BOB).await);
        server.advance(Duration::from_secs(3600));
        assert_eq!(browser.get(&link).await.status, StatusCode::NOT_FOUND);
        work::sweep(&server.app).await.unwrap();
        assert_eq!(begun(&server).await, 0);
        assert_eq!(count(&server, "SELECT COUNT(*) AS n FROM jobs").await, 0);
        assert!(query("SELECT folded FROM user_emails").fetch_optional::<()>(&server.app.store).await.unwrap().is_none());
    }
}
