//! Making an account: every page on the way, who comes back to it, and who was faster.

use std::time::Duration;

use futures_util::future::join;
use gatehouse::accounts::users::{self, User};
use gatehouse::accounts::{factors, passwords};
use gatehouse::config::{Config, Limit, RegistrationEmail, RegistrationWays, RequiredFor};
use gatehouse::keys::Password;
use gatehouse::store::query;
use gatehouse::work;
use http::StatusCode;
use http::header::{COOKIE, ORIGIN, RETRY_AFTER, SET_COOKIE};
use serde_json::json;

use crate::account_pages::open;
use crate::passkeys::{self, Asked};
use crate::support::authenticator::Authenticator;
use crate::support::homeserver::StubUser;
use crate::support::page::Page;
use crate::support::server::{
    Answer, Browser, Engine, PASSWORD, Server, authorization_query, code_form, form_request, matrix_scope,
    on_both_engines, send_to,
};

pub(crate) const REGISTER: &str = "/register";
pub(crate) const PASSWORD_PAGE: &str = "/register/password";
pub(crate) const PASSKEY_PAGE: &str = "/register/passkey";
const CONTINUE: &str = "/register/continue";
const HOUR: Duration = Duration::from_secs(3600);

/// Anybody may make an account, by a name and a password or passkey alone.
pub(crate) fn open_to_all(config: &mut Config) {
    config.registration.enabled = true;
    config.registration.email = RegistrationEmail::NotAsked;
    config.captcha.work = 0;
}

/// The same, by a password alone.
fn by_password(config: &mut Config) {
    open_to_all(config);
    config.registration.ways = RegistrationWays::Password;
}

async fn server(engine: Engine) -> Server {
    Server::start_with(engine, by_password).await
}

/// Sends a form.
pub(crate) async fn send(browser: &mut Browser<'_>, path: &str, form: &[(&str, &str)]) -> Answer {
    let csrf = browser.csrf().await;
    let form: Vec<_> = [("csrf", csrf.as_str())].into_iter().chain(form.iter().copied()).collect();
    browser.post(path, &form).await
}

/// Chooses a name.
pub(crate) async fn choose(browser: &mut Browser<'_>, name: &str) -> Answer {
    send(browser, REGISTER, &[("username", name)]).await
}

/// Chooses [`PASSWORD`].
pub(crate) async fn choose_password(browser: &mut Browser<'_>) -> Answer {
    let twice = [("new_password", PASSWORD), ("new_password_again", PASSWORD)];
    send(browser, PASSWORD_PAGE, &twice).await
}

/// Has a device make a passkey.
pub(crate) async fn make_passkey(browser: &mut Browser<'_>, device: &mut Authenticator) -> Answer {
    let asked = Asked::by(&browser.get(PASSKEY_PAGE).await);
    let made = device.create(&asked.options, passkeys::ORIGIN).await;
    asked.answer(browser, PASSKEY_PAGE, &made).await
}

/// The account of that name.
pub(crate) async fn account(server: &Server, localpart: &str) -> Option<User> {
    users::find_by_localpart(&server.app.store, localpart).await.expect("an answer")
}

pub(crate) async fn count(server: &Server, sql: &'static str) -> i64 {
    query(sql).fetch_one::<i64>(&server.app.store).await.expect("a number")
}

/// How many accounts somebody is making.
pub(crate) async fn begun(server: &Server) -> i64 {
    count(server, "SELECT COUNT(*) AS n FROM registrations").await
}

async fn accounts(server: &Server) -> i64 {
    count(server, "SELECT COUNT(*) AS n FROM users").await
}

async fn is_right(server: &Server, user: &User, password: &str) -> bool {
    let password = Password::new(password.to_owned()).expect("a password");
    passwords::is_right(&server.app, Some(user), password).await.expect("an answer")
}

/// What a page complains of.
pub(crate) fn complaints(answer: &Answer) -> Vec<String> {
    Page::of(answer).texts("[role=alert] li")
}

async fn is_signed_in(browser: &mut Browser<'_>) -> bool {
    browser.get("/account/").await.status == StatusCode::OK
}

/// A form that a browser sends more than once.
struct Repeated {
    path: &'static str,
    cookies: String,
    form: Vec<(String, String)>,
}

impl Repeated {
    async fn form(browser: &mut Browser<'_>, path: &'static str, form: &[(&str, &str)]) -> Repeated {
        let csrf = browser.csrf().await;
        let cookies: Vec<String> =
            browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let form = [("csrf", csrf.as_str())].into_iter().chain(form.iter().copied());
        let form = form.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Repeated { path, cookies: cookies.join("; "), form }
    }

