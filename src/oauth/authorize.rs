//! The authorization endpoint (RFC 6749 §3.1, §4.1.1; RFC 7636 §4.3): checks a request and sends the
//! person with it to sign in and to decide.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::id_token;
use super::response_mode::Return;
use super::scope::{InvalidScope, Scope};
use crate::app::App;
use crate::clients::authorization_requests::{Asked, Pending, Prompt, ResponseMode, WAITING};
use crate::clients::{self, Client, GrantType, pushed_requests, redirect_uri};
use crate::http::error::{PageError, Problem};
use crate::http::form::{FormError, Parameters};
use crate::http::visit::Visit;
use crate::ids::{AuthorizationRequestId, ClientId, UserId};

/// The longest `state`, `nonce` and `login_hint`; all of them come back or are stored.
const LONGEST: usize = 2048;

/// `GET /authorize`.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(begin(&app, &visit, &query.unwrap_or_default()).await)
}

/// `POST /authorize` (OpenID Connect Core §3.1.2.1): the same by a form, which may come from any
/// site and so changes nothing: it is turned into its `GET`.
pub async fn post(
    visit: Visit,
    form: Result<axum::body::Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    let query = form.ok().filter(|body| body.len() <= crate::http::form::LARGEST);
    let query = query.and_then(|body| String::from_utf8(body.to_vec()).ok());
    match query {
        Some(query) if query.bytes().all(|b| b.is_ascii_graphic()) => {
            visit.go(&format!("/authorize?{query}"))
        }
        _ => visit.answer(Err(Problem::BadRequest.into())),
    }
}

