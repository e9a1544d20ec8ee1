//! Where a person lets in a device that has no browser of its own (RFC 8628 §3.3): entering its code, and
//! deciding, with what helps to tell one's own device from a stranger's (RFC 8628 §5.4, RFC 10027).

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::consent::{Lasts, is_second_required, reach_homeserver};
use super::permission::{self, Access, Undecided};
use super::scope::Scope;
use crate::accounts::signed_in::{self, SignedIn};
use crate::app::App;
use crate::clients::device_requests::{self, Pending, State as Answered};
use crate::clients::label::ClientLabel;
use crate::clients::scope_words::{Meaning, ScopeRow, rows};
use crate::clients::user_code::UserCode;
use crate::clients::{self, Client, GrantType};
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::headers::set_retry_after;
use crate::http::pages::{Frame, Person};
use crate::http::rate_limits::{self, Action, Allowance};
use crate::http::user_agent;
use crate::http::visit::Visit;
use crate::policy::{Decision, sessions_to_end};
use crate::time::Timestamp;

/// Local path of the page (RFC 8628 §3.2, `verification_uri`).
pub const PATH: &str = "/link";

/// The longest text that is shown again as it was typed.
const LONGEST: usize = 64;

/// The local path at which the device with that code is decided about (RFC 8628 §3.3.1,
/// `verification_uri_complete`).
pub fn path_of(code: &UserCode) -> String {
    with_query(PATH, &[("code", code.to_string().into())])
}

/// `GET /link`: asks for a code, or about the device that has it.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(show(&app, &visit, &query.unwrap_or_default()).await)
}

/// `POST /link`: a code that was typed, or the person's answer.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(decide(&app, &visit, form).await)
}

/// A device that waits, with everything that decides about it.
struct Question {
    code: UserCode,
    pending: Pending,
    client: Arc<Client>,
    scope: Scope,
    signed_in: SignedIn,
}

async fn show(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.as_bytes())?;
    // Anybody can write a link that claims that something was done; only our own pages are believed.
    let outcome = parameters.get("result").filter(|_| visit.is_from_own_page()).and_then(Outcome::parse);
    if let Some(outcome) = outcome {
        return Ok(visit.page(StatusCode::OK, &LinkDonePage { frame: visit.frame(), outcome }, None));
    }
    let typed = parameters.get("code").unwrap_or_default();
    let Some(code) = UserCode::parse(typed) else {
        let problem = parameters.get("code").map(|_| CodeProblem::Wrong);
        return match signed_in::require(app, visit, PATH).await? {
            Ok(_) => Ok(ask_for_code(visit, typed, problem)),
            Err(sign_in_first) => Ok(sign_in_first),
        };
    };
    let question = match find(app, visit, code).await? {
        Ok(question) => question,
        Err(answer) => return Ok(answer),
    };
    if let Decision::Denied(violations) = permit(app, visit, &question).await? {
        let again = WayOn::Again(path_of(&code));
        return Err(match sessions_to_end(&violations) {
            Some(to_end) => PageError::from(Problem::TooManySessions(to_end)).then(again),
            None => PageError::from(Problem::Forbidden).then(WayOn::Account),
        });
    }
    let Question { pending, client, scope, signed_in, .. } = question;
    let page = LinkConfirmPage {
        frame: visit.frame(),
        code: code.to_string(),
        // No redirect shows whose client this is.
        client: ClientLabel::new(client.given_name(&visit.languages), None),
        is_same_address: visit.requester.address.map(|address| address.to_string()) == pending.requester_ip,
        requester_ip: pending.requester_ip,
        user_agent: pending.user_agent.as_deref().and_then(user_agent::in_words),
        created_at: pending.created_at,
        now: app.clock.now(),
        person: signed_in.person(app),
        action: path_of(&code),
        scopes: rows(&pending.scope),
        device_id: scope.device_id().map(|id| id.0.clone()),
        lasts: Lasts::by(&app.config.sessions),
    };
    Ok(visit.page(StatusCode::OK, &page, None))
}

