//! Rendezvous in the 2024 form (MSC4108 at commit 87f8317a), to the letter.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use futures_util::future::join_all;
use gatehouse::config::{Config, Limit};
use gatehouse::http::listen::Peer;
use gatehouse::rendezvous::sessions::{CAPACITY, LARGEST, LIFETIME};
use gatehouse::store::{FromRow, Row, Store, query};
use gatehouse::work;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use http::{Method, Request};
use serde_json::json;

use crate::support::server::{Answer, Engine, Server, on_both_engines, send_to};

pub(crate) const PATH: &str = "/_matrix/client/unstable/org.matrix.msc4108/rendezvous";
const TEXT: &str = "text/plain";
/// The first second of every test, and the end of a session that begins in it.
const BEGINNING: &str = "Fri, 15 Jan 2027 08:00:00 GMT";
const END: &str = "Fri, 15 Jan 2027 08:05:00 GMT";

async fn start(engine: Engine) -> Server {
    start_with(engine, |_| ()).await
}

async fn start_with(engine: Engine, change: impl FnOnce(&mut Config)) -> Server {
    Server::start_with(engine, |config| {
        config.rendezvous.msc4108 = true;
        change(config);
    })
    .await
}

/// A request with a text, as a client sends it; a header with an empty value is left out.
fn request(method: Method, path: &str, headers: &[(&str, &str)], data: impl Into<Vec<u8>>) -> Request<Body> {
    let data = data.into();
    let mut request =
        Request::builder().method(method.clone()).uri(path).body(Body::empty()).expect("a request");
    if [Method::POST, Method::PUT].contains(&method) {
        request.headers_mut().insert(CONTENT_TYPE, TEXT.parse().expect("a header"));
        request.headers_mut().insert(CONTENT_LENGTH, data.len().into());
        *request.body_mut() = Body::from(data);
    }
    for (name, value) in headers {
        let name: HeaderName = name.parse().expect("a name");
        match value.is_empty() {
            true => request.headers_mut().remove(name),
            false => request.headers_mut().insert(name, value.parse().expect("a value")),
        };
    }
    request
}

/// A session that has begun.
struct Session {
    path: String,
    etag: String,
}

