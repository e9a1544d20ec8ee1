//! What clients say of themselves and ask for.

use gatehouse::clients::ClientMetadata;
use gatehouse::clients::redirect_uri::{is_same_or_below, may_register};
use gatehouse::clients::scope_words;
use gatehouse::http::form::{self, FormError, Parameters};
use gatehouse::http::visit::accepted;
use gatehouse::oauth::scope::{InvalidScope, Scope};
use http::HeaderValue;
use http::header::ACCEPT_LANGUAGE;
use serde_json::Value;

use super::{fuzz, text};

/// Each parameter is there once and without NUL, and encoding what was read gives the same again.
#[test]
fn parameters() {
    fuzz!("parameters", |input: &[u8]| {
        let pairs: Vec<_> = url::form_urlencoded::parse(input).collect();
        let (first, problems) = Parameters::parse_first(input);
        match Parameters::parse(input) {
            Err(error) => {
                assert_eq!(problems.first(), Some(&error));
                if let FormError::Repeated(name) = &error {
                    assert!(name.len() <= 40 && name.bytes().all(|b| b.is_ascii_graphic()), "{name:?}");
                }
            }
            Ok(_) => assert!(problems.is_empty()),
        }
        for (name, value) in &pairs {
            let found = first.get(name);
            assert!(found.is_none_or(|found| !found.is_empty() && !found.contains('\0')));
            if problems.is_empty() {
                assert_eq!(found.unwrap_or_default(), value);
            }
        }
        if problems.is_empty() {
            let borrowed: Vec<_> = pairs.iter().map(|(name, value)| (name.as_ref(), value.clone())).collect();
            let again = form::encode(&borrowed);
            assert!(url::form_urlencoded::parse(again.as_bytes()).eq(pairs.iter().cloned()));
            let uri = form::with_query("https://app.example.com/cb?k=%7e", &borrowed);
            assert!(
                uri.starts_with("https://app.example.com/cb?k=%7e&") && HeaderValue::from_str(&uri).is_ok()
            );
        }
    });
}

/// What is granted was asked for, survives the database, and names one device if it names the API.
#[test]
fn scopes() {
    fuzz!("scopes", |input: &[u8]| {
        let asked = text(input);
        let scope = match Scope::parse(&asked) {
            Ok(scope) => scope,
            Err(InvalidScope::Empty) => return,
            Err(error) => return assert!(!error.to_string().is_empty()),
        };
        let granted = scope.to_string();
        let tokens: Vec<&str> = asked.split(' ').collect();
        assert!(granted.split(' ').all(|token| tokens.contains(&token)), "{asked} -> {granted}");
        assert_eq!(scope.has_api(), scope.device_id().is_some());
        assert_eq!(Scope::stored(&granted), scope);
        assert_eq!(Scope::parse(&granted), Ok(scope.clone()));
        assert!(scope.covers(&granted));
        let both = Scope::parse(&scope.in_both_spellings()).expect("a scope");
        assert_eq!(both.device_id(), scope.device_id());
        assert!(scope.covers(&both.to_string()) && both.covers(&granted));
        let rows = scope_words::rows(&granted);
        assert!(granted.split(' ').all(|token| rows.iter().any(|row| row.exact.iter().any(|t| t == token))));
    });
}

/// Accepted metadata can be stored and read, shares the client's host, and gives no privileges.
#[test]
fn client_metadata() {
    fuzz!("client_metadata", |input: &[u8]| {
        let Ok(Value::Object(given)) = serde_json::from_slice(input) else { return };
        let metadata = match ClientMetadata::from_registration(&given) {
            Ok(metadata) => metadata,
            Err(error) => return assert!(!error.to_string().chars().any(char::is_control), "{error}"),
        };
        let stored = serde_json::to_value(&metadata).expect("JSON");
        assert_eq!(serde_json::from_value::<ClientMetadata>(stored).expect("metadata"), metadata);
        assert!(!metadata.is_trusted && metadata.access_token_lifetime_seconds.is_none());
        let client_uri = metadata.client_uri.as_ref().expect("required");
        let host = client_uri.host_str().expect("a host");
        for uri in [client_uri]
            .into_iter()
            .chain(&metadata.logo_uri)
            .chain(&metadata.tos_uri)
            .chain(&metadata.policy_uri)
        {
            assert_eq!(uri.scheme(), "https");
            assert!(is_same_or_below(uri.host_str().expect("a host"), host), "{uri}");
        }
        for uri in &metadata.redirect_uris {
            assert!(may_register(uri, metadata.application_type, Some(client_uri)), "{uri}");
        }
        assert!(metadata.client_name.is_none_or(|name| !name.chars().any(char::is_control)));
        assert!(metadata.localized.len() <= 100);
    });
}

/// Languages come from the header, at most twenty of them, without weights.
#[test]
fn accept_language() {
    fuzz!("accept_language", |input: &[u8]| {
        let Ok(value) = HeaderValue::from_bytes(input) else { return };
        let found = accepted(&[(ACCEPT_LANGUAGE, value)].into_iter().collect());
        assert!(found.len() <= 20);
        for tag in found {
            assert!(!tag.is_empty() && tag != "*" && !tag.contains([',', ';']) && tag == tag.trim());
            assert!(text(input).contains(&tag));
        }
    });
}
