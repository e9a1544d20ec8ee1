//! Serving one router on several TCP addresses and Unix sockets at once, each with or without TLS.
//!
//! [`bind()`] opens every listener and reads every certificate, so that whatever is wrong there is
//! said before anything else starts; [`serve`] then answers until told to stop. Every listener
//! speaks HTTP/1.1 and HTTP/2 on the same port: by ALPN over TLS (RFC 7301), by prior knowledge
//! in plain text (RFC 9113 §3.3).

mod bind;
mod certificate;
mod connection;
mod socket_file;

use std::{future::Future, io, net::IpAddr, sync::Arc, time::Duration};

use axum::Router;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{Semaphore, watch},
    task::{JoinSet, spawn_blocking},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tracing::{error, info, warn};

pub use bind::{Bound, Error, ListenAddress, ListenerConfig, TlsFiles, bind};
pub use certificate::CertificateError;

use bind::Listener;
use certificate::Certificate;

/// Request extension: the other end of the connection, `None` on a Unix socket. It is commonly a
/// proxy; [`client_address`](super::client_address::client_address) finds the caller behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub Option<IpAddr>);

/// How patient the listeners are.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a new connection may take for its TLS handshake, and again for its first request.
    pub first_request: Duration,
    /// How long a connection may stay open without a new request. Longer than the 60 seconds
    /// after which common proxies drop idle connections themselves, so that a proxy never sends a
    /// request into a connection that is being closed here.
    pub idle: Duration,
    /// How long requests in flight may go on after the stop.
    pub drain: Duration,
    /// Connections open at once, per listener; further ones wait in the kernel's queue.
    pub connections: usize,
    /// How often certificate files are looked at.
    pub certificate_check: Duration,
}

impl Default for Limits {
    /// The number of connections stays below the 1,024 open files that a process commonly has.
    fn default() -> Self {
        Self {
            first_request: Duration::from_secs(15),
            idle: Duration::from_secs(75),
            drain: Duration::from_secs(30),
            connections: 768,
            certificate_check: Duration::from_secs(5),
        }
    }
}

/// Answers on all listeners until `stop` is ready; then accepts no more, lets requests in flight
/// finish for up to `limits.drain`, and closes what is left. Socket files are removed.
///
/// Certificates are read again when their files change, and on SIGHUP. Without any certificate
/// that signal keeps its usual effect, which is to end the process.
///
/// # Errors
/// When a listener cannot be handed to the runtime, or its task ended by itself.
pub async fn serve(
    router: Router,
    listeners: Vec<Bound>,
    limits: Limits,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let (stopping, _) = watch::channel(());
    let mut certificates = Vec::new();
    let mut accepting = JoinSet::new();
    for bound in listeners {
        let listener = bound.start()?;
        certificates.extend(listener.certificate());
        accepting.spawn(accept(listener, router.clone(), limits, stopping.subscribe()));
    }
    tokio::select! {
        () = stop => {}
        kept = keep_current(certificates, limits.certificate_check) => kept.map_err(Error::Start)?,
        Some(Err(ended)) = accepting.join_next() => return Err(Error::Ended(ended)),
    }
    stopping.send_replace(());
    while let Some(ended) = accepting.join_next().await {
        ended.map_err(Error::Ended)?;
    }
    Ok(())
}

/// Accepts on one listener. Connections are tasks of this one, so they end when it does.
async fn accept(listener: Listener, router: Router, limits: Limits, mut stopping: watch::Receiver<()>) {
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        // A sender that is gone means the same as its signal.
        let accepted = tokio::select! {
            _ = stopping.changed() => break,
            accepted = async {
                let permit = Arc::clone(&room).acquire_owned().await;
                (permit, listener.accept().await)
            } => accepted,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            (permit, Ok((stream, peer))) => {
                let tls = listener.tls();
                let (router, stopping) = (router.clone(), stopping.clone());
                connections.spawn(async move {
                    let _permit = permit;
                    connection::converse(stream, tls, router, peer, limits, stopping).await;
                });
            }
            // The caller was gone before we came to it.
            (_, Err(error)) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            (_, Err(error)) => {
                error!(
                    address = %listener.address(), %error,
                    "cannot accept connections, trying again in a second; \
                     if files ran out, raise the limit of open files (LimitNOFILE, ulimit -n)"
                );
                sleep(Duration::from_secs(1)).await;
            }
        }
    }
    let address = listener.address().to_string();
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    if timeout(limits.drain, finished).await.is_err() {
        let open = connections.len();
        warn!(address, open, "closed connections whose requests did not finish in time");
    }
    connections.shutdown().await;
}

/// Looks at the certificate files again and again; returns only with an error.
async fn keep_current(certificates: Vec<Arc<Certificate>>, every: Duration) -> io::Result<()> {
    if certificates.is_empty() {
        return std::future::pending().await;
    }
    let certificates = Arc::new(certificates);
    let mut hangup = signal(SignalKind::hangup())?;
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = hangup.recv() => info!("looking at the certificate files"),
        }
        let certificates = Arc::clone(&certificates);
        let looked = spawn_blocking(move || certificates.iter().for_each(|one| one.refresh()));
        looked.await.map_err(io::Error::other)?;
    }
}
