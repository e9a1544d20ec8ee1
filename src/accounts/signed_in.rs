//! The person who is signed in with the browser that visits a page.

use axum::response::Response;

use super::sql;
use super::users::User;
use crate::app::App;
use crate::http::error::PageError;
use crate::http::form;
use crate::http::pages::Person;
use crate::http::visit::Visit;
use crate::keys;
use crate::sessions::browser::{self, BrowserSession};
use crate::store;

/// A person and the browser session they are signed in with.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// With which session.
    pub session: BrowserSession,
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
}

/// Who is signed in, if anybody, and may still be; notes that they were seen.
///
/// # Errors
/// When the database fails.
pub async fn find(app: &App, visit: &Visit) -> Result<Option<SignedIn>, store::Error> {
    let Some(secret) = &visit.session_secret else { return Ok(None) };
    let (now, limits) = (app.clock.now(), &app.config.sessions);
    let signed_in = sql::find_signed_in(&app.store, &keys::digest(secret)).await?;
    let Some(signed_in) = signed_in.filter(|found| found.session.is_within(limits, now)) else {
        return Ok(None);
    };
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
    Ok(match find(app, visit).await? {
        Some(signed_in) => Ok(signed_in),
        None => Err(visit.go(&form::with_query("/login", &[("next", path.into())]))),
    })
}
