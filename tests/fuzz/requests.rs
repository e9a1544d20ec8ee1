//! Parts of requests that have a meaning of their own: parameters of an authorization request, codes, and
//! headers that make a request conditional.

use std::cell::{Cell, RefCell};
use std::io::Read as _;
use std::time::Duration;

use axum::body::Body;
use flate2::read::GzDecoder;
use gatehouse::clients::authorization_requests::{Pending, Prompt, WAITING};
use gatehouse::config::Limit;
use gatehouse::http::prepared::Prepared;
use gatehouse::languages;
use gatehouse::methods::Acr;
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use tokio::runtime::Runtime;

use super::{fuzz, headers, text};
use crate::rendezvous::PATH;
use crate::support::server::{Answer, Engine, Server, authorization_query, code_form, matrix_scope};

/// Each input is one or two requests to the server.
const EXECUTIONS: usize = 1_000;

/// What a client wishes for, in three lines (OpenID Connect Core §3.1.2.1: `prompt`, `acr_values`, `ui_locales`):
/// only what is named is done, nothing beside `none`, the least of the proofs that would do, and a language that
/// the person reads.
#[test]
fn authorization_parameters() {
    fuzz!("authorization_parameters", |input: &[u8]| {
        let input = text(input);
        let mut lines = input.splitn(3, '\n');
        let mut line = || lines.next().unwrap_or_default();
        let (prompt, acr_values, ui_locales) = (line(), line(), line());
        let words = |text: &str| text.split(' ').filter(|one| !one.is_empty()).map(str::to_owned).collect();
        let words: Vec<String> = words(prompt);
        let names = |word: &str| words.iter().any(|one| one == word);
        match Prompt::parse(prompt) {
            None => assert!(names("none") && words.len() > 1, "{prompt:?} was refused"),
            Some(read) => {
                let told = [
                    (read.none, "none"),
                    (read.login, "login"),
                    (read.consent, "consent"),
                    (read.select_account, "select_account"),
                    (read.create, "create"),
                ];
                assert!(told.iter().all(|(is_there, word)| *is_there == names(word)), "{prompt:?}: {read:?}");
                assert!(!read.none || told.iter().filter(|(is_there, _)| *is_there).count() == 1);
                let stored = serde_json::to_string(&read).expect("JSON");
                assert_eq!(serde_json::from_str::<Prompt>(&stored).expect("a prompt"), read);
            }
        }
        let satisfy: Vec<&str> = acr_values.split(' ').filter(|value| Acr::asked(value).is_some()).collect();
        match Acr::asked(acr_values) {
            None => assert!(satisfy.is_empty(), "{acr_values:?}"),
            Some(least) => {
                assert!(satisfy.contains(&least.as_str()), "{acr_values:?}: {least:?}");
                assert!(satisfy.iter().all(|value| Acr::asked(value) >= Some(least)), "{acr_values:?}");
            }
        }
        if let Some(language) = languages::best(ui_locales.split(' ')) {
            let tag = language.tag().to_lowercase();
            let is_below = |range: &str| {
                range
                    .to_lowercase()
                    .strip_prefix(&tag)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            };
            assert!(ui_locales.split(' ').any(is_below), "{tag} for {ui_locales:?}");
        }
    });
}

/// A server, a request that waits there, and the code for it.
struct Granted {
    runtime: Runtime,
    server: Server,
    client: String,
    request: String,
    code: String,
}

impl Granted {
    fn new() -> Granted {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (server, client, request, code) = runtime.block_on(async {
            let server = Server::start(Engine::Sqlite).await;
            server.user("alice").await;
            let client = server.client().await;
            let mut browser = server.signed_in("alice").await;
            let query = authorization_query(&client, &matrix_scope("DEVICE"), &[]);
            let request = browser.ask(&query).await.0.replace(WAITING, "");
            let code = browser.allow(&query).await.query_parameter("code").expect("a code");
            (server, client, request, code)
        });
        Granted { runtime, server, client, request, code }
    }
}

