//! Passkeys: enrolled on the account page, and signed in with, without a name.

use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::accounts::passkeys::{self, Moved};
use gatehouse::accounts::users;
use gatehouse::config::Limit;
use gatehouse::store::query;
use gatehouse::work;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::authenticator::Authenticator;
use crate::support::page::Page;
use crate::support::server::{Answer, Browser, Engine, PASSWORD, Server, on_both_engines};

/// Where the server is, as browsers say it.
pub const ORIGIN: &str = "https://auth.example.org";
pub const NEW: &str = "/account/security/passkeys/new";
const NEW_KEY: &str = "/account/security/passkeys/new?kind=security-key";
const SECURITY: &str = "/account/security";
const DID_NOT_WORK: &str = "That passkey does not work here";

/// What a page asks the browser, and what it wants back.
#[derive(Clone)]
pub struct Asked {
    pub options: Value,
    form: Vec<(String, String)>,
}

impl Asked {
    pub fn by(page: &Answer) -> Asked {
        assert_eq!(page.status, StatusCode::OK, "{} {}", page.header("location"), page.text());
        let page_of = Page::of(page);
        let options = page_of.attribute("form[data-passkey]", "data-options");
        let value = |name: &str| {
            (name.to_owned(), page_of.attribute(&format!("form[data-passkey] input[name={name}]"), "value"))
        };
        let mut form = vec![value("csrf"), value("ceremony")];
        if page.text().contains("name=\"kind\"") {
            form.push(value("kind"));
        }
        Asked { options: serde_json::from_str(&options).expect("JSON"), form }
    }

    pub async fn answer(&self, browser: &mut Browser<'_>, path: &str, credential: &Value) -> Answer {
        self.answer_with(browser, path, &credential.to_string()).await
    }

    /// The same with whatever stands in the place of the credential.
    pub async fn answer_with(&self, browser: &mut Browser<'_>, path: &str, credential: &str) -> Answer {
        let mut form: Vec<(&str, &str)> =
            self.form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        form.push(("credential", credential));
        browser.post(path, &form).await
    }

    /// The state that travels with the page.
    pub fn sealed(&self) -> &str {
        &self.form[1].1
    }

    /// Puts something else in its place.
    pub fn seal(&mut self, sealed: &str) {
        sealed.clone_into(&mut self.form[1].1);
    }
}

/// Adds what the device makes, as the page at `path` asks; the answer.
pub async fn enrol(browser: &mut Browser<'_>, path: &str, device: &mut Authenticator) -> Answer {
    let asked = Asked::by(&browser.get(path).await);
    let made = device.create(&asked.options, ORIGIN).await;
    asked.answer(browser, NEW, &made).await
}

/// The page that tells of what was added, after the one that offers recovery codes.
pub fn assert_added(answer: &Answer) -> String {
    let on = answer.query_parameter("next").expect("the page of the new one");
    assert!(
        answer.location().starts_with("/account/security/recovery-codes?") && on.ends_with("?notice=added"),
        "{on}"
    );
    on
}

/// A device with a passkey of the user, who has just added it.
pub async fn passkey_of(server: &Server, localpart: &str) -> Authenticator {
    let mut device = Authenticator::new();
    let added = enrol(&mut server.signed_in(localpart).await, NEW, &mut device).await;
    assert_added(&added);
    device
}

/// Signs in with whatever the device has; the answer.
async fn sign_in(browser: &mut Browser<'_>, device: &mut Authenticator) -> Answer {
    let asked = Asked::by(&browser.get("/login").await);
    let answer = device.get(&asked.options, ORIGIN).await;
    asked.answer(browser, "/login/passkey", &answer).await
}

async fn is_signed_in(browser: &mut Browser<'_>) -> bool {
    browser.get("/account/").await.status == StatusCode::OK
}

fn assert_refused(answer: &Answer, what: &str) {
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{what}");
    assert!(answer.text().contains(DID_NOT_WORK), "{what}: {}", Page::of(answer).main());
}

/// The paths of the passkeys on the account page.
async fn paths(browser: &mut Browser<'_>) -> Vec<String> {
    Page::of(&browser.get(SECURITY).await).links("#passkeys li > a")
}

