//! The codes that people carry from a device to a browser (RFC 8628 §6.1).

use std::fmt;

use crate::keys::RootSecret;

/// Twenty consonants: nothing that is taken for a digit or another letter, and nothing that makes a word.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// Eight letters, of which there are 20^8, more than 34 bits.
const LENGTH: usize = 8;

/// A code, shown as `WDJB-MJHT`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserCode([u8; LENGTH]);

impl UserCode {
    /// A new code.
    pub fn random() -> UserCode {
        let mut code = [0; LENGTH];
        let mut byte = [0];
        for letter in &mut code {
            // Bytes above the last multiple of 20 would make the first letters likelier than the others.
            loop {
                crate::random::fill(&mut byte);
                if byte[0] < 240 {
                    break;
                }
            }
            *letter = LETTERS[usize::from(byte[0] % 20)];
        }
        UserCode(code)
    }

    /// Reads a code as people type it: in letters of either case, with dashes and spaces anywhere.
    pub fn parse(typed: &str) -> Option<UserCode> {
        let mut letters = typed.chars().filter(|c| c.is_alphanumeric());
        let mut code = [0; LENGTH];
        for letter in &mut code {
            *letter = u8::try_from(letters.next()?).ok()?.to_ascii_uppercase();
            if !LETTERS.contains(letter) {
                return None;
            }
        }
        letters.next().is_none().then_some(UserCode(code))
    }

    /// What the database knows of the code.
    pub fn digest(&self, root: &RootSecret) -> String {
        root.digest_of_user_code(&self.0)
    }
}

impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.0.split_at(LENGTH / 2);
        write!(f, "{}-{}", String::from_utf8_lossy(first), String::from_utf8_lossy(second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        for typed in ["WDJB-MJHT", "wdjb mjht", "wdjbmjht", " W D J B\u{2013}M J H T\t", "--wDjB..MjHt"] {
            assert_eq!(
                UserCode::parse(typed).map(|code| code.to_string()).as_deref(),
                Some("WDJB-MJHT"),
                "{typed}"
            );
        }
        for typed in ["", "WDJB-MJH", "WDJB-MJHTW", "WDJB-MJH1", "WDJB-MJHA", "WDJB-MJHT-1", "ŴDJB-MJHT"] {
            assert!(UserCode::parse(typed).is_none(), "{typed}");
        }
    }

    #[test]
    fn codes_are_read_as_they_are_shown_and_every_letter_occurs() {
        let codes: Vec<String> = (0..200).map(|_| UserCode::random().to_string()).collect();
        assert!(codes.iter().all(|code| UserCode::parse(code).is_some_and(|read| read.to_string() == *code)));
        let all = codes.concat();
        assert!(LETTERS.iter().all(|letter| all.contains(char::from(*letter))));
    }
}
