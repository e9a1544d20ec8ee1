//! The database: its schema, whether it keeps what it was given, the work that waits in it, the keys.

use super::{Check, fine, problem, warning};
use crate::app::App;
use crate::cli::failure::Failure;
use crate::jobs;
use crate::keys::Algorithm;
use crate::store;

pub(super) async fn look(app: &App) -> Result<Vec<Check>, Failure> {
    let engine = if app.store.is_shared() { "PostgreSQL" } else { "SQLite" };
    Ok(vec![
        fine("database", format!("{engine}; the schema is up to date")),
        durability(app).await?,
        work(app).await?,
        keys(app),
    ])
}

async fn durability(app: &App) -> Result<Check, store::Error> {
    let settings = app.store.durability().await?;
    let unsafe_ones: Vec<String> = settings
        .iter()
        .filter(|(_, _, is_safe)| !is_safe)
        .map(|(name, value, _)| format!("{name} = {value}"))
        .collect();
    Ok(match unsafe_ones.is_empty() {
        true => fine("durability", "what was answered survives a power cut"),
        false => problem(
            "durability",
            format!("a power cut may lose what was answered already: {}", unsafe_ones.join(", ")),
            "set these to on in postgresql.conf",
        ),
    })
}

async fn work(app: &App) -> Result<Check, store::Error> {
    let backlog = jobs::backlog(app).await?;
    let last = backlog.last_error.unwrap_or_default();
    Ok(if backlog.given_up > 0 {
        problem(
            "background work",
            format!("{} jobs were given up; one of them said: {last}", backlog.given_up),
            "put right what it says, then repeat the change (lock, deactivate, end the session ...)",
        )
    } else if backlog.retrying > 0 {
        warning(
            "background work",
            format!("{} jobs failed and will be tried again; one of them said: {last}", backlog.retrying),
            "usually the homeserver was away; look again in ten minutes",
        )
    } else {
        fine("background work", "nothing is late")
    })
}

fn keys(app: &App) -> Check {
    let (keys, now) = (app.keys.current(), app.clock.now());
    let missing: Vec<&str> = Algorithm::ALL
        .into_iter()
        .filter(|algorithm| keys.signing_key(*algorithm, now).is_none())
        .map(Algorithm::as_str)
        .collect();
    match missing.is_empty() {
        true => fine("signing keys", "one for each algorithm"),
        false => problem("signing keys", format!("none for {}", missing.join(", ")), "gatehouse keys rotate"),
    }
}
