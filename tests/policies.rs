//! What an administrator's policy decides, seen by clients and people.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use gatehouse::config::{self, Config};
use http::StatusCode;
use serde_json::{Value, json};

use super::command_line::Installation;
use crate::support::homeserver::StubHomeserver;
use crate::support::server::{
    Engine, REDIRECT_URI, Server, Tokens, authorization_query, code_form, matrix_scope, on_both_engines,
};

const ADMIN: &str = "urn:synapse:admin:*";

/// A server with these settings of the rules.
async fn server_with(engine: Engine, data: Value) -> Server {
    Server::start_with(engine, |config: &mut Config| {
        config.policy.data = data.as_object().expect("an object").clone();
    })
    .await
}

on_both_engines! {
    async fn a_client_that_is_not_wanted_does_not_register(engine: Engine) {
        let data = json!({ "client_registration": { "banned_redirect_hosts": ["*.example.com"] } });
        let server = server_with(engine, data).await;
        let metadata = json!({
            "client_uri": "https://example.com/",
            "redirect_uris": ["https://app.example.com/callback"],
            "token_endpoint_auth_method": "none",
        });
        let answer = server.post_json("/oauth2/registration", &metadata).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.error(), "invalid_client_metadata");
        let why = answer.json()["error_description"].as_str().unwrap().to_owned();
        assert!(why.ends_with("redirect_host_banned host=app.example.com"), "{why}");
    }

    async fn administration_is_for_administrators_and_those_who_are_listed(engine: Engine) {
        let data = json!({ "authorization_grant": { "admin_users": ["listed"] } });
        let server = server_with(engine, data).await;
        let client = server.client().await;
        let scope = format!("{} {ADMIN}", matrix_scope("DEVICE0001"));
        for (name, is_allowed) in [("alice", false), ("listed", true)] {
            server.user(name).await;
            let mut browser = server.signed_in(name).await;
            let (_, page) = browser.ask(&authorization_query(&client, &scope, &[])).await;
            match is_allowed {
                true => assert_eq!(page.status, StatusCode::OK, "{}", page.text()),
                false => assert_eq!(page.query_parameter("error").as_deref(), Some("access_denied")),
            }
        }
    }

    async fn somebody_who_has_too_many_sessions_reads_what_to_do(engine: Engine) {
        let server = server_with(engine, json!({ "sessions": { "soft_limit": 2 } })).await;
        server.user("alice").await;
        let client = server.client().await;
        server.tokens("alice", &client, "DEVICE0001").await;
        server.tokens("alice", &client, "DEVICE0002").await;

        let mut browser = server.signed_in("alice").await;
        let query = authorization_query(&client, &matrix_scope("DEVICE0003"), &[]);
        let (path, page) = browser.ask(&query).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(page.text().contains("too many devices") && page.text().contains("/account/sessions"));
        assert!(page.text().contains(&path), "the page leads back");

        // A device that signs in again takes the place of its own session.
        let again = authorization_query(&client, &matrix_scope("DEVICE0002"), &[]);
        assert_eq!(browser.ask(&again).await.1.status, StatusCode::OK);
        // Clients without a device are not limited.
        assert_eq!(browser.ask(&authorization_query(&client, "openid", &[])).await.1.status, StatusCode::OK);
    }

    async fn the_limit_holds_when_two_codes_were_given_at_once(engine: Engine) {
        let server = server_with(engine, json!({ "sessions": { "soft_limit": 1 } })).await;
        server.user("alice").await;
        let client = server.client().await;
        let mut browser = server.signed_in("alice").await;
        let one = browser.code(&client, &matrix_scope("DEVICE0001")).await;
        let other = browser.code(&client, &matrix_scope("DEVICE0002")).await;
        assert_eq!(server.post("/oauth2/token", &code_form(&client, &one)).await.status, StatusCode::OK);
        let answer = server.post("/oauth2/token", &code_form(&client, &other)).await;
        assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));
    }

    async fn what_is_no_longer_allowed_does_not_refresh(engine: Engine) {
        let server = server_with(engine, json!({ "authorization_grant": { "admin_users": ["alice"] } })).await;
        server.user("alice").await;
        let client = server.client().await;
        let scope = format!("{} {ADMIN}", matrix_scope("DEVICE0001"));
        let first = server.tokens_for("alice", &client, &scope).await;
        let answer = server.refresh(&client, &first.refresh).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let second = Tokens::from(answer.json());
        assert!(server.is_active(&second.access).await);

        server.app.policy.reload(&config::Policy::default()).unwrap();
        let answer = server.refresh(&client, &second.refresh).await;
        assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));
        assert!(!server.is_active(&second.access).await, "the session is over");
        server.run_jobs().await;
        assert!(server.homeserver.devices("alice").is_empty(), "and so is its device");
    }

    async fn a_reload_is_in_force_for_the_next_request(engine: Engine) {
        let folder = tempfile::tempdir().unwrap();
        let server =
            Server::start_with(engine, |config| config.policy.folder = Some(folder.path().to_owned())).await;
        server.client().await;
        let closed = "package client_registration\n\nviolations contains {\"code\": \"closed\", \"message\": \"Not on Sundays.\"}\n";
        fs::write(folder.path().join("closed.rego"), closed).unwrap();
        server.app.policy.reload(&server.config.policy).unwrap();
        let metadata = json!({
            "client_uri": "https://example.com/",
            "redirect_uris": ["https://app.example.com/callback"],
            "token_endpoint_auth_method": "none",
        });
        let answer = server.post_json("/oauth2/registration", &metadata).await;
        assert!(answer.json()["error_description"].as_str().unwrap().ends_with("Not on Sundays."));
    }

    async fn rules_that_fail_permit_nothing(engine: Engine) {
        let folder = tempfile::tempdir().unwrap();
        let fails = "package client_registration\n\nviolations contains {\"code\": \"x\"} if {\n\tinput.client.host == \"example.org\"\n\tto_number(input.client.host) > 0\n}\n";
        fs::write(folder.path().join("fails.rego"), fails).unwrap();
        let server =
            Server::start_with(engine, |config| config.policy.folder = Some(folder.path().to_owned())).await;
        server.client().await;
        let metadata = json!({
            "client_uri": "https://example.org/",
            "redirect_uris": ["https://example.org/callback"],
            "token_endpoint_auth_method": "none",
        });
        let answer = server.post_json("/oauth2/registration", &metadata).await;
        assert_eq!((answer.status, answer.error().as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "server_error"));
        assert!(!answer.text().contains("to_number"), "a stranger reads nothing about the rules");
    }

    async fn rules_that_fail_are_told_to_a_client_that_wants_no_page(engine: Engine) {
        let folder = tempfile::tempdir().unwrap();
        let fails = "package authorization_grant\n\nviolations contains {\"code\": \"x\"} if {\n\tinput.client.client_name == \"Fails\"\n\tto_number(input.client.client_name) > 0\n}\n";
        fs::write(folder.path().join("fails.rego"), fails).unwrap();
        let server =
            Server::start_with(engine, |config| config.policy.folder = Some(folder.path().to_owned())).await;
        server.user("alice").await;
        let client = server.client_with(json!({ "client_name": "Fails" })).await;
        let client = client["client_id"].as_str().unwrap().to_owned();
        let mut browser = server.signed_in("alice").await;
        let page = browser.ask(&authorization_query(&client, "openid", &[])).await.1;
        assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
        let silent = browser.ask(&authorization_query(&client, "openid", &[("prompt", "none")])).await.1;
        assert!(silent.location().starts_with(REDIRECT_URI));
        assert_eq!(silent.query_parameter("error").as_deref(), Some("server_error"));
        assert!(!silent.location().contains("to_number"));
    }
}

