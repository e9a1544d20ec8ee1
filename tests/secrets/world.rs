//! A program with everything at `trace`, those who talk to it, and what must not be told.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatehouse::config::SmtpSecurity;
use gatehouse::keys::{Algorithm, PrivateKey, PublishedKeys, RootSecret, SigningKey, random_secret};
use gatehouse::time::Timestamp;
use http::StatusCode;
use http::header::{COOKIE, ORIGIN, SET_COOKIE};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use crate::command_line::{Installation, Ran};
use crate::outbound::Site;
use crate::support::homeserver::StubHomeserver;
use crate::support::secrets::Secrets;
use crate::support::server::{Answer, Engine, REDIRECT_URI};
use crate::support::smtp::{self, MailServer};
use crate::support::{postgres, process};

/// Where clients have people sent after signing out.
pub const AFTERWARDS: &str = "https://app.example.com/bye";

/// Every column that holds something that lets somebody in, or from which that follows.
const STORED: [(&str, &str); 32] = [
    ("passwords", "hash"),
    ("email_verifications", "code_digest"),
    ("email_verifications", "token_digest"),
    ("password_resets", "token_digest"),
    ("browser_sessions", "cookie_digest"),
    ("browser_sessions", "browser_digest"),
    ("oauth_clients", "secret_digest"),
    ("client_sessions", "access_family_digest"),
    ("client_sessions", "refresh_family_digest"),
    ("client_sessions", "refresh_digest"),
    ("client_sessions", "pending_refresh_digest"),
    ("client_sessions", "pending_access_digest"),
    ("client_sessions", "pending_nonce"),
    ("access_tokens", "digest"),
    ("device_requests", "device_code_digest"),
    ("device_requests", "user_code_digest"),
    ("sso_logins", "token_digest"),
    ("used_assertions", "digest"),
    ("rendezvous_sessions", "id_digest"),
    ("authenticator_apps", "secret"),
    ("recovery_codes", "digest"),
    ("recovery_links", "token_digest"),
    ("registration_tokens", "token_digest"),
    ("registrations", "secret_digest"),
    ("registrations", "token"),
    ("registrations", "email_code_digest"),
    ("registrations", "email_token_digest"),
    ("registrations", "password_hash"),
    ("remembered_browsers", "browser_digest"),
    ("sign_in_attempts", "secret_digest"),
    ("signing_keys", "private_key"),
    ("installation", "value"),
];

pub struct World {
    pub installation: Installation,
    pub homeserver: StubHomeserver,
    pub mail_server: MailServer,
    pub secrets: RefCell<Secrets>,
    /// What commands and refused starts printed.
    pub printed: RefCell<String>,
    pub http: reqwest::Client,
    /// The secret of the client in the configuration.
    pub configured_secret: String,
    /// That of the one that acts for itself.
    pub reporter_secret: String,
    /// The key of the client whose keys are fetched.
    pub key: SigningKey,
    pub database: Database,
    /// By plain HTTP/1.1, and by HTTP/2 with TLS.
    pub bases: [String; 2],
    /// Where the metrics are told.
    metrics: String,
    /// What clients were posted when a browser session was over.
    pub told: Arc<Mutex<Vec<String>>>,
    turn: Cell<usize>,
    root_secret: Option<String>,
    _site: Site,
}

/// The database, behind the server's back.
pub enum Database {
    Sqlite(String),
    Postgres(String),
}

impl Database {
    pub async fn execute(&self, sql: String) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Database::Sqlite(uri) => {
                let mut connection = SqliteConnection::connect(uri).await.unwrap();
                sql.execute(&mut connection).await.unwrap();
            }
            Database::Postgres(uri) => {
                let mut connection = PgConnection::connect(uri).await.unwrap();
                sql.execute(&mut connection).await.unwrap();
            }
        }
    }

    async fn texts(&self, sql: String) -> Vec<String> {
        match self {
            Database::Sqlite(uri) => {
                let mut connection = SqliteConnection::connect(uri).await.unwrap();
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap()
            }
            Database::Postgres(uri) => {
                let mut connection = PgConnection::connect(uri).await.unwrap();
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap()
            }
        }
    }
}

