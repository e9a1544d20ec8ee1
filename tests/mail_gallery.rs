//! Every mail, with usual and hostile words.
//!
//! `GALLERY=<folder> cargo test gallery` also writes the mails into a folder, to be looked at.

use gatehouse::accounts::mails::{Occasion, one_of_each, preview, write};
use gatehouse::config::Config;
use gatehouse::ids::MailId;
use gatehouse::languages::Language;
use gatehouse::mail::Letter;
use gatehouse::time::Timestamp;
use scraper::{ElementRef, Html, Selector};

const NOW: Timestamp = Timestamp(1_795_216_860_000);
const HOSTILE: &str =
    "\"'><script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}\r\nBcc: x@example.org\r\n";

/// What strangers and admins may write into a mail.
struct Words {
    service_name: &'static str,
    mxid: &'static str,
    address: &'static str,
    browser: Option<&'static str>,
}

const USUAL: Words = Words {
    service_name: "Example Chat",
    mxid: "@alice:chat.example.org",
    address: "alice@example.com",
    browser: Some("Firefox on Linux"),
};

impl Words {
    fn mails(&self) -> Vec<(&'static str, Letter)> {
        self.mails_in(Language::ENGLISH)
    }

    fn mails_in(&self, language: Language) -> Vec<(&'static str, Letter)> {
        let mut config = Config::default();
        config.http.public_base = "https://example.org/auth/".parse().expect("a URL");
        config.homeserver.server_name = "chat.example.org".to_owned();
        config.branding.service_name = Some(self.service_name.to_owned());
        let occasion = Occasion {
            at: NOW,
            is_by_admin: false,
            ip_address: self.browser.map(|_| "198.51.100.7".to_owned()),
            browser: self.browser.map(str::to_owned),
        };
        let mails = one_of_each(self.address, &occasion);
        let (id, to) = (MailId::of_name("one"), "alice@example.com");
        let letter = |mail| write(&config, language, id, NOW, to, Some(self.mxid), &mail);
        mails.into_iter().map(|(name, mail)| (name, letter(mail).expect("a mail"))).collect()
    }
}

/// The pages of all mails.
pub(crate) fn usual() -> Vec<(&'static str, String)> {
    USUAL.mails().into_iter().map(|(name, letter)| (name, letter.html)).collect()
}

/// Every mail in a language. Whatever is no text of ours has none of the letters from A to Z, but for addresses.
pub(crate) fn mails_in(language: Language) -> Vec<(&'static str, Letter)> {
    let mxid = "@алиса:чат.пример";
    Words { service_name: "Чат", mxid, address: "алиса", browser: Some("Лиса") }.mails_in(language)
}

fn hostile() -> Words {
    Words { service_name: HOSTILE, mxid: HOSTILE, address: HOSTILE, browser: Some(HOSTILE) }
}

fn every_mail() -> Vec<(&'static str, Letter)> {
    let missing = Words { browser: None, ..USUAL };
    [USUAL, missing, hostile()].iter().flat_map(Words::mails).collect()
}

fn count(page: &Html, css: &str) -> usize {
    page.select(&Selector::parse(css).expect("a selector")).count()
}

/// The addresses that a mail leads to, each once.
fn links_of_page(page: &Html) -> Vec<String> {
    let links = Selector::parse("[href], [src], [action]").expect("a selector");
    let mut found: Vec<String> =
        page.select(&links).filter_map(|link| link.attr("href")).map(str::to_owned).collect();
    found.sort();
    found.dedup();
    found
}

fn links_of_text(text: &str) -> Vec<String> {
    let mut found: Vec<String> = text
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| word.starts_with("https://"))
        .map(str::to_owned)
        .collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn every_mail_says_the_same_in_text_and_in_html() {
    for (name, letter) in every_mail() {
        let page = Html::parse_document(&letter.html);
        assert!(page.errors.is_empty(), "{name}: {:?}", page.errors);
        assert_eq!(count(&page, "h1"), 1, "{name}");
        assert_eq!(count(&page, "html[lang][dir]"), 1, "{name}");
        let (in_page, in_text) = (links_of_page(&page), links_of_text(&letter.text));
        assert_eq!(in_page, in_text, "{name}");
        assert!(
            in_page.iter().all(|link| link.starts_with("https://example.org/auth/")),
            "{name}: {in_page:?}"
        );
    }
}

#[test]
fn a_mail_fetches_nothing_and_runs_nothing() {
    for (name, letter) in every_mail() {
        let page = Html::parse_document(&letter.html);
        assert_eq!(count(&page, "script, style, link, img, iframe, form, object, base, [src]"), 0, "{name}");
        assert!(!letter.html.contains("url("), "{name}");
    }
}

#[test]
fn hostile_words_stay_words() {
    for (name, letter) in hostile().mails() {
        assert!(!letter.html.contains("<script") && !letter.html.contains("<img"), "{name}: markup");
        assert!(!letter.subject.contains(['\r', '\n', '\u{202e}']), "{name}: {:?}", letter.subject);
        let begins_line = letter.text.lines().any(|line| line.starts_with("Bcc:"));
        assert!(!begins_line && !letter.text.contains(['\r', '\u{202e}']), "{name}: {}", letter.text);
    }
}

