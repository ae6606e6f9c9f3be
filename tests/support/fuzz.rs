//! Decoders that strangers reach, as functions of any bytes: `cargo fuzz` runs them, and the second
//! gear of the tests for some seconds. No input makes one panic, and what is accepted keeps its
//! promises: it is written as it is read.

mod call;
mod content;
mod cursor;
mod mutation;
mod page;
mod request;
mod token;

use std::fs;
use std::path::PathBuf;

pub use mutation::Mutator;

/// A decoder, with inputs to begin with.
#[derive(Debug, Clone, Copy)]
pub struct FuzzTarget {
    /// Name, which is that of the target of `cargo fuzz`.
    pub name: &'static str,
    /// Runs the decoder on an input. True if the input was accepted.
    pub run: fn(&[u8]) -> bool,
    /// Inputs that are accepted, to be mutated.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: [FuzzTarget; 6] = [
    token::TARGET,
    cursor::TARGET,
    page::TARGET,
    content::TARGET,
    request::TARGET,
    call::TARGET,
];

impl FuzzTarget {
    /// The target of a name.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let target = TARGETS.into_iter().find(|target| target.name == name);
        target.expect("a target of that name")
    }

    /// Adds the seeds to the corpus of `cargo fuzz`: the first folder among the arguments of the
    /// program.
    ///
    /// # Panics
    /// If they cannot be written.
    pub fn write_seeds(&self) {
        let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
        let Some(corpus) = arguments.find(|argument| argument.is_dir()) else {
            return;
        };
        for (number, seed) in (self.seeds)().into_iter().enumerate() {
            let path = corpus.join(format!("seed-{number}"));
            fs::write(path, seed).expect("the corpus can be written");
        }
    }
}

/// An input whose first byte says which form of the decoder the rest is for.
fn formed(form: u8, rest: impl AsRef<[u8]>) -> Vec<u8> {
    [&[form], rest.as_ref()].concat()
}
