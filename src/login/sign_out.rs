//! Signing out of a browser.

use askama::Template;

use crate::http::filters;
use crate::http::pages::Frame;

/// The page after signing out.
#[derive(Debug, Template)]
#[template(path = "login/signed_out.html")]
pub struct SignedOutPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
}