impl Session {
    async fn begin(server: &Server, data: impl Into<Vec<u8>>) -> Session {
        let answer = server.send(request(Method::POST, PATH, &[], data)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let url = answer.json()["url"].as_str().expect("a URL").to_owned();
        let path = url.strip_prefix(server.config.http.public_base.origin().ascii_serialization().as_str());
        Session { path: path.expect("a URL of ours").to_owned(), etag: answer.header("etag").to_owned() }
    }

    async fn get(&self, server: &Server, headers: &[(&str, &str)]) -> Answer {
        server.send(request(Method::GET, &self.path, headers, "")).await
    }

    async fn put(&self, server: &Server, etag: &str, data: impl Into<Vec<u8>>) -> Answer {
        server.send(self.write(etag, data)).await
    }

    fn write(&self, etag: &str, data: impl Into<Vec<u8>>) -> Request<Body> {
        request(Method::PUT, &self.path, &[("if-match", etag)], data)
    }

    async fn end(&self, server: &Server) -> Answer {
        server.send(request(Method::DELETE, &self.path, &[], "")).await
    }
}

/// Every header but those of the transport, each as `name: value`, in order.
fn lines(answer: &Answer) -> Vec<String> {
    let mut lines: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["x-request-id", "content-length"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", value.to_str().expect("text")))
        .collect();
    lines.sort();
    lines
}

/// What every answer about a session has, with others beside it.
fn golden(etag: &str, modified: &str, others: &[&str]) -> Vec<String> {
    let mut lines = vec![
        "access-control-allow-origin: *".to_owned(),
        "access-control-expose-headers: ETag".to_owned(),
        "cache-control: no-store, no-transform".to_owned(),
        format!("etag: {etag}"),
        format!("expires: {END}"),
        format!("last-modified: {modified}"),
        "pragma: no-cache".to_owned(),
        "x-content-type-options: nosniff".to_owned(),
    ];
    lines.extend(others.iter().map(|line| (*line).to_owned()));
    lines.sort();
    lines
}

fn assert_refused(answer: &Answer, status: u16, errcode: &str, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    let body = answer.json();
    assert_eq!(body["errcode"], errcode, "{what}");
    assert!(body["error"].as_str().is_some_and(|error| !error.is_empty()), "{what}: {body}");
    assert_eq!(answer.header("content-type"), "application/json", "{what}");
    assert_eq!(answer.header("access-control-allow-origin"), "*", "{what}");
    assert_eq!(answer.header("access-control-expose-headers"), "ETag", "{what}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    assert!(answer.header("cache-control").contains("no-store"), "{what}");
}

struct Stored(String);

impl FromRow for Stored {
    fn from_row(row: &Row) -> Result<Stored, gatehouse::store::Error> {
        Ok(Stored(row.get("id_digest")?))
    }
}

async fn stored(store: &Store) -> Vec<String> {
    let rows: Vec<Stored> =
        query("SELECT id_digest FROM rendezvous_sessions").fetch_all(store).await.expect("rows");
    rows.into_iter().map(|Stored(digest)| digest).collect()
}

on_both_engines! {
    async fn every_answer_is_to_the_letter(engine: Engine) {
        let server = start(engine).await;
        let begun = server.send(request(Method::POST, PATH, &[], "")).await;
        assert_eq!(begun.status, 201);
        let first = begun.header("etag").to_owned();
        let is_strong = first.len() > 20 && first.starts_with('"') && first.ends_with('"');
        assert!(is_strong, "{first}");
        assert_eq!(
            lines(&begun),
            golden(&first, BEGINNING, &["content-type: application/json"])
        );
        let url = begun.json()["url"].as_str().expect("a URL").to_owned();
        assert_eq!(begun.json(), json!({ "url": url }));
        let id = url.strip_prefix(&format!("https://auth.example.org{PATH}/")).expect("a URL of ours");
        assert!(id.len() == 22 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)), "{id}");
        let session = Session { path: format!("{PATH}/{id}"), etag: first.clone() };

        let empty = session.get(&server, &[]).await;
        assert_eq!((empty.status.as_u16(), empty.text().as_str()), (200, ""));
        assert_eq!(lines(&empty), golden(&first, BEGINNING, &["content-type: text/plain"]));
        let same = session.get(&server, &[("if-none-match", &first)]).await;
        assert_eq!((same.status.as_u16(), same.body.len()), (304, 0));
        assert_eq!(lines(&same), golden(&first, BEGINNING, &[]));

        server.advance(Duration::from_secs(61));
        let written = session.put(&server, &first, "hello").await;
        let second = written.header("etag").to_owned();
        assert_eq!((written.status.as_u16(), written.body.len()), (202, 0));
        let later = "Fri, 15 Jan 2027 08:01:01 GMT";
        assert_eq!(lines(&written), golden(&second, later, &["content-type: text/plain"]));
        assert_ne!(second, first);
        let changed = session.get(&server, &[("if-none-match", &first)]).await;
        assert_eq!((changed.status.as_u16(), changed.text().as_str()), (200, "hello"));
        assert_eq!(lines(&changed), golden(&second, later, &["content-type: text/plain"]));

        let stale = session.put(&server, &first, "other").await;
        assert_eq!(stale.status, 412);
        assert_eq!(lines(&stale), golden(&second, later, &["content-type: application/json"]));
        let body = stale.json();
        assert_eq!(body["errcode"], "M_UNKNOWN");
        assert_eq!(body["org.matrix.msc4108.errcode"], "M_CONCURRENT_WRITE");
        assert!(body["error"].is_string() && body.as_object().is_some_and(|body| body.len() == 3), "{body}");
        assert_eq!(session.get(&server, &[]).await.text(), "hello", "nothing was written");

        let ended = session.end(&server).await;
        assert_eq!((ended.status.as_u16(), ended.body.len()), (204, 0));
        assert_refused(&session.end(&server).await, 404, "M_NOT_FOUND", "ended twice");
        assert_refused(&session.get(&server, &[]).await, 404, "M_NOT_FOUND", "read after its end");
        assert_refused(&session.put(&server, &second, "x").await, 404, "M_NOT_FOUND", "written after its end");
    }

    async fn a_tag_is_another_one_after_every_write_and_in_every_session(engine: Engine) {
        let server = start(engine).await;
        let (one, other) = (Session::begin(&server, "same").await, Session::begin(&server, "same").await);
        assert_ne!(one.path, other.path);
        assert_ne!(one.etag, other.etag);
        let again = one.put(&server, &one.etag, "same").await.header("etag").to_owned();
        assert_ne!(again, one.etag, "the same text is another message");
        assert_eq!(other.put(&server, &again, "x").await.status, 412, "a tag is good for its own session");
        assert_eq!(one.put(&server, &one.etag, "same").await.status, 412);
        assert_eq!(one.put(&server, &again, "same").await.status, 202);
    }

    async fn whatever_a_text_holds_comes_back(engine: Engine) {
        let server = start(engine).await;
        let every_byte: Vec<u8> = (0..=255).collect();
        for data in [every_byte, vec![0; LARGEST], b"<script>alert(1)</script>".to_vec(), "ä".repeat(10).into()] {
            let session = Session::begin(&server, data.clone()).await;
            assert_eq!(session.get(&server, &[]).await.body, data);
            let reversed: Vec<u8> = data.iter().rev().copied().collect();
            let written = session.put(&server, &session.etag, reversed.clone()).await;
            assert_eq!(written.status, 202);
            let answer = session.get(&server, &[("if-none-match", &session.etag)]).await;
            assert_eq!((answer.header("content-type"), &answer.body[..]), (TEXT, &reversed[..]));
        }
    }

    async fn every_fault_has_its_answer(engine: Engine) {
        let server = start(engine).await;
        let session = Session::begin(&server, "there").await;
        let (missing, invalid) = ("M_MISSING_PARAM", "M_INVALID_PARAM");
        let large = "x".repeat(LARGEST + 1);
        for method in [Method::POST, Method::PUT] {
            let path = if method == Method::POST { PATH } else { &session.path };
            for (fault, headers, data, status, errcode) in [
                ("no media type", &[("content-type", "")][..], "x", 400, missing),
                ("no length", &[("content-length", "")], "x", 400, missing),
                ("another media type", &[("content-type", "application/json")], "x", 400, invalid),
                ("a part of it", &[("content-type", "text/plainer")], "x", 400, invalid),
                ("no media type at all", &[("content-type", "nonsense")], "x", 400, invalid),
                ("a length that is none", &[("content-length", "many")], "x", 400, invalid),
                ("too large", &[], &large, 413, "M_TOO_LARGE"),
                ("larger than it says", &[("content-length", "1")], &large, 413, "M_TOO_LARGE"),
            ] {
                let mut all = vec![("if-match", session.etag.as_str())];
                all.extend(headers);
                let answer = server.send(request(method.clone(), path, &all, data)).await;
                assert_refused(&answer, status, errcode, &format!("{method}: {fault}"));
            }
        }
        for (fault, tag, errcode) in [
            ("no tag", "", missing),
            ("a weak tag", &*format!("W/{}", session.etag), invalid),
            ("any tag", "*", invalid),
            ("a tag without quotes", session.etag.trim_matches('"'), invalid),
            ("two tags", &*format!("{}, \"x\"", session.etag), invalid),
        ] {
            assert_refused(&session.put(&server, tag, "x").await, 400, errcode, fault);
        }
        for id in ["nobodys", "%00", "01ARZ3NDEKTSV4RRFFQ69G5FAV", &"x".repeat(2000)] {
            let unknown = Session { path: format!("{PATH}/{id}"), etag: "\"x\"".to_owned() };
            assert_refused(&unknown.get(&server, &[]).await, 404, "M_NOT_FOUND", id);
            assert_refused(&unknown.put(&server, &unknown.etag, "x").await, 404, "M_NOT_FOUND", id);
            assert_refused(&unknown.end(&server).await, 404, "M_NOT_FOUND", id);
        }
        for (method, path) in [
            (Method::GET, PATH), (Method::PUT, PATH), (Method::DELETE, PATH), (Method::PATCH, PATH),
            (Method::POST, &session.path), (Method::PATCH, &session.path),
        ] {
            let answer = server.send(request(method.clone(), path, &[], "")).await;
            assert_refused(&answer, 405, "M_UNRECOGNIZED", &format!("{method} {path}"));
            assert!(!answer.header("allow").is_empty());
        }
        let answer = session.get(&server, &[]).await;
        assert_eq!((answer.text().as_str(), answer.header("etag")), ("there", session.etag.as_str()));
        // A script says which characters it means, whether or not it was asked.
        let utf_8 = [("content-type", "text/plain;charset=UTF-8"), ("if-match", &session.etag)];
        let written = server.send(request(Method::PUT, &session.path, &utf_8, "x")).await;
        assert_eq!(written.status, 202, "{}", written.text());
        assert_eq!(session.get(&server, &[]).await.header("content-type"), TEXT);
    }

    async fn what_was_seen_may_be_said_in_every_way_of_http(engine: Engine) {
        let server = start(engine).await;
        let session = Session::begin(&server, "there").await;
        let (weak, list) = (format!("W/{}", session.etag), format!("\"x\", {}", session.etag));
        for (tags, status) in [(weak.as_str(), 304), (&list, 304), ("*", 304), ("\"x\"", 200), ("W/\"x\"", 200)] {
            let answer = session.get(&server, &[("if-none-match", tags)]).await;
            assert_eq!(answer.status, status, "{tags}");
            assert_eq!(answer.header("etag"), session.etag, "{tags}");
        }
    }

    async fn of_many_who_write_at_once_one_does(engine: Engine) {
        let server = start(engine).await;
        let session = Session::begin(&server, "").await;
        let mut etag = session.etag.clone();
        for round in 0..5 {
            let writes = (0..8).map(|writer| session.put(&server, &etag, format!("{round} by {writer}")));
            let answers = join_all(writes).await;
            let done: Vec<usize> = (0..8).filter(|writer| answers[*writer].status == 202).collect();
            assert_eq!(done.len(), 1, "{answers:?}");
            let next = answers[done[0]].header("etag").to_owned();
            for answer in answers.iter().filter(|answer| answer.status != 202) {
                assert_eq!((answer.status.as_u16(), answer.header("etag")), (412, next.as_str()));
            }
            let there = session.get(&server, &[]).await;
            assert_eq!((there.text(), there.header("etag")), (format!("{round} by {}", done[0]), next.as_str()));
            etag = next;
        }
    }

    async fn a_session_ends_by_itself_and_writing_does_not_prolong_it(engine: Engine) {
        let server = start(engine).await;
        let session = Session::begin(&server, "").await;
        server.advance(LIFETIME - Duration::from_millis(1));
        let written = session.put(&server, &session.etag, "late").await;
        assert_eq!((written.status.as_u16(), written.header("expires")), (202, END));
        assert_eq!(session.get(&server, &[]).await.status, 200);
        server.advance(Duration::from_millis(1));
        let seen = written.header("etag").to_owned();
        assert_refused(&session.get(&server, &[("if-none-match", &seen)]).await, 404, "M_NOT_FOUND", "read");
        assert_refused(&session.put(&server, &seen, "x").await, 404, "M_NOT_FOUND", "written");
        assert_refused(&session.end(&server).await, 404, "M_NOT_FOUND", "ended");

        let other = Session::begin(&server, "").await;
        assert_eq!(stored(&server.app.store).await.len(), 2);
        work::sweep(&server.app).await.expect("a sweep");
        assert_eq!(stored(&server.app.store).await.len(), 1);
        assert_eq!(other.get(&server, &[]).await.status, 200);
    }

    async fn what_is_stored_lets_nobody_in(engine: Engine) {
        let server = start(engine).await;
        let session = Session::begin(&server, "").await;
        let id = session.path.rsplit('/').next().expect("an id");
        let stored = stored(&server.app.store).await;
        assert!(stored.len() == 1 && !stored[0].contains(id));
        let by_digest = Session { path: format!("{PATH}/{}", stored[0]), etag: session.etag.clone() };
        assert_refused(&by_digest.get(&server, &[]).await, 404, "M_NOT_FOUND", "by its digest");
    }

    async fn sessions_are_few_for_one_address(engine: Engine) {
        let server = start_with(engine, |config| {
            config.rate_limits.rendezvous_per_address = Limit { burst: 3, per_hour: 60 };
        })
        .await;
        let from = async |address: &str, data: &str| {
            let mut request = request(Method::POST, PATH, &[], data);
            request.extensions_mut().insert(Peer(address.parse().ok()));
            server.send(request).await
        };
        for _ in 0..3 {
            assert_eq!(from("2001:db8::1", "").await.status, 201);
        }
        let refused = from("2001:db8::2", "").await;
        assert_refused(&refused, 429, "M_UNKNOWN", "the same network");
        assert_eq!(refused.header("retry-after"), "60");
        assert_eq!(from("2001:db8:0:1::1", "").await.status, 201, "another network");
        assert_eq!(from("203.0.113.1", &"x".repeat(5000)).await.status, 413, "a refusal costs nothing");
        for _ in 0..3 {
            assert_eq!(from("203.0.113.1", "").await.status, 201);
        }
        server.advance(Duration::from_secs(60));
        assert_eq!(from("2001:db8::1", "").await.status, 201);
        assert_eq!(from("2001:db8::1", "").await.status, 429);
    }

    async fn sessions_are_not_without_number(engine: Engine) {
        let server = start(engine).await;
        let first = Session::begin(&server, "").await;
        const FILL: &str = "
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $1)
INSERT INTO rendezvous_sessions (id_digest, data, revision, modified_at, expires_at)
SELECT CAST(n AS TEXT), '', '', $2, $3 FROM numbers";
        let now = server.app.clock.now();
        let mut tx = server.app.store.begin().await.expect("a transaction");
        let fill = query(FILL).bind(CAPACITY - 2).bind(now).bind(now + LIFETIME);
        fill.execute(&mut tx).await.expect("rows");
        tx.commit().await.expect("a commit");
        server.advance(Duration::from_secs(1));
        let last = Session::begin(&server, "").await;
        let full = server.send(request(Method::POST, PATH, &[], "")).await;
        assert_refused(&full, 429, "M_UNKNOWN", "no place left");
        assert_eq!(full.header("retry-after"), "30");
        assert_eq!(first.put(&server, &first.etag, "x").await.status, 202, "those that are there go on");
        assert_eq!(last.end(&server).await.status, 204);
        Session::begin(&server, "").await;
        assert_eq!(server.send(request(Method::POST, PATH, &[], "")).await.status, 429);
        // What is over takes no place, swept or not.
        server.advance(LIFETIME - Duration::from_secs(1));
        Session::begin(&server, "").await;
    }

