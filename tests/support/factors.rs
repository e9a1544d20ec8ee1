//! A person with an authenticator app.

use std::time::Duration;

use gatehouse::time::Timestamp;
use http::StatusCode;
use totp_rs::{Builder, Secret};

use super::server::{Answer, Browser, PASSWORD, Server};

pub const SECURITY: &str = "/account/security";
pub const ADD_APP: &str = "/account/security/apps/add";
pub const CODES: &str = "/account/security/recovery-codes";
pub const SECOND: &str = "/login/second";

/// An authenticator app.
pub struct Authenticator(Vec<u8>);

impl Authenticator {
    /// Reads the secret from the page, as a person types it.
    pub fn of(page: &Answer) -> Authenticator {
        let document = scraper::Html::parse_document(&page.text());
        let selector = scraper::Selector::parse(".key code").expect("a selector");
        let key = document.select(&selector).next().expect("a key").text().collect::<String>();
        Authenticator::with_key(&key)
    }

    /// One with the key that a person has typed.
    pub fn with_key(key: &str) -> Authenticator {
        let secret = Secret::try_from_base32(key.replace(' ', "")).expect("base32");
        Authenticator(secret.as_bytes().to_vec())
    }

    /// What it holds, in Base32.
    pub fn secret(&self) -> String {
        Secret::new(self.0.clone().into()).to_base32()
    }

    /// The code that the app shows at a moment.
    pub fn code_at(&self, moment: Timestamp) -> String {
        let totp = Builder::new().with_secret(self.0.clone()).build().expect("a secret");
        totp.generate(u64::try_from(moment.as_seconds()).expect("a time")).to_string()
    }

    /// The code that the app shows so many seconds from now.
    pub fn code_in(&self, server: &Server, seconds: i64) -> String {
        self.code_at(Timestamp(server.app.clock.now().0 + seconds * 1000))
    }

    /// A code that the app does not show, nor did a moment ago, nor will in a moment.
    pub fn wrong_code(&self, server: &Server) -> String {
        let shown: Vec<String> = (-2..=2).map(|step| self.code_in(server, step * 30)).collect();
        let codes = ["000000", "111111", "222222", "333333", "444444", "555555"].map(str::to_owned);
        codes.into_iter().find(|code| !shown.contains(code)).expect("one of six is not among five")
    }

    /// The code that the app shows, when that was not shown before.
    pub fn next_code(&self, server: &Server) -> String {
        server.advance(Duration::from_secs(30));
        self.code_in(server, 0)
    }
}

/// Sets up an authenticator app in the account pages.
pub async fn add_app(server: &Server, browser: &mut Browser<'_>, name: &str) -> Authenticator {
    let page = browser.get(ADD_APP).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    let authenticator = Authenticator::of(&page);
    let code = authenticator.next_code(server);
    let answer = confirm_app(browser, ADD_APP, &page, name, &code).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    authenticator
}

/// Sends the form of a page on which an app is set up.
pub async fn confirm_app(
    browser: &mut Browser<'_>,
    path: &str,
    page: &Answer,
    name: &str,
    code: &str,
) -> Answer {
    let (csrf, sealed) = (page.field("csrf"), page.field("enrolment"));
    let form = [("csrf", csrf.as_str()), ("enrolment", &sealed), ("name", name), ("code", code)];
    browser.post(path, &form).await
}

/// A person who has an authenticator app, signed in nowhere.
pub async fn user_with_app(server: &Server, localpart: &str) -> Authenticator {
    server.user(localpart).await;
    let mut browser = server.signed_in(localpart).await;
    add_app(server, &mut browser, "Phone").await
}

/// The recovery codes that a page shows.
pub async fn make_codes(browser: &mut Browser<'_>) -> Vec<String> {
    let offer = browser.get(CODES).await;
    assert_eq!(offer.status, StatusCode::OK, "{}", offer.text());
    let csrf = offer.field("csrf");
    let answer = browser.post(CODES, &[("csrf", &csrf)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    super::page::Page::of(&answer).texts(".codes code")
}

/// Enters the password; the answer leads to the second step.
pub async fn first_step(browser: &mut Browser<'_>, localpart: &str, next: &str) -> String {
    let answer = browser.sign_in(localpart, PASSWORD, next).await;
    answer.location().to_owned()
}

/// Enters a code at the second step.
pub async fn enter(
    browser: &mut Browser<'_>,
    path: &str,
    next: &str,
    code: &str,
    more: &[(&str, &str)],
) -> Answer {
    let csrf = browser.csrf().await;
    let mut form = vec![("csrf", csrf.as_str()), ("next", next), ("code", code)];
    form.extend_from_slice(more);
    browser.post(path, &form).await
}

/// Signs in with password and code, all the way.
pub async fn sign_in(
    server: &Server,
    browser: &mut Browser<'_>,
    localpart: &str,
    app: &Authenticator,
    next: &str,
) {
    let path = first_step(browser, localpart, next).await;
    assert!(path.starts_with(SECOND), "{path}");
    let answer = enter(browser, SECOND, next, &app.next_code(server), &[]).await;
    assert_eq!(answer.location(), next);
}
