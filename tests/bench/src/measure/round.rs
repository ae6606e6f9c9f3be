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

    /// None if it was not measured, or failed.
    pub fn get(&self, scenario: Scenario, target: Target) -> Option<&Sample> {
        let sample = self.0.get(&(scenario, target))?;
        sample.is_valid().then_some(sample)
    }

    /// What failed, and how it began to.
    pub fn failures(&self) -> impl Iterator<Item = String> {
        let failed = self.0.iter().filter(|(_, sample)| !sample.is_valid());
        failed.map(|((scenario, target), sample)| {
            format!(
                "{}: {}: {} calls failed beside {} that did not, the first with {:?}",
                target.title(),
                scenario.title(),
                sample.errors,
                sample.operations,
                sample.first_error
            )
        })
    }

    /// What was measured, in the order in which it was.
    pub fn keys(&self) -> impl Iterator<Item = (Scenario, Target)> {
        self.0.keys().copied()
    }
}
