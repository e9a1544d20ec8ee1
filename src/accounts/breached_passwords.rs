//! A list of passwords that were stolen elsewhere: a file that `gatehouse passwords download` makes, looked up
//! when a password is set.
//!
//! It holds the beginnings of SHA-1 digests, sorted, behind a table of where those begin that share their first
//! 20 bits. One look-up reads two places of that table and the few kilobytes between which a digest stands, so
//! the file may be large and is never in memory as a whole. Sixty bits of each digest are kept: of ten thousand
//! million passwords that are not on a list of a thousand million, about ten would be taken for one that is.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::time::Timestamp;

/// How many ranges there are: one for each beginning of 20 bits, as the range API of Pwned Passwords has them.
pub const RANGES: u32 = 1 << 20;
/// What the file begins with. The last character is the version of its form.
const MAGIC: &[u8; 16] = b"gatehouse pwned1";
/// Before the table: the magic, how many ranges are there, the least count, and when the first range was made.
const HEADER: u64 = 32;
/// A place in the table.
const PLACE: u64 = 8;
/// Bytes that are kept of each digest, after its first 20 bits.
pub const KEPT: usize = 5;
/// Where the digests begin, behind the table of all ranges and the end of the last.
pub const DIGESTS: u64 = HEADER + PLACE * (RANGES as u64 + 1);
/// More digests than any range has: a table that says so is broken.
const MOST_IN_RANGE: u64 = 1 << 20;

/// Why a list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("the list of breached passwords cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is another file, or damaged.
    #[error(
        "the list of breached passwords is not one that `gatehouse passwords download` has made, or is damaged"
    )]
    Damaged,
    /// The download was interrupted.
    #[error("the list of breached passwords is not complete; `gatehouse passwords download` goes on with it")]
    Incomplete,
}

/// What a list says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// How many ranges it has, from the first on.
    pub ranges: u32,
    /// Which passwords it has: those that were found this often at least.
    pub minimum_count: u32,
    /// When it was begun.
    pub begun_at: Timestamp,
}

impl Header {
    /// As the file begins.
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0u8; 32];
        bytes[..16].copy_from_slice(MAGIC);
        bytes[16..20].copy_from_slice(&self.ranges.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.minimum_count.to_le_bytes());
        bytes[24..].copy_from_slice(&self.begun_at.0.to_le_bytes());
        bytes
    }

    /// Reads it.
    ///
    /// # Errors
    /// When it cannot be read, or belongs to another file.
    pub fn of(file: &File) -> Result<Header, Error> {
        let mut bytes = [0u8; 32];
        file.read_exact_at(&mut bytes, 0).map_err(short)?;
        let (magic, rest) = bytes.split_at(16);
        let (ranges, rest) = rest.split_at(4);
        let (minimum_count, begun_at) = rest.split_at(4);
        let number = |bytes: &[u8]| bytes.try_into().map(u32::from_le_bytes).map_err(|_| Error::Damaged);
        let header = Header {
            ranges: number(ranges)?,
            minimum_count: number(minimum_count)?,
            begun_at: Timestamp(i64::from_le_bytes(begun_at.try_into().map_err(|_| Error::Damaged)?)),
        };
        match magic == MAGIC && header.ranges <= RANGES {
            true => Ok(header),
            false => Err(Error::Damaged),
        }
    }
}

/// A file that is too short is not one of ours.
fn short(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::Damaged,
        _ => error.into(),
    }
}

/// Where in the file the place of a range stands in the table.
pub fn place_of(range: u32) -> u64 {
    HEADER + PLACE * u64::from(range)
}

/// The number of digests before a range.
///
/// # Errors
/// When the file cannot be read.
pub fn before(file: &File, range: u32) -> Result<u64, Error> {
    let mut place = [0u8; 8];
    file.read_exact_at(&mut place, place_of(range)).map_err(short)?;
    Ok(u64::from_le_bytes(place))
}

/// What is kept of a digest: its range, and what comes after.
pub fn kept(sha1: [u8; 20]) -> (u32, [u8; KEPT]) {
    let [a, b, c, d, e, f, g, h, ..] = sha1;
    // 64 bits: 20 name the range, 40 are kept.
    let bits = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
    let range = u32::try_from(bits >> 44).unwrap_or_default();
    let [_, _, _, rest @ ..] = (bits >> 4).to_be_bytes();
    (range, rest)
}

/// A list that is complete.
#[derive(Debug)]
pub struct BreachedPasswords {
    file: File,
    /// What it says of itself.
    pub header: Header,
    /// How many passwords it has.
    pub count: u64,
}

impl BreachedPasswords {
    /// Opens a list, and looks whether it is whole.
    ///
    /// # Errors
    /// [`Error`].
    pub fn open(path: &Path) -> Result<BreachedPasswords, Error> {
        BreachedPasswords::open_with(path, RANGES)
    }

    /// The same for a list that has only the first ranges.
    ///
    /// # Errors
    /// [`Error`].
    pub fn open_with(path: &Path, ranges: u32) -> Result<BreachedPasswords, Error> {
        let file = File::open(path)?;
        let header = Header::of(&file)?;
        if header.ranges < ranges {
            return Err(Error::Incomplete);
        }
        let count = before(&file, header.ranges)?;
        match count.checked_mul(KEPT as u64).map(|bytes| bytes + DIGESTS) {
            Some(length) if file.metadata()?.len() == length => Ok(BreachedPasswords { file, header, count }),
            _ => Err(Error::Damaged),
        }
    }

    /// Whether the password of that SHA-1 digest is on it.
    ///
    /// # Errors
    /// [`Error`].
    pub fn has(&self, sha1: [u8; 20]) -> Result<bool, Error> {
        let (range, wanted) = kept(sha1);
        if range >= self.header.ranges {
            return Ok(false);
        }
        let (first, end) = (before(&self.file, range)?, before(&self.file, range + 1)?);
        let count = end.checked_sub(first).filter(|count| *count <= MOST_IN_RANGE).ok_or(Error::Damaged)?;
        let length = usize::try_from(count).map_err(|_| Error::Damaged)? * KEPT;
        let mut digests = vec![0u8; length];
        self.file.read_exact_at(&mut digests, DIGESTS + first * KEPT as u64).map_err(short)?;
        let (digests, _) = digests.as_chunks::<KEPT>();
        Ok(digests.binary_search(&wanted).is_ok())
    }
}

/// Whether the password of that SHA-1 digest is on the list at `path`. The file is opened each time, so that a
/// newer one counts at once.
///
/// # Errors
/// [`Error`].
pub async fn has(path: &Path, sha1: [u8; 20]) -> Result<bool, Error> {
    let path = path.to_owned();
    let looked = tokio::task::spawn_blocking(move || BreachedPasswords::open(&path)?.has(sha1)).await;
    looked.map_err(|error| Error::Io(io::Error::other(error)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_digest_names_its_range_and_the_next_forty_bits_are_kept() {
        let mut sha1 = [0xff; 20];
        sha1[..8].copy_from_slice(&[0xab, 0xcd, 0xe1, 0x23, 0x45, 0x67, 0x89, 0xaf]);
        assert_eq!(kept(sha1), (0xabcde, [0x12, 0x34, 0x56, 0x78, 0x9a]));
        assert_eq!(kept([0xff; 20]), (RANGES - 1, [0xff; 5]));
        assert_eq!(kept([0; 20]), (0, [0; 5]));
    }
}
