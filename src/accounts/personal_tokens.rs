//! Making personal tokens: what one may do, for how long, and who may have it.

use std::time::Duration;

use super::activity::{self, Event};
use super::jobs::provision;
use super::users::{self, ADMIN_SCOPE, Standing, User};
use crate::app::App;
use crate::homeserver;
use crate::http::requester::Requester;
use crate::http::words;
use crate::ids::{BrowserSessionId, ClientSessionId, DeviceId};
use crate::methods::Methods;
use crate::policy::{self, Decision, Violation, input};
use crate::sessions::browser;
use crate::sessions::client::{self, MATRIX_API_SCOPE, NewClientSession};
use crate::sessions::device::{self, HeldDevice, NotReady};
use crate::sessions::personal;
use crate::sessions::tokens::Issue;
use crate::store;
use crate::time::Timestamp;

/// How many a person can have.
pub const MOST: usize = 50;
/// The longest name of one, in characters: a device gets it too.
pub const LONGEST_NAME: usize = 60;
/// For how many days one can be good. None is good for ever: it would outlive whoever remembers it.
pub const DAYS: [u64; 5] = [7, 30, 90, 180, 365];

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What a token may do: the scopes that a person can grant without a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// The whole Matrix client API.
    Messages,
    /// Administering the homeserver; only beside the API.
    Administration,
    /// Knowing whose it is, with name and e-mail address.
    Identity,
}

impl Permission {
    /// All of them, as forms and commands name them.
    pub const ALL: [(Permission, &str); 3] = [
        (Permission::Messages, "messages"),
        (Permission::Administration, "administration"),
        (Permission::Identity, "identity"),
    ];

    /// The scope (RFC 6749 §3.3).
    pub fn scope(self) -> &'static str {
        match self {
            Permission::Messages => MATRIX_API_SCOPE,
            Permission::Administration => ADMIN_SCOPE,
            Permission::Identity => "openid profile email",
        }
    }

    /// The permission of that name.
    pub fn parse(name: &str) -> Option<Permission> {
        Permission::ALL.into_iter().find(|(_, known)| *known == name).map(|(permission, _)| permission)
    }
}

/// The device that a token acts as. End-to-end encryption needs one; reading and writing does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device {
    /// None.
    Without,
    /// One that is made for it.
    New,
    /// One of this identifier.
    Named(DeviceId),
}

/// A token that somebody wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What they call it.
    pub name: String,
    /// What it may do.
    pub permissions: Vec<Permission>,
    /// As which device.
    pub device: Device,
    /// For how many days.
    pub days: u64,
}

impl Wanted {
    /// The scope (RFC 6749 §3.3). A device stands beside it, as with the login API of older clients.
    pub fn scope(&self) -> String {
        let wanted = |permission: &Permission| self.permissions.contains(permission);
        let scopes = Permission::ALL.iter().map(|(permission, _)| permission).filter(|p| wanted(p));
        scopes.map(|permission| permission.scope()).collect::<Vec<_>>().join(" ")
    }

    /// Everything that is wrong with it, whoever wants it.
    pub fn problems(&self, app: &App) -> Vec<WrongToken> {
        let has = |permission| self.permissions.contains(&permission);
        let mut problems = Vec::new();
        match words::shown(&self.name).is_empty() {
            true => problems.push(WrongToken::NameMissing),
            false if self.name.chars().count() > LONGEST_NAME => problems.push(WrongToken::NameTooLong),
            false => {}
        }
        if self.permissions.is_empty() {
            problems.push(WrongToken::NothingPermitted);
        }
        if has(Permission::Administration) && !has(Permission::Messages) {
            problems.push(WrongToken::AdministrationAlone);
        }
        match &self.device {
            Device::Without => {}
            _ if !has(Permission::Messages) => problems.push(WrongToken::DeviceAlone),
            Device::Named(id) if !is_device_id(&id.0) => problems.push(WrongToken::DeviceId),
            Device::Named(_) | Device::New => {}
        }
        let most = spans(app).into_iter().max().unwrap_or_default();
        if !(1..=most).contains(&self.days) {
            problems.push(WrongToken::Span);
        }
        problems
    }
}

