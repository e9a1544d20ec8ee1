//! Writing a mail: as one line, as text and as a page.

use std::time::Duration;

use askama::Template;

use super::{LIFETIME, Mail};
use crate::accounts::activity::Event;
use crate::config::Config;
use crate::http::brand::Colour;
use crate::http::filters;
use crate::ids::MailId;
use crate::languages::{Language, plain};
use crate::mail::Letter;
use crate::time::Timestamp;

/// Writes a mail about an account, or about none, in a language.
///
/// # Errors
/// When a template fails, which it has no reason to.
pub fn write(
    config: &Config,
    t: Language,
    id: MailId,
    asked_at: Timestamp,
    to: &str,
    mxid: Option<&str>,
    mail: &Mail,
) -> askama::Result<Letter> {
    let words = Words::new(config, mxid);
    let subject = plain(Subject { t, words: &words, mail }.render()?.trim());
    let text = plain(&Text { t, words: &words, mail }.render()?) + "\n";
    let html = Page { t, words: &words, mail, subject: &subject }.render()?;
    Ok(Letter { id, asked_at, to: to.to_owned(), subject, text, html })
}

/// What every mail may name.
struct Words<'a> {
    service_name: &'a str,
    server_name: &'a str,
    mxid: Option<&'a str>,
    public_base: &'a str,
    accent: &'a str,
    accent_text: String,
    /// How long a link or a code is good.
    lifetime: Duration,
}

impl<'a> Words<'a> {
    fn new(config: &'a Config, mxid: Option<&'a str>) -> Words<'a> {
        let server_name = &config.homeserver.server_name;
        let accent = &config.branding.accent_color;
        Words {
            service_name: config.branding.service_name.as_ref().unwrap_or(server_name),
            server_name,
            mxid,
            public_base: config.http.public_base.as_str(),
            accent,
            accent_text: accent.parse().map(|accent: Colour| accent.text().to_string()).unwrap_or_default(),
            lifetime: LIFETIME,
        }
    }

    /// The address of a page, given its local path: below the public base, whatever a request said.
    fn url(&self, local: &str) -> String {
        format!("{}{}", self.public_base, local.trim_start_matches('/'))
    }
}

#[derive(Template)]
// Written as HTML, like all messages, and then freed of it.
#[template(path = "mail/subject.txt", escape = "html")]
struct Subject<'a> {
    t: Language,
    words: &'a Words<'a>,
    mail: &'a Mail,
}

#[derive(Template)]
#[template(path = "mail/body.txt", escape = "html")]
struct Text<'a> {
    t: Language,
    words: &'a Words<'a>,
    mail: &'a Mail,
}

#[derive(Template)]
#[template(path = "mail/body.html")]
struct Page<'a> {
    t: Language,
    words: &'a Words<'a>,
    mail: &'a Mail,
    subject: &'a str,
}
