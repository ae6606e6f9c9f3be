//! Measures the real `postroom` against its goals.
//!
//! A run builds a dataset of users and messages in each database, starts the real program on
//! it, and then measures one [`scenario`] after the other for a few seconds each, the
//! baselines among them, and all of that again for each repeat. What was measured becomes
//! the ratios of [`report::goals`] within a repeat, and their medians and spreads over the repeats
//! are the [`report`].

mod bulk;
mod cli;
mod files;
mod h2load;
mod load;
mod measure;
mod overload;
mod program;
mod report;
mod run;
mod scenario;
mod segment;
mod site;
mod tenants;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{BenchCli, Command};

/// The service's own, so that what answers from memory here differs from it in nothing else.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match start(BenchCli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn start(cli: BenchCli) -> anyhow::Result<()> {
    match cli.command {
        Some(Command::H2loadBody(args)) => h2load::write(&args),
        Some(Command::Bulk(args)) => {
            let work = Box::pin(bulk::run(&args));
            until_signal(bulk::TIME_MAX, work).await
        }
        Some(Command::Overload(args)) => {
            let work = Box::pin(overload::run(&args));
            until_signal(overload::TIME_MAX, work).await
        }
        Some(Command::Tenants(args)) => {
            let work = Box::pin(tenants::run(&args));
            until_signal(tenants::TIME_MAX, work).await
        }
        Some(Command::Segment(args)) => {
            let work = Box::pin(segment::run(&args));
            until_signal(segment::TIME_MAX, work).await
        }
        Some(Command::Bare(args)) => site::bare::serve(&args).await,
        None => {
            let plan = cli.plan()?;
            until_signal(plan.time_max, run::run(&plan)).await
        }
    }
}

/// Runs `work` until a signal or the time limit. Servers, clusters and folders end with the
/// values that hold them.
async fn until_signal(
    time_max: Duration,
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        done = tokio::time::timeout(time_max, work) => match done {
            Ok(done) => done,
            Err(_) => bail!("not done in time; everything was stopped"),
        },
        _ = tokio::signal::ctrl_c() => bail!("interrupted; everything was stopped"),
        _ = terminate.recv() => bail!("terminated; everything was stopped"),
    }
}
