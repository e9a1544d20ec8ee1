//! One SQL text with its parameters, run on either engine, and rows read alike from both.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Postgres, Sqlite};

use super::pool::{on_connection, on_live_connection};
use super::{Engine, Error, Store, Tx, TxEngine, gathered, is_dead};
use crate::ids::{ClientId, DeviceId, Id, Localpart};
use crate::methods::Methods;
use crate::time::Timestamp;

/// A parameter: one of the three types that both engines share, or none of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// `TEXT`.
    Text(Option<String>),
    /// `BIGINT`.
    Integer(Option<i64>),
    /// `BOOLEAN`.
    Boolean(Option<bool>),
}

/// A row of an answer.
pub enum Row {
    /// A row from SQLite.
    Sqlite(SqliteRow),
    /// A row from PostgreSQL.
    Postgres(PgRow),
}

/// Where a query runs: on the store by itself (a lone read), or inside a transaction.
pub enum On<'a> {
    /// By itself, on a reading connection.
    Store(&'a Store),
    /// Inside a transaction.
    Tx(&'a mut Tx),
}

impl<'a> From<&'a Store> for On<'a> {
    fn from(store: &'a Store) -> On<'a> {
        On::Store(store)
    }
}

impl<'a> From<&'a mut Tx> for On<'a> {
    fn from(tx: &'a mut Tx) -> On<'a> {
        On::Tx(tx)
    }
}

/// A statement and its parameters, ready to run.
#[derive(Clone)]
pub struct Query {
    pub(super) sql: &'static str,
    pub(super) on_postgres: &'static str,
    pub(super) values: Vec<Value>,
}

/// A statement without parameters yet.
pub fn query(sql: &'static str) -> Query {
    Query::worded(sql, sql)
}

/// A read of a row that stays as it was read until the transaction ends, since what is written in it
/// depends on that. SQLite has one writer and needs no word for it.
macro_rules! query_kept {
    ($sql:literal) => {
        $crate::store::Query::worded($sql, concat!($sql, " FOR SHARE"))
    };
}
pub(crate) use query_kept;

/// Binds values in order to an engine's own query.
macro_rules! bind_all {
    ($query:expr, $values:expr) => {{
        use $crate::store::Value;
        let mut bound = $query;
        for value in $values {
            bound = match value {
                Value::Text(text) => bound.bind(text.clone()),
                Value::Integer(number) => bound.bind(*number),
                Value::Boolean(flag) => bound.bind(*flag),
            };
        }
        bound
    }};
}
pub(super) use bind_all;

/// A query as an engine words it, with its values.
macro_rules! bound {
    ($query:expr, Sqlite) => {
        bind_all!(sqlx::query::<Sqlite>($query.sql), &$query.values)
    };
    ($query:expr, Postgres) => {
        bind_all!(sqlx::query::<Postgres>($query.on_postgres), &$query.values)
    };
}

/// Runs one of sqlx's methods on the right connection and turns its rows and errors into ours.
macro_rules! run {
    ($query:expr, $on:expr, $method:ident, $sqlite:expr, $postgres:expr) => {
        match $on {
            On::Store(Store { engine: Engine::Sqlite { readers, .. }, .. }) => {
                bound!($query, Sqlite).$method(readers).await.map($sqlite).map_err(Error::from)
            }
            On::Store(Store { engine: Engine::Postgres(pool), .. }) => {
                // A read may simply be asked again.
                on_live_connection!(pool, connection, bound!($query, Postgres).$method(connection))
                    .map($postgres)
                    .map_err(Error::from)
            }
            On::Tx(tx) => {
                let ran = match tx.engine()? {
                    TxEngine::Sqlite(group) => {
                        bound!($query, Sqlite).$method(group.connection()?).await.map($sqlite)
                    }
                    TxEngine::Postgres(own) => {
                        bound!($query, Postgres).$method(own.connection()?).await.map($postgres)
                    }
                };
                ran.map_err(|error| tx.fail(error))
            }
        }
    };
}

impl Query {
    /// A statement that the engines word differently: only for the macros beside this type.
    pub fn worded(on_sqlite: &'static str, on_postgres: &'static str) -> Query {
        Query { sql: on_sqlite, on_postgres, values: Vec::with_capacity(8) }
    }

    /// As the engine of the store words it.
    pub(super) fn worded_for(&self, store: &Store) -> &'static str {
        if store.is_shared() { self.on_postgres } else { self.sql }
    }

    /// Adds the next parameter.
    pub fn bind(mut self, value: impl Into<Value>) -> Query {
        self.values.push(value.into());
        self
    }

    /// The one row of the answer, or `None`.
    ///
    /// # Errors
    /// When the database fails or a stored value is not valid.
    pub async fn fetch_optional<T: FromRow>(self, on: impl Into<On<'_>>) -> Result<Option<T>, Error> {
        let row: Result<Option<Row>, Error> =
            run!(self, on.into(), fetch_optional, |row| row.map(Row::Sqlite), |row| row.map(Row::Postgres));
        row?.as_ref().map(T::from_row).transpose()
    }

    /// The row of the answer, which has one at most: read together with what others ask for in the same words at the same
    /// time, as it is at some moment after this was called.
    ///
    /// # Errors
    /// When the database fails or a stored value is not valid.
    pub async fn fetch_gathered<T: FromRow>(self, store: &Store) -> Result<Option<T>, Error> {
        let row = gathered::ask(store, &[self]).await?;
        row.as_ref().map(T::from_row).transpose()
    }

    /// The one row that must be there.
    ///
    /// # Errors
    /// When the database fails, a stored value is not valid, or there is no row.
    pub async fn fetch_one<T: FromRow>(self, on: impl Into<On<'_>>) -> Result<T, Error> {
        self.fetch_optional(on).await?.ok_or(Error::Engine(sqlx::Error::RowNotFound))
    }

    /// All rows of the answer.
    ///
    /// # Errors
    /// When the database fails or a stored value is not valid.
    pub async fn fetch_all<T: FromRow>(self, on: impl Into<On<'_>>) -> Result<Vec<T>, Error> {
        self.fetch_rows(on).await?.iter().map(T::from_row).collect()
    }

    /// The same, not yet read.
    pub(super) async fn fetch_rows(self, on: impl Into<On<'_>>) -> Result<Vec<Row>, Error> {
        run!(self, on.into(), fetch_all, |rows| rows.into_iter().map(Row::Sqlite).collect(), |rows| rows
            .into_iter()
            .map(Row::Postgres)
            .collect())
    }

    /// Runs a statement inside a transaction and tells how many rows it touched.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn execute(self, tx: &mut Tx) -> Result<u64, Error> {
        run!(self, On::Tx(tx), execute, |done| done.rows_affected(), |done| done.rows_affected())
    }
}

