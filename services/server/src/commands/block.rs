//! `postroom block`: blocks a profile.

use clap::Args as Arguments;
use proto::v1::BlockProfileRequest;
use proto::v1::messaging_client::MessagingClient;

use crate::client::UserArgs;
use crate::failure::Failure;
use crate::output::print_line;

/// Block a profile: neither of the two gets messages of the other
#[derive(Debug, Arguments)]
#[command(after_help = "Example:\n  postroom block --as bob eve")]
pub struct Args {
    /// Profile id of the other user
    profile_id: String,
    #[command(flatten)]
    endpoint: UserArgs,
}

/// Blocks the profile. It needs no `request_id`: twice is as good as once.
pub async fn run(args: Args) -> Result<(), Failure> {
    let session = args.endpoint.connect().await?;
    let mut client = MessagingClient::new(session.channel.clone());
    let request = session.request(BlockProfileRequest {
        profile_id: args.profile_id.clone(),
        request_id: String::new(),
    });
    client.block_profile(request).await?;
    print_line(format_args!("{} is blocked", args.profile_id))
}
