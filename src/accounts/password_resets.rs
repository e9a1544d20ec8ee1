//! Getting back into an account without being able to sign in: by a link that was sent to an address of the
//! account, good once and for ten minutes, and only for the person it was made for.
//!
//! What is asked for at the page is a job, the same for every address: only the job looks whether there is an
//! account, so neither the answer nor its time can tell.

use serde::{Deserialize, Serialize};

use super::emails::{self, Address};
use super::mails::{self, LIFETIME, Mail};
use super::sql;
use super::users::{self, Standing, User};
use crate::app::App;
use crate::ids::{MailId, UserId};
use crate::jobs::{self, Crew, Job, JobError};
use crate::keys;
use crate::store::{self, Store, Tx};
use crate::time::Timestamp;

/// Has a link sent to an address, if it is known to be somebody's.
///
/// # Errors
/// When the database fails.
pub async fn begin(tx: &mut Tx, app: &App, address: &Address, now: Timestamp) -> Result<(), store::Error> {
    let id = MailId::new(now);
    let broken = |_| store::Error::Corrupt { column: "payload" };
    let sealed = app.keys.root().encrypt(&context(id), address.to_string().as_bytes()).map_err(broken)?;
    jobs::enqueue(tx, &BeginPasswordReset { id, sealed, asked_at: now }, now).await
}

fn context(id: MailId) -> String {
    format!("password reset {id}")
}

/// Looks whose address it is, and has a link sent there.
#[derive(Debug, Serialize, Deserialize)]
pub struct BeginPasswordReset {
    id: MailId,
    /// The address, encrypted: the queue tells nobody who forgets passwords.
    sealed: String,
    asked_at: Timestamp,
}

impl Job for BeginPasswordReset {
    const KIND: &'static str = "begin_password_reset";
    const CREW: Crew = Crew::Mails;

    fn queue(&self) -> String {
        context(self.id)
    }

    async fn run(&self, app: &App) -> Result<(), JobError> {
        let now = app.clock.now();
        if now.since(self.asked_at) >= LIFETIME {
            return Err(JobError::Futile("nobody waits for it any more".to_owned()));
        }
        let address = app.keys.root().decrypt(&context(self.id), &self.sealed).ok();
        let address = address.and_then(|bytes| String::from_utf8(bytes).ok()?.parse::<Address>().ok());
        let Some(address) = address else {
            return Err(JobError::Refused("the stored address does not decrypt".to_owned()));
        };
        let Some(user) = find_owner(app, &address).await? else { return Ok(()) };
        let token = keys::random_secret();
        let mut tx = app.store.begin().await?;
        // Once, also when this runs twice.
        if sql::add_password_reset(&mut tx, self.id, user.id, &keys::digest(&token), now + LIFETIME).await? {
            mails::send(&mut tx, app, &address.to_string(), &user, &Mail::ResetPassword { token }, now)
                .await?;
        }
        tx.commit().await?;
        app.wake_workers();
        Ok(())
    }
}

/// Who has shown that the address is theirs, and may sign in.
async fn find_owner(app: &App, address: &Address) -> Result<Option<User>, store::Error> {
    let Some(owner) = emails::find_verified_owner(&app.store, address).await? else { return Ok(None) };
    let user = users::find(&app.store, owner).await?;
    Ok(user.filter(|user| user.standing() == Standing::Active))
}

/// Whom a link lets back in, while it is good and nothing keeps them from signing in.
///
/// # Errors
/// When the database fails.
pub async fn find(store: &Store, token: &str, now: Timestamp) -> Result<Option<User>, store::Error> {
    let Some(user) = sql::find_password_reset(store, &keys::digest(token), now).await? else {
        return Ok(None);
    };
    Ok(users::find(store, user).await?.filter(|user| user.standing() == Standing::Active))
}

/// Spends a link, and with it all others of the same person: whom it lets back in.
///
/// # Errors
/// When the database fails.
pub async fn spend(tx: &mut Tx, token: &str, now: Timestamp) -> Result<Option<User>, store::Error> {
    let Some(user) = sql::spend_password_reset(tx, &keys::digest(token), now).await? else { return Ok(None) };
    forget(tx, user).await?;
    Ok(users::find(&mut *tx, user).await?.filter(|user| user.standing() == Standing::Active))
}

/// Makes all links of a person worthless.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &mut Tx, user: UserId) -> Result<(), store::Error> {
    sql::forget_password_resets(tx, user).await
}