/// A key, which signs, and the same once more, to be published.
pub fn key_pair() -> (SigningKey, Value) {
    let (private_key, pkcs8) = PrivateKey::generate(Algorithm::Es256).unwrap();
    let again = PrivateKey::from_pkcs8(Algorithm::Es256, &pkcs8).unwrap();
    let named = |private_key: PrivateKey| SigningKey {
        kid: private_key.thumbprint(),
        algorithm: Algorithm::Es256,
        signs_from: Timestamp(0),
        retires_at: None,
        private_key,
    };
    let published = PublishedKeys::new(vec![named(again)]);
    (named(private_key), serde_json::from_slice(published.jwks()).unwrap())
}

/// What nobody may see of a PKCS#8 key: the private number on a curve (RFC 5915 §3, RFC 8410 §7), and of RSA
/// what follows the public modulus (RFC 8017 Appendix A.1.2).
fn private_part(der: &[u8]) -> &[u8] {
    const MODULUS_ENDS: usize = 300;
    if der.len() > 1000 {
        return &der[MODULUS_ENDS..];
    }
    let number = der.windows(2).position(|bytes| bytes == [0x04, 0x20]).expect("a number of 32 bytes") + 2;
    &der[number..number + 32]
}

impl World {
    /// An installation that is full of secrets.
    pub async fn new(engine: Engine, format: &str) -> World {
        let mut secrets = Secrets::default();
        let mut secret = |name: &str| {
            let value = random_secret();
            secrets.add(name, &value);
            value
        };
        let homeserver = StubHomeserver::start().await;
        homeserver.set_secret(&secret("the homeserver's secret"));
        let (key, keys) = key_pair();
        let told = Arc::new(Mutex::new(Vec::new()));
        let kept = told.clone();
        let take = async move |Path(status): Path<u16>, body: String| {
            kept.lock().unwrap().push(body);
            StatusCode::from_u16(status).unwrap()
        };
        let site = Site::start(
            Router::new()
                .route("/keys.json", get(async move || axum::Json(keys)))
                .route("/out/{status}", post(take)),
        );

        let mail_server = MailServer::start_with(SmtpSecurity::Tls).await;
        let installation = Installation::new(&homeserver);
        let (port, tls_port, metrics_port) = (installation.port, process::free_port(), process::free_port());
        let folder = installation.folder.path();
        let certificate = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        fs::write(folder.join("chain.pem"), certificate.cert.pem()).unwrap();
        fs::write(folder.join("key.pem"), certificate.signing_key.serialize_pem()).unwrap();
        let configured_secret = secret("the secret of the configured client");
        let client = |id: &str, method: &str, more: Value| {
            let mut client = json!({
                "client_id": id, "client_name": "Example app", "redirect_uris": [REDIRECT_URI],
                "token_endpoint_auth_method": method,
            });
            more.as_object().unwrap().iter().for_each(|(name, value)| client[name] = value.clone());
            client
        };
        let reporter = secret("the secret of a client that acts for itself");
        let told_at = |status: u16| {
            json!({
                "trusted": true, "backchannel_logout_uri": format!("https://127.0.0.1:{}/out/{status}", site.port),
            })
        };
        let plenty = json!({ "burst": 1000, "per_hour": 1000 });
        // JSON is YAML.
        let mut configuration = json!({
            "http": {
                // A name, since there are no passkeys without one.
                "public_base": format!("http://localhost:{port}/"),
                "listeners": [
                    { "address": format!("127.0.0.1:{port}") },
                    {
                        "address": format!("127.0.0.1:{tls_port}"),
                        "tls": { "certificate_file": "chain.pem", "key_file": "key.pem" },
                    },
                ],
            },
            "homeserver": {
                "server_name": homeserver.server_name(), "endpoint": homeserver.endpoint(),
                "secret": homeserver.secret(), "previous_secret": secret("the former homeserver's secret"),
            },
            "clients": [
                client("configured", "client_secret_basic", json!({ "client_secret": configured_secret })),
                client("fetched", "private_key_jwt", json!({
                    "jwks_uri": format!("https://127.0.0.1:{}/keys.json", site.port),
                })),
                client("reporter", "client_secret_post", json!({
                    "client_secret": reporter, "grant_types": ["client_credentials"], "scope": "reports:read",
                })),
                client("told", "none", told_at(200)),
                client("refuses", "none", told_at(400)),
                client("fails", "none", told_at(500)),
                client("redirects", "none", told_at(302)),
                client("unreachable", "private_key_jwt", json!({ "jwks_uri": "https://127.0.0.1:1/keys.json" })),
            ],
            "outbound": { "ca_file": site.ca_file(), "allowed_networks": ["127.0.0.1/32"] },
            "passwords": {
                "argon2": { "memory_kib": 64, "iterations": 1 },
                "pepper": secret("the pepper"), "bcrypt_pepper": secret("the pepper of Synapse"),
            },
            "rendezvous": { "msc4108": true },
            "email": mail_server.as_json(),
            "registration": { "enabled": true },
            "captcha": { "work": 1000 },
            "rate_limits": {
                "sign_in_per_address": plenty, "sign_in_per_account": plenty,
                "registration_per_address": plenty, "client_registration_per_address": plenty, "client_secret_per_client": plenty,
                "password_reset_per_address": plenty, "password_reset_per_recipient": plenty,
                "email_code_per_account": plenty, "email_code_per_recipient": plenty,
            },
            "telemetry": {
                "log_filter": "trace", "log_format": format,
                "metrics_listeners": [{ "address": format!("127.0.0.1:{metrics_port}") }],
            },
        });
        let mut root_secret = None;
        let database = match engine {
            Engine::Sqlite => {
                Database::Sqlite(format!("sqlite:{}", installation.data().join("gatehouse.db").display()))
            }
            Engine::Postgres => {
                let uri = postgres::fresh_database().await;
                let root = secret("the root secret");
                let password = secret("the password of the database");
                configuration["secrets"]["root_secret"] = json!(root);
                let with_password = uri.replace("postgres@", &format!("postgres:{password}@"));
                assert_ne!(with_password, uri);
                configuration["database"]["uri"] = json!(with_password);
                root_secret = Some(root);
                Database::Postgres(uri)
            }
        };
        fs::write(folder.join("gatehouse.yaml"), configuration.to_string()).unwrap();
        secrets.add("the password of the mail account", smtp::PASSWORD);
        secrets.add("the key of the certificate", private_part(&certificate.signing_key.serialize_der()));
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .danger_accept_invalid_certs(true)
            .build()
            .unwrap();
        let bases = [format!("http://localhost:{port}"), format!("https://127.0.0.1:{tls_port}")];
        let (secrets, printed, turn) = (RefCell::new(secrets), RefCell::default(), Cell::new(0));
        World {
            installation,
            homeserver,
            mail_server,
            secrets,
            printed,
            http,
            configured_secret,
            reporter_secret: reporter,
            key,
            database,
            bases,
            metrics: format!("http://127.0.0.1:{metrics_port}/metrics"),
            told,
            turn,
            root_secret,
            _site: site,
        }
    }