#[test]
fn every_mail_is_short_and_well_set() {
    for (name, letter) in USUAL.mails() {
        assert!((10..=90).contains(&letter.subject.len()), "{name}: {}", letter.subject);
        assert!(letter.text.starts_with(char::is_alphabetic), "{name}: {:?}", letter.text);
        assert!(!letter.text.contains("\n\n\n") && letter.text.ends_with('\n'), "{name}: {:?}", letter.text);
        assert!(
            letter.text.contains("\n\n-- \nExample Chat, https://example.org/auth/\nAccount: @alice:"),
            "{name}"
        );
        let asks = letter.text.contains("Was it");
        assert_eq!(letter.text.contains("\n\nWas it"), asks, "{name}: {}", letter.text);
        assert!(letter.html.len() < 6_000, "{name}");
    }
}

#[test]
fn the_gallery_of_mails_is_written_where_asked() {
    let Some(folder) = std::env::var_os("GALLERY") else { return };
    let folder = std::path::PathBuf::from(folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, letter) in USUAL.mails() {
        let text = format!("Subject: {}\n\n{}", letter.subject, letter.text);
        std::fs::write(folder.join(format!("mail-{name}.txt")), text).expect("a mail written");
        std::fs::write(folder.join(format!("mail-{name}.html")), letter.html).expect("a mail written");
    }
}

/// The kinds of mails, as the program has them.
fn kinds() -> Vec<String> {
    let source = include_str!("../src/accounts/mails/mod.rs");
    let (_, kinds) = source.split_once("pub enum Mail {").expect("the mails");
    let kinds = kinds.split("\n}").next().expect("their end").lines();
    let kinds = kinds
        .filter_map(|line| line.strip_prefix("    ").filter(|rest| rest.starts_with(char::is_alphabetic)));
    kinds.map(|kind| kind.chars().take_while(|c| c.is_alphanumeric()).collect()).collect()
}

#[test]
fn there_is_one_of_each_kind() {
    let occasion = Occasion::by_admin(NOW);
    let shown: Vec<String> =
        one_of_each("alice@example.com", &occasion).iter().map(|(_, mail)| format!("{mail:?}")).collect();
    let kinds = kinds();
    assert!(kinds.len() >= 11, "{kinds:?}");
    for kind in kinds {
        let is_it = |mail: &String| mail.chars().take_while(|c| c.is_alphanumeric()).eq(kind.chars());
        assert!(shown.iter().any(is_it), "{kind} is not shown");
    }
}

#[test]
fn a_page_shows_them_all_as_they_are_set_here() {
    let mut config = Config::default();
    config.http.public_base = "https://example.org/auth/".parse().expect("a URL");
    config.homeserver.server_name = "chat.example.org".to_owned();
    for (service_name, from) in
        [("Example Chat", Some("Example Chat <noreply@example.org>")), (HOSTILE, None)]
    {
        config.branding.service_name = Some(service_name.to_owned());
        config.branding.accent_color = "#a3195b".to_owned();
        config.email.from = from.map(str::to_owned);
        let text = preview(&config, NOW).expect("a page");
        let page = Html::parse_document(&text);
        assert!(page.errors.is_empty(), "{:?}", page.errors);
        assert_eq!(count(&page, "script, img, link, form, object, base, [src], [onload]"), 0);
        let frames = Selector::parse("section iframe[srcdoc]").expect("a selector");
        let frames: Vec<_> = page.select(&frames).collect();
        let of_each = one_of_each("alice@example.com", &Occasion::by_admin(NOW)).len();
        assert_eq!(frames.len(), of_each * Language::spoken().count());
        for frame in &frames {
            assert_eq!(frame.attr("sandbox"), Some(""), "nothing in it runs or leads anywhere");
            let mail = Html::parse_document(frame.attr("srcdoc").expect("a mail"));
            assert_eq!(count(&mail, "h1"), 1);
            let tag = frame
                .parent()
                .and_then(ElementRef::wrap)
                .and_then(|both| both.parent())
                .and_then(ElementRef::wrap);
            let tag = tag.and_then(|section| section.attr("lang")).expect("a language");
            assert_eq!(count(&mail, &format!("html[lang={tag}]")), 1, "{tag}");
            assert_eq!(count(&mail, "script, img"), 0);
        }
        assert_eq!(count(&page, "section pre"), frames.len(), "each as text, too");
        assert!(text.contains("a3195b"), "in the colours of this place");
        assert!(
            text.contains("https://example.org/auth/account/password")
                && text.contains("@alice:chat.example.org")
        );
        assert_eq!(text.contains("No mails are sent yet"), from.is_none());
        // What leads to them leads to all of them.
        let links = Selector::parse("nav a").expect("a selector");
        for link in page.select(&links) {
            assert_eq!(count(&page, &format!("section[id={}]", &link.attr("href").expect("a link")[1..])), 1);
        }
        assert_eq!(count(&page, "nav a"), frames.len());
    }
}
