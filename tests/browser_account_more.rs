//! A person's name, the apps with access, personal tokens and the person's data, in a real browser without
//! JavaScript.

use serde_json::json;

use crate::browser::{self, Setting, sign_in};
use crate::support::browser::{Browser, Options};
use crate::support::server::{Engine, PASSWORD, REDIRECT_URI, matrix_scope, on_both_engines};

const PRIMARY: &str = "main button.primary";

/// A browser that runs no scripts, in which alice is at her account.
async fn without_scripts(setting: &Setting) -> Browser {
    let browser = Browser::start(Options { javascript: false, ..Options::default() }).await;
    browser.goto(setting.server.url("login")).await;
    sign_in(&browser, PASSWORD).await;
    browser
}

/// Looks at a page, for which the looking needs scripts; the page does not get them.
async fn look_at(browser: &Browser, name: &str) {
    browser.set_javascript(true).await;
    browser::look_at(browser, name).await;
    browser.set_javascript(false).await;
}

async fn app(setting: &Setting, name: &str, device: &str) {
    let client = setting.server.client(REDIRECT_URI, json!({ "client_name": name })).await;
    let back = setting.server.visitor().allow("alice", &client, REDIRECT_URI, &matrix_scope(device)).await;
    let code = back.query_parameter("code").expect("a code");
    assert_eq!(setting.server.exchange(&client, REDIRECT_URI, &code).await.status, 200);
}

on_both_engines! {
    async fn a_person_changes_their_name(engine: Engine) {
        let setting = Setting::on(engine, |_| ()).await;
        let browser = without_scripts(&setting).await;
        look_at(&browser, "account").await;
        browser.follow("a[href$='account/profile']").await;
        look_at(&browser, "profile").await;
        browser.fill("#name", "Alice Liddell").await;
        browser.follow(PRIMARY).await;
        assert!(browser.text("[role=status]").await.starts_with("Your name is changed."));
        look_at(&browser, "profile-changed").await;
        setting.homeserver.until_called("set_displayname", 1).await;
        assert_eq!(setting.homeserver.user("alice").expect("alice").display_name.as_deref(), Some("Alice Liddell"));
    }

    async fn a_person_looks_for_a_session_and_takes_an_apps_access_away(engine: Engine) {
        let setting = Setting::on(engine, |_| ()).await;
        app(&setting, "Element", "PHONE").await;
        app(&setting, "Wiki", "LAPTOP").await;
        let browser = without_scripts(&setting).await;
        browser.goto(setting.server.url("account/sessions")).await;
        browser.fill("#q", "wik").await;
        browser.follow("form[role=search] button").await;
        assert_eq!(browser.text("li.session h3").await, "Wiki");
        look_at(&browser, "sessions-found").await;
        browser.fill("#q", "nothing of this").await;
        browser.follow("form[role=search] button").await;
        look_at(&browser, "sessions-not-found").await;

        browser.goto(setting.server.url("account/applications")).await;
        look_at(&browser, "applications").await;
        browser.click("li.session summary").await;
        browser.follow("li.session > a.button").await;
        look_at(&browser, "application").await;
        browser.follow("a.danger-quiet").await;
        look_at(&browser, "end-application").await;
        browser.follow("main button.danger").await;
        assert_eq!(browser.text("[role=status]").await, "The app has no access any more.");
        look_at(&browser, "applications-removed").await;
        setting.homeserver.until_called("delete_device", 1).await;
    }

    async fn a_person_makes_and_revokes_a_token_and_sees_their_data(engine: Engine) {
        let setting = Setting::on(engine, |_| ()).await;
        let browser = without_scripts(&setting).await;
        browser.goto(setting.server.url("account/tokens")).await;
        look_at(&browser, "tokens-none").await;
        browser.follow("main a.primary").await;
        look_at(&browser, "new-token").await;
        browser.fill("#name", "Weather bot").await;
        browser.click("#device").await;
        browser.fill("#device_id", "two words").await;
        browser.follow(PRIMARY).await;
        look_at(&browser, "new-token-wrong").await;
        browser.fill("#device_id", "WEATHER").await;
        browser.follow(PRIMARY).await;
        assert_eq!(browser.text("h1").await, "Your access token");
        look_at(&browser, "token-made").await;
        assert_eq!(setting.homeserver.user("alice").expect("alice").devices["WEATHER"].as_deref(), Some("Weather bot"));
        browser.follow("main a.primary").await;
        browser.click("li.session summary").await;
        look_at(&browser, "tokens").await;
        browser.follow("li.session details a").await;
        look_at(&browser, "token").await;
        browser.follow("a.danger-quiet").await;
        look_at(&browser, "end-token").await;
        browser.follow("main button.danger").await;
        assert_eq!(browser.text("[role=status]").await, "The token works no more.");

        browser.goto(setting.server.url("account/export")).await;
        look_at(&browser, "export").await;
    }
}
