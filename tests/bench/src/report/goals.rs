//! Goals: a figure that must be reached and one that is aimed for.

use serde::Serialize;

use crate::measure::round::Round;
use crate::measure::sample::Sample;
use crate::report::spread::Spread;
use crate::scenario::{Scenario, Target};

use Scenario::{
    Counts, Deliver, DeliverElsewhere, Echo, Empty, Hot, Idle, Mark, Page, PgbenchHot, PgbenchPage,
    PgbenchSend, PgbenchSendToTen, Send, SendBeside, SendMany, SendToTen, SendWatched,
    SendWithRequestId,
};
use Target::{Bare, Large, Layers, Postgres, Sqlite};

/// Recipients beyond the first of a message to ten.
const FURTHER: f64 = 9.0;
/// Bytes of a KiB.
const KIBIBYTE: f64 = 1024.0;

/// A figure of a repeat, and what it should be.
pub struct Goal {
    pub title: &'static str,
    pub must: Bound,
    pub aim: Bound,
    figure: fn(&Round) -> Option<f64>,
}

/// A figure that is good enough.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

use Bound::{AtLeast, AtMost};

/// Goal of deliveries, in milliseconds, on each database and replica.
const DELIVERY_MS: (Bound, Bound) = (AtMost(50.0), AtMost(5.0));
/// Goal of the memory of a stream, in KiB.
const MEMORY_KIB: (Bound, Bound) = (AtMost(24.0), AtMost(12.0));

/// All goals that can be measured so far.
pub const GOALS: [Goal; 24] = [
    goal(
        "SendMessage, 64 in flight / pgbench",
        (AtLeast(1.5), AtLeast(2.5)),
        |round| throughput(round, (Send, Postgres), (PgbenchSend, Postgres)),
    ),
    goal(
        "SendMessage, 512 in flight / pgbench",
        (AtLeast(2.2), AtLeast(4.0)),
        |round| throughput(round, (SendMany, Postgres), (PgbenchSend, Postgres)),
    ),
    goal(
        "SendMessage to 10 / pgbench to 10",
        (AtLeast(1.2), AtLeast(2.0)),
        |round| throughput(round, (SendToTen, Postgres), (PgbenchSendToTen, Postgres)),
    ),
    goal(
        "CPU per send, server and database / pgbench and database",
        (AtMost(1.0 / 3.0), AtMost(0.2)),
        |round| {
            let send = round.get(Send, Postgres)?.service_cpu_us();
            Some(send / round.get(PgbenchSend, Postgres)?.direct_cpu_us())
        },
    ),
    goal(
        "p99 of SendMessage, 64 in flight / p99 of pgbench",
        (AtMost(0.6), AtMost(0.3)),
        |round| p99(round, (Send, Postgres), (PgbenchSend, Postgres)),
    ),
    goal(
        "WAL per send, bytes",
        (AtMost(1700.0), AtMost(1300.0)),
        |round| wal(round, Send),
    ),
    goal(
        "WAL per further recipient, bytes",
        (AtMost(600.0), AtMost(400.0)),
        |round| Some((wal(round, SendToTen)? - wal(round, Send)?) / FURTHER),
    ),
    goal(
        "WAL of a request_id, bytes",
        (AtMost(250.0), AtMost(250.0)),
        |round| round.get(SendWithRequestId, Postgres)?.request_wal_bytes,
    ),
    goal(
        "WAL per mark, bytes",
        (AtMost(600.0), AtMost(300.0)),
        |round| wal(round, Mark),
    ),
    goal(
        "p99 of sends beside sends to 500 / alone, PostgreSQL",
        (AtMost(3.0), AtMost(1.5)),
        |round| p99(round, (SendBeside, Postgres), (Send, Postgres)),
    ),
    goal(
        "p99 of sends beside sends to 500 / alone, SQLite",
        (AtMost(3.0), AtMost(1.5)),
        |round| p99(round, (SendBeside, Sqlite), (Send, Sqlite)),
    ),
    goal(
        "two hot mailboxes / pgbench",
        (AtLeast(5.0), AtLeast(15.0)),
        |round| throughput(round, (Hot, Postgres), (PgbenchHot, Postgres)),
    ),
    goal(
        "GetMessagesPage of 20 / pgbench",
        (AtLeast(0.6), AtLeast(1.0)),
        |round| throughput(round, (Page, Postgres), (PgbenchPage, Postgres)),
    ),
    goal(
        "CPU of a page, 5 × the messages / 1 ×",
        (AtMost(1.3), AtMost(1.1)),
        |round| {
            let large = round.get(Page, Large)?.service_cpu_us();
            Some(large / round.get(Page, Postgres)?.service_cpu_us())
        },
    ),
    goal(
        "server CPU, GetMessageCounts on SQLite / an empty call",
        (AtMost(4.0), AtMost(2.5)),
        |round| server_cpu(round, (Counts, Sqlite), (Empty, Bare)),
    ),
    goal(
        "SendMessage on SQLite, 64 in flight / pgbench",
        (AtLeast(0.7), AtLeast(1.5)),
        |round| throughput(round, (Send, Sqlite), (PgbenchSend, Postgres)),
    ),
    goal(
        "server CPU, all layers / bare tonic",
        (AtMost(1.4), AtMost(1.15)),
        |round| server_cpu(round, (Echo, Layers), (Echo, Bare)),
    ),
    goal(
        "sends beside 1,000 subscribers / alone, PostgreSQL",
        (AtLeast(0.9), AtLeast(0.9)),
        |round| throughput(round, (SendWatched, Postgres), (Send, Postgres)),
    ),
    goal(
        "sends beside 1,000 subscribers / alone, SQLite",
        (AtLeast(0.9), AtLeast(0.9)),
        |round| throughput(round, (SendWatched, Sqlite), (Send, Sqlite)),
    ),
    goal(
        "delivery after the reply, p99, ms, PostgreSQL",
        DELIVERY_MS,
        |round| delivery(round, (Deliver, Postgres)),
    ),
    goal(
        "delivery after the reply, p99, ms, another replica",
        DELIVERY_MS,
        |round| delivery(round, (DeliverElsewhere, Postgres)),
    ),
    goal(
        "delivery after the reply, p99, ms, SQLite",
        DELIVERY_MS,
        |round| delivery(round, (Deliver, Sqlite)),
    ),
    goal(
        "memory per idle subscriber, KiB, PostgreSQL",
        MEMORY_KIB,
        |round| memory(round, Postgres),
    ),
    goal(
        "memory per idle subscriber, KiB, SQLite",
        MEMORY_KIB,
        |round| memory(round, Sqlite),
    ),
];

