//! Which language somebody is spoken to in.

use super::Language;

/// The first of the languages that a person reads in which we can speak, by lookup (RFC 4647 §3.4): whoever
/// reads `de-AT` is spoken to in `de`.
pub fn best<'a>(wished: impl IntoIterator<Item = &'a str>) -> Option<Language> {
    wished.into_iter().find_map(|range| {
        let mut range = range;
        loop {
            if let Some(language) = Language::of_tag(range) {
                return Some(language);
            }
            range = range.rsplit_once('-')?.0;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best_tag(wished: &str) -> Option<&'static str> {
        best(wished.split(' ')).map(Language::tag)
    }

    #[test]
    fn the_nearest_language_is_spoken() {
        for (wished, spoken) in [
            ("de", Some("de")),
            ("DE-at-1996 en", Some("de")),
            ("it fr-CA en", Some("fr")),
            ("en-XA", Some("en-XA")),
            ("en-GB", Some("en")),
            ("deu it x-klingon * --- ", None),
        ] {
            assert_eq!(best_tag(wished), spoken, "{wished}");
        }
    }
}
