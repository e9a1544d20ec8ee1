//! The server under test as other programs meet it: on a socket, with its workers, by the clock of the
//! machine unless a test wants to move time.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::Path;
use std::time::Duration;

use gatehouse::accounts::new_password::{self, Chooser};
use gatehouse::accounts::users::{self, User};
use gatehouse::accounts::{passkeys, passwords};
use gatehouse::app::App;
use gatehouse::config::{Config, Limit, Secret};
use gatehouse::http::listen::{self, Limits, ListenAddress, ListenerConfig};
use gatehouse::http::pages::Site;
use gatehouse::ids::Localpart;
use gatehouse::keys::{self, Password};
use gatehouse::store::{self, Tx};
use gatehouse::time::{Clock, Timestamp};
use gatehouse::{clients, routes, work};
use http::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE, USER_AGENT};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use url::Url;

use super::postgres;
use super::server::{Answer, Engine, PASSWORD, VERIFIER, authorization_query};

/// A server as it is reached from outside, below its public base.
pub struct Remote {
    pub base: Url,
}

/// A server that listens. It stops when this is dropped.
pub struct Running {
    pub app: App,
    remote: Remote,
    tasks: [JoinHandle<()>; 2],
    _folder: TempDir,
}

impl Running {
    /// Starts a server on a port of this machine, with limits that a test does not meet by chance.
    pub async fn start(engine: Engine, port: u16, clock: Clock, change: impl FnOnce(&mut Config)) -> Running {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = configuration(engine, port, folder.path()).await;
        change(&mut config);
        let app = App::open(config, clock, Duration::ZERO).await.expect("the server starts");
        let mut tx = app.store.begin().await.expect("a transaction");
        clients::sync_configured(&mut tx, &app.config, app.clock.now()).await.expect("clients");
        tx.commit().await.expect("a commit");

        passkeys::settle(&app.store, &app.config).await.expect("passkeys are for this domain");
        let address = ListenAddress::Tcp(([127, 0, 0, 1], port).into());
        let bound = listen::bind(&[ListenerConfig { address, tls: None }]).expect("a free port");
        let router = routes::router(app.clone(), Site::new(&app.config).expect("a site"));
        let serving = tokio::spawn(async move {
            let served = listen::serve(router, bound, Limits::default(), std::future::pending()).await;
            served.expect("the listener works");
        });
        let worker = app.clone();
        let working = tokio::spawn(async move { work::run(&worker).await });
        let remote = Remote { base: app.config.http.public_base.clone() };
        Running { app, remote, tasks: [serving, working], _folder: folder }
    }

    /// Creates an account with [`PASSWORD`]. The homeserver learns of it a moment later.
    pub async fn user(&self, localpart: &str, is_admin: bool) -> User {
        let name = Localpart::new(localpart, &self.app.config.homeserver.server_name).expect("a name");
        let password = Password::new(PASSWORD.to_owned()).expect("a password");
        let chooser = Chooser::new(localpart, None);
        let hash =
            new_password::hash(&self.app, &chooser, password).await.expect("a hash").expect("a good one");
        self.change(async |tx, now| {
            let user = users::create(tx, name, is_admin, now).await?;
            passwords::set(tx, user.id, &hash, now).await?;
            Ok(user)
        })
        .await
    }

    /// Changes something as a command does: in one transaction, and the workers are told.
    pub async fn change<T>(
        &self,
        change: impl AsyncFnOnce(&mut Tx, Timestamp) -> Result<T, store::Error>,
    ) -> T {
        let mut tx = self.app.store.begin().await.expect("a transaction");
        let made = change(&mut tx, self.app.clock.now()).await.expect("the change is possible");
        tx.commit().await.expect("a commit");
        self.app.wake_workers();
        made
    }
}

impl Deref for Running {
    type Target = Remote;
    fn deref(&self) -> &Remote {
        &self.remote
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Remote {
    /// A URL of the server.
    pub fn url(&self, path: &str) -> Url {
        let path = path.strip_prefix(self.base.path()).unwrap_or(path.trim_start_matches('/'));
        self.base.join(path).expect("a path makes a URL")
    }

    /// A browser that was never here.
    pub fn visitor(&self) -> Visitor<'_> {
        Visitor { server: self, cookies: BTreeMap::new() }
    }

    /// Registers a public client with this redirect URI and these members beside the usual ones.
    pub async fn client(&self, redirect_uri: &str, members: Value) -> String {
        let mut metadata = json!({
            "client_name": "Example app",
            "client_uri": "https://example.com/",
            "redirect_uris": [redirect_uri],
            "token_endpoint_auth_method": "none",
        });
        for (key, value) in members.as_object().expect("an object") {
            metadata[key] = value.clone();
        }
        let endpoint = self.url("/oauth2/registration");
        let answer = send(http_client().post(endpoint).json(&metadata)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["client_id"].as_str().expect("a client_id").to_owned()
    }

    /// Sends a form to the token endpoint.
    pub async fn token(&self, form: &[(&str, &str)]) -> Answer {
        send(http_client().post(self.url("/oauth2/token")).form(form)).await
    }

    /// Exchanges a code.
    pub async fn exchange(&self, client_id: &str, redirect_uri: &str, code: &str) -> Answer {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("client_id", client_id),
            ("code_verifier", VERIFIER),
        ];
        self.token(&form).await
    }

    /// Refreshes.
    pub async fn refresh(&self, client_id: &str, refresh_token: &str) -> Answer {
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", refresh_token), ("client_id", client_id)];
        self.token(&form).await
    }

    /// Revokes a token.
    pub async fn revoke(&self, client_id: &str, token: &str) -> Answer {
        let form = [("token", token), ("client_id", client_id)];
        send(http_client().post(self.url("/oauth2/revoke")).form(&form)).await
    }
}

async fn configuration(engine: Engine, port: u16, folder: &Path) -> Config {
    let mut config = Config::default();
    config.data.folder = folder.join("data");
    config.http.public_base = format!("http://127.0.0.1:{port}/").parse().expect("a URL");
    config.passwords.argon2.memory_kib = 64;
    config.passwords.argon2.iterations = 1;
    let plenty = Limit { burst: 1000, per_hour: 1000 };
    config.rate_limits.sign_in_per_address = plenty;
    config.rate_limits.client_registration_per_address = plenty;
    if engine == Engine::Postgres {
        config.database.uri = Some(Secret::new(postgres::fresh_database().await));
        config.secrets.root_secret = Some(Secret::new(keys::random_secret()));
    }
    config
}

/// An HTTP client that goes only where it is told.
pub fn http_client() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
    client.expect("an HTTP client")
}