/// Finds the device that waits with a code, for somebody who has proved of late who they are. The inner
/// error is an answer already: to sign in first, or to enter another code.
async fn find(app: &App, visit: &Visit, code: UserCode) -> Result<Result<Question, Response>, PageError> {
    let signed_in = match signed_in::require_recent(app, visit, &path_of(&code)).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(Err(sign_in_first)),
    };
    // Only wrong codes count; but each counts before it is looked for, so that many at once gain nothing.
    let from = visit.requester.limit_key();
    let guesses = [Action::UserCodeBy(signed_in.user.id), Action::UserCodeFrom(&from)];
    for guess in &guesses {
        if let Allowance::Exhausted(wait) = rate_limits::spend(app, guess).await? {
            return Ok(Err(ask_for_code(visit, "", Some(CodeProblem::TooManyAttempts(wait)))));
        }
    }
    let digest = code.digest(app.keys.root());
    let Some(pending) = device_requests::find_pending(&app.store, &digest, app.clock.now()).await? else {
        return Ok(Err(ask_for_code(visit, &code.to_string(), Some(CodeProblem::Wrong))));
    };
    let mut tx = app.store.begin().await?;
    for guess in &guesses {
        rate_limits::refund(&mut tx, app, std::slice::from_ref(guess)).await?;
    }
    tx.commit().await?;
    let client = clients::find_known(app, &pending.client_id).await?.ok_or(Problem::UnknownClient)?;
    let scope = Scope::stored(&pending.scope);
    if is_second_required(app, &client, &scope) && !signed_in.session.methods.has_second() {
        return Ok(Err(signed_in::ask_for_second(visit, &path_of(&code))));
    }
    Ok(Ok(Question { code, pending, client, scope, signed_in }))
}

/// Judged when the page is shown and again when it is answered.
async fn permit(app: &App, visit: &Visit, question: &Question) -> Result<Decision, PageError> {
    let access = Access {
        user: Some(question.signed_in.user.for_policy()),
        client: &question.client,
        scope: &question.scope,
        grant_type: GrantType::DeviceCode,
    };
    permission::ask(app, access, &visit.requester).await.map_err(|error| match error {
        Undecided::Policy(_) => Problem::Internal.into(),
        Undecided::Store(error) => error.into(),
    })
}

fn ask_for_code(visit: &Visit, typed: &str, problem: Option<CodeProblem>) -> Response {
    let status = match problem {
        None => StatusCode::OK,
        Some(CodeProblem::Wrong) => StatusCode::BAD_REQUEST,
        Some(CodeProblem::TooManyAttempts(_)) => StatusCode::TOO_MANY_REQUESTS,
    };
    let typed = typed.chars().take(LONGEST).collect();
    let page = LinkPage { frame: visit.frame(), typed, problem };
    let mut response = visit.page(status, &page, None);
    if let Some(CodeProblem::TooManyAttempts(wait)) = problem {
        set_retry_after(&mut response, wait);
    }
    response
}

async fn decide(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    let typed = form.get("code").unwrap_or_default();
    let code = UserCode::parse(typed);
    let again = || code.as_ref().map_or_else(|| PATH.to_owned(), path_of);
    visit.check_form(&form).map_err(|error| PageError::from(error).then(WayOn::Again(again())))?;
    let Some(code) = code else { return Ok(ask_for_code(visit, typed, Some(CodeProblem::Wrong))) };
    let Some(answer) = form.get("answer") else { return Ok(visit.go(&path_of(&code))) };
    let question = match find(app, visit, code).await? {
        Ok(question) => question,
        Err(answer) => return Ok(answer),
    };
    match answer {
        "approve" => approve(app, visit, &question).await,
        "deny" => deny(app, visit, &question).await,
        _ => Err(Problem::BadRequest.into()),
    }
}

