//! People's e-mail addresses: how an admin adds them, and who is told of them.

use gatehouse::accounts::emails;
use gatehouse::cli::{Answer, Failure, Kind, Request};
use http::StatusCode;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::support::server::{Engine, Server, Tokens, on_both_engines};

async fn command(server: &Server, request: Value) -> Result<Answer, Failure> {
    serde_json::from_value::<Request>(request).expect("a request").carry_out(&server.app).await
}

fn refusal(answer: Result<Answer, Failure>) -> Kind {
    answer.map(|answer| answer.text).expect_err("a refusal").error
}

fn add(name: &str, address: &str) -> Value {
    json!({ "users": { "add_email": { "name": name, "address": address } } })
}

fn remove(name: &str, address: &str) -> Value {
    json!({ "users": { "remove_email": { "name": name, "address": address } } })
}

fn create(name: &str, email: &str) -> Value {
    json!({ "users": { "create": { "name": name, "admin": false, "email": email, "skip_homeserver_check": false,
        "password": null } } })
}

/// The addresses that `users show` tells.
async fn shown(server: &Server, name: &str) -> Vec<String> {
    let answer = command(server, json!({ "users": { "show": { "name": name } } })).await.expect("a user");
    let emails = answer.data["emails"].as_array().expect("a list").clone();
    emails.iter().map(|email| email["address"].as_str().expect("an address").to_owned()).collect()
}

