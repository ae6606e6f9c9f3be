//! `postroom new-epoch`: invalidates all cursors after a restore.

use super::config_args::ConfigArgs;
use crate::failure::Failure;
use crate::output::print_line;

/// Invalidate all cursors, after a database was restored from a backup
///
/// Clients that follow their mailboxes are told to read them again. A database server that
/// recovered to a point in time, and a dump that was loaded into a new database, get a new epoch by
/// themselves; a file that was copied back, or a dump that was loaded over the old database, does
/// not.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  postroom new-epoch --config postroom.toml")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let store = args.config.open_store().await?;
    let started = store.new_epoch().await;
    store.close().await;
    started.map_err(anyhow::Error::from)?;
    print_line("new epoch: all cursors are invalid")
}
