//! What a person does on our pages, as a real Synapse and the apps behind it see it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::device_grant::DEVICE_CODE;
use crate::support::running::{http_client, send};
use crate::support::server::{Answer, PASSWORD, REDIRECT_URI, Tokens, authorization_query, matrix_scope};
use crate::synapse::{Pair, soon};

/// Uploads a new master key, made of a word.
async fn upload(pair: &Pair, user: &str, token: &str, word: &str) -> Answer {
    let key = STANDARD_NO_PAD.encode(gatehouse::keys::sha256(word));
    let master_key = json!({
        "user_id": format!("@{user}:example.org"),
        "usage": ["master"],
        "keys": { format!("ed25519:{key}"): key },
    });
    let path = "_matrix/client/v3/keys/device_signing/upload";
    pair.call(Method::POST, path, token, Some(json!({ "master_key": master_key }))).await
}

/// Matrix CS API, OAuth authentication; MSC4312.
pub async fn cross_signing_keys_are_replaced_once_the_person_allows_it(pair: &Pair) {
    pair.server.user("iris", false).await;
    let token = pair.sign_in("iris", "PHONE").await.tokens.access;
    assert_eq!(upload(pair, "iris", &token, "first").await.status, StatusCode::OK);
    let refused = upload(pair, "iris", &token, "second").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{}", refused.text());
    let params = &refused.json()["params"];
    let url = params["org.matrix.cross_signing_reset"]["url"].as_str().expect("where to go");
    let ours = pair.server.url("account/?action=org.matrix.cross_signing_reset");
    assert_eq!(url, ours.as_str());

    let mut visitor = pair.server.visitor();
    let (path, page) = visitor.open("iris", &url[pair.server.base.as_str().len() - 1..]).await;
    assert!(page.text().contains("Reset your encryption identity?"), "{}", page.text());
    assert_eq!(
        upload(pair, "iris", &token, "second").await.status,
        StatusCode::UNAUTHORIZED,
        "a look allows nothing"
    );
    let done = visitor.submit(&page, &path, &[]).await;
    assert!(visitor.get(done.location()).await.text().contains("Go back to your app"));
    // At once, and once.
    let allowed = upload(pair, "iris", &token, "second").await;
    assert_eq!(allowed.status, StatusCode::OK, "{}", allowed.text());
    assert_eq!(upload(pair, "iris", &token, "third").await.status, StatusCode::UNAUTHORIZED);
}

/// Initiating User Registration via OpenID Connect: an account that a person makes on the way from their client.
pub async fn a_person_makes_an_account_and_their_client_works(pair: &Pair) {
    let client_id = pair.server.client(REDIRECT_URI, json!({})).await;
    let query = authorization_query(&client_id, &matrix_scope("PHONE"), &[("prompt", "create")]);
    let mut visitor = pair.server.visitor();
    let path = visitor.get(&format!("authorize?{query}")).await.location().to_owned();
    let register = visitor.get(&path).await.location().to_owned();
    let page = visitor.get(&register).await;
    let next = page.field("next");
    let on = visitor.submit(&page, "register", &[("username", "olivia"), ("next", &next)]).await;
    let page = visitor.get(on.location()).await;
    let password = [("new_password", PASSWORD), ("new_password_again", PASSWORD)];
    let on = visitor.submit(&page, "register/password", &password).await;
    let question = visitor.get(on.location()).await;
    let back = visitor.submit(&question, on.location(), &[("answer", "approve")]).await;
    let code = back.query_parameter("code").unwrap_or_else(|| panic!("no code: {}", back.location()));
    let answer = pair.server.exchange(&client_id, REDIRECT_URI, &code).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let tokens = Tokens::from(answer.json());
    let me = pair.who_am_i(&tokens.access).await.json();
    assert_eq!((&me["user_id"], &me["device_id"]), (&json!("@olivia:example.org"), &json!("PHONE")));
}

