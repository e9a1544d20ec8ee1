//! `GET /metrics`, on listeners of its own: what this node has counted, and what it finds at that moment.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;

use crate::app::App;
use crate::jobs;
use crate::telemetry::metrics::{self, Readings};

/// The database has this long to tell how background work stands.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is answered there, and nothing else.
pub fn router(app: App) -> Router {
    Router::new().route("/metrics", get(tell)).with_state(app)
}

async fn tell(State(app): State<App>) -> Response {
    let told = app.metrics.tell(read(&app).await);
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], told).into_response()
}

/// A database that does not answer is no reason to hide the rest.
async fn read(app: &App) -> Readings {
    let backlog = tokio::time::timeout(PATIENCE, jobs::backlog(app)).await;
    let (waiting, oldest, given_up) = match backlog {
        Ok(Ok(backlog)) => {
            let age = backlog.oldest.map_or(Duration::ZERO, |oldest| app.clock.now().since(oldest));
            (backlog.waiting as f64, age.as_secs_f64(), backlog.given_up as f64)
        }
        _ => (f64::NAN, f64::NAN, f64::NAN),
    };
    let (hashes_running, hashes_waiting) = app.passwords.load();
    Readings {
        jobs_waiting: waiting,
        jobs_oldest_seconds: oldest,
        jobs_given_up: given_up,
        hashes_running,
        hashes_waiting,
        is_memory_trusted: app.store.changes().is_any_trusted(),
    }
}
