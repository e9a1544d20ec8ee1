//! The program itself, installed in a folder of its own: started, killed, and started again.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gatehouse::keys;
use serde_json::json;
use tempfile::TempDir;

use super::homeserver::StubHomeserver;
use super::process;
use super::server::{PASSWORD, REDIRECT_URI};
use super::wire::{Gone, Wire, get};

/// The client that the configuration names.
pub const CLIENT: &str = "example";

/// An installation, and the server when it runs. It ends with the test.
pub struct Program {
    pub port: u16,
    folder: TempDir,
    log: PathBuf,
    running: Option<Child>,
}

impl Program {
    /// Installs it beside a homeserver, on SQLite or on the PostgreSQL database with that URI: with cheap
    /// password hashes, limits that nobody meets and tokens that outlast the test.
    pub fn install(homeserver: &StubHomeserver, postgres: Option<&str>) -> Program {
        let folder = process::new_folder("program");
        let port = process::free_port();
        let plenty = json!({ "burst": 1_000_000, "per_hour": 1_000_000 });
        let mut configuration = json!({
            "http": {
                "public_base": format!("http://127.0.0.1:{port}/"),
                "listeners": [{ "address": format!("127.0.0.1:{port}") }],
            },
            "homeserver": {
                "server_name": homeserver.server_name(),
                "endpoint": homeserver.endpoint(),
                "secret": homeserver.secret(),
            },
            "passwords": { "argon2": { "memory_kib": 64, "iterations": 1 } },
            "oauth": { "access_token_lifetime_seconds": 3600 },
            "rate_limits": {
                "sign_in_per_address": plenty, "sign_in_per_account": plenty,
                "client_registration_per_address": plenty, "client_secret_per_client": plenty,
            },
            "clients": [{
                "client_id": CLIENT,
                "client_name": "Example app",
                "redirect_uris": [REDIRECT_URI],
                "token_endpoint_auth_method": "none",
            }],
            "telemetry": { "log_filter": "warn" },
        });
        if let Some(uri) = postgres {
            configuration["database"] = json!({ "uri": uri });
            configuration["secrets"] = json!({ "root_secret": keys::random_secret() });
        }
        // JSON is YAML.
        fs::write(folder.path().join("gatehouse.yaml"), configuration.to_string()).expect("a file");
        let log = process::output_folder("test-logs").join(format!("program-{port}.log"));
        File::create(&log).expect("a file");
        Program { port, folder, log, running: None }
    }

    /// The folder with its configuration.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder with its data.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("gatehouse-data")
    }

    /// The program under test: the one that was built with the tests, unless another one is named.
    pub fn binary() -> PathBuf {
        match std::env::var_os("GATEHOUSE_BINARY") {
            Some(named) => named.into(),
            None => env!("CARGO_BIN_EXE_gatehouse").into(),
        }
    }

    /// A command that ends with this process, in the folder of the installation.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    /// Creates an account with [`PASSWORD`], by the command line.
    pub async fn create_user(&self, name: &str) {
        let mut command = self.command(Program::binary());
        command.args(["users", "create", name, "--password-stdin"]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the program starts");
        child.stdin.take().expect("a pipe").write_all(PASSWORD.as_bytes()).expect("a pipe");
        // The homeserver, which it asks, may run on this very thread.
        let ended = tokio::task::spawn_blocking(move || child.wait()).await.expect("waiting works");
        assert!(ended.expect("the program ends").success(), "users create {name}");
    }

    /// Starts the server, and does not wait for it.
    pub fn start(&mut self) {
        let mut command = self.command(Program::binary());
        command.arg("serve");
        self.start_as(command);
    }

    /// Starts the server by another command.
    pub fn start_as(&mut self, mut command: Command) {
        assert!(self.running.is_none(), "it runs already");
        let log = File::options().append(true).open(&self.log).expect("a file");
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a file")).stderr(log);
        self.running = Some(command.spawn().expect("the program starts"));
    }

    /// Waits until it is healthy; how long that took.
    pub async fn until_ready(&mut self) -> Duration {
        let begun = Instant::now();
        while !self.is_healthy().await {
            let ended = self.running.as_mut().expect("it was started").try_wait().expect("a child");
            assert!(ended.is_none(), "it ended ({ended:?}); {}", self.log());
            assert!(begun.elapsed() < Duration::from_secs(60), "it is not ready; {}", self.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        begun.elapsed()
    }

    /// Whether it says that it is well.
    pub async fn is_healthy(&self) -> bool {
        self.health().await.is_ok_and(|status| status == 200)
    }

    /// What it says about itself.
    pub async fn health(&self) -> Result<u16, Gone> {
        Ok(Wire::new(self.port).send(get("/health", &[])).await?.status.as_u16())
    }

    /// The process of the server.
    pub fn pid(&self) -> u32 {
        self.running.as_ref().expect("it runs").id()
    }

    /// Kills the server and waits until nothing is left of it.
    pub fn kill(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        running.kill().expect("a child can be killed");
        running.wait().expect("a child ends");
    }

    /// Tells the server to stop, and waits until it has.
    pub fn stop(&mut self) {
        let told = Command::new("kill").args(["-s", "TERM", &self.pid().to_string()]).status();
        assert!(told.is_ok_and(|status| status.success()), "it cannot be told to stop");
        self.wait();
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) {
        let mut running = self.running.take().expect("it runs");
        running.wait().expect("a child ends");
    }

    /// Where the log is, and its end.
    pub fn log(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        format!("the end of {}:\n{}", self.log.display(), lines[lines.len().saturating_sub(20)..].join("\n"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
