//! `postroom send`: sends a message from a user.

use clap::Args as Arguments;
use proto::v1::SendMessageRequest;
use proto::v1::messaging_client::MessagingClient;

use crate::client::{MessageArgs, UserArgs, delivery};
use crate::config::Lifetime;
use crate::failure::Failure;
use crate::output::print_line;

const EXAMPLES: &str = "\
Examples:
  postroom send --as alice --to bob 'Fancy a game?'
  postroom send --as alice --to bob --to carol --expire-after 1d 'Tonight at eight'
  postroom send --as alice --to bob --json '{\"move\": \"e4\"}'";

/// Send a message to users
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Recipient; repeat for more
    #[arg(long, required = true, value_name = "PROFILE")]
    to: Vec<String>,
    #[command(flatten)]
    message: MessageArgs,
    /// Time to live, such as 30d, 12h or 15m
    #[arg(long, value_name = "DURATION")]
    expire_after: Option<Lifetime>,
    #[command(flatten)]
    endpoint: UserArgs,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let request = SendMessageRequest {
        content: Some(args.message.content()?),
        request_id: args.message.request_id(),
        to: args.to,
        expire_after: args.expire_after.map(Lifetime::to_proto),
        ..SendMessageRequest::default()
    };
    let session = args.endpoint.connect().await?;
    let mut client = MessagingClient::new(session.channel.clone());
    let sent = client
        .send_message(session.request(request))
        .await?
        .into_inner();
    let expire_time = sent.expire_time.as_ref();
    print_line(delivery(
        &sent.message_id,
        sent.actual,
        sent.requested,
        expire_time,
    ))
}
