//! Sign-in by QR code: whether the homeserver offers a rendezvous and sends clients to ours, and whether
//! what they leave there comes back unchanged.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;

use super::{Check, fine, problem, warning};
use crate::app::App;
use crate::cli::failure::chain;
use crate::rendezvous::msc4108::{PATH, address};

const OFFER: &str = "QR code sign-in";
const RENDEZVOUS: &str = "rendezvous";
const PATIENCE: Duration = Duration::from_secs(10);

/// What is left at the rendezvous: long enough to be worth compressing, were it allowed.
const TEXT: &str = "gatehouse doctor looks whether this comes back as it was left. ";

/// Nothing is looked at when it is turned off.
pub(super) async fn look(app: &App, is_served: bool) -> Vec<Check> {
    if !app.config.rendezvous.msc4108 || !is_served {
        return Vec::new();
    }
    let client = || Client::builder().timeout(PATIENCE).redirect(Policy::none());
    // The homeserver is called directly; the public address as the world calls it.
    let (Ok(direct), Ok(public)) = (client().no_proxy().build(), client().build()) else {
        return Vec::new();
    };
    vec![offer(app, &direct).await, round_trip(app, &public).await]
}

/// What a client hears from the homeserver, and where that sends it.
async fn offer(app: &App, http_client: &Client) -> Check {
    let ours = address(&app.config.http.public_base);
    let advice = format!(
        "set experimental_features.msc4108_delegation_endpoint in its configuration to {ours}, not msc4108_enabled, and \
         restart it"
    );
    match asked(app, http_client, &ours).await {
        Ok(()) => fine(OFFER, "the homeserver offers it and sends clients here"),
        Err(found) => problem(OFFER, found, advice),
    }
}

async fn asked(app: &App, http_client: &Client, ours: &str) -> Result<(), String> {
    let at = |path: &str| app.homeserver.endpoint().join(path).map_err(|error| error.to_string());
    let versions = http_client.get(at("_matrix/client/versions")?).send().await.map_err(told)?;
    let versions: Value = versions.json().await.map_err(told)?;
    if versions["unstable_features"]["org.matrix.msc4108"] != true {
        return Err("the homeserver does not offer it to clients".to_owned());
    }
    let begin =
        http_client.post(at(PATH.trim_start_matches('/'))?).header(CONTENT_TYPE, "text/plain").body(TEXT);
    let answer = begin.send().await.map_err(told)?;
    let status = answer.status();
    let leads_to = match status {
        StatusCode::TEMPORARY_REDIRECT => header(&answer, LOCATION),
        // The homeserver's address may lead here by a proxy.
        StatusCode::CREATED => {
            let begun: Value = answer.json().await.map_err(told)?;
            begun["url"].as_str().unwrap_or_default().to_owned()
        }
        _ => return Err(format!("the homeserver does not begin a session (HTTP {})", status.as_u16())),
    };
    match leads_to == ours || leads_to.starts_with(&format!("{ours}/")) {
        true => Ok(()),
        false => Err(format!("the homeserver sends clients to {leads_to}")),
    }
}

/// Goes through a session at the public address, as two devices do.
async fn round_trip(app: &App, http_client: &Client) -> Check {
    let ours = address(&app.config.http.public_base);
    match visited(http_client, &ours).await {
        Ok(None) => fine(RENDEZVOUS, "what is left at the public address comes back as it was"),
        Ok(Some(found)) => problem(
            RENDEZVOUS,
            found,
            format!("the reverse proxy must pass {ours} on unchanged: no compression, no other headers"),
        ),
        Err(error) => warning(
            RENDEZVOUS,
            format!("not seen from here: {error}"),
            format!("from outside, {ours} must lead to this server"),
        ),
    }
}

/// What is wrong, if anything is.
async fn visited(http_client: &Client, ours: &str) -> Result<Option<String>, String> {
    let text = TEXT.repeat(20);
    let begin = http_client.post(ours).header(CONTENT_TYPE, "text/plain").body(text.clone());
    let begun = begin.send().await.map_err(told)?;
    if begun.status() != StatusCode::CREATED {
        return Ok(Some(format!("no session can be begun there (HTTP {})", begun.status().as_u16())));
    }
    let tag = header(&begun, ETAG);
    let begun: Value = begun.json().await.map_err(told)?;
    let url =
        begun["url"].as_str().filter(|url| url.starts_with(ours)).ok_or("another server answers there")?;
    let read = http_client.get(url).header("accept-encoding", "gzip, br").send().await.map_err(told)?;
    let (status, media_type, seen) = (read.status(), header(&read, CONTENT_TYPE), header(&read, ETAG));
    let is_same = read.text().await.map_err(told)? == text;
    let again = http_client.get(url).header(IF_NONE_MATCH, &tag).send().await.map_err(told)?;
    http_client.delete(url).send().await.map_err(told)?;
    Ok(if status != StatusCode::OK {
        Some(format!("what was left there cannot be read (HTTP {})", status.as_u16()))
    } else if media_type != "text/plain" {
        Some(format!("its media type becomes {media_type:?} on the way"))
    } else if tag.is_empty() || seen != tag {
        Some(format!("its entity tag (ETag) {tag} becomes {seen:?} on the way"))
    } else if !is_same {
        Some("what was left there comes back changed".to_owned())
    } else if again.status() != StatusCode::NOT_MODIFIED {
        Some(format!("If-None-Match does not come through (HTTP {})", again.status().as_u16()))
    } else {
        None
    })
}

fn header(answer: &Response, name: HeaderName) -> String {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// An error without the URL, of which the last part is a secret.
fn told(error: reqwest::Error) -> String {
    chain(&error.without_url())
}
