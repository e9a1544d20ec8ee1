//! Trying a code as a second step: the one place where such guesses are counted and compared.

use std::time::Duration;

use super::activity::{Event, note, tell};
use super::{authenticator_apps, recovery_codes};
use crate::app::App;
use crate::http::error::{PageError, Problem};
use crate::http::rate_limits::{self, Action, Allowance};
use crate::http::visit::Visit;
use crate::ids::UserId;
use crate::methods::Method;
use crate::sessions::browser;
use crate::telemetry::metrics::SignIn;

/// What came of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It was right, and is spent.
    Right,
    /// It is not right, or was spent before.
    Wrong,
    /// Nothing was compared; after this time another one is.
    TooMany(Duration),
}

/// Tries a code of an authenticator app ([`Method::Totp`]) or a recovery code. Each try counts before it is
/// compared, so that many at once gain nothing, and a right one is given back.
///
/// # Errors
/// When the database fails, or a stored secret does not decrypt.
pub async fn try_code(
    app: &App,
    visit: &Visit,
    user: UserId,
    method: Method,
    code: &str,
) -> Result<Tried, PageError> {
    let (address, ip) = (visit.requester.limit_key(), visit.requester.ip());
    // Who has found out the password and guesses on cannot keep the owner out of the browser they always use.
    let own_browser = match browser::is_known(&app.store, visit.browser(), user).await? {
        true => Some(visit.browser()),
        false => None,
    };
    let guesses = [Action::SecondStepFrom(&address), Action::SecondStepBy(user, own_browser)];
    for guess in &guesses {
        if let Allowance::Exhausted(wait) = rate_limits::spend(app, guess).await? {
            app.metrics.sign_in(method.as_str(), SignIn::Limited);
            tracing::warn!(%user, method = method.as_str(), ip, "there were too many wrong codes for a second step");
            return Ok(Tried::TooMany(wait));
        }
    }
    let mut tx = app.store.begin().await?;
    let is_right = match method {
        Method::RecoveryCode => recovery_codes::spend(&mut tx, app, user, code).await?,
        _ => authenticator_apps::spend_code(&mut tx, app, user, code).await?,
    };
    if !is_right {
        app.metrics.sign_in(method.as_str(), SignIn::Wrong);
        tracing::warn!(%user, method = method.as_str(), ip, "a wrong code came for a second step");
        return Ok(Tried::Wrong);
    }
    rate_limits::refund(&mut tx, app, &guesses).await?;
    if method == Method::RecoveryCode {
        tell(&mut tx, app, user, Event::RecoveryCodeUsed, Some(&visit.requester)).await?;
    }
    tx.commit().await?;
    app.metrics.sign_in(method.as_str(), SignIn::Succeeded);
    if method == Method::RecoveryCode {
        note(user, Event::RecoveryCodeUsed, Some(&visit.requester));
    }
    Ok(Tried::Right)
}

impl From<authenticator_apps::Error> for PageError {
    fn from(error: authenticator_apps::Error) -> PageError {
        match error {
            authenticator_apps::Error::Store(error) => error.into(),
            authenticator_apps::Error::Unusable(error) => {
                tracing::error!(%error, "codes cannot be compared");
                Problem::Internal.into()
            }
        }
    }
}
