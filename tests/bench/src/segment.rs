//! Cost of a segment message, from the upload to the last mailbox, and its effect on other sends.
//!
//! A subcommand rather than a scenario: each step happens once, in a database of its own.

mod figures;

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args as Arguments;
use proto::sys::v1::send_job_change::Kind;
use proto::sys::v1::{GetSendJobResponse, SendJobCounts, SendJobState, SendToProfilesResponse};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use tokio::time::sleep;

use self::figures::{ChangeFigures, Measured, SegmentFigures};
use crate::cli::Databases;
use crate::files::Files;
use crate::load::app::AppClient;
use crate::load::caller::LoadCaller;
use crate::load::closed_loop::now_us;
use crate::load::open_loop::{Offer, OpenLoad, Waited, offer, offer_beside};
use crate::measure::memory;
use crate::measure::meter::{Meter, Reading};
use crate::measure::sample::float;
use crate::scenario::{CallKind, Target};
use crate::site::dataset::{Dataset, PROFILES_MIN};
use crate::site::keys::SignedTokens;
use crate::site::standalone::StandaloneService;
use crate::site::stock::Stock;

/// Limit of the whole run. Only a hang reaches it.
pub const TIME_MAX: Duration = Duration::from_hours(1);

/// Connections of the users.
const CONNECTIONS: usize = 8;
/// Percent of recipients that are named twice.
const DUPLICATES_PERCENT: u64 = 3;
/// The order of the recipients is the same in every run.
const SEED: u64 = 7600;
/// Interval at which the progress of a job is read.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Load of ordinary sends meanwhile.
const SENDS: Offer = Offer {
    work: CallKind::Send,
    per_second: 100.0,
    patience: Duration::from_secs(5),
};

/// Measure messages to a segment: how fast they are taken and delivered, and what others notice
#[derive(Debug, Arguments)]
pub struct Args {
    /// Databases to measure
    #[arg(long, value_enum, default_value = "both")]
    database: Databases,
    /// Recipients; some are named twice
    #[arg(long, default_value_t = 1_000_000)]
    recipients: u64,
    /// Mailboxes that there are; recipients beyond them are new [default: as many as recipients]
    #[arg(long)]
    mailboxes: Option<u64>,
    /// Seconds of the sends that have nothing beside them
    #[arg(long, default_value_t = 20)]
    secs: u64,
    #[command(flatten)]
    files: Files,
}

/// Measures it on each database, checks that everyone is reached once, and prints what it found.
///
/// # Errors
/// If something cannot be started, a count is wrong, or a mailbox drifts.
pub async fn run(args: &Args) -> anyhow::Result<()> {
    let mailboxes = args.mailboxes.unwrap_or(args.recipients);
    ensure!(
        args.recipients >= PROFILES_MIN && mailboxes >= PROFILES_MIN,
        "--recipients and --mailboxes begin at {PROFILES_MIN}"
    );
    ensure!(args.secs > 0, "--secs begins at 1");
    let program = args.files.program().await?;
    let mut figures = SegmentFigures {
        recipients: args.recipients,
        duplicates: duplicates(args.recipients),
        mailboxes,
        sends_per_second: SENDS.per_second,
        databases: Vec::new(),
    };
    for target in args.database.targets() {
        let title = target.title();
        eprintln!("bench: {title}, {mailboxes} mailboxes");
        let alone = match target {
            Target::Sqlite => StandaloneService::sqlite(&program).await?,
            _ => StandaloneService::postgres(&program).await?,
        };
        let bench = SegmentBench::begin(&alone, args.recipients, mailboxes).await?;
        let measured = bench.measure(title, args.secs).await.context(title)?;
        figures.databases.push(measured);
    }
    figures.print();
    args.files.write_json(&figures)
}

const fn duplicates(recipients: u64) -> u64 {
    recipients * DUPLICATES_PERCENT / 100
}

/// Recipients in a random but fixed order, some of them twice.
fn shuffled(recipients: u64) -> Vec<u64> {
    let everyone = 0..recipients;
    let again = (0..duplicates(recipients)).map(|number| number * 100 / DUPLICATES_PERCENT);
    let mut users: Vec<u64> = everyone.chain(again).collect();
    users.shuffle(&mut StdRng::seed_from_u64(SEED));
    users
}

struct SegmentBench<'a> {
    alone: &'a StandaloneService,
    recipients: u64,
    meter: Meter,
    users: LoadCaller,
    app: AppClient,
}

impl<'a> SegmentBench<'a> {
    /// Fills the database and connects.
    async fn begin(
        alone: &'a StandaloneService,
        recipients: u64,
        mailboxes: u64,
    ) -> anyhow::Result<Self> {
        let server = &alone.server;
        let dataset = Dataset::new(PROFILES_MIN, 0, now_us() / 1000);
        let keys = SignedTokens::sign(&dataset)?;
        let app = AppClient::connect(server.sys, keys.clone()).await?;
        let users = LoadCaller::connect(server.user, None, CONNECTIONS, keys, dataset).await?;
        users.prime().await?;
        let stock = Stock::open(&alone.url).await?;
        stock.add_mailboxes(PROFILES_MIN..mailboxes).await?;
        Ok(Self {
            alone,
            recipients,
            meter: alone.meter().await?,
            users,
            app,
        })
    }

