//! `postroom new-epoch`: after a database was restored from a backup.

use storage_sql::Notify;

use super::options::{ConfigArgs, store_options};
use crate::config::Flags;
use crate::failure::Failure;

/// Make all cursors void, after a database was restored from a backup.
///
/// Clients that follow their mailboxes are told to read them again. Postgres in another place,
/// or recovered to a point in time, gets a new epoch by itself; a file that was copied back, or a
/// dump that was loaded over the old database, does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  postroom new-epoch --config postroom.toml")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let config = args.config.load(Flags::default())?;
    let options = storage_sql::Options {
        notify: Notify::Off,
        ..store_options(&config)
    };
    let opened = storage_sql::open(&options).await;
    let store = opened.map_err(anyhow::Error::from)?;
    let begun = store.new_epoch().await;
    store.close().await;
    begun.map_err(anyhow::Error::from)?;
    println!("A new epoch has begun: all cursors are void.");
    Ok(())
}
