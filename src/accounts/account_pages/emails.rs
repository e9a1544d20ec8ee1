//! The account's e-mail addresses.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::{Section, add_email, remove_email};
use crate::accounts::emails::{self, UserEmail};
use crate::accounts::signed_in;
use crate::app::App;
use crate::http::error::PageError;
use crate::http::filters;
use crate::http::form::{Parameters, with_query};
use crate::http::pages::Frame;
use crate::http::visit::Visit;

/// Local path of the page.
pub const PATH: &str = "/account/email";

/// What was just done, to be announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailNotice {
    /// An address was added.
    Added,
    /// An address was removed.
    Removed,
    /// A code is no longer good.
    Over,
    /// The address belongs to another account.
    Taken,
}

impl EmailNotice {
    const NAMES: [(&str, EmailNotice); 4] = [
        ("added", EmailNotice::Added),
        ("removed", EmailNotice::Removed),
        ("over", EmailNotice::Over),
        ("taken", EmailNotice::Taken),
    ];

    /// Local path of the page that announces it.
    pub(super) fn path(self) -> String {
        let name = EmailNotice::NAMES.iter().find(|(_, notice)| *notice == self).map_or("", |(name, _)| name);
        with_query(PATH, &[("notice", name.into())])
    }

    fn parse(text: &str) -> Option<EmailNotice> {
        EmailNotice::NAMES.into_iter().find(|(name, _)| *name == text).map(|(_, notice)| notice)
    }
}

/// The list of addresses.
#[derive(Debug, Template)]
#[template(path = "account/emails.html")]
pub struct EmailsPage<'a> {
    /// What every page has.
    pub frame: Frame<'a>,
    /// What was just done.
    pub notice: Option<EmailNotice>,
    /// The addresses.
    pub emails: Vec<UserEmail>,
    /// Whether mails are sent at all; without them, no address can be confirmed.
    pub is_mail_on: bool,
}

impl EmailsPage<'_> {
    const SECTION: Section = Section::Email;

    fn remove_path(&self, email: &UserEmail) -> String {
        with_query(remove_email::PATH, &[("email", email.address.as_str().into())])
    }

    fn confirm_path(&self, email: &UserEmail) -> String {
        with_query(add_email::PATH, &[("email", email.address.as_str().into())])
    }
}

/// Shows the addresses.
pub async fn get(State(app): State<App>, visit: Visit, RawQuery(query): RawQuery) -> Response {
    visit.answer(show(&app, &visit, &query.unwrap_or_default()).await)
}

async fn show(app: &App, visit: &Visit, query: &str) -> Result<Response, PageError> {
    let asked = Parameters::parse(query.as_bytes())?;
    // Only our own pages are believed.
    let notice = asked.get("notice").filter(|_| visit.is_from_own_page()).and_then(EmailNotice::parse);
    let signed_in = match signed_in::require(app, visit, PATH).await? {
        Ok(signed_in) => signed_in,
        Err(sign_in_first) => return Ok(sign_in_first),
    };
    let emails = emails::list(&app.store, signed_in.user.id).await?;
    let page = EmailsPage { frame: visit.frame(), notice, emails, is_mail_on: app.config.email.is_on() };
    Ok(visit.page(StatusCode::OK, &page, None))
}
