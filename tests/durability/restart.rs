//! PostgreSQL is stopped and started again under load: what fails, fails clearly, and nothing is lost.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gatehouse::store::{Location, Store};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::calls::{Browser, Calls, Pair, Stop};
use super::client::Client;
use super::database::Database;
use super::load::Load;
use crate::support::homeserver::StubHomeserver;
use crate::support::postgres;
use crate::support::program::Program;
use crate::support::server::{Engine, Server, Tokens};

/// How long it may take to notice that the database is gone, and that it is back.
pub const NOTICED: Duration = Duration::from_secs(5);
/// After this a node no longer trusts what it remembers.
const DISTRUSTED: Duration = Duration::from_secs(1);

/// Somebody who looks on, with a session of their own.
pub struct Onlooker {
    pub calls: Calls,
    pub browser: Browser,
    pub pair: Pair,
    pub device: &'static str,
}

impl Onlooker {
    pub async fn sign_in(program: &Program, homeserver: &StubHomeserver) -> Onlooker {
        let device = "ONLOOKER";
        let mut calls = Calls::new(program.port, &homeserver.secret());
        let browser = calls.sign_in(&Client::username(0)).await.expect("all goes well");
        let path = calls.authorize(&browser, device).await.expect("all goes well");
        let code = calls.allow(&browser, &path).await.expect("all goes well");
        let pair = calls.exchange(&code).await.expect("all goes well").expect("a pair");
        assert!(calls.is_active(&pair.access, device).await.expect("all goes well"));
        Onlooker { calls, browser, pair, device }
    }

    /// Refreshes; the server takes that.
    pub async fn refresh(&mut self) -> Result<(), Stop> {
        let pair = self.calls.refresh(&self.pair.refresh).await?;
        self.pair = pair.expect("the session goes on");
        match self.calls.is_active(&self.pair.access, self.device).await? {
            true => Ok(()),
            false => panic!("a new access token is not good"),
        }
    }

