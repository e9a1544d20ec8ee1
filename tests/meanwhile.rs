//! What happens to an account while something else is under way on it.

use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::accounts::signed_in::SignedIn;
use gatehouse::accounts::users::{self, User};
use gatehouse::accounts::{factors, passkeys, passwords};
use gatehouse::clients::device_requests;
use gatehouse::http::error::Problem;
use gatehouse::http::rate_limits::{Action, Allowance, look, spend};
use gatehouse::keys::{self, Password};
use gatehouse::sessions::client::EndReason;
use gatehouse::sessions::{all, browser};
use gatehouse::store::query;
use http::StatusCode;
use serde_json::json;
use tokio::time::timeout;

use crate::compat_sso;
use crate::device_grant::{Begun, device_client};
use crate::passkeys::{NEW, enrol, passkey_of};
use crate::support::authenticator::Authenticator;
use crate::support::factors::{SECOND, SECURITY, add_app, enter, first_step};
use crate::support::page::Page;
use crate::support::server::{Browser, Engine, PASSWORD, Server, code_form, matrix_scope, on_both_engines};

const END_OTHERS: &str = "/account/sessions/end-others";

async fn count(server: &Server, sql: &'static str) -> i64 {
    query(sql).fetch_one(&server.app.store).await.expect("a number")
}

async fn post(browser: &mut Browser<'_>, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
    let csrf = browser.csrf().await;
    let form: Vec<_> = [("csrf", csrf.as_str())].into_iter().chain(fields.iter().copied()).collect();
    let answer = browser.post(path, &form).await;
    let location = answer.header("location").to_owned();
    (answer.status, location)
}

/// The person whose session began last.
async fn who(server: &Server, user: &User, browser: &mut Browser<'_>) -> SignedIn {
    assert_eq!(browser.get("/account/").await.status, StatusCode::OK);
    let session = browser::list(&server.app.store, user.id, None, 1).await.expect("an answer").remove(0);
    SignedIn { user: user.clone(), session, must_accept_terms: false }
}

/// Long enough for a request to have begun to wait.
const WAITS: Duration = Duration::from_millis(300);

