//! What a person should know that happened to how they sign in. Whatever tells them of it begins here.

use crate::http::requester::Requester;
use crate::ids::UserId;

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityEvent {
    /// An authenticator app was set up.
    AppAdded,
    /// One was removed.
    AppRemoved,
    /// A passkey or security key was added.
    PasskeyAdded,
    /// One was removed.
    PasskeyRemoved,
    /// A new set of recovery codes was made.
    RecoveryCodesMade,
    /// One of them was used.
    RecoveryCodeUsed,
    /// A browser was remembered.
    BrowserRemembered,
    /// An admin made a recovery link.
    RecoveryLinkMade,
    /// It was used.
    RecoveryLinkUsed,
    /// An admin removed factors.
    FactorsRemovedByAdmin,
}

impl SecurityEvent {
    fn as_str(self) -> &'static str {
        match self {
            SecurityEvent::AppAdded => "app_added",
            SecurityEvent::AppRemoved => "app_removed",
            SecurityEvent::PasskeyAdded => "passkey_added",
            SecurityEvent::PasskeyRemoved => "passkey_removed",
            SecurityEvent::RecoveryCodesMade => "recovery_codes_made",
            SecurityEvent::RecoveryCodeUsed => "recovery_code_used",
            SecurityEvent::BrowserRemembered => "browser_remembered",
            SecurityEvent::RecoveryLinkMade => "recovery_link_made",
            SecurityEvent::RecoveryLinkUsed => "recovery_link_used",
            SecurityEvent::FactorsRemovedByAdmin => "factors_removed_by_admin",
        }
    }
}

/// Writes down what happened, once it is committed, and from where; admins' commands come from nowhere.
pub fn note(user: UserId, event: SecurityEvent, requester: Option<&Requester>) {
    let ip = requester.and_then(Requester::ip);
    tracing::info!(%user, event = event.as_str(), ip, "something happened to how a person signs in");
}
