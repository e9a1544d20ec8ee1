//! What OpenID Connect asks of a provider beyond the code flow (OpenID Connect Core §3.1.2, RP-Initiated
//! Logout, RFC 9126).

use std::time::Duration;

use http::StatusCode;
use http::header::{ORIGIN, SET_COOKIE};
use serde_json::{Value, json};

use crate::support::server::{
    Answer, Browser, Engine, PASSWORD, REDIRECT_URI, Server, Tokens, authorization_query, code_form,
    form_request, matrix_scope, on_both_engines,
};

const AFTERWARDS: &str = "https://app.example.com/bye";

/// A client that wants ID tokens, with `alice` signed in and having allowed it once.
async fn allowed_once(server: &Server) -> (String, Browser<'_>, Tokens) {
    server.user("alice").await;
    let client = server.client_with(json!({ "post_logout_redirect_uris": [AFTERWARDS] })).await;
    let client = client["client_id"].as_str().unwrap().to_owned();
    let mut browser = server.signed_in("alice").await;
    let code = browser.code(&client, "openid profile").await;
    let answer = server.post("/oauth2/token", &code_form(&client, &code)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    (client, browser, Tokens::from(answer.json()))
}

fn claims(server: &Server, tokens: &Tokens) -> Value {
    let id_token = tokens.answer["id_token"].as_str().expect("an ID token");
    server.app.keys.current().verify_jwt(id_token).expect("a signature of ours")
}

/// Asks with these parameters; what the browser is answered at the end of our own redirects.
async fn ask(browser: &mut Browser<'_>, client: &str, changes: &[(&str, &str)]) -> Answer {
    browser.ask(&authorization_query(client, "openid profile", changes)).await.1
}

on_both_engines! {
    async fn a_silent_request_is_answered_at_once_or_not_at_all(engine: Engine) {
        let server = Server::start(engine).await;
        let (client, mut browser, _) = allowed_once(&server).await;
        let silent = ask(&mut browser, &client, &[("prompt", "none")]).await;
        assert!(silent.query_parameter("code").is_some());
        let stranger = ask(&mut server.browser(), &client, &[("prompt", "none")]).await;
        assert_eq!(stranger.query_parameter("error").as_deref(), Some("login_required"));
        let more = authorization_query(&client, "openid profile email", &[("prompt", "none")]);
        let unasked = browser.ask(&more).await.1;
        assert_eq!(unasked.query_parameter("error").as_deref(), Some("consent_required"));
        let device = authorization_query(&client, &matrix_scope("DEVICE"), &[("prompt", "none")]);
        assert_eq!(browser.ask(&device).await.1.query_parameter("error").as_deref(), Some("consent_required"));
        let joined = browser.get(&format!("/authorize?{}", authorization_query(&client, "openid", &[("prompt", "none login")]))).await;
        assert_eq!(joined.query_parameter("error").as_deref(), Some("invalid_request"));
    }

    async fn prompt_login_and_max_age_ask_for_the_password_again(engine: Engine) {
        let server = Server::start(engine).await;
        let (client, mut browser, tokens) = allowed_once(&server).await;
        assert_eq!(claims(&server, &tokens)["auth_time"], json!(server.app.clock.now().as_seconds()));
        server.advance(Duration::from_secs(600));
        assert!(ask(&mut browser, &client, &[("max_age", "600")]).await.query_parameter("code").is_some());
        for changes in [("prompt", "login"), ("max_age", "599"), ("max_age", "0")] {
            let query = authorization_query(&client, "openid profile", &[changes]);
            let (path, to_login) = browser.ask(&query).await;
            let login = browser.get(to_login.location()).await;
            assert!(login.text().contains("Sign in again"), "{changes:?}");
            assert_eq!(login.field("username"), "alice");
            let back = browser.sign_in_at(&login, "alice", PASSWORD, &path).await;
            assert_eq!(back.location(), path);
            let code = browser.get(&path).await.query_parameter("code").expect("a code");
            let answer = server.post("/oauth2/token", &code_form(&client, &code)).await;
            let fresh = claims(&server, &Tokens::from(answer.json()));
            assert_eq!(fresh["auth_time"], json!(server.app.clock.now().as_seconds()), "{changes:?}");
            server.advance(Duration::from_secs(600));
        }
        let silent = ask(&mut browser, &client, &[("prompt", "none"), ("max_age", "10")]).await;
        assert_eq!(silent.query_parameter("error").as_deref(), Some("login_required"));
    }

    async fn prompt_consent_and_select_account_show_the_page_once_more(engine: Engine) {
        let server = Server::start(engine).await;
        let (client, mut browser, _) = allowed_once(&server).await;
        assert_eq!(ask(&mut browser, &client, &[]).await.status, StatusCode::SEE_OTHER);
        for prompt in ["consent", "select_account", "consent select_account"] {
            let page = ask(&mut browser, &client, &[("prompt", prompt)]).await;
            assert_eq!(page.status, StatusCode::OK, "{prompt}");
            assert!(page.text().contains("Not you?"));
        }
        // Nobody can make an account here yet: those who want one may still sign in.
        assert_eq!(ask(&mut browser, &client, &[("prompt", "create")]).await.status, StatusCode::SEE_OTHER);
    }

    async fn an_id_token_hint_names_who_must_be_there(engine: Engine) {
        let server = Server::start(engine).await;
        let (client, mut alice, tokens) = allowed_once(&server).await;
        let hint = tokens.answer["id_token"].as_str().unwrap();
        assert!(ask(&mut alice, &client, &[("id_token_hint", hint)]).await.query_parameter("code").is_some());
        server.user("bob").await;
        let mut bob = server.signed_in("bob").await;
        let silent = ask(&mut bob, &client, &[("id_token_hint", hint), ("prompt", "none")]).await;
        assert_eq!(silent.query_parameter("error").as_deref(), Some("login_required"));
        let (_, to_login) = bob.ask(&authorization_query(&client, "openid", &[("id_token_hint", hint)])).await;
        assert!(to_login.location().starts_with("/login?"));
        let other_client = server.client_with(json!({ "client_name": "Another" })).await["client_id"].as_str().unwrap().to_owned();
        for bad in [(client.as_str(), "a.b.c"), (client.as_str(), &hint[..hint.len() - 4]), (other_client.as_str(), hint)] {
            let query = authorization_query(bad.0, "openid", &[("id_token_hint", bad.1)]);
            let refused = alice.get(&format!("/authorize?{query}")).await;
            assert_eq!(refused.query_parameter("error").as_deref(), Some("invalid_request"));
        }
    }

    async fn tokens_and_userinfo_tell_of_the_person_and_the_sign_in(engine: Engine) {
        let server = Server::start(engine).await;
        let (_, _, tokens) = allowed_once(&server).await;
        let claims = claims(&server, &tokens);
        assert_eq!((&claims["acr"], &claims["amr"]), (&json!("1"), &json!(["pwd"])));
        assert!(claims["sid"].is_string());
        let bearer = format!("Bearer {}", tokens.access);
        let headers = [(http::header::AUTHORIZATION, bearer.as_str())];
        let by_post = server.post_with("/oauth2/userinfo", &headers, &[]).await;
        assert_eq!(by_post.json(), json!({ "sub": claims["sub"], "preferred_username": "alice", "name": "alice" }));
    }

    async fn a_pushed_request_is_begun_once_by_its_client_in_time(engine: Engine) {
        let server = Server::start(engine).await;
        let (client, mut browser, _) = allowed_once(&server).await;
        let query = authorization_query(&client, "openid profile", &[]);
        let form: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let push = async || {
            let pushed = server.post("/oauth2/par", &form).await;
            assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.text());
            pushed.json()["request_uri"].as_str().unwrap().to_owned()
        };
        let begin = |client: &str, uri: &str| {
            let parameters = [("client_id", client), ("request_uri", uri)];
            format!("/authorize?{}", url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish())
        };
        let uri = push().await;
        let begun = browser.get(&begin(&client, &uri)).await;
        let back = browser.get(begun.location()).await;
        assert!(back.query_parameter("code").is_some() && back.location().starts_with(REDIRECT_URI));
        assert_eq!(browser.get(&begin(&client, &uri)).await.status, StatusCode::BAD_REQUEST, "only once");
        let uri = push().await;
        assert_eq!(browser.get(&begin("another", &uri)).await.status, StatusCode::BAD_REQUEST);
        server.advance(Duration::from_secs(90));
        assert_eq!(browser.get(&begin(&client, &uri)).await.status, StatusCode::BAD_REQUEST, "too late");
        let mut bad = form.clone();
        bad.retain(|(name, _)| *name != "code_challenge");
        assert_eq!(server.post("/oauth2/par", &bad).await.error(), "invalid_request");
        bad.push(("request_uri", "urn:x"));
        assert_eq!(server.post("/oauth2/par", &bad).await.error(), "invalid_request");
    }

    async fn a_client_signs_the_person_out_with_its_id_token(engine: Engine) {
        let server = Server::start(engine).await;
        let (client, mut browser, tokens) = allowed_once(&server).await;
        let hint = tokens.answer["id_token"].as_str().unwrap();
        let parameters = [("id_token_hint", hint), ("post_logout_redirect_uri", AFTERWARDS), ("state", "a b")];
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let out = browser.get(&format!("/end-session?{query}")).await;
        assert_eq!(out.location(), format!("{AFTERWARDS}?state=a+b"));
        assert_eq!(browser.get("/account/").await.status, StatusCode::SEE_OTHER, "signed out");
        assert!(browser.get("/account/").await.location().starts_with("/login"));
        let other = server.browser().get(&format!("/end-session?client_id={client}&post_logout_redirect_uri=https://evil.example/")).await;
        assert_eq!(other.location(), "/signed-out");
    }

    async fn without_proof_the_person_is_asked_before_being_signed_out(engine: Engine) {
        let server = Server::start(engine).await;
        let (client, mut browser, _) = allowed_once(&server).await;
        let path = format!("/end-session?client_id={client}&post_logout_redirect_uri={AFTERWARDS}");
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(browser.get("/account/").await.status, StatusCode::OK, "still signed in");
        let forged = browser.post("/end-session", &[("answer", "sign_out"), ("csrf", "x"), ("state", "a b")]).await;
        assert_eq!(forged.location(), "/end-session?state=a+b", "asked once more, and nothing else goes along");
        let csrf = page.field("csrf");
        let by_link = browser.get(&format!("/end-session?answer=sign_out&csrf={csrf}")).await;
        assert_eq!(by_link.status, StatusCode::OK, "only a form is an answer");
        assert_eq!(browser.get("/account/").await.status, StatusCode::OK, "still signed in");
        let form = [
            ("csrf", csrf.as_str()),
            ("answer", "sign_out"),
            ("client_id", &client),
            ("post_logout_redirect_uri", AFTERWARDS),
        ];
        assert_eq!(browser.post("/end-session", &form).await.location(), AFTERWARDS);
        assert!(browser.get("/account/").await.location().starts_with("/login"));
    }

    async fn a_form_of_another_site_is_turned_into_a_link_and_touches_no_cookie(engine: Engine) {
        let server = Server::start(engine).await;
        let (_, mut browser, _) = allowed_once(&server).await;
        // As browsers send it: without our cookies, which are SameSite=Lax.
        let foreign = [(ORIGIN, "https://evil.example")];
        for path in ["/end-session", "/authorize", "/login", "/logout"] {
            let answer = server.post_with(path, &foreign, &[]).await;
            assert!(!answer.headers.contains_key(SET_COOKIE), "{path}: {:?}", answer.headers);
        }
        let bare = server.post_with("/end-session", &foreign, &[]).await;
        assert_eq!(bare.status, StatusCode::SEE_OTHER);
        assert_eq!(browser.get(bare.location()).await.status, StatusCode::OK, "the person is asked");
        assert_eq!(browser.get("/account/").await.status, StatusCode::OK, "still signed in");
        for long in ["x".repeat(70_000), "\u{1f600}".repeat(15_000)] {
            let mut request = form_request("/end-session", &foreign, &[]);
            *request.body_mut() = axum::body::Body::from(format!("state={long}"));
            assert_eq!(server.send(request).await.status, StatusCode::BAD_REQUEST, "too long for a link");
        }
    }

    async fn a_cookie_is_cleared_when_its_session_is_over(engine: Engine) {
        let server = Server::start(engine).await;
        let (_, mut browser, _) = allowed_once(&server).await;
        let mut copy = server.browser();
        copy.cookies = browser.cookies.clone();
        let csrf = browser.csrf().await;
        browser.post("/logout", &[("csrf", &csrf)]).await;
        assert!(copy.cookies.keys().any(|name| name.ends_with("gatehouse_session")));
        assert_eq!(copy.get("/end-session").await.location(), "/signed-out");
        assert!(!copy.cookies.keys().any(|name| name.ends_with("gatehouse_session")));
        let again = copy.get("/end-session").await;
        assert!(again.location() == "/signed-out" && !again.headers.contains_key(SET_COOKIE));
    }
}
