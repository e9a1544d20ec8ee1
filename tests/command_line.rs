//! The command line: the program itself on SQLite, with and without a running server, and what it asks
//! of the database on both engines.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gatehouse::cli::{Answer, Failure, Kind, Request};
use gatehouse::config::Secret;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use super::support::factors::{add_app, make_codes};
use super::support::homeserver::{StubHomeserver, StubUser};
use super::support::server::{Engine, PASSWORD, Server, on_both_engines};
use super::support::synapse::{Synapse, SynapseOptions};
use super::support::{postgres, process};

/// A folder with a configuration, in which the program is run.
pub(crate) struct Installation {
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
}

/// What a command printed, and how it ended.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {} {}", self.out, self.err))
    }

    /// The answer as text, which must have come with exit code 0.
    #[track_caller]
    pub(crate) fn done(&self) -> &str {
        assert_eq!(self.code, 0, "{} {}", self.out, self.err);
        &self.out
    }

    /// The complaint, which must have come with this exit code.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32) -> &str {
        assert_eq!(self.code, code, "{} {}", self.out, self.err);
        &self.err
    }
}

impl Installation {
    pub(crate) fn new(homeserver: &StubHomeserver) -> Installation {
        Installation::with(homeserver, "")
    }

    pub(crate) fn with(homeserver: &StubHomeserver, more: &str) -> Installation {
        let (name, secret) = (homeserver.server_name(), homeserver.secret());
        Installation::beside(&name, &homeserver.endpoint(), &secret, process::free_port(), more)
    }

    fn beside(server_name: &str, endpoint: &Url, secret: &str, port: u16, more: &str) -> Installation {
        let folder = process::new_folder("cli");
        let configuration = format!(
            "http:
  public_base: http://127.0.0.1:{port}/
  listeners: [{{address: '127.0.0.1:{port}'}}]
homeserver:
  server_name: {server_name}
  endpoint: {endpoint}
  secret: {secret}
{more}"
        );
        fs::write(folder.path().join("gatehouse.yaml"), configuration).unwrap();
        Installation { folder, port }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("gatehouse-data")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatehouse"));
        command.current_dir(self.folder.path()).env_clear();
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        self.run_with_input(words, "")
    }

    pub(crate) fn run_with_input(&self, words: &[&str], input: &str) -> Ran {
        let mut command = self.command();
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Creates a user with [`PASSWORD`].
    pub(crate) fn create(&self, name: &str) -> Ran {
        self.run_with_input(&["users", "create", name, "--password-stdin"], PASSWORD)
    }

    pub(crate) fn serve(&self) -> Running {
        Running::start(self)
    }
}

/// A running server. What it prints is in files of its own folder.
pub(crate) struct Running {
    watched: process::Watched,
    pub(crate) folder: PathBuf,
}

/// $1: the program; $2: the folder of the installation.
const SERVE: &str = r#"exec > out 2> err; echo $$ > pid; cd "$2" && exec "$1" serve"#;

impl Running {
    fn start(installation: &Installation) -> Running {
        let folder = process::new_folder("cli-server").keep();
        let mut shell = Command::new("sh");
        shell.args(["-c", SERVE, "serve", env!("CARGO_BIN_EXE_gatehouse")]).arg(installation.folder.path());
        let mut running = Running { watched: process::Watched::start("gatehouse", &folder, &shell), folder };
        running.wait_until(|running| running.printed("out").contains("doctor"));
        running
    }

    pub(crate) fn printed(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file)).unwrap_or_default()
    }

    pub(crate) fn wait_until(&mut self, is_so: impl Fn(&Running) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !is_so(self) {
            assert!(Instant::now() < deadline, "{} {}", self.printed("out"), self.printed("err"));
            self.watched.assert_running();
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.printed("pid");
        assert!(Command::new("kill").args(["-s", signal, pid.trim()]).status().unwrap().success());
    }

    /// Sends a signal; the exit code that follows.
    pub(crate) fn stop_by(&mut self, signal: &str) -> i32 {
        self.signal(signal);
        self.watched.wait().expect("an exit code")
    }
}

