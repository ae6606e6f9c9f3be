//! Figures of a run, as a table and as JSON.

use serde::Serialize;

use crate::load::open_loop::OpenLoad;
use crate::measure::sample::float;
use crate::report::table;

/// Minimum goodput, as a part of the peak.
const MUST: f64 = 0.8;

/// Figures of a run.
#[derive(Debug, Serialize)]
pub struct OverloadFigures {
    pub patience_ms: u64,
    /// Calls a second that were answered when each caller waited.
    pub capacity: f64,
    pub offered: Vec<Offered>,
    pub verified: String,
}

/// A load, and what became of it.
#[derive(Debug, Serialize)]
pub struct Offered {
    factor: f64,
    per_second: f64,
    /// Answered well and in time, a second.
    goodput: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// Number of other calls, by result.
    others: String,
}

impl Offered {
    pub fn of(factor: f64, per_second: f64, load: &OpenLoad) -> Self {
        Self {
            factor,
            per_second,
            goodput: float(load.latencies.len() as u64) / load.secs,
            p50_ms: load.quantile_ms(50),
            p99_ms: load.quantile_ms(99),
            others: load.others(),
        }
    }
}

impl OverloadFigures {
    /// Prints it for people.
    pub fn print(&self) {
        let goodputs = self.offered.iter().map(|offered| offered.goodput);
        let peak = goodputs.fold(self.capacity, f64::max);
        let columns = [
            "offered",
            "a second",
            "answered well and in time, a second",
            "of the peak",
            "p50 ms",
            "p99 ms",
            "others",
        ];
        let mut table = table(&columns, true);
        for offered in &self.offered {
            table.add_row([
                format!("{} ×", offered.factor),
                format!("{:.0}", offered.per_second),
                format!("{:.0}", offered.goodput),
                format!("{:.2}", offered.goodput / peak),
                format!("{:.0}", offered.p50_ms),
                format!("{:.0}", offered.p99_ms),
                offered.others.clone(),
            ]);
        }
        println!("{table}\n");
        let least = self.offered.iter().map(|offered| offered.goodput / peak);
        let least = least.fold(f64::MAX, f64::min);
        let verdict = if least >= MUST { "met" } else { "missed" };
        println!("least of the peak: {least:.2} (must: {MUST}): {verdict}");
        println!("postroom verify: {}", self.verified);
    }
}
