//! Every flow there is, going well and going wrong.

use gatehouse::keys::{SigningKey, digest};
use gatehouse::time::Clock;
use http::StatusCode;
use serde_json::json;

use super::passkeys;
use super::world::{AFTERWARDS, Browser, World, basic, key_pair};
use crate::device_grant::DEVICE_CODE;
use crate::private_key_jwt::TYPE;
use crate::rendezvous::PATH as RENDEZVOUS;
use crate::support::factors::{ADD_APP, Authenticator, CODES, SECOND};
use crate::support::page::Page;
use crate::support::server::{Answer, REDIRECT_URI, Tokens, matrix_scope};
use crate::support::smtp::Behaviour;

/// All of them.
pub async fn drive(world: &mut World) {
    let password = commands(world);
    let password = mails(world, &password).await;
    pages(world, &password).await;
    registration(world).await;
    clients_with_secrets(world, &password).await;
    clients_that_sign(world, &password).await;
    a_client_for_itself(world).await;
    told_of_the_end(world, &password).await;
    pushed_requests(world, &password).await;
    devices(world, &password).await;
    rendezvous(world).await;
    what_clients_hold(world, &password).await;
    older_clients(world, &password).await;
    second_factors(world).await;
    passkeys::ceremonies(world).await;
    passkeys::captcha(world).await;
    personal_tokens(world, &password).await;
    broken_requests(world);
    with_a_broken_database(world, &password).await;
    with_a_broken_homeserver(world, &password).await;
    remember_logout_tokens(world);
}

/// A password that looks different in every encoding.
pub fn new_password(world: &World) -> String {
    let password = format!("pä\"ss\\wörd <&> 100% {}", world.guess("a part of a password"));
    world.secrets.borrow_mut().add("a password", &password);
    password
}

fn commands(world: &World) -> String {
    let (first, second) = (new_password(world), new_password(world));
    world.run(&["users", "create", "alice", "--password-stdin"], &first).done();
    world.run(&["users", "create", "alice", "--password-stdin"], &new_password(world)).refused(4);
    world.run(&["users", "set-password", "alice", "--password-stdin"], &second).done();
    let too_long = format!("{}{}", "x".repeat(10_000), new_password(world));
    assert_ne!(world.run(&["users", "set-password", "alice", "--password-stdin"], &too_long).code, 0);
    world.run(&["users", "set-password", "nobody", "--password-stdin"], &new_password(world));
    for words in [
        &["doctor"][..],
        &["--json", "doctor"],
        &["config", "check"],
        &["users", "show", "alice"],
        &["clients", "list"],
        &["keys", "list"],
        &["keys", "rotate"],
    ] {
        world.run(words, "");
    }
    // These commands tell a secret: once, to whoever asked.
    let made = world.installation.run(&["--json", "registration-tokens", "create"]);
    world.printed.borrow_mut().push_str(&made.err);
    let token = made.json()["token"].as_str().expect("a token").to_owned();
    world.secrets.borrow_mut().add("a registration token made by command", token);
    let chosen = world.guess("a registration token that an admin chose");
    let made =
        world.installation.run_with_input(&["registration-tokens", "create", "--token-stdin"], &chosen);
    world.printed.borrow_mut().push_str(&made.err);
    world.run(&["registration-tokens", "list"], "");
    let create = ["--json", "clients", "create", "--name", "Made", "--redirect-uri", REDIRECT_URI];
    let create = [&create[..], &["--auth-method", "client_secret_post"]].concat();
    let made = world.installation.run(&create);
    world.printed.borrow_mut().push_str(&made.err);
    let secret = made.json()["client_secret"].as_str().expect("a secret").to_owned();
    world.secrets.borrow_mut().add("the secret of a client made by command", secret);
    second
}

