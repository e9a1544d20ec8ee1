//! Which language people are spoken to in, and that all of it is.

use axum::body::Body;
use gatehouse::accounts::mails::Mail;
use gatehouse::accounts::new_password::{self, Chooser};
use gatehouse::accounts::{mails, passwords, users};
use gatehouse::ids::UserId;
use gatehouse::keys::Password;
use gatehouse::languages::Language;
use http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE};
use http::{Request, StatusCode};
use scraper::{ElementRef, Html, Node, Selector};
use serde_json::json;

use crate::mails::{ALICE, alice, with_mails};
use crate::support::page::Page;
use crate::support::server::{
    Answer, Browser, Engine, PASSWORD, Server, authorization_query, matrix_scope, on_both_engines,
};
use crate::{gallery, mail_gallery};

fn language(tag: &str) -> Language {
    Language::of_tag(tag).expect("a language")
}

/// Opens a page with a browser that asks for languages.
async fn open(browser: &mut Browser<'_>, path: &str, accepted: &str) -> Answer {
    let request = Request::get(path).header(ACCEPT_LANGUAGE, accepted);
    browser.send(request.body(Body::empty()).expect("a request")).await
}

fn spoken(answer: &Answer) -> String {
    let spoken = Page::of(answer).attribute("html", "lang");
    assert_eq!(answer.header(CONTENT_LANGUAGE), spoken);
    spoken
}

/// Uses the switch at the foot of a page.
async fn switch(browser: &mut Browser<'_>, page: &Answer, tag: &str) -> Answer {
    let (csrf, back) = (page.field("csrf"), page.field("back"));
    browser.post("/language", &[("csrf", &csrf), ("back", &back), ("language", tag)]).await
}

async fn stored_language(server: &Server, user: UserId) -> Option<Language> {
    users::language(&server.app.store, user).await.expect("an answer")
}