async fn approve(app: &App, visit: &Visit, question: &Question) -> Result<Response, PageError> {
    let Question { code, pending, scope, signed_in, .. } = question;
    if let Decision::Denied(violations) = permit(app, visit, question).await? {
        let Some(to_end) = sessions_to_end(&violations) else {
            deny(app, visit, question).await?;
            return Err(PageError::from(Problem::Forbidden).then(WayOn::Account));
        };
        return Err(PageError::from(Problem::TooManySessions(to_end)).then(WayOn::Again(path_of(code))));
    }
    if scope.has_api() {
        reach_homeserver(app, &signed_in.user, path_of(code)).await?;
    }
    let (who, session) = (signed_in.user.id, &signed_in.session);
    let (when, how) = (session.authenticated_at, session.methods);
    let digest = &pending.device_code_digest;
    let mut tx = signed_in.begin(app).await?;
    match device_requests::approve(&mut tx, digest, who, when, how, app.clock.now()).await? {
        true => {
            tx.commit().await?;
            tracing::info!(user = %who, client = %pending.client_id, ip = visit.requester.ip(), "a person let another device in");
            Ok(visit.go(&Outcome::Allowed.path()))
        }
        false => {
            drop(tx);
            app.store.settle().await?;
            match device_requests::find(&app.store, digest).await?.map(|polled| polled.state) {
                // The same answer, sent a moment earlier, was faster.
                Some(Answered::Allowed { user_id, .. }) if user_id == who => {
                    Ok(visit.go(&Outcome::Allowed.path()))
                }
                _ => Err(Problem::RequestExpired.into()),
            }
        }
    }
}

async fn deny(app: &App, visit: &Visit, question: &Question) -> Result<Response, PageError> {
    let Question { pending, signed_in, .. } = question;
    match device_requests::deny(&app.store, &pending.device_code_digest, app.clock.now()).await? {
        true => {
            tracing::info!(user = %signed_in.user.id, client = %pending.client_id, ip = visit.requester.ip(), "a person did not let another device in");
            Ok(visit.go(&Outcome::Denied.path()))
        }
        false => Err(Problem::RequestExpired.into()),
    }
}

/// What is wrong with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeProblem {
    /// It is none, or nobody waits with it.
    Wrong,
    /// Too many were wrong; after this time another one is looked at.
    TooManyAttempts(Duration),
}

/// What a person has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The device is let in.
    Allowed,
    /// It is not.
    Denied,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Outcome::Allowed => "allowed",
            Outcome::Denied => "denied",
        }
    }

    fn parse(text: &str) -> Option<Outcome> {
        [Outcome::Allowed, Outcome::Denied].into_iter().find(|outcome| outcome.as_str() == text)
    }

    fn path(self) -> String {
        with_query(PATH, &[("result", self.as_str().into())])
    }
}

/// The page that asks for the code of another device. It is posted to [`PATH`].
#[derive(Debug, Template)]
#[template(path = "oauth/link.html")]
pub struct LinkPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// What was typed before.
    pub typed: String,
    /// What was wrong with it.
    pub problem: Option<CodeProblem>,
}

/// The page that asks whether to let another device in.
///
/// The answer is posted to [`PATH`] as `answer=approve` or `answer=deny`, with the code.
#[derive(Debug, Template)]
#[template(path = "oauth/link_confirm.html")]
pub struct LinkConfirmPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// The code that the other device shows.
    pub code: String,
    /// Who asks.
    pub client: ClientLabel,
    /// The address that the request came from.
    pub requester_ip: Option<String>,
    /// Whether that is where the browser is, too.
    pub is_same_address: bool,
    /// What the other device calls itself, in words.
    pub user_agent: Option<String>,
    /// When the request came.
    pub created_at: Timestamp,
    /// The present moment.
    pub now: Timestamp,
    /// As whom the device would be signed in.
    pub person: Person,
    /// Local path of this page, where "Not you?" comes back to.
    pub action: String,
    /// What the client could do.
    pub scopes: Vec<ScopeRow>,
    /// The Matrix device that would be made.
    pub device_id: Option<String>,
    /// How long the client would keep it.
    pub lasts: Lasts,
}

/// The page after the decision.
#[derive(Debug, Template)]
#[template(path = "oauth/link_done.html")]
pub struct LinkDonePage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// What was decided.
    pub outcome: Outcome,
}
