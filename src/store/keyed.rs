//! Reads of one row by its unique key. While one is under way, whoever asks besides waits, and is read for together
//! with all others as the next: under load that spares most of them a way to the database and back.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::{ACQUIRE_TIMEOUT, Error, FromRow, Row, Store, query};

/// How many keys one statement asks for; of fewer the last is repeated, which costs next to nothing.
const SIZES: [usize; 3] = [1, 4, 16];
/// So many wait for nobody.
const MOST: usize = SIZES[SIZES.len() - 1];

/// A read of the row that has a key. For a `static`: where it stands is what tells it from others.
pub struct Keyed {
    column: &'static str,
    texts: [&'static str; SIZES.len()],
}

/// Makes a [`Keyed`] of the column of the answer that repeats the key, and of the statement up to the name of the
/// column that must have it.
macro_rules! keyed {
    ($column:literal, $sql:literal) => {
        $crate::store::Keyed::new(
            $column,
            [
                concat!($sql, " = $1"),
                concat!($sql, " IN ($1, $2, $3, $4)"),
                concat!($sql, " IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"),
            ],
        )
    };
}
pub(crate) use keyed;

/// Those who wait for the next read, of each kind.
#[derive(Clone, Default)]
pub(super) struct Reads(Arc<Mutex<HashMap<usize, Gathered>>>);

#[derive(Default)]
struct Gathered {
    /// How many reads of this kind are under way.
    under_way: usize,
    waiting: Vec<Asking>,
}

/// A key, and who wants to know. One who is told nothing asks alone.
struct Asking {
    key: String,
    tell: oneshot::Sender<Option<Row>>,
}

impl Reads {
    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Gathered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keyed {
    /// As the macro puts it together.
    pub const fn new(column: &'static str, texts: [&'static str; SIZES.len()]) -> Keyed {
        Keyed { column, texts }
    }

    /// The row with the key, as it is at some moment after this was called.
    ///
    /// # Errors
    /// When the database fails or a stored value is not valid.
    pub async fn fetch_optional<T: FromRow>(
        &'static self,
        key: String,
        store: &Store,
    ) -> Result<Option<T>, Error> {
        let (tell, told) = oneshot::channel();
        self.ask(Asking { key: key.clone(), tell }, store);
        match told.await {
            Ok(row) => row.as_ref().map(T::from_row).transpose(),
            Err(_) => query(self.texts[0]).bind(key).fetch_optional(store).await,
        }
    }

    fn ask(&'static self, asking: Asking, store: &Store) {
        let mut reads = store.reads.lock();
        let gathered = reads.entry(self.place()).or_default();
        gathered.waiting.push(asking);
        if gathered.under_way == 0 || gathered.waiting.len() == MOST {
            gathered.under_way += 1;
            // A task of its own, so that nobody who goes away takes along what others wait for.
            tokio::spawn(self.read_all(mem::take(&mut gathered.waiting), store.clone()));
        }
    }

    fn place(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Reads until nobody waits.
    async fn read_all(&'static self, mut asking: Vec<Asking>, store: Store) {
        loop {
            // Neither a failure nor a connection that is silent is told: each meets that by itself.
            let read = tokio::time::timeout(ACQUIRE_TIMEOUT, self.read(&asking, &store)).await;
            if let Ok(Ok(rows)) = read {
                self.tell(asking, rows);
            }
            let mut reads = store.reads.lock();
            let gathered = reads.entry(self.place()).or_default();
            if gathered.waiting.is_empty() {
                gathered.under_way -= 1;
                return;
            }
            asking = mem::take(&mut gathered.waiting);
        }
    }

    async fn read(&self, asking: &[Asking], store: &Store) -> Result<Vec<Row>, Error> {
        let size = SIZES.iter().position(|size| *size >= asking.len()).unwrap_or(SIZES.len() - 1);
        let keys = asking.iter().chain(asking.last().into_iter().cycle()).take(SIZES[size]);
        keys.fold(query(self.texts[size]), |query, asking| query.bind(&asking.key)).fetch_rows(store).await
    }

    fn tell(&self, asking: Vec<Asking>, rows: Vec<Row>) {
        let keyed = |row: Row| Ok((row.get(self.column)?, Some(row)));
        let found: Result<Vec<(String, Option<Row>)>, Error> = rows.into_iter().map(keyed).collect();
        let Ok(mut found) = found else { return };
        for Asking { key, tell } in asking {
            match found.iter_mut().find(|(of, _)| *of == key) {
                None => drop(tell.send(None)),
                // Who asks for the same is told nothing: there is one row.
                Some((_, row)) => drop(row.take().map(|row| tell.send(Some(row)))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use tokio::task::JoinSet;

    use super::*;
    use crate::store::Location;

    static FIND: Keyed = keyed!("name", "SELECT name, value FROM installation WHERE name");

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
        FIND.fetch_optional::<Setting>(name, store).await.unwrap().map(|Setting(value)| value)
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
        let reads = store.reads.lock();
        assert!(reads.values().all(|gathered| gathered.under_way == 0 && gathered.waiting.is_empty()));
    }

    #[tokio::test]
    async fn those_who_ask_meanwhile_are_read_for_together_and_a_full_statement_waits_for_nobody() {
        let (_folder, store) = store().await;
        let mut asking: Vec<_> =
            (0..20).map(|number| Box::pin(find(&store, format!("name {number}")))).collect();
        let mut gathered = Vec::new();
        for question in &mut asking {
            // The tasks that read have no turn before this one waits.
            assert!(question.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            let reads = store.reads.lock();
            gathered.extend(reads.values().map(|gathered| (gathered.under_way, gathered.waiting.len())));
        }
        let waiting = |under_way, most| (0..=most).map(move |waiting| (under_way, waiting));
        assert_eq!(gathered, waiting(1, 15).chain(waiting(2, 3)).collect::<Vec<_>>());
        for (number, question) in asking.into_iter().enumerate() {
            assert_eq!(question.await, Some(format!("value {number}")));
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
            asking.spawn(async move { FIND.fetch_optional::<()>(format!("name {number}"), &store).await });
        }
        for answer in asking.join_all().await {
            assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
        }
    }
}
