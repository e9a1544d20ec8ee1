//! The account pages: who a person is, what is signed in to their account, and ending it.

use std::collections::HashSet;
use std::time::Duration;

use gatehouse::http::requester::Requester;
use gatehouse::ids::{ClientId, ClientSessionId, DeviceId, UserId};
use gatehouse::keys;
use gatehouse::methods::Methods;
use gatehouse::sessions::browser;
use gatehouse::sessions::client::NewClientSession;
use gatehouse::sessions::tokens::{self, Issue};
use http::header::{ACCEPT_LANGUAGE, ORIGIN};
use http::{Request, StatusCode};
use serde_json::json;

use crate::support::homeserver::StubUser;
use crate::support::page::Page;
use crate::support::server::{
    Answer, Browser, Engine, PASSWORD, Server, Tokens, code_form, form_request, matrix_scope, on_both_engines,
};

const LIST: &str = "/account/sessions";
const END_OTHERS: &str = "/account/sessions/end-others";
const DAY: Duration = Duration::from_secs(86_400);
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const NOBODYS: &str = "/account/sessions/client/01ARZ3NDEKTSV4RRFFQ69G5FAV/end";

on_both_engines! {
    async fn the_list_has_browsers_and_clients_last_used_first(engine: Engine) {
        let server = Server::start(engine).await;
        let (alice, client) = (server.user("alice").await.id, ClientId(server.client().await));
        add_client_session(&server, alice, &client, "OLD").await;
        server.advance(DAY * 100);
        add_firefox(&server, alice).await;
        let mut this = server.signed_in("alice").await;
        server.advance(DAY);
        add_client_session(&server, alice, &client, "PHONE").await;

        let page = open(&mut this, LIST).await;
        assert_eq!(page.texts("h2"), ["In use", "Not used for 90 days", "Sign out everywhere else"]);
        let rows = ["Unknown browser This one", "Example app", "Firefox on Linux", "Example app"];
        assert_eq!(page.texts("li.session h3"), rows);
        assert_eq!(page.texts("li.session .host"), ["app.example.com", "app.example.com"]);
        assert_eq!(page.texts("li.session code"), ["PHONE", "OLD"]);
        assert!(page.links(".pager a").is_empty());
    }

    async fn a_client_is_called_by_its_name_in_the_language_of_the_reader(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await.id;
        let members = json!({
            "client_name#fr": "Une application", "application_type": "native",
            "redirect_uris": ["com.example:/callback", "https://app.example.com/callback"],
        });
        let client = server.client_with(members).await["client_id"].as_str().expect("an id").to_owned();
        add_client_session(&server, alice, &ClientId(client), "PHONE").await;
        let mut this = server.signed_in("alice").await;

        let page = open(&mut this, LIST).await;
        assert_eq!(page.texts("li.session h3")[1], "Example app");
        assert_eq!(page.texts("li.session p.muted, li.session span.muted")[1], "Name not verified");
        let request = Request::get(LIST).header(ACCEPT_LANGUAGE, "de-AT, fr;q=0.8");
        let answer = this.send(request.body(Default::default()).expect("a request")).await;
        assert_eq!(Page::of(&answer).texts("li.session h3")[1], "Une application");
    }

    async fn three_hundred_sessions_are_paged_without_loss_or_repetition(engine: Engine) {
        let server = Server::start(engine).await;
        let (alice, client) = (server.user("alice").await.id, ClientId(server.client().await));
        let mut begun = HashSet::new();
        for number in 0..300 {
            let id = add_client_session(&server, alice, &client, &format!("D{number}")).await;
            begun.insert(format!("/account/sessions/client/{id}/end"));
            // Seven share each millisecond.
            server.advance(Duration::from_millis(u64::from(number % 7 == 6)));
        }
        let mut this = server.signed_in("alice").await;

        let (mut seen, mut path, mut pages) = (HashSet::new(), LIST.to_owned(), 0);
        loop {
            let page = open(&mut this, &path).await;
            pages += 1;
            let mut links = page.links("li.session > a");
            if pages == 1 {
                assert!(links.remove(0).contains("/browser/"), "the one asking comes first");
            }
            for link in links {
                assert!(seen.insert(link), "a session is listed twice");
            }
            let pager = page.links(".pager a");
            assert_eq!(pager.contains(&LIST.to_owned()), pages > 1, "the way back to the first page");
            match pager.into_iter().find(|link| link.contains("before=")) {
                Some(next) => path = next,
                None => break,
            }
        }
        assert_eq!(pages, 6);
        assert_eq!(seen, begun);
    }

    async fn a_link_that_was_cut_leads_to_the_first_page(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut this = server.signed_in("alice").await;
        let page = open(&mut this, "/account/sessions?before=17952&notice=%3Cb%3E").await;
        assert_eq!(page.texts("li.session h3"), ["Unknown browser This one"]);
        assert!(page.texts("[role=status]").is_empty());
        let answer = this.get("/account/sessions?notice=browser-ended&notice=browser-ended").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "each parameter may come once");
    }

    async fn a_notice_is_shown_only_to_those_who_come_from_our_own_pages(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut this = server.signed_in("alice").await;
        for (site, notices) in [("same-origin", 1), ("cross-site", 0), ("same-site", 0), ("none", 0)] {
            let request = Request::get("/account/sessions?notice=5-ended").header("sec-fetch-site", site);
            let answer = this.send(request.body(Default::default()).expect("a request")).await;
            assert_eq!(Page::of(&answer).texts("[role=status]").len(), notices, "{site}");
        }
    }

    async fn hostile_names_stay_text(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await.id;
        let payload = "\"'><script>alert(1)</script>\u{202e}";
        let client = server.client_with(json!({ "client_name": payload })).await;
        let client = ClientId(client["client_id"].as_str().expect("an id").to_owned());
        let id = add_client_session(&server, alice, &client, payload).await;
        let mut this = server.signed_in("alice").await;
        for path in [LIST.to_owned(), format!("/account/sessions/client/{id}/end")] {
            let answer = this.get(&path).await;
            assert!(!answer.text().contains("<script>alert"), "{path}");
            let shown = Page::of(&answer).main();
            assert!(shown.contains("<script>alert(1)") && !shown.contains('\u{202e}'), "{path}");
        }
    }

    async fn ending_a_client_ends_its_tokens_and_deletes_its_device(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let mut this = server.signed_in("alice").await;
        let ended = let_in(&server, &mut this, &client, "ENDED00000").await;
        let kept = let_in(&server, &mut this, &client, "KEPT000000").await;
        let path = client_end_path(&mut this, "ENDED00000").await;

        let page = open(&mut this, &path).await;
        assert_eq!(page.texts("h1"), ["Sign out this device?"]);
        assert!(page.main().contains("Encrypted messages may be lost."));
        server.run_jobs().await;
        assert!(server.is_active(&ended.access).await, "asking changes nothing");
        assert_eq!(server.homeserver.devices("alice").len(), 2, "asking changes nothing");

        let answer = submit(&mut this, &path).await;
        assert_eq!(answer.location(), "/account/sessions?notice=client-ended");
        assert!(!server.is_active(&ended.access).await);
        assert_eq!(server.refresh(&client, &ended.refresh).await.error(), "invalid_grant");
        assert!(server.is_active(&kept.access).await);
        server.run_jobs().await;
        assert_eq!(server.homeserver.devices("alice"), ["KEPT000000"]);
        let page = open(&mut this, answer.location()).await;
        assert_eq!(page.texts("[role=status]"), ["The device is signed out."]);
        assert_eq!(page.texts("li.session code"), ["KEPT000000"]);
    }

    async fn a_device_is_deleted_once_the_homeserver_is_back(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let mut this = server.signed_in("alice").await;
        let tokens = let_in(&server, &mut this, &client, "PHONE00000").await;
        let path = client_end_path(&mut this, "PHONE00000").await;
        server.homeserver.answer_with(Some(StatusCode::SERVICE_UNAVAILABLE));
        let answer = submit(&mut this, &path).await;
        assert_eq!(answer.location(), "/account/sessions?notice=client-ended");
        assert!(!server.is_active(&tokens.access).await);
        server.run_jobs().await;
        assert_eq!(server.homeserver.devices("alice"), ["PHONE00000"]);
        server.homeserver.answer_with(None);
        server.advance(Duration::from_secs(3));
        server.run_jobs().await;
        assert!(server.homeserver.devices("alice").is_empty());
    }

    async fn ending_a_session_twice_says_that_it_was_over(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let mut this = server.signed_in("alice").await;
        let_in(&server, &mut this, &client, "PHONE00000").await;
        let client_path = client_end_path(&mut this, "PHONE00000").await;
        let browser_path = own_path(&mut server.signed_in("alice").await).await;
        for path in [client_path, browser_path] {
            let csrf = this.get(&path).await.field("csrf");
            for expected in ["-ended", "/account/sessions?notice=already-ended"] {
                let answer = this.post(&path, &[("csrf", &csrf)]).await;
                assert!(answer.location().ends_with(expected), "{}", answer.location());
            }
            assert_eq!(this.get(&path).await.location(), "/account/sessions?notice=already-ended");
        }
        let page = open(&mut this, "/account/sessions?notice=already-ended").await;
        assert_eq!(page.texts("[role=status]"), ["It was signed out already."]);
    }

    async fn the_sessions_of_others_are_not_found_and_go_on(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        server.user("bob").await;
        let client = server.client().await;
        let mut bobs = server.signed_in("bob").await;
        let tokens = let_in(&server, &mut bobs, &client, "PHONE00000").await;
        let of_bob = [own_path(&mut bobs).await, client_end_path(&mut bobs, "PHONE00000").await];
        let mut this = server.signed_in("alice").await;
        let csrf = this.csrf().await;
        let other_kind = own_path(&mut this).await.replace("/browser/", "/client/");
        let others = ["browser/1", "client/%FF", "client/..%2F..%2F", "client/"];
        let others = others.map(|name| format!("/account/sessions/{name}/end"));
        for path in of_bob.into_iter().chain([NOBODYS.to_owned(), other_kind]).chain(others) {
            for answer in [this.get(&path).await, this.post(&path, &[("csrf", &csrf)]).await] {
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
                assert_eq!(Page::of(&answer).texts("h1"), ["There is no page here"], "{path}");
                assert!(!answer.text().contains("Example app"), "{path}");
            }
        }
        assert!(server.is_active(&tokens.access).await);
        assert_eq!(bobs.get(LIST).await.status, StatusCode::OK);
    }

    async fn ending_this_browser_signs_out(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut this = server.signed_in("alice").await;
        let mut thief = server.browser();
        thief.cookies = this.cookies.clone();
        let path = own_path(&mut this).await;
        assert_eq!(open(&mut this, &path).await.texts("h1"), ["Sign out this browser?"]);
        assert_eq!(submit(&mut this, &path).await.location(), "/signed-out");
        assert_eq!(this.cookies.len(), 1, "only the browser's own cookie stays");
        assert!(thief.get(LIST).await.location().starts_with("/login"), "a copied cookie is worth nothing");
    }

    async fn ending_all_others_keeps_this_one_and_everyone_elses(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        server.user("bob").await;
        let client = server.client().await;
        let mut bobs = server.signed_in("bob").await;
        let of_bob = let_in(&server, &mut bobs, &client, "BOBS000000").await;
        let (mut other, mut this) = (server.signed_in("alice").await, server.signed_in("alice").await);
        let phone = let_in(&server, &mut this, &client, "PHONE00000").await;

        let page = open(&mut this, END_OTHERS).await;
        assert!(page.main().contains("This ends 2 other sessions."));
        assert!(page.main().contains("1 of them is a device"));
        assert!(server.is_active(&phone.access).await, "asking changes nothing");
        assert_eq!(other.get(LIST).await.status, StatusCode::OK, "asking changes nothing");
        let answer = submit(&mut this, END_OTHERS).await;
        assert_eq!(answer.location(), "/account/sessions?notice=2-ended");

        let page = open(&mut this, answer.location()).await;
        assert_eq!(page.texts("[role=status]"), ["2 other sessions are signed out."]);
        assert_eq!(page.texts("li.session h3"), ["Unknown browser This one"]);
        assert!(page.links("a.danger-quiet").is_empty(), "there is nothing more to end");
        assert!(other.get(LIST).await.location().starts_with("/login"));
        assert!(!server.is_active(&phone.access).await);
        assert!(server.is_active(&of_bob.access).await);
        assert_eq!(bobs.get(LIST).await.status, StatusCode::OK);
        server.run_jobs().await;
        assert!(server.homeserver.devices("alice").is_empty());
        assert_eq!(server.homeserver.devices("bob"), ["BOBS000000"]);
        assert_eq!(this.get(END_OTHERS).await.location(), "/account/sessions?notice=0-ended");
    }

    async fn a_form_from_elsewhere_ends_nothing(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let mut this = server.signed_in("alice").await;
        let tokens = let_in(&server, &mut this, &client, "PHONE00000").await;
        let path = client_end_path(&mut this, "PHONE00000").await;
        let another = server.browser().csrf().await;
        for path in [path.as_str(), END_OTHERS] {
            let own = this.get(path).await.field("csrf");
            for answer in [
                this.post(path, &[]).await,
                this.post(path, &[("csrf", &another)]).await,
                this.send(form_request(path, &[(ORIGIN, "https://evil.example")], &[("csrf", &own)])).await,
            ] {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
                assert_eq!(Page::of(&answer).links(".actions a"), [path], "the way to try again");
            }
        }
        assert!(server.is_active(&tokens.access).await);
        assert_eq!(this.get(LIST).await.status, StatusCode::OK);
    }

    async fn whoever_is_not_signed_in_is_led_to_sign_in_and_back(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        for (path, back) in [
            ("/account", "/account/"),
            ("/account/?action=org.example.unknown", "/account/"),
            ("/account/sessions?notice=5-ended", LIST),
            (END_OTHERS, END_OTHERS),
            (NOBODYS, NOBODYS),
        ] {
            let mut browser = server.browser();
            let to_login = browser.get(path).await;
            assert_eq!(to_login.location(), format!("/login?next={}", back.replace('/', "%2F")));
            let next = browser.get(to_login.location()).await.field("next");
            assert_eq!(browser.sign_in("alice", PASSWORD, &next).await.location(), back);
        }
    }

    async fn the_first_page_shows_what_the_homeserver_knows_and_does_without(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let known = StubUser { display_name: Some("Alice <Liddell>".to_owned()), ..StubUser::default() };
        server.homeserver.set_user("alice", known);
        let mut this = server.signed_in("alice").await;
        let answer = this.get("/account/?action=org.example.unknown").await;
        assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"));
        assert_eq!(Page::of(&answer).texts("dd"), ["Alice <Liddell>", "@alice:example.org"]);
        server.homeserver.answer_with(Some(StatusCode::SERVICE_UNAVAILABLE));
        let page = open(&mut this, "/account/").await;
        assert_eq!(page.texts("dd"), ["Unknown", "@alice:example.org"]);
        assert!(page.texts(".warning").concat().contains("The chat server is not answering right now."));
    }
}

