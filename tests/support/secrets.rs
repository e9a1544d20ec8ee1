//! Finds secrets in a log, however they were written there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use gatehouse::clients::user_code::UserCode;
use serde_json::Value;

use super::server::Answer;

/// The names under which requests and answers carry secrets.
const NAMES: [&str; 16] = [
    "access_token",
    "client_assertion",
    "client_secret",
    "code",
    "code_challenge",
    "code_verifier",
    "csrf",
    "device_code",
    "id_token",
    "id_token_hint",
    "loginToken",
    "nonce",
    "password",
    "refresh_token",
    "state",
    "token",
];

/// So many characters of a written secret in a row count as the secret. Twelve bytes, in Base64.
const RUN: usize = 16;
/// The same for forms that take several characters for each byte.
const LONG_RUN: usize = 40;
/// The length of what names an authorization request.
const REQUEST_ID: usize = 26;

/// Everything that must not be in a log: what it is, by its value.
#[derive(Default)]
pub struct Secrets(BTreeMap<Vec<u8>, String>, BTreeSet<UserCode>, BTreeSet<String>);

impl Secrets {
    /// A secret, and the digest by which it is stored.
    pub fn add(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let value = value.as_ref();
        assert!(value.len() >= RUN, "{name} is too short to be looked for: {}", value.escape_ascii());
        // A code ends with the name of its request, which stands in URLs.
        let is_secret =
            if name == "code" { value.len().saturating_sub(REQUEST_ID).max(RUN) } else { value.len() };
        self.0.insert(value[..is_secret].to_owned(), name.to_owned());
        let digest = gatehouse::keys::sha256(value);
        self.0.insert(digest.to_vec(), format!("the digest of {name}"));
    }

    /// A secret, or a code that people type, which is much shorter.
    fn add_named(&mut self, name: &str, value: &str) {
        match UserCode::parse(value) {
            Some(code) => drop(self.1.insert(code)),
            None if value.len() < RUN => self.add_short(value),
            None => self.add(name, value),
        }
    }

    /// A recovery code. The six digits of an authenticator app stand in every log by chance.
    pub fn add_short(&mut self, value: &str) {
        let plain = value.replace(['-', ' '], "").to_lowercase();
        if plain.len() > 8 {
            self.2.insert(plain);
        }
    }

    /// The secrets among parameters.
    pub fn add_parameters(&mut self, encoded: &str) {
        for (name, value) in url::form_urlencoded::parse(encoded.as_bytes()) {
            if NAMES.contains(&name.as_ref()) {
                self.add_named(&name, &value);
            }
        }
    }

    /// The secrets of a request.
    pub fn add_request(&mut self, request: &reqwest::Request) {
        self.add_parameters(request.url().query().unwrap_or_default());
        if let Some(value) = request.headers().get("authorization") {
            let value = value.to_str().expect("text");
            self.add("a credential", value.split_once(' ').expect("a scheme").1);
        }
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        match serde_json::from_slice::<Value>(body) {
            Ok(json) => self.add_json(&json),
            Err(_) => self.add_parameters(&String::from_utf8_lossy(body)),
        }
    }

    /// The secrets of an answer: in its cookies, where it leads, its JSON or the fields of its page.
    pub fn add_answer(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("text");
            let value = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie").1;
            if !value.is_empty() {
                self.add("a cookie", value);
            }
        }
        for part in answer.header("location").split(['?', '#']).skip(1) {
            self.add_parameters(part);
        }
        if let Ok(json) = serde_json::from_slice::<Value>(&answer.body) {
            return self.add_json(&json);
        }
        let page = scraper::Html::parse_document(&answer.text());
        for field in page.select(&scraper::Selector::parse("input[type=hidden]").expect("a selector")) {
            if let (Some(name), Some(value)) = (field.attr("name"), field.attr("value"))
                && NAMES.contains(&name)
            {
                self.add_named(name, value);
            }
        }
    }

    fn add_json(&mut self, json: &Value) {
        match json {
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(text) if name == "user_code" => self.add_named(name, text),
                        Value::String(text) if NAMES.contains(&name.as_str()) => self.add(name, text),
                        other => self.add_json(other),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.add_json(item)),
            _ => {}
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// What they are.
    pub fn kinds(&self) -> BTreeSet<&str> {
        let codes = self.1.iter().map(|_| "a user code").chain(self.2.iter().map(|_| "a recovery code"));
        codes
            .chain(self.0.values().map(String::as_str).filter(|kind| !kind.starts_with("the digest of")))
            .collect()
    }

    /// What is found in a log, and how it is written there, with one example of each.
    pub fn found_in(&self, log: &str) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for code in self.1.iter().map(UserCode::to_string) {
            for text in
                [code.replace('-', ""), code.to_lowercase(), code.to_lowercase().replace('-', ""), code]
            {
                if log.contains(&text) {
                    found.insert("a user code, plain".to_owned(), text);
                }
            }
        }
        let folded = log.replace('-', "").to_lowercase();
        for code in self.2.iter().filter(|code| folded.contains(code.as_str())) {
            found.insert("a recovery code, plain".to_owned(), code.clone());
        }
        for run in [RUN, LONG_RUN] {
            let mut runs: HashMap<&[u8], (&str, &str)> = HashMap::new();
            let forms: Vec<_> = self.0.iter().map(|(value, name)| (name, forms(value))).collect();
            for (name, forms) in &forms {
                for form in forms.iter().filter(|form| form.run == run) {
                    let windows = form.text.as_bytes().windows(run);
                    runs.extend(windows.map(|window| (window, (name.as_str(), form.name))));
                }
            }
            // Most places are passed over by a look at their first bytes.
            let place =
                |bytes: &[u8]| (bytes[0] as usize) << 16 | (bytes[1] as usize) << 8 | bytes[2] as usize;
            let mut begins = vec![false; 1 << 24];
            runs.keys().for_each(|window| begins[place(window)] = true);
            for window in log.as_bytes().windows(run).filter(|window| begins[place(window)]) {
                if let Some((name, form)) = runs.get(window) {
                    found
                        .entry(format!("{name}, {form}"))
                        .or_insert_with(|| window.escape_ascii().to_string());
                }
            }
        }
        found
    }
}

