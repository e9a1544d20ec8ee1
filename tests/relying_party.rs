//! A strict client library that nobody here wrote (openid-client, certified by the OpenID Foundation) goes
//! through every flow, against a server that listens. It runs in Node; the person is here.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use gatehouse::config::Secret;
use gatehouse::time::Clock;
use http::header::LOCATION;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::support::homeserver::StubHomeserver;
use crate::support::installed;
use crate::support::process::free_port;
use crate::support::running::{Running, Visitor};
use crate::support::server::{Answer, Engine, on_both_engines};

/// A client that acts for itself.
const REPORTER: &str = "reporter";
const SECRET: &str = "the secret of the report client";

/// No step takes nearly as long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The client at work. It is stopped when this is dropped.
struct RelyingParty {
    node: Child,
    input: ChildStdin,
    lines: UnboundedReceiver<String>,
}

impl RelyingParty {
    fn start(issuer: &str, method: &str, algorithm: &str) -> RelyingParty {
        let mut command = Command::new(installed::program("node"));
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/relying_party.mjs"));
        command.arg(installed::openid_client()).args([issuer, method, algorithm, REPORTER, SECRET]);
        let mut node =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (input, output) = (node.stdin.take().unwrap(), node.stdout.take().unwrap());
        let (send, lines) = unbounded_channel();
        // Ends with the program, whose output ends then.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        RelyingParty { node, input, lines }
    }

    /// What the person should do next.
    async fn next(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.recv()).await.expect("it goes on");
        match line {
            Some(line) => serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")),
            None => panic!("the client gave up: {}", self.complaint()),
        }
    }

    /// Tells where the browser was led.
    fn tell(&mut self, url: &str) {
        writeln!(self.input, "{url}").expect("it reads on");
    }

    fn complaint(&mut self) -> String {
        let stderr = self.node.stderr.take().expect("it was not read before");
        std::io::read_to_string(stderr).unwrap_or_default()
    }
}

impl Drop for RelyingParty {
    fn drop(&mut self) {
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}

/// Does what the person is asked to; where the browser is led in the end.
async fn browse(visitor: &mut Visitor<'_>, action: &str, url: &str) -> String {
    let leads_to = |answer: &Answer| answer.header(LOCATION).to_owned();
    let query = url.split_once('?').map(|(_, query)| query).unwrap_or_default();
    if action == "sign_out" {
        return leads_to(&visitor.get(&format!("end-session?{query}")).await);
    }
    let (path, page) = visitor.ask("alice", query).await;
    assert_eq!(page.status, 200, "the person is asked: {} {}", page.header(LOCATION), page.text());
    leads_to(&visitor.submit(&page, &path, &[("answer", action)]).await)
}

async fn run(engine: Engine, method: &str, algorithm: &str) {
    let homeserver = StubHomeserver::start().await;
    let server = Running::start(engine, free_port(), Clock::System, |config| {
        config.homeserver.server_name = homeserver.server_name();
        config.homeserver.endpoint = homeserver.endpoint();
        config.homeserver.secret = Some(Secret::new(homeserver.secret()));
        let reporter = json!({
            "client_id": REPORTER, "client_name": "Reporter", "client_secret": SECRET,
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": ["client_credentials"], "scope": "reports:read reports:write",
        });
        config.clients.push(serde_json::from_value(reporter).expect("a client"));
    })
    .await;
    server.user("alice", false).await;
    let mut client = RelyingParty::start(server.base.as_str(), method, algorithm);
    let mut visitor = server.visitor();
    let mut done = Vec::new();
    loop {
        let wanted = client.next().await;
        let action = wanted["action"].as_str().unwrap_or_default().to_owned();
        done.push(action.clone());
        if action == "done" {
            break;
        }
        let url = wanted["url"].as_str().unwrap_or_default();
        assert!(url.starts_with(server.base.as_str()), "{url}");
        let led_to = browse(&mut visitor, &action, url).await;
        client.tell(&led_to);
    }
    assert_eq!(done, ["deny", "approve", "approve", "sign_out", "done"]);
    assert!(visitor.get("account/").await.header(LOCATION).contains("/login"), "signed out");
}

on_both_engines! {
    async fn a_public_client(engine: Engine) {
        super::run(engine, "none", "RS256").await;
    }

    async fn a_client_with_a_secret_in_the_header(engine: Engine) {
        super::run(engine, "client_secret_basic", "ES256").await;
    }

    async fn a_client_with_a_secret_in_the_form(engine: Engine) {
        super::run(engine, "client_secret_post", "EdDSA").await;
    }

    async fn a_client_with_a_key(engine: Engine) {
        super::run(engine, "private_key_jwt", "RS256").await;
    }
}
