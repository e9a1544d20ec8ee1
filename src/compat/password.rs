//! Logging in with a password (Matrix CS API, `m.login.password`).

use super::error::Error;
use super::request::{Named, PasswordLogin};
use super::session::{Proof, Proven, is_second_required};
use crate::accounts::factors;
use crate::accounts::sign_in::{self, Attempt, Counted};
use crate::accounts::terms;
use crate::accounts::users::{Standing, User};
use crate::app::App;
use crate::http::requester::Requester;
use crate::telemetry::metrics::SignIn;

pub(super) const NOT_RIGHT: Error = Error::Forbidden("the name or the password is not right");

/// This API has no page to accept them on; clients show what is said here.
const TERMS_DUE: Error = Error::Forbidden(
    "the terms of service are new or have changed: sign in to your account with a browser and accept them first",
);

/// Who it is by name and password. Programs have no browser that could be known, so every attempt counts.
pub(super) async fn prove(app: &App, requester: &Requester, login: PasswordLogin) -> Result<Proven, Error> {
    let (named, password) = login.into_parts()?;
    if !app.config.passwords.enabled {
        return Err(Error::Unsupported("this login type is not offered here"));
    }
    let named = match &named {
        Named::User(name) => sign_in::Named::User(name),
        Named::Email(address) if app.config.compat.login_by_email => sign_in::Named::Email(address),
        Named::Email(_) => {
            return Err(Error::Unsupported("this kind of identifier is not offered here"));
        }
    };
    match sign_in::attempt(app, requester, None, named, password).await? {
        Attempt::Right(user, counted) => judge(app, requester, *user, counted).await,
        Attempt::Wrong => Err(NOT_RIGHT),
        Attempt::TooMany(wait) => Err(Error::TooManyRequests(wait)),
    }
}

/// What becomes of the right password.
async fn judge(app: &App, requester: &Requester, user: User, counted: Counted) -> Result<Proven, Error> {
    // What keeps the others out was counted already.
    let is_active = user.standing() == Standing::Active;
    if !is_enough(app, &user).await? {
        let ip = requester.ip();
        tracing::info!(user = %user.id, ip, "a client cannot sign in a person who has or needs a second factor");
        if is_active {
            counted.note(app, SignIn::Refused);
        }
        counted.hold_back(app).await;
        return Err(NOT_RIGHT);
    }
    if is_active && terms::must_accept(&app.store, &app.config, user.id).await? {
        counted.note(app, SignIn::Refused);
        return Err(TERMS_DUE);
    }
    if is_active {
        counted.note(app, SignIn::Succeeded);
    }
    Ok(Proven { user, proof: Proof::Password(counted) })
}

/// Whether the right password alone lets this person in. This API cannot ask for a second factor, so
/// somebody who has one, or must have one, is refused here just as for a wrong password, after the same time.
async fn is_enough(app: &App, user: &User) -> Result<bool, Error> {
    let is_required = app.config.second_factor.is_required_for(user.is_admin) || is_second_required(app);
    Ok(!is_required && !factors::find(&app.store, user.id).await?.has_second())
}
