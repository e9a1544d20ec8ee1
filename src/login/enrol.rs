//! Setting up a second factor in the midst of a sign-in, for those who must have one and have none: an
//! authenticator app, or what is made at [`enrol_key`]. There is no session before that is done.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::arrive::arrive;
use super::attempts::{self, Attempt};
use super::enrol_key;
use super::next::Onward;
use super::second;
use crate::accounts::account_pages::authenticator_app::{EnrolmentForm, Instead};
use crate::accounts::account_pages::recovery_codes;
use crate::accounts::factors;
use crate::accounts::passkeys::Kind;
use crate::app::App;
use crate::http::error::PageError;
use crate::http::form::{FormError, Parameters};
use crate::http::visit::Visit;
use crate::methods::Method;

/// Local path of the page.
pub const PATH: &str = "/login/enrol";

/// `GET /login/enrol`: says how to set up an app.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(show(&app, &visit, &query.unwrap_or_default()).await)
}

/// `POST /login/enrol`: the first code of the app.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(confirm(&app, &visit, form).await)
}

/// The sign-in that waits for this, or the way to where it has to begin or to go on.
pub(super) async fn find(
    app: &App,
    visit: &Visit,
    onward: &Onward,
) -> Result<Result<Attempt, Response>, PageError> {
    let Some(attempt) = attempts::find(app, visit).await? else {
        return Ok(Err(visit.go(&onward.through("/login"))));
    };
    // Nobody gets around the factor that they have by setting up another one.
    match factors::find(&app.store, attempt.user.id).await?.has_second() {
        true => Ok(Err(visit.go(&onward.through(second::PATH)))),
        false => Ok(Ok(attempt)),
    }
}

async fn show(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let onward = Onward::read(&Parameters::parse(query.as_bytes())?);
    match find(app, visit, &onward).await? {
        Ok(attempt) => form_of(app, &onward).begin(app, visit, &attempt.user),
        Err(answer) => Ok(answer),
    }
}

async fn confirm(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    let onward = Onward::read(&form);
    let attempt = match find(app, visit, &onward).await? {
        Ok(attempt) => attempt,
        Err(answer) => return Ok(answer),
    };
    if let Err(answer) =
        form_of(app, &onward).confirm(app, visit, &attempt.user, &form, attempt.begin(app).await?).await?
    {
        return Ok(answer);
    }
    let methods = attempt.methods.with(Method::Totp);
    let codes_first = Onward { next: Some(recovery_codes::path_to(onward.end())), ..onward };
    arrive(app, visit, &attempt.user, methods, Some(&attempt), None, &codes_first).await
}

fn form_of(app: &App, onward: &Onward) -> EnrolmentForm {
    let instead = app.config.relying_party_id().map(|_| Instead {
        passkey: enrol_key::path(Kind::Passkey, onward),
        security_key: enrol_key::path(Kind::SecurityKey, onward),
    });
    EnrolmentForm { action: PATH, fields: onward.fields(), is_demanded: true, instead }
}
