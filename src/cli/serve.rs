//! `gatehouse serve`: the server, from the first file to the last.

use std::io;
use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::failure::Failure;
use super::{ready, socket};
use crate::accounts::breached_passwords::BreachedPasswords;
use crate::accounts::passkeys;
use crate::app::{self, App, REFUSAL_FLOOR};
use crate::config::{self, Config};
use crate::http::listen::{self, Limits, ListenAddress, ListenerConfig, TlsFiles};
use crate::http::pages::Site;
use crate::sessions::client;
use crate::time::Clock;
use crate::{clients, routes, scrape, store, telemetry, work};

/// Runs until Ctrl-C or SIGTERM, then lets requests under way finish. A second signal stops at once.
///
/// # Errors
/// Why the server did not start, or ended by itself.
pub async fn serve(path: Option<PathBuf>) -> Result<(), Failure> {
    let config = Config::load(path.as_deref(), config::environment())?;
    telemetry::start(&config.telemetry).map_err(|error| Failure::failed(error.to_string()))?;
    let site = Site::new(&config).map_err(|error| Failure::usage(error.to_string()))?;
    let mut signals =
        Signals::new().map_err(|error| Failure::failed(format!("cannot listen to signals: {error}")))?;
    let hangup = signal(SignalKind::hangup())
        .map_err(|error| Failure::failed(format!("cannot listen to signals: {error}")))?;
    let bind = |configured: &[config::Listener]| {
        listen::bind(&listeners(configured)).map_err(|error| Failure::failed(error.to_string()))
    };
    let bound = bind(&config.http.listeners)?;
    let bound_for_metrics = bind(&config.telemetry.metrics_listeners)?;

    if let Some(path) = &config.passwords.breached_list {
        BreachedPasswords::open(path).map_err(|error| {
            let path = path.display();
            Failure::usage(format!("passwords.breached_list: {path}: {error}; make it with `gatehouse passwords download --out {path}`"))
        })?;
    }
    let app = App::open(config, Clock::System, REFUSAL_FLOOR).await?;
    let settled = passkeys::settle(&app.store, &app.config).await;
    settled.map_err(|error| Failure::failed(error.to_string()))?;
    sync_clients(&app).await?;
    let commands = match app.store.is_shared() {
        true => Vec::new(),
        false => socket::bind(&app::command_socket(&app.config))?,
    };
    ready::print(&app.config, path.as_deref(), &bound);
    let workers = tokio::spawn({
        let app = app.clone();
        async move { work::run(&app).await }
    });

    let reloading = tokio::spawn(reload_on_hangup(app.clone(), hangup, path));

    let (stop, stopping) = watch::channel(());
    let serving = async {
        let router = routes::router(app.clone(), site);
        let requests = listen::serve(router, bound, Limits::default(), stopped(stopping.clone()));
        let metrics = scrape::router(app.clone());
        let metrics = listen::serve(metrics, bound_for_metrics, Limits::default(), stopped(stopping.clone()));
        let commands = socket::serve(app.clone(), commands, stopped(stopping));
        tokio::try_join!(requests, metrics, commands)
    };
    let ended = until_told(serving, &mut signals, stop).await;
    reloading.abort();
    workers.abort();
    let _ = workers.await;
    // When sessions were last seen is collected for a while before it is written.
    if let Err(error) = work::sweep(&app).await {
        tracing::warn!(%error, "when sessions were last seen could not be written");
    }
    app.store.close().await;
    tracing::info!("stopped");
    ended.map_err(|error| Failure::failed(error.to_string()))
}

/// Reads the policies again, and their settings, at each SIGHUP.
async fn reload_on_hangup(app: App, mut hangup: tokio::signal::unix::Signal, path: Option<PathBuf>) {
    while hangup.recv().await.is_some() {
        match Config::load(path.as_deref(), config::environment()) {
            // What is wrong with the policies, it says itself.
            Ok(config) => drop(app.policy.reload(&config.policy)),
            Err(error) => tracing::error!(%error, "the configuration cannot be read; the policies stay"),
        }
    }
}

/// Waits for a signal, then for the end of what is being served; a second signal does not wait.
async fn until_told<T>(
    serving: impl Future<Output = Result<T, listen::Error>>,
    signals: &mut Signals,
    stop: watch::Sender<()>,
) -> Result<(), listen::Error> {
    tokio::pin!(serving);
    tokio::select! {
        ended = &mut serving => return ended.map(drop),
        () = signals.next() => {}
    }
    tracing::info!("stopping; requests under way may finish, a second signal stops at once");
    stop.send_replace(());
    tokio::select! {
        ended = &mut serving => ended.map(drop),
        () = signals.next() => Ok(()),
    }
}

async fn stopped(mut stopping: watch::Receiver<()>) {
    // A sender that is gone means the same as its signal.
    let _ = stopping.changed().await;
}

/// The two signals that end a server.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The listeners as the configuration names them.
fn listeners(configured: &[config::Listener]) -> Vec<ListenerConfig> {
    let listener = |listener: &config::Listener| {
        let address = match (&listener.address, &listener.unix) {
            (Some(address), _) => ListenAddress::Tcp(*address),
            (None, Some(path)) => ListenAddress::Unix { path: path.clone(), mode: listener.mode.0 },
            // A checked configuration has one of the two.
            (None, None) => return None,
        };
        let tls = listener.tls.as_ref().map(|tls| TlsFiles {
            certificate_file: tls.certificate_file.clone(),
            key_file: tls.key_file.clone(),
        });
        Some(ListenerConfig { address, tls })
    };
    configured.iter().filter_map(listener).collect()
}

/// Makes the configured clients those of the configuration; the sessions of those that went end.
async fn sync_clients(app: &App) -> Result<(), store::Error> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    for gone in clients::sync_configured(&mut tx, &app.config, now).await? {
        tracing::info!(client = %gone, "a client is no longer in the configuration; its sessions end");
        client::end_all_of_client(&mut tx, &gone, now).await?;
    }
    tx.commit().await
}
