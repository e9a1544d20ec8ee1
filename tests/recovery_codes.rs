//! Recovery codes, and the links that admins make.

use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::accounts::{recovery_links, users};
use gatehouse::store::query;
use http::StatusCode;

use crate::passkeys::passkey_of;
use crate::support::factors::{
    CODES, SECURITY, add_app, enter, first_step, make_codes, sign_in, user_with_app,
};
use crate::support::page::Page;
use crate::support::server::{Engine, PASSWORD, Server, on_both_engines};

const RECOVERY: &str = "/login/recovery-code";
const HOUR: Duration = Duration::from_secs(3600);

/// A person with an authenticator app and recovery codes.
async fn with_codes(server: &Server, localpart: &str) -> Vec<String> {
    server.user(localpart).await;
    let mut browser = server.signed_in(localpart).await;
    add_app(server, &mut browser, "Phone").await;
    make_codes(&mut browser).await
}

async fn link_for(server: &Server, user: gatehouse::ids::UserId) -> String {
    let now = server.app.clock.now();
    let mut tx = server.app.store.begin().await.expect("a transaction");
    let link = recovery_links::make(&mut tx, &server.app, user, HOUR, now).await.expect("a link");
    tx.commit().await.expect("a commit");
    link.strip_prefix("https://auth.example.org").expect("our public base").to_owned()
}

fn token_of(link: &str) -> &str {
    link.strip_prefix("/recover?token=").expect("a token")
}

