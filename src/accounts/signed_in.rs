//! The person who is signed in with the browser that visits a page.

use std::time::Duration;

use axum::response::Response;

use super::users::{Standing, User};
use super::{factors, sql, terms};
use crate::app::App;
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::form::with_query;
use crate::http::pages::Person;
use crate::http::visit::Visit;
use crate::keys;
use crate::methods::Method;
use crate::sessions::browser::{self, BrowserSession};
use crate::store::{self, Tx};

/// A person and the browser session they are signed in with.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// With which session.
    pub session: BrowserSession,
    /// Whether they have yet to accept the terms of service as they are now.
    pub must_accept_terms: bool,
}

impl SignedIn {
    /// The person as pages name them.
    pub fn person(&self, app: &App) -> Person {
        Person {
            display_name: None,
            mxid: self.user.localpart.mxid(&app.config.homeserver.server_name),
            is_admin: self.user.is_admin,
        }
    }

    /// Begins a transaction for what they want changed. Until it ends they stay signed in: who ends the session at
    /// this moment waits, and finds what was changed; so does who wants something else changed in the same session.
    ///
    /// # Errors
    /// [`Problem::SignedOut`] when the session was ended while the request was under way, or the database fails.
    pub async fn begin(&self, app: &App) -> Result<Tx, PageError> {
        let mut tx = app.store.begin().await?;
        match browser::hold(&mut tx, self.session.id).await? {
            true => Ok(tx),
            false => Err(PageError::from(Problem::SignedOut).then(WayOn::SignIn)),
        }
    }

    /// Whether they have used a second factor, or a browser that is remembered for one, if they must.
    pub fn meets_rule(&self, app: &App) -> bool {
        let methods = self.session.methods;
        let is_met = methods.has_second() || methods.has(Method::RememberedBrowser);
        is_met || !app.config.second_factor.is_required_for(self.user.is_admin)
    }
}

/// Who is signed in, if anybody; notes that they were seen. Nobody is whose session began before they had to
/// use a second factor, nor who has yet to accept the terms of service: the sign-in page leads on from there.
///
/// # Errors
/// When the database fails.
pub async fn find(app: &App, visit: &Visit) -> Result<Option<SignedIn>, store::Error> {
    Ok(holder(app, visit).await?.filter(|who| who.meets_rule(app) && !who.must_accept_terms))
}

/// Whose session the browser has, if any, whether or not it is enough to be signed in.
///
/// # Errors
/// When the database fails.
pub async fn holder(app: &App, visit: &Visit) -> Result<Option<SignedIn>, store::Error> {
    let Some(cookie_digest) = cookie_digest(visit) else { return Ok(None) };
    let found = sql::find_signed_in(&app.store, &cookie_digest).await?;
    seen(app, visit, found).await
}

/// What a browser session is found by: the digest of its cookie, if the browser has sent one.
pub fn cookie_digest(visit: &Visit) -> Option<String> {
    visit.session_secret.as_ref().map(keys::digest)
}

/// Who was found by their cookie, unless that was given out too long ago, or they are locked out; notes that they
/// were seen.
///
/// # Errors
/// When the database fails.
pub async fn seen(
    app: &App,
    visit: &Visit,
    found: Option<SignedIn>,
) -> Result<Option<SignedIn>, store::Error> {
    let (now, limits) = (app.clock.now(), &app.config.sessions);
    let is_in =
        |found: &SignedIn| found.user.standing() == Standing::Active && found.session.is_within(limits, now);
    let Some(mut signed_in) = found.filter(is_in) else { return Ok(None) };
    signed_in.must_accept_terms = terms::must_accept(&app.store, &app.config, signed_in.user.id).await?;
    let touched = browser::touch(&app.store, &signed_in.session, &visit.requester, limits, now).await;
    if let Err(error) = touched {
        // Pages that only show something are shown also when nothing can be written.
        tracing::warn!(%error, "when a browser was last seen could not be written");
    }
    Ok(Some(signed_in))
}

/// Who is signed in, or the way to the sign-in page and back to `path`.
///
/// # Errors
/// When the database fails.
pub async fn require(app: &App, visit: &Visit, path: &str) -> Result<Result<SignedIn, Response>, PageError> {
    Ok(find(app, visit).await?.ok_or_else(|| visit.go(&with_query("/login", &[("next", path.into())]))))
}

/// The way to the sign-in page, which asks for a second factor or has one set up, and back to `path`.
pub fn ask_for_second(visit: &Visit, path: &str) -> Response {
    visit.go(&with_query("/login", &[("next", path.into()), ("second", "required".into())]))
}

/// How long ago somebody may have proved who they are to do what gives an account away, or ends it.
const RECENT: Duration = Duration::from_secs(10 * 60);

/// Who is signed in and has proved it in the last ten minutes by the strongest factor that they have, or the
/// way to the sign-in page, which asks for that again, and back to `path`.
///
/// # Errors
/// When the database fails.
pub async fn require_recent(
    app: &App,
    visit: &Visit,
    path: &str,
) -> Result<Result<SignedIn, Response>, PageError> {
    let is_recent = |who: &SignedIn| app.clock.now().since(who.session.authenticated_at) < RECENT;
    if let Some(who) = find(app, visit).await?.filter(is_recent)
        && factors::find(&app.store, who.user.id).await?.are_proved_by(who.session.methods)
    {
        return Ok(Ok(who));
    }
    let max_age = RECENT.as_secs().to_string();
    Ok(Err(visit.go(&with_query("/login", &[("next", path.into()), ("max_age", max_age.into())]))))
}
