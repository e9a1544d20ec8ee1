//! Gatehouse: an OAuth 2.0 and OpenID Connect authorization server for Matrix homeservers.

pub mod accounts;
pub mod app;
pub mod cli;
pub mod clients;
pub mod compat;
pub mod config;
pub mod homeserver;
pub mod http;
pub mod ids;
pub mod jobs;
pub mod keys;
pub mod known;
pub mod login;
pub mod methods;
pub mod oauth;
pub mod outbound;
pub mod policy;
pub mod random;
pub mod rendezvous;
pub mod routes;
pub mod scrape;
pub mod sessions;
pub mod store;
pub mod telemetry;
pub mod time;
pub mod work;
