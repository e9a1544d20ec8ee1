//! The processes that Gatehouse is measured against. This program starts itself again as one of them.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpListener;

use crate::bare;

/// A twin that listens. It ends when this is dropped.
pub struct Twin {
    process: Child,
    port: u16,
}

impl Twin {
    /// The bare handler at a path, with answers of so many bytes.
    pub fn bare(path: &str, bytes: usize) -> Twin {
        Twin::start(&["bare", path, &bytes.to_string()])
    }

    /// The bare handler with one read by primary key, of a digest that is not there.
    pub fn one_read(path: &str, bytes: usize, database: &str) -> Twin {
        Twin::start(&["read", path, &bytes.to_string(), database])
    }

    fn start(arguments: &[&str]) -> Twin {
        let port = crate::support::process::free_port();
        let this = std::env::current_exe().expect("this program");
        let mut command = Command::new(this);
        command.arg("twin").arg(port.to_string()).args(arguments).stdin(Stdio::null());
        let process = command.spawn().expect("this program starts again");
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(5));
        }
        Twin { process, port }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What this process does as a twin: `PORT bare PATH BYTES` or `PORT read PATH BYTES DATABASE`.
pub fn run(arguments: &[String]) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let [port, kind, path, bytes, rest @ ..] = &arguments[..] else { panic!("a twin needs arguments") };
        let port: u16 = port.parse().expect("a port");
        let bytes = bytes.parse().expect("a number");
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
        match (*kind, rest) {
            ("bare", []) => bare::serve(listener, path, bytes).await,
            ("read", [database]) => bare::serve_read(listener, path, bytes, database).await,
            _ => panic!("there is no such twin"),
        }
    });
}
