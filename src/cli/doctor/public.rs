//! What the world sees: our own address, and where the server name leads clients.

use std::time::Duration;

use reqwest::Client;
use serde_json::Value;
use url::Host;

use super::{Check, fine, warning};
use crate::app::App;
use crate::cli::failure::chain;
use crate::compat;
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
        let (check, homeserver) = well_known(app, &http_client).await;
        checks.push(check);
        if let Some(homeserver) = homeserver.filter(|_| is_served && app.config.compat.enabled) {
            checks.push(login_api(&http_client, &homeserver, &compat::login::flows(&app.config)).await);
        }
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

/// Also where the document says that the homeserver is.
async fn well_known(app: &App, http_client: &Client) -> (Check, Option<String>) {
    const NAME: &str = "client discovery";
    let url = format!("https://{}/.well-known/matrix/client", app.config.homeserver.server_name);
    let advice = format!("{url} must be a JSON document that names the homeserver (m.homeserver)");
    match get(http_client, &url).await {
        Ok(document) => match document["m.homeserver"]["base_url"].as_str() {
            Some(base_url) => {
                let found = format!("clients find the homeserver at {base_url}");
                (fine(NAME, found), Some(base_url.to_owned()))
            }
            None => (warning(NAME, "the server name does not lead to a homeserver", advice), None),
        },
        Err(error) => (warning(NAME, format!("not seen from here: {error}"), advice), None),
    }
}

/// Whether clients that do not know OAuth find us at the homeserver's address, from which the proxy has to
/// lead them here; `ours` is what we answer there.
async fn login_api(http_client: &Client, homeserver: &str, ours: &Value) -> Check {
    const NAME: &str = "older clients";
    let url = format!("{}/_matrix/client/v3/login", homeserver.trim_end_matches('/'));
    let advice = format!(
        "the reverse proxy must lead {url} here, and logout and refresh beside it (see docs/compatibility.md); \
         or set compat.enabled to false"
    );
    match get(http_client, &url).await {
        Ok(document) if document == *ours => fine(NAME, "they find their login here"),
        Ok(_) => warning(NAME, "another server answers their login", advice),
        Err(error) => warning(NAME, format!("their login is not seen from here: {error}"), advice),
    }
}

async fn get(http_client: &Client, url: &str) -> Result<Value, String> {
    let answer = http_client.get(url).send().await.and_then(reqwest::Response::error_for_status);
    let answer = answer.map_err(|error| chain(&error.without_url()))?;
    answer.json().await.map_err(|error| chain(&error.without_url()))
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use axum::{Json, Router};
    use serde_json::json;

    use super::super::Outcome;
    use super::*;

    #[tokio::test]
    async fn the_login_of_older_clients_is_looked_for_at_the_homeserver() {
        let ours = compat::login::flows(&Config::default());
        let answer = ours.clone();
        let router = Router::new().route("/_matrix/client/v3/login", get(async move || Json(answer)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let homeserver = format!("http://{}/", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        let http_client = Client::builder().no_proxy().build().unwrap();
        let outcome =
            async |homeserver: &str, ours: &Value| login_api(&http_client, homeserver, ours).await.outcome;
        assert_eq!(outcome(&homeserver, &ours).await, Outcome::Ok);
        assert_eq!(outcome(&homeserver, &json!({ "flows": [] })).await, Outcome::Warning);
        assert_eq!(outcome(&format!("{homeserver}elsewhere/"), &ours).await, Outcome::Warning);
        serving.abort();
    }
}
