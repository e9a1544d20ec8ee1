//! When a session was last used: noted by the node that was asked, written down with others once a minute.

use std::time::Duration;

use gatehouse::ids::ClientSessionId;
use gatehouse::known::ActiveToken;
use gatehouse::sessions::tokens;
use gatehouse::store::query;
use gatehouse::time::Timestamp;
use gatehouse::work;

use crate::support::server::{BEGINNING, Engine, Server, Tokens, on_both_engines};

/// Enough for several statements.
const MANY: usize = 600;
/// One in the midst of them.
const IN_THE_MIDST: usize = 400;
const IDLE: Duration = Duration::from_secs(3600);

/// A server that ends sessions which nobody uses for an hour, on which alice has signed in.
async fn signed_in(engine: Engine) -> (Server, Tokens, ClientSessionId) {
    let server = Server::start_with(engine, |config| {
        config.sessions.client_idle_seconds = Some(IDLE.as_secs());
        config.oauth.access_token_lifetime_seconds = 2 * IDLE.as_secs();
    })
    .await;
    server.user("alice").await;
    let client = server.client().await;
    let tokens = server.tokens("alice", &client, "DEVICE0001").await;
    let found = tokens::find_active(&server.app, &tokens.access, BEGINNING).await.unwrap();
    let session = found.expect("a good token").session_id;
    (server, tokens, session)
}

async fn last_seen(server: &Server, session: ClientSessionId) -> i64 {
    let find = query("SELECT last_seen_at AS n FROM client_sessions WHERE id = $1").bind(session);
    find.fetch_one(&server.app.store).await.unwrap()
}

async fn count_seen(server: &Server, at: Timestamp) -> i64 {
    let count = query("SELECT COUNT(*) AS n FROM client_sessions WHERE last_seen_at = $1").bind(at);
    count.fetch_one(&server.app.store).await.unwrap()
}

fn id_of(number: usize) -> ClientSessionId {
    format!("{number:026}").parse().expect("an identifier")
}

/// Sessions beside the one that is there, all of them in use at this moment.
async fn use_many(server: &Server) {
    const COPY: &str = "
INSERT INTO client_sessions (id, user_id, client_id, scope, created_at, authenticated_at, methods, last_seen_at,
    access_family_digest, refresh_family_digest, refresh_digest, refresh_confirmed_at)
SELECT $1, user_id, client_id, scope, created_at, authenticated_at, methods, created_at, $1, $1, $1, created_at
FROM client_sessions WHERE device_id = 'DEVICE0001'";
    let now = server.app.clock.now();
    let mut tx = server.app.store.begin().await.unwrap();
    for number in 0..MANY {
        query(COPY).bind(id_of(number)).execute(&mut tx).await.unwrap();
        let token = ActiveToken::new(id_of(number), None, None, String::new(), None, now, now);
        server.app.known.note_seen(&token, now);
    }
    tx.commit().await.unwrap();
}

/// Has the database refuse what is written about the session in the midst.
async fn refuse_writes(server: &Server, engine: Engine) {
    let statements = match engine {
        Engine::Sqlite => &["
CREATE TRIGGER refusal BEFORE UPDATE OF last_seen_at ON client_sessions WHEN NEW.id = '00000000000000000000000400'
BEGIN SELECT RAISE(ABORT, 'no'); END"][..],
        Engine::Postgres => &[
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$",
            "
CREATE TRIGGER refusal BEFORE UPDATE OF last_seen_at ON client_sessions FOR EACH ROW
WHEN (NEW.id = '00000000000000000000000400') EXECUTE FUNCTION refuse()",
        ],
    };
    let mut tx = server.app.store.begin().await.unwrap();
    for statement in statements {
        query(statement).execute(&mut tx).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn take_writes_again(server: &Server, engine: Engine) {
    let drop = match engine {
        Engine::Sqlite => "DROP TRIGGER refusal",
        Engine::Postgres => "DROP TRIGGER refusal ON client_sessions",
    };
    let mut tx = server.app.store.begin().await.unwrap();
    query(drop).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
}

on_both_engines! {
    async fn the_use_of_a_token_is_written_down_by_the_next_sweep(engine: Engine) {
        let (server, tokens, session) = signed_in(engine).await;
        work::sweep(&server.app).await.unwrap();
        server.advance(Duration::from_secs(90));
        let used = server.app.clock.now();
        assert!(server.is_active(&tokens.access).await);
        assert_eq!(last_seen(&server, session).await, BEGINNING.0, "not by the question itself");
        server.advance(Duration::from_secs(30));
        work::sweep(&server.app).await.unwrap();
        assert_eq!(last_seen(&server, session).await, used.0);
        assert!(server.app.known.seen().is_empty());
        // What somebody else has written since is not turned back.
        let mut tx = server.app.store.begin().await.unwrap();
        let later = used + Duration::from_secs(600);
        query("UPDATE client_sessions SET last_seen_at = $1").bind(later).execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        server.advance(Duration::from_secs(60));
        assert!(server.is_active(&tokens.access).await);
        work::sweep(&server.app).await.unwrap();
        assert_eq!(last_seen(&server, session).await, later.0);
    }

    async fn many_are_written_down_each_with_its_own_time(engine: Engine) {
        let (server, tokens, session) = signed_in(engine).await;
        server.advance(Duration::from_secs(90));
        use_many(&server).await;
        let used = server.app.clock.now();
        server.advance(Duration::from_secs(5));
        assert!(server.is_active(&tokens.access).await);
        work::sweep(&server.app).await.unwrap();
        assert_eq!(count_seen(&server, used).await, MANY as i64);
        assert_eq!(last_seen(&server, session).await, used.0 + 5000);
        assert!(server.app.known.seen().is_empty());
    }

    async fn what_could_not_be_written_stays_noted_and_ends_nobody(engine: Engine) {
        let (server, tokens, session) = signed_in(engine).await;
        work::sweep(&server.app).await.unwrap();
        server.advance(IDLE - Duration::from_secs(60));
        use_many(&server).await;
        assert!(server.is_active(&tokens.access).await);
        let used = server.app.clock.now();
        refuse_writes(&server, engine).await;
        server.advance(Duration::from_secs(120));
        work::sweep(&server.app).await.expect_err("a write was refused");
        let written = usize::try_from(count_seen(&server, used).await).unwrap();
        assert!((1..=IN_THE_MIDST).contains(&written), "{written}: those of one statement together");
        assert_eq!(last_seen(&server, session).await, BEGINNING.0);
        assert_eq!(server.app.known.seen().len(), MANY + 1 - written);

        take_writes_again(&server, engine).await;
        work::sweep(&server.app).await.unwrap();
        assert_eq!(count_seen(&server, used).await, MANY as i64 + 1);
        assert!(server.app.known.seen().is_empty());
        // It was used an hour and two minutes after it began, and is not idle.
        assert!(server.is_active(&tokens.access).await);
    }
}
