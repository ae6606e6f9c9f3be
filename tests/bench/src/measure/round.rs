//! One repeat: everything that is measured, once.

use std::collections::BTreeMap;

use crate::measure::sample::Sample;
use crate::scenario::{Scenario, Target};

/// The figures of a repeat.
#[derive(Debug, Default)]
pub struct Round(BTreeMap<(Scenario, Target), Sample>);

impl Round {
    pub fn put(&mut self, scenario: Scenario, target: Target, sample: Sample) {
        self.0.insert((scenario, target), sample);
    }

    /// None if it was not measured.
    pub fn get(&self, scenario: Scenario, target: Target) -> Option<&Sample> {
        self.0.get(&(scenario, target))
    }

    /// What was measured, in the order in which it was.
    pub fn keys(&self) -> impl Iterator<Item = (Scenario, Target)> {
        self.0.keys().copied()
    }
}
