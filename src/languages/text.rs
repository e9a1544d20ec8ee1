//! What a message becomes, and what is put into it.

use std::borrow::Cow;
use std::fmt;

use askama::filters::HtmlSafe;
use askama::{FastWritable, Values};
use fluent_bundle::FluentValue;

/// A message with everything put in: HTML, in which all that was put in is escaped, so templates write it as it
/// is. [`Text::plain`] has it for where there is no HTML.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(Cow<'static, str>);

impl Text {
    pub(super) fn new(html: impl Into<Cow<'static, str>>) -> Text {
        Text(html.into())
    }

    /// Text of somebody else, escaped.
    pub fn of(text: &str) -> Text {
        Text(Cow::Owned(escape(text).into_owned()))
    }

    /// A name in the middle of a sentence: whatever direction it is written in, it does not turn what is around it.
    pub fn isolated(name: &str) -> Text {
        Text(Cow::Owned(format!("<bdi>{}</bdi>", escape(name))))
    }

    /// As HTML.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As text without markup.
    pub fn plain(&self) -> String {
        plain(&self.0)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FastWritable for Text {
    fn write_into(&self, to: &mut dyn fmt::Write, _: &dyn Values) -> askama::Result<()> {
        Ok(to.write_str(&self.0)?)
    }
}

impl HtmlSafe for Text {}

/// HTML in which everything that was put in is escaped, as text: without tags, and with the characters that
/// entities stand for.
pub fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('<') {
            rest = rest.split_once('>').map_or("", |(_, after)| after);
            continue;
        }
        let known = ENTITIES
            .iter()
            .find_map(|(entity, character)| rest.strip_prefix(entity).map(|after| (*character, after)));
        let (character, after) = known.unwrap_or(('&', &rest[1..]));
        text.push(character);
        rest = after;
    }
    text.push_str(rest);
    text
}

/// Those that [`escape`] and the templates write, and those that messages may have.
const ENTITIES: [(&str, char); 7] = [
    ("&#60;", '<'),
    ("&#62;", '>'),
    ("&#38;", '&'),
    ("&#34;", '"'),
    ("&#39;", '\''),
    ("&amp;", '&'),
    ("&nbsp;", '\u{a0}'),
];

fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '>', '&', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match ENTITIES[..5].iter().find(|(_, special)| *special == character) {
            Some((entity, _)) => escaped.push_str(entity),
            None => escaped.push(character),
        }
    }
    Cow::Owned(escaped)
}

/// What can be put into a message: text, which is escaped, a number, by which plural forms are chosen, or another
/// message.
pub trait Argument {
    /// As the formatter takes it.
    fn value(&self) -> FluentValue<'_>;
}

impl<T: Argument + ?Sized> Argument for &T {
    fn value(&self) -> FluentValue<'_> {
        (**self).value()
    }
}

impl Argument for str {
    fn value(&self) -> FluentValue<'_> {
        FluentValue::String(escape(self))
    }
}

impl Argument for String {
    fn value(&self) -> FluentValue<'_> {
        self.as_str().value()
    }
}

impl Argument for Text {
    fn value(&self) -> FluentValue<'_> {
        FluentValue::String(Cow::Borrowed(&self.0))
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Argument for $number {
            fn value(&self) -> FluentValue<'_> {
                FluentValue::from(*self)
            }
        }
    )*};
}
numbers!(u8 u16 u32 u64 usize i64);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_put_in_is_text(given in ".{0,80}") {
            let FluentValue::String(escaped) = given.as_str().value() else { panic!("no text") };
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
            prop_assert_eq!(plain(&escaped), given);
        }
    }

    #[test]
    fn tags_are_no_part_of_the_text() {
        assert_eq!(
            plain("<a href=\"/x\">A&nbsp;<bdi>b</bdi></a> &#38; c &amp; d & e"),
            "A\u{a0}b & c & d & e"
        );
    }
}
