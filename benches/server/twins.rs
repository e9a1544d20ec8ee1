//! The processes that Gatehouse is measured against. This program starts itself again as one of them.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, Version};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::any;
use gatehouse::config::Config;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{PgPool, SqlitePool};
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
            ("read", [database]) => serve_read(listener, path, bytes, database).await,
            _ => panic!("there is no such twin"),
        }
    });
}

#[derive(Clone)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

async fn serve_read(listener: TcpListener, path: &str, bytes: usize, database: &str) {
    let pool = match database.starts_with("sqlite:") {
        true => {
            let pool = SqlitePoolOptions::new().max_connections(10).test_before_acquire(false);
            Pool::Sqlite(pool.connect(database).await.expect("the database"))
        }
        false => {
            let pool = PgPoolOptions::new().max_connections(10).test_before_acquire(false);
            Pool::Postgres(pool.connect(database).await.expect("the database"))
        }
    };
    let answer = Bytes::from(vec![b'x'; bytes]);
    let router = Router::new().route(path, any(one_read)).with_state((pool, answer));
    axum::serve(listener, router).await.expect("the listener works");
}

async fn one_read(State((pool, answer)): State<(Pool, Bytes)>, request: Bytes) -> impl IntoResponse {
    const READ: &str = "SELECT session_id FROM access_tokens WHERE digest = $1";
    let digest = gatehouse::keys::digest(&request);
    let row: Option<String> = match &pool {
        Pool::Sqlite(pool) => sqlx::query_scalar(READ).bind(digest).fetch_optional(pool).await,
        Pool::Postgres(pool) => sqlx::query_scalar(READ).bind(digest).fetch_optional(pool).await,
    }
    .expect("a read");
    assert!(row.is_none(), "nobody has this digest");
    ([(CONTENT_TYPE, "application/json")], answer)
}

/// Hashes a password so many times at the default cost, on so many threads, as the library does it by
/// itself.
pub fn hash(times: usize, threads: usize) {
    let cost = Config::default().passwords.argon2;
    let params = Params::new(cost.memory_kib, cost.iterations, cost.parallelism, None).expect("a cost");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for _ in 0..times / threads {
                    let mut out = [0u8; 32];
                    argon2.hash_password_into(b"a password", b"salt of 16 bytes", &mut out).expect("a hash");
                    std::hint::black_box(out);
                }
            });
        }
    });
}
