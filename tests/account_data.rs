//! What the server holds about a person: as a file for them, and erased at their wish.

use std::time::Duration;

use gatehouse::accounts::{terms, users};
use gatehouse::store::{Error, FromRow, Row, query};
use gatehouse::work;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ORIGIN};
use serde_json::{Value, json};

use crate::command_line::ask;
use crate::support::factors::{add_app, make_codes, sign_in};
use crate::support::server::{Answer, Browser, Engine, PASSWORD, Server, form_request, on_both_engines};

const EXPORT: &str = "/account/export";
const DEACTIVATE: &str = "/account/deactivate";

/// What lets somebody in, or from which that follows, wherever it stands: columns with their table.
const SECRETS: [(&str, &str); 14] = [
    ("passwords", "hash"),
    ("browser_sessions", "cookie_digest"),
    ("browser_sessions", "browser_digest"),
    ("client_sessions", "access_family_digest"),
    ("client_sessions", "refresh_family_digest"),
    ("client_sessions", "refresh_digest"),
    ("access_tokens", "digest"),
    ("authenticator_apps", "secret"),
    ("recovery_codes", "digest"),
    ("remembered_browsers", "browser_digest"),
    ("recovery_links", "token_digest"),
    ("passkeys", "credential"),
    ("email_verifications", "token_digest"),
    ("password_resets", "token_digest"),
];

/// Everything that is a person's besides their name: tables with the column that says whose it is.
const THEIRS: [&str; 12] = [
    "user_emails",
    "email_verifications",
    "password_resets",
    "passwords",
    "passkeys",
    "authenticator_apps",
    "recovery_codes",
    "recovery_links",
    "remembered_browsers",
    "account_events",
    "terms_acceptances",
    "consents",
];

struct Text(String);

impl FromRow for Text {
    fn from_row(row: &Row) -> Result<Text, Error> {
        row.get("value").map(Text)
    }
}

async fn texts(server: &Server, sql: String) -> Vec<String> {
    let sql: &'static str = sql.leak();
    let found: Vec<Text> = query(sql).fetch_all(&server.app.store).await.expect(sql);
    found.into_iter().map(|Text(value)| value).collect()
}

async fn export(browser: &mut Browser<'_>) -> Answer {
    let csrf = browser.get(EXPORT).await.field("csrf");
    browser.post(EXPORT, &[("csrf", &csrf)]).await
}

async fn make_token(browser: &mut Browser<'_>, name: &str) -> String {
    let csrf = browser.get("/account/tokens/new").await.field("csrf");
    let form = [("csrf", csrf.as_str()), ("name", name), ("messages", "yes"), ("days", "30")];
    let made = browser.post("/account/tokens/new", &form).await;
    crate::support::page::Page::of(&made).texts(".token code").concat()
}

/// Alice with everything that a person can have, at an account page.
async fn with_everything(server: &Server) -> (Browser<'_>, Vec<String>) {
    server.user("alice").await;
    let client = server.client().await;
    let mut secrets = Vec::new();
    let tokens = server.tokens("alice", &client, "PHONE").await;
    secrets.extend([tokens.access, tokens.refresh]);
    server.advance(Duration::from_secs(1));
    secrets.push(
        server.logged_in("alice", "OLD", json!({ "initial_device_display_name": "Tablet" })).await.access,
    );
    let address = json!({ "users": { "add_email": { "name": "alice", "address": "alice@example.com" } } });
    ask(server, address).await.expect("an address");
    let mut browser = server.signed_in("alice").await;
    let app = add_app(server, &mut browser, "Phone app").await;
    secrets.push(app.secret());
    secrets.extend(make_codes(&mut browser).await);
    server.advance(Duration::from_secs(1));
    secrets.push(make_token(&mut browser, "Weather bot").await);
    let mut tx = server.app.store.begin().await.expect("a transaction");
    let alice = users::find_by_localpart(&mut tx, "alice").await.expect("the database").expect("alice");
    terms::accept(&mut tx, alice.id, "2026-11", server.app.clock.now()).await.expect("an acceptance");
    tx.commit().await.expect("a commit");
    let link = json!({ "users": { "recovery_link": { "name": "alice", "hours": 1 } } });
    ask(server, link).await.expect("a link");
    let mut fresh = server.browser();
    sign_in(server, &mut fresh, "alice", &app, "/account/").await;
    secrets.extend(fresh.cookies.values().cloned());
    (fresh, secrets)
}

