//! How easily a password is guessed, and why.

/// What makes a password easy to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// It is made of what is known about the person or the service.
    AboutYou,
    /// Many people have it, or one that is much like it.
    Common,
    /// It is a word or a name.
    Word,
    /// It is keys in a row, or the same over and over, or goes on as everybody would.
    Pattern,
    /// It is a date or a year.
    Date,
    /// It is just too simple.
    Simple,
}

/// Why somebody would guess a password within a hundred million tries who knows common passwords, words and
/// names, how people change them, and these words about the person; `None` if nobody would. Where a second
/// factor is asked for too, a million tries are enough: eight characters cannot be worth more.
pub(super) fn weakness(password: &str, about: &[String], has_second: bool) -> Option<Weakness> {
    use zxcvbn::feedback::Warning;
    use zxcvbn::matching::patterns::MatchPattern;
    let words: Vec<&str> = about.iter().map(String::as_str).collect();
    let judged = zxcvbn::zxcvbn(password, &words);
    let enough = if has_second { zxcvbn::Score::Two } else { zxcvbn::Score::Three };
    if judged.score() >= enough {
        return None;
    }
    let is_about = |word: &str| about.iter().any(|known| known.to_lowercase() == word);
    let is_about_you = judged.sequence().iter().any(|part| match &part.pattern {
        MatchPattern::Dictionary(found) => is_about(&found.matched_word),
        _ => false,
    });
    if is_about_you {
        return Some(Weakness::AboutYou);
    }
    Some(match judged.feedback().and_then(zxcvbn::feedback::Feedback::warning) {
        Some(
            Warning::ThisIsATop10Password
            | Warning::ThisIsATop100Password
            | Warning::ThisIsACommonPassword
            | Warning::ThisIsSimilarToACommonlyUsedPassword,
        ) => Weakness::Common,
        Some(
            Warning::AWordByItselfIsEasyToGuess
            | Warning::NamesAndSurnamesByThemselvesAreEasyToGuess
            | Warning::CommonNamesAndSurnamesAreEasyToGuess,
        ) => Weakness::Word,
        Some(
            Warning::StraightRowsOfKeysAreEasyToGuess
            | Warning::ShortKeyboardPatternsAreEasyToGuess
            | Warning::RepeatsLikeAaaAreEasyToGuess
            | Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess
            | Warning::SequencesLikeAbcAreEasyToGuess,
        ) => Weakness::Pattern,
        Some(Warning::RecentYearsAreEasyToGuess | Warning::DatesAreOftenEasyToGuess) => Weakness::Date,
        None => Weakness::Simple,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_one_that_helps() {
        let about = ["alice".to_owned(), "Wonderland.example".to_owned(), "wonderland".to_owned()];
        for (password, why) in [
            ("alicealicealice", Some(Weakness::Pattern)),
            ("wonderland2026!", Some(Weakness::AboutYou)),
            ("Wonderland.Example", Some(Weakness::AboutYou)),
            ("password", Some(Weakness::Common)),
            ("passwordpassword", Some(Weakness::Pattern)),
            ("p4ssw0rd1", Some(Weakness::Common)),
            ("abcdefghijklmnop", Some(Weakness::Pattern)),
            ("qwertyuiop[]", Some(Weakness::Pattern)),
            ("01.01.1990", Some(Weakness::Date)),
            ("encyclopedia", Some(Weakness::Word)),
            ("gatehouse lantern velvet orbit", None),
            ("correct horse battery staple", None),
        ] {
            assert_eq!(weakness(password, &about, false), why, "{password}");
        }
        // Eight characters without any sense.
        assert_eq!(weakness("kV7#pQ2z", &about, false), Some(Weakness::Simple));
        assert_eq!(weakness("kV7#pQ2z", &about, true), None);
        assert_eq!(weakness("password1", &about, true), Some(Weakness::Common));
    }
}