    async fn password(browser: &mut Browser<'_>) -> Repeated {
        let twice = [("new_password", PASSWORD), ("new_password_again", PASSWORD)];
        Repeated::form(browser, PASSWORD_PAGE, &twice).await
    }

    async fn send(&self, server: &Server) -> Answer {
        let base = server.config.http.public_base.origin().ascii_serialization();
        let headers = [(ORIGIN, base.as_str()), (COOKIE, self.cookies.as_str())];
        let form: Vec<(&str, &str)> =
            self.form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        server.send(form_request(self.path, &headers, &form)).await
    }
}

on_both_engines! {
    async fn a_person_makes_an_account_with_a_password(engine: Engine) {
        let server = server(engine).await;
        let mut browser = server.browser();
        let sign_in = browser.get("/login").await;
        assert_eq!(Page::of(&sign_in).links(".aside a")[0], REGISTER);
        let page = open(&mut browser, REGISTER).await;
        assert_eq!(page.texts("h1"), ["Create an account on example.org"]);
        assert_eq!(page.attribute("#username", "autocomplete"), "username");
        let chosen = choose(&mut browser, " @Alice:example.org ").await;
        assert_eq!(chosen.location(), PASSWORD_PAGE);
        assert!(browser.cookies.contains_key("__Host-gatehouse_registration"), "{:?}", browser.cookies);
        assert!(account(&server, "alice").await.is_none(), "there is nothing before all is there");
        let page = open(&mut browser, PASSWORD_PAGE).await;
        assert!(page.main().contains("@alice:example.org"), "names are in lower case: {}", page.main());
        assert_eq!(page.attribute("#new_password", "autocomplete"), "new-password");

        let done = choose_password(&mut browser).await;
        assert_eq!(done.location(), "/account/");
        assert!(is_signed_in(&mut browser).await);
        let alice = account(&server, "alice").await.expect("an account");
        assert!(is_right(&server, &alice, PASSWORD).await && !alice.is_admin);
        assert!(alice.provisioned_at.is_some(), "before anything else goes on");
        assert!(server.homeserver.user("alice").is_some_and(|user| !user.is_locked));
        assert_eq!(begun(&server).await, 0);
        assert!(!browser.cookies.contains_key("__Host-gatehouse_registration"));
        let page = open(&mut browser, "/account/activity").await;
        let mut told = page.texts("li h2");
        told.sort();
        assert_eq!(told, ["Account created", "Signed in"]);
        assert!(page.main().contains("from 198.51.100.7"));
        server.run_jobs().await;
        assert!(server.homeserver.user("alice").is_some());
        // And signs in with it elsewhere.
        assert!(is_signed_in(&mut server.signed_in("alice").await).await);
    }

    async fn nobody_makes_an_account_where_that_is_off(engine: Engine) {
        let server = Server::start(engine).await;
        let mut browser = server.browser();
        for path in [REGISTER, PASSWORD_PAGE, PASSKEY_PAGE, "/register/email", "/register/name", "/register/terms"] {
            assert_eq!(browser.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(send(&mut browser, path, &[("username", "alice")]).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        assert!(!browser.get("/login").await.text().contains("/register"));
        let client = server.client().await;
        let query = authorization_query(&client, &matrix_scope("DEVICE0001"), &[("prompt", "create")]);
        let (_, asked) = browser.ask(&query).await;
        assert!(asked.location().starts_with("/login?next=%2Fauthorize%2F"), "{}", asked.location());
        let discovery = server.get("/.well-known/openid-configuration").await.json();
        assert_eq!(discovery["prompt_values_supported"], json!(["none", "login", "consent", "select_account"]));
        assert_eq!(accounts(&server).await, 0);
    }

    async fn a_person_makes_an_account_with_a_passkey_alone(engine: Engine) {
        for ways in [RegistrationWays::Passkey, RegistrationWays::Both] {
            let server = Server::start_with(engine, |config| {
                open_to_all(config);
                config.registration.ways = ways;
            })
            .await;
            let mut browser = server.browser();
            let next = choose(&mut browser, "alice").await.location().to_owned();
            match ways {
                RegistrationWays::Both => {
                    let page = open(&mut browser, PASSWORD_PAGE).await;
                    assert_eq!((next.as_str(), page.links(".aside a")), (PASSWORD_PAGE, vec![PASSKEY_PAGE.to_owned()]));
                }
                _ => {
                    assert_eq!(next, PASSKEY_PAGE);
                    assert_eq!(browser.get(PASSWORD_PAGE).await.location(), PASSKEY_PAGE, "there are no passwords");
                }
            }
            let skipped = send(&mut browser, PASSKEY_PAGE, &[("skip", "yes")]).await;
            assert_eq!(skipped.status, StatusCode::BAD_REQUEST, "there is nothing else to sign in with");
            let mut device = Authenticator::new();
            assert_eq!(make_passkey(&mut browser, &mut device).await.location(), "/account/");
            let alice = account(&server, "alice").await.expect("an account");
            let factors = factors::find(&server.app.store, alice.id).await.unwrap();
            assert!(!factors.has_password && factors.passkeys == 1);
            assert!(open(&mut browser, "/account/security").await.main().contains("Bitwarden"));
            // The passkey was made for the very account, before it was there.
            let mut other = server.signed_in_by(&mut device).await;
            assert!(open(&mut other, "/account/").await.main().contains("@alice:example.org"));
        }
    }

    async fn with_both_a_passkey_is_offered_after_the_password(engine: Engine) {
        let server = Server::start_with(engine, open_to_all).await;
        for (name, takes) in [("alice", true), ("bob", false)] {
            let mut browser = server.browser();
            choose(&mut browser, name).await;
            assert_eq!(choose_password(&mut browser).await.location(), PASSKEY_PAGE);
            let page = open(&mut browser, PASSKEY_PAGE).await;
            assert!(page.texts("button").contains(&"Not now".to_owned()));
            let done = match takes {
                true => make_passkey(&mut browser, &mut Authenticator::new()).await,
                false => send(&mut browser, PASSKEY_PAGE, &[("skip", "yes")]).await,
            };
            assert_eq!(done.location(), "/account/");
            let user = account(&server, name).await.expect("an account");
            let factors = factors::find(&server.app.store, user.id).await.unwrap();
            assert!(factors.has_password && (factors.passkeys == 1) == takes);
        }
    }

    async fn a_passkey_that_cannot_be_theirs_is_refused(engine: Engine) {
        let server = Server::start_with(engine, open_to_all).await;
        let mut browser = server.browser();
        choose(&mut browser, "alice").await;
        let asked = Asked::by(&browser.get(PASSKEY_PAGE).await);
        let mut device = Authenticator::new();
        for (origin, what) in [("https://evil.example.org", "another site"), ("https://auth.example.org.evil", "a longer one")] {
            let made = device.create(&asked.options, origin).await;
            let answer = Asked::by(&browser.get(PASSKEY_PAGE).await).answer(&mut browser, PASSKEY_PAGE, &made).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{what}");
        }
        let made = device.create(&asked.options, passkeys::ORIGIN).await;
        // Another person's browser, with what was asked of the first one.
        let mut other = server.browser();
        choose(&mut other, "bob").await;
        assert_eq!(asked.answer(&mut other, PASSKEY_PAGE, &made).await.status, StatusCode::FORBIDDEN);
        server.advance(HOUR - Duration::from_secs(1));
        assert_eq!(accounts(&server).await, 0);
        assert_eq!(asked.answer(&mut browser, PASSKEY_PAGE, &made).await.location(), "/account/");
        let again = asked.answer(&mut browser, PASSKEY_PAGE, &made).await;
        assert_eq!(again.location(), REGISTER, "once");
        assert_eq!(accounts(&server).await, 1);
    }
}

on_both_engines! {
    async fn what_cannot_be_a_name_is_said_in_words(engine: Engine) {
        let server = server(engine).await;
        let mut browser = server.browser();
        let long = "a".repeat(250);
        for (name, said) in [
            ("", "Choose a username"),
            ("   ", "Choose a username"),
            ("_alice", "Begin the username with a letter or a digit"),
            ("älice", "Use only the letters a to z, digits and"),
            ("al ice", "Use only the letters a to z, digits and"),
            ("<script>", "Use only the letters a to z, digits and"),
            ("12345", "Use at least one letter"),
            (&long, "Choose a shorter username"),
            ("@alice:elsewhere.org", "names another one"),
        ] {
            let refused = choose(&mut browser, name).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{name}");
            assert!(complaints(&refused)[0].contains(said), "{name}: {:?}", complaints(&refused));
            let page = Page::of(&refused);
            assert_eq!(page.attribute("#username", "aria-invalid"), "true");
            assert_eq!(page.attribute("#username", "value"), name.trim(), "what was typed stays");
        }
        assert!(server.homeserver.calls().is_empty(), "nobody needs to be asked for that");
        assert_eq!(begun(&server).await, 0);
    }

    async fn a_name_that_anybody_has_is_taken(engine: Engine) {
        let server = server(engine).await;
        server.user("alice").await;
        // An account of long ago, with capitals.
        let now = server.app.clock.now();
        let mut tx = server.app.store.begin().await.unwrap();
        users::create(&mut tx, gatehouse::ids::Localpart::from_stored("Bob".to_owned()), false, now).await.unwrap();
        tx.commit().await.unwrap();
        server.homeserver.set_user("carol", StubUser::default());
        server.homeserver.reserve("_bridge");
        server.homeserver.reserve("dave");
        let mut browser = server.browser();
        for name in ["alice", "Alice", "bob", "BOB", "carol", "dave"] {
            let refused = choose(&mut browser, name).await;
            assert_eq!(refused.status, StatusCode::CONFLICT, "{name}");
            assert_eq!(complaints(&refused), ["Choose another username. This one is taken"], "{name}");
        }
        assert_eq!(begun(&server).await, 0);
        assert_eq!(choose(&mut browser, "eve").await.location(), PASSWORD_PAGE);
    }

    async fn the_rules_of_the_server_speak_in_words(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            by_password(config);
            let rules = json!({
                "minimum_name_length": 3,
                "banned_names": { "literals": ["admin"] },
                "allowed_names": { "regexes": ["^[a-z.]+$"] },
            });
            config.policy.data.insert("register".to_owned(), rules);
            let requester = json!({ "banned_networks": ["192.0.2.0/24"] });
            config.policy.data.insert("requester".to_owned(), requester);
        })
        .await;
        let mut browser = server.browser();
        for (name, said) in [
            ("al", "Use at least 3 characters in the username"),
            ("admin", "Choose another username. This one is kept back here"),
            ("Admin", "Choose another username. This one is kept back here"),
            ("alice7", "Choose another username. Only some kinds of names are taken here"),
        ] {
            let refused = choose(&mut browser, name).await;
            assert_eq!((refused.status, complaints(&refused)), (StatusCode::FORBIDDEN, vec![said.to_owned()]), "{name}");
        }
        browser.address = "192.0.2.7".to_owned();
        let refused = choose(&mut browser, "alice").await;
        assert!(complaints(&refused)[0].contains("From your network"), "{:?}", complaints(&refused));
        assert!(server.homeserver.calls_of("is_localpart_available").is_empty(), "the homeserver is asked last");
    }

    async fn names_are_tried_within_limits(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            by_password(config);
            config.rate_limits.registration_per_address = Limit { burst: 3, per_hour: 60 };
        })
        .await;
        server.user("alice").await;
        let calls = || server.homeserver.calls_of("is_localpart_available").len();
        for number in 0..3 {
            choose(&mut server.browser(), &format!("free{number}")).await.location();
        }
        let refused = choose(&mut server.browser(), "another").await;
        assert_eq!((refused.status, refused.header(RETRY_AFTER)), (StatusCode::TOO_MANY_REQUESTS, "60"));
        assert!(complaints(&refused)[0].contains("Try again in 1 minute"), "{:?}", complaints(&refused));
        assert_eq!(calls(), 3);
        let mut elsewhere = server.browser();
        elsewhere.address = "198.51.100.8".to_owned();
        choose(&mut elsewhere, "elsewhere").await.location();
        server.advance(Duration::from_secs(60));
        choose(&mut server.browser(), "later").await.location();
    }

    async fn a_form_from_elsewhere_begins_nothing(engine: Engine) {
        let server = server(engine).await;
        let mut browser = server.browser();
        browser.get(REGISTER).await;
        let forged = browser.post(REGISTER, &[("csrf", "x"), ("username", "alice")]).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN);
        assert_eq!(forged.field("username"), "alice", "what was typed stays");
        assert_eq!(begun(&server).await, 0);
        choose(&mut browser, "alice").await;
        for path in [PASSWORD_PAGE, CONTINUE] {
            let twice = [("new_password", PASSWORD), ("new_password_again", PASSWORD), ("answer", "start-again")];
            assert_eq!(browser.post(path, &twice).await.status, StatusCode::FORBIDDEN, "{path}");
        }
        assert_eq!((begun(&server).await, accounts(&server).await), (1, 0));
    }

    async fn nothing_is_skipped(engine: Engine) {
        let server = Server::start_with(engine, open_to_all).await;
        let mut browser = server.browser();
        for path in [PASSWORD_PAGE, PASSKEY_PAGE, "/register/name", "/register/email", "/register/terms"] {
            assert_eq!(browser.get(path).await.location(), REGISTER, "{path}");
        }
        choose(&mut browser, "alice").await;
        for path in ["/register/email", "/register/email/code", "/register/terms"] {
            assert_eq!(browser.get(path).await.location(), PASSWORD_PAGE, "nobody asks for that: {path}");
            assert_eq!(send(&mut browser, path, &[("terms", "1"), ("email", "a@example.com")]).await.location(), PASSWORD_PAGE);
        }
        assert_eq!(send(&mut browser, CONTINUE, &[("answer", "go-on")]).await.location(), PASSWORD_PAGE);
        assert_eq!(accounts(&server).await, 0);
    }
}

