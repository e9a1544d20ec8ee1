//! The `database` section.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    error::Problems,
    secret::{self, Secret},
};

/// Where users, clients and sessions are stored.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// The database: `sqlite:` and the path of a file, or
    /// `postgresql://user:password@host:port/database` with the parameters of libpq such as
    /// `?sslmode=verify-full`. Without it, the SQLite file `gatehouse.db` in the data folder is
    /// used. It counts as a secret since it may hold a password.
    #[schemars(example = "postgresql://gatehouse:password@localhost/gatehouse")]
    pub uri: Option<Secret>,
    /// A file that holds the value of `uri`; give one or the other.
    #[schemars(extend("format" = "path"), example = "/run/secrets/gatehouse-database")]
    pub uri_file: Option<PathBuf>,
    /// The greatest number of connections held open at once; on PostgreSQL one more listens for what
    /// other nodes announce. More than a few times the number of
    /// the database's cores makes nothing faster.
    #[schemars(range(min = 1, max = 1000))]
    pub max_connections: u32,
}

/// A database, as the configuration names it.
#[derive(Debug, Clone, PartialEq)]
pub enum Engine {
    /// The path of an SQLite file.
    Sqlite(PathBuf),
    /// The URI of a PostgreSQL database.
    Postgresql(Secret),
}

impl Default for Database {
    fn default() -> Self {
        Self { uri: None, uri_file: None, max_connections: 10 }
    }
}

impl Database {
    /// The database to open, when the data folder is `folder`.
    #[must_use]
    pub fn engine(&self, folder: &Path) -> Engine {
        match &self.uri {
            None => Engine::Sqlite(folder.join("gatehouse.db")),
            Some(uri) => match sqlite_path(uri.expose()) {
                Some(path) => Engine::Sqlite(path.into()),
                None => Engine::Postgresql(uri.clone()),
            },
        }
    }

    /// Whether the database is PostgreSQL, and may be shared by several nodes.
    #[must_use]
    pub fn is_postgresql(&self) -> bool {
        matches!(self.engine(Path::new("")), Engine::Postgresql(_))
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        if let Some(uri) = &self.uri {
            let uri = uri.expose();
            let is_postgresql = ["postgresql://", "postgres://"].iter().any(|s| uri.starts_with(s));
            match sqlite_path(uri) {
                Some("" | ":memory:") => {
                    problems.add("database.uri", "must name a file after sqlite:");
                }
                None if !is_postgresql => {
                    problems.add("database.uri", "must begin with sqlite: or postgresql://");
                }
                _ => {}
            }
        }
        problems.range("database.max_connections", self.max_connections, 1..=1000);
    }

    pub(super) fn read_secret_files(&mut self, problems: &mut Problems) {
        secret::read_file("database.uri", &mut self.uri, &mut self.uri_file, problems);
    }
}

/// The path in `sqlite:path`; `sqlite://path` is often written and means the same.
fn sqlite_path(uri: &str) -> Option<&str> {
    let path = uri.strip_prefix("sqlite:")?;
    Some(path.strip_prefix("//").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(uri: Option<&str>) -> Engine {
        let database = Database { uri: uri.map(Secret::new), ..Database::default() };
        database.engine(Path::new("data"))
    }

    #[test]
    fn the_engine_is_told_by_the_uri() {
        assert_eq!(engine(None), Engine::Sqlite("data/gatehouse.db".into()));
        assert_eq!(engine(Some("sqlite:a.db")), Engine::Sqlite("a.db".into()));
        assert_eq!(engine(Some("sqlite:///a.db")), Engine::Sqlite("/a.db".into()));
        assert_eq!(engine(Some("postgresql://h/d")), Engine::Postgresql(Secret::new("postgresql://h/d")));
    }
}
