//! Personal tokens: access to an account for a program of the person's own, such as a bot, which cannot sign in
//! as apps do.
//!
//! Such a token is the one access token of a client session without an OAuth client, with a name and an end. It
//! cannot be refreshed. Lists, ends, limits, jobs and memory know it as a session like any other.

use super::client::{ClientSession, NewClientSession};
use super::sql;
use super::tokens::{self, Issue};
use crate::ids::{ClientSessionId, UserId};
use crate::store::{self, On, Tx};

/// Makes a token that lives as long as `issue` says. The device, if there is one, must have been claimed in the
/// same transaction ([`claim`](super::device::claim)).
///
/// # Errors
/// When the database fails.
pub async fn start(
    tx: &mut Tx,
    new: &NewClientSession,
    name: &str,
    issue: &Issue<'_>,
) -> Result<(ClientSessionId, String), store::Error> {
    // Nobody gets the refresh token.
    let (id, pair) = tokens::start_session(tx, new, issue).await?;
    if let Some(user) = new.user_id {
        sql::set_name(tx, id, user, name).await?;
    }
    sql::set_expiry(tx, id, issue.now + issue.lifetime).await?;
    Ok((id, pair.access_token))
}

/// The user's tokens that have not ended, the last made first.
///
/// # Errors
/// When the database fails.
pub async fn list(on: impl Into<On<'_>>, user_id: UserId) -> Result<Vec<ClientSession>, store::Error> {
    sql::list_personal_tokens(on, user_id).await
}
