//! Every acknowledgement is preceded by its flush. A kill does not show that: what a killed program has
//! written stays in the system's memory. So on SQLite the system calls of the program are written down;
//! PostgreSQL has a file of its own (`commits.rs`).

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use futures_util::future::join_all;
use gatehouse::keys;
use sqlx::{ConnectOptions, Row};

use super::calls::{Calls, Pair, Stop};
use super::client::Client;
use super::database::Database;
use super::trace::{self, Disk, Event, What, contains};
use crate::support::homeserver::StubHomeserver;
use crate::support::installed;
use crate::support::program::Program;

const DATABASE: &str = "gatehouse.db";
const WAL: &str = "gatehouse.db-wal";

/// A write that was acknowledged.
#[derive(Clone, Debug)]
struct Acknowledged {
    what: &'static str,
    /// What only its request has in it.
    request: String,
    /// What only its row has in it, from the request on.
    row: String,
    /// Counts the row as it has to be, given `row`.
    sql: &'static str,
}

fn acknowledged(what: &'static str, request: String, row: &str, sql: &'static str) -> Acknowledged {
    Acknowledged { what, request, row: row.to_owned(), sql }
}

const CONSENT: &str = "consent";
const CONSENTED: &str = "SELECT COUNT(*) FROM consents WHERE id = ?";
const BEGUN: &str = "SELECT COUNT(*) FROM client_sessions WHERE refresh_digest = ?";
const REFRESHED: &str = "SELECT COUNT(*) FROM client_sessions WHERE pending_refresh_digest = ?";
const USED: &str =
    "SELECT COUNT(*) FROM client_sessions WHERE refresh_digest = ? AND pending_refresh_digest IS NULL";
const ENDED: &str = "SELECT COUNT(*) FROM client_sessions WHERE device_id = ? AND ended_at IS NOT NULL";

/// Signs in, refreshes, shows the access token, and refreshes again.
async fn use_session(
    calls: &mut Calls,
    username: &str,
    device: &str,
) -> Result<(Pair, Vec<Acknowledged>), Stop> {
    let browser = calls.sign_in(username).await?;
    let path = calls.authorize(&browser, device).await?;
    let code = calls.allow(&browser, &path).await?;
    let first = calls.exchange(&code).await?.expect("a pair");
    let second = calls.refresh(&first.refresh).await?.expect("a pair");
    assert!(calls.is_active(&second.access, device).await?);
    let third = calls.refresh(&second.refresh).await?.expect("a pair");
    let digest = |pair: &Pair| keys::digest(&pair.refresh);
    let done = vec![
        acknowledged(CONSENT, format!("POST {path} "), username, CONSENTED),
        acknowledged("sign-in", format!("code={code}&"), &digest(&first), BEGUN),
        acknowledged("refresh", format!("refresh_token={}&", first.refresh), &digest(&second), REFRESHED),
        acknowledged("first use", format!("token={}", second.access), &digest(&second), USED),
        acknowledged("refresh", format!("refresh_token={}&", second.refresh), &digest(&third), REFRESHED),
    ];
    Ok((third, done))
}

