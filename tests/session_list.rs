//! The list of sessions for somebody who has many: paged both ways, searched, and read without a look at other
//! people's.

use std::time::{Duration, Instant};

use gatehouse::http::requester::Requester;
use gatehouse::ids::{ClientId, DeviceId, UserId};
use gatehouse::keys;
use gatehouse::methods::Methods;
use gatehouse::sessions::all::LISTS;
use gatehouse::sessions::browser;
use gatehouse::sessions::client::{self, NewClientSession};
use gatehouse::sessions::tokens::{self, Issue};
use gatehouse::store::{Error, FromRow, Row, query};
use serde_json::json;

use crate::account_pages::open;
use crate::support::page::Page;
use crate::support::server::{Browser, Engine, Server, matrix_scope, on_both_engines};

const LIST: &str = "/account/sessions";

/// Sessions of a person as so many sign-ins leave them, a second apart, the last one with the greatest number.
async fn sign_in_often(server: &Server, user: UserId, client: &ClientId, prefix: &str, count: u32) {
    let mut tx = server.app.store.begin().await.expect("a transaction");
    for number in 0..count {
        server.advance(Duration::from_secs(1));
        let now = server.app.clock.now();
        let device_id = format!("{prefix}{number}");
        let address = format!("192.0.2.{}", number % 200).parse().ok();
        let requester = Requester { address, user_agent: None };
        let new = NewClientSession {
            user_id: Some(user),
            client_id: Some(client.clone()),
            browser_session_id: None,
            scope: matrix_scope(&device_id),
            device_id: Some(DeviceId(device_id)),
            authenticated_at: now,
            methods: Methods::default(),
        };
        let issue = Issue {
            requester: &requester,
            root: server.app.keys.root(),
            lifetime: Duration::from_secs(300),
            limits: &server.config.sessions,
            now,
        };
        let (id, _) = tokens::start_session(&mut tx, &new, &issue).await.expect("a session");
        if number == 7 {
            client::rename(&mut tx, id, user, "Grüße vom Balkon").await.expect("a name");
        }
    }
    tx.commit().await.expect("a commit");
}

async fn with_client(server: &Server, name: &str) -> ClientId {
    let members = json!({ "client_name": name, "client_uri": format!("https://{name}.example/"),
        "redirect_uris": [format!("https://{name}.example/callback")] });
    ClientId(server.client_with(members).await["client_id"].as_str().expect("an id").to_owned())
}

fn devices(page: &Page) -> Vec<String> {
    page.texts("li.session code")
}

fn pager(page: &Page, text: &str) -> Option<String> {
    let place = page.texts(".pager a").iter().position(|known| known == text)?;
    page.links(".pager a").into_iter().nth(place)
}

async fn search(browser: &mut Browser<'_>, text: &str) -> Page {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", text).finish();
    open(browser, &format!("{LIST}?{query}")).await
}

/// One step of how an engine goes about a statement.
struct Step(String);

impl FromRow for Step {
    fn from_row(row: &Row) -> Result<Step, Error> {
        row.get("detail").or_else(|_| row.get("QUERY PLAN")).map(Step)
    }
}

async fn plan(server: &Server, engine: Engine, list: &str, user: UserId) -> String {
    let explain = match engine {
        Engine::Sqlite => "EXPLAIN QUERY PLAN ",
        Engine::Postgres => "EXPLAIN ",
    };
    let explained: &'static str = format!("{explain}{list}").leak();
    let steps: Vec<Step> = query(explained)
        .bind(user)
        .bind("01ARZ3NDEKTSV4RRFFQ69G5FAV")
        .bind(server.app.clock.now())
        .bind("01ARZ3NDEKTSV4RRFFQ69G5FAV")
        .bind(51_i64)
        .fetch_all(&server.app.store)
        .await
        .expect("a plan");
    steps.into_iter().map(|Step(step)| step).collect::<Vec<_>>().join("\n")
}

/// Alice with so many sessions, among forty others who have 500 each: in all, 20,000 that are not hers.
async fn among_many(engine: Engine, own: u32) -> (Server, UserId) {
    let server = Server::start(engine).await;
    let client = with_client(&server, "element").await;
    for number in 0..40 {
        let other = server.user_not_provisioned(&format!("other{number}")).await.id;
        sign_in_often(&server, other, &client, "OTHER", 500).await;
        let mut tx = server.app.store.begin().await.expect("a transaction");
        for _ in 0..50 {
            let (secret, now) = (keys::random_secret(), server.app.clock.now());
            browser::start(&mut tx, other, Methods::default(), &secret, &Requester::default(), now)
                .await
                .expect("a session");
        }
        tx.commit().await.expect("a commit");
    }
    let alice = server.user_not_provisioned("alice").await.id;
    sign_in_often(&server, alice, &client, "MINE", own).await;
    let analyze: &'static str = "ANALYZE";
    let mut tx = server.app.store.begin().await.expect("a transaction");
    query(analyze).execute(&mut tx).await.expect("statistics");
    tx.commit().await.expect("a commit");
    (server, alice)
}

