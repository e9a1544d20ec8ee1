//! The ranges of Pwned Passwords, or of a mirror of it: for the first 20 bits of a SHA-1 digest the rest of each
//! that begins so, and how often its password was found.

use std::io::Read;
use std::time::Duration;

use flate2::read::GzDecoder;
use http::StatusCode;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, RETRY_AFTER};
use url::{Host, Url};

use crate::accounts::breached_passwords::KEPT;
use crate::cli::failure::{Failure, chain};
use crate::outbound::{Error::TooLarge, read_at_most};

/// How often a range is asked for before it is given up.
const TRIES: u32 = 8;
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// More than any range has, in bytes: they have about 1,500 lines.
const LARGEST: usize = 16 * 1024 * 1024;

/// Where ranges come from.
#[derive(Clone)]
pub struct Source {
    http_client: reqwest::Client,
    from: Url,
    minimum_count: u32,
    /// Before the second try; each further one waits twice as long.
    pause: Duration,
}

/// Why a try did not give a range.
enum Failed {
    /// Trying again may help, after this time if it was told.
    Passing(String, Option<Duration>),
    /// It will not.
    ForGood(String),
}

impl Source {
    /// Prepares to ask.
    ///
    /// # Errors
    /// When the address is not one that can be trusted.
    pub fn new(from: &Url, minimum_count: u32, pause: Duration) -> Result<Source, Failure> {
        let is_here = match from.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        let is_plain = from.query().is_none() && from.fragment().is_none() && from.path().ends_with('/');
        if !is_plain || !(from.scheme() == "https" || (from.scheme() == "http" && is_here)) {
            return Err(Failure::usage(
                "--from: must be an https URL that ends in a slash; five digits are put behind it",
            ));
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("gatehouse/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(PATIENCE)
            .timeout(PATIENCE);
        if is_here {
            builder = builder.no_proxy();
        }
        let http_client = builder.build().map_err(|error| Failure::failed(chain(&error)))?;
        Ok(Source { http_client, from: from.clone(), minimum_count, pause })
    }

    /// What is kept of the digests of a range, sorted; tried again when something passing is in the way.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn fetch(&self, range: u32) -> Result<Vec<[u8; KEPT]>, Failure> {
        let mut pause = self.pause;
        let mut tries = 1;
        loop {
            match self.try_once(range).await {
                Ok(found) => return Ok(found),
                Err(Failed::Passing(_, wait)) if tries < TRIES => {
                    tokio::time::sleep(wait.unwrap_or(pause).min(LONGEST_PAUSE)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    tries += 1;
                }
                Err(Failed::Passing(why, _) | Failed::ForGood(why)) => {
                    return Err(Failure::failed(format!(
                        "the range {range:05X} cannot be had: {why}; the same command goes on from here"
                    )));
                }
            }
        }
    }

    async fn try_once(&self, range: u32) -> Result<Vec<[u8; KEPT]>, Failed> {
        let passing = |error: reqwest::Error| Failed::Passing(chain(&error.without_url()), None);
        let url =
            self.from.join(&format!("{range:05X}")).map_err(|error| Failed::ForGood(error.to_string()))?;
        let asked = self.http_client.get(url).header(ACCEPT_ENCODING, "gzip");
        let answer = asked.send().await.map_err(passing)?;
        match answer.status() {
            StatusCode::OK => {}
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                let wait =
                    answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
                return Err(Failed::Passing(status.to_string(), wait.map(Duration::from_secs)));
            }
            status => return Err(Failed::ForGood(status.to_string())),
        }
        let is_compressed = answer.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding == "gzip");
        let body = read_at_most(answer, LARGEST).await.map_err(|error| match error {
            TooLarge(_) => Failed::ForGood("it is too large for a range".to_owned()),
            broken => Failed::Passing(broken.to_string(), None),
        })?;
        let mut text = String::new();
        let read = match is_compressed {
            true => GzDecoder::new(body.as_slice()).take(LARGEST as u64).read_to_string(&mut text),
            false => body.as_slice().read_to_string(&mut text),
        };
        let found = read.ok().and_then(|_| parse(&text, self.minimum_count));
        found.ok_or_else(|| Failed::Passing("it is no range of digests".to_owned(), None))
    }
}

/// What is kept of the digests of a range that were found often enough, sorted. `None` if the text is no range.
fn parse(text: &str, minimum_count: u32) -> Option<Vec<[u8; KEPT]>> {
    let mut found = Vec::new();
    let mut lines = 0;
    for line in text.lines() {
        let (rest, count) = line.trim_end().split_once(':')?;
        if rest.len() != 35 || !rest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        lines += 1;
        if count.parse::<u64>().ok()? < u64::from(minimum_count) {
            continue;
        }
        let kept = u64::from_str_radix(rest.get(..2 * KEPT)?, 16).ok()?;
        let [_, _, _, kept @ ..] = kept.to_be_bytes();
        found.push(kept);
    }
    found.sort_unstable();
    found.dedup();
    // Every range of the real list has hundreds: one without any is an answer that went wrong.
    (lines > 0).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_it_is_answered_and_nothing_else_is_one() {
        let one = "0018A45C4D1DEF81644B54AB7F969B88D65";
        let other = "00D4F6E8FA6EECAD2A3AA415EEC418D38EC";
        let text = format!("{other}:2\r\n{one}:10\r\n");
        assert_eq!(
            parse(&text, 1),
            Some(vec![[0x00, 0x18, 0xa4, 0x5c, 0x4d], [0x00, 0xd4, 0xf6, 0xe8, 0xfa]])
        );
        assert_eq!(parse(&text, 3), Some(vec![[0x00, 0x18, 0xa4, 0x5c, 0x4d]]));
        assert_eq!(parse(&text, 11), Some(vec![]));
        for wrong in ["", "<html>", one, &format!("{one}:x"), "0018A:1", &format!("é{}:1", &one[2..])] {
            assert_eq!(parse(wrong, 1), None, "{wrong}");
        }
    }

    #[test]
    fn only_https_or_this_machine_is_asked() {
        let is_fine = |url: &str| Source::new(&url.parse().unwrap(), 1, Duration::ZERO).is_ok();
        assert!(is_fine("https://api.pwnedpasswords.com/range/") && is_fine("http://127.0.0.1:8000/range/"));
        for wrong in [
            "http://example.org/range/",
            "https://example.org/range",
            "https://example.org/?range=/",
            "file:///",
        ] {
            assert!(!is_fine(wrong), "{wrong}");
        }
    }
}
