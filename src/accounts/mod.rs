//! People's accounts: who they are, their passwords, and what becomes of an account.
//!
//! Owns `users` and `passwords`. Sessions are `sessions/`; signing in is `login/`.

pub mod account_pages;
pub mod jobs;
pub mod passwords;
pub mod signed_in;
mod sql;
pub mod users;
