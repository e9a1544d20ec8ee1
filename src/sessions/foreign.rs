//! Sessions that another server began, brought here with the tokens that it issued, so that nobody has to
//! sign in again. Their shape does not matter, unless it claims to be ours ([`TokenKind::is_claimed_by`]):
//! such a token is never looked up.

use super::client::{MATRIX_API_SCOPE, NewClientSession};
use super::sql;
use crate::http::requester::Requester;
use crate::ids::{ClientSessionId, DeviceId, UserId};
use crate::keys::{self, Family, RootSecret, digest_of_token};
use crate::methods::Methods;
use crate::store::{self, Change, Tx};
use crate::time::Timestamp;

#[allow(unused_imports, reason = "named in this file's documentation")]
use crate::keys::TokenKind;

/// A session of another server.
#[derive(Debug)]
pub struct ForeignSession {
    /// Whose account.
    pub user_id: UserId,
    /// The Matrix device, which the homeserver has already; never one with a live session here.
    pub device_id: Option<DeviceId>,
    /// The access tokens, with the moment at which each expires ([`Timestamp::NEVER`] for those that do not).
    pub access_tokens: Vec<(String, Timestamp)>,
    /// The refresh token, if the client has one. What it is refreshed to are tokens of ours.
    pub refresh_token: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_seen_at: Timestamp,
    /// From where it was last used, and with what.
    pub last_seen_by: Requester,
}

/// Takes over a session.
///
/// # Errors
/// [`store::Error::Conflict`] when a token or the device is here already.
pub async fn add(
    tx: &mut Tx,
    session: &ForeignSession,
    root: &RootSecret,
) -> Result<ClientSessionId, store::Error> {
    let refresh_family = match &session.refresh_token {
        Some(token) => Family::of_foreign(token, root),
        None => Family::new(),
    };
    let began = session.created_at;
    // Without an access token, one that nobody has and that is good no more.
    let none = (keys::random_secret(), began);
    let (first, others) = session.access_tokens.split_first().unwrap_or((&none, &[]));
    let digests = sql::tokens::FirstDigests {
        access_family: refresh_family.for_access(root).digest(),
        refresh_family: refresh_family.digest(),
        // Without a refresh token, one that nobody has.
        refresh: digest_of_token(session.refresh_token.as_ref().unwrap_or(&keys::random_secret())),
    };
    let new = NewClientSession {
        user_id: Some(session.user_id),
        client_id: None,
        browser_session_id: None,
        scope: MATRIX_API_SCOPE.to_owned(),
        device_id: session.device_id.clone(),
        authenticated_at: session.created_at,
        // Nobody knows any more.
        methods: Methods::default(),
    };
    let id = ClientSessionId::new(began);
    sql::tokens::addition_of_session(id, &new, digests, &session.last_seen_by, began).execute(tx).await?;
    sql::set_seen(tx, id, session.last_seen_at).await?;
    sql::set_foreign(tx, id).await?;
    for (token, expires_at) in std::iter::once(first).chain(others) {
        let digest = digest_of_token(token);
        sql::tokens::addition_of_access_token(&digest, id, began, *expires_at).execute(tx).await?;
    }
    tx.announce(Change::ForeignTokens);
    Ok(id)
}
