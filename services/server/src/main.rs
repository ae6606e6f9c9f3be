//! `postroom`: a mailbox service for apps and games. The only crate that reads files, environment
//! variables and signals.

// These panic when the reader of the output has ended.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod audit_key;
mod cli;
mod client;
mod commands;
mod config;
mod dev;
mod failure;
mod key_pair;
mod limits;
mod output;
mod protected_file;
mod serve;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;
use crate::failure::{Failure, USAGE};
use crate::output::print_note;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let is_error = error.use_stderr();
            // Nothing can be reported if the output is closed.
            let _ = error.print();
            return if is_error {
                USAGE.into()
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure.is_told() {
                print_note(format_args!("postroom: {failure}\n"));
            }
            failure.exit_code()
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(anyhow::Error::from)?;
    let result = runtime.block_on(cli.run());
    // Remaining tasks have been cancelled and are not waited for.
    runtime.shutdown_background();
    result
}
