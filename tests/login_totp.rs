//! Authenticator apps: setting one up, and signing in with its codes.

use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::config::Limit;
use http::{Request, StatusCode};

use crate::support::factors::{
    ADD_APP, Authenticator, SECOND, SECURITY, add_app, confirm_app, enter, first_step, sign_in, user_with_app,
};
use crate::support::page::Page;
use crate::support::server::{Browser, Engine, PASSWORD, Server, on_both_engines};

const MINUTE: Duration = Duration::from_secs(60);

on_both_engines! {
    async fn an_app_counts_once_a_code_of_it_was_shown(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let page = browser.get(ADD_APP).await;
        assert!(page.text().contains("<svg"), "a picture to scan");
        let app = Authenticator::of(&page);
        let wrong = confirm_app(&mut browser, ADD_APP, &page, "Phone", &app.wrong_code(&server)).await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
        assert_eq!(Authenticator::of(&wrong).code_in(&server, 0), app.code_in(&server, 0), "the same app goes on");

        // Nothing counts yet.
        let answer = server.browser().sign_in("alice", PASSWORD, SECURITY).await;
        assert_eq!(answer.location(), SECURITY);

        let answer = confirm_app(&mut browser, ADD_APP, &wrong, "Phone", &app.code_in(&server, 0)).await;
        assert!(answer.location().starts_with("/account/security/recovery-codes?next="), "{}", answer.location());
        let page = Page::of(&browser.get(SECURITY).await);
        assert_eq!(page.texts(".list-rows h3"), ["Phone"]);
        let path = first_step(&mut server.browser(), "alice", SECURITY).await;
        assert_eq!(path, format!("{SECOND}?next=%2Faccount%2Fsecurity"));
    }

    async fn each_code_is_good_once(engine: Engine) {
        let server = Server::start(engine).await;
        let app = user_with_app(&server, "alice").await;
        let code = app.next_code(&server);
        for (good, late) in [(true, 0), (false, 0), (false, 29)] {
            server.advance(Duration::from_secs(late));
            let mut browser = server.browser();
            first_step(&mut browser, "alice", SECURITY).await;
            let answer = enter(&mut browser, SECOND, SECURITY, &code, &[]).await;
            assert_eq!(answer.status == StatusCode::SEE_OTHER, good, "{late}: {}", answer.text());
            assert_eq!(browser.get(SECURITY).await.status == StatusCode::OK, good);
        }
    }

    async fn the_code_that_set_the_app_up_is_spent(engine: Engine) {
        let server = Server::start(engine).await;
        let app = user_with_app(&server, "alice").await;
        let mut browser = server.browser();
        first_step(&mut browser, "alice", SECURITY).await;
        let answer = enter(&mut browser, SECOND, SECURITY, &app.code_in(&server, 0), &[]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }

    async fn of_many_requests_with_one_code_one_succeeds(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            let wide = Limit { burst: 100, per_hour: 100 };
            config.rate_limits.second_step_per_account = wide;
            config.rate_limits.second_step_per_address = wide;
        }).await;
        let app = user_with_app(&server, "alice").await;
        let mut browsers = Vec::new();
        for _ in 0..8 {
            let mut browser = server.browser();
            first_step(&mut browser, "alice", SECURITY).await;
            browsers.push(browser);
        }
        let code = app.next_code(&server);
        let tried = browsers.iter_mut().map(|browser| enter(browser, SECOND, SECURITY, &code, &[]));
        let statuses: Vec<_> = join_all(tried).await.iter().map(|answer| answer.status).collect();
        let let_in = statuses.iter().filter(|status| **status == StatusCode::SEE_OTHER).count();
        assert_eq!(let_in, 1, "{statuses:?}");
    }

    async fn a_clock_may_be_wrong_by_one_step_either_side(engine: Engine) {
        let server = Server::start(engine).await;
        let app = user_with_app(&server, "alice").await;
        for (seconds, good) in [(-60, false), (-30, true), (60, false), (30, true)] {
            server.advance(5 * MINUTE);
            let mut browser = server.browser();
            first_step(&mut browser, "alice", SECURITY).await;
            let answer = enter(&mut browser, SECOND, SECURITY, &app.code_in(&server, seconds), &[]).await;
            assert_eq!(answer.status == StatusCode::SEE_OTHER, good, "{seconds}");
        }
    }

    async fn each_of_several_apps_will_do(engine: Engine) {
        let server = Server::start(engine).await;
        let phone = user_with_app(&server, "alice").await;
        let mut browser = server.browser();
        sign_in(&server, &mut browser, "alice", &phone, SECURITY).await;
        let manager = add_app(&server, &mut browser, "<b>Manager\u{202e}").await;
        let page = Page::of(&browser.get(SECURITY).await);
        assert_eq!(page.texts(".list-rows h3"), ["Phone", "<b>Manager"]);
        for app in [&phone, &manager, &phone] {
            sign_in(&server, &mut server.browser(), "alice", app, SECURITY).await;
        }
        // Nobody else's will.
        let other = user_with_app(&server, "bob").await;
        let mut browser = server.browser();
        first_step(&mut browser, "alice", SECURITY).await;
        let answer = enter(&mut browser, SECOND, SECURITY, &other.next_code(&server), &[]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }

    async fn a_form_sets_up_one_app_once_for_one_person(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        server.user("bob").await;
        let (mut alice, mut bob) = (server.signed_in("alice").await, server.signed_in("bob").await);
        let page = alice.get(ADD_APP).await;
        let app = Authenticator::of(&page);
        // What was made for one person is worth nothing to another.
        let csrf = bob.csrf().await;
        let (sealed, code) = (page.field("enrolment"), app.code_in(&server, 0));
        let answer = bob.post(ADD_APP, &[("csrf", &csrf), ("enrolment", &sealed), ("code", &code)]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);

        assert_eq!(confirm_app(&mut alice, ADD_APP, &page, "", &code).await.status, StatusCode::SEE_OTHER);
        // Otherwise each code would be good once for either of the two.
        let again = confirm_app(&mut alice, ADD_APP, &page, "", &app.next_code(&server)).await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST);
        assert_eq!(Page::of(&alice.get(SECURITY).await).texts(".list-rows h3"), ["Authenticator app"]);

        // Nor is a form good for ever.
        let page = bob.get(ADD_APP).await;
        server.advance(Duration::from_secs(3600));
        let mut bob = server.signed_in("bob").await;
        let code = Authenticator::of(&page).code_in(&server, 0);
        let (csrf, sealed) = (bob.csrf().await, page.field("enrolment"));
        let answer = bob.post(ADD_APP, &[("csrf", &csrf), ("enrolment", &sealed), ("code", &code)]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }

    async fn guesses_are_limited_by_account_and_by_address(engine: Engine) {
        for by_account in [true, false] {
            let server = Server::start_with(engine, |config| {
                let (tight, wide) = (Limit { burst: 3, per_hour: 60 }, Limit { burst: 1000, per_hour: 1000 });
                let limits = &mut config.rate_limits;
                limits.second_step_per_account = if by_account { tight } else { wide };
                limits.second_step_per_address = if by_account { wide } else { tight };
            }).await;
            let app = user_with_app(&server, "alice").await;
            let mut statuses = Vec::new();
            for number in 0..5 {
                let mut browser = server.browser();
                first_step(&mut browser, "alice", SECURITY).await;
                if by_account {
                    browser.address = format!("198.51.100.{number}");
                }
                statuses.push(enter(&mut browser, SECOND, SECURITY, &app.wrong_code(&server), &[]).await.status.as_u16());
            }
            assert_eq!(statuses, [403, 403, 403, 429, 429], "{by_account}");
            // Not even the right one is looked at then.
            let mut browser = server.browser();
            first_step(&mut browser, "alice", SECURITY).await;
            let code = app.code_in(&server, 30);
            let answer = enter(&mut browser, SECOND, SECURITY, &code, &[]).await;
            assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
            assert!(!answer.header("retry-after").is_empty());
            // A minute later there is one try again, and a right code costs none.
            server.advance(MINUTE);
            sign_in(&server, &mut browser, "alice", &app, SECURITY).await;
            sign_in(&server, &mut server.browser(), "alice", &app, SECURITY).await;
        }
    }

    async fn who_guesses_on_with_the_password_keeps_nobody_out(engine: Engine) {
        let server = Server::start(engine).await;
        let app = user_with_app(&server, "alice").await;
        let mut own = server.browser();
        sign_in(&server, &mut own, "alice", &app, SECURITY).await;
        let csrf = own.csrf().await;
        own.post("/logout", &[("csrf", &csrf)]).await;
        let mut thief = server.browser();
        first_step(&mut thief, "alice", SECURITY).await;
        let mut status = StatusCode::FORBIDDEN;
        for number in 0..30 {
            thief.address = format!("203.0.113.{number}");
            status = enter(&mut thief, SECOND, SECURITY, &app.wrong_code(&server), &[]).await.status;
        }
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
        sign_in(&server, &mut own, "alice", &app, SECURITY).await;
    }

    async fn secrets_are_encrypted_and_tied_to_their_owner(engine: Engine) {
        let server = Server::start(engine).await;
        let app = user_with_app(&server, "alice").await;
        let bob = server.user("bob").await;
        let mut tx = server.app.store.begin().await.unwrap();
        // Whoever can write to the database cannot give one account the app of another.
        let give = "UPDATE authenticator_apps SET user_id = $1";
        gatehouse::store::query(give).bind(bob.id).execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let mut browser = server.browser();
        first_step(&mut browser, "bob", SECURITY).await;
        let answer = enter(&mut browser, SECOND, SECURITY, &app.next_code(&server), &[]).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(answer.headers.get("set-cookie").is_none());
    }

    async fn a_person_can_have_ten(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        for number in 0..10 {
            add_app(&server, &mut browser, &format!("App {number}")).await;
        }
        let answer = browser.get(ADD_APP).await;
        assert_eq!(answer.location(), "/account/security?notice=too-many-apps");
        let page = Page::of(&open(&mut browser, answer.location()).await);
        assert!(page.texts("[role=status]")[0].starts_with("You have as many"), "{}", page.main());
    }
}

async fn open(browser: &mut Browser<'_>, path: &str) -> crate::support::server::Answer {
    let request = Request::get(path).header("sec-fetch-site", "same-origin");
    browser.send(request.body(Default::default()).expect("a request")).await
}
