//! Mails: none is lost, none comes twice without need, and none tells its secrets to those who read the queue.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use gatehouse::accounts::activity::Event;
use gatehouse::accounts::emails;
use gatehouse::accounts::mails::{self, LIFETIME, Mail, Occasion};
use gatehouse::accounts::users::User;
use gatehouse::cli::{Answer, Failure, Kind, Outcome};
use gatehouse::config::{MailTransport, SmtpSecurity};
use gatehouse::jobs::{self, Crew, LEASE};
use gatehouse::store::{FromRow, Row, query};
use gatehouse::work;
use serde_json::{Value, json};

use crate::account_pages::open;
use crate::passkeys::passkey_of;
use crate::support::factors::{add_app, enter, first_step, make_codes};
use crate::support::server::{Engine, PASSWORD, Server, on_both_engines};
use crate::support::smtp::{Behaviour, MailServer};

pub(crate) const ALICE: &str = "alice@example.com";

/// A server that sends mails, and the mail server that takes them.
pub(crate) async fn with_mails(engine: Engine) -> (Server, MailServer) {
    let mail_server = MailServer::start().await;
    let server = Server::start_with(engine, |config| mail_server.configure(config)).await;
    (server, mail_server)
}

/// Gives an account an address that is known to be theirs.
pub(crate) async fn add_address(server: &Server, user: &User, address: &str) {
    let now = server.app.clock.now();
    let mut tx = server.app.store.begin().await.expect("a transaction");
    let address = address.parse().expect("an address");
    emails::add(&mut tx, user.id, &address, Some(now), now).await.expect("an address is added");
    tx.commit().await.expect("a commit");
}

/// Alice, who has an address.
pub(crate) async fn alice(server: &Server) -> User {
    let alice = server.user("alice").await;
    add_address(server, &alice, ALICE).await;
    alice
}

async fn tell(server: &Server, user: &User, mail: &Mail) {
    let now = server.app.clock.now();
    let mut tx = server.app.store.begin().await.expect("a transaction");
    mails::tell(&mut tx, &server.app, user, mail, now).await.expect("a mail is asked for");
    tx.commit().await.expect("a commit");
}

fn changed(server: &Server) -> Mail {
    Mail::PasswordChanged(Occasion::by_admin(server.app.clock.now()))
}

struct Stored {
    payload: String,
    last_error: Option<String>,
    is_given_up: bool,
}

impl FromRow for Stored {
    fn from_row(row: &Row) -> Result<Stored, gatehouse::store::Error> {
        Ok(Stored {
            payload: row.get("payload")?,
            last_error: row.get("last_error")?,
            is_given_up: row.get::<Option<i64>>("given_up_at")?.is_some(),
        })
    }
}

/// The mails that wait.
async fn waiting(server: &Server) -> Vec<Stored> {
    let list = "SELECT payload, last_error, given_up_at FROM jobs WHERE kind = 'send_mail' ORDER BY id";
    query(list).fetch_all(&server.app.store).await.expect("the jobs")
}

async fn command(server: &Server, request: Value) -> Result<Answer, Failure> {
    crate::command_line::ask(server, request).await
}