#[track_caller]
fn mode(path: &Path) -> u32 {
    let metadata = fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    metadata.permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_start_creates_what_is_missing_for_its_owner_only_and_says_what_to_do() {
    let homeserver = StubHomeserver::start().await;
    let installation = Installation::new(&homeserver);
    // Without a secret in the configuration, one is made.
    let path = installation.folder.path().join("gatehouse.yaml");
    let configuration = fs::read_to_string(&path).unwrap();
    let secret = format!("  secret: {}\n", homeserver.secret());
    fs::write(&path, configuration.replace(&secret, "")).unwrap();

    let mut running = installation.serve();
    let data = installation.data();
    assert_eq!((mode(&data), mode(&data.join("keys"))), (0o700, 0o700));
    for file in ["gatehouse.db", "root_secret", "homeserver_secret", "commands.sock"] {
        assert_eq!(mode(&data.join(file)), 0o600, "{file}");
    }
    let keys: Vec<PathBuf> =
        fs::read_dir(data.join("keys")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| mode(key) == 0o600));

    let printed = running.printed("out");
    let secret_file = data.canonicalize().unwrap().join("homeserver_secret");
    for expected in [
        format!("127.0.0.1:{}", installation.port),
        "users create NAME".to_owned(),
        "  matrix_authentication_service:\n    enabled: true\n".to_owned(),
        format!("    endpoint: http://127.0.0.1:{}/\n", installation.port),
        format!("    secret_path: {}\n", secret_file.display()),
        "  password_config:\n    enabled: false\n".to_owned(),
        "http.public_base".to_owned(),
    ] {
        assert!(printed.contains(&expected), "{expected} is not in: {printed}");
    }
    let secret = fs::read_to_string(&secret_file).unwrap();
    let root = fs::read_to_string(data.join("root_secret")).unwrap();
    for secret in [secret, root] {
        assert!(!printed.contains(&secret) && !running.printed("err").contains(&secret));
    }
    assert_eq!(running.stop_by("INT"), 0);
    assert!(!data.join("commands.sock").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_server_starts_again_over_its_data() {
    let homeserver = StubHomeserver::start().await;
    let installation = Installation::new(&homeserver);
    let mut running = installation.serve();
    installation.create("alice").done();
    assert_eq!(running.stop_by("TERM"), 0);
    let mut running = installation.serve();
    assert!(installation.run(&["users", "list"]).done().contains("@alice:example.org"));
    assert_eq!(running.stop_by("INT"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_the_same_file_is_refused() {
    let homeserver = StubHomeserver::start().await;
    let installation = Installation::new(&homeserver);
    let _running = installation.serve();
    let mut second = installation.command();
    let address = format!("[{{address: '127.0.0.1:{}'}}]", process::free_port());
    second.arg("serve").env("GATEHOUSE_HTTP__LISTENERS", address);
    let output = second.output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains("gatehouse.db is in use by another Gatehouse"), "{complaint}");
    assert!(output.stdout.is_empty());
    // The first one goes on.
    installation.create("alice").done();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_give_the_same_answers_with_and_without_a_running_server() {
    let homeserver = StubHomeserver::start().await;
    let (with, without) = (Installation::new(&homeserver), Installation::new(&homeserver));
    let _running = with.serve();
    let changes: [(&[&str], &str); 12] = [
        (&["users", "create", "alice", "--admin", "--password-stdin"], PASSWORD),
        (&["users", "create", "alice", "--no-password"], ""),
        (&["users", "lock", "alice"], ""),
        (&["users", "lock", "@alice:example.org"], ""),
        (&["users", "unlock", "alice"], ""),
        (&["users", "set-password", "alice", "--password-stdin", "--end-sessions"], PASSWORD),
        (&["users", "set-admin", "alice", "false"], ""),
        (&["users", "deactivate", "alice"], ""),
        (&["users", "reactivate", "alice"], ""),
        (&["sessions", "end", "--user", "alice", "--all"], ""),
        (&["sessions", "list", "alice"], ""),
        (&["clients", "delete", "nobody"], ""),
    ];
    for (words, input) in changes {
        let one = with.run_with_input(words, input);
        // Both have the same homeserver, which must not know of the other's user.
        homeserver.forget_user("alice");
        let other = without.run_with_input(words, input);
        assert_eq!((one.code, &one.out, &one.err), (other.code, &other.out, &other.err), "{words:?}");
        assert!(one.code == 0 || one.code == 3 || one.code == 4, "{words:?}: {}", one.err);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_is_the_same_through_the_server_and_beside_it() {
    let homeserver = StubHomeserver::start().await;
    let installation = Installation::new(&homeserver);
    let mut running = installation.serve();
    installation.create("alice").done();
    installation
        .run(&["clients", "create", "--name", "Wiki", "--redirect-uri", "https://wiki.example.org/"])
        .done();
    let read = || {
        let commands: [&[&str]; 6] = [
            &["users", "list"],
            &["--json", "users", "list"],
            &["users", "show", "alice", "--json"],
            &["--json", "clients", "list"],
            &["keys", "list"],
            &["--json", "sessions", "list", "alice"],
        ];
        commands.map(|words| installation.run(words).done().to_owned())
    };
    let through_the_server = read();
    assert_eq!(running.stop_by("TERM"), 0);
    assert_eq!(through_the_server, read());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_can_sign_in_with_the_password_that_the_command_line_set() {
    let homeserver = StubHomeserver::start().await;
    let installation = Installation::new(&homeserver);
    let created = installation.create("alice");
    assert!(created.done().contains("Created @alice:example.org.\nThe homeserver knows."), "{}", created.out);
    assert!(homeserver.user("alice").is_some());
    let shown = installation.run(&["users", "show", "alice", "--json"]).json();
    assert_eq!((&shown["has_password"], &shown["standing"]), (&json!(true), &json!("active")));
    assert!(shown["provisioned_at"].is_string() && shown["locked_at"].is_null(), "{shown}");
    assert_eq!(shown["sessions"], json!({ "browser": 0, "client": 0 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_follow_the_rules_and_are_never_arguments() {
    let homeserver = StubHomeserver::start().await;
    let installation = Installation::new(&homeserver);
    let create =
        |input: &str| installation.run_with_input(&["users", "create", "alice", "--password-stdin"], input);
    assert!(create("short").refused(4).contains("at least 15 characters"));
    assert!(create("").refused(2).contains("standard input is empty"));
    assert!(create("one line\nand another one").refused(2).contains("several lines"));
    assert!(create(&"x".repeat(1025)).refused(4).contains("1,024 bytes"));
    assert!(installation.run(&["users", "create", "alice"]).refused(2).contains("--password-stdin"));
    installation.run(&["users", "create", "alice", "--password", PASSWORD]).refused(2);
    installation.run(&["users", "show", "alice"]).refused(3);
    create(&format!("{PASSWORD}\r\n")).done();
    let set = |input: &str| {
        installation.run_with_input(&["users", "set-password", "alice", "--password-stdin"], input)
    };
    assert!(set("short").refused(4).contains("at least 15 characters"));
    set("another passphrase of mine").done();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_cannot_be_taken_are_refused() {
    let homeserver = StubHomeserver::start().await;
    homeserver.reserve("bridge");
    homeserver.set_user("bob", StubUser::default());
    let installation = Installation::new(&homeserver);
    installation.create("alice").done();
    for (name, why) in [
        ("alice", "there is a user named alice already"),
        ("bob", "the homeserver already has a user named bob"),
        ("bridge", "application service"),
        ("Carol", "lower case"),
        ("_x", "underscore"),
        ("123", "more than digits"),
        ("@carol:elsewhere.org", "is not on example.org"),
    ] {
        assert!(installation.create(name).refused(4).contains(why), "{name}");
    }
    installation.run(&["users", "lock", "@alice:elsewhere.org"]).refused(3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_homeserver_that_is_down_is_told_later() {
    let mut homeserver = StubHomeserver::start().await;
    let installation = Installation::new(&homeserver);
    homeserver.go_down().await;
    let refused = installation.create("alice");
    assert!(refused.refused(1).contains("--skip-homeserver-check"), "{}", refused.err);
    installation.run(&["users", "show", "alice"]).refused(3);

    let words = ["users", "create", "alice", "--no-password", "--skip-homeserver-check", "--json"];
    let created = installation.run(&words).json();
    assert_eq!(
        (&created["homeserver"]["is_told"], &created["provisioned_at"]),
        (&json!(false), &Value::Null)
    );
    let text = installation.run(&["users", "lock", "alice"]);
    assert!(text.done().contains("will be told as soon as that works"), "{}", text.out);

    homeserver.come_back().await;
    let _running = installation.serve();
    homeserver.until_called("provision_user", 2).await;
    assert!(homeserver.user("alice").is_some_and(|user| user.is_locked));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_ever_logged_or_printed() {
    let homeserver = StubHomeserver::start().await;
    let installation = Installation::with(&homeserver, "telemetry: {log_filter: trace}\n");
    let mut running = installation.serve();
    let mut printed = vec![installation.create("alice")];
    printed.push(installation.run(&["doctor"]));
    printed.push(installation.run(&["--json", "doctor"]));
    printed.push(installation.run(&["config", "check"]));
    let root = fs::read_to_string(installation.data().join("root_secret")).unwrap();
    running.wait_until(|running| running.printed("err").contains("an account was created"));
    let everything: String = printed.iter().map(|ran| format!("{}{}", ran.out, ran.err)).collect();
    let everything = format!("{everything}{}{}", running.printed("out"), running.printed("err"));
    for secret in [PASSWORD, &homeserver.secret(), root.trim()] {
        assert!(!everything.contains(secret));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_tells_problems_by_its_exit_code() {
    let mut homeserver = StubHomeserver::start().await;
    homeserver.set_server_name("127.0.0.1:1");
    let installation = Installation::new(&homeserver);
    let base = format!("http://127.0.0.1:{}/", installation.port);
    homeserver.set_auth_metadata(json!({ "issuer": base }));
    let _running = installation.serve();

    let outcome = |name: &str| {
        let report = installation.run(&["--json", "doctor"]);
        let checks = report.json()["checks"].as_array().cloned().unwrap_or_default();
        let check =
            checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{}", report.out));
        (check["outcome"].as_str().unwrap_or_default().to_owned(), report.code)
    };
    for good in ["database", "durability", "signing keys", "homeserver", "shared secret", "announcement"] {
        assert_eq!(outcome(good), ("ok".to_owned(), 0), "{good}");
    }
    for good in ["introspection", "discovery", "server", "data folder", "secret files", "background work"] {
        assert_eq!(outcome(good), ("ok".to_owned(), 0), "{good}");
    }
    assert_eq!(outcome("client discovery").0, "warning");
    assert_eq!(outcome("public address").0, "warning");

    let problem = ("problem".to_owned(), 5);
    homeserver.set_version("1.149.1");
    assert_eq!(outcome("homeserver"), problem);
    homeserver.set_version("1.150.0");
    homeserver.set_auth_metadata(json!({ "issuer": "https://elsewhere.example/" }));
    assert_eq!(outcome("announcement"), problem);
    homeserver.set_whoami(axum::http::StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(outcome("introspection"), problem);
    homeserver.set_secret("another-one");
    assert_eq!(outcome("shared secret"), problem);
    homeserver.go_down().await;
    assert_eq!(outcome("homeserver"), problem);
    fs::set_permissions(installation.data(), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(outcome("data folder"), problem);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_finds_nothing_wrong_beside_a_real_synapse() {
    let port = process::free_port();
    let secret = "shared-by-both".to_owned();
    let synapse = Synapse::start(SynapseOptions {
        server_name: "127.0.0.1:1".to_owned(),
        auth_endpoint: format!("http://127.0.0.1:{port}/").parse().unwrap(),
        secret: secret.clone(),
    })
    .await;
    let installation = Installation::beside("127.0.0.1:1", &synapse.base_url(), &secret, port, "");
    let _running = installation.serve();
    let report = installation.run(&["--json", "doctor"]);
    assert_eq!(report.code, 0, "{} {}", report.out, synapse.log());
    let created = installation.create("alice");
    assert!(created.done().contains("The homeserver knows."), "{}", created.out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_works_before_the_first_start_and_with_a_broken_configuration() {
    let homeserver = StubHomeserver::start().await;
    let installation = Installation::new(&homeserver);
    assert!(installation.run(&["doctor"]).done().contains("not there yet"));
    assert!(!installation.data().exists());
    fs::write(installation.folder.path().join("gatehouse.yaml"), "htpp: {}\n").unwrap();
    let report = installation.run(&["doctor"]);
    assert_eq!(report.code, 5);
    assert!(report.out.contains("PROBLEM") && report.out.contains("line 1"), "{}", report.out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_are_shown_without_a_server_and_nothing_is_made_for_it() {
    let homeserver = StubHomeserver::start().await;
    let installation = Installation::new(&homeserver);
    let told = installation.run(&["mail", "preview", "--out", "mails.html"]);
    assert!(told.done().contains("Wrote mails.html"), "{}", told.out);
    let page = fs::read_to_string(installation.folder.path().join("mails.html")).unwrap();
    assert!(page.contains("<title>Mails of ") && page.contains("@alice:"), "{page}");
    assert!(!installation.data().exists(), "neither keys nor a database");
    installation.run(&["mail", "preview", "--out", "nowhere/mails.html"]).refused(1);
    installation.run(&["mail", "preview"]).refused(2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn configurations_are_made_and_checked() {
    let homeserver = StubHomeserver::start().await;
    let installation = Installation::new(&homeserver);
    assert!(installation.run(&["config", "check"]).done().contains("nothing is wrong"));
    let generate = ["config", "generate", "--output", "new.yaml"];
    installation.run(&generate).done();
    assert_eq!(mode(&installation.folder.path().join("new.yaml")), 0o600);
    assert!(installation.run(&generate).refused(4).contains("was left as it is"));
    installation.run(&["--config", "new.yaml", "config", "check"]).done();
    assert!(installation.run(&["config", "schema"]).json()["properties"].is_object());

    fs::write(installation.folder.path().join("bad.yaml"), "http:\n  public_bse: x\n").unwrap();
    let complaint = installation.run(&["config", "check", "--config", "bad.yaml"]);
    assert!(complaint.refused(2).contains("bad.yaml, line 2"), "{}", complaint.err);
    installation.run(&["--config", "missing.yaml", "users", "list"]).refused(2);
    let as_json: Value =
        serde_json::from_str(&installation.run(&["--json", "users", "show", "nobody"]).err).unwrap();
    assert_eq!(as_json["error"], "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn help_names_every_exit_code() {
    let homeserver = StubHomeserver::start().await;
    let installation = Installation::new(&homeserver);
    let help = installation.run(&["--help"]);
    for code in ["0  done", "1  failed", "2  wrong", "3  not found", "4  refused", "5  doctor"] {
        assert!(help.done().contains(code), "{code}");
    }
    installation.run(&["users", "shwo"]).refused(2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgresql_commands_need_no_server_and_the_secrets_from_the_admin() {
    let homeserver = StubHomeserver::start().await;
    let uri = postgres::fresh_database().await;
    let without_root = Installation::with(&homeserver, &format!("database: {{uri: '{uri}'}}\n"));
    assert!(without_root.run(&["users", "list"]).refused(2).contains("root_secret"));
    let more = format!("database: {{uri: '{uri}'}}\nsecrets: {{root_secret: {}}}\n", "r".repeat(40));
    let installation = Installation::with(&homeserver, &more);
    let mut running = installation.serve();
    installation.create("alice").done();
    assert!(installation.run(&["users", "list"]).done().contains("@alice:example.org"));
    assert!(!installation.data().join("commands.sock").exists());
    assert_eq!(running.stop_by("INT"), 0);
    installation.run(&["users", "lock", "alice"]).done();
}

/// Carries out what the command line would ask for, with workers beside it as in a server.
pub(crate) async fn ask(server: &Server, request: Value) -> Result<Answer, Failure> {
    let request: Request = serde_json::from_value(request).expect("a request");
    // What a worker has begun it ends: a job that is dropped half-way stays leased for a while.
    let is_done = AtomicBool::new(false);
    let working = async {
        while !is_done.load(Ordering::Relaxed) {
            server.run_jobs().await;
            server.app.work_arrives().await;
        }
    };
    let carrying_out = async {
        let answer = request.carry_out(&server.app).await;
        is_done.store(true, Ordering::Relaxed);
        server.app.wake_workers();
        answer
    };
    tokio::join!(carrying_out, working).0
}

#[track_caller]
fn refusal(answer: Result<Answer, Failure>) -> Kind {
    match answer {
        Err(failure) => failure.error,
        Ok(answer) => panic!("{}", answer.text),
    }
}

on_both_engines! {
    async fn an_account_goes_through_its_life(engine: Engine) {
        let server = Server::start(engine).await;
        let create = json!({ "users": { "create": {
            "name": "alice", "admin": false, "skip_homeserver_check": false, "password": PASSWORD,
        } } });
        ask(&server, create.clone()).await.expect("an account");
        assert_eq!(refusal(ask(&server, create).await), Kind::Refused);
        server.signed_in("alice").await;

        let is_changed = async |request: Value| {
            let answer = ask(&server, request).await.expect("a change");
            let is_changed = answer.data["is_changed"] == true;
            assert_eq!(answer.data["homeserver"]["is_told"] == true, is_changed, "{}", answer.text);
            is_changed
        };
        let lock = json!({ "users": { "lock": { "name": "alice" } } });
        assert!(is_changed(lock.clone()).await);
        assert!(!is_changed(lock).await);
        assert!(server.homeserver.user("alice").is_some_and(|user| user.is_locked));
        let unlock = json!({ "users": { "unlock": { "name": "alice" } } });
        assert!(is_changed(unlock.clone()).await);
        assert!(!is_changed(unlock).await);

        let deactivate = |erase: bool| json!({ "users": { "deactivate": { "name": "alice", "erase": erase } } });
        assert!(is_changed(deactivate(false)).await);
        assert!(!is_changed(deactivate(false)).await);
        // Erasing can be asked for later.
        assert!(is_changed(deactivate(true)).await);
        assert!(server.homeserver.user("alice").is_some_and(|user| user.is_deactivated && user.is_erased));
        let reactivate = json!({ "users": { "reactivate": { "name": "@alice:example.org" } } });
        assert!(is_changed(reactivate.clone()).await);
        assert!(!is_changed(reactivate).await);
        assert!(server.homeserver.user("alice").is_some_and(|user| !user.is_deactivated));
        // What was erased is gone.
        assert_eq!(server.browser().sign_in("alice", PASSWORD, "/account/").await.status, 403);
        let set = json!({ "users": { "set_password": { "name": "alice", "end_sessions": false, "password": PASSWORD } } });
        ask(&server, set).await.expect("a password");
        server.signed_in("alice").await;
    }

    async fn who_is_no_longer_an_administrator_loses_the_sessions_with_that_power(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let set = |is_admin: bool| json!({ "users": { "set_admin": { "name": "alice", "is_admin": is_admin } } });
        ask(&server, set(true)).await.expect("an administrator");
        let client = server.client().await;
        let usual = server.tokens("alice", &client, "USUAL").await;
        let scope = "urn:matrix:client:api:* urn:matrix:client:device:ADMIN urn:synapse:admin:*";
        let powerful = server.tokens_for("alice", &client, scope).await;
        assert!(server.is_active(&powerful.access).await);
        ask(&server, set(false)).await.expect("no administrator");
        assert!(!server.is_active(&powerful.access).await);
        assert!(server.is_active(&usual.access).await);
        assert_eq!(server.homeserver.devices("alice"), ["USUAL"]);
    }

    async fn sessions_are_listed_and_ended(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let phone = server.tokens("alice", &client, "PHONE").await;
        let laptop = server.tokens("alice", &client, "LAPTOP").await;
        let list = async |kind: Value| {
            let request = json!({ "sessions": { "list": { "name": "alice", "kind": kind } } });
            ask(&server, request).await.expect("sessions").data["sessions"].as_array().cloned().unwrap_or_default()
        };
        // Each of the two sign-ins was in a browser of its own.
        assert_eq!((list(Value::Null).await.len(), list(json!("browser")).await.len()), (4, 2));
        let of_clients = list(json!("client")).await;
        let of_phone = of_clients.iter().find(|session| session["device_id"] == "PHONE").expect("the phone");
        assert_eq!(of_phone["client_id"], json!(client));

        let end = |id: &Value| json!({ "sessions": { "end": { "session_id": id, "user": null, "all": false } } });
        ask(&server, end(&of_phone["id"])).await.expect("an end");
        assert_eq!(refusal(ask(&server, end(&of_phone["id"])).await), Kind::NotFound);
        assert_eq!(refusal(ask(&server, end(&json!("nonsense"))).await), Kind::NotFound);
        assert!(!server.is_active(&phone.access).await && server.is_active(&laptop.access).await);
        assert_eq!(server.homeserver.devices("alice"), ["LAPTOP"]);

        let browser = list(json!("browser")).await;
        ask(&server, end(&browser[0]["id"])).await.expect("an end");
        let all = json!({ "sessions": { "end": { "session_id": null, "user": "alice", "all": true } } });
        let answer = ask(&server, all).await.expect("an end");
        assert_eq!(answer.data["ended_sessions"], 2);
        assert!(list(Value::Null).await.is_empty() && server.homeserver.devices("alice").is_empty());
    }

    async fn sessions_of_older_clients_are_listed_and_ended(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let tokens = server.logged_in("alice", "my phone", json!({})).await;
        let list = json!({ "sessions": { "list": { "name": "alice", "kind": "client" } } });
        let listed = ask(&server, list).await.expect("sessions");
        assert!(listed.text.contains("signed in with an older login  device my phone"), "{}", listed.text);
        let session = &listed.data["sessions"][0];
        assert_eq!((&session["client_id"], &session["device_id"]), (&Value::Null, &json!("my phone")));
        let end = json!({ "sessions": { "end": { "session_id": session["id"], "user": null, "all": false } } });
        ask(&server, end).await.expect("an end");
        assert!(!server.is_active(&tokens.access).await);
        assert!(server.homeserver.devices("alice").is_empty());
    }

    async fn a_new_password_can_end_all_sessions(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let tokens = server.tokens("alice", &client, "PHONE").await;
        let set = |end: bool| json!({ "users": { "set_password": {
            "name": "alice", "end_sessions": end, "password": "another passphrase of hers",
        } } });
        ask(&server, set(false)).await.expect("a password");
        assert!(server.is_active(&tokens.access).await);
        ask(&server, set(true)).await.expect("a password");
        assert!(!server.is_active(&tokens.access).await);
        let mut browser = server.browser();
        let refused = browser.sign_in("alice", PASSWORD, "/account/").await;
        assert_ne!(refused.status, http::StatusCode::SEE_OTHER);
    }

    async fn clients_are_created_and_deleted_unless_they_are_configured(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.clients = vec![gatehouse::config::StaticClient {
                client_id: "wiki".to_owned(),
                client_name: "Wiki".to_owned(),
                client_uri: None,
                redirect_uris: vec!["https://wiki.example.org/".to_owned()],
                post_logout_redirect_uris: Vec::new(),
                backchannel_logout_uri: None,
                backchannel_logout_session_required: false,
                token_endpoint_auth_method: gatehouse::config::TokenEndpointAuthMethod::ClientSecretBasic,
                client_secret: Some(Secret::new("a secret")),
                client_secret_file: None,
                jwks: None,
                jwks_uri: None,
                grant_types: gatehouse::config::GrantType::USUAL.to_vec(),
                scope: None,
                trusted: true,
                access_token_lifetime_seconds: None,
            }];
        })
        .await;
        let create = |method: &str, uri: &str| json!({ "clients": { "create": {
            "name": "App", "client_uri": null, "redirect_uris": [uri], "auth_method": method,
            "grant_types": ["authorization_code", "refresh_token"],
        } } });
        let made = ask(&server, create("client_secret_post", "https://app.example.org/")).await.expect("a client");
        let secret = made.data["client_secret"].as_str().expect("a secret");
        assert!(secret.len() >= 40 && made.text.contains(secret));
        let public = ask(&server, create("none", "https://app.example.org/")).await.expect("a client");
        assert!(public.data["client_secret"].is_null());
        assert_eq!(refusal(ask(&server, create("none", "https://app.example.org/#x")).await), Kind::Usage);

        let delete = |id: &Value| json!({ "clients": { "delete": { "client_id": id } } });
        ask(&server, delete(&public.data["client_id"])).await.expect("a deletion");
        assert_eq!(refusal(ask(&server, delete(&public.data["client_id"])).await), Kind::NotFound);
        assert_eq!(refusal(ask(&server, delete(&json!("wiki"))).await), Kind::Refused);
        let list = ask(&server, json!({ "clients": { "list": { "after": null, "limit": 10 } } })).await.expect("a list");
        assert_eq!(list.data["clients"].as_array().map(Vec::len), Some(2));
    }

    async fn deleting_a_client_ends_its_sessions(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let tokens = server.tokens("alice", &client, "PHONE").await;
        ask(&server, json!({ "clients": { "delete": { "client_id": client } } })).await.expect("a deletion");
        assert!(!server.is_active(&tokens.access).await);
        server.run_jobs().await;
        assert!(server.homeserver.devices("alice").is_empty());
    }

    async fn rotated_keys_are_published_before_they_sign(engine: Engine) {
        let server = Server::start(engine).await;
        let before = ask(&server, json!({ "keys": "list" })).await.expect("keys");
        assert_eq!(before.data["keys"].as_array().map(Vec::len), Some(3));
        server.advance(Duration::from_secs(1));
        let after = ask(&server, json!({ "keys": "rotate" })).await.expect("keys");
        let keys = after.data["keys"].as_array().cloned().unwrap_or_default();
        assert_eq!(keys.len(), 6);
        assert_eq!(keys.iter().filter(|key| key["retires_at"].is_null()).count(), 3);
    }

    async fn lists_go_on_where_they_ended(engine: Engine) {
        let server = Server::start(engine).await;
        for name in ["alice", "bob", "carol"] {
            server.user(name).await;
            server.advance(Duration::from_secs(1));
        }
        let list = async |after: Value| {
            let request = json!({ "users": { "list": { "after": after, "limit": 2 } } });
            ask(&server, request).await.expect("a list").data
        };
        let first = list(Value::Null).await;
        assert_eq!((&first["users"][0]["name"], &first["users"][1]["name"]), (&json!("alice"), &json!("bob")));
        let second = list(first["next"].clone()).await;
        assert_eq!((&second["users"][0]["name"], &second["next"]), (&json!("carol"), &Value::Null));
    }

    async fn an_admin_sees_and_removes_what_a_person_has_lost(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        for name in ["Phone", "Tablet"] {
            add_app(&server, &mut browser, name).await;
        }
        make_codes(&mut browser).await;
        let factors = json!({ "users": { "factors": { "name": "alice" } } });
        let listed = ask(&server, factors.clone()).await.expect("a list");
        let names = |listed: &Answer| -> Vec<Value> {
            let factors = listed.data["factors"].as_array().expect("a list");
            factors.iter().map(|factor| factor["name"].clone()).collect()
        };
        assert_eq!(names(&listed), ["Phone", "Tablet"]);
        assert_eq!((&listed.data["recovery_codes"], &listed.data["has_password"]), (&json!(10), &json!(true)));
        assert!(listed.text.contains("authenticator app"), "{}", listed.text);

        let remove = |id: Value, all: bool| {
            json!({ "users": { "remove_factor": { "name": "alice", "id": id, "all": all } } })
        };
        let unknown = ask(&server, remove(json!("01ARZ3NDEKTSV4RRFFQ69G5FAV"), false)).await;
        assert_eq!(refusal(unknown), Kind::NotFound);
        let id = listed.data["factors"][0]["id"].clone();
        assert_eq!(ask(&server, remove(id, false)).await.expect("a removal").data["removed"], 1);
        let listed = ask(&server, factors.clone()).await.expect("a list");
        assert_eq!(names(&listed), ["Tablet"]);
        assert_eq!(listed.data["recovery_codes"], 10);
        assert_eq!(ask(&server, remove(Value::Null, true)).await.expect("a removal").data["removed"], 1);
        // What only stood in for it is gone, too, and the password is enough.
        assert_eq!(ask(&server, factors).await.expect("a list").data["recovery_codes"], 0);
        server.signed_in("alice").await;
    }

    async fn an_admin_lets_in_a_person_who_has_lost_everything(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        add_app(&server, &mut server.signed_in("alice").await, "Lost phone").await;
        let mut tx = server.app.store.begin().await.unwrap();
        gatehouse::store::query("DELETE FROM passwords WHERE user_id = $1").bind(alice.id).execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let link = json!({ "users": { "recovery_link": { "name": "alice", "hours": 1 } } });
        let answer = ask(&server, link).await.expect("a link");
        let link = answer.data["link"].as_str().expect("a link");
        assert!(answer.text.starts_with(link));
        let path = link.strip_prefix("https://auth.example.org").expect("our public base");
        let mut browser = server.browser();
        let page = browser.get(path).await;
        let (csrf, token) = (page.field("csrf"), page.field("token"));
        let led = browser.post("/recover", &[("csrf", &csrf), ("token", &token)]).await;
        assert_eq!(led.location(), "/account/security?notice=recovered");
        add_app(&server, &mut browser, "New phone").await;
    }
}
