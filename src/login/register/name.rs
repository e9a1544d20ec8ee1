//! The name of a new account, which is asked for first.

use std::time::Duration;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::super::captcha::{self, Challenge, Unproven};
use super::super::next;
use super::begun::{self, Begun, LIFETIME};
use super::resume::{self, SignedInPage};
use super::{PATH, Step, for_whom, go_on, onward, unless_done};
use crate::accounts::registration_tokens::{self, Useless};
use crate::accounts::{signed_in, users};
use crate::app::App;
use crate::clients::label::ClientLabel;
use crate::homeserver::Availability;
use crate::http::error::PageError;
use crate::http::filters;
use crate::http::form::{FormError, Parameters};
use crate::http::headers::set_retry_after;
use crate::http::pages::Frame;
use crate::http::rate_limits::{self, Action, Allowance};
use crate::http::visit::Visit;
use crate::ids::{InvalidLocalpart, Localpart, localpart_of};
use crate::login::next::Onward;
use crate::policy::input::RegistrationMethod;
use crate::policy::{Code, Decision, Violation, input};

/// Local path of the same page for somebody who has begun, and wants another name.
pub const CHANGE_PATH: &str = "/register/name";

/// The longest name that is looked at; a full Matrix identifier has 255 bytes at most.
const LONGEST: usize = 255;

/// When to ask a homeserver again that does not answer.
const SOON: Duration = Duration::from_secs(60);

/// Why there is no account of that name.
#[derive(Clone, Debug, PartialEq)]
pub enum NameProblem {
    /// None was typed, or it breaks the rules for names on Matrix.
    Invalid(InvalidLocalpart),
    /// It names another server.
    OtherServer,
    /// Somebody has it, or it is kept for something else.
    Taken,
    /// The rules of this server speak against it.
    Denied(Violation),
    /// The homeserver does not say whether it is free.
    HomeserverUnreachable,
    /// A registration token is needed.
    TokenMissing,
    /// Nobody registers with this one.
    TokenUseless(Useless),
    /// Nothing shows that a browser has done its work for the form.
    Captcha(Unproven),
    /// Too many names were tried; after this time another one is.
    TooMany(Duration),
    /// The form is older than its token, or the browser keeps no cookies.
    FormExpired,
}

impl NameProblem {
    fn status(&self) -> StatusCode {
        match self {
            NameProblem::Invalid(_) | NameProblem::OtherServer | NameProblem::TokenMissing => {
                StatusCode::BAD_REQUEST
            }
            NameProblem::Taken => StatusCode::CONFLICT,
            NameProblem::Denied(_) | NameProblem::Captcha(_) | NameProblem::FormExpired => {
                StatusCode::FORBIDDEN
            }
            NameProblem::TokenUseless(Useless::TooManyGuesses(_)) | NameProblem::TooMany(_) => {
                StatusCode::TOO_MANY_REQUESTS
            }
            NameProblem::TokenUseless(_) => StatusCode::FORBIDDEN,
            NameProblem::HomeserverUnreachable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn wait(&self) -> Option<Duration> {
        match self {
            NameProblem::TokenUseless(Useless::TooManyGuesses(wait)) | NameProblem::TooMany(wait) => {
                Some(*wait)
            }
            NameProblem::HomeserverUnreachable => Some(SOON),
            _ => None,
        }
    }

    /// Whether it is about the registration token.
    pub fn is_about_token(&self) -> bool {
        matches!(self, NameProblem::TokenMissing | NameProblem::TokenUseless(_))
    }

    /// Whether another name would help.
    pub fn is_about_name(&self) -> bool {
        matches!(
            self,
            NameProblem::Invalid(_) | NameProblem::OtherServer | NameProblem::Taken | NameProblem::Denied(_)
        )
    }
}

/// The page that asks for a name. It is posted to `/register`.
#[derive(Debug, Template)]
#[template(path = "login/register/name.html")]
pub struct NamePage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Where the person goes on afterwards.
    pub onward: Onward,
    /// For which client the account is made.
    pub client: Option<ClientLabel>,
    /// The name as it was typed, or as the client hinted.
    pub typed: String,
    /// The registration token as it was typed, if one is asked for.
    pub token: Option<String>,
    /// What the browser computes meanwhile, unless a token stands in for it.
    pub captcha: Option<Challenge>,
    /// Whether the time for another registration ran out.
    pub is_too_late: bool,
    /// What was wrong.
    pub problems: Vec<NameProblem>,
}

impl NamePage<'_> {
    fn is_about_name(&self) -> bool {
        self.problems.iter().any(NameProblem::is_about_name)
    }

