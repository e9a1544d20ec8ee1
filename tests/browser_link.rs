//! Letting another device in, in a real browser.

use serde_json::{Value, json};

use crate::browser::{Setting, assert_no_complaints, look_at, read, sign_in};
use crate::device_grant::DEVICE_CODE;
use crate::support::browser::{Browser, Options};
use crate::support::running::{http_client, send};
use crate::support::server::{Answer, PASSWORD, matrix_scope};

/// A television that calls itself something.
async fn television(setting: &Setting, name: &str) -> (String, Value) {
    let members = json!({ "client_name": name, "grant_types": [DEVICE_CODE, "refresh_token"] });
    let client = setting.server.client("https://example.com/callback", members).await;
    let scope = format!("openid {}", matrix_scope("TELEVISION"));
    let form = [("client_id", client.as_str()), ("scope", &scope)];
    let begun = http_client().post(setting.server.url("oauth2/device")).form(&form);
    let begun = begun.header("user-agent", "Element X/25.07.0 (Android TV; Android 14)");
    let told = send(begun).await;
    assert_eq!(told.status, 200, "{}", told.text());
    (client, told.json())
}

async fn poll(setting: &Setting, (client, told): &(String, Value)) -> Answer {
    let code = told["device_code"].as_str().expect("a code");
    setting.server.token(&[("grant_type", DEVICE_CODE), ("device_code", code), ("client_id", client)]).await
}

#[tokio::test]
async fn a_person_types_the_code_of_a_television() {
    let setting = Setting::new().await;
    let television = television(&setting, "Element").await;
    let browser = Browser::start(Options::default()).await;
    browser.goto(television.1["verification_uri"].as_str().expect("a URL")).await;
    sign_in(&browser, PASSWORD).await;
    browser.assert_focus("code").await;
    look_at(&browser, "link").await;
    browser.fill("#code", "bcdf ghjk").await;
    browser.follow("form[action=\"/link\"] button").await;
    browser.assert_focus("summary").await;
    look_at(&browser, "link-wrong").await;

    let code = television.1["user_code"].as_str().expect("a code");
    browser.fill("#code", &code.to_lowercase().replace('-', " ")).await;
    browser.follow("form[action=\"/link\"] button").await;
    assert_eq!(browser.text("p.user-code").await, code);
    // Neither answer is one that a key which was meant for something else gives.
    assert_eq!(browser.evaluate("document.activeElement.tagName").await, "BODY");
    look_at(&browser, "link-confirm").await;
    browser.follow("button[value=approve]").await;
    assert_eq!(browser.text("h1").await, "Go back to your other device");
    look_at(&browser, "link-allowed").await;
    let tokens = poll(&setting, &television).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text());
    assert_eq!(setting.homeserver.devices("alice"), ["TELEVISION"]);
    assert_no_complaints(&browser, "letting a television in").await;
}

#[tokio::test]
async fn a_person_follows_the_link_of_a_stranger_and_declines() {
    let setting = Setting::new().await;
    let hostile =
        "\"'><script>document.title='mine'</script>\u{202e}Rechtsschutzversicherungsgesellschaft".repeat(2);
    let strangers = television(&setting, &hostile).await;
    let browser = Browser::start(Options { javascript: false, ..Options::default() }).await;
    browser.goto(strangers.1["verification_uri_complete"].as_str().expect("a URL")).await;
    sign_in(&browser, PASSWORD).await;
    read(&browser, "Sign in another device?").await;
    browser.set_javascript(true).await;
    assert_eq!(browser.evaluate("document.title").await, "Sign in another device - example.org");
    look_at(&browser, "link-confirm-hostile").await;
    browser.set_javascript(false).await;
    browser.follow("button[value=deny]").await;
    browser.set_javascript(true).await;
    look_at(&browser, "link-denied").await;
    assert_eq!(poll(&setting, &strangers).await.error(), "access_denied");
    assert!(setting.homeserver.devices("alice").is_empty());
}
