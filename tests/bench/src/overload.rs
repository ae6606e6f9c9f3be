//! Goodput of the service under more load than it can carry.
//!
//! The load is open: a call begins when it is due, whether or not earlier ones were answered.

mod figures;

use std::time::Duration;

use anyhow::ensure;
use clap::Args as Arguments;

use self::figures::{Offered, OverloadFigures};
use crate::files::Files;
use crate::load::caller::LoadCaller;
use crate::load::closed_loop::{ClosedLoop, now_us};
use crate::load::open_loop::{Offer, offer};
use crate::measure::sample::float;
use crate::scenario::CallKind;
use crate::site::dataset::{Dataset, PROFILES_MIN};
use crate::site::keys::SignedTokens;
use crate::site::standalone::StandaloneService;

/// Limit of the whole run. Only a hang reaches it.
pub const TIME_MAX: Duration = Duration::from_mins(30);

/// Connections, with a hundred calls each: as many as may be under way.
const CONNECTIONS: usize = 48;
/// Calls in flight when it is found out what the service can do.
const IN_FLIGHT: usize = 64;
/// Offered load, as multiples of the peak.
const FACTORS: [f64; 3] = [1.0, 2.0, 5.0];

/// Measure what is left of the service when more is asked of it than it can do
#[derive(Debug, Arguments)]
pub struct Args {
    /// Seconds of each load
    #[arg(long, default_value_t = 10)]
    secs: u64,
    /// Milliseconds that a caller waits for an answer
    #[arg(long, default_value_t = 1000)]
    patience_ms: u64,
    #[command(flatten)]
    files: Files,
}

/// Finds out what the service can do, offers that and more, and prints what it did.
///
/// # Errors
/// If something cannot be started, or a mailbox drifts.
pub async fn run(args: &Args) -> anyhow::Result<()> {
    ensure!(args.secs > 0, "--secs begins at 1");
    let alone = StandaloneService::postgres(&args.files.program().await?).await?;
    let server = &alone.server;
    let dataset = Dataset::new(PROFILES_MIN, 0, now_us() / 1000);
    let (keys, sys) = (SignedTokens::sign(&dataset)?, Some(server.sys));
    let caller = LoadCaller::connect(server.user, sys, CONNECTIONS, keys, dataset).await?;
    caller.prime().await?;

    let capacity = capacity(&caller, args.secs).await?;
    eprintln!("bench: {capacity:.0} sends to 100 a second, one after another");
    let patience = Duration::from_millis(args.patience_ms);
    let mut offered = Vec::new();
    for factor in FACTORS {
        let per_second = factor * capacity;
        let load = Offer {
            work: CallKind::SendToHundred,
            per_second,
            patience,
        };
        let load = offer(&caller, load, args.secs).await?;
        offered.push(Offered::of(factor, per_second, &load));
    }
    let figures = OverloadFigures {
        patience_ms: args.patience_ms,
        capacity,
        offered,
        verified: server.verify().await?,
    };
    figures.print();
    args.files.write_json(&figures)
}

/// Calls a second that the service answers when each caller waits.
async fn capacity(caller: &LoadCaller, secs: u64) -> anyhow::Result<f64> {
    let load = ClosedLoop::start(caller, CallKind::SendToHundred, IN_FLIGHT);
    let begun_us = now_us();
    tokio::time::sleep(Duration::from_secs(secs)).await;
    let done = load.stop().await?;
    if let Some(error) = done.first_error {
        anyhow::bail!("{} calls failed, the first with {error}", done.errors);
    }
    let took_us = now_us() - begun_us;
    Ok(1e6 * float(done.operations.len() as u64) / float(took_us))
}
