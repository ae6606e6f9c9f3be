//! Report of a run, as tables and as JSON.

pub mod goals;
pub mod machine;
mod spread;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::measure::round::Round;
use crate::measure::sample::Sample;
use crate::report::goals::{Bound, GOALS, Goal};
use crate::report::machine::Machine;
use crate::report::spread::Spread;
use crate::scenario::{Scenario, Target};

/// Report of a run.
#[derive(Debug, Serialize)]
pub struct Report {
    command: String,
    machine: Machine,
    measurements: Vec<Measurement>,
    goals: Vec<GoalVerdict>,
    /// Measurements that are missing because calls failed.
    failures: Vec<String>,
    /// Output of `postroom verify` at the end.
    verified: Vec<String>,
}

/// Figures of a scenario on a target.
#[derive(Debug, Serialize)]
struct Measurement {
    scenario: Scenario,
    target: Target,
    per_second: Spread,
    p50_ms: Spread,
    p99_ms: Spread,
    server_cpu_us: Spread,
    database_cpu_us: Option<Spread>,
    client_cpu_us: Spread,
    wal_bytes: Option<Spread>,
    received: Option<Spread>,
    memory_bytes: Option<Spread>,
    /// Each repeat by itself.
    samples: Vec<Sample>,
}

/// A goal, and what was measured.
#[derive(Debug, Serialize)]
struct GoalVerdict {
    goal: &'static str,
    measured: Spread,
    must: Bound,
    must_met: bool,
    aim: Bound,
    aim_met: bool,
}

impl Report {
    /// Sums up all repeats.
    pub fn of(rounds: &[Round], machine: Machine, verified: Vec<String>) -> Self {
        let keys = rounds.first().into_iter().flat_map(Round::keys);
        Self {
            command: command(),
            machine,
            measurements: keys
                .filter_map(|key| Measurement::of(rounds, key))
                .collect(),
            goals: GOALS
                .iter()
                .filter_map(|goal| GoalVerdict::of(goal, rounds))
                .collect(),
            failures: rounds.iter().flat_map(Round::failures).collect(),
            verified,
        }
    }

    /// True if no measurement is missing.
    pub const fn is_complete(&self) -> bool {
        self.failures.is_empty()
    }

    /// Prints it for people.
    pub fn print(&self, markdown: bool) {
        println!("{}\n{}\n", self.command, self.machine.line());
        println!("{}\n", self.table_of_measurements(markdown));
        println!("{}\n", self.table_of_goals(markdown));
        for failure in &self.failures {
            println!("failed: {failure}");
        }
        for line in &self.verified {
            println!("postroom verify: {line}");
        }
    }

    fn table_of_measurements(&self, markdown: bool) -> Table {
        let columns = [
            "on",
            "what",
            "per second",
            "(least–most)",
            "p50 ms",
            "p99 ms",
            "server µs",
            "database µs",
            "client µs",
            "WAL bytes",
            "memory bytes",
        ];
        let mut table = table(&columns, markdown);
        for measured in &self.measurements {
            let wal = measured.wal_bytes.filter(|_| measured.scenario.writes());
            table.add_row([
                measured.target.title().to_owned(),
                measured.scenario.title().to_owned(),
                format!("{:.0}", measured.per_second.median),
                format!(
                    "{:.0}–{:.0}",
                    measured.per_second.least, measured.per_second.most
                ),
                format!("{:.1}", measured.p50_ms.median),
                format!("{:.1}", measured.p99_ms.median),
                format!("{:.0}", measured.server_cpu_us.median),
                or_dash(measured.database_cpu_us),
                format!("{:.0}", measured.client_cpu_us.median),
                or_dash(wal),
                or_dash(measured.memory_bytes),
            ]);
        }
        align(&mut table, 2);
        table
    }

    fn table_of_goals(&self, markdown: bool) -> Table {
        let columns = ["goal", "measured", "(least–most)", "must", "", "aim", ""];
        let mut table = table(&columns, markdown);
        for verdict in &self.goals {
            let Spread {
                median,
                least,
                most,
            } = verdict.measured;
            table.add_row([
                verdict.goal.to_owned(),
                short(median),
                format!("{}–{}", short(least), short(most)),
                verdict.must.to_string(),
                met(verdict.must_met),
                verdict.aim.to_string(),
                met(verdict.aim_met),
            ]);
        }
        align(&mut table, 1);
        table
    }
}

impl Measurement {
    fn of(rounds: &[Round], (scenario, target): (Scenario, Target)) -> Option<Self> {
        let samples = rounds
            .iter()
            .filter_map(|round| round.get(scenario, target));
        let samples: Vec<Sample> = samples.cloned().collect();
        let median = |figure: fn(&Sample) -> f64| Spread::of(samples.iter().map(figure));
        let maybe =
            |figure: fn(&Sample) -> Option<f64>| Spread::of(samples.iter().filter_map(figure));
        Some(Self {
            scenario,
            target,
            per_second: median(|sample| sample.per_second)?,
            p50_ms: median(|sample| sample.p50_ms)?,
            p99_ms: median(|sample| sample.p99_ms)?,
            server_cpu_us: median(|sample| sample.server_cpu_us)?,
            database_cpu_us: maybe(|sample| sample.database_cpu_us),
            client_cpu_us: median(|sample| sample.client_cpu_us)?,
            wal_bytes: maybe(|sample| sample.wal_bytes),
            received: maybe(|sample| sample.received),
            memory_bytes: maybe(|sample| sample.memory_bytes),
            samples,
        })
    }
}

impl GoalVerdict {
    fn of(goal: &Goal, rounds: &[Round]) -> Option<Self> {
        let measured = goal.measured(rounds)?;
        Some(Self {
            goal: goal.title,
            measured,
            must: goal.must,
            must_met: goal.must.is_met_by(measured.median),
            aim: goal.aim,
            aim_met: goal.aim.is_met_by(measured.median),
        })
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "≥ {}", short(*least)),
            Self::AtMost(most) => write!(f, "≤ {}", short(*most)),
        }
    }
}

/// Command line without the folder of the program.
fn command() -> String {
    let arguments = std::env::args().skip(1);
    let words: Vec<String> = std::iter::once("bench".to_owned())
        .chain(arguments)
        .collect();
    words.join(" ")
}

/// An empty table.
pub fn table(columns: &[&str], markdown: bool) -> Table {
    let mut table = Table::new();
    table
        .load_style(if markdown {
            presets::ASCII_MARKDOWN
        } else {
            presets::UTF8_BORDERS_ONLY
        })
        .set_header(columns);
    table
}

/// Numbers stand at the right.
pub fn align(table: &mut Table, first: usize) {
    for column in table.column_iter_mut().skip(first) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

fn or_dash(figure: Option<Spread>) -> String {
    figure.map_or_else(|| "–".to_owned(), |figure| format!("{:.0}", figure.median))
}

fn short(figure: f64) -> String {
    if figure.abs() >= 100.0 {
        format!("{figure:.0}")
    } else {
        format!("{figure:.2}")
    }
}

fn met(met: bool) -> String {
    if met { "met" } else { "missed" }.to_owned()
}