on_both_engines! {
    async fn the_browser_says_which_language_a_person_reads(engine: Engine) {
        let server = Server::start(engine).await;
        for (accepted, tag) in [
            ("de-AT,de;q=0.9,en;q=0.8", "de"),
            ("it, fr;q=0.5, de;q=0.4", "fr"),
            ("en;q=0.1, fr-CA;q=0.9", "fr"),
            ("de;q=0, en", "en"),
            ("tlh, *", "en"),
            ("", "en"),
        ] {
            let answer = open(&mut server.browser(), "/login", accepted).await;
            assert_eq!(spoken(&answer), tag, "{accepted}");
        }
        let answer = open(&mut server.browser(), "/login", "de").await;
        assert_eq!(Page::of(&answer).texts("h1"), ["Anmelden bei example.org"]);
        let missing = open(&mut server.browser(), "/nowhere", "fr").await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND);
        assert_eq!(Page::of(&missing).texts("h1"), ["Il n’y a pas de page ici"]);
    }

    async fn a_server_has_a_language_of_its_own(engine: Engine) {
        let server = Server::start_with(engine, |config| config.branding.default_language = language("de")).await;
        assert_eq!(spoken(&server.browser().get("/login").await), "de");
        assert_eq!(spoken(&open(&mut server.browser(), "/login", "tlh").await), "de");
        assert_eq!(spoken(&open(&mut server.browser(), "/login", "en-GB").await), "en");
    }

    async fn a_person_chooses_at_the_foot_of_the_page_and_comes_back_to_it(engine: Engine) {
        let server = Server::start(engine).await;
        let mut browser = server.browser();
        let page = open(&mut browser, "/login?next=/account/sessions", "fr").await;
        assert_eq!(Page::of(&page).texts("footer button[lang]"), ["English", "Deutsch", "Français"]);
        assert_eq!(Page::of(&page).texts("footer [aria-current]"), ["Français"]);
        let back = switch(&mut browser, &page, "de").await;
        assert_eq!(back.location(), "/login?next=%2Faccount%2Fsessions");
        let page = open(&mut browser, back.location(), "fr").await;
        assert_eq!(spoken(&page), "de", "the choice counts for more than the browser");
        assert_eq!(Page::of(&page).texts("footer [aria-current]"), ["Deutsch"]);
        // What was typed led to a page with the same address; the way on is not lost by the switch.
        let csrf = page.field("csrf");
        let form = [("csrf", csrf.as_str()), ("username", ""), ("password", ""), ("next", "/account/sessions")];
        let refused = browser.post("/login", &form).await;
        assert!(Page::of(&refused).main().contains("Geben Sie Ihren Benutzernamen ein"));
        let back = switch(&mut browser, &refused, "en").await;
        let page = browser.get(back.location()).await;
        assert_eq!((spoken(&page).as_str(), page.field("next").as_str()), ("en", "/account/sessions"));
    }

    async fn the_switch_leads_nowhere_else_and_takes_no_strange_forms(engine: Engine) {
        let server = Server::start(engine).await;
        let mut browser = server.browser();
        let csrf = browser.csrf().await;
        for back in ["//evil.example", "https://evil.example/", "/\\evil.example", "", "evil"] {
            let form = [("csrf", csrf.as_str()), ("back", back), ("language", "de")];
            assert_eq!(browser.post("/language", &form).await.location(), "/", "{back}");
        }
        browser.cookies.retain(|name, _| !name.ends_with("language"));
        let form = [("csrf", csrf.as_str()), ("back", "/login"), ("language", "tlh")];
        assert_eq!(browser.post("/language", &form).await.status, StatusCode::BAD_REQUEST);
        let form = [("csrf", "x"), ("back", "/login"), ("language", "de")];
        assert_eq!(browser.post("/language", &form).await.status, StatusCode::FORBIDDEN);
        assert_eq!(spoken(&browser.get("/login").await), "en", "nothing was chosen");
        browser.cookies.insert("__Host-gatehouse_language".to_owned(), "\"><script>".to_owned());
        assert_eq!(spoken(&browser.get("/login").await), "en");
    }

    async fn an_app_asks_for_the_language_of_the_pages_that_follow(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let metadata = json!({ "client_name": "Example app", "client_name#fr": "Application", "client_name#de": "Anwendung" });
        let client = server.client_with(metadata).await;
        let client = client["client_id"].as_str().expect("a client_id");
        let scope = matrix_scope("DEVICE0001");
        let query = authorization_query(client, &scope, &[("ui_locales", "tlh fr-CA de")]);
        let mut browser = server.browser();
        let path = open(&mut browser, &format!("/authorize?{query}"), "de").await.location().to_owned();
        let to_sign_in = open(&mut browser, &path, "de").await.location().to_owned();
        let sign_in = open(&mut browser, &to_sign_in, "de").await;
        assert_eq!(spoken(&sign_in), "fr", "what the app asks for counts for more than the browser");
        assert!(Page::of(&sign_in).main().contains("Application (app.example.com)"));
        let refused = browser.sign_in_at(&sign_in, "alice", "wrong", &path).await;
        assert!(Page::of(&refused).main().contains("n’est pas correct"));
        assert_eq!(browser.sign_in_at(&sign_in, "alice", PASSWORD, &path).await.location(), path);
        let consent = open(&mut browser, &path, "de").await;
        assert_eq!(Page::of(&consent).texts("h1"), ["Laisser Application utiliser votre compte ?"]);
        let back = switch(&mut browser, &consent, "de").await;
        assert_eq!(back.location(), path);
        let consent = open(&mut browser, &path, "fr").await;
        assert_eq!(spoken(&consent), "de", "and the person's choice counts for more than the app");
        let page = Page::of(&consent);
        assert_eq!(page.texts("h1"), ["Darf Anwendung Ihr Konto benutzen?"]);
        assert!(page.texts(".scopes li").contains(&"Eines Ihrer Geräte sein, mit eigenen Schlüsseln für verschlüsselte Nachrichten".to_owned()));
        assert_eq!(page.texts(".actions button"), ["Zugriff erlauben", "Nicht erlauben"]);
    }

    async fn the_next_app_does_not_inherit_the_language(engine: Engine) {
        let server = Server::start(engine).await;
        let client = server.client().await;
        let mut browser = server.browser();
        let authorize = |locales| format!("/authorize?{}", authorization_query(&client, "openid", &[("ui_locales", locales)]));
        for (locales, tag) in [("fr", "fr"), ("de-CH fr", "de"), ("tlh", "en"), ("fr", "fr"), ("", "en")] {
            let path = browser.get(&authorize(locales)).await.location().to_owned();
            let to_sign_in = browser.get(&path).await.location().to_owned();
            assert_eq!(spoken(&browser.get(&to_sign_in).await), tag, "{locales}");
        }
    }

    async fn a_pushed_request_asks_for_a_language_too(engine: Engine) {
        let server = Server::start(engine).await;
        let client = server.client().await;
        let query = authorization_query(&client, "openid", &[("ui_locales", "de")]);
        let form: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let pushed = server.post("/oauth2/par", &form).await.json();
        let mut begun = url::form_urlencoded::Serializer::new(String::new());
        begun.append_pair("client_id", &client);
        begun.append_pair("request_uri", pushed["request_uri"].as_str().expect("a request_uri"));
        let mut browser = server.browser();
        let path = browser.get(&format!("/authorize?{}", begun.finish())).await.location().to_owned();
        let to_sign_in = browser.get(&path).await.location().to_owned();
        assert_eq!(spoken(&browser.get(&to_sign_in).await), "de");
    }

    async fn the_pseudo_language_is_there_for_who_asks_and_is_not_offered(engine: Engine) {
        let server = Server::start(engine).await;
        let page = open(&mut server.browser(), "/login", "en-XA").await;
        assert_eq!(spoken(&page), "en-XA");
        assert!(Page::of(&page).texts("h1")[0].starts_with("Šííğñ ííñ ŧóó"));
        assert!(!Page::of(&page).texts("footer button[lang]").iter().any(|name| name.contains("XA")));
        let discovery = server.get("/.well-known/openid-configuration").await.json();
        assert_eq!(discovery["ui_locales_supported"], json!(["en", "de", "fr"]));
    }

    async fn mails_are_in_the_language_of_whoever_reads_them(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        assert_eq!(stored_language(&server, alice.id).await, None);
        let mut own = server.browser();
        let page = open(&mut own, "/login", "de").await;
        let csrf = page.field("csrf");
        let form = [("csrf", csrf.as_str()), ("username", "alice"), ("password", PASSWORD)];
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post("/login")
            .header(ACCEPT_LANGUAGE, "de")
            .header("origin", "https://auth.example.org")
            .header("content-type", "application/x-www-form-urlencoded");
        own.send(request.body(Body::from(body)).expect("a request")).await.location();
        assert_eq!(stored_language(&server, alice.id).await, Some(language("de")));
        // A stranger whose browser asks for English has a link sent to her.
        let mut stranger = server.browser();
        let csrf = open(&mut stranger, "/reset-password", "en").await.field("csrf");
        stranger.post("/reset-password", &[("csrf", &csrf), ("email", ALICE)]).await.location();
        server.run_jobs().await;
        // That somebody has signed in is told, too.
        let reset = "<title>Zurück in Ihr Konto bei example.org</title>";
        let mail = mail_server.received_by(ALICE).into_iter().find(|mail| mail.html().contains(reset));
        let mail = mail.expect("a mail");
        assert!(mail.text().starts_with("Jemand hat um einen Weg zurück in Ihr Konto gebeten."), "{}", mail.text());
        assert!(mail.text().contains("Er gilt 10 Minuten lang, einmal."));
        assert!(mail.html().contains("<html lang=\"de\" dir=\"ltr\">"));
        // An admin, who comes from nowhere, sets her password.
        let now = server.app.clock.now();
        let hash = new_password::hash(&server.app, &Chooser::new("alice", None), Password::new("gatehouse lantern velvet orbit".to_owned()).expect("one")).await;
        let mut tx = server.app.store.begin().await.expect("a transaction");
        passwords::set(&mut tx, alice.id, &hash.expect("a hash").expect("a good one"), now).await.expect("a password");
        let told = Mail::PasswordChanged(mails::Occasion::by_admin(now));
        mails::tell(&mut tx, &server.app, &alice, &told, now).await.expect("a mail");
        tx.commit().await.expect("a commit");
        server.run_jobs().await;
        let mail = mail_server.received_by(ALICE).pop().expect("a mail");
        assert!(mail.html().contains("<title>Ihr Passwort bei example.org wurde geändert</title>"));
        assert!(mail.text().contains("Von: den Betreibern von example.org"), "{}", mail.text());
    }

    async fn who_wants_an_address_of_another_person_does_not_choose_their_language(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        server.user("mallory").await;
        let mut tx = server.app.store.begin().await.expect("a transaction");
        users::set_language(&mut tx, alice.id, language("fr")).await.expect("a language");
        tx.commit().await.expect("a commit");
        let mut browser = server.signed_in("mallory").await;
        let csrf = browser.csrf().await;
        browser.post("/account/email/add", &[("csrf", &csrf), ("email", ALICE)]).await.location();
        server.run_jobs().await;
        let mail = mail_server.received_by(ALICE).pop().expect("a mail");
        assert!(mail.html().contains("<title>Votre adresse e-mail est déjà utilisée sur example.org</title>"));
    }

    async fn the_switch_counts_for_mails_of_who_is_signed_in(engine: Engine) {
        let server = Server::start(engine).await;
        let (alice, bob) = (server.user("alice").await, server.user("bob").await);
        let mut browser = server.signed_in("alice").await;
        assert_eq!(stored_language(&server, alice.id).await, Some(Language::ENGLISH));
        let page = browser.get("/account/sessions").await;
        assert_eq!(switch(&mut browser, &page, "fr").await.location(), "/account/sessions");
        assert_eq!(stored_language(&server, alice.id).await, Some(language("fr")));
        assert_eq!(Page::of(&browser.get("/account/sessions").await).texts("h1"), ["Sessions"]);
        assert_eq!(stored_language(&server, bob.id).await, None);
    }

    async fn the_switch_leads_back_to_what_the_page_is_about(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let csrf = browser.csrf().await;
        let form = [("csrf", csrf.as_str()), ("kind", "security-key")];
        let refused = browser.post("/account/security/passkeys/new", &form).await;
        assert_eq!(Page::of(&refused).texts("#summary h2"), ["Nothing was added"]);
        assert_eq!(refused.field("back"), "/account/security/passkeys/new?kind=security-key");
        let searched = browser.get("/account/activity?before=01ARZ3NDEKTSV4RRFFQ69G5FAV").await;
        assert_eq!(searched.field("back"), "/account/activity?before=01ARZ3NDEKTSV4RRFFQ69G5FAV");
    }

    async fn what_is_shown_once_has_no_switch(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let mut browser = server.signed_in("alice").await;
        let query = authorization_query(&client, "openid", &[("response_mode", "form_post")]);
        let page = browser.allow(&query).await;
        assert_eq!(Page::of(&page).texts("h1"), ["You are on your way back"]);
        assert!(Page::of(&page).texts("footer button").is_empty());
    }
}

