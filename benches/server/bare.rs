//! The twin that every figure is held against: a handler of axum and nothing else, in a process of its
//! own. It takes the request, body and all, and answers with as many bytes as Gatehouse does.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::any;
use tokio::net::TcpListener;

async fn handler(State(answer): State<Bytes>, _request: Bytes) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], answer)
}

/// Serves `path` with answers of `bytes` bytes until the process is ended.
pub async fn serve(listener: TcpListener, path: &str, bytes: usize) {
    let answer = Bytes::from(vec![b'x'; bytes]);
    let router = Router::new().route(path, any(handler)).with_state(answer);
    axum::serve(listener, router).await.expect("the listener works");
}
