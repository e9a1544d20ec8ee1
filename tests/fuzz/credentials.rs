//! What is shown to prove something: tokens, secrets, cookies, PKCE.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatehouse::clients::user_code::UserCode;
use gatehouse::http::cookies::{Cookies, Which};
use gatehouse::http::form::Parameters;
use gatehouse::http::headers::bearer;
use gatehouse::keys::{self, Family, TokenKind};
use gatehouse::oauth::client_auth::Credentials;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use url::Url;

use super::{fuzz, headers, text, two_texts};

/// What has the form of a token has every byte of it, and tells one kind and one family.
#[test]
fn tokens() {
    fuzz!("tokens", |input: &[u8]| {
        let token = text(input);
        let Some(kind) = TokenKind::of(&token) else { return };
        assert!(TokenKind::is_claimed_by(&token));
        assert!(token.len() == 55 && token.bytes().all(|b| b == b'_' || b.is_ascii_graphic()), "{token:?}");
        assert!(token.starts_with(if kind == TokenKind::Access { "gha_" } else { "ghr_" }));
        let family = Family::of(&token).expect("a family");
        assert!(Family::of(&family.random_token(kind)) == Some(family));
    });
}

/// What is taken for the code of a device is one code, however it was typed.
#[test]
fn user_codes() {
    fuzz!("user_codes", |input: &[u8]| {
        let typed = text(input);
        let Some(code) = UserCode::parse(&typed) else { return };
        let shown = code.to_string();
        assert!(shown.len() == 9 && shown.bytes().all(|b| b == b'-' || b.is_ascii_uppercase()), "{shown:?}");
        let letters: String = typed.chars().filter(|c| c.is_alphanumeric()).collect();
        assert_eq!(letters.to_ascii_uppercase(), shown.replace('-', ""));
        assert!(UserCode::parse(&shown) == Some(code));
    });
}

/// Only one way of writing bytes is read: a secret with another spelling is another secret.
#[test]
fn base64url() {
    fuzz!("base64url", |input: &[u8]| {
        let text = text(input);
        if let Some(bytes) = keys::from_base64url(&text) {
            assert_eq!(keys::base64url(bytes), text);
        }
        assert_eq!(keys::from_base64url(&keys::base64url(input)).as_deref(), Some(input));
    });
}

/// Credentials of a client in header and form: one kind, a name, no NUL; and what a client encodes as
/// it should is read as it meant.
#[test]
fn client_credentials() {
    fuzz!("client_credentials", |input: &[u8]| {
        let (header, body) = two_texts(input);
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(&header) {
            headers.insert(AUTHORIZATION, value);
        }
        let Ok(mut form) = Parameters::parse(body.as_bytes()) else { return };
        let asked = form.get("client_id").map(str::to_owned);
        let has_secret = form.get("client_secret").is_some();
        if let Ok(found) = Credentials::read(&headers, &mut form) {
            assert_eq!(form.get("client_secret"), None, "the secret was left in the form");
            match found {
                None => assert!(asked.is_none() && !headers.contains_key(AUTHORIZATION)),
                Some(found) => {
                    assert!(!found.client_id.0.is_empty() && !found.client_id.0.contains('\0'));
                    assert!(asked.is_none_or(|asked| asked == found.client_id.0));
                    assert_eq!(found.has_proof(), has_secret || headers.contains_key(AUTHORIZATION));
                }
            }
        }
        let encoded: String = url::form_urlencoded::byte_serialize(body.as_bytes()).collect();
        let basic = format!("Basic {}", STANDARD.encode(format!("{encoded}:{encoded}")));
        let headers = [(AUTHORIZATION, HeaderValue::try_from(basic).unwrap())].into_iter().collect();
        match Credentials::read(&headers, &mut Parameters::default()) {
            Ok(found) => assert_eq!(found.expect("credentials").client_id.0, body),
            Err(_) => assert!(body.is_empty() || body.contains('\0')),
        }
    });
}

/// A bearer token is part of its header, and nothing around it.
#[test]
fn bearer_tokens() {
    fuzz!("bearer_tokens", |input: &[u8]| {
        let Ok(value) = HeaderValue::from_bytes(input) else { return };
        let headers: HeaderMap = [(AUTHORIZATION, value)].into_iter().collect();
        if let Some(token) = bearer(&headers) {
            assert!(!token.is_empty() && token == token.trim());
            assert!(text(input).to_ascii_lowercase().starts_with("bearer ") && text(input).contains(token));
        }
    });
}

/// A cookie is 32 bytes in the one spelling that we set, under the name that browsers protect.
#[test]
fn cookies() {
    let ours = Cookies::new(&Url::parse("https://auth.example.org/").unwrap());
    fuzz!("cookies", |input: &[u8]| {
        let lines = text(input);
        let headers = headers(&lines);
        for (which, name) in
            [(Which::Browser, "__Host-gatehouse_browser"), (Which::Session, "__Host-gatehouse_session")]
        {
            if let Some(value) = ours.read(&headers, which) {
                assert_eq!(value.len(), 43);
                assert!(value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
                assert!(lines.contains(name));
            }
        }
    });
}
