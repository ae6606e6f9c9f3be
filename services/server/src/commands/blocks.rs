//! `postroom blocks`: the profiles that a user blocks.

use clap::Args as Arguments;
use proto::v1::ListBlocksRequest;
use proto::v1::messaging_client::MessagingClient;

use crate::client::{UserArgs, table, time};
use crate::failure::Failure;
use crate::output::print_line;

/// List the profiles that a user blocks
#[derive(Debug, Arguments)]
#[command(after_help = "Example:\n  postroom blocks --as bob")]
pub struct Args {
    #[command(flatten)]
    endpoint: UserArgs,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let session = args.endpoint.connect().await?;
    let mut client = MessagingClient::new(session.channel.clone());
    let mut table = table(&["profile", "since"]);
    let mut page_token = String::new();
    loop {
        let request = session.request(ListBlocksRequest {
            page_size: 200,
            page_token,
        });
        let page = client.list_blocks(request).await?.into_inner();
        for block in &page.blocks {
            let since = time(block.create_time.as_ref());
            table.add_row([block.profile_id.clone(), since]);
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    print_line(&table)
}
