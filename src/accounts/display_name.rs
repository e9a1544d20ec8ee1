//! The name that a person chose to be shown by. The homeserver has it, since apps change it there; here stands
//! only the change that the homeserver has yet to be told of.

use std::time::Duration;

use super::activity::{self, Event};
use super::jobs::SetDisplayName;
use super::mails::Occasion;
use crate::app::App;
use crate::homeserver;
use crate::ids::{Localpart, UserId};
use crate::jobs;
use crate::store::{self, Tx};
use crate::time::Timestamp;

/// The longest name that homeservers take, in characters.
pub const LONGEST: usize = 256;

/// How long a page waits for the homeserver: it can do without.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is known of a person's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DisplayName {
    /// This is it; or there is none.
    Known(Option<String>),
    /// The homeserver does not answer.
    Unknown,
}

/// The name that a text stands for: `None` when nothing would be seen of it, and an error when it is too long.
///
/// # Errors
/// [`TooLong`].
pub fn read(typed: &str) -> Result<Option<String>, TooLong> {
    let name: String = typed.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let name = name.trim();
    match name.chars().count() {
        count if count > LONGEST => Err(TooLong),
        _ if crate::http::words::shown(name).is_empty() => Ok(None),
        _ => Ok(Some(name.to_owned())),
    }
}

/// A name of more than [`LONGEST`] characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// Asks what the person is called.
///
/// # Errors
/// When the database fails.
pub async fn find(app: &App, user: UserId, localpart: &Localpart) -> Result<DisplayName, store::Error> {
    if let Some(waiting) = SetDisplayName::waiting(&app.store, user).await? {
        return Ok(DisplayName::Known(waiting.display_name));
    }
    let asked = tokio::time::timeout(PATIENCE, app.homeserver.query_user(localpart)).await;
    Ok(match asked {
        Ok(Ok(facts)) => DisplayName::Known(facts.display_name),
        // It does not know the person yet.
        Ok(Err(homeserver::Error::NotFound)) => DisplayName::Known(None),
        Ok(Err(error)) => {
            tracing::warn!(%error, "what the homeserver calls a person is not known");
            DisplayName::Unknown
        }
        Err(_) => DisplayName::Unknown,
    })
}

/// Changes the name, here at once and on the homeserver as soon as it answers; [`App::wake_workers`] once this is
/// committed.
///
/// # Errors
/// When the database fails.
pub async fn set(
    tx: &mut Tx,
    user_id: UserId,
    display_name: Option<String>,
    occasion: &Occasion,
    now: Timestamp,
) -> Result<(), store::Error> {
    jobs::enqueue(tx, &SetDisplayName { user_id, display_name }, now).await?;
    activity::add(tx, user_id, Event::DisplayNameChanged, occasion).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_can_be_seen() {
        assert_eq!(read("  Alice  Liddell\r\n"), Ok(Some("Alice  Liddell".to_owned())));
        for nothing in ["", "  ", "\u{200b}\u{202e}", "\n"] {
            assert_eq!(read(nothing), Ok(None), "{nothing:?}");
        }
        assert_eq!(read(&"ß".repeat(LONGEST)), Ok(Some("ß".repeat(LONGEST))));
        assert_eq!(read(&"ß".repeat(LONGEST + 1)), Err(TooLong));
    }
}
