//! Making recovery codes: they are shown once, on the page that answers.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::security;
use crate::accounts::activity::{Event, note, tell};
use crate::accounts::signed_in::{self, SignedIn};
use crate::accounts::{factors, recovery_codes};
use crate::app::App;
use crate::http::error::{PageError, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::local::local;
use crate::http::pages::{Frame, Person};
use crate::http::visit::Visit;

/// Local path of the page.
pub const PATH: &str = "/account/security/recovery-codes";

/// Local path of the page, from which the person goes on to another one.
pub fn path_to(next: &str) -> String {
    with_query(PATH, &[("next", next.into())])
}

/// Says what recovery codes are for, and offers to make some.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(offer(&app, &visit, &query.unwrap_or_default()).await)
}

/// Makes a new set.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(make(&app, &visit, form).await)
}

/// Who may make codes, and how many there are. They stand in for a second factor, so there must be one.
async fn allowed(
    app: &App,
    visit: &Visit,
    next: &str,
) -> Result<Result<(SignedIn, i64), Response>, PageError> {
    let signed_in = match signed_in::require_recent(app, visit, &path_to(next)).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(Err(sign_in_first)),
    };
    let factors = factors::find(&app.store, signed_in.user.id).await?;
    match factors.has_second() {
        true => Ok(Ok((signed_in, factors.recovery_codes))),
        false => Ok(Err(visit.go(security::PATH))),
    }
}

fn next_of(parameters: &Parameters) -> String {
    local(parameters.get("next")).unwrap_or_else(|| security::PATH.to_owned())
}

async fn offer(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let next = next_of(&Parameters::parse(query.as_bytes())?);
    match allowed(app, visit, &next).await? {
        Ok((_, left)) => {
            Ok(visit.page(StatusCode::OK, &OfferCodesPage { frame: visit.frame(), next, left }, None))
        }
        Err(answer) => Ok(answer),
    }
}

async fn make(app: &App, visit: &Visit, form: Result<Parameters, FormError>) -> Result<Response, PageError> {
    let form = form?;
    let next = next_of(&form);
    visit.check_form(&form).map_err(|error| PageError::from(error).then(WayOn::Again(path_to(&next))))?;
    let (signed_in, _) = match allowed(app, visit, &next).await? {
        Ok(allowed) => allowed,
        Err(answer) => return Ok(answer),
    };
    let mut tx = signed_in.begin(app).await?;
    let codes = recovery_codes::renew(&mut tx, app, signed_in.user.id).await?;
    let who = &visit.requester;
    tell(&mut tx, app, signed_in.user.id, Event::RecoveryCodesMade, Some(who)).await?;
    tx.commit().await?;
    app.wake_workers();
    note(signed_in.user.id, Event::RecoveryCodesMade, Some(&visit.requester));
    let page = NewCodesPage { frame: visit.frame().only_once(), person: signed_in.person(app), next, codes };
    Ok(visit.page(StatusCode::OK, &page, None))
}

/// The page that offers to make codes. It is posted to [`PATH`].
#[derive(Debug, Template)]
#[template(path = "account/offer_codes.html")]
pub struct OfferCodesPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Local path to go on to.
    pub next: String,
    /// How many codes are left, which would be worth nothing any more.
    pub left: i64,
}

/// The page that shows them.
#[derive(Debug, Template)]
#[template(path = "account/new_codes.html")]
pub struct NewCodesPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Whose they are.
    pub person: Person,
    /// Local path to go on to.
    pub next: String,
    /// The codes.
    pub codes: Vec<String>,
}

impl NewCodesPage<'_> {
    /// The codes as a text file, in a link that needs no server and no program (RFC 2397).
    fn file(&self) -> String {
        let title = self.frame.t.recovery_codes_of(&self.person.mxid).plain();
        let text = format!("{title}\r\n\r\n{}\r\n", self.codes.join("\r\n"));
        let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        format!("data:text/plain;charset=utf-8,{}", encoded.replace('+', "%20"))
    }
}
