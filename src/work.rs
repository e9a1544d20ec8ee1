//! Every background job, and when it runs.

use std::time::Duration;

use crate::accounts::jobs::{DeactivateUser, ProvisionUser, ReactivateUser, SetDisplayName};
use crate::accounts::mails::SendMail;
use crate::accounts::password_resets::BeginPasswordReset;
use crate::app::App;
use crate::jobs::{self, Crew, Job};
use crate::keys::KeyringError;
use crate::sessions::jobs::DeleteDevice;
use crate::sessions::logout::TellClient;
use crate::{accounts, clients, compat, http, login, rendezvous, sessions, store};

/// Jobs that run at once in one process, crew by crew. Each mostly waits for somebody else.
const HOMESERVER_WORKERS: usize = 4;
const CLIENT_WORKERS: usize = 2;
const MAIL_WORKERS: usize = 4;
/// How often the queue is looked at without being woken: for jobs that wait for their next try, and
/// for those of other nodes.
const POLL: Duration = Duration::from_secs(1);
/// How often what is over is swept away, and keys that others have rotated are read.
const SWEEP: Duration = Duration::from_secs(60);

/// Works until the future is dropped.
pub async fn run(app: &App) {
    let crews = [
        (Crew::Homeserver, HOMESERVER_WORKERS),
        (Crew::Clients, CLIENT_WORKERS),
        (Crew::Mails, MAIL_WORKERS),
    ];
    let workers = crews.into_iter().flat_map(|(crew, size)| (0..size).map(move |_| work(app, crew)));
    tokio::join!(futures_util::future::join_all(workers), sweep_regularly(app));
}

async fn work(app: &App, crew: Crew) {
    loop {
        if !has_run(run_next_of(app, Some(crew)).await) {
            let arrival = async {
                match crew {
                    Crew::Homeserver => app.work_arrives().await,
                    Crew::Clients => app.calls_arrive().await,
                    Crew::Mails => app.mails_arrive().await,
                }
            };
            let _ = tokio::time::timeout(POLL, arrival).await;
        }
    }
}

fn has_run(ran: Result<bool, store::Error>) -> bool {
    ran.unwrap_or_else(|error| {
        tracing::error!(%error, "background work failed; trying again");
        false
    })
}

/// Runs the next due job; `false` when there is none.
///
/// # Errors
/// When the database fails.
pub async fn run_next(app: &App) -> Result<bool, store::Error> {
    run_next_of(app, None).await
}

/// Runs the next due job of one crew, or of any; `false` when there is none.
///
/// # Errors
/// When the database fails.
pub async fn run_next_of(app: &App, crew: Option<Crew>) -> Result<bool, store::Error> {
    let Some(leased) = jobs::lease(app, crew).await? else { return Ok(false) };
    // Another worker may find the next one while this one runs.
    app.wake_workers();
    match leased.kind.as_str() {
        ProvisionUser::KIND => jobs::run::<ProvisionUser>(app, &leased).await?,
        SetDisplayName::KIND => jobs::run::<SetDisplayName>(app, &leased).await?,
        DeactivateUser::KIND => jobs::run::<DeactivateUser>(app, &leased).await?,
        ReactivateUser::KIND => jobs::run::<ReactivateUser>(app, &leased).await?,
        DeleteDevice::KIND => jobs::run::<DeleteDevice>(app, &leased).await?,
        TellClient::KIND => jobs::run::<TellClient>(app, &leased).await?,
        BeginPasswordReset::KIND => jobs::run::<BeginPasswordReset>(app, &leased).await?,
        SendMail::KIND => jobs::run::<SendMail>(app, &leased).await?,
        // A newer node may have asked for something that this one does not know: it stays leased
        // for a while, and that node takes it then.
        other => tracing::warn!(kind = other, "a job of an unknown kind was left to a newer node"),
    }
    Ok(true)
}

async fn sweep_regularly(app: &App) {
    loop {
        if let Err(error) = sweep(app).await {
            tracing::error!(%error, "sweeping away what is over failed; trying again in a minute");
        }
        if let Err(error) = read_keys(app).await {
            tracing::error!(%error, "signing keys could not be read again; going on with the present ones");
        }
        tokio::time::sleep(SWEEP).await;
    }
}

async fn read_keys(app: &App) -> Result<(), KeyringError> {
    let now = app.clock.now();
    app.keys.reload(&app.store, now).await?;
    app.keys.forget_retired(&app.store, now).await
}

/// Ends and forgets everything whose time is over, room by room.
///
/// # Errors
/// When the database fails.
pub async fn sweep(app: &App) -> Result<(), store::Error> {
    // First, and nothing without it: a session in use must not look idle.
    sessions::write_seen(app).await?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    sessions::expire(&mut tx, &app.config.sessions, now).await?;
    http::rate_limits::expire(&mut tx, now).await?;
    clients::expire(&mut tx, now).await?;
    accounts::expire(&mut tx, now).await?;
    compat::expire(&mut tx, now).await?;
    login::attempts::expire(&mut tx, now).await?;
    login::captcha::expire(&mut tx, now).await?;
    login::register::expire(&mut tx, now).await?;
    rendezvous::sessions::expire(&mut tx, now).await?;
    tx.commit().await?;
    app.wake_workers();
    Ok(())
}
