//! A repeat: one sample of everything that is measured.

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

    /// Sample of a scenario on a target, if it was measured and valid.
    pub fn get(&self, scenario: Scenario, target: Target) -> Option<&Sample> {
        let sample = self.0.get(&(scenario, target))?;
        sample.is_valid().then_some(sample)
    }

    /// Failed measurements, with their first error.
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

    /// Measured scenarios and targets, in order.
    pub fn keys(&self) -> impl Iterator<Item = (Scenario, Target)> {
        self.0.keys().copied()
    }
}
