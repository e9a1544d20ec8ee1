//! The programs that the other tests lean on do what those tests believe.

use axum::Router;
use tokio::net::TcpListener;
use url::Url;

/// Serves a router until the test ends.
async fn serve(router: Router) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port can be listened on");
    let address = listener.local_addr().expect("a listener has an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/").parse().expect("an address makes a URL")
}

mod process {
    use crate::support::process::{Watched, free_port, new_folder};
    use std::path::Path;
    use std::process::Command;

    /// Starts a program that would run for long, and tells its process id.
    fn sleeper(folder: &Path) -> (Watched, String) {
        let mut sleeper = Command::new("sh");
        sleeper.args(["-c", "echo $$ >pid; exec sleep 600"]);
        let sleeper = Watched::start("sleeper", folder, &sleeper);
        loop {
            let pid = std::fs::read_to_string(folder.join("pid")).unwrap_or_default();
            if pid.ends_with('\n') {
                return (sleeper, pid.trim().to_owned());
            }
            std::thread::yield_now();
        }
    }

    fn is_running(pid: &str) -> bool {
        Path::new("/proc").join(pid).exists()
    }

    #[test]
    fn a_dropped_program_is_stopped_and_its_folder_removed() {
        let folder = new_folder("sleeper").keep();
        let (program, pid) = sleeper(&folder);
        assert!(is_running(&pid));
        drop(program);
        assert!(!is_running(&pid));
        assert!(!folder.exists());
    }

