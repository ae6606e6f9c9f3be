//! `postroom sys`: calls of the app.

mod bulk;
mod erase;
mod erase_app;
mod export;
mod job;
mod revoke;
mod send;
mod update;

use clap::Subcommand;

use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  postroom sys send --from-name 'The game master' --to bob 'The season begins'
  postroom sys send --from-name 'The game master' --to-file finalists.txt 'You are in the final'";

/// Call Sys as the app
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Command {
    Send(send::Args),
    Job(job::Args),
    Update(update::Args),
    Revoke(revoke::Args),
    Erase(erase::Args),
    Erasure(erase::StateArgs),
    EraseApp(erase_app::Args),
    Export(export::Args),
    #[command(subcommand)]
    Bulk(bulk::Command),
}

pub async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Send(args) => send::run(args).await,
        Command::Job(args) => job::run(args).await,
        Command::Update(args) => update::run(args).await,
        Command::Revoke(args) => revoke::run(args).await,
        Command::Erase(args) => erase::run(args).await,
        Command::Erasure(args) => erase::show(args).await,
        Command::EraseApp(args) => erase_app::run(args).await,
        Command::Export(args) => export::run(args).await,
        Command::Bulk(command) => bulk::run(command).await,
    }
}
