//! `postroom verify`: recounts every mailbox.

use std::io::{IsTerminal, stderr};

use anyhow::{Context, anyhow};
use clap::Args as Arguments;
use storage::{Drift, Maintenance};

use super::options::{ConfigArgs, store_options};
use crate::config::Flags;
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  postroom verify --dev
  postroom verify --config postroom.toml --repair";

/// Recount every mailbox, and print where its numbers do not agree with its entries
///
/// The last line is `drift N over M mailboxes, E entries`. The exit code is 0 if nothing
/// drifts, or all of it was repaired.
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Correct the numbers that do not agree
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Default)]
struct Tally {
    mailboxes: u64,
    entries: u64,
    drift: u64,
    left: u64,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let config = args.config.load(Flags::default())?;
    let store = storage_sql::open(&store_options(&config))
        .await
        .map_err(anyhow::Error::from)?;
    let tally = recount(&*store, args.repair).await;
    store.close().await;
    let Tally {
        mailboxes,
        entries,
        drift,
        left,
    } = tally?;
    println!("drift {drift} over {mailboxes} mailboxes, {entries} entries");
    match left {
        0 => Ok(()),
        left => Err(anyhow!("{left} numbers do not agree; --repair corrects them").into()),
    }
}

async fn recount(store: &dyn Maintenance, repair: bool) -> anyhow::Result<Tally> {
    let shows_progress = stderr().is_terminal();
    let mut tally = Tally::default();
    let mut after = None;
    loop {
        let part = store
            .recount(after, repair)
            .await
            .context("the recount did not finish")?;
        tally.mailboxes += part.mailboxes;
        tally.entries += part.entries;
        for drift in &part.drift {
            tally.drift += 1;
            tally.left += u64::from(!drift.repaired);
            println!("{}", describe(drift));
        }
        if shows_progress {
            eprint!(
                "\r{} mailboxes, {} entries …",
                tally.mailboxes, tally.entries
            );
        }
        after = part.next;
        if after.is_none() {
            break;
        }
    }
    if shows_progress {
        eprintln!();
    }
    Ok(tally)
}

fn describe(drift: &Drift) -> String {
    let repaired = if drift.repaired { ", repaired" } else { "" };
    format!(
        "{} {}: {} says {}, counted {}{repaired}",
        drift.app, drift.profile, drift.field, drift.stored, drift.counted
    )
}
