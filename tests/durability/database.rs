//! What the database says, asked behind the server's back.

use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::support::program::Program;

/// The database of a program.
pub enum Database {
    /// Where its file is.
    Sqlite(PathBuf),
    /// Its URI.
    Postgres(String),
}

impl Database {
    /// That of an installation, on PostgreSQL if there is a URI.
    pub fn of(program: &Program, uri: Option<&str>) -> Database {
        match uri {
            Some(uri) => Database::Postgres(uri.to_owned()),
            None => Database::in_folder(&program.data()),
        }
    }

    /// The one of SQLite in that folder.
    pub fn in_folder(data: &Path) -> Database {
        Database::Sqlite(data.join("gatehouse.db"))
    }

    /// Rows of a text and a number (`BIGINT`).
    pub async fn rows(&self, sql: &'static str) -> Vec<(String, i64)> {
        let rows = match self {
            Database::Sqlite(path) => {
                // Who only reads leaves the log as it is.
                let options = SqliteConnectOptions::new().filename(path).read_only(true);
                let mut connection = options.connect().await.expect("the database opens");
                sqlx::query_as(sql).fetch_all(&mut connection).await
            }
            Database::Postgres(uri) => {
                let mut connection = PgConnection::connect(uri).await.expect("a connection");
                sqlx::query_as(sql).fetch_all(&mut connection).await
            }
        };
        rows.expect("the database answers")
    }
}
