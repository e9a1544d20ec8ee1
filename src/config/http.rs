//! The `http` section.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize};
use url::{Host, Url};

use super::{error::Problems, schema};

/// How browsers, clients and the homeserver reach Gatehouse.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// The URL under which the world sees Gatehouse: every link, redirect and the issuer name
    /// begin with it. It may have a path (`https://example.org/account/`). It must be https, except
    /// on this machine itself (`localhost`, `127.0.0.0/8`, `[::1]`). A missing slash at the end is added.
    /// Clients and the homeserver remember it: choose it once.
    #[serde(deserialize_with = "base_url")]
    #[schemars(example = "https://auth.example.org/")]
    pub public_base: Url,
    /// Where Gatehouse listens. Each entry has either `address` or `unix`. All of them answer the
    /// same URLs.
    pub listeners: Vec<Listener>,
    /// The networks of reverse proxies whose `Forwarded` and `X-Forwarded-For` headers are
    /// believed. The address of a request is the nearest one that is not in these networks; rate
    /// limits and session lists depend on it. The default fits a proxy on the same machine; name
    /// the proxy's address when it runs elsewhere, and set an empty list when there is none.
    #[schemars(schema_with = "networks", example = ["127.0.0.0/8", "::1/128", "10.0.0.5/32"])]
    pub trusted_proxies: Vec<IpNet>,
}

/// One address or socket on which Gatehouse listens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// An IP address and port; `[::]:8080` means every address of this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "socket-address"), example = "127.0.0.1:8080")]
    pub address: Option<SocketAddr>,
    /// The path of a Unix socket, which is created at the start. Whoever connects to it is trusted
    /// as a proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"), example = "/run/gatehouse/http.sock")]
    pub unix: Option<PathBuf>,
    /// Who may connect to the Unix socket: permissions of the file, in octal and in quotes.
    #[serde(default, skip_serializing_if = "FileMode::is_default")]
    #[schemars(extend("default" = "0660"))]
    pub mode: FileMode,
    /// Serves https on `address` with this certificate. Leave it out behind a reverse proxy that
    /// speaks https itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
}

/// A certificate and its key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The PEM file with the certificate followed by its intermediates. It is read again when it
    /// changes.
    #[schemars(extend("format" = "path"), example = "/etc/gatehouse/fullchain.pem")]
    pub certificate_file: PathBuf,
    /// The PEM file with the private key. It is read again when it changes.
    #[schemars(extend("format" = "path"), example = "/etc/gatehouse/privkey.pem")]
    pub key_file: PathBuf,
}

/// The permission bits of a file, written in octal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileMode(pub u32);

/// A text that is not the permission bits of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an octal number from 0000 to 0777")]
pub struct NotOctal;

impl Default for Http {
    fn default() -> Self {
        Self {
            public_base: url_of("http://127.0.0.1:8080/"),
            listeners: vec![Listener {
                address: Some(SocketAddr::from(([127, 0, 0, 1], 8080))),
                unix: None,
                mode: FileMode::default(),
                tls: None,
            }],
            trusted_proxies: vec![
                IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8)),
                IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
            ],
        }
    }
}

impl Http {
    pub(super) fn check(&self, problems: &mut Problems) {
        let key = "http.public_base";
        check_base(key, &self.public_base, problems);
        if self.public_base.scheme() == "http" && !is_loopback(&self.public_base) {
            problems.add(
                key,
                "http is only for this machine itself (localhost, 127.0.0.0/8, [::1]); \
                 use https, served by a reverse proxy or by a listener with tls",
            );
        }
        if self.listeners.is_empty() {
            problems.add("http.listeners", "is empty; give at least one listener");
        }
        for (index, listener) in self.listeners.iter().enumerate() {
            listener.check(&format!("http.listeners[{index}]"), problems);
        }
    }
}

impl Listener {
    pub(super) fn check(&self, key: &str, problems: &mut Problems) {
        match (&self.address, &self.unix) {
            (Some(_), None) => {}
            (None, Some(_)) if self.tls.is_none() => {}
            (None, Some(_)) => problems
                .add(format!("{key}.tls"), "is for addresses only; remove it, or listen on an address"),
            _ => problems.add(key, "needs either address or unix, and not both"),
        }
    }
}

/// Checks a URL to which paths will be added.
pub(super) fn check_base(key: &str, base: &Url, problems: &mut Problems) {
    if !matches!(base.scheme(), "http" | "https") {
        problems.add(key, "must begin with https:// or http://");
    }
    if base.query().is_some() || base.fragment().is_some() {
        problems.add(key, "must not have a query or a fragment; remove ? or # and what follows");
    }
    if !base.username().is_empty() || base.password().is_some() {
        problems.add(key, "must not have a user name or password; remove what stands before the @");
    }
}

/// Reads a URL to which paths will be added: its own path always ends in a slash.
pub(super) fn base_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let mut url = Url::deserialize(deserializer)?;
    if !url.cannot_be_a_base() && !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A URL that is written in this program.
#[expect(clippy::expect_used, reason = "a constant, covered by the tests of the defaults")]
pub(super) fn url_of(constant: &'static str) -> Url {
    Url::parse(constant).expect("a URL")
}

fn networks(_: &mut SchemaGenerator) -> Schema {
    schema::list_of("ip-network")
}

impl FileMode {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for FileMode {
    fn default() -> Self {
        Self(0o660)
    }
}

impl TryFrom<String> for FileMode {
    type Error = NotOctal;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match u32::from_str_radix(&text, 8) {
            Ok(mode) if mode <= 0o777 => Ok(Self(mode)),
            _ => Err(NotOctal),
        }
    }
}

impl From<FileMode> for String {
    fn from(mode: FileMode) -> Self {
        format!("{:04o}", mode.0)
    }
}

impl JsonSchema for FileMode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FileMode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "format": "octal", "pattern": "^0?[0-7]{3}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(base: &str) -> usize {
        let http = Http { public_base: url_of_test(base), ..Http::default() };
        let mut problems = Problems::default();
        http.check(&mut problems);
        problems.0.len()
    }

    fn url_of_test(text: &str) -> Url {
        let value = serde_json::Value::from(text);
        base_url(value).unwrap()
    }

    #[test]
    fn http_is_for_this_machine_only() {
        for base in ["http://localhost", "http://127.9.9.9:1/x", "http://[::1]:8080"] {
            assert_eq!(problems_of(base), 0, "{base}");
        }
        for base in ["http://example.org", "http://localhost.example.org", "http://10.0.0.1", "http://[::2]"]
        {
            assert_eq!(problems_of(base), 1, "{base}");
        }
    }

    #[test]
    fn a_public_base_has_no_query_fragment_user_or_other_scheme() {
        for base in ["https://a.org/?q", "https://a.org/#f", "https://u@a.org/", "ftp://a.org/"] {
            assert_eq!(problems_of(base), 1, "{base}");
        }
    }

    #[test]
    fn a_base_url_ends_in_a_slash() {
        assert_eq!(url_of_test("https://a.org").as_str(), "https://a.org/");
        assert_eq!(url_of_test("https://a.org/b").as_str(), "https://a.org/b/");
        assert_eq!(url_of_test("https://a.org/b/").as_str(), "https://a.org/b/");
    }

    #[test]
    fn a_file_mode_is_octal() {
        assert_eq!(FileMode::try_from("0600".to_owned()), Ok(FileMode(0o600)));
        assert_eq!(FileMode::try_from("777".to_owned()), Ok(FileMode(0o777)));
        assert!(FileMode::try_from("0690".to_owned()).is_err());
        assert!(FileMode::try_from("7777".to_owned()).is_err());
    }
}
