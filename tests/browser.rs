//! What people see and do, in a real browser.

use axum::response::Html;
use axum::routing::get;
use axum::{Form, Router};
use gatehouse::accounts::users;
use gatehouse::config::{Config, Secret};
use gatehouse::time::Clock;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use thirtyfour::Key;
use tokio::net::TcpListener;
use url::Url;

use crate::support::browser::{Browser, ColourScheme, Options, Screen, assert_accessible};
use crate::support::homeserver::StubHomeserver;
use crate::support::process::free_port;
use crate::support::running::{Running, http_client, send};
use crate::support::server::{Engine, PASSWORD, REDIRECT_URI, authorization_query, matrix_scope};

const SIGN_IN: &str = "form[action=\"/login\"] button.primary";
const ALLOW: &str = "button[value=approve]";

/// Gatehouse, its homeserver, and the app that people sign in to.
pub struct Setting {
    pub server: Running,
    pub homeserver: StubHomeserver,
    /// Where the app, on this computer, waits for its code.
    callback: Url,
}

impl Setting {
    pub async fn new() -> Setting {
        Setting::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Setting {
        Setting::on(Engine::Sqlite, change).await
    }

    pub async fn on(engine: Engine, change: impl FnOnce(&mut Config)) -> Setting {
        let homeserver = StubHomeserver::start().await;
        let server = Running::start(engine, free_port(), Clock::System, |config| {
            config.homeserver.server_name = homeserver.server_name();
            config.homeserver.endpoint = homeserver.endpoint();
            config.homeserver.secret = Some(Secret::new(homeserver.secret()));
            change(config);
        })
        .await;
        server.user("alice", false).await;
        Setting { server, homeserver, callback: app_on_this_computer().await }
    }

    /// Registers the app on this computer, which takes any port that is free when it is started.
    async fn app(&self) -> String {
        let members = json!({ "client_name": "Element", "application_type": "native" });
        self.server.client("http://127.0.0.1/callback", members).await
    }

    /// Where the app on this computer sends the browser.
    pub async fn request(&self, changes: &[(&str, &str)]) -> Url {
        let mut changes = changes.to_vec();
        changes.push(("redirect_uri", self.callback.as_str()));
        self.request_of(&self.app().await, &changes)
    }

    fn request_of(&self, client_id: &str, changes: &[(&str, &str)]) -> Url {
        let query = authorization_query(client_id, &matrix_scope("PHONE"), changes);
        self.server.url(&format!("authorize?{query}"))
    }

    /// A browser in which alice is at her account.
    pub async fn signed_in(&self) -> Browser {
        let browser = Browser::start(Options::default()).await;
        browser.goto(self.server.url("login")).await;
        sign_in(&browser, PASSWORD).await;
        assert_eq!(browser.url().await, self.server.url("account/"));
        browser
    }
}

/// Serves the app's side of the flow, which shows what it was given, until the test ends.
async fn app_on_this_computer() -> Url {
    let page = |given: BTreeMap<String, String>| {
        let names = given.into_keys().collect::<Vec<_>>().join(" ");
        Html(format!("<!doctype html><title>App</title><h1>Welcome to the app</h1><p>{names}</p>"))
    };
    let by_get = async move |query: axum::extract::Query<BTreeMap<_, _>>| page(query.0);
    let by_post = async move |form: Form<BTreeMap<_, _>>| page(form.0);
    let router = Router::new().route("/callback", get(by_get).post(by_post));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/callback").parse().expect("a URL")
}

pub async fn sign_in(browser: &Browser, password: &str) {
    browser.fill("#username", "alice").await;
    browser.fill("#password", password).await;
    browser.follow(SIGN_IN).await;
}

/// Presses Tab until the focus is on what a person looks for.
async fn tab_to(browser: &Browser, text: &str) {
    let focused = "(document.activeElement.labels?.[0] ?? document.activeElement).textContent";
    for _ in 0..20 {
        browser.press(Key::Tab + "").await;
        let label = browser.evaluate(focused).await;
        if label.as_str().is_some_and(|label| label.trim() == text) {
            return;
        }
    }
    panic!("the key Tab does not lead to {text:?} on {}", browser.url().await);
}

/// Waits until a page has that heading.
pub async fn read(browser: &Browser, heading: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while browser.evaluate("document.querySelector('h1')?.innerText").await != heading {
        assert!(Instant::now() < deadline, "{heading:?} does not come: {}", browser.url().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Takes the pictures of a page, and looks for what would keep somebody from using it.
pub async fn look_at(browser: &Browser, name: &str) {
    for (scheme, colours) in [(ColourScheme::Dark, "dark"), (ColourScheme::Light, "light")] {
        browser.set_colour_scheme(scheme).await;
        browser.screenshot(&format!("{name}-{colours}")).await;
        assert_accessible(&format!("{name} in {colours} colours"), &browser.axe().await);
    }
    browser.set_screen(Screen::Phone).await;
    for (scheme, colours) in [(ColourScheme::Dark, "phone-dark"), (ColourScheme::Light, "phone")] {
        browser.set_colour_scheme(scheme).await;
        browser.screenshot(&format!("{name}-{colours}")).await;
    }
    assert!(browser.fits_narrow_and_zoomed_windows().await, "{name} scrolls sideways");
    assert_no_complaints(browser, name).await;
}

/// The browser had nothing to say, such as that a page broke its own security policy. It always says
/// that a page came with an error status, even when it should.
pub async fn assert_no_complaints(browser: &Browser, name: &str) {
    let mut complaints = browser.console().await;
    complaints.retain(|message| {
        !message.contains("Failed to load resource: the server responded with a status of")
    });
    assert!(complaints.is_empty(), "{name}: {complaints:#?}");
}

#[tokio::test]
async fn a_person_signs_in_by_keyboard_alone() {
    let setting = Setting::new().await;
    let browser = Browser::start(Options::default()).await;
    browser.goto(setting.request(&[]).await).await;

    browser.press("alice").await;
    tab_to(&browser, "Password").await;
    browser.press(PASSWORD).await;
    tab_to(&browser, "Show password").await;
    browser.press(" ").await;
    assert_eq!(browser.evaluate("document.querySelector('#password').type").await, "text");
    browser.press(" ").await;
    assert_eq!(browser.evaluate("document.querySelector('#password').type").await, "password");
    tab_to(&browser, "Sign in").await;
    browser.press(Key::Enter + "").await;

    read(&browser, "Let this app use your account?").await;
    tab_to(&browser, "Skip to content").await;
    browser.press(Key::Enter + "").await;
    tab_to(&browser, "Allow access").await;
    browser.press(Key::Enter + "").await;

    read(&browser, "Welcome to the app").await;
    assert_eq!(browser.text("p").await, "code iss state");
    assert_no_complaints(&browser, "the way to the app").await;
}

#[tokio::test]
async fn who_declines_is_led_back_too() {
    let setting = Setting::new().await;
    let browser = setting.signed_in().await;
    browser.goto(setting.request(&[]).await).await;
    browser.follow("button[value=deny]").await;
    assert_eq!(browser.text("p").await, "error error_description iss state");
    assert_no_complaints(&browser, "the way back").await;
}

#[tokio::test]
async fn a_wrong_password_is_said_where_the_person_is() {
    let setting = Setting::new().await;
    let browser = Browser::start(Options::default()).await;
    browser.goto(setting.server.url("login")).await;
    browser.fill("#username", "alice").await;
    browser.fill("#password", "wrong").await;
    // What was shown must not be saved as a plain text.
    browser.click("[data-shows=password]").await;
    browser.follow(SIGN_IN).await;

    browser.assert_focus("summary").await;
    assert!(browser.text("#summary").await.contains("The username or the password is not right"));
    assert_eq!(browser.evaluate("document.title").await, "Error: Sign in - example.org");
    assert_eq!(browser.evaluate("document.querySelector('#username').value").await, "alice");
    assert_eq!(browser.evaluate("document.querySelector('#password').value").await, "");
    assert_eq!(browser.evaluate("document.querySelector('#password').type").await, "password");
    look_at(&browser, "sign-in-wrong").await;
    browser.fill("#password", PASSWORD).await;
    browser.follow(SIGN_IN).await;
    assert_eq!(browser.text("h1").await, "Your account");
}

#[tokio::test]
async fn everything_works_without_javascript() {
    let setting = Setting::new().await;
    let browser = Browser::start(Options { javascript: false, ..Options::default() }).await;
    browser.goto(setting.request(&[("response_mode", "form_post")]).await).await;
    sign_in(&browser, PASSWORD).await;
    browser.follow(ALLOW).await;
    assert_eq!(browser.text("h1").await, "You are on your way back");
    browser.set_javascript(true).await;
    look_at(&browser, "form-post").await;
    browser.set_javascript(false).await;
    browser.follow("form[data-submit-now] button").await;
    assert_eq!(browser.text("h1").await, "Welcome to the app");
    assert_eq!(browser.text("p").await, "code iss state");

    browser.goto(setting.server.url("account/sessions")).await;
    browser.follow("li.session a.button").await;
    browser.follow("form button.danger").await;
    assert_no_complaints(&browser, "the way without JavaScript").await;
}

#[tokio::test]
async fn a_form_is_posted_to_the_app_at_once() {
    let setting = Setting::new().await;
    let browser = setting.signed_in().await;
    browser.goto(setting.request(&[("response_mode", "form_post")]).await).await;
    browser.click(ALLOW).await;
    read(&browser, "Welcome to the app").await;
    assert_eq!(browser.text("p").await, "code iss state");
    assert_no_complaints(&browser, "the way to the app").await;
}

/// Browsers apply the security policy of the page with the form to the whole chain of redirects.
#[tokio::test]
async fn an_app_with_a_scheme_of_its_own_gets_its_code() {
    let setting = Setting::new().await;
    let redirect_uri = "com.example.app:/callback";
    let native = json!({ "application_type": "native" });
    let client_id = setting.server.client(redirect_uri, native).await;
    let browser = Browser::start(Options::default()).await;
    browser.goto(setting.request_of(&client_id, &[("redirect_uri", redirect_uri)])).await;
    sign_in(&browser, PASSWORD).await;
    look_at(&browser, "consent-app").await;
    browser.click(ALLOW).await;
    let deadline = Instant::now() + Duration::from_secs(20);
    while !browser.went_to().await.iter().any(|url| url.starts_with("com.example.app:/callback?code=")) {
        assert!(Instant::now() < deadline, "the browser did not look for the app");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_no_complaints(&browser, "the way to the app").await;
}

#[tokio::test]
async fn pages_that_anybody_may_see() {
    let setting = Setting::with(|config| {
        let policy: Url = "https://example.org/policy".parse().expect("a URL");
        config.branding.policy_uri = Some(policy);
        config.rate_limits.sign_in_per_account.burst = 2;
    })
    .await;
    let server = &setting.server;
    let browser = Browser::start(Options::default()).await;
    browser.goto(server.url("")).await;
    look_at(&browser, "index").await;
    browser.follow("a.primary").await;
    look_at(&browser, "sign-in").await;
    browser.goto(server.url("signed-out")).await;
    look_at(&browser, "signed-out").await;

    let element = json!({ "client_name": "Element", "client_uri": "https://element.io/" });
    let redirect_uri = "https://app.element.io/callback";
    let element = server.client(redirect_uri, element).await;
    browser
        .goto(setting.request_of(&element, &[("redirect_uri", redirect_uri), ("login_hint", "alice")]))
        .await;
    browser.assert_focus("password").await;
    look_at(&browser, "sign-in-for-app").await;

    for (name, path) in [
        ("error-not-found", "nowhere".to_owned()),
        ("error-unknown-client", format!("authorize?{}", authorization_query("nobody", "openid", &[]))),
        ("error-redirect", format!("authorize?{}", authorization_query(&element, "openid", &[]))),
        ("error-expired", "authorize/01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned()),
    ] {
        browser.goto(server.url(&path)).await;
        look_at(&browser, name).await;
    }

    browser.goto(server.url("login")).await;
    for _ in 0..3 {
        sign_in(&browser, "wrong").await;
    }
    assert!(browser.text("#summary").await.contains("too many attempts"));
    look_at(&browser, "sign-in-too-many").await;
}

#[tokio::test]
async fn pages_for_those_who_let_an_app_in() {
    let mut setting = Setting::new().await;
    let server = &setting.server;
    server
        .change(async |tx, now| {
            let alice = users::find_by_localpart(&mut *tx, "alice").await?.expect("alice");
            users::set_admin(tx, alice.id, true, now).await
        })
        .await;
    let browser = setting.signed_in().await;
    browser.goto(server.url("")).await;
    look_at(&browser, "index-signed-in").await;
    browser.goto(server.url("end-session")).await;
    look_at(&browser, "sign-out").await;

    let element = json!({
        "client_name": "Element",
        "client_uri": "https://element.io/",
        "tos_uri": "https://element.io/terms",
        "policy_uri": "https://element.io/privacy",
    });
    let redirect_uri = "https://app.element.io/callback";
    let element = server.client(redirect_uri, element).await;
    let to_element = [("redirect_uri", redirect_uri)];
    browser.goto(setting.request_of(&element, &to_element)).await;
    look_at(&browser, "consent").await;
    browser.click("details > summary").await;
    look_at(&browser, "consent-details").await;
    let all = format!("openid urn:synapse:admin:* {}", matrix_scope("PHONE"));
    browser.goto(setting.request_of(&element, &[to_element[0], ("scope", &all)])).await;
    look_at(&browser, "consent-administrator").await;

    let hostile = format!(
        "\"'><script>document.title='mine'</script><img src=x onerror=\"document.title='mine'\">\u{202e}{}",
        "Rechtsschutzversicherungsgesellschaft".repeat(3)
    );
    let hostile = server.client(REDIRECT_URI, json!({ "client_name": hostile })).await;
    browser.goto(setting.request_of(&hostile, &[])).await;
    assert_eq!(browser.evaluate("document.title").await, "Allow access - example.org");
    assert_eq!(browser.evaluate("document.querySelectorAll('main script, main img').length").await, 0);
    look_at(&browser, "consent-hostile").await;

    // A form that is not of this browser's own page.
    browser.evaluate("document.querySelectorAll('[name=csrf]').forEach(field => field.value = 'x')").await;
    browser.follow(ALLOW).await;
    look_at(&browser, "error-form").await;

    setting.homeserver.go_down().await;
    setting.server.user("bob", false).await;
    let others = setting.server.app.clone();
    let deadline = Instant::now() + Duration::from_secs(20);
    while others.homeserver.seems_reachable() {
        assert!(Instant::now() < deadline, "the homeserver is down");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    browser.goto(setting.request_of(&element, &to_element)).await;
    browser.follow(ALLOW).await;
    look_at(&browser, "error-homeserver").await;
    browser.goto(setting.server.url("account/")).await;
    look_at(&browser, "account-homeserver").await;
    browser.follow("form[action=\"/logout\"] button").await;
    browser.goto(setting.server.url("login")).await;
    look_at(&browser, "sign-in-homeserver").await;
}

#[tokio::test]
async fn pages_for_those_who_let_an_older_client_in() {
    let setting = Setting::new().await;
    let browser = setting.signed_in().await;
    let begin = |target: &str| {
        let target: String = url::form_urlencoded::byte_serialize(target.as_bytes()).collect();
        setting.server.url(&format!("_matrix/client/v3/login/sso/redirect?redirectUrl={target}"))
    };
    for (name, target) in [
        ("sso-site", "https://app.element.io/?no=thing#/home"),
        ("sso-plain", "http://chat.example.org/"),
        ("sso-app", "element://vector/webapp/?element-desktop-ssoid=abc"),
    ] {
        browser.set_screen(Screen::Desktop).await;
        browser.goto(begin(target)).await;
        look_at(&browser, name).await;
        browser.set_screen(Screen::Phone).await;
        browser.set_colour_scheme(ColourScheme::Dark).await;
        browser.screenshot(&format!("{name}-phone-dark")).await;
        assert_accessible(&format!("{name} on a phone in dark colours"), &browser.axe().await);
        browser.set_colour_scheme(ColourScheme::Light).await;
        assert_accessible(&format!("{name} on a phone in light colours"), &browser.axe().await);
    }
    browser.set_screen(Screen::Desktop).await;
    browser.follow("button[value=deny]").await;
    browser.goto(begin(setting.callback.as_str())).await;
    browser.follow(ALLOW).await;
    read(&browser, "Welcome to the app").await;
    assert_eq!(browser.text("p").await, "loginToken");
    assert_no_complaints(&browser, "the way to the app").await;

    let token = browser.url().await.query_pairs().next().expect("a parameter").1.into_owned();
    let login = json!({ "type": "m.login.token", "token": token, "device_id": "my phone" });
    let login = http_client().post(setting.server.url("_matrix/client/v3/login")).json(&login);
    assert_eq!(send(login).await.status, 200);
    browser.goto(setting.server.url("account/sessions")).await;
    browser.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)").await;
    look_at(&browser, "sessions-older").await;
    browser.follow("li.session a[href*=client][href$=end]").await;
    browser.set_screen(Screen::Desktop).await;
    look_at(&browser, "end-older").await;
}

#[tokio::test]
async fn pages_of_an_account() {
    let setting = Setting::new().await;
    let server = &setting.server;
    let element = json!({ "client_name": "Element", "client_uri": "https://element.io/" });
    let redirect_uri = "https://app.element.io/callback";
    let element = server.client(redirect_uri, element).await;
    for device in ["KXOWPQRZVA", "wjLpTLRqbqBzLs63aYaEv2Boi6cFEbbM/sSRQ+oAKk4"] {
        let scope = matrix_scope(device);
        let back = server.visitor().allow("alice", &element, redirect_uri, &scope).await;
        let code = back.query_parameter("code").expect("a code");
        assert_eq!(server.exchange(&element, redirect_uri, &code).await.status, 200);
    }
    let mut notebook = server.visitor();
    notebook.sign_in("alice", "login").await;

    let browser = setting.signed_in().await;
    look_at(&browser, "account").await;
    browser.follow("nav a[href$=sessions]").await;
    look_at(&browser, "sessions").await;
    browser.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)").await;
    look_at(&browser, "sessions-details").await;

    browser.follow("li.session a[href*=client][href$=end]").await;
    look_at(&browser, "end-device").await;
    browser.follow("form button.danger").await;
    assert_eq!(browser.text("[role=status]").await, "The device is signed out.");
    look_at(&browser, "sessions-ended").await;
    setting.homeserver.until_called("delete_device", 1).await;

    browser.follow("li.session:not(.this) a[href*=browser][href$=end]").await;
    look_at(&browser, "end-browser").await;
    browser.goto(server.url("account/sessions/end-others")).await;
    look_at(&browser, "end-others").await;
    browser.follow("form button.danger").await;
    setting.homeserver.until_called("delete_device", 2).await;
    assert!(setting.homeserver.devices("alice").is_empty());
    assert_eq!(notebook.get("account/").await.status, 303, "the other browser is signed out");
    assert_eq!(browser.evaluate("document.querySelectorAll('li.session').length").await, 1);
    look_at(&browser, "sessions-alone").await;
    browser.follow("nav a[href$=activity]").await;
    look_at(&browser, "activity").await;

    browser.goto(server.url("account/")).await;
    browser.follow("form[action=\"/logout\"] button").await;
    assert_eq!(browser.text("h1").await, "You are signed out");
    browser.goto(server.url("account/")).await;
    assert_eq!(browser.text("h1").await, "Sign in to example.org");
    assert_no_complaints(&browser, "signing out").await;
}
