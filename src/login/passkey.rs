//! Signing in with a passkey, by the name field's autofill or by a button, and without a name.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::arrive::arrive;
use super::next::{self, Onward};
use super::password::{Form, SignInProblem};
use crate::accounts::passkeys::{Refused, assertion, signals};
use crate::accounts::sign_in;
use crate::accounts::users::{self, Standing, User};
use crate::app::App;
use crate::http::error::PageError;
use crate::http::form::{FormError, Parameters};
use crate::http::headers::set_retry_after;
use crate::http::visit::Visit;
use crate::methods::Method;
use crate::telemetry::metrics::SignIn;

/// How metrics call a sign-in by passkey.
const METHOD: &str = "passkey";

/// `POST /login/passkey`.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(try_passkey(&app, &visit, form).await)
}

async fn try_passkey(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    let onward = Onward::read(&form);
    let waiting = next::waiting(app, visit, onward.next.as_deref()).await?;
    let mut page = Form { onward, waiting, username: String::new(), notice: None, signals: None };
    let answer = |page: Form, status, problem| Ok(page.answer(app, visit, status, vec![problem]));
    if visit.check_form(&form).is_err() {
        return answer(page, StatusCode::FORBIDDEN, SignInProblem::PasskeyStale);
    }
    let (Some(sealed), Some(response)) = (form.get("ceremony"), form.get("credential")) else {
        return answer(page, StatusCode::BAD_REQUEST, SignInProblem::PasskeyNeedsScript);
    };
    let refused = |user: Option<&User>, outcome: SignIn| {
        app.metrics.sign_in(METHOD, outcome);
        let user = user.map(|user| tracing::field::display(user.id));
        tracing::info!(user, reason = outcome.as_str(), ip = visit.requester.ip(), "a sign-in was refused");
    };
    let counted = match sign_in::count_by_address(app, &visit.requester).await? {
        Ok(counted) => counted,
        Err(wait) => {
            refused(None, SignIn::Limited);
            let problem = SignInProblem::TooManyAttempts(wait);
            let mut response = page.answer(app, visit, StatusCode::TOO_MANY_REQUESTS, vec![problem]);
            set_retry_after(&mut response, wait);
            return Ok(response);
        }
    };
    let owner = match assertion::sign_in(app, visit.browser(), sealed, response).await? {
        Ok(owner) => owner,
        Err(reason) => {
            refused(None, SignIn::Wrong);
            let problem = match reason {
                Refused::Stale => SignInProblem::PasskeyStale,
                _ => SignInProblem::PasskeyInvalid,
            };
            if let Refused::Unknown(credential_id) = reason {
                page.signals = Some(signals::unknown(app, &credential_id));
            }
            return answer(page, StatusCode::FORBIDDEN, problem);
        }
    };
    let Some(user) = users::find(&app.store, owner).await? else {
        return answer(page, StatusCode::FORBIDDEN, SignInProblem::PasskeyInvalid);
    };
    match user.standing() {
        Standing::Active => {
            app.metrics.sign_in(METHOD, SignIn::Succeeded);
            arrive(app, visit, &user, Method::Passkey.into(), None, Some(&counted), &page.onward).await
        }
        Standing::Locked => {
            refused(Some(&user), SignIn::Locked);
            answer(page, StatusCode::FORBIDDEN, SignInProblem::AccountLocked)
        }
        Standing::Deactivated => {
            refused(Some(&user), SignIn::Wrong);
            answer(page, StatusCode::FORBIDDEN, SignInProblem::PasskeyInvalid)
        }
    }
}