    #[test]
    fn a_program_can_be_stopped_without_losing_its_folder() {
        let folder = new_folder("sleeper").keep();
        let (mut program, pid) = sleeper(&folder);
        program.stop_and_keep_folder();
        assert!(!is_running(&pid));
        assert!(folder.join("pid").exists());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    #[should_panic(expected = "no such luck")]
    fn a_program_that_ends_by_itself_is_reported_with_its_output() {
        let folder = new_folder("failing").keep();
        let mut failing = Command::new("sh");
        failing.args(["-c", "echo no such luck; exit 3"]);
        let mut failing = Watched::start("failing", &folder, &failing);
        loop {
            failing.assert_running();
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_free_port_is_handed_out_once() {
        assert_ne!(free_port(), free_port());
    }
}

mod postgres {
    use crate::support::postgres::fresh_database;
    use sqlx::{Connection, PgConnection};

    #[tokio::test]
    async fn every_database_is_new_and_empty() {
        let (first, second) = (fresh_database().await, fresh_database().await);
        assert_ne!(first, second);
        for uri in [first, second] {
            let mut connection = PgConnection::connect(&uri).await.unwrap();
            sqlx::query("CREATE TABLE users (id BIGINT)").execute(&mut connection).await.unwrap();
            let found: i64 =
                sqlx::query_scalar("SELECT count(*) FROM users").fetch_one(&mut connection).await.unwrap();
            assert_eq!(found, 0);
        }
    }
}

mod synapse {
    use super::serve;
    use crate::support::synapse::{Synapse, SynapseOptions};
    use axum::routing::{get, post};
    use axum::{Form, Json, Router};
    use http::HeaderMap;
    use http::header::AUTHORIZATION;
    use serde_json::{Value, json};
    use std::collections::HashMap;

    const SECRET: &str = "shared";

    /// Knows one token: of `@alice`, on the device `PHONE`.
    async fn introspect(headers: HeaderMap, Form(form): Form<HashMap<String, String>>) -> Json<Value> {
        assert_eq!(headers[AUTHORIZATION], format!("Bearer {SECRET}"));
        if form["token"] != "alices-token" {
            return Json(json!({ "active": false }));
        }
        let scope = "urn:matrix:client:api:* urn:matrix:client:device:PHONE";
        Json(json!({ "active": true, "username": "alice", "scope": scope, "expires_in": 300 }))
    }

    async fn metadata() -> Json<Value> {
        Json(json!({
            "issuer": "https://auth.example.org/",
            "account_management_uri": "https://auth.example.org/account/",
            "custom": "passed on",
        }))
    }

    async fn started() -> Synapse {
        let authorization_server = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/oauth2/introspect", post(introspect));
        let auth_endpoint = serve(authorization_server).await;
        let server_name = "example.org".to_owned();
        Synapse::start(SynapseOptions { server_name, auth_endpoint, secret: SECRET.to_owned() }).await
    }

    async fn provision(synapse: &Synapse, call: &str, body: Value) {
        let url = synapse.base_url().join(&format!("_synapse/mas/{call}")).unwrap();
        let answer = reqwest::Client::new().post(url).bearer_auth(SECRET).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{call}: {}", synapse.log());
    }

    async fn who_am_i(synapse: &Synapse, token: &str) -> (u16, Value) {
        let url = synapse.base_url().join("_matrix/client/v3/account/whoami").unwrap();
        let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    #[tokio::test]
    async fn the_homeserver_asks_its_authorization_server() {
        let mut synapse = started().await;

        let metadata = synapse.base_url().join("_matrix/client/v1/auth_metadata").unwrap();
        let metadata: Value = reqwest::get(metadata).await.unwrap().json().await.unwrap();
        assert_eq!(metadata["custom"], "passed on");

        provision(&synapse, "provision_user", json!({ "localpart": "alice" })).await;
        provision(&synapse, "upsert_device", json!({ "localpart": "alice", "device_id": "PHONE" })).await;
        let (status, whoami) = who_am_i(&synapse, "alices-token").await;
        assert_eq!(status, 200, "{whoami}");
        assert_eq!(whoami["user_id"], "@alice:example.org");
        assert_eq!(whoami["device_id"], "PHONE");

        let (status, refusal) = who_am_i(&synapse, "another-token").await;
        assert_eq!(status, 401);
        assert_eq!(refusal["errcode"], "M_UNKNOWN_TOKEN");

        synapse.restart().await;
        let (status, whoami) = who_am_i(&synapse, "alices-token").await;
        assert_eq!(status, 200, "{whoami}");
    }
}

mod browser {
    use super::serve;
    use crate::support::browser::{Browser, ColourScheme, Options, Screen, assert_accessible};
    use axum::Router;
    use axum::response::{Html, Redirect};
    use axum::routing::get;
    use http::header::CONTENT_SECURITY_POLICY;

    const PAGE: &str = r#"<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">
        <title>A form</title><main><h1>A form</h1>
        <form action="/sent"><label>Name <input name="name"></label><button>Send</button></form>
        <p id="scripts">did not run</p></main>
        <script nonce="x">document.getElementById("scripts").textContent = "ran"</script>
        <script>document.getElementById("scripts").textContent = "ran without the nonce"</script></html>"#;
    const FAULTY: &str = r#"<!doctype html><html lang="en"><title>A picture</title>
        <main><h1>A picture</h1><img src="/none.png"></main></html>"#;

    async fn opened(path: &str, options: Options) -> Browser {
        let policy = "default-src 'none'; script-src 'nonce-x'; form-action 'self'";
        let page = move |html| get(async move || ([(CONTENT_SECURITY_POLICY, policy)], Html(html)));
        let sent = "<!doctype html><html lang=en><title>Sent</title><main><h1>Sent</h1></main></html>";
        let app = get(async || Redirect::to("com.example.app:/sent"));
        let site = Router::new()
            .route("/", page(PAGE))
            .route("/faulty", page(FAULTY))
            .route("/sent", page(sent))
            .route("/app", app);
        let url = serve(site).await.join(path).unwrap();
        let browser = Browser::start(options).await;
        browser.goto(url).await;
        browser
    }

    #[tokio::test]
    async fn what_a_page_forbids_itself_is_in_the_console() {
        let browser = opened("/", Options::default()).await;
        let console = browser.console().await;
        assert_eq!(console.len(), 1, "{console:?}");
        assert!(console[0].contains("Executing inline script violates"), "{console:?}");

        browser.evaluate("document.querySelector('form').action = '/app'").await;
        browser.click("button").await;
        let console = loop {
            let console = browser.console().await;
            if !console.is_empty() {
                break console;
            }
        };
        assert!(console[0].contains("Sending form data"), "{console:?}");
        let went_to = browser.went_to().await;
        assert!(!went_to.iter().any(|url| url.starts_with("com.example.app:")), "{went_to:?}");
    }

    #[tokio::test]
    async fn a_form_is_filled_and_sent() {
        let browser = opened("/", Options::default()).await;
        assert_eq!(browser.text("#scripts").await, "ran");
        browser.fill("input", "alice").await;
        browser.follow("button").await;
        assert_eq!(browser.text("h1").await, "Sent");
        assert_eq!(browser.url().await.query(), Some("name=alice"));
    }

    #[tokio::test]
    async fn without_javascript_a_form_still_works_and_no_script_runs() {
        let browser = opened("/", Options { javascript: false, ..Options::default() }).await;
        assert_eq!(browser.text("#scripts").await, "did not run");
        browser.fill("input", "alice").await;
        browser.follow("button").await;
        assert_eq!(browser.text("h1").await, "Sent");
    }

    #[tokio::test]
    async fn colours_and_size_are_the_ones_asked_for() {
        let dark_phone =
            Options { colour_scheme: ColourScheme::Dark, screen: Screen::Phone, ..Options::default() };
        let browser = opened("/", dark_phone).await;
        let dark = "matchMedia('(prefers-color-scheme: dark)').matches";
        assert_eq!(browser.evaluate(dark).await, true);
        assert_eq!(browser.evaluate("innerWidth").await, 390);

        browser.set_colour_scheme(ColourScheme::Light).await;
        browser.set_screen(Screen::Desktop).await;
        assert_eq!(browser.evaluate(dark).await, false);
        assert_eq!(browser.evaluate("innerWidth").await, 1280);

        browser.screenshots("harness").await;
        let again = browser.screenshot("harness").await;
        assert!(std::fs::read(again).unwrap().starts_with(b"\x89PNG"));
    }

    #[tokio::test]
    async fn axe_finds_a_planted_fault_and_nothing_on_a_good_page() {
        let browser = opened("/faulty", Options::default()).await;
        let violations = browser.axe().await;
        assert_eq!(violations.len(), 1, "{violations:?}");
        assert_eq!(violations[0].id, "image-alt");
        assert!(violations[0].to_string().contains("<img src=\"/none.png\">"), "{}", violations[0]);

        let good = browser.url().await.join("/").unwrap();
        browser.goto(good).await;
        assert_accessible("the form", &browser.axe().await);
    }
}