on_both_engines! {
    async fn a_passkey_signs_in_without_a_name(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        server.user("bob").await;
        let mut alices = passkey_of(&server, "alice").await;
        let mut bobs = passkey_of(&server, "bob").await;
        for (device, owner) in [(&mut alices, "@alice:"), (&mut bobs, "@bob:")] {
            let mut browser = server.browser();
            let page = browser.get("/login?next=%2Faccount%2Fsessions").await;
            let asked = Asked::by(&page);
            assert_eq!(asked.options["rpId"], "auth.example.org");
            assert_eq!(asked.options["userVerification"], "required");
            assert!(asked.options["allowCredentials"].as_array().is_none_or(Vec::is_empty));
            let answer = asked.answer(&mut browser, "/login/passkey", &device.get(&asked.options, ORIGIN).await).await;
            assert_eq!(answer.location(), "/account/");
            assert!(browser.get("/account/").await.text().contains(owner));
        }
        let row = Page::of(&server.signed_in_by(&mut alices).await.get(SECURITY).await).texts("#passkeys li").concat();
        assert!(row.contains("Bitwarden") && row.contains("Last used"), "{row}");
    }

    async fn the_way_on_is_kept(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut device = passkey_of(&server, "alice").await;
        let mut browser = server.browser();
        let page = browser.get("/login?next=%2Faccount%2Fsessions").await;
        let next = Page::of(&page).attribute("form[data-passkey] input[name=next]", "value");
        let mut asked = Asked::by(&page);
        asked.form.push(("next".to_owned(), next));
        let answer = device.get(&asked.options, ORIGIN).await;
        assert_eq!(asked.answer(&mut browser, "/login/passkey", &answer).await.location(), "/account/sessions");
    }

    async fn an_answer_counts_once(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut device = passkey_of(&server, "alice").await;
        let mut browser = server.browser();
        let asked = Asked::by(&browser.get("/login").await);
        let answer = device.get(&asked.options, ORIGIN).await;
        assert_eq!(asked.answer(&mut browser, "/login/passkey", &answer).await.status, StatusCode::SEE_OTHER);
        let mut again = server.browser();
        again.cookies = browser.cookies.clone();
        again.cookies.remove("__Host-gatehouse_session");
        let replayed = asked.answer(&mut again, "/login/passkey", &answer).await;
        assert_eq!(replayed.status, StatusCode::FORBIDDEN);
        assert!(replayed.text().contains("open for too long"));
        assert!(!is_signed_in(&mut again).await);
        // Nor does a fresh answer to a question that had one, right or wrong.
        let mut browser = server.browser();
        let asked = Asked::by(&browser.get("/login").await);
        let mut wrong = device.get(&asked.options, ORIGIN).await;
        wrong["response"]["signature"] = json!("AAAA");
        assert_refused(&asked.answer(&mut browser, "/login/passkey", &wrong).await, "a wrong signature");
        let right = device.get(&asked.options, ORIGIN).await;
        assert_eq!(asked.answer(&mut browser, "/login/passkey", &right).await.status, StatusCode::FORBIDDEN);
    }

    async fn of_one_answer_sent_many_times_at_once_one_counts(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut device = Authenticator::synced();
        enrol(&mut server.signed_in("alice").await, NEW, &mut device).await;
        let mut first = server.browser();
        let asked = Asked::by(&first.get("/login").await);
        let answer = device.get(&asked.options, ORIGIN).await;
        let answers = join_all((0..8).map(async |_| {
            let mut browser = server.browser();
            browser.cookies = first.cookies.clone();
            asked.answer(&mut browser, "/login/passkey", &answer).await.status
        })).await;
        assert_eq!(answers.iter().filter(|status| **status == StatusCode::SEE_OTHER).count(), 1, "{answers:?}");
    }

    async fn a_question_is_one_browsers_and_does_not_last(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut device = passkey_of(&server, "alice").await;
        let mut browser = server.browser();
        let asked = Asked::by(&browser.get("/login").await);
        let mut elsewhere = server.browser();
        let mut stolen = asked.clone();
        stolen.form[0].1 = elsewhere.csrf().await;
        let answer = device.get(&asked.options, ORIGIN).await;
        let refused = stolen.answer(&mut elsewhere, "/login/passkey", &answer).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(!is_signed_in(&mut elsewhere).await);
        let mut altered = asked.clone();
        altered.form[1].1.replace_range(10..11, "_");
        assert_eq!(altered.answer(&mut browser, "/login/passkey", &answer).await.status, StatusCode::FORBIDDEN);
        server.advance(Duration::from_secs(60 * 60));
        assert_eq!(asked.answer(&mut browser, "/login/passkey", &answer).await.status, StatusCode::FORBIDDEN);
        work::sweep(&server.app).await.unwrap();
        assert_eq!(asked.answer(&mut browser, "/login/passkey", &answer).await.status, StatusCode::FORBIDDEN);
        assert_eq!(sign_in(&mut browser, &mut device).await.status, StatusCode::SEE_OTHER);
    }

    async fn a_copy_that_counts_behind_is_refused(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut device = passkey_of(&server, "alice").await;
        let mut copy = device.copy();
        assert_eq!(sign_in(&mut server.browser(), &mut device).await.status, StatusCode::SEE_OTHER);
        assert_refused(&sign_in(&mut server.browser(), &mut copy).await, "the same count");
        // Both at once: each is ahead of what is stored.
        let mut copy = device.copy();
        let mut browsers = [server.browser(), server.browser()];
        let [first, second] = &mut browsers;
        let (original, copied) = tokio::join!(sign_in(first, &mut device), sign_in(second, &mut copy));
        let signed_in = [&original, &copied].iter().filter(|answer| answer.status == StatusCode::SEE_OTHER).count();
        assert_eq!(signed_in, 1, "{} {}", original.status, copied.status);
    }

    async fn an_answer_for_another_site_is_refused(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut device = passkey_of(&server, "alice").await;
        let mut browser = server.browser();
        for origin in [
            "https://evil.org", "https://badauth.example.org", "https://auth.example.org.evil.org", "https://example.org",
            "https://sub.auth.example.org", "http://auth.example.org", "https://auth.example.org:8443", "null", "",
        ] {
            let asked = Asked::by(&browser.get("/login").await);
            let answer = device.get(&asked.options, origin).await;
            assert_refused(&asked.answer(&mut browser, "/login/passkey", &answer).await, origin);
        }
        for domain in ["example.org", "badauth.example.org", "evil.org"] {
            let mut asked = Asked::by(&browser.get("/login").await);
            asked.options["rpId"] = json!(domain);
            let answer = device.get(&asked.options, ORIGIN).await;
            assert_refused(&asked.answer(&mut browser, "/login/passkey", &answer).await, domain);
        }
        let asked = Asked::by(&browser.get("/login").await);
        let answer = device.answer("webauthn.create", &asked.options, ORIGIN).await;
        assert_refused(&asked.answer(&mut browser, "/login/passkey", &answer).await, "made for enrolling");
        assert_eq!(sign_in(&mut browser, &mut device).await.status, StatusCode::SEE_OTHER);
    }

    async fn the_owner_is_verified_and_named(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let bob = server.user("bob").await;
        let mut device = passkey_of(&server, "alice").await;
        device.verifies = false;
        assert_refused(&sign_in(&mut server.browser(), &mut device).await, "not verified");
        device.verifies = true;
        let bobs = gatehouse::keys::base64url(bob.id.to_bytes());
        for handle in [json!(bobs), json!(null), json!("AAAA")] {
            let mut browser = server.browser();
            let asked = Asked::by(&browser.get("/login").await);
            let mut answer = device.get(&asked.options, ORIGIN).await;
            answer["response"]["userHandle"] = handle.clone();
            assert_refused(&asked.answer(&mut browser, "/login/passkey", &answer).await, &handle.to_string());
        }
        let mut browser = server.signed_in_by(&mut device).await;
        let mut other = Authenticator::new();
        other.verifies = false;
        assert_eq!(enrol(&mut browser, NEW, &mut other).await.status, StatusCode::BAD_REQUEST);
    }

    async fn strangers_learn_nothing(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        server.user("bare").await;
        let mut device = passkey_of(&server, "alice").await;
        let asks = async |path: &str| {
            let mut options = Asked::by(&server.browser().get(path).await).options;
            options["challenge"] = json!("");
            options
        };
        let plain = asks("/login").await;
        for hint in ["alice", "bare", "nobody"] {
            assert_eq!(asks(&format!("/login?login_hint={hint}")).await, plain, "{hint}");
        }
        // One that was never ours is told so: the browser that holds it can forget it.
        let mut browser = server.browser();
        let asked = Asked::by(&browser.get("/login").await);
        let mut unknown = device.get(&asked.options, ORIGIN).await;
        unknown["id"] = json!("AAECAwQFBgcICQoLDA0ODw");
        unknown["rawId"] = unknown["id"].clone();
        let answer = asked.answer(&mut browser, "/login/passkey", &unknown).await;
        assert_refused(&answer, "unknown");
        let signals = Page::of(&answer).attribute("[data-passkey-signals]", "data-passkey-signals");
        let signals: Value = serde_json::from_str(&signals).unwrap();
        let told = &signals["signalUnknownCredential"];
        assert_eq!(*told, json!({ "rpId": "auth.example.org", "credentialId": "AAECAwQFBgcICQoLDA0ODw" }));
    }

    async fn who_may_not_sign_in_is_refused_by_passkey_too(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut device = passkey_of(&server, "alice").await;
        for (change, text) in [("lock", "This account is locked"), ("deactivate", DID_NOT_WORK)] {
            change_user(&server, "alice", change).await;
            let answer = sign_in(&mut server.browser(), &mut device).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
            assert!(answer.text().contains(text), "{change}: {}", Page::of(&answer).main());
        }
    }

    async fn attempts_are_limited_by_address_and_right_ones_are_not(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.rate_limits.sign_in_per_address = Limit { burst: 3, per_hour: 1 };
        }).await;
        server.user("alice").await;
        let mut device = passkey_of(&server, "alice").await;
        for _ in 0..5 {
            assert_eq!(sign_in(&mut server.browser(), &mut device).await.status, StatusCode::SEE_OTHER);
        }
        device.verifies = false;
        for _ in 0..3 {
            assert_refused(&sign_in(&mut server.browser(), &mut device).await, "not verified");
        }
        device.verifies = true;
        let answer = sign_in(&mut server.browser(), &mut device).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(!answer.header("retry-after").is_empty());
        let mut elsewhere = server.browser();
        elsewhere.address = "198.51.100.200".to_owned();
        assert_eq!(sign_in(&mut elsewhere, &mut device).await.status, StatusCode::SEE_OTHER);
    }

    async fn to_add_one_the_person_has_proved_it_lately(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        server.advance(Duration::from_secs(10 * 60));
        assert!(browser.get(NEW).await.location().starts_with("/login?next=%2Faccount%2Fsecurity%2Fpasskeys%2Fnew&max_age="));
        browser.sign_in("alice", PASSWORD, NEW).await;
        let asked = Asked::by(&browser.get(NEW).await);
        let made = Authenticator::new().create(&asked.options, ORIGIN).await;
        server.advance(Duration::from_secs(10 * 60));
        assert!(asked.answer(&mut browser, NEW, &made).await.location().starts_with("/login?"));
        assert!(paths(&mut browser).await.is_empty());
        // Who comes back by the passkey itself has proved it.
        browser.sign_in("alice", PASSWORD, NEW).await;
        let mut device = Authenticator::new();
        enrol(&mut browser, NEW, &mut device).await;
        server.advance(Duration::from_secs(10 * 60));
        assert!(browser.get(NEW).await.location().starts_with("/login?"));
        let asked = Asked::by(&browser.get("/login?max_age=600").await);
        let answer = device.get(&asked.options, ORIGIN).await;
        assert_eq!(asked.answer(&mut browser, "/login/passkey", &answer).await.status, StatusCode::SEE_OTHER);
        assert_eq!(browser.get(NEW).await.status, StatusCode::OK);
    }

    async fn a_new_one_is_made_for_this_site_and_this_person(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        server.user("bob").await;
        let (mut alices, mut bobs) = (server.signed_in("alice").await, server.signed_in("bob").await);
        let asked = Asked::by(&alices.get(NEW).await);
        let options = &asked.options;
        assert_eq!(options["rp"]["id"], "auth.example.org");
        assert_eq!(options["user"]["name"], json!(format!("@alice:{}", server.config.homeserver.server_name)));
        assert_eq!(options["user"]["id"], gatehouse::keys::base64url(alice.id.to_bytes()));
        assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
        let mut device = Authenticator::new();
        for origin in ["https://evil.org", "http://auth.example.org", "https://sub.auth.example.org", "https://auth.example.org:8443"] {
            let asked = Asked::by(&alices.get(NEW).await);
            let made = Authenticator::new().create(&asked.options, origin).await;
            assert_eq!(asked.answer(&mut alices, NEW, &made).await.status, StatusCode::BAD_REQUEST, "{origin}");
        }
        // A page of alice's that bob sends, even from her browser.
        let made = device.create(&asked.options, ORIGIN).await;
        let mut hers = server.browser();
        hers.cookies = alices.cookies.clone();
        hers.sign_in("bob", PASSWORD, "/account/").await;
        assert_eq!(asked.answer(&mut hers, NEW, &made).await.status, StatusCode::BAD_REQUEST);
        assert!(paths(&mut hers).await.is_empty());
        // A credential belongs to one account, and is there once.
        let mut alices = server.signed_in("alice").await;
        let asked = Asked::by(&alices.get(NEW).await);
        let again = Asked::by(&alices.get(NEW).await);
        let made = device.create(&asked.options, ORIGIN).await;
        assert_eq!(asked.answer(&mut alices, NEW, &made).await.status, StatusCode::SEE_OTHER);
        assert_eq!(asked.answer(&mut alices, NEW, &made).await.status, StatusCode::BAD_REQUEST);
        let excluded = Asked::by(&alices.get(NEW).await).options["excludeCredentials"].clone();
        assert_eq!(excluded.as_array().map(Vec::len), Some(1), "{excluded}");
        let mut replayed = again.clone();
        replayed.options = asked.options.clone();
        assert_eq!(replayed.answer(&mut alices, NEW, &made).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(paths(&mut alices).await.len(), 1);
        assert!(paths(&mut bobs).await.is_empty());
    }

    async fn what_one_has_is_named_and_removed(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        server.user("bob").await;
        let mut browser = server.signed_in("alice").await;
        let empty = Page::of(&browser.get(SECURITY).await).texts("#passkeys").concat();
        assert!(empty.contains("appear here"), "{empty}");
        let mut device = Authenticator::new();
        let added = enrol(&mut browser, NEW, &mut device).await;
        assert!(browser.get(&assert_added(&added)).await.text().contains("It is added"));
        let path = paths(&mut browser).await.remove(0);
        let hostile = "<img src=x onerror=alert(1)> \u{202e}\"'&";
        let csrf = browser.csrf().await;
        let renamed = browser.post(&path, &[("csrf", &csrf), ("name", hostile)]).await;
        let page = browser.get(renamed.location()).await;
        assert!(page.text().contains("new name") && !page.text().contains("<img"), "{}", page.text());
        assert!(!browser.get(SECURITY).await.text().contains("<img"));
        for name in ["", "  ", "\t\n", "\u{200b}\u{202e}"] {
            assert_eq!(browser.post(&path, &[("csrf", &csrf), ("name", name)]).await.status, StatusCode::BAD_REQUEST);
        }
        let long = "x".repeat(500);
        browser.post(&path, &[("csrf", &csrf), ("name", &long)]).await;
        assert_eq!(Page::of(&browser.get(&path).await).texts("h1"), ["x".repeat(60)]);
        // Nobody else sees or changes it.
        let mut bobs = server.signed_in("bob").await;
        let bobs_csrf = bobs.csrf().await;
        let remove = format!("{path}/remove");
        for answer in [
            bobs.get(&path).await, bobs.get(&remove).await, bobs.post(&path, &[("csrf", &bobs_csrf), ("name", "x")]).await,
            bobs.post(&remove, &[("csrf", &bobs_csrf)]).await,
        ] {
            assert_eq!(answer.status, StatusCode::NOT_FOUND);
        }
        assert_eq!(browser.post(&remove, &[("csrf", "wrong")]).await.status, StatusCode::FORBIDDEN);
        assert!(browser.get(&remove).await.text().contains("Only your password would protect"));
        let removed = browser.post(&remove, &[("csrf", &csrf)]).await;
        let mut from_here = http::Request::get(removed.location()).body(axum::body::Body::empty()).unwrap();
        from_here.headers_mut().insert("sec-fetch-site", "same-origin".parse().unwrap());
        let page = browser.send(from_here).await;
        assert!(page.text().contains("no longer lets anybody in"));
        let signals = Page::of(&page).attribute("[data-passkey-signals]", "data-passkey-signals");
        let signals: Value = serde_json::from_str(&signals).unwrap();
        assert_eq!(signals["signalAllAcceptedCredentials"]["allAcceptedCredentialIds"], json!([]));
        assert_eq!(signals["signalCurrentUserDetails"]["displayName"], "alice");
        assert_refused(&sign_in(&mut server.browser(), &mut device).await, "removed");
    }

    async fn hostile_names_stay_words_in_what_the_browser_is_asked(engine: Engine) {
        let hostile = "\"><img src=x onerror=alert(1)>'&quot;</script>";
        let server = Server::start_with(engine, |config| {
            config.branding.service_name = Some(hostile.to_owned());
        }).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let page = browser.get(NEW).await;
        assert!(!page.text().contains("<img"), "{}", page.text());
        assert_eq!(Asked::by(&page).options["rp"]["name"], hostile);
    }

    async fn the_only_way_in_stays(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let mut device = passkey_of(&server, "alice").await;
        let mut tx = server.app.store.begin().await.unwrap();
        query("DELETE FROM passwords WHERE user_id = $1").bind(alice.id).execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let mut browser = server.signed_in_by(&mut device).await;
        let remove = format!("{}/remove", paths(&mut browser).await[0]);
        let page = browser.get(&remove).await;
        assert!(page.text().contains("could not sign in any more") && !page.text().contains("button danger"));
        let csrf = browser.csrf().await;
        assert_eq!(browser.post(&remove, &[("csrf", &csrf)]).await.status, StatusCode::CONFLICT);
        // A security key is no way in; another passkey is.
        enrol(&mut browser, NEW_KEY, &mut Authenticator::new()).await;
        assert_eq!(browser.post(&remove, &[("csrf", &csrf)]).await.status, StatusCode::CONFLICT);
        enrol(&mut browser, NEW, &mut Authenticator::new()).await;
        assert_eq!(browser.post(&remove, &[("csrf", &csrf)]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(paths(&mut browser).await.len(), 2);
    }

    async fn the_domain_never_changes_by_accident(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let moved = |base: &str, id: Option<&str>| {
            let mut config = server.config.clone();
            config.http.public_base = base.parse().unwrap();
            config.passkeys.relying_party_id = id.map(str::to_owned);
            config
        };
        let settle = async |config| passkeys::settle(&server.app.store, &config).await;
        settle(moved("https://id.example.org/", None)).await.expect("nothing is lost yet");
        settle(server.config.clone()).await.expect("back again");
        let mut device = passkey_of(&server, "alice").await;
        for base in ["https://id.example.org/", "https://example.org/", "http://127.0.0.1:8080/"] {
            let refused = settle(moved(base, None)).await.expect_err(base);
            assert!(matches!(refused, Moved::Silently(ref lost) if lost.count == 1), "{base}");
            assert!(refused.to_string().contains("passkeys.relying_party_id to auth.example.org"), "{refused}");
        }
        settle(moved("https://auth.example.org:8443/below/", None)).await.expect("the host is the same");
        // Somebody wants it so.
        let mut config = server.config.clone();
            config.http.public_base = "https://id.example.org/".parse().unwrap();
            config.passkeys.relying_party_id = Some("id.example.org".to_owned());
        let server = server.restart_with(config).await;
        // Once settled, it need not be said again; the way back would be another move, with nothing to lose yet.
        let mut config = server.config.clone();
        config.passkeys.relying_party_id = None;
        let server = server.restart_with(config).await;
        let mut browser = server.signed_in("alice").await;
        let list = browser.get(SECURITY).await;
        assert!(Page::of(&list).texts("#passkeys li").concat().contains("It does not work any more"), "{}", list.text());
        let remove = format!("{}/remove", paths(&mut browser).await[0]);
        assert!(!browser.get(&remove).await.text().contains("Only your password"));
        let asked = Asked::by(&server.browser().get("/login").await);
        assert_eq!(asked.options["rpId"], "id.example.org");
        let mut lost = server.browser();
        let asked = Asked::by(&lost.get("/login").await);
        let answer = device.get(&asked.options, "https://id.example.org").await;
        assert_refused(&asked.answer(&mut lost, "/login/passkey", &answer).await, "made for another domain");
    }

    async fn a_domain_above_the_host_outlives_a_move(engine: Engine) {
        let wide = |config: &mut gatehouse::config::Config| config.passkeys.relying_party_id = Some("example.org".to_owned());
        let server = Server::start_with(engine, wide).await;
        server.user("alice").await;
        let mut device = passkey_of(&server, "alice").await;
        let mut config = server.config.clone();
            config.http.public_base = "https://id.example.org/below/".parse().unwrap();
        let server = server.restart_with(config).await;
        let mut browser = server.browser();
        let asked = Asked::by(&browser.get("/below/login").await);
        assert_eq!(asked.options["rpId"], "example.org");
        let answer = device.get(&asked.options, "https://id.example.org").await;
        let answer = asked.answer(&mut browser, "/below/login/passkey", &answer).await;
        assert_eq!(answer.location(), "/below/account/");
        // The old host is no longer ours.
        let mut browser = server.browser();
        let asked = Asked::by(&browser.get("/below/login").await);
        let answer = device.get(&asked.options, ORIGIN).await;
        assert_refused(&asked.answer(&mut browser, "/below/login/passkey", &answer).await, "the old host");
    }

    async fn without_a_host_name_there_are_none(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.http.public_base = "http://127.0.0.1:8080/".parse().unwrap();
        }).await;
        server.user("alice").await;
        let mut browser = server.browser();
        let page = browser.get("/login").await;
        assert!(!page.text().contains("passkey") && !page.text().contains("webauthn"), "{}", page.text());
        browser.sign_in("alice", PASSWORD, "/account/").await;
        assert!(browser.get(SECURITY).await.text().contains("Passkeys cannot be used here"));
        assert_eq!(browser.get(NEW).await.status, StatusCode::NOT_FOUND);
        assert_eq!(browser.get("/.well-known/passkey-endpoints").await.status, StatusCode::NOT_FOUND);
        let csrf = browser.csrf().await;
        assert_eq!(browser.post("/login/passkey", &[("csrf", &csrf)]).await.status, StatusCode::NOT_FOUND);
    }

    async fn password_managers_find_the_pages(engine: Engine) {
        for (base, below) in [("https://auth.example.org/", ""), ("https://example.org/auth/", "/auth")] {
            let server = Server::start_with(engine, |config| config.http.public_base = base.parse().unwrap()).await;
            let answer = server.get("/.well-known/passkey-endpoints").await;
            assert_eq!(answer.header("content-type"), "application/json");
            let expected = json!({
                "enroll": format!("{base}account/security/passkeys/new"), "manage": format!("{base}account/security"),
            });
            assert_eq!(answer.json(), expected);
            for page in ["enroll", "manage"] {
                let path = expected[page].as_str().unwrap().split_once(".org").unwrap().1;
                assert!(server.get(path).await.location().starts_with(&format!("{below}/login?next=")), "{path}");
            }
        }
    }

    async fn without_javascript_the_pages_say_so(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.browser();
        let csrf = browser.csrf().await;
        let ceremony = Page::of(&browser.get("/login").await).attribute("input[name=ceremony]", "value");
        let form = [("csrf", csrf.as_str()), ("ceremony", &ceremony), ("credential", "")];
        let answer = browser.post("/login/passkey", &form).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(Page::of(&answer).texts(".summary").concat().contains("need JavaScript"));
        browser.sign_in("alice", PASSWORD, "/account/").await;
        let answer = browser.post(NEW, &form).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(Page::of(&answer).texts(".summary").concat().contains("JavaScript"));
        for nonsense in ["x", "{}", "[]", "{\"id\":1}", "null"] {
            let mut browser = server.browser();
            let asked = Asked::by(&browser.get("/login").await);
            let form = [("csrf", asked.form[0].1.as_str()), ("ceremony", &asked.form[1].1), ("credential", nonsense)];
            assert_refused(&browser.post("/login/passkey", &form).await, nonsense);
        }
    }
}

async fn change_user(server: &Server, localpart: &str, change: &str) {
    let user = users::find_by_localpart(&server.app.store, localpart).await.unwrap().unwrap();
    let now = server.app.clock.now();
    let mut tx = server.app.store.begin().await.unwrap();
    match change {
        "lock" => users::lock(&mut tx, user.id, now).await.unwrap(),
        _ => users::deactivate(&mut tx, user.id, false, now).await.unwrap(),
    }
    tx.commit().await.unwrap();
}

impl Server {
    /// A browser that is signed in by a passkey.
    pub async fn signed_in_by(&self, device: &mut Authenticator) -> Browser<'_> {
        let mut browser = self.browser();
        let answer = sign_in(&mut browser, device).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        browser
    }
}
