//! Addresses, passwords and the way back in, in a real browser with a real mail server beside it.

use gatehouse::accounts::{emails, users};

use crate::browser::{Setting, assert_no_complaints, look_at, sign_in};
use crate::support::browser::{Browser, Options};
use crate::support::server::{Engine, PASSWORD, on_both_engines};
use crate::support::smtp::{MailServer, Received};

const PRIMARY: &str = "form button.primary";
const DANGER: &str = "form button.danger";
const NEW: &str = "seven green kettles sing at dawn";
const ALICE: &str = "alice@example.com";

/// Gatehouse with alice, who has an address, and a mail server.
async fn setting(engine: Engine) -> (Setting, MailServer) {
    let mail_server = MailServer::start().await;
    let setting = Setting::on(engine, |config| mail_server.configure(config)).await;
    let address = ALICE.parse().expect("an address");
    setting
        .server
        .change(async |tx, now| {
            let alice = users::find_by_localpart(&mut *tx, "alice").await?.expect("alice");
            emails::add(tx, alice.id, &address, Some(now), now).await
        })
        .await;
    (setting, mail_server)
}

/// Waits for the mail to an address whose subject begins with this.
async fn mail(mail_server: &MailServer, address: &str, subject: &str) -> Received {
    for count in 1.. {
        let received = mail_server.until_received(count).await;
        let found = received
            .into_iter()
            .find(|mail| mail.to == address && mail.header("Subject").starts_with(subject));
        if let Some(found) = found {
            return found;
        }
    }
    unreachable!("the waiting ends")
}

on_both_engines! {
    async fn a_person_adds_an_address_and_removes_another(engine: Engine) {
        let (setting, mail_server) = setting(engine).await;
        let browser = setting.signed_in().await;
        browser.goto(setting.server.url("account/email")).await;
        look_at(&browser, "emails").await;
        browser.follow("main a.primary").await;
        look_at(&browser, "email-add").await;
        browser.evaluate("document.querySelector('form').noValidate = true").await;
        browser.fill("#email", "nobody").await;
        browser.follow(PRIMARY).await;
        browser.assert_focus("summary").await;
        look_at(&browser, "email-invalid").await;
        browser.evaluate("document.querySelector('#email').value = ''").await;
        browser.fill("#email", "new@example.com").await;
        browser.follow(PRIMARY).await;
        look_at(&browser, "email-code").await;
        browser.fill("#code", "abc").await;
        browser.follow(PRIMARY).await;
        look_at(&browser, "email-code-wrong").await;
        let text = mail(&mail_server, "new@example.com", "Confirm").await.text();
        let code = text.lines().find(|line| line.starts_with("    ")).expect("a code").trim().to_owned();
        browser.fill("#code", &code).await;
        browser.follow(PRIMARY).await;
        assert_eq!(browser.text("[role=status]").await, "The address belongs to your account now.");
        look_at(&browser, "emails-added").await;
        browser.follow("li a.button").await;
        look_at(&browser, "email-remove").await;
        browser.follow(DANGER).await;
        assert_eq!(browser.text("[role=status]").await, "The address is removed.");
        assert_eq!(browser.text("li h2").await, "new@example.com");
        assert_no_complaints(&browser, "the addresses").await;
    }
}

on_both_engines! {
    async fn a_person_gets_back_in_without_javascript(engine: Engine) {
        let (setting, mail_server) = setting(engine).await;
        let browser = Browser::start(Options { javascript: false, ..Options::default() }).await;
        browser.goto(setting.server.url("login")).await;
        browser.follow(".aside a").await;
        assert_eq!(browser.text("h1").await, "Get back into your account");
        browser.fill("#email", ALICE).await;
        browser.follow(PRIMARY).await;
        assert_eq!(browser.text("h1").await, "Look at your mail");
        let link =
            mail(&mail_server, ALICE, "Get back").await.link(setting.server.url("reset-password/").as_str());
        browser.goto(&link).await;
        browser.fill("#new_password", NEW).await;
        browser.fill("#new_password_again", NEW).await;
        browser.follow(PRIMARY).await;
        assert_eq!(browser.text("h1").await, "Your account");
        mail(&mail_server, ALICE, "Your password was changed").await;
    }
}

