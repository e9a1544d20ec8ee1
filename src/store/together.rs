//! What belongs together, sent to PostgreSQL as one statement, which spares it the round trips of a transaction.

use std::fmt::Write;

use sqlx::{AssertSqlSafe, Postgres};

use super::pool::{Pool, on_connection};
use super::query::{On, bind_all};
use super::{Engine, Error, Query, Store, is_dead};

/// PostgreSQL's code for what [`joined`] has it do when a step finds nothing.
const DIVISION_BY_ZERO: &str = "22012";

/// Runs all steps as a transaction of their own, each of which has to find what it changes or reads. No
/// step may need to see what another changes. `false`: one has found nothing, or conflicts with what is
/// there, and nothing has happened.
///
/// # Errors
/// When the database fails.
pub async fn execute_together(store: &Store, steps: Vec<Query>) -> Result<bool, Error> {
    let done = match &store.engine {
        Engine::Sqlite { .. } => one_by_one(store, steps).await,
        Engine::Postgres(pool) => at_once(store, pool, &steps).await,
    };
    match done {
        Err(Error::Conflict(_)) => Ok(false),
        done => done,
    }
}

async fn one_by_one(store: &Store, steps: Vec<Query>) -> Result<bool, Error> {
    let mut tx = store.begin().await?;
    for step in steps {
        let has_found = match step.is_read() {
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

async fn at_once(store: &Store, pool: &Pool, steps: &[Query]) -> Result<bool, Error> {
    let values = || steps.iter().flat_map(|step| &step.values);
    let text = joined(steps);
    let all = || bind_all!(sqlx::query::<Postgres>(AssertSqlSafe(text.clone())), values());
    let mut done = on_connection!(pool, connection, all().execute(connection));
    // The connection had most likely died before; a transaction finds a live one. If not, its steps find
    // that they were done.
    if done.as_ref().is_err_and(is_dead) {
        let mut transaction = pool.begin().await?;
        done = all().execute(transaction.connection()?).await;
        if done.is_ok() {
            transaction.commit().await?;
        }
    }
    let Err(error) = done else { return Ok(true) };
    if error.as_database_error().is_some_and(|error| error.code().as_deref() == Some(DIVISION_BY_ZERO)) {
        return Ok(false);
    }
    let error = Error::from(error);
    if error.is_passing() {
        store.note_refused_write();
    }
    Err(error)
}

/// One statement of all: each step in a `WITH`, its parameters numbered on from those before, and in the end
/// a division by zero if one has found nothing, which undoes them all.
fn joined(steps: &[Query]) -> String {
    let mut text = "WITH ".to_owned();
    let mut before = 0;
    for (number, step) in steps.iter().enumerate() {
        let sql = step.on_postgres.trim();
        let _ = write!(text, "step{number} AS (");
        let mut rest = sql;
        while let Some((plain, behind)) = rest.split_once('$') {
            let digits = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
            let parameter: usize = behind[..digits].parse().unwrap_or_default();
            let _ = write!(text, "{plain}${}", before + parameter);
            rest = &behind[digits..];
        }
        text.push_str(rest);
        text.push_str(if step.is_read() { "), " } else { " RETURNING 1), " });
        before += step.values.len();
    }
    text.truncate(text.len() - 2);
    text.push_str(" SELECT 1 / LEAST(1");
    for number in 0..steps.len() {
        let _ = write!(text, ", (SELECT COUNT(*) FROM step{number})");
    }
    text.push(')');
    text
}

#[cfg(test)]
mod tests {
    use super::super::{query, query_kept};
    use super::*;

    #[test]
    fn the_parameters_of_all_steps_are_numbered_on() {
        let steps = [
            query_kept!("SELECT id FROM a WHERE b = $1").bind(1),
            query("UPDATE a SET c = $2 WHERE d = $1 AND e = $2").bind(2).bind(3),
        ];
        assert_eq!(
            joined(&steps),
            "WITH step0 AS (SELECT id FROM a WHERE b = $1 FOR SHARE), \
             step1 AS (UPDATE a SET c = $3 WHERE d = $2 AND e = $3 RETURNING 1) \
             SELECT 1 / LEAST(1, (SELECT COUNT(*) FROM step0), (SELECT COUNT(*) FROM step1))"
        );
    }
}
