//! What concerns the account as a whole, and one device, in a real browser.

use serde_json::json;

use crate::browser::{Setting, assert_no_complaints, look_at, sign_in};
use crate::support::browser::{Browser, Options};
use crate::support::server::{PASSWORD, REDIRECT_URI, matrix_scope};

const PRIMARY: &str = "form button.danger";

/// Signs a phone of alice's in.
async fn phone(setting: &Setting) {
    let client = setting.server.client(REDIRECT_URI, json!({ "client_name": "Element" })).await;
    let back = setting.server.visitor().allow("alice", &client, REDIRECT_URI, &matrix_scope("PHONE")).await;
    let code = back.query_parameter("code").expect("a code");
    assert_eq!(setting.server.exchange(&client, REDIRECT_URI, &code).await.status, 200);
}

#[tokio::test]
async fn a_person_names_a_device_and_lets_an_app_reset_its_keys() {
    let setting = Setting::new().await;
    phone(&setting).await;
    let browser = Browser::start(Options::default()).await;
    let link =
        "account/?action=org.matrix.device_view&device_id=PHONE&login_hint=mxid%3A%40alice%3Aexample.org";
    browser.goto(setting.server.url(link)).await;
    browser.assert_focus("password").await;
    sign_in(&browser, PASSWORD).await;
    assert_eq!(browser.text("h1").await, "Element");
    look_at(&browser, "session").await;
    browser.fill("#name", "Alice’s phone").await;
    browser.follow("form[action*=client] button").await;
    assert_eq!(browser.text("[role=status]").await, "The device has its new name.");
    look_at(&browser, "session-renamed").await;
    let devices = setting.homeserver.user("alice").expect("alice").devices;
    assert_eq!(devices["PHONE"].as_deref(), Some("Alice’s phone"));

    browser.goto(setting.server.url("account/?action=org.matrix.device_view&device_id=OTHER")).await;
    look_at(&browser, "error-unknown-device").await;

    browser.goto(setting.server.url("account/?action=org.matrix.cross_signing_reset")).await;
    look_at(&browser, "cross-signing-reset").await;
    browser.follow(PRIMARY).await;
    assert_eq!(browser.text("h1").await, "Go back to your app");
    look_at(&browser, "cross-signing-reset-allowed").await;
    assert_eq!(setting.homeserver.user("alice").expect("alice").cross_signing_resets, 1);
    assert_no_complaints(&browser, "the reset").await;
}

#[tokio::test]
async fn a_person_deactivates_their_account() {
    let setting = Setting::new().await;
    phone(&setting).await;
    let browser = setting.signed_in().await;
    browser.follow("a[href$=deactivate]").await;
    look_at(&browser, "deactivate").await;
    browser.click("#erase").await;
    browser.fill("#username", "alicia").await;
    browser.follow(PRIMARY).await;
    browser.assert_focus("summary").await;
    assert_eq!(browser.evaluate("document.querySelector('#erase').checked").await, true);
    look_at(&browser, "deactivate-wrong").await;
    browser.fill("#username", "alice").await;
    browser.follow(PRIMARY).await;
    assert_eq!(browser.text("h1").await, "Your account is deactivated");
    look_at(&browser, "deactivated").await;
    let told = setting.homeserver.until_called("delete_user", 1).await;
    assert_eq!(told[0].given["erase"], true);
    browser.goto(setting.server.url("account/")).await;
    assert_eq!(browser.text("h1").await, "Sign in to example.org");
    assert_no_complaints(&browser, "the end").await;
}
