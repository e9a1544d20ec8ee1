//! Signed texts that strangers send: client assertions, the keys they are checked with, ID tokens that come
//! back. They go through the whole server, signed with the right key or with none.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use gatehouse::config::Limit;
use gatehouse::keys::{self, SigningKey};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{fuzz, text};
use crate::private_key_jwt;
use crate::support::server::{Answer, Engine, PUBLIC_BASE, REDIRECT_URI, Server, authorization_query};

/// Each input is a few requests with a signature.
const EXECUTIONS: usize = 1_000;

/// A server with a client that signs, and whatever else its inputs need.
struct World {
    runtime: Runtime,
    server: Server,
    client: String,
    key: SigningKey,
    /// Makes what must differ with each input differ.
    number: Cell<u64>,
}

impl World {
    fn new() -> World {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (server, client, key) = runtime.block_on(async {
            let server = Server::start_with(Engine::Sqlite, |config| {
                let limit = Limit { burst: u32::MAX, per_hour: u32::MAX };
                config.rate_limits.client_registration_per_address = limit;
                config.rate_limits.client_secret_per_client = limit;
            })
            .await;
            server.user("alice").await;
            let (client, key) = private_key_jwt::client(&server).await;
            (server, client, key)
        });
        World { runtime, server, client, key, number: Cell::new(0) }
    }

    /// The input with what only this run knows.
    fn filled(&self, input: &str) -> String {
        let number = self.number.replace(self.number.get() + 1);
        let now = self.server.app.clock.now().as_seconds();
        let filled = input.replace("{client}", &self.client).replace("{base}", PUBLIC_BASE);
        filled
            .replace("{now}", &now.to_string())
            .replace("{soon}", &(now + 60).to_string())
            .replace("{new}", &number.to_string())
    }

    fn introspect(&self, assertion: &str) -> Answer {
        self.runtime.block_on(private_key_jwt::introspect(&self.server, assertion))
    }
}

fn assert_refused(answer: &Answer) {
    assert!(matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST), "{}", answer.text());
    assert!(["invalid_client", "invalid_request"].contains(&answer.error().as_str()), "{}", answer.text());
}

/// A header and claims in two lines: with the client's signature, an assertion is taken if its claims are those
/// of RFC 7523 §3, and once; with any other, never.
#[test]
fn client_assertions() {
    let world = World::new();
    let used = RefCell::new(BTreeSet::new());
    fuzz!("client_assertions", EXECUTIONS, |input: &[u8]| {
        let input = world.filled(&text(input));
        let (header, claims) = input.split_once('\n').unwrap_or((&input, ""));
        let unsigned = format!("{}.{}", keys::base64url(header), keys::base64url(claims));
        for forged in [
            input.clone(),
            unsigned.clone(),
            format!("{unsigned}."),
            format!("{unsigned}.{}", keys::base64url([7; 64])),
        ] {
            assert_refused(&world.introspect(&forged));
        }
        let Ok(claims) = serde_json::from_str::<Value>(claims) else { return };
        let assertion = world.key.sign_jwt(&claims).expect("a signature");
        let answer = world.introspect(&assertion);
        if answer.status != StatusCode::OK {
            return assert_refused(&answer);
        }
        assert_eq!(
            (&claims["iss"], &claims["sub"]),
            (&json!(world.client), &json!(world.client)),
            "{claims}"
        );
        let (exp, now) =
            (claims["exp"].as_f64().expect("a number"), world.server.app.clock.now().as_seconds() as f64);
        assert!(exp > now - 31.0 && exp <= now + 630.0, "{claims}");
        assert!(
            claims["nbf"].is_null() || claims["nbf"].as_f64().is_some_and(|nbf| nbf <= now + 30.0),
            "{claims}"
        );
        let audiences = claims["aud"].as_array().cloned().unwrap_or_else(|| vec![claims["aud"].clone()]);
        assert!(
            audiences.iter().any(|aud| aud
                .as_str()
                .is_some_and(|aud| aud.starts_with(PUBLIC_BASE.trim_end_matches('/'))))
        );
        let jti = claims["jti"].as_str().expect("a text").to_owned();
        assert!(!jti.is_empty() && used.borrow_mut().insert(jti), "used again: {claims}");
        assert_refused(&world.introspect(&assertion));
    });
    assert!(!used.borrow().is_empty(), "no assertion is good");
}