async fn userinfo(server: &Server, tokens: &Tokens) -> Value {
    let bearer = format!("Bearer {}", tokens.access);
    let answer = server.post_with("/oauth2/userinfo", &[(AUTHORIZATION, &bearer)], &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

on_both_engines! {
    async fn the_homeserver_keeps_its_own_unless_the_configuration_says_otherwise(engine: Engine) {
        for tells in [false, true] {
            let server = Server::start_with(engine, |config| config.homeserver.tell_emails = tells).await;
            let told = async || {
                server.run_jobs().await;
                server.homeserver.user("alice").expect("alice").emails.into_iter().collect::<Vec<_>>()
            };
            let asked = |key: &str| {
                let calls = server.homeserver.calls_of("provision_user");
                calls.iter().filter(|call| call.given.get(key).is_some()).count()
            };
            let alice = server.user("alice").await;
            assert_eq!(asked("set_emails") > 0, tells);
            let first = json!({ "users": { "add_email": { "name": "alice", "address": "alice@example.org" } } });
            command(&server, first).await.expect("an address");
            command(&server, add("alice", "alice@work.example")).await.expect("a second address");
            let both = ["alice@example.org", "alice@work.example"];
            assert_eq!(told().await, if tells { both.to_vec() } else { vec![] }, "{tells}");
            // One that nobody has shown to be theirs is told to nobody.
            let mut tx = server.app.store.begin().await.expect("a transaction");
            let now = server.app.clock.now();
            emails::add(&mut tx, alice.id, &"claimed@example.org".parse().expect("an address"), None, now).await.expect("a claim");
            tx.commit().await.expect("a commit");
            command(&server, remove("alice", "alice@work.example")).await.expect("a removal");
            assert_eq!(told().await, if tells { vec!["alice@example.org"] } else { vec![] }, "{tells}");
            // A lock changes nothing of it.
            command(&server, json!({ "users": { "lock": { "name": "alice" } } })).await.expect("a lock");
            assert_eq!(told().await, if tells { vec!["alice@example.org"] } else { vec![] }, "{tells}");
            assert_eq!(asked("set_emails") > 0, tells);
            assert_eq!(asked("unset_emails"), 0);
        }
    }

    async fn who_is_erased_has_no_address_here_any_more(engine: Engine) {
        let server = Server::start(engine).await;
        let find = async |address: &str| emails::find_owner(&server.app.store, &address.parse().expect("an address")).await.expect("an answer");
        let deactivate = |name: &str, erase: bool| json!({ "users": { "deactivate": { "name": name, "erase": erase } } });
        for name in ["alice", "bob"] {
            server.user(name).await;
            command(&server, add(name, &format!("{name}@example.org"))).await.expect("an address");
        }
        command(&server, deactivate("alice", true)).await.expect("an end");
        assert_eq!(find("alice@example.org").await, None);
        // Who is only deactivated may come back, with what was there; and can still be erased.
        command(&server, deactivate("bob", false)).await.expect("an end");
        assert!(find("bob@example.org").await.is_some());
        command(&server, deactivate("bob", true)).await.expect("an erasure");
        assert_eq!(find("bob@example.org").await, None);
        server.run_jobs().await;
        for name in ["alice", "bob"] {
            assert!(server.homeserver.user(name).is_some_and(|user| user.is_erased), "{name}");
        }
        // Somebody else may have the address then.
        server.user("carol").await;
        command(&server, add("carol", "alice@example.org")).await.expect("a free address");
    }

    async fn an_address_belongs_to_one_account_however_it_is_capitalised(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        server.user("bob").await;
        command(&server, add("alice", "Alice@Example.org")).await.expect("an address");
        command(&server, add("alice", "alice@work.example")).await.expect("a second address");
        for taken in [add("alice", "alice@example.org"), add("bob", "ALICE@example.ORG"), create("carol", "alice@example.org")] {
            assert_eq!(refusal(command(&server, taken.clone()).await), Kind::Refused, "{taken}");
        }
        let nobody = json!({ "users": { "show": { "name": "carol" } } });
        assert_eq!(refusal(command(&server, nobody).await), Kind::NotFound);
        let mut both = shown(&server, "alice").await;
        both.sort();
        assert_eq!(both, ["Alice@Example.org", "alice@work.example"]);

        assert_eq!(refusal(command(&server, remove("bob", "alice@example.org")).await), Kind::NotFound);
        command(&server, remove("alice", "ALICE@example.org")).await.expect("a removal");
        command(&server, add("bob", "alice@example.org")).await.expect("an address that is free again");
        assert_eq!(shown(&server, "alice").await, ["alice@work.example"]);
        for wrong in [add("alice", "alice"), add("alice", ""), remove("alice", "a b@example.org")] {
            assert_eq!(refusal(command(&server, wrong.clone()).await), Kind::Usage, "{wrong}");
        }
        assert_eq!(refusal(command(&server, add("nobody", "nobody@example.org")).await), Kind::NotFound);
    }

    async fn an_account_is_created_with_its_address_or_not_at_all(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            let rules = json!({ "email": { "banned_domains": ["*.banned.example", "banned.example"] } });
            config.policy.data = rules.as_object().expect("an object").clone();
        })
        .await;
        let working = async {
            loop {
                server.run_jobs().await;
                server.app.work_arrives().await;
            }
        };
        let asking = async {
            command(&server, create("carol", "carol@example.org")).await.expect("an account");
            assert_eq!(shown(&server, "carol").await, ["carol@example.org"]);
            for (name, email, kind) in [("dave", "dave@Banned.example", Kind::Refused), ("dave", "dave", Kind::Usage)] {
                assert_eq!(refusal(command(&server, create(name, email)).await), kind);
                let show = json!({ "users": { "show": { "name": name } } });
                assert_eq!(refusal(command(&server, show).await), Kind::NotFound);
            }
            assert_eq!(refusal(command(&server, add("carol", "carol@mail.banned.example")).await), Kind::Refused);
        };
        tokio::select! {
            () = working => unreachable!("work never ends"),
            () = asking => {}
        }
    }

    async fn a_client_learns_the_address_with_the_scope_for_it_and_from_userinfo_only(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let client = server.client().await;
        let without = server.tokens_for("alice", &client, "openid profile").await;
        let with = server.tokens_for("alice", &client, "openid email").await;
        let sub = alice.id.to_string();
        assert_eq!(userinfo(&server, &with).await, json!({ "sub": sub }), "no address is no claim");

        let now = server.app.clock.now();
        let mut tx = server.app.store.begin().await.expect("a transaction");
        let unverified = "first@example.org".parse().expect("an address");
        emails::add(&mut tx, alice.id, &unverified, None, now).await.expect("an address");
        tx.commit().await.expect("a commit");
        let told = userinfo(&server, &with).await;
        assert_eq!(told, json!({ "sub": sub, "email": "first@example.org", "email_verified": false }));

        server.advance(std::time::Duration::from_secs(1));
        command(&server, add("alice", "Second@example.org")).await.expect("an address");
        let told = userinfo(&server, &with).await;
        assert_eq!(told, json!({ "sub": sub, "email": "Second@example.org", "email_verified": true }));
        let profile = json!({ "sub": sub, "preferred_username": "alice", "name": "alice" });
        assert_eq!(userinfo(&server, &without).await, profile);

        let again = server.tokens_for("alice", &client, "openid email").await;
        let id_token = again.answer["id_token"].as_str().expect("an ID token");
        let claims = server.app.keys.current().verify_jwt(id_token).expect("a signature of ours");
        assert!(claims.get("email").is_none() && claims.get("email_verified").is_none());
    }
}