    /// Looks on for a while as nothing can be written: what can be read is told, what would have to be written
    /// is refused, clearly.
    pub async fn sees_no_writes(&mut self) {
        let (begun, mut refused, mut is_known) = (Instant::now(), 0, true);
        while begun.elapsed() < Duration::from_millis(1500) {
            let Onlooker { calls, browser, pair, device } = self;
            let known = calls.is_active(&pair.access, device).await;
            match known {
                Ok(true) => is_known = true,
                Err(Stop::Later) if !is_known => {}
                other => panic!("{other:?}: what is known can still be told"),
            }
            let page = calls.is_signed_in(browser).await;
            assert!(matches!(page, Ok(true)), "{page:?}");
            match calls.refresh(&pair.refresh).await {
                Err(Stop::Later) => refused += 1,
                // A little room may be left, or have been made by the journal of SQLite; but then for the first use of
                // the new token there may be none.
                Ok(Some(new)) => (*pair, is_known) = (new, false),
                other => panic!("{other:?}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(refused > 0, "the disk is not full");
    }

    /// Goes, with the device.
    pub async fn leave(&mut self) {
        self.calls.revoke(&self.pair.access).await.expect("all goes well");
    }
}

/// Waits until the server says of itself that it is well, or that it is not; how long that took.
pub async fn until_health_is(program: &Program, status: u16, within: Duration) -> Duration {
    let begun = Instant::now();
    while program.health().await != Ok(status) {
        assert!(begun.elapsed() < within, "health is not {status}; {}", program.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    begun.elapsed()
}

/// Waits until a refresh works again; how long that took.
pub async fn until_refreshed(onlooker: &mut Onlooker) -> Duration {
    let begun = Instant::now();
    loop {
        match onlooker.refresh().await {
            Ok(()) => return begun.elapsed(),
            Err(Stop::Later) => assert!(begun.elapsed() < NOTICED, "refreshes do not work again"),
            Err(other) => panic!("{other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits, after trouble, until the server says that it is well and shows it, and lets it work for a moment.
pub async fn until_well(program: &Program, onlooker: &mut Onlooker) {
    let green = until_health_is(program, 200, NOTICED).await;
    let refreshed = until_refreshed(onlooker).await;
    println!("health green after {green:?}, a refresh works after {refreshed:?}");
    tokio::time::sleep(Duration::from_millis(500)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_postgres_is_restarted_under_load() {
    let mut server = postgres::Server::start(postgres::DURABLE);
    let uri = server.fresh_database().await;
    let homeserver = StubHomeserver::start().await;
    let mut program = Program::install(&homeserver, Some(&uri));
    let mut load = Load::new(&program, &homeserver, 5, 1).await;
    program.start();
    program.until_ready().await;
    let mut onlooker = Onlooker::sign_in(&program, &homeserver).await;

    for way in ["fast", "immediate"] {
        let restart = async {
            tokio::time::sleep(Duration::from_millis(1000)).await;
            tokio::task::block_in_place(|| server.stop(way));
            let stopped = Instant::now();
            let red = until_health_is(&program, 503, NOTICED).await;
            tokio::time::sleep(DISTRUSTED.saturating_sub(stopped.elapsed())).await;
            let Onlooker { calls, browser, pair, device } = &mut onlooker;
            let known = calls.is_active(&pair.access, device).await;
            assert!(matches!(known, Err(Stop::Later)), "{known:?}: nobody can tell whether it is good");
            let refreshed = calls.refresh(&pair.refresh).await;
            assert!(matches!(refreshed, Err(Stop::Later)), "{refreshed:?}");
            let revoked = calls.revoke(&pair.access).await;
            assert!(matches!(revoked, Err(Stop::Later)), "{revoked:?}");
            let page = calls.is_signed_in(browser).await;
            assert!(matches!(page, Err(Stop::Later)), "{page:?}");
            assert_eq!(program.health().await, Ok(503));

            tokio::task::block_in_place(|| server.start_again());
            println!("{way}: health red after {red:?}");
            until_well(&program, &mut onlooker).await;
        };
        load.work(restart, false).await;
    }
    onlooker.leave().await;
    is_whole(&mut load, &program, &homeserver, &uri).await;
}

/// Everything that was acknowledged is there, and the homeserver has the devices of live sessions and no others.
async fn is_whole(load: &mut Load, program: &Program, homeserver: &StubHomeserver, uri: &str) {
    load.look_at_everything(true).await;
    load.check_consents(&Database::of(program, Some(uri))).await;
    load.check_devices(homeserver);
    load.until_devices_are_gone(homeserver).await;
    let ledger = load.ledger();
    println!("{ledger}");
    assert!(ledger.violations.is_empty(), "{ledger}\n{}", program.log());
    assert!(ledger.in_doubt.sum() > 0, "the load met the outage");
}

/// Puts a trigger on each table, or takes it off again, that refuses what PostgreSQL refuses on a full disk. One
/// table after the other, so that nobody waits in a circle.
async fn set_full(uri: &str, is_full: bool) {
    const REFUSE: &str = "
CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$";
    let mut connection = PgConnection::connect(uri).await.expect("a connection");
    sqlx::raw_sql(REFUSE).execute(&mut connection).await.expect("a function");
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
            .fetch_all(&mut connection)
            .await
            .expect("the tables");
    for table in tables {
        let sql = match is_full {
            true => format!(
                "CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE OR DELETE ON {table} EXECUTE FUNCTION refuse()"
            ),
            false => format!("DROP TRIGGER full_disk ON {table}"),
        };
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.expect("a trigger");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_disk_of_postgres_is_full_under_load() {
    let mut server = postgres::Server::start(postgres::DURABLE);
    let uri = server.fresh_database().await;
    let homeserver = StubHomeserver::start().await;
    let mut program = Program::install(&homeserver, Some(&uri));
    let mut load = Load::new(&program, &homeserver, 5, 1).await;
    program.start();
    program.until_ready().await;
    let mut onlooker = Onlooker::sign_in(&program, &homeserver).await;

    for _ in 0..2 {
        let trouble = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            set_full(&uri, true).await;
            let red = until_health_is(&program, 503, NOTICED).await;
            onlooker.sees_no_writes().await;
            assert_eq!(program.health().await, Ok(503), "still");
            set_full(&uri, false).await;
            println!("health red after {red:?}");
            until_well(&program, &mut onlooker).await;
        };
        load.work(trouble, false).await;
    }
    onlooker.leave().await;
    is_whole(&mut load, &program, &homeserver, &uri).await;
    drop(program);
    tokio::task::block_in_place(|| server.stop("fast"));
}

#[tokio::test]
async fn the_program_finds_the_settings_that_keep_what_was_answered() {
    let mut server = postgres::Server::start(postgres::DURABLE);
    let uri = server.fresh_database().await;
    let store = Store::open(&Location::Postgres(uri), 2).await.expect("the database opens");
    let settings = store.durability().await.expect("the settings");
    let on = |name: &str| (name.to_owned(), "on".to_owned(), true);
    assert_eq!(settings, [on("fsync"), on("full_page_writes"), on("synchronous_commit")]);
    store.close().await;
    server.stop("fast");
}

/// The database as somebody else who may do everything.
async fn administer(uri: &str, sql: &'static str) {
    let options: PgConnectOptions = uri.parse().expect("a URI");
    let options = options.options([("default_transaction_read_only", "off")]);
    let mut connection = PgConnection::connect_with(&options).await.expect("a connection");
    sqlx::raw_sql(sql).execute(&mut connection).await.expect("it is done");
    connection.close().await.expect("a connection can be closed");
}

const END_CONNECTIONS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'gatehouse'";

async fn health(server: &Server) -> u16 {
    server.get("/health").await.status.as_u16()
}

async fn until_health(server: &Server, status: u16) {
    let begun = Instant::now();
    while health(server).await != status {
        assert!(begun.elapsed() < NOTICED, "health does not become {status}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn nobody_notices_that_idle_connections_have_died() {
    let server = Server::start(Engine::Postgres).await;
    let uri = server.config.database.uri.clone().expect("PostgreSQL");
    server.user("alice").await;
    let client = server.client().await;
    let mut tokens = server.tokens("alice", &client, "DEVICE0001").await;
    for _ in 0..3 {
        // Many at once, so that many connections are open.
        join_all((0..20).map(|_| server.introspect("a token of nobody"))).await;
        join_all((0..20).map(|_| server.refresh(&client, &tokens.refresh))).await;
        administer(uri.expose(), END_CONNECTIONS).await;
        let answer = server.refresh(&client, &tokens.refresh).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        tokens = Tokens::from(answer.json());
        administer(uri.expose(), END_CONNECTIONS).await;
        assert!(server.is_active(&tokens.access).await);
        assert_eq!(health(&server).await, 200);
    }
}

#[tokio::test]
async fn a_postgres_that_takes_no_writes_turns_health_red_until_it_does() {
    // A disk that is full, as PostgreSQL reports it; and a standby, which only reads.
    const FULL: &str = "
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER full_disk BEFORE UPDATE ON client_sessions EXECUTE FUNCTION refuse();
CREATE TRIGGER full_disk BEFORE UPDATE ON installation EXECUTE FUNCTION refuse();";
    const ROOM: &str = "DROP TRIGGER full_disk ON client_sessions; DROP TRIGGER full_disk ON installation; DROP FUNCTION refuse;";
    const STANDBY: &str = "
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database());
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'gatehouse';
END $$";
    const PRIMARY: &str = "
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I RESET default_transaction_read_only', current_database());
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'gatehouse';
END $$";
    let server = Server::start(Engine::Postgres).await;
    let uri = server.config.database.uri.clone().expect("PostgreSQL");
    server.user("alice").await;
    let client = server.client().await;
    let mut tokens = server.tokens("alice", &client, "DEVICE0001").await;
    for (trouble, remedy) in [(FULL, ROOM), (STANDBY, PRIMARY)] {
        assert!(server.is_active(&tokens.access).await);
        assert_eq!(health(&server).await, 200);
        administer(uri.expose(), trouble).await;
        assert_eq!(health(&server).await, 200, "reading does not tell");
        let answer = server.refresh(&client, &tokens.refresh).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (503, "temporarily_unavailable"));
        assert_ne!(answer.header("retry-after"), "");
        assert_eq!(server.get("/health").await.text(), "the database does not take writes");
        assert!(server.is_active(&tokens.access).await, "what can be read is told");
        // Nothing is proven by a second attempt that fails too.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(health(&server).await, 503);
        administer(uri.expose(), remedy).await;
        until_health(&server, 200).await;
        tokens = Tokens::from(server.refresh(&client, &tokens.refresh).await.json());
    }
    assert!(server.is_active(&tokens.access).await);
}
