//! What the server prints once it is ready: where it is, and what to do next.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use super::doctor::{has_server_name, is_public};
use crate::app;
use crate::config::Config;
use crate::http::listen::{Bound, ListenAddress};
use crate::rendezvous::msc4108;

/// Prints it on standard output. Nobody may be reading that.
pub(super) fn print(config: &Config, path: Option<&Path>, bound: &[Bound]) {
    let addresses: Vec<&ListenAddress> = bound.iter().map(Bound::address).collect();
    let _ = write!(io::stdout(), "{}", text(config, path, &addresses));
}

fn text(config: &Config, path: Option<&Path>, addresses: &[&ListenAddress]) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let listening: Vec<String> = addresses.iter().map(|address| address.to_string()).collect();
    let folder = absolute(&config.data.folder);
    let command = match path {
        Some(path) => format!("gatehouse --config {}", path.display()),
        None => "gatehouse".to_owned(),
    };
    format!(
        "Gatehouse {version} is ready.

  Listening on    {}
  Public address  {}
  Data folder     {folder}

Create the first user, in another terminal:

  {command} users create NAME --admin

Let the homeserver delegate its sign-in: put this into Synapse's homeserver.yaml, and restart Synapse.

{}
Then look whether everything fits together: {command} doctor
{}",
        listening.join(", "),
        config.http.public_base,
        synapse(config, addresses),
        before_the_world(config),
    )
}

/// The lines for Synapse. It refuses to start while it could still sign people in by itself.
fn synapse(config: &Config, addresses: &[&ListenAddress]) -> String {
    let homeserver = &config.homeserver;
    let (secret, note) = match (&homeserver.secret, &homeserver.secret_file) {
        (Some(_), None) => ("secret: <the value of homeserver.secret>".to_owned(), ""),
        (_, file) => {
            let file = file.clone().unwrap_or_else(|| app::homeserver_secret_file(config));
            let note = "\nSynapse must be able to read that file. If it cannot, since it runs as another user or on \
                        another\nmachine, write `secret:` with the content of the file instead of `secret_path:`.\n";
            (format!("secret_path: {}", yaml_text(&absolute(&file))), note)
        }
    };
    format!(
        "  matrix_authentication_service:
    enabled: true
    endpoint: {}
    {secret}
  password_config:
    enabled: false
  enable_registration: false
{}{note}",
        endpoint(config, addresses),
        rendezvous(config),
    )
}

/// The lines that send clients to our rendezvous, where we have one.
fn rendezvous(config: &Config) -> String {
    match config.rendezvous.msc4108 {
        true => format!(
            "  experimental_features:\n    msc4108_delegation_endpoint: {}\n",
            msc4108::address(&config.http.public_base)
        ),
        false => String::new(),
    }
}

/// Where a homeserver on the same machine reaches us: the first address that speaks plain HTTP, else
/// where everybody does.
fn endpoint(config: &Config, addresses: &[&ListenAddress]) -> String {
    let plain = config.http.listeners.iter().zip(addresses).find_map(|(listener, address)| match address {
        ListenAddress::Tcp(address) if listener.tls.is_none() => Some(*address),
        _ => None,
    });
    match plain {
        Some(address) => format!("http://{}/", reachable(address)),
        None => config.http.public_base.to_string(),
    }
}

/// An address of this machine instead of "all addresses".
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// What must be set before others may see this server; nothing when it is set.
fn before_the_world(config: &Config) -> String {
    let mut missing = Vec::new();
    if !has_server_name(config) {
        missing.push("  homeserver.server_name  the name of the homeserver, such as example.org");
    }
    if !is_public(config) {
        missing.push(
            "  http.public_base        the https address of this server, such as https://auth.example.org/",
        );
    }
    if missing.is_empty() {
        return String::new();
    }
    format!(
        "
This is for trying things out on this machine. Before the world may see it, set:

{}

Begin with: gatehouse config generate --output gatehouse.yaml
",
        missing.join("\n")
    )
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// A path as YAML: as it is when that is safe, else in quotes (a JSON string is a YAML string).
fn yaml_text(text: &str) -> String {
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Listener, Secret, Tls};

    fn printed(config: &Config) -> String {
        let addresses: Vec<ListenAddress> = config
            .http
            .listeners
            .iter()
            .map(|listener| match (&listener.address, &listener.unix) {
                (Some(address), _) => ListenAddress::Tcp(*address),
                (None, path) => ListenAddress::Unix { path: path.clone().unwrap_or_default(), mode: 0o660 },
            })
            .collect();
        text(config, None, &addresses.iter().collect::<Vec<_>>())
    }

    #[test]
    fn it_says_what_to_set_until_that_is_set() {
        let mut config = Config::default();
        let text = printed(&config);
        assert!(text.contains("homeserver.server_name") && text.contains("http.public_base"), "{text}");
        config.homeserver.server_name = "example.org".to_owned();
        config.http.public_base = "https://auth.example.org/".parse().unwrap();
        assert!(!printed(&config).contains("Before the world"));
    }

    #[test]
    fn a_secret_is_named_and_never_printed() {
        let mut config = Config::default();
        assert!(printed(&config).contains("/gatehouse-data/homeserver_secret\n"));
        config.homeserver.secret = Some(Secret::new("hunter2"));
        let text = printed(&config);
        assert!(
            text.contains("    secret: <the value of homeserver.secret>\n") && !text.contains("hunter2"),
            "{text}"
        );
        config.homeserver.secret_file = Some("/run/secrets/two words".into());
        let text = printed(&config);
        assert!(
            text.contains("    secret_path: \"/run/secrets/two words\"\n") && !text.contains("hunter2"),
            "{text}"
        );
    }

    #[test]
    fn the_homeserver_is_told_of_the_rendezvous_where_there_is_one() {
        let mut config = Config::default();
        assert!(!printed(&config).contains("experimental_features"));
        config.rendezvous.msc4108 = true;
        config.http.public_base = "https://example.org/auth/".parse().unwrap();
        let lines = "  enable_registration: false\n  experimental_features:\n    msc4108_delegation_endpoint: \
                     https://example.org/auth/_matrix/client/unstable/org.matrix.msc4108/rendezvous\n";
        assert!(printed(&config).contains(lines), "{}", printed(&config));
    }

    #[test]
    fn the_homeserver_is_sent_to_an_address_that_it_can_reach() {
        let mut config = Config::default();
        assert!(printed(&config).contains("endpoint: http://127.0.0.1:8080/\n"));
        config.http.listeners[0].address = Some("0.0.0.0:9000".parse().unwrap());
        assert!(printed(&config).contains("endpoint: http://127.0.0.1:9000/\n"));
        config.http.public_base = "https://auth.example.org/".parse().unwrap();
        let tls = Tls { certificate_file: "c".into(), key_file: "k".into() };
        config.http.listeners = vec![Listener { tls: Some(tls), ..config.http.listeners[0].clone() }];
        assert!(printed(&config).contains("endpoint: https://auth.example.org/\n"));
    }
}
