//! Accepting the terms of service once more, in a real browser.

use gatehouse::config::Config;

use crate::browser::{Setting, assert_no_complaints, look_at, sign_in};
use crate::support::browser::{Browser, Options};
use crate::support::server::{Engine, PASSWORD, on_both_engines};

fn have_terms(config: &mut Config) {
    config.branding.tos_uri = Some("https://example.org/terms".parse().expect("a URL"));
    config.branding.policy_uri = Some("https://example.org/privacy".parse().expect("a URL"));
    config.terms.version = Some("2026-01-31".to_owned());
}

on_both_engines! {
    async fn who_signs_in_accepts_them_and_goes_on_to_the_app(engine: Engine) {
        let setting = Setting::on(engine, have_terms).await;
        let browser = Browser::start(Options::default()).await;
        browser.goto(setting.request(&[]).await).await;
        sign_in(&browser, PASSWORD).await;
        assert_eq!(browser.text("h1").await, "Accept the terms of service");
        look_at(&browser, "terms").await;
        browser.follow("main button.primary").await;
        assert_eq!(browser.text("h1").await, "Let this app use your account?");
        browser.follow("button[value=approve]").await;
        assert_eq!(browser.text("h1").await, "Welcome to the app");
        assert_no_complaints(&browser, "the way to the app").await;
    }

    async fn without_javascript_too_and_who_does_not_signs_out(engine: Engine) {
        let setting = Setting::on(engine, have_terms).await;
        let browser = Browser::start(Options { javascript: false, ..Options::default() }).await;
        browser.goto(setting.server.url("account/security")).await;
        sign_in(&browser, PASSWORD).await;
        browser.follow("form[action$=logout] button").await;
        assert_eq!(browser.url().await, setting.server.url("signed-out"));
        browser.goto(setting.server.url("account/security")).await;
        sign_in(&browser, PASSWORD).await;
        browser.follow("main button.primary").await;
        assert_eq!(browser.url().await, setting.server.url("account/security"));
    }
}
