//! Pictures of pages for `docs/gallery.md`: on a desktop, in dark, in German and on a phone.
//!
//! `scripts/gallery` takes them, by `PICTURES=docs cargo test pictures_are_taken_where_asked`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gatehouse::languages::Language;
use http::HeaderMap;
use serde_json::json;

use crate::gallery;
use crate::support::browser::{Browser, ColourScheme, Options, Screen};

/// The pages, as the gallery names them, with what stands above them.
const PAGES: [(&str, &str); 16] = [
    ("sign-in-usual", "Signing in"),
    ("register-name-usual", "Making an account"),
    ("second-usual", "The second step"),
    ("consent-first-usual", "An app asks for access"),
    ("link-confirm-usual", "Another device asks"),
    ("reset-password-usual", "Getting back in"),
    ("account-usual", "The account"),
    ("security-AppAdded-usual", "Sign-in and security"),
    ("add-app-usual", "An authenticator app"),
    ("new-codes-usual", "Recovery codes"),
    ("emails-usual", "E-mail addresses"),
    ("password-usual", "Another password"),
    ("sessions-usual", "Sessions"),
    ("applications-usual", "Apps with access"),
    ("tokens-usual", "Personal tokens"),
    ("activity-usual", "Activity"),
];
/// What a folder of pictures may weigh, in bytes.
const MOST: u64 = 4_000_000;

/// One way of looking at a page.
struct View {
    name: &'static str,
    title: &'static str,
    tag: &'static str,
    colours: ColourScheme,
    screen: Screen,
}

const VIEWS: [View; 4] = [
    View {
        name: "desktop",
        title: "Desktop",
        tag: "en",
        colours: ColourScheme::Light,
        screen: Screen::Desktop,
    },
    View { name: "dark", title: "Dark", tag: "en", colours: ColourScheme::Dark, screen: Screen::Desktop },
    View {
        name: "german",
        title: "German",
        tag: "de",
        colours: ColourScheme::Light,
        screen: Screen::Desktop,
    },
    View { name: "phone", title: "Phone", tag: "en", colours: ColourScheme::Light, screen: Screen::Phone },
];

fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs")
}

fn picture(page: &str, view: &View) -> String {
    format!("images/gallery/{}-{}.webp", page.trim_end_matches("-usual").to_lowercase(), view.name)
}

/// What `docs/gallery.md` says.
fn document() -> String {
    let mut text = String::from(
        "# Gallery\n\nPages with made-up people and apps. `scripts/gallery` takes these pictures anew, with Chromium.\n",
    );
    for (page, title) in PAGES {
        let _ = write!(text, "\n## {title}\n\n<table><tr>");
        for view in &VIEWS {
            let width = if matches!(view.screen, Screen::Phone) { 130 } else { 240 };
            let _ = write!(
                text,
                "\n<td valign=\"top\"><a href=\"{path}\"><img src=\"{path}\" width=\"{width}\" alt=\"{title}: {view}\"></a><br>{view}</td>",
                path = picture(page, view),
                view = view.title,
            );
        }
        text.push_str("\n</tr></table>\n");
    }
    text
}

/// By language and name: the page.
type Pages = Arc<BTreeMap<(String, String), String>>;

async fn page(State(pages): State<Pages>, Path(named): Path<(String, String)>) -> Html<String> {
    Html(pages.get(&named).cloned().unwrap_or_default())
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    gallery::usual_site().assets.respond(&name, &headers).into_response()
}

#[tokio::test]
async fn pictures_are_taken_where_asked() {
    let Some(folder) = std::env::var_os("PICTURES") else { return };
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let languages = VIEWS.iter().map(|view| view.tag).collect::<BTreeSet<_>>();
    let mut pages = BTreeMap::new();
    for tag in languages {
        let language = Language::of_tag(tag).expect("a language");
        let of_language = gallery::usual_pages(language);
        pages.extend(of_language.into_iter().map(|(name, html)| ((tag.to_owned(), name), html)));
    }
    let router = Router::new()
        .route("/auth/assets/{name}", get(asset))
        .route("/{language}/{name}", get(page))
        .with_state(Arc::new(pages));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let images = folder.join("images/gallery");
    if images.exists() {
        fs::remove_dir_all(&images).expect("the pictures of before are removed");
    }
    fs::create_dir_all(&images).expect("a folder");
    let browser = Browser::start(Options::default()).await;
    for view in &VIEWS {
        browser.set_screen(view.screen).await;
        browser.set_colour_scheme(view.colours).await;
        for (name, _) in PAGES {
            browser.goto(format!("{base}/{}/{name}", view.tag)).await;
            assert_eq!(browser.evaluate("document.querySelectorAll('main').length").await, 1, "{name}");
            let how = json!({ "format": "webp", "quality": 55, "captureBeyondViewport": true });
            let taken = browser.command("Page.captureScreenshot", how).await;
            let bytes =
                taken["data"].as_str().and_then(|data| STANDARD.decode(data).ok()).expect("a picture");
            fs::write(folder.join(picture(name, view)), bytes).expect("a picture is written");
        }
    }
    fs::write(folder.join("gallery.md"), document()).expect("the page is written");
    server.abort();
}

#[test]
fn the_gallery_of_the_docs_is_complete_and_small() {
    let text = fs::read_to_string(docs().join("gallery.md")).expect("docs/gallery.md");
    assert_eq!(text, document(), "scripts/gallery makes it anew");
    let known: BTreeSet<String> =
        gallery::usual_pages(Language::ENGLISH).into_iter().map(|(name, _)| name).collect();
    for (page, _) in PAGES {
        assert!(known.contains(page), "there is no page {page}");
    }
    let expected: BTreeSet<String> =
        PAGES.iter().flat_map(|(page, _)| VIEWS.iter().map(|view| picture(page, view))).collect();
    let mut there = BTreeSet::new();
    let mut bytes = 0;
    for file in fs::read_dir(docs().join("images/gallery")).expect("the pictures").map(Result::unwrap) {
        bytes += file.metadata().unwrap().len();
        there.insert(format!("images/gallery/{}", file.file_name().to_string_lossy()));
    }
    assert_eq!(there, expected, "scripts/gallery takes them anew");
    assert!(bytes < MOST, "{bytes} bytes");
}