pub async fn open(browser: &mut Browser<'_>, path: &str) -> Page {
    let answer = browser.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    Page::of(&answer)
}

/// Sends the form of a page as it stands.
async fn submit(browser: &mut Browser<'_>, path: &str) -> Answer {
    let csrf = browser.get(path).await.field("csrf");
    browser.post(path, &[("csrf", &csrf)]).await
}

/// Where this browser signs itself out.
async fn own_path(browser: &mut Browser<'_>) -> String {
    open(browser, LIST).await.links("li.session.this > a").concat()
}

/// Where the client with that device is signed out.
async fn client_end_path(browser: &mut Browser<'_>, device_id: &str) -> String {
    let page = open(browser, LIST).await;
    let devices = page.texts("li.session code");
    let place = devices.iter().position(|known| known == device_id).expect("a session with the device");
    let mut clients = page.links("li.session > a").into_iter().filter(|link| link.contains("/client/"));
    clients.nth(place).expect("a way to end it")
}

/// Lets a client in with the browser of a person.
pub async fn let_in(server: &Server, browser: &mut Browser<'_>, client_id: &str, device_id: &str) -> Tokens {
    let code = browser.code(client_id, &matrix_scope(device_id)).await;
    let answer = server.post("/oauth2/token", &code_form(client_id, &code)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    Tokens::from(answer.json())
}

/// A session as a sign-in of a client leaves it, without the way there.
async fn add_client_session(
    server: &Server,
    user_id: UserId,
    client_id: &ClientId,
    device_id: &str,
) -> ClientSessionId {
    let now = server.app.clock.now();
    let new = NewClientSession {
        user_id: Some(user_id),
        client_id: Some(client_id.clone()),
        browser_session_id: None,
        scope: matrix_scope(device_id),
        device_id: Some(DeviceId(device_id.to_owned())),
        authenticated_at: now,
        methods: gatehouse::methods::Methods::default(),
    };
    let issue = Issue {
        requester: &Requester::default(),
        root: server.app.keys.root(),
        lifetime: DAY,
        limits: &server.config.sessions,
        now,
    };
    let mut tx = server.app.store.begin().await.expect("a transaction");
    let (id, _) = tokens::start_session(&mut tx, &new, &issue).await.expect("a session");
    tx.commit().await.expect("a commit");
    id
}

/// A session as a sign-in with Firefox leaves it.
async fn add_firefox(server: &Server, user_id: UserId) {
    let requester = Requester { address: None, user_agent: Some(FIREFOX.to_owned()) };
    let mut tx = server.app.store.begin().await.expect("a transaction");
    let now = server.app.clock.now();
    browser::start(&mut tx, user_id, Methods::default(), &keys::random_secret(), &requester, now)
        .await
        .expect("a session");
    tx.commit().await.expect("a commit");
}
