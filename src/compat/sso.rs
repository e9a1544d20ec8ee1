//! Single sign-on (Matrix CS API, SSO client login): a client leads a browser here, the person signs in on our
//! pages and is asked, and the browser brings the client a token to log in with.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};

use super::redirect_url::RedirectUrl;
use super::{session, sso_logins};
use crate::accounts::jobs::reach_homeserver;
use crate::accounts::signed_in::{self, SignedIn};
use crate::app::App;
use crate::clients::label::Destination;
use crate::clients::scope_words::{Meaning, ScopeRow};
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters};
use crate::http::headers::no_store;
use crate::http::pages::{Frame, Person};
use crate::http::visit::Visit;
use crate::ids::SsoLoginId;
use crate::keys;
use crate::policy::{Decision, sessions_to_end};

/// `GET /login/sso/redirect`, with or without the identifier of a provider, of which there is one: us.
///
/// `action` says whether the person wants to sign in or to register (MSC3824). There is no registration here
/// yet, so whichever it is, they come to the sign-in page.
pub async fn redirect(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(begin(&app, &query.unwrap_or_default()).await)
}

async fn begin(app: &App, query: &str) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.as_bytes())?;
    let url = parameters.get("redirectUrl").and_then(RedirectUrl::parse).ok_or(Problem::BadRequest)?;
    let id = sso_logins::add(&app.store, &url, app.clock.now()).await?;
    // This answers at the homeserver's address, and our pages are at our own.
    let page = format!("{}{}", app.config.http.public_base, path_of(id).trim_start_matches('/'));
    lead_to(&page)
}

/// The local path at which a request waits for its answer.
fn path_of(id: SsoLoginId) -> String {
    format!("/sso/{id}")
}

/// By 303: the browser goes there by GET, whatever brought it here.
fn lead_to(target: &str) -> Result<Response, PageError> {
    let target = HeaderValue::from_str(target).map_err(|_| PageError::from(Problem::BadRequest))?;
    Ok(no_store((StatusCode::SEE_OTHER, [(LOCATION, target)])))
}

/// `GET /sso/{id}`: asks the person. Any site may send a browser here, so they are always asked.
pub async fn get(State(app): State<App>, Path(id): Path<String>, visit: Visit) -> Response {
    visit.answer(show(&app, &visit, &id).await)
}

/// `POST /sso/{id}`: the person's answer.
pub async fn post(
    State(app): State<App>,
    Path(id): Path<String>,
    visit: Visit,
    form: Result<Parameters, FormError>,
) -> Response {
    visit.answer(decide(&app, &visit, &id, form).await)
}

/// What every client can do that signs in so.
pub const MEANINGS: [Meaning; 2] = [Meaning::Messages, Meaning::Device];

/// A request that waits, and the person who is there.
struct Question {
    id: SsoLoginId,
    url: RedirectUrl,
    signed_in: SignedIn,
}

/// Finds the request and the person. The inner error is an answer already: to sign in first.
async fn find(app: &App, visit: &Visit, id: &str) -> Result<Result<Question, Response>, PageError> {
    let expired = || PageError::from(Problem::RequestExpired);
    let id = id.parse().map_err(|_| expired())?;
    let url = sso_logins::find_pending(&app.store, id, app.clock.now()).await?.ok_or_else(expired)?;
    let signed_in = match signed_in::require(app, visit, &path_of(id)).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(Err(sign_in_first)),
    };
    if session::is_second_required(app) && !signed_in.session.methods.has_second() {
        return Ok(Err(signed_in::ask_for_second(visit, &path_of(id))));
    }
    let mut question = session::question(app, &visit.requester, &signed_in.user, "m.login.sso", None).await?;
    question.login.redirect_uri = Some(url.as_str().to_owned());
    match app.policy.compat_login(&question).map_err(|_| Problem::Internal)? {
        Decision::Allowed => Ok(Ok(Question { id, url, signed_in })),
        Decision::Denied(violations) => Err(match sessions_to_end(&violations) {
            Some(to_end) => PageError::from(Problem::TooManySessions(to_end)).then(WayOn::Again(path_of(id))),
            None => Problem::Forbidden.into(),
        }),
    }
}

async fn show(app: &App, visit: &Visit, id: &str) -> Result<Response, PageError> {
    let Question { id, url, signed_in } = match find(app, visit, id).await? {
        Ok(question) => question,
        Err(answer) => return Ok(answer),
    };
    let page = SsoPage {
        frame: visit.frame(),
        person: signed_in.person(app),
        action: path_of(id),
        scopes: MEANINGS.map(|meaning| ScopeRow { meaning, exact: Vec::new() }),
        lasts: app.config.sessions.client_absolute_seconds.map(Duration::from_secs),
        redirect_url: url.as_str().to_owned(),
        destination: url.destination,
    };
    Ok(visit.page(StatusCode::OK, &page, Some(url.form_action)))
}

async fn decide(
    app: &App,
    visit: &Visit,
    id: &str,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    visit
        .check_form(&form)
        .map_err(|error| PageError::from(error).then(WayOn::Again(format!("/sso/{id}"))))?;
    let question = match find(app, visit, id).await? {
        Ok(question) => question,
        Err(answer) => return Ok(answer),
    };
    match form.get("answer") {
        Some("approve") => approve(app, &question).await,
        Some("deny") => {
            sso_logins::deny(&app.store, question.id).await?;
            Ok(visit.go("/"))
        }
        _ => Err(Problem::BadRequest.into()),
    }
}

async fn approve(app: &App, question: &Question) -> Result<Response, PageError> {
    let Question { id, url, signed_in } = question;
    // Better to say so to the person than to the client, which could do nothing with its token.
    reach_homeserver(app, &signed_in.user).await.map_err(|error| {
        tracing::error!(%error, user = %signed_in.user.id, "a sign-in waits for the homeserver");
        PageError::from(Problem::HomeserverUnreachable).then(WayOn::Again(path_of(*id)))
    })?;
    let token = keys::random_secret();
    let mut tx = signed_in.begin(app).await?;
    if !sso_logins::approve(&mut tx, *id, signed_in, &keys::digest(&token), app.clock.now()).await? {
        return Err(Problem::RequestExpired.into());
    }
    tx.commit().await?;
    lead_to(&url.with_login_token(&token))
}

/// The page that asks a person whether a client may sign in to their account.
///
/// The answer is posted to `action` as `answer=approve` or `answer=deny`.
#[derive(Debug, Template)]
#[template(path = "compat/sso.html")]
pub struct SsoPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// As whom they would be signed in.
    pub person: Person,
    /// Local path the answer is posted to; also where "Not you?" comes back to.
    pub action: String,
    /// What the client could do.
    pub scopes: [ScopeRow; 2],
    /// How long the client would keep it at most, if there is a limit.
    pub lasts: Option<Duration>,
    /// The exact address that the token would be brought to.
    pub redirect_url: String,
    /// The same as far as a person can tell.
    pub destination: Destination,
}
