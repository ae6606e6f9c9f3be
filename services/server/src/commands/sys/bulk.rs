//! `postroom sys bulk`: a message to everyone, and what has become of it.

use clap::{Args as Arguments, Subcommand, ValueEnum};
use proto::sys::v1::sys_client::SysClient;
use proto::sys::v1::{BulkAudience, GetBulkRequest, SendBulkRequest};
use proto::v1::Sender;

use crate::client::{MessageArgs, SysArgs, text_of, time};
use crate::config::Lifetime;
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  postroom sys bulk send --from-name 'The game master' 'The season begins'
  postroom sys bulk send --from-name News --audience everyone --expire-after 7d 'Welcome'
  postroom sys bulk get 0193a1e2-…";

/// Send a message to everyone, or see what has become of one
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Command {
    Send(SendArgs),
    Get(GetArgs),
}

/// Send a message to all users of the app, at once
#[derive(Debug, Arguments)]
pub struct SendArgs {
    /// Whom recipients see as the sender
    #[arg(long, value_name = "NAME")]
    from_name: String,
    /// Who gets it
    #[arg(long, value_enum, default_value_t = Audience::Existing)]
    audience: Audience,
    #[command(flatten)]
    message: MessageArgs,
    /// How long it lives, as 30d, 12h or 15m
    #[arg(long, value_name = "DURATION")]
    expire_after: Option<Lifetime>,
    #[command(flatten)]
    reach: SysArgs,
}

/// Show a message to everyone, and in how many mailboxes it is
#[derive(Debug, Arguments)]
pub struct GetArgs {
    /// The message
    message_id: String,
    #[command(flatten)]
    reach: SysArgs,
}

/// Who gets a message to everyone.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Audience {
    /// Those who have a mailbox now
    Existing,
    /// Also those who come before it expires
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
        Audience::Existing => BulkAudience::Existing,
        Audience::Everyone => BulkAudience::Everyone,
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
    let session = args.reach.connect().await?;
    let mut client = SysClient::new(session.channel.clone());
    let sent = client.send_bulk(session.request(request)).await?;
    let sent = sent.into_inner();
    println!(
        "{} to all, until {}",
        sent.message_id,
        time(sent.expire_time.as_ref())
    );
    Ok(())
}

async fn get(args: GetArgs) -> Result<(), Failure> {
    let request = GetBulkRequest {
        message_id: args.message_id,
    };
    let session = args.reach.connect().await?;
    let mut client = SysClient::new(session.channel.clone());
    let bulk = client.get_bulk(session.request(request)).await?;
    let bulk = bulk.into_inner();
    let message = bulk.message.unwrap_or_default();
    let words = if bulk.recalled {
        "(recalled)".to_owned()
    } else {
        text_of(&message)
    };
    println!(
        "{words}\nversion {}, until {}\nin {} mailboxes so far, read in {}, deleted from {}",
        message.version,
        time(message.expire_time.as_ref()),
        bulk.settled,
        bulk.read,
        bulk.deleted
    );
    Ok(())
}
