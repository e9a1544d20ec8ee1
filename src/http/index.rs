//! The front page.

use askama::Template;

use super::filters;
use super::pages::{Frame, Person};

/// The page `GET /` shows.
#[derive(Debug, Template)]
#[template(path = "index.html")]
pub struct IndexPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// Who is signed in with this browser.
    pub person: Option<Person>,
}
