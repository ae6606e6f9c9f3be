//! Cost of a bulk message: of the send, and of the first call of a user after it.
//!
//! A subcommand rather than a scenario: each step happens once.

mod calls;
mod figures;

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args as Arguments;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use sqlx::{Connection as _, PgConnection};
use tokio::time::sleep;

use self::calls::BulkCalls;
use self::figures::{BulkFigures, SingleCall, Touch};
use crate::files::Files;
use crate::measure::meter::Meter;
use crate::site::dataset::Dataset;
use crate::site::keys::SignedTokens;
use crate::site::standalone::StandaloneService;
use crate::site::stock::Stock;

/// Limit of the whole run. Only a hang reaches it.
pub const TIME_MAX: Duration = Duration::from_mins(30);

/// Calls in flight when users come.
const IN_FLIGHT: usize = 64;
/// Time after which all connections have reported their statistics. An idle one keeps them for up
/// to ten seconds.
const COUNTED_AFTER: Duration = Duration::from_secs(12);
/// Messages to everyone that are sent one after another, once the first was measured.
const FURTHER: usize = 20;

/// Measure messages to everyone: what sending costs, and what the first touch of a mailbox
#[derive(Debug, Arguments)]
pub struct Args {
    /// Mailboxes that there are
    #[arg(long, default_value_t = 1_000_000)]
    mailboxes: u64,
    /// Users who come afterwards
    #[arg(long, default_value_t = 10_000)]
    users: u64,
    #[command(flatten)]
    files: Files,
}

/// Measures all of it, has the mailboxes recounted, and prints what it found.
///
/// # Errors
/// If something cannot be started, or somebody does not see what everyone should.
pub async fn run(args: &Args) -> anyhow::Result<()> {
    ensure!(
        args.users <= args.mailboxes,
        "more --users than --mailboxes"
    );
    let alone = StandaloneService::postgres(&args.files.program().await?).await?;
    let server = &alone.server;
    let keys = SignedTokens::sign(&Dataset::new(args.users, 0, 0))?;
    let calls = BulkCalls::connect(server.user, server.sys, keys).await?;
    let mut bench = BulkBench {
        url: alone.url.clone(),
        meter: alone.meter().await?,
        connection: PgConnection::connect(&alone.url).await?,
        calls,
    };
    let mut figures = bench.measure(args).await?;
    eprintln!("bench: recounting all mailboxes");
    figures.verified = server.verify().await?;
    figures.print();
    args.files.write_json(&figures)
}

struct BulkBench {
    url: String,
    meter: Meter,
    connection: PgConnection,
    calls: BulkCalls,
}

impl BulkBench {
    async fn measure(&mut self, args: &Args) -> anyhow::Result<BulkFigures> {
        eprintln!("bench: {} mailboxes", args.mailboxes);
        self.calls.counts(0).await?;
        let stock = Stock::open(&self.url).await?;
        stock.add_mailboxes(1..args.mailboxes).await?;
        // So that all tokens are known before anything is measured.
        self.touch("", args.users, 0).await?;

        let calls = self.calls.clone();
        let sent = self.once("SendBulk", calls.app.send_bulk()).await?;
        let first = self.touch("first GetMessageCounts after it", args.users, 1);
        let first = first.await?;
        let next = self.touch("the next one", args.users, 1).await?;
        let updated = calls.app.update(sent.0.clone());
        let updated = self.once("UpdateMessage of it", updated).await?;
        let shown = self.touch("first GetMessageCounts after that", args.users, 1);
        let shown = shown.await?;
        let recalled = calls.app.delete(sent.0.clone());
        let recalled = self.once("DeleteMessage of it", recalled).await?;
        let gone = self.touch("first GetMessageCounts after that", args.users, 0);
        let gone = gone.await?;

        let mut further_ms = Vec::new();
        for _ in 0..FURTHER {
            let begun = Instant::now();
            calls.app.send_bulk().await?;
            further_ms.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        further_ms.sort_by(f64::total_cmp);
        self.pages(args.users).await?;
        Ok(BulkFigures {
            mailboxes: args.mailboxes,
            users: args.users,
            once: vec![sent.1, updated.1, recalled.1],
            touches: vec![first, next, shown, gone],
            further_ms,
            verified: String::new(),
        })
    }

    /// Measures one call with nothing beside it.
    async fn once<T>(
        &mut self,
        what: &str,
        call: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<(T, SingleCall)> {
        let rows = self.rows().await?;
        let client = std::process::id();
        let before = self.meter.read(client).await?;
        let begun = Instant::now();
        let done = call.await.with_context(|| what.to_owned())?;
        let took = begun.elapsed();
        let after = self.meter.read(client).await?;
        let wal = before.wal_bytes.zip(after.wal_bytes);
        let once = SingleCall {
            what: what.to_owned(),
            ms: took.as_secs_f64() * 1e3,
            wal_bytes: wal.map_or(0, |(before, after)| after - before),
            rows: self.rows().await? - rows,
        };
        Ok((done, once))
    }

    /// Rows that were ever inserted, updated or deleted, but for what the sweep renews every few
    /// seconds.
    async fn rows(&mut self) -> anyhow::Result<i64> {
        sleep(COUNTED_AFTER).await;
        let rows = sqlx::query_scalar(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint FROM pg_stat_user_tables
             WHERE relname <> 'lease'",
        );
        Ok(rows.fetch_one(&mut self.connection).await?)
    }

    /// Every user counts once, and must find so many messages.
    async fn touch(&mut self, what: &str, users: u64, expected: u32) -> anyhow::Result<Touch> {
        let client = std::process::id();
        let before = self.meter.read(client).await?;
        let calls = &self.calls;
        let count = async |user| {
            let begun = Instant::now();
            let (total, unread) = calls.counts(user).await?;
            ensure!(
                (total, unread) == (expected, expected),
                "user {user} counts {total}, {unread} unread, not {expected}"
            );
            Ok(begun.elapsed().as_secs_f64() * 1e3)
        };
        let counted = stream::iter(0..users).map(count);
        let mut delays: Vec<f64> = counted.buffer_unordered(IN_FLIGHT).try_collect().await?;
        let after = self.meter.read(client).await?;
        delays.sort_by(f64::total_cmp);
        Ok(Touch::between(what, &before, &after, &delays))
    }

    /// Every user sees each of the further messages once.
    async fn pages(&mut self, users: u64) -> anyhow::Result<()> {
        let calls = &self.calls;
        let look = async |user| {
            let ids = calls.page(user).await?;
            ensure!(
                ids.len() == FURTHER,
                "user {user} sees {} messages",
                ids.len()
            );
            anyhow::Ok(ids)
        };
        let pages = stream::iter(0..users).map(look);
        let seen: Vec<_> = pages.buffer_unordered(IN_FLIGHT).try_collect().await?;
        ensure!(
            seen.windows(2).all(|two| two[0] == two[1]),
            "users see different messages"
        );
        Ok(())
    }
}
