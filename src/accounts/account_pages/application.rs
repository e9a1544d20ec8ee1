//! One client by itself: what it may do, where it is used, and how to end that.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use url::Url;

use super::Section;
use super::applications::{self, ApplicationRow};
use super::session_row::{self, SessionRow};
use crate::accounts::activity::{self, Event};
use crate::accounts::mails::Occasion;
use crate::accounts::signed_in::{self, SignedIn};
use crate::app::App;
use crate::clients::{self, consents, device_requests};
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::pages::Frame;
use crate::http::visit::Visit;
use crate::http::words;
use crate::ids::ClientId;
use crate::languages::Text;
use crate::sessions::all::Session;
use crate::sessions::client::{self, EndReason};
use crate::time::Timestamp;

/// Local path of the page, and of the one that asks whether to end its access. Who registers a client does not
/// choose its identifier, but an admin may choose any: it stands in the query.
pub const PATH: &str = "/account/application";
/// See [`PATH`].
pub const END_PATH: &str = "/account/application/end";

/// How many sessions the page shows; the list of sessions has all.
const SHOWN: usize = 20;

/// The local path of a client's page.
pub(super) fn path(id: &ClientId) -> String {
    with_query(PATH, &[("client_id", id.0.as_str().into())])
}

fn end_path(id: &ClientId) -> String {
    with_query(END_PATH, &[("client_id", id.0.as_str().into())])
}

/// The page that shows a client.
#[derive(Debug, Template)]
#[template(path = "account/application.html")]
pub struct ApplicationPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// The client.
    pub application: ApplicationRow,
    /// Its own pages, as far as it has them: home page, terms, what it does with personal data.
    pub links: Links,
    /// Some of its sessions, the last begun first.
    pub sessions: Vec<SessionRow>,
    /// Local path of the page that asks whether to end all of it.
    pub end_path: String,
    /// The present moment.
    pub now: Timestamp,
}

impl ApplicationPage<'_> {
    const SECTION: Section = Section::Applications;

    /// What can be linked: registration takes https only, and this page believes nobody else.
    fn https<'a>(&self, uri: &'a Option<String>) -> Option<&'a str> {
        uri.as_deref().filter(|uri| uri.starts_with("https://"))
    }

    /// What the device of a session is called.
    fn device(&self, session: &SessionRow) -> Text {
        let t = self.frame.t;
        match (&session.name, &session.device_id) {
            (Some(name), _) if !words::shown(name).is_empty() => Text::isolated(&words::shown(name)),
            (_, Some(id)) => t.application_device(words::exact(id)),
            (_, None) => t.application_no_device(),
        }
    }

    fn has_links(&self) -> bool {
        let Links { client_uri, tos_uri, policy_uri } = &self.links;
        [client_uri, tos_uri, policy_uri].into_iter().any(|uri| self.https(uri).is_some())
    }
}

/// A client's own pages.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// Its home page.
    pub client_uri: Option<String>,
    /// Its terms.
    pub tos_uri: Option<String>,
    /// What it does with personal data.
    pub policy_uri: Option<String>,
}

/// The page that asks whether to end a client's access. The answer is posted to its own path.
#[derive(Debug, Template)]
#[template(path = "account/end_application.html")]
pub struct EndApplicationPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// The client.
    pub application: ApplicationRow,
    /// How many of its sessions are Matrix devices.
    pub devices: usize,
}

/// Shows a client.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(show(&app, &visit, &query.unwrap_or_default()).await)
}

/// Asks whether to end its access.
pub async fn get_end(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(ask(&app, &visit, &query.unwrap_or_default()).await)
}

/// Ends its access: all of its sessions, and what it was allowed.
pub async fn post_end(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(end(&app, &visit, form).await)
}

fn not_found() -> PageError {
    PageError::from(Problem::NotFound).then(WayOn::Account)
}

