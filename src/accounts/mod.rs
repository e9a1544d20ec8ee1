//! People's accounts: who they are, their passwords and e-mail addresses, and what becomes of an account.
//!
//! Owns `users`, `passwords` and `user_emails`. Sessions are `sessions/`; signing in is `login/`.

pub mod account_pages;
pub mod emails;
pub mod jobs;
pub mod passwords;
pub mod signed_in;
mod sql;
pub mod users;
