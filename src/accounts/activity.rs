//! What happened to an account: sign-ins, and whatever changes who can sign in. Its owner looks it up, whether or
//! not mails told them of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::mails::{self, Mail, Occasion};
use super::{factors, users};
use crate::app::App;
use crate::http::requester::Requester;
use crate::ids::{AccountEventId, UserId};
use crate::store::{Error, FromRow, Row, Store, Tx, query};
use crate::time::Timestamp;

/// How long it can be looked up.
pub const KEPT: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The person made the account.
    AccountCreated,
    /// The person signed in with a browser, or proved anew who they are.
    SignedIn,
    /// There is another password.
    PasswordChanged,
    /// An e-mail address was added.
    EmailAdded,
    /// One was removed.
    EmailRemoved,
    /// A passkey or security key was added.
    PasskeyAdded,
    /// One was removed.
    PasskeyRemoved,
    /// An authenticator app was set up.
    AuthenticatorAdded,
    /// One was removed.
    AuthenticatorRemoved,
    /// A new set of recovery codes was made.
    RecoveryCodesMade,
    /// One of them was used.
    RecoveryCodeUsed,
    /// A browser was remembered.
    BrowserRemembered,
    /// Second factors were removed.
    FactorsRemoved,
    /// A recovery link was made.
    RecoveryLinkMade,
    /// It was used.
    RecoveryLinkUsed,
    /// One or more sessions were ended.
    SessionsEnded,
    /// An app was allowed to replace the keys that others are verified by.
    CrossSigningReset,
    /// The person is shown by another name, or by none.
    DisplayNameChanged,
    /// A personal token was made.
    TokenMade,
    /// One was revoked.
    TokenRevoked,
    /// An app was signed out everywhere, and what it was allowed was forgotten.
    ApplicationRemoved,
    /// Everything that is known of the account was downloaded.
    DataExported,
}

impl Event {
    const ALL: [Event; 22] = [
        Event::AccountCreated,
        Event::SignedIn,
        Event::PasswordChanged,
        Event::EmailAdded,
        Event::EmailRemoved,
        Event::PasskeyAdded,
        Event::PasskeyRemoved,
        Event::AuthenticatorAdded,
        Event::AuthenticatorRemoved,
        Event::RecoveryCodesMade,
        Event::RecoveryCodeUsed,
        Event::BrowserRemembered,
        Event::FactorsRemoved,
        Event::RecoveryLinkMade,
        Event::RecoveryLinkUsed,
        Event::SessionsEnded,
        Event::CrossSigningReset,
        Event::DisplayNameChanged,
        Event::TokenMade,
        Event::TokenRevoked,
        Event::ApplicationRemoved,
        Event::DataExported,
    ];

    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Event::AccountCreated => "account_created",
            Event::SignedIn => "signed_in",
            Event::PasswordChanged => "password_changed",
            Event::EmailAdded => "email_added",
            Event::EmailRemoved => "email_removed",
            Event::PasskeyAdded => "passkey_added",
            Event::PasskeyRemoved => "passkey_removed",
            Event::AuthenticatorAdded => "authenticator_added",
            Event::AuthenticatorRemoved => "authenticator_removed",
            Event::RecoveryCodesMade => "recovery_codes_made",
            Event::RecoveryCodeUsed => "recovery_code_used",
            Event::BrowserRemembered => "browser_remembered",
            Event::FactorsRemoved => "factors_removed",
            Event::RecoveryLinkMade => "recovery_link_made",
            Event::RecoveryLinkUsed => "recovery_link_used",
            Event::SessionsEnded => "sessions_ended",
            Event::CrossSigningReset => "cross_signing_reset",
            Event::DisplayNameChanged => "display_name_changed",
            Event::TokenMade => "token_made",
            Event::TokenRevoked => "token_revoked",
            Event::ApplicationRemoved => "application_removed",
            Event::DataExported => "data_exported",
        }
    }

    fn parse(text: &str) -> Option<Event> {
        Event::ALL.into_iter().find(|event| event.as_str() == text)
    }
}

/// An entry of the list.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its identifier.
    pub id: AccountEventId,
    /// What happened; `None` when a newer Gatehouse wrote it.
    pub event: Option<Event>,
    /// When and by whom.
    pub occasion: Occasion,
}

impl FromRow for Entry {
    fn from_row(row: &Row) -> Result<Entry, Error> {
        let kind: String = row.get("kind")?;
        Ok(Entry {
            id: row.get("id")?,
            event: Event::parse(&kind),
            occasion: Occasion {
                at: row.get("created_at")?,
                is_by_admin: row.get("is_by_admin")?,
                ip_address: row.get("ip_address")?,
                browser: row.get("browser")?,
            },
        })
    }
}

/// Adds an entry.
///
/// # Errors
/// When the database fails.
pub async fn add(tx: &mut Tx, user: UserId, event: Event, occasion: &Occasion) -> Result<(), Error> {
    const ADD: &str = "
INSERT INTO account_events (id, user_id, kind, is_by_admin, ip_address, browser, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)";
    query(ADD)
        .bind(AccountEventId::new(occasion.at))
        .bind(user)
        .bind(event.as_str())
        .bind(occasion.is_by_admin)
        .bind(occasion.ip_address.clone())
        .bind(occasion.browser.clone())
        .bind(occasion.at)
        .execute(tx)
        .await?;
    Ok(())
}

/// Tells a person of what happens to how they sign in, in the transaction in which it does, by an entry and by
/// mail; admins' commands come from nowhere.
///
/// # Errors
/// When the database fails.
pub async fn tell(
    tx: &mut Tx,
    app: &App,
    user: UserId,
    event: Event,
    requester: Option<&Requester>,
) -> Result<(), Error> {
    let Some(user) = users::find(&mut *tx, user).await? else { return Ok(()) };
    let now = app.clock.now();
    let occasion = match requester {
        Some(requester) => Occasion::by(requester, now),
        None => Occasion::by_admin(now),
    };
    let mail = match event {
        Event::RecoveryCodeUsed => {
            let left = factors::find(&mut *tx, user.id).await?.recovery_codes;
            Mail::RecoveryCodeUsed { left: u64::try_from(left).unwrap_or_default(), occasion }
        }
        // The person did it a moment after they proved who they are, and was told of the browser.
        Event::BrowserRemembered => return add(tx, user.id, event, &occasion).await,
        change => Mail::FactorChanged { change, occasion },
    };
    mails::tell(tx, app, &user, &mail, now).await
}

/// Writes into the log what happened, once it is committed, and from where.
pub fn note(user: UserId, event: Event, requester: Option<&Requester>) {
    let ip = requester.and_then(Requester::ip);
    tracing::info!(%user, event = event.as_str(), ip, "something happened to how a person signs in");
}

/// The user's entries, the last first, below the one named `before`.
///
/// # Errors
/// When the database fails.
pub async fn list(
    store: &Store,
    user: UserId,
    before: Option<AccountEventId>,
    limit: i64,
) -> Result<Vec<Entry>, Error> {
    const LIST: &str = "
SELECT id, kind, is_by_admin, ip_address, browser, created_at FROM account_events
WHERE user_id = $1 AND ($2 IS NULL OR id < $2) ORDER BY id DESC LIMIT $3";
    query(LIST).bind(user).bind(before).bind(limit).fetch_all(store).await
}

/// Forgets what is older than [`KEPT`].
///
/// # Errors
/// When the database fails.
pub(super) async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    query("DELETE FROM account_events WHERE created_at < $1").bind(now - KEPT).execute(tx).await?;
    Ok(())
}
