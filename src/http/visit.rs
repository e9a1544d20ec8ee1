//! A person's browser at one of our pages: its cookies, its forms, and the page it gets.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use aws_lc_rs::hmac;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, HeaderMap, HeaderValue, ORIGIN};
use http::request::Parts;
use http::{HeaderName, Method, StatusCode};

use super::cookies::{Cookies, Which};
use super::error::{ErrorPage, PageError, Problem, WayOn};
use super::form::Parameters;
use super::headers::{FormAction, Nonce, no_store, set_retry_after};
use super::pages::{self, Frame, Site};
use super::request_id::RequestId;
use super::requester::Requester;
use crate::app::App;
use crate::keys;
use crate::languages::{self, Language};

/// When to come back after something passing.
const SOON: Duration = Duration::from_secs(5);

/// How long the language holds that an app has asked for, in seconds: as long as people take to register.
const A_FLOW: i64 = 60 * 60;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a page needs to know of the browser that asks for it.
pub struct Visit {
    /// Where the request came from.
    pub requester: Requester,
    /// What all pages share.
    pub site: Arc<Site>,
    /// The request's identifier, for error pages.
    pub request_id: String,
    /// What was asked for: path and query below the public base.
    asked: String,
    /// The language of the pages: what the person has chosen at the foot of a page, else what the app has asked
    /// for that sent them here, else the best of those that their browser names, else the server's own.
    pub language: Language,
    /// The languages the person reads, best first: that of the pages, and those of `Accept-Language`.
    pub languages: Vec<String>,
    has_asked_language: bool,
    /// The secret of the browser session that the browser claims.
    pub session_secret: Option<String>,
    /// The secret of the sign-in that the browser has begun.
    pub attempt_secret: Option<String>,
    /// The secret of a browser that is remembered for a second factor.
    pub remembered_secret: Option<String>,
    /// The secret of the account that somebody is making with the browser.
    pub registration_secret: Option<String>,
    nonce: String,
    cookies: Cookies,
    browser: String,
    is_new_browser: bool,
    brings_cookies: bool,
    form_token: String,
    is_own_page: bool,
}

/// A form did not come from one of our pages, or from one that is too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the form did not come from this site")]
pub struct ForeignForm;

impl Visit {
    /// What every page is given as `frame`.
    pub fn frame(&self) -> Frame<'_> {
        Frame::new(&self.site, &self.nonce, &self.form_token).in_language(self.language).back_to(&self.asked)
    }

    /// The browser's own secret.
    pub fn browser(&self) -> &str {
        &self.browser
    }

    /// Whether the person came from another page of ours, rather than by a link that anybody may have
    /// written.
    pub fn is_from_own_page(&self) -> bool {
        self.is_own_page
    }

    /// Proves that a form came from a page that this browser was given.
    ///
    /// # Errors
    /// [`ForeignForm`] when another site sent it, or the token is missing or not this browser's.
    pub fn check_form(&self, form: &Parameters) -> Result<(), ForeignForm> {
        let token = form.get("csrf").unwrap_or_default();
        match self.is_own_page && !self.is_new_browser && keys::equal_secrets(token, &self.form_token) {
            true => Ok(()),
            false => Err(ForeignForm),
        }
    }

    /// Answers with a page. `form_action` is where its forms may lead besides this server.
    pub fn page(
        &self,
        status: StatusCode,
        page: &impl Template,
        form_action: Option<FormAction>,
    ) -> Response {
        let mut response = pages::render(status, page, form_action);
        response.headers_mut().insert(CONTENT_LANGUAGE, HeaderValue::from_static(self.language.tag()));
        self.remember(response)
    }

    /// Answers with what a handler made, or with the page for what went wrong.
    pub fn answer(&self, made: Result<Response, PageError>) -> Response {
        made.unwrap_or_else(|PageError { problem, way_on }| {
            let request_id = self.request_id.clone();
            let again = || WayOn::Again(self.asked.clone());
            let way_on = way_on.or_else(|| (problem == Problem::Unavailable).then(again));
            let page = ErrorPage { frame: self.frame(), problem, way_on, request_id };
            let mut response = self.page(problem.status(), &page, None);
            match problem {
                Problem::TooManyAttempts(wait) => set_retry_after(&mut response, wait),
                Problem::Unavailable | Problem::HomeserverUnreachable => set_retry_after(&mut response, SOON),
                _ => {}
            }
            response
        })
    }

    /// Answers with another page of ours, by 303 so that a form is not sent again.
    pub fn go(&self, local: &str) -> Response {
        self.remember(no_store(Redirect::to(&self.site.path(local))))
    }

    /// Has the browser keep the session that it now has, and nobody else's, and forget what has led to it.
    pub fn sign_in(&self, mut response: Response, session_secret: &str, seconds: u64) -> Response {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        self.cookies.set(&mut response, Which::Session, session_secret, seconds);
        if self.attempt_secret.is_some() {
            self.cookies.clear(&mut response, Which::Attempt);
        }
        response
    }

    /// Has the browser keep the sign-in that waits for its second step.
    pub fn keep_attempt(&self, response: Response, secret: &str, lifetime: Duration) -> Response {
        self.keep(response, Which::Attempt, secret, lifetime)
    }

    /// Has the browser keep what it is remembered by for a second factor.
    pub fn keep_remembered(&self, response: Response, secret: &str, lifetime: Duration) -> Response {
        self.keep(response, Which::Remembered, secret, lifetime)
    }

    fn keep(&self, mut response: Response, which: Which, secret: &str, lifetime: Duration) -> Response {
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        self.cookies.set(&mut response, which, secret, seconds);
        response
    }

    /// Has the browser keep the language that the person has chosen.
    pub fn choose_language(&self, mut response: Response, language: Language) -> Response {
        self.cookies.set(&mut response, Which::Language, language.tag(), i64::MAX);
        response
    }

    /// Has the pages that follow speak the language that an app asks for (OpenID Connect Core §3.1.2.1,
    /// `ui_locales`), unless the person has chosen one. What an app before asked for is over.
    pub fn follow_languages(&self, mut response: Response, ui_locales: Option<&str>) -> Response {
        let asked = ui_locales.and_then(|tags| languages::best(tags.split(' ').take(20)));
        match asked {
            Some(language) => {
                self.cookies.set(&mut response, Which::AskedLanguage, language.tag(), A_FLOW);
            }
            None if self.has_asked_language => self.cookies.clear(&mut response, Which::AskedLanguage),
            None => {}
        }
        response
    }

    /// Has the browser keep the account that is being made.
    pub fn keep_registration(&self, response: Response, secret: &str, lifetime: Duration) -> Response {
        self.keep(response, Which::Registration, secret, lifetime)
    }

    /// Has the browser forget the account that was being made.
    pub fn forget_registration(&self, mut response: Response) -> Response {
        self.cookies.clear(&mut response, Which::Registration);
        response
    }

    /// Has the browser forget its session.
    pub fn sign_out(&self, mut response: Response) -> Response {
        self.cookies.clear(&mut response, Which::Session);
        response
    }

    /// Gives a browser that is new here its secret, unless it may have one that it did not send.
    pub fn remember(&self, response: impl IntoResponse) -> Response {
        let mut response = response.into_response();
        if self.is_new_browser && self.brings_cookies {
            self.cookies.set(&mut response, Which::Browser, &self.browser, i64::MAX);
        }
        response
    }
}