on_both_engines! {
    async fn a_mail_reaches_every_address_that_is_known_to_be_theirs(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        add_address(&server, &alice, "Alice@Work.example").await;
        let mut tx = server.app.store.begin().await.unwrap();
        let (unverified, now) = ("unknown@example.com".parse().unwrap(), server.app.clock.now());
        emails::add(&mut tx, alice.id, &unverified, None, now).await.unwrap();
        tx.commit().await.unwrap();
        tell(&server, &alice, &changed(&server)).await;
        server.run_jobs().await;
        let received = mail_server.received();
        let mut to: Vec<&str> = received.iter().map(|mail| mail.to.as_str()).collect();
        to.sort();
        assert_eq!(to, ["Alice@Work.example", ALICE]);
        let mail = &received[0];
        assert_eq!(mail.from, "noreply@chat.example.org");
        assert_eq!(mail.header("From"), "\"Example Chat\" <noreply@chat.example.org>");
        assert!(mail.header("Subject").starts_with("Your password was changed"), "{}", mail.header("Subject"));
        assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
        for body in [mail.text(), mail.html()] {
            assert!(body.contains("@alice:") && body.contains("15 Jan 2027, 08:00 UTC"), "{body}");
            assert!(body.contains("https://auth.example.org/account/sessions"), "{body}");
        }
        assert!(waiting(&server).await.is_empty());
    }

    async fn what_was_not_committed_is_not_sent(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let mut tx = server.app.store.begin().await.unwrap();
        let (mail, now) = (changed(&server), server.app.clock.now());
        mails::tell(&mut tx, &server.app, &alice, &mail, now).await.unwrap();
        drop(tx);
        server.run_jobs().await;
        assert!(mail_server.received().is_empty());
    }

    async fn a_mail_server_that_is_away_loses_nothing(engine: Engine) {
        let (server, mut mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        mail_server.kill();
        tell(&server, &alice, &changed(&server)).await;
        server.run_jobs().await;
        let mut waited = Duration::ZERO;
        for delay in [2, 4, 8] {
            let stored = waiting(&server).await;
            assert_eq!(stored[0].last_error.as_deref(), Some("the mail server cannot be reached"));
            assert!(!stored[0].is_given_up);
            server.advance(Duration::from_secs(delay - 1));
            assert!(!work::run_next(&server.app).await.unwrap(), "too early after {waited:?} and {delay} s");
            server.advance(Duration::from_secs(1));
            assert!(work::run_next(&server.app).await.unwrap(), "due after {waited:?} and {delay} s");
            waited += Duration::from_secs(delay);
        }
        mail_server.restart().await;
        server.advance(Duration::from_secs(600));
        server.run_jobs().await;
        assert_eq!(mail_server.received().len(), 1);
        assert!(waiting(&server).await.is_empty());
    }

    async fn a_mail_that_may_have_come_is_sent_again_as_the_same_one(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        mail_server.behave(Behaviour::BreaksOffAfterwards);
        tell(&server, &alice, &changed(&server)).await;
        server.run_jobs().await;
        mail_server.behave(Behaviour::Takes);
        server.advance(Duration::from_secs(2));
        server.run_jobs().await;
        let received = mail_server.received();
        assert_eq!(received.len(), 2, "nobody could know that the first one was taken");
        for header in ["Message-ID", "Date", "Subject"] {
            assert_eq!(received[0].header(header), received[1].header(header));
        }
        assert!(received[0].header("Message-ID").ends_with("@chat.example.org>"));
    }

    async fn a_mail_survives_the_death_of_whoever_was_to_send_it(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        tell(&server, &alice, &changed(&server)).await;
        let taken = jobs::lease(&server.app, Some(Crew::Mails)).await.unwrap();
        assert!(taken.is_some(), "and nothing more is heard of this worker");
        let server = server.restart().await;
        server.run_jobs().await;
        assert!(mail_server.received().is_empty(), "the other one may still be at it");
        server.advance(LEASE);
        server.run_jobs().await;
        assert_eq!(mail_server.received().len(), 1);
        server.advance(LEASE * 100);
        server.run_jobs().await;
        assert_eq!(mail_server.received().len(), 1);
    }

    async fn a_slow_mail_server_holds_up_nobody_else(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        mail_server.behave(Behaviour::IsSilent);
        for _ in 0..20 {
            tell(&server, &alice, &changed(&server)).await;
        }
        server.user_not_provisioned("bob").await;
        server.app.wake_workers();
        tokio::select! {
            () = work::run(&server.app) => panic!("the workers stopped"),
            _ = server.homeserver.until_called("provision_user", 2) => {}
        }
    }

    async fn an_address_that_does_not_exist_is_not_tried_again(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        mail_server.behave(Behaviour::Refuses("550 5.1.1 there is nobody"));
        tell(&server, &alice, &changed(&server)).await;
        server.run_jobs().await;
        assert!(waiting(&server).await.is_empty());
    }

    async fn a_mail_that_the_server_refuses_for_other_reasons_is_shown_to_the_admin(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        mail_server.behave(Behaviour::Refuses("550 5.7.1 relaying to alice@example.com denied"));
        tell(&server, &alice, &changed(&server)).await;
        for _ in 0..10 {
            server.run_jobs().await;
            server.advance(Duration::from_secs(600));
        }
        let stored = waiting(&server).await;
        assert!(stored[0].is_given_up);
        assert_eq!(stored[0].last_error.as_deref(), Some("the mail server answered 550"), "and no address");
    }

    async fn the_queue_tells_no_address_and_no_code(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        tell(&server, &alice, &Mail::VerifyEmail { code: "314159".to_owned(), token: "a-token".to_owned() }).await;
        tell(&server, &alice, &Mail::ResetPassword { token: "a-token".to_owned() }).await;
        for Stored { payload, .. } in waiting(&server).await {
            for secret in ["314159", "a-token", "example.com", "alice"] {
                assert!(!payload.contains(secret), "{payload}");
            }
        }
        server.run_jobs().await;
        let received = mail_server.received();
        assert!(received.iter().any(|mail| mail.text().contains("    314159\n") && mail.html().contains("314159")));
        assert!(received.iter().all(|mail| !mail.header("Subject").contains("314159")));
        let link = "https://auth.example.org/reset-password/a-token";
        assert!(received.iter().any(|mail| mail.text().contains(link) && mail.html().contains(link)));
    }

    async fn a_code_that_is_no_longer_good_is_not_sent(engine: Engine) {
        let (server, mut mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        mail_server.kill();
        tell(&server, &alice, &Mail::ResetPassword { token: "a-token".to_owned() }).await;
        tell(&server, &alice, &changed(&server)).await;
        server.run_jobs().await;
        mail_server.restart().await;
        server.advance(LIFETIME);
        server.run_jobs().await;
        let received = mail_server.received();
        assert_eq!(received.len(), 1);
        assert!(received[0].header("Subject").contains("password was changed"));
        assert!(waiting(&server).await.is_empty());
    }

    async fn a_person_is_told_of_a_browser_that_is_new_to_the_account(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        alice(&server).await;
        let mut browser = server.signed_in("alice").await;
        server.run_jobs().await;
        let received = mail_server.received();
        assert_eq!(received.len(), 1);
        assert!(received[0].header("Subject").starts_with("New sign-in"));
        assert!(received[0].text().contains("From: 198.51.100.7"), "{}", received[0].text());
        let csrf = browser.csrf().await;
        browser.post("/logout", &[("csrf", &csrf)]).await;
        browser.sign_in("alice", PASSWORD, "/account/").await.location();
        server.run_jobs().await;
        assert_eq!(mail_server.received().len(), 1, "this one is known now");
        server.signed_in("alice").await;
        server.run_jobs().await;
        assert_eq!(mail_server.received().len(), 2);
    }

    async fn a_person_is_told_of_an_older_client_that_signs_in_by_password(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        alice(&server).await;
        let refused = server.log_in("alice", json!({ "password": "not the password", "device_id": "PHONE" })).await;
        assert_eq!(refused.refusal(), (403, "M_FORBIDDEN".to_owned()));
        for (device, mails) in [("PHONE", 1), ("PHONE", 1), ("TABLET", 2)] {
            server.logged_in("alice", device, json!({})).await;
            server.run_jobs().await;
            assert_eq!(mail_server.received_by(ALICE).len(), mails, "{device}");
        }
        assert!(mail_server.received().iter().all(|mail| mail.header("Subject").starts_with("New sign-in")));
        let mut browser = server.signed_in("alice").await;
        let activity = open(&mut browser, "/account/activity").await.texts("main li h2");
        assert_eq!(activity, ["Signed in"; 4]);
    }

    async fn a_person_is_told_of_passkeys(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        alice(&server).await;
        passkey_of(&server, "alice").await;
        server.run_jobs().await;
        let mails = mail_server.received_by(ALICE);
        assert!(mails.iter().any(|mail| mail.header("Subject").starts_with("A passkey was added")));
    }

    async fn a_person_is_told_of_apps_and_codes(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        alice(&server).await;
        let mut browser = server.signed_in("alice").await;
        add_app(&server, &mut browser, "Phone").await;
        let codes = make_codes(&mut browser).await;
        let mut other = server.browser();
        first_step(&mut other, "alice", "/account/").await;
        enter(&mut other, "/login/recovery-code", "/account/", &codes[0], &[]).await.location();
        for request in [
            json!({ "recovery_link": { "name": "alice", "hours": 1 } }),
            json!({ "remove_factor": { "name": "alice", "id": null, "all": true } }),
        ] {
            command(&server, json!({ "users": request })).await.unwrap();
        }
        server.run_jobs().await;
        let mails = mail_server.received_by(ALICE);
        let has = |begin: &str| mails.iter().any(|mail| mail.header("Subject").starts_with(begin));
        for subject in [
            "An authenticator app was added", "Your account has new recovery codes", "A recovery code was used",
            "A recovery link was made", "Ways to sign in were removed",
        ] {
            assert!(has(subject), "{subject}");
        }
        let used = mails.iter().find(|mail| mail.header("Subject").starts_with("A recovery code")).unwrap();
        assert!(used.text().contains(&format!("{} are left", codes.len() - 1)), "{}", used.text());
    }

    async fn a_person_is_told_what_an_admin_does(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        alice(&server).await;
        let browser = server.signed_in("alice").await;
        server.run_jobs().await;
        let address = json!({ "name": "alice", "address": "second@example.com" });
        let password = json!({ "name": "alice", "end_sessions": false, "password": "a password that nobody has" });
        let sessions = json!({ "sessions": { "end": { "session_id": null, "user": "alice", "all": true } } });
        for request in [
            json!({ "users": { "add_email": address } }),
            json!({ "users": { "remove_email": address } }),
            json!({ "users": { "set_password": password } }),
            sessions.clone(),
            sessions,
        ] {
            command(&server, request).await.unwrap();
        }
        server.run_jobs().await;
        let told = |address| {
            let mails = mail_server.received_by(address);
            let mut subjects: Vec<_> = mails.iter().map(|mail| mail.header("Subject")).collect();
            subjects.sort();
            subjects.into_iter().map(|subject| subject.split(" on ").next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        let to_all = ["An e-mail address was added to your account", "An e-mail address was removed from your account"];
        let others = ["New sign-in to your account", "You were signed out", "Your password was changed"];
        assert_eq!(told(ALICE), [&to_all[..], &others[..]].concat());
        assert_eq!(told("second@example.com"), to_all[1..], "to the old address too");
        drop(browser);
    }

    async fn nothing_is_queued_when_mails_are_off(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = alice(&server).await;
        tell(&server, &alice, &changed(&server)).await;
        server.signed_in("alice").await;
        assert!(waiting(&server).await.is_empty());
        let test = json!({ "mail": { "test": { "address": ALICE } } });
        assert_eq!(command(&server, test).await.unwrap_err().error, Kind::Usage);
    }

    async fn the_admin_sends_a_mail_and_hears_what_the_server_says(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let test = |address: &str| json!({ "mail": { "test": { "address": address } } });
        let answer = command(&server, test(ALICE)).await.unwrap();
        assert_eq!(answer.data, json!({ "is_taken": true }));
        assert!(mail_server.received()[0].header("Subject").starts_with("A test mail"));
        mail_server.behave(Behaviour::Refuses("450 4.2.1 alice is on holiday"));
        let refused = command(&server, test(ALICE)).await.unwrap_err();
        assert!(refused.message.contains("alice is on holiday"), "{}", refused.message);
        for no_address in ["alice", "a@example.com\r\nRCPT TO:<b@example.com>", ""] {
            assert_eq!(command(&server, test(no_address)).await.unwrap_err().error, Kind::Failed);
        }
        assert_eq!(mail_server.received().len(), 1);
    }
}

#[tokio::test]
async fn two_nodes_send_a_mail_once() {
    let (server, mail_server) = with_mails(Engine::Postgres).await;
    let (other, _) = server.another_node().await;
    let alice = alice(&server).await;
    for _ in 0..20 {
        tell(&server, &alice, &changed(&server)).await;
    }
    let work_off = async |app| while work::run_next(app).await.unwrap() {};
    tokio::join!(work_off(&server.app), work_off(&other), work_off(&server.app), work_off(&other));
    let mut ids: Vec<_> = mail_server.received().iter().map(|mail| mail.header("Message-ID")).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), mail_server.received().len()), (20, 20));
}

#[tokio::test]
async fn a_mail_server_is_reached_over_tls_and_signed_in_to() {
    for security in [SmtpSecurity::Tls, SmtpSecurity::Starttls] {
        let mail_server = MailServer::start_with(security).await;
        let server = Server::start_with(Engine::Sqlite, |config| mail_server.configure(config)).await;
        let alice = alice(&server).await;
        tell(&server, &alice, &changed(&server)).await;
        server.run_jobs().await;
        let received = mail_server.received();
        assert_eq!(received.len(), 1, "{security:?}");
        assert!(received[0].is_encrypted && received[0].is_authenticated, "{security:?}");
    }
}

#[tokio::test]
async fn nothing_is_sent_in_clear_or_to_a_server_that_cannot_prove_itself() {
    // As when somebody on the way takes the offer of STARTTLS out.
    let in_clear = MailServer::start().await;
    let encrypted = MailServer::start_with(SmtpSecurity::Starttls).await;
    let strange = MailServer::start_with(SmtpSecurity::Tls).await;
    for (mail_server, ca_of, security) in [
        (&in_clear, &encrypted, SmtpSecurity::Starttls),
        (&in_clear, &encrypted, SmtpSecurity::Tls),
        (&strange, &encrypted, SmtpSecurity::Tls),
    ] {
        let server = Server::start_with(Engine::Sqlite, |config| {
            ca_of.configure(config);
            config.email.smtp.security = security;
            config.email.smtp.port = Some(mail_server.port());
        })
        .await;
        let alice = alice(&server).await;
        tell(&server, &alice, &changed(&server)).await;
        server.run_jobs().await;
        assert!(mail_server.received().is_empty());
        assert_eq!(waiting(&server).await.len(), 1, "it waits until that is put right");
    }
}

#[tokio::test]
async fn a_wrong_password_is_shown_to_the_admin() {
    let mail_server = MailServer::start_with(SmtpSecurity::Tls).await;
    let server = Server::start_with(Engine::Sqlite, |config| {
        mail_server.configure(config);
        config.email.smtp.password = Some(gatehouse::config::Secret::new("another password"));
    })
    .await;
    let answer = command(
        &server,
        json!({ "doctor": { "is_served": false, "domain": { "relying_party_id": null, "is_set": false } } }),
    )
    .await
    .unwrap();
    let checks: Vec<gatehouse::cli::Check> = serde_json::from_value(answer.data).unwrap();
    let check = checks.into_iter().find(|check| check.name == "mail").unwrap();
    assert_eq!(check.outcome, Outcome::Problem);
    assert!(check.found.contains("535"), "{}", check.found);
    assert!(!check.found.contains("another password"));
}

#[tokio::test]
async fn a_program_takes_mails_as_sendmail_does() {
    let folder = tempfile::tempdir().unwrap();
    let (program, taken) = (folder.path().join("sendmail"), folder.path().join("taken"));
    std::fs::write(&program, format!("#!/bin/sh\n(echo \"$@\"; cat) > {}\n", taken.display())).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let server = Server::start_with(Engine::Sqlite, |config| {
        config.email.transport = MailTransport::Sendmail;
        config.email.sendmail_command = program.clone();
        config.email.from = Some("noreply@chat.example.org".to_owned());
    })
    .await;
    let alice = alice(&server).await;
    let mail = Mail::FactorChanged {
        change: Event::PasskeyAdded,
        occasion: Occasion::by_admin(server.app.clock.now()),
    };
    tell(&server, &alice, &mail).await;
    server.run_jobs().await;
    let taken = std::fs::read_to_string(&taken).unwrap();
    assert!(taken.starts_with("-i -f noreply@chat.example.org -- alice@example.com\n"), "{taken}");
    assert!(taken.contains("A passkey was added"), "{taken}");
    assert!(waiting(&server).await.is_empty());
}
