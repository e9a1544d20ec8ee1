//! The kit for requests: listeners, the caller's address, forms and cookies, limits, the headers every
//! answer carries, pages and what they load.

pub mod assets;
pub mod brand;
pub mod client_address;
pub mod cookies;
pub mod cors;
pub mod error;
pub(crate) mod filters;
pub mod form;
pub mod headers;
pub mod index;
pub mod listen;
pub mod local;
pub mod measure;
pub mod pages;
pub mod prepared;
pub mod rate_limits;
pub mod request_id;
pub mod requester;
pub mod user_agent;
pub mod visit;
pub mod words;
