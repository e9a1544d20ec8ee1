//! Registration tokens: made, listed and revoked by commands, checked and used up by those who register.

use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::accounts::registration_tokens::{self, Useless, check, take};
use gatehouse::app::App;
use gatehouse::cli::{Answer, Failure, Kind};
use gatehouse::config::Limit;
use gatehouse::http::requester::Requester;
use gatehouse::ids::RegistrationTokenId;
use gatehouse::work;
use serde_json::{Value, json};

use super::command_line::{Installation, ask};
use super::support::homeserver::StubHomeserver;
use super::support::server::{Engine, Server, on_both_engines};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn create(server: &Server, what: Value) -> Result<Answer, Failure> {
    ask(server, json!({ "registration_tokens": { "create": what } })).await
}

async fn list(server: &Server) -> Vec<Value> {
    let list = json!({ "registration_tokens": { "list": { "after": null, "limit": 100 } } });
    let answer = ask(server, list).await.expect("a list");
    answer.data["registration_tokens"].as_array().cloned().unwrap_or_default()
}

/// What a registration does at its end.
async fn register(app: &App, token: &str) -> Result<RegistrationTokenId, Useless> {
    let mut tx = app.store.begin().await.expect("a transaction");
    let taken = take(&mut tx, app, token, app.clock.now()).await.expect("an answer");
    tx.commit().await.expect("a commit");
    taken
}

async fn look(app: &App, token: &str) -> Result<RegistrationTokenId, Useless> {
    check(app, &Requester::default(), token).await.expect("an answer")
}

