//! What people see of their own account, and the sessions they can end.
//!
//! Routes: `/account/`, `/account/profile`, `/account/applications`, `/account/application` and below,
//! `/account/tokens` and below, `/account/export`, `/account/activity`, `/account/security` and below, `/account/email`, `/account/email/add`,
//! `/account/email/verify/{id}`, `/account/email/remove`, `/email/{secret}`, `/account/password`, `/account/sessions`,
//! `/account/sessions/browser/{id}/end`, `/account/sessions/client/{id}`, `/account/sessions/client/{id}/end`, `/account/sessions/end-others`,
//! `/account/deactivate`, `/account/cross-signing-reset`. What ends something asks first, on a page that
//! changes nothing.

pub mod action;
pub mod activity;
pub mod add_email;
pub mod application;
pub mod applications;
pub mod authenticator_app;
pub mod confirm_email;
pub mod cross_signing_reset;
pub mod deactivate;
pub mod emails;
pub mod end_others;
pub mod end_session;
pub mod export;
pub mod home;
pub mod new_passkey;
pub mod new_token;
pub mod passkey;
pub mod passkeys;
pub mod password;
pub mod profile;
pub mod recovery_codes;
pub mod remove_email;
pub mod rename_app;
pub mod security;
pub mod session;
mod session_row;
pub mod sessions;
pub mod tokens;
pub mod verify_email;

pub use activity::ActivityPage;
pub use add_email::{AddEmailPage, EmailProblem};
pub use application::{ApplicationPage, EndApplicationPage, Links};
pub use applications::{ApplicationRow, ApplicationsPage};
pub use confirm_email::{ConfirmEmailPage, ConfirmedEmailPage, UselessLinkPage};
pub use cross_signing_reset::{CrossSigningResetAllowedPage, CrossSigningResetPage};
pub use deactivate::{DeactivatePage, DeactivatedPage, WrongName};
pub use emails::{EmailNotice, EmailsPage};
pub use end_others::EndOthersPage;
pub use end_session::EndSessionPage;
pub use export::ExportPage;
pub use home::AccountHomePage;
pub use new_passkey::{KeyForm, NewPasskeyPage, NotAdded};
pub use new_token::{NewTokenPage, TokenMadePage, TokenProblem};
pub use passkey::{Loss, PasskeyNotice, PasskeyPage, RemovePasskeyPage};
pub use passkeys::{PasskeyRow, PasskeySection};
pub use password::{ChangedPasswordPage, PasswordPage};
pub use profile::ProfilePage;
pub use remove_email::RemoveEmailPage;
pub use rename_app::RenameAppPage;
pub use security::SecurityPage;
pub use session::SessionPage;
pub use session_row::{SessionKind, SessionRow};
pub use sessions::{AccountNotice, SessionsPage};
pub use tokens::{TokenNotice, TokensPage};
pub use verify_email::{VerifyEmailPage, WrongCode};

/// The sections of the account pages, as the list at their side names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Who this account is.
    Account,
    /// How one signs in to it.
    Security,
    /// Where it gets mail.
    Email,
    /// Where it is signed in.
    Sessions,
    /// Which clients have access to it.
    Applications,
    /// The tokens that open it.
    Tokens,
    /// What happened to it.
    Activity,
    /// What is known of it.
    Export,
}
