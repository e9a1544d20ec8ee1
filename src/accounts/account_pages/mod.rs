//! What people see of their own account, and the sessions they can end.
//!
//! Routes: `/account/`, `/account/activity`, `/account/security` and below, `/account/email`, `/account/email/add`,
//! `/account/email/verify/{id}`, `/account/email/remove`, `/email/{secret}`, `/account/password`, `/account/sessions`,
//! `/account/sessions/browser/{id}/end`, `/account/sessions/client/{id}`, `/account/sessions/client/{id}/end`, `/account/sessions/end-others`,
//! `/account/deactivate`, `/account/cross-signing-reset`. What ends something asks first, on a page that
//! changes nothing.

pub mod action;
pub mod activity;
pub mod add_email;
pub mod authenticator_app;
pub mod confirm_email;
pub mod cross_signing_reset;
pub mod deactivate;
pub mod emails;
pub mod end_others;
pub mod end_session;
pub mod home;
pub mod new_passkey;
pub mod passkey;
pub mod passkeys;
pub mod password;
pub mod recovery_codes;
pub mod remove_email;
pub mod security;
pub mod session;
mod session_row;
pub mod sessions;
pub mod verify_email;

pub use activity::ActivityPage;
pub use add_email::{AddEmailPage, EmailProblem};
pub use confirm_email::{ConfirmEmailPage, ConfirmedEmailPage, UselessLinkPage};
pub use cross_signing_reset::{CrossSigningResetAllowedPage, CrossSigningResetPage};
pub use deactivate::{DeactivatePage, DeactivatedPage, WrongName};
pub use emails::{EmailNotice, EmailsPage};
pub use end_others::EndOthersPage;
pub use end_session::EndSessionPage;
pub use home::AccountHomePage;
pub use new_passkey::{NewPasskeyPage, NotAdded};
pub use passkey::{Loss, PasskeyNotice, PasskeyPage, RemovePasskeyPage};
pub use passkeys::{PasskeyRow, PasskeySection};
pub use password::{ChangedPasswordPage, PasswordPage};
pub use remove_email::RemoveEmailPage;
pub use security::SecurityPage;
pub use session::SessionPage;
pub use session_row::{SessionKind, SessionRow};
pub use sessions::{AccountNotice, SessionsPage};
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
    /// What happened to it.
    Activity,
}