    async fn no_browser_shows_what_strangers_left(engine: Engine) {
        let server = start(engine).await;
        let session = Session::begin(&server, "<h1>Your account is locked</h1>").await;
        let script = ("sec-fetch-dest", "empty");
        for (what, headers, status) in [
            ("a program", &[][..], 200),
            ("a script", &[script, ("sec-fetch-mode", "cors"), ("sec-fetch-site", "cross-site")], 200),
            ("a page", &[("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate")], 403),
            ("a frame", &[("sec-fetch-dest", "iframe")], 403),
            ("an image", &[("sec-fetch-dest", "image"), ("sec-fetch-mode", "no-cors")], 403),
            ("an embedded object", &[("sec-fetch-dest", "embed")], 403),
            ("a script tag", &[("sec-fetch-dest", "script")], 403),
            ("a mode alone", &[script, ("sec-fetch-mode", "navigate")], 403),
            ("a click", &[script, ("sec-fetch-user", "?1")], 403),
            ("the address bar", &[script, ("sec-fetch-site", "none")], 403),
        ] {
            let answer = session.get(&server, headers).await;
            assert_eq!(answer.status, status, "{what}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
            if status == 403 {
                assert_refused(&answer, 403, "M_FORBIDDEN", what);
                assert!(!answer.text().contains("<h1>"), "{what}");
            }
        }
    }

    async fn scripts_from_everywhere_may_do_all_of_it(engine: Engine) {
        let server = start(engine).await;
        let session = Session::begin(&server, "").await;
        for path in [PATH, &session.path, &format!("{PATH}/nobodys")] {
            let preflight = server.send(request(Method::OPTIONS, path, &[], "")).await;
            assert_eq!(preflight.status, 204);
            for (name, value) in [
                ("access-control-allow-origin", "*"),
                ("access-control-allow-methods", "GET, POST, PUT, DELETE, OPTIONS"),
                ("access-control-allow-headers", "Content-Type, If-Match, If-None-Match"),
                ("access-control-expose-headers", "ETag"),
            ] {
                assert_eq!(preflight.header(name), value, "{path}: {name}");
            }
            assert!(!preflight.headers.contains_key("access-control-allow-credentials"));
        }
        let ended = session.end(&server).await;
        assert_eq!(ended.header("access-control-allow-origin"), "*");
    }

    async fn below_a_path_the_address_is_below_it(engine: Engine) {
        let server = start_with(engine, |config| {
            config.http.public_base = "https://example.org/auth/".parse().expect("a URL");
        })
        .await;
        let session = Session::begin(&server, "x").await;
        assert!(session.path.starts_with(&format!("/auth{PATH}/")), "{}", session.path);
        assert_eq!(session.get(&server, &[]).await.text(), "x");
        // For a proxy that strips the path.
        let stripped = Session { path: session.path.replacen("/auth", "", 1), etag: session.etag.clone() };
        assert_eq!(stripped.get(&server, &[]).await.text(), "x");
    }

    async fn it_is_off_unless_somebody_turns_it_on(engine: Engine) {
        let server = Server::start(engine).await;
        for (method, path) in [(Method::POST, PATH.to_owned()), (Method::GET, format!("{PATH}/x"))] {
            let answer = server.send(request(method, &path, &[], "")).await;
            assert_eq!(answer.refusal(), (404, "M_UNRECOGNIZED".to_owned()));
        }
        assert!(stored(&server.app.store).await.is_empty());
    }
}

#[tokio::test]
async fn two_devices_meet_whichever_nodes_they_are_sent_to() {
    let server = start(Engine::Postgres).await;
    let (_node, other) = server.another_node().await;
    let session = Session::begin(&server, "from the first").await;
    let ask = async |node: &Router, request: Request<Body>| send_to(node, request).await;
    let read = |headers: &[(&str, &str)]| request(Method::GET, &session.path, headers, "");
    let there = ask(&other, read(&[])).await;
    assert_eq!((there.text().as_str(), there.header("etag")), ("from the first", session.etag.as_str()));

    let mut etag = session.etag.clone();
    for round in 0..10 {
        let (here, there) = (format!("{round} here"), format!("{round} there"));
        let (one, two) = tokio::join!(
            server.send(session.write(&etag, here.as_str())),
            ask(&other, session.write(&etag, there.as_str())),
        );
        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort();
        assert_eq!(statuses, [202, 412], "one of two nodes");
        let (winner, text) = if one.status == 202 { (one, here) } else { (two, there) };
        let next = winner.header("etag").to_owned();
        for answer in [session.get(&server, &[("if-none-match", &etag)]).await, ask(&other, read(&[])).await]
        {
            assert_eq!((answer.text(), answer.header("etag")), (text.clone(), next.as_str()));
        }
        etag = next;
    }
    assert_eq!(ask(&other, request(Method::DELETE, &session.path, &[], "")).await.status, 204);
    assert_eq!(session.get(&server, &[]).await.status, 404);
}
