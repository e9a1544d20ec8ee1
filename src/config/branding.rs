//! The `branding` section.

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::error::Problems;
use crate::languages::Language;

/// How the pages look and where they link to.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Branding {
    /// The name of the service, as people know it. Without it, the pages show the name of the
    /// homeserver.
    #[schemars(example = "Example Chat")]
    pub service_name: Option<String>,
    /// The language of pages and mails for those who have not said which one they read: `en`, `de` or `fr`.
    /// Everybody else gets what they chose at the foot of a page, or what their browser asks for.
    #[schemars(with = "String")]
    pub default_language: Language,
    /// The colour of buttons and links, `#` and six hexadecimal digits in quotes. The text upon it
    /// is made black or white, whichever can be read better.
    #[schemars(regex(pattern = "^#[0-9a-fA-F]{6}$"))]
    pub accent_color: String,
    /// A page that says who runs the service. Linked at the foot of every page, as are the next
    /// two.
    #[schemars(example = "https://example.org/imprint")]
    pub imprint_uri: Option<Url>,
    /// A page that says what happens with people's data.
    #[schemars(example = "https://example.org/privacy")]
    pub policy_uri: Option<Url>,
    /// A page with the terms of service.
    #[schemars(example = "https://example.org/terms")]
    pub tos_uri: Option<Url>,
}

impl Default for Branding {
    fn default() -> Self {
        Self {
            service_name: None,
            default_language: Language::ENGLISH,
            accent_color: "#0b6e4f".to_owned(),
            imprint_uri: None,
            policy_uri: None,
            tos_uri: None,
        }
    }
}

impl Branding {
    pub(super) fn check(&self, problems: &mut Problems) {
        if self.service_name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            problems.add("branding.service_name", "is empty; give a name or remove the key");
        }
        let is_color = self
            .accent_color
            .strip_prefix('#')
            .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        if !is_color {
            problems.add(
                "branding.accent_color",
                "must be # and six hexadecimal digits in quotes, such as \"#0b6e4f\"",
            );
        }
        let links = [
            ("imprint_uri", &self.imprint_uri),
            ("policy_uri", &self.policy_uri),
            ("tos_uri", &self.tos_uri),
        ];
        for (key, link) in links {
            if link.as_ref().is_some_and(|uri| !matches!(uri.scheme(), "http" | "https")) {
                problems.add(format!("branding.{key}"), "must begin with https:// or http://");
            }
        }
    }
}