    async fn measure(mut self, database: &'static str, secs: u64) -> anyhow::Result<Measured> {
        let process = self.alone.server.process();
        let app = self.app.clone();
        let recipients = shuffled(self.recipients);
        let idle = self.read().await?;
        let alone = offer(&self.users, SENDS, secs).await?;
        let memory_before_bytes = memory::peak_of_process(process)?;

        let before = self.read().await?;
        let begun = Instant::now();
        let sent = app.send_to_profiles(recipients).await?;
        let answered_s = begun.elapsed().as_secs_f64();
        let wait = wait(&app, &sent, |job| job.state() != SendJobState::Running);
        let (beside, job) = offer_beside(&self.users, SENDS, wait).await?;
        self.check(&job?)?;
        let delivered_s = begun.elapsed().as_secs_f64() - answered_s;
        let after = self.read().await?;
        let memory_after_bytes = memory::peak_of_process(process)?;
        let wal_of_send = wal(&idle, &before).map(|bytes| bytes / calls(&alone));
        let wal = wal(&before, &after).zip(wal_of_send);

        let update = app.update(sent.message_id.clone());
        let updated = self.change(&sent, Kind::Updated, update).await?;
        let delete = app.delete(sent.message_id.clone());
        let deleted = self.change(&sent, Kind::Deleted, delete).await?;
        eprintln!("bench: recounting all mailboxes");
        Ok(Measured {
            database,
            answered_s,
            delivered_s,
            wal_bytes: wal.map(|(bytes, of_send)| bytes - of_send * calls(&beside)),
            memory_before_bytes,
            memory_after_bytes,
            alone: Waited::of(&alone),
            beside: Waited::of(&beside),
            updated,
            deleted,
            verified: self.alone.server.verify().await?,
        })
    }

    async fn read(&mut self) -> anyhow::Result<Reading> {
        self.meter.read(std::process::id()).await
    }

    /// A change of the message, until all have it.
    async fn change(
        &mut self,
        sent: &SendToProfilesResponse,
        kind: Kind,
        call: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<ChangeFigures> {
        let before = self.read().await?;
        let begun = Instant::now();
        call.await?;
        let answered_ms = begun.elapsed().as_secs_f64() * 1e3;
        let has_it = |job: &GetSendJobResponse| {
            let change = job.change.as_ref();
            change.is_some_and(|change| change.kind() == kind && change.reached == change.total)
        };
        let job = wait(&self.app, sent, has_it).await?;
        let reached_s = begun.elapsed().as_secs_f64();
        let after = self.read().await?;
        self.check(&job)?;
        let total = job.change.context("a change")?.total;
        ensure!(
            total.unsigned_abs() == self.recipients,
            "the change is for {total} mailboxes"
        );
        Ok(ChangeFigures {
            answered_ms,
            reached_s,
            wal_bytes: wal(&before, &after),
        })
    }

    /// Checks that the job reached each recipient once.
    fn check(&self, job: &GetSendJobResponse) -> anyhow::Result<()> {
        let recipients = i64::try_from(self.recipients)?;
        let expected = SendJobCounts {
            accepted: recipients,
            duplicates: i64::try_from(duplicates(self.recipients))?,
            delivered: recipients,
            full: 0,
            failed: 0,
        };
        ensure!(
            job.state() == SendJobState::Done && job.counts == Some(expected),
            "the job is wrong: {job:?}"
        );
        Ok(())
    }
}

/// Looks at a job until it is as it should be.
async fn wait(
    app: &AppClient,
    sent: &SendToProfilesResponse,
    is_done: impl Fn(&GetSendJobResponse) -> bool,
) -> anyhow::Result<GetSendJobResponse> {
    loop {
        let job = app.job(sent.job_id.clone()).await?;
        if is_done(&job) {
            return Ok(job);
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Bytes in the database's log between two readings.
fn wal(before: &Reading, after: &Reading) -> Option<f64> {
    let bytes = before.wal_bytes.zip(after.wal_bytes);
    bytes.map(|(before, after)| float((after - before).unsigned_abs()))
}

fn calls(load: &OpenLoad) -> f64 {
    float(load.latencies.len() as u64).max(1.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn everyone_is_named_and_some_twice() {
        let users = shuffled(1_000);
        assert_eq!(users.len(), 1_030);
        assert_eq!(users.iter().collect::<BTreeSet<_>>().len(), 1_000);
        assert!(!users.is_sorted());
        assert_eq!(users, shuffled(1_000));
    }
}
