//! The command line.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::ensure;
use clap::{Parser, Subcommand, ValueEnum};

use crate::bulk;
use crate::files::Files;
use crate::h2load;
use crate::load::subscribers::STREAMS_PER_PROFILE;
use crate::measure::following::FIRST_STREAMS;
use crate::overload;
use crate::scenario::{Group, Target};
use crate::segment;
use crate::site::bare;
use crate::site::dataset::PROFILES_MIN;
use crate::tenants;

const EXAMPLES: &str = "\
Examples:
  bench --quick
  bench --repeats 5 --markdown --json bench.json
  bench --only sends,hot --database postgres --secs 20
  bench --only pages --large
  bench --only subscribe --subscribers 20000 --repeats 1
  bench bulk --mailboxes 1000000
  bench overload
  bench tenants --quota 100
  bench segment --database postgres --recipients 100000
  bench h2load-body --to bob --out body.bin";

/// Measure the real postroom against its goals, with the baselines in the same run
#[derive(Debug, Parser)]
#[command(name = "bench", after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct BenchCli {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Databases to measure
    #[arg(long, value_enum, default_value = "both")]
    database: Databases,
    /// Groups to measure, separated by commas; all if absent
    #[arg(long, value_enum, value_delimiter = ',', value_name = "GROUPS")]
    only: Vec<Group>,
    /// Seconds of each measurement [default: 8, with --quick 2]
    #[arg(long)]
    secs: Option<u64>,
    /// Repeats of each measurement, in turns [default: 3, with --quick 1]
    #[arg(long)]
    repeats: Option<usize>,
    /// Messages that are there at the start [default: 1000000, with --quick 50000]
    #[arg(long)]
    messages: Option<u64>,
    /// Users, each of whom sent and received the same share of them [default: 10000, with
    /// --quick 1000]
    #[arg(long)]
    profiles: Option<u64>,
    /// Little data and short measurements: two minutes, to see that everything works
    #[arg(long)]
    quick: bool,
    /// Also pages with five times the messages, on a server of their own
    #[arg(long)]
    large: bool,
    /// Connections that the calls are spread over
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// Streams that are opened and left alone, to see what they take
    #[arg(long, default_value_t = 2000)]
    subscribers: u64,
    #[command(flatten)]
    files: Files,
    /// Print the tables as Markdown
    #[arg(long)]
    markdown: bool,
    /// Give up after so many minutes
    #[arg(long, default_value_t = 90)]
    minutes_max: u64,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write the body of a `SendMessageSimple`, for h2load
    H2loadBody(h2load::Args),
    Bulk(bulk::Args),
    Overload(overload::Args),
    Tenants(tenants::Args),
    Segment(segment::Args),
    /// Serve from memory: what the calls of a run are compared with
    #[command(hide = true)]
    Bare(bare::Args),
}

/// Databases to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Databases {
    Both,
    Sqlite,
    Postgres,
}

impl Databases {
    /// The service on each of them.
    pub const fn targets(self) -> &'static [Target] {
        match self {
            Self::Both => &[Target::Postgres, Target::Sqlite],
            Self::Sqlite => &[Target::Sqlite],
            Self::Postgres => &[Target::Postgres],
        }
    }
}

/// Parameters of a run.
#[derive(Debug)]
pub struct RunPlan {
    pub databases: Databases,
    pub groups: BTreeSet<Group>,
    pub secs: u64,
    pub repeats: usize,
    pub messages: u64,
    pub profiles: u64,
    pub large: bool,
    pub connections: usize,
    pub subscribers: u64,
    pub files: Files,
    pub markdown: bool,
    pub time_max: Duration,
}

impl BenchCli {
    /// Checks the arguments and fills in the defaults.
    ///
    /// # Errors
    /// If it makes no sense.
    pub fn plan(self) -> anyhow::Result<RunPlan> {
        let or = |usual, quick| if self.quick { quick } else { usual };
        let plan = RunPlan {
            databases: self.database,
            groups: if self.only.is_empty() {
                Group::value_variants().iter().copied().collect()
            } else {
                self.only.into_iter().collect()
            },
            secs: self.secs.unwrap_or(or(8, 2)),
            repeats: self.repeats.unwrap_or(if self.quick { 1 } else { 3 }),
            messages: self.messages.unwrap_or(or(1_000_000, 50_000)),
            profiles: self.profiles.unwrap_or(or(10_000, 1_000)),
            large: self.large,
            connections: self.connections,
            subscribers: self.subscribers,
            files: self.files,
            markdown: self.markdown,
            time_max: Duration::from_secs(60 * self.minutes_max),
        };
        ensure!(
            plan.secs > 0 && plan.repeats > 0,
            "--secs and --repeats begin at 1"
        );
        ensure!(
            (6..=32).contains(&plan.connections),
            "--connections is 6 to 32"
        );
        ensure!(
            plan.profiles >= PROFILES_MIN,
            "--profiles begins at {PROFILES_MIN}"
        );
        ensure!(
            plan.messages >= plan.profiles * 20,
            "pages of 20 need --messages of 20 times --profiles"
        );
        let streams_max = plan.profiles * STREAMS_PER_PROFILE - FIRST_STREAMS;
        ensure!(
            (1..=streams_max).contains(&plan.subscribers),
            "--subscribers is 1 to {streams_max}, with so many --profiles"
        );
        Ok(plan)
    }
}
