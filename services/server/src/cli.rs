//! The command line.

use clap::{Parser, Subcommand};

use crate::commands::{
    accept_clock, audit, block, blocks, counts, erasures, inbox, keys, migrate, new_epoch, read,
    send, serve, sys, token, verify, watch,
};
use crate::failure::Failure;

const EXAMPLES: &str = "\
A first conversation:
  postroom serve --dev
  postroom send --as alice --to bob 'Fancy a game?'
  postroom inbox --as bob

Exit codes: 0 success, 1 failed or refused, 64 invalid command line or configuration,
69 endpoint unreachable.";

/// A mailbox service for apps and games
#[derive(Debug, Parser)]
#[command(name = "postroom", version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<serve::Args>),
    Token(Box<token::Args>),
    #[command(subcommand)]
    Keys(keys::Command),
    #[command(subcommand)]
    Migrate(migrate::Command),
    Verify(verify::Args),
    NewEpoch(new_epoch::Args),
    AcceptClock(accept_clock::Args),
    #[command(subcommand)]
    Audit(audit::Command),
    #[command(subcommand)]
    Erasures(erasures::Command),
    Send(send::Args),
    Inbox(inbox::Args),
    Read(read::Args),
    Counts(counts::Args),
    Watch(watch::Args),
    /// Block a profile: neither of the two gets messages of the other
    #[command(after_help = "Example:\n  postroom block --as bob eve")]
    Block(block::Args),
    /// Unblock a profile
    #[command(after_help = "Example:\n  postroom unblock --as bob eve")]
    Unblock(block::Args),
    Blocks(blocks::Args),
    #[command(subcommand)]
    Sys(sys::Command),
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Serve(args) => serve::run(*args).await,
            Command::Token(args) => token::run(*args).await,
            Command::Keys(command) => keys::run(command),
            Command::Migrate(command) => migrate::run(command).await,
            Command::Verify(args) => verify::run(args).await,
            Command::NewEpoch(args) => new_epoch::run(args).await,
            Command::AcceptClock(args) => accept_clock::run(args).await,
            Command::Audit(command) => audit::run(command).await,
            Command::Erasures(command) => erasures::run(command).await,
            Command::Send(args) => send::run(args).await,
            Command::Inbox(args) => inbox::run(args).await,
            Command::Read(args) => read::run(args).await,
            Command::Counts(args) => counts::run(args).await,
            Command::Watch(args) => watch::run(args).await,
            Command::Block(args) => block::run(args, true).await,
            Command::Unblock(args) => block::run(args, false).await,
            Command::Blocks(args) => blocks::run(args).await,
            Command::Sys(command) => sys::run(command).await,
        }
    }
}
