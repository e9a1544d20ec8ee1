//! What a person should know that happened to how they sign in. Whatever tells them of it begins here.

use super::mails::{self, FactorChange, Mail, Occasion};
use super::{factors, users};
use crate::app::App;
use crate::http::requester::Requester;
use crate::ids::UserId;
use crate::store::{self, Tx};

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

/// Has the person told by mail of what happens in the transaction, wherever it came from.
///
/// # Errors
/// When the database fails.
pub async fn tell(
    tx: &mut Tx,
    app: &App,
    user: UserId,
    event: SecurityEvent,
    requester: Option<&Requester>,
) -> Result<(), store::Error> {
    if !app.config.email.is_on() {
        return Ok(());
    }
    let Some(user) = users::find(&mut *tx, user).await? else { return Ok(()) };
    let now = app.clock.now();
    let occasion = match requester {
        Some(requester) => Occasion::by(requester, now),
        None => Occasion::by_admin(now),
    };
    let change = match event {
        SecurityEvent::AppAdded => FactorChange::AuthenticatorAdded,
        SecurityEvent::AppRemoved => FactorChange::AuthenticatorRemoved,
        SecurityEvent::PasskeyAdded => FactorChange::PasskeyAdded,
        SecurityEvent::PasskeyRemoved => FactorChange::PasskeyRemoved,
        SecurityEvent::RecoveryCodesMade => FactorChange::RecoveryCodesMade,
        SecurityEvent::FactorsRemovedByAdmin => FactorChange::FactorsRemoved,
        SecurityEvent::RecoveryLinkMade => FactorChange::RecoveryLinkMade,
        SecurityEvent::RecoveryLinkUsed => FactorChange::RecoveryLinkUsed,
        SecurityEvent::RecoveryCodeUsed => {
            let left = factors::find(&mut *tx, user.id).await?.recovery_codes;
            let left = u64::try_from(left).unwrap_or_default();
            return mails::tell(tx, app, &user, &Mail::RecoveryCodeUsed { left, occasion }, now).await;
        }
        // The person did it a moment after they proved who they are, and was told of the browser.
        SecurityEvent::BrowserRemembered => return Ok(()),
    };
    mails::tell(tx, app, &user, &Mail::FactorChanged { change, occasion }, now).await
}

/// Writes down what happened, once it is committed, and from where; admins' commands come from nowhere.
pub fn note(user: UserId, event: SecurityEvent, requester: Option<&Requester>) {
    let ip = requester.and_then(Requester::ip);
    tracing::info!(%user, event = event.as_str(), ip, "something happened to how a person signs in");
}
