//! Signing in and out with a browser.
//!
//! Owns no table. It meets the other flows through `next`, a local path that says where a person goes
//! on, and through the authorization request that may stand behind it.

pub mod next;
pub mod password;
pub mod sign_out;