/// The query of an authorization request, and the verifier that belongs to it.
fn request(world: &World, client: &str, scope: &str, more: &[(&str, &str)]) -> (String, String) {
    let verifier = world.guess("a verifier");
    let (state, nonce, challenge) = (world.guess("a state"), world.guess("a nonce"), digest(&verifier));
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs([
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", REDIRECT_URI),
        ("scope", scope),
        ("state", &state),
        ("nonce", &nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    (query.extend_pairs(more).finish(), verifier)
}

async fn pages(world: &World, password: &str) {
    let mut browser = Browser::new(world);
    assert_eq!(browser.sign_in(&new_password(world)).await.status, StatusCode::FORBIDDEN);
    let forged = [
        ("csrf", world.guess("a csrf")),
        ("username", "alice".to_owned()),
        ("password", password.to_owned()),
    ];
    let forged: Vec<(&str, &str)> = forged.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(browser.post("/login", &forged).await.status, StatusCode::FORBIDDEN);
    // Whoever types a password in the place of the name.
    let page = browser.get("/login").await;
    let typed = [("username", password), ("password", password)];
    assert_eq!(browser.submit(&page, "/login", &typed).await.status, StatusCode::FORBIDDEN);
    // Or a form that goes by GET.
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(typed).finish();
    browser.get(&format!("/login?{query}")).await;
    assert_eq!(browser.sign_in(password).await.status, StatusCode::SEE_OTHER);
    for path in ["/", "/account/", "/account/sessions", "/account/sessions/end-others", "/login"] {
        browser.get(path).await;
    }
    for path in ["/account/deactivate", "/account/cross-signing-reset"] {
        let page = browser.get(path).await;
        browser.submit(&page, path, &[("username", "bob")]).await;
    }
    let page = browser.get("/account/sessions/end-others").await;
    if page.status == StatusCode::OK {
        browser.submit(&page, "/account/sessions/end-others", &[]).await;
    }
    let page = browser.get("/account/").await;
    assert_eq!(browser.submit(&page, "/logout", &[]).await.status, StatusCode::SEE_OTHER);
}

/// Recovery, and addresses that are added; the password that alice has afterwards.
async fn mails(world: &World, password: &str) -> String {
    const RESET: &str = "/reset-password";
    const ADD: &str = "/account/email/add";
    let (first, second) = (address(world), address(world));
    // What is asked for is repeated to the admin, so this is not searched.
    world.installation.run(&["users", "add-email", "alice", &first]).done();
    world.installation.run(&["mail", "test", &first]).done();
    world.mail_server.behave(Behaviour::Refuses("550 5.7.1 nothing for <address>"));
    assert_eq!(world.installation.run(&["mail", "test", &first]).code, 1);
    world.mail_server.behave(Behaviour::Takes);

    let mut browser = Browser::new(world);
    for to in [&address(world), &first] {
        let page = browser.get(RESET).await;
        assert_eq!(browser.submit(&page, RESET, &[("email", to)]).await.status, StatusCode::SEE_OTHER);
    }
    let link = link(world, &first, "Get back", "/reset-password/").await;
    let (short, chosen) = ("a short one", new_password(world));
    browser.get(&format!("{link}{}", world.guess("a link"))).await;
    for typed in [short, password, &chosen] {
        let page = browser.get(&link).await;
        let again = if typed == password { short } else { typed };
        browser.submit(&page, &link, &[("new_password", typed), ("new_password_again", again)]).await;
    }
    assert_eq!(browser.get(&link).await.status, StatusCode::NOT_FOUND, "it was spent");

    let add = async |browser: &mut Browser<'_>, to: &str| {
        let page = browser.get(ADD).await;
        browser.submit(&page, ADD, &[("email", to)]).await.location().to_owned()
    };
    let path = add(&mut browser, &second).await;
    let confirm = self::link(world, &second, "Confirm", "/email/").await;
    let page = browser.get(&path).await;
    browser.submit(&page, &path, &[("code", &world.guess("a code"))]).await;
    let page = browser.get(&confirm).await;
    assert_eq!(browser.submit(&page, &confirm, &[]).await.status, StatusCode::SEE_OTHER);
    let page = browser.get("/account/password").await;
    let last = new_password(world);
    let form = [("new_password", last.as_str()), ("new_password_again", &last), ("end_others", "yes")];
    let changed = browser.submit(&page, "/account/password", &form).await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER);
    let remove = format!("/account/email/remove?email={second}");
    let page = browser.get(&remove).await;
    browser.submit(&page, "/account/email/remove", &[("email", &second)]).await;
    last
}

/// Accounts that people make by themselves, and begin to make.
async fn registration(world: &World) {
    const TOKEN: &str = "a-token-for-one-chess-club";
    world.secrets.borrow_mut().add("a registration token", TOKEN);
    let create = ["registration-tokens", "create", "--token-stdin"];
    // It says once more what was made.
    world.installation.run_with_input(&create, TOKEN);
    for (name, is_finished) in [("robin", true), ("robert", false)] {
        let (mut browser, email) = (Browser::new(world), address(world));
        let page = browser.get("/register").await;
        let guess = world.guess("a registration token");
        browser.submit(&page, "/register", &[("username", name), ("registration_token", &guess)]).await;
        let begun =
            browser.submit(&page, "/register", &[("username", name), ("registration_token", TOKEN)]).await;
        assert_eq!(begun.location(), "/register/email");
        let page = browser.get("/register/email").await;
        browser.submit(&page, "/register/email", &[("email", &email)]).await.location();
        let page = browser.get("/register/email/code").await;
        browser.submit(&page, "/register/email/code", &[("code", &world.guess("a code"))]).await;
        let link = self::link(world, &email, "Your new account", "/register/link/").await;
        browser.get(&format!("{link}{}", world.guess("a link"))).await;
        if is_finished {
            let page = browser.get(&link).await;
            assert_eq!(browser.submit(&page, &link, &[]).await.status, StatusCode::SEE_OTHER);
            let page = browser.get("/register/password").await;
            let chosen = new_password(world);
            let twice = [("new_password", chosen.as_str()), ("new_password_again", &chosen)];
            browser.submit(&page, "/register/password", &twice).await;
            passkeys::register(world, &mut browser).await;
        }
    }
}

/// An address that nobody needs to read in a log.
fn address(world: &World) -> String {
    let address = format!("a{}@example.com", world.guess("a part of an address"));
    world.secrets.borrow_mut().add("an address", &address);
    address
}

/// The local path of the link in the last mail to an address.
async fn link(world: &World, address: &str, subject: &str, path: &str) -> String {
    let base = &world.bases[0];
    for count in 1.. {
        world.mail_server.until_received(count).await;
        let mails = world.mail_server.received_by(address);
        if let Some(mail) = mails.iter().find(|mail| mail.header("Subject").starts_with(subject)) {
            let link = mail.link(&format!("{base}{path}")).replace(base, "");
            let secret = link.rsplit('/').next().expect("a secret");
            world.secrets.borrow_mut().add("the link in a mail", secret);
            return link;
        }
    }
    unreachable!("the waiting ends")
}

fn code_form<'a>(code: &'a str, verifier: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", verifier),
    ]
}

