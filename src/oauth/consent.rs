//! Asking a person whether a client may use their account.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::permission::{self, Access};
use super::question::{self, Waiting};
use super::response_mode::Return;
use super::scope::Scope;
use crate::accounts::factors;
use crate::accounts::jobs;
use crate::accounts::signed_in::{self, SignedIn};
use crate::accounts::users::{self, User};
use crate::app::App;
use crate::clients::authorization_codes::{Approval, Granted};
use crate::clients::authorization_requests::{NO_NEW_ACCOUNT, Pending, WAITING};
use crate::clients::consents::{self, Remembered};
use crate::clients::label::{ClientLabel, Destination};
use crate::clients::scope_words::{Meaning, ScopeRow, rows};
use crate::clients::{self, Client, GrantType, TokenEndpointAuthMethod};
use crate::config;
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::headers::form_action_source;
use crate::http::pages::{Frame, Person};
use crate::http::visit::Visit;
use crate::ids::ConsentId;
use crate::policy::{Decision, sessions_to_end};
use crate::sessions::client::Count;
use crate::time::Timestamp;

/// `GET /authorize/{secret}`: asks the person, or goes on when there is nothing to ask.
pub async fn get(
    State(app): State<App>,
    Path(sealed): Path<String>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Response {
    let wants_no_other = query.as_deref() == Some(NO_NEW_ACCOUNT);
    visit.answer(show(&app, &visit, &sealed, wants_no_other).await)
}

/// `POST /authorize/{secret}`: the person's answer.
pub async fn post(
    State(app): State<App>,
    Path(sealed): Path<String>,
    visit: Visit,
    form: Result<Parameters, FormError>,
) -> Response {
    visit.answer(decide(&app, &visit, &sealed, form).await)
}

/// A request that waits, with everything that decides about it.
struct Question {
    pending: Pending,
    /// The local path at which it waits.
    path: String,
    client: Arc<Client>,
    scope: Scope,
    signed_in: SignedIn,
    /// What the person has allowed the client before.
    allowed_before: Option<Remembered>,
}

impl Question {
    /// The consent by which the person has allowed all of it before, but for the device.
    fn covered_by(&self) -> Option<ConsentId> {
        let covers =
            |before: &&Remembered| self.scope.without_device().all(|token| before.scope.contains(token));
        self.allowed_before.as_ref().filter(covers).map(|before| before.id)
    }

    /// Whether the answer reaches the client and nobody who only says that they are it: a site that is proven to be
    /// the client's, or whoever has its secret or key (RFC 8252 §8.6).
    fn is_client_proven(&self) -> bool {
        let is_public = self.client.metadata.token_endpoint_auth_method == TokenEndpointAuthMethod::None;
        let destination = Destination::of(&self.pending.asked.redirect_uri);
        !is_public || matches!(destination, Some(Destination::Website(_)))
    }
}

fn way_back(pending: &Pending) -> Return {
    let asked = &pending.asked;
    Return {
        redirect_uri: asked.redirect_uri.clone(),
        response_mode: asked.response_mode,
        state: asked.state.clone(),
    }
}

/// Finds the request and the person. The inner error is an answer already: to sign in first, or back
/// to the client with what nobody can consent to. Or to make an account, if the client asks for one (Initiating
/// User Registration via OpenID Connect §4.1) and nobody has made one or signed in since, unless the person
/// wants no other.
async fn find(
    app: &App,
    visit: &Visit,
    sealed: &str,
    wants_no_other: bool,
) -> Result<Result<Question, Response>, PageError> {
    let expired = || PageError::from(Problem::RequestExpired);
    let pending = Pending::open(sealed, app.keys.root(), app.clock.now()).ok_or_else(expired)?;
    let path = format!("{WAITING}{sealed}");
    let waiting = question::find_waiting(&app.store, &pending, signed_in::cookie_digest(visit)).await?;
    let Waiting { signed_in, allowed_before, sessions } = waiting.ok_or_else(expired)?;
    let signed_in = signed_in::seen(app, visit, signed_in).await?;
    let is_since = |who: &SignedIn| who.session.authenticated_at >= pending.id.made_at();
    let wants_one = app.config.registration.enabled && pending.asked.prompt.create && !wants_no_other;
    if wants_one && !signed_in.as_ref().is_some_and(is_since) {
        return Ok(Err(visit.go(&with_query("/register", &[("next", path.into())]))));
    }
    let client = clients::find_known(app, &pending.client_id).await?.ok_or(Problem::UnknownClient)?;
    let scope = Scope::stored(&pending.asked.scope);
    let needs_second = is_second_required(app, &client, &scope);
    let signed_in = signed_in.filter(|who| pending.accepts(who.user.id, who.session.authenticated_at));
    let signed_in = match signed_in {
        Some(who) if who.must_accept_terms && pending.asked.prompt.none => {
            let why = "the person has to accept the terms of service";
            return way_back(&pending).with_error(app, visit, "interaction_required", why).map(Err);
        }
        Some(who) if is_strong_enough(app, &who, &pending, needs_second).await? => who,
        _ if pending.asked.prompt.none => {
            let why = "the person has to sign in";
            return way_back(&pending).with_error(app, visit, "login_required", why).map(Err);
        }
        _ if needs_second => return Ok(Err(signed_in::ask_for_second(visit, &path))),
        _ => return Ok(Err(visit.go(&with_query("/login", &[("next", path.into())])))),
    };
    let question = Question { pending, path, client, scope, signed_in, allowed_before };
    match permit(app, visit, &question, sessions) {
        Ok(Decision::Allowed) => Ok(Ok(question)),
        Err(_) if question.pending.asked.prompt.none => {
            let why = "the policy of this server failed";
            way_back(&question.pending).with_error(app, visit, "server_error", why).map(Err)
        }
        Err(error) => Err(error),
        Ok(Decision::Denied(violations)) => match sessions_to_end(&violations) {
            Some(_) if question.pending.asked.prompt.none => {
                let why = "the person has too many sessions";
                way_back(&question.pending).with_error(app, visit, "interaction_required", why).map(Err)
            }
            Some(to_end) => {
                let again = WayOn::Again(question.path);
                Err(PageError::from(Problem::TooManySessions(to_end)).then(again))
            }
            None => {
                let why = "the policy of this server does not allow it";
                way_back(&question.pending).with_error(app, visit, "access_denied", why).map(Err)
            }
        },
    }
}

/// Whether the admin demands a second factor of whoever lets this client do that.
pub(super) fn is_second_required(app: &App, client: &Client, scope: &Scope) -> bool {
    // The admin may have named the Matrix API in one spelling, and the client in the other.
    let scope = scope.in_both_spellings();
    app.config.second_factor.is_required_by(Some(&client.id.0), scope.split(' '))
}

/// Whether a person has proved strongly enough who they are for what the admin demands, and as strongly as they
/// can of what the client asks.
async fn is_strong_enough(
    app: &App,
    who: &SignedIn,
    pending: &Pending,
    needs_second: bool,
) -> Result<bool, PageError> {
    let methods = who.session.methods;
    if !who.meets_rule(app) || who.must_accept_terms || (needs_second && !methods.has_second()) {
        return Ok(false);
    }
    let is_met = pending.asked.acr().is_none_or(|asked| methods.acr() >= asked);
    Ok(is_met || factors::find(&app.store, who.user.id).await?.are_proved_by(methods))
}

/// Judged when the page is shown and again when it is answered.
fn permit(app: &App, visit: &Visit, question: &Question, sessions: Count) -> Result<Decision, PageError> {
    let access = Access {
        user: Some(question.signed_in.user.for_policy()),
        client: &question.client,
        scope: &question.scope,
        grant_type: GrantType::AuthorizationCode,
    };
    permission::judge(app, access, sessions, &visit.requester).map_err(|_| Problem::Internal.into())
}

async fn show(app: &App, visit: &Visit, sealed: &str, wants_no_other: bool) -> Result<Response, PageError> {
    let question = match find(app, visit, sealed, wants_no_other).await? {
        Ok(question) => question,
        Err(answer) => return Ok(answer),
    };
    let Question { pending, path, client, scope, signed_in, allowed_before } = &question;
    // A new device is a new sign-in, and always asked about: anybody can register a client of any name.
    let was_allowed =
        scope.device_id().is_none() && question.covered_by().is_some() && question.is_client_proven();
    let is_free = client.metadata.is_trusted || was_allowed;
    let prompt = pending.asked.prompt;
    if is_free && !prompt.consent && !prompt.select_account {
        return approve(app, visit, &question).await;
    }
    if prompt.none {
        return way_back(pending).with_error(app, visit, "consent_required", "the person has to be asked");
    }
    let asked = &pending.asked;
    let destination = Destination::of(&asked.redirect_uri).ok_or(Problem::UnknownRedirect)?;
    let uri = |key: &str, plain: &Option<url::Url>| {
        client
            .metadata
            .localized(key, &visit.languages)
            .map(str::to_owned)
            .or_else(|| plain.as_ref().map(url::Url::to_string))
    };
    let page = ConsentPage {
        frame: visit.frame(),
        client: ClientLabel::new(client.given_name(&visit.languages), Some(&destination)),
        is_first_time: allowed_before.is_none(),
        person: signed_in.person(app),
        action: path.clone(),
        scopes: rows(&asked.scope),
        device_id: scope.device_id().map(|id| id.0.clone()),
        lasts: Lasts::by(&app.config.sessions),
        tos_uri: uri("tos_uri", &client.metadata.tos_uri),
        policy_uri: uri("policy_uri", &client.metadata.policy_uri),
        destination,
    };
    Ok(visit.page(StatusCode::OK, &page, form_action_source(&asked.redirect_uri)))
}

async fn decide(
    app: &App,
    visit: &Visit,
    sealed: &str,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    visit
        .check_form(&form)
        .map_err(|error| PageError::from(error).then(WayOn::Again(format!("{WAITING}{sealed}"))))?;
    // Who has seen the question has an account, or wants none.
    let question = match find(app, visit, sealed, true).await? {
        Ok(question) => question,
        Err(answer) => return Ok(answer),
    };
    match form.get("answer") {
        Some("approve") => approve(app, visit, &question).await,
        Some("deny") => {
            let (user, session) = (question.signed_in.user.id, question.signed_in.session.id);
            let (client, ip) = (&question.client.id, visit.requester.ip());
            tracing::info!(%user, %client, %session, ip, "a person refused a client");
            way_back(&question.pending).with_error(app, visit, "access_denied", "the person did not allow it")
        }
        _ => Err(Problem::BadRequest.into()),
    }
}

async fn approve(app: &App, visit: &Visit, question: &Question) -> Result<Response, PageError> {
    let Question { pending, path, client, scope, signed_in, .. } = question;
    if scope.has_api()
        && let Err(error) = reach_homeserver(app, &signed_in.user, path.clone()).await
    {
        return match pending.asked.prompt.none {
            // Nobody looks who could try again (OpenID Connect Core §3.1.2.1).
            true => {
                let why = "the homeserver does not answer";
                way_back(pending).with_error(app, visit, "temporarily_unavailable", why)
            }
            false => Err(error),
        };
    }
    let now = app.clock.now();
    let consent_id = match question.covered_by() {
        Some(consent_id) => consent_id,
        None => remember(app, question, now).await?,
    };
    let approval = Approval {
        user_id: signed_in.user.id,
        consent_id,
        browser_session_id: signed_in.session.id,
        authenticated_at: signed_in.session.authenticated_at,
        methods: signed_in.session.methods,
    };
    let code = Granted::new(pending, approval, now).to_code(app.keys.root());
    let code = code.map_err(|_| Problem::Internal)?;
    let (user, session, ip) = (signed_in.user.id, signed_in.session.id, visit.requester.ip());
    tracing::info!(%user, client = %client.id, %session, ip, "a person allowed a client");
    way_back(pending).with_code(app, visit, &code)
}

/// Remembers what the person allows, while there still are the account and the client.
async fn remember(app: &App, question: &Question, now: Timestamp) -> Result<ConsentId, PageError> {
    let (user, client) = (question.signed_in.user.id, &question.client.id);
    let tokens: Vec<&str> = question.scope.without_device().collect();
    let mut tx = app.store.begin().await?;
    if !users::is_still_active(&mut tx, user, question.signed_in.user.is_admin).await? {
        return Err(Problem::RequestExpired.into());
    }
    if !clients::keep(&mut tx, client).await? {
        return Err(Problem::UnknownClient.into());
    }
    let consent = consents::add(&mut tx, user, client, &tokens, now).await?;
    tx.commit().await?;
    Ok(consent)
}

/// A Matrix client could do nothing with its code while the homeserver does not know the user or does
/// not answer: better to say so to the person, if one looks, than to the client.
pub(super) async fn reach_homeserver(app: &App, user: &User, again: String) -> Result<(), PageError> {
    jobs::reach_homeserver(app, user).await.map_err(|error| {
        tracing::error!(%error, user = %user.id, "a sign-in waits for the homeserver");
        PageError::from(Problem::HomeserverUnreachable).then(WayOn::Again(again))
    })
}

/// How long a client keeps what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// Until the person, or the client, signs out.
    UntilSignedOut,
    /// At most this long.
    For(Duration),
}

