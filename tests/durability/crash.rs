//! The server is killed again and again under load, and everything that it acknowledged is looked at.
//!
//! A short run is part of the tests; `scripts/crash` makes long ones.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::Rng;
use sqlx::{Connection, PgConnection};

use super::client::choices;
use super::database::Database;
use super::ledger::Ledger;
use super::load::Load;
use crate::support::homeserver::StubHomeserver;
use crate::support::postgres;
use crate::support::program::Program;
use crate::support::server::{Engine, on_both_engines};

/// What a run is to do.
struct Plan {
    engine: Engine,
    kills: u64,
    writes: u64,
    clients: usize,
    seed: u64,
}

async fn carry_out(plan: Plan) -> Ledger {
    let Plan { engine, kills, writes, clients, seed } = plan;
    println!(
        "{engine:?}, seed {seed}, {clients} clients, at least {kills} kills and {writes} acknowledged writes"
    );
    let homeserver = StubHomeserver::start().await;
    let database = match engine {
        Engine::Sqlite => None,
        Engine::Postgres => {
            let server = tokio::task::spawn_blocking(|| postgres::Server::start(postgres::DURABLE));
            let server = server.await.expect("PostgreSQL starts");
            Some((server.fresh_database().await, server))
        }
    };
    let uri = database.as_ref().map(|(uri, _)| uri.as_str());
    let mut program = Program::install(&homeserver, uri);
    let mut load = Load::new(&program, &homeserver, clients, seed).await;
    let mut rng = choices(seed, 0);
    let (begun, mut killed, mut killed_at_start) = (Instant::now(), 0, 0);
    while killed < kills || load.ledger().acknowledged.sum() < writes {
        program.start();
        // One kill in eight meets the server while it starts.
        match rng.next_u32() % 8 {
            0 => {
                tokio::time::sleep(Duration::from_millis(u64::from(rng.next_u32() % 120))).await;
                program.kill();
                killed_at_start += 1;
            }
            _ => {
                program.until_ready().await;
                let longest = if rng.next_u32().is_multiple_of(4) { 300 } else { 4000 };
                let wait = Duration::from_millis(u64::from(rng.next_u32() % longest));
                let kill = async {
                    tokio::time::sleep(wait).await;
                    program.kill();
                };
                load.work(kill, true).await;
            }
        }
        killed += 1;
        if let Some(uri) = uri {
            until_connections_are_gone(uri).await;
        }
        if killed % 20 == 0 {
            let (sum, passed) = (load.ledger().acknowledged.sum(), begun.elapsed().as_secs_f64());
            println!(
                "{killed} kills, {sum} acknowledged writes, {passed:.0} s, {:.0}/s",
                sum as f64 / passed
            );
        }
    }
    program.start();
    program.until_ready().await;
    let is_patient = kills >= 100;
    load.look_at_everything(is_patient).await;
    load.check_consents(&Database::of(&program, uri)).await;
    load.check_devices(&homeserver);
    if is_patient {
        load.until_devices_are_gone(&homeserver).await;
    }
    load.reuse_codes().await;
    let ledger = load.ledger();
    println!(
        "killed {killed} times, {killed_at_start} of them at the start; {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    println!("{ledger}");
    assert!(ledger.violations.is_empty(), "{}", program.log());
    ledger
}

/// What the killed server sent last, PostgreSQL may still be doing.
async fn until_connections_are_gone(uri: &str) {
    const COUNT: &str = "SELECT COUNT(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'gatehouse'";
    let mut watcher = PgConnection::connect(uri).await.expect("a connection");
    while sqlx::query_scalar::<_, i64>(COUNT).fetch_one(&mut watcher).await.expect("a count") > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

on_both_engines! {
    async fn a_short_run(engine: Engine) {
        let seed = u64::from(std::process::id());
        let ledger = carry_out(Plan { engine, kills: 5, writes: 300, clients: 4, seed }).await;
        assert!(ledger.checked.sum() > 50, "{ledger}");
    }
}

/// That the run can fail: the database of a moment before is put in place of the one that the server left.
#[tokio::test]
async fn what_is_forgotten_or_revived_is_noticed() {
    let homeserver = StubHomeserver::start().await;
    let mut program = Program::install(&homeserver, None);
    let mut load = Load::new(&program, &homeserver, 4, 1).await;
    let copy = tempfile::tempdir().expect("a folder");
    let database = |folder: &Path| ["gatehouse.db", "gatehouse.db-wal"].map(|name| folder.join(name));
    for is_copied in [false, true] {
        if is_copied {
            for (from, to) in database(&program.data()).iter().zip(database(copy.path())) {
                fs::copy(from, to).expect("a copy");
            }
        }
        program.start();
        program.until_ready().await;
        let kill = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            program.kill();
        };
        load.work(kill, true).await;
    }
    for (from, to) in database(copy.path()).iter().zip(database(&program.data())) {
        fs::copy(from, to).expect("a copy");
    }
    assert!(load.ledger().violations.is_empty());
    program.start();
    program.until_ready().await;
    load.look_at_everything(false).await;
    let violations = load.ledger().violations.join("\n");
    // Which of them depends on what the sessions did in each of the two lives.
    let is_told = |ways: &[&str]| ways.iter().any(|way| violations.contains(way));
    let gone = ["is refused", "is not good", "is no longer good", "is no longer signed in"];
    assert!(is_told(&gone), "what was issued is gone: {violations}");
    let back = ["of an ended session is good", "a spent code is accepted"];
    assert!(is_told(&back), "what was ended is back: {violations}");
}

/// `GATEHOUSE_CRASH` holds the engine, the least numbers of kills and of acknowledged writes, and the seed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "scripts/crash runs it, for minutes"]
async fn a_long_run() {
    let asked = std::env::var("GATEHOUSE_CRASH").expect("scripts/crash names what is to be done");
    let words: Vec<&str> = asked.split(' ').collect();
    let [engine, kills, writes, seed] = words[..] else { panic!("four words, not {asked}") };
    let engine = match engine {
        "sqlite" => Engine::Sqlite,
        "postgres" => Engine::Postgres,
        other => panic!("sqlite or postgres, not {other}"),
    };
    let number = |text: &str| text.parse::<u64>().unwrap_or_else(|_| panic!("a number, not {text}"));
    carry_out(Plan { engine, kills: number(kills), writes: number(writes), clients: 16, seed: number(seed) })
        .await;
}
