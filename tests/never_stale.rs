//! What ended is seen to have ended: by the very next question on the same node, within 50 milliseconds on
//! the others, and never later than a second, whatever becomes of the channel between them.
//!
//! Real databases and programs with real clocks: the times are measured, and printed with `--nocapture`.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use gatehouse::accounts::users::{self, User};
use gatehouse::app::App;
use gatehouse::clients;
use gatehouse::config::{Config, Secret, StaticClient};
use gatehouse::ids::ClientId;
use gatehouse::known::ActiveToken;
use gatehouse::sessions::tokens;
use gatehouse::store::{self, Tx};
use gatehouse::time::Timestamp;
use http::StatusCode;
use http::header::AUTHORIZATION;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::time::timeout;

use crate::cluster::{is_active_at, until};
use crate::command_line::Installation;
use crate::durability::proxy::Proxy;
use crate::support::homeserver::StubHomeserver;
use crate::support::postgres;
use crate::support::running::{Remote, http_client, send};
use crate::support::server::{Browser, Engine, REDIRECT_URI, Server, Tokens, code_form, matrix_scope};

/// The promise about other nodes while the channel lives.
const SOON: Duration = Duration::from_millis(50);
/// The promise when it does not.
const AT_THE_LATEST: Duration = Duration::from_secs(1);
const WIKI: &str = "wiki";
const ADMIN: &str = "urn:synapse:admin:*";

/// Two nodes over one PostgreSQL database.
struct Cluster {
    /// Where changes are made.
    first: Server,
    /// Where they must be seen.
    other: App,
    router: Router,
    /// A connection of the test's own.
    watcher: PgConnection,
    /// The process of PostgreSQL that serves the other node's channel.
    listening: i32,
    alice: User,
    client: String,
}

impl Cluster {
    async fn start() -> Cluster {
        // A client whose sessions end with the browser's: what it holds is for as long as the person is there.
        let wiki: StaticClient = serde_json::from_value(json!({
            "client_id": WIKI, "client_name": "Wiki", "redirect_uris": [REDIRECT_URI], "trusted": true,
            "token_endpoint_auth_method": "none", "backchannel_logout_uri": "http://127.0.0.1:9/nobody",
        }))
        .expect("a client");
        let first = Server::start_with(Engine::Postgres, |config| config.clients.push(wiki)).await;
        let uri = first.config.database.uri.as_ref().expect("PostgreSQL").expose();
        let mut watcher = PgConnection::connect(uri).await.expect("a connection");
        until("the first node listens", async || listening(&mut watcher).await.len() == 1).await;
        let before = listening(&mut watcher).await;
        let (other, router) = first.another_node().await;
        until("the other node listens", async || listening(&mut watcher).await.len() == 2).await;
        let new = listening(&mut watcher).await.into_iter().find(|pid| !before.contains(pid));
        let alice = first.user("alice").await;
        let client = first.client().await;
        Cluster { listening: new.expect("a process"), first, other, router, watcher, alice, client }
    }

    /// A token that the other node remembers.
    async fn known(&self, device_id: &str) -> Tokens {
        self.known_for(&matrix_scope(device_id)).await
    }

    async fn known_for(&self, scope: &str) -> Tokens {
        self.remembered(self.first.tokens_for("alice", &self.client, scope).await).await
    }

