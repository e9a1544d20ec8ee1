//! Filters that templates use: `{{ name|shown }}`.

use askama::{Result, Values};

use super::words;
use crate::languages::Text;

/// A name from a stranger, see [`words::shown`].
#[askama::filter_fn]
pub fn shown(text: impl AsRef<str>, _: &dyn Values) -> Result<String> {
    Ok(words::shown(text.as_ref()))
}

/// An identifier from a stranger, see [`words::exact`].
#[askama::filter_fn]
pub fn exact(text: impl AsRef<str>, _: &dyn Values) -> Result<String> {
    Ok(words::exact(text.as_ref()))
}

/// An identifier from a stranger in the middle of a sentence, see [`words::exact`].
#[askama::filter_fn]
pub fn isolated(text: impl AsRef<str>, _: &dyn Values) -> Result<Text> {
    Ok(Text::isolated(&words::exact(text.as_ref())))
}

/// A name from a stranger in the middle of a sentence, see [`words::shown`].
#[askama::filter_fn]
pub fn named(text: impl AsRef<str>, _: &dyn Values) -> Result<Text> {
    Ok(Text::isolated(&words::shown(text.as_ref())))
}
