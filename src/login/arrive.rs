//! Where every proof of who a person is ends: in a session, or at the step that is still due.

use axum::response::Response;

use super::attempts::{self, Attempt};
use super::next::Onward;
use super::second;
use crate::accounts::activity::{self, Event};
use crate::accounts::factors::{self, Factors};
use crate::accounts::mails::{self, Occasion};
use crate::accounts::remembered_browsers;
use crate::accounts::sign_in::Counted;
use crate::accounts::signed_in::{self, SignedIn};
use crate::accounts::users::{self, User};
use crate::app::App;
use crate::http::error::PageError;
use crate::http::visit::Visit;
use crate::methods::{Method, Methods};
use crate::sessions::browser;
use crate::store::Tx;
use crate::time::Timestamp;

/// Lets an active user in who has proved who they are by `methods`, or leads them to the step that is still
/// due. What the proof was counted as is given back; the `attempt` whose second step it was is over.
///
/// # Errors
/// When the database fails.
pub async fn arrive(
    app: &App,
    visit: &Visit,
    user: &User,
    methods: Methods,
    attempt: Option<&Attempt>,
    counted: Option<&Counted>,
    onward: &Onward,
) -> Result<Response, PageError> {
    let before = signed_in::holder(app, visit).await?;
    let factors = factors::find(&app.store, user.id).await?;
    let is_there = before.as_ref().is_some_and(|before| before.user.id == user.id);
    let methods = match is_there || onward.needs_second || methods.has_second() || !factors.has_second() {
        true => methods,
        false => with_remembered_browser(app, visit, user, methods).await?,
    };
    let must = onward.needs_second || app.config.second_factor.is_required_for(user.is_admin);
    let mut tx = app.store.begin().await?;
    let still_holds = match (attempt, counted) {
        (Some(attempt), _) => attempt.complete(&mut tx).await?,
        (None, Some(counted)) => counted.still_holds(&mut tx, user).await?,
        (None, None) => true,
    };
    if !still_holds {
        // The password was changed while the old one was compared, or another request was faster with the attempt.
        return Ok(visit.go(&onward.through("/login")));
    }
    if attempt.is_none() {
        attempts::end(&mut tx, visit).await?;
    }
    if let Some(counted) = counted {
        counted.give_back(&mut tx, app).await?;
    }
    match is_second_due(methods, &factors, is_there, must) {
        true => wait(visit, tx, user, (methods, app.clock.now()), onward).await,
        false => {
            mails::tell_of_new_browser(&mut tx, app, user, visit, app.clock.now()).await?;
            let_in(app, visit, tx, user, methods, before, onward).await
        }
    }
}

/// The same for a person whose account begins in the transaction, and who has proved who they are by all that it
/// has. `before` is who was signed in with the browser until then.
///
/// # Errors
/// When the database fails.
pub(super) async fn arrive_as_new(
    app: &App,
    visit: &Visit,
    mut tx: Tx,
    before: Option<SignedIn>,
    user: &User,
    methods: Methods,
    onward: &Onward,
) -> Result<Response, PageError> {
    attempts::end(&mut tx, visit).await?;
    let must = onward.needs_second || app.config.second_factor.is_required_for(user.is_admin);
    match must && !methods.has_second() {
        true => wait(visit, tx, user, (methods, app.clock.now()), onward).await,
        false => let_in(app, visit, tx, user, methods, before, onward).await,
    }
}

/// Whether a second step is still due. Of a person who is signed in, and came to prove it anew, the strongest
/// factor is asked for that they have.
fn is_second_due(methods: Methods, factors: &Factors, is_there: bool, must: bool) -> bool {
    let is_done = methods.has_second() || methods.has(Method::RememberedBrowser);
    match is_there {
        true => !factors.are_proved_by(methods) || (must && !is_done),
        false => (must || factors.has_second()) && !is_done,
    }
}

/// What was proved, with the browser beside it if that is remembered.
async fn with_remembered_browser(
    app: &App,
    visit: &Visit,
    user: &User,
    methods: Methods,
) -> Result<Methods, PageError> {
    let (Some(lifetime), Some(secret)) =
        (app.config.second_factor.remembered_for(), &visit.remembered_secret)
    else {
        return Ok(methods);
    };
    let (store, now) = (&app.store, app.clock.now());
    let is_remembered = remembered_browsers::is_remembered(store, user.id, secret, lifetime, now).await?;
    Ok(if is_remembered { methods.with(Method::RememberedBrowser) } else { methods })
}

/// Leads a person who is signed in, and has proved a moment ago who they are, to the second step.
///
/// # Errors
/// When they were signed out meanwhile, or the database fails.
pub(super) async fn ask_for_second(
    app: &App,
    visit: &Visit,
    who: &SignedIn,
    onward: &Onward,
) -> Result<Response, PageError> {
    let mut tx = who.begin(app).await?;
    attempts::end(&mut tx, visit).await?;
    let proved = (who.session.methods, who.session.authenticated_at);
    wait(visit, tx, &who.user, proved, onward).await
}

/// Leads a person on to the step that is still due.
async fn wait(
    visit: &Visit,
    mut tx: Tx,
    user: &User,
    (methods, proved_at): (Methods, Timestamp),
    onward: &Onward,
) -> Result<Response, PageError> {
    let secret = attempts::begin(&mut tx, user.id, methods, proved_at).await?;
    tx.commit().await?;
    // It leads on to where a factor is set up, if there is none.
    let response = visit.go(&onward.through(second::PATH));
    Ok(visit.keep_attempt(response, &secret, attempts::LIFETIME))
}

/// Goes on with the session that the browser has, if it is the same person's, or starts one in its place.
async fn let_in(
    app: &App,
    visit: &Visit,
    mut tx: Tx,
    user: &User,
    methods: Methods,
    before: Option<SignedIn>,
    onward: &Onward,
) -> Result<Response, PageError> {
    let now = app.clock.now();
    users::set_language(&mut tx, user.id, visit.language).await?;
    activity::add(&mut tx, user.id, Event::SignedIn, &Occasion::by(&visit.requester, now)).await?;
    let renewed = match before {
        // Clients were told which session this is, and it is not over.
        Some(before) if before.user.id == user.id => {
            let secret = browser::renew(&mut tx, before.session.id, methods, &visit.requester, now).await?;
            secret.map(|secret| (before.session.id, secret))
        }
        Some(before) => {
            browser::end(&mut tx, before.session.id, before.user.id, now).await?;
            None
        }
        None => None,
    };
    let (session, secret) = match renewed {
        Some(renewed) => renewed,
        None => {
            let (session, secret) =
                browser::start(&mut tx, user.id, methods, visit.browser(), &visit.requester, now).await?;
            (session.id, secret)
        }
    };
    let has_work = tx.asks_for_work();
    tx.commit().await?;
    if has_work {
        app.wake_workers();
    }
    let (methods, ip) = (methods.to_text(), visit.requester.ip());
    tracing::info!(user = %user.id, %session, methods, ip, "a person signed in");
    Ok(visit.sign_in(visit.go(onward.end()), &secret, app.config.sessions.browser_absolute_seconds))
}