    /// The metrics, which are told where nothing else is.
    pub async fn metrics(&self) -> String {
        assert_eq!(self.get("/metrics").await.status, StatusCode::NOT_FOUND);
        let elsewhere = self.http.get(self.metrics.replace("metrics", "health")).send().await.unwrap();
        assert_eq!(elsewhere.status(), StatusCode::NOT_FOUND);
        let told = self.http.get(&self.metrics).send().await.unwrap();
        assert_eq!(told.status(), StatusCode::OK);
        told.text().await.unwrap()
    }

    /// A secret of nobody's: what somebody may try.
    pub fn guess(&self, name: &str) -> String {
        let value = random_secret();
        self.secrets.borrow_mut().add(name, &value);
        value
    }

    /// The secrets that the first start has made, and what follows from them.
    pub fn remember_files(&mut self) {
        let secrets = self.secrets.get_mut();
        let data = self.installation.data();
        let root = match &self.root_secret {
            Some(root) => root.clone(),
            None => {
                for entry in fs::read_dir(data.join("keys")).unwrap() {
                    let der = fs::read(entry.unwrap().path()).unwrap();
                    secrets.add("a signing key", private_part(&der));
                }
                fs::read_to_string(data.join("root_secret")).unwrap().trim().to_owned()
            }
        };
        secrets.add("the root secret", &root);
        let root = RootSecret::new(&root).unwrap();
        secrets.add("the check value", root.check_value());
        secrets.add("the derived pepper", root.password_pepper());
    }