impl Query {
    /// Runs a statement as a transaction of its own and tells how many rows it touched. It must not mind
    /// to be run twice: a connection that dies in the midst leaves open whether it was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn execute_alone(self, store: &Store) -> Result<u64, Error> {
        if let Engine::Postgres(pool) = &store.engine {
            match on_connection!(pool, connection, bound!(self, Postgres).execute(connection)) {
                Ok(done) => return Ok(done.rows_affected()),
                // The connection had most likely died before; a transaction finds a live one.
                Err(error) if is_dead(&error) => {}
                Err(error) => {
                    let error = Error::from(error);
                    if error.is_passing() {
                        store.note_refused_write();
                    }
                    return Err(error);
                }
            }
        }
        let mut tx = store.begin().await?;
        let touched = self.execute(&mut tx).await?;
        tx.commit().await?;
        Ok(touched)
    }
}

/// What can be read from a row.
pub trait FromRow: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// When a column is missing or its value is not valid.
    fn from_row(row: &Row) -> Result<Self, Error>;
}

/// What can be read from one column.
pub trait FromColumn: Sized {
    /// Reads it from the column of that name.
    ///
    /// # Errors
    /// When the column is missing or its value is not valid.
    fn from_column(row: &Row, column: &'static str) -> Result<Self, Error>;
}

impl Row {
    /// The value of a column.
    ///
    /// # Errors
    /// When the column is missing or its value is not valid.
    pub fn get<T: FromColumn>(&self, column: &'static str) -> Result<T, Error> {
        T::from_column(self, column)
    }
}

/// The types that sqlx itself reads from both engines.
macro_rules! column_from_engine {
    ($($type:ty),*) => {$(
        impl FromColumn for $type {
            fn from_column(row: &Row, column: &'static str) -> Result<Self, Error> {
                use sqlx::Row as _;
                let read = match row {
                    Row::Sqlite(row) => row.try_get::<$type, _>(column),
                    Row::Postgres(row) => row.try_get::<$type, _>(column),
                };
                Ok(read?)
            }
        }
    )*};
}

column_from_engine!(String, Option<String>, i64, Option<i64>, bool, Option<bool>);

/// Our own types that are stored as one of the engines' types, both ways.
macro_rules! column_as {
    ($([$($generic:tt)*] $type:ty, $stored:ty, $variant:ident, $read:expr, $write:expr;)*) => {$(
        impl<$($generic)*> FromColumn for $type {
            fn from_column(row: &Row, column: &'static str) -> Result<Self, Error> {
                let read: fn($stored) -> Option<$type> = $read;
                read(row.get::<$stored>(column)?).ok_or(Error::Corrupt { column })
            }
        }
        impl<$($generic)*> FromColumn for Option<$type> {
            fn from_column(row: &Row, column: &'static str) -> Result<Self, Error> {
                let read: fn($stored) -> Option<$type> = $read;
                row.get::<Option<$stored>>(column)?.map(|stored| read(stored).ok_or(Error::Corrupt { column })).transpose()
            }
        }
        impl<$($generic)*> From<$type> for Value {
            fn from(value: $type) -> Value {
                let write: fn($type) -> $stored = $write;
                Value::$variant(Some(write(value)))
            }
        }
        impl<$($generic)*> From<Option<$type>> for Value {
            fn from(value: Option<$type>) -> Value {
                let write: fn($type) -> $stored = $write;
                Value::$variant(value.map(write))
            }
        }
    )*};
}

column_as! {
    [] Timestamp, i64, Integer, |millis| Some(Timestamp(millis)), |moment| moment.0;
    [Of] Id<Of>, String, Text, |text| text.parse().ok(), |id| id.to_string();
    [] Methods, String, Text, |text| Methods::parse(&text), |methods| methods.to_text();
    [] ClientId, String, Text, |text| Some(ClientId(text)), |id| id.0;
    [] DeviceId, String, Text, |text| Some(DeviceId(text)), |id| id.0;
    [] Localpart, String, Text, |text| Some(Localpart::from_stored(text)), |name| name.as_str().to_owned();
}

/// Parameters that are one of the engines' types already.
macro_rules! value_from {
    ($($type:ty => $variant:ident, $write:expr;)*) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Value {
                let write: fn($type) -> _ = $write;
                Value::$variant(write(value))
            }
        }
    )*};
}

value_from! {
    String => Text, Some;
    &str => Text, |text| Some(text.to_owned());
    &String => Text, |text| Some(text.clone());
    Option<String> => Text, |text| text;
    Option<&str> => Text, |text| text.map(str::to_owned);
    i64 => Integer, Some;
    Option<i64> => Integer, |number| number;
    bool => Boolean, Some;
    &ClientId => Text, |id| Some(id.0.clone());
    &DeviceId => Text, |id| Some(id.0.clone());
    &Localpart => Text, |name| Some(name.as_str().to_owned());
    Option<&DeviceId> => Text, |id| id.map(|id| id.0.clone());
    Option<&ClientId> => Text, |id| id.map(|id| id.0.clone());
}

/// A count or another single number: the first and only column, named `n`.
impl FromRow for i64 {
    fn from_row(row: &Row) -> Result<i64, Error> {
        row.get("n")
    }
}

/// A row that is only asked for whether it is there.
impl FromRow for () {
    fn from_row(_: &Row) -> Result<(), Error> {
        Ok(())
    }
}
