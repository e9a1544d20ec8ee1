//! The schema, numbered and forward only; the same files for both engines.

use sqlx::PgPool;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::SqliteConnection;

use super::Error;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

pub(super) async fn run_sqlite(connection: &mut SqliteConnection) -> Result<(), Error> {
    MIGRATIONS.run_direct(None, connection, false).await.map_err(explain)
}

pub(super) async fn run_postgres(pool: &PgPool) -> Result<(), Error> {
    MIGRATIONS.run(pool).await.map_err(explain)
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
