//! What a browser computes before somebody makes an account, in a real browser: on a page of its own, so that how
//! long it takes can be chosen.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use askama::Template;
use axum::extract::{Path, RawForm, State};
use axum::middleware::from_fn_with_state;
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Extension, Router};
use gatehouse::app::App;
use gatehouse::http::form::Parameters;
use gatehouse::http::headers::{Nonce, PageHeaders, page_headers};
use gatehouse::http::pages::{Frame, Site};
use gatehouse::login::captcha::{self, CaptchaPart};
use http::HeaderMap;
use tokio::net::TcpListener;
use url::Url;

use crate::browser::{assert_no_complaints, look_at};
use crate::captcha::solve;
use crate::support::browser::{Browser, Options};
use crate::support::server::{Engine, Server};

const SECRET: &str = "the secret of this browser";

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Make an account</title>
<link rel="icon" type="image/svg+xml" href="{{ frame.site.asset("icon.svg") }}">
<link rel="stylesheet" nonce="{{ frame.nonce }}" href="{{ frame.site.asset("style.css") }}">
<link rel="stylesheet" nonce="{{ frame.nonce }}" href="{{ frame.site.asset("brand.css") }}">
<script type="module" nonce="{{ frame.nonce }}" src="{{ frame.site.asset("captcha.js") }}"></script></head>
<body class="single"><main class="card"><h1>Make an account</h1>
<form method="post" action="/made">
<div class="field"><label for="username">Username</label><input id="username" name="username" required></div>
{{ captcha|safe }}
<div class="actions"><button class="button primary wide" name="how" value="by-button">Go on</button></div>
</form></main></body></html>"#
)]
struct PuzzlePage<'a> {
    frame: Frame<'a>,
    captcha: String,
}

type Sent = Arc<Mutex<Vec<Parameters>>>;

/// Serves the page; where, and the forms that were sent.
async fn serve(app: App) -> (Url, Sent) {
    serve_above(app, 0).await
}

/// The same, with numbers above this one, which take as long to find at least.
async fn serve_above(app: App, least: u32) -> (Url, Sent) {
    let site = Arc::new(Site::new(&app.config).expect("a site"));
    let sent = Sent::default();
    let page = async move |State((app, site, _)): State<(App, Arc<Site>, Sent)>,
                           Extension(nonce): Extension<Nonce>| {
        let frame = Frame::new(&site, &nonce, "token");
        let begin = || captcha::begin(&app, SECRET);
        let captcha = std::iter::repeat_with(begin)
            .find(|challenge| challenge.as_ref().is_none_or(|challenge| solve(challenge) >= least));
        let captcha = CaptchaPart { frame, captcha: captcha.flatten() };
        let captcha = captcha.render().expect("a part of a page");
        Html(PuzzlePage { frame: Frame::new(&site, nonce, "token"), captcha }.render().expect("a page"))
    };
    let made = async |State((_, _, sent)): State<(App, Arc<Site>, Sent)>, RawForm(form): RawForm| {
        sent.lock().expect("a list").push(Parameters::parse(&form).expect("a form"));
        Html("<!doctype html><html lang=en><title>Made</title><h1>Made</h1>")
    };
    let asset = async |State((_, site, _)): State<(App, Arc<Site>, Sent)>,
                       Path(name): Path<String>,
                       headers: HeaderMap| { site.assets.respond(&name, &headers) };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base: Url = format!("http://{}/", listener.local_addr().expect("an address")).parse().expect("a URL");
    let router = Router::new()
        .route("/", get(page))
        .route("/made", post(made))
        .layer(from_fn_with_state(PageHeaders::new(&base), page_headers))
        .route("/assets/{name}", get(asset))
        .with_state((app, site, sent.clone()));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (base, sent)
}

pub async fn until(browser: &Browser, what: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while browser.evaluate(what).await != true {
        assert!(Instant::now() < deadline, "this does not become true: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn it_is_done_while_the_form_is_filled_in_and_only_once_that_begins() {
    let server = Server::start_with(Engine::Sqlite, |config| config.captcha.work = 20_000).await;
    let (base, sent) = serve(server.app.clone()).await;
    let browser = Browser::start(Options::default()).await;
    browser.goto(&base).await;
    look_at(&browser, "captcha").await;
    let answer = "document.querySelector('[name=captcha_answer]').value";
    assert_eq!(browser.evaluate(answer).await, "");
    assert_eq!(browser.evaluate("document.querySelector('progress').value").await, 0);
    browser.fill("#username", "alice").await;
    until(&browser, &format!("{answer} !== ''")).await;
    assert_eq!(browser.evaluate("document.querySelector('progress').value").await, 1);
    browser.follow("button.primary").await;
    assert_eq!(browser.text("h1").await, "Made");
    let sent = sent.lock().expect("a list").pop().expect("a form");
    assert_eq!((sent.get("username"), sent.get("how")), (Some("alice"), Some("by-button")));
    assert!(captcha::check(&server.app, SECRET, &sent).is_ok());
    assert_no_complaints(&browser, "the way").await;
}

#[tokio::test]
async fn who_is_faster_waits_and_the_form_is_sent_once_with_the_button_that_was_pressed() {
    let server = Server::start_with(Engine::Sqlite, |config| config.captcha.work = 300_000).await;
    let (base, sent) = serve_above(server.app.clone(), 200_000).await;
    let browser = Browser::start(Options::default()).await;
    browser.goto(&base).await;
    browser.evaluate("document.querySelector('#username').value = 'alice'").await;
    // What is said at once, by the page that waits; a second press changes nothing.
    let press = "(document.querySelector('button.primary').click(), document.querySelector('button.primary').click(), \
                 document.querySelector('[role=status]').innerText)";
    let said = browser.evaluate(press).await;
    assert!(
        said.as_str().is_some_and(|said| said.starts_with("One moment: your browser is not done yet")),
        "{said}"
    );
    browser.screenshot("captcha-waiting").await;
    until(&browser, "document.querySelector('h1')?.textContent === 'Made'").await;
    let forms = sent.lock().expect("a list");
    assert_eq!(forms.len(), 1);
    assert_eq!(forms[0].get("how"), Some("by-button"));
    assert!(captcha::check(&server.app, SECRET, &forms[0]).is_ok());
}

#[tokio::test]
async fn without_javascript_the_form_asks_for_a_token() {
    let server = Server::start_with(Engine::Sqlite, |_| ()).await;
    let (base, sent) = serve(server.app.clone()).await;
    let browser = Browser::start(Options { javascript: false, ..Options::default() }).await;
    browser.goto(&base).await;
    browser.screenshot("captcha-no-javascript").await;
    assert!(browser.text(".note").await.starts_with("Without JavaScript you need a registration token."));
    browser.fill("#username", "alice").await;
    browser.fill("#registration_token", "garden-party-2026").await;
    browser.follow("button.primary").await;
    let sent = sent.lock().expect("a list").pop().expect("a form");
    assert_eq!(sent.get("registration_token"), Some("garden-party-2026"));
    assert_eq!(captcha::check(&server.app, SECRET, &sent).err(), Some(captcha::Unproven::Missing));
}
