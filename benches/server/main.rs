//! What Gatehouse costs: `scripts/bench`.
//!
//! The release binary runs with its shipped defaults and is driven over HTTP. Each operation is held
//! against a twin that answers the same request without doing anything, in turns with it, so that what
//! else the machine does meets both. The figures are processor time per operation, of the server and of
//! its database, which hold on a busy machine where requests per second do not.

/// The one that Gatehouse has (`src/main.rs`), for the twins too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[allow(dead_code, unused_imports, unused_macros, reason = "the tests use the rest")]
#[path = "../../tests/support/mod.rs"]
mod support;

mod bare;
mod cost;
mod load;
mod subject;
mod table;
mod twins;

use std::cell::RefCell;
use std::time::Duration;

use axum::body::Bytes;
use gatehouse::keys::{Family, TokenKind};
use http::{Request, StatusCode};
use http_body_util::Full;

use load::{Connection, Done, Until, drive};
use subject::{Engine, Subject, Tokens};
use table::{Cost, Row, Target};
use twins::Twin;

/// Connections that are used at once, as a homeserver with a pool uses them.
const WORKERS: usize = 16;
/// Each operation and its twin take turns so many times: often and for short, since what else the machine does comes and
/// goes within seconds.
const TURNS: usize = 60;
const TURN: Duration = Duration::from_millis(200);
/// How often people sign in, and sessions refresh.
const ROUNDS: usize = 15;
/// Sessions that refresh.
const SESSIONS: usize = 400;
const USERS: usize = 100;
/// How often as many of them begin.
const FLOW_ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.first().map(String::as_str) {
        Some("twin") => return twins::run(&arguments[1..]),
        Some("hash") => {
            return bare::hash(
                arguments[1].parse().expect("a number"),
                arguments[2].parse().expect("a number"),
            );
        }
        _ => {}
    }
    let is_quick = arguments.iter().any(|argument| argument == "--quick");
    let engines: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        table::print_head(include_str!("bare.rs"));
        for (name, engine) in [("sqlite", Engine::Sqlite), ("postgresql", Engine::Postgres)] {
            if engines.is_empty() || engines.iter().any(|engine| *engine == name) {
                measure(engine, is_quick).await;
            }
        }
    });
}

async fn measure(engine: Engine, is_quick: bool) {
    let mut subject = Subject::install(engine).await;
    subject.start();
    for number in 0..USERS {
        subject.create_user(&format!("user{number:02}"));
    }
    let client_id = subject.client().await;
    subject.stop();
    let mut ready: Vec<Duration> = (0..5)
        .map(|_| {
            let ready = subject.start();
            std::thread::sleep(Duration::from_millis(100));
            subject.stop();
            ready
        })
        .collect();
    ready.sort();
    subject.start();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let idle = cost::resident_mib(subject.pid());

    let mut rows = Vec::new();
    // Before anything else has left its traces in memory.
    let memory = memory_of_sign_ins(&subject, is_quick).await;
    rows.push(sign_in(&subject).await);

    let (flow, tokens) = code_flow(&subject, &client_id).await;
    rows.push(flow);
    let (refresh, first_sight, tokens) = refresh(&subject, &client_id, tokens).await;
    rows.extend([refresh, first_sight]);
    rows.extend(introspection(&subject, &tokens).await);
    for path in ["/.well-known/openid-configuration", "/oauth2/keys.json"] {
        rows.push(prepared(&subject, path).await);
    }
    table::print(engine, rows, &ready, [idle, memory.0, memory.1]);
}

/// The cost of the server and its database while something is done.
async fn costing(subject: &Subject, work: impl Future<Output = Done>) -> (Cost, Done) {
    let before = (cost::cpu(subject.pid()), subject.database_cpu());
    let done = work.await;
    let cost = Cost {
        server: cost::cpu(subject.pid()) - before.0,
        database: subject.database_cpu() - before.1,
        operations: done.operations,
    };
    (cost, done)
}

/// An operation and its twin, in turns.
async fn beside(
    name: &'static str,
    target: Target,
    subject: &Subject,
    twin: &Twin,
    request: impl Fn(usize) -> Request<Full<Bytes>>,
    bytes: usize,
) -> Row {
    let ask = async |connection: &mut Connection, number: usize| {
        let answer = connection.send(request(number)).await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, bytes), "{}", answer.text());
    };
    drive(subject.port, WORKERS, Until::Passed(TURN), ask).await;
    drive(twin.port(), WORKERS, Until::Passed(TURN), ask).await;
    let mut row = Row::new(name, target);
    for _ in 0..TURNS {
        let (cost, done) = costing(subject, drive(subject.port, WORKERS, Until::Passed(TURN), ask)).await;
        row.add(cost, done);
        row.add_twin(
            costing_twin(subject, twin, drive(twin.port(), WORKERS, Until::Passed(TURN), ask)).await,
        );
    }
    row
}

