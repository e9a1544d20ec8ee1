//! Matrix devices, from before a sign-in makes one on the homeserver until its session is there.

use std::time::Duration;

use super::client::EndReason;
use super::jobs::DeleteDevice;
use super::sql;
use crate::app::App;
use crate::homeserver;
use crate::ids::{DeviceId, Localpart, UserId};
use crate::jobs;
use crate::random;
use crate::store::{self, Change, Query, Tx};
use crate::time::Timestamp;

/// How long a sign-in may take to get its device ready on the homeserver.
const HELD: Duration = Duration::from_secs(30);

/// How often a device that is busy is tried again, and how long between.
const TRIES: usize = 40;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// The longest name for a device that homeservers take, in characters.
pub const LONGEST_NAME: usize = 100;
/// The most bytes of a device identifier that homeservers accept.
pub const LONGEST_ID: usize = 255;

/// A fresh identifier: ten letters and digits, as homeservers make them.
pub fn new_id() -> DeviceId {
    const CHARACTERS: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut id = String::with_capacity(10);
    while id.len() < 10 {
        let mut bytes = [0u8; 16];
        random::fill(&mut bytes);
        // Bytes beyond the last multiple of 36 would make some characters likelier than others.
        let fair = bytes.into_iter().filter(|byte| *byte < 252).map(|byte| usize::from(byte) % 36);
        id.extend(fair.map(|place| char::from(CHARACTERS[place])).take(10 - id.len()));
    }
    DeviceId(id)
}

/// A device for which a sign-in is on its way: nobody else may sign in on it or delete it meanwhile.
#[derive(Debug)]
pub struct HeldDevice {
    user_id: UserId,
    device_id: DeviceId,
    queue: jobs::Held,
    is_new: bool,
}

impl HeldDevice {
    /// Whether the homeserver did not have it before.
    pub fn is_new(&self) -> bool {
        self.is_new
    }
}

/// Why a session cannot begin on a device just now.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The homeserver is deleting it, or another sign-in is on its way.
    #[error("this device is busy; try again in a moment")]
    Busy,
    /// It was held for too long, and may be gone.
    #[error("the homeserver took too long")]
    TooLate,
    /// The homeserver did not make it.
    #[error(transparent)]
    Homeserver(#[from] homeserver::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Gets a device ready for a session: holds it, waiting a little while it is being deleted or another
/// sign-in is on its way, and has the homeserver make it, since the client calls the homeserver the
/// moment it has its token. A device that is new there gets the name. The hold ends with the session's
/// transaction ([`claim`]), or without one ([`settle`]).
///
/// # Errors
/// [`NotReady`]; nothing is held then.
pub async fn make_ready(
    app: &App,
    user_id: UserId,
    localpart: &Localpart,
    device_id: &DeviceId,
    name: Option<&str>,
    now: Timestamp,
) -> Result<HeldDevice, NotReady> {
    let mut held = hold_patiently(app, user_id, device_id, now).await?;
    match app.homeserver.upsert_device(localpart, device_id).await {
        Ok(is_new) => {
            held.is_new = is_new;
            if let Some(name) = name.filter(|_| is_new) {
                let name: String = name.chars().take(LONGEST_NAME).collect();
                // Without its name the device is as good as with it.
                if let Err(error) = app.homeserver.rename_device(localpart, device_id, &name).await {
                    tracing::warn!(%error, "the homeserver did not take the name of a new device");
                }
            }
            Ok(held)
        }
        Err(error) => {
            let_go(app, &held).await?;
            Err(error.into())
        }
    }
}

async fn hold_patiently(
    app: &App,
    user_id: UserId,
    device_id: &DeviceId,
    now: Timestamp,
) -> Result<HeldDevice, NotReady> {
    for _ in 0..TRIES {
        if let Some(held) = hold(app, user_id, device_id, now).await? {
            return Ok(held);
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
    Err(NotReady::Busy)
}

async fn hold(
    app: &App,
    user_id: UserId,
    device_id: &DeviceId,
    now: Timestamp,
) -> Result<Option<HeldDevice>, store::Error> {
    let job = DeleteDevice { user_id, device_id: device_id.clone() };
    let queue = jobs::hold(&app.store, &job, now, now + HELD).await?;
    Ok(queue.map(|queue| HeldDevice { user_id, device_id: job.device_id, queue, is_new: false }))
}

/// Makes room for a new session on a device that is held, and ends the hold: ends the session that is
/// there, without deleting the device.
///
/// # Errors
/// [`NotReady::TooLate`], or when the database fails. Give up the transaction then.
pub async fn claim(tx: &mut Tx, held: &HeldDevice, now: Timestamp) -> Result<(), NotReady> {
    let reason = EndReason::Replaced.as_str();
    for replaced in sql::end_sessions_of_device(tx, held.user_id, &held.device_id, reason, now).await? {
        tx.announce(Change::Session(replaced));
    }
    match jobs::finish(tx, &held.queue).await? {
        true => Ok(()),
        false => Err(NotReady::TooLate),
    }
}

/// What does as [`claim`], together with other things, while nobody is signed in on the device.
pub fn claiming(held: &HeldDevice) -> Query {
    jobs::finishing(&held.queue)
}

/// What became of a sign-in. If it failed, the hold of its device ends without a session: the device is
/// deleted, unless it has one already.
///
/// # Errors
/// Those of the sign-in, or when the database fails; the hold then ends by itself.
pub async fn settle<T, E: From<store::Error>>(
    app: &App,
    held: Option<&HeldDevice>,
    begun: Result<T, E>,
) -> Result<T, E> {
    if let (Err(_), Some(held)) = (&begun, held) {
        let_go(app, held).await?;
    }
    begun
}

async fn let_go(app: &App, held: &HeldDevice) -> Result<(), store::Error> {
    jobs::let_go(app, &held.queue).await
}
