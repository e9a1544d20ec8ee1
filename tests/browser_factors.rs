//! Authenticator apps and recovery codes, in a real browser.

use std::time::Duration;

use gatehouse::config::RequiredFor;
use gatehouse::time::Clock;

use crate::browser::{Setting, assert_no_complaints, look_at, read, sign_in};
use crate::support::browser::{Browser, Options};
use crate::support::factors::Authenticator;
use crate::support::server::{Engine, PASSWORD, on_both_engines};

const PRIMARY: &str = "main button.primary";

/// The app of the page that the browser shows.
async fn app_of(browser: &Browser) -> Authenticator {
    let key = browser.evaluate("document.querySelector('.key code').textContent").await;
    Authenticator::with_key(key.as_str().expect("a key"))
}

/// A code of that moment, or of the step after it.
fn code(app: &Authenticator, later: Duration) -> String {
    app.code_at(Clock::System.now() + later)
}

async fn enter(browser: &Browser, code: &str) {
    browser.fill("#code", code).await;
    browser.follow(PRIMARY).await;
}

on_both_engines! {
    async fn a_person_sets_up_an_app_and_recovery_codes_and_signs_in_with_them(engine: Engine) {
        let setting = Setting::on(engine, |_| ()).await;
        let browser = setting.signed_in().await;
        browser.goto(setting.server.url("account/security")).await;
        look_at(&browser, "security-empty").await;
        browser.follow("a[href$='apps/add']").await;
        look_at(&browser, "add-app").await;
        browser.click("summary").await;
        browser.screenshot("add-app-by-hand").await;
        let app = app_of(&browser).await;
        enter(&browser, "000000").await;
        browser.assert_focus("summary").await;
        look_at(&browser, "add-app-wrong").await;
        browser.fill("#name", "Phone").await;
        enter(&browser, &code(&app, Duration::ZERO)).await;

        look_at(&browser, "offer-codes").await;
        browser.follow(PRIMARY).await;
        look_at(&browser, "new-codes").await;
        let shown = browser.evaluate("document.querySelectorAll('.codes code')[3].textContent").await;
        let recovery_code = shown.as_str().expect("a code").to_owned();
        assert_eq!(browser.evaluate("document.querySelector('[data-prints]').hidden").await, false);
        browser.follow("main a.primary").await;
        look_at(&browser, "security").await;
        assert_eq!(browser.text(".list-rows h3").await, "Phone");
        browser.follow("a[href$=remove]").await;
        look_at(&browser, "remove-app").await;

        let browser = Browser::start(Options::default()).await;
        browser.goto(setting.server.url("account/security")).await;
        sign_in(&browser, PASSWORD).await;
        browser.assert_focus("code").await;
        look_at(&browser, "second").await;
        enter(&browser, "000000").await;
        look_at(&browser, "second-wrong").await;
        browser.click("#remember").await;
        enter(&browser, &code(&app, Duration::from_secs(30))).await;
        assert_eq!(browser.text("h1").await, "Sign-in and security");
        look_at(&browser, "security-remembered").await;
        browser.follow("form[action$=forget] button").await;
        assert_eq!(
            browser.text("[role=status]").await,
            "You will be asked for your second factor in that browser."
        );

        let browser = Browser::start(Options::default()).await;
        browser.goto(setting.server.url("account/security")).await;
        sign_in(&browser, PASSWORD).await;
        browser.follow("a[href*=recovery-code]").await;
        look_at(&browser, "recovery-code").await;
        enter(&browser, &recovery_code.to_uppercase().replace('-', " ")).await;
        assert_eq!(browser.text("h1").await, "Sign-in and security");
        assert!(browser.text("main").await.contains("You have 9 codes left."));
        assert_no_complaints(&browser, "the recovery").await;
    }
}

on_both_engines! {
    async fn who_must_have_a_second_factor_sets_it_up_on_the_way_to_an_app(engine: Engine) {
        let setting = Setting::on(engine, |config| config.second_factor.required_for = RequiredFor::Everybody).await;
        let browser = Browser::start(Options { javascript: false, ..Options::default() }).await;
        browser.goto(setting.request(&[]).await).await;
        sign_in(&browser, PASSWORD).await;
        browser.set_javascript(true).await;
        look_at(&browser, "enrol").await;
        let app = app_of(&browser).await;
        browser.set_javascript(false).await;
        enter(&browser, &code(&app, Duration::ZERO)).await;
        assert_eq!(browser.text("h1").await, "Recovery codes");
        browser.follow("main .aside a").await;
        browser.follow("button[value=approve]").await;
        browser.set_javascript(true).await;
        read(&browser, "Welcome to the app").await;
    }
}

on_both_engines! {
    async fn a_remembered_browser_spares_a_step_but_gives_nothing_away_and_the_last_factor_stays(engine: Engine) {
        let required = |config: &mut gatehouse::config::Config| {
            config.second_factor.required_for = RequiredFor::Everybody;
        };
        let setting = Setting::on(engine, required).await;
        let browser = Browser::start(Options::default()).await;
        browser.goto(setting.server.url("account/")).await;
        sign_in(&browser, PASSWORD).await;
        let app = app_of(&browser).await;
        enter(&browser, &code(&app, Duration::ZERO)).await;
        browser.follow(PRIMARY).await;
        let shown = browser.evaluate("document.querySelector('.codes code').textContent").await;
        let recovery_code = shown.as_str().expect("a code").to_owned();
        browser.follow("main a.primary").await;
        assert_eq!(browser.url().await, setting.server.url("account/"));

        let sign_out = async || {
            browser.goto(setting.server.url("account/")).await;
            browser.follow("form[action=\"/logout\"] button").await;
            browser.goto(setting.server.url("account/")).await;
            sign_in(&browser, PASSWORD).await;
        };
        sign_out().await;
        browser.click("#remember").await;
        enter(&browser, &code(&app, Duration::from_secs(30))).await;
        sign_out().await;
        assert_eq!(browser.url().await, setting.server.url("account/"), "the password is enough here");

        // To add a way to sign in is more than to sign in.
        browser.goto(setting.server.url("account/security/apps/add")).await;
        assert!(browser.url().await.path().starts_with("/login/second"));
        look_at(&browser, "step-up").await;
        browser.follow("a[href*=recovery-code]").await;
        enter(&browser, &recovery_code).await;
        assert_eq!(browser.text("h1").await, "Set up an authenticator app");

        browser.goto(setting.server.url("account/security")).await;
        browser.follow("a[href$=remove]").await;
        browser.follow("button.danger").await;
        look_at(&browser, "last-factor").await;
        assert!(browser.text("main").await.contains("Nothing was removed"));
        assert_eq!(browser.text(".list-rows h3").await, "Authenticator app");
        assert_no_complaints(&browser, "step-up").await;
    }
}
