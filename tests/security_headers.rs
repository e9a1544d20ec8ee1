//! Every URL that answers a browser, taken from the list of routes: each answer, whatever it says, forbids
//! what no page of ours needs (Content Security Policy Level 3; OWASP ASVS 5.0 chapter 3).

use std::collections::BTreeSet;

use gatehouse::config::RegistrationEmail;
use http::header::{CONTENT_TYPE, ORIGIN};
use http::{Request, StatusCode};
use scraper::{Html, Selector};
use url::Url;

use crate::device_grant::{Begun, device_client};
use crate::support::page::Page;
use crate::support::routes;
use crate::support::server::{
    Answer, Browser, Engine, Server, authorization_query, form_request, matrix_scope,
};

/// The paths of all pages, as `routes` lists them, and one that is not there.
fn page_routes() -> Vec<String> {
    let mut paths = routes::pages();
    paths.push("/nothing/here".to_owned());
    paths
}

/// What stands in the place of `{id}`: things of all kinds that are there, and what is none.
async fn identifiers(server: &Server, alice: &mut Browser<'_>, client: &str) -> Vec<String> {
    let (request, _) = alice.ask(&authorization_query(client, &matrix_scope("DEVICE0002"), &[])).await;
    let list = alice.get("/account/sessions").await;
    let links = Page::of(&list).links("li.session > a");
    assert!(
        links.iter().any(|link| link.contains("/client/"))
            && links.iter().any(|link| link.contains("/browser/"))
    );
    let base = server.config.http.public_base.path().trim_end_matches('/').to_owned();
    let mut found: Vec<String> = links
        .iter()
        .map(|link| {
            link.trim_start_matches(base.as_str()).split('/').nth(4).expect("an identifier").to_owned()
        })
        .collect();
    found.push(request.rsplit('/').next().expect("an identifier").to_owned());
    let sso = "/_matrix/client/v3/login/sso/redirect?redirectUrl=https%3A%2F%2Fapp.example.com%2F";
    let asked = server.get(sso).await;
    found.push(asked.location().rsplit('/').next().expect("an identifier").to_owned());
    found.extend(
        ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "nonsense", "%00", "%3Cscript%3Ealert(1)%3C%2Fscript%3E"]
            .map(str::to_owned),
    );
    found
}

fn check(what: &str, answer: &Answer) -> Option<String> {
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("strict-transport-security", "max-age=31536000"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(answer.header(name), value, "{what}: {name}");
        assert_eq!(answer.headers.get_all(name).iter().count(), 1, "{what}: {name}");
    }
    for feature in ["camera", "geolocation", "microphone"] {
        assert!(answer.header("permissions-policy").contains(&format!("{feature}=()")), "{what}");
    }
    assert!(!answer.headers.contains_key("access-control-allow-origin"), "{what}: other sites read it");
    assert_eq!(answer.headers.get_all("content-security-policy").iter().count(), 1, "{what}");
    let policy = answer.header("content-security-policy");
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce");
    assert!(
        nonce.len() >= 22 && nonce.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/-_".contains(&b)),
        "{what}"
    );
    let strict = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; font-src 'none'; \
         connect-src 'self'; base-uri 'none'; form-action 'self'FORMS; frame-ancestors 'none'"
    );
    // Only where a form leads to the client may another place be named.
    let is_strict =
        ["", " https://app.example.com"].iter().any(|forms| policy == strict.replace("FORMS", forms));
    assert!(is_strict, "{what}: {policy}");
    if answer.header(CONTENT_TYPE).starts_with("text/html") {
        check_page(what, &answer.text(), nonce);
        return Some(nonce.to_owned());
    }
    assert!(answer.body.is_empty() || answer.header(CONTENT_TYPE).starts_with("text/plain"), "{what}");
    None
}

/// Nothing in a page runs or looks but what is loaded from us with the nonce of this very answer.
fn check_page(what: &str, html: &str, nonce: &str) {
    let page = Html::parse_document(html);
    let every = Selector::parse("*").expect("a selector");
    for element in page.select(&every) {
        let name = element.value().name();
        let is_wrong =
            ["style", "iframe", "frame", "object", "embed", "applet", "base", "portal"].contains(&name);
        assert!(!is_wrong, "{what}: <{name}>");
        for (attribute, value) in element.value().attrs() {
            assert!(attribute != "style" && !attribute.starts_with("on"), "{what}: {attribute}={value}");
            assert!(attribute != "srcdoc" && attribute != "http-equiv", "{what}: {attribute}={value}");
            if ["href", "src", "action", "formaction", "data"].contains(&attribute) {
                let scheme = value.trim().split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
                assert!(
                    scheme.is_none_or(|scheme| scheme == "https" || scheme == "data" && name == "img"),
                    "{what}: {value}"
                );
            }
        }
        if name == "script" {
            assert_eq!(element.attr("nonce"), Some(nonce), "{what}");
            assert!(
                element.attr("src").is_some_and(|src| src.starts_with('/') && !src.starts_with("//")),
                "{what}"
            );
            assert_eq!(element.text().collect::<String>().trim(), "", "{what}: a script inside the page");
        }
    }
    for form in page.select(&Selector::parse("form").expect("a selector")) {
        // What is looked for may stand in the address, as it must for the next page of what was found.
        let is_search = form.attr("role") == Some("search") && form.attr("method") == Some("get");
        assert!(
            is_search || form.attr("method") == Some("post"),
            "{what}: what is typed would stand in the address"
        );
    }
}

