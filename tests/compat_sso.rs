//! Single sign-on for older Matrix clients (Matrix CS API, SSO client login; MSC3824): from the redirect to
//! the login token and what it is good for.

use std::time::Duration;

use gatehouse::accounts::users;
use gatehouse::store::query;
use http::StatusCode;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_SECURITY_POLICY};
use serde_json::{Value, json};

use crate::support::server::{Answer, Browser, Engine, PASSWORD, Server, Tokens, on_both_engines, parameter};

const APP: &str = "https://app.example.com/?x=1#/home";

fn encoded(url: &str) -> String {
    url::form_urlencoded::byte_serialize(url.as_bytes()).collect()
}

/// Begins as a client does; the local path at which the person is asked.
pub async fn begin(server: &Server, redirect_url: &str) -> String {
    let path = format!("/_matrix/client/v3/login/sso/redirect?redirectUrl={}", encoded(redirect_url));
    let answer = server.get(&path).await;
    let local = answer.location().strip_prefix("https://auth.example.org").expect("our own address");
    assert!(local.starts_with("/sso/"), "{local}");
    local.to_owned()
}

async fn answer(browser: &mut Browser<'_>, path: &str, what: &str) -> Answer {
    let csrf = browser.get(path).await.field("csrf");
    browser.post(path, &[("csrf", &csrf), ("answer", what)]).await
}

/// Allows a client that wants to be led to [`APP`]; the token that it gets.
pub async fn token(server: &Server, browser: &mut Browser<'_>) -> String {
    let path = begin(server, APP).await;
    let led = answer(browser, &path, "approve").await;
    let query = led.location().split_once('?').expect("a query").1.split_once('#').expect("a fragment").0;
    parameter(query, "loginToken").expect("a token")
}

pub async fn spend(server: &Server, token: &str, members: Value) -> Answer {
    let mut body = json!({ "type": "m.login.token", "token": token });
    for (key, value) in members.as_object().unwrap() {
        body[key] = value.clone();
    }
    server.matrix("login", &body).await
}

fn forbidden() -> (u16, String) {
    (403, "M_FORBIDDEN".to_owned())
}

