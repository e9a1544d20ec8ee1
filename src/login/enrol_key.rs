//! Setting up a passkey or a security key in the midst of a sign-in, in the place of an authenticator app
//! ([`enrol`]). There is no session before that is done.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::arrive::arrive;
use super::attempts::Attempt;
use super::enrol;
use super::next::Onward;
use crate::accounts::account_pages::new_passkey::{kind_of, method_of};
use crate::accounts::account_pages::recovery_codes;
use crate::accounts::account_pages::{KeyForm, NewPasskeyPage, NotAdded};
use crate::accounts::activity::{Event, note};
use crate::accounts::passkeys::{Kind, enrolment};
use crate::app::App;
use crate::http::error::{PageError, Problem};
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::pages::Person;
use crate::http::visit::Visit;

/// Local path of the page.
pub const PATH: &str = "/login/enrol/key";

/// The local path of the page for a kind, from which the sign-in goes on.
pub fn path(kind: Kind, onward: &Onward) -> String {
    let name = match kind {
        Kind::Passkey => "passkey",
        Kind::SecurityKey => "security-key",
    };
    with_query(&onward.through(PATH), &[("kind", name.into())])
}

/// `GET /login/enrol/key`.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(show(&app, &visit, &query.unwrap_or_default()).await)
}

/// `POST /login/enrol/key`: what the browser has made.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(confirm(&app, &visit, form).await)
}

async fn show(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let asked = Parameters::parse(query.as_bytes())?;
    let onward = Onward::read(&asked);
    match enrol::find(app, visit, &onward).await? {
        Ok(attempt) => page(app, visit, &attempt, kind_of(&asked), &onward, None).await,
        Err(answer) => Ok(answer),
    }
}

async fn page(
    app: &App,
    visit: &Visit,
    attempt: &Attempt,
    kind: Kind,
    onward: &Onward,
    problem: Option<NotAdded>,
) -> Result<Response, PageError> {
    let ceremony = enrolment::begin(app, visit.browser(), &attempt.user, kind).await?;
    let ceremony = ceremony.ok_or(Problem::NotFound)?;
    let mxid = attempt.user.localpart.mxid(&app.config.homeserver.server_name);
    let page = NewPasskeyPage {
        frame: visit.frame().back_to(path(kind, onward)),
        person: Person { display_name: None, mxid, is_admin: attempt.user.is_admin },
        action: path(kind, onward),
        form: KeyForm { action: PATH, fields: onward.fields(), back: onward.through(enrol::PATH) },
        kind,
        ceremony,
        problem,
    };
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(visit.page(status, &page, None))
}

async fn confirm(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    let (onward, kind) = (Onward::read(&form), kind_of(&form));
    let attempt = match enrol::find(app, visit, &onward).await? {
        Ok(attempt) => attempt,
        Err(answer) => return Ok(answer),
    };
    let again = async |problem| page(app, visit, &attempt, kind, &onward, Some(problem)).await;
    if visit.check_form(&form).is_err() {
        return again(NotAdded::Stale).await;
    }
    let (Some(sealed), Some(answer)) = (form.get("ceremony"), form.get("credential")) else {
        return again(NotAdded::NoScript).await;
    };
    let added = match enrolment::finish(app, visit, &attempt.user, sealed, answer, attempt.begin(app).await?)
        .await?
    {
        Ok(added) => added,
        Err(refused) => return again(refused.into()).await,
    };
    note(attempt.user.id, Event::PasskeyAdded, Some(&visit.requester));
    let methods = attempt.methods.with(method_of(added.kind));
    let codes_first = Onward { next: Some(recovery_codes::path_to(onward.end())), ..onward };
    arrive(app, visit, &attempt.user, methods, Some(&attempt), None, &codes_first).await
}
