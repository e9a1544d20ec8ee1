//! Inputs near those of a corpus.

use std::fmt;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use bolero::generator::bolero_generator::driver::{ByteSliceDriver, Options};
use bolero::{Driver, ValueGenerator};

/// Inputs are cut at this length, which is more than any limit of ours on one text.
const LONGEST: usize = 5_000;
/// Bytes on which parsers turn.
const TURNING: &[u8] = b"\0\t\r\n \"#%&'*+,-./0:;<=>?@AZ[\\]^_`az{|}~\x7f\x80\xbf\xc3\xe2\xed\xff";

/// As many digests as one input may need to be chosen by.
const CHANCE: usize = 16;

/// An input that was made up.
pub struct Input(pub Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// The kept inputs of one target. As a generator it makes inputs near them.
#[derive(Debug)]
pub struct Corpus {
    inputs: Vec<(PathBuf, Vec<u8>)>,
    /// Pieces of the inputs, to be put where they were not.
    words: Vec<Vec<u8>>,
}

impl Corpus {
    /// Reads `corpus/<name>/`, which must hold something.
    pub fn read(name: &str) -> Corpus {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut inputs: Vec<(PathBuf, Vec<u8>)> = entries
            .map(|entry| entry.expect("an entry").path())
            .map(|path| (path.clone(), fs::read(&path).expect("a file")))
            .collect();
        assert!(!inputs.is_empty(), "{} is empty", folder.display());
        inputs.sort();
        let is_joint = |byte: &u8| !byte.is_ascii_alphanumeric();
        let mut words: Vec<Vec<u8>> =
            inputs.iter().flat_map(|(_, input)| input.split(is_joint)).map(<[u8]>::to_vec).collect();
        words.sort();
        words.dedup();
        Corpus { inputs, words }
    }

    /// Gives every kept input to a target, and names the one that breaks it.
    pub fn each(&self, target: impl Fn(&[u8])) {
        for (path, input) in &self.inputs {
            give(input, &target, &path.display());
        }
    }

    /// Gives so many inputs near them to a target, and shows the one that breaks it. They follow from the corpus and the
    /// name.
    pub fn near(&self, name: &str, many: usize, target: impl Fn(&[u8])) {
        for number in 0..many {
            let chance: Vec<u8> = (0..CHANCE)
                .flat_map(|part| {
                    let text = format!("{name} {number} {part}");
                    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
                })
                .collect();
            let mut driver = ByteSliceDriver::new(chance.as_slice(), &Options::default());
            let input = self.generate(&mut driver).expect("enough to choose by");
            give(&input.0, &target, &format_args!("{input:?}"));
        }
    }

    fn any<D: Driver>(&self, driver: &mut D) -> Option<&[u8]> {
        let place = (0..self.inputs.len()).generate(driver)?;
        Some(&self.inputs[place].1)
    }

    /// Changes an input in one place.
    fn change<D: Driver>(&self, input: &mut Vec<u8>, driver: &mut D) -> Option<()> {
        let at = (0..=input.len()).generate(driver)?;
        let end = (at..=input.len().min(at + 24)).generate(driver)?;
        match (0..8u8).generate(driver)? {
            0 => drop(input.drain(at..end)),
            1 => input.truncate(at),
            2 => drop(input.splice(at..end, [driver.produce()?])),
            3 | 4 => {
                let turning = TURNING[(0..TURNING.len()).generate(driver)?];
                let times = if driver.produce()? { 1 } else { (1..300usize).generate(driver)? };
                drop(input.splice(at..at, vec![turning; times]));
            }
            5 => {
                let copied = input[at..end].to_vec();
                let to = (0..=input.len()).generate(driver)?;
                drop(input.splice(to..to, copied));
            }
            6 => {
                let word = &self.words[(0..self.words.len()).generate(driver)?];
                drop(input.splice(at..end, word.iter().copied()));
            }
            _ => {
                let other = self.any(driver)?;
                let from = (0..=other.len()).generate(driver)?;
                drop(input.splice(at.., other[from..].iter().copied()));
            }
        }
        Some(())
    }
}

fn give(input: &[u8], target: impl Fn(&[u8]), name: &dyn fmt::Display) {
    if let Err(broken) = catch_unwind(AssertUnwindSafe(|| target(input))) {
        eprintln!("the target is broken by {name}");
        std::panic::resume_unwind(broken);
    }
}

impl ValueGenerator for Corpus {
    type Output = Input;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<Input> {
        let mut input = self.any(driver)?.to_vec();
        for _ in 0..(1..6u8).generate(driver)? {
            self.change(&mut input, driver)?;
        }
        input.truncate(LONGEST);
        Some(Input(input))
    }
}