on_both_engines! {
    async fn who_comes_back_within_the_hour_goes_on_where_they_were(engine: Engine) {
        let server = Server::start_with(engine, open_to_all).await;
        let mut browser = server.browser();
        choose(&mut browser, "alice").await;
        choose_password(&mut browser).await;
        server.advance(HOUR - Duration::from_millis(1));
        let page = open(&mut browser, REGISTER).await;
        assert_eq!(page.texts("h1"), ["Go on with your new account?"]);
        assert!(page.main().contains("@alice:example.org"));
        assert_eq!(send(&mut browser, CONTINUE, &[("answer", "go-on")]).await.location(), PASSKEY_PAGE);
        // Others do not.
        assert_eq!(open(&mut server.browser(), REGISTER).await.texts("h1"), ["Create an account on example.org"]);
        send(&mut browser, PASSKEY_PAGE, &[("skip", "yes")]).await;
        let alice = account(&server, "alice").await.expect("an account");
        assert!(is_right(&server, &alice, PASSWORD).await, "with the password of then");
    }

    async fn who_starts_again_leaves_nothing(engine: Engine) {
        let server = server(engine).await;
        let mut browser = server.browser();
        let client = server.client().await;
        let query = authorization_query(&client, &matrix_scope("DEVICE0001"), &[("prompt", "create")]);
        let (request, register) = browser.ask(&query).await;
        browser.get(register.location()).await;
        send(&mut browser, REGISTER, &[("username", "alice"), ("next", &request)]).await;
        let again = send(&mut browser, CONTINUE, &[("answer", "start-again")]).await;
        assert_eq!(again.query_parameter("next").as_deref(), Some(request.as_str()), "but for where they wanted to go");
        assert_eq!(begun(&server).await, 0);
        let page = open(&mut browser, again.location()).await;
        assert_eq!(page.attribute("#username", "value"), "");
        assert!(!page.main().contains("more than an hour"));
    }

    async fn after_an_hour_nothing_remains(engine: Engine) {
        let server = server(engine).await;
        let mut browser = server.browser();
        choose(&mut browser, "alice").await;
        server.advance(HOUR);
        assert_eq!(browser.get(PASSWORD_PAGE).await.location(), REGISTER);
        assert_eq!(choose_password(&mut browser).await.location(), REGISTER);
        let page = open(&mut browser, REGISTER).await;
        assert!(page.texts("[role=status]")[0].contains("more than an hour has passed"), "{}", page.main());
        assert_eq!(page.attribute("#username", "value"), "");
        work::sweep(&server.app).await.unwrap();
        assert_eq!((begun(&server).await, accounts(&server).await), (0, 0));
        assert_eq!(count(&server, "SELECT COUNT(*) AS n FROM jobs").await, 0);
        server.advance(HOUR * 24);
        work::sweep(&server.app).await.unwrap();
        assert_eq!(count(&server, "SELECT COUNT(*) AS n FROM rate_limits").await, 0);
        assert_eq!(choose(&mut browser, "alice").await.location(), PASSWORD_PAGE, "the name was never taken");
    }

    async fn only_hashes_are_kept_of_what_lets_in(engine: Engine) {
        let server = Server::start_with(engine, open_to_all).await;
        let mut browser = server.browser();
        choose(&mut browser, "alice").await;
        choose_password(&mut browser).await;
        struct Kept(String);
        impl gatehouse::store::FromRow for Kept {
            fn from_row(row: &gatehouse::store::Row) -> Result<Kept, gatehouse::store::Error> {
                Ok(Kept(format!("{} {}", row.get::<String>("secret_digest")?, row.get::<String>("password_hash")?)))
            }
        }
        let Kept(kept) = query("SELECT secret_digest, password_hash FROM registrations").fetch_one(&server.app.store).await.unwrap();
        assert!(kept.contains("$argon2id$") && !kept.contains(PASSWORD));
        assert!(!kept.contains(&browser.cookies["__Host-gatehouse_registration"]));
    }
}

