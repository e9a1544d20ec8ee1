//! The OAuth endpoints and their pages.

pub mod consent;
pub mod response_mode;
