//! Passwords that were stolen elsewhere: the list is downloaded from a server that breaks off, and nobody can
//! choose what is on it. And how long a password has to be, with and without a second factor.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path as UrlPath, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use gatehouse::accounts::breached_passwords::{
    BreachedPasswords, DIGESTS, Error, Header, RANGES, kept, place_of,
};
use gatehouse::cli::passwords::{Plan, Progress, download};
use gatehouse::cli::{Failure, Kind};
use gatehouse::keys::Password;
use gatehouse::time::Timestamp;
use http::StatusCode;
use http::header::{CONTENT_ENCODING, RETRY_AFTER};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use url::Url;

use super::command_line::{Installation, ask};
use super::support::factors::{SECURITY, add_app, sign_in, user_with_app};
use super::support::homeserver::StubHomeserver;
use super::support::page::Page;
use super::support::server::{Browser, Engine, PASSWORD, Server, on_both_engines};

const CHANGE: &str = "/account/password";
/// So many ranges has the server of these tests, of the million that there are.
const FEW: u32 = 1000;
/// Long, hard to guess, and stolen.
const STOLEN: &str = "seven green kettles sing at dusk";
const NEW: &str = "gatehouse lantern velvet orbit";

fn sha1(password: &str) -> [u8; 20] {
    Password::new(password.to_owned()).expect("a password").sha1()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Passwords whose digests are in the first ranges.
fn in_few(count: usize) -> Vec<String> {
    let all = (0..).map(|number| format!("password {number}"));
    all.filter(|password| kept(sha1(password)).0 < FEW).take(count).collect()
}

/// A list with these passwords, as a download of all ranges makes it.
fn write_list(path: &Path, passwords: &[&str]) {
    let mut digests: Vec<_> = passwords.iter().map(|password| kept(sha1(password))).collect();
    digests.sort_unstable();
    let file = fs::File::create(path).expect("a file");
    let header = Header { ranges: RANGES, minimum_count: 10, begun_at: Timestamp(1_800_000_000_000) };
    file.write_all_at(&header.to_bytes(), 0).expect("a header");
    let places: Vec<u8> = (0..=RANGES)
        .flat_map(|range| (digests.partition_point(|(of, _)| *of < range) as u64).to_le_bytes())
        .collect();
    file.write_all_at(&places, place_of(0)).expect("a table");
    let digests: Vec<u8> = digests.into_iter().flat_map(|(_, digest)| digest).collect();
    file.write_all_at(&digests, DIGESTS).expect("digests");
}

/// Pwned Passwords, as far as these tests need it.
struct Pwned {
    /// What was stolen, and how often.
    stolen: Vec<(String, u32)>,
    asked: AtomicUsize,
    /// What each request in turn meets, if it is no answer.
    trouble: Vec<(usize, Trouble)>,
}

#[derive(Clone, Copy)]
enum Trouble {
    BreaksOff,
    TooMany,
    Unavailable,
    Gibberish,
    Compressed,
    Gone,
}

async fn range(State(pwned): State<Arc<Pwned>>, UrlPath(prefix): UrlPath<String>) -> Response {
    let turn = pwned.asked.fetch_add(1, Ordering::Relaxed);
    assert!(prefix.len() == 5 && u32::from_str_radix(&prefix, 16).is_ok(), "{prefix}");
    // Every range has some that nobody here knows.
    let mut lines = vec![format!("{}:1", "0".repeat(35)), format!("{}:7", "F".repeat(35))];
    for (password, count) in &pwned.stolen {
        let digest = hex(&sha1(password));
        if let Some(rest) = digest.strip_prefix(&prefix) {
            lines.push(format!("{rest}:{count}"));
        }
    }
    let text = lines.join("\r\n");
    let trouble = pwned.trouble.iter().find(|(at, _)| *at == turn).map(|(_, trouble)| *trouble);
    match trouble {
        None => text.into_response(),
        Some(Trouble::BreaksOff) => {
            let begun = Ok(Bytes::from(text[..20].to_owned()));
            let broken = Err(std::io::Error::other("broken off"));
            Body::from_stream(stream::iter([begun, broken])).into_response()
        }
        Some(Trouble::TooMany) => (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "0")]).into_response(),
        Some(Trouble::Unavailable) => StatusCode::BAD_GATEWAY.into_response(),
        Some(Trouble::Gibberish) => "<h1>Sign in to this network</h1>".into_response(),
        Some(Trouble::Compressed) => {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut packed, text.as_bytes()).expect("bytes");
            ([(CONTENT_ENCODING, "gzip")], packed.finish().expect("bytes")).into_response()
        }
        Some(Trouble::Gone) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn serve(stolen: Vec<(String, u32)>, trouble: Vec<(usize, Trouble)>) -> (Url, Arc<Pwned>) {
    let pwned = Arc::new(Pwned { stolen, asked: AtomicUsize::new(0), trouble });
    let router = Router::new().route("/range/{prefix}", get(range)).with_state(pwned.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let from = format!("http://{}/range/", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (from.parse().expect("a URL"), pwned)
}

fn plan(from: Url, folder: &TempDir, minimum_count: u32) -> Plan {
    Plan {
        from,
        out: folder.path().join("list"),
        minimum_count,
        parallel: 8,
        ranges: FEW,
        pause: Duration::from_millis(1),
        now: Timestamp(1_800_000_000_000),
    }
}

async fn run(plan: &Plan) -> (Result<Progress, Failure>, Vec<Progress>) {
    let mut told = Vec::new();
    let done = download(plan, |progress| told.push(*progress)).await;
    (done, told)
}

fn has(plan: &Plan, password: &str) -> bool {
    let list = BreachedPasswords::open_with(&plan.out, FEW).expect("a list");
    list.has(sha1(password)).expect("an answer")
}

#[tokio::test]
async fn the_list_is_downloaded_through_every_passing_trouble() {
    let passwords = in_few(3);
    let [often, seldom, never] = [&passwords[0], &passwords[1], &passwords[2]];
    let stolen = vec![(often.clone(), 10), (seldom.clone(), 9)];
    let trouble = vec![
        (3, Trouble::BreaksOff),
        (40, Trouble::TooMany),
        (80, Trouble::Unavailable),
        (81, Trouble::Unavailable),
        (120, Trouble::Gibberish),
        (160, Trouble::Compressed),
    ];
    let (from, pwned) = serve(stolen, trouble).await;
    let folder = tempfile::tempdir().expect("a folder");
    let plan = plan(from, &folder, 10);
    let (done, told) = run(&plan).await;
    assert_eq!(done.expect("a list").passwords, 1);
    assert!(has(&plan, often) && !has(&plan, seldom) && !has(&plan, never));
    // Each trouble cost one more request, and nothing was asked for twice without need.
    assert_eq!(pwned.asked.load(Ordering::Relaxed), FEW as usize + 5);
    let ranges: Vec<u32> = told.iter().map(|progress| progress.ranges).collect();
    assert_eq!(ranges, [0, 256, 512, 768, 1000]);
    assert!(told.iter().all(|progress| progress.all_ranges == FEW));
    assert!(!folder.path().join("list.partial").exists());

    // All of them, in the place of the list before.
    let plan = Plan { minimum_count: 1, ..plan };
    run(&plan).await.0.expect("a list");
    assert!(has(&plan, often) && has(&plan, seldom) && !has(&plan, never));
    let list = BreachedPasswords::open_with(&plan.out, FEW).expect("a list");
    assert_eq!((list.count, list.header.minimum_count), (2 * u64::from(FEW) + 2, 1));
}

#[tokio::test]
async fn what_was_interrupted_goes_on_where_it_was() {
    let stolen = in_few(40);
    let (from, pwned) =
        serve(stolen.iter().map(|one| (one.clone(), 20)).collect(), vec![(700, Trouble::Gone)]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let plan = plan(from, &folder, 10);
    let (failed, told) = run(&plan).await;
    let failure = failed.expect_err("no list");
    assert!(failure.message.contains("goes on from here"), "{failure}");
    let ranges = told.last().expect("progress").ranges;
    assert!((600..FEW).contains(&ranges), "{ranges}");
    assert!(!plan.out.exists());
    // A part that was being written when it was cut off does not matter.
    let partial = folder.path().join("list.partial");
    let length = fs::metadata(&partial).expect("a file").len();
    let file = fs::OpenOptions::new().write(true).open(&partial).expect("a file");
    file.write_all_at(b"cut off he", length).expect("bytes");
    // With other numbers it would be another list.
    let other = run(&Plan { minimum_count: 5, ..plan.clone() }).await.0.expect_err("another list");
    assert!(other.error == Kind::Refused && other.message.contains("--minimum-count 10"), "{other}");
    let asked = pwned.asked.load(Ordering::Relaxed);
    let (done, told) = run(&plan).await;
    done.expect("a list");
    assert_eq!(told[0].ranges, ranges);
    assert_eq!(pwned.asked.load(Ordering::Relaxed) - asked, (FEW - ranges) as usize);
    assert!(stolen.iter().all(|password| has(&plan, password)));
    assert_eq!(BreachedPasswords::open_with(&plan.out, FEW).expect("a list").count, 40);
}

#[tokio::test]
async fn a_range_that_stays_away_is_given_up_and_two_downloads_do_not_mix() {
    let folder = tempfile::tempdir().expect("a folder");
    let (from, pwned) = serve(Vec::new(), (0..100).map(|turn| (turn, Trouble::Unavailable)).collect()).await;
    let one_by_one = Plan { parallel: 1, ..plan(from.clone(), &folder, 10) };
    let failure = run(&one_by_one).await.0.expect_err("no list");
    assert!(failure.error == Kind::Failed && failure.message.contains("502"), "{failure}");
    assert_eq!(pwned.asked.load(Ordering::Relaxed), 8);
    let partial = folder.path().join("list.partial");
    let held = fs::OpenOptions::new().write(true).open(&partial).expect("a file");
    held.try_lock().expect("a lock");
    let failure = run(&one_by_one).await.0.expect_err("another download");
    assert!(failure.message.contains("another download"), "{failure}");
    drop(held);
    fs::write(&partial, "something else").expect("a file");
    assert!(run(&one_by_one).await.0.expect_err("no list").message.contains("remove it first"));
    let elsewhere = Plan { from: "http://example.org/range/".parse().expect("a URL"), ..one_by_one };
    assert_eq!(run(&elsewhere).await.0.expect_err("a plain address").error, Kind::Usage);
}

#[test]
fn a_list_that_is_not_whole_is_not_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("list");
    write_list(&path, &[STOLEN, "another one"]);
    let list = BreachedPasswords::open(&path).expect("a list");
    assert_eq!(list.count, 2);
    assert!(list.has(sha1(STOLEN)).expect("an answer") && list.has(sha1("another one")).expect("an answer"));
    assert!(!list.has(sha1(NEW)).expect("an answer"));
    let length = fs::metadata(&path).expect("a file").len();
    let file = fs::OpenOptions::new().write(true).open(&path).expect("a file");
    for wrong in [length - 1, length + 1, DIGESTS, 40, 31, 0] {
        file.set_len(wrong).expect("a length");
        assert!(matches!(BreachedPasswords::open(&path), Err(Error::Damaged)), "{wrong}");
    }
    write_list(&path, &[STOLEN]);
    let header = Header { ranges: RANGES - 1, minimum_count: 10, begun_at: Timestamp(0) };
    file.write_all_at(&header.to_bytes(), 0).expect("bytes");
    assert!(matches!(BreachedPasswords::open(&path), Err(Error::Incomplete)));
    fs::write(&path, "not a list at all, but long enough to have a header").expect("a file");
    assert!(matches!(BreachedPasswords::open(&path), Err(Error::Damaged)));
    assert!(matches!(BreachedPasswords::open(&folder.path().join("nothing")), Err(Error::Io(_))));
}

/// What the page says of a password that is to be the new one; `None` if it is taken.
async fn refusal(browser: &mut Browser<'_>, password: &str) -> Option<String> {
    let csrf = browser.csrf().await;
    let form = [("csrf", csrf.as_str()), ("new_password", password), ("new_password_again", password)];
    let answer = browser.post(CHANGE, &form).await;
    match answer.status {
        StatusCode::SEE_OTHER => None,
        StatusCode::BAD_REQUEST => Some(Page::of(&answer).main()),
        status => panic!("{status}: {}", answer.text()),
    }
}

on_both_engines! {
    async fn nobody_can_choose_what_is_on_the_list(engine: Engine) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("list");
        write_list(&path, &[STOLEN]);
        let server = Server::start_with(engine, |config| config.passwords.breached_list = Some(path.clone())).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let said = refusal(&mut browser, STOLEN).await.expect("a refusal");
        assert!(said.contains("stolen elsewhere"), "{said}");
        assert!(!said.contains(STOLEN));
        let set = json!({ "users": { "set_password": { "name": "alice", "end_sessions": false, "password": STOLEN } } });
        assert_eq!(ask(&server, set).await.map_err(|failure| failure.error), Err(Kind::Refused));
        assert_eq!(refusal(&mut browser, NEW).await, None);
        // A newer list counts at once; and without one nobody can tell, so nobody may.
        write_list(&path, &[STOLEN, PASSWORD]);
        assert!(refusal(&mut browser, PASSWORD).await.is_some());
        fs::remove_file(&path).expect("no file");
        let csrf = browser.csrf().await;
        let form = [("csrf", csrf.as_str()), ("new_password", PASSWORD), ("new_password_again", PASSWORD)];
        assert_eq!(browser.post(CHANGE, &form).await.status, StatusCode::SERVICE_UNAVAILABLE);
        // To sign in needs no list.
        assert_eq!(server.browser().sign_in("alice", NEW, "/account/").await.location(), "/account/");
    }

    async fn beside_a_second_factor_a_shorter_password_is_enough(engine: Engine) {
        const SHORT: &str = "kV7#pQ2z";
        let server = Server::start(engine).await;
        server.user("bob").await;
        let mut bobs = server.signed_in("bob").await;
        assert!(Page::of(&bobs.get(CHANGE).await).main().contains("At least 15 characters"));
        assert!(refusal(&mut bobs, SHORT).await.expect("a refusal").contains("at least 15 characters"));
        let app = user_with_app(&server, "alice").await;
        let mut browser = server.browser();
        sign_in(&server, &mut browser, "alice", &app, SECURITY).await;
        assert!(Page::of(&browser.get(CHANGE).await).main().contains("At least 8 characters"));
        assert!(refusal(&mut browser, &SHORT[..7]).await.expect("a refusal").contains("at least 8 characters"));
        // It must still be hard to guess.
        assert!(refusal(&mut browser, "password1").await.is_some());
        assert_eq!(refusal(&mut browser, SHORT).await, None);

        // The last second factor stays for as long as the password is short.
        let id = {
            let page = browser.get(SECURITY).await.text();
            let (_, rest) = page.split_once("/account/security/apps/01").expect("an app");
            format!("01{}", rest.split_once('/').expect("a path").0)
        };
        let path = format!("/account/security/apps/{id}/remove");
        let csrf = browser.csrf().await;
        let kept = browser.post(&path, &[("csrf", &csrf)]).await;
        assert_eq!(kept.location(), "/account/security?notice=short-password");
        let said = browser.get(kept.location()).await;
        assert!(Page::of(&said).main().contains("Choose a longer password first"), "{}", said.text());
        let second = add_app(&server, &mut browser, "Tablet").await;
        drop(second);
        // One of two may go, and with a longer password the last one too.
        assert_eq!(browser.post(&path, &[("csrf", &csrf)]).await.location(), "/account/security?notice=app-removed");
        assert_eq!(refusal(&mut browser, NEW).await, None);
        let page = browser.get(SECURITY).await.text();
        let (_, rest) = page.split_once("/account/security/apps/01").expect("an app");
        let last = format!("/account/security/apps/01{}/remove", rest.split_once('/').expect("a path").0);
        assert_eq!(browser.post(&last, &[("csrf", &csrf)]).await.location(), "/account/security?notice=app-removed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_says_what_is_wrong_with_its_list() {
    let homeserver = StubHomeserver::start().await;
    let installation = Installation::with(&homeserver, "passwords: {breached_list: list}\n");
    let refused = installation.run(&["serve"]);
    assert!(refused.refused(2).contains("gatehouse passwords download --out list"), "{}", refused.err);
    let line = |out: &str| out.lines().find(|line| line.contains("breached passwords")).map(str::to_owned);
    let doctor = installation.run(&["doctor"]);
    assert!(line(&doctor.out).expect("a line").starts_with("PROBLEM"), "{}", doctor.out);
    write_list(&installation.folder.path().join("list"), &[STOLEN]);
    let doctor = installation.run(&["doctor"]);
    let said = line(&doctor.out).expect("a line");
    assert!(said.starts_with("ok") && said.contains("list: 1 that were found 10 times or more"), "{said}");
    let mut running = installation.serve();
    let create = ["users", "create", "alice", "--password-stdin"];
    assert!(installation.run_with_input(&create, STOLEN).refused(4).contains("stolen elsewhere"));
    installation.run_with_input(&create, NEW).done();
    assert_eq!(running.stop_by("TERM"), 0);
    // A range that is not there is said with its name, and what was had is kept.
    let (from, _) = serve(Vec::new(), vec![(300, Trouble::Gone)]).await;
    let download = ["passwords", "download", "--out", "new", "--parallel", "2", "--from", from.as_str()];
    let failed = installation.run(&download);
    assert!(failed.refused(1).contains("cannot be had: 404"), "{}", failed.err);
    assert!(failed.err.contains(" 0.0 %: 0 of 1048576 ranges"), "{}", failed.err);
    assert!(installation.folder.path().join("new.partial").exists());
}
