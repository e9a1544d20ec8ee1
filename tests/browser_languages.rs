//! German in a real browser: the switch without JavaScript, and pages that people look at.

use gatehouse::languages::Language;

use crate::browser::{Setting, assert_no_complaints, look_at};
use crate::support::browser::{Browser, Options};
use crate::support::server::{Engine, PASSWORD, on_both_engines};

const GERMAN: &str = "footer button[lang=de]";
const PRIMARY: &str = "form button.primary";

async fn sign_in(browser: &Browser) {
    browser.fill("#username", "alice").await;
    browser.fill("#password", PASSWORD).await;
    browser.follow(PRIMARY).await;
}

on_both_engines! {
    async fn a_person_switches_to_german_without_javascript_and_goes_on(engine: Engine) {
        let setting = Setting::on(engine, |_| ()).await;
        let browser = Browser::start(Options { javascript: false, ..Options::default() }).await;
        browser.goto(setting.request(&[]).await).await;
        assert!(browser.text("h1").await.starts_with("Sign in to"));
        browser.follow(GERMAN).await;
        assert!(browser.text("h1").await.starts_with("Anmelden bei"));
        browser.fill("#username", "alice").await;
        browser.fill("#password", "wrong").await;
        browser.follow(PRIMARY).await;
        assert_eq!(browser.text("#summary h2").await, "Sie sind noch nicht angemeldet");
        browser.follow("footer button[lang=fr]").await;
        assert!(browser.text("h1").await.starts_with("Se connecter"));
        browser.follow(GERMAN).await;
        sign_in(&browser).await;
        assert_eq!(browser.text("h1").await, "Darf diese App Ihr Konto benutzen?");
        browser.follow("button[value=approve]").await;
        assert_eq!(browser.text("h1").await, "Welcome to the app");
    }

    async fn german_pages_can_be_used_by_everybody(engine: Engine) {
        let setting = Setting::on(engine, |config| {
            config.branding.default_language = Language::of_tag("de").expect("German");
        })
        .await;
        let browser = Browser::start(Options::default()).await;
        browser.goto(setting.request(&[("ui_locales", "de")]).await).await;
        look_at(&browser, "german-sign-in").await;
        sign_in(&browser).await;
        look_at(&browser, "german-consent").await;
        browser.goto(setting.server.url("account/")).await;
        browser.follow(GERMAN).await;
        look_at(&browser, "german-account").await;
        for page in ["security", "sessions", "activity", "email"] {
            browser.goto(setting.server.url(&format!("account/{page}"))).await;
            look_at(&browser, &format!("german-{page}")).await;
        }
        browser.goto(setting.server.url("account/activity")).await;
        let told = "document.querySelector('time').title";
        let moment = browser.evaluate(told).await;
        let moment = moment.as_str().expect("a moment");
        assert!(moment.contains('.') && !moment.contains("AM") && !moment.contains("PM"), "{moment}");
        assert_no_complaints(&browser, "German pages").await;
    }
}
