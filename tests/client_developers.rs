//! `docs/client-developers.md`: its examples are run as they stand, with the real `curl`, against a server that
//! listens, and answered as the page says.
//!
//! - A block in `sh` is run. The block in `json` behind it is its answer, with the status if that is not 200.
//! - A block in `text` that begins with a variable is opened in a browser, where alice signs in and allows what
//!   she is asked. The block in `text` behind it, if there is one, is where she is led in the end.
//! - In answers, `…` stands for anything; as a member of an object or of a list, for any further ones.
//! - What an answer holds is a variable of the examples behind it: `client_id` is `$CLIENT_ID`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use gatehouse::config::{Secret, StaticClient};
use gatehouse::time::Clock;
use serde_json::{Value, json};

use crate::support::homeserver::StubHomeserver;
use crate::support::installed;
use crate::support::process::free_port;
use crate::support::running::{Running, Visitor};
use crate::support::server::{BEGINNING, Engine, parameter};

const PAGE: &str = include_str!("../docs/client-developers.md");

/// A fenced block of the page.
#[derive(Debug)]
struct Block {
    language: &'static str,
    /// What stands behind the language.
    note: &'static str,
    text: &'static str,
    line: usize,
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut line = 1;
    for (number, part) in PAGE.split("```").enumerate() {
        if number % 2 == 1 {
            let (head, text) = part.split_once('\n').expect("a block has lines");
            let (language, note) = head.split_once(' ').unwrap_or((head, ""));
            blocks.push(Block { language, note, text: text.trim_end(), line });
        }
        line += part.matches('\n').count();
    }
    blocks
}

/// Who follows the page.
struct Reader<'r> {
    server: &'r Running,
    visitor: Visitor<'r>,
    variables: BTreeMap<String, String>,
    /// A folder with the settings of `curl`.
    settings: &'r Path,
}

impl Reader<'_> {
    /// Runs an example; its answer and status.
    fn run(&self, script: &str) -> (Value, u16) {
        let mut bash = Command::new(installed::program("bash"));
        bash.args(["-euc", script]).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let ran = bash.env("CURL_HOME", self.settings).envs(&self.variables).output().expect("it runs");
        assert!(ran.status.success(), "{script}: {ran:?}");
        let printed = String::from_utf8(ran.stdout).expect("text");
        let (body, status) = printed.rsplit_once('\n').expect("a status behind the answer");
        let body = body.replace(self.server.base.as_str(), "https://auth.example.org/");
        let body = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
        (body, status.parse().expect("a status"))
    }

    /// Remembers the texts of an answer for the examples behind it: which client it is, when one is made.
    fn remember(&mut self, answer: &Value, status: u16) {
        for (name, value) in answer.as_object().expect("an object") {
            if let Value::String(text) = value
                && (name != "client_id" || status == 201)
            {
                self.variables.insert(name.to_uppercase(), text.clone());
            }
        }
    }

    /// Opens an address as alice does; where she is led away, if she is.
    async fn open(&mut self, address: &str) -> Option<String> {
        let mut address = address.to_owned();
        for (name, value) in self.variables.iter().rev() {
            address = address.replace(&format!("${name}"), value);
        }
        assert!(!address.contains('$'), "{address}");
        let own = ["https://auth.example.org/", self.server.base.as_str()];
        let path = own.into_iter().find_map(|base| address.strip_prefix(base)).expect("an address of ours");
        let (path, page) = self.visitor.open("alice", path).await;
        if page.status.is_redirection() {
            return Some(page.location().to_owned());
        }
        assert_eq!(page.status, 200, "{address}: {}", page.text());
        if !page.text().contains("value=\"approve\"") {
            return None;
        }
        let mut form = vec![("answer", "approve")];
        let code = parameter(path.split_once('?').unwrap_or_default().1, "code");
        form.extend(code.as_deref().map(|code| ("code", code)));
        let path = path.split('?').next().expect("a path");
        let answer = self.visitor.submit(&page, path, &form).await;
        let to = answer.location();
        to.starts_with("https://").then(|| to.to_owned())
    }
}

/// Whether a text is as the page has it.
fn is_like(shown: &str, text: &str) -> bool {
    let Some((before, rest)) = shown.split_once('…') else { return shown == text };
    let Some(text) = text.strip_prefix(before) else { return false };
    let mut places = text.char_indices().map(|(place, _)| place).chain([text.len()]);
    places.any(|place| place > 0 && is_like(rest, &text[place..]))
}

