//! `postroom sys send`: sends a message from the app.

mod recipient_file;
mod segment;

use std::path::PathBuf;

use clap::Args as Arguments;
use proto::sys::v1::SendMessageRequest;
use proto::sys::v1::sys_client::SysClient;
use proto::v1::Sender;

use crate::client::{MessageArgs, SysArgs, delivery};
use crate::config::Lifetime;
use crate::failure::Failure;
use crate::output::print_line;

const EXAMPLES: &str = "\
Examples:
  postroom sys send --from-name 'The game master' --to alice --to bob 'The season begins'
  postroom sys send --from-name 'The game master' --to-file finalists.txt 'You are in the final'
  ./finalists | postroom sys send --from-name 'The game master' --to-file - 'You are in the final'";

/// Send a message to users, from the app
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    recipients: RecipientArgs,
    /// Skip the first line of the file
    #[arg(long, requires = "to_file")]
    header: bool,
    /// Sender's name as shown to recipients
    #[arg(long, value_name = "NAME")]
    from_name: String,
    #[command(flatten)]
    message: MessageArgs,
    /// Time to live, such as 30d, 12h or 15m
    #[arg(long, value_name = "DURATION")]
    expire_after: Option<Lifetime>,
    #[command(flatten)]
    endpoint: SysArgs,
}

/// Recipients as flags or as a file, not both.
#[derive(Debug, Arguments)]
#[group(required = true, multiple = false)]
struct RecipientArgs {
    /// Recipient; repeat for more
    #[arg(long, value_name = "PROFILE")]
    to: Vec<String>,
    /// File with a recipient on each line, up to 10,000,000; - reads standard input. A job delivers
    /// the message: see `postroom sys job`
    #[arg(long, value_name = "FILE")]
    to_file: Option<PathBuf>,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    match &args.recipients.to_file {
        Some(path) => segment::send(path, &args).await,
        None => send(args).await,
    }
}

async fn send(args: Args) -> Result<(), Failure> {
    let request = SendMessageRequest {
        content: Some(args.message.content()?),
        request_id: args.message.request_id(),
        to: args.recipients.to,
        sender: Some(Sender {
            name: args.from_name,
            ..Sender::default()
        }),
        expire_after: args.expire_after.map(Lifetime::to_proto),
        ..SendMessageRequest::default()
    };
    let session = args.endpoint.connect().await?;
    let mut client = SysClient::new(session.channel.clone());
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
