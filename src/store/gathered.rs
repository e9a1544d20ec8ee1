//! Statements that many ask for at the same time, sent as one. While one is under way, whoever asks for the same besides
//! waits, and goes together with others in the next: under load that spares most of them a way to the database and back,
//! and PostgreSQL a transaction and a flush.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Postgres, Sqlite};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::pool::on_live_connection;
use super::query::bind_all;
use super::{ACQUIRE_TIMEOUT, Engine, Query, Row, Store, Value};

/// How many go in one statement. As many as the first wait for nobody.
const SIZES: [usize; 3] = [4, 2, 1];

/// How long the next waits for one that is under way, which somebody may be keeping from a row.
const PATIENCE: Duration = Duration::from_millis(20);

/// Has PostgreSQL give up what changes rows for several, when somebody keeps it from one of them for so long: then only one has
/// to go on waiting. To be done before anything else, for the transaction that the statement is.
const GIVING_UP: &str =
    "SELECT -1::bigint AS ordinal, LENGTH(set_config('lock_timeout', '100ms', true))::bigint AS n";

/// What is done for each who asks: one read, or changes that happen all or not at all.
type Steps = Arc<[&'static str]>;

/// Those who wait, for each thing that is asked for.
#[derive(Clone, Default)]
pub(super) struct Gatherings(Arc<Mutex<HashMap<Steps, Gathering>>>);

#[derive(Default)]
struct Gathering {
    waiting: Vec<Asking>,
    /// How many tasks send what gathers.
    senders: usize,
    /// The statements for as many as [`SIZES`] says, each once it was needed.
    texts: [Option<Arc<str>>; SIZES.len()],
}

/// The parameters for all steps, and where the answer goes. Who is told nothing asks alone.
struct Asking {
    values: Arc<[Value]>,
    tell: oneshot::Sender<Result<Option<Row>, sqlx::Error>>,
}

/// Does the steps for somebody, after this was called, and tells the row that is the answer: of changes, one whose `n` is
/// zero if the only one has changed nothing. One of several that finds nothing divides by zero, which undoes them all.
///
/// What changes must not mind to be done twice: a connection that dies in the midst leaves open whether it was.
pub(super) async fn ask(store: &Store, steps: &[Query]) -> Result<Option<Row>, sqlx::Error> {
    let values = steps.iter().flat_map(|step| &step.values).cloned().collect::<Arc<[Value]>>();
    let steps: Steps = steps.iter().map(|step| step.worded_for(store)).collect();
    let (tell, told) = oneshot::channel();
    store.gatherings.add(&steps, Asking { values: values.clone(), tell }, store);
    match told.await {
        Ok(told) => told,
        Err(_) => {
            let alone = worded(&steps, &values, 1, store.is_shared());
            Ok(send(store, &alone.into(), &[&values]).await?.pop())
        }
    }
}

impl Gatherings {
    fn lock(&self) -> MutexGuard<'_, HashMap<Steps, Gathering>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, steps: &Steps, asking: Asking, store: &Store) {
        let mut gatherings = self.lock();
        let gathering = gatherings.entry(steps.clone()).or_default();
        gathering.waiting.push(asking);
        if gathering.senders == 0 || gathering.waiting.len() == SIZES[0] {
            gathering.senders += 1;
            // A task of its own, so that nobody who goes away takes along what others wait for.
            tokio::spawn(send_all(store.clone(), steps.clone()));
        }
    }

    /// Those who go next, and the statement for so many; `None`, and one who sends less, if nobody waits.
    fn next(&self, steps: &Steps, is_shared: bool) -> Option<(Vec<Asking>, Arc<str>)> {
        let mut gatherings = self.lock();
        let Gathering { waiting, senders, texts } = gatherings.entry(steps.clone()).or_default();
        let Some(place) = SIZES.iter().position(|size| *size <= waiting.len()) else {
            *senders -= 1;
            return None;
        };
        let asking: Vec<Asking> = waiting.drain(..SIZES[place]).collect();
        let text = texts[place]
            .get_or_insert_with(|| worded(steps, &asking[0].values, asking.len(), is_shared).into());
        Some((asking, text.clone()))
    }
}

/// Sends until nobody waits.
async fn send_all(store: Store, steps: Steps) {
    while let Some((asking, text)) = store.gatherings.next(&steps, store.is_shared()) {
        let mut sending = Box::pin(send_and_tell(store.clone(), text, asking));
        if timeout(PATIENCE, &mut sending).await.is_err() {
            tokio::spawn(sending);
        }
    }
}

