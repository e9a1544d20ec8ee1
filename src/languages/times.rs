//! Moments and spans of time, in words.

use std::time::Duration;

use super::{Language, Text};
use crate::time::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const MONTH: u64 = 30 * DAY;
const YEAR: u64 = 365 * DAY;

impl Language {
    /// How long ago a moment was, in the largest unit that fits: "3 minutes ago".
    ///
    /// A moment of the last minute, or of the future (clocks differ), is "just now".
    pub fn ago(self, at: &Timestamp, now: &Timestamp) -> Text {
        match now.since(*at).as_secs() {
            ..MINUTE => self.just_now(),
            seconds @ ..HOUR => self.minutes_ago(seconds / MINUTE),
            seconds @ ..DAY => self.hours_ago(seconds / HOUR),
            seconds @ ..MONTH => self.days_ago(seconds / DAY),
            seconds @ ..YEAR => self.months_ago(seconds / MONTH),
            seconds => self.years_ago(seconds / YEAR),
        }
    }

    /// A length of time in seconds, minutes, hours or days, rounded up, so that nobody comes back too
    /// early: "15 minutes". Nothing at all is "1 second".
    pub fn lasting(self, length: &Duration) -> Text {
        match length.as_secs() + u64::from(length.subsec_nanos() > 0) {
            seconds @ ..MINUTE => self.seconds(seconds.max(1)),
            seconds @ ..HOUR => self.minutes(seconds.div_ceil(MINUTE)),
            seconds @ ..DAY => self.hours(seconds.div_ceil(HOUR)),
            seconds => self.days(seconds.div_ceil(DAY)),
        }
    }

    /// A moment to the minute in UTC, and saying so: "20 Nov 2026, 23:21 UTC".
    pub fn moment(self, at: &Timestamp) -> Text {
        let Ok(moment) = jiff::Timestamp::from_millisecond(at.0) else { return Text::new(at.to_string()) };
        let month = moment.strftime("%-m").to_string().parse().unwrap_or(1_u8);
        let [day, year, time] = ["%-d", "%Y", "%H:%M"].map(|format| moment.strftime(format).to_string());
        self.day_and_time(day, self.month(month), year, time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: Language = Language::ENGLISH;

    fn language(tag: &str) -> Language {
        Language::of_tag(tag).expect("a language")
    }

    fn ago(language: Language, seconds: i64) -> String {
        language.ago(&Timestamp(0), &Timestamp(seconds * 1000)).to_string()
    }

    #[test]
    fn a_moment_is_told_in_the_largest_unit_that_fits() {
        let told = [0, 59, 60, 119, 120, 3599, 3600, 86_399, 86_400, 30 * 86_400 - 1, 30 * 86_400]
            .map(|seconds| ago(ENGLISH, seconds))
            .join(", ");
        assert_eq!(
            told,
            "just now, just now, 1 minute ago, 1 minute ago, 2 minutes ago, 59 minutes ago, 1 hour ago, \
             23 hours ago, 1 day ago, 29 days ago, 1 month ago"
        );
        assert_eq!(ago(ENGLISH, 364 * 86_400), "12 months ago");
        assert_eq!(ago(ENGLISH, 800 * 86_400), "2 years ago");
    }

    #[test]
    fn a_moment_of_the_future_is_just_now() {
        for (at, now) in [(90_000_000, 0), (i64::MAX, i64::MIN)] {
            assert_eq!(ENGLISH.ago(&Timestamp(at), &Timestamp(now)).as_str(), "just now");
        }
    }

    #[test]
    fn a_wait_is_rounded_up() {
        let lasting = |seconds| ENGLISH.lasting(&Duration::from_secs(seconds)).to_string();
        let told = [0, 1, 59, 60, 61, 3600, 3601, 30 * 86_400].map(lasting).join(", ");
        assert_eq!(told, "1 second, 1 second, 59 seconds, 1 minute, 2 minutes, 1 hour, 2 hours, 30 days");
        assert_eq!(ENGLISH.lasting(&Duration::from_millis(1500)).as_str(), "2 seconds");
    }

    #[test]
    fn every_language_counts_by_its_own_rules() {
        let told = |tag: &str| {
            let language = language(tag);
            let lasting = |seconds| language.lasting(&Duration::from_secs(seconds)).to_string();
            let ago = |seconds| ago(language, seconds);
            [lasting(0), lasting(86_400), lasting(3 * 86_400), ago(90), ago(7200), ago(90 * 86_400)]
                .join(", ")
        };
        assert_eq!(told("de"), "1 Sekunde, 1 Tag, 3 Tage, vor 1 Minute, vor 2 Stunden, vor 3 Monaten");
        assert_eq!(told("fr"), "1 seconde, 1 jour, 3 jours, il y a 1 minute, il y a 2 heures, il y a 3 mois");
        // Nothing is one of something in French, and some in German and English.
        let none = ["en", "de", "fr"].map(|tag| language(tag).days(0_u64).to_string());
        assert_eq!(none, ["0 days", "0 Tage", "0 jour"]);
        let many = ["en", "de", "fr"].map(|tag| language(tag).days(1_234_567_u64).to_string());
        assert_eq!(many, ["1,234,567 days", "1.234.567 Tage", "1\u{202f}234\u{202f}567 jours"]);
    }

    #[test]
    fn an_exact_moment_names_its_zone() {
        let moment = |tag: &str| language(tag).moment(&Timestamp(1_795_216_860_000)).to_string();
        assert_eq!(moment("en"), "20 Nov 2026, 23:21 UTC");
        assert_eq!(moment("de"), "20. Nov. 2026, 23:21 UTC");
        assert_eq!(moment("fr"), "20 nov. 2026, 23:21 UTC");
    }
}
