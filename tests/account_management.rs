//! Where clients and homeservers lead a person for what concerns the account (Matrix CS API, OAuth 2.0 account
//! management, OAuth authentication, Account deactivation; MSC4191, MSC4312).

use std::time::Duration;

use http::StatusCode;
use http::header::{LOCATION, ORIGIN};
use serde_json::json;

use crate::account_pages::{let_in, open};
use crate::support::page::Page;
use crate::support::server::{
    Answer, Browser, Engine, PASSWORD, Server, Tokens, form_request, on_both_engines,
};

const DEACTIVATE: &str = "/account/deactivate";
const RESET: &str = "/account/cross-signing-reset";
/// A device that is named by its Curve25519 key, as in sign-in by QR code, and the same in a query.
const KEY: &str = "wjLpTLRqbqBzLs63aYaEv2Boi6cFEbbM/sSRQ+oAKk4";
const ENCODED: &str = "wjLpTLRqbqBzLs63aYaEv2Boi6cFEbbM%2FsSRQ%2BoAKk4";

/// The link of a client.
fn link(action: &str, device: &str) -> String {
    let device = if device.is_empty() { String::new() } else { format!("&device_id={device}") };
    format!("/account/?action=org.matrix.{action}{device}")
}

/// A server on which alice is signed in with a browser and with a device.
async fn with_device(engine: Engine) -> (Server, String, Tokens) {
    let server = Server::start(engine).await;
    server.user("alice").await;
    let client = server.client().await;
    let mut browser = server.signed_in("alice").await;
    let tokens = let_in(&server, &mut browser, &client, KEY).await;
    (server, client, tokens)
}

/// Follows our own redirects to the page that is shown in the end.
async fn follow(browser: &mut Browser<'_>, path: &str) -> (String, Answer) {
    let mut path = path.to_owned();
    loop {
        let answer = browser.get(&path).await;
        match answer.header(LOCATION) {
            "" => return (path, answer),
            to => path = to.to_owned(),
        }
    }
}

/// Sends the form of a page with these fields.
async fn submit(browser: &mut Browser<'_>, path: &str, form: &[(&str, &str)]) -> Answer {
    let page = browser.get(path).await;
    assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text());
    let csrf = page.field("csrf");
    let form: Vec<_> = form.iter().copied().chain([("csrf", csrf.as_str())]).collect();
    browser.post(path, &form).await
}

