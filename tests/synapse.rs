//! What a Matrix client sees of its homeserver when that is a real Synapse and Gatehouse stands beside it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gatehouse::accounts::users;
use gatehouse::config::{GrantType, RegistrationEmail, Secret, StaticClient, TokenEndpointAuthMethod};
use gatehouse::time::Clock;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::process::{Watched, free_port, new_folder};
use crate::support::running::{Remote, Running, http_client, send};
use crate::support::server::{
    Answer, Engine, PASSWORD, REDIRECT_URI, Tokens, authorization_query, matrix_scope, on_both_engines,
};
use crate::support::synapse::{Synapse, SynapseOptions};
use crate::synapse_account;

const SECRET: &str = "shared-by-the-two-for-this-test-alone";
/// A client that is known from the start, whose tokens are over soon.
const HASTY: &str = "hasty";
const HASTE: Duration = Duration::from_secs(15);

/// Gatehouse and a homeserver that delegates to it.
pub struct Pair {
    pub server: Running,
    synapse: Synapse,
}

/// A Matrix client that is signed in.
pub struct Session {
    pub client_id: String,
    pub tokens: Tokens,
}

impl Pair {
    /// Starts both; Gatehouse below a path.
    async fn start(engine: Engine, clock: Clock, path: &str, force_http2: bool) -> Pair {
        let port = free_port();
        let auth_endpoint = format!("http://127.0.0.1:{port}{path}");
        let options = SynapseOptions {
            server_name: "example.org".to_owned(),
            auth_endpoint: auth_endpoint.parse().expect("a URL"),
            secret: SECRET.to_owned(),
        };
        let synapse = Synapse::start_with(options, free_port(), |configuration| {
            configuration["matrix_authentication_service"]["force_http2"] = json!(force_http2);
        })
        .await;
        let server = Running::start(engine, port, clock, |config| {
            config.http.public_base = auth_endpoint.parse().expect("a URL");
            config.homeserver.server_name = "example.org".to_owned();
            config.homeserver.endpoint = synapse.base_url();
            config.homeserver.secret = Some(Secret::new(SECRET.to_owned()));
            config.clients.push(hasty_client());
            config.registration.enabled = true;
            config.registration.email = RegistrationEmail::NotAsked;
            config.captcha.work = 0;
        })
        .await;
        Pair { server, synapse }
    }

    pub async fn sign_in(&self, username: &str, device_id: &str) -> Session {
        let client_id = self.server.client(REDIRECT_URI, json!({})).await;
        self.sign_in_with(&client_id, username, &matrix_scope(device_id)).await
    }

    async fn sign_in_with(&self, client_id: &str, username: &str, scope: &str) -> Session {
        let tokens = signed_in(&self.server, client_id, username, scope).await;
        Session { client_id: client_id.to_owned(), tokens }
    }

    /// Refreshes the session's tokens.
    async fn refreshed(&self, session: &Session) -> Tokens {
        let answer = self.server.refresh(&session.client_id, &session.tokens.refresh).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        Tokens::from(answer.json())
    }

    /// Calls the homeserver as a client does.
    pub async fn call(&self, method: Method, path: &str, token: &str, body: Option<Value>) -> Answer {
        let url = self.synapse.base_url().join(path).expect("a path");
        let mut request = http_client().request(method, url).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        send(request).await
    }

    pub async fn who_am_i(&self, token: &str) -> Answer {
        self.call(Method::GET, "_matrix/client/v3/account/whoami", token, None).await
    }

    pub async fn assert_welcome(&self, token: &str) {
        let answer = self.who_am_i(token).await;
        assert_eq!(answer.status, StatusCode::OK, "{}; {}", answer.text(), self.synapse.log());
    }