/// Which client is meant.
fn named(parameters: &Parameters) -> Result<ClientId, PageError> {
    parameters.get("client_id").map(|id| ClientId(id.to_owned())).ok_or_else(not_found)
}

/// The person's sessions with a client, and what is known of it; nobody learns of a client that has none of them.
async fn find(
    app: &App,
    visit: &Visit,
    who: &SignedIn,
    id: &ClientId,
) -> Result<(ApplicationRow, Vec<Session>), PageError> {
    let rows = applications::list(app, visit, who).await?;
    let row = rows.into_iter().find(|row| row.id == *id).ok_or_else(not_found)?;
    let sessions = client::list(&app.store, who.user.id, None, i64::MAX).await?;
    let sessions = sessions.into_iter().filter(|session| session.client_id.as_ref() == Some(id));
    Ok((row, sessions.map(Session::Client).collect()))
}

async fn show(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let id = named(&Parameters::parse(query.as_bytes())?)?;
    let who = match signed_in::require(app, visit, &path(&id)).await? {
        Ok(who) => who,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let (application, mut sessions) = find(app, visit, &who, &id).await?;
    sessions.truncate(SHOWN);
    let page = ApplicationPage {
        frame: visit.frame(),
        application,
        links: links(app, visit, &id).await?,
        sessions: session_row::rows(app, visit, &who, sessions).await?,
        end_path: end_path(&id),
        now: app.clock.now(),
    };
    Ok(visit.page(StatusCode::OK, &page, None))
}

async fn links(app: &App, visit: &Visit, id: &ClientId) -> Result<Links, PageError> {
    let Some(client) = clients::find_known(app, id).await? else { return Ok(Links::default()) };
    let metadata = &client.metadata;
    let uri = |key: &str, plain: &Option<Url>| {
        let localized = metadata.localized(key, &visit.languages).map(str::to_owned);
        localized.or_else(|| plain.as_ref().map(Url::to_string))
    };
    Ok(Links {
        client_uri: uri("client_uri", &metadata.client_uri),
        tos_uri: uri("tos_uri", &metadata.tos_uri),
        policy_uri: uri("policy_uri", &metadata.policy_uri),
    })
}

async fn ask(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let id = named(&Parameters::parse(query.as_bytes())?)?;
    let who = match signed_in::require(app, visit, &end_path(&id)).await? {
        Ok(who) => who,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let (application, sessions) = find(app, visit, &who, &id).await?;
    let has_device = |session: &&Session| matches!(session, Session::Client(one) if one.device_id.is_some());
    let devices = sessions.iter().filter(has_device).count();
    let page = EndApplicationPage { frame: visit.frame(), application, devices };
    Ok(visit.page(StatusCode::OK, &page, None))
}

async fn end(app: &App, visit: &Visit, form: Result<Parameters, FormError>) -> Result<Response, PageError> {
    let form = form?;
    let id = named(&form)?;
    let again = WayOn::Again(end_path(&id));
    visit.check_form(&form).map_err(|error| PageError::from(error).then(again))?;
    let who = match signed_in::require(app, visit, &end_path(&id)).await? {
        Ok(who) => who,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let (user, now) = (who.user.id, app.clock.now());
    let mut tx = who.begin(app).await?;
    // Whoever spends a code at this moment is waited for, so that the session is there to be ended.
    let is_forgotten = consents::forget(&mut tx, user, &id).await?;
    device_requests::withdraw(&mut tx, user, &id, now).await?;
    let ended = client::end_all_of_user_and_client(&mut tx, user, &id, EndReason::SignedOut, now).await?;
    if ended > 0 || is_forgotten {
        let occasion = Occasion::by(&visit.requester, now);
        activity::add(&mut tx, user, Event::ApplicationRemoved, &occasion).await?;
    }
    tx.commit().await?;
    app.wake_workers();
    Ok(visit.go(&with_query(applications::PATH, &[("notice", "removed".into())])))
}
