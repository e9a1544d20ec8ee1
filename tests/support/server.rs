//! The server under test, in this process: its router without sockets, a clock that stands still, a
//! homeserver that records what it is told, and a browser that keeps cookies.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use gatehouse::accounts::new_password::{self, Chooser};
use gatehouse::accounts::users::{self, User};
use gatehouse::accounts::{passkeys, passwords};
use gatehouse::app::App;
use gatehouse::config::{Config, Secret};
use gatehouse::http::listen::Peer;
use gatehouse::http::pages::Site;
use gatehouse::ids::Localpart;
use gatehouse::keys::{self, Password};
use gatehouse::time::{Clock, Timestamp};
use gatehouse::{routes, work};
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use super::homeserver::StubHomeserver;
use super::postgres;

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Writes each test once and runs it on SQLite and on PostgreSQL.
macro_rules! on_both_engines {
    ($(async fn $name:ident($engine:ident: Engine) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            async fn run($engine: Engine) $body
            #[tokio::test]
            async fn on_sqlite() {
                run(Engine::Sqlite).await;
            }
            #[tokio::test]
            async fn on_postgres() {
                run(Engine::Postgres).await;
            }
        }
    )*};
}
pub(crate) use on_both_engines;

/// The moment at which every test begins.
pub const BEGINNING: Timestamp = Timestamp(1_800_000_000_000);
/// What the public base is, unless a test changes it.
pub const PUBLIC_BASE: &str = "https://auth.example.org/";
/// Where the client of most tests wants its codes.
pub const REDIRECT_URI: &str = "https://app.example.com/callback";
/// A PKCE verifier (RFC 7636 Appendix B).
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// A password that keeps the rules.
pub const PASSWORD: &str = "correct horse battery staple";

/// The server under test.
pub struct Server {
    pub app: App,
    pub homeserver: StubHomeserver,
    pub config: Config,
    router: Router,
    _folder: TempDir,
}

impl Server {
    /// A server as it is shipped, but for cheap password hashes.
    pub async fn start(engine: Engine) -> Server {
        Server::start_with(engine, |_| ()).await
    }

    /// A server with another configuration.
    pub async fn start_with(engine: Engine, change: impl FnOnce(&mut Config)) -> Server {
        let homeserver = StubHomeserver::start().await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = Config::default();
        config.data.folder = folder.path().join("data");
        config.http.public_base = PUBLIC_BASE.parse().expect("a URL");
        config.homeserver.server_name = homeserver.server_name();
        config.homeserver.endpoint = homeserver.endpoint();
        config.homeserver.secret = Some(Secret::new(homeserver.secret()));
        config.passwords.argon2.memory_kib = 64;
        config.passwords.argon2.iterations = 1;
        if engine == Engine::Postgres {
            config.database.uri = Some(Secret::new(postgres::fresh_database().await));
            config.secrets.root_secret = Some(Secret::new(keys::random_secret()));
        }
        change(&mut config);
        let app = App::open(config.clone(), Clock::fixed(BEGINNING), Duration::ZERO)
            .await
            .expect("the server starts");
        Server::with_app(app, homeserver, config, folder).await
    }

    async fn with_app(app: App, homeserver: StubHomeserver, config: Config, folder: TempDir) -> Server {
        let now = app.clock.now();
        let mut tx = app.store.begin().await.expect("a transaction");
        gatehouse::clients::sync_configured(&mut tx, &config, now).await.expect("clients are synchronised");
        tx.commit().await.expect("a commit");
        passkeys::settle(&app.store, &config).await.expect("passkeys are for this domain");
        let site = Site::new(&config).expect("a site");
        let router = routes::router(app.clone(), site);
        Server { app, homeserver, config, router, _folder: folder }
    }

    /// Stops the server and starts it again over the same data.
    pub async fn restart(self) -> Server {
        let config = self.config.clone();
        self.restart_with(config).await
    }

    /// The same with another configuration.
    pub async fn restart_with(self, config: Config) -> Server {
        let Server { app, homeserver, router, _folder, .. } = self;
        let now = app.clock.now();
        drop(router);
        app.store.close().await;
        drop(app);
        let app = App::open(config.clone(), Clock::fixed(now), Duration::ZERO)
            .await
            .expect("the server starts again");
        Server::with_app(app, homeserver, config, _folder).await
    }

