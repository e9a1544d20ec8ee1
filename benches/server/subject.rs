//! The program under test: the release binary, as it is shipped, on either engine.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use gatehouse::keys;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cost;
use crate::load::{Answer, Connection};
use crate::support::homeserver::StubHomeserver;
use crate::support::postgres;
use crate::support::process;

pub const PASSWORD: &str = "correct horse battery staple";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const REDIRECT_URI: &str = "https://app.example.com/callback";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// A running Gatehouse with its database.
pub struct Subject {
    pub port: u16,
    /// The database as sqlx names it.
    pub database: String,
    folder: TempDir,
    process: Option<Child>,
    postgres: Option<postgres::Server>,
    homeserver_secret: String,
}

/// A browser that is signed in.
#[derive(Clone)]
pub struct SignedIn {
    cookies: String,
}

/// What a client holds.
#[derive(Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

impl Subject {
    /// Installs it with the settings that have no default: addresses, the homeserver, the database.
    pub async fn install(engine: Engine) -> Subject {
        let (server_name, endpoint, homeserver_secret) = homeserver();
        let folder = process::new_folder("bench");
        let port = process::free_port();
        let mut configuration = format!(
            "http:\n  public_base: http://127.0.0.1:{port}/\n  listeners: [{{address: '127.0.0.1:{port}'}}]\n\
             homeserver:\n  server_name: {server_name}\n  endpoint: {endpoint}\n  secret: {homeserver_secret}\n",
        );
        let mut database =
            format!("sqlite:{}?mode=ro", folder.path().join("gatehouse-data/gatehouse.db").display());
        let mut postgres = None;
        if engine == Engine::Postgres {
            let server = postgres::Server::start(postgres::DURABLE);
            database = server.fresh_database().await;
            let root = keys::random_secret();
            configuration += &format!("database:\n  uri: {database}\nsecrets:\n  root_secret: {root}\n");
            postgres = Some(server);
        }
        fs::write(folder.path().join("gatehouse.yaml"), configuration).expect("a file");
        Subject { port, database, folder, process: None, postgres, homeserver_secret }
    }

    /// Starts it and waits until it is ready; how long that took.
    pub fn start(&mut self) -> Duration {
        let log = File::options().create(true).append(true).open(self.log()).expect("a file");
        let mut command = self.command();
        command.arg("serve").stdin(Stdio::null()).stdout(log.try_clone().expect("a file")).stderr(log);
        let begun = Instant::now();
        self.process = Some(command.spawn().expect("the program starts"));
        while !self.is_healthy() {
            assert!(begun.elapsed() < Duration::from_secs(60), "not ready; see {}", self.log().display());
            std::thread::sleep(Duration::from_millis(1));
        }
        begun.elapsed()
    }

