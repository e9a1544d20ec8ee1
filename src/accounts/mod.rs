//! People's accounts: who they are, their passwords and e-mail addresses, and what becomes of an account.
//!
//! Owns `users`, `passwords` and `user_emails`. Sessions are `sessions/`; signing in is `login/`, and with older clients `compat/`.

pub mod account_pages;
pub mod emails;
pub mod factors;
pub mod jobs;
pub mod passwords;
pub mod sign_in;
pub mod signed_in;
mod sql;
pub mod users;
