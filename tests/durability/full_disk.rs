//! The disk under SQLite is full: what cannot be written is refused clearly, what can be read is answered,
//! and when there is room again the server goes on by itself.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::database::Database;
use super::load::Load;
use super::restart::{Onlooker, until_health_is, until_refreshed, until_well};
use crate::support::homeserver::StubHomeserver;
use crate::support::program::Program;
use crate::support::{installed, process};

/// $1: the folder of the installation. Its data goes to a small file system that only this process and those
/// that join it can see; nobody needs to be root for that.
const SMALL_DISK: &str = r#"
    cd "$1"
    cp -a gatehouse-data before
    mount -t tmpfs -o size=12m,mode=700 small-disk gatehouse-data
    cp -a before/. gatehouse-data
    touch mounted
    exec sleep infinity
"#;

/// A file system of a few megabytes under the data of an installation. It is gone when this is dropped.
struct SmallDisk {
    holder: Child,
    data: PathBuf,
}

impl SmallDisk {
    async fn mount(program: &Program) -> SmallDisk {
        let mut holder = program.command(installed::program("unshare"));
        holder.args(["--user", "--map-root-user", "--mount", "--", "sh", "-ec", SMALL_DISK, "disk"]);
        let mut holder = holder.arg(program.folder()).spawn().expect("unshare runs");
        let begun = Instant::now();
        while !program.folder().join("mounted").exists() {
            let ended = holder.try_wait().expect("a child");
            let why = "this system does not let users mount (kernel.unprivileged_userns_clone, AppArmor)";
            assert!(ended.is_none() && begun.elapsed() < Duration::from_secs(10), "{why}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let data = program.data();
        let data = data.strip_prefix("/").expect("an absolute path");
        let data = PathBuf::from(format!("/proc/{}/root", holder.id())).join(data);
        SmallDisk { holder, data }
    }

    /// A command that starts the server on it.
    fn serve(&self, program: &Program) -> Command {
        let mut command = program.command(installed::program("nsenter"));
        command
            .args(["--user", "--preserve-credentials", "--mount", "--target"])
            .arg(self.holder.id().to_string());
        command.args(["--", "sh", "-c", r#"cd "$1" && exec "$2" serve"#, "serve"]).arg(program.folder());
        command.arg(Program::binary());
        command
    }

    /// Its database where everybody finds it: SQLite resolves paths by itself, and would read what was there
    /// before the mount.
    fn copy(&self) -> TempDir {
        let folder = process::new_folder("copy");
        for name in ["gatehouse.db", "gatehouse.db-wal"] {
            fs::copy(self.data.join(name), folder.path().join(name)).expect("a copy");
        }
        folder
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut filler = File::create(self.data.join("filler")).expect("a file");
        let block = [0; 4096];
        let error = loop {
            if let Err(error) = filler.write_all(&block) {
                break error;
            }
        };
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    }

    /// Gives it back.
    fn make_room(&self) {
        fs::remove_file(self.data.join("filler")).expect("the filler is there");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_on_a_full_disk_and_the_server_recovers() {
    let homeserver = StubHomeserver::start().await;
    let mut program = Program::install(&homeserver, None);
    let mut load = Load::new(&program, &homeserver, 4, 1).await;
    let disk = SmallDisk::mount(&program).await;
    program.start_as(disk.serve(&program));
    program.until_ready().await;
    let mut onlooker = Onlooker::sign_in(&program, &homeserver).await;

    for is_killed in [false, true] {
        let trouble = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            disk.fill();
            // What was taken by the journal already, it goes on to use.
            let red = until_health_is(&program, 503, Duration::from_secs(30)).await;
            onlooker.sees_no_writes().await;
            if is_killed {
                program.kill();
            }
            disk.make_room();
            if is_killed {
                return;
            }
            println!("health red after {red:?}");
            until_well(&program, &mut onlooker).await;
        };
        load.work(trouble, is_killed).await;
        if is_killed {
            program.start_as(disk.serve(&program));
            program.until_ready().await;
            until_refreshed(&mut onlooker).await;
        }
    }
    load.look_at_everything(false).await;
    program.kill();
    load.check_consents(&Database::in_folder(disk.copy().path())).await;
    let ledger = load.ledger();
    println!("{ledger}");
    assert!(ledger.violations.is_empty(), "{ledger}\n{}", program.log());
    assert!(ledger.in_doubt.sum() > 0, "the load met the full disk");
}
