//! `postroom sys erase-app`: erases the app.

use clap::Args as Arguments;
use proto::sys::v1::EraseAppRequest;
use proto::sys::v1::sys_client::SysClient;

use crate::client::{SysArgs, time};
use crate::failure::Failure;
use crate::output::print_line;

const EXAMPLES: &str = "\
Examples:
  postroom sys erase-app demo            in 24 hours
  postroom sys erase-app demo --cancel   not at all";

/// Erase the app of the token with everything in it, in 24 hours
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Id of the app, as a confirmation
    #[arg(value_name = "APP")]
    app_id: String,
    /// Withdraw the erasure
    #[arg(long)]
    cancel: bool,
    #[command(flatten)]
    endpoint: SysArgs,
}

/// Schedules the erasure. It needs no `request_id`: a second call only begins the 24 hours again.
pub async fn run(args: Args) -> Result<(), Failure> {
    let session = args.endpoint.connect().await?;
    let mut client = SysClient::new(session.channel.clone());
    let request = session.request(EraseAppRequest {
        app_id: args.app_id.clone(),
        cancel: args.cancel,
        request_id: String::new(),
    });
    let scheduled = client.erase_app(request).await?.into_inner();
    match &scheduled.erase_time {
        Some(at) => print_line(format_args!(
            "{} is erased at {}",
            args.app_id,
            time(Some(at))
        )),
        None => print_line(format_args!("{} is not erased", args.app_id)),
    }
}