on_both_engines! {
    async fn it_is_paged_in_both_directions(engine: Engine) {
        let server = Server::start(engine).await;
        let (alice, client) = (server.user("alice").await.id, with_client(&server, "element").await);
        sign_in_often(&server, alice, &client, "D", 120).await;
        let mut browser = server.signed_in("alice").await;
        let expected = |from: usize, to: usize| -> Vec<String> {
            (from..to).map(|place| format!("D{}", 119 - place)).collect()
        };
        let first = open(&mut browser, LIST).await;
        assert_eq!(devices(&first), expected(0, 50));
        assert_eq!(pager(&first, "Sessions used later"), None);
        let second = open(&mut browser, &pager(&first, "More sessions").expect("a next page")).await;
        assert_eq!(devices(&second), expected(50, 100));
        let third = open(&mut browser, &pager(&second, "More sessions").expect("a next page")).await;
        assert_eq!(devices(&third), expected(100, 120));
        assert_eq!(pager(&third, "More sessions"), None);
        let back = open(&mut browser, &pager(&third, "Sessions used later").expect("a page before")).await;
        assert_eq!(devices(&back), expected(50, 100));
        let again = open(&mut browser, &pager(&back, "More sessions").expect("a next page")).await;
        assert_eq!(devices(&again), expected(100, 120));
        // Nothing is above the first page, so it is the one with the session that asks.
        let top = open(&mut browser, &pager(&back, "Sessions used later").expect("a page before")).await;
        assert_eq!(devices(&top), expected(0, 50));
        assert_eq!(top.texts(".badge"), ["This one"]);
        assert_eq!(pager(&top, "First page"), None);
        let cut = open(&mut browser, &format!("{LIST}?after=17952")).await;
        assert_eq!(devices(&cut), expected(0, 50), "a cut link begins anew");
    }

    async fn it_is_searched_by_client_device_and_address(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await.id;
        let (element, other) = (with_client(&server, "element").await, with_client(&server, "nheko").await);
        sign_in_often(&server, alice, &element, "D", 60).await;
        sign_in_often(&server, alice, &other, "N", 2).await;
        let mut browser = server.signed_in("alice").await;
        for (text, found) in [
            ("nhek", vec!["N1", "N0"]),
            ("NHEKO.example", vec!["N1", "N0"]),
            ("d59", vec!["D59"]),
            ("grüße VOM balkon", vec!["D7"]),
            ("192.0.2.42", vec!["D42"]),
            ("nothing of this", vec![]),
            ("%", vec![]),
        ] {
            let page = search(&mut browser, text).await;
            assert_eq!(devices(&page), found, "{text}");
            assert_eq!(page.attribute("#q", "value"), text, "what was typed stays");
            assert_eq!(page.texts("h3").len(), found.len(), "{text}: the session asking is none of these");
        }
        let nothing = search(&mut browser, "nothing of this").await;
        assert!(nothing.main().contains("Nothing matches “nothing of this”."), "{}", nothing.main());
        let own = search(&mut browser, "198.51.100.7").await;
        assert_eq!(own.texts("h3"), ["Unknown browser This one"]);

        let many = search(&mut browser, "element").await;
        assert_eq!(devices(&many).len(), 50);
        let next = pager(&many, "More sessions").expect("a next page");
        assert!(next.contains("q=element"), "{next}");
        let rest = open(&mut browser, &next).await;
        assert_eq!(devices(&rest), (0..10).rev().map(|number| format!("D{number}")).collect::<Vec<_>>());
        let back = open(&mut browser, &pager(&rest, "Sessions used later").expect("a page before")).await;
        assert_eq!(devices(&back), devices(&many));
    }

    async fn devices_are_called_by_the_name_that_was_given_here(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let named = json!({ "initial_device_display_name": "Kitchen tablet" });
        server.logged_in("alice", "TABLET", named).await;
        let mut browser = server.signed_in("alice").await;
        let page = open(&mut browser, LIST).await;
        assert!(page.main().contains("Kitchen tablet"), "{}", page.main());
        let path = page.links("li.session details a").concat();
        let csrf = browser.get(&path).await.field("csrf");
        let renamed = browser.post(&path, &[("csrf", &csrf), ("name", "Hall tablet")]).await;
        assert_eq!(renamed.location(), format!("{path}?notice=renamed"));
        let page = open(&mut browser, LIST).await;
        assert!(page.main().contains("Hall tablet") && !page.main().contains("Kitchen"), "{}", page.main());
        let devices = server.homeserver.user("alice").expect("alice").devices;
        assert_eq!(devices["TABLET"].as_deref(), Some("Hall tablet"));
    }

    async fn no_engine_reads_the_sessions_of_other_people(engine: Engine) {
        let (server, alice) = among_many(engine, 300).await;
        for list in LISTS {
            let plan = plan(&server, engine, list, alice).await;
            println!("{engine:?}:\n{plan}\n");
            let reads_all = plan.contains("Seq Scan") || plan.lines().any(|step| step.contains("SCAN client_sessions") || step.contains("SCAN browser_sessions"));
            assert!(!reads_all, "{plan}");
            for table in ["client_sessions", "browser_sessions"] {
                let is_indexed = match engine {
                    Engine::Sqlite => plan.contains(&format!("SEARCH {table} USING INDEX")),
                    Engine::Postgres => plan.contains(&format!("Index Scan using {table}")) || plan.contains(&format!("Index Scan on {table}")),
                };
                assert!(is_indexed, "{table}: {plan}");
            }
        }
    }
}

/// Not part of the run, since it looks at the wall clock: `cargo test session_list -- --ignored --nocapture` prints
/// what the page costs with 300 sessions, measured against the page of somebody with three.
#[tokio::test]
#[ignore = "measures"]
async fn what_the_page_costs() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let mut costs = Vec::new();
        for own in [3, 300] {
            let (server, _) = among_many(engine, own).await;
            let mut browser = server.signed_in("alice").await;
            for path in [LIST, "/account/sessions?q=mine29", "/account/"] {
                open(&mut browser, path).await;
                let begun = Instant::now();
                for _ in 0..30 {
                    open(&mut browser, path).await;
                }
                costs.push((own, path, begun.elapsed() / 30));
            }
        }
        println!("{engine:?}: {costs:#?}");
    }
}
