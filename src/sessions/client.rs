//! Client sessions: what a client holds after a grant.

use super::jobs::DeleteDevice;
use super::sql;
use crate::ids::{BrowserSessionId, ClientId, ClientSessionId, DeviceId, UserId};
use crate::jobs;
use crate::methods::Methods;
use crate::store::{self, Change, Error, On, Store, Tx};
use crate::time::Timestamp;

/// The whole Matrix client API, as a session has it that was not granted a scope (Matrix CS API, Scope).
pub const MATRIX_API_SCOPE: &str = "urn:matrix:client:api:*";

/// A client's access to a person's account, through a chain of access and refresh tokens; or, with a
/// single access token, what it may do for itself (RFC 6749 §4.4).
#[derive(Clone, Debug)]
pub struct ClientSession {
    /// Its identifier.
    pub id: ClientSessionId,
    /// Whose account; nobody's when the client acts for itself.
    pub user_id: Option<UserId>,
    /// Which client; none when it signed in by the login API of older Matrix clients.
    pub client_id: Option<ClientId>,
    /// What was granted, as the client spelled it.
    pub scope: String,
    /// The Matrix device, when there is one.
    pub device_id: Option<DeviceId>,
    /// When it began.
    pub created_at: Timestamp,
    /// When its tokens were last refreshed.
    pub last_seen_at: Timestamp,
    /// From which address.
    pub last_seen_ip: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// What its device was last called here, or what the person calls a personal token.
    pub name: Option<String>,
    /// When it ends by itself, if it is a personal token ([`personal`](super::personal)).
    pub expires_at: Option<Timestamp>,
}

impl ClientSession {
    /// Whether it is a token that the person made for a program of theirs.
    pub fn is_personal(&self) -> bool {
        self.expires_at.is_some()
    }
}

/// Why a session ended, for the log and for those who ask later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The client revoked its token (RFC 7009), or signed out in the manner of older Matrix clients.
    Revoked,
    /// The person ended it.
    SignedOut,
    /// An admin ended it.
    EndedByAdmin,
    /// The same device signed in again.
    Replaced,
    /// The account was deactivated.
    Deactivated,
    /// A refresh token came back that had long been replaced.
    RefreshTokenReused,
    /// An authorization code came back that had long been spent.
    CodeReused,
    /// The client is gone.
    ClientRemoved,
    /// It outlived its limits.
    Expired,
    /// The browser session in which it was allowed is over, and its client was told.
    BrowserSessionEnded,
    /// The policy no longer allows what was granted.
    DeniedByPolicy,
}

impl EndReason {
    /// The reason as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            EndReason::Revoked => "revoked",
            EndReason::SignedOut => "signed_out",
            EndReason::EndedByAdmin => "ended_by_admin",
            EndReason::Replaced => "replaced",
            EndReason::Deactivated => "deactivated",
            EndReason::RefreshTokenReused => "refresh_token_reused",
            EndReason::CodeReused => "code_reused",
            EndReason::ClientRemoved => "client_removed",
            EndReason::Expired => "expired",
            EndReason::BrowserSessionEnded => "browser_session_ended",
            EndReason::DeniedByPolicy => "denied_by_policy",
        }
    }
}

/// Ends a session and has its device deleted, which also makes the homeserver forget its tokens.
/// `false` when it had ended before.
///
/// # Errors
/// When the database fails.
pub async fn end(
    tx: &mut Tx,
    id: ClientSessionId,
    user_id: impl Into<Option<UserId>>,
    device_id: Option<DeviceId>,
    reason: EndReason,
    now: Timestamp,
) -> Result<bool, store::Error> {
    if !sql::end_client_session(tx, id, reason.as_str(), now).await? {
        return Ok(false);
    }
    tx.announce(Change::Session(id));
    let user_id = user_id.into();
    if let (Some(user_id), Some(device_id)) = (user_id, device_id) {
        jobs::enqueue(tx, &DeleteDevice { user_id, device_id }, now).await?;
    }
    tracing::info!(session = %id, user = user_id.map(tracing::field::display), reason = reason.as_str(), "a client session ended");
    Ok(true)
}

/// Ends the live session of that identifier if it is the user's; `false` otherwise.
///
/// # Errors
/// When the database fails.
pub async fn end_of_user(
    tx: &mut Tx,
    id: ClientSessionId,
    user_id: UserId,
    reason: EndReason,
    now: Timestamp,
) -> Result<bool, store::Error> {
    match sql::find_client_session(&mut *tx, id).await? {
        Some(session) if session.user_id == Some(user_id) => {
            end(tx, id, user_id, session.device_id, reason, now).await
        }
        _ => Ok(false),
    }
}

