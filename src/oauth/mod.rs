//! The OAuth 2.0 and OpenID Connect endpoints and their pages.
//!
//! Owns no table: clients, consents and what clients ask for are `clients/`, sessions and tokens
//! `sessions/`. Answers are JSON worded by `error.rs`, redirects by `response_mode.rs`, or pages.

pub mod authorize;
mod client_assertion;
pub mod client_auth;
pub mod client_registration;
pub mod consent;
pub mod device;
pub mod error;
mod grants;
pub mod guard;
mod id_token;
pub mod introspect;
pub mod link;
pub mod logout;
pub mod metadata;
pub mod permission;
pub mod pushed_request;
mod question;
pub mod response_mode;
pub mod revoke;
pub mod scope;
pub mod token;
pub mod userinfo;