    pub async fn assert_unknown(&self, token: &str) {
        let answer = self.who_am_i(token).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text());
        assert_eq!(answer.json()["errcode"], "M_UNKNOWN_TOKEN");
    }

    /// The person's devices, with their names.
    pub async fn devices(&self, token: &str) -> Vec<(String, Value)> {
        let answer = self.call(Method::GET, "_matrix/client/v3/devices", token, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let devices = answer.json()["devices"].as_array().expect("a list").clone();
        let id = |device: &Value| device["device_id"].as_str().expect("an id").to_owned();
        let mut devices: Vec<(String, Value)> =
            devices.iter().map(|device| (id(device), device["display_name"].clone())).collect();
        devices.sort_by(|one, other| one.0.cmp(&other.0));
        devices
    }

    async fn device_ids(&self, token: &str) -> Vec<String> {
        self.devices(token).await.into_iter().map(|(id, _)| id).collect()
    }

    /// What the homeserver tells us of a user.
    pub async fn user(&self, localpart: &str) -> Answer {
        let path = format!("_synapse/mas/query_user?localpart={localpart}");
        self.call(Method::GET, &path, SECRET, None).await
    }
}

/// Signs a person in with a client, from the authorization request to the tokens.
async fn signed_in(server: &Remote, client_id: &str, username: &str, scope: &str) -> Tokens {
    let back = server.visitor().allow(username, client_id, REDIRECT_URI, scope).await;
    assert!(back.location().starts_with(REDIRECT_URI), "{}", back.location());
    let code = back.query_parameter("code").unwrap_or_else(|| panic!("no code: {}", back.location()));
    let answer = server.exchange(client_id, REDIRECT_URI, &code).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    Tokens::from(answer.json())
}

fn hasty_client() -> StaticClient {
    StaticClient {
        client_id: HASTY.to_owned(),
        client_name: "Hasty".to_owned(),
        client_uri: None,
        redirect_uris: vec![REDIRECT_URI.to_owned()],
        post_logout_redirect_uris: Vec::new(),
        backchannel_logout_uri: None,
        backchannel_logout_session_required: false,
        token_endpoint_auth_method: TokenEndpointAuthMethod::None,
        client_secret: None,
        client_secret_file: None,
        jwks: None,
        jwks_uri: None,
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        scope: None,
        trusted: false,
        access_token_lifetime_seconds: Some(HASTE.as_secs()),
    }
}

