//! Signing in a device that has no browser of its own: what its client is told (RFC 8628 §3.1, §3.2, §3.4,
//! §3.5; MSC4341). What the person sees is in `link.rs`.

use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::accounts::users;
use gatehouse::ids::UserId;
use gatehouse::keys;
use gatehouse::work;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::server::{Answer, Browser, Engine, Server, Tokens, matrix_scope, on_both_engines};

pub const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// A device that is named by its Curve25519 key, as in sign-in by QR code.
const KEY: &str = "wjLpTLRqbqBzLs63aYaEv2Boi6cFEbbM/sSRQ+oAKk4";

/// Registers a client as apps for phones and televisions do: its `client_id`.
pub async fn device_client(server: &Server) -> String {
    let members = json!({ "grant_types": [DEVICE_CODE, "refresh_token"], "redirect_uris": [] });
    server.client_with(members).await["client_id"].as_str().expect("a client_id").to_owned()
}

/// A sign-in that has begun.
pub struct Begun {
    pub client: String,
    pub device_code: String,
    pub user_code: String,
    /// The path of `verification_uri_complete`.
    pub path: String,
}

impl Begun {
    pub async fn new(server: &Server, client: &str, scope: &str) -> Begun {
        let answer = server.post("/oauth2/device", &[("client_id", client), ("scope", scope)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let text = |key: &str| answer.json()[key].as_str().expect("a text").to_owned();
        let base = server.config.http.public_base.origin().ascii_serialization();
        let path = text("verification_uri_complete").replace(&base, "");
        Begun {
            client: client.to_owned(),
            device_code: text("device_code"),
            user_code: text("user_code"),
            path,
        }
    }

    pub async fn poll(&self, server: &Server) -> Answer {
        self.poll_as(server, &self.client).await
    }

    pub async fn poll_as(&self, server: &Server, client: &str) -> Answer {
        let form = [("grant_type", DEVICE_CODE), ("device_code", &self.device_code), ("client_id", client)];
        server.post("/oauth2/token", &form).await
    }

    /// Has somebody answer on the page.
    pub async fn answer(&self, browser: &mut Browser<'_>, answer: &str) -> Answer {
        let page = browser.get(&self.path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        let csrf = page.field("csrf");
        browser.post("/link", &[("csrf", &csrf), ("code", &self.user_code), ("answer", answer)]).await
    }

    /// Has somebody say yes, and gets the tokens.
    async fn tokens(&self, server: &Server, browser: &mut Browser<'_>) -> Tokens {
        assert_eq!(self.answer(browser, "approve").await.location(), "/link?result=allowed");
        let answer = self.poll(server).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        Tokens::from(answer.json())
    }
}

/// A server with alice, and a device that has begun.
pub async fn begun(engine: Engine) -> (Server, UserId, Begun) {
    let server = Server::start(engine).await;
    let alice = server.user("alice").await.id;
    let client = device_client(&server).await;
    let begun = Begun::new(&server, &client, &matrix_scope("DEVICE0001")).await;
    (server, alice, begun)
}

#[track_caller]
fn assert_refused(answer: &Answer, code: &str) {
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (StatusCode::BAD_REQUEST, code),
        "{}",
        answer.text()
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
}

on_both_engines! {
    async fn a_device_is_told_its_codes_and_where_to_go(engine: Engine) {
        let server = Server::start(engine).await;
        let client = device_client(&server).await;
        let answer = server.post("/oauth2/device", &[("client_id", &client), ("scope", &matrix_scope(KEY))]).await;
        assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"));
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let told = answer.json();
        let code = told["user_code"].as_str().unwrap();
        let is_letter = |c: char| "BCDFGHJKLMNPQRSTVWXZ".contains(c);
        assert!(code.len() == 9 && code.chars().enumerate().all(|(at, c)| if at == 4 { c == '-' } else { is_letter(c) }));
        assert!(told["device_code"].as_str().unwrap().len() >= 43);
        assert_eq!(told["verification_uri"], "https://auth.example.org/link");
        assert_eq!(told["verification_uri_complete"], format!("https://auth.example.org/link?code={code}"));
        assert_eq!((&told["expires_in"], &told["interval"]), (&json!(1200), &json!(5)));
        let document = server.get("/.well-known/openid-configuration").await.json();
        assert_eq!(document["device_authorization_endpoint"], "https://auth.example.org/oauth2/device");
        assert!(document["grant_types_supported"].as_array().unwrap().contains(&json!(DEVICE_CODE)));
    }

    async fn a_person_says_yes_and_the_device_is_signed_in(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = device_client(&server).await;
        // As most clients spell it today.
        let scope = format!("urn:matrix:org.matrix.msc2967.client:api:* urn:matrix:org.matrix.msc2967.client:device:{KEY}");
        let begun = Begun::new(&server, &client, &scope).await;
        let mut browser = server.signed_in("alice").await;
        assert_refused(&begun.poll(&server).await, "authorization_pending");
        browser.get(&begun.path).await;
        assert!(server.homeserver.devices("alice").is_empty(), "nothing is made before the person says yes");
        assert_eq!(begun.answer(&mut browser, "approve").await.location(), "/link?result=allowed");
        assert!(server.homeserver.devices("alice").is_empty(), "nor before the device has asked again");

        let answer = begun.poll(&server).await;
        assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"));
        // The other device of the person looks for it the moment this one says that it is signed in.
        assert_eq!(server.homeserver.devices("alice"), [KEY]);
        let tokens = Tokens::from(answer.json());
        assert_eq!(tokens.answer["scope"], scope.as_str());
        assert!(server.is_active(&tokens.access).await);
        assert_eq!(server.introspect(&tokens.access).await["device_id"], KEY);
        let next = server.refresh(&client, &tokens.refresh).await;
        assert_eq!(next.status, StatusCode::OK, "{}", next.text());
        assert_refused(&begun.poll(&server).await, "invalid_grant");
        server.run_jobs().await;
        assert!(server.is_active(next.json()["access_token"].as_str().unwrap()).await, "a second poll harms nothing");
    }

    async fn a_person_says_no_and_that_is_final(engine: Engine) {
        let (server, _, begun) = begun(engine).await;
        let mut browser = server.signed_in("alice").await;
        let page = browser.get(&begun.path).await;
        assert_eq!(begun.answer(&mut browser, "deny").await.location(), "/link?result=denied");
        assert_refused(&begun.poll(&server).await, "access_denied");
        let csrf = page.field("csrf");
        let late = browser.post("/link", &[("csrf", &csrf), ("code", &begun.user_code), ("answer", "approve")]).await;
        assert_eq!(late.status, StatusCode::BAD_REQUEST);
        server.advance(Duration::from_secs(1300));
        assert_refused(&begun.poll(&server).await, "access_denied");
        assert!(server.homeserver.devices("alice").is_empty());
    }

    async fn who_polls_too_fast_is_slowed_down(engine: Engine) {
        let (server, _, begun) = begun(engine).await;
        let after = async |milliseconds: u64, expected: &str| {
            server.advance(Duration::from_millis(milliseconds));
            assert_refused(&begun.poll(&server).await, expected);
        };
        after(0, "authorization_pending").await;
        after(4000, "authorization_pending").await;
        after(3999, "slow_down").await;
        // From now on ten seconds.
        after(8999, "slow_down").await;
        // From now on fifteen.
        after(14_000, "authorization_pending").await;
        after(14_000, "authorization_pending").await;
        after(0, "slow_down").await;
        // Other devices do not pay for that; and once there is an answer, it is told.
        let other = Begun::new(&server, &begun.client, "openid").await;
        assert_refused(&other.poll(&server).await, "authorization_pending");
        begun.tokens(&server, &mut server.signed_in("alice").await).await;
    }

    async fn the_codes_live_for_twenty_minutes_to_the_second(engine: Engine) {
        let (server, _, first) = begun(engine).await;
        let second = Begun::new(&server, &first.client, &matrix_scope("DEVICE0002")).await;
        let third = Begun::new(&server, &first.client, &matrix_scope("DEVICE0003")).await;
        server.advance(Duration::from_secs(1199));
        let mut browser = server.signed_in("alice").await;
        first.tokens(&server, &mut browser).await;
        let page = browser.get(&third.path).await;
        assert_eq!(second.answer(&mut browser, "approve").await.location(), "/link?result=allowed");
        assert_refused(&third.poll(&server).await, "authorization_pending");
        server.advance(Duration::from_secs(1));
        for late in [&second, &third] {
            assert_refused(&late.poll(&server).await, "expired_token");
            assert_eq!(browser.get(&late.path).await.status, StatusCode::BAD_REQUEST);
        }
        let csrf = page.field("csrf");
        let form = [("csrf", csrf.as_str()), ("code", third.user_code.as_str()), ("answer", "approve")];
        assert_eq!(browser.post("/link", &form).await.status, StatusCode::BAD_REQUEST);
        assert_refused(&third.poll(&server).await, "expired_token");
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);
        // What is over is told for a day, and forgotten.
        server.advance(Duration::from_secs(86_400));
        work::sweep(&server.app).await.unwrap();
        assert_refused(&third.poll(&server).await, "expired_token");
        server.advance(Duration::from_secs(1));
        work::sweep(&server.app).await.unwrap();
        assert_refused(&third.poll(&server).await, "invalid_grant");
    }

    async fn of_many_redemptions_at_once_one_succeeds(engine: Engine) {
        for scope in [matrix_scope("DEVICE0001"), "openid".to_owned()] {
            let server = Server::start(engine).await;
            server.user("alice").await;
            let begun = Begun::new(&server, &device_client(&server).await, &scope).await;
            begun.answer(&mut server.signed_in("alice").await, "approve").await;
            let answers = join_all((0..5).map(|_| begun.poll(&server))).await;
            let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == StatusCode::OK);
            assert_eq!(good.len(), 1);
            bad.iter().for_each(|answer| assert_refused(answer, "invalid_grant"));
            server.run_jobs().await;
            assert!(server.is_active(good[0].json()["access_token"].as_str().unwrap()).await);
            assert_eq!(server.homeserver.devices("alice").len(), usize::from(scope != "openid"));
        }
    }

    async fn of_yes_and_no_at_once_one_counts(engine: Engine) {
        let (server, _, first) = begun(engine).await;
        for round in 0..4 {
            let begun = match round {
                0 => Begun { path: first.path.clone(), user_code: first.user_code.clone(), device_code: first.device_code.clone(), client: first.client.clone() },
                round => Begun::new(&server, &first.client, &matrix_scope(&format!("ROUND{round}"))).await,
            };
            let (mut one, mut other) = (server.signed_in("alice").await, server.signed_in("alice").await);
            let csrf = [one.get(&begun.path).await.field("csrf"), other.get(&begun.path).await.field("csrf")];
            let form = |csrf, answer| [("csrf", csrf), ("code", begun.user_code.as_str()), ("answer", answer)];
            let (yes, no) = (form(csrf[0].as_str(), "approve"), form(csrf[1].as_str(), "deny"));
            let (yes, no) = tokio::join!(one.post("/link", &yes), other.post("/link", &no));
            let polled = begun.poll(&server).await;
            match yes.status {
                StatusCode::SEE_OTHER => {
                    assert_eq!((no.status, polled.status), (StatusCode::BAD_REQUEST, StatusCode::OK));
                }
                _ => {
                    assert_eq!((yes.status, no.location()), (StatusCode::BAD_REQUEST, "/link?result=denied"));
                    assert_refused(&polled, "access_denied");
                }
            }
        }
    }

    async fn a_code_is_good_for_its_client_alone_and_not_as_anything_else(engine: Engine) {
        let (server, _, begun) = begun(engine).await;
        let other = server.client_with(json!({ "client_name": "Other", "grant_types": [DEVICE_CODE] })).await;
        let other = other["client_id"].as_str().unwrap();
        assert_refused(&begun.poll_as(&server, other).await, "invalid_grant");
        begun.answer(&mut server.signed_in("alice").await, "approve").await;
        assert_refused(&begun.poll_as(&server, other).await, "invalid_grant");
        for code in [begun.user_code.as_str(), "", "x"] {
            let form = [("grant_type", DEVICE_CODE), ("device_code", code), ("client_id", &begun.client)];
            let expected = if code.is_empty() { "invalid_request" } else { "invalid_grant" };
            assert_refused(&server.post("/oauth2/token", &form).await, expected);
        }
        let form = [("grant_type", "refresh_token"), ("refresh_token", &begun.device_code), ("client_id", &begun.client)];
        assert_refused(&server.post("/oauth2/token", &form).await, "invalid_grant");
        assert!(!server.is_active(&begun.device_code).await);
        assert_eq!(begun.poll(&server).await.status, StatusCode::OK);
    }

    async fn only_clients_that_registered_the_grant_may_begin(engine: Engine) {
        let server = Server::start(engine).await;
        let ask = async |form: &[(&str, &str)]| {
            let answer = server.post("/oauth2/device", form).await;
            (answer.status.as_u16(), answer.error())
        };
        let without = server.client().await;
        let refused = (400, "unauthorized_client".to_owned());
        assert_eq!(ask(&[("client_id", &without), ("scope", "openid")]).await, refused);
        let form = [("grant_type", DEVICE_CODE), ("device_code", "x"), ("client_id", &without)];
        assert_refused(&server.post("/oauth2/token", &form).await, "unauthorized_client");
        assert_eq!(ask(&[("client_id", "nobody"), ("scope", "openid")]).await, (401, "invalid_client".to_owned()));
        // A client with a secret shows it at both endpoints.
        let web = server.client_with(json!({ "grant_types": [DEVICE_CODE], "token_endpoint_auth_method": "client_secret_post" })).await;
        let text = |key: &str| web[key].as_str().unwrap().to_owned();
        let (id, secret) = (text("client_id"), text("client_secret"));
        let named = [("client_id", id.as_str()), ("scope", "openid")];
        assert_eq!(ask(&named).await, (401, "invalid_client".to_owned()));
        let answer = server.post("/oauth2/device", &[named[0], named[1], ("client_secret", &secret)]).await;
        assert_eq!(answer.status, StatusCode::OK);
        let code = answer.json()["device_code"].as_str().unwrap().to_owned();
        let poll = [("grant_type", DEVICE_CODE), ("device_code", code.as_str()), named[0]];
        assert_eq!(server.post("/oauth2/token", &poll).await.error(), "invalid_client");
        let poll = [poll[0], poll[1], poll[2], ("client_secret", &secret)];
        assert_refused(&server.post("/oauth2/token", &poll).await, "authorization_pending");
    }

    async fn an_account_that_is_locked_or_over_gets_no_device(engine: Engine) {
        for change in ["lock", "deactivate", "remove the right"] {
            let (server, alice, begun) = begun(engine).await;
            let admins = format!("{} urn:synapse:admin:*", matrix_scope("DEVICE0002"));
            let begun = match change {
                "remove the right" => {
                    set(&server, alice, "add the right").await;
                    Begun::new(&server, &begun.client, &admins).await
                }
                _ => begun,
            };
            let later = Begun::new(&server, &begun.client, "openid").await;
            let mut browser = server.signed_in("alice").await;
            let page = browser.get(&later.path).await;
            assert_eq!(begun.answer(&mut browser, "approve").await.location(), "/link?result=allowed");
            set(&server, alice, change).await;
            assert_refused(&begun.poll(&server).await, "access_denied");
            assert!(server.homeserver.devices("alice").is_empty(), "{change}");
            if change != "remove the right" {
                let csrf = page.field("csrf");
                let form = [("csrf", csrf.as_str()), ("code", later.user_code.as_str()), ("answer", "approve")];
                assert!(browser.post("/link", &form).await.location().starts_with("/login?"), "{change}");
                assert_refused(&later.poll(&server).await, "authorization_pending");
            }
        }
    }

    async fn a_homeserver_that_is_down_costs_a_poll_and_not_the_code(engine: Engine) {
        let (server, _, begun) = begun(engine).await;
        begun.answer(&mut server.signed_in("alice").await, "approve").await;
        server.homeserver.answer_with(Some(StatusCode::SERVICE_UNAVAILABLE));
        let answer = begun.poll(&server).await;
        assert_eq!((answer.status, answer.error().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"));
        server.homeserver.answer_with(None);
        server.advance(Duration::from_secs(5));
        server.run_jobs().await;
        let answer = begun.poll(&server).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);
    }

    async fn a_device_that_wants_to_know_who_it_is_gets_an_id_token(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await.id;
        let client = device_client(&server).await;
        let begun = Begun::new(&server, &client, "openid").await;
        let mut browser = server.signed_in("alice").await;
        server.advance(Duration::from_secs(60));
        let tokens = begun.tokens(&server, &mut browser).await;
        let claims = tokens.answer["id_token"].as_str().unwrap().split('.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(&keys::from_base64url(claims).unwrap()).unwrap();
        assert_eq!(claims["sub"], alice.to_string());
        assert_eq!(claims["auth_time"], json!(server.app.clock.now().as_seconds() - 60));
        // The browser in which the person was asked is not where the client is.
        assert_eq!(claims["sid"], Value::Null);
        let hint = tokens.answer["id_token"].as_str().unwrap();
        assert_eq!(browser.get(&format!("/end-session?id_token_hint={hint}")).await.status, StatusCode::OK);
        assert_eq!(browser.get("/account/").await.status, StatusCode::OK, "nobody was signed out");
    }
}

async fn set(server: &Server, user: UserId, change: &str) {
    let now = server.app.clock.now();
    let mut tx = server.app.store.begin().await.unwrap();
    match change {
        "lock" => users::lock(&mut tx, user, now).await.unwrap(),
        "deactivate" => users::deactivate(&mut tx, user, false, now).await.unwrap(),
        right => drop(users::set_admin(&mut tx, user, right == "add the right", now).await.unwrap()),
    }
    tx.commit().await.unwrap();
}