on_both_engines! {
    async fn each_code_lets_in_once_with_the_password(engine: Engine) {
        let server = Server::start(engine).await;
        let codes = with_codes(&server, "alice").await;
        assert_eq!(codes.len(), 10);
        for (typed, good) in [
            (codes[0].clone(), true),
            (codes[0].clone(), false),
            (codes[1].replace('-', "").to_uppercase(), true),
            (format!(" {} ", codes[1]), false),
            ("0000-0000-0000".to_owned(), false),
        ] {
            let mut browser = server.browser();
            first_step(&mut browser, "alice", SECURITY).await;
            let answer = enter(&mut browser, RECOVERY, SECURITY, &typed, &[]).await;
            assert_eq!(answer.status == StatusCode::SEE_OTHER, good, "{typed}");
            let page = browser.get(SECURITY).await;
            assert_eq!(page.status == StatusCode::OK, good);
        }
        let mut browser = server.browser();
        first_step(&mut browser, "alice", SECURITY).await;
        enter(&mut browser, RECOVERY, SECURITY, &codes[2], &[]).await;
        assert!(Page::of(&browser.get(SECURITY).await).main().contains("You have 7 codes left."));
    }

    async fn of_many_requests_with_one_code_one_succeeds(engine: Engine) {
        let server = Server::start(engine).await;
        let codes = with_codes(&server, "alice").await;
        let mut browsers = Vec::new();
        for _ in 0..6 {
            let mut browser = server.browser();
            first_step(&mut browser, "alice", SECURITY).await;
            browsers.push(browser);
        }
        let tried = browsers.iter_mut().map(|browser| enter(browser, RECOVERY, SECURITY, &codes[0], &[]));
        let let_in = join_all(tried).await.iter().filter(|answer| answer.status == StatusCode::SEE_OTHER).count();
        assert_eq!(let_in, 1);
    }

    async fn a_new_set_replaces_the_old_one(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        add_app(&server, &mut browser, "Phone").await;
        let (old, new) = (make_codes(&mut browser).await, make_codes(&mut browser).await);
        assert!(old.iter().all(|code| !new.contains(code)));
        for (code, good) in [(&old[0], false), (&new[0], true)] {
            let mut browser = server.browser();
            first_step(&mut browser, "alice", SECURITY).await;
            let answer = enter(&mut browser, RECOVERY, SECURITY, code, &[]).await;
            assert_eq!(answer.status == StatusCode::SEE_OTHER, good);
        }
    }

    async fn codes_of_one_account_are_nothing_to_another(engine: Engine) {
        let server = Server::start(engine).await;
        let codes = with_codes(&server, "alice").await;
        with_codes(&server, "bob").await;
        let mut browser = server.browser();
        first_step(&mut browser, "bob", SECURITY).await;
        let answer = enter(&mut browser, RECOVERY, SECURITY, &codes[0], &[]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }

    async fn codes_are_shown_once_and_can_be_kept_without_a_program(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        assert_eq!(browser.get(CODES).await.location(), SECURITY, "there is nothing yet that they stand in for");
        add_app(&server, &mut browser, "Phone").await;
        let csrf = browser.csrf().await;
        let page = browser.post(CODES, &[("csrf", &csrf), ("next", "//evil.org")]).await;
        let shown = Page::of(&page);
        let codes = shown.texts(".codes code");
        let file = &shown.links("a[download]")[0];
        assert!(file.starts_with("data:text/plain;charset=utf-8,"));
        assert!(codes.iter().all(|code| file.contains(code)));
        assert_eq!(shown.links("main .primary"), [SECURITY], "and nobody is led elsewhere");
        for path in [CODES, SECURITY] {
            let page = browser.get(path).await.text();
            assert!(!codes.iter().any(|code| page.contains(code)), "{path}");
        }
        // Not even the database has them.
        for code in &codes {
            let find = "SELECT digest FROM recovery_codes WHERE digest = $1 OR digest = $2";
            let find = gatehouse::store::query(find).bind(code).bind(gatehouse::keys::digest(code));
            assert!(find.fetch_optional::<()>(&server.app.store).await.unwrap().is_none());
        }
    }

    async fn codes_need_a_form_of_ours_and_a_fresh_proof(engine: Engine) {
        let server = Server::start(engine).await;
        let app = user_with_app(&server, "alice").await;
        let mut browser = server.browser();
        sign_in(&server, &mut browser, "alice", &app, SECURITY).await;
        let answer = browser.post(CODES, &[("csrf", "another")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        server.advance(HOUR);
        let csrf = browser.csrf().await;
        let answer = browser.post(CODES, &[("csrf", &csrf)]).await;
        assert!(answer.location().starts_with("/login?next="), "{}", answer.location());
    }

    async fn a_recovery_link_lets_one_person_in_once(engine: Engine) {
        let server = Server::start(engine).await;
        user_with_app(&server, "alice").await;
        let alice = users::find_by_localpart(&server.app.store, "alice").await.unwrap().unwrap();
        server.user("bob").await;
        let link = link_for(&server, alice.id).await;
        let mut browser = server.browser();
        // To open it does not use it: programs do that too.
        for _ in 0..2 {
            let page = browser.get(&link).await;
            assert_eq!(page.status, StatusCode::OK);
            assert!(Page::of(&page).main().contains("@alice:"));
        }
        let csrf = browser.csrf().await;
        let token = token_of(&link);
        let wrong = browser.post("/recover", &[("csrf", &csrf), ("token", token), ("password", "wrong")]).await;
        assert_eq!(wrong.status, StatusCode::FORBIDDEN);
        // Whatever else is sent, the link is that person's.
        let form = [("csrf", csrf.as_str()), ("token", token), ("password", PASSWORD), ("username", "bob")];
        let answer = browser.post("/recover", &form).await;
        assert_eq!(answer.location(), "/account/security?notice=recovered");
        let page = browser.get("/account/").await;
        assert!(Page::of(&page).main().contains("@alice:"));
        // They can enrol anew at once.
        add_app(&server, &mut browser, "New phone").await;
        let again = server.browser().get(&link).await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST);
        assert!(again.text().contains("This link does not work any more"));
    }

    async fn a_recovery_link_ends_to_the_second_and_with_the_next_one(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let (old, new) = (link_for(&server, alice.id).await, link_for(&server, alice.id).await);
        assert_eq!(server.get(&old).await.status, StatusCode::BAD_REQUEST);
        server.advance(HOUR - Duration::from_millis(1));
        assert_eq!(server.get(&new).await.status, StatusCode::OK);
        server.advance(Duration::from_millis(1));
        assert_eq!(server.get(&new).await.status, StatusCode::BAD_REQUEST);
    }

    async fn a_locked_or_deactivated_person_gets_in_by_no_link_and_no_code(engine: Engine) {
        let server = Server::start(engine).await;
        let codes = with_codes(&server, "alice").await;
        let alice = users::find_by_localpart(&server.app.store, "alice").await.unwrap().unwrap();
        let mut begun = server.browser();
        first_step(&mut begun, "alice", SECURITY).await;
        let link = link_for(&server, alice.id).await;
        for change in ["lock", "deactivate"] {
            let mut tx = server.app.store.begin().await.unwrap();
            let now = server.app.clock.now();
            match change {
                "lock" => users::lock(&mut tx, alice.id, now).await.unwrap(),
                _ => {
                    users::unlock(&mut tx, alice.id, now).await.unwrap();
                    users::deactivate(&mut tx, alice.id, false, now).await.unwrap();
                }
            }
            tx.commit().await.unwrap();
            assert_eq!(server.get(&link).await.status, StatusCode::BAD_REQUEST, "{change}");
            let csrf = begun.csrf().await;
            let used = [("csrf", csrf.as_str()), ("token", token_of(&link)), ("password", PASSWORD)];
            assert_eq!(begun.post("/recover", &used).await.status, StatusCode::BAD_REQUEST, "{change}");
            let answer = enter(&mut begun, RECOVERY, SECURITY, &codes[0], &[]).await;
            assert!(answer.location().starts_with("/login?next="), "{change}: {}", answer.location());
        }
    }

    async fn a_recovery_link_lets_a_person_in_who_had_only_a_passkey(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        passkey_of(&server, "alice").await;
        let mut tx = server.app.store.begin().await.unwrap();
        query("DELETE FROM passwords WHERE user_id = $1").bind(alice.id).execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let link = link_for(&server, alice.id).await;
        let mut browser = server.browser();
        let page = browser.get(&link).await;
        assert!(!page.text().contains("name=\"password\""), "there is none to ask for");
        let form = [("csrf", page.field("csrf")), ("token", token_of(&link).to_owned())];
        let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(browser.post("/recover", &form).await.location(), "/account/security?notice=recovered");
        // The link stands in for the passkey, so that they can add another one and remove the lost one at once.
        assert_eq!(browser.get("/account/security/passkeys/new").await.status, StatusCode::OK);
        let security = browser.get(SECURITY).await.text();
        let (_, rest) = security.split_once("/account/security/passkeys/01").expect("the lost one");
        let id: String = rest.chars().take(24).collect();
        let removal = browser.get(&format!("/account/security/passkeys/01{id}/remove")).await;
        assert_eq!(removal.status, StatusCode::OK);
        assert_eq!(server.browser().get(&link).await.status, StatusCode::BAD_REQUEST, "once");
    }

    async fn of_many_who_use_one_link_one_gets_in(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let link = link_for(&server, alice.id).await;
        let mut browsers: Vec<_> = (0..4).map(|_| server.browser()).collect();
        let used = browsers.iter_mut().map(async |browser| {
            let csrf = browser.csrf().await;
            browser.post("/recover", &[("csrf", &csrf), ("token", token_of(&link)), ("password", PASSWORD)]).await
        });
        let let_in = join_all(used).await.iter().filter(|answer| answer.status == StatusCode::SEE_OTHER).count();
        assert_eq!(let_in, 1);
    }
}
