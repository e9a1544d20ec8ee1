//! Everything that reads what strangers send, given what nobody would send.
//!
//! A target is a function of bytes that asserts something: what is refused is refused without a
//! panic, and what is accepted obeys a rule. In a normal test run each target gets every file of its
//! corpus, `corpus/<target>/`, and then [`EXECUTIONS`] inputs that are made from the corpus by
//! cutting, copying and joining, the same in each run. `docs/testing.md` says how to run one for longer with
//! inputs that nobody has seen, and how to have the coverage of the code lead the way.
//!
//! An input that once broke something is kept in the corpus under a name that says what it broke.

mod addresses;
mod answers;
mod ceremonies;
mod clients;
mod compat;
mod credentials;
mod endpoints;
mod mutations;
mod names;
mod passkeys;
mod proofs;
mod requests;
mod settings;

use std::panic::RefUnwindSafe;

pub use mutations::{Corpus, Input};

/// How many inputs each target gets beside its corpus.
pub const EXECUTIONS: usize = 2_000;

/// Runs a target: a name, which is also that of the folder of its corpus, and what is done with each
/// input. A macro, since tools list targets by the place where `check!` stands.
macro_rules! fuzz {
    ($name:literal, $target:expr) => {
        fuzz!($name, crate::fuzz::EXECUTIONS, $target)
    };
    ($name:literal, $executions:expr, $target:expr) => {{
        let target = crate::fuzz::Target($target);
        if cfg!(fuzzing) {
            // The fuzzer makes up inputs from the corpus itself.
            bolero::check!().for_each(|input: &[u8]| target.run(input));
            return;
        }
        let corpus = crate::fuzz::Corpus::read($name);
        corpus.each(|input| target.run(input));
        if !crate::fuzz::is_random() {
            corpus.near($name, $executions, |input| target.run(input));
            return;
        }
        bolero::check!()
            .with_iterations($executions)
            .with_test_time(std::time::Duration::MAX)
            .with_generator(corpus)
            .for_each(|input: &crate::fuzz::Input| target.run(&input.0));
    }};
}
pub(crate) use fuzz;

/// Whether somebody asks for inputs by chance.
pub fn is_random() -> bool {
    ["BOLERO_RANDOM_ITERATIONS", "BOLERO_RANDOM_SEED"].iter().any(|name| std::env::var_os(name).is_some())
}

/// What is done with an input. It ends with the first panic, so nobody sees what that left behind.
pub struct Target<F>(pub F);

impl<F> RefUnwindSafe for Target<F> {}

impl<F: Fn(&[u8])> Target<F> {
    pub fn run(&self, input: &[u8]) {
        (self.0)(input);
    }
}

/// The input as text; what is not UTF-8 becomes U+FFFD.
pub fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}

/// The first line of the input and the rest, for targets that need two texts.
pub fn two_texts(input: &[u8]) -> (String, String) {
    let text = text(input);
    let (one, other) = text.split_once('\n').unwrap_or((&text, ""));
    (one.to_owned(), other.to_owned())
}

/// Lines of `name: value` as headers, as far as a server would get them.
pub fn headers(lines: &str) -> http::HeaderMap {
    let mut headers = http::HeaderMap::new();
    for line in lines.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let name = http::HeaderName::from_bytes(name.trim().as_bytes());
        let value = http::HeaderValue::from_bytes(value.trim().as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}