fn has_plain_letter(text: &str) -> bool {
    text.contains(|letter: char| letter.is_ascii_alphabetic())
}

/// The text of an element without what others wrote, codes and the names of languages.
fn own_text(element: ElementRef<'_>, found: &mut Vec<String>) {
    let tag = element.value();
    let is_code = tag.classes().any(|class| class == "user-code");
    let is_language = tag.name() == "button" && tag.attr("lang").is_some();
    if ["bdi", "code", "script", "style"].contains(&tag.name()) || is_code || is_language {
        return;
    }
    for attribute in ["aria-label", "alt", "placeholder", "title"] {
        found.extend(tag.attr(attribute).map(str::to_owned));
    }
    for child in element.children() {
        match child.value() {
            // Read as by a browser that runs scripts: as text.
            Node::Text(text) if tag.name() == "noscript" => {
                own_text(Html::parse_fragment(text).root_element(), found);
            }
            Node::Text(text) => found.push(text.to_string()),
            _ => ElementRef::wrap(child).into_iter().for_each(|child| own_text(child, found)),
        }
    }
}

#[test]
fn every_text_of_every_page_is_a_message() {
    let mut failures = Vec::new();
    for (name, html) in gallery::pages_in(language("en-XA")) {
        // The name of a product, as it calls itself.
        let html = html.replace("Bitwarden", "");
        let page = Html::parse_document(&html);
        let mut texts = Vec::new();
        own_text(page.root_element(), &mut texts);
        let plain = texts.iter().filter(|text| has_plain_letter(text)).map(|text| format!("{name}: {text}"));
        failures.extend(plain);
        assert!(texts.len() > 10, "{name} says nothing");
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn every_text_of_every_mail_is_a_message() {
    for (name, letter) in mail_gallery::mails_in(language("en-XA")) {
        let without_addresses = |text: &str| {
            let words = text.split([' ', '\n']).map(|word| word.replace("chat.example.org", ""));
            words.filter(|word| !word.starts_with("https://")).collect::<Vec<_>>().join(" ")
        };
        for text in [without_addresses(&letter.subject), without_addresses(&letter.text)] {
            let text = text.replace(&"A".repeat(43), "");
            assert!(!has_plain_letter(&text), "{name}: {text}");
        }
        let mut texts = Vec::new();
        let page = Html::parse_document(&letter.html);
        own_text(page.root_element(), &mut texts);
        let texts = texts.iter().map(|text| without_addresses(text)).collect::<Vec<_>>().join(" ");
        assert!(!has_plain_letter(&texts), "{name}: {texts}");
    }
}

#[test]
fn every_page_is_there_in_every_language() {
    let body = |html: &str| html.split_once("<body").map(|(_, body)| body.to_owned()).expect("a body");
    let english: Vec<_> = gallery::pages_in(Language::ENGLISH);
    for language in Language::spoken() {
        for ((name, html), (_, in_english)) in gallery::pages_in(language).into_iter().zip(&english) {
            let page = Html::parse_document(&html);
            assert!(page.errors.is_empty(), "{name} in {language}: {:?}", page.errors);
            let root = page.root_element();
            assert_eq!(root.attr("lang"), Some(language.tag()), "{name}");
            assert_eq!(root.attr("dir"), Some("ltr"), "{name}");
            // What could not be put in is shown as its name.
            assert!(!html.contains("{$") && !html.contains("{ $"), "{name} in {language}");
            assert_eq!(
                body(&html) == body(in_english),
                language == Language::ENGLISH,
                "{name} in {language}"
            );
            let heading = Selector::parse("h1").expect("a selector");
            assert_eq!(page.select(&heading).count(), 1, "{name} in {language}");
        }
    }
}
