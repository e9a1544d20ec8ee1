//! Signing in and out with a browser.

pub mod password;
pub mod sign_out;
