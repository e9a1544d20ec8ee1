//! Making an account in a real browser: all the way from an app, without JavaScript, and with a passkey alone.

use gatehouse::accounts::registration_tokens;
use gatehouse::config::{Config, RegistrationEmail, RegistrationWays};

use crate::browser::{Setting, assert_no_complaints, look_at, read};
use crate::browser_passkeys::{Device, with_a_name};
use crate::support::browser::{Browser, Options};
use crate::support::server::{Engine, PASSWORD, on_both_engines};
use crate::support::smtp::{MailServer, Received};

const PRIMARY: &str = "form button.primary";
const NAME: &str = "#username:not([readonly])";
const BOB: &str = "bob@example.com";
const TOKEN: &str = "chess-club-2026";

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

fn with_terms(config: &mut Config) {
    config.terms.version = Some("2026-01-31".to_owned());
    config.branding.tos_uri = Some("https://example.org/terms".parse().expect("a URL"));
    config.branding.policy_uri = Some("https://example.org/privacy".parse().expect("a URL"));
}

async fn choose_password(browser: &Browser) {
    browser.fill("#new_password", PASSWORD).await;
    browser.fill("#new_password_again", PASSWORD).await;
    browser.follow(PRIMARY).await;
}

on_both_engines! {
    async fn a_person_makes_an_account_for_an_app(engine: Engine) {
        let mail_server = MailServer::start().await;
        let setting = Setting::on(engine, |config| {
            mail_server.configure(config);
            with_a_name(config);
            with_terms(config);
            config.registration.enabled = true;
            config.captcha.work = 20_000;
        })
        .await;
        let browser = Browser::start(Options::default()).await;
        let device = Device::platform(&browser).await;
        browser.goto(setting.request(&[("prompt", "create")]).await).await;
        look_at(&browser, "register-name").await;
        browser.fill(NAME, "alice").await;
        browser.follow(PRIMARY).await;
        browser.assert_focus("summary").await;
        look_at(&browser, "register-name-taken").await;
        browser.fill(NAME, "bob").await;
        browser.follow(PRIMARY).await;
        look_at(&browser, "register-email").await;
        browser.fill("#email", BOB).await;
        browser.follow(PRIMARY).await;
        look_at(&browser, "register-code").await;
        browser.fill("#code", "abc").await;
        browser.follow(PRIMARY).await;
        look_at(&browser, "register-code-wrong").await;

        // The link is opened on another device.
        let link = mail(&mail_server, BOB, "Your new account").await.link(setting.server.url("register/link/").as_str());
        let phone = Browser::start(Options::default()).await;
        phone.goto(&link).await;
        look_at(&phone, "register-link").await;
        phone.follow(PRIMARY).await;
        look_at(&phone, "register-link-done").await;
        browser.follow("a.button[href$=code]").await;

        look_at(&browser, "register-password").await;
        browser.fill("#new_password", "bob bob bob bob bob").await;
        browser.fill("#new_password_again", "bob bob bob bob bob").await;
        browser.follow(PRIMARY).await;
        look_at(&browser, "register-password-guessable").await;
        choose_password(&browser).await;
        look_at(&browser, "register-passkey-optional").await;
        // Somebody comes back.
        browser.goto(setting.server.url("register")).await;
        look_at(&browser, "register-resume").await;
        browser.follow(PRIMARY).await;
        browser.follow(PRIMARY).await;
        assert_eq!(device.credentials().await.len(), 1);
        look_at(&browser, "register-terms").await;
        browser.click("#terms").await;
        browser.follow(PRIMARY).await;
        assert_eq!(browser.text("h1").await, "Let this app use your account?");
        assert!(browser.text("main").await.contains("@bob:"));
        browser.follow("button[value=approve]").await;
        read(&browser, "Welcome to the app").await;
        assert!(browser.text("p").await.contains("code"));
        browser.goto(setting.server.url("register")).await;
        look_at(&browser, "register-signed-in").await;
        assert_no_complaints(&browser, "the way").await;
    }
}

on_both_engines! {
    async fn without_javascript_a_password_and_a_token_do(engine: Engine) {
        let mail_server = MailServer::start().await;
        let setting = Setting::on(engine, |config| {
            mail_server.configure(config);
            with_a_name(config);
            with_terms(config);
            config.registration.enabled = true;
            config.registration.email = RegistrationEmail::Optional;
        })
        .await;
        setting
            .server
            .change(async |tx, now| registration_tokens::add(tx, &setting.server.app, TOKEN, None, None, now).await)
            .await;
        let browser = Browser::start(Options { javascript: false, ..Options::default() }).await;
        browser.goto(setting.server.url("login")).await;
        browser.follow(".aside a").await;
        assert_eq!(browser.text("h1").await, "Create an account on example.org");
        browser.screenshot("register-no-javascript").await;
        browser.fill(NAME, "bob").await;
        browser.fill("#registration_token", TOKEN).await;
        browser.follow(PRIMARY).await;
        browser.screenshot("register-email-optional").await;
        browser.fill("#email", BOB).await;
        browser.follow(PRIMARY).await;
        let text = mail(&mail_server, BOB, "Your new account").await.text();
        let code = text.lines().find(|line| line.starts_with("    ")).expect("a code").trim().to_owned();
        browser.fill("#code", &code).await;
        browser.follow(PRIMARY).await;
        choose_password(&browser).await;
        browser.screenshot("register-passkey-no-javascript").await;
        assert!(browser.text("main").await.contains("go on without a passkey"));
        browser.follow("button[name=skip]").await;
        browser.click("#terms").await;
        browser.follow(PRIMARY).await;
        assert_eq!(browser.text("h1").await, "Your account");
        assert!(browser.text("main").await.contains("@bob:example.org"));
    }
}

on_both_engines! {
    async fn a_person_has_a_passkey_and_nothing_else(engine: Engine) {
        let setting = Setting::on(engine, |config| {
            with_a_name(config);
            config.registration.enabled = true;
            config.registration.email = RegistrationEmail::NotAsked;
            config.registration.ways = RegistrationWays::Passkey;
            config.registration.token_required = true;
        })
        .await;
        setting
            .server
            .change(async |tx, now| registration_tokens::add(tx, &setting.server.app, TOKEN, None, None, now).await)
            .await;
        let browser = Browser::start(Options::default()).await;
        let device = Device::platform(&browser).await;
        browser.goto(setting.server.url("register")).await;
        browser.fill(NAME, "bob").await;
        browser.fill("#registration_token", "another-club").await;
        browser.follow(PRIMARY).await;
        look_at(&browser, "register-token-wrong").await;
        browser.fill("#registration_token", TOKEN).await;
        browser.follow(PRIMARY).await;
        look_at(&browser, "register-passkey").await;
        // Whoever cancels can try again.
        device.verify(false).await;
        browser.click(PRIMARY).await;
        assert!(browser.text("[data-problem=failed]:not([hidden])").await.contains("There is no passkey yet"));
        device.verify(true).await;
        browser.follow(PRIMARY).await;
        assert_eq!(browser.text("h1").await, "Your account");
        assert_eq!(device.credentials().await.len(), 1);
        // And it lets them in again.
        browser.follow("form[action=\"/logout\"] button").await;
        // The device is touched at once, so autofill is enough.
        browser.goto(setting.server.url("login")).await;
        read(&browser, "Your account").await;
        assert!(browser.text("main").await.contains("@bob:example.org"));
        assert_no_complaints(&browser, "passkeys").await;
    }
}
