//! `postroom counts`: counts of a user's boxes.

use clap::Args as Arguments;
use proto::v1::GetMessageBoxesRequest;
use proto::v1::messaging_client::MessagingClient;

use crate::client::{UserArgs, table};
use crate::failure::Failure;
use crate::output::print_line;

/// Show the total and unread counts of each box
#[derive(Debug, Arguments)]
#[command(after_help = "Example:\n  postroom counts --as bob")]
pub struct Args {
    #[command(flatten)]
    endpoint: UserArgs,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let session = args.endpoint.connect().await?;
    let mut client = MessagingClient::new(session.channel.clone());
    let request = session.request(GetMessageBoxesRequest {});
    let boxes = client.get_message_boxes(request).await?.into_inner().boxes;
    let mut table = table(&["box", "total", "unread"]);
    for msgbox in boxes {
        table.add_row([
            msgbox.name,
            msgbox.total.to_string(),
            msgbox.unread.to_string(),
        ]);
    }
    print_line(&table)
}
