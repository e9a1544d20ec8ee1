//! Background work for accounts: telling the homeserver what became of them. The jobs of one user
//! run one after another.

use serde::{Deserialize, Serialize};

use super::emails;
use super::users::{self, User};
use crate::app::App;
use crate::homeserver;
use crate::ids::UserId;
use crate::jobs::{self, Job, JobError, Progress};
use crate::sessions::jobs::DeleteDevice;
use crate::store::{self, Store, Tx};
use crate::time::Timestamp;

fn queue_of(user_id: UserId) -> String {
    format!("user:{user_id}")
}

fn failed(error: homeserver::Error) -> JobError {
    match error.is_passing() {
        true => JobError::Passing(error.to_string()),
        false => JobError::Refused(error.to_string()),
    }
}

/// How far the homeserver has been told what became of the user and their devices.
///
/// # Errors
/// When the database fails.
pub async fn progress(store: &Store, user_id: UserId) -> Result<Progress, store::Error> {
    jobs::progress(store, &queue_of(user_id), &DeleteDevice::queues_of(user_id)).await
}

/// Makes sure that the homeserver knows the user, whether they are locked, and their addresses, if it is told.
#[derive(Debug, Serialize, Deserialize)]
pub struct ProvisionUser {
    /// Whom.
    pub user_id: UserId,
}

impl Job for ProvisionUser {
    const KIND: &'static str = "provision_user";

    fn queue(&self) -> String {
        queue_of(self.user_id)
    }

    async fn run(&self, app: &App) -> Result<(), JobError> {
        match users::find(&app.store, self.user_id).await? {
            Some(user) => provision(app, &user).await.map_err(failed),
            None => Ok(()),
        }
    }
}

/// Tells the homeserver of the user, and remembers that it was told.
///
/// # Errors
/// When the homeserver or the database does not answer.
pub async fn provision(app: &App, user: &User) -> Result<(), homeserver::Error> {
    let failed = |error: store::Error| homeserver::Error::Unreachable(error.to_string());
    let emails: Option<Vec<String>> = match app.config.homeserver.tell_emails {
        true => {
            let all = emails::list(&app.store, user.id).await.map_err(failed)?;
            let verified = all.into_iter().filter(|email| email.verified_at.is_some());
            Some(verified.map(|email| email.address).collect())
        }
        false => None,
    };
    let is_locked = user.locked_at.is_some();
    app.homeserver.provision_user(&user.localpart, is_locked, emails.as_deref()).await?;
    let remember = async {
        let mut tx = app.store.begin().await?;
        users::set_provisioned(&mut tx, user.id, app.clock.now()).await?;
        tx.commit().await
    };
    remember.await.map_err(failed)
}

/// Has the homeserver told that the user's addresses have changed, if it is told of any.
///
/// # Errors
/// When the database fails.
pub async fn emails_changed(
    tx: &mut Tx,
    app: &App,
    user_id: UserId,
    now: Timestamp,
) -> Result<(), store::Error> {
    match app.config.homeserver.tell_emails {
        true => jobs::enqueue(tx, &ProvisionUser { user_id }, now).await,
        false => Ok(()),
    }
}

/// Makes sure, as far as that can be known, that a client of the user will be let in by the homeserver.
///
/// # Errors
/// When the homeserver does not know the user yet, or did not answer the last call, and does not answer now.
pub async fn reach_homeserver(app: &App, user: &User) -> Result<(), homeserver::Error> {
    match user.provisioned_at.is_some() && app.homeserver.seems_reachable() {
        true => Ok(()),
        false => provision(app, user).await,
    }
}

/// Tells the homeserver the name that the user has just chosen to be shown by.
#[derive(Debug, Serialize, Deserialize)]
pub struct SetDisplayName {
    /// Whose.
    pub user_id: UserId,
    /// The name; none takes it away.
    pub display_name: Option<String>,
}

impl SetDisplayName {
    /// The change that the homeserver has yet to be told of, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waiting(store: &Store, user_id: UserId) -> Result<Option<SetDisplayName>, store::Error> {
        jobs::last_waiting(store, &queue_of(user_id)).await
    }
}

impl Job for SetDisplayName {
    const KIND: &'static str = "set_displayname";

    fn queue(&self) -> String {
        queue_of(self.user_id)
    }

    async fn run(&self, app: &App) -> Result<(), JobError> {
        match users::find(&app.store, self.user_id).await? {
            // A profile is gone with its account.
            Some(user) if user.deactivated_at.is_none() => {
                let name = self.display_name.as_deref();
                app.homeserver.set_display_name(&user.localpart, name).await.map_err(failed)
            }
            _ => Ok(()),
        }
    }
}

/// Deactivates the user on the homeserver.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeactivateUser {
    /// Whom.
    pub user_id: UserId,
    /// Whether what they wrote shall be erased.
    pub erase: bool,
}

impl Job for DeactivateUser {
    const KIND: &'static str = "deactivate_user";

    fn queue(&self) -> String {
        queue_of(self.user_id)
    }

    async fn run(&self, app: &App) -> Result<(), JobError> {
        match users::find(&app.store, self.user_id).await? {
            // Reactivated in the meantime: then the job behind this one says the rest.
            Some(user) if user.deactivated_at.is_some() => {
                match app.homeserver.delete_user(&user.localpart, self.erase).await {
                    Err(homeserver::Error::NotFound) => Ok(()),
                    other => other.map_err(failed),
                }
            }
            _ => Ok(()),
        }
    }
}

/// Reactivates the user on the homeserver.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReactivateUser {
    /// Whom.
    pub user_id: UserId,
}

impl Job for ReactivateUser {
    const KIND: &'static str = "reactivate_user";

    fn queue(&self) -> String {
        queue_of(self.user_id)
    }

    async fn run(&self, app: &App) -> Result<(), JobError> {
        let Some(user) = users::find(&app.store, self.user_id).await? else { return Ok(()) };
        if user.deactivated_at.is_some() {
            return Ok(());
        }
        match app.homeserver.reactivate_user(&user.localpart).await {
            Ok(()) | Err(homeserver::Error::NotFound) => provision(app, &user).await.map_err(failed),
            Err(error) => Err(failed(error)),
        }
    }
}
