//! `gatehouse users create`.

use serde_json::json;

use super::{Create, emails, homeserver, view};
use crate::accounts::emails::{self as addresses, Address};
use crate::accounts::new_password::Chooser;
use crate::accounts::{passwords, users};
use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::request::Answer;
use crate::homeserver::Availability;
use crate::ids::{Localpart, localpart_of};
use crate::policy::{Decision, in_one_line, input};
use crate::store;

/// Creates an account, with its password in the same transaction.
pub(super) async fn create(app: &App, create: Create) -> Result<Answer, Failure> {
    let email = available_email(app, &create).await?;
    let localpart = available_name(app, &create).await?;
    let hash = match &create.password {
        Some(password) => {
            let address = email.as_ref().map(Address::to_string);
            let chooser = Chooser::new(localpart.as_str(), address.as_deref());
            Some(password.hash(app, &chooser).await?)
        }
        None => None,
    };
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let created = users::create(&mut tx, localpart, create.admin, now).await;
    let user = created.map_err(|error| match error {
        store::Error::Conflict(_) => taken(&create.name),
        error => error.into(),
    })?;
    if let Some(hash) = &hash {
        passwords::set(&mut tx, user.id, hash, now).await?;
    }
    if let Some(email) = &email {
        let added = addresses::add(&mut tx, user.id, email, Some(now), now).await;
        added.map_err(|error| emails::taken(error, email))?;
    }
    tx.commit().await?;
    tracing::info!(user = %user.id, "an account was created by an admin");

    let told = homeserver::tell(app, user.id).await?;
    let mxid = view::mxid(app, &user);
    let mut text = format!("Created {mxid}{}.", if user.is_admin { ", an administrator" } else { "" });
    if hash.is_none() {
        text = format!("{text}\nIt has no password yet: gatehouse users set-password {}", user.localpart);
    }
    text = format!("{text}\n{}", told.sentence());
    let user = users::find(&app.store, user.id).await?.unwrap_or(user);
    let mut data = view::facts(app, &user);
    data["homeserver"] = told.facts();
    Ok(Answer { text, data })
}

/// Says whether the name is free, without taking it.
pub(super) async fn check(app: &App, create: &Create) -> Result<Answer, Failure> {
    available_email(app, create).await?;
    let localpart = available_name(app, create).await?;
    Ok(Answer { text: format!("The name {localpart} is free."), data: json!({ "is_available": true }) })
}

/// The address that was given, if the account may have it and nobody else does.
async fn available_email(app: &App, create: &Create) -> Result<Option<Address>, Failure> {
    let Some(given) = &create.email else { return Ok(None) };
    let address = emails::permitted(app, given)?;
    match addresses::find_owner(&app.store, &address).await? {
        Some(_) => Err(Failure::refused(format!("the address {address} is in use already"))),
        None => Ok(Some(address)),
    }
}

async fn available_name(app: &App, create: &Create) -> Result<Localpart, Failure> {
    let server_name = &app.config.homeserver.server_name;
    let Some(name) = localpart_of(&create.name, server_name) else {
        return Err(Failure::refused(format!("{} is not on {server_name}", create.name)));
    };
    let localpart = Localpart::new(name, server_name).map_err(|error| Failure::refused(error.to_string()))?;
    if users::find_by_localpart(&app.store, localpart.as_str()).await?.is_some() {
        return Err(taken(&create.name));
    }
    permit(app, &localpart, create.email.clone())?;
    match app.homeserver.is_localpart_available(&localpart).await {
        Ok(Availability::Available) => Ok(localpart),
        Ok(Availability::Taken) => {
            Err(Failure::refused(format!("the homeserver already has a user named {localpart}")))
        }
        Ok(Availability::Reserved) => Err(Failure::refused(format!(
            "the homeserver keeps the name {localpart} for an application service or for itself"
        ))),
        Ok(Availability::Invalid) => {
            Err(Failure::refused(format!("the homeserver does not allow the name {localpart}")))
        }
        Err(_) if create.skip_homeserver_check => Ok(localpart),
        Err(error) => Err(Failure::failed(format!(
            "{error}\nThe account was not created, since the name may be taken there. Start the homeserver first, or \
             add --skip-homeserver-check if it has no such user: it is then told as soon as it answers."
        ))),
    }
}

/// The rules know that an administrator asks, and leave them most of the choice.
fn permit(app: &App, localpart: &Localpart, email: Option<String>) -> Result<(), Failure> {
    let question = input::Register {
        username: localpart.as_str().to_owned(),
        method: input::RegistrationMethod::CommandLine,
        email,
        requester: input::Requester::default(),
    };
    match app.policy.register(&question) {
        Ok(Decision::Allowed) => Ok(()),
        Ok(Decision::Denied(violations)) => {
            Err(Failure::refused(format!("the policy does not allow it: {}", in_one_line(&violations))))
        }
        Err(error) => Err(Failure::failed(error.to_string())),
    }
}

fn taken(name: &str) -> Failure {
    Failure::refused(format!("there is a user named {name} already"))
}
