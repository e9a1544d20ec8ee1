//! The board on which changes are announced, so that what a node remembers is never stale.
//!
//! Every change has a number. Whoever is about to read notes the number of the last change; what was
//! read may be remembered, and what is remembered may be used, only while nothing newer was announced
//! about the same session, user or client. A read that began before a change can therefore never fill in its
//! answer after the change was announced.
//!
//! They share a fixed number of places on the board. That two of them share a place only makes a node
//! read once more than it had to.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::ids::{ClientId, ClientSessionId, UserId};

/// Places on the board; a power of two.
const PLACES: usize = 1 << 13;

/// Something that answers depend on has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A session: it ended, or what it may do changed.
    Session(ClientSessionId),
    /// A user: locked, unlocked, deactivated, reactivated or provisioned.
    User(UserId),
    /// A client: what it registered, or that it is gone.
    Client(ClientId),
    /// There are tokens that another server issued, which there may not have been before.
    ForeignTokens,
}

impl Change {
    /// The change as it travels between nodes.
    pub fn to_payload(&self) -> String {
        match self {
            Change::Session(id) => format!("session:{id}"),
            Change::User(id) => format!("user:{id}"),
            Change::Client(id) => format!("client:{id}"),
            Change::ForeignTokens => "foreign_tokens:".to_owned(),
        }
    }

    /// Reads what another node announced; `None` for what this one does not know.
    pub fn from_payload(payload: &str) -> Option<Change> {
        match payload.split_once(':')? {
            ("session", id) => id.parse().ok().map(Change::Session),
            ("user", id) => id.parse().ok().map(Change::User),
            ("client", id) => Some(Change::Client(ClientId(id.to_owned()))),
            ("foreign_tokens", "") => Some(Change::ForeignTokens),
            _ => None,
        }
    }

    fn place(&self) -> usize {
        match self {
            Change::Session(id) => place_of_session(*id),
            Change::User(id) => place_of_user(*id),
            Change::Client(id) => place_of_client(id),
            Change::ForeignTokens => place(&3u8),
        }
    }
}

fn place_of_session(id: ClientSessionId) -> usize {
    place(&(0u8, id.to_bytes()))
}

fn place_of_user(id: UserId) -> usize {
    place(&(1u8, id.to_bytes()))
}

fn place_of_client(id: &ClientId) -> usize {
    place(&(2u8, &id.0))
}

fn place(what: &impl Hash) -> usize {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    usize::try_from(hasher.finish()).unwrap_or(usize::MAX) & (PLACES - 1)
}

/// When something was read, as far as changes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(u64);

/// The board.
pub struct Changes {
    last: AtomicU64,
    places: Box<[AtomicU64]>,
    /// What was read before this is forgotten.
    floor: AtomicU64,
    started: Instant,
    /// Until when what is remembered may be trusted, in milliseconds since `started`. A node that
    /// hears of others' changes over a channel extends this for as long as it knows the channel alive.
    trusted_until: AtomicU64,
}

impl Changes {
    /// The board of a node that is alone with its database.
    pub fn alone() -> Changes {
        Changes::with_trust(u64::MAX)
    }

    /// The board of a node among others; it trusts its memory only while it is told to.
    pub fn among_others() -> Changes {
        Changes::with_trust(0)
    }

    fn with_trust(trusted_until: u64) -> Changes {
        Changes {
            last: AtomicU64::new(1),
            places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
            floor: AtomicU64::new(0),
            started: Instant::now(),
            trusted_until: AtomicU64::new(trusted_until),
        }
    }

    /// To be noted before a read whose answer may be remembered.
    pub fn stamp(&self) -> Stamp {
        Stamp(self.last.load(Ordering::SeqCst))
    }

    /// Announces a change that has been committed, or that may have been.
    pub fn announce(&self, change: &Change) {
        let number = self.last.fetch_add(1, Ordering::SeqCst) + 1;
        self.places[change.place()].fetch_max(number, Ordering::SeqCst);
    }

    /// Forgets everything that was read so far.
    pub fn forget_everything(&self) {
        let number = self.last.fetch_add(1, Ordering::SeqCst) + 1;
        self.floor.fetch_max(number, Ordering::SeqCst);
    }