fn text(answer: &Answer, name: &str) -> String {
    answer.json()[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", answer.text())).to_owned()
}

async fn clients_with_secrets(world: &World, password: &str) {
    let by_form = world.register(json!({ "token_endpoint_auth_method": "client_secret_post" })).await;
    let (form_id, form_secret) = (text(&by_form, "client_id"), text(&by_form, "client_secret"));
    let by_header = world.register(json!({ "token_endpoint_auth_method": "client_secret_basic" })).await;
    let (header_id, header_secret) = (text(&by_header, "client_id"), text(&by_header, "client_secret"));
    let refused = world
        .register(json!({ "redirect_uris": ["javascript:x"], "client_secret": world.guess("a wish") }))
        .await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);

    let mut browser = Browser::new(world);
    browser.sign_in(password).await;
    for mode in ["query", "fragment", "form_post"] {
        for (id, secret, in_header) in [
            (&form_id, &form_secret, false),
            (&header_id, &header_secret, true),
            (&"configured".to_owned(), &world.configured_secret, true),
        ] {
            let (query, verifier) =
                request(world, id, &format!("openid {}", matrix_scope(mode)), &[("response_mode", mode)]);
            let back = browser.allow(&query).await;
            let code = match mode {
                "form_post" => back.field("code"),
                _ => {
                    let (_, query) = back.location().split_once(['?', '#']).expect("parameters");
                    crate::support::server::parameter(query, "code").expect("a code")
                }
            };
            let wrong = world.guess("a wrong secret");
            let ask = async |secret: &str, form: &[(&str, &str)]| {
                let (credential, mut form) = (basic(id, secret), form.to_vec());
                match in_header {
                    true => world.post_as("/oauth2/token", &credential, &form).await,
                    false => {
                        form.extend([("client_id", id.as_str()), ("client_secret", secret)]);
                        world.post("/oauth2/token", &form).await
                    }
                }
            };
            assert_eq!(ask(&wrong, &code_form(&code, &verifier)).await.error(), "invalid_client");
            let other = world.guess("a wrong verifier");
            assert_eq!(ask(secret, &code_form(&code, &other)).await.error(), "invalid_grant");
            let answer = ask(secret, &code_form(&code, &verifier)).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
            assert_eq!(ask(secret, &code_form(&code, &verifier)).await.error(), "invalid_grant");
            let tokens = Tokens::from(answer.json());
            let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh.as_str())];
            assert_eq!(ask(secret, &refresh).await.status, StatusCode::OK);
            let guess = world.guess("a wrong refresh token");
            let refresh = [("grant_type", "refresh_token"), ("refresh_token", guess.as_str())];
            assert_eq!(ask(secret, &refresh).await.error(), "invalid_grant");
            let credential = basic(id, secret);
            if in_header {
                for token in [&tokens.access, &tokens.refresh] {
                    world.post_as("/oauth2/introspect", &credential, &[("token", token)]).await;
                }
            }
            world.post("/oauth2/revoke", &[("token", &tokens.access), ("client_id", id)]).await;
        }
    }
    let (query, _) = request(world, &form_id, &matrix_scope("DENIED"), &[]);
    let begun = browser.get(&format!("/authorize?{query}")).await;
    let page = browser.get(begun.location()).await;
    let denied = browser.submit(&page, begun.location(), &[("answer", "deny")]).await;
    assert_eq!(denied.query_parameter("error").as_deref(), Some("access_denied"));
    for broken in [
        ("scope", "fridge"),
        ("response_type", "token"),
        ("prompt", "none login"),
        ("state", "again-and-again!"),
    ] {
        let (query, _) = request(world, &form_id, "openid", &[broken]);
        browser.get(&format!("/authorize?{query}")).await;
    }
    let (query, _) = request(world, "nobody", "openid", &[]);
    assert_eq!(browser.get(&format!("/authorize?{query}")).await.status, StatusCode::BAD_REQUEST);
}

fn assertion(key: &SigningKey, world: &World, client: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let audience = format!("{}/", world.bases[0]);
    let jti = world.guess("a jti");
    let claims = json!({ "iss": client, "sub": client, "aud": audience, "exp": now + 60, "jti": jti });
    key.sign_jwt(&claims).unwrap()
}

