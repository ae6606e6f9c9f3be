//! Figures of a run, as a table and as JSON.

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::measure::meter::Reading;
use crate::measure::sample::float;

/// Figures of a run.
#[derive(Debug, Serialize)]
pub struct BulkFigures {
    pub mailboxes: u64,
    pub users: u64,
    pub once: Vec<SingleCall>,
    pub touches: Vec<Touch>,
    /// Latencies of further sends, sorted.
    pub further_ms: Vec<f64>,
    pub verified: String,
}

/// Figures of a single call.
#[derive(Debug, Serialize)]
pub struct SingleCall {
    pub what: String,
    pub ms: f64,
    pub wal_bytes: i64,
    /// Rows that were written, in all tables.
    pub rows: i64,
}

/// A call of each user.
#[derive(Debug, Serialize)]
pub struct Touch {
    pub what: String,
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub server_cpu_us: f64,
    pub database_cpu_us: f64,
    pub wal_bytes: f64,
}

impl Touch {
    /// Figures of calls between two readings of the meter.
    pub fn between(what: &str, before: &Reading, after: &Reading, delays_ms: &[f64]) -> Self {
        let count = float(delays_ms.len() as u64).max(1.0);
        let database = before.database_us.zip(after.database_us);
        let wal = before.wal_bytes.zip(after.wal_bytes);
        Self {
            what: what.to_owned(),
            per_second: 1e6 * count / float(after.at_us - before.at_us).max(1.0),
            p50_ms: quantile(delays_ms, 50),
            p99_ms: quantile(delays_ms, 99),
            server_cpu_us: float(after.server_us - before.server_us) / count,
            database_cpu_us: database.map_or(0.0, |(before, after)| float(after - before) / count),
            wal_bytes: wal.map_or(0.0, |(before, after)| {
                float((after - before).unsigned_abs()) / count
            }),
        }
    }
}

impl BulkFigures {
    pub fn print(&self) {
        let mut once = table(&["call", "ms", "WAL bytes", "rows written"]);
        for row in &self.once {
            once.add_row([
                row.what.clone(),
                format!("{:.1}", row.ms),
                row.wal_bytes.to_string(),
                row.rows.to_string(),
            ]);
        }
        let mut touches = table(&[
            "call of each user",
            "calls/s",
            "p50 ms",
            "p99 ms",
            "server µs",
            "database µs",
            "WAL bytes",
        ]);
        for row in &self.touches {
            touches.add_row([
                row.what.clone(),
                format!("{:.0}", row.per_second),
                format!("{:.1}", row.p50_ms),
                format!("{:.1}", row.p99_ms),
                format!("{:.0}", row.server_cpu_us),
                format!("{:.0}", row.database_cpu_us),
                format!("{:.0}", row.wal_bytes),
            ]);
        }
        println!("{} mailboxes, {} users\n", self.mailboxes, self.users);
        println!("{once}\n\n{touches}\n");
        println!(
            "{} further SendBulk: p50 {:.1} ms, max {:.1} ms; every user sees each of them once",
            self.further_ms.len(),
            quantile(&self.further_ms, 50),
            quantile(&self.further_ms, 100),
        );
        println!("{}", self.verified);
    }
}

/// Quantile of sorted figures.
fn quantile(sorted: &[f64], percent: usize) -> f64 {
    let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or_default()
}

fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(columns);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
