//! `postroom sys bulk`: sends a message to everyone, and shows its tally.

use clap::{Args as Arguments, Subcommand, ValueEnum};
use proto::sys::v1::sys_client::SysClient;
use proto::sys::v1::{BulkAudience, GetBulkRequest, SendBulkRequest};
use proto::v1::Sender;

use crate::client::{MessageArgs, SysArgs, text_of, time};
use crate::config::Lifetime;
use crate::failure::Failure;
use crate::output::print_line;

const EXAMPLES: &str = "\
Examples:
  postroom sys bulk send --from-name 'The game master' 'The season begins'
  postroom sys bulk send --from-name News --audience everyone --expire-after 7d 'Welcome'
  postroom sys bulk get 0193a1e2-…";

/// Send a message to everyone, or show the tally of one
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Command {
    Send(SendArgs),
    Get(GetArgs),
}

/// Send a message to all users of the app
#[derive(Debug, Arguments)]
pub struct SendArgs {
    /// Sender's name as shown to recipients
    #[arg(long, value_name = "NAME")]
    from_name: String,
    /// Recipients
    #[arg(long, value_enum, default_value_t = AudienceArg::Existing)]
    audience: AudienceArg,
    #[command(flatten)]
    message: MessageArgs,
    /// Time to live, such as 30d, 12h or 15m
    #[arg(long, value_name = "DURATION")]
    expire_after: Option<Lifetime>,
    #[command(flatten)]
    endpoint: SysArgs,
}

/// Show a message to everyone, and the number of mailboxes that hold it
#[derive(Debug, Arguments)]
pub struct GetArgs {
    /// Id of the message
    message_id: String,
    #[command(flatten)]
    endpoint: SysArgs,
}

/// Recipients of a message to everyone.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum AudienceArg {
    /// Users who have a mailbox now
    Existing,
    /// Also users whose mailbox is created before it expires
    Everyone,
}

pub async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Send(args) => send(args).await,
        Command::Get(args) => get(args).await,
    }
}

async fn send(args: SendArgs) -> Result<(), Failure> {
    let audience = match args.audience {
        AudienceArg::Existing => BulkAudience::Existing,
        AudienceArg::Everyone => BulkAudience::Everyone,
    };
    let request = SendBulkRequest {
        content: Some(args.message.content()?),
        sender: Some(Sender {
            name: args.from_name,
            ..Sender::default()
        }),
        audience: audience.into(),
        request_id: args.message.request_id(),
        expire_after: args.expire_after.map(Lifetime::to_proto),
    };
    let session = args.endpoint.connect().await?;
    let mut client = SysClient::new(session.channel.clone());
    let sent = client.send_bulk(session.request(request)).await?;
    let sent = sent.into_inner();
    print_line(format_args!(
        "{} to all, until {}",
        sent.message_id,
        time(sent.expire_time.as_ref())
    ))
}

async fn get(args: GetArgs) -> Result<(), Failure> {
    let request = GetBulkRequest {
        message_id: args.message_id,
    };
    let session = args.endpoint.connect().await?;
    let mut client = SysClient::new(session.channel.clone());
    let bulk = client.get_bulk(session.request(request)).await?;
    let bulk = bulk.into_inner();
    let message = bulk.message.unwrap_or_default();
    let content = if bulk.recalled {
        "(recalled)".to_owned()
    } else {
        text_of(&message)
    };
    print_line(format_args!(
        "{content}\nversion {}, until {}\nin {} mailboxes so far, read in {}, deleted from {}",
        message.version,
        time(message.expire_time.as_ref()),
        bulk.settled,
        bulk.read,
        bulk.deleted
    ))
}
