//! No secret is ever logged or printed: the program runs with everything at `trace`, every flow is driven and
//! made to fail, and what it wrote is searched for every secret that went in or came out, or that it holds.

mod flows;
mod passkeys;
mod world;

use std::collections::BTreeSet;
use std::fs;

use gatehouse::keys::random_secret;
use serde_json::Value;

use crate::support::secrets::Secrets;
use crate::support::server::Engine;
use world::World;

/// The parts of the program that speak at `trace`; a filter that lets less through would prove nothing.
const HEARD: [&str; 5] = ["gatehouse", "h2", "hyper_util", "reqwest", "rustls"];

/// Those that never do, since they repeat what is secret: the challenges of ceremonies.
const NOT_HEARD: [&str; 3] = ["webauthn_rs", "webauthn_rs_core", "webauthn_rs_proto"];

/// What every run has met at least.
const KINDS: [&str; 41] = [
    "a captcha",
    "a challenge",
    "a cookie",
    "a credential",
    "a rendezvous session",
    "a request_uri",
    "a sealed ceremony",
    "a user code",
    "access_token",
    "an address",
    "attestationObject of a credential",
    "clientDataJSON of a credential",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "csrf",
    "device_code",
    "device_requests.device_code_digest",
    "device_requests.user_code_digest",
    "email_verifications.code_digest",
    "email_verifications.token_digest",
    "id_token",
    "id_token_hint",
    "loginToken",
    "logout_token",
    "nonce",
    "passwords.hash",
    "refresh_token",
    "signature of a credential",
    "sso_logins.token_digest",
    "state",
    "the bytes of a challenge",
    "the bytes of a signature",
    "the key of the certificate",
    "the link in a mail",
    "the password of the mail account",
    "the pepper",
    "the root secret",
    "the secret of a client made by command",
    "what was left at a rendezvous",
];

/// What the log says of each flow, by which fields a line is found, beside the identifier of the request.
const EVENTS: [(&str, &[&str]); 20] = [
    ("a person made an account", &["user", "way", "ip"]),
    ("a person signed in", &["user", "session", "ip"]),
    ("a sign-in was refused", &["user", "reason", "ip"]),
    ("a person signed out", &["user", "session", "ip"]),
    ("a person signed out at a client's request", &["user", "session", "client", "ip"]),
    ("a client registered itself", &["client", "ip"]),
    ("a client pushed an authorization request", &["client", "ip"]),
    ("a person allowed a client", &["user", "client", "session", "ip"]),
    ("a person refused a client", &["user", "client", "session", "ip"]),
    ("a client session began", &["user", "client", "session", "ip"]),
    ("a client session was refreshed", &["user", "client", "session", "ip"]),
    ("a client session ended", &["session", "reason"]),
    ("a client got a token for itself", &["client", "session", "ip"]),
    ("a client was refused", &["grant", "code", "ip"]),
    ("a grant was refused", &["client", "grant", "code", "ip"]),
    ("a device asks to be let in", &["client", "ip"]),
    ("a person let another device in", &["user", "client", "ip"]),
    ("a person did not let another device in", &["user", "client", "ip"]),
    ("a client signed in by the login API", &["user", "session", "ip"]),
    ("a rendezvous began", &["ip"]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_the_log_of_any_flow_on_sqlite() {
    for format in ["text", "json"] {
        Box::pin(everything(Engine::Sqlite, format)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_the_log_of_any_flow_on_postgres() {
    for format in ["text", "json"] {
        Box::pin(everything(Engine::Postgres, format)).await;
    }
}

async fn everything(engine: Engine, format: &str) {
    let mut world = World::new(engine, format).await;
    let mut running = world.installation.serve();
    world.remember_files();
    flows::drive(&mut world).await;
    world.remember_what_is_stored().await;

    // A path is logged, so this tells whether the search finds what is there.
    let canary = format!("canary-{}", random_secret());
    world.get(&format!("/{canary}")).await;
    let metrics = world.metrics().await;
    assert!(metrics.contains("gatehouse_sign_ins_total{method=\"password\",outcome=\"wrong\"}"), "{metrics}");
    // The folder would go with the server.
    fs::write(running.folder.join("keep"), "").unwrap();
    assert_eq!(running.stop_by("TERM"), 0);
    let (out, err) = (running.printed("out"), running.printed("err"));
    fs::remove_dir_all(&running.folder).unwrap();
    world.refused_starts();

    let mut on_purpose = Secrets::default();
    on_purpose.add("what is logged on purpose", &canary);
    assert_ne!(on_purpose.found_in(&err).len(), 0, "the search finds nothing");
    let heard: BTreeSet<&str> = HEARD.into_iter().filter(|part| speaks(&err, part, format)).collect();
    assert_eq!(heard, BTreeSet::from(HEARD), "who is heard at `trace`");
    for part in NOT_HEARD {
        assert!(!speaks(&err, part, format), "{part} is heard at `trace`");
    }

    if format == "json" {
        let lines: Vec<Value> = err.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let missing: Vec<_> =
            EVENTS.into_iter().filter(|event| !lines.iter().any(|l| tells(l, event))).collect();
        assert!(missing.is_empty(), "what no line tells: {missing:?}");
    }

    let secrets = world.secrets.into_inner();
    let kinds = secrets.kinds();
    println!("{engine:?}, {format}: {} bytes of log, {} secrets: {kinds:?}", err.len(), secrets.len());
    assert!(secrets.len() > 500 && kinds.is_superset(&BTreeSet::from(KINDS)), "not every flow was driven");
    let found = secrets.found_in(&format!("{out}\n{err}\n{metrics}\n{}", world.printed.into_inner()));
    assert!(found.is_empty(), "{engine:?}, {format}: {found:#?}");
}

/// Whether a line of the log says that, with these fields, within a request.
fn tells(line: &Value, (message, fields): &(&str, &[&str])) -> bool {
    line["message"] == *message
        && fields.iter().all(|field| line[field].is_string())
        && line["span"]["id"].is_string()
}

/// Whether a part of the program has a line at `trace` or `debug`.
fn speaks(log: &str, part: &str, format: &str) -> bool {
    let is_its =
        |target: &str| target == part || target.strip_prefix(part).is_some_and(|rest| rest.starts_with("::"));
    log.lines().any(|line| match format {
        "json" => serde_json::from_str::<Value>(line).is_ok_and(|line| {
            ["TRACE", "DEBUG"].contains(&line["level"].as_str().unwrap_or_default())
                && is_its(line["target"].as_str().unwrap_or_default())
        }),
        _ => ["TRACE ", "DEBUG "]
            .iter()
            .any(|level| line.split_once(level).is_some_and(|(_, rest)| rest.split(": ").any(is_its))),
    })
}
