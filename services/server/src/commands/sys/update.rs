//! `postroom sys update`: replaces the content of a message in every box that holds it.

use clap::Args as Arguments;
use proto::sys::v1::UpdateMessageRequest;
use proto::sys::v1::sys_client::SysClient;

use crate::client::{MessageArgs, SysArgs, time};
use crate::failure::Failure;
use crate::output::print_line;

const EXAMPLES: &str = "\
Examples:
  postroom sys update 0193a1e2-… 'The season begins tomorrow'
  postroom sys update 0193a1e2-… --expected-version 1 --json '{\"text\": \"…\", \"day\": 2}'";

/// Replace the content of a message, in every box that holds it
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Id of the message
    message_id: String,
    #[command(flatten)]
    message: MessageArgs,
    /// Required current version of the message; -1 accepts any
    #[arg(long, value_name = "VERSION", allow_negative_numbers = true)]
    expected_version: Option<i64>,
    #[command(flatten)]
    endpoint: SysArgs,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let request = UpdateMessageRequest {
        message_id: args.message_id,
        content: Some(args.message.content()?),
        expected_version: args.expected_version,
        request_id: args.message.request_id(),
    };
    let session = args.endpoint.connect().await?;
    let mut client = SysClient::new(session.channel.clone());
    let request = session.request(request);
    let updated = client.update_message(request).await?.into_inner();
    print_line(format_args!(
        "{} is at version {} since {}",
        updated.message_id,
        updated.version,
        time(updated.update_time.as_ref())
    ))
}
