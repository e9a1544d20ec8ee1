//! A client asks that the person be signed out (OpenID Connect RP-Initiated Logout).

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};

use super::id_token::{self, Hint};
use crate::accounts::signed_in;
use crate::app::App;
use crate::clients::label::ClientLabel;
use crate::clients::{self, Client};
use crate::http::error::{PageError, Problem};
use crate::http::filters;
use crate::http::form::{self, FormError, Parameters, with_query};
use crate::http::headers::{form_action_source, no_store};
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::ids::ClientId;
use crate::sessions::browser;

/// What a client may send, and what goes along with the page that asks and with the way to it.
const PARAMETERS: [&str; 4] = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"];

/// The page that asks whether to sign out, when nothing proves that the client may.
#[derive(Debug, Template)]
#[template(path = "oauth/end_session.html")]
pub struct SignOutPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Who asks, if that is known.
    pub client: Option<ClientLabel>,
    /// What was asked, to be sent along with the answer.
    pub parameters: Vec<(String, String)>,
}

/// `GET /end-session`.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    let made = match Parameters::parse(query.unwrap_or_default().as_bytes()) {
        Ok(parameters) => end(&app, &visit, &parameters, false).await,
        Err(error) => Err(error.into()),
    };
    visit.answer(made)
}

/// `POST /end-session`: the answer to the page that asks, or a client's form (RP-Initiated Logout §2). That
/// one comes from another site and so without our cookies, and is turned into its `GET`, which has them.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    let made = match form {
        Ok(form) if visit.check_form(&form).is_ok() => {
            end(&app, &visit, &form, form.get("answer") == Some("sign_out")).await
        }
        Ok(form) => by_get(&visit, &form),
        Err(error) => Err(error.into()),
    };
    visit.answer(made)
}

fn by_get(visit: &Visit, parameters: &Parameters) -> Result<Response, PageError> {
    let carried: Vec<_> = carried(parameters).map(|(name, value)| (name, value.into())).collect();
    let path = with_query("/end-session", &carried);
    // What is encoded anew may have grown, and what is too long for a URL would only fail there.
    if path.len() > form::LARGEST { Err(Problem::BadRequest.into()) } else { Ok(visit.go(&path)) }
}

/// The parameters of ours that were sent.
fn carried(parameters: &Parameters) -> impl Iterator<Item = (&'static str, &str)> {
    PARAMETERS.into_iter().filter_map(|name| Some((name, parameters.get(name)?)))
}

/// What a client asks for, as far as it holds.
struct Asked {
    hint: Option<Hint>,
    client: Option<Arc<Client>>,
    /// Where the browser goes afterwards, with the client's `state`.
    way_on: Option<String>,
}

/// Signs the person out, or asks them first, unless this is their answer (`is_answer`).
async fn end(
    app: &App,
    visit: &Visit,
    parameters: &Parameters,
    is_answer: bool,
) -> Result<Response, PageError> {
    let asked = read(app, parameters).await?;
    let signed_in = signed_in::holder(app, visit).await?;
    // An ID token of this very session shows that whoever sent the browser here was let in by it.
    let is_proven = match (&asked.hint, &signed_in) {
        (Some(hint), Some(signed_in)) => hint.browser_session_id == Some(signed_in.session.id),
        _ => false,
    };
    match signed_in {
        Some(signed_in) if is_answer || is_proven => {
            let mut tx = app.store.begin().await?;
            browser::end(&mut tx, signed_in.session.id, signed_in.user.id, app.clock.now()).await?;
            tx.commit().await?;
            app.wake_workers();
            let (user, session, ip) = (signed_in.user.id, signed_in.session.id, visit.requester.ip());
            let client = asked.client.as_ref().map(|client| tracing::field::display(&client.id));
            tracing::info!(%user, client, %session, ip, "a person signed out at a client's request");
        }
        Some(_) => return Ok(ask(visit, &asked, parameters)),
        None => {}
    }
    let on = match asked.way_on {
        Some(uri) => {
            let uri = HeaderValue::from_str(&uri).map_err(|_| Problem::BadRequest)?;
            no_store((StatusCode::SEE_OTHER, [(LOCATION, uri)]))
        }
        None => visit.go("/signed-out"),
    };
    // The session that the browser named is over by now, or was before.
    Ok(if visit.session_secret.is_some() { visit.sign_out(on) } else { on })
}

/// Reads what is asked. A client that is not known or a target that it did not register is passed over:
/// the person is signed out all the same, and stays here.
async fn read(app: &App, parameters: &Parameters) -> Result<Asked, PageError> {
    let hint = parameters.get("id_token_hint").and_then(|hint| id_token::read_hint(app, hint));
    let named = parameters.get("client_id").map(|id| ClientId(id.to_owned()));
    let client_id = match (&hint, named) {
        (Some(hint), Some(named)) if hint.client_id != named => return Err(Problem::BadRequest.into()),
        (Some(hint), _) => Some(hint.client_id.clone()),
        (None, named) => named,
    };
    let client = match client_id {
        Some(id) => clients::find_known(app, &id).await?,
        None => None,
    };
    let target = parameters.get("post_logout_redirect_uri");
    let registered = client.as_ref().map(|client| client.metadata.post_logout_redirect_uris.as_slice());
    let target = target.filter(|target| registered.unwrap_or_default().iter().any(|uri| uri == target));
    let way_on = target.map(|target| match parameters.get("state") {
        Some(state) => with_query(target, &[("state", state.into())]),
        None => target.to_owned(),
    });
    Ok(Asked { hint, client, way_on })
}

fn ask(visit: &Visit, asked: &Asked, parameters: &Parameters) -> Response {
    let page = SignOutPage {
        frame: visit.frame(),
        client: asked.client.as_ref().map(|client| ClientLabel::of_registration(client, &visit.languages)),
        parameters: carried(parameters).map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    };
    visit.page(StatusCode::OK, &page, asked.way_on.as_deref().and_then(form_action_source))
}
