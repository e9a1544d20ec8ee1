//! `gatehouse users add-email` and `remove-email`. An admin vouches for the address: it counts as verified.

use serde_json::json;

use super::{get, view};
use crate::accounts::emails::{self, Address};
use crate::accounts::jobs;
use crate::accounts::mails::{self, Mail, Occasion};
use crate::accounts::password_resets;
use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::request::Answer;
use crate::policy::{Decision, in_one_line, input};
use crate::store;

/// Adds an address.
pub(super) async fn add(app: &App, name: &str, address: &str) -> Result<Answer, Failure> {
    let address = permitted(app, address)?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let user = get(app, &mut tx, name).await?;
    let mail = Mail::EmailAdded { address: address.to_string(), occasion: Occasion::by_admin(now) };
    mails::tell(&mut tx, app, &user, &mail, now).await?;
    emails::add(&mut tx, user.id, &address, Some(now), now).await.map_err(|error| taken(error, &address))?;
    jobs::emails_changed(&mut tx, app, user.id, now).await?;
    tx.commit().await?;
    app.wake_workers();
    tracing::info!(user = %user.id, "an admin added an e-mail address to an account");
    let text = format!("{} has the address {address}.", view::mxid(app, &user));
    Ok(Answer { text, data: json!({ "name": user.localpart, "email": address }) })
}

/// Takes an address away.
pub(super) async fn remove(app: &App, name: &str, address: &str) -> Result<Answer, Failure> {
    let address = read(address)?;
    let mut tx = app.store.begin().await?;
    let user = get(app, &mut tx, name).await?;
    let mxid = view::mxid(app, &user);
    let now = app.clock.now();
    let mail = Mail::EmailRemoved { address: address.to_string(), occasion: Occasion::by_admin(now) };
    // To this address too: it is the one that its owner still reads.
    mails::tell(&mut tx, app, &user, &mail, now).await?;
    if !emails::remove(&mut tx, user.id, &address).await? {
        return Err(Failure::not_found(format!(
            "{mxid} does not have the address {address}; `gatehouse users show {}` shows which there are",
            user.localpart
        )));
    }
    password_resets::forget(&mut tx, user.id).await?;
    jobs::emails_changed(&mut tx, app, user.id, now).await?;
    tx.commit().await?;
    app.wake_workers();
    tracing::info!(user = %user.id, "an admin took an e-mail address from an account");
    let text = format!("{mxid} no longer has the address {address}.");
    Ok(Answer { text, data: json!({ "name": user.localpart, "email": address }) })
}

/// Reads an address that the policy lets an account have.
pub(super) fn permitted(app: &App, address: &str) -> Result<Address, Failure> {
    let address = read(address)?;
    let question = input::Email { email: address.to_string(), requester: input::Requester::default() };
    match app.policy.email(&question) {
        Ok(Decision::Allowed) => Ok(address),
        Ok(Decision::Denied(violations)) => Err(Failure::refused(format!(
            "the policy does not allow {address}: {}",
            in_one_line(&violations)
        ))),
        Err(error) => Err(Failure::failed(error.to_string())),
    }
}

/// What the database says about an address that belongs to somebody.
pub(super) fn taken(error: store::Error, address: &Address) -> Failure {
    match error {
        store::Error::Conflict(_) => Failure::refused(format!("the address {address} is in use already")),
        error => error.into(),
    }
}

fn read(address: &str) -> Result<Address, Failure> {
    address.parse().map_err(|error| Failure::usage(format!("{}: {error}", address.escape_default())))
}
