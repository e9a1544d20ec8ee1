//! The database under concurrency and failure: a transaction happens as a whole or not at all, on disk
//! when it is answered, whoever goes away meanwhile.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::app::{App, OpenError};
use gatehouse::config::{Config, Secret};
use gatehouse::keys::{self, KeyringError};
use gatehouse::store::{Error, FromRow, Location, Row, Store, Tx, execute_together, query};
use gatehouse::time::Clock;
use sqlx::{Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;

use crate::support::postgres;
use crate::support::server::{BEGINNING, Engine, Server, on_both_engines};

/// An empty database with our schema.
struct Opened {
    store: Store,
    location: Location,
    _folder: TempDir,
}

impl Opened {
    async fn new(engine: Engine) -> Opened {
        let folder = tempfile::tempdir().unwrap();
        let location = match engine {
            Engine::Sqlite => Location::Sqlite(folder.path().join("gatehouse.db")),
            Engine::Postgres => Location::Postgres(postgres::fresh_database().await),
        };
        let store = Store::open(&location, 8).await.unwrap();
        Opened { store, location, _folder: folder }
    }

    /// Counts with a connection of its own, which sees only what is committed.
    async fn count_from_outside(&self) -> i64 {
        const COUNT: &str = "SELECT COUNT(*) FROM installation";
        match &self.location {
            Location::Sqlite(path) => {
                let mut connection =
                    SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
                sqlx::query_scalar(COUNT).fetch_one(&mut connection).await.unwrap()
            }
            Location::Postgres(uri) => {
                let mut connection = PgConnection::connect(uri).await.unwrap();
                sqlx::query_scalar(COUNT).fetch_one(&mut connection).await.unwrap()
            }
        }
    }

    async fn count(&self) -> i64 {
        query("SELECT COUNT(*) AS n FROM installation").fetch_one(&self.store).await.unwrap()
    }
}

/// The text that was read, as `n`.
struct Text(String);

impl FromRow for Text {
    fn from_row(row: &Row) -> Result<Text, Error> {
        Ok(Text(row.get("n")?))
    }
}

async fn add(tx: &mut Tx, name: &str) -> Result<(), Error> {
    query("INSERT INTO installation (name, value) VALUES ($1, 'x')").bind(name).execute(tx).await.map(drop)
}

/// Two rows in one transaction.
async fn add_pair(store: &Store, name: &str) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    add(&mut tx, &format!("{name} one")).await?;
    tokio::task::yield_now().await;
    add(&mut tx, &format!("{name} other")).await?;
    tx.commit().await
}

async fn halves(store: &Store) -> i64 {
    const HALVES: &str = "
SELECT COUNT(*) AS n FROM installation AS half WHERE NOT EXISTS (
    SELECT 1 FROM installation AS other
    WHERE other.name <> half.name
      AND REPLACE(REPLACE(other.name, ' one', ''), ' other', '') = REPLACE(REPLACE(half.name, ' one', ''), ' other', '')
)";
    query(HALVES).fetch_one(store).await.unwrap()
}

