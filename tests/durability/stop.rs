//! A server that is told to stop writes down what it has only noted until then.

use std::time::Duration;

use super::calls::Calls;
use super::database::Database;
use crate::support::homeserver::StubHomeserver;
use crate::support::postgres;
use crate::support::program::Program;
use crate::support::server::{Engine, on_both_engines};

on_both_engines! {
    async fn the_last_use_of_a_session_is_written_down_by_a_server_that_stops(engine: Engine) {
        // How long after its beginning each session was last used.
        const USED: &str = "SELECT id, last_seen_at - created_at FROM client_sessions";
        let uri = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(postgres::fresh_database().await),
        };
        let homeserver = StubHomeserver::start().await;
        let mut program = Program::install(&homeserver, uri.as_deref());
        program.create_user("alice").await;
        program.start();
        program.until_ready().await;
        let database = Database::of(&program, uri.as_deref());

        let mut calls = Calls::new(program.port, &homeserver.secret());
        let browser = calls.sign_in("alice").await.expect("all goes well");
        let path = calls.authorize(&browser, "DEVICE0001").await.expect("all goes well");
        let code = calls.allow(&browser, &path).await.expect("all goes well");
        let pair = calls.exchange(&code).await.expect("all goes well").expect("a pair");
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(calls.is_active(&pair.access, "DEVICE0001").await.expect("all goes well"));
        // The sweep, which writes it too, comes once a minute.
        assert!(matches!(&database.rows(USED).await[..], [(_, 0)]), "noted, and not written yet");
        program.stop();
        let used = database.rows(USED).await;
        assert!(matches!(&used[..], [(_, 50..)]), "{used:?}");
    }
}