on_both_engines! {
    async fn a_person_gets_back_in_and_changes_the_password_again(engine: Engine) {
        let (setting, mail_server) = setting(engine).await;
        let browser = Browser::start(Options::default()).await;
        browser.goto(setting.server.url("reset-password")).await;
        look_at(&browser, "reset-password").await;
        browser.fill("#email", ALICE).await;
        browser.follow(PRIMARY).await;
        look_at(&browser, "reset-password-sent").await;
        let link =
            mail(&mail_server, ALICE, "Get back").await.link(setting.server.url("reset-password/").as_str());
        browser.goto(&link).await;
        look_at(&browser, "reset-password-password").await;
        browser.fill("#new_password", "passwordpassword").await;
        browser.fill("#new_password_again", "passwordpassword").await;
        browser.follow(PRIMARY).await;
        browser.assert_focus("summary").await;
        look_at(&browser, "reset-password-password-guessable").await;
        browser.fill("#new_password", NEW).await;
        browser.click("button[data-shows=new_password]").await;
        assert_eq!(browser.evaluate("document.querySelector('#new_password').type").await, "text");
        browser.fill("#new_password_again", NEW).await;
        browser.follow(PRIMARY).await;
        assert_eq!(browser.text("h1").await, "Your account");
        browser.goto(setting.server.url("account/security")).await;
        look_at(&browser, "security").await;
        browser.follow("main a[href$=password]").await;
        look_at(&browser, "password").await;
        browser.fill("#new_password", PASSWORD).await;
        browser.fill("#new_password_again", PASSWORD).await;
        browser.click("#end_others").await;
        browser.follow(PRIMARY).await;
        assert_eq!(browser.text("h1").await, "Your password is changed");
        look_at(&browser, "password-changed").await;
        browser.goto(&link).await;
        assert_eq!(browser.text("h1").await, "This link no longer works");
        look_at(&browser, "useless-link").await;
        assert_no_complaints(&browser, "the way back").await;

        let other = Browser::start(Options::default()).await;
        other.goto(setting.server.url("login")).await;
        sign_in(&other, PASSWORD).await;
        assert_eq!(other.text("h1").await, "Your account");
        mail(&mail_server, ALICE, "New sign-in").await;
    }
}

on_both_engines! {
    async fn a_link_in_a_mail_confirms_an_address_in_another_browser(engine: Engine) {
        let (setting, mail_server) = setting(engine).await;
        let mut visitor = setting.server.visitor();
        let (_, page) = visitor.open("alice", "account/email/add").await;
        visitor.submit(&page, "account/email/add", &[("email", "new@example.com")]).await.location();
        let link = mail(&mail_server, "new@example.com", "Confirm").await;
        let browser = Browser::start(Options { javascript: false, ..Options::default() }).await;
        browser.goto(&link.link(setting.server.url("email/").as_str())).await;
        assert_eq!(browser.text("h1").await, "Add this address to the account?");
        browser.screenshot("email-confirm-without-javascript").await;
        browser.follow(PRIMARY).await;
        assert_eq!(browser.text("h1").await, "Your address is confirmed");
    }
}

#[tokio::test]
async fn mails_can_be_read_by_everybody() {
    let browser = Browser::start(Options::default()).await;
    for (name, html) in crate::mail_gallery::usual() {
        let folder = crate::support::process::new_folder("mail");
        let file = folder.path().join("mail.html");
        std::fs::write(&file, html).expect("a file");
        browser.goto(&format!("file://{}", file.display())).await;
        look_at(&browser, &format!("mail-{name}")).await;
    }
}