on_both_engines! {
    async fn who_signs_out_everywhere_else_leaves_nothing_behind_that_begins_later(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let (client, tv) = (server.client().await, device_client(&server).await);
        let new = [("new_password", "another long password"), ("new_password_again", "another long password"), ("end_others", "yes")];
        for (round, way) in [END_OTHERS, "/account/password"].into_iter().enumerate() {
            let mut owner = server.signed_in("alice").await;
            let mut thief = server.signed_in("alice").await;
            let of_owner = owner.code(&client, &matrix_scope(&format!("OWNER{round}"))).await;
            let of_thief = thief.code(&client, &matrix_scope(&format!("THIEF{round}"))).await;
            let begun = Begun::new(&server, &tv, &matrix_scope(&format!("TV{round}"))).await;
            assert_eq!(begun.answer(&mut thief, "approve").await.location(), "/link?result=allowed");
            let token = compat_sso::token(&server, &mut thief).await;
            let (status, _) = post(&mut owner, way, if way == END_OTHERS { &[] } else { &new }).await;
            assert_eq!(status, StatusCode::SEE_OTHER);
            assert_eq!(server.post("/oauth2/token", &code_form(&client, &of_thief)).await.error(), "invalid_grant");
            assert_eq!(begun.poll(&server).await.error(), "invalid_grant");
            assert_eq!(compat_sso::spend(&server, &token, json!({})).await.refusal(), (403, "M_FORBIDDEN".to_owned()));
            let kept = server.post("/oauth2/token", &code_form(&client, &of_owner)).await;
            assert_eq!(kept.status, StatusCode::OK, "{way}: {}", kept.text());
        }
        server.run_jobs().await;
        let devices = server.homeserver.devices("alice");
        assert!(devices.iter().all(|device| device.starts_with("OWNER")), "{devices:?}");
    }

    async fn what_is_allowed_at_the_moment_of_the_end_is_found_by_it(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let tv = device_client(&server).await;
        let begun = Begun::new(&server, &tv, &matrix_scope("TV")).await;
        let thief = who(&server, &alice, &mut server.signed_in("alice").await).await;
        let (session, now) = (&thief.session, server.app.clock.now());
        let mut allowing = thief.begin(&server.app).await.unwrap();
        let digest = keys::digest(&begun.device_code);
        let (when, how) = (session.authenticated_at, session.methods);
        assert!(device_requests::approve(&mut allowing, &digest, alice.id, when, how, now).await.unwrap());
        let mut ending = Box::pin(async {
            let mut tx = server.app.store.begin().await.unwrap();
            all::end_all(&mut tx, alice.id, None, EndReason::SignedOut, now).await.unwrap();
            tx.commit().await.unwrap();
        });
        assert!(timeout(WAITS, &mut ending).await.is_err(), "nobody waited for the answer");
        let (allowed, ()) = tokio::join!(allowing.commit(), ending);
        allowed.unwrap();
        assert_eq!(begun.poll(&server).await.error(), "invalid_grant");
    }

    async fn who_was_about_to_set_up_a_factor_starts_again_once_they_are_signed_out(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let (mut owner, mut thief) = (server.signed_in("alice").await, server.signed_in("alice").await);
        let path = "/login?next=%2Faccount%2Fsecurity&second=required";
        assert!(thief.get(path).await.location().starts_with(SECOND));
        assert_eq!(thief.get("/login/enrol").await.status, StatusCode::OK);
        post(&mut owner, END_OTHERS, &[]).await;
        assert_eq!(thief.get("/login/enrol").await.location(), "/login");
    }

    async fn nobody_acts_with_a_session_that_is_ended_meanwhile(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let mut owner = server.signed_in("alice").await;
        let mut thief = server.signed_in("alice").await;
        // The homeserver gets a device ready while the owner signs out everywhere else.
        let before = server.homeserver.calls_of("upsert_device").len();
        server.homeserver.hold("upsert_device");
        let fields = [("name", "Bot"), ("days", "30"), ("messages", "yes"), ("device", "yes")];
        let ending = async {
            server.homeserver.until_called("upsert_device", before + 1).await;
            let ended = post(&mut owner, END_OTHERS, &[]).await;
            server.homeserver.release("upsert_device");
            ended
        };
        let (made, ended) = tokio::join!(post(&mut thief, "/account/tokens/new", &fields), ending);
        assert_eq!((made.0, ended.0), (StatusCode::FORBIDDEN, StatusCode::SEE_OTHER));
        assert_eq!(count(&server, "SELECT COUNT(*) AS n FROM client_sessions WHERE ended_at IS NULL").await, 0);
        server.run_jobs().await;
        assert!(server.homeserver.devices("alice").is_empty());

        // Every page that changes what lets somebody in begins so.
        let who = who(&server, &alice, &mut owner).await;
        let mut ending = server.app.store.begin().await.unwrap();
        assert!(browser::end(&mut ending, who.session.id, alice.id, server.app.clock.now()).await.unwrap());
        let mut beginning = Box::pin(who.begin(&server.app));
        assert!(timeout(WAITS, &mut beginning).await.is_err(), "nobody waited for the end of the session");
        let (ended, begun) = tokio::join!(ending.commit(), beginning);
        ended.unwrap();
        assert_eq!(begun.err().map(|error| error.problem), Some(Problem::SignedOut));
    }

    async fn a_sign_in_that_waits_for_its_second_step_ends_with_the_password(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let app = add_app(&server, &mut server.signed_in("alice").await, "Phone").await;
        let new = Password::new("another long password".to_owned()).unwrap();
        let (text, version) = server.app.passwords.hash(new).await.unwrap();
        let hashed = passwords::Hashed { text, version, needs_second: false };
        // Whoever sets it looks at the clock before they wait for the hash.
        let looked = server.app.clock.now();
        server.advance(Duration::from_secs(1));
        let mut thief = server.browser();
        assert!(first_step(&mut thief, "alice", SECURITY).await.starts_with(SECOND));
        let mut tx = server.app.store.begin().await.unwrap();
        passwords::set(&mut tx, alice.id, &hashed, looked).await.unwrap();
        tx.commit().await.unwrap();
        let answer = enter(&mut thief, SECOND, SECURITY, &app.next_code(&server), &[]).await;
        assert_eq!(answer.location(), "/login?next=%2Faccount%2Fsecurity");
        assert!(thief.get(SECURITY).await.location().starts_with("/login?"));
    }

    async fn a_sign_in_that_waits_for_its_second_step_ends_in_one_session(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut owner = server.signed_in("alice").await;
        let apps = [add_app(&server, &mut owner, "Phone").await, add_app(&server, &mut owner, "Tablet").await];
        let mut browser = server.browser();
        first_step(&mut browser, "alice", SECURITY).await;
        server.advance(Duration::from_secs(30));
        let before = count(&server, "SELECT COUNT(*) AS n FROM browser_sessions").await;
        let mut twins = [server.browser(), server.browser()];
        let answers = join_all(twins.iter_mut().zip(&apps).map(async |(twin, app)| {
            twin.cookies = browser.cookies.clone();
            enter(twin, SECOND, SECURITY, &app.code_in(&server, 0), &[]).await.location().to_owned()
        }))
        .await;
        assert!(answers.contains(&SECURITY.to_owned()), "{answers:?}");
        assert!(answers.contains(&"/login?next=%2Faccount%2Fsecurity".to_owned()), "{answers:?}");
        assert_eq!(count(&server, "SELECT COUNT(*) AS n FROM browser_sessions").await, before + 1);
    }

    async fn who_is_no_administrator_any_more_gets_no_session_of_one(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let client = server.client().await;
        let set = async |is_admin| {
            let mut tx = server.app.store.begin().await.unwrap();
            users::set_admin(&mut tx, alice.id, is_admin, server.app.clock.now()).await.unwrap();
            tx.commit().await.unwrap();
        };
        set(true).await;
        let scope = format!("{} urn:synapse:admin:*", matrix_scope("DEVICE0001"));
        let code = server.signed_in("alice").await.code(&client, &scope).await;
        let before = server.homeserver.calls_of("upsert_device").len();
        server.homeserver.hold("upsert_device");
        let form = code_form(&client, &code);
        let (answer, ()) = tokio::join!(server.post("/oauth2/token", &form), async {
            server.homeserver.until_called("upsert_device", before + 1).await;
            set(false).await;
            server.homeserver.release("upsert_device");
        });
        assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));
        assert_eq!(count(&server, "SELECT COUNT(*) AS n FROM client_sessions").await, 0);
    }

    async fn an_attempt_that_waits_until_its_allowance_is_back_is_counted_or_refused(engine: Engine) {
        let server = Server::start(engine).await;
        let action = Action::ResetPasswordFrom("198.51.100.7");
        while spend(&server.app, &action).await.unwrap() == Allowance::Granted {}
        let Allowance::Exhausted(wait) = look(&server.app, &action).await.unwrap() else { panic!("it is used up") };
        let mut tx = server.app.store.begin().await.unwrap();
        query("UPDATE rate_limits SET full_at = full_at").execute(&mut tx).await.unwrap();
        let mut spending = Box::pin(spend(&server.app, &action));
        assert!(timeout(WAITS, &mut spending).await.is_err(), "it waits for the row");
        server.advance(wait);
        let (committed, spent) = tokio::join!(tx.commit(), spending);
        committed.unwrap();
        assert_eq!(spent.unwrap(), Allowance::Exhausted(Duration::from_secs(1)), "it was not counted");
        assert_eq!(spend(&server.app, &action).await.unwrap(), Allowance::Granted);
        assert_ne!(spend(&server.app, &action).await.unwrap(), Allowance::Granted);
    }

    async fn of_the_last_two_passkeys_without_a_password_one_stays(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let mut first = passkey_of(&server, "alice").await;
        let mut browser = server.signed_in_by(&mut first).await;
        enrol(&mut browser, NEW, &mut Authenticator::new()).await;
        query("DELETE FROM passwords").execute_alone(&server.app.store).await.unwrap();
        let browser = server.signed_in_by(&mut first).await;
        let both = passkeys::list(&server.app.store, alice.id).await.unwrap();
        let removals: Vec<String> =
            both.iter().map(|passkey| format!("/account/security/passkeys/{}/remove", passkey.id)).collect();
        assert_eq!(removals.len(), 2);
        let mut twins = [server.browser(), server.browser()];
        let mut statuses = join_all(twins.iter_mut().zip(&removals).map(async |(twin, path)| {
            twin.cookies = browser.cookies.clone();
            post(twin, path, &[]).await.0
        }))
        .await;
        statuses.sort();
        assert_eq!(statuses, [StatusCode::SEE_OTHER, StatusCode::CONFLICT]);
        assert_eq!(passkeys::list(&server.app.store, alice.id).await.unwrap().len(), 1);
        assert!(!factors::find(&server.app.store, alice.id).await.unwrap().has_password);
    }

    async fn who_allows_a_device_twice_is_told_that_it_is_let_in(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let tv = device_client(&server).await;
        let mut browser = server.signed_in("alice").await;
        let begun = Begun::new(&server, &tv, &matrix_scope("TV")).await;
        let csrf = browser.get(&begun.path).await.field("csrf");
        // Both have found the device that waits before one has answered.
        server.homeserver.answer_with(Some(StatusCode::SERVICE_UNAVAILABLE));
        server.homeserver.hold("provision_user");
        let before = server.homeserver.calls_of("provision_user").len();
        let mut twin = server.browser();
        twin.cookies = browser.cookies.clone();
        let form = [("csrf", csrf.as_str()), ("code", begun.user_code.as_str()), ("answer", "approve")];
        let alice = users::find_by_localpart(&server.app.store, "alice").await.unwrap().unwrap();
        assert!(server.app.homeserver.query_user(&alice.localpart).await.is_err(), "it seems down, so it is asked");
        server.homeserver.answer_with(None);
        let (one, other, ()) = tokio::join!(browser.post("/link", &form), twin.post("/link", &form), async {
            server.homeserver.until_called("provision_user", before + 2).await;
            server.homeserver.release("provision_user");
        });
        assert_eq!([one.location(), other.location()], ["/link?result=allowed"; 2]);
        assert_eq!(begun.poll(&server).await.status, StatusCode::OK);
    }

    async fn a_factor_that_is_removed_twice_is_told_of_once(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        add_app(&server, &mut browser, "Phone").await;
        let path = Page::of(&browser.get(SECURITY).await).links("a[href$=remove]").remove(0);
        let before = count(&server, "SELECT COUNT(*) AS n FROM account_events").await;
        let mut twin = server.browser();
        twin.cookies = browser.cookies.clone();
        let (one, other) = tokio::join!(post(&mut browser, &path, &[]), post(&mut twin, &path, &[]));
        let removed = "/account/security?notice=app-removed".to_owned();
        // The second one may come when it is gone for everybody.
        assert!([&one, &other].iter().any(|(_, to)| *to == removed), "{one:?} {other:?}");
        assert!([&one, &other].iter().all(|(status, to)| *to == removed || *status == StatusCode::NOT_FOUND));
        assert_eq!(count(&server, "SELECT COUNT(*) AS n FROM account_events").await, before + 1);
        assert_eq!(server.browser().sign_in("alice", PASSWORD, SECURITY).await.location(), SECURITY);
    }
}
