//! Accepting the terms of service once more, after they have changed: the last step on the way to whatever
//! needs somebody who is signed in. What clients hold already goes on.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::next::{self, Onward};
use crate::accounts::signed_in::{self, SignedIn};
use crate::accounts::terms::{self, Terms};
use crate::app::App;
use crate::http::error::{PageError, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters};
use crate::http::headers::FormAction;
use crate::http::pages::{Frame, Person};
use crate::http::visit::Visit;

/// Local path of the page.
pub const PATH: &str = "/login/terms";

/// `GET /login/terms`.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(show(&app, &visit, &query.unwrap_or_default()).await)
}

/// `POST /login/terms`: the person accepts the version that the page has shown.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(accept(&app, &visit, form).await)
}

/// Who is asked for what, or the way on: to sign in first, or, with nothing left to accept, to the end.
async fn find<'a>(
    app: &'a App,
    visit: &Visit,
    onward: &Onward,
) -> Result<Result<(SignedIn, Terms<'a>), Response>, PageError> {
    let who = signed_in::holder(app, visit).await?.filter(|who| who.meets_rule(app));
    Ok(match (who, terms::current(&app.config)) {
        (Some(who), Some(terms)) if who.must_accept_terms => Ok((who, terms)),
        (Some(_), _) => Err(visit.go(onward.end())),
        (None, _) => Err(visit.go(&onward.through("/login"))),
    })
}

async fn show(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let onward = Onward::read(&Parameters::parse(query.as_bytes())?);
    match find(app, visit, &onward).await? {
        Ok((who, terms)) => page(app, visit, &who, terms, onward).await,
        Err(answer) => Ok(answer),
    }
}

async fn page(
    app: &App,
    visit: &Visit,
    who: &SignedIn,
    terms: Terms<'_>,
    onward: Onward,
) -> Result<Response, PageError> {
    let waiting = next::waiting(app, visit, onward.next.as_deref()).await?;
    let form_action: Option<FormAction> = waiting.and_then(|waiting| waiting.form_action);
    let page = TermsPage { frame: visit.frame(), person: who.person(app), terms, onward };
    Ok(visit.page(StatusCode::OK, &page, form_action))
}

async fn accept(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    let onward = Onward::read(&form);
    let again = onward.through(PATH);
    visit.check_form(&form).map_err(|error| PageError::from(error).then(WayOn::Again(again)))?;
    let (who, terms) = match find(app, visit, &onward).await? {
        Ok(found) => found,
        Err(answer) => return Ok(answer),
    };
    // They may have changed while the page was open.
    if form.get("terms") != Some(terms.version) {
        return page(app, visit, &who, terms, onward).await;
    }
    let mut tx = app.store.begin().await?;
    terms::accept(&mut tx, who.user.id, terms.version, app.clock.now()).await?;
    tx.commit().await?;
    let (user, version) = (who.user.id, terms.version);
    tracing::info!(%user, version, "a person accepted the terms");
    Ok(visit.go(onward.end()))
}

/// The page that asks to accept the terms.
#[derive(Debug, Template)]
#[template(path = "login/terms.html")]
pub struct TermsPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Who is asked.
    pub person: Person,
    /// What they are to accept.
    pub terms: Terms<'a>,
    /// Where they go on, sent along with the form.
    pub onward: Onward,
}
