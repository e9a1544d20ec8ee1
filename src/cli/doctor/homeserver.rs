//! The homeserver: whether we reach it, whether it accepts us, and whether it asks us about tokens.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use serde_json::Value;

use super::{Check, fine, problem, warning};
use crate::app::App;
use crate::cli::failure::chain;
use crate::homeserver::Error;
use crate::ids::Localpart;
use crate::keys;
use crate::time::Timestamp;

/// The oldest version of Synapse that knows all we tell it.
const OLDEST: (u32, u32) = (1, 150);
/// Tokens live for minutes; a clock that is off by more than this makes them live shorter or longer.
const CLOCKS_DIFFER: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn look(app: &App, is_served: bool) -> Vec<Check> {
    let endpoint = app.homeserver.endpoint();
    let version = match app.homeserver.version().await {
        Ok(version) => version,
        Err(error) => {
            let advice = format!("start the homeserver, or correct homeserver.endpoint, which is {endpoint}");
            return vec![problem("homeserver", error.to_string(), advice)];
        }
    };
    let mut checks = vec![judge_version(version.as_deref()), shared_secret(app).await];
    let http_client = Client::builder().timeout(PATIENCE).no_proxy().build();
    let Ok(http_client) = http_client else { return checks };
    if !is_served {
        checks.push(warning(
            "homeserver to us",
            "not looked at: it can only reach a running server",
            "start the server, then run this again",
        ));
        return checks;
    }
    checks.extend(metadata(app, &http_client).await);
    checks.push(introspection(app, &http_client).await);
    checks
}

fn judge_version(version: Option<&str>) -> Check {
    let (major, minor) = OLDEST;
    let advice = format!("make sure that it is Synapse {major}.{minor} or later");
    let Some(version) = version else { return warning("homeserver", "it does not tell its version", advice) };
    match parse_version(version) {
        Some(found) if found >= OLDEST => fine("homeserver", format!("Synapse {version}")),
        Some(_) => problem(
            "homeserver",
            format!("Synapse {version} is too old"),
            format!("upgrade it to {major}.{minor} or later: older ones do not learn of locked users"),
        ),
        None => warning("homeserver", format!("its version, {version}, is not understood"), advice),
    }
}

/// The first two numbers of a version such as `1.150.0rc1 (b=develop)`.
fn parse_version(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

async fn shared_secret(app: &App) -> Check {
    // Whether there is such a user does not matter; that the question is answered does.
    let anybody = Localpart::from_stored("gatehouse-doctor".to_owned());
    match app.homeserver.query_user(&anybody).await {
        Ok(_) | Err(Error::NotFound) => fine("shared secret", "the homeserver accepts it"),
        Err(Error::Secret(404)) => problem(
            "shared secret",
            "the homeserver does not delegate its sign-in (HTTP 404)",
            "set matrix_authentication_service in its configuration, as the start of the server prints it, and restart it",
        ),
        Err(error) => problem(
            "shared secret",
            error.to_string(),
            "make both sides use the same secret, and restart both",
        ),
    }
}

/// What clients hear of us from the homeserver; its clock is told by the same answer.
async fn metadata(app: &App, http_client: &Client) -> Vec<Check> {
    const NAME: &str = "announcement";
    let advice = "compare matrix_authentication_service.endpoint in its configuration with what the start of the \
                  server prints, and restart it";
    let answer = match get(app, http_client, "_matrix/client/v1/auth_metadata", None).await {
        Ok(answer) => answer,
        Err(error) => return vec![problem(NAME, error, advice)],
    };
    let clock = clock(&answer, app.clock.now());
    let status = answer.status();
    let issuer =
        answer.json::<Value>().await.ok().and_then(|body| body["issuer"].as_str().map(str::to_owned));
    let ours = app.config.http.public_base.as_str();
    let announced = match issuer {
        Some(issuer) if issuer.trim_end_matches('/') == ours.trim_end_matches('/') => {
            fine(NAME, "the homeserver sends clients here")
        }
        Some(issuer) => {
            problem(NAME, format!("the homeserver sends clients to {issuer}, not to {ours}"), advice)
        }
        None => problem(
            NAME,
            format!("the homeserver does not send clients here (HTTP {})", status.as_u16()),
            advice,
        ),
    };
    [Some(announced), clock].into_iter().flatten().collect()
}

/// Whether the two clocks agree; nothing when the homeserver does not say what time it has.
fn clock(answer: &Response, now: Timestamp) -> Option<Check> {
    let date = answer.headers().get("date")?.to_str().ok()?;
    let theirs = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    let difference = Duration::from_secs(theirs.as_second().abs_diff(now.as_seconds()));
    Some(match difference > CLOCKS_DIFFER {
        true => warning(
            "clock",
            format!("the homeserver's clock differs by {} seconds", difference.as_secs()),
            "let both machines set their clocks by NTP",
        ),
        false => fine("clock", "the homeserver has the same time"),
    })
}

/// Whether the homeserver can ask us about a token: one that nobody has must be found unknown.
async fn introspection(app: &App, http_client: &Client) -> Check {
    const NAME: &str = "introspection";
    let nobodys = keys::random_secret();
    match get(app, http_client, "_matrix/client/v3/account/whoami", Some(&nobodys)).await {
        Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED => {
            fine(NAME, "the homeserver asks us about tokens")
        }
        Ok(answer) => problem(
            NAME,
            format!("the homeserver cannot ask us about tokens (HTTP {})", answer.status().as_u16()),
            "compare endpoint and secret of matrix_authentication_service with ours; its log says more",
        ),
        Err(error) => problem(NAME, error, "look at the homeserver's log"),
    }
}

async fn get(app: &App, http_client: &Client, path: &str, token: Option<&str>) -> Result<Response, String> {
    let url = app.homeserver.endpoint().join(path).map_err(|error| error.to_string())?;
    let mut request = http_client.get(url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request.send().await.map_err(|error| chain(&error.without_url()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::Outcome;

    #[test]
    fn versions_are_judged_by_their_first_two_numbers() {
        for (version, outcome) in [
            ("1.150.0", Outcome::Ok),
            ("1.163.2 (b=develop,1a2b3c)", Outcome::Ok),
            ("1.150.0rc1", Outcome::Ok),
            ("2.0", Outcome::Ok),
            ("1.149.9", Outcome::Problem),
            ("0.99.1", Outcome::Problem),
            ("dendrite", Outcome::Warning),
        ] {
            assert_eq!(judge_version(Some(version)).outcome, outcome, "{version}");
        }
    }
}