on_both_engines! {
    async fn a_person_signs_in_and_allows_it(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let path = begin(&server, APP).await;
        let mut browser = server.browser();
        let first = browser.get(&path).await;
        assert_eq!(first.location(), format!("/login?next={}", encoded(&path)));
        let signed_in = browser.sign_in("alice", PASSWORD, &path).await;
        assert_eq!(signed_in.location(), path);
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::OK);
        for shown in ["app.example.com", "@alice:example.org", "https://app.example.com/?x=1#/home"] {
            assert!(page.text().contains(shown), "{shown}: {}", page.text());
        }
        let policy = page.header(CONTENT_SECURITY_POLICY);
        assert!(policy.contains("form-action 'self' https://app.example.com;"), "{policy}");
        let led = answer(&mut browser, &path, "approve").await;
        let target = led.location();
        assert!(target.starts_with("https://app.example.com/?x=1&loginToken=") && target.ends_with("#/home"), "{target}");
        assert_eq!(led.header("cache-control"), "no-store");

        let query = target.split_once('?').unwrap().1.split_once('#').unwrap().0;
        let token = parameter(query, "loginToken").unwrap();
        let wanted = json!({ "device_id": "my phone", "initial_device_display_name": "Phone", "refresh_token": true });
        let tokens = Tokens::from(spend(&server, &token, wanted).await.json());
        assert_eq!(tokens.answer["user_id"], json!("@alice:example.org"));
        assert_eq!(server.introspect(&tokens.access).await["device_id"], json!("my phone"));
        assert_eq!(server.homeserver.user("alice").unwrap().devices["my phone"].as_deref(), Some("Phone"));
        assert!(tokens.answer["expires_in_ms"].is_u64() && !tokens.refresh.is_empty());
    }

    async fn every_way_of_asking_leads_to_the_same_page(engine: Engine) {
        let server = Server::start(engine).await;
        for path in [
            "/_matrix/client/v3/login/sso/redirect",
            "/_matrix/client/r0/login/sso/redirect/",
            "/_matrix/client/unstable/login/sso/redirect/oidc-github",
        ] {
            for more in ["", "&action=login", "&action=register", "&action=dance", "&org.matrix.msc3824.action=register"] {
                let answer = server.get(&format!("{path}?redirectUrl=app%3A%2F%2Fx{more}")).await;
                assert!(answer.location().starts_with("https://auth.example.org/sso/"), "{path}{more}");
                assert!(!answer.headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "browsers go there, programs do not");
            }
        }
    }

    async fn the_token_goes_only_where_a_person_can_see_it_going(engine: Engine) {
        let server = Server::start(engine).await;
        for bad in [
            "", "redirectUrl=", "redirectUrl=%2Flogin", "redirectUrl=https%3A%2F%2Falice%40app.example.com%2F",
            "redirectUrl=https%3A%2F%2F", "redirectUrl=http%3A%2F%2F%2Fapp.example.com", "redirectUrl=javascript%3Aalert(1)",
            "redirectUrl=data%3Atext%2Fhtml%2Cx", "redirectUrl=https%3A%2F%2Fapp.example.com%2F%0d%0aX%3A+y",
            "redirectUrl=app%3A%2F%2Fx&redirectUrl=app%3A%2F%2Fy", "redirecturl=app%3A%2F%2Fx",
        ] {
            let answer = server.get(&format!("/_matrix/client/v3/login/sso/redirect?{bad}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{bad}");
            assert!(answer.header("content-type").starts_with("text/html"), "{bad}");
        }
    }

    async fn a_login_token_that_is_there_already_is_replaced(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let path = begin(&server, "app://x?loginToken=old&y=1").await;
        let led = answer(&mut browser, &path, "approve").await;
        let (start, token) = led.location().split_once("loginToken=").unwrap();
        assert_eq!(start, "app://x?y=1&");
        assert_eq!(spend(&server, token, json!({})).await.status, StatusCode::OK);
    }

    async fn a_token_is_good_once(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let token = token(&server, &mut browser).await;
        let (one, other) = tokio::join!(
            spend(&server, &token, json!({ "device_id": "ONE" })),
            spend(&server, &token, json!({ "device_id": "TWO" })),
        );
        let (good, bad) = if one.status == StatusCode::OK { (one, other) } else { (other, one) };
        assert_eq!(good.status, StatusCode::OK);
        assert_eq!(bad.refusal(), forbidden());
        assert_eq!(spend(&server, &token, json!({})).await.refusal(), forbidden());
        server.run_jobs().await;
        assert_eq!(server.homeserver.devices("alice").len(), 1, "the device of the other one is gone again");
    }

    async fn a_token_is_good_for_a_moment(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let (early, late) = (token(&server, &mut browser).await, token(&server, &mut browser).await);
        server.advance(Duration::from_millis(29_999));
        assert_eq!(spend(&server, &early, json!({})).await.status, StatusCode::OK);
        server.advance(Duration::from_millis(1));
        assert_eq!(spend(&server, &late, json!({})).await.refusal(), forbidden());
        gatehouse::work::sweep(&server.app).await.unwrap();
        assert_eq!(spend(&server, &late, json!({})).await.refusal(), forbidden());
    }

    async fn a_token_is_kept_while_the_homeserver_is_down(engine: Engine) {
        let mut server = Server::start(engine).await;
        server.user("alice").await;
        let token = token(&server, &mut server.signed_in("alice").await).await;
        server.homeserver.go_down().await;
        assert_eq!(spend(&server, &token, json!({})).await.refusal(), (503, "M_UNKNOWN".to_owned()));
        server.homeserver.come_back().await;
        assert_eq!(spend(&server, &token, json!({})).await.status, StatusCode::OK);
    }

    async fn a_token_is_no_other_thing(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let oauth = server.tokens("alice", &client, "LAPTOP").await;
        let mut browser = server.signed_in("alice").await;
        let code = browser.code(&client, "openid").await;
        for other in [&oauth.access, &oauth.refresh, &code, &server.homeserver.secret()] {
            assert_eq!(spend(&server, other, json!({})).await.refusal(), forbidden());
        }
        let token = token(&server, &mut browser).await;
        assert!(!server.is_active(&token).await);
        assert_eq!(server.matrix_with("logout", &token).await.refusal(), (401, "M_UNKNOWN_TOKEN".to_owned()));
        let refreshed = server.matrix("refresh", &json!({ "refresh_token": token })).await;
        assert_eq!(refreshed.refusal(), (401, "M_UNKNOWN_TOKEN".to_owned()));
        let stored = query("SELECT id FROM sso_logins WHERE token_digest = $1").bind(&token);
        assert!(stored.fetch_optional::<()>(&server.app.store).await.unwrap().is_none(), "a digest is stored");
        assert_eq!(spend(&server, &token, json!({})).await.status, StatusCode::OK);
    }

    async fn what_became_of_the_person_meanwhile_counts(engine: Engine) {
        let server = Server::start(engine).await;
        for (name, what, refusal) in [
            ("locked", "lock", (401, "M_USER_LOCKED")),
            ("gone", "deactivate", (403, "M_USER_DEACTIVATED")),
        ] {
            let user = server.user(name).await;
            let token = token(&server, &mut server.signed_in(name).await).await;
            let now = server.app.clock.now();
            let mut tx = server.app.store.begin().await.unwrap();
            match what {
                "lock" => users::lock(&mut tx, user.id, now).await.unwrap(),
                _ => users::deactivate(&mut tx, user.id, false, now).await.unwrap(),
            }
            tx.commit().await.unwrap();
            let refused = spend(&server, &token, json!({})).await;
            assert_eq!(refused.refusal(), (refusal.0, refusal.1.to_owned()));
        }
    }

    async fn a_person_may_say_no(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let path = begin(&server, APP).await;
        assert_eq!(answer(&mut browser, &path, "deny").await.location(), "/");
        assert_eq!(browser.get(&path).await.status, StatusCode::BAD_REQUEST, "it is over");
    }

    async fn a_request_is_answered_once_and_not_for_ever(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let path = begin(&server, APP).await;
        let csrf = browser.get(&path).await.field("csrf");
        let form = [("csrf", csrf.as_str()), ("answer", "approve")];
        assert_eq!(browser.post(&path, &form).await.status, StatusCode::SEE_OTHER);
        assert_eq!(browser.post(&path, &form).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(browser.get(&path).await.status, StatusCode::BAD_REQUEST);
        let path = begin(&server, APP).await;
        server.advance(Duration::from_secs(60 * 60));
        assert_eq!(browser.get(&path).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(browser.post(&path, &form).await.status, StatusCode::BAD_REQUEST);
        for nowhere in ["/sso/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/sso/x", "/sso/%00"] {
            assert_eq!(browser.get(nowhere).await.status, StatusCode::BAD_REQUEST, "{nowhere}");
        }
    }

    async fn only_a_form_of_ours_allows_it(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let path = begin(&server, APP).await;
        let strangers = server.browser().csrf().await;
        for csrf in ["", "x", strangers.as_str()] {
            let refused = browser.post(&path, &[("csrf", csrf), ("answer", "approve")]).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN);
        }
        let csrf = browser.csrf().await;
        assert_eq!(browser.post(&path, &[("csrf", &csrf)]).await.status, StatusCode::BAD_REQUEST, "no answer");
        let origin = [(http::header::ORIGIN, "https://evil.example")];
        let form = [("csrf", csrf.as_str()), ("answer", "approve")];
        let request = crate::support::server::form_request(&path, &origin, &form);
        assert_eq!(browser.send(request).await.status, StatusCode::FORBIDDEN);
        let mut nobody = server.browser();
        let csrf = nobody.csrf().await;
        let asked = nobody.post(&path, &[("csrf", &csrf), ("answer", "approve")]).await;
        assert!(asked.location().starts_with("/login?next="), "{}", asked.location());
        assert_eq!(browser.get(&path).await.status, StatusCode::OK, "it still waits");
    }

    async fn the_policy_is_asked_when_a_person_is_and_again_with_the_token(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            let limits = json!({ "sessions": { "soft_limit": 1, "hard_limit": 2 } });
            config.policy.data = limits.as_object().unwrap().clone();
        }).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let token = token(&server, &mut browser).await;
        for device in ["ONE", "TWO"] {
            server.logged_in("alice", device, json!({})).await;
        }
        assert_eq!(spend(&server, &token, json!({})).await.refusal(), (403, "M_USER_LIMIT_EXCEEDED".to_owned()));
        let path = begin(&server, APP).await;
        let full = browser.get(&path).await;
        assert_eq!(full.status, StatusCode::FORBIDDEN);
        assert!(full.text().contains("/account/sessions"), "{}", full.text());
    }

    async fn a_homeserver_that_is_down_is_told_to_the_person(engine: Engine) {
        let server = Server::start(engine).await;
        server.user_not_provisioned("alice").await;
        let mut browser = server.signed_in("alice").await;
        server.homeserver.answer_with(Some(StatusCode::BAD_GATEWAY));
        let path = begin(&server, APP).await;
        let told = answer(&mut browser, &path, "approve").await;
        assert_eq!(told.status, StatusCode::SERVICE_UNAVAILABLE);
        server.homeserver.answer_with(None);
        assert_eq!(answer(&mut browser, &path, "approve").await.status, StatusCode::SEE_OTHER, "nothing was lost");
    }
}

#[tokio::test]
async fn below_a_path_the_page_is_found_as_well() {
    let server = Server::start_with(Engine::Sqlite, |config| {
        config.http.public_base = "https://example.org/auth/".parse().unwrap();
    })
    .await;
    server.user("alice").await;
    // The proxy sends the homeserver's paths as they are.
    for prefix in ["", "/auth"] {
        let path = format!("{prefix}/_matrix/client/v3/login/sso/redirect?redirectUrl=app%3A%2F%2Fx");
        let begun = server.get(&path).await;
        let local = begun.location().strip_prefix("https://example.org").expect("our own address").to_owned();
        assert!(local.starts_with("/auth/sso/"), "{local}");
        let mut browser = server.browser();
        let asked = browser.get(&local).await;
        assert!(asked.location().starts_with("/auth/login?next=%2Fsso%2F"), "{}", asked.location());
    }
}