    /// The same of a client that was allowed in this browser.
    async fn known_in(&self, browser: &mut Browser<'_>, client: &str, scope: &str) -> Tokens {
        let code = browser.code(client, scope).await;
        let answer = self.first.post("/oauth2/token", &code_form(client, &code)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        self.remembered(Tokens::from(answer.json())).await
    }

    async fn remembered(&self, tokens: Tokens) -> Tokens {
        until("the other node trusts its memory", async || self.remembers(&tokens.access).await).await;
        tokens
    }

    /// Ends what clients hold in the ways of people: in their browser, on the account pages, from an older client. How
    /// long each goes on being good on the other node.
    async fn end_as_people_do(&self, round: usize) -> Vec<Duration> {
        let mut samples = Vec::new();
        let mut browser = self.first.signed_in("alice").await;
        let by_client = self.known_in(&mut browser, WIKI, "openid").await;
        let hint = by_client.answer["id_token"].as_str().expect("an ID token");
        let out = browser.get(&format!("/end-session?id_token_hint={hint}")).await;
        assert_eq!(out.location(), "/signed-out");
        samples.push(self.ended(&by_client).await);

        let mut browser = self.first.signed_in("alice").await;
        let signed_out = self.known_in(&mut browser, WIKI, "openid").await;
        let csrf = browser.get("/account/").await.field("csrf");
        assert_eq!(browser.post("/logout", &[("csrf", &csrf)]).await.location(), "/signed-out");
        samples.push(self.ended(&signed_out).await);

        let mut browser = self.first.signed_in("alice").await;
        let ended = self.known_in(&mut browser, &self.client, &matrix_scope(&format!("ENDED{round}"))).await;
        let session = self.found(&ended.access).await.expect("it is good").session_id;
        let page = format!("/account/sessions/client/{session}/end");
        let csrf = browser.get(&page).await.field("csrf");
        let done = browser.post(&page, &[("csrf", &csrf)]).await;
        assert!(done.location().starts_with("/account/sessions"), "{}", done.location());
        samples.push(self.ended(&ended).await);

        let scope = matrix_scope(&format!("WITHDRAWN{round}"));
        let withdrawn = self.known_in(&mut browser, &self.client, &scope).await;
        let csrf =
            browser.get(&format!("/account/application/end?client_id={}", self.client)).await.field("csrf");
        let form = [("csrf", csrf.as_str()), ("client_id", &self.client)];
        let done = browser.post("/account/application/end", &form).await;
        assert_eq!(done.location(), "/account/applications?notice=removed");
        samples.push(self.ended(&withdrawn).await);

        let older = self.first.logged_in("alice", &format!("OLDER{round}"), json!({})).await;
        let older = self.remembered(older).await;
        assert_eq!(self.first.matrix_with("logout", &older.access).await.status, StatusCode::OK);
        samples.push(self.ended(&older).await);
        samples
    }

    async fn found(&self, token: &str) -> Option<Arc<ActiveToken>> {
        tokens::find_active(&self.other, token, self.other.clock.now()).await.expect("the database answers")
    }

    /// Whether the other node answers from memory: what it reads from the database is a new value.
    async fn remembers(&self, token: &str) -> bool {
        match (self.found(token).await, self.found(token).await) {
            (Some(one), Some(again)) => Arc::ptr_eq(&one, &again),
            _ => false,
        }
    }

    /// How long after `since` the other node still begins to answer that a token is good; nothing when it
    /// does not do so at all.
    async fn good_for(&self, token: &str, since: Instant) -> Duration {
        let mut last = Duration::ZERO;
        loop {
            let asked = since.elapsed();
            if !is_active_at(&self.first, &self.router, token).await {
                return last;
            }
            last = asked;
            assert!(asked < 10 * AT_THE_LATEST, "it never hears of it");
            // A memory answers at once, and would keep everything else from running.
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }

    /// The token has just ended on the first node: how long it goes on being good on the other one.
    async fn ended(&self, tokens: &Tokens) -> Duration {
        let good_for = self.good_for(&tokens.access, Instant::now()).await;
        assert!(!self.first.is_active(&tokens.access).await, "seen by the very next question");
        good_for
    }

    async fn change(&self, change: impl AsyncFnOnce(&mut Tx, Timestamp) -> Result<(), store::Error>) {
        let mut tx = self.first.app.store.begin().await.expect("a transaction");
        change(&mut tx, self.first.app.clock.now()).await.expect("a change");
        tx.commit().await.expect("a commit");
    }

    async fn revoke(&self, token: &str) {
        let answer = self.first.post("/oauth2/revoke", &[("token", token)]).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
}

/// The processes of PostgreSQL that serve connections on which a node listens: nothing else says `SELECT 1`.
async fn listening(watcher: &mut PgConnection) -> Vec<i32> {
    const FIND: &str = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
        AND application_name = 'gatehouse' AND query = 'SELECT 1'";
    sqlx::query_scalar(FIND).fetch_all(watcher).await.expect("who listens")
}

/// Prints how the samples are spread; what nine in ten of them do not exceed, and the longest.
fn spread(what: &str, mut samples: Vec<Duration>) -> (Duration, Duration) {
    samples.sort();
    let at = |part: f64| samples[((samples.len() - 1) as f64 * part) as usize];
    println!(
        "{what}: {} samples, min {:?}, median {:?}, 90 % {:?}, 99 % {:?}, max {:?}",
        samples.len(),
        at(0.0),
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
    (at(0.9), at(1.0))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_sees_every_kind_of_end_within_fifty_milliseconds() {
    let cluster = Cluster::start().await;
    let alice = cluster.alice.id;
    let mut samples = Vec::new();
    for round in 0..10 {
        let revoked = cluster.known(&format!("REVOKED{round}")).await;
        cluster.revoke(&revoked.access).await;
        samples.push(cluster.ended(&revoked).await);

        let by_refresh_token = cluster.known(&format!("REFRESH{round}")).await;
        cluster.revoke(&by_refresh_token.refresh).await;
        samples.push(cluster.ended(&by_refresh_token).await);

        let replaced = cluster.known("ALWAYSTHESAME").await;
        let successor = cluster.first.tokens("alice", &cluster.client, "ALWAYSTHESAME").await;
        samples.push(cluster.ended(&replaced).await);
        assert!(cluster.first.is_active(&successor.access).await);

        cluster.change(async |tx, _| users::set_admin(tx, alice, true, Timestamp(0)).await.map(drop)).await;
        let admin = cluster.known_for(&format!("{} {ADMIN}", matrix_scope("ADMIN"))).await;
        cluster.change(async |tx, now| users::set_admin(tx, alice, false, now).await.map(drop)).await;
        samples.push(cluster.ended(&admin).await);

        let locked = cluster.known(&format!("LOCKED{round}")).await;
        cluster.change(async |tx, now| users::lock(tx, alice, now).await).await;
        samples.push(cluster.ended(&locked).await);
        cluster.change(async |tx, now| users::unlock(tx, alice, now).await).await;
        assert!(cluster.first.is_active(&locked.access).await, "unlocking is seen as soon");
        until("the other node sees the unlocking", async || cluster.found(&locked.access).await.is_some())
            .await;

        samples.extend(cluster.end_as_people_do(round).await);

        let deactivated = cluster.known(&format!("DEACTIVATED{round}")).await;
        cluster.change(async |tx, now| users::deactivate(tx, alice, false, now).await).await;
        samples.push(cluster.ended(&deactivated).await);
        cluster.change(async |tx, now| users::reactivate(tx, alice, now).await).await;
        cluster.first.run_jobs().await;
    }
    let (nine_in_ten, longest) = spread("another node sees an end after", samples);
    assert!(nine_in_ten < SOON, "{nine_in_ten:?}");
    assert!(longest < AT_THE_LATEST, "{longest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_was_removed_is_one_no_more_on_any_node() {
    let cluster = Cluster::start().await;
    let id = ClientId(cluster.client.clone());
    let is_found =
        async |app: &App| clients::find_known(app, &id).await.expect("the database answers").is_some();
    until("the other node trusts its memory", async || {
        let stamp = cluster.other.known.stamp();
        is_found(&cluster.other).await
            && cluster.other.known.find_client::<clients::Client>(&id).is_some()
            && cluster.other.known.stamp() == stamp
    })
    .await;
    assert!(is_found(&cluster.first.app).await);
    cluster.change(async |tx, now| clients::remove(tx, &id, now).await.map(drop)).await;
    let since = Instant::now();
    assert!(!is_found(&cluster.first.app).await, "seen by the very next question");
    while is_found(&cluster.other).await {
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    assert!(since.elapsed() < AT_THE_LATEST, "{:?}", since.elapsed());
}

/// Stops a process in its tracks; it goes on when this is dropped.
struct Frozen(i32);

impl Frozen {
    fn new(pid: i32) -> Frozen {
        signal("STOP", pid);
        Frozen(pid)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        signal("CONT", self.0);
    }
}

fn signal(name: &str, pid: i32) {
    let sent = Command::new("kill").args(["-s", name, &pid.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "{pid} cannot be sent {name}");
}

/// What ended while the other node heard nothing is not called good for long, and never again.
async fn is_over_for_good(cluster: &Cluster, ended: &Tokens, since: Instant) -> Duration {
    let good_for = cluster.good_for(&ended.access, since).await;
    assert!(good_for < AT_THE_LATEST, "{good_for:?}");
    // Until the node trusts its memory again, and then for a while.
    let fresh = cluster.known("FRESH").await;
    let until = Instant::now() + Duration::from_millis(400);
    while Instant::now() < until {
        assert!(!is_active_at(&cluster.first, &cluster.router, &ended.access).await, "back from the dead");
        assert!(is_active_at(&cluster.first, &cluster.router, &fresh.access).await);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    cluster.revoke(&fresh.access).await;
    assert!(cluster.ended(&fresh).await < AT_THE_LATEST, "it hears of changes again");
    good_for
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_channel_is_cut_stops_trusting_its_memory_and_comes_back() {
    let mut cluster = Cluster::start().await;
    let mut samples = Vec::new();
    for round in 0..5 {
        let others: Vec<i32> = listening(&mut cluster.watcher).await;
        assert!(others.contains(&cluster.listening));
        let ended = cluster.known(&format!("ENDED{round}")).await;
        let cut = Instant::now();
        let was_there: bool = sqlx::query_scalar("SELECT pg_terminate_backend($1)")
            .bind(cluster.listening)
            .fetch_one(&mut cluster.watcher)
            .await
            .unwrap();
        assert!(was_there);
        cluster.revoke(&ended.access).await;
        samples.push(is_over_for_good(&cluster, &ended, cut).await);
        cluster.listening = new_listener(&mut cluster.watcher, &others).await;
    }
    spread("a node without a channel calls good what has ended for", samples);
}

async fn new_listener(watcher: &mut PgConnection, known: &[i32]) -> i32 {
    for _ in 0..200 {
        if let Some(pid) = listening(watcher).await.into_iter().find(|pid| !known.contains(pid)) {
            return pid;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the node does not listen again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_channel_is_frozen_stops_trusting_its_memory_within_a_second() {
    let mut cluster = Cluster::start().await;
    let mut samples = Vec::new();
    for round in 0..4 {
        let known = listening(&mut cluster.watcher).await;
        let ended = cluster.known(&format!("ENDED{round}")).await;
        let kept = cluster.known(&format!("KEPT{round}")).await;
        let frozen = Frozen::new(cluster.listening);
        let since = Instant::now();
        cluster.revoke(&ended.access).await;
        let stale = cluster.good_for(&ended.access, since).await;
        assert!(stale < AT_THE_LATEST, "{stale:?}");
        // It reads the database: what is good is still called good.
        assert!(is_active_at(&cluster.first, &cluster.router, &kept.access).await);
        samples.push(stale);
        // It listens over another connection, while this one is still frozen.
        cluster.listening = new_listener(&mut cluster.watcher, &known).await;
        is_over_for_good(&cluster, &ended, Instant::now()).await;
        until("the node trusts its memory", async || cluster.remembers(&kept.access).await).await;
        drop(frozen);
        assert!(!is_active_at(&cluster.first, &cluster.router, &ended.access).await);
    }
    spread("a node with a frozen channel calls good what has ended for", samples);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_falls_silent_as_it_is_opened_is_opened_anew() {
    let uri = postgres::fresh_database().await;
    let proxy = Proxy::losing(&uri, "LISTEN", 2);
    let proxied = proxy.uri(&uri);
    let change = |config: &mut Config| config.database.uri = Some(Secret::new(proxied));
    let server = Server::start_with(Engine::Postgres, change).await;
    server.user("alice").await;
    let client = server.client().await;
    let tokens = server.tokens("alice", &client, "DEVICE0001").await;
    until("the node trusts its memory", async || {
        let ask =
            async || tokens::find_active(&server.app, &tokens.access, server.app.clock.now()).await.unwrap();
        matches!((ask().await, ask().await), (Some(one), Some(again)) if Arc::ptr_eq(&one, &again))
    })
    .await;
    assert_eq!(proxy.count_to_lose(), 0);
}

/// Proves that a question is answered without the database, by keeping everybody from every table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_token_is_answered_while_nobody_can_read_a_table_of_postgresql() {
    let mut cluster = Cluster::start().await;
    let known = cluster.known("KNOWN").await;
    let unknown = cluster.first.tokens("alice", &cluster.client, "UNKNOWN").await;
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
            .fetch_all(&mut cluster.watcher)
            .await
            .unwrap();
    assert!(tables.len() > 10, "{tables:?}");
    let lock = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", tables.join(", "));
    let mut all = cluster.watcher.begin().await.unwrap();
    sqlx::query(AssertSqlSafe(lock)).execute(&mut *all).await.unwrap();
    let (mut answered, mut waited) = (0, 0);
    while answered < 100 {
        let answer = is_active_at(&cluster.first, &cluster.router, &known.access);
        match timeout(Duration::from_millis(500), answer).await {
            Ok(is_active) => {
                assert!(is_active);
                answered += 1;
            }
            // A machine that is busy elsewhere may cost the node its trust for a moment.
            Err(_) => waited += 1,
        }
        assert!(waited < 10, "the database was asked");
    }
    let answer = is_active_at(&cluster.first, &cluster.router, &unknown.access);
    assert!(timeout(Duration::from_millis(300), answer).await.is_err(), "the tables are not locked");
    all.rollback().await.unwrap();
    assert!(is_active_at(&cluster.first, &cluster.router, &unknown.access).await);
}

#[tokio::test]
async fn a_known_token_is_answered_after_the_sqlite_file_is_closed() {
    let server = Server::start(Engine::Sqlite).await;
    server.user("alice").await;
    let client = server.client().await;
    let known = server.tokens("alice", &client, "KNOWN").await;
    let unknown = server.tokens("alice", &client, "UNKNOWN").await;
    assert!(server.is_active(&known.access).await);
    server.app.store.close().await;
    assert!(server.is_active(&known.access).await);
    let secret = format!("Bearer {}", server.homeserver.secret());
    let form = [("token", unknown.access.as_str())];
    let answer = server.post_with("/oauth2/introspect", &[(AUTHORIZATION, &secret)], &form).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "the file is not closed");
}

/// The program itself, and a client that signs in there.
struct Program {
    installation: Installation,
    homeserver: StubHomeserver,
    remote: Remote,
    client: String,
}

impl Program {
    async fn tokens(&self, scope: &str) -> Tokens {
        let back = self.remote.visitor().allow("alice", &self.client, REDIRECT_URI, scope).await;
        let code = back.query_parameter("code").expect("a code");
        let form = code_form(&self.client, &code);
        let answer = self.remote.token(&form).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let tokens = Tokens::from(answer.json());
        // Twice, so that it is known.
        assert!(self.is_active(&tokens.access).await && self.is_active(&tokens.access).await);
        tokens
    }

    async fn is_active(&self, token: &str) -> bool {
        let question = http_client().post(self.remote.url("/oauth2/introspect"));
        let question = question.bearer_auth(self.homeserver.secret()).form(&[("token", token)]);
        let answer = send(question).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.json()["active"] == json!(true)
    }

    /// Gives a command, and tells how long after its end the server goes on with what it was.
    async fn until_active_is(&self, expected: bool, token: &str, words: &[&str]) -> Duration {
        assert_ne!(self.is_active(token).await, expected, "{words:?}");
        self.installation.run(words).done();
        let (begun, mut last) = (Instant::now(), Duration::ZERO);
        loop {
            let asked = begun.elapsed();
            if self.is_active(token).await == expected {
                return last;
            }
            last = asked.max(Duration::from_nanos(1));
            assert!(asked < 10 * AT_THE_LATEST, "{words:?} is not seen");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_command_ends_has_ended_for_the_running_server_on_sqlite() {
    what_a_command_ends_has_ended(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_command_ends_has_ended_for_the_running_server_on_postgres() {
    what_a_command_ends_has_ended(Engine::Postgres).await;
}

async fn what_a_command_ends_has_ended(engine: Engine) {
    let homeserver = StubHomeserver::start().await;
    let more = match engine {
        Engine::Sqlite => String::new(),
        Engine::Postgres => format!(
            "database: {{uri: '{}'}}\nsecrets: {{root_secret: {}}}\n",
            postgres::fresh_database().await,
            gatehouse::keys::random_secret()
        ),
    };
    let installation = Installation::with(&homeserver, &more);
    let _running = installation.serve();
    let base = format!("http://127.0.0.1:{}/", installation.port).parse().expect("a URL");
    let remote = Remote { base };
    installation.create("alice").done();
    let client = remote.client(REDIRECT_URI, json!({})).await;
    let program = Program { installation, homeserver, remote, client };

    let mut samples = Vec::new();
    let locked = program.tokens(&matrix_scope("LOCKED")).await;
    for _ in 0..3 {
        samples.push(program.until_active_is(false, &locked.access, &["users", "lock", "alice"]).await);
        samples.push(program.until_active_is(true, &locked.access, &["users", "unlock", "alice"]).await);
    }
    program.installation.run(&["users", "set-admin", "alice", "true"]).done();
    let admin = program.tokens(&format!("{} {ADMIN}", matrix_scope("ADMIN"))).await;
    let no_admin = ["users", "set-admin", "alice", "false"];
    samples.push(program.until_active_is(false, &admin.access, &no_admin).await);
    assert!(program.is_active(&locked.access).await, "what has no such power goes on");

    let listed =
        program.installation.run(&["--json", "sessions", "list", "alice", "--kind", "client"]).json();
    let id = listed["sessions"][0]["id"].as_str().expect("a session").to_owned();
    samples.push(program.until_active_is(false, &locked.access, &["sessions", "end", &id]).await);

    let all = program.tokens(&matrix_scope("ALL")).await;
    let end_all = ["sessions", "end", "--user", "alice", "--all"];
    samples.push(program.until_active_is(false, &all.access, &end_all).await);

    let deleted = program.tokens(&matrix_scope("CLIENT")).await;
    let delete = ["clients", "delete", &program.client];
    samples.push(program.until_active_is(false, &deleted.access, &delete).await);

    let client = program.remote.client(REDIRECT_URI, json!({ "client_name": "Another app" })).await;
    let program = Program { client, ..program };
    let deactivated = program.tokens(&matrix_scope("DEACTIVATED")).await;
    let deactivate = ["users", "deactivate", "--yes", "alice"];
    samples.push(program.until_active_is(false, &deactivated.access, &deactivate).await);

    let (nine_in_ten, longest) = spread(&format!("{engine:?}: what a command ended goes on for"), samples);
    match engine {
        Engine::Sqlite => assert_eq!(longest, Duration::ZERO, "seen by the very next question"),
        Engine::Postgres => {
            assert!(nine_in_ten < SOON && longest < AT_THE_LATEST, "{nine_in_ten:?} {longest:?}");
        }
    }
}