    fn is_healthy(&self) -> bool {
        use std::io::{Read, Write};
        let ask = || -> std::io::Result<bool> {
            let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.port))?;
            stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer.starts_with("HTTP/1.1 200"))
        };
        ask().unwrap_or(false)
    }

    /// Stops it.
    pub fn stop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let _ = Command::new("kill").args(["-TERM", &process.id().to_string()]).status();
        process.wait().expect("the program ends");
    }

    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("the program runs").id()
    }

    /// What its database has cost: nothing on SQLite, which is part of it.
    pub fn database_cpu(&self) -> Duration {
        self.postgres
            .as_ref()
            .map_or(Duration::ZERO, |server| cost::cpu_of_tree(cost::postmaster(&server.data())))
    }

    pub fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn command(&self) -> Command {
        let binary = std::env::var_os("GATEHOUSE_BINARY").expect("scripts/bench names the binary");
        let mut command = Command::new(binary);
        command.current_dir(self.folder.path()).env_clear();
        command
    }

    /// Creates an account by the command line.
    pub fn create_user(&self, name: &str) {
        use std::io::Write;
        let mut command = self.command();
        command.args(["users", "create", name, "--password-stdin"]).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::null()).spawn().expect("the program starts");
        child.stdin.take().expect("a pipe").write_all(PASSWORD.as_bytes()).expect("a pipe");
        assert!(child.wait().expect("the program ends").success(), "users create {name}");
    }

    /// Registers a public client; its identifier.
    pub async fn client(&self) -> String {
        let metadata = json!({
            "client_name": "Example app",
            "client_uri": "https://example.com/",
            "redirect_uris": [REDIRECT_URI],
            "token_endpoint_auth_method": "none",
        });
        let request = Request::post("/oauth2/registration").header(CONTENT_TYPE, "application/json");
        let request = request.body(Full::from(metadata.to_string())).expect("a request");
        let answer = Connection::open(self.port).await.send(request).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.json()["client_id"].as_str().expect("an identifier").to_owned()
    }

    /// The introspection that the homeserver sends.
    pub fn introspection(&self, token: &str) -> Request<Full<Bytes>> {
        let request = Request::post("/oauth2/introspect")
            .header("host", format!("127.0.0.1:{}", self.port))
            .header("user-agent", "Synapse/1.163.2")
            .header("accept", "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(AUTHORIZATION, format!("Bearer {}", self.homeserver_secret))
            .header("x-mas-supports-device-id", "1");
        let body = format!("token={token}&token_type_hint=access_token");
        request.body(Full::from(body)).expect("a request")
    }

    /// Signs in on the page; two requests.
    pub async fn sign_in(&self, connection: &mut Connection, name: &str, address: &str) -> SignedIn {
        let get = Request::get("/login").header("x-forwarded-for", address);
        let page = connection.send(get.body(Full::default()).expect("a request")).await;
        let cookies = page.cookies();
        let form = [("username", name), ("password", PASSWORD), ("csrf", &page.field("csrf"))];
        let request = self.page_request("/login", &cookies, &form, address);
        let answer = connection.send(request).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        SignedIn { cookies: [cookies, answer.cookies()].join("; ") }
    }

    fn page_request(
        &self,
        path: &str,
        cookies: &str,
        form: &[(&str, &str)],
        address: &str,
    ) -> Request<Full<Bytes>> {
        let request = Request::post(path)
            .header(ORIGIN, format!("http://127.0.0.1:{}", self.port))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(COOKIE, cookies)
            .header("x-forwarded-for", address);
        request.body(Full::from(encoded(form))).expect("a request")
    }

    /// The authorization code flow of a browser that is signed in, for a new device: the request, the
    /// page that asks for consent, the consent, the exchange. Four requests.
    pub async fn code_flow(
        &self,
        connection: &mut Connection,
        browser: &SignedIn,
        client_id: &str,
        device_id: &str,
    ) -> Tokens {
        let address = "198.51.100.7";
        let get = |path: &str| {
            let request = Request::get(path).header(COOKIE, &browser.cookies);
            request.header("x-forwarded-for", address).body(Full::default()).expect("a request")
        };
        let scope = format!("urn:matrix:client:api:* urn:matrix:client:device:{device_id}");
        let challenge = keys::digest(VERIFIER);
        let query = encoded(&[
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", REDIRECT_URI),
            ("scope", &scope),
            ("state", "some state"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let begun = connection.send(get(&format!("/authorize?{query}"))).await;
        let path = begun.location().to_owned();
        let page = connection.send(get(&path)).await;
        let form = [("answer", "approve"), ("csrf", &page.field("csrf"))];
        let allowed = connection.send(self.page_request(&path, &browser.cookies, &form, address)).await;
        let query = allowed.location().split_once('?').expect("a query").1.to_owned();
        let code = url::form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == "code")
            .unwrap_or_else(|| panic!("no code in {query}"))
            .1
            .into_owned();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", REDIRECT_URI),
            ("client_id", client_id),
            ("code_verifier", VERIFIER),
        ];
        connection.send(self.token_request(&form)).await.tokens()
    }

    /// Refreshes; one request.
    pub async fn refresh(&self, connection: &mut Connection, client_id: &str, tokens: &Tokens) -> Tokens {
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh), ("client_id", client_id)];
        connection.send(self.token_request(&form)).await.tokens()
    }

    fn token_request(&self, form: &[(&str, &str)]) -> Request<Full<Bytes>> {
        let request = Request::post("/oauth2/token")
            .header("host", format!("127.0.0.1:{}", self.port))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        request.body(Full::from(encoded(form))).expect("a request")
    }
}

/// Starts a homeserver that only answers provisioning calls, on a thread of its own, until this program
/// ends: its name, its address and its secret.
fn homeserver() -> (String, url::Url, String) {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let stub = StubHomeserver::start().await;
            tell.send((stub.server_name(), stub.endpoint(), stub.secret())).expect("somebody listens");
            std::future::pending::<()>().await;
        });
    });
    told.recv().expect("the homeserver starts")
}

impl Drop for Subject {
    fn drop(&mut self) {
        self.stop();
    }
}

fn encoded(form: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

impl Answer {
    pub fn text(&self) -> String {
        format!("{} {}", self.status, String::from_utf8_lossy(&self.body))
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text());
        self.headers[LOCATION].to_str().expect("a location")
    }

    fn tokens(&self) -> Tokens {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        let answer = self.json();
        let text = |key: &str| answer[key].as_str().expect("a token").to_owned();
        Tokens { access: text("access_token"), refresh: text("refresh_token") }
    }

    fn cookies(&self) -> String {
        let pairs = self.headers.get_all(SET_COOKIE).into_iter().map(|cookie| {
            let cookie = cookie.to_str().expect("a cookie");
            cookie.split(';').next().unwrap_or_default().to_owned()
        });
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// The value of the hidden field with that name.
    fn field(&self, name: &str) -> String {
        let page = String::from_utf8_lossy(&self.body);
        let (_, after) = page.split_once(&format!("name=\"{name}\"")).expect("the field");
        let (_, value) = after.split_once("value=\"").expect("its value");
        value.split('"').next().unwrap_or_default().to_owned()
    }
}
