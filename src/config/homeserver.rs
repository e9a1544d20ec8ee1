//! The `homeserver` section.

use std::{net::Ipv6Addr, path::PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::{
    error::Problems,
    http::{base_url, check_base, url_of},
    secret::{self, Secret},
};

/// The Matrix homeserver that trusts Gatehouse with its sign-in.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Homeserver {
    /// The name of the homeserver: what stands after the colon in its users' ids. The default is a
    /// placeholder for trying things out.
    #[schemars(example = "example.org")]
    pub server_name: String,
    /// The URL at which Gatehouse reaches the homeserver. It need not be public, and is best a
    /// direct connection that passes no reverse proxy.
    #[serde(deserialize_with = "base_url")]
    pub endpoint: Url,
    /// The secret that the homeserver and Gatehouse share, in both directions: the same text as
    /// in the homeserver's own configuration. Without it, one is generated and kept with
    /// Gatehouse's other secrets; the start of the server prints what the homeserver needs.
    #[schemars(example = "a-long-random-text")]
    pub secret: Option<Secret>,
    /// A file that holds the value of `secret`; give one or the other.
    #[schemars(extend("format" = "path"), example = "/run/secrets/gatehouse-homeserver")]
    pub secret_file: Option<PathBuf>,
    /// A second secret that is still accepted from the homeserver. To change the secret without an
    /// interruption, put the old one here, the new one above and restart Gatehouse; then give the
    /// homeserver the new one, and remove this.
    #[schemars(example = "the-former-secret")]
    pub previous_secret: Option<Secret>,
    /// A file that holds the value of `previous_secret`; give one or the other.
    #[schemars(extend("format" = "path"), example = "/run/secrets/gatehouse-homeserver-previous")]
    pub previous_secret_file: Option<PathBuf>,
    /// Whether the homeserver has the e-mail addresses of people that are verified here, and no others: those
    /// that it knows besides, it forgets. Switch it on once all that people had there are here. Otherwise the
    /// homeserver is told of none and keeps what it has.
    pub tell_emails: bool,
}

impl Default for Homeserver {
    fn default() -> Self {
        Self {
            server_name: "localhost".to_owned(),
            endpoint: url_of("http://127.0.0.1:8008/"),
            secret: None,
            secret_file: None,
            previous_secret: None,
            previous_secret_file: None,
            tell_emails: false,
        }
    }
}

impl Homeserver {
    pub(super) fn check(&self, problems: &mut Problems) {
        if !is_server_name(&self.server_name) {
            problems.add(
                "homeserver.server_name",
                "is not a server name; give a host, without https:// and path, such as example.org",
            );
        }
        check_base("homeserver.endpoint", &self.endpoint, problems);
        for (key, secret) in [("secret", &self.secret), ("previous_secret", &self.previous_secret)] {
            // It travels as a bearer token (RFC 6750 §2.1), and the homeserver splits that at spaces.
            if secret
                .as_ref()
                .is_some_and(|secret| !secret.expose().bytes().all(|byte| byte.is_ascii_graphic()))
            {
                problems.add(
                    format!("homeserver.{key}"),
                    "has a space or a character outside ASCII; use letters and digits, such as `openssl rand -hex 32` prints",
                );
            }
        }
    }

    pub(super) fn read_secret_files(&mut self, problems: &mut Problems) {
        let secret_file = self.secret_file.clone();
        secret::read_file("homeserver.secret", &mut self.secret, &mut self.secret_file, problems);
        // The start of the server prints the path, since the homeserver can read the same file.
        self.secret_file = secret_file;
        secret::read_file(
            "homeserver.previous_secret",
            &mut self.previous_secret,
            &mut self.previous_secret_file,
            problems,
        );
    }
}

/// Whether this is a server name (Matrix specification, appendices, Server Name).
fn is_server_name(name: &str) -> bool {
    let is_port =
        |port: &str| (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_host = |host: &str| {
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
    };
    if name.len() > 255 {
        return false;
    }
    if let Some((address, port)) = name.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let port = port.strip_prefix(':').map_or(port.is_empty(), is_port);
        return port && address.parse::<Ipv6Addr>().is_ok();
    }
    match name.split_once(':') {
        Some((host, port)) => is_host(host) && is_port(port),
        None => is_host(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_names_follow_the_grammar() {
        for name in
            ["matrix.org", "matrix.org:8888", "1.2.3.4", "1.2.3.4:1234", "[1234:5678::abcd]", "[::1]:5678"]
        {
            assert!(is_server_name(name), "{name}");
        }
        for name in
            ["", ":80", "a b", "https://a", "a/b", "a:", "a:123456", "[::1", "[x]", "[::1]80", "ä.org", "a_b"]
        {
            assert!(!is_server_name(name), "{name}");
        }
        assert!(!is_server_name(&"a".repeat(256)));
    }
}
