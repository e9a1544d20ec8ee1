//! Stands between the server and PostgreSQL: keeps back what says that something was committed, breaks
//! connections, and lets them fall silent.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};

use super::trace::contains;
use crate::support::process;

/// The name of PostgreSQL's socket in its folder.
const SOCKET: &str = ".s.PGSQL.5432";

/// A proxy for one database.
pub struct Proxy {
    folder: TempDir,
    ways: Arc<Ways>,
}

/// What is done to the connections, as it is now.
struct Ways {
    is_keeping: watch::Sender<bool>,
    /// One for each that is kept back.
    kept: Semaphore,
    /// One for each of them that may go on.
    let_go: Semaphore,
    cut: watch::Sender<()>,
    /// What may not pass, and how many connections still fall silent over it.
    loses: (&'static str, AtomicUsize),
}

impl Proxy {
    /// A proxy for the database of that URI.
    pub fn start(uri: &str) -> Proxy {
        Proxy::losing(uri, "nothing", 0)
    }

    /// The same; so many connections fall silent, and stay open, once the server sends that text on them.
    pub fn losing(uri: &str, text: &'static str, times: usize) -> Proxy {
        let real = Path::new(uri.split_once("?host=").expect("a socket").1).join(SOCKET);
        let folder = process::new_folder("proxy");
        let listener = UnixListener::bind(folder.path().join(SOCKET)).expect("a socket");
        let ways = Arc::new(Ways {
            is_keeping: watch::Sender::new(false),
            kept: Semaphore::new(0),
            let_go: Semaphore::new(0),
            cut: watch::Sender::new(()),
            loses: (text, AtomicUsize::new(times)),
        });
        let proxy = Proxy { folder, ways: ways.clone() };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&real).await.expect("PostgreSQL listens");
                let mut cut = ways.cut.subscribe();
                let passing = pass(client, server, ways.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        // What is cut is not released by the same stroke.
                        biased;
                        _ = cut.changed() => {}
                        () = passing => {}
                    }
                });
            }
        });
        proxy
    }

    /// The URI of the database through this proxy.
    pub fn uri(&self, uri: &str) -> String {
        format!("{}?host={}", uri.split_once('?').expect("a URI").0, self.folder.path().display())
    }

    pub fn keep(&self) {
        self.ways.is_keeping.send_replace(true);
    }

    /// Lets go the one that is kept back for longest.
    pub fn let_one_go(&self) {
        self.ways.let_go.add_permits(1);
    }

    pub fn release(&self) {
        self.ways.is_keeping.send_replace(false);
    }

    /// Breaks all connections, with what was kept back.
    pub fn cut(&self) {
        self.ways.cut.send_replace(());
        self.release();
    }

    pub async fn until_kept(&self) {
        self.ways.kept.acquire().await.expect("it is never closed").forget();
    }

    /// How many connections have yet to fall silent.
    pub fn count_to_lose(&self) -> usize {
        self.ways.loses.1.load(Ordering::SeqCst)
    }
}

async fn pass(client: UnixStream, server: UnixStream, ways: Arc<Ways>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let there = async {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
            if contains(&buffer[..length], ways.loses.0) {
                let one_less = |left: usize| left.checked_sub(1);
                if ways.loses.1.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok() {
                    std::future::pending::<()>().await;
                }
            }
            if to_server.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
        let _ = to_server.shutdown().await;
    };
    let back = async {
        let (mut buffer, mut keeping) = (vec![0; 1 << 16], ways.is_keeping.subscribe());
        while let Ok(length @ 1..) = from_server.read(&mut buffer).await {
            if *keeping.borrow() && is_commit(&buffer[..length]) {
                ways.kept.add_permits(1);
                tokio::select! {
                    _ = keeping.wait_for(|is_keeping| !is_keeping) => {}
                    permit = ways.let_go.acquire() => permit.expect("it is never closed").forget(),
                }
            }
            if to_client.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(there, back);
}

/// Whether PostgreSQL says that a transaction is committed, be it a statement by itself: a tag of something
/// that writes, or the row of several writes that were sent as one statement, and then that it is ready and in
/// no transaction (PostgreSQL, Message Formats: CommandComplete, DataRow, ReadyForQuery).
fn is_commit(messages: &[u8]) -> bool {
    let tags = ["COMMIT\0", "UPDATE 1\0", "INSERT 0 1\0"];
    // Two columns of eight bytes: for the first of those who asked, one row.
    let of_several = "D\0\0\0\u{1e}\0\u{2}\0\0\0\u{8}\0\0\0\0\0\0\0\0\0\0\0\u{8}\0\0\0\0\0\0\0\u{1}";
    tags.iter().chain(&[of_several]).any(|tag| contains(messages, tag)) && contains(messages, "Z\0\0\0\x05I")
}
