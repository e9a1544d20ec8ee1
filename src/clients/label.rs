//! How a client is named to people, and where an answer goes.

use url::{Host, Url};

use super::Client;
use crate::http::words;
use crate::languages::{Language, Text};

/// Where a redirect leads, as far as a person can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A web site that holds a certificate for this host. A port other than 443 is part of it.
    Website(String),
    /// A web site anyone on the way could stand in for: plain http.
    PlainWebsite(String),
    /// Whatever listens on this computer (RFC 8252 §7.3).
    Loopback,
    /// Whichever app of this device claimed the scheme (RFC 8252 §7.1).
    App(String),
}

impl Destination {
    /// Reads a registered redirect URI; nothing if it is not an absolute URI.
    pub fn of(redirect_uri: &str) -> Option<Destination> {
        let uri = Url::parse(redirect_uri).ok()?;
        let is_loopback = match uri.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        Some(match (uri.scheme(), host_and_port(&uri)) {
            ("http" | "https", _) if is_loopback => Destination::Loopback,
            ("https", Some(host)) => Destination::Website(host),
            ("http", Some(host)) => Destination::PlainWebsite(host),
            (scheme, _) => Destination::App(scheme.to_owned()),
        })
    }

    /// In the middle of a sentence, after "to".
    pub fn named(&self, t: &Language) -> Text {
        match self {
            Destination::Website(host) => t.client_host(words::exact(host)),
            Destination::PlainWebsite(host) => t.destination_plain(words::exact(host)),
            Destination::Loopback => t.destination_loopback(),
            Destination::App(scheme) => t.destination_app(words::exact(scheme)),
        }
    }
}

fn host_and_port(uri: &Url) -> Option<String> {
    let host = uri.host_str()?;
    Some(match uri.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// A client as pages name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientLabel {
    /// What the client calls itself; anyone can claim any name.
    pub name: Option<String>,
    /// The host it was proven to be: the code goes there over https.
    pub verified_host: Option<String>,
}

impl ClientLabel {
    /// Names a client that gets its code at `destination`; `None` if it gets none, as with the
    /// device grant.
    pub fn new(name: Option<&str>, destination: Option<&Destination>) -> ClientLabel {
        let verified_host = match destination {
            Some(Destination::Website(host)) => Some(host.clone()),
            _ => None,
        };
        ClientLabel { name: name.and_then(words::name), verified_host }
    }

    /// In the middle of a sentence, after "to" or "by": what the client calls itself, and the host that was proven.
    pub fn named(&self, t: &Language) -> Text {
        let name = self.name.as_deref().map(words::shown);
        let host = self.verified_host.as_deref().map(words::exact);
        match (name, host) {
            (Some(name), Some(host)) => t.client_named(name, host),
            (None, Some(host)) => t.client_host(host),
            (Some(name), None) => t.client_says(name),
            (None, None) => t.client_unnamed(),
        }
    }

    /// Names a client whose registration is all that is known: its host is proven if every code of it
    /// goes to that host.
    pub fn of_registration(client: &Client, languages: &[String]) -> ClientLabel {
        let mut destinations = client.metadata.redirect_uris.iter().map(|uri| Destination::of(uri));
        let first = destinations.next().flatten();
        let is_only_one = destinations.all(|other| other == first);
        ClientLabel::new(client.given_name(languages), first.as_ref().filter(|_| is_only_one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_told_by_scheme_and_host() {
        let of = |uri| Destination::of(uri).expect("a destination");
        assert_eq!(of("https://app.example.org/cb?x=1"), Destination::Website("app.example.org".to_owned()));
        assert_eq!(of("https://app.example.org:443/"), Destination::Website("app.example.org".to_owned()));
        assert_eq!(of("https://a.example:8443/"), Destination::Website("a.example:8443".to_owned()));
        assert_eq!(of("http://app.example.org/"), Destination::PlainWebsite("app.example.org".to_owned()));
        assert_eq!(of("org.example.app:/callback"), Destination::App("org.example.app".to_owned()));
        assert_eq!(of("org.example.app://bank.example/"), Destination::App("org.example.app".to_owned()));
        for uri in ["http://localhost:4000/", "http://127.0.0.1/", "http://[::1]:1/", "https://localhost/"] {
            assert_eq!(of(uri), Destination::Loopback, "{uri}");
        }
        assert_eq!(Destination::of("/callback"), None);
    }

    #[test]
    fn look_alike_letters_are_spelled_out() {
        let destination = Destination::of("https://еlement.io/");
        assert_eq!(destination, Some(Destination::Website("xn--lement-2of.io".to_owned())));
    }

    #[test]
    fn a_host_is_not_taken_from_the_part_before_the_at_sign() {
        let destination = Destination::of("https://bank.example@evil.example/");
        assert_eq!(destination, Some(Destination::Website("evil.example".to_owned())));
    }

    #[test]
    fn only_https_proves_a_host() {
        let host = |uri| ClientLabel::new(Some("Name"), Destination::of(uri).as_ref()).verified_host;
        assert_eq!(host("https://app.example.org/"), Some("app.example.org".to_owned()));
        for uri in ["http://app.example.org/", "http://127.0.0.1/", "org.example.app:/"] {
            assert_eq!(host(uri), None);
        }
        assert_eq!(ClientLabel::new(Some("Name"), None).verified_host, None);
    }

    #[test]
    fn a_blank_name_is_no_name() {
        assert_eq!(ClientLabel::new(Some(" \u{202e} "), None).name, None);
    }
}
