//! `postroom unblock`: unblocks a profile.

use clap::Args as Arguments;
use proto::v1::UnblockProfileRequest;
use proto::v1::messaging_client::MessagingClient;

use crate::client::UserArgs;
use crate::failure::Failure;
use crate::output::print_line;

/// Unblock a profile
#[derive(Debug, Arguments)]
#[command(after_help = "Example:\n  postroom unblock --as bob eve")]
pub struct Args {
    /// Profile id of the other user
    profile_id: String,
    #[command(flatten)]
    endpoint: UserArgs,
}

/// Unblocks the profile. It needs no `request_id`: twice is as good as once.
pub async fn run(args: Args) -> Result<(), Failure> {
    let session = args.endpoint.connect().await?;
    let mut client = MessagingClient::new(session.channel.clone());
    let request = session.request(UnblockProfileRequest {
        profile_id: args.profile_id.clone(),
        request_id: String::new(),
    });
    client.unblock_profile(request).await?;
    print_line(format_args!("{} is not blocked", args.profile_id))
}