    /// A second node over the same PostgreSQL database.
    pub async fn another_node(&self) -> (App, Router) {
        let app = App::open(self.config.clone(), self.app.clock.clone(), Duration::ZERO)
            .await
            .expect("a second node");
        let site = Site::new(&self.config).expect("a site");
        (app.clone(), routes::router(app, site))
    }

    /// Moves the clock.
    pub fn advance(&self, by: Duration) {
        self.app.clock.advance(by);
    }

    /// Runs background jobs until none is due.
    pub async fn run_jobs(&self) {
        while work::run_next(&self.app).await.expect("the queue works") {}
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        send_to(&self.router, request).await
    }

    /// Sends a `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    /// Sends a form, as a client without credentials in the header does.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.post_with(path, &[], form).await
    }

    /// Sends a form with further headers.
    pub async fn post_with(
        &self,
        path: &str,
        headers: &[(HeaderName, &str)],
        form: &[(&str, &str)],
    ) -> Answer {
        self.send(form_request(path, headers, form)).await
    }

    /// Sends JSON.
    pub async fn post_json(&self, path: &str, body: &Value) -> Answer {
        let request = Request::post(path).header(CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    /// Sends JSON to the login API, without saying that it is.
    pub async fn matrix(&self, path: &str, body: &Value) -> Answer {
        let request = Request::post(format!("/_matrix/client/v3/{path}"));
        self.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    /// Sends an empty body with an access token to the login API.
    pub async fn matrix_with(&self, path: &str, access_token: &str) -> Answer {
        let request = Request::post(format!("/_matrix/client/v3/{path}"));
        let request = request.header(AUTHORIZATION, format!("Bearer {access_token}"));
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    /// Logs in with [`PASSWORD`] and these members beside or instead of the usual ones; the whole answer.
    pub async fn log_in(&self, user: &str, members: Value) -> Answer {
        let mut body = json!({
            "type": "m.login.password",
            "identifier": { "type": "m.id.user", "user": user },
            "password": PASSWORD,
        });
        for (key, value) in members.as_object().expect("an object") {
            body[key] = value.clone();
        }
        self.matrix("login", &body).await
    }

    /// Logs in on a device; what the client gets.
    pub async fn logged_in(&self, user: &str, device_id: &str, members: Value) -> Tokens {
        let mut all = json!({ "device_id": device_id });
        for (key, value) in members.as_object().expect("an object") {
            all[key] = value.clone();
        }
        let answer = self.log_in(user, all).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        Tokens::from(answer.json())
    }

    /// An account that the homeserver knows, with [`PASSWORD`].
    pub async fn user(&self, localpart: &str) -> User {
        let user = self.user_not_provisioned(localpart).await;
        self.run_jobs().await;
        user
    }

    /// An account whose provisioning still waits in the queue, with [`PASSWORD`].
    pub async fn user_not_provisioned(&self, localpart: &str) -> User {
        let now = self.app.clock.now();
        let name = Localpart::new(localpart, &self.config.homeserver.server_name).expect("a name");
        let password = Password::new(PASSWORD.to_owned()).expect("a password");
        let chooser = Chooser::new(localpart, None);
        let hash =
            new_password::hash(&self.app, &chooser, password).await.expect("a hash").expect("a good one");
        let mut tx = self.app.store.begin().await.expect("a transaction");
        let user = users::create(&mut tx, name, false, now).await.expect("a user");
        passwords::set(&mut tx, user.id, &hash, now).await.expect("a stored password");
        tx.commit().await.expect("a commit");
        user
    }

    /// Registers a public client that may use codes and refresh tokens; its `client_id`.
    pub async fn client(&self) -> String {
        self.client_with(json!({})).await["client_id"].as_str().expect("a client_id").to_owned()
    }

    /// Registers a client with these members beside or instead of the usual ones; the whole answer.
    pub async fn client_with(&self, members: Value) -> Value {
        let mut metadata = json!({
            "client_name": "Example app",
            "client_uri": "https://example.com/",
            "redirect_uris": [REDIRECT_URI],
            "token_endpoint_auth_method": "none",
        });
        for (key, value) in members.as_object().expect("an object") {
            metadata[key] = value.clone();
        }
        let answer = self.post_json("/oauth2/registration", &metadata).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.json()
    }

    /// A browser that was never here.
    pub fn browser(&self) -> Browser<'_> {
        Browser { server: self, cookies: BTreeMap::new(), address: "198.51.100.7".to_owned() }
    }

    /// A browser that is signed in.
    pub async fn signed_in(&self, localpart: &str) -> Browser<'_> {
        let mut browser = self.browser();
        let answer = browser.sign_in(localpart, PASSWORD, "/account/").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        browser
    }

    /// Signs a Matrix client in, all the way to its tokens.
    pub async fn tokens(&self, localpart: &str, client_id: &str, device_id: &str) -> Tokens {
        let scope = matrix_scope(device_id);
        self.tokens_for(localpart, client_id, &scope).await
    }

    /// Signs a client in with a scope, all the way to its tokens.
    pub async fn tokens_for(&self, localpart: &str, client_id: &str, scope: &str) -> Tokens {
        let mut browser = self.signed_in(localpart).await;
        let code = browser.code(client_id, scope).await;
        let answer = self.post("/oauth2/token", &code_form(client_id, &code)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        Tokens::from(answer.json())
    }

    /// Refreshes.
    pub async fn refresh(&self, client_id: &str, refresh_token: &str) -> Answer {
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", refresh_token), ("client_id", client_id)];
        self.post("/oauth2/token", &form).await
    }

    /// Asks as the homeserver does whom a token belongs to.
    pub async fn introspect(&self, token: &str) -> Value {
        let secret = format!("Bearer {}", self.homeserver.secret());
        let headers =
            [(AUTHORIZATION, secret.as_str()), (HeaderName::from_static("x-mas-supports-device-id"), "1")];
        let form = [("token", token), ("token_type_hint", "access_token")];
        let answer = self.post_with("/oauth2/introspect", &headers, &form).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.json()
    }

    /// Whether the homeserver would let the token in.
    pub async fn is_active(&self, token: &str) -> bool {
        self.introspect(token).await["active"] == json!(true)
    }
}

/// Sends a request to a router, from a client at an address of its own.
pub async fn send_to(router: &Router, mut request: Request<Body>) -> Answer {
    let known = request.extensions().get::<Peer>().is_some();
    if !known {
        request.extensions_mut().insert(Peer(Some("203.0.113.9".parse().expect("an address"))));
    }
    let response = router.clone().oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
    Answer { status: parts.status, headers: parts.headers, body }
}

/// A request with a form.
pub fn form_request(path: &str, headers: &[(HeaderName, &str)], form: &[(&str, &str)]) -> Request<Body> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let mut request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    request.body(Body::from(body)).expect("a request")
}

/// The scope of a Matrix client, in the stable spelling.
pub fn matrix_scope(device_id: &str) -> String {
    format!("urn:matrix:client:api:* urn:matrix:client:device:{device_id}")
}

/// The form that exchanges a code.
pub fn code_form<'a>(client_id: &'a str, code: &'a str) -> [(&'static str, &'a str); 5] {
    [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("client_id", client_id),
        ("code_verifier", VERIFIER),
    ]
}

