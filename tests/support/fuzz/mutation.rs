//! Inputs between random bytes and accepted ones.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Bytes of a random input, at most.
const BYTES_MAX: usize = 4 * 1024;
/// Changes of an input, at most.
const CHANGES_MAX: usize = 8;
/// Bytes with a meaning in some encoding, which random ones rarely hit.
const SPECIAL: &[u8] = b"\x00\x01\x7f\x80\xff.=_-{}[]\",: ";

/// Source of inputs: a tenth random, the others made of seeds by a few changes.
#[derive(Debug)]
pub struct Mutator {
    random: StdRng,
    seeds: Vec<Vec<u8>>,
}

impl Mutator {
    /// Inputs from these seeds, the same for the same number.
    #[must_use]
    pub fn new(number: u64, seeds: Vec<Vec<u8>>) -> Self {
        Self {
            random: StdRng::seed_from_u64(number),
            seeds,
        }
    }

    /// The next input.
    pub fn input(&mut self) -> Vec<u8> {
        if self.seeds.is_empty() || self.random.random_ratio(1, 10) {
            let length = self.random.random_range(0..BYTES_MAX);
            return (0..length).map(|_| self.random.random()).collect();
        }
        let mut input = self.seed();
        for _ in 0..self.random.random_range(0..=CHANGES_MAX) {
            self.change(&mut input);
        }
        input
    }

    fn seed(&mut self) -> Vec<u8> {
        let index = self.random.random_range(0..self.seeds.len());
        self.seeds[index].clone()
    }

    fn byte(&mut self) -> u8 {
        if self.random.random() {
            SPECIAL[self.random.random_range(0..SPECIAL.len())]
        } else {
            self.random.random()
        }
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let (at, byte) = (self.random.random_range(0..=input.len()), self.byte());
        match self.random.random_range(0..6) {
            0 => input.insert(at, byte),
            1 if at < input.len() => input[at] = byte,
            2 if at < input.len() => input[at] ^= 1 << self.random.random_range(0..8),
            3 if at < input.len() => drop(input.remove(at)),
            4 => input.truncate(at),
            // The rest of another seed.
            _ => {
                let other = self.seed();
                let from = self.random.random_range(0..=other.len());
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
        }
    }
}
