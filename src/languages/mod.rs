//! The languages in which people are spoken to. Every text for people is a message in `locales/<language>/`, and
//! each is a method of [`Language`], made by `build.rs`: `sign-in-heading` is asked for by
//! `{{ frame.t.sign_in_heading(frame.site.server_name|exact) }}`.

mod choice;
mod text;
mod times;

#[cfg(test)]
mod check;

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use unic_langid::LanguageIdentifier;

pub use choice::best;
pub use text::{Argument, Text, plain};

include!(concat!(env!("OUT_DIR"), "/messages.rs"));

/// A language, and all that is said in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&str")]
pub struct Language(usize);

/// We do not speak it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of {}", Language::spoken().map(Language::tag).collect::<Vec<_>>().join(", "))]
pub struct UnknownLanguage;

impl TryFrom<String> for Language {
    type Error = UnknownLanguage;
    fn try_from(tag: String) -> Result<Language, UnknownLanguage> {
        Language::of_tag(&tag).ok_or(UnknownLanguage)
    }
}

impl From<Language> for &'static str {
    fn from(language: Language) -> &'static str {
        language.tag()
    }
}

type Speech = FluentBundle<FluentResource>;

/// Each is made when somebody first reads it, since it stays in memory and most servers need few.
static SPEECHES: [OnceLock<Speech>; SOURCES.len()] = [const { OnceLock::new() }; SOURCES.len()];

/// What a build has found well-formed.
fn speech(tag: &str, text: &str) -> Speech {
    let language: LanguageIdentifier = tag.parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // What is put into a sentence stands in <bdi>.
    bundle.set_use_isolating(false);
    let (Ok(resource) | Err((resource, _))) = FluentResource::try_new(text.to_owned());
    bundle.add_resource_overriding(resource);
    let group = bundle.get_message("language-digit-group").and_then(|message| message.value());
    let group = group.map(|text| bundle.format_pattern(text, None, &mut Vec::new()).into_owned());
    bundle.set_formatter(match group.as_deref() {
        Some(",") => Some(grouped::<',', _>),
        Some(".") => Some(grouped::<'.', _>),
        Some("’") => Some(grouped::<'’', _>),
        _ => Some(grouped::<'\u{202f}', _>),
    });
    bundle
}

/// A whole number with something between its groups of three digits.
fn grouped<const BETWEEN: char, M>(value: &FluentValue<'_>, _: &M) -> Option<String> {
    let FluentValue::Number(number) = value else { return None };
    let digits = number.as_string();
    let mut grouped = String::with_capacity(digits.len() + 4);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(BETWEEN);
        }
        grouped.push(digit);
    }
    Some(grouped)
}

impl Language {
    /// The language that everything is written in first.
    pub const ENGLISH: Language = Language(0);

    /// Makes its messages ready, which else happens when the first one is asked for.
    pub fn prepare(self) {
        self.speech();
    }

    fn speech(self) -> &'static Speech {
        let (tag, text) = SOURCES[self.0];
        SPEECHES[self.0].get_or_init(|| speech(tag, text))
    }

    /// Those that people speak, in the order of their tags.
    pub fn spoken() -> impl Iterator<Item = Language> {
        (0..SOURCES.len() - 1).map(Language)
    }

    /// The language of exactly that tag (RFC 5646), letter case aside.
    pub fn of_tag(tag: &str) -> Option<Language> {
        SOURCES.iter().position(|(known, _)| known.eq_ignore_ascii_case(tag)).map(Language)
    }

    /// Its tag (RFC 5646), for `lang` and `Content-Language`.
    pub fn tag(self) -> &'static str {
        SOURCES[self.0].0
    }

    /// The message of that key.
    fn text<const N: usize>(self, key: &str, arguments: [(&'static str, FluentValue<'_>); N]) -> Text {
        let bundle = self.speech();
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            return Text::default();
        };
        let mut problems = Vec::new();
        if N == 0 {
            return Text::new(bundle.format_pattern(pattern, None, &mut problems));
        }
        let mut named = FluentArgs::with_capacity(N);
        for (name, value) in arguments {
            named.set(name, value);
        }
        Text::new(bundle.format_pattern(pattern, Some(&named), &mut problems).into_owned())
    }
}

impl JsonSchema for Language {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Language".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Language::spoken().collect::<Vec<_>>() })
    }
}

impl fmt::Display for Language {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.tag())
    }
}
