//! What belongs together, done at once.

use super::gathered::{self, is_read};
use super::query::On;
use super::{Engine, Error, Query, Store};

/// PostgreSQL's code for what it is had to do when one of several steps finds nothing.
const DIVISION_BY_ZERO: &str = "22012";

/// Runs all steps as a transaction of their own, each of which has to find what it changes or reads. No
/// step may need to see what another changes, and all must not mind to be run twice: a connection that dies in the midst
/// leaves open whether they were. `false`: one has found nothing, or conflicts with what is there, and nothing has happened.
///
/// PostgreSQL has them as one statement, which spares it the round trips of a transaction, with those of others who
/// ask for the same at that time.
///
/// # Errors
/// When the database fails.
pub async fn execute_together(store: &Store, steps: Vec<Query>) -> Result<bool, Error> {
    let done = match &store.engine {
        Engine::Sqlite { .. } => one_by_one(store, steps).await,
        Engine::Postgres(_) => at_once(store, &steps).await,
    };
    match done {
        Ok(true) => Ok(true),
        Ok(false) | Err(Error::Conflict(_)) => {
            store.settle().await?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

async fn one_by_one(store: &Store, steps: Vec<Query>) -> Result<bool, Error> {
    let mut tx = store.begin().await?;
    for step in steps {
        let has_found = match is_read(step.sql) {
            true => step.fetch_optional::<()>(On::Tx(&mut tx)).await?.is_some(),
            false => step.execute(&mut tx).await? > 0,
        };
        if !has_found {
            return Ok(false);
        }
    }
    tx.commit().await?;
    Ok(true)
}

async fn at_once(store: &Store, steps: &[Query]) -> Result<bool, Error> {
    let error = match gathered::ask(store, steps).await {
        Ok(row) => return row.map_or(Ok(false), |row| Ok(row.get::<i64>("n")? > 0)),
        Err(error) => error,
    };
    if error.as_database_error().is_some_and(|error| error.code().as_deref() == Some(DIVISION_BY_ZERO)) {
        return Ok(false);
    }
    Err(store.refused(error))
}