/// A set of keys: refused, or registered, and then no assertion that another key has signed is believed.
#[test]
fn client_keys() {
    let (world, registered) = (World::new(), Cell::new(0));
    fuzz!("client_keys", EXECUTIONS, |input: &[u8]| {
        let input = world.filled(&text(input));
        let Ok(jwks) = serde_json::from_str::<Value>(&input) else { return };
        let metadata = json!({
            "client_uri": "https://example.com/", "redirect_uris": [REDIRECT_URI],
            "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks,
        });
        let answer = world.runtime.block_on(world.server.post_json("/oauth2/registration", &metadata));
        if answer.status != StatusCode::CREATED {
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
            return assert_eq!(answer.error(), "invalid_client_metadata");
        }
        assert!(jwks["keys"].as_array().is_some_and(|keys| !keys.is_empty()), "{jwks}");
        registered.set(registered.get() + 1);
        let client = answer.json()["client_id"].as_str().expect("a client_id").to_owned();
        let claims = private_key_jwt::claims(&world.server, &client, json!({}));
        // In the words of the set: its names of keys and of algorithms.
        for key in jwks["keys"].as_array().into_iter().flatten() {
            let assertion = world.key.sign_jwt(&claims).expect("a signature");
            let (_, rest) = assertion.split_once('.').expect("a header");
            for alg in [key["alg"].as_str().unwrap_or("ES256"), "RS256", "HS256", "none"] {
                let header = json!({ "alg": alg, "kid": key["kid"] });
                assert_refused(&world.introspect(&format!("{}.{rest}", keys::base64url(header.to_string()))));
            }
        }
    });
    assert!(registered.get() > 0, "no set of keys is good");
}

/// The claims of a JWT. As an `id_token_hint`, one that we have signed names a person of ours or nobody; any
/// other is refused, and ends no session.
#[test]
fn id_token_hints() {
    let (world, believed) = (World::new(), Cell::new(0));
    let client = world.runtime.block_on(world.server.client());
    let cookies = world.runtime.block_on(async { world.server.signed_in("alice").await.cookies });
    let encode = |pairs: &[(&str, &str)]| {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    };
    let ask = |path: &str| {
        let mut browser = world.server.browser();
        browser.cookies = cookies.clone();
        world.runtime.block_on(browser.get(path))
    };
    fuzz!("id_token_hints", EXECUTIONS, |input: &[u8]| {
        let input = world.filled(&text(input)).replace("{app}", &client);
        let (header, claims) = input.split_once('\n').unwrap_or((&input, ""));
        let forged =
            format!("{}.{}.{}", keys::base64url(header), keys::base64url(claims), keys::base64url([7; 64]));
        let mut hints = vec![(input.clone(), false), (forged, false)];
        if let Ok(claims) = serde_json::from_str::<Value>(claims) {
            let keys = world.server.app.keys.current();
            let key = keys
                .signing_key(gatehouse::keys::Algorithm::Es256, world.server.app.clock.now())
                .expect("a key");
            hints.push((key.sign_jwt(&claims).expect("a signature"), true));
        }
        for (hint, is_signed) in hints.into_iter().filter(|(hint, _)| !hint.is_empty()) {
            let query = authorization_query(&client, "openid", &[("id_token_hint", &hint)]);
            let begun = ask(&format!("/authorize?{query}"));
            if begun.status == StatusCode::BAD_REQUEST {
                // Something in it is no parameter at all.
                assert!(!is_signed, "{}", begun.text());
            } else if !begun.location().starts_with("/authorize/") {
                assert_eq!(begun.query_parameter("error").as_deref(), Some("invalid_request"));
            } else {
                assert!(is_signed, "{hint} was believed");
                believed.set(believed.get() + 1);
            }
            let out = ask(&format!(
                "/end-session?{}",
                encode(&[("id_token_hint", &hint), ("post_logout_redirect_uri", REDIRECT_URI)])
            ));
            assert!(matches!(out.status, StatusCode::OK | StatusCode::BAD_REQUEST), "{}", out.status);
            assert_eq!(ask("/account/").status, StatusCode::OK, "{hint} signed alice out");
        }
    });
    assert!(believed.get() > 0, "no hint is good");
}