/// Runs the program on SQLite under the eyes of strace; what was acknowledged, and what it did.
async fn observe() -> (Vec<Acknowledged>, Vec<Event>) {
    const SESSIONS: usize = 12;
    let homeserver = StubHomeserver::start().await;
    let mut program = Program::install(&homeserver, None);
    let file = program.folder().join("trace");
    let mut strace = program.command(installed::program("strace"));
    strace.args(trace::FORM).args(["--seccomp-bpf", "-e", trace::CALLS, "-o"]).arg(&file);
    strace.args(["--", "setpriv", "--pdeathsig", "KILL", "--"]).arg(Program::binary()).arg("serve");
    // All writes are in the trace, from the first byte of the database.
    program.start_as(strace);
    program.until_ready().await;
    for number in 0..SESSIONS {
        program.create_user(&Client::username(number)).await;
    }

    let mut all = Vec::new();
    let each = (0..SESSIONS).map(async |number| {
        let mut calls = Calls::new(program.port, &homeserver.secret());
        use_session(&mut calls, &Client::username(number), &format!("DEVICE{number:04}")).await
    });
    let mut sessions = Vec::new();
    for (number, used) in join_all(each).await.into_iter().enumerate() {
        let (pair, done) = used.expect("all goes well");
        sessions.push((pair, format!("DEVICE{number:04}")));
        all.extend(done);
    }
    let mut calls = Calls::new(program.port, &homeserver.secret());
    for (pair, device) in &sessions {
        calls.revoke(&pair.access).await.expect("all goes well");
        all.push(acknowledged("revocation", format!("token={}&", pair.access), device, ENDED));
    }
    // What nobody is told of, a consent's row has in it.
    const CONSENTS: &str = "
SELECT u.localpart || ' ' || k.id, k.granted_at FROM consents AS k JOIN users AS u ON u.id = k.user_id";
    let consents = Database::of(&program, None).rows(CONSENTS).await;
    let consents: BTreeMap<&str, &str> = consents.iter().filter_map(|(row, _)| row.split_once(' ')).collect();
    for done in all.iter_mut().filter(|done| done.what == CONSENT) {
        done.row = consents[done.row.as_str()].to_owned();
    }
    stop(&mut program);
    let trace = std::fs::read_to_string(file).expect("a trace");
    (all, trace::read(&trace))
}

/// Stops the program that strace follows; strace then ends by itself.
fn stop(program: &mut Program) {
    let pid = program.pid();
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("a process");
    let ended = Command::new("kill").args(["-s", "TERM"]).args(children.split_whitespace()).status();
    assert!(ended.expect("kill runs").success());
    program.wait();
}

/// Finds the request and its answer, and looks whether what was acknowledged had been committed and flushed
/// in between; the answer, or what is wrong.
fn check<'e>(events: &'e [Event], done: &Acknowledged) -> Result<&'e Event, String> {
    let wrong = |what: &str| Err(format!("{}: {what}", done.what));
    let has = |data: &[u8], text: &str| contains(data, text);
    let is_request = |event: &&Event| matches!(&event.what, What::Receive(data) if has(data, &done.request));
    let Some(request) = events.iter().find(is_request) else { return wrong("no such request") };
    let is_answer = |event: &&Event| {
        event.on == request.on && event.begun > request.ended && matches!(&event.what, What::Send(_))
    };
    let Some(answer) = events.iter().filter(is_answer).min_by_key(|event| event.begun) else {
        return wrong("no answer");
    };
    let mut wal: Vec<&Event> = events.iter().filter(|event| event.on.ends_with(WAL)).collect();
    wal.sort_by_key(|event| event.begun);
    let is_row = |event: &&Event| {
        event.begun > request.begun && matches!(&event.what, What::Write { data, .. } if has(data, &done.row))
    };
    let Some(row) = wal.iter().position(is_row) else { return wrong("never written") };
    // A frame is a header of 24 bytes and a page. The header of the last frame of a transaction tells the
    // size of the database, all others a zero (SQLite file format, The Write-Ahead Log).
    let is_commit = |event: &&&Event| matches!(&event.what, What::Write { data, .. } if data.len() == 24 && data[4..8] != [0; 4]);
    let Some(commit) = wal[row - 1..].iter().position(|event| is_commit(&event)) else {
        return wrong("never committed");
    };
    let last_page = wal[row - 1 + commit + 1];
    let is_flush = |event: &&&Event| event.what == What::Sync && event.begun > last_page.ended;
    match wal.iter().find(is_flush) {
        None => wrong("never flushed"),
        Some(flush) if flush.ended > answer.begun => wrong("answered before it was flushed"),
        Some(_) => Ok(answer),
    }
}