    fn is_about_token(&self) -> bool {
        self.problems.iter().any(NameProblem::is_about_token)
    }
}

/// What the page is made of beside the problems.
#[derive(Clone)]
struct Form {
    onward: Onward,
    name: String,
    /// The registration token, if it is asked for.
    token: Option<String>,
    /// Whether the person has begun before, and so has shown that they are no program.
    has_begun: bool,
    is_too_late: bool,
}

impl Form {
    /// The form of somebody who has begun.
    fn of(app: &App, begun: &Begun) -> Result<Form, PageError> {
        let token = begun.token(app)?;
        let asks = app.config.registration.token_required || token.is_some();
        Ok(Form {
            onward: begun.onward(),
            name: begun.localpart.to_string(),
            token: asks.then(|| token.unwrap_or_default()),
            has_begun: true,
            is_too_late: false,
        })
    }

    async fn answer(
        self,
        app: &App,
        visit: &Visit,
        problems: Vec<NameProblem>,
    ) -> Result<Response, PageError> {
        let Form { onward, name, token, has_begun, is_too_late } = self;
        let (client, form_action) = for_whom(app, visit, onward.next.as_deref()).await?;
        let needs_proof = !has_begun && token.is_none();
        let captcha = captcha::begin(app, visit.browser()).filter(|_| needs_proof);
        let status = problems.first().map_or(StatusCode::OK, NameProblem::status);
        let wait = problems.iter().find_map(NameProblem::wait);
        let frame = visit.frame();
        let page = NamePage { frame, onward, client, typed: name, token, captcha, is_too_late, problems };
        let mut response = visit.page(status, &page, form_action);
        if let Some(wait) = wait {
            set_retry_after(&mut response, wait);
        }
        Ok(response)
    }
}

/// `GET /register`: asks for a name, or whether to go on with what was begun.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(show(&app, &visit, &query.unwrap_or_default()).await)
}

/// `GET /register/name`: asks for another name.
pub async fn get_change(State(app): State<App>, visit: Visit) -> Response {
    visit.answer(show_change(&app, &visit).await)
}

/// `POST /register`.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(choose(&app, &visit, form).await)
}

async fn show(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.as_bytes())?;
    let onward = Onward::read(&parameters);
    if let Some(who) = signed_in::holder(app, visit).await? {
        let waiting = next::waiting(app, visit, onward.next.as_deref()).await?;
        return Ok(SignedInPage::answer(visit, who.person(app), onward, waiting));
    }
    if let Some(begun) = begun::find(app, visit).await? {
        return resume::ask(app, visit, begun, onward).await;
    }
    let waiting = next::waiting(app, visit, onward.next.as_deref()).await?;
    let hint = parameters.get("login_hint").map(str::to_owned);
    let hint = waiting.and_then(|waiting| waiting.pending.asked.login_hint).or(hint);
    let form = Form {
        onward,
        name: hint.and_then(|hint| hinted(app, &hint)).unwrap_or_default(),
        token: app.config.registration.token_required.then(String::new),
        has_begun: false,
        is_too_late: visit.registration_secret.is_some(),
    };
    form.answer(app, visit, Vec::new()).await
}

/// The name that a client hints at, if an account could have it.
fn hinted(app: &App, hint: &str) -> Option<String> {
    let server_name = &app.config.homeserver.server_name;
    let name = next::hinted(hint, server_name)?.to_lowercase();
    Localpart::new(&name, server_name).is_ok().then_some(name)
}

async fn show_change(app: &App, visit: &Visit) -> Result<Response, PageError> {
    let Some(begun) = begun::find(app, visit).await? else { return Ok(visit.go(PATH)) };
    ask_again(app, visit, &begun, Vec::new()).await
}

/// Asks somebody who has begun for another name, or another token.
pub(super) async fn ask_again(
    app: &App,
    visit: &Visit,
    begun: &Begun,
    problems: Vec<NameProblem>,
) -> Result<Response, PageError> {
    Form::of(app, begun)?.answer(app, visit, problems).await
}

