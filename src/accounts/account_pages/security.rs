//! How a person signs in to their account.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::passkeys::PasskeySection;
use super::{Section, authenticator_app, rename_app};
use crate::accounts::authenticator_apps::{self, AuthenticatorApp};
use crate::accounts::factors::{self, Factors, Needed};
use crate::accounts::passkeys::Kind;
use crate::accounts::remembered_browsers::{self, RememberedBrowser};
use crate::accounts::signed_in;
use crate::app::App;
use crate::http::error::{PageError, Problem, WayOn};
use crate::http::filters;
use crate::http::form::{FormError, Parameters, with_query};
use crate::http::pages::Frame;
use crate::http::user_agent;
use crate::http::visit::Visit;
use crate::languages::Text;
use crate::time::Timestamp;

/// Local path of the page.
pub const PATH: &str = "/account/security";

/// What was just done, to be announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityNotice {
    /// An authenticator app counts.
    AppAdded,
    /// One has another name.
    AppRenamed,
    /// One does not any more.
    AppRemoved,
    /// A passkey or security key does not count any more.
    PasskeyRemoved,
    /// It was not removed, because it is the last factor and the person must have one.
    LastFactor,
    /// It was not removed, because it is the last factor and the password is short.
    ShortPassword,
    /// There are as many authenticator apps as there can be.
    TooManyApps,
    /// A browser is not remembered any more.
    BrowserForgotten,
    /// The person came in by a recovery link.
    Recovered,
}

impl SecurityNotice {
    const ALL: [(SecurityNotice, &str); 9] = [
        (SecurityNotice::AppAdded, "app-added"),
        (SecurityNotice::AppRenamed, "app-renamed"),
        (SecurityNotice::AppRemoved, "app-removed"),
        (SecurityNotice::PasskeyRemoved, "passkey-removed"),
        (SecurityNotice::LastFactor, "last-factor"),
        (SecurityNotice::ShortPassword, "short-password"),
        (SecurityNotice::TooManyApps, "too-many-apps"),
        (SecurityNotice::BrowserForgotten, "browser-forgotten"),
        (SecurityNotice::Recovered, "recovered"),
    ];

    /// Local path of the page that announces it.
    pub fn path(self) -> String {
        let name = SecurityNotice::ALL.into_iter().find(|(notice, _)| *notice == self);
        with_query(PATH, &[("notice", name.map_or("", |(_, name)| name).into())])
    }

    fn parse(text: &str) -> Option<SecurityNotice> {
        SecurityNotice::ALL.into_iter().find(|(_, name)| *name == text).map(|(notice, _)| notice)
    }

    /// Whether there is another way to sign in now, or one less, so that somebody may want to end what began by it.
    fn is_change(self) -> bool {
        use SecurityNotice::{AppAdded, AppRemoved, PasskeyRemoved, Recovered};
        matches!(self, AppAdded | AppRemoved | PasskeyRemoved | Recovered)
    }

    fn is_refusal(self) -> bool {
        matches!(
            self,
            SecurityNotice::LastFactor | SecurityNotice::ShortPassword | SecurityNotice::TooManyApps
        )
    }
}

impl From<Needed> for SecurityNotice {
    fn from(needed: Needed) -> SecurityNotice {
        match needed {
            Needed::Second => SecurityNotice::LastFactor,
            Needed::LongerPassword => SecurityNotice::ShortPassword,
        }
    }
}

/// The page `GET /account/security` shows.
#[derive(Debug, Template)]
#[template(path = "account/security.html")]
pub struct SecurityPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// What was just done.
    pub notice: Option<SecurityNotice>,
    /// What the person has.
    pub factors: Factors,
    /// Their passkeys and security keys.
    pub passkeys: PasskeySection,
    /// Their authenticator apps.
    pub apps: Vec<AuthenticatorApp>,
    /// Their remembered browsers.
    pub browsers: Vec<RememberedBrowser>,
    /// The present moment.
    pub now: Timestamp,
}

impl SecurityPage<'_> {
    const SECTION: Section = Section::Security;

    fn rename_path(&self, app: &AuthenticatorApp) -> String {
        rename_app::path(app.id)
    }

    fn remove_path(&self, app: &AuthenticatorApp) -> String {
        authenticator_app::remove_path(app.id)
    }

    fn forget_path(&self, browser: &RememberedBrowser) -> String {
        format!("/account/security/browsers/{}/forget", browser.id)
    }

    /// What a browser calls itself, in words.
    fn called(&self, browser: &RememberedBrowser) -> Text {
        let words = browser.user_agent.as_deref().and_then(user_agent::in_words);
        words.map_or_else(|| self.frame.t.unknown_browser(), |words| self.frame.t.program(&words))
    }
}

/// Shows what the person signs in with.
pub async fn get(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Response {
    visit.answer(show(&app, &visit, &query.unwrap_or_default()).await)
}

async fn show(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let asked = Parameters::parse(query.as_bytes())?;
    // Anybody can write a link that claims something was done; only our own pages are believed.
    let notice = asked.get("notice").filter(|_| visit.is_from_own_page()).and_then(SecurityNotice::parse);
    let signed_in = match signed_in::require(app, visit, PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let (user, now) = (signed_in.user.id, app.clock.now());
    let page = SecurityPage {
        frame: visit.frame(),
        notice,
        factors: factors::find(&app.store, user).await?,
        passkeys: PasskeySection::of(app, &signed_in.user).await?,
        apps: authenticator_apps::list(&app.store, user).await?,
        browsers: remembered_browsers::list(&app.store, user, now).await?,
        now,
    };
    Ok(visit.page(StatusCode::OK, &page, None))
}

/// `POST /account/security/browsers/{id}/forget`: asks for the second factor there again. Nothing is given away
/// by that, so it needs no fresh proof.
pub async fn post_forget(
    State(app): State<App>,
    Path(id): Path<String>,
    visit: Visit,
    form: Result<Parameters, FormError>,
) -> Response {
    visit.answer(forget(&app, &visit, &id, form).await)
}

async fn forget(
    app: &App,
    visit: &Visit,
    id: &str,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    visit.check_form(&form?).map_err(|error| PageError::from(error).then(WayOn::Again(PATH.to_owned())))?;
    let id = id.parse().map_err(|_| Problem::NotFound)?;
    let signed_in = match signed_in::require(app, visit, PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    remembered_browsers::forget(&app.store, id, signed_in.user.id).await?;
    Ok(visit.go(&SecurityNotice::BrowserForgotten.path()))
}
