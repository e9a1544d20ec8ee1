//! Headers that protect answers: against being stored, and pages against being abused.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::rand;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{
        AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, PRAGMA, REFERRER_POLICY, RETRY_AFTER,
        STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
};
use url::{Host, Url};

const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// What pages may ask of the browser: passkeys, for themselves.
const PERMISSIONS: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), \
    payment=(), usb=(), publickey-credentials-create=(self), publickey-credentials-get=(self)";

/// One year. Other hosts below ours are not ours to decide about, so subdomains are left out.
const STRICT_TRANSPORT: &str = "max-age=31536000";

/// An answer that nobody may keep: tokens, codes, personal data (RFC 6749 §5.1, RFC 9111 §5.2.2.5).
pub fn no_store(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// [`no_store`] as a layer, by `axum::middleware::map_response`.
pub async fn no_store_layer(response: Response) -> Response {
    no_store(response)
}

/// The token of an `Authorization: Bearer` header (RFC 6750 §2.1).
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

/// Says when to come back (RFC 9110 §10.2.3), in whole seconds and at least one.
pub fn set_retry_after(response: &mut Response, wait: Duration) {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
}

/// Request extension: the word that lets this page's own scripts run. Templates write it into
/// `<script type="module" nonce="...">`; modules that such a script imports inherit it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonce(String);

impl Nonce {
    fn generate() -> Option<Self> {
        let mut bytes = [0; 16];
        rand::fill(&mut bytes).ok()?;
        Some(Self(BASE64_STANDARD_NO_PAD.encode(bytes)))
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Response extension: where forms of this page may lead besides this server. Browsers check the
/// whole chain of redirects that a form starts, so pages on the way to a client name its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormAction(String);

impl FormAction {
    /// The source expression, like `https://app.example.org` or `com.example.app:`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The `form-action` source that lets a form lead to `redirect_uri`: its origin for https and http
/// on loopback, its scheme for a private one. `None` for anything a form must not lead to.
///
/// CSP has no way to write an IPv6 address, so for those the scheme alone is named.
pub fn form_action_source(redirect_uri: &str) -> Option<FormAction> {
    form_action(&Url::parse(redirect_uri).ok()?, false)
}

/// The same, for a target that may also be a web site reached by plain http.
pub fn form_action_source_of_any_site(target: &str) -> Option<FormAction> {
    form_action(&Url::parse(target).ok()?, true)
}

fn form_action(url: &Url, may_be_plain: bool) -> Option<FormAction> {
    let source = match (url.scheme(), url.host()) {
        ("https", Some(Host::Domain(_) | Host::Ipv4(_))) => url.origin().ascii_serialization(),
        ("https", Some(Host::Ipv6(_))) => "https:".to_owned(),
        ("http", Some(Host::Domain("localhost"))) => url.origin().ascii_serialization(),
        ("http", Some(Host::Ipv4(address))) if address.is_loopback() => url.origin().ascii_serialization(),
        ("http", Some(Host::Ipv6(address))) if may_be_plain || address.is_loopback() => "http:".to_owned(),
        ("http", Some(_)) if may_be_plain => url.origin().ascii_serialization(),
        // Schemes that browsers give a meaning of their own, some of which run code.
        (
            "http" | "https" | "ws" | "wss" | "ftp" | "file" | "filesystem" | "blob" | "data" | "about"
            | "javascript" | "vbscript" | "view-source",
            _,
        ) => return None,
        (scheme, _) => format!("{scheme}:"),
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._+:/".contains(&byte);
    source.bytes().all(is_plain).then_some(FormAction(source))
}

/// What the security headers of pages depend on, for [`page_headers`].
#[derive(Clone, Copy, Debug)]
pub struct PageHeaders {
    is_https: bool,
}

impl PageHeaders {
    /// `public_base` is where browsers reach this server.
    pub fn new(public_base: &Url) -> Self {
        Self { is_https: public_base.scheme() == "https" }
    }
}

/// Layer for pages, by `axum::middleware::from_fn_with_state`: gives the request a [`Nonce`] and
/// the answer its security headers, with the [`FormAction`] that the handler left in it.
pub async fn page_headers(State(pages): State<PageHeaders>, mut request: Request, next: Next) -> Response {
    let Some(nonce) = Nonce::generate() else {
        tracing::error!("the system gives no random numbers");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    request.extensions_mut().insert(nonce.clone());
    let mut response = next.run(request).await;
    let policy = content_security_policy(&nonce, response.extensions().get());
    let headers = response.headers_mut();
    // Nonce and source consist of characters that every header may hold.
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    set_fixed(headers, pages);
    response
}

fn set_fixed(headers: &mut HeaderMap, pages: PageHeaders) {
    let fixed = [
        (X_FRAME_OPTIONS, "DENY"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Links carry codes and states; but our own forms need an Origin other than `null`.
        (REFERRER_POLICY, "same-origin"),
        (PERMISSIONS_POLICY, PERMISSIONS),
        (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if pages.is_https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT_TRANSPORT));
    }
}

/// The policy of one page (Content Security Policy Level 3). Images of clients are not fetched
/// from elsewhere, so that showing a page tells nobody about it.
pub fn content_security_policy(nonce: &Nonce, form_action: Option<&FormAction>) -> String {
    let target = form_action.map_or(String::new(), |source| format!(" {}", source.as_str()));
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; \
         font-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'self'{target}; \
         frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use axum::{
        Extension, Router,
        body::{Body, to_bytes},
        middleware::{from_fn_with_state, map_response},
        routing::get,
    };
    use proptest::prelude::*;
    use tower::ServiceExt;

    use super::*;

    async fn page(public_base: &str, form_action: Option<FormAction>) -> Response {
        let handler = async move |Extension(nonce): Extension<Nonce>| {
            let mut response = nonce.to_string().into_response();
            if let Some(source) = form_action.clone() {
                response.extensions_mut().insert(source);
            }
            response
        };
        let pages = PageHeaders::new(&public_base.parse().unwrap());
        let router = Router::new().route("/", get(handler)).layer(from_fn_with_state(pages, page_headers));
        router.oneshot(Request::new(Body::empty())).await.unwrap()
    }

    #[tokio::test]
    async fn a_page_carries_its_security_headers() {
        let response = page("https://auth.example.org/", None).await;
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "same-origin");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("strict-transport-security"), "max-age=31536000");
        assert!(header("permissions-policy").contains("publickey-credentials-get=(self)"));
        let nonce = to_bytes(response.into_body(), 100).await.unwrap();
        let nonce = str::from_utf8(&nonce).unwrap();
        assert_eq!(
            policy,
            format!(
                "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; \
                 img-src 'self' data:; font-src 'none'; connect-src 'self'; base-uri 'none'; \
                 form-action 'self'; frame-ancestors 'none'"
            )
        );
    }

    #[tokio::test]
    async fn a_page_may_let_its_form_lead_to_a_client() {
        let source = form_action_source("https://app.example.org/callback");
        let response = page("https://auth.example.org/", source).await;
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("; form-action 'self' https://app.example.org; "), "{policy}");
    }

    #[tokio::test]
    async fn every_answer_has_its_own_nonce() {
        let nonce = async || {
            let response = page("https://auth.example.org/", None).await;
            to_bytes(response.into_body(), 100).await.unwrap()
        };
        assert_ne!(nonce().await, nonce().await);
    }

    #[tokio::test]
    async fn plain_http_never_promises_https() {
        let response = page("http://localhost:8080/", None).await;
        assert!(!response.headers().contains_key("strict-transport-security"));
    }

    #[tokio::test]
    async fn answers_are_not_stored() {
        let router = Router::new().route("/", get(|| async { "token" })).layer(map_response(no_store_layer));
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["pragma"], "no-cache");
    }

    #[test]
    fn a_redirect_target_becomes_one_source() {
        let table = [
            ("https://app.example.org/cb?x=1", Some("https://app.example.org")),
            ("https://app.example.org:8443/cb", Some("https://app.example.org:8443")),
            ("https://app.example.org:443/cb", Some("https://app.example.org")),
            ("https://user:pass@app.example.org/cb", Some("https://app.example.org")),
            ("https://bücher.example/cb", Some("https://xn--bcher-kva.example")),
            ("https://192.0.2.1/cb", Some("https://192.0.2.1")),
            ("https://[2001:db8::1]/cb", Some("https:")),
            ("http://localhost:4711/cb", Some("http://localhost:4711")),
            ("http://127.0.0.1:4711/cb", Some("http://127.0.0.1:4711")),
            ("http://[::1]:4711/cb", Some("http:")),
            ("http://app.example.org/cb", None),
            ("http://localhost.example.org/cb", None),
            ("http://192.0.2.1/cb", None),
            ("com.example:/cb", Some("com.example:")),
            ("com.example.app+x-1://cb", Some("com.example.app+x-1:")),
            ("COM.Example:/cb", Some("com.example:")),
            ("element://connect", Some("element:")),
            ("https://a;b.example/", None),
            ("https://a,b.example/", None),
            ("https://a'b.example/", None),
            ("https://*.example/", None),
            ("https://*/", None),
            ("javascript:alert(1)", None),
            ("data:text/html,x", None),
            ("blob:https://app.example.org/1", None),
            ("file:///etc/passwd", None),
            ("/cb", None),
            ("", None),
        ];
        for (redirect_uri, source) in table {
            let found = form_action_source(redirect_uri);
            assert_eq!(found.as_ref().map(FormAction::as_str), source, "{redirect_uri}");
            // Only plain http makes a difference.
            let of_any_site = form_action_source_of_any_site(redirect_uri);
            assert!(of_any_site == found || redirect_uri.starts_with("http://"), "{redirect_uri}");
        }
        let plain = form_action_source_of_any_site("http://app.example.org:81/cb");
        assert_eq!(plain.as_ref().map(FormAction::as_str), Some("http://app.example.org:81"));
    }

    proptest! {
        #[test]
        fn no_redirect_target_writes_policy(
            scheme in prop_oneof![Just("https://".to_owned()), Just("http://".to_owned()), "[a-z.;, ']{0,8}:"],
            rest in "\\PC{0,30}",
        ) {
            if let Some(source) = form_action_source(&format!("{scheme}{rest}")) {
                let forbidden = |c: char| c.is_whitespace() || c.is_control() || ";,'\"*".contains(c);
                prop_assert!(!source.as_str().contains(forbidden), "{source:?}");
                prop_assert!(source.as_str().is_ascii());
            }
        }
    }
}
