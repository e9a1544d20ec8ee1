//! Letting an app replace the keys by which others recognise a person (Matrix CS API, OAuth authentication;
//! MSC4312).

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use crate::accounts::activity::{self, Event};
use crate::accounts::jobs::provision;
use crate::accounts::mails::Occasion;
use crate::accounts::signed_in::{self, SignedIn};
use crate::app::App;
use crate::homeserver;
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::pages::{Frame, Person};
use crate::http::visit::Visit;
use crate::sessions::all;

/// Local path of the page.
pub const PATH: &str = "/account/cross-signing-reset";

/// The page that says what is lost, and asks. The answer is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "account/cross_signing_reset.html")]
pub struct CrossSigningResetPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Whose keys they are.
    pub person: Person,
    /// Local path of this page, where "Not you?" comes back to.
    pub action: String,
    /// How many devices are signed in, each of which could use the permission.
    pub devices: u64,
}

/// The page after that.
#[derive(Debug, Template)]
#[template(path = "account/cross_signing_reset_allowed.html")]
pub struct CrossSigningResetAllowedPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
}

/// Says what is lost, and asks.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    // Only our own page is believed.
    if visit.is_from_own_page() && query.as_deref() == Some("result=done") {
        return visit.page(StatusCode::OK, &CrossSigningResetAllowedPage { frame: visit.frame() }, None);
    }
    visit.answer(ask(&app, &visit).await)
}

/// Lets an app replace the keys.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(allow(&app, &visit, form).await)
}

async fn ask(app: &App, visit: &Visit) -> Result<Response, PageError> {
    let signed_in = match signed_in::require_recent(app, visit, PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let page = CrossSigningResetPage {
        frame: visit.frame(),
        person: signed_in.person(app),
        action: PATH.to_owned(),
        devices: all::count(&app.store, signed_in.user.id, signed_in.session.id).await?.devices,
    };
    Ok(visit.page(StatusCode::OK, &page, None))
}

async fn allow(app: &App, visit: &Visit, form: Result<Parameters, FormError>) -> Result<Response, PageError> {
    let again = || WayOn::Again(PATH.to_owned());
    visit.check_form(&form?).map_err(|error| PageError::from(error).then(again()))?;
    let signed_in = match signed_in::require_recent(app, visit, PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let user = signed_in.user.id;
    // The app tries again and again for two minutes at most, so nothing is queued.
    tell_homeserver(app, &signed_in).await.map_err(|error| {
        tracing::error!(%error, %user, "the homeserver did not allow that cross-signing keys are replaced");
        PageError::from(Problem::HomeserverUnreachable).then(again())
    })?;
    let mut tx = app.store.begin().await?;
    let occasion = Occasion::by(&visit.requester, app.clock.now());
    activity::add(&mut tx, user, Event::CrossSigningReset, &occasion).await?;
    tx.commit().await?;
    tracing::info!(%user, session = %signed_in.session.id, "a person allowed their cross-signing keys to be replaced");
    Ok(visit.go(&with_query(PATH, &[("result", "done".into())])))
}

async fn tell_homeserver(app: &App, signed_in: &SignedIn) -> Result<(), homeserver::Error> {
    if signed_in.user.provisioned_at.is_none() {
        provision(app, &signed_in.user).await?;
    }
    app.homeserver.allow_cross_signing_reset(&signed_in.user.localpart).await
}
