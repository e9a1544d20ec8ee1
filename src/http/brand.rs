//! Colours of the operator's brand, fitted to light and dark so that text stays readable.

use std::fmt;
use std::str::FromStr;

/// The least contrast of text with what is behind it (WCAG 2.2, 1.4.3).
const TEXT_CONTRAST: f64 = 4.5;

const WHITE: Colour = Colour(255, 255, 255);
const BLACK: Colour = Colour(0, 0, 0);

/// What links and accents stand on. The same values as `--page`, `--surface` and `--raised` in
/// `frontend/style.css`; a test keeps them together.
const LIGHT: [Colour; 3] = [Colour(0xf3, 0xf5, 0xf7), WHITE, Colour(0xee, 0xf1, 0xf4)];
const DARK: [Colour; 3] = [Colour(0x11, 0x14, 0x19), Colour(0x1a, 0x1e, 0x25), Colour(0x25, 0x2b, 0x34)];

/// A colour of the sRGB space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

/// The text is not a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a colour as # and six hexadecimal digits, such as #1f5f8b")]
pub struct InvalidColour;

impl FromStr for Colour {
    type Err = InvalidColour;
    fn from_str(text: &str) -> Result<Self, InvalidColour> {
        let digits = text.strip_prefix('#').filter(|d| d.len() == 6).ok_or(InvalidColour)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(InvalidColour);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| InvalidColour)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Colour(red, green, blue))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

impl Colour {
    /// Contrast with another colour, from 1 (the same) to 21 (black on white); WCAG 2.2,
    /// "contrast ratio".
    pub fn contrast(self, other: Colour) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// WCAG 2.2, "relative luminance".
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// This colour with `percent` of another mixed in.
    fn mix(self, other: Colour, percent: u16) -> Colour {
        let channel = |from: u8, to: u8| {
            let mixed = (u16::from(from) * (100 - percent) + u16::from(to) * percent) / 100;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        Colour(channel(self.0, other.0), channel(self.1, other.1), channel(self.2, other.2))
    }

    /// The colour of text on this colour: white if that can be read, else black. One of the two
    /// always can.
    pub fn text(self) -> Colour {
        if self.contrast(WHITE) >= TEXT_CONTRAST { WHITE } else { BLACK }
    }

    /// This colour moved towards another just as far as it takes to be read on every background.
    fn readable_on(self, backgrounds: [Colour; 3], towards: Colour) -> Colour {
        (0..=100)
            .map(|percent| self.mix(towards, percent))
            .find(|colour| backgrounds.iter().all(|behind| colour.contrast(*behind) >= TEXT_CONTRAST))
            .unwrap_or(towards)
    }
}

/// The stylesheet of a brand: its accents and what follows from them, in light and dark.
pub fn stylesheet(light: Colour, dark: Colour) -> String {
    let light = properties(light, LIGHT, BLACK);
    let dark = properties(dark, DARK, WHITE);
    format!(":root{{{light}}}\n@media (prefers-color-scheme: dark){{:root{{{dark}}}}}\n")
}

/// `--accent` fills the main button, `--accent-text` is written on it, `--accent-hover` is the fill
/// under the pointer, `--link` is the accent as text, and as the edge of what the accent fills.
fn properties(accent: Colour, backgrounds: [Colour; 3], towards: Colour) -> String {
    let text = accent.text();
    // Away from the text, so that contrast only grows.
    let hover = accent.mix(if text == WHITE { BLACK } else { WHITE }, 15);
    let link = accent.readable_on(backgrounds, towards);
    format!("--accent:{accent};--accent-text:{text};--accent-hover:{hover};--link:{link}")
}

/// The icon browsers show beside the page's title: the default mark in the brand's accent.
pub fn icon(accent: Colour) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\">\
         <rect width=\"32\" height=\"32\" rx=\"7\" fill=\"{accent}\"/>\
         <path fill=\"{}\" d=\"M8 26V15a8 8 0 0 1 16 0v11h-4.5V15.5a3.5 3.5 0 0 0-7 0V26z\"/></svg>",
        accent.text()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_accent_can_be_read(red: u8, green: u8, blue: u8) {
            let accent = Colour(red, green, blue);
            let text = accent.text();
            prop_assert!(accent.contrast(text) >= TEXT_CONTRAST);
            let hover = accent.mix(if text == WHITE { BLACK } else { WHITE }, 15);
            prop_assert!(hover.contrast(text) >= TEXT_CONTRAST);
            for (backgrounds, towards) in [(LIGHT, BLACK), (DARK, WHITE)] {
                let link = accent.readable_on(backgrounds, towards);
                for behind in backgrounds {
                    prop_assert!(link.contrast(behind) >= TEXT_CONTRAST);
                }
            }
        }
    }

    #[test]
    fn contrast_is_that_of_the_guidelines() {
        assert!((BLACK.contrast(WHITE) - 21.0).abs() < 1e-9);
        assert!((Colour(0x76, 0x76, 0x76).contrast(WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn a_readable_accent_is_left_alone() {
        let accent = Colour(0x1f, 0x5f, 0x8b);
        assert_eq!(accent.readable_on(LIGHT, BLACK), accent);
    }

    #[test]
    fn only_six_digits_are_a_colour() {
        assert_eq!("#1F5f8b".parse(), Ok(Colour(0x1f, 0x5f, 0x8b)));
        for text in ["", "1f5f8b", "#fff", "#1f5f8", "#+f5f8b", "red", "#1f5f8b;}", "#é5f8b"] {
            assert_eq!(text.parse::<Colour>(), Err(InvalidColour), "{text}");
        }
    }

    /// The value of a custom property in one half of the stylesheet.
    fn property(css: &str, name: &str) -> Colour {
        let value = css.split_once(&format!("--{name}:")).unwrap_or_else(|| panic!("{name} is missing")).1;
        value.split(';').next().unwrap_or_default().trim().parse().unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    #[test]
    fn the_stylesheet_keeps_its_own_contrasts() {
        let css = include_str!("../../frontend/style.css");
        let (light, dark) = css.split_once("@media (prefers-color-scheme: dark)").expect("a dark half");
        for (half, backgrounds) in [(light, LIGHT), (dark, DARK)] {
            let behind = ["page", "surface", "raised"].map(|name| property(half, name));
            assert_eq!(behind, backgrounds);
            for text in ["text", "muted", "danger", "success", "warning"] {
                for background in behind {
                    let contrast = property(half, text).contrast(background);
                    assert!(contrast >= TEXT_CONTRAST, "{text} on {background}: {contrast}");
                }
            }
            for text in ["danger", "success", "warning"] {
                let tint = property(half, &format!("{text}-tint"));
                assert!(property(half, text).contrast(tint) >= TEXT_CONTRAST, "{text} on its tint");
                assert!(property(half, "text").contrast(tint) >= TEXT_CONTRAST, "text on {text}");
            }
            assert!(property(half, "danger").contrast(property(half, "danger-text")) >= TEXT_CONTRAST);
            for line in ["control", "focus"] {
                for background in behind {
                    assert!(property(half, line).contrast(background) >= 3.0, "{line} on {background}");
                }
            }
        }
    }
}
