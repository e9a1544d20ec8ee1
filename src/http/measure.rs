//! How long requests take, for the metrics.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;

/// Layer, by `axum::middleware::from_fn_with_state`: measures a request under the template of its route;
/// those without one are `other`, since their paths are whatever strangers send.
pub async fn measure(State(app): State<App>, request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or_else(|| "other".to_owned(), |matched| matched.as_str().to_owned());
    let begun = Instant::now();
    let response = next.run(request).await;
    app.metrics.request(route, response.status(), begun.elapsed());
    response
}
