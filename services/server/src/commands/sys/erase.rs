//! `postroom sys erase` and `postroom sys erasure`: erases a user, and tells how far that is.

use clap::Args as Arguments;
use proto::sys::v1::sys_client::SysClient;
use proto::sys::v1::{EraseProfileRequest, GetErasureRequest};

use crate::client::{SysArgs, time};
use crate::failure::Failure;
use crate::output::print_line;

const EXAMPLES: &str = "\
Examples:
  postroom sys erase bob
  postroom sys erasure bob   whether it is done";

/// Erase a user: mailbox, sent messages, and the profile id wherever it is kept
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Profile id of the user
    profile_id: String,
    #[command(flatten)]
    endpoint: SysArgs,
}

/// Starts the erasure. It needs no `request_id`: starting it twice is as good as once.
pub async fn run(args: Args) -> Result<(), Failure> {
    let session = args.endpoint.connect().await?;
    let mut client = SysClient::new(session.channel.clone());
    let request = session.request(EraseProfileRequest {
        profile_id: args.profile_id.clone(),
        request_id: String::new(),
    });
    let erased = client.erase_profile(request).await?.into_inner();
    print_line(format_args!(
        "erasure of {} requested at {}",
        args.profile_id,
        time(erased.request_time.as_ref())
    ))
}

/// Show the state of the last erasure of a user
#[derive(Debug, Arguments)]
pub struct StateArgs {
    /// Profile id of the user
    profile_id: String,
    #[command(flatten)]
    endpoint: SysArgs,
}

pub async fn show(args: StateArgs) -> Result<(), Failure> {
    let session = args.endpoint.connect().await?;
    let mut client = SysClient::new(session.channel.clone());
    let request = session.request(GetErasureRequest {
        profile_id: args.profile_id.clone(),
    });
    let erasure = client.get_erasure(request).await?.into_inner();
    let requested = time(erasure.request_time.as_ref());
    let state = match &erasure.done_time {
        Some(done) => format!("done at {}", time(Some(done))),
        None => "under way".to_owned(),
    };
    print_line(format_args!("requested at {requested}, {state}"))
}