/// The cost of a twin, and of the database that it may read, while something is done.
async fn costing_twin(subject: &Subject, twin: &Twin, work: impl Future<Output = Done>) -> Cost {
    let before = (cost::cpu(twin.pid()), subject.database_cpu());
    let operations = work.await.operations;
    let database = subject.database_cpu() - before.1;
    Cost { server: cost::cpu(twin.pid()) - before.0, database, operations }
}

/// Bare handlers for the requests of an operation, one for each.
struct Twins(Vec<(Twin, Request<Full<Bytes>>, usize)>);

impl Twins {
    /// For what was sent, with answers as long as those that came back.
    fn of(sent: Option<Vec<(Request<Full<Bytes>>, usize)>>) -> Twins {
        let twins = sent.into_iter().flatten();
        Twins(
            twins.map(|(request, bytes)| (Twin::bare(request.uri().path(), bytes), request, bytes)).collect(),
        )
    }

    /// What ten times as many operations cost them: the kernel counts in steps of 10 ms.
    async fn cost(&self, subject: &Subject, operations: usize) -> Cost {
        let operations = operations * 10;
        let mut all = Cost { operations, ..Cost::default() };
        for (twin, request, bytes) in &self.0 {
            let work = drive(twin.port(), WORKERS, Until::Done(operations), async |connection, _| {
                assert_eq!(connection.send(request.clone()).await.body.len(), *bytes);
            });
            all.server += costing_twin(subject, twin, work).await.server;
        }
        all
    }
}

