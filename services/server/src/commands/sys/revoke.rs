//! `postroom sys revoke`: revokes the tokens of a user.

use clap::Args as Arguments;
use jiff::Timestamp;
use proto::sys::v1::RevokeTokensRequest;
use proto::sys::v1::sys_client::SysClient;

use crate::client::{SysArgs, time};
use crate::failure::Failure;
use crate::output::print_line;

const EXAMPLES: &str = "\
Examples:
  postroom sys revoke bob                                 all that were issued until now
  postroom sys revoke bob --before 2026-11-30T12:00:00Z   those that were issued before";

/// Revoke the tokens of a user, also those of open streams
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Profile id of the user
    profile_id: String,
    /// Revoke tokens that were issued before this time only
    #[arg(long, value_name = "TIME")]
    before: Option<Timestamp>,
    #[command(flatten)]
    endpoint: SysArgs,
}

/// Revokes the tokens. It needs no `request_id`: revoking twice is as good as once.
pub async fn run(args: Args) -> Result<(), Failure> {
    let session = args.endpoint.connect().await?;
    let mut client = SysClient::new(session.channel.clone());
    let request = session.request(RevokeTokensRequest {
        profile_id: args.profile_id.clone(),
        before: args.before.map(|before| prost_types::Timestamp {
            seconds: before.as_second(),
            nanos: before.subsec_nanosecond(),
        }),
        request_id: String::new(),
    });
    let revoked = client.revoke_tokens(request).await?.into_inner();
    print_line(format_args!(
        "tokens of {} issued before {} are revoked",
        args.profile_id,
        time(revoked.before.as_ref())
    ))
}
