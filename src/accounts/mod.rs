//! People's accounts: who they are, their passwords and e-mail addresses, and what becomes of an account.
//!
//! Owns `users`, `passwords`, `user_emails`, `account_events`, `email_verifications`, `password_resets` and what a person proves who they
//! are with: `passkeys`, `authenticator_apps`, `used_ceremonies`, `recovery_codes`, `recovery_links` and `remembered_browsers`.
//! What lets them register and what they have accepted: `registration_tokens`, `terms_acceptances`.
//! Sessions are `sessions/`; signing in is `login/`, and with older clients `compat/`.

pub mod account_pages;
pub mod activity;
pub mod authenticator_apps;
pub mod breached_passwords;
pub mod display_name;
pub mod email_verifications;
pub mod emails;
pub mod export;
pub mod factors;
pub mod jobs;
pub mod language;
pub mod mails;
pub mod new_password;
pub mod passkeys;
pub mod password_resets;
pub mod passwords;
pub mod personal_tokens;
pub mod recovery_codes;
pub mod recovery_links;
pub mod registration_tokens;
pub mod remembered_browsers;
pub mod second_step;
pub mod sign_in;
pub mod signed_in;
mod sql;
pub mod terms;
pub mod users;

use crate::store::{self, Tx};
use crate::time::Timestamp;

/// Forgets what is over.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), store::Error> {
    activity::expire(tx, now).await?;
    passkeys::expire(tx, now).await?;
    remembered_browsers::expire(tx, now).await?;
    recovery_links::expire(tx, now).await?;
    registration_tokens::expire(tx, now).await?;
    sql::expire(tx, now).await
}