async fn clients_that_sign(world: &World, password: &str) {
    let (own_key, keys) = key_pair();
    let registered =
        world.register(json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": keys })).await;
    let registered = text(&registered, "client_id");
    let mut browser = Browser::new(world);
    browser.sign_in(password).await;
    for (client, key, works) in [
        (registered.as_str(), &own_key, true),
        ("fetched", &world.key, true),
        ("fetched", &own_key, false),
        ("unreachable", &own_key, false),
    ] {
        let (query, verifier) = request(world, client, "openid", &[]);
        let code = browser.allow(&query).await.query_parameter("code").expect("a code");
        let assertion = assertion(key, world, client);
        let mut form = code_form(&code, &verifier);
        form.extend([("client_assertion_type", TYPE), ("client_assertion", assertion.as_str())]);
        let answer = world.post("/oauth2/token", &form).await;
        assert_eq!(answer.status == StatusCode::OK, works, "{client}: {}", answer.text());
        assert_ne!(world.post("/oauth2/token", &form).await.status, StatusCode::OK, "used again");
        let bad =
            format!("{}.{}.{}", world.guess("a header"), world.guess("claims"), world.guess("a signature"));
        let form =
            [("client_assertion_type", TYPE), ("client_assertion", bad.as_str()), ("token", bad.as_str())];
        world.post("/oauth2/introspect", &form).await;
    }
}

async fn a_client_for_itself(world: &World) {
    let ask = async |secret: &str, scope: &str| {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "reporter"),
            ("client_secret", secret),
            ("scope", scope),
        ];
        world.post("/oauth2/token", &form).await
    };
    let answer = ask(&world.reporter_secret, "reports:read").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(ask(&world.reporter_secret, "reports:burn").await.error(), "invalid_scope");
    assert_eq!(ask(&world.guess("a wrong secret"), "reports:read").await.error(), "invalid_client");
    let token = text(&answer, "access_token");
    let credential = basic("configured", &world.configured_secret);
    for credential in [format!("Bearer {}", world.homeserver.secret()), credential, format!("Bearer {token}")]
    {
        world.post_as("/oauth2/introspect", &credential, &[("token", &token)]).await;
    }
    world.post_as("/oauth2/userinfo", &format!("Bearer {token}"), &[]).await;
    let secret = world.reporter_secret.as_str();
    let form = [("token", token.as_str()), ("client_id", "reporter"), ("client_secret", secret)];
    assert_eq!(world.post("/oauth2/revoke", &form).await.status, StatusCode::OK);
}

/// Clients that take a logout token, and others that do not.
async fn told_of_the_end(world: &World, password: &str) {
    let mut browser = Browser::new(world);
    browser.sign_in(password).await;
    let clients = ["told", "refuses", "fails", "redirects"];
    let mut codes = Vec::new();
    for client in clients {
        let (query, verifier) = request(world, client, "openid", &[]);
        let code = browser.allow(&query).await.query_parameter("code").expect("a code");
        let mut form = code_form(&code, &verifier);
        form.push(("client_id", client));
        let answer = world.post("/oauth2/token", &form).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let (query, verifier) = request(world, client, "openid", &[]);
        codes.push((client, browser.allow(&query).await.query_parameter("code").expect("a code"), verifier));
    }
    let page = browser.get("/account/").await;
    assert_eq!(browser.submit(&page, "/logout", &[]).await.status, StatusCode::SEE_OTHER);
    for (client, code, verifier) in &codes {
        let mut form = code_form(code, verifier);
        form.push(("client_id", client));
        assert_eq!(world.post("/oauth2/token", &form).await.error(), "invalid_grant");
    }
    crate::cluster::until("each client was told, and some once more", async || {
        world.told.lock().unwrap().len() > clients.len()
    })
    .await;
    let told = world.told.lock().unwrap().clone();
    for body in told {
        let token = crate::support::server::parameter(&body, "logout_token").expect("a logout token");
        // Somebody else brings it along.
        let (query, _) = request(world, "told", "openid", &[("id_token_hint", &token)]);
        let refused = browser.get(&format!("/authorize?{query}")).await;
        assert_eq!(refused.query_parameter("error").as_deref(), Some("invalid_request"));
        browser.get(&format!("/end-session?id_token_hint={token}")).await;
    }
}

async fn pushed_requests(world: &World, password: &str) {
    let (query, verifier) = request(world, "configured", "openid", &[("login_hint", "alice")]);
    let form: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let credential = basic("configured", &world.configured_secret);
    let push = async || {
        let pushed = world.post_as("/oauth2/par", &credential, &form).await;
        assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.text());
        text(&pushed, "request_uri")
    };
    let (begun, left) = (push().await, push().await);
    // Its last part stands in the path once a browser has begun it, when it is of no use to anybody else.
    let id = left.rsplit(':').next().expect("an identifier");
    world.secrets.borrow_mut().add("a request_uri", id);
    let mut browser = Browser::new(world);
    browser.sign_in(password).await;
    let begin = |uri: &str| {
        let parameters = [("client_id", "configured"), ("request_uri", uri)];
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
    };
    let back = browser.allow(&begin(&begun)).await;
    let code = back.query_parameter("code").expect("a code");
    let answer = world.post_as("/oauth2/token", &credential, &code_form(&code, &verifier)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(browser.get(&format!("/authorize?{}", begin(&begun))).await.status, StatusCode::BAD_REQUEST);
    // A client that was not asked tries what another one has pushed.
    let other = form_without(&begin(&left));
    assert_eq!(
        browser.get(&format!("/authorize?client_id=fetched&{other}")).await.status,
        StatusCode::BAD_REQUEST
    );
    assert_ne!(
        world
            .post_as("/oauth2/par", &basic("configured", &world.guess("a wrong secret")), &form)
            .await
            .status,
        201
    );
}

