//! Making a personal token, which is shown once.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::tokens::TokenNotice;
use crate::accounts::personal_tokens::{self, Device, LONGEST_NAME, NotMade, Permission, Wanted, WrongToken};
use crate::accounts::signed_in::{self, SignedIn};
use crate::app::App;
use crate::clients::scope_words::{self, ScopeRow};
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters};
use crate::http::pages::{Frame, Person};
use crate::http::visit::Visit;
use crate::ids::DeviceId;
use crate::policy::sessions_to_end;
use crate::time::Timestamp;

/// Local path of the page.
pub const PATH: &str = "/account/tokens/new";

/// How long a token is good if nobody chooses.
const USUAL_DAYS: u64 = 90;

/// The page on which a token is described. It is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "account/new_token.html")]
pub struct NewTokenPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Whose account it opens.
    pub person: Person,
    /// Local path of this page, where "Not you?" comes back to.
    pub action: String,
    /// What was chosen so far.
    pub wanted: Wanted,
    /// For how many days it can be good, and how long that is.
    pub spans: Vec<(u64, Duration)>,
    /// What was wrong.
    pub problems: Vec<TokenProblem>,
}

impl NewTokenPage<'_> {
    const LONGEST_NAME: usize = LONGEST_NAME;

    fn has(&self, permission: Permission) -> bool {
        self.wanted.permissions.contains(&permission)
    }

    fn device_id(&self) -> &str {
        match &self.wanted.device {
            Device::Named(id) => &id.0,
            Device::Without | Device::New => "",
        }
    }

    fn is_wrong(&self, wrong: &[WrongToken]) -> bool {
        self.problems.iter().any(|known| matches!(known, TokenProblem::Wrong(known) if wrong.contains(known)))
    }
}

/// Why no token was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenProblem {
    /// It cannot be had as it was described.
    Wrong(WrongToken),
    /// The server does not allow it to this person.
    NotAllowed,
    /// A session uses the device.
    DeviceInUse,
    /// Somebody is signing in with the device at this moment.
    Busy,
    /// The homeserver does not take the device.
    DeviceRefused,
}

/// The page that shows the token.
#[derive(Debug, Template)]
#[template(path = "account/token_made.html")]
pub struct TokenMadePage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// What it is called.
    pub name: String,
    /// The token.
    pub token: String,
    /// The device that it acts as.
    pub device_id: Option<String>,
    /// What it may do.
    pub scopes: Vec<ScopeRow>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Asks what the token shall be like.
pub async fn get(State(app): State<App>, visit: Visit) -> Response {
    visit.answer(ask(&app, &visit).await)
}

/// Makes it.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(make(&app, &visit, form).await)
}

async fn ask(app: &App, visit: &Visit) -> Result<Response, PageError> {
    let signed_in = match signed_in::require_recent(app, visit, PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let spans = personal_tokens::spans(app);
    let days = spans.iter().copied().filter(|days| *days <= USUAL_DAYS).max().unwrap_or(USUAL_DAYS);
    let permissions = vec![Permission::Messages];
    let wanted = Wanted { name: String::new(), permissions, device: Device::Without, days };
    Ok(page(app, visit, &signed_in, wanted, Vec::new(), StatusCode::OK))
}

fn page(
    app: &App,
    visit: &Visit,
    signed_in: &SignedIn,
    wanted: Wanted,
    problems: Vec<TokenProblem>,
    status: StatusCode,
) -> Response {
    let length = |days: u64| (days, Duration::from_secs(days * 24 * 60 * 60));
    let page = NewTokenPage {
        frame: visit.frame(),
        person: signed_in.person(app),
        action: PATH.to_owned(),
        wanted,
        spans: personal_tokens::spans(app).into_iter().map(length).collect(),
        problems,
    };
    visit.page(status, &page, None)
}

fn read(form: &Parameters) -> Wanted {
    let given = |name: &str| form.get(name).unwrap_or_default().trim();
    let permissions = Permission::ALL.into_iter().filter(|(_, name)| given(name) == "yes");
    Wanted {
        name: given("name").chars().filter(|c| !c.is_control()).take(LONGEST_NAME + 1).collect(),
        permissions: permissions.map(|(permission, _)| permission).collect(),
        device: match (given("device"), given("device_id")) {
            ("yes", "") => Device::New,
            ("yes", id) => Device::Named(DeviceId(id.to_owned())),
            _ => Device::Without,
        },
        days: given("days").parse().unwrap_or_default(),
    }
}

async fn make(app: &App, visit: &Visit, form: Result<Parameters, FormError>) -> Result<Response, PageError> {
    let form = form?;
    visit.check_form(&form).map_err(|error| PageError::from(error).then(WayOn::Again(PATH.to_owned())))?;
    let who = match signed_in::require_recent(app, visit, PATH).await? {
        Ok(who) => who,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let wanted = read(&form);
    let wrong = wanted.problems(app);
    if !wrong.is_empty() {
        let problems = wrong.into_iter().map(TokenProblem::Wrong).collect();
        return Ok(page(app, visit, &who, wanted, problems, StatusCode::BAD_REQUEST));
    }
    let (scope, methods) = (wanted.scope(), who.session.methods);
    if app.config.second_factor.is_required_by(None, scope.split(' ')) && !methods.has_second() {
        return Ok(signed_in::ask_for_second(visit, PATH));
    }
    let proved = (who.session.authenticated_at, methods);
    let made =
        personal_tokens::make(app, Some((&visit.requester, who.session.id)), &who.user, proved, &wanted)
            .await;
    let (problem, status) = match made {
        Ok(made) => {
            let page = TokenMadePage {
                frame: visit.frame().only_once(),
                name: wanted.name,
                token: made.token,
                device_id: made.device_id.map(|id| id.0),
                scopes: scope_words::rows(&scope),
                expires_at: made.expires_at,
            };
            return Ok(visit.page(StatusCode::OK, &page, None));
        }
        Err(NotMade::TooMany) => return Ok(visit.go(&TokenNotice::TooMany.path())),
        Err(NotMade::Denied(violations)) => match sessions_to_end(&violations) {
            Some(to_end) => {
                let again = WayOn::Again(PATH.to_owned());
                return Err(PageError::from(Problem::TooManySessions(to_end)).then(again));
            }
            None => (TokenProblem::NotAllowed, StatusCode::FORBIDDEN),
        },
        Err(NotMade::DeviceInUse) => (TokenProblem::DeviceInUse, StatusCode::CONFLICT),
        Err(NotMade::Busy) => (TokenProblem::Busy, StatusCode::CONFLICT),
        Err(NotMade::Homeserver(error)) if !error.is_passing() => {
            tracing::warn!(%error, user = %who.user.id, "the homeserver did not take the device of a token");
            (TokenProblem::DeviceRefused, StatusCode::BAD_REQUEST)
        }
        Err(NotMade::Homeserver(error)) => {
            tracing::warn!(%error, user = %who.user.id, "a token was not made");
            return Err(PageError::from(Problem::HomeserverUnreachable).then(WayOn::Again(PATH.to_owned())));
        }
        Err(NotMade::NotActive) => return Err(Problem::Forbidden.into()),
        Err(NotMade::SignedOut) => return Err(PageError::from(Problem::SignedOut).then(WayOn::SignIn)),
        Err(NotMade::Policy(_)) => return Err(Problem::Internal.into()),
        Err(NotMade::Store(error)) => return Err(error.into()),
    };
    Ok(page(app, visit, &who, wanted, vec![problem], status))
}
