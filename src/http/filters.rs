//! Filters that templates use: `{{ name|shown }}`.

use std::time::Duration;

use askama::{Result, Values};

use super::words;
use crate::languages::Text;
use crate::time::Timestamp;

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

/// How long ago a moment was, see [`words::ago`].
#[askama::filter_fn]
pub fn ago(at: &Timestamp, _: &dyn Values, now: &Timestamp) -> Result<String> {
    Ok(words::ago(*at, *now))
}

/// A moment to be read by people, see [`words::moment`].
#[askama::filter_fn]
pub fn moment(at: &Timestamp, _: &dyn Values) -> Result<String> {
    Ok(words::moment(*at))
}

/// A length of time, see [`words::lasting`].
#[askama::filter_fn]
pub fn lasting(length: &Duration, _: &dyn Values) -> Result<String> {
    Ok(words::lasting(*length))
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