/// Waits for what is to come within seconds.
pub async fn soon(what: &str, mut has_come: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !has_come().await {
        assert!(Instant::now() < deadline, "not within seconds: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn assert_comes_back_later(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text());
    assert_eq!(answer.error(), "temporarily_unavailable");
    assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
}

// One homeserver per engine: it takes longer to start than all that is asked of it.
on_both_engines! {
    async fn a_homeserver_and_its_clients(engine: Engine) {
        let pair = Pair::start(engine, Clock::System, "/", false).await;
        metadata_comes_through_the_homeserver(&pair).await;
        tokio::join!(
            a_person_signs_in_writes_and_stays_signed_in(&pair),
            a_token_ends_at_its_own_expiry(&pair),
            a_revoked_session_is_over_within_seconds(&pair),
            a_device_is_kept_when_it_signs_in_again(&pair),
            a_device_may_be_named_by_a_key(&pair),
            a_deactivated_person_is_refused(&pair),
            a_locked_person_is_refused_until_unlocked(&pair),
            only_an_administrator_administers(&pair),
            a_client_that_knows_only_passwords_writes_and_leaves(&pair),
            a_client_that_knows_only_single_sign_on_gets_in(&pair),
            synapse_account::cross_signing_keys_are_replaced_once_the_person_allows_it(&pair),
            synapse_account::a_person_makes_an_account_and_their_client_works(&pair),
            synapse_account::a_person_deactivates_their_account(&pair),
            synapse_account::a_device_signs_in_by_a_code_and_is_named(&pair),
        );
    }
}

async fn metadata_comes_through_the_homeserver(pair: &Pair) {
    let ours = send(http_client().get(pair.server.url(".well-known/openid-configuration"))).await.json();
    let theirs = pair.call(Method::GET, "_matrix/client/v1/auth_metadata", "", None).await.json();
    assert_eq!(theirs, ours);
    assert_eq!(ours["issuer"], pair.server.base.as_str());
}

async fn a_person_signs_in_writes_and_stays_signed_in(pair: &Pair) {
    pair.server.user("alice", false).await;
    let session = pair.sign_in("alice", "PHONE").await;
    let token = &session.tokens.access;
    let me = pair.who_am_i(token).await.json();
    assert_eq!((&me["user_id"], &me["device_id"]), (&json!("@alice:example.org"), &json!("PHONE")));

    let room = json!({ "name": "A room" });
    let room = pair.call(Method::POST, "_matrix/client/v3/createRoom", token, Some(room)).await;
    assert_eq!(room.status, StatusCode::OK, "{}", room.text());
    let room = room.json()["room_id"].as_str().expect("a room").to_owned();
    let path = format!("_matrix/client/v3/rooms/{room}/send/m.room.message/1");
    let message = json!({ "msgtype": "m.text", "body": "Hello" });
    let message = pair.call(Method::PUT, &path, token, Some(message)).await;
    assert_eq!(message.status, StatusCode::OK, "{}", message.text());

    let next = pair.refreshed(&session).await;
    let lost = pair.refreshed(&session).await;
    assert_eq!(lost.access, next.access, "an answer that was lost comes again");
    pair.assert_welcome(&next.access).await;
    pair.assert_welcome(token).await;
    // The homeserver asked about the new token: it has arrived, so the old refresh token is done with.
    assert_comes_back_later(&pair.server.refresh(&session.client_id, &session.tokens.refresh).await);
    pair.assert_welcome(&next.access).await;
    assert_eq!(pair.device_ids(&next.access).await, ["PHONE"]);
}

async fn a_token_ends_at_its_own_expiry(pair: &Pair) {
    pair.server.user("greta", false).await;
    let session = pair.sign_in_with(HASTY, "greta", &matrix_scope("PHONE")).await;
    let issued = tokio::time::Instant::now();
    assert_eq!(session.tokens.answer["expires_in"], HASTE.as_secs());
    pair.assert_welcome(&session.tokens.access).await;
    let next = pair.refreshed(&session).await;
    pair.assert_welcome(&session.tokens.access).await;
    // The homeserver is told in whole seconds, rounded up, and counts from when it has the answer.
    tokio::time::sleep_until(issued + HASTE).await;
    soon("a token is over", async || {
        pair.who_am_i(&session.tokens.access).await.status == StatusCode::UNAUTHORIZED
    })
    .await;
    pair.assert_unknown(&session.tokens.access).await;
    let session = Session { tokens: next, ..session };
    pair.assert_welcome(&pair.refreshed(&session).await.access).await;
}

async fn a_revoked_session_is_over_within_seconds(pair: &Pair) {
    pair.server.user("bob", false).await;
    let (phone, laptop) = (pair.sign_in("bob", "PHONE").await, pair.sign_in("bob", "LAPTOP").await);
    pair.assert_welcome(&phone.tokens.access).await;
    assert_eq!(pair.device_ids(&laptop.tokens.access).await, ["LAPTOP", "PHONE"]);

    let revoked = pair.server.revoke(&phone.client_id, &phone.tokens.access).await;
    assert_eq!((revoked.status, revoked.json()), (StatusCode::OK, json!({})));
    soon("the homeserver refuses a revoked token", async || {
        pair.who_am_i(&phone.tokens.access).await.status == StatusCode::UNAUTHORIZED
    })
    .await;
    pair.assert_unknown(&phone.tokens.access).await;
    assert_eq!(pair.device_ids(&laptop.tokens.access).await, ["LAPTOP"]);
    let refused = pair.server.refresh(&phone.client_id, &phone.tokens.refresh).await;
    assert_eq!((refused.status, refused.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));

    // Signing in anew on a device of that name is a new device.
    pair.assert_welcome(&pair.sign_in("bob", "PHONE").await.tokens.access).await;
}

async fn a_device_is_kept_when_it_signs_in_again(pair: &Pair) {
    pair.server.user("carol", false).await;
    let first = pair.sign_in("carol", "PHONE").await;
    let name = json!({ "display_name": "Carol’s phone" });
    let path = "_matrix/client/v3/devices/PHONE";
    let named = pair.call(Method::PUT, path, &first.tokens.access, Some(name.clone())).await;
    assert_eq!(named.status, StatusCode::OK, "{}", named.text());
    let unseen = pair.refreshed(&first).await;

    let second = pair.sign_in("carol", "PHONE").await;
    pair.assert_unknown(&unseen.access).await;
    // Ends a session of another device too: whatever the workers do about the first has been done then.
    let other = pair.sign_in("carol", "LAPTOP").await;
    pair.server.revoke(&other.client_id, &other.tokens.refresh).await;
    soon("the other device is deleted", async || pair.device_ids(&second.tokens.access).await.len() == 1)
        .await;
    let devices = pair.devices(&second.tokens.access).await;
    assert_eq!(devices, [("PHONE".to_owned(), name["display_name"].clone())]);
}

/// Sign-in by QR code names the device by its Curve25519 key, in base64.
async fn a_device_may_be_named_by_a_key(pair: &Pair) {
    const KEY: &str = "wjLpTLRqbqBzLs63aYaEv2Boi6cFEbbM/sSRQ+oAKk4";
    pair.server.user("dave", false).await;
    let session = pair.sign_in("dave", KEY).await;
    let token = &session.tokens.access;
    assert_eq!(pair.who_am_i(token).await.json()["device_id"], KEY);
    // What the other device looks for while it waits.
    let path = format!("_matrix/client/v3/devices/{}", KEY.replace('/', "%2F").replace('+', "%2B"));
    let device = pair.call(Method::GET, &path, token, None).await;
    assert_eq!(device.status, StatusCode::OK, "{}", device.text());
    pair.server.revoke(&session.client_id, token).await;
    soon("the device is deleted", async || pair.who_am_i(token).await.status == StatusCode::UNAUTHORIZED)
        .await;
}

async fn a_deactivated_person_is_refused(pair: &Pair) {
    let user = pair.server.user("erin", false).await;
    let session = pair.sign_in("erin", "PHONE").await;
    pair.assert_welcome(&session.tokens.access).await;
    pair.server.change(async |tx, now| users::deactivate(tx, user.id, false, now).await).await;
    soon("the homeserver refuses a deactivated user", async || {
        pair.who_am_i(&session.tokens.access).await.status == StatusCode::UNAUTHORIZED
    })
    .await;
    soon("the user is deactivated", async || pair.user("erin").await.json()["is_deactivated"] == true).await;
    let refused = pair.server.refresh(&session.client_id, &session.tokens.refresh).await;
    assert_eq!((refused.status, refused.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));
    assert_eq!(pair.server.visitor().sign_in("erin", "login").await.status, StatusCode::FORBIDDEN);
}

async fn a_locked_person_is_refused_until_unlocked(pair: &Pair) {
    let user = pair.server.user("frank", false).await;
    // The homeserver remembers for two minutes what it was told of a token, so it is shown each of
    // these only once.
    let (phone, laptop) = (pair.sign_in("frank", "PHONE").await, pair.sign_in("frank", "LAPTOP").await);
    pair.server.change(async |tx, now| users::lock(tx, user.id, now).await).await;
    pair.assert_unknown(&phone.tokens.access).await;
    assert_comes_back_later(&pair.server.refresh(&phone.client_id, &phone.tokens.refresh).await);
    let refused = pair.server.visitor().sign_in("frank", "login").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text().contains("This account is locked"), "{}", refused.text());

    pair.server.change(async |tx, now| users::unlock(tx, user.id, now).await).await;
    pair.assert_welcome(&laptop.tokens.access).await;
    let next = pair.refreshed(&phone).await;
    assert_eq!(pair.device_ids(&next.access).await, ["LAPTOP", "PHONE"]);
}

async fn only_an_administrator_administers(pair: &Pair) {
    let scope = format!("{} urn:synapse:admin:*", matrix_scope("PHONE"));
    let list = "_synapse/admin/v2/users?guests=false";
    pair.server.user("admin", true).await;
    let client_id = pair.server.client(REDIRECT_URI, json!({})).await;
    let session = pair.sign_in_with(&client_id, "admin", &scope).await;
    let answer = pair.call(Method::GET, list, &session.tokens.access, None).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert!(answer.json()["users"].as_array().is_some_and(|users| !users.is_empty()));

    // Who could have asked for it did not.
    let session = pair.sign_in("admin", "LAPTOP").await;
    let answer = pair.call(Method::GET, list, &session.tokens.access, None).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());

    pair.server.user("henry", false).await;
    let query = authorization_query(&client_id, &scope, &[]);
    let (_, refused) = pair.server.visitor().ask("henry", &query).await;
    assert!(refused.location().starts_with(REDIRECT_URI), "{}", refused.location());
    assert_eq!(refused.query_parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(refused.query_parameter("code"), None);
}

/// What a client sends to the homeserver's login API, which the proxy leads to us.
async fn login_api(pair: &Pair, path: &str, token: Option<&str>, body: Value) -> Answer {
    let mut request = http_client().post(pair.server.url(&format!("_matrix/client/v3/{path}"))).json(&body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    send(request).await
}

async fn a_client_that_knows_only_passwords_writes_and_leaves(pair: &Pair) {
    pair.server.user("ivan", false).await;
    let log_in = async |device_id: &str, refresh_token: bool| {
        let body = json!({
            "type": "m.login.password",
            "identifier": { "type": "m.id.user", "user": "@ivan:example.org" },
            "password": PASSWORD,
            "device_id": device_id,
            "initial_device_display_name": "Ivan’s phone",
            "refresh_token": refresh_token,
        });
        let answer = login_api(pair, "login", None, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        Tokens::from(answer.json())
    };
    let phone = log_in("my phone", false).await;
    let me = pair.who_am_i(&phone.access).await.json();
    assert_eq!((&me["user_id"], &me["device_id"]), (&json!("@ivan:example.org"), &json!("my phone")));
    let room = pair.call(Method::POST, "_matrix/client/v3/createRoom", &phone.access, Some(json!({}))).await;
    let room = room.json()["room_id"].as_str().expect("a room").to_owned();
    let path = format!("_matrix/client/v3/rooms/{room}/send/m.room.message/1");
    let message = json!({ "msgtype": "m.text", "body": "Hello" });
    let message = pair.call(Method::PUT, &path, &phone.access, Some(message)).await;
    assert_eq!(message.status, StatusCode::OK, "{}", message.text());

    let tablet = log_in("Täblet 🔑", true).await;
    pair.assert_welcome(&tablet.access).await;
    let next = login_api(pair, "refresh", None, json!({ "refresh_token": tablet.refresh })).await;
    let next = Tokens::from(next.json());
    pair.assert_welcome(&next.access).await;
    let devices = pair.devices(&next.access).await;
    let named = json!("Ivan’s phone");
    assert_eq!(devices, [("Täblet 🔑".to_owned(), named.clone()), ("my phone".to_owned(), named)]);

    let left = login_api(pair, "logout", Some(&phone.access), json!({})).await;
    assert_eq!((left.status, left.json()), (StatusCode::OK, json!({})));
    soon("the homeserver refuses who has left", async || {
        pair.who_am_i(&phone.access).await.status == StatusCode::UNAUTHORIZED
    })
    .await;
    pair.assert_unknown(&phone.access).await;
    assert_eq!(pair.device_ids(&next.access).await, ["Täblet 🔑"]);
    let oauth = pair.sign_in("ivan", "LAPTOP").await;
    pair.assert_welcome(&oauth.tokens.access).await;
    login_api(pair, "logout/all", Some(&next.access), json!({})).await;
    for gone in [&next.access, &oauth.tokens.access] {
        soon("all have left", async || pair.who_am_i(gone).await.status == StatusCode::UNAUTHORIZED).await;
    }
}

async fn a_client_that_knows_only_single_sign_on_gets_in(pair: &Pair) {
    pair.server.user("judy", false).await;
    let mut judy = pair.server.visitor();
    let begun = judy.get("_matrix/client/v3/login/sso/redirect?redirectUrl=app%3A%2F%2Fjudy").await;
    let local = begun.location().strip_prefix(pair.server.base.as_str()).expect("our own address").to_owned();
    let sign_in = judy.get(&local).await;
    judy.sign_in("judy", sign_in.location()).await;
    let page = judy.get(&local).await;
    let led = judy.submit(&page, &local, &[("answer", "approve")]).await;
    let token = led.query_parameter("loginToken").expect("a token");
    let answer = login_api(pair, "login", None, json!({ "type": "m.login.token", "token": token })).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let tokens = Tokens::from(answer.json());
    let me = pair.who_am_i(&tokens.access).await.json();
    assert_eq!(
        (&me["user_id"], &me["device_id"]),
        (&json!("@judy:example.org"), &tokens.answer["device_id"])
    );
}

/// Also: Gatehouse below a path, and asked about tokens over HTTP/2 without TLS.
#[tokio::test]
async fn a_homeserver_that_is_down_delays_and_loses_nothing() {
    let now = Clock::System.now();
    let mut pair = Pair::start(Engine::Sqlite, Clock::fixed(now), "/auth/", true).await;
    metadata_comes_through_the_homeserver(&pair).await;
    pair.server.user("alice", false).await;
    let (phone, laptop) = (pair.sign_in("alice", "PHONE").await, pair.sign_in("alice", "LAPTOP").await);
    pair.assert_welcome(&phone.tokens.access).await;
    assert_eq!(pair.device_ids(&laptop.tokens.access).await, ["LAPTOP", "PHONE"]);
    let scope = matrix_scope("TABLET");
    let back = pair.server.visitor().allow("alice", &phone.client_id, REDIRECT_URI, &scope).await;
    let code = back.query_parameter("code").expect("a code");

    pair.synapse.stop();
    // The client hears that it may try again, and its code stays good.
    assert_comes_back_later(&pair.server.exchange(&phone.client_id, REDIRECT_URI, &code).await);
    // What was to end has ended at once, as far as it is ours.
    assert_eq!(pair.server.revoke(&phone.client_id, &phone.tokens.access).await.status, StatusCode::OK);
    pair.server.user("bob", false).await;
    // People read what is wrong before they type their password, and when there is no going on.
    let mut bob = pair.server.visitor();
    let page = bob.get("login").await;
    assert!(page.text().contains("The chat server is not answering"), "{}", page.text());
    let query = authorization_query(&phone.client_id, &matrix_scope("PHONE"), &[]);
    let (path, question) = bob.ask("bob", &query).await;
    let stuck = bob.submit(&question, &path, &[("answer", "approve")]).await;
    assert_eq!(stuck.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(stuck.text().contains("The chat server is not answering"), "{}", stuck.text());

    pair.synapse.start_again().await;
    assert_eq!(pair.user("bob").await.status, StatusCode::NOT_FOUND);
    pair.server.app.clock.advance(Duration::from_secs(60));
    soon("the user arrives", async || pair.user("bob").await.status == StatusCode::OK).await;
    let answer = pair.server.exchange(&phone.client_id, REDIRECT_URI, &code).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let tablet = Tokens::from(answer.json());
    assert_eq!(pair.who_am_i(&tablet.access).await.json()["device_id"], "TABLET");
    soon("the device is deleted", async || pair.device_ids(&tablet.access).await == ["LAPTOP", "TABLET"])
        .await;
    pair.assert_unknown(&phone.tokens.access).await;
    let page = bob.get("login").await;
    assert!(!page.text().contains("The chat server is not answering"), "{}", page.text());
    let going_on = bob.submit(&question, &path, &[("answer", "approve")]).await;
    assert!(going_on.query_parameter("code").is_some(), "the question was still open");

    // Somebody else's copy of an old refresh token ends the session, and the homeserver learns of it.
    let session = Session { client_id: phone.client_id, tokens: tablet };
    let next = pair.refreshed(&session).await;
    pair.assert_welcome(&next.access).await;
    pair.server.app.clock.advance(Duration::from_secs(31));
    let refused = pair.server.refresh(&session.client_id, &session.tokens.refresh).await;
    assert_eq!((refused.status, refused.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));
    soon("the stolen session is over", async || pair.device_ids(&laptop.tokens.access).await == ["LAPTOP"])
        .await;
    pair.assert_unknown(&next.access).await;
}

/// What the README says under "Pair it with Synapse in five steps", done by its letter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_five_steps_of_the_readme_lead_to_a_matrix_client_that_is_signed_in() {
    let (port, synapse_port) = (free_port(), free_port());
    let base = format!("http://127.0.0.1:{port}/");
    let server_name = format!("127.0.0.1:{synapse_port}");
    let installation = new_folder("readme");
    let folder = installation.path();
    gatehouse(folder, "config generate --output gatehouse.yaml", "");
    let file = folder.join("gatehouse.yaml");
    let mut settings = fs::read_to_string(&file).expect("the file was generated");
    for (before, after) in [
        ("\"http://127.0.0.1:8080/\"", format!("{base:?}")),
        ("127.0.0.1:8080", format!("127.0.0.1:{port}")),
        ("\"localhost\"", format!("{server_name:?}")),
        ("\"http://127.0.0.1:8008/\"", format!("\"http://{server_name}/\"")),
    ] {
        assert!(settings.contains(before), "{before} is not in the generated file");
        settings = settings.replace(before, &after);
    }
    fs::write(&file, settings).expect("the file can be changed");

    let printed = folder.join("printed");
    let mut serve = Command::new("sh");
    serve.args(["-c", "cd \"$1\" && exec \"$0\" serve --config gatehouse.yaml >printed"]);
    serve.arg(env!("CARGO_BIN_EXE_gatehouse")).arg(folder);
    let mut server = Watched::start("gatehouse", &new_folder("readme-server").keep(), &serve);
    let printed = || fs::read_to_string(&printed).unwrap_or_default();
    soon("the server is ready", async || {
        server.assert_running();
        printed().contains("doctor")
    })
    .await;

    let options = SynapseOptions {
        server_name: server_name.clone(),
        auth_endpoint: base.parse().expect("a URL"),
        secret: String::new(),
    };
    let pasted = section(&printed());
    let synapse = Synapse::start_with(options, synapse_port, |configuration| {
        for (key, value) in pasted.as_object().expect("a section") {
            configuration[key] = value.clone();
        }
    })
    .await;
    gatehouse(folder, "users create alice --admin --password-stdin", PASSWORD);
    gatehouse(folder, "doctor", "");

    let remote = Remote { base: base.parse().expect("a URL") };
    let client_id = remote.client(REDIRECT_URI, json!({})).await;
    let tokens = signed_in(&remote, &client_id, "alice", &matrix_scope("PHONE")).await;
    let url = synapse.base_url().join("_matrix/client/v3/account/whoami").expect("a path");
    let me = send(http_client().get(url).bearer_auth(&tokens.access)).await;
    assert_eq!(me.status, StatusCode::OK, "{}; {}", me.text(), synapse.log());
    assert_eq!(me.json()["user_id"], format!("@alice:{server_name}"));
}

/// Runs a command of the program, which must succeed.
fn gatehouse(folder: &Path, words: &str, input: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatehouse"));
    command.current_dir(folder).env_clear().args(words.split(' '));
    if !words.starts_with("config") {
        command.args(["--config", "gatehouse.yaml"]);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{words}: {output:?}");
}

/// The lines that the server says to put into the homeserver's configuration.
fn section(printed: &str) -> Value {
    let lines = printed.lines().skip_while(|line| !line.contains("matrix_authentication_service"));
    let lines = lines.take_while(|line| !line.is_empty());
    let lines: Vec<&str> = lines.filter_map(|line| line.strip_prefix("  ")).collect();
    serde_saphyr::from_str(&lines.join("\n")).unwrap_or_else(|error| panic!("{error}: {printed}"))
}
