//! Programs that end with the test that started them, however that ends.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use tempfile::TempDir;

/// A running program, with a shell beside it that watches over it.
///
/// The shell holds one end of a pipe, this process the other. When this value is dropped, or when the
/// process ends (statics are never dropped, and a killed process drops nothing), the pipe closes; then the
/// shell stops the program and removes its folder.
pub struct Watched {
    name: &'static str,
    watch: Child,
    folder: PathBuf,
    log: PathBuf,
}

impl Watched {
    /// Starts a program in a folder, which it owns.
    ///
    /// What the program prints goes to a file below `target/`.
    pub fn start(name: &'static str, folder: &Path, program: &Command) -> Self {
        use std::os::unix::process::CommandExt;

        let log = new_log(name);
        let output = std::fs::File::create(&log).expect("the log of a test program can be written");
        let mut watch = Command::new("sh");
        watch
            .args(["-c", include_str!("watch.sh"), "watch"])
            .arg(folder)
            .arg(program.get_program())
            .args(program.get_args())
            .envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .current_dir(folder)
            // Ctrl-C must reach the tests alone: the shell has its own reason to stop.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(output.try_clone().expect("a file handle can be cloned"))
            .stderr(output);
        let watch = watch.spawn().unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        Self { name, watch, folder: folder.to_owned(), log }
    }

    /// The log, and the end of what is in it.
    pub fn log(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let end = &lines[lines.len().saturating_sub(30)..];
        format!("the end of {}:\n{}", self.log.display(), end.join("\n"))
    }

    /// Fails the test when the program has ended.
    pub fn assert_running(&mut self) {
        if let Ok(Some(status)) = self.watch.try_wait() {
            panic!("{} has ended ({status}); {}", self.name, self.log());
        }
    }

    /// Waits for the program to end by itself; its exit code. Its folder is gone then.
    pub fn wait(&mut self) -> Option<i32> {
        // The shell passes the program's code on.
        self.watch.wait().ok()?.code()
    }

    /// Stops the program and removes its folder.
    pub fn stop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }

    /// Stops the program, to be started again on the same folder.
    pub fn stop_and_keep_folder(&mut self) {
        let keep = self.folder.join("keep");
        std::fs::write(&keep, "").expect("the folder of a test program can be written");
        self.stop();
        std::fs::remove_file(&keep).expect("the folder of a stopped test program is kept");
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A new folder, with a path short enough for a socket in it. Once it is filled, it is to be kept for a
/// [`Watched`] program, which removes it.
pub fn new_folder(name: &str) -> TempDir {
    let folder = tempfile::Builder::new().prefix(&format!("gatehouse-{name}-")).tempdir();
    folder.expect("the folder for temporary files can be written")
}

/// A folder below `target/`, for what a person may want to look at after the tests.
pub fn output_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name(name);
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

/// A port that nothing listens on.
///
/// Below the range that the system takes for outgoing connections, and never the same one twice.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % 12_000) as u16;
    loop {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn new_log(name: &str) -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    output_folder("test-logs").join(format!("{name}-{number}.log"))
}