/// The query of an authorization request; `changes` replace or add parameters, and an empty value
/// removes one.
pub fn authorization_query(client_id: &str, scope: &str, changes: &[(&str, &str)]) -> String {
    let challenge = keys::digest(VERIFIER);
    let usual = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", REDIRECT_URI),
        ("scope", scope),
        ("state", "some state"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let parameters = with_changes(&usual, changes);
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// What a client got.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    pub answer: Value,
}

impl From<Value> for Tokens {
    fn from(answer: Value) -> Tokens {
        let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
        Tokens { access: text("access_token"), refresh: text("refresh_token"), answer }
    }
}

/// An answer of the server.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }

    /// The OAuth error code of the body.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    /// The status and the Matrix error code of the body.
    pub fn refusal(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["errcode"].as_str().unwrap_or_default().to_owned())
    }

    /// A header as text; empty when it is not there.
    pub fn header(&self, name: impl http::header::AsHeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Where the answer leads.
    pub fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text());
        self.header(LOCATION)
    }

    /// A parameter in the query of where the answer leads.
    pub fn query_parameter(&self, name: &str) -> Option<String> {
        parameter(self.location().split_once('?')?.1, name)
    }

    /// The value of the field with that name in the page.
    pub fn field(&self, name: &str) -> String {
        let page = scraper::Html::parse_document(&self.text());
        let selector = scraper::Selector::parse(&format!("input[name=\"{name}\"]")).expect("a selector");
        let field = page.select(&selector).next().and_then(|input| input.value().attr("value"));
        field.unwrap_or_else(|| panic!("no field {name} in {}", self.text())).to_owned()
    }
}

