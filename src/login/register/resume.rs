//! Coming back to an account that is being made, and coming to make one while signed in.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::begun::{self, Begun};
use super::{PATH, for_whom, go_on, onward};
use crate::app::App;
use crate::clients::authorization_requests::NO_NEW_ACCOUNT;
use crate::clients::label::ClientLabel;
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters};
use crate::http::pages::{Frame, Person};
use crate::http::visit::Visit;
use crate::login::next::{Onward, Waiting};

/// The page for somebody who has begun and comes back. It is posted to `/register/continue`.
#[derive(Debug, Template)]
#[template(path = "login/register/resume.html")]
pub struct ResumePage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// For which client the account is made.
    pub client: Option<ClientLabel>,
    /// The account as it is going to be called.
    pub mxid: String,
}

/// The page for somebody who has an account.
#[derive(Debug, Template)]
#[template(path = "login/register/signed_in.html")]
pub struct SignedInPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Who they are.
    pub person: Person,
    /// For which client an account is to be made.
    pub client: Option<ClientLabel>,
    /// The local path on which they go on with the account that they have.
    pub go_on: String,
    /// Where they go on with another one.
    pub onward: Onward,
}

impl SignedInPage<'_> {
    /// Says who is signed in, and where they can go on.
    pub(super) fn answer(
        visit: &Visit,
        person: Person,
        onward: Onward,
        waiting: Option<Waiting>,
    ) -> Response {
        let go_on = match &waiting {
            Some(_) => format!("{}?{NO_NEW_ACCOUNT}", onward.end()),
            None => onward.end().to_owned(),
        };
        let client = waiting.map(|waiting| waiting.client);
        visit.page(
            StatusCode::OK,
            &SignedInPage { frame: visit.frame(), person, client, go_on, onward },
            None,
        )
    }
}

/// Asks whether to go on with what was begun. Who comes for another client goes on there afterwards.
pub(super) async fn ask(
    app: &App,
    visit: &Visit,
    begun: Begun,
    came_for: Onward,
) -> Result<Response, PageError> {
    if let Some(next) = &came_for.next {
        begun::set_next(app, &begun, next).await?;
    }
    let next = came_for.next.or(begun.next);
    let (client, form_action) = for_whom(app, visit, next.as_deref()).await?;
    let mxid = begun.localpart.mxid(&app.config.homeserver.server_name);
    Ok(visit.page(StatusCode::OK, &ResumePage { frame: visit.frame(), client, mxid }, form_action))
}

/// `POST /register/continue`: goes on, or starts again.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    // This path is for forms alone: nothing is there to be loaded again.
    visit.answer(decide(&app, &visit, form).await.map_err(|error| error.then(WayOn::Again(PATH.to_owned()))))
}

async fn decide(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    visit.check_form(&form)?;
    let Some(begun) = begun::find(app, visit).await? else { return Ok(visit.go(PATH)) };
    match form.get("answer") {
        Some("go-on") => go_on(app, visit, &begun).await,
        Some("start-again") => {
            begun::forget(app, &begun).await?;
            let again = onward(begun.next).through(PATH);
            Ok(visit.forget_registration(visit.go(&again)))
        }
        _ => Err(Problem::BadRequest.into()),
    }
}