on_both_engines! {
    async fn what_is_committed_is_there_for_everyone_when_it_is_answered(engine: Engine) {
        let opened = Opened::new(engine).await;
        for number in 1..=20 {
            let mut tx = opened.store.begin().await.unwrap();
            add(&mut tx, &number.to_string()).await.unwrap();
            assert_eq!(opened.count().await, number - 1, "not before the commit");
            tx.commit().await.unwrap();
            assert_eq!(opened.count().await, number);
            assert_eq!(opened.count_from_outside().await, number);
        }
    }

    async fn a_transaction_sees_its_own_writes_and_leaves_no_trace_when_it_is_dropped(engine: Engine) {
        let opened = Opened::new(engine).await;
        for _ in 0..5 {
            let mut tx = opened.store.begin().await.unwrap();
            add(&mut tx, "dropped").await.unwrap();
            let seen: i64 = query("SELECT COUNT(*) AS n FROM installation").fetch_one(&mut tx).await.unwrap();
            assert_eq!(seen, 1);
            drop(tx);
        }
        add_pair(&opened.store, "kept").await.unwrap();
        assert_eq!(opened.count_from_outside().await, 2);
    }

    async fn many_transactions_at_once_all_happen(engine: Engine) {
        let opened = Opened::new(engine).await;
        let names: Vec<String> = (0..200).map(|number| number.to_string()).collect();
        let done = join_all(names.iter().map(|name| add_pair(&opened.store, name))).await;
        assert!(done.iter().all(Result::is_ok));
        assert_eq!(opened.count_from_outside().await, 400);
    }

    async fn those_that_fail_do_not_harm_those_committed_with_them(engine: Engine) {
        let opened = Opened::new(engine).await;
        add_pair(&opened.store, "taken").await.unwrap();
        let work = (0..60).map(async |number| match number % 3 {
            0 => add_pair(&opened.store, "taken").await.is_ok(),
            1 => {
                let mut tx = opened.store.begin().await.unwrap();
                add(&mut tx, &format!("given up {number}")).await.unwrap();
                false
            }
            _ => add_pair(&opened.store, &number.to_string()).await.is_ok(),
        });
        let happened = join_all(work).await.into_iter().filter(|happened| *happened).count();
        assert_eq!(happened, 20);
        assert_eq!((opened.count_from_outside().await, halves(&opened.store).await), (42, 0));
    }

    async fn after_a_conflict_nothing_of_the_transaction_can_be_committed(engine: Engine) {
        let opened = Opened::new(engine).await;
        add_pair(&opened.store, "taken").await.unwrap();
        let mut tx = opened.store.begin().await.unwrap();
        add(&mut tx, "before").await.unwrap();
        assert!(matches!(add(&mut tx, "taken one").await, Err(Error::Conflict(_))));
        assert!(matches!(add(&mut tx, "after").await, Err(Error::Failed)));
        assert!(matches!(tx.commit().await, Err(Error::Failed)));
        assert_eq!(opened.count_from_outside().await, 2);
        add_pair(&opened.store, "next").await.unwrap();
    }

    async fn steps_that_belong_together_happen_together_or_not_at_all(engine: Engine) {
        let opened = Opened::new(engine).await;
        let add = |name| query("INSERT INTO installation (name, value) VALUES ($1, $2)").bind(name).bind("x");
        let change = |name| query("UPDATE installation SET value = $2 WHERE name = $1").bind(name).bind("y");
        let find = |name| query("SELECT name FROM installation WHERE name = $1").bind(name);
        assert!(execute_together(&opened.store, vec![add("one"), add("other")]).await.unwrap());
        assert!(execute_together(&opened.store, vec![find("one"), change("other"), add("third")]).await.unwrap());
        for (in_the_way, steps) in [
            ("nothing to read", vec![add("new"), find("nobody"), change("one")]),
            ("nothing to change", vec![change("nobody"), add("new"), change("one")]),
            ("a conflict", vec![change("one"), add("new"), add("other")]),
        ] {
            assert!(!execute_together(&opened.store, steps).await.unwrap(), "{in_the_way}");
        }
        assert_eq!(opened.count().await, 3);
        let changed = query("SELECT COUNT(*) AS n FROM installation WHERE value = 'y'");
        assert_eq!(changed.fetch_one::<i64>(&opened.store).await.unwrap(), 1, "the one of the steps that happened");
    }

    async fn of_many_who_ask_for_the_same_at_once_nobody_suffers_from_another(engine: Engine) {
        const MANY: usize = 60;
        let opened = Opened::new(engine).await;
        let add = |name: &str| query("INSERT INTO installation (name, value) VALUES ($1, $2)").bind(name).bind("new");
        for number in 0..MANY {
            assert!(execute_together(&opened.store, vec![add(&format!("old {number}"))]).await.unwrap());
        }
        let steps = |number: usize| {
            // One in five changes what is not there, one adds what is there.
            let changed = if number % 5 == 1 { "nobody".to_owned() } else { format!("old {number}") };
            let added = if number % 5 == 3 { "old 0".to_owned() } else { format!("new {number}") };
            let change = query("UPDATE installation SET value = $2 WHERE name = $1").bind(changed).bind("changed");
            vec![change, add(&added)]
        };
        let done = join_all((0..MANY).map(|number| execute_together(&opened.store, steps(number)))).await;
        for (number, is_done) in done.into_iter().enumerate() {
            let happens = ![1, 3].contains(&(number % 5));
            assert_eq!(is_done.unwrap(), happens, "{number}");
            let count = query("SELECT COUNT(*) AS n FROM installation WHERE name = $1 OR (name = $2 AND value = 'changed')");
            let count = count.bind(format!("new {number}")).bind(format!("old {number}"));
            let left: i64 = count.fetch_one(&opened.store).await.unwrap();
            assert_eq!(left, if happens { 2 } else { 0 }, "{number}: all of it or nothing");
        }
    }

    async fn of_many_who_read_at_once_each_is_told_of_its_own(engine: Engine) {
        let opened = Opened::new(engine).await;
        let mut tx = opened.store.begin().await.unwrap();
        for number in 0..40 {
            add(&mut tx, &format!("name {number}")).await.unwrap();
        }
        tx.commit().await.unwrap();
        // A parameter of each type, and one without a value; every fourth asks for what is not there.
        let find = async |number: i64| {
            let find = query(
                "SELECT COUNT(*) || name AS n FROM installation WHERE name = $1 AND $2 % 4 > 0 AND $3 AND $4 IS NULL GROUP BY name",
            );
            let find = find.bind(format!("name {number}")).bind(number).bind(true).bind(None::<String>);
            find.fetch_gathered::<Text>(&opened.store).await.unwrap().map(|Text(text)| text)
        };
        for (number, found) in (0..40).zip(join_all((0..40).map(find)).await) {
            assert_eq!(found, (number % 4 > 0).then(|| format!("1name {number}")));
        }
    }

    async fn of_many_who_change_one_row_at_once_each_changes_what_the_one_before_left(engine: Engine) {
        let opened = Opened::new(engine).await;
        let add = query("INSERT INTO installation (name, value) VALUES ('row', '0')");
        assert!(execute_together(&opened.store, vec![add]).await.unwrap());
        let advance = async |number: i64| {
            let next = (number + 1).to_string();
            let change = query("UPDATE installation SET value = $2 WHERE name = 'row' AND value = $1");
            let change = change.bind(number.to_string()).bind(&next);
            let is_done = execute_together(&opened.store, vec![change]).await.unwrap();
            let find = query("SELECT name FROM installation WHERE name = 'row' AND value = $1").bind(next);
            let found = find.fetch_optional::<()>(&opened.store).await.unwrap();
            assert!(found.is_some(), "who comes too late sees what was done before");
            is_done
        };
        for number in 0..50 {
            let done = join_all((0..10).map(|_| advance(number))).await;
            assert_eq!(done.into_iter().filter(|is_done| *is_done).count(), 1, "{number}");
        }
    }

    async fn texts_are_sorted_by_their_bytes(engine: Engine) {
        let opened = Opened::new(engine).await;
        let mut tx = opened.store.begin().await.unwrap();
        for name in ["b", "A", "a", "B", "-", "Z"] {
            add(&mut tx, name).await.unwrap();
        }
        tx.commit().await.unwrap();
        let before = query("SELECT COUNT(*) AS n FROM installation WHERE name < $1").bind("a");
        assert_eq!(before.fetch_one::<i64>(&opened.store).await.unwrap(), 4, "the dash and the capitals");
    }

    async fn a_statement_that_makes_no_sense_fails_only_its_own_transaction(engine: Engine) {
        let opened = Opened::new(engine).await;
        let mut tx = opened.store.begin().await.unwrap();
        add(&mut tx, "before").await.unwrap();
        let error = query("INSERT INTO no_such_table (x) VALUES (1)").execute(&mut tx).await.unwrap_err();
        assert!(matches!(error, Error::Engine(_)) && !error.is_passing());
        assert!(tx.commit().await.is_err());
        add_pair(&opened.store, "next").await.unwrap();
        assert_eq!(opened.count_from_outside().await, 2);
    }

    async fn a_closed_database_is_unavailable_and_what_was_under_way_is_kept(engine: Engine) {
        let opened = Opened::new(engine).await;
        let names: Vec<String> = (0..20).map(|number| number.to_string()).collect();
        let (done, ()) = tokio::join!(join_all(names.iter().map(|name| add_pair(&opened.store, name))), opened.store.close());
        let happened = i64::try_from(done.iter().filter(|done| done.is_ok()).count()).unwrap();
        assert_eq!(opened.count_from_outside().await, 2 * happened);
        assert!(opened.store.begin().await.err().unwrap().is_passing());
        assert!(opened.store.answers().await.unwrap_err().is_passing());
    }

    async fn the_engine_is_set_up_so_that_a_commit_survives_a_power_cut(engine: Engine) {
        let opened = Opened::new(engine).await;
        for (name, value, is_safe) in opened.store.durability().await.unwrap() {
            // The PostgreSQL of the tests does without the disk on purpose.
            let on_purpose = engine == Engine::Postgres && name != "synchronous_commit";
            assert!(is_safe || on_purpose, "{name} is {value}");
        }
    }

    async fn a_database_from_the_future_is_refused_and_left_alone(engine: Engine) {
        let opened = Opened::new(engine).await;
        opened.store.close().await;
        match &opened.location {
            Location::Sqlite(path) => {
                let mut connection = SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
                let add = "INSERT INTO _sqlx_migrations VALUES (9999, 'later', '2030-01-01', TRUE, X'00', 1)";
                sqlx::query(add).execute(&mut connection).await.unwrap();
            }
            Location::Postgres(uri) => {
                let mut connection = PgConnection::connect(uri).await.unwrap();
                let add = "INSERT INTO _sqlx_migrations VALUES (9999, 'later', now(), TRUE, '\\x00', 1)";
                sqlx::query(add).execute(&mut connection).await.unwrap();
            }
        }
        let refused = Store::open(&opened.location, 8).await.err().unwrap().to_string();
        assert!(refused.contains("newer Gatehouse") && refused.contains("9999") && refused.contains("backup"), "{refused}");
    }
}