/// Two devices leave each other something; whoever knows the address may do so.
async fn rendezvous(world: &World) {
    let text = || {
        let text = world.guess("a text");
        world.secrets.borrow_mut().add("what was left at a rendezvous", &text);
        text
    };
    let plain = |request: reqwest::RequestBuilder| request.header("content-type", "text/plain").body(text());
    for _ in 0..2 {
        let begun = world.send(plain(world.http.post(world.url(RENDEZVOUS)))).await;
        assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.text());
        let id =
            begun.json()["url"].as_str().and_then(|url| url.rsplit('/').next()).expect("an id").to_owned();
        world.secrets.borrow_mut().add("a rendezvous session", &id);
        let path = format!("{RENDEZVOUS}/{id}");
        let tag = begun.header("etag").to_owned();
        for (tag, status) in [(tag.as_str(), 202), (tag.as_str(), 412), ("W/\"x\"", 400)] {
            let write = plain(world.http.put(world.url(&path))).header("if-match", tag);
            assert_eq!(world.send(write).await.status, status);
        }
        assert_eq!(world.get(&path).await.status, StatusCode::OK);
        let as_page = world.http.get(world.url(&path)).header("sec-fetch-dest", "document");
        assert_eq!(world.send(as_page).await.status, StatusCode::FORBIDDEN);
        assert_eq!(
            world.send(world.http.patch(world.url(&path))).await.status,
            StatusCode::METHOD_NOT_ALLOWED
        );
    }
    let begun = world.send(plain(world.http.post(world.url(RENDEZVOUS)))).await;
    let id = begun.json()["url"].as_str().and_then(|url| url.rsplit('/').next()).expect("an id").to_owned();
    world.secrets.borrow_mut().add("a rendezvous session", &id);
    let path = format!("{RENDEZVOUS}/{id}");
    assert_eq!(world.send(world.http.delete(world.url(&path))).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.get(&path).await.status, StatusCode::NOT_FOUND);
}

fn form_without(query: &str) -> String {
    query.split('&').find(|part| part.starts_with("request_uri=")).expect("a request_uri").to_owned()
}

