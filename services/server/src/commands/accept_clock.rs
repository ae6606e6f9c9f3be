//! `postroom accept-clock`: lets fall due what a jump of the clock has held back.

use super::config_args::ConfigArgs;
use crate::failure::Failure;
use crate::output::print_line;

/// Let fall due what a jump of the clock has held back
///
/// When the clock jumps ahead, or is more than a day ahead of when the service last ran, messages
/// keep their old expiry and nothing is deleted, because the clock may be wrong. If it is right,
/// this command says so to all replicas. They follow within seconds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  postroom accept-clock --config postroom.toml")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let store = args.config.open_store().await?;
    let accepted = store.accept_clock().await;
    store.close().await;
    let time = accepted.map_err(anyhow::Error::from)?;
    let time = jiff::Timestamp::from_millisecond(time.0).map_err(anyhow::Error::from)?;
    print_line(format_args!("accepted: {time:.0}"))
}
