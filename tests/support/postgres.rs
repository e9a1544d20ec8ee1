//! One PostgreSQL for the whole test run, reached through a socket in its own folder, never over TCP.

use super::{installed, process};
use sqlx::{Connection, PgConnection};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A new empty database: its URI.
pub async fn fresh_database() -> String {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(THROWN_AWAY)).fresh_database().await
}

/// Settings of a server whose data need not survive a crash.
pub const THROWN_AWAY: &str = "-c fsync=off -c full_page_writes=off";
/// PostgreSQL as it comes.
#[allow(dead_code, reason = "for the benchmark")]
pub const DURABLE: &str = "";

/// $1: PostgreSQL's programs; $2: where the socket is to be; $3: settings. Text is sorted as people read
/// it, which is what most installations have, and which puts punctuation elsewhere than SQLite does.
const INITIALISE_AND_RUN: &str = r#"
    [ -e data ] || "$1/initdb" --username=postgres --auth=trust --encoding=UTF8 --locale-provider=icu --icu-locale=en-US --locale=C.UTF-8 --no-sync -D data
    exec "$1/postgres" -D data -k "$2" -c listen_addresses= -c max_connections=500 $3
"#;

/// A running server. One in a static is stopped only by the end of the process.
pub struct Server {
    folder: PathBuf,
    settings: String,
    process: process::Watched,
}

impl Server {
    /// Starts a server with further settings, as its command line takes them.
    pub fn start(settings: &str) -> Self {
        let folder = process::new_folder("postgres").keep();
        let process = run(&folder, settings);
        Self { folder, settings: settings.to_owned(), process }
    }

    /// Stops it in one of `pg_ctl`'s ways (`fast`, `immediate`); what it has stored stays.
    pub fn stop(&mut self, way: &str) {
        let keep = self.folder.join("keep");
        std::fs::write(&keep, "").expect("the folder of PostgreSQL can be written");
        let mut stop = as_owner_of(&self.folder, installed::postgres_programs().join("pg_ctl"));
        stop.args(["stop", "--silent", "--mode", way, "-D"]).arg(self.data()).current_dir(&self.folder);
        assert!(stop.status().is_ok_and(|status| status.success()), "PostgreSQL does not stop");
        self.process.wait();
        std::fs::remove_file(&keep).expect("the folder of PostgreSQL is kept");
    }

    /// Starts it again after it was stopped.
    pub fn start_again(&mut self) {
        self.process = run(&self.folder, &self.settings);
    }

    /// A new empty database: its URI.
    pub async fn fresh_database(&self) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let mut connection =
            PgConnection::connect(&self.uri("postgres")).await.expect("PostgreSQL accepts connections");
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::query(create).execute(&mut connection).await.expect("a database can be created");
        connection.close().await.expect("a connection can be closed");
        self.uri(&name)
    }

    /// The folder with the data.
    #[allow(dead_code, reason = "for the benchmark")]
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn uri(&self, database: &str) -> String {
        format!("postgresql://postgres@localhost/{database}?host={}", self.folder.display())
    }
}

/// Runs PostgreSQL in a folder, over the data that is there or new data, and waits until it answers.
fn run(folder: &Path, settings: &str) -> process::Watched {
    let programs = installed::postgres_programs();
    let mut postgres = as_owner_of(folder, "sh");
    postgres.args(["-ec", INITIALISE_AND_RUN, "postgres"]).arg(&programs).arg(folder).arg(settings);
    let mut process = process::Watched::start("postgres", folder, &postgres);

    let deadline = Instant::now() + Duration::from_secs(60);
    let mut is_ready = Command::new(programs.join("pg_isready"));
    is_ready.args(["--quiet", "--host"]).arg(folder);
    while !is_ready.status().is_ok_and(|status| status.success()) {
        process.assert_running();
        assert!(Instant::now() < deadline, "PostgreSQL does not get ready; {}", process.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    process
}

/// A command that runs as a user other than root, because PostgreSQL refuses root, and owns a new folder.
fn as_owner_of(folder: &Path, program: impl AsRef<std::ffi::OsStr>) -> Command {
    use std::os::unix::fs::MetadataExt;
    let our_user = std::fs::metadata("/proc/self").expect("this process can be looked at").uid();
    if our_user != 0 {
        return Command::new(program);
    }
    let handed = Command::new("chown").arg("postgres:postgres").arg(folder).status();
    assert!(
        handed.is_ok_and(|status| status.success()),
        "{} cannot be given to the user postgres",
        folder.display()
    );
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command
}