    /// What the database holds: digests, hashes and encrypted keys are nobody's business either.
    pub async fn remember_what_is_stored(&self) {
        for (table, column) in STORED {
            let sql = format!("SELECT {column} FROM {table} WHERE length({column}) > 20");
            for value in self.database.texts(sql).await {
                self.secrets.borrow_mut().add(&format!("{table}.{column}"), value);
            }
        }
    }

    /// Runs a command, whose output is searched too.
    pub fn run(&self, words: &[&str], input: &str) -> Ran {
        let ran = self.installation.run_with_input(words, input);
        self.printed.borrow_mut().push_str(&format!("{}\n{}\n", ran.out, ran.err));
        ran
    }

    /// Starts that are refused complain without telling what is secret.
    pub fn refused_starts(&self) {
        let password = self.guess("a password of another database");
        let bad = self.guess("a secret in the wrong place");
        let database = format!("postgresql://gatehouse:{password}@127.0.0.1:1/gatehouse");
        let cases = [
            json!({ "database": { "uri": database }, "secrets": { "root_secret": bad }, "homeserver": { "secret": bad } }),
            json!({ "database": { "uri": format!("mysql://gatehouse:{password}@127.0.0.1:1/x") } }),
            json!({ "database": { "uri": format!("postgresql://gatehouse:{password}@127.0.0.1:x/%zz") } }),
            json!({ "homeserver": { "secret": [bad] } }),
            json!({ "homeserver": { "secret": { (bad.as_str()): bad } } }),
            json!({ "secrets": { "root_secret": &bad[..20] } }),
            json!({ "secrets": { "root_secret": { "value": bad } } }),
            json!({ "passwords": { "pepper": 1, "argon2": bad } }),
            json!({ "clients": [{ "client_id": "x", "client_secret": bad }] }),
            json!({ "telemetry": { "log_filter": "trace", "log_format": bad.len() } }),
        ];
        for (number, case) in cases.into_iter().enumerate() {
            let folder = tempfile::tempdir().unwrap();
            let mut case = case;
            if case["telemetry"].is_null() {
                case["telemetry"] = json!({ "log_filter": "trace" });
            }
            case["http"] = json!({ "listeners": [{ "address": "127.0.0.1:0" }] });
            fs::write(folder.path().join("gatehouse.yaml"), case.to_string()).unwrap();
            // A database that does not answer is waited for each time.
            let commands = [&["serve"][..], &["config", "check"], &["--json", "doctor"], &["users", "list"]];
            let how_many = if number == 0 { 2 } else { commands.len() };
            for words in &commands[..how_many] {
                let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gatehouse"));
                command.current_dir(folder.path()).env_clear().args(*words);
                let ran = command.output().unwrap();
                if words[0] == "serve" {
                    assert!(!ran.status.success(), "{case}");
                }
                let mut printed = self.printed.borrow_mut();
                printed.push_str(&String::from_utf8_lossy(&ran.stdout));
                printed.push_str(&String::from_utf8_lossy(&ran.stderr));
            }
        }
    }

