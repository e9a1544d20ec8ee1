//! People's accounts: who they are, their passwords, and what becomes of an account.
//!
//! Owns `users` and `passwords`. Sessions are `sessions/`; signing in is `login/`.

pub mod jobs;
pub mod passwords;
mod sql;
pub mod users;