/// A way of writing bytes.
struct Form {
    name: &'static str,
    run: usize,
    text: String,
}

fn forms(value: &[u8]) -> Vec<Form> {
    let mut forms = Vec::new();
    let mut add = |name, run, text| forms.push(Form { name, run, text });
    let list = |bytes: Vec<String>| bytes.join(", ");
    add("in hexadecimal", LONG_RUN, value.iter().map(|byte| format!("{byte:02x}")).collect());
    add("in capital hexadecimal", LONG_RUN, value.iter().map(|byte| format!("{byte:02X}")).collect());
    add("as a list of bytes", LONG_RUN, list(value.iter().map(u8::to_string).collect()));
    add("as a list of hexadecimal bytes", LONG_RUN, list(value.iter().map(|b| format!("{b:02x}")).collect()));
    // As part of something longer, the groups of Base64 may begin at any of three bytes.
    for skipped in 0..3.min(value.len()) {
        let part = &value[skipped..];
        let whole = &part[..part.len() / 3 * 3];
        add("in Base64", RUN, STANDARD_NO_PAD.encode(whole));
        add("in Base64url", RUN, URL_SAFE_NO_PAD.encode(whole));
    }
    add("as escaped bytes", RUN, value.escape_ascii().to_string());
    if let Ok(text) = str::from_utf8(value) {
        let quoted = |text: &str| serde_json::to_string(text).expect("JSON").trim_matches('"').to_owned();
        let debugged = format!("{text:?}").trim_matches('"').to_owned();
        let form_encoded: String = url::form_urlencoded::byte_serialize(value).collect();
        add("plain", RUN, text.to_owned());
        add("in JSON", RUN, quoted(text));
        add("in JSON, escaped", RUN, quoted(&debugged));
        add("in a URL", RUN, form_encoded.replace('+', "%20"));
        add("in a form", RUN, form_encoded);
        add("escaped", RUN, debugged);
    }
    forms
}

#[test]
fn a_secret_is_found_however_it_is_written() {
    let secret = "pä\"s\\s 100% <wörd>+/ZqW8XkD3vB";
    let mut secrets = Secrets::default();
    secrets.add("the password", secret);
    for form in forms(secret.as_bytes()) {
        let log = format!("2026-11-21 TRACE hyper: read {{ {} }} and went on", form.text);
        let found = secrets.found_in(&log);
        assert!(found.keys().any(|what| what.starts_with("the password, ")), "{}: {}", form.name, form.text);
    }
    for log in [
        format!("{:?}", secret.as_bytes()),
        format!("{:?}", gatehouse::keys::sha256(secret)),
        gatehouse::keys::digest(secret),
        // In the middle of what was encoded as a whole, and cut.
        STANDARD_NO_PAD.encode(format!("client:{secret}:more")),
        URL_SAFE_NO_PAD.encode(format!("a{secret}")),
        secret.chars().skip(12).collect(),
    ] {
        assert!(!secrets.found_in(&log).is_empty(), "{log}");
    }
    secrets.add_named("code", "WDJB-MJHT");
    for log in ["code=WDJB-MJHT&", "\"WDJBMJHT\"", "wdjb-mjht", "typed wdjbmjht"] {
        assert!(!secrets.found_in(log).is_empty(), "{log}");
    }
    assert!(secrets.found_in("pä\"s\\s, 100 %, ZqW8 and other words").is_empty());
}
