//! Requests over one connection that stays open, and what is known when it breaks.

use axum::body::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, HOST};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::server::Answer;

/// A request with its whole body.
pub type Sent = Request<Full<Bytes>>;

/// A connection to a server on this machine. It is opened when it is needed.
pub struct Wire {
    port: u16,
    open: Option<SendRequest<Full<Bytes>>>,
}

/// There is no answer: nobody listens, or the connection broke. The request may have been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl Wire {
    pub fn new(port: u16) -> Wire {
        Wire { port, open: None }
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&mut self, request: Sent) -> Result<Answer, Gone> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.connect().await.ok_or(Gone)?,
        };
        if open.ready().await.is_err() {
            open = self.connect().await.ok_or(Gone)?;
        }
        let answer = open.send_request(request).await.map_err(|_| Gone)?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|_| Gone)?.to_bytes();
        self.open = Some(open);
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    async fn connect(&self) -> Option<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let (open, connection) = handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        Some(open)
    }
}

/// A request for a page.
pub fn get(path: &str, headers: &[(&str, &str)]) -> Sent {
    with_headers(Request::get(path), headers).body(Full::default()).expect("a request")
}

/// A request with a form.
pub fn post(path: &str, headers: &[(&str, &str)], form: &[(&str, &str)]) -> Sent {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    with_headers(request, headers).body(Full::from(form)).expect("a request")
}

fn with_headers(request: http::request::Builder, headers: &[(&str, &str)]) -> http::request::Builder {
    let request = request.header(HOST, "127.0.0.1");
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}
