//! What older Matrix clients send to log in.

use gatehouse::compat::error::Error;
use gatehouse::compat::redirect_url::RedirectUrl;
use gatehouse::compat::request::{self, Login};
use url::Url;

use super::{fuzz, text};

/// What is read as a login names a device that homeservers take, holds no NUL, and is JSON.
#[test]
fn login_bodies() {
    fuzz!("login_bodies", |input: &[u8]| {
        let is_json = serde_json::from_slice::<serde_json::Value>(input).is_ok();
        let body = match request::read(Ok(input.to_vec().into())) {
            Ok(body) => body,
            Err(Error::NotJson) => return assert!(!is_json),
            Err(error) => return assert!(is_json && matches!(error, Error::BadJson(_)), "{error:?}"),
        };
        let Ok((login, wanted)) = request::login(&body) else { return };
        assert!(body.is_object() && body["type"].is_string());
        if let Some(id) = &wanted.device_id {
            assert!((1..=255).contains(&id.0.chars().count()) && !id.0.contains('\0'), "{id}");
        }
        let is_known =
            ["m.login.password", "m.login.token"].contains(&body["type"].as_str().unwrap_or_default());
        assert_eq!(matches!(login, Login::Password(_) | Login::Token { .. }), is_known);
        // Written again, it says the same.
        let again = request::read(Ok(body.to_string().into())).expect("JSON");
        assert_eq!(request::login(&again).expect("a login"), (login, wanted));
    });
}

/// Where a login token is brought: to the place that the text names, with all else that stood in it, and with
/// no other token.
#[test]
fn sso_redirect_urls() {
    fuzz!("sso_redirect_urls", |input: &[u8]| {
        let sent = text(input);
        let Some(url) = RedirectUrl::parse(&sent) else { return };
        assert!(sent.bytes().all(|b| b.is_ascii_graphic()) && !sent.contains(['\\', '<', '"']), "{sent:?}");
        let led_to = url.with_login_token("T0-_");
        assert!(http::HeaderValue::from_str(&led_to).is_ok());
        let (before, after) = (Url::parse(&sent).expect("a URL"), Url::parse(&led_to).expect("a URL"));
        assert!(after.username().is_empty() && after.password().is_none(), "{led_to:?}");
        assert!(!["javascript", "data", "vbscript", "blob", "file"].contains(&after.scheme()), "{led_to:?}");
        assert_eq!(
            (before.scheme(), before.host(), before.port(), before.path(), before.fragment()),
            (after.scheme(), after.host(), after.port(), after.path(), after.fragment()),
        );
        let pairs = |url: &Url| -> Vec<(String, String)> {
            url.query_pairs().into_owned().filter(|(name, _)| name != "loginToken").collect()
        };
        assert_eq!(pairs(&before), pairs(&after), "{led_to:?}");
        let tokens: Vec<String> = after
            .query_pairs()
            .filter(|(name, _)| name == "loginToken")
            .map(|(_, value)| value.into_owned())
            .collect();
        assert_eq!(tokens, ["T0-_"], "{led_to:?}");
        // What the browser is allowed to be led to is what it is led to.
        let allowed = url.form_action.as_str();
        assert!(
            allowed.starts_with(&format!("{}:", after.scheme())) && !allowed.contains([' ', ';', ',', '*'])
        );
    });
}