async fn send_and_tell(store: Store, text: Arc<str>, mut asking: Vec<Asking>) {
    // In one order everywhere, so that no two statements wait for each other's rows.
    asking.sort_by(|one, other| one.values.cmp(&other.values));
    let values: Vec<Arc<[Value]>> = asking.iter().map(|asking| asking.values.clone()).collect();
    let values: Vec<&[Value]> = values.iter().map(|values| &**values).collect();
    let told = match timeout(ACQUIRE_TIMEOUT, send(&store, &text, &values)).await {
        Ok(Ok(rows)) => in_order(rows, asking.len()),
        Ok(Err(error)) if asking.len() == 1 => vec![Err(error)],
        // Nobody knows for whom it failed, or whether anything comes of it.
        _ => return,
    };
    for (Asking { tell, .. }, told) in asking.into_iter().zip(told) {
        // Who has gone away needs no answer.
        let _ = tell.send(told);
    }
}

async fn send(store: &Store, text: &Arc<str>, values: &[&[Value]]) -> Result<Vec<Row>, sqlx::Error> {
    let values = || values.iter().copied().flatten();
    let text = || AssertSqlSafe(text.clone());
    match &store.engine {
        Engine::Sqlite { readers, .. } => {
            let rows = bind_all!(sqlx::query::<Sqlite>(text()), values()).fetch_all(readers).await?;
            Ok(rows.into_iter().map(Row::Sqlite).collect())
        }
        Engine::Postgres(pool) => {
            let all = || bind_all!(sqlx::query::<Postgres>(text()), values());
            let rows = on_live_connection!(pool, connection, all().fetch_all(connection))?;
            Ok(rows.into_iter().map(Row::Postgres).collect())
        }
    }
}

/// The row for each of so many who asked.
fn in_order(rows: Vec<Row>, many: usize) -> Vec<Result<Option<Row>, sqlx::Error>> {
    let mut told: Vec<_> = (0..many).map(|_| Ok(None)).collect();
    for row in rows {
        let ordinal = row.get::<i64>("ordinal").ok().and_then(|ordinal| usize::try_from(ordinal).ok());
        if let Some(place) = ordinal.and_then(|ordinal| told.get_mut(ordinal)) {
            *place = Ok(Some(row));
        }
    }
    told
}

/// One statement that does the steps for so many, whose parameters are of the types of these.
fn worded(steps: &[&str], values: &[Value], many: usize, is_shared: bool) -> String {
    match steps {
        [read] if is_read(read) && is_shared => read_on_postgres(read.trim(), values, many),
        [read] if is_read(read) => read_on_sqlite(read.trim(), values.len(), many),
        changes => changes_on_postgres(changes, many),
    }
}

/// Whether it changes nothing.
pub(super) fn is_read(sql: &str) -> bool {
    sql.trim_start().starts_with("SELECT")
}

/// A read that is carried out for the parameters of each in turn. It stays what it is for one (`OFFSET 0`): a join with all
/// of them may be carried out by reading whole tables.
fn read_on_postgres(sql: &str, values: &[Value], many: usize) -> String {
    let row = |ordinal: usize| {
        let parameters = values.iter().enumerate().map(|(place, value)| {
            let of_type = match value {
                Value::Text(_) => "text",
                Value::Integer(_) => "bigint",
                Value::Boolean(_) => "boolean",
            };
            format!(", ${}::{of_type}", ordinal * values.len() + place + 1)
        });
        format!("({ordinal}::bigint{})", parameters.collect::<String>())
    };
    let rows: Vec<String> = (0..many).map(row).collect();
    let names: String = (1..=values.len()).map(|number| format!(", p{number}")).collect();
    let (sql, _) = with_parameters(sql, |number| format!("asked.p{number}"));
    format!(
        "SELECT asked.ordinal, found.* FROM (VALUES {}) AS asked (ordinal{names}) CROSS JOIN LATERAL ({sql} OFFSET 0) AS found",
        rows.join(", ")
    )
}

/// So many reads one after the other.
fn read_on_sqlite(sql: &str, parameters: usize, many: usize) -> String {
    let reads = (0..many).map(|ordinal| {
        let (sql, _) = with_parameters(sql, |number| format!("${}", ordinal * parameters + number));
        format!("SELECT {ordinal} AS ordinal, found.* FROM ({sql}) AS found")
    });
    reads.collect::<Vec<String>>().join(" UNION ALL ")
}

