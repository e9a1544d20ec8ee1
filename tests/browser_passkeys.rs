//! Passkeys and security keys in a real browser, with a device that the browser pretends to have.

use std::time::{Duration, Instant};

use gatehouse::accounts::passkeys;
use gatehouse::config::Config;
use serde_json::{Value, json};
use thirtyfour::Key;

use crate::browser::{Setting, assert_no_complaints, look_at, read, sign_in};
use crate::browser_captcha::until;
use crate::support::browser::{Browser, Options};
use crate::support::server::{Engine, PASSWORD, on_both_engines};

const PASSKEY: &str = "form[data-passkey] button";
const NO_CODES: &str = "a[href*=\"notice=added\"]";
const DANGER: &str = "form button.danger";

/// Browsers know passkeys for names only.
pub(crate) fn with_a_name(config: &mut Config) {
    config.http.public_base.set_host(Some("localhost")).expect("a host");
}

/// A device that the browser pretends to have.
pub(crate) struct Device<'b> {
    browser: &'b Browser,
    id: String,
}

impl<'b> Device<'b> {
    /// A phone or laptop, which verifies its owner and keeps passkeys.
    pub(crate) async fn platform(browser: &'b Browser) -> Device<'b> {
        let options = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
            "isUserVerified": true, "automaticPresenceSimulation": true,
        });
        Device::with(browser, options).await
    }

    /// A key in the USB port, which does not know its owner.
    async fn usb(browser: &'b Browser) -> Device<'b> {
        let options = json!({
            "protocol": "ctap2", "transport": "usb", "hasResidentKey": false, "hasUserVerification": false,
            "automaticPresenceSimulation": true,
        });
        Device::with(browser, options).await
    }

    async fn with(browser: &'b Browser, options: Value) -> Device<'b> {
        browser.command("WebAuthn.enable", json!({ "enableUI": false })).await;
        let added = browser.command("WebAuthn.addVirtualAuthenticator", json!({ "options": options })).await;
        let id = added["authenticatorId"].as_str().expect("a device").to_owned();
        Device { browser, id }
    }

    async fn command(&self, name: &str, mut parameters: Value) -> Value {
        parameters["authenticatorId"] = json!(self.id);
        self.browser.command(&format!("WebAuthn.{name}"), parameters).await
    }

    /// What it keeps.
    pub(crate) async fn credentials(&self) -> Vec<Value> {
        let found = self.command("getCredentials", json!({})).await;
        found["credentials"].as_array().cloned().expect("a list")
    }

    /// Whether its owner can show who they are.
    pub(crate) async fn verify(&self, is_verified: bool) {
        self.command("setUserVerified", json!({ "isUserVerified": is_verified })).await;
    }

    async fn put(&self, credential: &Value) {
        self.command("addCredential", json!({ "credential": credential })).await;
    }

    /// Whether its owner touches it whenever it asks.
    async fn touch(&self, is_touched: bool) {
        self.command("setAutomaticPresenceSimulation", json!({ "enabled": is_touched })).await;
    }
}

/// Adds a passkey to the account that the browser is at.
async fn enrol(setting: &Setting, browser: &Browser) {
    browser.goto(setting.server.url("account/security/passkeys/new")).await;
    browser.follow(PASSKEY).await;
}

async fn sign_out(setting: &Setting, browser: &Browser) {
    browser.goto(setting.server.url("account/")).await;
    browser.follow("form[action=\"/logout\"] button").await;
}

on_both_engines! {
    async fn a_person_adds_a_passkey_names_it_and_removes_it(engine: Engine) {
        let setting = Setting::on(engine, with_a_name).await;
        let browser = setting.signed_in().await;
        let device = Device::platform(&browser).await;
        browser.goto(setting.server.url("account/security")).await;
        look_at(&browser, "security-empty").await;
        browser.follow("a[href$=\"passkeys/new\"]").await;
        look_at(&browser, "passkey-new").await;
        browser.follow(PASSKEY).await;
        browser.follow(NO_CODES).await;
        assert!(browser.text(".note.success").await.contains("It is added"));
        let credentials = device.credentials().await;
        assert_eq!(credentials[0]["rpId"], "localhost");
        assert_eq!(credentials[0]["isResidentCredential"], true);
        look_at(&browser, "passkey-added").await;
        browser.fill("#name", "My <b>phone</b>").await;
        browser.press(Key::Enter + "").await;
        read(&browser, "My <b>phone</b>").await;

        // The same device again is told apart by the browser.
        browser.goto(setting.server.url("account/security/passkeys/new")).await;
        browser.click(PASSKEY).await;
        assert!(browser.text("[data-problem=known]:not([hidden])").await.contains("already added"));

        browser.goto(setting.server.url("account/security")).await;
        look_at(&browser, "security").await;
        browser.follow("#passkeys li > a").await;
        browser.follow("a.danger-quiet").await;
        look_at(&browser, "passkey-remove").await;
        browser.follow(DANGER).await;
        assert!(browser.text(".note.success").await.contains("no longer lets anybody in"));
        // The browser was told, and has forgotten it.
        forgotten(&device).await;
        assert_no_complaints(&browser, "passkeys").await;
    }
}

on_both_engines! {
    async fn a_person_signs_in_by_a_button_and_by_what_the_browser_fills_in(engine: Engine) {
        let setting = Setting::on(engine, with_a_name).await;
        let browser = setting.signed_in().await;
        let device = Device::platform(&browser).await;
        enrol(&setting, &browser).await;
        sign_out(&setting, &browser).await;
        device.touch(false).await;
        browser.goto(setting.server.url("login?next=%2Faccount%2Fsessions")).await;
        look_at(&browser, "sign-in-passkey").await;
        browser.assert_focus("username").await;
        device.touch(true).await;
        browser.follow(PASSKEY).await;
        assert_eq!(browser.url().await.path(), "/account/sessions");

        // The device offers it by itself where a name is typed.
        sign_out(&setting, &browser).await;
        browser.goto(setting.server.url("login")).await;
        read(&browser, "Your account").await;
        assert_no_complaints(&browser, "signing in").await;
    }
}

on_both_engines! {
    async fn a_passkey_that_counts_behind_or_is_gone_is_refused_and_the_browser_forgets_what_is_gone(engine: Engine) {
        let setting = Setting::on(engine, with_a_name).await;
        let browser = setting.signed_in().await;
        let device = Device::platform(&browser).await;
        enrol(&setting, &browser).await;
        let before = device.credentials().await.remove(0);
        let mut ahead = before.clone();
        ahead["signCount"] = json!(1000);
        device.command("clearCredentials", json!({})).await;
        device.put(&ahead).await;
        sign_out(&setting, &browser).await;
        browser.goto(setting.server.url("login")).await;
        read(&browser, "Your account").await;
        sign_out(&setting, &browser).await;

        device.command("removeVirtualAuthenticator", json!({})).await;
        let copy = Device::platform(&browser).await;
        copy.touch(false).await;
        copy.put(&before).await;
        browser.goto(setting.server.url("login")).await;
        copy.touch(true).await;
        browser.follow(PASSKEY).await;
        // Else the browser would offer it again and again.
        copy.touch(false).await;
        // The page may be sent once more by itself, as long as the device is touched.
        until(&browser, "document.querySelector('#summary')?.innerText.includes('does not work here') ?? false").await;
        look_at(&browser, "sign-in-passkey-refused").await;
        assert_eq!(copy.credentials().await.len(), 1, "it is alice's");

        let app = &setting.server.app;
        let alice = gatehouse::accounts::users::find_by_localpart(&app.store, "alice").await.unwrap().unwrap();
        let kept = passkeys::list(&app.store, alice.id).await.unwrap();
        setting.server.change(async |tx, _| passkeys::remove(tx, kept[0].id, alice.id).await).await;
        copy.touch(true).await;
        browser.follow(PASSKEY).await;
        forgotten(&copy).await;
    }
}

on_both_engines! {
    async fn a_passkey_of_another_site_is_not_offered(engine: Engine) {
        let setting = Setting::on(engine, with_a_name).await;
        let browser = setting.signed_in().await;
        let device = Device::platform(&browser).await;
        enrol(&setting, &browser).await;
        let mut foreign = device.credentials().await.remove(0);
        device.command("clearCredentials", json!({})).await;
        foreign["rpId"] = json!("example.org");
        device.put(&foreign).await;
        sign_out(&setting, &browser).await;
        browser.goto(setting.server.url("login")).await;
        browser.click(PASSKEY).await;
        assert!(browser.text("[data-problem=failed]:not([hidden])").await.contains("did not work"));
        assert_eq!(browser.url().await.path(), "/login");
    }
}

on_both_engines! {
    async fn without_javascript_the_password_is_left(engine: Engine) {
        let setting = Setting::on(engine, with_a_name).await;
        let browser = Browser::start(Options { javascript: false, ..Options::default() }).await;
        browser.goto(setting.server.url("login")).await;
        browser.screenshot("sign-in-no-javascript").await;
        assert!(browser.text("main").await.contains("Your password works without"));
        assert!(!browser.text("main").await.contains("Sign in with a passkey"));
        sign_in(&browser, PASSWORD).await;
        browser.goto(setting.server.url("account/security/passkeys/new")).await;
        browser.screenshot("passkey-new-no-javascript").await;
        assert!(browser.text("main").await.contains("This needs JavaScript"));
    }
}

/// Waits until the browser has had the device forget everything.
async fn forgotten(device: &Device<'_>) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !device.credentials().await.is_empty() {
        assert!(Instant::now() < deadline, "the browser was not told");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

on_both_engines! {
    async fn a_key_confirms_the_password(engine: Engine) {
        let setting = Setting::on(engine, with_a_name).await;
        let browser = setting.signed_in().await;
        let key = Device::usb(&browser).await;
        browser.goto(setting.server.url("account/security/passkeys/new?kind=security-key")).await;
        look_at(&browser, "security-key-new").await;
        browser.follow(PASSKEY).await;
        assert_eq!(key.credentials().await[0]["isResidentCredential"], false);
        sign_out(&setting, &browser).await;
        browser.goto(setting.server.url("login")).await;
        sign_in(&browser, PASSWORD).await;
        browser.follow("a[href*=\"/login/security-key\"]").await;
        look_at(&browser, "login-security-key").await;
        browser.follow(PASSKEY).await;
        assert_eq!(browser.url().await, setting.server.url("account/"));
        assert_no_complaints(&browser, "a key").await;
    }
}