const fn goal(
    title: &'static str,
    (must, aim): (Bound, Bound),
    figure: fn(&Round) -> Option<f64>,
) -> Goal {
    Goal {
        title,
        must,
        aim,
        figure,
    }
}

impl Goal {
    /// Spread of the figure over all repeats, if it was measured.
    pub fn measured(&self, rounds: &[Round]) -> Option<Spread> {
        Spread::of(rounds.iter().filter_map(self.figure))
    }
}

impl Bound {
    /// True if a figure is within the bound.
    pub fn is_met_by(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(least) => figure >= least,
            Self::AtMost(most) => figure <= most,
        }
    }
}

type SampleKey = (Scenario, Target);

fn throughput(round: &Round, of: SampleKey, to: SampleKey) -> Option<f64> {
    ratio(round, of, to, |sample| sample.per_second)
}

fn p99(round: &Round, of: SampleKey, to: SampleKey) -> Option<f64> {
    ratio(round, of, to, |sample| sample.p99_ms)
}

fn server_cpu(round: &Round, of: SampleKey, to: SampleKey) -> Option<f64> {
    ratio(round, of, to, |sample| sample.server_cpu_us)
}

fn ratio(round: &Round, of: SampleKey, to: SampleKey, figure: fn(&Sample) -> f64) -> Option<f64> {
    Some(figure(round.get(of.0, of.1)?) / figure(round.get(to.0, to.1)?))
}

fn delivery(round: &Round, key: SampleKey) -> Option<f64> {
    Some(round.get(key.0, key.1)?.p99_ms)
}

fn memory(round: &Round, target: Target) -> Option<f64> {
    let bytes = round.get(Idle, target)?.memory_bytes?;
    Some(bytes / KIBIBYTE)
}

fn wal(round: &Round, scenario: Scenario) -> Option<f64> {
    round.get(scenario, Postgres)?.wal_bytes
}