/// What homeservers take and what can stand in a scope (RFC 6749 §3.3).
fn is_device_id(id: &str) -> bool {
    let can_stand = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    (1..=device::LONGEST_ID).contains(&id.len()) && id.bytes().all(can_stand)
}

/// For how many days a token can be good here: no longer than any session may last, but for a day.
pub fn spans(app: &App) -> Vec<u64> {
    let limit = longest(app);
    let spans: Vec<u64> = DAYS.into_iter().filter(|days| span(*days) <= limit).collect();
    if spans.is_empty() { vec![1] } else { spans }
}

/// How long any session may last.
fn longest(app: &App) -> Duration {
    app.config.sessions.client_absolute_seconds.map_or(Duration::MAX, Duration::from_secs)
}

fn span(days: u64) -> Duration {
    DAY * u32::try_from(days).unwrap_or(u32::MAX)
}

/// What is wrong with a wish. Pages have words of their own for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongToken {
    /// It has no name.
    #[error("the token needs a name")]
    NameMissing,
    /// Its name is too long.
    #[error("the name of the token has more than {LONGEST_NAME} characters")]
    NameTooLong,
    /// It may do nothing.
    #[error("the token may do nothing")]
    NothingPermitted,
    /// It may administer the homeserver, but not call it.
    #[error("the permission administration needs the permission messages")]
    AdministrationAlone,
    /// It is a device that may do nothing.
    #[error("a device needs the permission messages")]
    DeviceAlone,
    /// No homeserver takes this device identifier.
    #[error("the device identifier must have 1 to 255 characters that can stand in a scope")]
    DeviceId,
    /// It would be good for too long, or not at all.
    #[error("no session may last that long here")]
    Span,
}

