//! `postroom block` and `postroom unblock`: blocks a profile, and takes it back.

use clap::Args as Arguments;
use proto::v1::messaging_client::MessagingClient;
use proto::v1::{BlockProfileRequest, UnblockProfileRequest};

use crate::client::UserArgs;
use crate::failure::Failure;
use crate::output::print_line;

/// Arguments of both commands.
#[derive(Debug, Arguments)]
pub struct Args {
    /// Profile id of the other user
    profile_id: String,
    #[command(flatten)]
    endpoint: UserArgs,
}

/// Blocks the profile, or unblocks it. It needs no `request_id`: twice is as good as once.
pub async fn run(args: Args, is_blocked: bool) -> Result<(), Failure> {
    let session = args.endpoint.connect().await?;
    let mut client = MessagingClient::new(session.channel.clone());
    let (profile_id, request_id) = (args.profile_id.clone(), String::new());
    let state = if is_blocked {
        let request = session.request(BlockProfileRequest {
            profile_id,
            request_id,
        });
        client.block_profile(request).await?;
        "is blocked"
    } else {
        let request = session.request(UnblockProfileRequest {
            profile_id,
            request_id,
        });
        client.unblock_profile(request).await?;
        "is not blocked"
    };
    print_line(format_args!("{} {state}", args.profile_id))
}
