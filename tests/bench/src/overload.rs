//! What is left of the service when more is asked of it than it can do.
//!
//! The load is open: a call begins when it is due, whether or not the others were answered. Not
//! one of the scenarios, where whoever calls waits for the answer.

mod figures;

use std::time::Duration;

use anyhow::ensure;
use clap::Args as Arguments;

use self::figures::{Figures, Offered};
use crate::files::Files;
use crate::load::caller::Caller;
use crate::load::closed_loop::{ClosedLoop, now_us};
use crate::load::open_loop::{Offer, offer};
use crate::measure::sample::float;
use crate::scenario::Work;
use crate::site::alone::Alone;
use crate::site::keys::Keys;
use crate::site::world::{PROFILES_MIN, World};

/// Longer than it ever takes.
pub const TIME_MAX: Duration = Duration::from_mins(30);

/// Connections, with a hundred calls each: as many as may be under way.
const CONNECTIONS: usize = 48;
/// Calls in flight when it is found out what the service can do.
const IN_FLIGHT: usize = 64;
/// What is offered, times that.
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
    let alone = Alone::postgres(&args.files.program().await?).await?;
    let server = &alone.server;
    let world = World::new(PROFILES_MIN, 0, now_us() / 1000);
    let (keys, sys) = (Keys::sign(&world)?, Some(server.sys));
    let caller = Caller::connect(server.user, sys, CONNECTIONS, keys, world).await?;
    caller.prime().await?;

    let capacity = capacity(&caller, args.secs).await?;
    eprintln!("bench: {capacity:.0} sends to 100 a second, one after another");
    let patience = Duration::from_millis(args.patience_ms);
    let mut offered = Vec::new();
    for factor in FACTORS {
        let per_second = factor * capacity;
        let load = Offer {
            work: Work::SendToHundred,
            per_second,
            patience,
        };
        let load = offer(&caller, load, args.secs).await?;
        offered.push(Offered::of(factor, per_second, &load));
    }
    let figures = Figures {
        patience_ms: args.patience_ms,
        capacity,
        offered,
        verified: server.verify().await?,
    };
    figures.print();
    args.files.write_json(&figures)
}

/// Calls a second that the service answers when each caller waits.
async fn capacity(caller: &Caller, secs: u64) -> anyhow::Result<f64> {
    let load = ClosedLoop::start(caller, Work::SendToHundred, IN_FLIGHT);
    let begun_us = now_us();
    tokio::time::sleep(Duration::from_secs(secs)).await;
    let done = load.stop().await?;
    if let Some(error) = done.first_error {
        anyhow::bail!("{} calls failed, the first with {error}", done.errors);
    }
    let took_us = now_us() - begun_us;
    Ok(1e6 * float(done.operations.len() as u64) / float(took_us))
}