/// Why a token was not made.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    /// The account is locked or deactivated, or lost its administration meanwhile.
    #[error("the account is locked or deactivated, or not an administrator's any more")]
    NotActive,
    /// The session in which it was asked for was ended meanwhile.
    #[error("the session was ended meanwhile")]
    SignedOut,
    /// The person has as many as there can be.
    #[error("there are {MOST} tokens already; revoke one first")]
    TooMany,
    /// The policy does not allow it.
    #[error("the policy does not allow it: {}", policy::in_one_line(.0))]
    Denied(Vec<Violation>),
    /// A session uses this device, which would end.
    #[error("a session uses this device; end it first, or choose another device")]
    DeviceInUse,
    /// Another sign-in is on its way with this device.
    #[error("this device is busy; try again in a moment")]
    Busy,
    /// The homeserver does not answer, or does not take the device.
    #[error(transparent)]
    Homeserver(#[from] homeserver::Error),
    /// The policy failed, which permits nothing.
    #[error(transparent)]
    Policy(#[from] policy::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<NotReady> for NotMade {
    fn from(error: NotReady) -> NotMade {
        match error {
            NotReady::Busy | NotReady::TooLate => NotMade::Busy,
            NotReady::Homeserver(error) => NotMade::Homeserver(error),
            NotReady::Store(error) => NotMade::Store(error),
        }
    }
}

/// A token; the only moment at which it is known.
#[derive(Debug)]
pub struct Made {
    /// Its session.
    pub id: ClientSessionId,
    /// What a program shows.
    pub token: String,
    /// The device that it acts as.
    pub device_id: Option<DeviceId>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Makes a token in which there are no [`Wanted::problems`]. Whoever asks has proved then and thus who they are, and is
/// still signed in with their session; an admin's command comes from nowhere.
///
/// # Errors
/// [`NotMade`].
pub async fn make(
    app: &App,
    asked: Option<(&Requester, BrowserSessionId)>,
    user: &User,
    proved: (Timestamp, Methods),
    wanted: &Wanted,
) -> Result<Made, NotMade> {
    let requester = asked.map(|(requester, _)| requester);
    if user.standing() != Standing::Active {
        return Err(NotMade::NotActive);
    }
    if personal::list(&app.store, user.id).await?.len() >= MOST {
        return Err(NotMade::TooMany);
    }
    let device_id = match &wanted.device {
        Device::Without => None,
        Device::New => Some(device::new_id()),
        Device::Named(id) if client::find_by_device(&app.store, user.id, id).await?.is_some() => {
            return Err(NotMade::DeviceInUse);
        }
        Device::Named(id) => Some(id.clone()),
    };
    permit(app, requester, user, wanted, device_id.as_ref()).await?;
    if wanted.permissions.contains(&Permission::Messages) && user.provisioned_at.is_none() {
        provision(app, user).await?;
    }
    let now = app.clock.now();
    let held = match &device_id {
        Some(id) => {
            let name = Some(wanted.name.as_str());
            Some(device::make_ready(app, user.id, &user.localpart, id, name, now).await?)
        }
        None => None,
    };
    let begun = begin(app, asked, user, proved, wanted, (device_id, held.as_ref()), now).await;
    let made = device::settle(app, held.as_ref(), begun).await?;
    app.wake_workers();
    activity::note(user.id, Event::TokenMade, requester);
    Ok(made)
}

async fn permit(
    app: &App,
    requester: Option<&Requester>,
    user: &User,
    wanted: &Wanted,
    device_id: Option<&DeviceId>,
) -> Result<(), NotMade> {
    let count = client::count(&app.store, user.id, None).await?;
    let question = input::AuthorizationGrant {
        user: Some(user.for_policy()),
        client: None,
        grant_type: input::Grant::PersonalToken,
        scope: wanted.scope().split(' ').map(str::to_owned).collect(),
        device_id: device_id.cloned(),
        sessions: input::Sessions { live: count.live, with_device: count.with_device },
        requester: requester.map(Requester::for_policy).unwrap_or_default(),
    };
    match app.policy.authorization_grant(&question)? {
        Decision::Allowed => Ok(()),
        Decision::Denied(violations) => Err(NotMade::Denied(violations)),
    }
}

async fn begin(
    app: &App,
    asked: Option<(&Requester, BrowserSessionId)>,
    user: &User,
    (authenticated_at, methods): (Timestamp, Methods),
    wanted: &Wanted,
    (device_id, held): (Option<DeviceId>, Option<&HeldDevice>),
    now: Timestamp,
) -> Result<Made, NotMade> {
    let lifetime = span(wanted.days).min(longest(app));
    // Where the token is used from is not known, and is not where it was made.
    let nowhere = Requester::default();
    let issue =
        Issue { requester: &nowhere, root: app.keys.root(), lifetime, limits: &app.config.sessions, now };
    let new = NewClientSession {
        user_id: Some(user.id),
        client_id: None,
        browser_session_id: None,
        scope: wanted.scope(),
        device_id: device_id.clone(),
        authenticated_at,
        methods,
    };
    let mut tx = app.store.begin().await?;
    if let Some((_, session)) = asked
        && !browser::is_still_live(&mut tx, session).await?
    {
        return Err(NotMade::SignedOut);
    }
    if let Some(held) = held {
        device::claim(&mut tx, held, now).await?;
    }
    let (id, token) = personal::start(&mut tx, &new, &wanted.name, &issue).await?;
    activity::tell(&mut tx, app, user.id, Event::TokenMade, asked.map(|(requester, _)| requester)).await?;
    if !users::is_still_active(&mut tx, user.id, user.is_admin).await? {
        return Err(NotMade::NotActive);
    }
    tx.commit().await?;
    tracing::info!(user = %user.id, session = %id, "a personal token was made");
    Ok(Made { id, token, device_id, expires_at: now + lifetime })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_identifier_can_stand_in_a_scope() {
        for good in ["A", "bot+1/2=", &"x".repeat(255)] {
            assert!(is_device_id(good), "{good}");
        }
        for bad in ["", "a b", "a\"b", "a\\b", "ä", "a\n", &"x".repeat(256)] {
            assert!(!is_device_id(bad), "{bad}");
        }
    }

    #[test]
    fn permissions_are_read_as_they_are_written() {
        for (permission, name) in Permission::ALL {
            assert_eq!(Permission::parse(name), Some(permission));
        }
        assert_eq!(Permission::parse("urn:synapse:admin:*"), None);
    }
}
