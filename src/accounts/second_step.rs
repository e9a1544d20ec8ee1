//! Trying a code as a second step: the one place where such guesses are counted and compared.

use std::time::Duration;

use super::security_events::{SecurityEvent, note};
use super::{authenticator_apps, recovery_codes};
use crate::app::App;
use crate::http::error::{PageError, Problem};
use crate::http::rate_limits::{self, Action, Allowance};
use crate::http::requester::Requester;
use crate::ids::UserId;
use crate::methods::Method;

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
    requester: &Requester,
    user: UserId,
    method: Method,
    code: &str,
) -> Result<Tried, PageError> {
    let address = requester.limit_key();
    let guesses = [Action::SecondStepFrom(&address), Action::SecondStepBy(user)];
    for guess in &guesses {
        if let Allowance::Exhausted(wait) = rate_limits::spend(app, guess).await? {
            return Ok(Tried::TooMany(wait));
        }
    }
    let mut tx = app.store.begin().await?;
    let is_right = match method {
        Method::RecoveryCode => recovery_codes::spend(&mut tx, app, user, code).await?,
        _ => authenticator_apps::spend_code(&mut tx, app, user, code).await?,
    };
    if !is_right {
        tracing::warn!(%user, method = method.as_str(), "a second step was tried with a wrong code");
        return Ok(Tried::Wrong);
    }
    for guess in &guesses {
        rate_limits::refund(&mut tx, app, guess).await?;
    }
    tx.commit().await?;
    if method == Method::RecoveryCode {
        note(user, SecurityEvent::RecoveryCodeUsed);
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
