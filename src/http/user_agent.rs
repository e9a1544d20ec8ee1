//! What a browser or app calls itself, in words people know: "Firefox on Linux".
//!
//! A program may call itself anything (RFC 9110 §10.1.5), so the words help a person to recognise
//! what is theirs; they prove nothing.

use super::words;
use crate::languages::{Language, Text};

/// Names that people know. The first that is there is taken: nearly every browser also calls itself
/// Chrome or Safari, and every app made with Electron does.
const PROGRAMS: [(&str, &str); 24] = [
    ("Element X/", "Element X"),
    ("Element Pro/", "Element Pro"),
    ("Element/", "Element"),
    ("SchildiChat Next/", "SchildiChat Next"),
    ("SchildiChat/", "SchildiChat"),
    ("FluffyChat/", "FluffyChat"),
    ("Fractal/", "Fractal"),
    ("nheko/", "Nheko"),
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Focus/", "Firefox Focus"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Systems that people know. Android also calls itself Linux, and an iPhone also says "Mac OS X".
const SYSTEMS: [(&str, &str); 10] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("iOS", "iOS"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("macOS", "macOS"),
    ("FreeBSD", "FreeBSD"),
    ("Linux", "Linux"),
];

/// Program and system in words; what can be seen of the text itself when no known program is in it.
pub fn in_words(user_agent: &str) -> Option<String> {
    let first_of = |known: &[(&str, &'static str)]| {
        known.iter().find(|(token, _)| has_word(user_agent, token)).map(|(_, name)| *name)
    };
    match (first_of(&PROGRAMS), first_of(&SYSTEMS)) {
        (Some(program), Some(system)) => Some(format!("{program} on {system}")),
        (Some(program), None) => Some(program.to_owned()),
        (None, _) => words::name(user_agent),
    }
}

impl Language {
    /// [`in_words`], which is what is stored, in the language of whoever reads it.
    pub fn program(self, words: &str) -> Text {
        let is_known = |known: &[(&str, &str)], word: &str| known.iter().any(|(_, name)| *name == word);
        match words.rsplit_once(" on ") {
            Some((program, system)) if is_known(&PROGRAMS, program) && is_known(&SYSTEMS, system) => {
                self.program_on_system(program, system)
            }
            _ => Text::isolated(&words::shown(words)),
        }
    }
}

/// Whether a word of the text begins with `token`.
fn has_word(text: &str, token: &str) -> bool {
    text.match_indices(token)
        .any(|(at, _)| !text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_programs_are_named() {
        for (user_agent, words) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/138.0 Mobile/15E148 Safari/604.1",
                "Chrome on iPad",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Element/1.11.106 Chrome/138.0.7204.49 Electron/37.1.0 Safari/537.36",
                "Element on Linux",
            ),
            ("Element X/25.07.2 (iPhone 14 Pro; iOS 18.5; Scale/3.00)", "Element X on iPhone"),
            (
                "Element X/25.07.0 (Google Pixel 8; Android 15; BP1A.250505.005; Sdk 25.7.8)",
                "Element X on Android",
            ),
            ("Firefox/140.0", "Firefox"),
        ] {
            assert_eq!(in_words(user_agent).as_deref(), Some(words));
        }
    }

    #[test]
    fn a_program_that_is_not_known_is_left_as_it_is() {
        for user_agent in
            ["matrix-rust-sdk", "reqwest/0.12 (Linux)", "NotElement/1.0", "Not-Chrome/1", "é/Ωiphone"]
        {
            assert_eq!(in_words(user_agent).as_deref(), Some(user_agent));
        }
        assert_eq!(in_words(" \u{202e}"), None);
    }
}
