//! How an authorization response travels to the client.

use std::borrow::Cow;

use askama::Template;
use axum::response::Response;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};

use crate::app::App;
use crate::clients::authorization_requests::ResponseMode;
use crate::clients::label::Destination;
use crate::http::error::{PageError, Problem};
use crate::http::filters;
use crate::http::form;
use crate::http::headers::{form_action_source, no_store};
use crate::http::pages::Frame;
use crate::http::visit::Visit;

/// Where an answer of the authorization endpoint goes, and how.
#[derive(Clone, Debug)]
pub struct Return {
    /// The redirect URI, which was found to be the client's.
    pub redirect_uri: String,
    /// How the answer travels.
    pub response_mode: ResponseMode,
    /// The client's `state`.
    pub state: Option<String>,
}

impl Return {
    /// Sends the browser back with a code (RFC 6749 §4.1.2).
    ///
    /// # Errors
    /// When the redirect URI cannot stand in a header, which registration rules out.
    pub fn with_code(&self, app: &App, visit: &Visit, code: &str) -> Result<Response, PageError> {
        self.send(app, visit, vec![("code", code.into())])
    }

    /// Sends the browser back with an error (RFC 6749 §4.1.2.1).
    ///
    /// # Errors
    /// When the redirect URI cannot stand in a header, which registration rules out.
    pub fn with_error(
        &self,
        app: &App,
        visit: &Visit,
        error: &str,
        why: &str,
    ) -> Result<Response, PageError> {
        tracing::debug!(error, why, "an authorization request was refused");
        self.send(app, visit, vec![("error", error.into()), ("error_description", why.into())])
    }

    fn send<'a>(
        &'a self,
        app: &'a App,
        visit: &Visit,
        mut parameters: Vec<(&'a str, Cow<'a, str>)>,
    ) -> Result<Response, PageError> {
        if let Some(state) = &self.state {
            parameters.push(("state", state.into()));
        }
        // Tells the client which server answers, against mix-ups (RFC 9207 §2).
        parameters.push(("iss", app.config.http.public_base.as_str().into()));
        let target = match self.response_mode {
            ResponseMode::Query => form::with_query(&self.redirect_uri, &parameters),
            ResponseMode::Fragment => format!("{}#{}", self.redirect_uri, form::encode(&parameters)),
            ResponseMode::FormPost => return Ok(self.post(visit, &parameters)),
        };
        let target = HeaderValue::from_str(&target).map_err(|_| PageError::from(Problem::BadRequest))?;
        // 303: the browser goes there by GET, whatever brought it here (RFC 9700 §4.12).
        Ok(visit.remember(no_store((StatusCode::SEE_OTHER, [(LOCATION, target)]))))
    }

    fn post(&self, visit: &Visit, parameters: &[(&str, Cow<'_, str>)]) -> Response {
        let owned = parameters.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect();
        let redirect_uri = self.redirect_uri.clone();
        let destination = Destination::of(&redirect_uri).unwrap_or(Destination::App(String::new()));
        let form_action = form_action_source(&redirect_uri);
        let page =
            FormPostPage { frame: visit.frame().only_once(), redirect_uri, parameters: owned, destination };
        visit.page(StatusCode::OK, &page, form_action)
    }
}

/// The page that posts an authorization response to the client (OAuth 2.0 Form Post Response
/// Mode §2).
///
/// It is sent by a module at once, or by its button where there is no JavaScript. The security
/// policy of the answer must name the client's origin in `form-action`.
#[derive(Debug, Template)]
#[template(path = "oauth/form_post.html")]
pub struct FormPostPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// The client's redirect URI, as registered.
    pub redirect_uri: String,
    /// The parameters of the response: `code`, `state`, `iss`, or `error` and its kin.
    pub parameters: Vec<(String, String)>,
    /// Where the button says it leads.
    pub destination: Destination,
}