on_both_engines! {
    async fn of_two_who_want_one_name_the_other_is_led_back(engine: Engine) {
        let server = server(engine).await;
        let (mut one, mut other) = (server.browser(), server.browser());
        choose(&mut one, "alice").await;
        choose(&mut other, "alice").await;
        let (first, second) = join(choose_password(&mut one), choose_password(&mut other)).await;
        assert_eq!(accounts(&server).await, 1);
        let (loser, refused) = match first.status {
            StatusCode::SEE_OTHER => (&mut other, second),
            _ => (&mut one, first),
        };
        assert_eq!((refused.status, complaints(&refused)), (StatusCode::CONFLICT, vec!["Choose another username. This one is taken".to_owned()]));
        assert_eq!(refused.field("username"), "alice", "what was entered stays");
        assert!(!is_signed_in(loser).await);
        // The password stays too: only the name is missing.
        assert_eq!(choose(loser, "alice2").await.location(), "/account/");
        let second = account(&server, "alice2").await.expect("an account");
        assert!(is_right(&server, &second, PASSWORD).await);
        assert_eq!(begun(&server).await, 0);
    }

    async fn a_name_that_the_homeserver_gave_away_meanwhile_leads_back(engine: Engine) {
        let server = server(engine).await;
        let mut browser = server.browser();
        choose(&mut browser, "alice").await;
        server.homeserver.set_user("alice", StubUser::default());
        let refused = choose_password(&mut browser).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert_eq!(accounts(&server).await, 0);
        assert_eq!(choose(&mut browser, "bob").await.location(), "/account/");
    }

    async fn a_form_that_is_sent_twice_makes_one_account(engine: Engine) {
        let server = server(engine).await;
        let mut browser = server.browser();
        choose(&mut browser, "alice").await;
        let twice = Repeated::password(&mut browser).await;
        let (first, second) = join(twice.send(&server), twice.send(&server)).await;
        assert_eq!(accounts(&server).await, 1);
        for answer in [first, second] {
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        }
    }

    async fn nobody_is_told_that_the_name_is_taken_by_their_own_account(engine: Engine) {
        let server = server(engine).await;
        for page in [PASSWORD_PAGE, REGISTER] {
            let mut browser = server.browser();
            let name = if page == REGISTER { "bob" } else { "alice" };
            choose(&mut browser, name).await;
            if page == REGISTER {
                server.homeserver.set_user(name, StubUser::default());
                assert_eq!(choose_password(&mut browser).await.status, StatusCode::CONFLICT);
            }
            let twice = match page {
                REGISTER => Repeated::form(&mut browser, REGISTER, &[("username", "bob2")]).await,
                _ => Repeated::password(&mut browser).await,
            };
            // The homeserver answers the first one only when the second one is through.
            let before = server.homeserver.calls_of("is_localpart_available").len();
            let first_call = format!("is_localpart_available {}", before + 1);
            server.homeserver.hold(&first_call);
            let second = async {
                server.homeserver.until_called("is_localpart_available", before + 1).await;
                let second = twice.send(&server).await;
                server.homeserver.release(&first_call);
                second
            };
            let (first, second) = join(twice.send(&server), second).await;
            assert_eq!((second.status, second.location()), (StatusCode::SEE_OTHER, "/account/"), "{page}");
            // Its answer may be the only one that the browser keeps: it says nothing of a failure, and leads to sign in.
            assert_eq!((first.status, first.location()), (StatusCode::SEE_OTHER, "/login"), "{page}: {}", first.text());
            let mut cookies = first.headers.get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
            assert!(cookies.any(|cookie| cookie.starts_with("__Host-gatehouse_registration=;")), "{:?}", first.headers);
        }
        assert_eq!(accounts(&server).await, 2);
    }

    async fn a_homeserver_that_is_down_is_said_to_be_and_nothing_is_lost(engine: Engine) {
        let mut server = server(engine).await;
        let mut cookies = Default::default();
        for step in ["name", "account"] {
            server.homeserver.go_down().await;
            let mut browser = server.browser();
            browser.cookies = std::mem::take(&mut cookies);
            let refused = match step {
                "name" => choose(&mut browser, "alice").await,
                _ => choose_password(&mut browser).await,
            };
            assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{step}");
            assert_ne!(refused.header(RETRY_AFTER), "", "{step}");
            assert!(Page::of(&refused).main().contains("chat server is not answering"), "{}", refused.text());
            match step {
                "name" => assert_eq!(refused.field("username"), "alice"),
                _ => assert_eq!(Page::of(&refused).links("a.primary"), [REGISTER]),
            }
            cookies = std::mem::take(&mut browser.cookies);
            drop(browser);
            server.homeserver.come_back().await;
            let mut browser = server.browser();
            browser.cookies = std::mem::take(&mut cookies);
            let on = match step {
                "name" => choose(&mut browser, "alice").await.location().to_owned(),
                _ => send(&mut browser, CONTINUE, &[("answer", "go-on")]).await.location().to_owned(),
            };
            assert_eq!(on, if step == "name" { PASSWORD_PAGE } else { "/account/" });
            cookies = std::mem::take(&mut browser.cookies);
        }
        assert!(account(&server, "alice").await.is_some_and(|alice| alice.provisioned_at.is_some()));
    }

    async fn an_account_that_the_homeserver_does_not_know_yet_is_there_all_the_same(engine: Engine) {
        let server = server(engine).await;
        let mut browser = server.browser();
        choose(&mut browser, "alice").await;
        server.homeserver.hold("provision_user");
        let trouble = async {
            server.homeserver.until_called("provision_user", 1).await;
            server.homeserver.answer_with(Some(StatusCode::BAD_GATEWAY));
            server.homeserver.release("provision_user");
        };
        let (refused, ()) = join(choose_password(&mut browser), trouble).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(Page::of(&refused).links("a.primary"), ["/account/"], "with a way on");
        assert!(is_signed_in(&mut browser).await);
        server.homeserver.answer_with(None);
        assert!(account(&server, "alice").await.is_some_and(|alice| alice.provisioned_at.is_none()));
        server.advance(Duration::from_secs(3));
        server.run_jobs().await;
        assert!(server.homeserver.user("alice").is_some(), "it is told as soon as it answers");
    }
}