async fn choose(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    let begun = begun::find(app, visit).await?;
    let short =
        |name| form.get(name).unwrap_or_default().trim().chars().take(LONGEST + 1).collect::<String>();
    let token = Some(short("registration_token"));
    let shown = match &begun {
        Some(begun) => {
            let before = Form::of(app, begun)?;
            Form { token: before.token.is_some().then_some(token).flatten(), ..before }
        }
        None => Form {
            onward: onward(Onward::read(&form).next),
            name: String::new(),
            token: token.filter(|token| app.config.registration.token_required || !token.is_empty()),
            has_begun: false,
            is_too_late: false,
        },
    };
    let shown = Form { name: short("username"), ..shown };
    let again = |problem| shown.clone().answer(app, visit, vec![problem]);
    if visit.check_form(&form).is_err() {
        return again(NameProblem::FormExpired).await;
    }
    let token = shown.token.as_deref();
    let localpart = match (read(app, &shown.name), token) {
        (Ok(_), Some("")) => return again(NameProblem::TokenMissing).await,
        (Ok(localpart), _) => localpart,
        (Err(problem), Some("")) => {
            return shown.answer(app, visit, vec![problem, NameProblem::TokenMissing]).await;
        }
        (Err(problem), _) => return again(problem).await,
    };
    let captcha = match (&begun, token) {
        (None, None) if app.config.captcha.work > 0 => match captcha::check(app, visit.browser(), &form) {
            Ok(proof) => Some(proof),
            Err(unproven) => return again(NameProblem::Captcha(unproven)).await,
        },
        _ => None,
    };
    let from = visit.requester.limit_key();
    if let Allowance::Exhausted(wait) = rate_limits::spend(app, &Action::RegisterFrom(&from)).await? {
        return again(NameProblem::TooMany(wait)).await;
    }
    let useless = match token {
        Some(token) => registration_tokens::check(app, &visit.requester, token).await?.err(),
        None => None,
    };
    let email = begun.as_ref().and_then(Begun::verified_email).map(|email| email.folded());
    let problems = match useless {
        Some(useless) => vec![NameProblem::TokenUseless(useless)],
        None => judge(app, visit, &localpart, email).await?,
    };
    if !problems.is_empty() {
        let back = shown.answer(app, visit, problems).await?;
        return match &begun {
            Some(begun) => unless_done(app, visit, begun, back).await,
            None => Ok(back),
        };
    }
    if let Some(begun) = begun {
        begun::rename(app, &begun, &localpart, token).await?;
        return go_on(app, visit, &begun).await;
    }
    let next = shown.onward.next.as_deref();
    let Some((secret, begun)) = begun::begin(app, &localpart, token, captcha.as_ref(), next).await? else {
        return again(NameProblem::Captcha(Unproven::Stale)).await;
    };
    // Something is due: there is no account without a password or a passkey.
    let step = begun.due(app).map_or(PATH, Step::path);
    Ok(visit.keep_registration(visit.go(step), &secret, LIFETIME))
}

/// The name that somebody typed: new ones are in lower case.
fn read(app: &App, typed: &str) -> Result<Localpart, NameProblem> {
    let server_name = &app.config.homeserver.server_name;
    let name = localpart_of(typed, server_name).ok_or(NameProblem::OtherServer)?;
    Localpart::new(&name.to_lowercase(), server_name).map_err(NameProblem::Invalid)
}

/// What speaks against a name: the rules of this server, those who have it, and the homeserver, which is asked
/// last.
///
/// # Errors
/// When the database fails.
pub(super) async fn judge(
    app: &App,
    visit: &Visit,
    localpart: &Localpart,
    email: Option<String>,
) -> Result<Vec<NameProblem>, PageError> {
    let violations = violations(app, visit, localpart, email);
    if !violations.is_empty() {
        return Ok(violations.into_iter().map(NameProblem::Denied).collect());
    }
    if users::is_name_taken(&app.store, localpart).await? {
        return Ok(vec![NameProblem::Taken]);
    }
    Ok(match app.homeserver.is_localpart_available(localpart).await {
        Ok(Availability::Available) => Vec::new(),
        Ok(Availability::Taken | Availability::Reserved) => vec![NameProblem::Taken],
        Ok(Availability::Invalid) => vec![NameProblem::Invalid(InvalidLocalpart::Characters)],
        Err(error) => {
            tracing::error!(%error, "nobody can register while the homeserver does not answer");
            vec![NameProblem::HomeserverUnreachable]
        }
    })
}

/// What the rules of this server say of an account; nothing when they allow it.
pub(super) fn violations(
    app: &App,
    visit: &Visit,
    localpart: &Localpart,
    email: Option<String>,
) -> Vec<Violation> {
    let question = input::Register {
        username: localpart.as_str().to_owned(),
        method: RegistrationMethod::Password,
        email,
        requester: visit.requester.for_policy(),
    };
    match app.policy.register(&question) {
        Ok(Decision::Allowed) => Vec::new(),
        Ok(Decision::Denied(violations)) => violations,
        // It is in the log; without a decision there is no account.
        Err(_) => vec![Violation { code: Code::MethodNotAllowed, message: None, data: Default::default() }],
    }
}