on_both_engines! {
    async fn a_link_leads_through_the_sign_in_to_its_page(engine: Engine) {
        let (server, _, tokens) = with_device(engine).await;
        let calls = server.homeserver.calls().len();
        for (action, device, heading) in [
            ("profile", "", "Your account"),
            ("devices_list", "", "Sessions"),
            ("sessions_list", "", "Sessions"),
            ("device_view", ENCODED, "Example app"),
            ("session_view", ENCODED, "Example app"),
            ("device_delete", ENCODED, "Sign out this device?"),
            ("session_end", ENCODED, "Sign out this device?"),
            ("account_deactivate", "", "Deactivate your account?"),
            ("cross_signing_reset", "", "Reset your encryption identity?"),
            ("unheard_of", "", "Your account"),
        ] {
            let mut browser = server.browser();
            let path = format!("{}&login_hint=mxid%3A%40alice%3Aexample.org", link(action, device));
            let (_, login) = follow(&mut browser, &path).await;
            assert_eq!(Page::of(&login).texts("h1"), ["Sign in to example.org"], "{action}");
            assert_eq!(login.field("username"), "alice", "{action}");
            let next = login.field("next");
            let welcome = browser.sign_in_at(&login, "alice", PASSWORD, &next).await;
            let (path, page) = follow(&mut browser, welcome.location()).await;
            assert_eq!(Page::of(&page).texts("h1"), [heading], "{action} leads to {path}");
            // Once more, being signed in already.
            let (_, page) = follow(&mut browser, &link(action, device)).await;
            assert_eq!(Page::of(&page).texts("h1"), [heading], "{action}");
        }
        server.run_jobs().await;
        assert!(server.is_active(&tokens.access).await, "no link changes anything");
        let asked: Vec<String> = server.homeserver.calls().split_off(calls).into_iter().map(|call| call.endpoint).collect();
        assert!(asked.iter().all(|call| call == "query_user"), "{asked:?}");
    }

    async fn a_device_that_is_not_ones_own_is_not_found_whosever_it_is(engine: Engine) {
        let (server, _, tokens) = with_device(engine).await;
        server.user("bob").await;
        let mut bob = server.signed_in("bob").await;
        for device in [ENCODED, "NOBODYS", "", "%00", "%3Cscript%3E", "wjLpTLRqbqBzLs63aYaEv2Boi6cFEbbM%2FsSRQ+oAKk4"] {
            for action in ["device_view", "device_delete"] {
                let answer = bob.get(&link(action, device)).await;
                let expected = if device == "%00" { StatusCode::BAD_REQUEST } else { StatusCode::NOT_FOUND };
                assert_eq!(answer.status, expected, "{action} {device}");
                if expected == StatusCode::NOT_FOUND {
                    assert_eq!(Page::of(&answer).texts("h1"), ["This device is not signed in"]);
                }
                let main = Page::of(&answer).main();
                assert!(!main.contains("Example app") && !main.contains("NOBODYS"));
            }
        }
        // The address of the page itself is of no use to others either.
        let (path, _) = follow(&mut server.signed_in("alice").await, &link("device_view", ENCODED)).await;
        let csrf = bob.csrf().await;
        for answer in [bob.get(&path).await, bob.post(&path, &[("csrf", &csrf), ("name", "mine")]).await] {
            assert_eq!(answer.status, StatusCode::NOT_FOUND);
        }
        assert!(server.homeserver.calls_of("update_device_display_name").is_empty());
        assert!(server.is_active(&tokens.access).await);
    }

    async fn a_device_is_named_on_its_page(engine: Engine) {
        let (server, client, _) = with_device(engine).await;
        let mut browser = server.signed_in("alice").await;
        let (path, _) = follow(&mut browser, &link("device_view", ENCODED)).await;
        let page = open(&mut browser, &path).await;
        assert!(page.main().contains(KEY) && page.main().contains("Read and send messages as you"), "{}", page.main());
        assert_eq!(page.texts(".lead"), ["app.example.com"]);
        let answer = submit(&mut browser, &path, &[("name", "  Alice’s <b>phone</b>\u{7} ")]).await;
        assert_eq!(answer.location(), format!("{path}?notice=renamed"));
        let named = |server: &Server| server.homeserver.user("alice").unwrap().devices[KEY].clone();
        assert_eq!(named(&server).as_deref(), Some("Alice’s <b>phone</b>"));
        assert_eq!(open(&mut browser, answer.location()).await.texts("[role=status]"), ["The device has its new name."]);

        let nameless = submit(&mut browser, &path, &[("name", " \u{7}")]).await;
        assert_eq!((nameless.status, Page::of(&nameless).texts(".error")), (StatusCode::BAD_REQUEST, vec!["Enter a name".to_owned()]));
        submit(&mut browser, &path, &[("name", &"ü".repeat(300))]).await;
        assert_eq!(named(&server), Some("ü".repeat(100)), "as long as homeservers take");
        let own = browser.csrf().await;
        let foreign = form_request(&path, &[(ORIGIN, "https://evil.example")], &[("csrf", &own), ("name", "x")]);
        for refused in [browser.post(&path, &[("name", "x")]).await, browser.send(foreign).await] {
            assert_eq!(refused.status, StatusCode::FORBIDDEN);
            assert_eq!(Page::of(&refused).links(".actions a"), [path.as_str()]);
        }
        server.homeserver.answer_with(Some(StatusCode::SERVICE_UNAVAILABLE));
        let stuck = submit(&mut browser, &path, &[("name", "x")]).await;
        assert_eq!(stuck.status, StatusCode::SERVICE_UNAVAILABLE);
        server.homeserver.answer_with(None);
        assert_eq!(named(&server), Some("ü".repeat(100)));

        // A client without a device has no name to give, and one that is gone has no page.
        let without = server.tokens_for("alice", &client, "openid").await;
        let links = open(&mut browser, "/account/sessions").await.links("li.session details a");
        assert_eq!(links.len(), 2);
        let other = links.into_iter().find(|link| *link != path).unwrap();
        assert!(open(&mut browser, &other).await.texts("label").is_empty());
        let csrf = browser.csrf().await;
        assert_eq!(browser.post(&other, &[("csrf", &csrf), ("name", "x")]).await.status, StatusCode::BAD_REQUEST);
        server.post("/oauth2/revoke", &[("token", &without.access), ("client_id", &client)]).await;
        assert_eq!(browser.get(&other).await.location(), "/account/sessions?notice=already-ended");
    }

    async fn an_account_is_deactivated_by_who_means_it(engine: Engine) {
        for erase in [false, true] {
            let (server, client, tokens) = with_device(engine).await;
            let mut browser = server.signed_in("alice").await;
            let mut elsewhere = server.signed_in("alice").await;
            let page = open(&mut browser, DEACTIVATE).await;
            assert!(page.main().contains("You cannot undo this.") && page.main().contains("@alice:example.org"));
            assert!(page.main().contains("You are signed out everywhere, at once."));
            for typed in ["", "bob", "@alice:elsewhere.org", "alice2"] {
                let refused = submit(&mut browser, DEACTIVATE, &[("username", typed), ("erase", "yes")]).await;
                assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{typed}");
                assert_eq!(Page::of(&refused).texts("#summary a"), ["Enter the username of this account"]);
                assert_eq!(Page::of(&refused).texts("input[name=erase][checked]").len(), 1, "what was chosen stays");
            }
            let csrf = browser.csrf().await;
            let foreign = [("csrf", csrf.as_str()), ("username", "alice")];
            let foreign = form_request(DEACTIVATE, &[(ORIGIN, "https://evil.example")], &foreign);
            for refused in [browser.post(DEACTIVATE, &[("username", "alice")]).await, browser.send(foreign).await] {
                assert_eq!(refused.status, StatusCode::FORBIDDEN);
            }
            assert!(server.is_active(&tokens.access).await, "so far nothing has happened");

            let form = [("username", " @Alice:example.org"), ("erase", if erase { "yes" } else { "" })];
            let done = submit(&mut browser, DEACTIVATE, &form).await;
            assert_eq!(done.location(), "/account/deactivate?result=done");
            assert_eq!(open(&mut browser, done.location()).await.texts("h1"), ["Your account is deactivated"]);
            assert!(!server.is_active(&tokens.access).await);
            assert_eq!(server.refresh(&client, &tokens.refresh).await.error(), "invalid_grant");
            for browser in [&mut browser, &mut elsewhere] {
                assert!(browser.get("/account/").await.location().starts_with("/login"));
                assert_eq!(browser.sign_in("alice", PASSWORD, "/").await.status, StatusCode::FORBIDDEN);
            }
            server.run_jobs().await;
            let told = server.homeserver.calls_of("delete_user");
            assert_eq!(told.len(), 1);
            assert_eq!((told[0].text("localpart"), &told[0].given["erase"]), ("alice", &json!(erase)));
            let user = server.homeserver.user("alice").unwrap();
            assert!(user.is_deactivated && user.is_erased == erase && user.devices.is_empty());
        }
    }

    async fn the_homeserver_is_told_of_a_deactivation_once_it_is_back(engine: Engine) {
        let (server, _, _) = with_device(engine).await;
        let mut browser = server.signed_in("alice").await;
        server.homeserver.answer_with(Some(StatusCode::SERVICE_UNAVAILABLE));
        let done = submit(&mut browser, DEACTIVATE, &[("username", "alice")]).await;
        assert_eq!(done.location(), "/account/deactivate?result=done");
        server.run_jobs().await;
        assert!(!server.homeserver.user("alice").unwrap().is_deactivated);
        server.homeserver.answer_with(None);
        server.advance(Duration::from_secs(3));
        server.run_jobs().await;
        assert!(server.homeserver.user("alice").unwrap().is_deactivated);
    }

    async fn cross_signing_keys_may_be_replaced_once_the_person_has_allowed_it(engine: Engine) {
        let (server, _, _) = with_device(engine).await;
        let resets = || server.homeserver.user("alice").unwrap().cross_signing_resets;
        let mut browser = server.signed_in("alice").await;
        let (path, _) = follow(&mut browser, &link("cross_signing_reset", "")).await;
        assert_eq!(path, RESET);
        let page = open(&mut browser, RESET).await;
        assert!(page.main().contains("You may lose encrypted messages.") && page.main().contains("1 device is signed in"));
        let csrf = browser.csrf().await;
        let foreign = form_request(RESET, &[(ORIGIN, "https://evil.example")], &[("csrf", csrf.as_str())]);
        for refused in [browser.post(RESET, &[]).await, browser.send(foreign).await] {
            assert_eq!(refused.status, StatusCode::FORBIDDEN);
        }
        assert_eq!(resets(), 0);
        let done = submit(&mut browser, RESET, &[]).await;
        assert_eq!(resets(), 1, "before the answer, and not by a job");
        let page = open(&mut browser, done.location()).await;
        assert!(page.main().contains("Go back to your app") && page.main().contains("ten minutes"));

        server.homeserver.answer_with(Some(StatusCode::SERVICE_UNAVAILABLE));
        let stuck = submit(&mut browser, RESET, &[]).await;
        assert_eq!(stuck.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(Page::of(&stuck).links(".actions a"), [RESET]);
        server.homeserver.answer_with(None);
        server.run_jobs().await;
        assert_eq!(resets(), 1, "nothing was queued");
        submit(&mut browser, RESET, &[]).await;
        assert_eq!(resets(), 2);
    }

    async fn what_cannot_be_undone_needs_a_sign_in_of_the_last_ten_minutes(engine: Engine) {
        let (server, _, _) = with_device(engine).await;
        for path in [DEACTIVATE, RESET] {
            let mut browser = server.signed_in("alice").await;
            server.advance(Duration::from_secs(599));
            let csrf = browser.get(path).await.field("csrf");
            server.advance(Duration::from_secs(1));
            let form = [("csrf", csrf.as_str()), ("username", "alice")];
            let back = format!("/login?next={}&max_age=600", path.replace('/', "%2F"));
            for refused in [browser.post(path, &form).await, browser.get(path).await] {
                assert_eq!(refused.location(), back);
            }
            let login = browser.get(&back).await;
            assert!(Page::of(&login).main().contains("Sign in again, so that we know it is you."));
            assert_eq!(login.field("username"), "alice");
            // Neither a wrong password nor the page that leads there helps.
            assert_eq!(browser.sign_in_at(&login, "alice", "wrong", path).await.status, StatusCode::FORBIDDEN);
            assert_eq!(browser.get(path).await.location(), back);
            assert_eq!(browser.sign_in_at(&login, "alice", PASSWORD, path).await.location(), path);
            assert_eq!(browser.get(path).await.status, StatusCode::OK);
        }
        assert!(!server.homeserver.user("alice").unwrap().is_deactivated);
        assert_eq!(server.homeserver.user("alice").unwrap().cross_signing_resets, 0);
    }

    async fn what_was_done_is_said_only_by_our_own_page(engine: Engine) {
        let server = Server::start(engine).await;
        for path in [DEACTIVATE, RESET] {
            let request = http::Request::get(format!("{path}?result=done")).header("sec-fetch-site", "cross-site");
            let answer = server.browser().send(request.body(Default::default()).unwrap()).await;
            assert!(answer.location().starts_with("/login?next="), "{path}");
        }
    }
}