/// Ends all live sessions of the user, and returns how many these were.
///
/// # Errors
/// When the database fails.
pub async fn end_all(tx: &mut Tx, user_id: UserId, reason: EndReason, now: Timestamp) -> Result<u64, Error> {
    let mut ended = 0;
    for session in list(&mut *tx, user_id, None, i64::MAX).await? {
        ended += u64::from(end(tx, session.id, user_id, session.device_id, reason, now).await?);
    }
    Ok(ended)
}

/// Ends the user's live sessions that were granted this scope, and returns how many these were.
///
/// # Errors
/// When the database fails.
pub async fn end_all_with_scope(
    tx: &mut Tx,
    user_id: UserId,
    scope: &str,
    reason: EndReason,
    now: Timestamp,
) -> Result<u64, Error> {
    let mut ended = 0;
    for session in list(&mut *tx, user_id, None, i64::MAX).await? {
        // RFC 6749 §3.3: a scope is a list of tokens with spaces between them.
        if session.scope.split(' ').any(|token| token == scope) {
            ended += u64::from(end(tx, session.id, user_id, session.device_id, reason, now).await?);
        }
    }
    Ok(ended)
}

/// Ends all live sessions of a client that is being removed.
///
/// # Errors
/// When the database fails.
pub async fn end_all_of_client(tx: &mut Tx, client_id: &ClientId, now: Timestamp) -> Result<(), Error> {
    for session in list_of_client(&mut *tx, client_id).await? {
        end(tx, session.id, session.user_id, session.device_id, EndReason::ClientRemoved, now).await?;
    }
    Ok(())
}

/// Ends the user's live sessions with a client, and returns how many these were.
///
/// # Errors
/// When the database fails.
pub async fn end_all_of_user_and_client(
    tx: &mut Tx,
    user_id: UserId,
    client_id: &ClientId,
    reason: EndReason,
    now: Timestamp,
) -> Result<u64, Error> {
    let mut ended = 0;
    for session in list(&mut *tx, user_id, None, i64::MAX).await? {
        if session.client_id.as_ref() == Some(client_id) {
            ended += u64::from(end(tx, session.id, user_id, session.device_id, reason, now).await?);
        }
    }
    Ok(ended)
}

/// Gives a live session of the user another name; `false` when it is over.
///
/// # Errors
/// When the database fails.
pub async fn rename(tx: &mut Tx, id: ClientSessionId, user_id: UserId, name: &str) -> Result<bool, Error> {
    sql::set_name(tx, id, user_id, name).await
}

/// A live session by its identifier.
///
/// # Errors
/// When the database fails.
pub async fn find(on: impl Into<On<'_>>, id: ClientSessionId) -> Result<Option<ClientSession>, Error> {
    sql::find_client_session(on, id).await
}

/// The live session on a device of the user.
///
/// # Errors
/// When the database fails.
pub async fn find_by_device(
    store: &Store,
    user_id: UserId,
    device_id: &DeviceId,
) -> Result<Option<ClientSession>, Error> {
    sql::find_client_session_of_device(store, user_id, device_id).await
}

/// The user's live sessions, the last begun first, below the one named `before`.
///
/// # Errors
/// When the database fails.
pub async fn list(
    on: impl Into<On<'_>>,
    user_id: UserId,
    before: Option<ClientSessionId>,
    limit: i64,
) -> Result<Vec<ClientSession>, Error> {
    sql::list_client_sessions(on, user_id, before, limit).await
}

/// The client's live sessions, whoever allowed them.
///
/// # Errors
/// When the database fails.
pub async fn list_of_client(
    on: impl Into<On<'_>>,
    client_id: &ClientId,
) -> Result<Vec<ClientSession>, Error> {
    sql::list_client_sessions_of_client(on, client_id).await
}

/// How many live sessions clients have with an account. Read of the column `sessions`, which has both numbers:
/// they are counted in one go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// All of them.
    pub live: u64,
    /// Those with a Matrix device.
    pub with_device: u64,
}

/// Counts the user's live sessions, without the one on the device `except`, which a new session there
/// would replace.
///
/// # Errors
/// When the database fails.
pub async fn count(
    on: impl Into<On<'_>>,
    user_id: UserId,
    except: Option<&DeviceId>,
) -> Result<Count, Error> {
    sql::count_client_sessions(on, user_id, except).await
}

/// What a new session is made of.
pub struct NewClientSession {
    /// Whose account; nobody's when the client acts for itself.
    pub user_id: Option<UserId>,
    /// Which client; none when it signs in by the login API of older Matrix clients.
    pub client_id: Option<ClientId>,
    /// The browser session in which it was allowed.
    pub browser_session_id: Option<BrowserSessionId>,
    /// What was granted.
    pub scope: String,
    /// The Matrix device.
    pub device_id: Option<DeviceId>,
    /// When the person, or the client that acts for itself, last proved who they are.
    pub authenticated_at: Timestamp,
    /// How the person proved it; not at all when the client acts for itself.
    pub methods: Methods,
}