/// The status and the text of what a client is told that registers at the program.
async fn register_at(port: u16) -> (u16, String) {
    let metadata = json!({
        "client_uri": "https://example.com/",
        "redirect_uris": ["https://app.example.com/callback"],
        "token_endpoint_auth_method": "none",
    });
    let url = format!("http://127.0.0.1:{port}/oauth2/registration");
    let answer = reqwest::Client::new().post(url).json(&metadata).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a text"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_server_reads_its_policies_again_on_sighup_and_keeps_the_former_ones_when_they_are_broken()
{
    let homeserver = StubHomeserver::start().await;
    let installation = Installation::with(&homeserver, "policy: {folder: own}\n");
    let own = installation.folder.path().join("own");
    fs::create_dir(&own).unwrap();
    let mut running = installation.serve();
    let (status, text) = register_at(installation.port).await;
    assert_eq!(status, 201, "{text}");

    let rule = "package client_registration\n\nviolations contains {\"code\": \"closed\", \"message\": \"Not on Sundays.\"}\n";
    fs::write(own.join("closed.rego"), rule).unwrap();
    running.signal("HUP");
    running.wait_until(|running| {
        running.printed("err").contains("the policies were read again and are in force")
    });
    let (status, text) = register_at(installation.port).await;
    assert_eq!(status, 400, "{text}");
    assert!(text.contains("Not on Sundays."), "{text}");

    fs::write(own.join("closed.rego"), "package client_registration\n\nviolations contains\n").unwrap();
    running.signal("HUP");
    running.wait_until(|running| running.printed("err").contains("the former ones stay in force"));
    assert!(running.printed("err").contains("own/closed.rego:4"), "{}", running.printed("err"));
    assert_eq!(register_at(installation.port).await, (400, text.clone()));

    // A configuration that cannot be read changes nothing either.
    fs::write(installation.folder.path().join("gatehouse.yaml"), "policy: {foldr: own}\n").unwrap();
    running.signal("HUP");
    running.wait_until(|running| running.printed("err").contains("the policies stay"));
    assert_eq!(register_at(installation.port).await, (400, text));
    assert_eq!(running.stop_by("TERM"), 0);
}

/// Runs the program in a folder: its exit code, what it printed and what it complained of.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    run_with_input(folder, arguments, "")
}

