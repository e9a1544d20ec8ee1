//! Requests over connections that stay open, each worker one after another.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use futures_util::future::join_all;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A connection to a server.
pub struct Connection {
    port: u16,
    sender: SendRequest<Full<Bytes>>,
    /// What was sent, if that is to be known, and how many bytes came back for it.
    pub sent: Option<Vec<(Request<Full<Bytes>>, usize)>>,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// What was done.
#[derive(Default)]
pub struct Done {
    pub operations: usize,
    /// How long each took, in no order.
    pub latencies: Vec<Duration>,
}

/// When workers stop.
#[derive(Clone, Copy)]
pub enum Until {
    /// After this time.
    Passed(Duration),
    /// After so many operations in all.
    Done(usize),
}

impl Connection {
    pub async fn open(port: u16) -> Connection {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the server listens");
        stream.set_nodelay(true).expect("an option of TCP");
        let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP/1.1");
        tokio::spawn(connection);
        Connection { port, sender, sent: None }
    }

    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Answer {
        if self.sender.ready().await.is_err() {
            self.sender = Connection::open(self.port).await.sender;
        }
        let copy = self.sent.is_some().then(|| request.clone());
        let answer = self.sender.send_request(request).await.expect("an answer");
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        if let (Some(sent), Some(copy)) = (&mut self.sent, copy) {
            sent.push((copy, body.len()));
        }
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

/// Lets workers do an operation again and again; each is told the number of the operation.
pub async fn drive(
    port: u16,
    workers: usize,
    until: Until,
    operation: impl AsyncFn(&mut Connection, usize),
) -> Done {
    let next = Cell::new(0);
    let latencies = RefCell::new(Vec::new());
    let begun = Instant::now();
    let work = async || {
        let mut connection = Connection::open(port).await;
        loop {
            let number = next.get();
            let is_over = match until {
                Until::Passed(time) => begun.elapsed() >= time,
                Until::Done(operations) => number >= operations,
            };
            if is_over {
                break;
            }
            next.set(number + 1);
            let started = Instant::now();
            operation(&mut connection, number).await;
            latencies.borrow_mut().push(started.elapsed());
        }
    };
    join_all((0..workers).map(|_| work())).await;
    let latencies = latencies.into_inner();
    Done { operations: latencies.len(), latencies }
}
