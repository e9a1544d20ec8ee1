//! Where a request comes from, and where an answer or a call goes.

use std::net::IpAddr;

use gatehouse::clients::label::Destination;
use gatehouse::clients::redirect_uri::{ApplicationType, matches, may_register, parse_https};
use gatehouse::config;
use gatehouse::http::client_address::{client_address, limit_key};
use gatehouse::http::headers::form_action_source;
use gatehouse::http::local::local;
use gatehouse::outbound::{Outbound, is_public};
use url::{Host, Url};

use super::{fuzz, headers, text, two_texts};

/// Nobody becomes an address that no trusted proxy reported, and a header of a stranger is nothing.
#[test]
fn forwarded_headers() {
    let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
    let stranger: IpAddr = "198.51.100.1".parse().unwrap();
    let proxy: IpAddr = "10.0.0.1".parse().unwrap();
    fuzz!("forwarded_headers", |input: &[u8]| {
        let lines = text(input);
        let headers = headers(&lines);
        assert_eq!(client_address(Some(stranger), &headers, &trusted), Some(stranger));
        let found = client_address(Some(proxy), &headers, &trusted).expect("the proxy at least is known");
        assert_eq!(found, found.to_canonical());
        assert!(limit_key(found).len() <= 45);
        // What the nearest proxy adds on the right decides, whatever stands before it.
        for name in ["x-forwarded-for", "forwarded"] {
            let mut headers = headers.clone();
            let added = if name == "forwarded" { "for=203.0.113.77" } else { "203.0.113.77" };
            headers.remove(if name == "forwarded" { "x-forwarded-for" } else { "forwarded" });
            headers.append(name, added.parse().unwrap());
            let found = client_address(Some(proxy), &headers, &trusted);
            assert_eq!(found, Some("203.0.113.77".parse().unwrap()), "{headers:?}");
        }
    });
}

/// What may be registered leads where its text says; what matches a registered one goes there.
#[test]
fn redirect_uris() {
    let base = Url::parse("https://app.example.com/").unwrap();
    fuzz!("redirect_uris", |input: &[u8]| {
        let (registered, requested) = two_texts(input);
        for kind in [ApplicationType::Web, ApplicationType::Native] {
            if !may_register(&registered, kind, Some(&base)) {
                continue;
            }
            assert!(
                registered.is_ascii() && !registered.contains(['#', ' ', '\\', '<', '"']),
                "{registered:?}"
            );
            assert!(matches(&registered, &registered));
            let url = Url::parse(&registered).expect("an absolute URI");
            assert!(http::HeaderValue::from_str(&registered).is_ok());
            match Destination::of(&registered).expect("a destination") {
                Destination::Website(host) => {
                    let host = host.split(':').next().unwrap_or_default();
                    assert!(host == "app.example.com" || host.ends_with(".app.example.com"), "{registered}");
                    assert_eq!(parse_https(&registered).as_ref(), Some(&url));
                }
                Destination::Loopback => assert_eq!(kind, ApplicationType::Native),
                Destination::App(scheme) => {
                    assert_eq!(kind, ApplicationType::Native);
                    assert!(scheme.starts_with("com.example.app"), "{registered}");
                }
                Destination::PlainWebsite(_) => panic!("{registered} would carry a code in plain text"),
            }
            if matches(&registered, &requested) && registered != requested {
                let other = Url::parse(&requested).expect("an absolute URI");
                assert_eq!(Destination::of(&requested), Some(Destination::Loopback));
                assert_eq!(
                    (url.host(), url.path(), url.query()),
                    (other.host(), other.path(), other.query())
                );
                assert_eq!((other.scheme(), other.username(), other.fragment()), ("http", "", None));
            }
        }
    });
}

/// No redirect URI writes into the security policy of a page.
#[test]
fn form_action() {
    fuzz!("form_action", |input: &[u8]| {
        if let Some(source) = form_action_source(&text(input)) {
            let allowed = |c: char| c.is_ascii_alphanumeric() || ":/.-_+".contains(c);
            assert!(source.as_str().chars().all(allowed), "{}", source.as_str());
            let scheme = source.as_str().split(':').next().unwrap_or_default();
            assert!(!["javascript", "data", "blob", "file", "about"].contains(&scheme));
        }
    });
}

/// A browser that follows `next` stays on this site.
#[test]
fn next_path() {
    let base = Url::parse("https://auth.example.org/").unwrap();
    fuzz!("next_path", |input: &[u8]| {
        if let Some(path) = local(Some(&text(input))) {
            assert_eq!(base.join(&path).expect("a URL").origin(), base.origin(), "{path:?}");
            assert!(http::HeaderValue::from_str(&path).is_ok());
        }
    });
}

/// What is called is https to a public host, with nothing in it that the caller does not mean.
#[test]
fn outbound_address() {
    let outbound = Outbound::new(&config::Outbound::default()).unwrap();
    fuzz!("outbound_address", |input: &[u8]| {
        let Ok(url) = Url::parse(&text(input)) else { return };
        if outbound.check(&url).is_err() {
            return;
        }
        assert_eq!(url.scheme(), "https");
        assert!(url.username().is_empty() && url.password().is_none());
        assert!(url.port().is_none_or(|port| port >= 1024));
        let host = url.host_str().expect("a host");
        match url.host() {
            Some(Host::Ipv4(address)) => assert!(is_public(address.into())),
            Some(Host::Ipv6(address)) => assert!(is_public(address.into())),
            // Nothing that a resolver could read as an address passes for a name.
            _ => assert!(host.parse::<IpAddr>().is_err() && !host.starts_with('['), "{host}"),
        }
    });
}
