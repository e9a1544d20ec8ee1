//! `gatehouse passwords`: what nobody may choose.

mod download;
mod ranges;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use serde_json::json;
use url::Url;

pub use download::{Plan, Progress, download};

use super::failure::Failure;
use super::request::Answer;
use crate::accounts::breached_passwords::RANGES;
use crate::time::Clock;

/// What can be done about passwords.
#[derive(Debug, Subcommand)]
pub enum Passwords {
    /// Download a list of passwords that were stolen elsewhere, for `passwords.breached_list`; what was
    /// interrupted goes on where it was
    Download(Download),
}

/// `passwords download`.
#[derive(Debug, Args)]
pub struct Download {
    /// The file to make, or to replace once the new one is complete
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Where it comes from: Pwned Passwords, or a mirror that answers as its range API does. It learns nothing
    /// about anybody here
    #[arg(long, value_name = "URL", default_value = "https://api.pwnedpasswords.com/range/")]
    from: Url,
    /// Take passwords that were found this often at least; 1 takes all, and makes a file of several gigabytes
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    minimum_count: u32,
    /// How many requests are under way at once
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256))]
    parallel: u16,
}

impl Passwords {
    /// Does it.
    ///
    /// # Errors
    /// Why it was not done, for the admin.
    pub async fn carry_out(self) -> Result<Answer, Failure> {
        let Passwords::Download(Download { out, from, minimum_count, parallel }) = self;
        let plan = Plan {
            from,
            out: out.clone(),
            minimum_count,
            parallel: usize::from(parallel),
            ranges: RANGES,
            pause: Duration::from_secs(1),
            now: Clock::System.now(),
        };
        let mut shown = Shown::new();
        let done = download(&plan, |progress| shown.tell(progress)).await;
        shown.end();
        let done = done?;
        let text = format!(
            "Made {} with {} passwords that were found {minimum_count} times or more, {} MB.\n\
             Name it in the configuration, if it is not there yet, and nobody can choose one of them:\n\n\
             passwords:\n  breached_list: {}",
            out.display(),
            done.passwords,
            done.bytes / 1_000_000,
            std::path::absolute(&out).unwrap_or(out.clone()).display(),
        );
        let data = json!({ "file": out, "passwords": done.passwords, "bytes": done.bytes });
        Ok(Answer { text, data })
    }
}

/// Tells on standard error how far it is: in one line on a terminal, else in a line now and then.
struct Shown {
    is_terminal: bool,
    begun: Instant,
    /// How much was there at the beginning.
    first: Option<u32>,
    told: Option<Instant>,
}

/// Between two lines of a log.
const NOW_AND_THEN: Duration = Duration::from_secs(60);
/// Between two states of the line on a terminal.
const OFTEN: Duration = Duration::from_millis(250);

impl Shown {
    fn new() -> Shown {
        Shown { is_terminal: io::stderr().is_terminal(), begun: Instant::now(), first: None, told: None }
    }

    fn tell(&mut self, progress: &Progress) {
        let first = *self.first.get_or_insert(progress.ranges);
        let pause = if self.is_terminal { OFTEN } else { NOW_AND_THEN };
        let is_last = progress.ranges == progress.all_ranges;
        if !is_last && self.told.is_some_and(|told| told.elapsed() < pause) {
            return;
        }
        self.told = Some(Instant::now());
        let line = line(progress, first, self.begun.elapsed());
        // Whoever reads it may stop reading.
        let _ = match self.is_terminal {
            true => write!(io::stderr(), "\r\x1b[K{line}"),
            false => writeln!(io::stderr(), "{line}"),
        };
    }

    fn end(&self) {
        if self.is_terminal && self.told.is_some() {
            let _ = writeln!(io::stderr());
        }
    }
}

fn line(progress: &Progress, first: u32, elapsed: Duration) -> String {
    let Progress { ranges, all_ranges, passwords, bytes } = *progress;
    let permille = u64::from(ranges) * 1000 / u64::from(all_ranges.max(1));
    let (done, left) = (ranges.saturating_sub(first), all_ranges - ranges);
    let time = match done {
        0 => String::new(),
        done => {
            let seconds = elapsed.as_secs() * u64::from(left) / u64::from(done);
            format!(", about {} minutes left", seconds.div_ceil(60))
        }
    };
    format!(
        "{:>3}.{} %: {ranges} of {all_ranges} ranges, {passwords} passwords, {} MB{time}",
        permille / 10,
        permille % 10,
        bytes / 1_000_000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_it_is_and_how_long_it_will_take() {
        let progress =
            Progress { ranges: 262_144, all_ranges: RANGES, passwords: 3_000_000, bytes: 23_400_000 };
        assert_eq!(
            line(&progress, 0, Duration::from_secs(1200)),
            " 25.0 %: 262144 of 1048576 ranges, 3000000 passwords, 23 MB, about 60 minutes left"
        );
        // What an earlier run has done took no time of this one.
        assert!(line(&progress, 262_144, Duration::from_secs(1)).ends_with("23 MB"));
    }
}
