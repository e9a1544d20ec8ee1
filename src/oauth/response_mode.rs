//! How an authorization response travels to the client.

use askama::Template;

use crate::clients::label::Destination;
use crate::http::filters;
use crate::http::pages::Frame;

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
