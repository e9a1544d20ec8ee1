//! The name that a person is shown by.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::Section;
use crate::accounts::display_name::{self, DisplayName};
use crate::accounts::mails::Occasion;
use crate::accounts::signed_in;
use crate::app::App;
use crate::http::error::{PageError, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::pages::{Frame, Person};
use crate::http::visit::Visit;

/// Local path of the page.
pub const PATH: &str = "/account/profile";

/// The page on which a name is chosen. It is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "account/profile.html")]
pub struct ProfilePage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Who it is, with the name they have.
    pub person: Person,
    /// Whether the homeserver does not answer: the name is not known then.
    pub homeserver_unreachable: bool,
    /// What stands in the field.
    pub typed: String,
    /// Whether it is too long.
    pub is_too_long: bool,
    /// Whether another name was chosen just now.
    pub is_changed: bool,
}

impl ProfilePage<'_> {
    const SECTION: Section = Section::Account;
    const LONGEST: usize = display_name::LONGEST;
}

/// Shows the name.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    // Only our own pages are believed that something was done.
    let is_changed = visit.is_from_own_page() && query.as_deref() == Some("notice=changed");
    visit.answer(show(&app, &visit, is_changed).await)
}

/// Changes it.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(change(&app, &visit, form).await)
}

async fn show(app: &App, visit: &Visit, is_changed: bool) -> Result<Response, PageError> {
    let signed_in = match signed_in::require(app, visit, PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let known = display_name::find(app, signed_in.user.id, &signed_in.user.localpart).await?;
    let homeserver_unreachable = known == DisplayName::Unknown;
    let display_name = match known {
        DisplayName::Known(name) => name,
        DisplayName::Unknown => None,
    };
    let page = ProfilePage {
        frame: visit.frame(),
        typed: display_name.clone().unwrap_or_default(),
        person: Person { display_name, ..signed_in.person(app) },
        homeserver_unreachable,
        is_too_long: false,
        is_changed,
    };
    Ok(visit.page(StatusCode::OK, &page, None))
}

async fn change(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    visit.check_form(&form).map_err(|error| PageError::from(error).then(WayOn::Again(PATH.to_owned())))?;
    let signed_in = match signed_in::require(app, visit, PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let typed = form.get("name").unwrap_or_default();
    let Ok(name) = display_name::read(typed) else {
        let page = ProfilePage {
            frame: visit.frame(),
            person: signed_in.person(app),
            homeserver_unreachable: false,
            typed: typed.to_owned(),
            is_too_long: true,
            is_changed: false,
        };
        return Ok(visit.page(StatusCode::BAD_REQUEST, &page, None));
    };
    let (user, now) = (signed_in.user.id, app.clock.now());
    let mut tx = signed_in.begin(app).await?;
    display_name::set(&mut tx, user, name, &Occasion::by(&visit.requester, now), now).await?;
    tx.commit().await?;
    app.wake_workers();
    Ok(visit.go(&with_query(PATH, &[("notice", "changed".into())])))
}