/// Codes near one that is good: none of them gives anything, nor spends or spoils the good one.
#[test]
fn authorization_codes() {
    let Granted { runtime, server, client, request, code } = Granted::new();
    let redeem = |code: &str| runtime.block_on(server.post("/oauth2/token", &code_form(&client, code)));
    fuzz!("authorization_codes", EXECUTIONS, |input: &[u8]| {
        let given = filled(&text(input), &code).replace("{request}", &request);
        if given == code {
            return;
        }
        let answer = redeem(&given);
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{given:?}: {}", answer.text());
        assert!(["invalid_grant", "invalid_request"].contains(&answer.error().as_str()), "{}", answer.text());
    });
    let answer = redeem(&code);
    assert_eq!(answer.status, StatusCode::OK, "the code itself: {}", answer.text());
}

/// Requests as they come back with a browser: only what was made here is one.
#[test]
fn sealed_requests() {
    let Granted { server, request, code, .. } = Granted::new();
    let now = server.app.clock.now();
    let accepted = Cell::new(0);
    fuzz!("sealed_requests", |input: &[u8]| {
        let given = filled(&text(input), &request).replace("{code}", &code);
        let is_one = Pending::open(&given, server.app.keys.root(), now).is_some();
        accepted.set(accepted.get() + usize::from(is_one));
        assert_eq!(is_one, given == request, "{given:?}");
    });
    assert!(accepted.get() > 0, "no request is good");
}

/// The input with a sealed text, or what its parts are made of: the identifier, the nonce, and the rest.
fn filled(input: &str, sealed: &str) -> String {
    let bytes = gatehouse::keys::from_base64url(sealed).expect("base64url");
    let part = |part: &[u8]| gatehouse::keys::base64url(part);
    input
        .replace("{sealed}", sealed)
        .replace("{lower}", &sealed.to_lowercase())
        .replace("{identifier}", &part(&bytes[..16]))
        .replace("{without-identifier}", &part(&bytes[16..]))
        .replace("{without-proof}", &part(&bytes[..bytes.len() - 16]))
        .replace("{other-identifier}", &part(&[&[0; 16], &bytes[16..]].concat()))
        .replace("{other-nonce}", &part(&[&bytes[..16], &[0; 12], &bytes[28..]].concat()))
}

/// `If-None-Match` and `Accept-Encoding` (RFC 9110 §13.1.2, §12.5.3), as lines: the bytes are only kept back from
/// who says that they hold them, and only come compressed to who says that they can read that.
#[test]
fn conditional_headers() {
    const TEXT: &str = "the same words again and again, the same words again and again, the same words";
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let prepared = Prepared::new(TEXT, "text/plain", "no-cache", &[]);
    let tag_of =
        |request: &HeaderMap| prepared.respond(request).headers()[ETAG].to_str().expect("text").to_owned();
    let plain = tag_of(&HeaderMap::new());
    let gzip = tag_of(&headers("accept-encoding: gzip"));
    assert_ne!(plain, gzip);
    fuzz!("conditional_headers", |input: &[u8]| {
        let request = headers(&text(input).replace("{plain}", &plain).replace("{gzip}", &gzip));
        let says = |name: HeaderName| -> Vec<String> {
            let values = request.get_all(name).into_iter();
            values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
        };
        let answer = prepared.respond(&request);
        assert_eq!(answer.headers()[VARY], "accept-encoding");
        let tag = answer.headers()[ETAG].to_str().expect("text").to_owned();
        let is_gzip = answer.headers().contains_key(CONTENT_ENCODING);
        assert_eq!(&tag, if is_gzip { &gzip } else { &plain });
        let accepted = says(ACCEPT_ENCODING);
        assert!(
            !is_gzip || accepted.iter().any(|value| value.to_lowercase().contains("gzip")),
            "{accepted:?}"
        );
        assert!(is_gzip || !accepted.iter().any(|value| value == "gzip"), "{accepted:?}");
        let (held, status) = (says(IF_NONE_MATCH), answer.status());
        let body = runtime.block_on(axum::body::to_bytes(answer.into_body(), 1000)).expect("a body");
        if status == StatusCode::NOT_MODIFIED {
            assert!(body.is_empty());
            return assert!(held.iter().any(|value| value.contains(&tag) || value.contains('*')), "{held:?}");
        }
        assert_eq!(status, StatusCode::OK);
        assert!(!held.iter().any(|value| *value == tag || value == "*"), "{held:?}");
        let mut content = String::new();
        match is_gzip {
            true => drop(GzDecoder::new(&body[..]).read_to_string(&mut content).expect("gzip")),
            false => content = String::from_utf8(body.to_vec()).expect("text"),
        }
        assert_eq!(content, TEXT);
    });
}