on_both_engines! {
    async fn who_is_signed_in_is_told_so(engine: Engine) {
        let server = server(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let page = open(&mut browser, REGISTER).await;
        assert_eq!(page.texts("h1"), ["You already have an account"]);
        assert!(page.main().contains("@alice:example.org"));
        assert_eq!(page.links("a.primary"), ["/account/"]);
        let out = send(&mut browser, "/logout", &[("then", "register"), ("next", "/account/sessions")]).await;
        assert_eq!(out.location(), "/register?next=%2Faccount%2Fsessions");
        let page = open(&mut browser, out.location()).await;
        assert_eq!(page.texts("h1"), ["Create an account on example.org"]);
        send(&mut browser, REGISTER, &[("username", "bob"), ("next", "/account/sessions")]).await;
        assert_eq!(choose_password(&mut browser).await.location(), "/account/sessions");
        assert!(open(&mut browser, "/account/").await.main().contains("@bob:example.org"));
    }

    async fn a_person_goes_on_on_this_site_alone(engine: Engine) {
        let server = server(engine).await;
        for (number, next) in ["https://evil.example", "//evil.example", "/\\evil.example"].into_iter().enumerate() {
            let mut browser = server.browser();
            send(&mut browser, REGISTER, &[("username", &format!("alice{number}")), ("next", next)]).await;
            assert_eq!(choose_password(&mut browser).await.location(), "/account/", "{next}");
        }
    }

    async fn a_client_that_asks_for_a_new_account_ends_with_a_code(engine: Engine) {
        let server = server(engine).await;
        let discovery = server.get("/.well-known/openid-configuration").await.json();
        assert!(discovery["prompt_values_supported"].as_array().unwrap().contains(&json!("create")));
        let client = server.client().await;
        let query = authorization_query(&client, &matrix_scope("DEVICE0001"), &[("prompt", "create"), ("login_hint", "mxid:@Alice:example.org")]);
        let mut browser = server.browser();
        let (request, led) = browser.ask(&query).await;
        assert!(led.location().starts_with("/register?next="), "{}", led.location());
        assert_eq!(led.query_parameter("next").as_deref(), Some(request.as_str()));
        let page = browser.get(led.location()).await;
        assert!(Page::of(&page).main().contains("to continue to Example app (app.example.com)") || Page::of(&page).main().contains("to continue to"), "{}", page.text());
        assert_eq!((page.field("username").as_str(), page.field("next")), ("alice", request.clone()), "as the client hints");
        let csp = page.header("content-security-policy");
        assert!(csp.contains("form-action 'self' https://app.example.com"), "{csp}");
        send(&mut browser, REGISTER, &[("username", "alice"), ("next", &request)]).await;
        let csp = browser.get(PASSWORD_PAGE).await.header("content-security-policy").to_owned();
        assert!(csp.contains("form-action 'self' https://app.example.com"), "{csp}");
        assert_eq!(choose_password(&mut browser).await.location(), request);
        let consent = browser.get(&request).await;
        assert_eq!(consent.status, StatusCode::OK, "{}", consent.text());
        let allowed = browser.post(&request, &[("csrf", &consent.field("csrf")), ("answer", "approve")]).await;
        let code = allowed.query_parameter("code").expect("a code");
        let tokens = server.post("/oauth2/token", &code_form(&client, &code)).await;
        assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.text());
        assert_eq!(server.homeserver.devices("alice"), ["DEVICE0001"]);
    }

    async fn who_is_asked_to_make_an_account_may_sign_in_instead(engine: Engine) {
        let server = server(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let query = |device: &str| authorization_query(&client, &matrix_scope(device), &[("prompt", "create")]);
        let mut browser = server.browser();
        let (request, led) = browser.ask(&query("DEVICE0001")).await;
        let page = open(&mut browser, led.location()).await;
        let sign_in = page.links(".aside a")[0].clone();
        let login = browser.get(&sign_in).await;
        assert_eq!(browser.sign_in_at(&login, "alice", PASSWORD, &request).await.location(), request);
        assert_eq!(browser.get(&request).await.status, StatusCode::OK, "the question, and no other account");
        // Who was signed in before may go on as they are, or make another one.
        server.advance(Duration::from_secs(1));
        let (request, led) = browser.ask(&query("DEVICE0002")).await;
        let page = open(&mut browser, led.location()).await;
        assert_eq!(page.texts("h1"), ["You already have an account"]);
        let consent = browser.get(&page.links("a.primary")[0]).await;
        assert_eq!(consent.status, StatusCode::OK, "{}", consent.text());
        let allowed = browser.post(&request, &[("csrf", &consent.field("csrf")), ("answer", "approve")]).await;
        assert!(allowed.query_parameter("code").is_some());
        let (request, _) = browser.ask(&query("DEVICE0003")).await;
        let out = send(&mut browser, "/logout", &[("then", "register"), ("next", &request)]).await;
        open(&mut browser, out.location()).await;
        send(&mut browser, REGISTER, &[("username", "bob"), ("next", &request)]).await;
        assert_eq!(choose_password(&mut browser).await.location(), request);
        assert!(open(&mut browser, &request).await.main().contains("@bob:example.org"));
    }

    async fn who_came_back_for_another_client_goes_on_there(engine: Engine) {
        let server = server(engine).await;
        let mut browser = server.browser();
        send(&mut browser, REGISTER, &[("username", "alice"), ("next", "/account/email")]).await;
        let page = open(&mut browser, "/register?next=%2Faccount%2Fsessions").await;
        assert_eq!(page.texts("h1"), ["Go on with your new account?"]);
        assert_eq!(choose_password(&mut browser).await.location(), "/account/sessions");
    }

    async fn a_second_factor_is_set_up_where_everybody_must_have_one(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            open_to_all(config);
            config.second_factor.required_for = RequiredFor::Everybody;
        })
        .await;
        let mut browser = server.browser();
        choose(&mut browser, "alice").await;
        choose_password(&mut browser).await;
        let on = send(&mut browser, PASSKEY_PAGE, &[("skip", "yes")]).await;
        assert!(on.location().starts_with("/login/second"), "{}", on.location());
        assert!(browser.get(on.location()).await.location().starts_with("/login/enrol"));
        assert!(!is_signed_in(&mut browser).await);
        assert!(account(&server, "alice").await.is_some_and(|alice| alice.provisioned_at.is_some()));
        // A passkey is one.
        let mut browser = server.browser();
        choose(&mut browser, "bob").await;
        assert_eq!(make_passkey(&mut browser, &mut Authenticator::new()).await.location(), "/account/");
        assert!(is_signed_in(&mut browser).await);
    }

    async fn an_easy_password_is_refused_by_those_who_know_the_name(engine: Engine) {
        let server = server(engine).await;
        let mut browser = server.browser();
        choose(&mut browser, "wolfeschlegelstein").await;
        for (password, again, said) in [
            ("", "", "Enter a new password"),
            ("short", "short", "Use at least 15 characters"),
            (PASSWORD, "another one, which is long", "Enter the same password twice"),
            ("wolfeschlegelstein", "wolfeschlegelstein", "without your name"),
        ] {
            let form = [("new_password", password), ("new_password_again", again)];
            let refused = send(&mut browser, PASSWORD_PAGE, &form).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST);
            assert!(complaints(&refused)[0].contains(said), "{:?}", complaints(&refused));
        }
        assert_eq!(accounts(&server).await, 0);
    }

    async fn what_people_choose_is_counted(engine: Engine) {
        let server = Server::start_with(engine, open_to_all).await;
        let mut browser = server.browser();
        choose(&mut browser, "alice").await;
        choose_password(&mut browser).await;
        send(&mut browser, PASSKEY_PAGE, &[("skip", "yes")]).await;
        let request = http::Request::get("/metrics").body(axum::body::Body::empty()).unwrap();
        let told = send_to(&gatehouse::scrape::router(server.app.clone()), request).await.text();
        for (way, times) in [("password", 1), ("passkey", 0), ("both", 0)] {
            assert!(told.contains(&format!("gatehouse_registrations_total{{way=\"{way}\"}} {times}\n")), "{told}");
        }
    }
}
