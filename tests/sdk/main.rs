//! The Matrix Rust SDK, as apps use it, against Gatehouse and a real Synapse, over https.
//!
//! `scripts/test-sdk` runs this; `docs/qr-login.md` says what it showed last.

mod app;
mod browser;
mod meeting;
mod qr;
mod sessions;
mod support;
mod world;
