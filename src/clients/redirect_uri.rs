//! Redirect URIs: which may be registered, and which request matches a registered one.
//!
//! They are parsed to be judged and compared as the bytes that were received.

use std::net::IpAddr;

use url::{Host, Url};

use crate::config::is_plain_uri;

/// Whether a client runs in a web server's browser page or on a device (RFC 7591 §2 by way of OpenID
/// Connect Registration §2, `application_type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// A page served from the web.
    #[default]
    Web,
    /// A program on a device.
    Native,
}

impl ApplicationType {
    /// As registrations spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            ApplicationType::Web => "web",
            ApplicationType::Native => "native",
        }
    }
}

/// Whether `host` is `base` or below it, on a label boundary and without regard to case
/// (Matrix CS API, Client registration: URIs share a common base with `client_uri`).
pub fn is_same_or_below(host: &str, base: &str) -> bool {
    let (host, base) = (host.to_ascii_lowercase(), base.to_ascii_lowercase());
    match host.strip_suffix(&base) {
        Some("") => true,
        // A name may stand below another name, but nothing stands below an IP address.
        Some(rest) => rest.ends_with('.') && base.parse::<IpAddr>().is_err() && !base.starts_with('['),
        None => false,
    }
}

/// An `https` URI with a host and without user or password; `None` for anything else.
pub fn parse_https(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|_| is_plain_uri(text))?;
    let is_clean = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
    // "https:example.org" and "https:///example.org" parse, but are not what they look like.
    let has_authority = text.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"))
        && !text[8..].starts_with('/')
        && !text[8..].split('/').next().unwrap_or_default().contains('@');
    (is_clean && has_authority && url.host_str().is_some_and(|host| !host.is_empty() && !host.ends_with('.')))
        .then_some(url)
}

