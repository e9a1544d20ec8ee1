//! Ending every session but the one asking.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::sessions::AccountNotice;
use crate::accounts::activity::{self, Event};
use crate::accounts::mails::Occasion;
use crate::accounts::{email_verifications, password_resets, remembered_browsers, signed_in};
use crate::app::App;
use crate::http::error::{PageError, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters};
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::login::attempts;
use crate::sessions::all;
use crate::sessions::client::EndReason;

/// Local path of the page.
pub const PATH: &str = "/account/sessions/end-others";

/// The page that asks whether to end every session but the one asking. The answer is posted to
/// its own path.
#[derive(Debug, Template)]
#[template(path = "account/end_others.html")]
pub struct EndOthersPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// How many sessions would end.
    pub others: u64,
    /// How many of them are Matrix devices.
    pub devices: u64,
}

/// Asks whether to sign out everywhere else.
pub async fn get(State(app): State<App>, visit: Visit) -> Response {
    visit.answer(ask(&app, &visit).await)
}

/// Signs out everywhere else.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(end(&app, &visit, form).await)
}

async fn ask(app: &App, visit: &Visit) -> Result<Response, PageError> {
    let signed_in = match signed_in::require(app, visit, PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let others = all::count(&app.store, signed_in.user.id, signed_in.session.id).await?;
    if others.sessions == 0 {
        return Ok(visit.go(&AccountNotice::EndedOthers(0).path()));
    }
    let page = EndOthersPage { frame: visit.frame(), others: others.sessions, devices: others.devices };
    Ok(visit.page(StatusCode::OK, &page, None))
}

async fn end(app: &App, visit: &Visit, form: Result<Parameters, FormError>) -> Result<Response, PageError> {
    visit.check_form(&form?).map_err(|error| PageError::from(error).then(WayOn::Again(PATH.to_owned())))?;
    let signed_in = match signed_in::require(app, visit, PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let mut tx = signed_in.begin(app).await?;
    let (user, here, now) = (signed_in.user.id, signed_in.session.id, app.clock.now());
    let ended = all::end_all(&mut tx, user, Some(here), EndReason::SignedOut, now).await?;
    // Who was signed in elsewhere may have had something begun that needs no session to be ended.
    attempts::end_all(&mut tx, user).await?;
    remembered_browsers::forget_all(&mut tx, signed_in.user.id).await?;
    email_verifications::forget(&mut tx, signed_in.user.id).await?;
    password_resets::forget(&mut tx, signed_in.user.id).await?;
    let occasion = Occasion::by(&visit.requester, app.clock.now());
    activity::add(&mut tx, signed_in.user.id, Event::SessionsEnded, &occasion).await?;
    tx.commit().await?;
    app.wake_workers();
    Ok(visit.go(&AccountNotice::EndedOthers(ended.browsers + ended.clients).path()))
}