on_both_engines! {
    async fn one_lets_as_many_register_as_it_was_made_for(engine: Engine) {
        let server = Server::start(engine).await;
        let app = &server.app;
        let made = create(&server, json!({ "uses": 2, "days": null })).await.expect("a token");
        let token = made.data["token"].as_str().expect("the token").to_owned();
        assert!(made.text.starts_with(&token) && made.text.contains("2 people can register with it"), "{}", made.text);
        assert_eq!((&made.data["uses"], &made.data["uses_allowed"]), (&json!(0), &json!(2)));
        // To look costs nothing.
        for _ in 0..3 {
            assert_eq!(look(app, &format!(" {token}\n")).await.map(|id| json!(id)), Ok(made.data["id"].clone()));
        }
        assert!(register(app, &token).await.is_ok());
        assert_eq!(list(&server).await[0]["uses"], 1);
        assert!(register(app, &token).await.is_ok());
        assert_eq!(register(app, &token).await, Err(Useless::UsedUp));
        assert_eq!(look(app, &token).await, Err(Useless::UsedUp));
        let listed = list(&server).await;
        assert_eq!((&listed[0]["uses"], &listed[0]["state"]), (&json!(2), &json!("used_up")));
        // A list tells them apart, and lets nobody register.
        assert_eq!(listed[0]["begins_with"], token[..3]);
        assert!(!json!(listed).to_string().contains(&token[..4]));
    }

    async fn of_many_at_once_one_gets_the_last_use(engine: Engine) {
        let server = Server::start(engine).await;
        let made = create(&server, json!({ "uses": 1, "days": null })).await.expect("a token");
        let token = made.data["token"].as_str().expect("the token");
        let taken = join_all((0..6).map(|_| register(&server.app, token))).await;
        assert_eq!(taken.iter().filter(|taken| taken.is_ok()).count(), 1, "{taken:?}");
        assert!(taken.iter().all(|taken| matches!(taken, Ok(_) | Err(Useless::UsedUp))), "{taken:?}");
        assert_eq!(list(&server).await[0]["uses"], 1);
    }

    async fn a_registration_that_fails_in_the_end_uses_nothing_up(engine: Engine) {
        let server = Server::start(engine).await;
        let made = create(&server, json!({ "uses": 1, "days": null })).await.expect("a token");
        let token = made.data["token"].as_str().expect("the token");
        let mut tx = server.app.store.begin().await.expect("a transaction");
        let taken = take(&mut tx, &server.app, token, server.app.clock.now()).await.expect("an answer");
        assert!(taken.is_ok());
        drop(tx);
        assert!(register(&server.app, token).await.is_ok());
    }

    async fn one_ends_with_its_time_or_when_it_is_revoked(engine: Engine) {
        let server = Server::start(engine).await;
        let app = &server.app;
        let short = create(&server, json!({ "uses": null, "days": 1 })).await.expect("a token");
        let long = create(&server, json!({ "uses": null, "days": null })).await.expect("a token");
        let [short, long] = [&short, &long].map(|made| made.data["token"].as_str().expect("the token").to_owned());
        server.advance(DAY - Duration::from_millis(1));
        for token in [&short, &long] {
            assert!(register(app, token).await.is_ok());
        }
        server.advance(Duration::from_millis(1));
        assert_eq!((look(app, &short).await, register(app, &short).await), (Err(Useless::Expired), Err(Useless::Expired)));
        let id = look(app, &long).await.expect("a good one");
        let revoke = json!({ "registration_tokens": { "revoke": { "id": id } } });
        ask(&server, revoke.clone()).await.expect("an end");
        assert_eq!((look(app, &long).await, register(app, &long).await), (Err(Useless::Unknown), Err(Useless::Unknown)));
        assert_eq!(ask(&server, revoke).await.map_err(|failure| failure.error), Err(Kind::NotFound));
        // For a while one may still hear what became of it.
        let states = |listed: Vec<Value>| listed.iter().map(|token| token["state"].clone()).collect::<Vec<_>>();
        assert_eq!(states(list(&server).await), [json!("expired")]);
        server.advance(DAY * 31);
        work::sweep(app).await.expect("a sweep");
        assert!(list(&server).await.is_empty());
        assert_eq!(look(app, &short).await, Err(Useless::Unknown));
    }

    async fn an_admin_may_choose_one_that_people_keep_in_mind(engine: Engine) {
        let server = Server::start(engine).await;
        let choose = async |token: &str| create(&server, json!({ "uses": null, "days": null, "token": token })).await;
        let made = choose("chess-club-2026").await.expect("a token");
        assert_eq!(made.data["token"], "chess-club-2026");
        assert!(register(&server.app, "chess-club-2026").await.is_ok());
        assert_eq!(register(&server.app, "Chess-Club-2026").await, Err(Useless::Unknown));
        for bad in ["chess-club-2026", "short", "two words here", ""] {
            assert_eq!(choose(bad).await.map_err(|failure| failure.error), Err(Kind::Refused), "{bad}");
        }
        assert_eq!(list(&server).await.len(), 1);
    }

    async fn guesses_are_limited_by_where_they_come_from(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.rate_limits.registration_token_per_address = Limit { burst: 3, per_hour: 60 };
        })
        .await;
        let app = &server.app;
        let made = create(&server, json!({ "uses": null, "days": null })).await.expect("a token");
        let token = made.data["token"].as_str().expect("the token");
        let stranger = Requester { address: "198.51.100.7".parse().ok(), user_agent: None };
        let guess = async |token: &str| check(app, &stranger, token).await.expect("an answer");
        // Right ones are no guesses.
        for _ in 0..5 {
            assert!(guess(token).await.is_ok());
        }
        for _ in 0..3 {
            assert_eq!(guess("abcd-efgh-jkmn-pqrs").await, Err(Useless::Unknown));
        }
        let wait = Duration::from_secs(60);
        assert_eq!(guess("abcd-efgh-jkmn-pqrs").await, Err(Useless::TooManyGuesses(wait)));
        assert_eq!(guess(token).await, Err(Useless::TooManyGuesses(wait)));
        assert!(look(app, token).await.is_ok());
        server.advance(wait);
        assert!(guess(token).await.is_ok());
    }

    async fn the_list_is_read_a_page_at_a_time(engine: Engine) {
        let server = Server::start(engine).await;
        for _ in 0..3 {
            create(&server, json!({ "uses": null, "days": null })).await.expect("a token");
            server.advance(Duration::from_secs(1));
        }
        let page = async |after: Value| {
            let list = json!({ "registration_tokens": { "list": { "after": after, "limit": 2 } } });
            let answer = ask(&server, list).await.expect("a list");
            let ids = answer.data["registration_tokens"].as_array().cloned().unwrap_or_default();
            (ids.iter().map(|token| token["id"].clone()).collect::<Vec<_>>(), answer.data["next"].clone())
        };
        let (first, next) = page(Value::Null).await;
        assert_eq!((first.len(), &next), (2, &first[1]));
        let (second, next) = page(next).await;
        assert_eq!((second.len(), next), (1, Value::Null));
        assert!(!first.contains(&second[0]));
        let everything = registration_tokens::list(&server.app.store, None, 10).await.expect("a list");
        assert_eq!(everything.len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_do_the_same_through_the_server_and_beside_it() {
    let homeserver = StubHomeserver::start().await;
    let installation = Installation::new(&homeserver);
    let empty = installation.run(&["registration-tokens", "list"]);
    assert!(empty.done().contains("gatehouse registration-tokens create"), "{}", empty.out);
    let mut running = installation.serve();
    let words = ["--json", "registration-tokens", "create", "--uses", "1", "--days", "7"];
    let through_the_server = installation.run(&words).json();
    let chosen = ["registration-tokens", "create", "--token-stdin"];
    let chosen_one = installation.run_with_input(&chosen, "garden-party-2026\n");
    assert!(chosen_one.done().starts_with("garden-party-2026\nEverybody who has it"), "{}", chosen_one.out);
    assert!(
        installation
            .run_with_input(&chosen, "garden-party-2026\n")
            .refused(4)
            .contains("there is such a token")
    );
    let listed = installation.run(&["registration-tokens", "list"]).done().to_owned();
    assert!(listed.contains("gar…") && listed.contains("0 of 1 uses, until "), "{listed}");
    assert_eq!(running.stop_by("TERM"), 0);
    assert_eq!(installation.run(&["registration-tokens", "list"]).done(), listed);
    let id = through_the_server["id"].as_str().expect("an identifier");
    installation.run(&["registration-tokens", "revoke", id]).done();
    installation.run(&["registration-tokens", "revoke", id]).refused(3);
    installation.run(&["registration-tokens", "revoke", "nonsense"]).refused(3);
    assert!(!installation.run(&["registration-tokens", "list"]).done().contains(id));
}
