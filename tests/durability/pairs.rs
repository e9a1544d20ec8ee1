//! A thousand pairs of parallel refreshes: one live chain each, and nobody is signed out.

use futures_util::future::join_all;

use super::calls::{Calls, Stop};
use super::client::Client;
use super::ledger::Ledger;
use super::session::Session;
use crate::support::homeserver::StubHomeserver;
use crate::support::postgres;
use crate::support::program::Program;
use crate::support::server::{Engine, on_both_engines};

/// Clients that are used at once, the sessions of each, and how often each of these refreshes.
const SIZES: [usize; 3] = [25, 8, 5];

/// Both requests of a pair go out at once, over two connections that are open already.
async fn refresh_in_pairs(program: &Program, secret: &str, number: usize) -> Result<Ledger, Stop> {
    let [_, sessions, rounds] = SIZES;
    let mut ledger = Ledger::default();
    let [mut one, mut two] = [Calls::new(program.port, secret), Calls::new(program.port, secret)];
    let browser = one.sign_in(&Client::username(0)).await?;
    let mut all = Vec::new();
    for session in 0..sessions {
        let device = format!("DEVICE{number:02}OF{session:02}");
        let path = one.authorize(&browser, &device).await?;
        let code = one.allow(&browser, &path).await?;
        let pair = two.exchange(&code).await?.expect("a pair");
        all.push(Session::new(0, device, code, pair, 0));
    }
    for _ in 0..rounds {
        for session in &mut all {
            session.refresh_twice([&mut one, &mut two], &mut ledger).await?;
            session.use_access(&mut one, &mut ledger).await?;
            session.present_superseded(&mut two, &mut ledger).await?;
        }
    }
    for session in &mut all {
        session.refresh(&mut one, &mut ledger).await?;
    }
    Ok(ledger)
}

on_both_engines! {
    async fn leave_one_live_chain_each(engine: Engine) {
        let [clients, sessions, rounds] = SIZES;
        let homeserver = StubHomeserver::start().await;
        let uri = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(postgres::fresh_database().await),
        };
        let mut program = Program::install(&homeserver, uri.as_deref());
        program.create_user(&Client::username(0)).await;
        program.start();
        program.until_ready().await;
        let secret = homeserver.secret();
        let all = join_all((0..clients).map(|number| refresh_in_pairs(&program, &secret, number))).await;
        let mut sum = Ledger::default();
        for (number, ledger) in all.into_iter().enumerate() {
            sum.add(ledger.unwrap_or_else(|stop| panic!("client {number}: {stop:?}; {}", program.log())));
        }
        let pairs = (clients * sessions * rounds) as u64;
        assert_eq!(pairs, 1000);
        assert_eq!(sum.acknowledged.of("refresh, twice at once"), pairs);
        assert_eq!(sum.checked.of("consumed token refused"), pairs);
    }
}
