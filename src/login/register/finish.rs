//! Making the account of all that was said: in one transaction, or not at all.

use axum::response::Response;
use http::header::SET_COOKIE;

use super::super::arrive::arrive_as_new;
use super::begun::{self, Begun};
use super::email::{self, EmailProblem};
use super::name::{self, NameProblem};
use super::{PATH, Step, done, passkey, unless_done};
use crate::accounts::account_pages::NotAdded;
use crate::accounts::activity::{self, Event};
use crate::accounts::mails::Occasion;
use crate::accounts::registration_tokens::{self, Useless};
use crate::accounts::users::{self, User};
use crate::accounts::{emails, jobs, passkeys, passwords, signed_in, terms};
use crate::app::App;
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::visit::Visit;
use crate::methods::{Method, Methods};
use crate::store::{self, Tx};
use crate::time::Timestamp;

/// What somebody else was faster with.
enum Late {
    /// The name is another account's.
    Name,
    /// Nobody registers with the token any more.
    Token(Useless),
    /// The address is another account's.
    Email,
    /// The passkey is another account's.
    Passkey,
    /// The same registration went another way, in another window.
    Other,
}

/// Makes the account, and goes on signed in to it; or leads back to what somebody else was faster with.
pub(super) async fn finish(app: &App, visit: &Visit, begun: Begun) -> Result<Response, PageError> {
    if let Some(back) = judge(app, visit, &begun).await? {
        return unless_done(app, visit, &begun, back).await;
    }
    let before = signed_in::holder(app, visit).await?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let (user, begun) = match make(&mut tx, app, visit, &begun, now).await? {
        Ok(made) => made,
        Err(late) => {
            drop(tx);
            app.store.settle().await?;
            return lead_back(app, visit, &begun, late).await;
        }
    };
    let (methods, way) = match (&begun.password, &begun.passkey) {
        (Some(_), None) => (Method::Password.into(), "password"),
        (None, _) => (Method::Passkey.into(), "passkey"),
        (Some(_), Some(_)) => (Methods::from(Method::Password).with(Method::Passkey), "both"),
    };
    let onward = begun.onward();
    let arrived = arrive_as_new(app, visit, tx, before, &user, methods, &onward).await?;
    let arrived = visit.forget_registration(arrived);
    app.metrics.registration(way);
    tracing::info!(user = %user.id, way, ip = visit.requester.ip(), "a person made an account");
    let is_known = provision(app, &user).await?;
    app.wake_workers();
    Ok(match is_known {
        true => arrived,
        false => not_yet(visit, &arrived, onward.end()),
    })
}

/// Asks once more what nobody may ask while a transaction is open: it was some time ago.
async fn judge(app: &App, visit: &Visit, begun: &Begun) -> Result<Option<Response>, PageError> {
    if let Some(email) = begun.verified_email() {
        let violations = email::violations(app, visit, begun, email);
        if let Some(violation) = violations.into_iter().next() {
            return email::ask_again(app, visit, begun, EmailProblem::Denied(violation)).await.map(Some);
        }
    }
    let email = begun.verified_email().map(|email| email.folded());
    let problems = name::judge(app, visit, &begun.localpart, email).await?;
    match problems.first() {
        None => Ok(None),
        // Nothing is wrong with the name, and all that was entered waits for the homeserver.
        Some(NameProblem::HomeserverUnreachable) => {
            Err(PageError::from(Problem::HomeserverUnreachable).then(WayOn::Again(PATH.to_owned())))
        }
        Some(_) => name::ask_again(app, visit, begun, problems).await.map(Some),
    }
}

async fn make(
    tx: &mut Tx,
    app: &App,
    visit: &Visit,
    begun: &Begun,
    now: Timestamp,
) -> Result<Result<(User, Begun), Late>, PageError> {
    let Some(begun) = begun::take(tx, begun, now).await? else { return Ok(Err(Late::Other)) };
    if begun.due(app).is_some() {
        return Ok(Err(Late::Other));
    }
    // Names of long ago may have capitals; of two new ones at once, one is refused by the table.
    if users::is_name_taken(&mut *tx, &begun.localpart).await? {
        return Ok(Err(Late::Name));
    }
    let user = match users::create_as(tx, begun.user_id, begun.localpart.clone(), false, now).await {
        Ok(user) => user,
        Err(store::Error::Conflict(_)) => return Ok(Err(Late::Name)),
        Err(error) => return Err(error.into()),
    };
    if let Some(token) = begun.token(app)?
        && let Err(useless) = registration_tokens::take(tx, app, &token, now).await?
    {
        return Ok(Err(Late::Token(useless)));
    }
    if let Some(email) = begun.verified_email()
        && !emails::confirm(tx, user.id, email, now).await?
    {
        return Ok(Err(Late::Email));
    }
    if let Some(hash) = &begun.password {
        passwords::set(tx, user.id, hash, now).await?;
    }
    if let Some(passkey) = &begun.passkey
        && !passkeys::add(tx, passkey).await?
    {
        return Ok(Err(Late::Passkey));
    }
    if let Some(version) = &begun.terms {
        terms::accept(tx, user.id, version, now).await?;
    }
    users::set_language(tx, user.id, visit.language).await?;
    let occasion = Occasion::by(&visit.requester, now);
    activity::add(tx, user.id, Event::AccountCreated, &occasion).await?;
    Ok(Ok((user, begun)))
}

/// Asks again for what somebody else was faster with. Everything else stays.
async fn lead_back(app: &App, visit: &Visit, begun: &Begun, late: Late) -> Result<Response, PageError> {
    match late {
        Late::Name => name::ask_again(app, visit, begun, vec![NameProblem::Taken]).await,
        Late::Token(useless) => {
            name::ask_again(app, visit, begun, vec![NameProblem::TokenUseless(useless)]).await
        }
        Late::Email => email::ask_again(app, visit, begun, EmailProblem::Taken).await,
        Late::Passkey => {
            begun::set_passkey(app, begun, None).await?;
            passkey::page(app, visit, begun, Some(NotAdded::AlreadyEnrolled)).await
        }
        Late::Other => match begun::find(app, visit).await? {
            Some(begun) => Ok(visit.go(begun.due(app).map_or(PATH, Step::path))),
            None => done(app, visit, begun).await,
        },
    }
}

/// Tells the homeserver, since the person's client calls it in a moment; whether it knows.
async fn provision(app: &App, user: &User) -> Result<bool, PageError> {
    let Err(error) = jobs::provision(app, user).await else { return Ok(true) };
    // A worker may have been faster.
    let user = users::find(&app.store, user.id).await?;
    let is_known = user.is_some_and(|user| user.provisioned_at.is_some());
    if !is_known {
        tracing::error!(%error, "a new account waits for the homeserver");
    }
    Ok(is_known)
}

/// The account is there, and the person signed in to it; only the homeserver does not know yet.
fn not_yet(visit: &Visit, arrived: &Response, on: &str) -> Response {
    let problem = PageError::from(Problem::HomeserverUnreachable).then(WayOn::Again(on.to_owned()));
    let mut page = visit.answer(Err(problem));
    for cookie in arrived.headers().get_all(SET_COOKIE) {
        page.headers_mut().append(SET_COOKIE, cookie.clone());
    }
    page
}
