//! What a node remembers of access tokens and clients: bounded, and never stale.
//!
//! It may be lost at any moment. Whether something may still be used is decided by the board of
//! changes in `store/`; the rules about what to remember are the rooms'.

use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use quick_cache::sync::Cache;

use crate::ids::{ClientId, ClientSessionId, DeviceId, UserId};
use crate::methods::Methods;
use crate::store::{Change, Changes, Stamp};
use crate::time::Timestamp;

/// How many tokens are remembered; each takes about half a kilobyte.
const CAPACITY: usize = 1 << 16;

/// How many clients are remembered; each takes a kilobyte or two.
const CLIENTS: usize = 1 << 10;

/// The use of a token is noted no more often than this.
const NOTED_AGAIN_MILLISECONDS: i64 = 60_000;

/// What tokens are remembered by: their SHA-256.
pub type Digest = [u8; 32];

/// Whose account a token gives access to.
#[derive(Debug)]
pub struct TokenUser {
    /// The user.
    pub id: UserId,
    /// The user's name on the homeserver.
    pub localpart: String,
}

/// An access token that was found good, and the facts that answers tell of it.
#[derive(Debug)]
pub struct ActiveToken {
    /// Its session.
    pub session_id: ClientSessionId,
    /// Whose account; nobody's when the client acts for itself.
    pub user: Option<TokenUser>,
    /// Which client; none when it signed in by the login API of older Matrix clients.
    pub client_id: Option<ClientId>,
    /// What was granted.
    pub scope: String,
    /// The Matrix device in the scope.
    pub device_id: Option<DeviceId>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When and how the person proved who they are.
    pub proved: (Timestamp, Methods),
    /// What introspection tells the homeserver of it, without and with the device, once somebody has put it together:
    /// JSON up to the one number that changes.
    pub told: [OnceLock<Box<str>>; 2],
    /// When its use was last noted, in milliseconds.
    noted_at: AtomicI64,
}

impl ActiveToken {
    /// The facts of a token of a session.
    pub fn new(
        session_id: ClientSessionId,
        user: Option<TokenUser>,
        client_id: Option<ClientId>,
        scope: String,
        device_id: Option<DeviceId>,
        issued_at: Timestamp,
        expires_at: Timestamp,
    ) -> ActiveToken {
        let (told, noted_at) = (Default::default(), AtomicI64::new(i64::MIN));
        let proved = (issued_at, Methods::default());
        ActiveToken {
            session_id,
            user,
            client_id,
            scope,
            device_id,
            issued_at,
            expires_at,
            proved,
            told,
            noted_at,
        }
    }

    /// The same, of a session whose person proved then and thus who they are.
    #[must_use]
    pub fn proved(self, at: Timestamp, methods: Methods) -> ActiveToken {
        ActiveToken { proved: (at, methods), ..self }
    }

    fn user_id(&self) -> Option<UserId> {
        self.user.as_ref().map(|user| user.id)
    }
}

/// A client. What that is, is for its room to say.
type AnyClient = Arc<dyn Any + Send + Sync>;

#[derive(Clone)]
struct Remembered<What> {
    stamp: Stamp,
    what: What,
}

/// A node's memory.
pub struct Known {
    changes: Arc<Changes>,
    tokens: Cache<Digest, Remembered<Arc<ActiveToken>>>,
    clients: Cache<ClientId, Remembered<AnyClient>>,
    seen: Mutex<HashMap<ClientSessionId, Timestamp>>,
    has_foreign_tokens: Mutex<Option<(Stamp, bool)>>,
}

impl Known {
    /// An empty memory that follows the board.
    pub fn new(changes: Arc<Changes>) -> Known {
        Known {
            changes,
            tokens: Cache::new(CAPACITY),
            clients: Cache::new(CLIENTS),
            seen: Mutex::new(HashMap::new()),
            has_foreign_tokens: Mutex::new(None),
        }
    }

    /// To be noted before reading what shall be remembered.
    pub fn stamp(&self) -> Stamp {
        self.changes.stamp()
    }

    /// The token that is remembered, if what is remembered still holds and it has not expired.
    pub fn find(&self, digest: &Digest, now: Timestamp) -> Option<Arc<ActiveToken>> {
        let Remembered { stamp, what: token } = self.tokens.get(digest)?;
        if self.changes.is_current(stamp, token.session_id, token.user_id()) && now < token.expires_at {
            return Some(token);
        }
        self.tokens.remove(digest);
        None
    }

    /// Remembers a token that was read after the stamp was noted, unless something about its session
    /// or user was announced since.
    pub fn remember(&self, digest: Digest, stamp: Stamp, token: Arc<ActiveToken>) {
        if self.changes.is_current(stamp, token.session_id, token.user_id()) {
            self.tokens.insert(digest, Remembered { stamp, what: token });
        }
    }

    /// The client that is remembered, if what is remembered still holds.
    pub fn find_client<Client: Any + Send + Sync>(&self, id: &ClientId) -> Option<Arc<Client>> {
        let Remembered { stamp, what: client } = self.clients.get(id)?;
        client.downcast().ok().filter(|_| self.changes.is_client_current(stamp, id))
    }

