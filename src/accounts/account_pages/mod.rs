//! What people see of their own account, and the sessions they can end.
//!
//! Routes: `/account/`, `/account/sessions`, `/account/sessions/browser/{id}/end`,
//! `/account/sessions/client/{id}/end`, `/account/sessions/end-others`. What ends something asks
//! first, on a page that changes nothing.

pub mod end_others;
pub mod end_session;
pub mod home;
mod session_row;
pub mod sessions;

pub use end_others::EndOthersPage;
pub use end_session::EndSessionPage;
pub use home::AccountHomePage;
pub use session_row::{SessionKind, SessionRow};
pub use sessions::{AccountNotice, SessionsPage};

/// The sections of the account pages, as the list at their side names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Who this account is.
    Account,
    /// Where it is signed in.
    Sessions,
}