async fn devices(world: &World, password: &str) {
    let members =
        json!({ "token_endpoint_auth_method": "none", "grant_types": [DEVICE_CODE, "refresh_token"] });
    let client = text(&world.register(members).await, "client_id");
    let begin = async |scope: &str| {
        let answer = world.post("/oauth2/device", &[("client_id", &client), ("scope", scope)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        (text(&answer, "device_code"), text(&answer, "user_code"))
    };
    let poll = async |code: &str| {
        let form = [("grant_type", DEVICE_CODE), ("device_code", code), ("client_id", &client)];
        world.post("/oauth2/token", &form).await
    };
    assert_eq!(poll(&world.guess("a wrong device code")).await.error(), "invalid_grant");
    assert_eq!(
        world.post("/oauth2/device", &[("client_id", "nobody"), ("scope", "openid")]).await.status,
        401
    );
    for (answer, code) in [("approve", None), ("deny", Some("access_denied"))] {
        let (device_code, user_code) = begin(&matrix_scope("TELEVISION")).await;
        assert_eq!(poll(&device_code).await.error(), "authorization_pending");
        assert_eq!(poll(&device_code).await.error(), "slow_down");
        let mut browser = Browser::new(world);
        let path = format!("/link?code={user_code}");
        assert_eq!(browser.get(&path).await.status, StatusCode::SEE_OTHER);
        browser.sign_in(password).await;
        let page = browser.get("/link").await;
        assert_eq!(
            browser.submit(&page, "/link", &[("code", "BBBB-BBBB")]).await.status,
            StatusCode::SEE_OTHER
        );
        assert_eq!(browser.get("/link?code=BBBB-BBBB").await.status, StatusCode::BAD_REQUEST);
        assert_eq!(browser.submit(&page, "/link", &[("code", &user_code)]).await.location(), path);
        let page = browser.get(&path).await;
        browser.submit(&page, "/link", &[("code", &user_code), ("answer", answer)]).await;
        let polled = poll(&device_code).await;
        match code {
            None => assert_eq!(polled.status, StatusCode::OK, "{}", polled.text()),
            Some(code) => assert_eq!(polled.error(), code),
        }
    }
}

/// What was told later, when tries were repeated.
fn remember_logout_tokens(world: &World) {
    for body in world.told.lock().unwrap().iter() {
        let token = crate::support::server::parameter(body, "logout_token").expect("a logout token");
        world.secrets.borrow_mut().add("logout_token", &token);
    }
}

async fn what_clients_hold(world: &World, password: &str) {
    let client = text(&world.register(json!({ "token_endpoint_auth_method": "none" })).await, "client_id");
    let mut browser = Browser::new(world);
    browser.sign_in(password).await;
    let sign_in = async |browser: &mut Browser<'_>, device: &str| {
        let (query, verifier) = request(world, &client, &format!("openid {}", matrix_scope(device)), &[]);
        let code = browser.allow(&query).await.query_parameter("code").expect("a code");
        let mut form = code_form(&code, &verifier);
        form.push(("client_id", &client));
        let answer = world.post("/oauth2/token", &form).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        Tokens::from(answer.json())
    };
    let refresh = async |token: &str| {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", &client)];
        world.post("/oauth2/token", &form).await
    };
    let homeserver = format!("Bearer {}", world.homeserver.secret());
    let stranger = format!("Bearer {}", world.guess("a stranger's secret"));
    let first = sign_in(&mut browser, "HELD000001").await;
    let second = Tokens::from(refresh(&first.refresh).await.json());
    assert_eq!(
        refresh(&first.refresh).await.json()["access_token"],
        second.answer["access_token"],
        "the same again"
    );
    for (credential, status) in [(&homeserver, StatusCode::OK), (&stranger, StatusCode::UNAUTHORIZED)] {
        let guess = world.guess("a token that is none");
        for token in [&first.access, &second.access, &second.refresh, &guess] {
            let answer = world.post_as("/oauth2/introspect", credential, &[("token", token)]).await;
            assert_eq!(answer.status, status);
        }
    }
    for bearer in
        [format!("Bearer {}", second.access), format!("Bearer {}", second.refresh), stranger.clone()]
    {
        let request = world.http.get(world.url("/oauth2/userinfo")).header("authorization", &bearer);
        world.send(request).await;
        world.post_as("/oauth2/userinfo", &bearer, &[]).await;
    }
    let third = Tokens::from(refresh(&second.refresh).await.json());
    refresh(&first.refresh).await;
    let hint = first.answer["id_token"].as_str().expect("an ID token").to_owned();
    let (silent, _) = request(world, &client, "openid", &[("prompt", "none"), ("id_token_hint", &hint)]);
    browser.get(&format!("/authorize?{silent}")).await;
    let page = browser.get("/account/sessions").await;
    let links = crate::support::page::Page::of(&page).links("li.session > a");
    for path in links.iter().filter(|path| path.contains("/client/")).take(2) {
        let page = browser.get(path).await;
        browser.submit(&page, path, &[]).await;
    }
    for token in [&third.refresh, &third.access, &world.guess("a token that is none")] {
        world.post("/oauth2/revoke", &[("token", token), ("client_id", &client)]).await;
    }
    let state = world.guess("a state");
    let out = |hint: &str| {
        let parameters =
            [("id_token_hint", hint), ("post_logout_redirect_uri", AFTERWARDS), ("state", &state)];
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
    };
    let forged = format!("{}{}", &hint[..hint.len() - 43], world.guess("a signature"));
    browser.get(&format!("/end-session?{}", out(&forged))).await;
    let back = browser.get(&format!("/end-session?{}", out(&hint))).await;
    assert!(back.location().starts_with(AFTERWARDS), "{}", back.location());
}

/// The login API, by password and by single sign-on.
async fn older_clients(world: &World, password: &str) {
    const API: &str = "/_matrix/client/v3";
    let log_in = async |login: serde_json::Value| world.post_json(&format!("{API}/login"), &login).await;
    let refresh = async |token: &str| {
        world.post_json(&format!("{API}/refresh"), &json!({ "refresh_token": token })).await
    };
    let log_out = async |path: &str, token: &str| {
        world.post_as(&format!("{API}/{path}"), &format!("Bearer {token}"), &[]).await
    };
    let by_password = |password: &str, device: &str| {
        json!({
            "type": "m.login.password", "user": "alice", "password": password, "device_id": device,
            "refresh_token": true,
        })
    };
    assert_eq!(log_in(by_password(&new_password(world), "OLDER")).await.status, StatusCode::FORBIDDEN);
    // Whoever types a password in the place of the name, or names a device after it.
    let mut typed = by_password(password, password);
    typed["user"] = json!(password);
    assert_eq!(log_in(typed).await.status, StatusCode::FORBIDDEN);
    let mut broken = by_password(password, "OLDER");
    broken["password"] = json!([password]);
    assert_eq!(log_in(broken).await.status, StatusCode::BAD_REQUEST);
    let first = log_in(by_password(password, "OLDER")).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text());
    let first = Tokens::from(first.json());
    let second = Tokens::from(refresh(&first.refresh).await.json());
    let homeserver = format!("Bearer {}", world.homeserver.secret());
    for token in [&second.access, &second.refresh, &world.guess("a token that is none")] {
        world.post_as("/oauth2/introspect", &homeserver, &[("token", token)]).await;
    }
    assert_eq!(refresh(&first.refresh).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refresh(&world.guess("a token that is none")).await.status, StatusCode::UNAUTHORIZED);

    let mut browser = Browser::new(world);
    browser.sign_in(password).await;
    let mut login_tokens = Vec::new();
    for _ in 0..2 {
        let redirect = "login/sso/redirect?redirectUrl=https%3A%2F%2Fapp.example.com%2F%3FloginToken%3D";
        let begun = browser.get(&format!("{API}/{redirect}{}", world.guess("a former token"))).await;
        let page = browser.get(begun.location()).await;
        let path = format!("/{}", begun.location().splitn(4, '/').last().expect("a path"));
        let led = browser.submit(&page, &path, &[("answer", "approve")]).await;
        login_tokens.push(led.query_parameter("loginToken").expect("a token"));
    }
    // One is spent, twice, and the other one stays.
    let by_token = json!({ "type": "m.login.token", "token": login_tokens[0] });
    let third = log_in(by_token.clone()).await;
    assert_eq!(third.status, StatusCode::OK, "{}", third.text());
    assert_eq!(log_in(by_token).await.status, StatusCode::FORBIDDEN);
    let third = Tokens::from(third.json());
    assert_eq!(
        log_out("logout", &world.guess("a token that is none")).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(log_out("logout", &second.access).await.status, StatusCode::OK);
    assert_eq!(log_out("logout/all", &third.access).await.status, StatusCode::OK);
}

/// What a person proves who they are with beside a password, and what stands in for it.
async fn second_factors(world: &World) {
    let password = new_password(world);
    world.run(&["users", "create", "erin", "--password-stdin"], &password).done();
    let mut browser = Browser::new(world);
    assert_eq!(browser.sign_in_as("erin", &password).await.location(), "/account/");
    let page = browser.get(ADD_APP).await;
    let app = Authenticator::of(&page);
    world.secrets.borrow_mut().add("the secret of an app", app.secret());
    world.secrets.borrow_mut().add("the sealed secret of an app", page.field("enrolment"));
    let sealed = page.field("enrolment");
    let wrong = [("enrolment", sealed.as_str()), ("name", "Phone"), ("code", "123")];
    assert_eq!(browser.submit(&page, ADD_APP, &wrong).await.status, StatusCode::BAD_REQUEST);
    let code = app.code_at(Clock::System.now());
    let right = [("enrolment", sealed.as_str()), ("name", "Phone"), ("code", &code)];
    assert_eq!(browser.submit(&page, ADD_APP, &right).await.status, StatusCode::SEE_OTHER);
    let page = browser.get(CODES).await;
    let shown = Page::of(&browser.submit(&page, CODES, &[]).await).texts(".codes code");
    shown.iter().for_each(|code| world.secrets.borrow_mut().add_short(code));
    for (code, path) in [(&shown[0], "/login/recovery-code"), (&shown[0], SECOND), (&password, SECOND)] {
        let mut browser = Browser::new(world);
        let second = browser.sign_in_as("erin", &password).await.location().to_owned();
        let page = browser.get(&second).await;
        browser.submit(&page, path, &[("code", code), ("remember", "yes")]).await;
        browser.get(&format!("{path}?code={code}&next=%2Faccount%2F")).await;
    }
    // A command tells the link, once, to whoever asked.
    let made = world.installation.run(&["--json", "users", "recovery-link", "erin"]);
    world.printed.borrow_mut().push_str(&made.err);
    let link = made.json()["link"].as_str().expect("a link").to_owned();
    let token = link.split_once("token=").expect("a token").1.to_owned();
    world.secrets.borrow_mut().add("the token of a recovery link", &token);
    let mut browser = Browser::new(world);
    let path = format!("/recover?token={token}");
    let page = browser.get(&path).await;
    browser.submit(&page, "/recover", &[("token", &token), ("password", "wrong")]).await;
    browser.submit(&page, "/recover", &[("token", &token), ("password", &password)]).await;
    browser.get(&path).await;
    for words in
        [&["users", "factors", "erin"][..], &["users", "remove-factor", "erin", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]]
    {
        world.run(words, "");
    }
}

/// Tokens that a person makes, and one that a command makes.
async fn personal_tokens(world: &World, password: &str) {
    let new = "/account/tokens/new";
    let mut browser = Browser::new(world);
    assert_eq!(browser.sign_in_as("alice", password).await.location(), "/account/");
    for more in [
        &[][..],
        &[("device", "yes")],
        &[("device", "yes"), ("device_id", "a b")],
        &[("administration", "yes")],
    ] {
        let page = browser.get(new).await;
        let form: Vec<_> =
            [("name", "Bot"), ("messages", "yes"), ("days", "7")].iter().chain(more).copied().collect();
        let made = browser.submit(&page, new, &form).await;
        let shown = Page::of(&made).texts(".token code").concat();
        if made.status == StatusCode::OK {
            world.secrets.borrow_mut().add("a personal token", &shown);
            let form = [("token", shown.as_str())];
            for path in ["/oauth2/introspect", "/oauth2/revoke", "/oauth2/userinfo"] {
                world.post(path, &form).await;
            }
        }
    }
    let words = ["--json", "users", "issue-token", "alice", "--name", "Bot"];
    let made = world.installation.run(&words);
    world.printed.borrow_mut().push_str(&made.err);
    let token = made.json()["access_token"].as_str().expect("a token").to_owned();
    world.secrets.borrow_mut().add("a token of a command", &token);
    let page = browser.get("/account/export").await;
    browser.submit(&page, "/account/export", &[]).await;
    browser.get("/account/tokens").await;
    // One that waits until the end: a new password, or the end of all other sessions, would have it forgotten.
    let page = browser.get("/account/email/add").await;
    browser.submit(&page, "/account/email/add", &[("email", &address(world))]).await.location();
}

/// What no library would send.
fn broken_requests(world: &World) {
    let token = world.guess("a token in a broken request");
    let long = "x".repeat(100_000);
    for bytes in [
        format!(
            "GET /oauth2/userinfo?access_token={token} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nbad header {token}\r\n\r\n"
        ),
        format!("GET /{token} {token} HTTP/1.1\r\n\r\n"),
        format!("POST /oauth2/token HTTP/1.1\r\nhost: x\r\ncontent-length: {token}\r\n\r\ntoken={token}"),
        format!(
            "POST /oauth2/token HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\ncontent-length: 20\r\n\r\ntoken={token}"
        ),
        format!("POST /oauth2/token HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n{token}\r\n"),
        format!("POST /oauth2/revoke HTTP/1.1\r\nhost: x\r\ncontent-length: 999\r\n\r\ntoken={token}"),
        format!("GET / HTTP/1.1\r\nhost: x\r\ncookie: gatehouse_session={token}\r\nx: {long}{token}\r\n\r\n"),
        format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{token}{token}"),
        token.clone(),
    ] {
        world.send_bytes(bytes.as_bytes());
    }
}

async fn with_a_broken_database(world: &World, password: &str) {
    let mut browser = Browser::new(world);
    browser.sign_in(password).await;
    let client = text(&world.register(json!({ "token_endpoint_auth_method": "none" })).await, "client_id");
    let (query, verifier) = request(world, &client, &matrix_scope("BROKEN"), &[]);
    let code = browser.allow(&query).await.query_parameter("code").expect("a code");
    let mut form = code_form(&code, &verifier);
    form.push(("client_id", &client));
    for table in [
        "access_tokens",
        "consents",
        "sso_logins",
        "client_sessions",
        "browser_sessions",
        "passwords",
        "oauth_clients",
    ] {
        world.database.execute(format!("ALTER TABLE {table} RENAME TO hidden")).await;
        let mut failed = 0;
        for answer in [
            world.post("/oauth2/token", &form).await,
            world
                .post_as(
                    "/oauth2/introspect",
                    &format!("Bearer {}", world.homeserver.secret()),
                    &[("token", &our_token())],
                )
                .await,
            Browser::new(world).sign_in(password).await,
            world
                .post_json(
                    "/_matrix/client/v3/login",
                    &json!({ "type": "m.login.token", "token": our_token() }),
                )
                .await,
            browser.get("/account/").await,
            browser.get(&format!("/authorize?{query}")).await,
            world.register(json!({ "token_endpoint_auth_method": "client_secret_post" })).await,
        ] {
            failed += usize::from(answer.status.is_server_error());
        }
        assert!(failed > 0, "nothing needs {table}");
        world.database.execute(format!("ALTER TABLE hidden RENAME TO {table}")).await;
    }
    assert_eq!(
        Browser::new(world).sign_in(password).await.status,
        StatusCode::SEE_OTHER,
        "the database works again"
    );
}

/// Something in the form of an access token that nobody was given.
fn our_token() -> String {
    gatehouse::keys::Family::new().random_token(gatehouse::keys::TokenKind::Access)
}

async fn with_a_broken_homeserver(world: &mut World, password: &str) {
    world.run(&["users", "create", "bob", "--password-stdin"], &new_password(world)).done();
    let secret = world.homeserver.secret();
    let other = world.guess("another homeserver's secret");
    world.homeserver.set_secret(&other);
    world.run(&["users", "lock", "bob"], "");
    world.run(&["doctor"], "");
    world.homeserver.set_secret(&secret);
    world.homeserver.go_down().await;
    world.run(&["users", "unlock", "bob"], "");
    let client = text(&world.register(json!({ "token_endpoint_auth_method": "none" })).await, "client_id");
    let mut browser = Browser::new(world);
    browser.sign_in(password).await;
    let (query, verifier) = request(world, &client, &matrix_scope("DOWN"), &[]);
    let back = browser.allow(&query).await;
    if let Some(code) = back.status.is_redirection().then(|| back.query_parameter("code")).flatten() {
        let mut form = code_form(&code, &verifier);
        form.push(("client_id", &client));
        assert_eq!(world.post("/oauth2/token", &form).await.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    world.run(&["--json", "doctor"], "");
    world.homeserver.come_back().await;
}
