//! The command socket: how a command reaches the running server that has the SQLite file to itself.
//!
//! It is HTTP on a Unix socket in the data folder, which only the user that runs the server may
//! enter. Each request is one [`Request`] as JSON.

use std::io;
use std::path::Path;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::failure::{Failure, chain};
use super::request::{Answer, Request};
use crate::app::App;
use crate::http::listen::{self, Bound, Limits, ListenAddress, ListenerConfig};

/// A request is a few names and a password.
const LONGEST_REQUEST: usize = 64 * 1024;
/// Longer than any command waits for the homeserver.
const PATIENCE: Duration = Duration::from_secs(120);
/// Nothing is resolved or routed by it: the socket alone decides where the request goes.
const URL: &str = "http://gatehouse/";

/// A request and the program that sends it. Both ends are the same program, unless one of them was
/// replaced meanwhile.
#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    version: String,
    content: T,
}

fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Opens the socket (0600), replacing one that a dead server left behind.
///
/// # Errors
/// When it cannot be opened.
pub fn bind(path: &Path) -> Result<Vec<Bound>, Failure> {
    let address = ListenAddress::Unix { path: path.to_owned(), mode: 0o600 };
    listen::bind(&[ListenerConfig { address, tls: None }]).map_err(|error| {
        let why = match error {
            listen::Error::Address { cause, advice, .. } => format!("{cause}; {advice}"),
            other => other.to_string(),
        };
        Failure::failed(format!(
            "cannot open the socket for commands, {}: {why} (data.folder)",
            path.display()
        ))
    })
}

/// Carries out what comes in until `stop` is ready.
///
/// # Errors
/// When the listener cannot be handed to the runtime, or its task ended by itself.
pub async fn serve(app: App, bound: Vec<Bound>, stop: impl Future<Output = ()>) -> Result<(), listen::Error> {
    let router = Router::new()
        .route("/", post(carry_out))
        .layer(DefaultBodyLimit::max(LONGEST_REQUEST))
        .with_state(app);
    listen::serve(router, bound, Limits::default(), stop).await
}

async fn carry_out(
    State(app): State<App>,
    Json(envelope): Json<Envelope<serde_json::Value>>,
) -> Json<Envelope<Result<Answer, Failure>>> {
    let content = match serde_json::from_value::<Request>(envelope.content) {
        Ok(request) if envelope.version == version() => request.carry_out(&app).await,
        _ => Err(Failure::failed(format!(
            "the running server is Gatehouse {}, and this command is of {}; restart the server, or use its own program",
            version(),
            envelope.version
        ))),
    };
    Json(Envelope { version: version(), content })
}

/// Sends a request to the server behind the socket; `None` when there is no server.
///
/// # Errors
/// What the server says, or why it cannot be spoken to.
pub async fn ask(path: &Path, request: &Request) -> Option<Result<Answer, Failure>> {
    // Trying first tells a server that is not there from one that fails.
    match tokio::net::UnixStream::connect(path).await {
        Ok(_) => Some(send(path, request).await),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            None
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Some(Err(Failure::failed(format!(
            "{}: permission denied; run this command as the user that runs the server",
            path.display()
        )))),
        Err(error) => {
            Some(Err(Failure::failed(format!("cannot reach the server through {}: {error}", path.display()))))
        }
    }
}

async fn send(path: &Path, request: &Request) -> Result<Answer, Failure> {
    let failed = |error: reqwest::Error| {
        let why = chain(&error.without_url());
        Failure::failed(format!("the server did not answer through {}: {why}", path.display()))
    };
    let http_client =
        reqwest::Client::builder().unix_socket(path).timeout(PATIENCE).build().map_err(failed)?;
    let sent = http_client.post(URL).json(&Envelope { version: version(), content: request }).send();
    let answer = sent.await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
    let envelope: Envelope<Result<Answer, Failure>> = answer.json().await.map_err(failed)?;
    envelope.content
}
