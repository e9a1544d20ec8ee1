//! The second step of a sign-in.
//!
//! A person whose password was right comes here with the secret of their attempt in a cookie, and has a session
//! only once the step is done.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::attempts::{self, Attempt};
use super::next::{self, Onward};
use crate::accounts::factors::{self, Factors};
use crate::app::App;
use crate::clients::label::ClientLabel;
use crate::http::error::PageError;
use crate::http::filters;
use crate::http::form::Parameters;
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::methods::Method;

/// Local path of the page.
pub const PATH: &str = "/login/second";

/// `GET /login/second`: what there is to choose from.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(show(&app, &visit, &query.unwrap_or_default()).await)
}

async fn show(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let onward = Onward::read(&Parameters::parse(query.as_bytes())?);
    let Some(attempt) = attempts::find(app, visit).await? else {
        return Ok(visit.go(&onward.through("/login")));
    };
    page(app, visit, &attempt, onward).await
}

async fn page(app: &App, visit: &Visit, attempt: &Attempt, onward: Onward) -> Result<Response, PageError> {
    let factors = factors::find(&app.store, attempt.user.id).await?;
    let waiting = next::waiting(app, visit, onward.next.as_deref()).await?;
    let (client, form_action) = match waiting {
        Some(waiting) => (Some(waiting.client), waiting.form_action),
        None => (None, None),
    };
    let page = SecondStepPage { frame: visit.frame(), onward, client, ways: Ways::of(attempt, &factors) };
    Ok(visit.page(StatusCode::OK, &page, form_action))
}

/// The ways in which a person can do the second step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    /// By a code of an authenticator app.
    pub app: bool,
    /// By a passkey or security key.
    pub key: bool,
    /// By a recovery code.
    pub recovery_code: bool,
}

impl Ways {
    fn of(attempt: &Attempt, factors: &Factors) -> Ways {
        Ways {
            app: factors.apps > 0 && !attempt.methods.has(Method::Totp),
            key: factors.passkeys > 0,
            recovery_code: factors.recovery_codes > 0,
        }
    }
}

/// The page `GET /login/second` shows.
#[derive(Debug, Template)]
#[template(path = "login/second.html")]
pub struct SecondStepPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Where the sign-in leads.
    pub onward: Onward,
    /// The client that waits for it.
    pub client: Option<ClientLabel>,
    /// What the person can choose from.
    pub ways: Ways,
}
