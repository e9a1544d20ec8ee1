//! The schema, numbered and forward only; the same files for both engines.

use sqlx::migrate::{MigrateError, Migration, Migrator};
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, PgPool, SqlSafeStr};

use super::Error;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

pub(super) async fn run_sqlite(connection: &mut SqliteConnection) -> Result<(), Error> {
    MIGRATIONS.run_direct(None, connection, false).await.map_err(explain)
}

pub(super) async fn run_postgres(pool: &PgPool) -> Result<(), Error> {
    Migrator::with_migrations(MIGRATIONS.iter().map(in_byte_order).collect()).run(pool).await.map_err(explain)
}

/// A migration whose texts are compared and sorted by their bytes, as SQLite does, and not as people of
/// the database's country would sort them: what we store is looked up and not leafed through, and that
/// way each step down an index is far cheaper.
fn in_byte_order(migration: &Migration) -> Migration {
    let sql = migration.sql.as_str().replace(" TEXT", " TEXT COLLATE \"C\"");
    Migration { sql: AssertSqlSafe(sql).into_sql_str(), ..migration.clone() }
}

fn explain(error: MigrateError) -> Error {
    match error {
        MigrateError::VersionMissing(version) => Error::Migration(format!(
            "the database was last used by a newer Gatehouse (it has migration {version}, which this one does not know); \
             start that version again or restore the backup made before the upgrade"
        )),
        MigrateError::VersionMismatch(version) => Error::Migration(format!(
            "migration {version} in the database differs from the one in this program; this is not a released Gatehouse"
        )),
        other => Error::Migration(format!("the database schema could not be brought up to date: {other}")),
    }
}
