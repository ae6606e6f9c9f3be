//! `postroom read`: shows messages and marks them as read.

use clap::Args as Arguments;
use proto::v1::messaging_client::MessagingClient;
use proto::v1::{
    GetMessagesPageRequest, GetMessagesRequest, MessageView, MsgboxEntry, PageContext,
    SearchCriteria,
};
use tonic::transport::Channel;

use crate::client::{Session, UserArgs, person, text_of, time};
use crate::failure::Failure;
use crate::output::print_line;

const INBOX: &str = "inbox";
const EXAMPLES: &str = "\
Examples:
  postroom read --as bob                   all unread messages
  postroom read --as bob 0193a1e2-…        a message by its id";

/// Show messages of the inbox and mark them as read
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Ids of messages; without any, the newest unread ones
    #[arg(value_name = "MESSAGE_ID")]
    message_ids: Vec<String>,
    #[command(flatten)]
    endpoint: UserArgs,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let session = args.endpoint.connect().await?;
    let mut client = MessagingClient::new(session.channel.clone());
    let mut message_ids = args.message_ids;
    if message_ids.is_empty() {
        message_ids = unread(&mut client, &session).await?;
    }
    if message_ids.is_empty() {
        print_line("no unread messages")?;
    }
    while !message_ids.is_empty() {
        let request = GetMessagesRequest {
            msgbox: INBOX.to_owned(),
            message_ids,
            mark_as_read: true,
            view: MessageView::Full.into(),
        };
        let response = client.get_messages(session.request(request)).await?;
        let response = response.into_inner();
        for entry in &response.items {
            show(entry)?;
        }
        for id in response.missing_message_ids {
            print_line(format_args!("{id}: not found"))?;
        }
        message_ids = response.remaining_message_ids;
    }
    Ok(())
}

async fn unread(
    client: &mut MessagingClient<Channel>,
    session: &Session,
) -> Result<Vec<String>, Failure> {
    let criteria = SearchCriteria {
        msgbox: INBOX.to_owned(),
        read: Some(false),
        ..SearchCriteria::default()
    };
    let context = PageContext {
        search_criteria: Some(criteria),
        view: MessageView::Metadata.into(),
        ..PageContext::default()
    };
    let request = session.request(GetMessagesPageRequest {
        context: Some(context),
    });
    let response = client.get_messages_page(request).await?.into_inner();
    let items = response.results.unwrap_or_default().items;
    Ok(items.into_iter().map(|entry| entry.message_id).collect())
}

fn show(entry: &MsgboxEntry) -> Result<(), Failure> {
    let Some(message) = &entry.message else {
        return Ok(());
    };
    print_line(format_args!(
        "{} from {} at {}\n{}\n",
        entry.message_id,
        person(message.sender.as_ref()),
        time(message.send_time.as_ref()),
        text_of(message)
    ))
}