/// The same with this on its standard input.
fn run_with_input(folder: &Path, arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatehouse"));
    command.current_dir(folder).env_clear().args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program runs");
    // Who does not read it closes the pipe.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let ran = child.wait_with_output().expect("the program ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ran.status.code().expect("a code"), text(&ran.stdout), text(&ran.stderr))
}

#[test]
fn a_policy_is_checked_and_tried_on_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own");
    fs::create_dir(&own).unwrap();
    let (code, out, err) = run(folder.path(), &["policy", "check", "--policies", "own"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.starts_with("The rules compile, and "), "{out}");

    fs::write(own.join("closed.rego"), "package email\n\nviolations contains {\"code\": \"closed\"}\n")
        .unwrap();
    let (code, out, _) = run(folder.path(), &["policy", "eval", "email", "--policies", "own"]);
    assert_eq!((code, out.as_str()), (0, "email: denied\n  closed (own/closed.rego:3)\n"));
    let (code, out, _) = run(folder.path(), &["--json", "policy", "eval", "register", "--policies", "own"]);
    let said: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &said["decision"]), (0, &json!("allowed")));

    fs::write(own.join("closed_test.rego"), "package closed_test\n\ntest_it if 1 == 2\n").unwrap();
    let (code, out, _) = run(folder.path(), &["policy", "check", "--policies", "own"]);
    assert_eq!(code, 1);
    assert!(out.starts_with("own/closed_test.rego:3: closed_test.test_it is not true\n"), "{out}");
}

#[test]
fn an_input_is_tried_from_a_file_and_from_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own");
    fs::create_dir(&own).unwrap();
    let rule = "package register\n
violations contains {\"code\": \"digits\", \"message\": \"Names have no digits here.\"} if {
\tregex.match(`[0-9]`, input.username)\n}\n";
    fs::write(own.join("school.rego"), rule).unwrap();
    let input = |name: &str| {
        let requester = json!({ "ip_address": null, "user_agent": null });
        json!({ "username": name, "method": "password", "email": null, "requester": requester }).to_string()
    };
    let eval = |input: &str, stdin: &str| {
        let words = ["policy", "eval", "register", "--policies", "own", "--input", input];
        run_with_input(folder.path(), &words, stdin)
    };
    let denied = "register: denied\n  Names have no digits here. (own/school.rego:3)\n";
    for (name, said) in [("alice7", denied), ("alice", "register: allowed\n")] {
        fs::write(folder.path().join("input.json"), input(name)).unwrap();
        assert_eq!(eval("input.json", ""), (0, said.to_owned(), String::new()), "{name} in a file");
        assert_eq!(eval("-", &input(name)), (0, said.to_owned(), String::new()), "{name} on standard input");
    }
    for (file, stdin, complaint) in [
        ("nowhere.json", "", "cannot read nowhere.json"),
        ("-", "", "the input is not JSON"),
        ("-", "alice7", "the input is not JSON"),
        ("-", "{\"username\": \"alice7\"}", "missing field"),
    ] {
        let (code, out, err) = eval(file, stdin);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains(complaint), "{err}");
    }
}

#[test]
fn a_broken_policy_refuses_to_start() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("own")).unwrap();
    fs::write(folder.path().join("own/bad.rego"), "package email\n\nviolations contains\n").unwrap();
    fs::write(
        folder.path().join("gatehouse.yaml"),
        "http: {listeners: [{address: '127.0.0.1:0'}]}\npolicy: {folder: own}\n",
    )
    .unwrap();
    let (code, _, err) = run(folder.path(), &["serve"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("\nown/bad.rego:4: "), "{err}");
}