/// Aborts writers at every moment they can be aborted at, while others go on.
async fn whoever_goes_away_commits_all_or_nothing(engine: Engine) {
    let opened = Opened::new(engine).await;
    let mut answered = 0;
    for round in 0..150u32 {
        let store = opened.store.clone();
        let goes_away = tokio::spawn(async move { add_pair(&store, &format!("goes away {round}")).await });
        let store = opened.store.clone();
        let stays = tokio::spawn(async move { add_pair(&store, &format!("stays {round}")).await });
        for _ in 0..round % 40 {
            tokio::task::yield_now().await;
        }
        if round % 3 == 0 {
            tokio::time::sleep(Duration::from_micros(u64::from(round) * 10)).await;
        }
        goes_away.abort();
        let gone = goes_away.await;
        assert!(gone.is_err() || gone.unwrap().is_ok());
        let stays = tokio::time::timeout(Duration::from_secs(30), stays).await;
        stays.expect("the writer is not stuck").unwrap().unwrap();
        answered += 1;
    }
    add_pair(&opened.store, "the last").await.unwrap();
    assert_eq!(halves(&opened.store).await, 0);
    let stayed = query("SELECT COUNT(*) AS n FROM installation WHERE name LIKE 'stays%'");
    assert_eq!(stayed.fetch_one::<i64>(&opened.store).await.unwrap(), 2 * answered);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_goes_away_commits_all_or_nothing_on_sqlite() {
    whoever_goes_away_commits_all_or_nothing(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_goes_away_commits_all_or_nothing_on_postgres() {
    whoever_goes_away_commits_all_or_nothing(Engine::Postgres).await;
}

/// Who stops listening after the commit began does not stop it.
#[tokio::test]
async fn a_commit_that_nobody_waits_for_still_happens() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let opened = Opened::new(engine).await;
        let mut tx = opened.store.begin().await.unwrap();
        add(&mut tx, "a").await.unwrap();
        let mut commit = Box::pin(tx.commit());
        let begun = std::future::poll_fn(|context| Poll::Ready(commit.as_mut().poll(context))).await;
        assert!(begun.is_pending());
        drop(commit);
        // On SQLite the next transaction waits for the one before; on PostgreSQL the row does.
        let mut tx = opened.store.begin().await.unwrap();
        assert!(matches!(add(&mut tx, "a").await, Err(Error::Conflict(_))), "{engine:?}");
    }
}

#[tokio::test]
async fn one_sqlite_file_serves_one_server_and_nobody_else_may_read_it() {
    let server = Server::start(Engine::Sqlite).await;
    let second = App::open(server.config.clone(), Clock::System, Duration::ZERO).await;
    let refused = second.err().expect("the file is in use");
    assert!(matches!(refused, OpenError::InUse(_)), "{refused}");
    server.user("alice").await;
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let folder = &server.config.data.folder;
    assert_eq!(mode(folder), 0o700);
    for file in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let expected = if file.path().is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&file.path()), expected, "{}", file.path().display());
    }
}