/// What differs between an answer and what the page has.
fn differences(shown: &Value, answer: &Value, at: &str, found: &mut Vec<String>) {
    match (shown, answer) {
        (Value::String(shown), Value::String(text)) if is_like(shown, text) => {}
        (Value::Object(shown), Value::Object(members)) => {
            let is_open = shown.contains_key("…");
            for (name, shown) in shown.iter().filter(|(name, _)| *name != "…") {
                let answer = members.get(name).unwrap_or(&Value::Null);
                differences(shown, answer, &format!("{at}.{name}"), found);
            }
            let more = members.keys().filter(|name| !is_open && !shown.contains_key(*name));
            found.extend(more.map(|name| format!("{at}.{name} is not on the page")));
        }
        (Value::Array(shown), Value::Array(items)) => {
            let is_open = shown.last() == Some(&json!("…"));
            let named = shown.len() - usize::from(is_open);
            if items.len() < named || (items.len() > named && !is_open) {
                found.push(format!("{at}: {answer}"));
            }
            for (number, (shown, item)) in shown[..named].iter().zip(items).enumerate() {
                differences(shown, item, &format!("{at}[{number}]"), found);
            }
        }
        (shown, answer) if shown == answer => {}
        (shown, answer) => found.push(format!("{at}: {answer} and not {shown}")),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_works_as_it_stands() {
    installed::program("curl");
    let homeserver = StubHomeserver::start().await;
    let service = json!({
        "client_id": "service",
        "client_name": "Service",
        "token_endpoint_auth_method": "client_secret_basic",
        "client_secret": "the-secret-of-the-service",
        "grant_types": ["client_credentials"],
        "scope": "urn:example:reports",
    });
    let service: StaticClient = serde_json::from_value(service).expect("a client");
    let server = Running::start(Engine::Sqlite, free_port(), Clock::fixed(BEGINNING), |config| {
        config.homeserver.server_name = homeserver.server_name();
        config.homeserver.endpoint = homeserver.endpoint();
        config.homeserver.secret = Some(Secret::new(homeserver.secret()));
        config.clients.push(service);
    })
    .await;
    server.user("alice", false).await;
    let settings = tempfile::tempdir().expect("a folder");
    fs::write(settings.path().join(".curlrc"), "write-out = \"\\n%{http_code}\"\nnoproxy = \"*\"\n").unwrap();
    let given = [
        ("AUTH", server.base.as_str().trim_end_matches('/')),
        ("SERVICE_ID", "service"),
        ("SERVICE_SECRET", "the-secret-of-the-service"),
    ];
    let variables = given.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut reader =
        Reader { server: &server, visitor: server.visitor(), variables, settings: settings.path() };

    let blocks = blocks();
    let (mut ran, mut opened) = (0, 0);
    let mut blocks = blocks.iter().peekable();
    while let Some(block) = blocks.next() {
        match block.language {
            "sh" => {
                let (answer, status) = reader.run(block.text);
                let shown = blocks.next().filter(|next| next.language == "json");
                let shown = shown.unwrap_or_else(|| panic!("line {}: no answer is shown", block.line));
                let expected =
                    if shown.note.is_empty() { 200 } else { shown.note.parse().expect("a status") };
                assert_eq!(status, expected, "line {}: {answer}", block.line);
                let shown = serde_json::from_str(shown.text)
                    .unwrap_or_else(|error| panic!("line {}: {error}", shown.line));
                let mut found = Vec::new();
                differences(&shown, &answer, "answer", &mut found);
                assert!(found.is_empty(), "line {}: {found:#?}", block.line);
                reader.remember(&answer, status);
                ran += 1;
            }
            "text" => {
                assert!(block.text.starts_with('$'), "line {}: what is this?", block.line);
                let led = reader.open(block.text).await;
                if let Some(shown) =
                    blocks.next_if(|next| next.language == "text" && !next.text.starts_with('$'))
                {
                    let led = led.unwrap_or_else(|| panic!("line {}: it leads nowhere", block.line));
                    let issuer =
                        ["iss=http%3A%2F%2F127.0.0.1%3A", &server.base.port().unwrap().to_string(), "%2F"];
                    let led = led.replace(&issuer.concat(), "iss=https%3A%2F%2Fauth.example.org%2F");
                    assert!(is_like(shown.text, &led), "line {}: {led}", shown.line);
                    let code = parameter(led.split_once('?').expect("a query").1, "code").expect("a code");
                    reader.variables.insert("CODE".to_owned(), code);
                }
                opened += 1;
            }
            other => panic!("line {}: a block in {other}", block.line),
        }
    }
    assert!(ran >= 15 && opened >= 5, "{ran} examples were run, {opened} addresses opened");
    assert_eq!(homeserver.devices("alice"), ["KLMNOPQRST"]);
}

/// Every endpoint that programs call has an example.
#[test]
fn every_endpoint_has_an_example() {
    let routes = include_str!("../src/routes.rs");
    let quoted = routes.split('"').filter(|text| text.contains("/oauth2/") || text.contains("/.well-known/"));
    let paths: Vec<&str> = quoted.map(|text| text.trim_start_matches("{base}")).collect();
    assert!(paths.len() >= 10, "{paths:?}");
    let examples: String =
        blocks().iter().filter(|block| block.language == "sh").map(|block| block.text).collect();
    for path in paths {
        assert!(examples.contains(&format!("$AUTH{path}\"")), "{path} has no example");
    }
}

#[test]
fn an_answer_that_differs_is_noticed() {
    let shown = json!({ "a": "x_…", "b": [1, "…"], "c": { "…": "…" }, "d": 5 });
    let differences_of = |answer: Value| {
        let mut found = Vec::new();
        differences(&shown, &answer, "answer", &mut found);
        found.len()
    };
    assert_eq!(differences_of(json!({ "a": "x_1", "b": [1, 2, 3], "c": { "e": 1 }, "d": 5 })), 0);
    for answer in [
        json!({ "a": "y_1", "b": [1], "c": {}, "d": 5 }),
        json!({ "a": "x_", "b": [1], "c": {}, "d": 5 }),
        json!({ "a": "x_1", "b": [], "c": {}, "d": 5 }),
        json!({ "a": "x_1", "b": [2], "c": {}, "d": 5 }),
        json!({ "a": "x_1", "b": [1], "d": 5 }),
        json!({ "a": "x_1", "b": [1], "c": {}, "d": "5" }),
        json!({ "a": "x_1", "b": [1], "c": {}, "d": 5, "e": null }),
    ] {
        assert_eq!(differences_of(answer.clone()), 1, "{answer}");
    }
    assert!(is_like("…-…", "a-b") && !is_like("…-…", "a-") && !is_like("…-…", "ab"));
}