/// Sends a request and reads the whole answer.
pub async fn send(request: reqwest::RequestBuilder) -> Answer {
    let answer = request.send().await.expect("an answer");
    let (status, headers) = (answer.status(), answer.headers().clone());
    Answer { status, headers, body: answer.bytes().await.expect("a body") }
}

/// A browser without a screen: it keeps cookies, fills forms in, and says where they come from.
pub struct Visitor<'r> {
    server: &'r Remote,
    cookies: BTreeMap<String, String>,
}

impl Visitor<'_> {
    /// Opens a page; does not follow where it leads.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(http_client().get(self.server.url(path))).await
    }

    /// Sends a form from a page that the visitor was given, with the token in that page.
    pub async fn submit(&mut self, page: &Answer, path: &str, form: &[(&str, &str)]) -> Answer {
        let token = page.field("csrf");
        let form: Vec<(&str, &str)> = form.iter().copied().chain([("csrf", token.as_str())]).collect();
        let origin = self.server.base.origin().ascii_serialization();
        self.send(http_client().post(self.server.url(path)).header(ORIGIN, origin).form(&form)).await
    }

    /// Signs in on the page that `path` is.
    pub async fn sign_in(&mut self, username: &str, path: &str) -> Answer {
        let page = self.get(path).await;
        assert_eq!(page.status, 200, "{path} leads to {:?}", page.headers.get(LOCATION));
        let next = self
            .server
            .url(path)
            .query_pairs()
            .find(|(name, _)| name == "next")
            .map(|(_, next)| next.into_owned());
        let mut form = vec![("username", username), ("password", PASSWORD)];
        form.extend(next.as_deref().map(|next| ("next", next)));
        self.submit(&page, "login", &form).await
    }

    /// Opens a page, signing in where asked to and following where our pages lead; what comes in the end, or
    /// what leads away from us, and its path.
    pub async fn open(&mut self, username: &str, path: &str) -> (String, Answer) {
        let mut path = path.to_owned();
        loop {
            let answer = self.get(&path).await;
            match answer.header(LOCATION) {
                to if to.contains("/login?") => {
                    path = self.sign_in(username, to).await.location().to_owned();
                }
                to if to.starts_with('/') => path = to.to_owned(),
                _ => return (path, answer),
            }
        }
    }

    /// Follows an authorization request, signing in on the way where asked to, up to the page that
    /// asks for consent; that page and its path, or what led away from us.
    pub async fn ask(&mut self, username: &str, query: &str) -> (String, Answer) {
        let begun = self.get(&format!("authorize?{query}")).await;
        let path = begun.location().to_owned();
        let page = self.get(&path).await;
        let is_to_login = |page: &Answer| page.header(LOCATION).contains("/login?");
        if !is_to_login(&page) {
            return (path, page);
        }
        let welcomed = self.sign_in(username, page.location()).await;
        assert_eq!(welcomed.location(), path);
        let page = self.get(&path).await;
        (path, page)
    }

    /// Signs in and allows what is asked for; the answer that leads back to the client.
    pub async fn allow(
        &mut self,
        username: &str,
        client_id: &str,
        redirect_uri: &str,
        scope: &str,
    ) -> Answer {
        let query = authorization_query(client_id, scope, &[("redirect_uri", redirect_uri)]);
        let (path, page) = self.ask(username, &query).await;
        assert_eq!(page.status, 200, "{}", page.text());
        self.submit(&page, &path, &[("answer", "approve")]).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request
            .header(USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
            // The proxy before the server names where the browser is.
            .header("x-forwarded-for", "198.51.100.7");
        let answer = send(request.header(COOKIE, cookies.join("; "))).await;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("a cookie");
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            let (name, value) = pair.expect("a cookie has a name");
            match cookie.contains("Max-Age=0") {
                true => self.cookies.remove(name),
                false => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        answer
    }
}