/// All steps so many times, and how many rows each time has found: of one step that number, of several one, or a division
/// by zero.
fn changes_on_postgres(steps: &[&str], many: usize) -> String {
    let (mut with, mut answers, mut before) = (Vec::new(), Vec::new(), 0);
    if many > 1 {
        answers.push(GIVING_UP.to_owned());
    }
    for ordinal in 0..many {
        let mut counts = Vec::new();
        for (number, step) in steps.iter().enumerate() {
            let (sql, highest) = with_parameters(step.trim(), |number| format!("${}", before + number));
            before += highest;
            let returning = if is_read(step) { "" } else { " RETURNING 1" };
            with.push(format!("step{ordinal}_{number} AS ({sql}{returning})"));
            counts.push(format!("(SELECT COUNT(*) FROM step{ordinal}_{number})"));
        }
        let found = match &counts[..] {
            [count] => count.clone(),
            counts => format!("1 / LEAST(1, {})", counts.join(", ")),
        };
        answers.push(format!("SELECT {ordinal}::bigint AS ordinal, {found} AS n"));
    }
    format!("WITH {} {}", with.join(", "), answers.join(" UNION ALL "))
}

/// The statement with other words for its parameters, of which it has so many.
fn with_parameters(sql: &str, word: impl Fn(usize) -> String) -> (String, usize) {
    let mut parts = sql.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    let mut highest = 0;
    for part in parts {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let number = part[..digits].parse().unwrap_or_default();
        highest = highest.max(number);
        text.push_str(&word(number));
        text.push_str(&part[digits..]);
    }
    (text, highest)
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use tokio::task::JoinSet;

    use super::super::{Error, FromRow, Location, query, query_kept};
    use super::*;

    struct Setting(String);

    impl FromRow for Setting {
        fn from_row(row: &Row) -> Result<Setting, Error> {
            Ok(Setting(row.get("value")?))
        }
    }

    async fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Location::Sqlite(folder.path().join("db")), 4).await.unwrap();
        for number in 0..40 {
            set(&store, &format!("name {number}"), &format!("value {number}")).await;
        }
        (folder, store)
    }

    async fn set(store: &Store, name: &str, value: &str) {
        const SET: &str = "
INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        query(SET).bind(name).bind(value).execute_alone(store).await.unwrap();
    }

    async fn find(store: &Store, name: String) -> Option<String> {
        const FIND: &str = "SELECT value FROM installation WHERE name = $1";
        let found: Option<Setting> = query(FIND).bind(name).fetch_gathered(store).await.unwrap();
        found.map(|Setting(value)| value)
    }

    #[tokio::test]
    async fn of_many_who_ask_at_once_each_is_told_of_its_own() {
        let (_folder, store) = store().await;
        // Alone, a few, and more than one statement asks for; every third is not there, some are asked for twice.
        for many in [1, 2, 3, 4, 5, 17, 100] {
            let mut asking = JoinSet::new();
            for number in 0..many {
                let (store, number) = (store.clone(), number * 3 / 2 % 60);
                asking.spawn(async move { (number, find(&store, format!("name {number}")).await) });
            }
            for (number, found) in asking.join_all().await {
                assert_eq!(found, (number < 40).then(|| format!("value {number}")), "{number} of {many}");
            }
        }
    }

    #[tokio::test]
    async fn those_who_ask_meanwhile_go_together_and_a_full_statement_waits_for_nobody() {
        let (_folder, store) = store().await;
        let mut asking: Vec<_> =
            (0..9).map(|number| Box::pin(find(&store, format!("name {number}")))).collect();
        let mut gathered = Vec::new();
        for question in &mut asking {
            // The tasks that send have no turn before this one waits.
            assert!(question.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            let gatherings = store.gatherings.lock();
            gathered
                .extend(gatherings.values().map(|gathering| (gathering.senders, gathering.waiting.len())));
        }
        assert_eq!(gathered, [(1, 1), (1, 2), (1, 3), (2, 4), (2, 5), (2, 6), (2, 7), (2, 8), (2, 9)]);
        for (number, question) in asking.into_iter().enumerate() {
            assert_eq!(question.await, Some(format!("value {number}")));
        }
        let gatherings = store.gatherings.lock();
        for gathering in gatherings.values() {
            assert_eq!((gathering.senders, gathering.waiting.len()), (0, 0));
            let texts: Vec<bool> = gathering.texts.iter().map(Option::is_some).collect();
            assert_eq!(texts, [true, false, true], "four, four and one");
        }
    }

    #[tokio::test]
    async fn what_was_written_before_the_question_is_seen() {
        let (_folder, store) = store().await;
        let mut others = JoinSet::new();
        for number in 0..12 {
            let store = store.clone();
            others.spawn(async move {
                loop {
                    find(&store, format!("name {number}")).await;
                }
            });
        }
        for number in 0..200 {
            set(&store, "name 3", &number.to_string()).await;
            assert_eq!(find(&store, "name 3".to_owned()).await, Some(number.to_string()));
        }
    }

    #[tokio::test]
    async fn who_goes_away_takes_nothing_from_others() {
        let (_folder, store) = store().await;
        {
            let mut gone = pin!(find(&store, "name 1".to_owned()));
            assert!(gone.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        let (one, other) = tokio::join!(find(&store, "name 2".to_owned()), find(&store, "name 3".to_owned()));
        assert_eq!((one.as_deref(), other.as_deref()), (Some("value 2"), Some("value 3")));
    }

    #[tokio::test]
    async fn what_is_wrong_is_told_to_everybody() {
        let (_folder, store) = store().await;
        store.close().await;
        let mut asking = JoinSet::new();
        for number in 0..20 {
            let store = store.clone();
            asking.spawn(async move {
                query("SELECT name FROM installation WHERE name = $1")
                    .bind(number.to_string())
                    .fetch_gathered::<()>(&store)
                    .await
            });
        }
        for answer in asking.join_all().await {
            assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
        }
    }

    #[test]
    fn a_read_is_worded_for_many() {
        let read = ["\nSELECT a FROM b WHERE c = $1 AND d > $2 AND e < $1"];
        let values = [Value::Text(None), Value::Integer(Some(1))];
        assert_eq!(
            worded(&read, &values, 2, false),
            "SELECT 0 AS ordinal, found.* FROM (SELECT a FROM b WHERE c = $1 AND d > $2 AND e < $1) AS found \
             UNION ALL \
             SELECT 1 AS ordinal, found.* FROM (SELECT a FROM b WHERE c = $3 AND d > $4 AND e < $3) AS found"
        );
        assert_eq!(
            worded(&read, &values, 2, true),
            "SELECT asked.ordinal, found.* \
             FROM (VALUES (0::bigint, $1::text, $2::bigint), (1::bigint, $3::text, $4::bigint)) AS asked (ordinal, p1, p2) \
             CROSS JOIN LATERAL \
             (SELECT a FROM b WHERE c = asked.p1 AND d > asked.p2 AND e < asked.p1 OFFSET 0) AS found"
        );
    }

    #[test]
    fn changes_are_worded_so_that_one_undoes_what_belongs_together() {
        assert_eq!(
            worded(&["DELETE FROM a WHERE b = $1"], &[Value::Text(None)], 2, true),
            "WITH step0_0 AS (DELETE FROM a WHERE b = $1 RETURNING 1), step1_0 AS (DELETE FROM a WHERE b = $2 RETURNING 1) \
             SELECT -1::bigint AS ordinal, LENGTH(set_config('lock_timeout', '100ms', true))::bigint AS n \
             UNION ALL SELECT 0::bigint AS ordinal, (SELECT COUNT(*) FROM step0_0) AS n \
             UNION ALL SELECT 1::bigint AS ordinal, (SELECT COUNT(*) FROM step1_0) AS n"
        );
        let steps = [
            query_kept!("SELECT id FROM a WHERE b = $1"),
            query("UPDATE a SET c = $2 WHERE d = $1 AND e = $2"),
        ];
        assert_eq!(
            worded(&steps.map(|step| step.on_postgres), &[], 1, true),
            "WITH step0_0 AS (SELECT id FROM a WHERE b = $1 FOR SHARE), \
             step0_1 AS (UPDATE a SET c = $3 WHERE d = $2 AND e = $3 RETURNING 1) \
             SELECT 0::bigint AS ordinal, \
             1 / LEAST(1, (SELECT COUNT(*) FROM step0_0), (SELECT COUNT(*) FROM step0_1)) AS n"
        );
    }
}