/// Matrix CS API, Account deactivation.
pub async fn a_person_deactivates_their_account(pair: &Pair) {
    pair.server.user("trudy", false).await;
    let session = pair.sign_in("trudy", "PHONE").await;
    pair.assert_welcome(&session.tokens.access).await;
    let mut visitor = pair.server.visitor();
    let (path, page) = visitor.open("trudy", "account/?action=org.matrix.account_deactivate").await;
    let done = visitor.submit(&page, &path, &[("username", "trudy"), ("erase", "yes")]).await;
    assert!(visitor.get(done.location()).await.text().contains("Your account is deactivated"));
    soon("the homeserver refuses the app", async || {
        pair.who_am_i(&session.tokens.access).await.status == StatusCode::UNAUTHORIZED
    })
    .await;
    soon("the user is deactivated", async || pair.user("trudy").await.json()["is_deactivated"] == true).await;
    assert_eq!(pair.server.visitor().sign_in("trudy", "login").await.status, StatusCode::FORBIDDEN);
}

/// RFC 8628, as sign-in by QR code uses it (MSC4108): until the person has said yes the homeserver does not
/// know the device, and the moment the device has its tokens it does.
pub async fn a_device_signs_in_by_a_code_and_is_named(pair: &Pair) {
    const KEY: &str = "tW0PmKrN3+y/9vqLs63aYaEv2Boi6cFEbbM0sSRQ2oA";
    let encoded = KEY.replace('/', "%2F").replace('+', "%2B");
    pair.server.user("kate", false).await;
    let old = pair.sign_in("kate", "PHONE").await.tokens.access;
    let devices = format!("_matrix/client/v3/devices/{encoded}");
    let seen = async || pair.call(Method::GET, &devices, &old, None).await;
    let members = json!({ "grant_types": [DEVICE_CODE, "refresh_token"], "client_name": "A new device" });
    let client = pair.server.client("https://example.com/callback", members).await;
    let scope = matrix_scope(KEY);
    let form = [("client_id", client.as_str()), ("scope", &scope)];
    let told = send(http_client().post(pair.server.url("oauth2/device")).form(&form)).await.json();
    let text = |key: &str| told[key].as_str().expect("a text").to_owned();
    let poll = async || {
        let form =
            [("grant_type", DEVICE_CODE), ("device_code", &text("device_code")), ("client_id", &client)];
        pair.server.token(&form).await
    };
    assert_eq!(poll().await.error(), "authorization_pending");
    assert_eq!(seen().await.status, StatusCode::NOT_FOUND);

    let mut visitor = pair.server.visitor();
    let complete = text("verification_uri_complete");
    let (_, page) = visitor.open("kate", &complete[pair.server.base.as_str().len() - 1..]).await;
    assert_eq!(seen().await.status, StatusCode::NOT_FOUND);
    visitor.submit(&page, "link", &[("code", &text("user_code")), ("answer", "approve")]).await.location();
    assert_eq!(seen().await.status, StatusCode::NOT_FOUND);
    let answer = poll().await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(seen().await.status, StatusCode::OK);
    let tokens = Tokens::from(answer.json());
    assert_eq!(pair.who_am_i(&tokens.access).await.json()["device_id"], KEY);

    let view = format!("account/?action=org.matrix.device_view&device_id={encoded}");
    let (path, page) = visitor.open("kate", &view).await;
    visitor.submit(&page, &path, &[("name", "Kate’s television")]).await.location();
    assert_eq!(seen().await.json()["display_name"], Value::from("Kate’s television"));
    let end = format!("account/?action=org.matrix.device_delete&device_id={encoded}");
    let (path, page) = visitor.open("kate", &end).await;
    visitor.submit(&page, &path, &[]).await.location();
    soon("the device is gone", async || seen().await.status == StatusCode::NOT_FOUND).await;
    pair.assert_unknown(&tokens.access).await;
}
