//! What a person sees who lets another device in (RFC 8628 §3.3, §5.1, §5.4; RFC 10027). What the device is
//! told is in `device_grant.rs`.

use std::time::Duration;

use gatehouse::accounts::users;
use gatehouse::config::Limit;
use http::header::{LOCATION, ORIGIN, USER_AGENT};
use http::{Request, StatusCode};
use serde_json::json;

use crate::device_grant::{Begun, DEVICE_CODE, begun, device_client};
use crate::support::page::Page;
use crate::support::server::{
    Answer, Browser, Engine, PASSWORD, Server, form_request, matrix_scope, on_both_engines,
};

/// What a device gets that polls.
async fn error(begun: &Begun, server: &Server) -> String {
    begun.poll(server).await.error()
}

/// Types a code into the page.
async fn enter(browser: &mut Browser<'_>, code: &str) -> Answer {
    let csrf = browser.csrf().await;
    browser.post("/link", &[("csrf", &csrf), ("code", code)]).await
}

on_both_engines! {
    async fn a_code_is_typed_as_people_type(engine: Engine) {
        let (server, _, begun) = begun(engine).await;
        let mut browser = server.signed_in("alice").await;
        let page = browser.get("/link").await;
        assert_eq!((page.status, Page::of(&page).texts("h1")), (StatusCode::OK, vec!["Sign in another device".to_owned()]));
        let plain = begun.user_code.replace('-', "");
        let spaced = plain.chars().map(|c| format!("{c} ")).collect::<String>().to_lowercase();
        for typed in [begun.user_code.clone(), plain.clone(), plain.to_lowercase(), spaced] {
            let answer = enter(&mut browser, &typed).await;
            assert_eq!(answer.location(), begun.path, "{typed}");
            let shown = browser.get(answer.location()).await;
            assert_eq!(Page::of(&shown).texts("p.user-code"), [begun.user_code.as_str()]);
        }
        for typed in ["", "x", "WDJB-MJH1", "<script>alert(1)</script>", &"W".repeat(2000)] {
            let answer = enter(&mut browser, typed).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{typed}");
            assert!(Page::of(&answer).main().contains("No device waits with this code"), "{typed}");
            assert!(!answer.text().contains("<script>alert"));
        }
        assert_eq!(error(&begun, &server).await, "authorization_pending");
    }

    async fn who_is_asked_sees_what_tells_a_stranger_from_oneself(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client_with(json!({
            "client_name": "Example <b>app</b>", "grant_types": [DEVICE_CODE],
        })).await;
        let client = client["client_id"].as_str().unwrap();
        let form = [("client_id", client), ("scope", &matrix_scope("TELEVISION"))];
        let agent = "Element X/25.07.2 (iPhone 14 Pro; iOS 18.5; Scale/3.00)";
        let told = server.post_with("/oauth2/device", &[(USER_AGENT, agent)], &form).await.json();
        let code = told["user_code"].as_str().unwrap();
        server.advance(Duration::from_secs(120));
        let mut browser = server.signed_in("alice").await;
        let answer = browser.get(&format!("/link?code={code}")).await;
        let page = Page::of(&answer);
        let text = page.main();
        assert_eq!(page.texts("h1"), ["Sign in another device?"]);
        assert_eq!(page.texts("p.user-code"), [code]);
        // Its redirect URI would prove a host, but nothing goes there.
        assert!(text.contains("It says it is “Example <b>app</b>”.") && page.texts(".host").is_empty(), "{text}");
        assert!(text.contains("An app on another device") && text.contains("Go on only if you started this yourself"));
        assert_eq!(page.texts(".facts dd")[..2], ["203.0.113.9, which is not this browser’s", "Element X on iPhone"]);
        assert!(page.texts(".facts dd")[2].starts_with("2 minutes ago, "), "{text}");
        assert_eq!(page.texts(".whom .mxid"), ["@alice:example.org"]);
        assert!(text.contains("Read and send messages as you") && text.contains("TELEVISION"));
        assert_eq!(page.texts("[autofocus]"), Vec::<String>::new());
    }

    async fn the_address_of_the_code_leads_through_the_sign_in_and_back(engine: Engine) {
        let (server, _, begun) = begun(engine).await;
        let mut cold = server.browser();
        let to_login = cold.get(&begun.path).await;
        assert!(to_login.location().starts_with("/login?next=%2Flink%3Fcode%3D"), "{}", to_login.location());
        let login = cold.get(to_login.location()).await;
        let next = login.field("next");
        let back = cold.sign_in_at(&login, "alice", PASSWORD, &next).await;
        assert_eq!(back.location(), begun.path);
        assert_eq!(error(&begun, &server).await, "authorization_pending", "a link alone says nothing");
        assert_eq!(begun.answer(&mut cold, "approve").await.location(), "/link?result=allowed");
        assert_eq!(begun.poll(&server).await.status, StatusCode::OK);

        let warm = Begun::new(&server, &begun.client, &matrix_scope("DEVICE0002")).await;
        assert_eq!(cold.get(&warm.path).await.status, StatusCode::OK);
        assert_eq!(warm.answer(&mut cold, "approve").await.location(), "/link?result=allowed");
    }

    async fn an_old_sign_in_is_renewed_first(engine: Engine) {
        let (server, _, begun) = begun(engine).await;
        let mut browser = server.signed_in("alice").await;
        server.advance(Duration::from_secs(599));
        let page = browser.get(&begun.path).await;
        assert_eq!(page.status, StatusCode::OK);
        server.advance(Duration::from_secs(1));
        // Neither to see the page nor to answer one that was open is the old sign-in enough.
        let csrf = page.field("csrf");
        let answered = browser.post("/link", &[("csrf", &csrf), ("code", &begun.user_code), ("answer", "approve")]).await;
        for to_login in [browser.get(&begun.path).await, answered] {
            assert!(to_login.location().starts_with("/login?next=%2Flink%3Fcode%3D"), "{}", to_login.location());
            assert!(to_login.location().ends_with("&max_age=600"));
            let login = browser.get(to_login.location()).await;
            assert_eq!(login.status, StatusCode::OK, "although somebody is signed in");
            assert!(Page::of(&login).main().contains("Sign in again, so that we know it is you."));
        }
        assert_eq!(error(&begun, &server).await, "authorization_pending");
        assert_eq!(browser.sign_in("alice", PASSWORD, &begun.path).await.location(), begun.path);
        assert_eq!(begun.answer(&mut browser, "approve").await.location(), "/link?result=allowed");
    }

    async fn an_answer_needs_the_form_of_the_browser_that_was_asked(engine: Engine) {
        let (server, _, begun) = begun(engine).await;
        let mut browser = server.signed_in("alice").await;
        let own = browser.get(&begun.path).await.field("csrf");
        let another = server.browser().csrf().await;
        let answer = [("code", begun.user_code.as_str()), ("answer", "approve")];
        let with = |csrf| [answer[0], answer[1], ("csrf", csrf)];
        for refused in [
            browser.post("/link", &answer).await,
            browser.post("/link", &with(another.as_str())).await,
            browser.send(form_request("/link", &[(ORIGIN, "https://evil.example")], &with(own.as_str()))).await,
        ] {
            assert_eq!(refused.status, StatusCode::FORBIDDEN);
            assert_eq!(Page::of(&refused).links(".actions a"), [begun.path.as_str()], "the way to try again");
        }
        for answer in ["", "yes"] {
            let form = [("csrf", own.as_str()), ("code", begun.user_code.as_str()), ("answer", answer)];
            assert_ne!(browser.post("/link", &form).await.header(LOCATION), "/link?result=allowed");
        }
        assert_eq!(error(&begun, &server).await, "authorization_pending");
    }

    async fn who_guesses_codes_is_stopped_wherever_they_are_and_whoever_they_are(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.rate_limits.user_code_per_account = Limit { burst: 3, per_hour: 60 };
            config.rate_limits.user_code_per_address = Limit { burst: 5, per_hour: 60 };
        })
        .await;
        let names = ["alice", "bob", "carol"];
        for name in names {
            server.user(name).await;
        }
        let client = device_client(&server).await;
        let begun = Begun::new(&server, &client, "openid").await;
        // Right codes cost nothing.
        let mut browser = server.signed_in("alice").await;
        for _ in 0..8 {
            assert_eq!(browser.get(&begun.path).await.status, StatusCode::OK);
        }
        let wrong = "/link?code=BBBB-BBBB";
        for _ in 0..3 {
            assert_eq!(browser.get(wrong).await.status, StatusCode::BAD_REQUEST);
        }
        // From now on not even a right code is looked at, from other addresses and in other browsers too.
        let mut elsewhere = server.signed_in("alice").await;
        elsewhere.address = "192.0.2.77".to_owned();
        for answer in [browser.get(wrong).await, browser.get(&begun.path).await, elsewhere.get(&begun.path).await] {
            assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "60"));
            assert!(Page::of(&answer).main().contains("There were too many wrong codes. Try again in 1 minute"));
        }
        let csrf = browser.csrf().await;
        let form = [("csrf", csrf.as_str()), ("code", begun.user_code.as_str()), ("answer", "approve")];
        assert_eq!(browser.post("/link", &form).await.status, StatusCode::TOO_MANY_REQUESTS);
        // Nor from the address that one person after the other tries from.
        let mut tried = Vec::new();
        for name in &names[1..] {
            let mut browser = server.signed_in(name).await;
            for _ in 0..2 {
                tried.push(browser.get(wrong).await.status.as_u16());
            }
        }
        assert!(tried.starts_with(&[400]) && tried.ends_with(&[429]), "{tried:?}");
        assert_eq!(error(&begun, &server).await, "authorization_pending");
        // Ten minutes later alice may try again.
        server.advance(Duration::from_secs(600));
        browser.sign_in("alice", PASSWORD, "/").await;
        assert_eq!(browser.get(&begun.path).await.status, StatusCode::OK);
        // Who is not signed in learns nothing at all.
        let mut stranger = server.browser();
        for path in [wrong, begun.path.as_str()] {
            assert!(stranger.get(path).await.location().starts_with("/login?next=%2Flink%3Fcode%3D"));
        }
    }

    async fn what_was_done_is_shown_only_to_those_who_come_from_our_own_page(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        for (result, heading) in [("allowed", "Go back to your other device"), ("denied", "The device was not let in"), ("x", "Sign in another device")] {
            for (site, heading) in [("same-origin", heading), ("cross-site", "Sign in another device"), ("none", "Sign in another device")] {
                let request = Request::get(format!("/link?result={result}")).header("sec-fetch-site", site);
                let answer = browser.send(request.body(Default::default()).unwrap()).await;
                assert_eq!(Page::of(&answer).texts("h1"), [heading], "{result} {site}");
            }
        }
    }

    async fn the_policy_is_asked_when_the_page_is_shown_and_when_it_is_answered(engine: Engine) {
        let (server, alice, begun) = begun(engine).await;
        let scope = format!("{} urn:synapse:admin:*", matrix_scope("DEVICE0002"));
        let for_admins = Begun::new(&server, &begun.client, &scope).await;
        let mut browser = server.signed_in("alice").await;
        let page = browser.get(&for_admins.path).await;
        assert_eq!((page.status, Page::of(&page).texts("h1")), (StatusCode::FORBIDDEN, vec!["Your account may not do this".to_owned()]));
        assert_eq!(error(&for_admins, &server).await, "authorization_pending", "somebody else may be meant");
        let now = server.app.clock.now();
        let set = async |is_admin| {
            let mut tx = server.app.store.begin().await.unwrap();
            users::set_admin(&mut tx, alice, is_admin, now).await.unwrap();
            tx.commit().await.unwrap();
        };
        set(true).await;
        let csrf = browser.get(&for_admins.path).await.field("csrf");
        set(false).await;
        let form = [("csrf", csrf.as_str()), ("code", for_admins.user_code.as_str()), ("answer", "approve")];
        assert_eq!(browser.post("/link", &form).await.status, StatusCode::FORBIDDEN);
        assert_eq!(error(&for_admins, &server).await, "access_denied");
        assert_eq!(begun.answer(&mut browser, "approve").await.location(), "/link?result=allowed");
    }

    async fn who_has_too_many_sessions_is_told_before_letting_one_more_in(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.policy.data = json!({ "sessions": { "soft_limit": 1 } }).as_object().cloned().unwrap();
        })
        .await;
        server.user("alice").await;
        let client = device_client(&server).await;
        let (first, second) = (
            Begun::new(&server, &client, &matrix_scope("DEVICE0001")).await,
            Begun::new(&server, &client, &matrix_scope("DEVICE0002")).await,
        );
        let mut browser = server.signed_in("alice").await;
        let csrf = browser.get(&second.path).await.field("csrf");
        first.answer(&mut browser, "approve").await;
        assert_eq!(first.poll(&server).await.status, StatusCode::OK);
        let form = [("csrf", csrf.as_str()), ("code", second.user_code.as_str()), ("answer", "approve")];
        for answer in [browser.get(&second.path).await, browser.post("/link", &form).await] {
            let page = Page::of(&answer);
            assert_eq!(page.texts("h1"), ["You are signed in on too many devices"]);
            assert_eq!(page.links(".actions a"), [second.path.as_str()]);
        }
        assert_eq!(error(&second, &server).await, "authorization_pending");
    }

    async fn a_homeserver_that_is_down_is_told_before_anything_is_allowed(engine: Engine) {
        let mut server = Server::start(engine).await;
        server.user_not_provisioned("alice").await;
        let begun = Begun::new(&server, &device_client(&server).await, &matrix_scope("DEVICE0001")).await;
        server.homeserver.go_down().await;
        let mut browser = server.signed_in("alice").await;
        let stuck = begun.answer(&mut browser, "approve").await;
        assert_eq!(stuck.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(Page::of(&stuck).links(".actions a"), [begun.path.as_str()]);
        assert_eq!(error(&begun, &server).await, "authorization_pending");
    }
}
