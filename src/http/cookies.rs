//! Our cookies: the browser's own, which stays, the session's, which ends with it, those of a sign-in which
//! waits for its second step and of an account that is being made, that of a browser which is remembered for a
//! second step, and two for the language.

use axum::response::Response;
use axum_extra::extract::cookie::CookieJar;
use http::HeaderMap;
use http::header::{HeaderValue, SET_COOKIE};
use url::Url;

use crate::keys;
use crate::languages::Language;

/// How the cookies are named and where they go, which follows from the public base.
///
/// On https they carry a prefix by which browsers refuse them from anybody else (RFC 6265bis §4.1.3).
#[derive(Clone, Debug)]
pub struct Cookies {
    prefix: &'static str,
    path: String,
    is_secure: bool,
}

/// Which cookie.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// The browser's own secret, over all sign-ins: forms are tied to it, and a browser that was here
    /// before is known by it. Kept for a year.
    Browser,
    /// The secret of a browser session. Kept as long as the session may live.
    Session,
    /// The secret of a sign-in that waits for its second step.
    Attempt,
    /// The secret of an account that is being made.
    Registration,
    /// The language that the person has chosen. Kept for a year.
    Language,
    /// The language that an app has asked for, as long as the flow that it began may take.
    AskedLanguage,
    /// The secret of a browser that is remembered for a second factor, made when that was shown. Kept as long as
    /// the browser is remembered.
    Remembered,
}

const A_YEAR: i64 = 365 * 24 * 60 * 60;

impl Cookies {
    /// Names and paths for a public base.
    pub fn new(public_base: &Url) -> Cookies {
        let path = public_base.path().to_owned();
        let is_secure = public_base.scheme() == "https";
        let prefix = match (is_secure, path.as_str()) {
            (true, "/") => "__Host-",
            (true, _) => "__Secure-",
            (false, _) => "",
        };
        Cookies { prefix, path, is_secure }
    }

    fn name(&self, which: Which) -> String {
        let name = match which {
            Which::Browser => "gatehouse_browser",
            Which::Session => "gatehouse_session",
            Which::Attempt => "gatehouse_attempt",
            Which::Registration => "gatehouse_registration",
            Which::Language => "gatehouse_language",
            Which::AskedLanguage => "gatehouse_asked_language",
            Which::Remembered => "gatehouse_remembered_browser",
        };
        format!("{}{name}", self.prefix)
    }

    /// The value that the request brings, if it looks like one of ours.
    pub fn read(&self, headers: &HeaderMap, which: Which) -> Option<String> {
        let jar = CookieJar::from_headers(headers);
        let value = jar.get(&self.name(which))?.value();
        keys::from_base64url(value).filter(|bytes| bytes.len() == 32).map(|_| value.to_owned())
    }

    /// The language that the request brings by a cookie, if we speak it.
    pub fn language(&self, headers: &HeaderMap, which: Which) -> Option<Language> {
        Language::of_tag(CookieJar::from_headers(headers).get(&self.name(which))?.value())
    }

    /// Has the browser keep a value, for `seconds` at most.
    pub fn set(&self, response: &mut Response, which: Which, value: &str, seconds: i64) {
        let seconds = match which {
            Which::Browser | Which::Language => A_YEAR,
            Which::Session
            | Which::Attempt
            | Which::Registration
            | Which::Remembered
            | Which::AskedLanguage => seconds.min(A_YEAR),
        };
        self.add(response, which, value, seconds);
    }

    /// Has the browser forget a value.
    pub fn clear(&self, response: &mut Response, which: Which) {
        self.add(response, which, "", 0);
    }

    /// `SameSite=Lax`: a person who follows a link from a client to our pages is still signed in.
    fn add(&self, response: &mut Response, which: Which, value: &str, seconds: i64) {
        let (name, path) = (self.name(which), &self.path);
        let secure = if self.is_secure { "; Secure" } else { "" };
        let cookie =
            format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
}