    /// A URL of the server, by each of its listeners in turn.
    pub fn url(&self, path: &str) -> String {
        let turn = self.turn.replace(self.turn.get() + 1);
        format!("{}{path}", self.bases[turn % 2])
    }

    /// Sends a request, and remembers the secrets in it and in its answer.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let request = request.build().unwrap();
        self.secrets.borrow_mut().add_request(&request);
        let answer = self.http.execute(request).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let answer = Answer { status, headers, body: answer.bytes().await.unwrap() };
        self.secrets.borrow_mut().add_answer(&answer);
        answer
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.http.get(self.url(path))).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(self.http.post(self.url(path)).form(form)).await
    }

    pub async fn post_as(&self, path: &str, credential: &str, form: &[(&str, &str)]) -> Answer {
        self.send(self.http.post(self.url(path)).header("authorization", credential).form(form)).await
    }

    pub async fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.send(self.http.post(self.url(path)).json(body)).await
    }

    pub async fn register(&self, members: Value) -> Answer {
        let mut metadata = json!({
            "client_name": "Example app", "client_uri": "https://example.com/",
            "redirect_uris": [REDIRECT_URI], "post_logout_redirect_uris": [AFTERWARDS],
        });
        members.as_object().unwrap().iter().for_each(|(name, value)| metadata[name] = value.clone());
        self.send(self.http.post(self.url("/oauth2/registration")).json(&metadata)).await
    }

    /// Sends bytes that are no request, and waits for the end of the answer.
    pub fn send_bytes(&self, bytes: &[u8]) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.installation.port)).unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_millis(300))).unwrap();
        // The server may have answered and gone before it has read everything.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    }
}

/// `Authorization: Basic`.
pub fn basic(client_id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{client_id}:{secret}")))
}

/// A browser.
pub struct Browser<'w> {
    world: &'w World,
    cookies: BTreeMap<String, String>,
}

impl<'w> Browser<'w> {
    pub fn new(world: &'w World) -> Browser<'w> {
        Browser { world, cookies: BTreeMap::new() }
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let path = path.strip_prefix(self.world.bases[0].as_str()).unwrap_or(path);
        self.send(self.world.http.get(self.world.url(path))).await
    }

    /// Sends a form with the token of a page.
    pub async fn submit(&mut self, page: &Answer, path: &str, form: &[(&str, &str)]) -> Answer {
        let csrf = page.field("csrf");
        let mut form = form.to_vec();
        form.push(("csrf", &csrf));
        self.post(path, &form).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(self.world.http.post(self.world.url(path)).header(ORIGIN, &self.world.bases[0]).form(form))
            .await
    }

    async fn send(&mut self, request: RequestBuilder) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = self.world.send(request.header(COOKIE, cookies.join("; "))).await;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    pub async fn sign_in(&mut self, password: &str) -> Answer {
        self.sign_in_as("alice", password).await
    }

    pub async fn sign_in_as(&mut self, username: &str, password: &str) -> Answer {
        let page = self.get("/login").await;
        self.submit(&page, "/login", &[("username", username), ("password", password), ("next", "/account/")])
            .await
    }

    /// Opens a request and allows it; what leads back to the client.
    pub async fn allow(&mut self, query: &str) -> Answer {
        let begun = self.get(&format!("/authorize?{query}")).await;
        let path = begun.location().to_owned();
        let page = self.get(&path).await;
        match page.status.is_redirection() {
            true => page,
            false => self.submit(&page, &path, &[("answer", "approve")]).await,
        }
    }
}
