//! `postroom verify`: recounts every mailbox, and what is kept.

use std::io::{IsTerminal, stderr};

use anyhow::{Context, anyhow};
use clap::Args as Arguments;
use storage::{Drift, Maintenance};

use super::config_args::ConfigArgs;
use crate::failure::Failure;
use crate::output::{print_line, print_note};

const EXAMPLES: &str = "\
Examples:
  postroom verify --dev
  postroom verify --config postroom.toml --repair";

/// Recount every mailbox and what is kept, and print counters that differ
///
/// The last line is `drift N over M mailboxes, E entries`. The exit code is 0 if there is no drift,
/// or all of it was repaired.
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Correct the counters that differ
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Default)]
struct RecountTotals {
    mailboxes: u64,
    entries: u64,
    drift: u64,
    unrepaired: u64,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let store = args.config.open_store().await?;
    let totals = recount(&*store, args.repair).await;
    store.close().await;
    let RecountTotals {
        mailboxes,
        entries,
        drift,
        unrepaired,
    } = totals?;
    print_line(format_args!(
        "drift {drift} over {mailboxes} mailboxes, {entries} entries"
    ))?;
    match unrepaired {
        0 => Ok(()),
        count => Err(anyhow!("{count} counters differ; --repair corrects them").into()),
    }
}

impl RecountTotals {
    /// Counts and prints differences.
    fn add_drift(&mut self, found: &[Drift]) -> Result<(), Failure> {
        for drift in found {
            self.drift += 1;
            self.unrepaired += u64::from(!drift.repaired);
            print_line(describe(drift))?;
        }
        Ok(())
    }
}

async fn recount(store: &dyn Maintenance, repair: bool) -> Result<RecountTotals, Failure> {
    let shows_progress = stderr().is_terminal();
    let mut totals = RecountTotals::default();
    let mut after = None;
    loop {
        let part = store
            .recount(after, repair)
            .await
            .context("the recount failed")?;
        totals.mailboxes += part.mailboxes;
        totals.entries += part.entries;
        totals.add_drift(&part.drift)?;
        if shows_progress {
            let RecountTotals {
                mailboxes, entries, ..
            } = totals;
            print_note(format_args!("\r{mailboxes} mailboxes, {entries} entries …"));
        }
        after = part.next;
        if after.is_none() {
            break;
        }
    }
    let mut after = None;
    loop {
        let app = store.recount_kept(after, repair).await;
        let app = app.context("the recount of what is kept failed")?;
        totals.add_drift(&app.drift)?;
        after = app.next;
        if after.is_none() {
            break;
        }
    }
    if shows_progress {
        print_note("\n");
    }
    Ok(totals)
}

fn describe(drift: &Drift) -> String {
    let repaired = if drift.repaired { ", repaired" } else { "" };
    let profile = drift.profile.iter().map(|profile| format!(" {profile}"));
    format!(
        "{}{}: {} is {}, counted {}{repaired}",
        drift.app,
        profile.collect::<String>(),
        drift.field,
        drift.stored,
        drift.counted
    )
}
