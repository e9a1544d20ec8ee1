//! Pages for people: what all of them share, and how one is answered.

use std::fmt::Display;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, Response};
use url::Url;

use super::assets::Assets;
use super::brand::{self, Colour, InvalidColour};
use super::headers::{FormAction, no_store};
use crate::config::Config;
use crate::languages::Language;

/// What is the same on every page, prepared once.
#[derive(Debug)]
pub struct Site {
    /// The name of the homeserver.
    pub server_name: String,
    /// What stands on top of every page.
    pub service_name: String,
    /// The language of those who have not said which one they read.
    pub language: Language,
    /// Who runs this server.
    pub imprint_uri: Option<String>,
    /// What the operator does with personal data.
    pub policy_uri: Option<String>,
    /// The rules of the service.
    pub tos_uri: Option<String>,
    /// The plain name of the operator's picture.
    pub logo: Option<String>,
    /// Whether the operator has a stylesheet of their own.
    pub has_stylesheet: bool,
    /// Stylesheets, modules and pictures.
    pub assets: Assets,
    /// Path of the public base, without a slash at its end.
    base: String,
}

/// Why the pages cannot be shown as the operator wants them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SiteError {
    /// The accent is not a colour.
    #[error(transparent)]
    Accent(#[from] InvalidColour),
    /// The picture cannot be used.
    #[error("branding.logo_file {0}")]
    Logo(String),
    /// The stylesheet cannot be used.
    #[error("branding.stylesheet_file {0}")]
    Stylesheet(String),
}

impl Site {
    /// Prepares the site.
    ///
    /// # Errors
    /// When the accent is not a colour, or a file cannot be used, which a checked configuration never says unless the
    /// file has changed since.
    pub fn new(config: &Config) -> Result<Site, SiteError> {
        let branding = &config.branding;
        let accent: Colour = branding.accent_color.parse()?;
        let dark = branding.dark_accent_color.as_deref().map_or(Ok(accent), str::parse)?;
        let mut made = vec![
            ("brand.css".to_owned(), brand::stylesheet(accent, dark).into_bytes()),
            ("icon.svg".to_owned(), brand::icon(accent).into_bytes()),
        ];
        let logo = branding.logo().map_err(SiteError::Logo)?.map(|logo| {
            let name = format!("logo.{}", logo.extension);
            made.push((name.clone(), logo.bytes));
            name
        });
        let stylesheet = branding.stylesheet().map_err(SiteError::Stylesheet)?;
        let has_stylesheet = stylesheet.is_some();
        made.extend(stylesheet.map(|css| ("extra.css".to_owned(), css)));
        config.branding.default_language.prepare();
        let server_name = config.homeserver.server_name.clone();
        let link = |uri: &Option<Url>| uri.as_ref().map(Url::to_string);
        Ok(Site {
            service_name: branding.service_name.clone().unwrap_or_else(|| server_name.clone()),
            server_name,
            language: branding.default_language,
            imprint_uri: link(&branding.imprint_uri),
            policy_uri: link(&branding.policy_uri),
            tos_uri: link(&branding.tos_uri),
            logo,
            has_stylesheet,
            assets: Assets::new(made),
            base: config.http.public_base.path().trim_end_matches('/').to_owned(),
        })
    }

    /// The path of a page below the public base: `/login` is `/auth/login` on
    /// `https://example.org/auth/`.
    pub fn path(&self, local: &str) -> String {
        format!("{}{local}", self.base)
    }

    /// The path of an asset, given its plain name.
    pub fn asset(&self, plain: &str) -> String {
        self.path(&format!("/assets/{}", self.assets.name(plain).unwrap_or(plain)))
    }
}

/// What every template is given as `frame`.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// The site this page belongs to.
    pub site: &'a Site,
    /// The nonce of this answer's content security policy.
    pub nonce: String,
    /// The token every form carries back; empty on pages without forms.
    pub csrf: String,
    /// The language of the page, of which templates ask their texts.
    pub t: Language,
    /// The local path to which the switch of languages leads back; without one there is no switch, since the
    /// page cannot be shown a second time.
    pub back: Option<String>,
}

impl<'a> Frame<'a> {
    /// The frame of one answer, given the nonce of its request ([`super::headers::Nonce`]).
    pub fn new(site: &'a Site, nonce: impl Display, csrf: impl Into<String>) -> Frame<'a> {
        let back = Some("/".to_owned());
        Frame { site, nonce: nonce.to_string(), csrf: csrf.into(), t: site.language, back }
    }

    /// What the switch of languages offers.
    pub fn languages(&self) -> impl Iterator<Item = Language> {
        Language::spoken()
    }

    /// The same in another language.
    #[must_use]
    pub fn in_language(self, language: Language) -> Frame<'a> {
        Frame { t: language, ..self }
    }

    /// The same with a switch of languages that leads back to this local path. To be said by pages that answer a
    /// form which carried more than its path says.
    #[must_use]
    pub fn back_to(self, local: impl Into<String>) -> Frame<'a> {
        Frame { back: Some(local.into()), ..self }
    }

    /// The same without a switch of languages, for what is shown only once.
    #[must_use]
    pub fn only_once(self) -> Frame<'a> {
        Frame { back: None, ..self }
    }
}

/// Whom a page speaks of: the person signed in.
#[derive(Clone, Debug)]
pub struct Person {
    /// The name they chose to be shown by, if any.
    pub display_name: Option<String>,
    /// Their full Matrix id: `@alice:chat.example.org`.
    pub mxid: String,
    /// Whether they administer this server.
    pub is_admin: bool,
}

/// Answers with a page. `form_action` is where its forms may lead besides this server, see
/// [`super::headers::form_action_source`]; the layer around all pages makes it part of the policy.
///
/// Pages speak of one person and carry tokens, so nobody may keep them.
pub fn render(status: StatusCode, page: &impl Template, form_action: Option<FormAction>) -> Response {
    let mut response = match page.render() {
        Ok(html) => no_store((status, Html(html))),
        Err(error) => {
            tracing::error!(%error, "A page could not be rendered");
            no_store((StatusCode::INTERNAL_SERVER_ERROR, "This page could not be shown. Try again later."))
        }
    };
    if let Some(form_action) = form_action {
        response.extensions_mut().insert(form_action);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(public_base: &str) -> Site {
        let mut config = Config::default();
        config.http.public_base = public_base.parse().expect("a URL");
        Site::new(&config).expect("a site")
    }

    #[test]
    fn paths_stand_below_the_public_base() {
        assert_eq!(site("https://example.org").path("/login"), "/login");
        assert_eq!(site("https://example.org/auth/").path("/login"), "/auth/login");
        assert!(site("https://example.org/a/b/").asset("style.css").starts_with("/a/b/assets/style-"));
    }
}