/// What stands before the identifier of a pushed request (RFC 9126 §2.2).
pub(super) const PUSHED_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// Why a request is refused: code and reason.
pub(super) struct Refusal(pub &'static str, pub String);

fn refuse<T>(code: &'static str, why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(code, why.into()))
}

impl From<InvalidScope> for Refusal {
    fn from(error: InvalidScope) -> Refusal {
        Refusal("invalid_scope", error.to_string())
    }
}

async fn begin(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let (parameters, problems) = Parameters::parse_first(query.as_bytes());
    if let Some(pushed) = parameters.get("request_uri").and_then(|uri| uri.strip_prefix(PUSHED_PREFIX)) {
        // The way back is not known before the request is, and that is begun once.
        return match problems.is_empty() {
            true => begin_pushed(app, visit, &parameters, pushed).await,
            false => Err(Problem::BadRequest.into()),
        };
    }
    let (client, redirect_uri) = target(app, &parameters, &problems).await?;
    let response_mode = match parameters.get("response_mode") {
        None => Some(usual_mode(parameters.get("response_type"))),
        Some(asked) => ResponseMode::ALL.into_iter().find(|mode| mode.as_str() == asked),
    };
    let state = parameters.get("state").filter(|state| state.len() <= LONGEST).map(str::to_owned);
    let way_back = Return { redirect_uri, response_mode: response_mode.unwrap_or_default(), state };
    let refused = match problems.first() {
        Some(problem) => refuse("invalid_request", problem.to_string()),
        None if response_mode.is_none() => {
            refuse("invalid_request", "response_mode must be query, fragment or form_post")
        }
        None => check(app, &client, &parameters, &way_back),
    };
    let asked = match refused {
        Ok(asked) => asked,
        Err(Refusal(error, why)) => {
            return way_back.with_error(app, visit, error, &super::error::description_text(&why));
        }
    };
    go_on(app, visit, client.id.clone(), asked)
}

/// Sends the browser on with a request.
fn go_on(app: &App, visit: &Visit, client_id: ClientId, asked: Asked) -> Result<Response, PageError> {
    let pending = Pending::new(client_id, asked, app.clock.now());
    let sealed = pending.seal(app.keys.root()).map_err(|_| Problem::Internal)?;
    let answer = visit.go(&format!("{WAITING}{sealed}"));
    Ok(visit.follow_languages(answer, pending.asked.ui_locales.as_deref()))
}

/// How an answer travels if the client does not say: whoever asks for tokens from this endpoint, which
/// nobody gets, reads the refusal in the fragment (OAuth 2.0 Multiple Response Types §5).
fn usual_mode(response_type: Option<&str>) -> ResponseMode {
    let mut words = response_type.unwrap_or_default().split(' ');
    match words.any(|word| word == "token" || word == "id_token") {
        true => ResponseMode::Fragment,
        false => ResponseMode::default(),
    }
}

/// Begins a request that the client has pushed: everything that it asks was checked then.
async fn begin_pushed(
    app: &App,
    visit: &Visit,
    parameters: &Parameters,
    id: &str,
) -> Result<Response, PageError> {
    let client_id = parameters.get("client_id").ok_or(Problem::UnknownClient)?;
    let id: AuthorizationRequestId = id.parse().map_err(|_| Problem::RequestExpired)?;
    let client_id = ClientId(client_id.to_owned());
    match pushed_requests::take(&app.store, id, &client_id, app.clock.now()).await? {
        Some(asked) => go_on(app, visit, client_id, asked),
        None => Err(Problem::RequestExpired.into()),
    }
}

/// The client and its redirect URI. Until both are known to belong together nobody may be
/// redirected (RFC 6749 §4.1.2.1), and neither may be ambiguous.
async fn target(
    app: &App,
    parameters: &Parameters,
    problems: &[FormError],
) -> Result<(Arc<Client>, String), PageError> {
    let is_ambiguous = |name: &&str| problems.contains(&FormError::Repeated((*name).to_owned()));
    if ["client_id", "redirect_uri", "response_mode", "state"].iter().any(is_ambiguous) {
        return Err(Problem::BadRequest.into());
    }
    let Some(client_id) = parameters.get("client_id") else { return Err(Problem::UnknownClient.into()) };
    let Some(client) = clients::find_known(app, &ClientId(client_id.to_owned())).await? else {
        return Err(Problem::UnknownClient.into());
    };
    let requested = parameters.get("redirect_uri").unwrap_or_default();
    let is_registered = client.metadata.redirect_uris.iter().any(|uri| redirect_uri::matches(uri, requested));
    match is_registered && requested.len() <= LONGEST {
        true => Ok((client, requested.to_owned())),
        false => Err(Problem::UnknownRedirect.into()),
    }
}

/// Checks everything beside the client and the redirect URI.
pub(super) fn check(
    app: &App,
    client: &Client,
    parameters: &Parameters,
    way_back: &Return,
) -> Result<Asked, Refusal> {
    for (name, code) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ] {
        if parameters.get(name).is_some() {
            return refuse(code, format!("{name} is not offered"));
        }
    }
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => return refuse("unsupported_response_type", "response_type must be code"),
        None => return refuse("invalid_request", "response_type is required"),
    }
    if !client.may_use(GrantType::AuthorizationCode) {
        return refuse("unauthorized_client", "the client did not register the authorization code grant");
    }
    if parameters.get("state").is_some_and(|state| state.len() > LONGEST) {
        return refuse("invalid_request", "state is too long");
    }
    let bounded = |name| match parameters.get(name) {
        Some(text) if text.len() > LONGEST => refuse("invalid_request", format!("{name} is too long")),
        other => Ok(other.map(str::to_owned)),
    };
    let code_challenge = code_challenge(parameters)?;
    let scope = Scope::parse(parameters.get("scope").unwrap_or_default())?;
    let asked = Asked {
        code_challenge,
        scope: scope.to_string(),
        device_id: scope.device_id().cloned(),
        nonce: bounded("nonce")?,
        login_hint: bounded("login_hint").unwrap_or_default(),
        acr_values: bounded("acr_values").unwrap_or_default(),
        ui_locales: bounded("ui_locales").unwrap_or_default(),
        prompt: match Prompt::parse(parameters.get("prompt").unwrap_or_default()) {
            Some(prompt) => prompt,
            None => return refuse("invalid_request", "prompt=none cannot be joined with other values"),
        },
        max_age: match parameters.get("max_age").map(str::parse) {
            None => None,
            Some(Ok(seconds)) => Some(seconds),
            Some(Err(_)) => return refuse("invalid_request", "max_age must be a number of seconds"),
        },
        expected_user: expected_user(app, client, parameters)?,
        redirect_uri: way_back.redirect_uri.clone(),
        response_mode: way_back.response_mode,
        state: way_back.state.clone(),
    };
    match asked.is_too_long() {
        true => refuse("invalid_request", "the request is too long"),
        false => Ok(asked),
    }
}

/// Whom the client expects to be there, by an ID token of ours, which may have expired (OpenID Connect
/// Core §3.1.2.1, `id_token_hint`).
fn expected_user(app: &App, client: &Client, parameters: &Parameters) -> Result<Option<UserId>, Refusal> {
    let Some(hint) = parameters.get("id_token_hint") else { return Ok(None) };
    match id_token::read_hint(app, hint) {
        Some(hint) if hint.client_id == client.id => Ok(Some(hint.user_id)),
        _ => refuse("invalid_request", "id_token_hint is not an ID token that this client got here"),
    }
}

/// PKCE is required of every client, and S256 is the only method (RFC 7636 §4.3, RFC 9700 §2.1.1).
fn code_challenge(parameters: &Parameters) -> Result<String, Refusal> {
    let Some(challenge) = parameters.get("code_challenge") else {
        return refuse("invalid_request", "code_challenge is required (PKCE)");
    };
    if parameters.get("code_challenge_method") != Some("S256") {
        return refuse("invalid_request", "code_challenge_method must be S256");
    }
    match crate::keys::from_base64url(challenge) {
        Some(bytes) if bytes.len() == 32 => Ok(challenge.to_owned()),
        _ => refuse("invalid_request", "code_challenge must be the base64url of a SHA-256 digest"),
    }
}
