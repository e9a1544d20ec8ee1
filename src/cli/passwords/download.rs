//! Downloading the list of breached passwords. The file is written from front to back beside the one that it
//! will replace; what its table says is there is on disk, so that a download that was cut off goes on.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use futures_util::stream::{self, TryChunksError};
use futures_util::{StreamExt, TryStreamExt};
use url::Url;

use super::ranges::Source;
use crate::accounts::breached_passwords::{self as list, Header, KEPT};
use crate::cli::failure::Failure;
use crate::time::Timestamp;

/// What to download, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What stands before the five digits of a range.
    pub from: Url,
    /// The file to make.
    pub out: PathBuf,
    /// How often a password must have been found.
    pub minimum_count: u32,
    /// How many requests are under way at once.
    pub parallel: usize,
    /// How many ranges, from the first on.
    pub ranges: u32,
    /// How long to wait before a range is asked for again; each further time twice as long.
    pub pause: Duration,
    /// The present moment.
    pub now: Timestamp,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Ranges that are in the file.
    pub ranges: u32,
    /// How many there will be.
    pub all_ranges: u32,
    /// Passwords that are in the file.
    pub passwords: u64,
    /// The size of the file.
    pub bytes: u64,
}

/// So many ranges are written at once.
const BATCH: usize = 256;

/// Downloads what is not there yet, and puts the file in its place once it is complete; `tell` hears how far
/// it is.
///
/// # Errors
/// When ranges cannot be had or written. The next try goes on from there.
pub async fn download(plan: &Plan, mut tell: impl FnMut(&Progress)) -> Result<Progress, Failure> {
    let source = Source::new(&plan.from, plan.minimum_count, plan.pause)?;
    let partial = partial_of(&plan.out);
    let mut list = Partial::open(&partial, plan).map_err(|error| unusable(&partial, error))?;
    tell(&list.progress(plan));
    let fetched = (list.header.ranges..plan.ranges).map(|range| {
        let source = source.clone();
        async move { source.fetch(range).await }
    });
    // In their order, however many are under way.
    let fetched = stream::iter(fetched).buffered(plan.parallel.max(1));
    let mut batches = pin!(fetched.try_chunks(BATCH));
    while let Some(batch) = batches.next().await {
        let (batch, failed) = match batch {
            Ok(batch) => (batch, None),
            Err(TryChunksError(batch, failure)) => (batch, Some(failure)),
        };
        list.add(&batch).map_err(|error| unusable(&partial, error.into()))?;
        tell(&list.progress(plan));
        if let Some(failure) = failed {
            return Err(failure);
        }
    }
    list.file.sync_all().map_err(|error| unusable(&partial, error.into()))?;
    put(&partial, &plan.out).map_err(|error| unusable(&plan.out, error.into()))?;
    Ok(list.progress(plan))
}

fn partial_of(out: &Path) -> PathBuf {
    let mut name = OsString::from(out);
    name.push(".partial");
    name.into()
}

/// Why a file that was begun cannot be gone on with.
enum Unusable {
    Io(io::Error),
    InUse,
    Foreign,
    OtherCount(u32),
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Unusable {
        Unusable::Io(error)
    }
}

impl From<list::Error> for Unusable {
    fn from(error: list::Error) -> Unusable {
        match error {
            list::Error::Io(error) => Unusable::Io(error),
            list::Error::Damaged | list::Error::Incomplete => Unusable::Foreign,
        }
    }
}

fn unusable(path: &Path, error: Unusable) -> Failure {
    let path = path.display();
    match error {
        Unusable::Io(error) => Failure::failed(format!("{path}: {error}")),
        Unusable::InUse => Failure::refused(format!("{path} is being written by another download")),
        Unusable::Foreign => {
            Failure::refused(format!("{path} is not a download that can be gone on with; remove it first"))
        }
        Unusable::OtherCount(count) => Failure::refused(format!(
            "{path} was begun with --minimum-count {count}; say so again to go on with it, or remove it"
        )),
    }
}

/// The file while it is being made.
struct Partial {
    file: File,
    header: Header,
    passwords: u64,
}

impl Partial {
    fn open(path: &Path, plan: &Plan) -> Result<Partial, Unusable> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Unusable::InUse),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        if file.metadata()?.len() == 0 {
            let header = Header { ranges: 0, minimum_count: plan.minimum_count, begun_at: plan.now };
            file.set_len(list::DIGESTS)?;
            file.write_all_at(&header.to_bytes(), 0)?;
            file.sync_all()?;
            return Ok(Partial { file, header, passwords: 0 });
        }
        let header = Header::of(&file)?;
        if header.minimum_count != plan.minimum_count {
            return Err(Unusable::OtherCount(header.minimum_count));
        }
        let passwords = list::before(&file, header.ranges)?;
        // What lies behind was being written when it was cut off.
        let length = length(passwords).ok_or(Unusable::Foreign)?;
        if file.metadata()?.len() < length {
            return Err(Unusable::Foreign);
        }
        file.set_len(length)?;
        Ok(Partial { file, header, passwords })
    }

    /// Writes further ranges: first the digests, then the table, and when these are on disk how many there are.
    fn add(&mut self, ranges: &[Vec<[u8; KEPT]>]) -> io::Result<()> {
        if ranges.is_empty() {
            return Ok(());
        }
        let digests = ranges.iter().flatten().flatten().copied().collect::<Vec<u8>>();
        self.file.write_all_at(&digests, list::DIGESTS + self.passwords * KEPT as u64)?;
        let mut passwords = self.passwords;
        let mut places = Vec::with_capacity(8 * ranges.len());
        for range in ranges {
            passwords += range.len() as u64;
            places.extend_from_slice(&passwords.to_le_bytes());
        }
        self.file.write_all_at(&places, list::place_of(self.header.ranges + 1))?;
        self.file.sync_data()?;
        let header = Header { ranges: self.header.ranges + ranges.len() as u32, ..self.header };
        self.file.write_all_at(&header.to_bytes(), 0)?;
        (self.header, self.passwords) = (header, passwords);
        Ok(())
    }

    fn progress(&self, plan: &Plan) -> Progress {
        Progress {
            ranges: self.header.ranges,
            all_ranges: plan.ranges,
            passwords: self.passwords,
            bytes: length(self.passwords).unwrap_or(u64::MAX),
        }
    }
}

fn length(passwords: u64) -> Option<u64> {
    passwords.checked_mul(KEPT as u64)?.checked_add(list::DIGESTS)
}

/// Puts the file in the place of the one before, so that either is there at every moment.
fn put(partial: &Path, out: &Path) -> io::Result<()> {
    std::fs::rename(partial, out)?;
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
