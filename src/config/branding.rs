//! The `branding` section.

use std::fs;
use std::path::{Path, PathBuf};

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
    /// The language of pages and mails for those who have not said which one they read.
    /// Everybody else gets what they chose at the foot of a page, or what their browser asks for.
    pub default_language: Language,
    /// The colour of buttons and links, `#` and six hexadecimal digits in quotes. The text upon it
    /// is made black or white, whichever can be read better.
    #[schemars(regex(pattern = "^#[0-9a-fA-F]{6}$"))]
    pub accent_color: String,
    /// The same where people prefer dark pages. Without it, the colour above is used there too.
    #[schemars(regex(pattern = "^#[0-9a-fA-F]{6}$"), example = "#7fd1ae")]
    pub dark_accent_color: Option<String>,
    /// A picture that stands on top of every page beside the name: SVG, PNG, JPEG or WebP, at most 200 kB. It is shown
    /// 32 pixels high and read once, at the start.
    #[schemars(example = "/etc/gatehouse/logo.svg")]
    pub logo_file: Option<PathBuf>,
    /// A stylesheet that every page loads after its own, at most 200 kB. It is read once, at the start. What it loads must be
    /// part of it (`data:`): pages may fetch nothing from elsewhere.
    #[schemars(example = "/etc/gatehouse/extra.css")]
    pub stylesheet_file: Option<PathBuf>,
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
            dark_accent_color: None,
            logo_file: None,
            stylesheet_file: None,
            imprint_uri: None,
            policy_uri: None,
            tos_uri: None,
        }
    }
}

/// The largest file that is served with pages, in bytes.
const LARGEST: u64 = 200_000;

/// A picture of the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    /// The end of its name, which says what it is: `png`.
    pub extension: &'static str,
    /// What stands in the file.
    pub bytes: Vec<u8>,
}

impl Branding {
    /// The picture on top of every page.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn logo(&self) -> Result<Option<Logo>, String> {
        let Some(path) = &self.logo_file else { return Ok(None) };
        let bytes = read(path)?;
        let extension = picture(&bytes).ok_or_else(|| {
            format!("names {}, which is neither an SVG, PNG, JPEG nor WebP picture", path.display())
        })?;
        Ok(Some(Logo { extension, bytes }))
    }

    /// What every page loads after its own stylesheet.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn stylesheet(&self) -> Result<Option<Vec<u8>>, String> {
        let Some(path) = &self.stylesheet_file else { return Ok(None) };
        let bytes = read(path)?;
        match str::from_utf8(&bytes).is_ok_and(|text| !text.contains('\0')) {
            true => Ok(Some(bytes)),
            false => Err(format!("names {}, which is no text in UTF-8", path.display())),
        }
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        if self.service_name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            problems.add("branding.service_name", "is empty; give a name or remove the key");
        }
        let accents = [
            ("accent_color", Some(&self.accent_color)),
            ("dark_accent_color", self.dark_accent_color.as_ref()),
        ];
        for (key, accent) in accents {
            if accent.is_some_and(|accent| !is_color(accent)) {
                problems.add(
                    format!("branding.{key}"),
                    "must be # and six hexadecimal digits in quotes, such as \"#0b6e4f\"",
                );
            }
        }
        if let Err(problem) = self.logo() {
            problems.add("branding.logo_file", problem);
        }
        if let Err(problem) = self.stylesheet() {
            problems.add("branding.stylesheet_file", problem);
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

fn is_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error| format!("names {}, which cannot be read: {error}", path.display());
    let length = fs::metadata(path).map_err(unreadable)?.len();
    if length > LARGEST {
        return Err(format!("names {}, which has more than {} kB", path.display(), LARGEST / 1000));
    }
    fs::read(path).map_err(unreadable)
}

/// What sort of picture it is, by how it begins and not by its name.
fn picture(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("png"),
        [0xff, 0xd8, 0xff, ..] => Some("jpg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
        _ => {
            let text = str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}').trim_start();
            let is_svg = text.starts_with("<svg") || (text.starts_with("<?xml") && text.contains("<svg"));
            is_svg.then_some("svg")
        }
    }
}