impl Lasts {
    /// What the limits of sessions make of it.
    pub fn by(limits: &config::Sessions) -> Lasts {
        match limits.client_absolute_seconds {
            Some(seconds) => Lasts::For(Duration::from_secs(seconds)),
            None => Lasts::UntilSignedOut,
        }
    }
}

/// The page `GET /authorize/{secret}` shows when the person has to be asked.
///
/// The answer is posted to `action` as `answer=approve` or `answer=deny`.
#[derive(Debug, Template)]
#[template(path = "oauth/consent.html")]
pub struct ConsentPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Who asks.
    pub client: ClientLabel,
    /// Whether this person never let this client in before.
    pub is_first_time: bool,
    /// As whom they would be signed in.
    pub person: Person,
    /// Local path the answer is posted to; also where "Not you?" comes back to.
    pub action: String,
    /// What the client could do.
    pub scopes: Vec<ScopeRow>,
    /// The Matrix device that would be made.
    pub device_id: Option<String>,
    /// How long the client would keep it.
    pub lasts: Lasts,
    /// The client's terms; only an `https` link is shown.
    pub tos_uri: Option<String>,
    /// The client's privacy policy; only an `https` link is shown.
    pub policy_uri: Option<String>,
    /// Where the browser goes with the answer.
    pub destination: Destination,
}

impl ConsentPage<'_> {
    /// The link, if following it is safe.
    fn https<'u>(&self, uri: &'u Option<String>) -> Option<&'u str> {
        uri.as_deref().filter(|uri| uri.starts_with("https://"))
    }
}
