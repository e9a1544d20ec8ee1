//! Names from strangers, made fit to be read.

use unicode_normalization::char::is_combining_mark;

/// How many characters of a name are shown; a longer one ends in an ellipsis.
const NAME_LENGTH: usize = 80;

/// How many characters of an identifier are shown: more than Matrix allows one to have.
const IDENTIFIER_LENGTH: usize = 512;

/// More marks than this on one letter are an attack on the lines above and below it.
const MARKS_PER_LETTER: usize = 4;

/// A name as a page shows it, or nothing when nothing in it can be seen.
///
/// A name is chosen by whoever wants to be trusted. Line breaks become spaces, and characters that
/// turn the reading direction, cannot be seen, or pile marks upon marks are left out, so that a
/// name cannot rewrite the sentence around it.
pub fn name(text: &str) -> Option<String> {
    let seen = shown(text);
    (!seen.is_empty()).then_some(seen)
}

/// [`name`] as text: empty when there is nothing to see.
pub fn shown(text: &str) -> String {
    let mut seen = String::new();
    let (mut length, mut marks, mut gap) = (0, 0, false);
    for character in text.chars() {
        if character.is_whitespace() || character.is_control() {
            gap = !seen.is_empty();
            continue;
        }
        // First what nobody sees, so that it cannot begin the count of marks anew.
        if is_unseen(character) {
            continue;
        }
        marks = if is_combining_mark(character) { marks + 1 } else { 0 };
        if marks > MARKS_PER_LETTER {
            continue;
        }
        length += 1 + usize::from(gap);
        if length > NAME_LENGTH {
            seen.push('…');
            break;
        }
        if std::mem::take(&mut gap) {
            seen.push(' ');
        }
        seen.push(character);
    }
    seen
}

/// An identifier as a page shows it: every character stands for itself, and one that cannot be
/// seen shows as U+FFFD, so that two identifiers that differ do not look alike by it.
pub fn exact(text: &str) -> String {
    let mut characters = text.chars();
    let mut seen: String = characters
        .by_ref()
        .take(IDENTIFIER_LENGTH)
        .map(|c| if is_unseen(c) || c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if characters.next().is_some() {
        seen.push('…');
    }
    seen
}

/// Whether a character only steers how its neighbours are laid out, or has no shape at all.
/// The joiners U+200C and U+200D are kept: Persian words and family emoji need them.
fn is_unseen(character: char) -> bool {
    matches!(character,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_turn_or_break_the_line() {
        assert_eq!(shown("  Ele\u{202e}ment\r\n\u{0} two\t "), "Element two");
        assert_eq!(shown(&format!("e{}x", "\u{301}".repeat(50))), format!("e{}x", "\u{301}".repeat(4)));
        let hidden_between = format!("e{}", "\u{301}\u{301}\u{200b}".repeat(25));
        assert_eq!(shown(&hidden_between), format!("e{}", "\u{301}".repeat(4)));
        assert_eq!(shown("👩‍👧"), "👩‍👧");
    }

    #[test]
    fn a_name_nobody_can_see_is_no_name() {
        assert_eq!(name(" \u{200b}\u{3164}\u{202e}\n"), None);
    }

    #[test]
    fn a_long_name_is_cut() {
        let seen = shown(&"n".repeat(65_536));
        assert_eq!(seen.chars().count(), NAME_LENGTH + 1);
        assert!(seen.ends_with('…'));
    }

    #[test]
    fn showing_a_name_twice_changes_nothing() {
        for text in ["Element", "a\u{202e}b c", &"w ".repeat(100)] {
            assert_eq!(shown(&shown(text)), shown(text));
        }
    }

    #[test]
    fn an_identifier_keeps_its_spaces_and_shows_what_is_hidden() {
        assert_eq!(exact("AB  \u{202e}C"), "AB  \u{fffd}C");
    }
}