on_both_engines! {
    async fn everything_is_in_the_file_and_nothing_that_lets_somebody_in(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("bob").await;
        server.signed_in("bob").await;
        let (mut browser, mut secrets) = with_everything(&server).await;
        let page = browser.get(EXPORT).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        server.advance(Duration::from_secs(1));
        let file = export(&mut browser).await;
        assert_eq!(file.status, StatusCode::OK, "{}", file.text());
        assert_eq!(file.header(CONTENT_TYPE), "application/json");
        assert_eq!(file.header(CONTENT_DISPOSITION), "attachment; filename=\"account.json\"");
        assert!(file.header(CACHE_CONTROL).contains("no-store"));

        let told = file.json();
        assert_eq!(told["account"]["matrix_id"], "@alice:example.org");
        assert_eq!(told["account"]["display_name"], "alice");
        assert_eq!(told["emails"][0]["address"], "alice@example.com");
        assert_eq!(told["sign_in"]["has_password"], true);
        assert_eq!(told["sign_in"]["factors"][0]["name"], "Phone app");
        assert_eq!(told["sign_in"]["recovery_codes_left"], 10);
        assert_eq!(told["accepted_terms"][0]["version"], "2026-11");
        assert_eq!(told["consents"][0]["client_name"], "Example app");
        let kinds = |key: &str| -> Vec<Value> {
            told[key].as_array().expect("a list").iter().map(|entry| entry["kind"].clone()).collect()
        };
        assert_eq!(kinds("client_sessions"), ["personal_token", "older_login", "client"]);
        let sessions = told["client_sessions"].as_array().expect("a list");
        let names: Vec<&Value> = sessions.iter().map(|session| &session["name"]).collect();
        assert_eq!(names, [&json!("Weather bot"), &json!("Tablet"), &Value::Null]);
        assert_eq!(sessions[2]["device_id"], "PHONE");
        assert!(told["browser_sessions"].as_array().expect("a list").len() >= 3);
        let events = told["activity"].as_array().expect("a list");
        assert_eq!(events[0]["event"], "data_exported");
        assert!(events.iter().any(|event| event["event"] == "token_made"));

        let text = file.text();
        for (table, column) in SECRETS {
            secrets.extend(texts(&server, format!("SELECT {column} AS value FROM {table}")).await);
        }
        secrets.push(PASSWORD.to_owned());
        for secret in secrets {
            assert!(!secret.is_empty() && !text.contains(&secret), "{secret} is in the file");
            let run: String = secret.chars().take(16).collect();
            assert!(run.len() < 16 || !text.contains(&run), "the beginning of {secret} is in the file");
        }
        assert!(!text.contains("bob"), "others are not in it");
    }

    async fn lists_of_any_length_are_in_the_file(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let now = server.app.clock.now();
        let mut tx = server.app.store.begin().await.expect("a transaction");
        for _ in 0..1000 {
            let occasion = gatehouse::accounts::mails::Occasion::by_admin(now);
            let event = gatehouse::accounts::activity::Event::PasswordChanged;
            gatehouse::accounts::activity::add(&mut tx, alice.id, event, &occasion).await.expect("an event");
        }
        tx.commit().await.expect("a commit");
        // The sign-in, the thousand, and the download itself.
        assert_eq!(export(&mut browser).await.json()["activity"].as_array().expect("a list").len(), 1002);
    }

    async fn the_file_needs_a_fresh_proof_and_a_form_of_ours(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let csrf = browser.csrf().await;
        let foreign = form_request(EXPORT, &[(ORIGIN, "https://evil.example")], &[("csrf", &csrf)]);
        assert_eq!(browser.send(foreign).await.status, StatusCode::FORBIDDEN);
        assert_eq!(browser.post(EXPORT, &[]).await.status, StatusCode::FORBIDDEN);
        server.advance(Duration::from_secs(11 * 60));
        for answer in [browser.get(EXPORT).await, browser.post(EXPORT, &[("csrf", &csrf)]).await] {
            assert_eq!(answer.location(), "/login?next=%2Faccount%2Fexport&max_age=600");
        }
    }

    async fn whoever_has_their_account_erased_leaves_only_the_name(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("bob").await;
        server.signed_in("bob").await;
        let (mut browser, _) = with_everything(&server).await;
        let before = count_all(&server).await;
        assert!(before.iter().filter(|(_, count)| *count > 0).count() >= 7, "{before:?}");
        let csrf = browser.get(DEACTIVATE).await.field("csrf");
        let form = [("csrf", csrf.as_str()), ("username", "alice"), ("erase", "yes")];
        assert_eq!(browser.post(DEACTIVATE, &form).await.location(), "/account/deactivate?result=done");
        assert!(count_all(&server).await.iter().all(|(_, count)| *count == 0), "{:?}", count_all(&server).await);
        for table in ["browser_sessions", "client_sessions"] {
            let places = format!(
                "SELECT COALESCE(last_seen_ip, user_agent) AS value FROM {table} \
                 WHERE user_id = (SELECT id FROM users WHERE localpart = 'alice') \
                 AND (last_seen_ip IS NOT NULL OR user_agent IS NOT NULL)"
            );
            assert_eq!(texts(&server, places).await, Vec::<String>::new());
        }
        server.run_jobs().await;
        let alice = server.homeserver.user("alice").expect("alice");
        assert!(alice.is_deactivated && alice.is_erased);
        server.advance(Duration::from_secs(31 * 86_400));
        work::sweep(&server.app).await.expect("a sweep");
        let sessions = "SELECT id AS value FROM client_sessions";
        assert_eq!(texts(&server, sessions.to_owned()).await, Vec::<String>::new());
        let taken = json!({ "users": { "create": { "name": "alice", "admin": false, "email": null, "skip_homeserver_check": true, "password": null } } });
        assert!(ask(&server, taken).await.is_err(), "nobody can ever have the name");
        let bobs = texts(&server, "SELECT user_id AS value FROM passwords".to_owned()).await;
        assert_eq!(bobs.len(), 1, "others keep what is theirs");
    }

    async fn without_that_wish_an_admin_can_give_the_account_back(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let csrf = browser.get(DEACTIVATE).await.field("csrf");
        browser.post(DEACTIVATE, &[("csrf", &csrf), ("username", "alice")]).await;
        server.run_jobs().await;
        assert!(!server.homeserver.user("alice").expect("alice").is_erased);
        ask(&server, json!({ "users": { "reactivate": { "name": "alice" } } })).await.expect("it is back");
        server.signed_in("alice").await;
    }
}

/// How many rows there are of alice in each table that holds something of hers.
async fn count_all(server: &Server) -> Vec<(&'static str, usize)> {
    let mut counts = Vec::new();
    for table in THEIRS {
        let rows = format!(
            "SELECT user_id AS value FROM {table} WHERE user_id = (SELECT id FROM users WHERE localpart = 'alice')"
        );
        counts.push((table, texts(server, rows).await.len()));
    }
    counts
}
