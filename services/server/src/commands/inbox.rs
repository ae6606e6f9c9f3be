//! `postroom inbox`: the newest messages of a box, as a table.

use clap::Args as Arguments;
use proto::v1::messaging_client::MessagingClient;
use proto::v1::{
    GetMessagesPageRequest, MessageView, MsgboxEntry, PageContext, Pagination, SearchCriteria,
};

use crate::client::{UserArgs, person, preview, table, time};
use crate::failure::Failure;
use crate::output::print_line;

const EXAMPLES: &str = "\
Examples:
  postroom inbox --as bob
  postroom inbox --as bob --unread
  postroom inbox --as alice --box sent --rows 5";

/// List the newest messages of a box
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Box: inbox or sent
    #[arg(long = "box", default_value = "inbox", value_name = "BOX")]
    msgbox: String,
    /// Only unread messages
    #[arg(long)]
    unread: bool,
    /// Maximum number of messages
    #[arg(long, default_value = "20", value_parser = clap::value_parser!(i32).range(1..=200))]
    rows: i32,
    #[command(flatten)]
    endpoint: UserArgs,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let context = PageContext {
        search_criteria: Some(SearchCriteria {
            msgbox: args.msgbox,
            read: args.unread.then_some(false),
            ..SearchCriteria::default()
        }),
        pagination: Some(Pagination {
            rows_per_page: args.rows,
            ..Pagination::default()
        }),
        view: MessageView::Full.into(),
        ..PageContext::default()
    };
    let session = args.endpoint.connect().await?;
    let mut client = MessagingClient::new(session.channel.clone());
    let request = session.request(GetMessagesPageRequest {
        context: Some(context),
    });
    let response = client.get_messages_page(request).await?.into_inner();
    let page = response.results.unwrap_or_default();

    let mut table = table(&["id", "from", "text", "time", "read"]);
    for entry in &page.items {
        table.add_row(row(entry));
    }
    print_line(&table)?;
    if page.more_after {
        print_line("… and more")?;
    }
    Ok(())
}

fn row(entry: &MsgboxEntry) -> [String; 5] {
    let message = entry.message.as_ref();
    [
        entry.message_id.clone(),
        person(message.and_then(|message| message.sender.as_ref())),
        message.map(preview).unwrap_or_default(),
        time(message.and_then(|message| message.send_time.as_ref())),
        if entry.read { "yes" } else { "no" }.to_owned(),
    ]
}