async fn introspection(subject: &Subject, tokens: &[Tokens]) -> Vec<Row> {
    const PATH: &str = "/oauth2/introspect";
    let length = async |token: &str| {
        let answer = Connection::open(subject.port).await.send(subject.introspection(token)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.body.len()
    };
    let known = |number: usize| subject.introspection(&tokens[number % tokens.len()].access);
    for token in tokens {
        length(&token.access).await;
    }
    let active = length(&tokens[0].access).await;
    let inactive = length("no token of ours").await;
    let malformed = |_| subject.introspection("syt_bm9ib2R5_MXDEZAAEaYdCKJVdZUxb_3jqPuy");
    let unknown = |_| subject.introspection(&Family::new().random_token(TokenKind::Access));
    let bare = Twin::bare(PATH, active);
    let bare_inactive = Twin::bare(PATH, inactive);
    let reading = Twin::one_read(PATH, inactive, &subject.database);
    vec![
        beside("introspection, known token", Target::Ratio(1.4), subject, &bare, known, active).await,
        beside(
            "introspection, malformed token",
            Target::Ratio(1.2),
            subject,
            &bare_inactive,
            malformed,
            inactive,
        )
        .await,
        beside("introspection, unknown token", Target::OneRead, subject, &reading, unknown, inactive).await,
    ]
}

async fn prepared(subject: &Subject, path: &'static str) -> Row {
    let get = |_| {
        let host = format!("127.0.0.1:{}", subject.port);
        Request::get(path).header("host", host).body(Full::default()).expect("a request")
    };
    let bytes = Connection::open(subject.port).await.send(get(0)).await.body.len();
    let twin = Twin::bare(path, bytes);
    beside(path, Target::Ratio(1.3), subject, &twin, get, bytes).await
}

/// People who are signed in with a browser let in one device after the other.
async fn code_flow(subject: &Subject, client_id: &str) -> (Row, Vec<Tokens>) {
    let mut connection = Connection::open(subject.port).await;
    let mut browsers = Vec::new();
    for number in 0..USERS {
        let address = format!("192.0.2.{}", number + 1);
        browsers.push(subject.sign_in(&mut connection, &format!("user{number:02}"), &address).await);
    }
    let tokens = RefCell::new(Vec::new());
    let sign_in = async |connection: &mut Connection, number: usize| {
        let device_id = format!("DEVICE{number:06}{:06}", tokens.borrow().len());
        let browser = &browsers[number % USERS];
        let new = subject.code_flow(connection, browser, client_id, &device_id).await;
        tokens.borrow_mut().push(new);
    };
    // Until every connection to the database has planned what it runs.
    drive(subject.port, WORKERS, Until::Done(SESSIONS), sign_in).await;
    connection.sent = Some(Vec::new());
    sign_in(&mut connection, 0).await;
    let twins = Twins::of(connection.sent);
    let mut row = Row::new("authorization code flow, 4 requests", Target::Milliseconds(2.0));
    for _ in 0..FLOW_ROUNDS {
        let work = drive(subject.port, WORKERS, Until::Done(SESSIONS), sign_in);
        let (cost, done) = costing(subject, work).await;
        row.add(cost, done);
        row.add_twin(twins.cost(subject, SESSIONS).await);
    }
    tokens.borrow_mut().truncate(SESSIONS);
    (row, tokens.into_inner())
}

/// Each session refreshes, then its new access token is shown for the first time; again and again.
async fn refresh(subject: &Subject, client_id: &str, tokens: Vec<Tokens>) -> (Row, Row, Vec<Tokens>) {
    let tokens = RefCell::new(tokens);
    let count = tokens.borrow().len();
    let mut refreshed = Row::new("refresh", Target::Milliseconds(0.4));
    let mut seen = Row::new("introspection, first sight of a token", Target::Milliseconds(0.25));
    let mut connection = Connection::open(subject.port).await;
    connection.sent = Some(Vec::new());
    let first = tokens.borrow()[0].clone();
    let new = subject.refresh(&mut connection, client_id, &first).await;
    let refresh_twins = Twins::of(connection.sent.replace(Vec::new()));
    connection.send(subject.introspection(&new.access)).await;
    let seen_twins = Twins::of(connection.sent);
    tokens.borrow_mut()[0] = new;
    for round in 0..=ROUNDS {
        let work = drive(subject.port, WORKERS, Until::Done(count), async |connection, number| {
            let old = tokens.borrow()[number].clone();
            let new = subject.refresh(connection, client_id, &old).await;
            tokens.borrow_mut()[number] = new;
        });
        let (refresh_cost, refresh_done) = costing(subject, work).await;
        let work = drive(subject.port, WORKERS, Until::Done(count), async |connection, number| {
            let token = tokens.borrow()[number].access.clone();
            let answer = connection.send(subject.introspection(&token)).await;
            assert!(answer.json()["active"] == true, "{}", answer.text());
        });
        let (seen_cost, seen_done) = costing(subject, work).await;
        if round > 0 {
            refreshed.add(refresh_cost, refresh_done);
            refreshed.add_twin(refresh_twins.cost(subject, count).await);
            seen.add(seen_cost, seen_done);
            seen.add_twin(seen_twins.cost(subject, count).await);
        }
    }
    (refreshed, seen, tokens.into_inner())
}

/// 32 people sign in at once; how much memory that took at most, and a minute later, or a second.
async fn memory_of_sign_ins(subject: &Subject, is_quick: bool) -> (f64, f64) {
    let highest = RefCell::new(0f64);
    let sampling = async {
        loop {
            let now = cost::resident_mib(subject.pid());
            highest.replace_with(|highest| highest.max(now));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let signing_in = drive(subject.port, 32, Until::Done(96), async |connection, number| {
        let address = format!("203.0.113.{}", number % 250);
        subject.sign_in(connection, &format!("user{:02}", number % USERS), &address).await;
    });
    tokio::select! {
        () = sampling => {}
        _ = signing_in => {}
    }
    tokio::time::sleep(Duration::from_secs(if is_quick { 1 } else { 60 })).await;
    (highest.into_inner(), cost::resident_mib(subject.pid()))
}

/// Signing in with a password, beside as many raw hashes on as many threads as there are cores.
async fn sign_in(subject: &Subject) -> Row {
    const SIGN_INS: usize = 32;
    // Each comes from another address: the limits as they are shipped turn nobody away.
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let mut row = Row::new("sign-in with password", Target::Ratio(1.15));
    for round in 0..2 * ROUNDS {
        let work = drive(subject.port, 32, Until::Done(SIGN_INS), async |connection, number| {
            let address = format!("198.51.{}.{}", 100 + round, 10 + number);
            let name = format!("user{:02}", (number + round * SIGN_INS) % USERS);
            subject.sign_in(connection, &name, &address).await;
        });
        let (cost, done) = costing(subject, work).await;
        row.add(cost, done);
        let server = raw_hashes(SIGN_INS, threads);
        row.add_twin(Cost { server, database: Duration::ZERO, operations: SIGN_INS });
    }
    row
}

/// What so many hashes cost in a process that does nothing else.
fn raw_hashes(times: usize, threads: usize) -> Duration {
    let this = std::env::current_exe().expect("this program");
    let mut command = std::process::Command::new(this);
    command.args(["hash", &times.to_string(), &threads.to_string()]);
    let before = cost::of_ended_children();
    assert!(command.status().expect("this program starts again").success());
    cost::of_ended_children() - before
}