/// The configuration of a node over a PostgreSQL database.
fn node(uri: &str, folder: &TempDir, root_secret: Option<&str>) -> Config {
    let mut config = Config::default();
    config.data.folder = folder.path().join("data");
    config.database.uri = Some(Secret::new(uri.to_owned()));
    config.secrets.root_secret = root_secret.map(|secret| Secret::new(secret.to_owned()));
    config.homeserver.secret = Some(Secret::new("the homeserver's".to_owned()));
    config
}

#[tokio::test]
async fn nodes_that_start_at_once_on_an_empty_database_come_up_with_the_same_keys() {
    let (uri, secret) = (postgres::fresh_database().await, keys::random_secret());
    let folders: Vec<TempDir> = (0..4).map(|_| tempfile::tempdir().unwrap()).collect();
    let nodes =
        join_all(folders.iter().map(|folder| {
            App::open(node(&uri, folder, Some(&secret)), Clock::fixed(BEGINNING), Duration::ZERO)
        }));
    let nodes: Vec<App> = nodes.await.into_iter().map(|node| node.unwrap()).collect();
    let sets: Vec<String> =
        nodes.iter().map(|node| String::from_utf8_lossy(node.keys.current().jwks()).into_owned()).collect();
    assert!(sets.iter().all(|set| *set == sets[0] && set.matches("\"kid\"").count() == 3), "{sets:?}");
}

