//! How the operator makes the pages their own, by configuration alone.

use std::fs;
use std::path::PathBuf;

use gatehouse::config::Config;
use http::StatusCode;
use tempfile::TempDir;

use crate::support::page::Page;
use crate::support::server::{Engine, Server, on_both_engines};

const LOGO: &str =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 2 1\"><script>alert(1)</script></svg>";
const STYLE: &str = ":root { --radius: 0; }";

fn file(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("a file");
    path
}

/// What is wrong with a configuration.
fn problems(change: impl FnOnce(&mut Config)) -> String {
    let mut config = Config::default();
    change(&mut config);
    config.check().expect_err("something is wrong").to_string()
}

on_both_engines! {
    async fn logo_stylesheet_and_colours_come_from_the_configuration(engine: Engine) {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start_with(engine, |config| {
            let branding = &mut config.branding;
            branding.service_name = Some("Example Chat".to_owned());
            branding.logo_file = Some(file(&folder, "logo.bin", LOGO.as_bytes()));
            branding.stylesheet_file = Some(file(&folder, "extra.css", STYLE.as_bytes()));
            branding.accent_color = "#112233".to_owned();
            branding.dark_accent_color = Some("#ddeeff".to_owned());
            branding.imprint_uri = Some("https://example.org/imprint".parse().expect("a URL"));
        })
        .await;
        let answer = server.browser().get("/login").await;
        let page = Page::of(&answer);
        assert_eq!(page.texts(".brand"), ["Example Chat"]);
        assert_eq!(page.links("footer a"), ["https://example.org/imprint"]);
        assert_eq!(page.attribute(".brand img", "alt"), "", "the name stands beside it");
        let logo = server.get(&page.attribute(".brand img", "src")).await;
        assert_eq!((logo.status, logo.header("content-type")), (StatusCode::OK, "image/svg+xml"));
        assert_eq!(logo.text(), LOGO);
        assert!(logo.header("content-security-policy").contains("default-src 'none'"), "it runs nothing");
        let sheets = page.links("link[rel=stylesheet]");
        let last = sheets.last().expect("a stylesheet");
        assert!(last.starts_with("/assets/extra-") && last.ends_with(".css"), "{last}");
        let style = server.get(last).await;
        assert_eq!((style.header("content-type"), style.text().as_str()), ("text/css; charset=utf-8", STYLE));
        assert!(style.header("cache-control").contains("immutable"));
        assert!(answer.header("content-security-policy").contains("style-src 'self';"), "and no more than that");
        let brand = server.get(&sheets[1]).await.text();
        let (light, dark) = brand.split_once("@media (prefers-color-scheme: dark)").expect("a dark half");
        assert!(light.contains("--accent:#112233;--accent-text:#ffffff"), "{light}");
        assert!(dark.contains("--accent:#ddeeff;--accent-text:#000000"), "{dark}");
    }

    async fn without_files_there_is_nothing_of_them(engine: Engine) {
        let server = Server::start(engine).await;
        let page = Page::of(&server.browser().get("/login").await);
        assert_eq!(page.links("link[rel=stylesheet]").len(), 2);
        assert!(page.texts(".brand img").is_empty());
        assert_eq!(page.texts(".brand"), ["example.org"]);
    }
}

#[test]
fn what_is_no_picture_colour_or_stylesheet_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let logo = |bytes: &[u8]| {
        let path = file(&folder, "logo.png", bytes);
        problems(|config| config.branding.logo_file = Some(path))
    };
    let found = logo(b"<html></html>");
    assert!(
        found.contains("branding.logo_file") && found.contains("neither an SVG, PNG, JPEG nor WebP"),
        "{found}"
    );
    let found = logo(&[b"\x89PNG\r\n\x1a\n".as_slice(), &[0; 200_000]].concat());
    assert!(found.contains("has more than 200 kB"), "{found}");
    let missing = folder.path().join("missing.svg");
    let found = problems(|config| config.branding.logo_file = Some(missing));
    assert!(found.contains("missing.svg, which cannot be read"), "{found}");
    let style = file(&folder, "extra.css", b"\xff\xfe");
    let found = problems(|config| config.branding.stylesheet_file = Some(style));
    assert!(found.contains("branding.stylesheet_file") && found.contains("no text in UTF-8"), "{found}");
    let found = problems(|config| config.branding.dark_accent_color = Some("blue".to_owned()));
    assert!(found.contains("branding.dark_accent_color"), "{found}");
    for begin in
        [b"\x89PNG\r\n\x1a\n".as_slice(), b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP", b"<?xml?><svg/>", b" <svg/>"]
    {
        let mut config = Config::default();
        config.branding.logo_file = Some(file(&folder, "logo", begin));
        assert!(config.check().is_ok(), "{begin:?}");
    }
}

#[test]
fn a_language_that_is_not_spoken_is_refused_with_those_that_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(&folder, "gatehouse.yaml", b"branding:\n  default_language: tlh\n");
    let found = Config::load(Some(&path), std::iter::empty()).expect_err("a problem").to_string();
    assert!(
        found.contains("branding.default_language") && found.contains("\"en\", \"de\", \"fr\""),
        "{found}"
    );
}