/// Whether the names of the database, its log and the folder of both were on disk at that moment.
fn are_names_flushed(events: &[Event], at: usize) -> bool {
    let wal: Vec<&Event> = events.iter().filter(|event| event.on.ends_with(WAL)).collect();
    // SQLite removes its log when the last connection is closed, and makes it anew for the next one.
    let removed = wal.iter().rposition(|event| event.what == What::Remove && event.ended < at);
    let Some(made) = wal.get(removed.map_or(0, |removed| removed + 1)) else { return false };
    let folder = Path::new(&made.on).parent().expect("a folder");
    let is_flushed = |folder: &Path, since: usize| {
        events.iter().any(|event| {
            event.what == What::Sync
                && Path::new(&event.on) == folder
                && event.begun > since
                && event.ended < at
        })
    };
    is_flushed(folder, made.ended) && folder.parent().is_some_and(|above| is_flushed(above, 0))
}

/// What of the acknowledged writes is there when the power fails just before each answer.
async fn lost_by_power_cuts(events: &[Event], all: &[Acknowledged]) -> Vec<&'static str> {
    let mut cuts: Vec<(usize, &Acknowledged)> =
        all.iter().filter_map(|done| Some((check(events, done).ok()?.begun, done))).collect();
    cuts.sort_by_key(|(at, _)| *at);
    let mut in_order: Vec<&Event> = events.iter().collect();
    in_order.sort_by_key(|event| event.ended);
    let mut disk = Disk::default();
    let mut next = in_order.into_iter().peekable();
    let mut lost = Vec::new();
    for (at, done) in cuts {
        while let Some(event) = next.next_if(|event| event.ended < at) {
            disk.apply(event);
        }
        let folder = tempfile::tempdir().expect("a folder");
        disk.leave(&[DATABASE, WAL], folder.path());
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join(DATABASE));
        let mut database = options.connect().await.expect("the database opens after a power cut");
        let found = sqlx::query(done.sql).bind(&done.row).fetch_one(&mut database).await;
        if found.expect("the database is whole after a power cut").get::<i64, _>(0) == 0 {
            lost.push(done.what);
        }
    }
    lost
}

#[tokio::test]
async fn on_sqlite_every_acknowledgement_is_preceded_by_its_flush() {
    let (all, events) = observe().await;
    assert_eq!(all.len(), 12 * 6);
    let wrong: Vec<String> = all.iter().filter_map(|done| check(&events, done).err()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(lost_by_power_cuts(&events, &all).await, [""; 0]);
    let first = all.iter().filter_map(|done| check(&events, done).ok()).map(|answer| answer.begun).min();
    assert!(are_names_flushed(&events, first.expect("an answer")), "files are found after a power cut");

    // The same, had it not been flushed, or later: this has to be noticed.
    let is_flush = |event: &Event| event.what == What::Sync && event.on.ends_with(WAL);
    let mut never = events.clone();
    never.retain(|event| !is_flush(event));
    assert!(all.iter().all(|done| check(&never, done).is_err()));
    let mut late = events.clone();
    for event in late.iter_mut().filter(|event| is_flush(event)) {
        event.ended = usize::MAX;
    }
    assert!(all.iter().all(|done| check(&late, done).is_err()));
    let mut pretended = events;
    for event in pretended.iter_mut().filter(|event| is_flush(event)) {
        // Flushes of nothing: they begin before what they ought to flush is written.
        event.begun = 0;
    }
    assert!(all.iter().all(|done| check(&pretended, done).is_err()));
    assert!(is_lost_without_flush(&never), "what was not flushed is dropped");
}

fn is_lost_without_flush(events: &[Event]) -> bool {
    let mut disk = Disk::default();
    events.iter().for_each(|event| disk.apply(event));
    let folder = tempfile::tempdir().expect("a folder");
    disk.leave(&[WAL], folder.path());
    std::fs::read(folder.path().join(WAL)).expect("a file").is_empty()
}
