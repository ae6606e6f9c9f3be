//! Figures of a run, as a table and as JSON.

use serde::Serialize;

use crate::load::open_loop::Waited;
use crate::measure::sample::float;
use crate::report::{align, table};

const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// Figures of a run.
#[derive(Debug, Serialize)]
pub struct SegmentFigures {
    pub recipients: u64,
    /// Named twice, of them.
    pub duplicates: u64,
    pub mailboxes: u64,
    /// Ordinary ones, alone and beside the job.
    pub sends_per_second: f64,
    pub databases: Vec<Measured>,
}

/// Figures on one database.
#[derive(Debug, Serialize)]
pub struct Measured {
    pub database: &'static str,
    /// From the first id to the answer.
    pub answered_s: f64,
    /// From the answer to the last mailbox.
    pub delivered_s: f64,
    /// Bytes of WAL without those of ordinary sends; none without such a log.
    pub wal_bytes: Option<f64>,
    /// The most that the server had ever had in memory, before and after.
    pub memory_before_bytes: u64,
    pub memory_after_bytes: u64,
    /// Ordinary sends.
    pub alone: Waited,
    pub beside: Waited,
    pub updated: ChangeFigures,
    pub deleted: ChangeFigures,
    pub verified: String,
}

/// A change of the message.
#[derive(Debug, Serialize)]
pub struct ChangeFigures {
    /// The call.
    pub answered_ms: f64,
    /// From the call to the last mailbox.
    pub reached_s: f64,
    pub wal_bytes: Option<f64>,
}

impl SegmentFigures {
    /// Prints it for people: a column for each database.
    pub fn print(&self) {
        println!(
            "{} recipients, {} of them named twice, {} mailboxes; {} sends a second\n",
            self.recipients, self.duplicates, self.mailboxes, self.sends_per_second
        );
        let titles = self.databases.iter().map(|measured| measured.database);
        let columns: Vec<&str> = ["what"].into_iter().chain(titles).collect();
        let mut table = table(&columns, true);
        align(&mut table, 1);
        let rows: Vec<_> = self.databases.iter().map(|on| self.rows(on)).collect();
        for (place, (what, _)) in rows.first().into_iter().flatten().enumerate() {
            let figures = rows.iter().map(|rows| rows[place].1.clone());
            table.add_row([(*what).to_owned()].into_iter().chain(figures));
        }
        println!("{table}\n");
        for Measured {
            database, verified, ..
        } in &self.databases
        {
            println!("postroom verify: {database}: {verified}");
        }
    }

    fn rows(&self, on: &Measured) -> Vec<(&'static str, String)> {
        let recipients = float(self.recipients);
        let ids = float(self.recipients + self.duplicates);
        let each = |wal: Option<f64>| or_dash(wal.map(|bytes| bytes / recipients));
        vec![
            ("until the answer, s", seconds(on.answered_s)),
            ("ids a second", whole(ids / on.answered_s)),
            ("from there until all have it, s", seconds(on.delivered_s)),
            ("recipients a second", whole(recipients / on.delivered_s)),
            (
                "WAL, MiB",
                or_dash(on.wal_bytes.map(|bytes| bytes / MEBIBYTE)),
            ),
            ("WAL per recipient, bytes", each(on.wal_bytes)),
            ("peak memory before, MiB", mebibytes(on.memory_before_bytes)),
            ("peak memory after, MiB", mebibytes(on.memory_after_bytes)),
            ("sends alone, p50 ms", milliseconds(on.alone.p50_ms)),
            ("sends alone, p99 ms", milliseconds(on.alone.p99_ms)),
            ("sends beside it, p50 ms", milliseconds(on.beside.p50_ms)),
            ("sends beside it, p99 ms", milliseconds(on.beside.p99_ms)),
            (
                "p99 beside it / alone",
                format!("{:.2}", on.beside.p99_ms / on.alone.p99_ms),
            ),
            ("sends that failed, alone", on.alone.others.clone()),
            ("sends that failed, beside it", on.beside.others.clone()),
            ("UpdateMessage, ms", milliseconds(on.updated.answered_ms)),
            ("until all have it, s", seconds(on.updated.reached_s)),
            ("WAL per recipient, bytes", each(on.updated.wal_bytes)),
            ("DeleteMessage, ms", milliseconds(on.deleted.answered_ms)),
            ("until all have it, s", seconds(on.deleted.reached_s)),
            ("WAL per recipient, bytes", each(on.deleted.wal_bytes)),
        ]
    }
}

fn seconds(figure: f64) -> String {
    format!("{figure:.2}")
}

fn milliseconds(figure: f64) -> String {
    format!("{figure:.1}")
}

fn whole(figure: f64) -> String {
    format!("{figure:.0}")
}

fn mebibytes(bytes: u64) -> String {
    whole(float(bytes) / MEBIBYTE)
}

fn or_dash(figure: Option<f64>) -> String {
    figure.map_or_else(|| "–".to_owned(), whole)
}
