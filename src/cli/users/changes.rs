//! Changes of an account. To ask for a state that it is in already is fine, and is said.

use serde_json::json;

use super::homeserver::{self, Told};
use super::{Deactivate, SetPassword, get, view};
use crate::accounts::mails::{self, Mail, Occasion};
use crate::accounts::new_password::Chooser;
use crate::accounts::users::{self, User};
use crate::accounts::{email_verifications, passwords};
use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::request::Answer;
use crate::ids::UserId;
use crate::sessions::all;
use crate::sessions::client::EndReason;

/// Sets the password, and ends the sessions if that is wanted.
pub(super) async fn set_password(app: &App, set: SetPassword) -> Result<Answer, Failure> {
    let Some(password) = &set.password else { return Err(Failure::usage("there is no password to set")) };
    let user = get(app, &app.store, &set.name).await?;
    let hash = password.hash(app, &Chooser::of(app, &user).await?).await?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    passwords::set(&mut tx, user.id, &hash, now).await?;
    mails::tell(&mut tx, app, &user, &Mail::PasswordChanged(Occasion::by_admin(now)), now).await?;
    let mut ended = 0;
    if set.end_sessions {
        let all = all::end_all(&mut tx, user.id, None, EndReason::EndedByAdmin, now).await?;
        ended = all.browsers + all.clients;
        // Once more: one may have been begun in a session that was just ended.
        email_verifications::forget(&mut tx, user.id).await?;
    }
    tx.commit().await?;
    app.wake_workers();
    tracing::info!(user = %user.id, "a password was set by an admin");
    let mut text = format!("The password of {} is set.", view::mxid(app, &user));
    let mut data = json!({ "name": user.localpart, "ended_sessions": ended });
    if set.end_sessions {
        let told = homeserver::tell(app, user.id).await?;
        text = format!("{text}\nEnded {ended} sessions. {}", told.sentence());
        data["homeserver"] = told.facts();
    }
    Ok(Answer { text, data })
}

/// Locks the account.
pub(super) async fn lock(app: &App, name: &str) -> Result<Answer, Failure> {
    let mut tx = app.store.begin().await?;
    let user = get(app, &mut tx, name).await?;
    if user.locked_at.is_some() {
        return unchanged(app, &user, "is locked already");
    }
    users::lock(&mut tx, user.id, app.clock.now()).await?;
    tx.commit().await?;
    let told = tell_of(app, user.id, "an account was locked by an admin").await?;
    changed(app, user.id, "is locked: its sessions stay, but nothing works until it is unlocked.", told).await
}

/// Unlocks the account.
pub(super) async fn unlock(app: &App, name: &str) -> Result<Answer, Failure> {
    let mut tx = app.store.begin().await?;
    let user = get(app, &mut tx, name).await?;
    if user.locked_at.is_none() {
        return unchanged(app, &user, "is not locked");
    }
    users::unlock(&mut tx, user.id, app.clock.now()).await?;
    tx.commit().await?;
    let told = tell_of(app, user.id, "an account was unlocked by an admin").await?;
    changed(app, user.id, "is unlocked.", told).await
}

/// Deactivates the account. One that is deactivated already can still be erased.
pub(super) async fn deactivate(app: &App, deactivate: Deactivate) -> Result<Answer, Failure> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let user = get(app, &mut tx, &deactivate.name).await?;
    let erase = deactivate.erase;
    match user.deactivated_at {
        None => users::deactivate(&mut tx, user.id, erase, now).await?,
        Some(_) if erase => users::erase_deactivated(&mut tx, user.id, now).await?,
        Some(_) => return unchanged(app, &user, "is deactivated already"),
    }
    tx.commit().await?;
    let told = tell_of(app, user.id, "an account was deactivated by an admin").await?;
    let what = match erase {
        true => "is deactivated, and the homeserver is asked to erase what they wrote.",
        false => "is deactivated: all its sessions have ended, and the name stays taken.",
    };
    changed(app, user.id, what, told).await
}

/// Reactivates the account.
pub(super) async fn reactivate(app: &App, name: &str) -> Result<Answer, Failure> {
    let mut tx = app.store.begin().await?;
    let user = get(app, &mut tx, name).await?;
    if user.deactivated_at.is_none() {
        return unchanged(app, &user, "is not deactivated");
    }
    users::reactivate(&mut tx, user.id, app.clock.now()).await?;
    tx.commit().await?;
    let told = tell_of(app, user.id, "an account was reactivated by an admin").await?;
    changed(app, user.id, "is active again, with the password it had.", told).await
}

/// Makes the person an administrator of the homeserver, or no longer one.
pub(super) async fn set_admin(app: &App, name: &str, is_admin: bool) -> Result<Answer, Failure> {
    let mut tx = app.store.begin().await?;
    let user = get(app, &mut tx, name).await?;
    if user.is_admin == is_admin {
        let what = if is_admin { "is an administrator already" } else { "is not an administrator" };
        return unchanged(app, &user, what);
    }
    let ended = users::set_admin(&mut tx, user.id, is_admin, app.clock.now()).await?;
    tx.commit().await?;
    tracing::info!(user = %user.id, is_admin, "an admin changed who administers the homeserver");
    if is_admin {
        return told_nothing(app, user.id, "may administer the homeserver, once a client asks for that.")
            .await;
    }
    let what = format!("is no longer an administrator; ended {ended} sessions that had this power.");
    let told = homeserver::tell(app, user.id).await?;
    changed(app, user.id, &what, told).await
}

async fn tell_of(app: &App, user: UserId, what: &'static str) -> Result<Told, Failure> {
    tracing::info!(%user, "{what}");
    homeserver::tell(app, user).await
}

fn unchanged(app: &App, user: &User, what: &str) -> Result<Answer, Failure> {
    let text = format!("{} {what}; nothing was changed.", view::mxid(app, user));
    Ok(Answer { text, data: with_change(view::facts(app, user), false) })
}

async fn changed(app: &App, user: UserId, what: &str, told: Told) -> Result<Answer, Failure> {
    let mut answer = told_nothing(app, user, what).await?;
    answer.text = format!("{}\n{}", answer.text, told.sentence());
    answer.data["homeserver"] = told.facts();
    Ok(answer)
}

/// The answer to a change that is no business of the homeserver.
async fn told_nothing(app: &App, user: UserId, what: &str) -> Result<Answer, Failure> {
    let Some(user) = users::find(&app.store, user).await? else {
        return Err(Failure::not_found("the user is gone"));
    };
    let text = format!("{} {what}", view::mxid(app, &user));
    Ok(Answer { text, data: with_change(view::facts(app, &user), true) })
}

fn with_change(mut facts: serde_json::Value, is_changed: bool) -> serde_json::Value {
    facts["is_changed"] = json!(is_changed);
    facts
}
