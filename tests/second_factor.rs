//! The second step, in every flow; the rules of the admin; and browsers that are remembered.

use std::time::{Duration, Instant};

use gatehouse::accounts::new_password::{self, Chooser};
use gatehouse::accounts::users;
use gatehouse::app::App;
use gatehouse::config::RequiredFor;
use gatehouse::http::pages::Site;
use gatehouse::routes;
use gatehouse::store::query;
use http::{Request, StatusCode};
use serde_json::json;

use crate::compat_sso;
use crate::device_grant::begun;
use crate::passkeys::{assert_added, enrol};
use crate::support::authenticator::Authenticator as SecurityDevice;
use crate::support::factors::{
    Authenticator, SECOND, SECURITY, add_app, confirm_app, enter, first_step, make_codes, sign_in,
    user_with_app,
};
use crate::support::page::Page;
use crate::support::server::{
    Browser, Engine, PASSWORD, Server, authorization_query, code_form, matrix_scope, on_both_engines, send_to,
};

const DAY: Duration = Duration::from_secs(86_400);
const REMEMBER: [(&str, &str); 1] = [("remember", "yes")];

/// How many browser sessions there are, live or not.
async fn sessions(server: &Server) -> i64 {
    query("SELECT COUNT(*) AS n FROM browser_sessions").fetch_one(&server.app.store).await.expect("a number")
}

/// Whether somebody is signed in with the browser.
async fn is_signed_in(browser: &mut Browser<'_>) -> bool {
    browser.get("/account/").await.status == StatusCode::OK
}