#[tokio::test]
async fn a_node_without_the_right_root_secret_does_not_start() {
    let (uri, secret) = (postgres::fresh_database().await, keys::random_secret());
    let folder = tempfile::tempdir().unwrap();
    let open = async |secret: Option<&str>| {
        App::open(node(&uri, &folder, secret), Clock::System, Duration::ZERO).await
    };
    assert!(matches!(open(None).await, Err(OpenError::SecretMissing(_))));
    assert!(matches!(open(Some("short")).await, Err(OpenError::RootSecret(_))));
    assert!(open(Some(&secret)).await.is_ok());
    let other = open(Some(&keys::random_secret())).await.err().unwrap();
    assert!(matches!(other, OpenError::Keys(KeyringError::OtherRootSecret)), "{other}");
    assert!(other.to_string().contains("secrets.root_secret"));
    assert!(open(Some(&format!(" {secret}\n"))).await.is_ok());
}

/// Of one connection: what is left on it, the next one meets.
async fn with_one_connection() -> (Store, String) {
    let uri = postgres::fresh_database().await;
    (Store::open(&Location::Postgres(uri.clone()), 1).await.unwrap(), uri)
}

#[tokio::test]
async fn on_postgres_a_connection_that_is_left_in_the_midst_of_something_is_whole_for_the_next_one() {
    const SLOW: &str = "SELECT pg_sleep(0.1)::text AS name";
    const PLACES: u32 = 40;
    let (store, _) = with_one_connection().await;
    for place in 0..PLACES {
        let after = Duration::from_millis(3) * place;
        let name = format!("name {place}");
        let read = query(SLOW).fetch_optional::<()>(&store);
        drop(tokio::time::timeout(after, read).await);
        let write = async {
            let mut tx = store.begin().await?;
            add(&mut tx, &name).await?;
            query(SLOW).fetch_optional::<()>(&mut tx).await?;
            add(&mut tx, &name).await
        };
        drop(tokio::time::timeout(after, write).await);
        let found: i64 = query("SELECT COUNT(*) AS n FROM installation WHERE name = $1")
            .bind(&name)
            .fetch_one(&store)
            .await
            .unwrap();
        assert_eq!(found, 0, "{place}: nothing was committed, nor is a transaction left open");
        query("INSERT INTO installation (name, value) VALUES ($1, '')")
            .bind(&name)
            .execute_alone(&store)
            .await
            .unwrap();
    }
    let all: i64 = query("SELECT COUNT(*) AS n FROM installation WHERE name LIKE 'name %'")
        .fetch_one(&store)
        .await
        .unwrap();
    assert_eq!(all, i64::from(PLACES), "each was committed");
}