async fn sweep(public_base: &str) {
    let base: Url = public_base.parse().unwrap();
    let server = Server::start_with(Engine::Sqlite, |config| {
        config.http.public_base = base.clone();
        config.registration.enabled = true;
        config.registration.email = RegistrationEmail::NotAsked;
    })
    .await;
    let prefix = base.path().trim_end_matches('/');
    server.user("alice").await;
    let client = server.client().await;
    server.tokens("alice", &client, "DEVICE0001").await;
    server.signed_in("alice").await;
    let mut alice = server.signed_in("alice").await;
    let identifiers = identifiers(&server, &mut alice, &client).await;
    let device = Begun::new(&server, &device_client(&server).await, &matrix_scope("DEVICE0003")).await;
    let good = authorization_query(&client, "openid", &[]);
    let mut paths = Vec::new();
    for route in page_routes() {
        match ["{id}", "{secret}"].into_iter().find(|place| route.contains(place)) {
            Some(place) => paths.extend(identifiers.iter().map(|id| route.replace(place, id))),
            None => paths.push(route),
        }
    }
    paths.extend([
        format!("/authorize?{good}"),
        "/authorize?client_id=nobody&state=%3Cscript%3E".to_owned(),
        "/_matrix/client/v3/login/sso/redirect?redirectUrl=javascript:%3Cscript%3E".to_owned(),
        "/login?next=/account/&x=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E".to_owned(),
        "/account/sessions?before=x&notice=browser-ended".to_owned(),
        format!("/end-session?client_id={client}&state=%22%3E%3Cscript%3E"),
        device.path.replace("/auth/", "/"),
        "/link?code=%22%3E%3Cscript%3E".to_owned(),
        "/link?result=allowed".to_owned(),
        "/account/?action=org.matrix.device_view&device_id=%3Cscript%3E".to_owned(),
        "/account/deactivate?result=done".to_owned(),
        "/account/cross-signing-reset?result=done".to_owned(),
    ]);

    let (mut nonces, mut statuses, mut pages) = (BTreeSet::new(), BTreeSet::new(), 0);
    for path in paths.iter().map(|path| format!("{prefix}{path}")) {
        for is_signed_in in [false, true] {
            for method in ["GET", "HEAD", "POST", "POST from elsewhere", "PUT", "DELETE", "OPTIONS"] {
                // What a form would change is tried without its token, so that everything stays as it is.
                let origin = [(ORIGIN, "https://evil.example")];
                let mut request = match method.split_once(' ') {
                    Some(_) => form_request(&path, &origin, &[("csrf", "x"), ("answer", "approve")]),
                    None if method == "POST" => {
                        form_request(&path, &[], &[("username", "<script>alert(1)</script>")])
                    }
                    None => Request::builder().method(method).uri(&path).body(Default::default()).unwrap(),
                };
                if is_signed_in {
                    let cookies: Vec<String> =
                        alice.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    request.headers_mut().insert("cookie", cookies.join("; ").parse().unwrap());
                }
                let answer = server.send(request).await;
                let what = format!(
                    "{method} {path}, {}: {}",
                    if is_signed_in { "alice" } else { "a stranger" },
                    answer.status
                );
                assert!(!answer.status.is_server_error(), "{what}");
                statuses.insert(answer.status.as_u16());
                if let Some(nonce) = check(&what, &answer)
                    && method != "HEAD"
                {
                    pages += 1;
                    assert!(nonces.insert(nonce), "{what}: a nonce is used again");
                }
            }
        }
    }
    assert!(pages > 100, "{pages}");
    assert!(statuses.is_superset(&[200, 303, 400, 403, 404, 405].into()), "{statuses:?}");
    assert!(
        alice.get(&format!("{prefix}/account/")).await.status == StatusCode::OK,
        "nothing was carried out"
    );

    // The two pages that only a form of ours leads to.
    let allowed =
        alice.allow(&authorization_query(&client, "openid", &[("response_mode", "form_post")])).await;
    check("the page that posts itself", &allowed);
    let mut strangers = server.browser();
    let refused = strangers.sign_in("alice", "not the password of alice", "/").await;
    check("a refused sign-in", &refused);
}

#[tokio::test]
async fn every_page_and_every_refusal_has_its_headers_and_runs_nothing_of_its_own() {
    sweep("https://auth.example.org/").await;
}

#[tokio::test]
async fn so_it_is_below_a_path() {
    sweep("https://example.org/auth/").await;
}