/// A browser: it keeps cookies and says where its forms come from.
pub struct Browser<'s> {
    server: &'s Server,
    pub cookies: BTreeMap<String, String>,
    /// The address that its requests come from.
    pub address: String,
}

impl Browser<'_> {
    /// Opens a page; does not follow where it leads.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    /// Sends a form from a page of ours, without looking for its token.
    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        let base = &self.server.config.http.public_base;
        let origin = base.origin().ascii_serialization();
        self.send(form_request(path, &[(ORIGIN, &origin)], form)).await
    }

    /// Sends any request with the browser's cookies.
    pub async fn send(&mut self, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(Peer(self.address.parse().ok()));
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert(COOKIE, HeaderValue::try_from(cookies.join("; ")).expect("cookies"));
        }
        assert!([Method::GET, Method::POST].contains(request.method()));
        let answer = self.server.send(request).await;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("a cookie");
            let (name, value) =
                cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            match cookie.contains("Max-Age=0") {
                true => self.cookies.remove(name),
                false => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        answer
    }

    /// The token that forms of this browser carry.
    pub async fn csrf(&mut self) -> String {
        // Any page with a form has it; this one needs nobody to be signed in.
        let page = self.get("/login").await;
        match page.status {
            StatusCode::OK => page.field("csrf"),
            _ => self.get("/account/").await.field("csrf"),
        }
    }

    /// Types a name and a password into the sign-in page.
    pub async fn sign_in(&mut self, username: &str, password: &str, next: &str) -> Answer {
        let csrf = self.csrf().await;
        let form = [("csrf", csrf.as_str()), ("username", username), ("password", password), ("next", next)];
        self.post("/login", &form).await
    }

    /// Types a name and a password into a sign-in page that is open.
    pub async fn sign_in_at(&mut self, page: &Answer, username: &str, password: &str, next: &str) -> Answer {
        let csrf = page.field("csrf");
        let form = [("csrf", csrf.as_str()), ("username", username), ("password", password), ("next", next)];
        self.post("/login", &form).await
    }

    /// Opens an authorization request, as far as the page that asks for consent; its path and the page.
    pub async fn ask(&mut self, query: &str) -> (String, Answer) {
        let begun = self.get(&format!("/authorize?{query}")).await;
        let path = begun.location().to_owned();
        let page = self.get(&path).await;
        (path, page)
    }

    /// Opens an authorization request and allows it, if that is asked; the answer that leads back to the
    /// client.
    pub async fn allow(&mut self, query: &str) -> Answer {
        let (path, page) = self.ask(query).await;
        if page.status == StatusCode::SEE_OTHER {
            return page;
        }
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        let csrf = page.field("csrf");
        self.post(&path, &[("csrf", &csrf), ("answer", "approve")]).await
    }

    /// Allows a scope; the code that the client gets.
    pub async fn code(&mut self, client_id: &str, scope: &str) -> String {
        let answer = self.allow(&authorization_query(client_id, scope, &[])).await;
        answer.query_parameter("code").unwrap_or_else(|| panic!("no code in {}", answer.location()))
    }
}

/// Parameters with changes: each replaces or adds one, and an empty value removes it.
pub fn with_changes<'a>(
    parameters: &[(&'a str, &'a str)],
    changes: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let mut changed = parameters.to_vec();
    for (name, value) in changes {
        changed.retain(|(known, _)| known != name);
        if !value.is_empty() {
            changed.push((name, value));
        }
    }
    changed
}

/// The value of a parameter in `a=1&b=2`.
pub fn parameter(encoded: &str, name: &str) -> Option<String> {
    let mut found = url::form_urlencoded::parse(encoded.as_bytes()).filter(|(key, _)| key == name);
    found.next().map(|(_, value)| value.into_owned())
}