async fn make_admin(server: &Server, localpart: &str) {
    let user = users::find_by_localpart(&server.app.store, localpart).await.unwrap().unwrap();
    let mut tx = server.app.store.begin().await.unwrap();
    users::set_admin(&mut tx, user.id, true, server.app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
}

on_both_engines! {
    async fn it_is_asked_for_on_the_way_to_every_place(engine: Engine) {
        let (server, _, begun) = begun(engine).await;
        let mut owner = server.signed_in("alice").await;
        let app = add_app(&server, &mut owner, "Phone").await;
        let client = server.client().await;
        let authorization = {
            let query = authorization_query(&client, &matrix_scope("DEVICE0001"), &[]);
            server.get(&format!("/authorize?{query}")).await.location().to_owned()
        };
        let sso = compat_sso::begin(&server, "https://app.example.com/").await;
        for next in [authorization.as_str(), &begun.path, &sso, SECURITY, "/account/sessions"] {
            let mut browser = server.browser();
            let before = sessions(&server).await;
            let path = first_step(&mut browser, "alice", next).await;
            assert!(path.starts_with("/login/second?next="), "{path}");
            assert_eq!(browser.get(&path).await.status, StatusCode::OK);
            // Neither an abandoned nor a failed second step leaves a session.
            assert!(browser.get(next).await.location().starts_with("/login?next="), "{next}");
            let wrong = enter(&mut browser, SECOND, next, &app.wrong_code(&server), &[]).await;
            assert_eq!(wrong.status, StatusCode::FORBIDDEN);
            assert!(!is_signed_in(&mut browser).await);
            assert_eq!(sessions(&server).await, before, "{next}");
            let answer = enter(&mut browser, SECOND, next, &app.next_code(&server), &[]).await;
            assert_eq!(answer.location(), next);
            assert_eq!(browser.get(next).await.status, StatusCode::OK, "{next}");
            assert!(!browser.cookies.contains_key("__Host-gatehouse_attempt"));
        }
    }

    async fn a_wrong_password_looks_the_same_with_and_without_it(engine: Engine) {
        let server = Server::start(engine).await;
        user_with_app(&server, "alice").await;
        server.user("bob").await;
        let mut pages = Vec::new();
        for name in ["alice", "bob", "nobody"] {
            let answer = server.browser().sign_in(name, "a wrong password", SECURITY).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
            assert!(!answer.headers.get_all("set-cookie").iter().any(|cookie| {
                cookie.to_str().unwrap_or_default().contains("attempt")
            }));
            pages.push(Page::of(&answer).main());
        }
        assert_eq!(pages[0], pages[1]);
        assert_eq!(pages[0], pages[2]);
    }

    async fn without_the_first_step_there_is_no_second(engine: Engine) {
        let server = Server::start(engine).await;
        let app = user_with_app(&server, "alice").await;
        for path in [SECOND, "/login/recovery-code", "/login/enrol"] {
            let mut browser = server.browser();
            assert_eq!(browser.get(path).await.location(), "/login", "{path}");
            let answer = enter(&mut browser, path, SECURITY, &app.next_code(&server), &[]).await;
            assert_eq!(answer.location(), "/login?next=%2Faccount%2Fsecurity", "{path}");
            let made_up = gatehouse::keys::random_secret();
            browser.cookies.insert("__Host-gatehouse_attempt".to_owned(), made_up);
            assert_eq!(browser.get(path).await.location(), "/login", "{path}");
        }
    }

    async fn an_attempt_ends_in_time_and_with_the_password_and_once(engine: Engine) {
        let server = Server::start(engine).await;
        let app = user_with_app(&server, "alice").await;
        let alice = users::find_by_localpart(&server.app.store, "alice").await.unwrap().unwrap();

        let mut late = server.browser();
        first_step(&mut late, "alice", SECURITY).await;
        server.advance(Duration::from_secs(10 * 60));
        assert_eq!(late.get(SECOND).await.location(), "/login");

        let mut changed = server.browser();
        first_step(&mut changed, "alice", SECURITY).await;
        server.advance(Duration::from_secs(1));
        let password = gatehouse::keys::Password::new(PASSWORD.to_owned()).unwrap();
        let hash = new_password::hash(&server.app, &Chooser::new("alice", None), password).await.unwrap().unwrap();
        let mut tx = server.app.store.begin().await.unwrap();
        gatehouse::accounts::passwords::set(&mut tx, alice.id, &hash, server.app.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(changed.get(SECOND).await.location(), "/login", "who knew the old password is out");

        let mut browser = server.browser();
        first_step(&mut browser, "alice", SECURITY).await;
        let secret = browser.cookies["__Host-gatehouse_attempt"].clone();
        enter(&mut browser, SECOND, SECURITY, &app.next_code(&server), &[]).await;
        let mut thief = server.browser();
        thief.cookies.insert("__Host-gatehouse_attempt".to_owned(), secret);
        assert_eq!(thief.get(SECOND).await.location(), "/login");
    }

    async fn an_attempt_of_one_person_never_lets_in_another(engine: Engine) {
        let server = Server::start(engine).await;
        let alices = user_with_app(&server, "alice").await;
        user_with_app(&server, "bob").await;
        let mut browser = server.browser();
        first_step(&mut browser, "bob", SECURITY).await;
        // Naming somebody else on the way changes nothing.
        let more = [("username", "alice"), ("user_id", "alice")];
        let answer = enter(&mut browser, SECOND, SECURITY, &alices.next_code(&server), &more).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }

    async fn older_clients_read_the_same_whether_the_password_was_right(engine: Engine) {
        let server = Server::start(engine).await;
        user_with_app(&server, "alice").await;
        let right = server.log_in("alice", json!({})).await;
        let wrong = server.log_in("alice", json!({ "password": "a wrong password" })).await;
        let nobody = server.log_in("nobody", json!({})).await;
        assert_eq!(right.refusal(), (403, "M_FORBIDDEN".to_owned()));
        assert_eq!((right.status, right.text()), (wrong.status, wrong.text()));
        assert_eq!(right.text(), nobody.text());
        // Nor do the limits tell: both count.
        let mut left = Vec::new();
        for password in [PASSWORD, "a wrong password"] {
            let server = Server::start(engine).await;
            user_with_app(&server, "alice").await;
            let mut tries = 0;
            while server.log_in("alice", json!({ "password": password })).await.status == StatusCode::FORBIDDEN {
                tries += 1;
            }
            left.push(tries);
        }
        assert_eq!(left[0], left[1]);
        // Somebody who must have one and has none yet is no exception.
        let server = Server::start_with(engine, |config| {
            config.second_factor.required_for_scopes = vec!["urn:matrix:client:api:*".to_owned()];
        }).await;
        server.user("bob").await;
        assert_eq!(server.log_in("bob", json!({})).await.refusal(), (403, "M_FORBIDDEN".to_owned()));
    }

    async fn a_remembered_browser_is_spared_the_second_step_for_a_while(engine: Engine) {
        let server = Server::start(engine).await;
        let app = user_with_app(&server, "alice").await;
        let bobs = user_with_app(&server, "bob").await;
        let mut browser = server.browser();
        first_step(&mut browser, "alice", SECURITY).await;
        enter(&mut browser, SECOND, SECURITY, &app.next_code(&server), &REMEMBER).await;
        let csrf = browser.csrf().await;
        browser.post("/logout", &[("csrf", &csrf)]).await;

        assert_eq!(first_step(&mut browser, "alice", "/account/").await, "/account/");
        let page = Page::of(&browser.get(SECURITY).await);
        assert!(page.main().contains("In these browsers your password is enough"), "{}", page.main());
        // It is remembered for one person, and no other browser is.
        assert!(first_step(&mut server.browser(), "alice", SECURITY).await.starts_with(SECOND));
        let csrf = browser.csrf().await;
        browser.post("/logout", &[("csrf", &csrf)]).await;
        assert!(first_step(&mut browser, "bob", SECURITY).await.starts_with(SECOND));
        enter(&mut browser, SECOND, SECURITY, &bobs.next_code(&server), &[]).await;

        server.advance(DAY * 30);
        assert!(first_step(&mut browser, "alice", SECURITY).await.starts_with(SECOND));
    }

    async fn who_changes_a_factor_is_offered_to_end_all_other_sessions(engine: Engine) {
        const END_OTHERS: &str = "/account/sessions/end-others";
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut other = server.signed_in("alice").await;
        let mut browser = server.signed_in("alice").await;
        let offers = async |browser: &mut Browser<'_>, path: &str| {
            Page::of(&browser.get(path).await).links("[role=status] a").contains(&END_OTHERS.to_owned())
        };
        add_app(&server, &mut browser, "Phone").await;
        assert!(offers(&mut browser, "/account/security?notice=app-added").await);
        let added = enrol(&mut browser, "/account/security/passkeys/new", &mut SecurityDevice::new()).await;
        assert!(offers(&mut browser, &assert_added(&added)).await);
        let page = Page::of(&browser.get(SECURITY).await);
        let remove = page.links("a[href*=apps][href$=remove]").remove(0);
        let csrf = browser.csrf().await;
        let removed = browser.post(&remove, &[("csrf", &csrf)]).await;
        assert_eq!(removed.location(), "/account/security?notice=app-removed");
        assert!(offers(&mut browser, removed.location()).await);
        assert!(!offers(&mut browser, "/account/security?notice=last-factor").await, "nothing was changed then");
        browser.post(END_OTHERS, &[("csrf", &csrf)]).await.location();
        assert!(!is_signed_in(&mut other).await && is_signed_in(&mut browser).await);
    }

    async fn nobody_plants_what_a_browser_is_remembered_by(engine: Engine) {
        let server = Server::start(engine).await;
        let app = user_with_app(&server, "alice").await;
        let thiefs_app = user_with_app(&server, "thief").await;
        let mut thief = server.browser();
        first_step(&mut thief, "thief", SECURITY).await;
        enter(&mut thief, SECOND, SECURITY, &thiefs_app.next_code(&server), &REMEMBER).await;
        // Somebody has put what their browser keeps into alice's.
        thief.cookies.retain(|name, _| name.contains("browser"));
        assert_eq!(thief.cookies.len(), 2);
        let mut alices = server.browser();
        alices.cookies = thief.cookies.clone();
        first_step(&mut alices, "alice", SECURITY).await;
        enter(&mut alices, SECOND, SECURITY, &app.next_code(&server), &REMEMBER).await;
        let csrf = alices.csrf().await;
        alices.post("/logout", &[("csrf", &csrf)]).await.location();
        assert_eq!(first_step(&mut alices, "alice", "/account/email").await, "/account/email");
        let path = first_step(&mut thief, "alice", SECURITY).await;
        assert!(path.starts_with(SECOND), "what counts was made when alice had shown her code");
    }

    async fn remembered_browsers_are_forgotten_when_asked_and_with_the_password(engine: Engine) {
        let server = Server::start(engine).await;
        let app = user_with_app(&server, "alice").await;
        let alice = users::find_by_localpart(&server.app.store, "alice").await.unwrap().unwrap();
        let mut remembered = server.browser();
        let mut other = server.browser();
        sign_in(&server, &mut other, "alice", &app, SECURITY).await;
        for by in ["the person", "a new password", "the admin's setting"] {
            let mut browser = server.browser();
            first_step(&mut browser, "alice", SECURITY).await;
            enter(&mut browser, SECOND, SECURITY, &app.next_code(&server), &REMEMBER).await;
            remembered.cookies = browser.cookies.clone();
            remembered.cookies.retain(|name, _| name.contains("browser"));
            match by {
                "the person" => {
                    let page = other.get(SECURITY).await;
                    let document = scraper::Html::parse_document(&page.text());
                    let form = scraper::Selector::parse("form[action$=forget]").unwrap();
                    let action = document.select(&form).next().unwrap().attr("action").unwrap().to_owned();
                    let csrf = page.field("csrf");
                    let answer = other.post(&action, &[("csrf", &csrf)]).await;
                    assert_eq!(answer.location(), "/account/security?notice=browser-forgotten");
                }
                "a new password" => {
                    let password = gatehouse::keys::Password::new(PASSWORD.to_owned()).unwrap();
                    let hash = new_password::hash(&server.app, &Chooser::new("alice", None), password).await.unwrap().unwrap();
                    let now = server.app.clock.now();
                    let mut tx = server.app.store.begin().await.unwrap();
                    gatehouse::accounts::passwords::set(&mut tx, alice.id, &hash, now).await.unwrap();
                    tx.commit().await.unwrap();
                }
                _ => {
                    // The limit counts from the beginning, also when it was made shorter since.
                    let change = "UPDATE remembered_browsers SET created_at = created_at - $1";
                    query(change).bind(31 * 86_400_000_i64).execute_alone(&server.app.store).await.unwrap();
                }
            }
            assert!(first_step(&mut remembered, "alice", SECURITY).await.starts_with(SECOND), "{by}");
        }
    }

    async fn nobody_forgets_the_browsers_of_others(engine: Engine) {
        let server = Server::start(engine).await;
        let app = user_with_app(&server, "alice").await;
        let mut browser = server.browser();
        first_step(&mut browser, "alice", SECURITY).await;
        enter(&mut browser, SECOND, SECURITY, &app.next_code(&server), &REMEMBER).await;
        let page = browser.get(SECURITY).await;
        let document = scraper::Html::parse_document(&page.text());
        let form = scraper::Selector::parse("form[action$=forget]").unwrap();
        let action = document.select(&form).next().unwrap().attr("action").unwrap().to_owned();
        server.user("mallory").await;
        let mut mallory = server.signed_in("mallory").await;
        let csrf = mallory.csrf().await;
        mallory.post(&action, &[("csrf", &csrf)]).await;
        assert!(Page::of(&browser.get(SECURITY).await).main().contains("Forget"));
    }

    async fn who_must_have_one_sets_it_up_in_the_sign_in(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.second_factor.required_for = RequiredFor::Everybody;
        }).await;
        server.user("alice").await;
        let mut browser = server.browser();
        let path = first_step(&mut browser, "alice", "/account/sessions").await;
        let path = browser.get(&path).await.location().to_owned();
        assert!(path.starts_with("/login/enrol?next="), "{path}");
        let page = browser.get(&path).await;
        assert!(Page::of(&page).main().contains("A second factor is required here."));
        assert!(!is_signed_in(&mut browser).await);
        assert_eq!(sessions(&server).await, 0);

        let app = Authenticator::of(&page);
        let next = page.field("next");
        let (csrf, sealed, code) = (page.field("csrf"), page.field("enrolment"), app.code_in(&server, 0));
        let form = [("csrf", csrf.as_str()), ("enrolment", &sealed), ("next", &next), ("code", &code)];
        let answer = browser.post("/login/enrol", &form).await;
        let codes = "/account/security/recovery-codes?next=%2Faccount%2Fsessions";
        assert_eq!(answer.location(), codes);
        // The proof is fresh and strong enough for what follows.
        assert_eq!(browser.get(codes).await.status, StatusCode::OK);
        sign_in(&server, &mut server.browser(), "alice", &app, SECURITY).await;
    }

    async fn nobody_gets_around_a_factor_by_setting_up_another(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.second_factor.required_for = RequiredFor::Everybody;
        }).await;
        server.user("alice").await;
        // Two know the password; one of them is faster.
        let (mut alice, mut mallory) = (server.browser(), server.browser());
        first_step(&mut alice, "alice", SECURITY).await;
        first_step(&mut mallory, "alice", SECURITY).await;
        let (hers, his) = (alice.get("/login/enrol").await, mallory.get("/login/enrol").await);
        let code = Authenticator::of(&hers).code_in(&server, 0);
        assert_eq!(confirm_app(&mut alice, "/login/enrol", &hers, "", &code).await.status, StatusCode::SEE_OTHER);
        let code = Authenticator::of(&his).code_in(&server, 0);
        let answer = confirm_app(&mut mallory, "/login/enrol", &his, "", &code).await;
        assert_eq!(answer.location(), SECOND);
        assert!(!is_signed_in(&mut mallory).await);
    }

    async fn the_rule_holds_for_admins_alone_and_at_once(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.second_factor.required_for = RequiredFor::Admins;
        }).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        assert!(is_signed_in(&mut browser).await);
        make_admin(&server, "alice").await;
        // The session that is there is not enough any more, on no path.
        let client = server.client().await;
        let query = authorization_query(&client, &matrix_scope("DEVICE0001"), &[("prompt", "none")]);
        let silent = browser.get(&format!("/authorize?{query}")).await.location().to_owned();
        let silent = browser.get(&silent).await;
        assert_eq!(silent.query_parameter("error").as_deref(), Some("login_required"));
        for path in ["/account/", SECURITY, "/account/sessions", "/link", "/account/deactivate"] {
            let to_login = browser.get(path).await.location().to_owned();
            assert!(to_login.starts_with("/login?next="), "{path}");
            assert!(browser.get(&to_login).await.location().starts_with("/login/second?next="), "{path}");
        }
    }

    async fn clients_and_scopes_can_demand_one(engine: Engine) {
        for by_scope in [true, false] {
            let server = Server::start(engine).await;
            let client = server.client().await;
            let server = {
                let (mut config, client) = (server.config.clone(), client.clone());
                match by_scope {
                    true => config.second_factor.required_for_scopes = vec!["urn:matrix:client:api:*".to_owned()],
                    false => config.second_factor.required_for_clients = vec![client],
                }
                server.restart_with(config).await
            };
            let app = user_with_app(&server, "alice").await;
            server.user("bob").await;
            let old = "urn:matrix:org.matrix.msc2967.client:api:* urn:matrix:org.matrix.msc2967.client:device:OLD0000000";
            for scope in [matrix_scope("DEVICE0001").as_str(), old] {
                // A remembered browser does not count here.
                let mut browser = server.browser();
                first_step(&mut browser, "alice", SECURITY).await;
                enter(&mut browser, SECOND, SECURITY, &app.next_code(&server), &REMEMBER).await;
                let csrf = browser.csrf().await;
                browser.post("/logout", &[("csrf", &csrf)]).await;
                first_step(&mut browser, "alice", "/account/").await;
                let (path, led) = browser.ask(&authorization_query(&client, scope, &[])).await;
                assert!(led.location().ends_with("&second=required"), "{}", led.location());
                // The password of a moment ago need not be typed again.
                let second = browser.get(led.location()).await.location().to_owned();
                assert!(second.starts_with(SECOND), "{second}");
                let answer = enter(&mut browser, SECOND, &path, &app.next_code(&server), &[]).await;
                assert_eq!(answer.location(), path);
                assert_eq!(browser.get(&path).await.status, StatusCode::OK);

                // Who has none sets one up; for other things the password is enough.
                let mut bob = server.signed_in("bob").await;
                let (_, led) = bob.ask(&authorization_query(&client, scope, &[])).await;
                let second = bob.get(led.location()).await.location().to_owned();
                let enrol = bob.get(&second).await.location().to_owned();
                assert!(enrol.starts_with("/login/enrol?next="), "{enrol}");
            }
        }
    }

    async fn a_scope_demands_one_of_devices_and_older_clients_too(engine: Engine) {
        let (server, _, begun) = begun(engine).await;
        let mut config = server.config.clone();
        config.second_factor.required_for_scopes = vec!["urn:matrix:client:api:*".to_owned()];
        let server = server.restart_with(config).await;
        let mut browser = server.signed_in("alice").await;
        let sso = compat_sso::begin(&server, "https://app.example.com/").await;
        for path in [begun.path.as_str(), &sso] {
            let led = browser.get(path).await;
            assert!(led.location().ends_with("&second=required"), "{path}: {}", led.location());
            let csrf = browser.csrf().await;
            let form = [("csrf", csrf.as_str()), ("code", &begun.user_code), ("answer", "approve")];
            let answer = browser.post(path.split('?').next().unwrap(), &form).await;
            assert!(answer.location().ends_with("&second=required"), "{path}: {}", answer.location());
        }
        assert_eq!(begun.poll(&server).await.error(), "authorization_pending");
        let app = add_app(&server, &mut browser, "Phone").await;
        for path in [begun.path.as_str(), &sso] {
            assert_eq!(browser.get(path).await.status, StatusCode::OK, "{path}");
        }
        sign_in(&server, &mut server.browser(), "alice", &app, &sso).await;
    }

    async fn the_last_one_stays_while_it_is_demanded(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.second_factor.required_for = RequiredFor::Everybody;
        }).await;
        server.user("alice").await;
        let mut browser = server.browser();
        first_step(&mut browser, "alice", SECURITY).await;
        let page = browser.get("/login/enrol").await;
        let code = Authenticator::of(&page).code_in(&server, 0);
        confirm_app(&mut browser, "/login/enrol", &page, "First", &code).await;
        add_app(&server, &mut browser, "Second").await;

        let removals = Page::of(&browser.get(SECURITY).await).links("a[href$=remove]");
        let csrf = browser.csrf().await;
        let form = [("csrf", csrf.as_str())];
        // Both at once: one of them is the last.
        let mut twin = server.browser();
        twin.cookies = browser.cookies.clone();
        let (one, other) =
            tokio::join!(browser.post(&removals[0], &form), twin.post(&removals[1], &form));
        let mut led = [one.location(), other.location()];
        led.sort_unstable();
        assert_eq!(led, ["/account/security?notice=app-removed", "/account/security?notice=last-factor"]);
        assert_eq!(Page::of(&browser.get(SECURITY).await).texts(".list-rows h3").len(), 1);
    }

    async fn with_the_last_one_go_its_stand_ins(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let app = add_app(&server, &mut browser, "Phone").await;
        make_codes(&mut browser).await;
        let mut other = server.browser();
        first_step(&mut other, "alice", SECURITY).await;
        enter(&mut other, SECOND, SECURITY, &app.next_code(&server), &REMEMBER).await;
        let path = Page::of(&browser.get(SECURITY).await).links("a[href$=remove]").remove(0);
        let page = browser.get(&path).await;
        assert!(Page::of(&page).main().contains("Your password will be enough"));
        let csrf = page.field("csrf");
        assert_eq!(browser.post(&path, &[("csrf", &csrf)]).await.location(), "/account/security?notice=app-removed");
        assert_eq!(first_step(&mut server.browser(), "alice", SECURITY).await, SECURITY);
        for table in ["recovery_codes", "remembered_browsers"] {
            let count = match table {
                "recovery_codes" => "SELECT COUNT(*) AS n FROM recovery_codes",
                _ => "SELECT COUNT(*) AS n FROM remembered_browsers",
            };
            let left: i64 = query(count).fetch_one(&server.app.store).await.unwrap();
            assert_eq!(left, 0, "{table}");
        }
    }

    async fn nobody_removes_the_factor_of_another(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut alice = server.signed_in("alice").await;
        add_app(&server, &mut alice, "Phone").await;
        let path = Page::of(&alice.get(SECURITY).await).links("a[href$=remove]").remove(0);
        server.user("mallory").await;
        let mut mallory = server.signed_in("mallory").await;
        assert_eq!(mallory.get(&path).await.status, StatusCode::NOT_FOUND);
        let csrf = mallory.csrf().await;
        assert_eq!(mallory.post(&path, &[("csrf", &csrf)]).await.status, StatusCode::NOT_FOUND);
        assert!(first_step(&mut server.browser(), "alice", SECURITY).await.starts_with(SECOND));
    }

    async fn what_is_over_is_swept_away(engine: Engine) {
        let server = Server::start(engine).await;
        let app = user_with_app(&server, "alice").await;
        let mut browser = server.browser();
        first_step(&mut browser, "alice", SECURITY).await;
        enter(&mut browser, SECOND, SECURITY, &app.next_code(&server), &REMEMBER).await;
        first_step(&mut server.browser(), "alice", SECURITY).await;
        let left = async || {
            let attempts: i64 =
                query("SELECT COUNT(*) AS n FROM sign_in_attempts").fetch_one(&server.app.store).await.unwrap();
            let browsers: i64 =
                query("SELECT COUNT(*) AS n FROM remembered_browsers").fetch_one(&server.app.store).await.unwrap();
            (attempts, browsers)
        };
        for (passed, expected) in [(Duration::ZERO, (1, 1)), (Duration::from_secs(601), (0, 1)), (DAY * 30, (0, 0))] {
            server.advance(passed);
            gatehouse::work::sweep(&server.app).await.unwrap();
            assert_eq!(left().await, expected, "{passed:?}");
        }
    }

    async fn tokens_that_were_given_before_go_on(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let tokens = server.tokens("alice", &client, "DEVICE0001").await;
        let mut browser = server.signed_in("alice").await;
        let code = browser.code(&client, &matrix_scope("DEVICE0002")).await;
        add_app(&server, &mut browser, "Phone").await;
        assert!(server.is_active(&tokens.access).await);
        assert_eq!(server.refresh(&client, &tokens.refresh).await.status, StatusCode::OK);
        assert_eq!(server.post("/oauth2/token", &code_form(&client, &code)).await.status, StatusCode::OK);
    }
}

/// A lower bound alone is measured, which no slow machine breaks.
#[tokio::test]
async fn older_clients_wait_as_long_for_the_refusal_of_a_right_password() {
    const FLOOR: Duration = Duration::from_millis(300);
    let server = Server::start(Engine::Postgres).await;
    user_with_app(&server, "alice").await;
    let node =
        App::open(server.config.clone(), server.app.clock.clone(), FLOOR).await.expect("a second node");
    let router = routes::router(node, Site::new(&server.config).expect("a site"));
    let body = json!({
        "type": "m.login.password", "identifier": { "type": "m.id.user", "user": "alice" }, "password": PASSWORD,
    });
    let request = Request::post("/_matrix/client/v3/login").body(body.to_string().into()).expect("a request");
    let asked = Instant::now();
    let answer = send_to(&router, request).await;
    assert_eq!(answer.refusal(), (403, "M_FORBIDDEN".to_owned()));
    assert!(asked.elapsed() >= FLOOR);
}