/// Whether a client at `client_uri` may register the redirect URI (Matrix CS API, Redirect URI
/// validation). A client of the configuration has no `client_uri` and is bound to nothing but form.
pub fn may_register(text: &str, application_type: ApplicationType, client_uri: Option<&Url>) -> bool {
    if !is_plain_uri(text) || text.contains('#') {
        return false;
    }
    let base = client_uri.and_then(Url::host_str);
    if let Some(url) = parse_https(text) {
        let is_loopback = url.host().is_some_and(|host| is_loopback(&host));
        return !is_loopback
            && base.is_none_or(|base| url.host_str().is_some_and(|host| is_same_or_below(host, base)));
    }
    application_type == ApplicationType::Native
        && (is_registered_loopback(text) || is_private_use(text, base))
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(domain) => domain.eq_ignore_ascii_case("localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// The three spellings of this machine that get any port (RFC 8252 §7.3; `localhost` besides, as
/// Matrix clients use it).
const LOOPBACK: [&str; 3] = ["http://localhost", "http://127.0.0.1", "http://[::1]"];

/// A loopback redirect split into its literal host part and what follows the port.
fn split_loopback(text: &str) -> Option<(&'static str, Option<&str>, &str)> {
    LOOPBACK.into_iter().find_map(|start| {
        let rest = text.strip_prefix(start)?;
        match rest.strip_prefix(':') {
            Some(rest) => {
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                Some((start, Some(&rest[..end]), &rest[end..]))
            }
            None => Some((start, None, rest)),
        }
    })
}

/// A loopback redirect as it is registered: without a port.
fn is_registered_loopback(text: &str) -> bool {
    matches!(split_loopback(text), Some((_, None, rest)) if rest.is_empty() || rest.starts_with(['/', '?']))
}

/// A private-use scheme: the host of `client_uri` reversed, or longer, and no authority
/// (RFC 8252 §7.1).
fn is_private_use(text: &str, base: Option<&str>) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        && scheme.contains('.');
    if !is_scheme || rest.starts_with("//") {
        return false;
    }
    base.is_none_or(|base| {
        let reversed: Vec<&str> = base.split('.').rev().collect();
        let labels: Vec<&str> = scheme.split('.').collect();
        labels.len() >= reversed.len()
            && labels.iter().zip(&reversed).all(|(one, other)| one.eq_ignore_ascii_case(other))
    })
}

/// Whether a requested redirect URI is a registered one: byte for byte, but for the port of a
/// loopback redirect (RFC 9700 §2.1, RFC 8252 §7.3). The spellings of this machine are not
/// interchangeable.
pub fn matches(registered: &str, requested: &str) -> bool {
    if registered == requested {
        return true;
    }
    match (split_loopback(registered), split_loopback(requested)) {
        (Some((host, None, path)), Some((other_host, Some(port), other_path))) => {
            let is_port =
                !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
            host == other_host && is_same_path(path, other_path) && is_port
        }
        (Some((host, None, path)), Some((other_host, None, other_path))) => {
            host == other_host && is_same_path(path, other_path)
        }
        _ => false,
    }
}

/// The empty path of an http URI is `/` (RFC 3986 §6.2.3): URL libraries write it either way.
fn is_same_path(one: &str, other: &str) -> bool {
    let or_root = |path: &str| if path.is_empty() { "/".to_owned() } else { path.to_owned() };
    or_root(one) == or_root(other)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn client_uri(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn web_clients_register_https_on_their_host() {
        let base = client_uri("https://example.com/");
        for good in [
            "https://example.com/callback",
            "https://app.example.com/callback",
            "https://example.com:5173/?query=value",
            "https://EXAMPLE.com/callback",
        ] {
            assert!(may_register(good, ApplicationType::Web, Some(&base)), "{good}");
        }
        for bad in [
            "https://example.com/callback#fragment",
            "http://example.com/callback",
            "http://localhost/",
            "https://localhost/",
            "https://app.com/",
            "https://evilexample.com/",
            "https://example.com.evil.org/",
            "https://example.com@evil.org/",
            "https://user@example.com/",
            "https://user:password@example.com/",
            "https:example.com/",
            "https:///example.com/",
            "https://example.com\\@evil.org/",
            "https://example.com/\t",
            "https://evil.org\t.example.com/",
            "https://example.com./",
            "com.example:/callback",
            "javascript:alert(1)",
            "data:text/html,x",
            "",
        ] {
            assert!(!may_register(bad, ApplicationType::Web, Some(&base)), "{bad}");
        }
        let below = client_uri("https://app.example.com/");
        assert!(!may_register("https://example.com/", ApplicationType::Web, Some(&below)));
    }

    #[test]
    fn native_clients_register_private_schemes_loopback_and_https() {
        let base = client_uri("https://app.example.com/");
        for good in [
            "com.example.app:/callback",
            "com.example.app:/",
            "com.example.app:callback",
            "com.example.app.debug:/callback",
            "http://localhost/callback",
            "http://127.0.0.1/callback",
            "http://[::1]/callback",
            "http://localhost",
            "https://app.example.com/callback",
        ] {
            assert!(may_register(good, ApplicationType::Native, Some(&base)), "{good}");
        }
        for bad in [
            "example:/callback",
            "com.example.app://callback",
            "com.example.application:/callback",
            "com.example:/callback",
            "http://localhost:1234/callback",
            "https://localhost/callback",
            "http://localhost.evil.org/",
            "http://127.0.0.1.evil.org/",
            "http://localhost@evil.org/",
            "http://127.0.0.2/",
            "http://[::2]/",
            "javascript:alert(1)",
            "com.example.app:/callback#x",
        ] {
            assert!(!may_register(bad, ApplicationType::Native, Some(&base)), "{bad}");
        }
        assert!(!may_register(
            "com.examplefoo:/",
            ApplicationType::Native,
            Some(&client_uri("https://example.com"))
        ));
    }

    #[test]
    fn only_a_loopback_redirect_may_bring_a_port() {
        for (registered, requested) in [
            ("http://localhost/callback", "http://localhost:1/callback"),
            ("http://127.0.0.1/callback", "http://127.0.0.1:65535/callback"),
            ("http://[::1]/callback?x=1", "http://[::1]:8080/callback?x=1"),
            ("http://localhost", "http://localhost:8080/"),
            ("http://localhost/", "http://localhost:8080"),
            ("http://localhost/callback", "http://localhost:0/callback"),
            ("https://example.com/cb", "https://example.com/cb"),
        ] {
            assert!(matches(registered, requested), "{registered} {requested}");
        }
        for (registered, requested) in [
            ("http://localhost/callback", "http://127.0.0.1:80/callback"),
            ("http://127.0.0.1/callback", "http://localhost:80/callback"),
            ("http://localhost/callback", "http://localhost:80/other"),
            ("http://localhost/callback", "http://localhost:80/callback?x=1"),
            ("http://localhost/callback", "http://localhost:/callback"),
            ("http://localhost/callback", "http://localhost:65536/callback"),
            ("http://localhost/callback", "http://localhost:80@evil.org/callback"),
            ("http://localhost/callback", "http://localhost.evil/callback"),
            ("http://localhost/callback", "http://LOCALHOST/callback"),
            ("https://example.com/cb", "https://example.com/cb/"),
            ("https://example.com/cb", "https://example.com:443/cb"),
            ("https://example.com/cb", "https://EXAMPLE.com/cb"),
            ("https://example.com/cb", "https://example.com/%63b"),
        ] {
            assert!(!matches(registered, requested), "{registered} {requested}");
        }
    }

    proptest! {
        #[test]
        fn whatever_matches_goes_to_the_registered_host(requested in "http://(localhost|127\\.0\\.0\\.1)[:@./a-z0-9?#\\\\]{0,24}") {
            if matches("http://localhost/callback", &requested) {
                let url = Url::parse(&requested).unwrap();
                prop_assert_eq!(url.host_str(), Some("localhost"));
                prop_assert_eq!(url.path(), "/callback");
            }
        }

        #[test]
        fn an_https_uri_that_may_be_registered_stays_on_the_host(text in "https:[/\\\\]{0,3}[a-z.@:\\\\\\t]{0,12}example\\.com[a-z.@:/\\\\]{0,12}") {
            let base = client_uri("https://example.com/");
            if may_register(&text, ApplicationType::Web, Some(&base)) {
                let host = Url::parse(&text).unwrap().host_str().unwrap().to_owned();
                prop_assert!(host == "example.com" || host.ends_with(".example.com"), "{}", host);
            }
        }
    }
}
