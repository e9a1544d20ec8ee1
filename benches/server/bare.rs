//! What every figure is held against: a handler of axum and nothing else, in a process of its own. It takes
//! the request, body and all, and answers with as many bytes as Gatehouse does. For an unknown token it makes
//! one read by primary key besides. For a sign-in it is the raw hash, as its library makes it.

use argon2::{Algorithm, Argon2, Params, Version};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::any;
use deadpool::managed::{self, QueueMode};
use gatehouse::config::Config;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Connection, PgConnection, SqlitePool};
use tokio::net::TcpListener;

async fn handler(State(answer): State<Bytes>, _request: Bytes) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], answer)
}

/// Serves `path` with answers of `bytes` bytes until the process is ended.
pub async fn serve(listener: TcpListener, path: &str, bytes: usize) {
    let answer = Bytes::from(vec![b'x'; bytes]);
    let router = Router::new().route(path, any(handler)).with_state(answer);
    axum::serve(listener, router).await.expect("the listener works");
}

struct Opener(String);

impl managed::Manager for Opener {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<PgConnection, sqlx::Error> {
        PgConnection::connect(&self.0).await
    }

    async fn recycle(
        &self,
        _: &mut PgConnection,
        _: &managed::Metrics,
    ) -> managed::RecycleResult<sqlx::Error> {
        Ok(())
    }
}

#[derive(Clone)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(managed::Pool<Opener>),
}

/// As [`serve`], with a read of a digest that is not there.
pub async fn serve_read(listener: TcpListener, path: &str, bytes: usize, database: &str) {
    let pool = match database.starts_with("sqlite:") {
        true => {
            let pool = SqlitePoolOptions::new().max_connections(10).test_before_acquire(false);
            Pool::Sqlite(pool.connect(database).await.expect("the database"))
        }
        false => {
            let pool = managed::Pool::builder(Opener(database.to_owned())).max_size(10);
            Pool::Postgres(pool.queue_mode(QueueMode::Lifo).build().expect("a pool"))
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
        Pool::Postgres(pool) => {
            let mut connection = pool.get().await.expect("a connection");
            sqlx::query_scalar(READ).bind(digest).fetch_optional(&mut *connection).await
        }
    }
    .expect("a read");
    assert!(row.is_none(), "nobody has this digest");
    ([(CONTENT_TYPE, "application/json")], answer)
}

/// Hashes a password so many times at the default cost, on so many threads.
pub fn hash(times: usize, threads: usize) {
    let cost = Config::default().passwords.argon2;
    let params = Params::new(cost.memory_kib, cost.iterations, cost.parallelism, None).expect("a cost");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (argon2, own) = (&argon2, (thread..times).step_by(threads).count());
            scope.spawn(move || {
                for _ in 0..own {
                    let mut out = [0u8; 32];
                    argon2.hash_password_into(b"a password", b"salt of 16 bytes", &mut out).expect("a hash");
                    std::hint::black_box(out);
                }
            });
        }
    });
}