/// Headers and a text for a rendezvous (MSC4108 at commit 87f8317a): it takes the place of what is there only if
/// the one tag that is named is of just that, and what is there is told again to everybody who does not hold it.
#[test]
fn rendezvous_headers() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let server = runtime.block_on(Server::start_with(Engine::Sqlite, |config| {
        config.rendezvous.msc4108 = true;
        config.rate_limits.rendezvous_per_address = Limit { burst: u32::MAX, per_hour: u32::MAX };
    }));
    let send = |method: Method, path: &str, headers: &HeaderMap, body: &str| -> Answer {
        let mut request = Request::new(Body::from(body.to_owned()));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().expect("a path");
        *request.headers_mut() = headers.clone();
        runtime.block_on(server.send(request))
    };
    let begun = send(Method::POST, PATH, &headers("content-type: text/plain\ncontent-length: 0"), "");
    let url = begun.json()["url"].as_str().expect("a URL").to_owned();
    let path = format!("{PATH}/{}", url.rsplit('/').next().expect("an id"));
    // The tag of what is there, the one before, and what is there.
    let there = RefCell::new((begun.header(ETAG).to_owned(), String::from("\"none\""), String::new()));
    let written = Cell::new(0);
    fuzz!("rendezvous_headers", EXECUTIONS, |input: &[u8]| {
        let (tag, former, content) = there.borrow().clone();
        let input = text(input).replace("{tag}", &tag).replace("{former}", &former);
        let (lines, body) = input.split_once("\n\n").unwrap_or((&input, ""));
        let mut request = headers(lines);
        let held: Vec<_> = request.get_all(IF_NONE_MATCH).into_iter().cloned().collect();
        // To a browser that would show it nothing is told, which is another suite's subject.
        for name in ["sec-fetch-dest", "sec-fetch-mode", "sec-fetch-user", "sec-fetch-site"] {
            request.remove(name);
        }
        let read = send(Method::GET, &path, &request, "");
        match read.status {
            StatusCode::NOT_MODIFIED => assert!(held.iter().any(|value| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                value.contains(&tag) || value.contains('*')
            })),
            status => assert_eq!((status, read.text()), (StatusCode::OK, content.clone())),
        }
        let answer = send(Method::PUT, &path, &request, body);
        let now = send(Method::GET, &path, &HeaderMap::new(), "");
        if answer.status != StatusCode::ACCEPTED {
            assert!(answer.status.is_client_error(), "{}", answer.status);
            return assert_eq!((now.header(ETAG), now.text()), (tag.as_str(), content));
        }
        let only = |name: HeaderName| {
            let mut values = request.get_all(name).into_iter();
            let value = values.next().expect("a value").to_str().expect("text").to_owned();
            assert!(values.next().is_none(), "two values");
            value
        };
        assert_eq!(only(IF_MATCH), tag);
        assert!(request[CONTENT_TYPE].to_str().expect("text").to_lowercase().starts_with("text/plain"));
        let length: usize = request[CONTENT_LENGTH].to_str().expect("text").parse().expect("a number");
        assert!(length <= 4096 && body.len() <= 4096);
        assert_ne!(answer.header(ETAG), tag);
        assert_eq!((now.header(ETAG), now.text().as_str()), (answer.header(ETAG), body));
        written.set(written.get() + 1);
        *there.borrow_mut() = (answer.header(ETAG).to_owned(), tag, body.to_owned());
        server.advance(Duration::from_millis(1));
    });
    assert!(written.get() > 0, "nothing was written");
}