#[tokio::test]
async fn on_postgres_who_waits_for_a_row_holds_up_nobody_who_asks_for_the_same() {
    let store = Store::open(&Location::Postgres(postgres::fresh_database().await), 10).await.unwrap();
    let change = |name: &str| query("UPDATE installation SET value = '' WHERE name = $1").bind(name);
    let mut tx = store.begin().await.unwrap();
    for name in ["locked", "free"] {
        add(&mut tx, name).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    change("locked").execute(&mut tx).await.unwrap();
    let mut waiting = Box::pin(execute_together(&store, vec![change("locked")]));
    let others = async {
        for _ in 0..20 {
            assert!(execute_together(&store, vec![change("free")]).await.unwrap());
        }
    };
    tokio::select! {
        biased;
        _ = &mut waiting => panic!("the row is locked"),
        done = tokio::time::timeout(Duration::from_secs(4), others) => done.expect("nobody keeps the others"),
    }
    tx.commit().await.unwrap();
    assert!(waiting.await.unwrap());
}

#[tokio::test]
async fn on_postgres_a_transaction_that_is_given_up_holds_nothing_on_to_anybody() {
    let (store, uri) = with_one_connection().await;
    let mut other = PgConnection::connect(&uri).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    add(&mut tx, "the same").await.unwrap();
    drop(tx);
    let insertion =
        sqlx::query("INSERT INTO installation (name, value) VALUES ('the same', '')").execute(&mut other);
    let inserted =
        tokio::time::timeout(Duration::from_secs(5), insertion).await.expect("the row is free at once");
    assert_eq!(inserted.unwrap().rows_affected(), 1);
}

#[tokio::test]
async fn on_postgres_connections_that_died_are_replaced_and_all_are_closed_in_the_end() {
    const OPEN: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    const END: &str = "
SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let uri = postgres::fresh_database().await;
    let store = Store::open(&Location::Postgres(uri.clone()), 4).await.unwrap();
    let mut other = PgConnection::connect(&uri).await.unwrap();
    let read = || {
        query("SELECT name, pg_sleep(0.05)::text AS slept FROM installation LIMIT 1")
            .fetch_optional::<()>(&store)
    };
    for _ in 0..3 {
        let reads = join_all((0..8).map(|_| read())).await;
        assert!(reads.iter().all(Result::is_ok), "{reads:?}");
        let ended: i64 = sqlx::query_scalar(END).fetch_one(&mut other).await.unwrap();
        assert!(ended >= 4, "{ended}");
    }
    join_all((0..8).map(|_| read())).await;
    store.close().await;
    assert!(matches!(read().await, Err(Error::Unavailable(_))));
    let deadline = std::time::Instant::now() + Duration::from_secs(5);
    while sqlx::query_scalar::<_, i64>(OPEN).fetch_one(&mut other).await.unwrap() > 0 {
        assert!(std::time::Instant::now() < deadline, "connections are left open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