    /// Remembers a client that was read after the stamp was noted.
    pub fn remember_client(&self, id: &ClientId, stamp: Stamp, client: AnyClient) {
        self.clients.insert(id.clone(), Remembered { stamp, what: client });
    }

    /// Whether the database has tokens that another server issued, if that is known and still holds.
    pub fn has_foreign_tokens(&self) -> Option<bool> {
        let known = *self.has_foreign_tokens.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .filter(|(stamp, _)| self.changes.is_before(*stamp, &Change::ForeignTokens))
            .map(|(_, has_some)| has_some)
    }

    /// Remembers whether there are such tokens, as it was read after the stamp was noted.
    pub fn remember_foreign_tokens(&self, stamp: Stamp, has_some: bool) {
        let mut known = self.has_foreign_tokens.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((stamp, has_some));
    }

    /// Notes that a token was used, to be written down later with others.
    pub fn note_seen(&self, token: &ActiveToken, now: Timestamp) {
        let noted_at = token.noted_at.load(Ordering::Relaxed);
        if now.0.saturating_sub(noted_at) < NOTED_AGAIN_MILLISECONDS {
            return;
        }
        token.noted_at.store(now.0, Ordering::Relaxed);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(token.session_id, now);
    }

    /// What was noted and is not known to be written down: each session and its last use.
    pub fn seen(&self) -> Vec<(ClientSessionId, Timestamp)> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().map(|(session, at)| (*session, *at)).collect()
    }

    /// Forgets what has been written down; a later use that was noted meanwhile stays.
    pub fn forget_seen(&self, written: &[(ClientSessionId, Timestamp)]) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (session, at) in written {
            if seen.get(session) == Some(at) {
                seen.remove(session);
            }
        }
        // After a rush the room is given back.
        if seen.is_empty() {
            *seen = HashMap::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000);

    fn token() -> Arc<ActiveToken> {
        Arc::new(ActiveToken::new(
            ClientSessionId::new(NOW),
            Some(TokenUser { id: UserId::new(NOW), localpart: "alice".to_owned() }),
            Some(ClientId("client".to_owned())),
            "openid".to_owned(),
            None,
            NOW,
            Timestamp(2_000),
        ))
    }

    #[test]
    fn a_read_that_began_before_a_change_is_not_remembered_after_it() {
        let changes = Arc::new(Changes::alone());
        let known = Known::new(changes.clone());
        let token = token();
        let stamp = known.stamp();
        // Here the database is read; meanwhile the session ends on this node or another.
        changes.announce(&Change::Session(token.session_id));
        known.remember([1; 32], stamp, token.clone());
        assert!(known.find(&[1; 32], NOW).is_none());
        // One that began after it is.
        known.remember([1; 32], known.stamp(), token.clone());
        assert!(known.find(&[1; 32], NOW).is_some());
        changes.announce(&Change::User(token.user_id().unwrap()));
        assert!(known.find(&[1; 32], NOW).is_none());
    }

    #[test]
    fn that_there_are_no_foreign_tokens_is_forgotten_when_some_come() {
        let changes = Arc::new(Changes::alone());
        let known = Known::new(changes.clone());
        assert_eq!(known.has_foreign_tokens(), None);
        let stamp = known.stamp();
        known.remember_foreign_tokens(stamp, false);
        assert_eq!(known.has_foreign_tokens(), Some(false));
        changes.announce(&Change::ForeignTokens);
        assert_eq!(known.has_foreign_tokens(), None);
        known.remember_foreign_tokens(stamp, false);
        assert_eq!(known.has_foreign_tokens(), None, "a read that began before");
        known.remember_foreign_tokens(known.stamp(), true);
        assert_eq!(known.has_foreign_tokens(), Some(true));
    }

    #[test]
    fn what_is_remembered_expires_to_the_millisecond() {
        let known = Known::new(Arc::new(Changes::alone()));
        known.remember([1; 32], known.stamp(), token());
        assert!(known.find(&[1; 32], Timestamp(1_999)).is_some());
        assert!(known.find(&[1; 32], Timestamp(2_000)).is_none());
    }

    #[test]
    fn use_is_noted_once_a_minute() {
        let known = Known::new(Arc::new(Changes::alone()));
        let token = token();
        for at in [NOW, Timestamp(NOW.0 + 59_999), Timestamp(NOW.0 + 60_000)] {
            known.note_seen(&token, at);
        }
        assert_eq!(known.seen(), [(token.session_id, Timestamp(NOW.0 + 60_000))]);
    }

    #[test]
    fn a_use_is_forgotten_once_it_is_written_and_a_later_one_is_not() {
        let known = Known::new(Arc::new(Changes::alone()));
        let token = token();
        known.note_seen(&token, NOW);
        let written = known.seen();
        assert_eq!(known.seen(), written, "looking changes nothing");
        let later = Timestamp(NOW.0 + 60_000);
        known.note_seen(&token, later);
        known.forget_seen(&written);
        assert_eq!(known.seen(), [(token.session_id, later)]);
        known.forget_seen(&known.seen());
        assert!(known.seen().is_empty());
    }
}
