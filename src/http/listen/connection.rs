//! One connection, from its TLS handshake to its end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tower::Service;
use tracing::debug;

use super::{Limits, Peer, bind::Stream};

/// Far above what browsers send, far below what would hurt.
const LARGEST_HEAD_BYTES: usize = 64 * 1024;
const STREAMS_AT_ONCE: u32 = 128;
/// A peer that vanished without closing is noticed after this long.
const PING_EVERY: Duration = Duration::from_secs(30);

/// Does the handshake if there is TLS, then answers requests until the caller leaves, says
/// nothing for too long, or the server stops.
pub(super) async fn converse(
    stream: Box<dyn Stream>,
    tls: Option<TlsAcceptor>,
    router: Router,
    peer: Peer,
    limits: Limits,
    stopping: watch::Receiver<()>,
) {
    let stream: Box<dyn Stream> = match tls {
        None => stream,
        Some(tls) => match timeout(limits.first_request, tls.accept(stream)).await {
            Ok(Ok(stream)) => Box::new(stream),
            Ok(Err(error)) => return debug!(%error, "TLS handshake failed"),
            Err(_) => return debug!("TLS handshake took too long"),
        },
    };
    answer(stream, router, peer, limits, stopping).await;
}

async fn answer(
    stream: Box<dyn Stream>,
    router: Router,
    peer: Peer,
    limits: Limits,
    mut stopping: watch::Receiver<()>,
) {
    let requests = Arc::new(Requests::default());
    let counted = Arc::clone(&requests);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let running = Running::begin(&counted);
        let answer = router.clone().call(request);
        async move {
            let _running = running;
            answer.await
        }
    });
    let protocols = protocols();
    let connection = protocols.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);

    // The HTTP library has no limit of its own for the bytes that tell HTTP/1 from HTTP/2, nor
    // for an HTTP/2 connection that asks nothing, and for HTTP/1 it would set a timer at each request;
    // so we look ourselves whether anything happens.
    let next_look = sleep(limits.first_request);
    tokio::pin!(next_look);
    let mut begun_before = 0;
    let mut is_leaving = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    debug!(error, "connection ended early");
                }
                return;
            }
            _ = stopping.changed(), if !is_leaving => {
                connection.as_mut().graceful_shutdown();
                is_leaving = true;
            }
            () = next_look.as_mut() => {
                let begun = requests.begun.load(Ordering::Relaxed);
                let is_idle = begun == begun_before && requests.running.load(Ordering::Relaxed) == 0;
                if is_idle && (begun == 0 || is_leaving) {
                    return;
                }
                if is_idle {
                    connection.as_mut().graceful_shutdown();
                    is_leaving = true;
                }
                begun_before = begun;
                next_look.as_mut().reset(Instant::now() + limits.idle);
            }
        }
    }
}

fn protocols() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().max_buf_size(LARGEST_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .max_concurrent_streams(STREAMS_AT_ONCE)
        .max_header_list_size(LARGEST_HEAD_BYTES as u32);
    builder
}

/// How many requests a connection has begun, and how many of them wait for their answer.
#[derive(Default)]
struct Requests {
    begun: AtomicUsize,
    running: AtomicUsize,
}

/// One request that waits for its answer; dropped also when the caller gives up.
struct Running(Arc<Requests>);

impl Running {
    fn begin(requests: &Arc<Requests>) -> Self {
        requests.begun.fetch_add(1, Ordering::Relaxed);
        requests.running.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(requests))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}
