//! Signing out of a browser.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::next::Onward;
use super::register;
use crate::accounts::signed_in;
use crate::app::App;
use crate::http::error::{PageError, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::local::local;
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::sessions::browser;

/// `POST /logout`: ends the browser session. Matrix devices go on; with `next`, somebody else
/// may sign in and go on there, or with `then=register` make an account.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    // This path is for forms alone: nothing is there to be loaded again.
    visit.answer(sign_out(&app, &visit, form).await.map_err(|error| error.then(WayOn::Account)))
}

/// `GET /signed-out`.
pub async fn signed_out(visit: Visit) -> Response {
    visit.page(StatusCode::OK, &SignedOutPage { frame: visit.frame() }, None)
}

async fn sign_out(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    visit.check_form(&form)?;
    if let Some(signed_in) = signed_in::holder(app, visit).await? {
        let mut tx = app.store.begin().await?;
        browser::end(&mut tx, signed_in.session.id, signed_in.user.id, app.clock.now()).await?;
        tx.commit().await?;
        app.wake_workers();
        let (user, session, ip) = (signed_in.user.id, signed_in.session.id, visit.requester.ip());
        tracing::info!(%user, %session, ip, "a person signed out");
    }
    let on = match (form.get("then"), local(form.get("next"))) {
        (Some("register"), next) => Onward { next, needs_second: false }.through(register::PATH),
        (_, Some(next)) => with_query("/login", &[("next", next.into())]),
        (_, None) => "/signed-out".to_owned(),
    };
    Ok(visit.sign_out(visit.go(&on)))
}

/// The page after signing out.
#[derive(Debug, Template)]
#[template(path = "login/signed_out.html")]
pub struct SignedOutPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
}
