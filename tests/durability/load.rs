//! Many clients at once, and what the homeserver hears of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::client::Client;
use super::database::Database;
use super::ledger::Ledger;
use crate::support::homeserver::StubHomeserver;
use crate::support::program::Program;

/// How long the homeserver may take to hear of everything: longer than the lease of a job that died.
const HEARD: Duration = Duration::from_secs(100);

/// Clients that are used at once, each by its own person.
pub struct Load {
    clients: Vec<Client>,
    life: u64,
}

impl Load {
    /// Creates the accounts of so many clients.
    pub async fn new(program: &Program, homeserver: &StubHomeserver, clients: usize, seed: u64) -> Load {
        for number in 0..clients {
            program.create_user(&Client::username(number)).await;
        }
        let client = |number| Client::new(number, seed, program.port, &homeserver.secret());
        Load { clients: (0..clients).map(client).collect(), life: 0 }
    }

    /// Lets them all work while something else happens, and then until the server is gone or they are
    /// told to stop.
    pub async fn work<T>(&mut self, meanwhile: impl Future<Output = T>, is_killed: bool) -> T {
        self.life += 1;
        let stop = Arc::new(AtomicBool::new(false));
        let life = self.life;
        let working: Vec<_> = std::mem::take(&mut self.clients)
            .into_iter()
            .map(|mut client| {
                let stop = stop.clone();
                tokio::spawn(async move {
                    client.live(life, &stop).await;
                    client
                })
            })
            .collect();
        let happened = meanwhile.await;
        stop.store(!is_killed, Ordering::Relaxed);
        for client in working {
            self.clients.push(client.await.expect("a client works"));
        }
        happened
    }

    /// Looks at everything that was ever acknowledged.
    pub async fn look_at_everything(&mut self, is_patient: bool) {
        self.life += 1;
        let life = self.life;
        self.all(async move |client| client.look_at_everything(life, is_patient).await).await;
    }

    async fn all(&mut self, work: impl AsyncFn(&mut Client)) {
        futures_util::future::join_all(self.clients.iter_mut().map(|client| work(client))).await;
    }

    /// The figures of all clients so far.
    pub fn ledger(&self) -> Ledger {
        let mut sum = Ledger::default();
        self.clients.iter().for_each(|client| sum.add(client.ledger.clone()));
        sum
    }

    /// Devices of sessions that began and were never heard of again.
    fn count_lost_devices(&self) -> usize {
        self.clients.iter().map(Client::count_lost_devices).sum()
    }

    /// Every consent that was acknowledged is in the database.
    pub async fn check_consents(&self, database: &Database) {
        const FIND: &str =
            "SELECT u.localpart, k.granted_at FROM consents AS k JOIN users AS u ON u.id = k.user_id";
        let stored: BTreeMap<String, i64> = database.rows(FIND).await.into_iter().collect();
        let given = self.clients.iter().filter(|client| client.has_allowed).map(Client::name);
        let lost: Vec<&str> = given.filter(|name| !stored.contains_key(*name)).collect();
        assert!(lost.is_empty(), "{}: {lost:?}", lost.len());
    }

    /// The homeserver has the device of each live session.
    pub fn check_devices(&self, homeserver: &StubHomeserver) {
        for client in &self.clients {
            let devices = homeserver.devices(client.name());
            for device in client.live_devices() {
                assert!(devices.contains(&device), "{device} of {} is live and gone", client.name());
            }
        }
    }

    /// In the end it has no device of the sessions that were ended: this is work that was written down
    /// together with the end.
    pub async fn until_devices_are_gone(&self, homeserver: &StubHomeserver) {
        let left_over = || {
            let of = |client: &Client| {
                let live = client.live_devices();
                homeserver.devices(client.name()).iter().filter(|device| !live.contains(device)).count()
            };
            self.clients.iter().map(of).sum::<usize>()
        };
        let deadline = Instant::now() + HEARD;
        while left_over() > self.count_lost_devices() {
            assert!(Instant::now() < deadline, "the homeserver has {} devices too many", left_over());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Presents the codes of all sessions that are left.
    pub async fn reuse_codes(&mut self) {
        self.all(async |client| client.reuse_codes().await).await;
    }
}