    /// Whether what was read at the stamp still holds for the session and its user, if it has one.
    pub fn is_current(
        &self,
        stamp: Stamp,
        session: ClientSessionId,
        user: impl Into<Option<UserId>>,
    ) -> bool {
        self.is_unchanged(stamp, place_of_session(session))
            && user.into().is_none_or(|user| self.is_unchanged(stamp, place_of_user(user)))
            && self.is_trusted(stamp)
    }

    /// Whether what was read of a client at the stamp still holds.
    pub fn is_client_current(&self, stamp: Stamp, client: &ClientId) -> bool {
        self.is_unchanged(stamp, place_of_client(client)) && self.is_trusted(stamp)
    }

    fn is_unchanged(&self, stamp: Stamp, place: usize) -> bool {
        self.places[place].load(Ordering::SeqCst) <= stamp.0
    }

    /// Whether what was read at the stamp still holds, if nothing but this change could have made it
    /// otherwise.
    pub fn is_before(&self, stamp: Stamp, change: &Change) -> bool {
        self.is_unchanged(stamp, change.place()) && self.is_trusted(stamp)
    }

    /// Trusts what is remembered for `span` after `since`, which is when the channel was last known
    /// to deliver.
    pub fn trust(&self, since: Instant, span: Duration) {
        let until = since.saturating_duration_since(self.started) + span;
        let until = u64::try_from(until.as_millis()).unwrap_or(u64::MAX - 1);
        self.trusted_until.store(until, Ordering::SeqCst);
    }

    /// Stops trusting what is remembered.
    pub fn distrust(&self) {
        self.trusted_until.store(0, Ordering::SeqCst);
    }

    /// Whether anything that is remembered may be used at this moment.
    pub fn is_any_trusted(&self) -> bool {
        self.is_trusted(self.stamp())
    }

    fn is_trusted(&self, stamp: Stamp) -> bool {
        if stamp.0 < self.floor.load(Ordering::SeqCst) {
            return false;
        }
        match self.trusted_until.load(Ordering::SeqCst) {
            u64::MAX => true,
            until => self.started.elapsed().as_millis() < u128::from(until),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn ids() -> (ClientSessionId, UserId) {
        (ClientSessionId::new(Timestamp(1)), UserId::new(Timestamp(1)))
    }

    #[test]
    fn what_was_read_before_a_change_is_not_current_after_it() {
        let changes = Changes::alone();
        let (session, user) = ids();
        let before = changes.stamp();
        assert!(changes.is_current(before, session, user));
        changes.announce(&Change::Session(session));
        assert!(!changes.is_current(before, session, user));
        let after = changes.stamp();
        assert!(changes.is_current(after, session, user));
        changes.announce(&Change::User(user));
        assert!(!changes.is_current(after, session, user));
        let after = changes.stamp();
        changes.forget_everything();
        assert!(!changes.is_current(after, session, user));
    }

    #[test]
    fn a_client_that_was_read_before_its_change_is_not_current_after_it() {
        let changes = Changes::alone();
        let client = ClientId("client".to_owned());
        let before = changes.stamp();
        assert!(changes.is_client_current(before, &client));
        changes.announce(&Change::Client(client.clone()));
        assert!(!changes.is_client_current(before, &client));
        assert!(changes.is_client_current(changes.stamp(), &client));
    }

    #[test]
    fn others_are_not_disturbed() {
        let changes = Changes::alone();
        let (session, user) = ids();
        let (stranger, _) = ids();
        let before = changes.stamp();
        changes.announce(&Change::Session(stranger));
        let share_a_place = Change::Session(stranger).place() == Change::Session(session).place();
        assert!(changes.is_current(before, session, user) || share_a_place);
    }

    #[test]
    fn a_node_among_others_trusts_only_while_it_is_told_to() {
        let changes = Changes::among_others();
        let (session, user) = ids();
        assert!(!changes.is_current(changes.stamp(), session, user));
        changes.trust(Instant::now(), Duration::from_secs(60));
        assert!(changes.is_current(changes.stamp(), session, user));
        changes.distrust();
        assert!(!changes.is_current(changes.stamp(), session, user));
    }

    #[test]
    fn changes_travel_as_text() {
        let (session, user) = ids();
        let client = ClientId("a:b ä".to_owned());
        for change in
            [Change::Session(session), Change::User(user), Change::Client(client), Change::ForeignTokens]
        {
            assert_eq!(Change::from_payload(&change.to_payload()), Some(change));
        }
        assert_eq!(Change::from_payload("weather:rain"), None);
        assert_eq!(Change::from_payload(""), None);
    }
}
