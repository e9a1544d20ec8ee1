//! Gatehouse: an OAuth 2.0 and OpenID Connect authorization server for Matrix homeservers.

pub mod ids;
pub mod keys;
pub mod store;
pub mod time;
