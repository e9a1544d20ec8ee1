//! What the world sees: our own address, and where the server name leads clients.

use std::time::Duration;

use reqwest::Client;
use serde_json::Value;
use url::Host;

use super::{Check, fine, warning};
use crate::app::App;
use crate::cli::failure::chain;
use crate::config::{Config, Homeserver};

const PATIENCE: Duration = Duration::from_secs(10);

/// Settings whose defaults are for trying things out.
pub(super) fn settings(config: &Config) -> Vec<Check> {
    let mut checks = Vec::new();
    let base = &config.http.public_base;
    checks.push(match is_public(config) {
        true => fine("public address", base.as_str()),
        false => warning(
            "public address",
            format!("{base} is for this machine only"),
            "set http.public_base to the https address that the world shall see",
        ),
    });
    let name = &config.homeserver.server_name;
    checks.push(match has_server_name(config) {
        true => fine("server name", name),
        false => warning("server name", format!("{name} is a placeholder"), "set homeserver.server_name"),
    });
    checks
}

/// Whether the public address is one that others can reach.
pub(in crate::cli) fn is_public(config: &Config) -> bool {
    let base = &config.http.public_base;
    let is_loopback = match base.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => true,
    };
    base.scheme() == "https" && !is_loopback
}

/// Whether somebody has set the name of the homeserver.
pub(in crate::cli) fn has_server_name(config: &Config) -> bool {
    config.homeserver.server_name != Homeserver::default().server_name
}

/// Asks for the two documents that clients begin with.
pub(super) async fn look(app: &App, is_served: bool) -> Vec<Check> {
    let Ok(http_client) = Client::builder().timeout(PATIENCE).build() else { return Vec::new() };
    let mut checks = Vec::new();
    if is_served {
        checks.push(discovery(app, &http_client).await);
    }
    if has_server_name(&app.config) {
        checks.push(well_known(app, &http_client).await);
    }
    checks
}

async fn discovery(app: &App, http_client: &Client) -> Check {
    const NAME: &str = "discovery";
    let base = &app.config.http.public_base;
    let url = format!("{base}.well-known/openid-configuration");
    let advice =
        format!("from outside, {url} must lead to this server; look at the reverse proxy and at DNS");
    match get(http_client, &url).await {
        Ok(document) if document["issuer"] == base.as_str() => {
            fine(NAME, "clients find us at the public address")
        }
        Ok(_) => warning(NAME, "the public address leads to another server", advice),
        Err(error) => warning(NAME, format!("not seen from here: {error}"), advice),
    }
}

async fn well_known(app: &App, http_client: &Client) -> Check {
    const NAME: &str = "client discovery";
    let url = format!("https://{}/.well-known/matrix/client", app.config.homeserver.server_name);
    let advice = format!("{url} must be a JSON document that names the homeserver (m.homeserver)");
    match get(http_client, &url).await {
        Ok(document) => match document["m.homeserver"]["base_url"].as_str() {
            Some(base_url) => fine(NAME, format!("clients find the homeserver at {base_url}")),
            None => warning(NAME, "the server name does not lead to a homeserver", advice),
        },
        Err(error) => warning(NAME, format!("not seen from here: {error}"), advice),
    }
}

async fn get(http_client: &Client, url: &str) -> Result<Value, String> {
    let answer = http_client.get(url).send().await.and_then(reqwest::Response::error_for_status);
    let answer = answer.map_err(|error| chain(&error.without_url()))?;
    answer.json().await.map_err(|error| chain(&error.without_url()))
}
