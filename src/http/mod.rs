//! The kit for requests: listeners, the caller's address, and the headers every answer carries.

pub mod client_address;
pub mod cors;
pub mod headers;
pub mod listen;
pub mod request_id;
