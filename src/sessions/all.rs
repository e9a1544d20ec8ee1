//! A person's sessions of both kinds as one list, the way they see them: browsers and clients.

use std::fmt;
use std::str::FromStr;

use super::browser::{self, BrowserSession};
use super::client::{self, ClientSession, EndReason};
use super::sql;
use crate::clients::device_requests;
use crate::ids::{BrowserSessionId, ClientSessionId, InvalidId, UserId};
use crate::store::{self, Store, Tx};
use crate::time::Timestamp;

/// A session of either kind.
#[derive(Clone, Debug)]
pub enum Session {
    /// A browser.
    Browser(BrowserSession),
    /// A client.
    Client(ClientSession),
}

/// Names a session of either kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionId {
    /// A browser.
    Browser(BrowserSessionId),
    /// A client.
    Client(ClientSessionId),
}

/// A place in the list, which runs from the session used last to the one used first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub(super) last_seen_at: Timestamp,
    /// The session's identifier: it decides between sessions used in the same millisecond.
    pub(super) id: String,
}

/// Which part of the list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Its beginning.
    First,
    /// What was used before the session at this place.
    Before(Place),
    /// What was used after it: from there upwards.
    After(Place),
}

/// How many live sessions there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of both kinds.
    pub sessions: u64,
    /// How many of these are Matrix devices.
    pub devices: u64,
}

impl Session {
    /// Where it stands in the list.
    pub fn place(&self) -> Place {
        match self {
            Session::Browser(session) => {
                Place { last_seen_at: session.last_seen_at, id: session.id.to_string() }
            }
            Session::Client(session) => {
                Place { last_seen_at: session.last_seen_at, id: session.id.to_string() }
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.last_seen_at.0, self.id)
    }
}

impl FromStr for Place {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Place, InvalidId> {
        let (millis, id) = text.split_once('-').ok_or(InvalidId)?;
        let last_seen_at = Timestamp(millis.parse().map_err(|_| InvalidId)?);
        let id: BrowserSessionId = id.parse()?;
        Ok(Place { last_seen_at, id: id.to_string() })
    }
}

/// Up to `limit` live sessions of the user besides the browser session `except`, beginning where the part
/// begins: the last used first, but those after a place the other way round.
///
/// # Errors
/// When the database fails.
pub async fn list(
    store: &Store,
    user_id: UserId,
    except: BrowserSessionId,
    part: &Part,
    limit: i64,
) -> Result<Vec<Session>, store::Error> {
    sql::all::list(store, user_id, except, part, limit).await
}

/// What reads the list, for tests that ask how the engines go about it: parameters as in [`list`], with the
/// moment and the identifier of a place.
#[doc(hidden)]
pub const LISTS: [&str; 2] = [sql::all::LIST_BEFORE, sql::all::LIST_AFTER];

/// Counts the live sessions of the user besides the browser session `except`.
///
/// # Errors
/// When the database fails.
pub async fn count(store: &Store, user_id: UserId, except: BrowserSessionId) -> Result<Counts, store::Error> {
    sql::all::count(store, user_id, except).await
}

/// The live session of that identifier, if it is the user's.
///
/// # Errors
/// When the database fails.
pub async fn find(store: &Store, id: SessionId, user_id: UserId) -> Result<Option<Session>, store::Error> {
    sql::all::find(store, id, user_id).await
}

/// Whether the user has or had a session of that identifier. Those that ended long ago are forgotten.
///
/// # Errors
/// When the database fails.
pub async fn was_of(store: &Store, id: SessionId, user_id: UserId) -> Result<bool, store::Error> {
    sql::all::was_of(store, id, user_id).await
}

/// Ends the live session of that identifier if it is the user's, at their own wish; `false`
/// otherwise.
///
/// # Errors
/// When the database fails.
pub async fn end(tx: &mut Tx, id: SessionId, user_id: UserId, now: Timestamp) -> Result<bool, store::Error> {
    match id {
        SessionId::Browser(id) => browser::end(tx, id, user_id, now).await,
        SessionId::Client(id) => client::end_of_user(tx, id, user_id, EndReason::SignedOut, now).await,
    }
}

/// How many sessions were ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Sessions in browsers.
    pub browsers: u64,
    /// Sessions of clients, and tokens.
    pub clients: u64,
}

/// Ends every live session of the user besides the browser session `except`, and what was allowed in one of them and
/// is still to begin: what devices wait for, beside the codes and login tokens that rest on the browser session.
///
/// # Errors
/// When the database fails.
pub async fn end_all(
    tx: &mut Tx,
    user_id: UserId,
    except: Option<BrowserSessionId>,
    reason: EndReason,
    now: Timestamp,
) -> Result<Ended, store::Error> {
    // Browsers first, as whatever rests on one does: who allows something in one of them at this moment, or redeems what was
    // allowed there, is waited for, and what came of it found.
    let browsers = browser::end_all(tx, user_id, except, now).await?;
    device_requests::withdraw_all(tx, user_id, now).await?;
    let clients = client::end_all(tx, user_id, reason, now).await?;
    Ok(Ended { browsers, clients })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        let text = "1795216860000-01ARZ3NDEKTSV4RRFFQ69G5FAV";
        assert_eq!(text.parse::<Place>().map(|place| place.to_string()), Ok(text.to_owned()));
        for bad in
            ["", "-", "1", "1-", "1-x", "x-01ARZ3NDEKTSV4RRFFQ69G5FAV", "1-01ARZ3NDEKTSV4RRFFQ69G5FAV-1"]
        {
            assert_eq!(bad.parse::<Place>(), Err(InvalidId), "{bad}");
        }
    }
}