impl FromRequestParts<App> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Visit, Response> {
        let Ok(requester) = Requester::from_request_parts(parts, app).await;
        let Some(site) = parts.extensions.get::<Arc<Site>>().cloned() else {
            tracing::error!("a page is routed without its site");
            return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        };
        let nonce = parts.extensions.get::<Nonce>().map(Nonce::to_string).unwrap_or_default();
        let request_id = parts.extensions.get::<RequestId>().map(RequestId::to_string).unwrap_or_default();
        let cookies = Cookies::new(&app.config.http.public_base);
        let known = cookies.read(&parts.headers, Which::Browser);
        let is_new_browser = known.is_none();
        let browser = known.unwrap_or_else(keys::random_secret);
        let form_token = keys::base64url(hmac::sign(app.keys.root().form_key(), browser.as_bytes()));
        let is_own_page = is_own_page(&parts.headers, app);
        let asked_language = cookies.language(&parts.headers, Which::AskedLanguage);
        let named = cookies.language(&parts.headers, Which::Language).or(asked_language);
        let mut languages = accepted(&parts.headers);
        if let Some(language) = named {
            languages.insert(0, language.tag().to_owned());
        }
        Ok(Visit {
            requester,
            request_id,
            asked: asked(parts, app),
            language: languages::best(languages.iter().map(String::as_str)).unwrap_or(site.language),
            languages,
            has_asked_language: asked_language.is_some(),
            site,
            session_secret: cookies.read(&parts.headers, Which::Session),
            attempt_secret: cookies.read(&parts.headers, Which::Attempt),
            remembered_secret: cookies.read(&parts.headers, Which::Remembered),
            registration_secret: cookies.read(&parts.headers, Which::Registration),
            nonce,
            cookies,
            browser,
            is_new_browser,
            form_token,
            // They are `SameSite=Lax`: a form of another site comes without them.
            brings_cookies: parts.method.is_safe() || is_own_page,
            is_own_page,
        })
    }
}

/// What a link leads to that asks again: the page that was asked for, or that with the form.
fn asked(parts: &Parts, app: &App) -> String {
    let base = app.config.http.public_base.path().trim_end_matches('/');
    let path = parts.uri.path();
    let path = path.strip_prefix(base).filter(|below| below.starts_with('/')).unwrap_or(path);
    match parts.uri.query() {
        Some(query) if parts.method == Method::GET => format!("{path}?{query}"),
        _ => path.to_owned(),
    }
}

/// Whether a request that changes something was sent by a page of ours, as browsers tell: `Origin`
/// against the public base (never against `Host`, which a proxy may set), else `Sec-Fetch-Site`.
fn is_own_page(headers: &HeaderMap, app: &App) -> bool {
    let own = app.config.http.public_base.origin().ascii_serialization();
    let site = headers.get(SEC_FETCH_SITE).map(|value| value.as_bytes());
    match headers.get(ORIGIN) {
        Some(origin) => origin.as_bytes() == own.as_bytes(),
        None => site.is_none_or(|site| site == b"same-origin"),
    }
}

/// The languages of `Accept-Language`, best first.
pub fn accepted(headers: &HeaderMap) -> Vec<String> {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut weighted: Vec<(String, f32)> = accepted
        .split(',')
        .take(20)
        .filter_map(|entry| {
            let mut parts = entry.split(';');
            let tag = parts.next()?.trim();
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            (!tag.is_empty() && tag != "*" && weight > 0.0).then(|| (tag.to_owned(), weight))
        })
        .collect();
    weighted.sort_by(|one, other| other.1.total_cmp(&one.1));
    weighted.into_iter().map(|(tag, _)| tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_come_best_first() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, "en;q=0.5, fr-CH, *;q=0.1, de;q=0.8, it;q=0".parse().unwrap());
        assert_eq!(accepted(&headers), ["fr-CH", "de", "en"]);
    }
}
