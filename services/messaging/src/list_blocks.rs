//! `ListBlocks`: the profiles that a user blocks.

use domain::limits::{ROWS_PER_PAGE_DEFAULT, ROWS_PER_PAGE_MAX};
use domain::number::saturating;
use domain::{Block, ProfileId};
use proto::internal::v1::BlockPageToken;
use proto::v1::{BlockedProfile, ListBlocksRequest, ListBlocksResponse};
use rpc::convert::time;
use rpc::convert::token::Binding;
use rpc::methods::messaging::LIST_BLOCKS;
use rpc::{RpcError, User};
use storage::MailStore;

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: ListBlocksRequest,
) -> Result<ListBlocksResponse, RpcError> {
    let (app, owner) = (user.app(), user.profile());
    let binding = Binding {
        app,
        owner: Some(owner),
        method: LIST_BLOCKS.path,
    };
    let rows = match request.page_size {
        0 => ROWS_PER_PAGE_DEFAULT,
        size => size.min(ROWS_PER_PAGE_MAX),
    };
    let after = parse(&binding, &request.page_token)?;
    let mut blocks = store.blocks(app, owner, after.as_ref(), rows + 1).await?;
    let is_last = blocks.len() <= saturating::<usize, _>(rows);
    blocks.truncate(saturating(rows));
    let last = blocks.last().filter(|_| !is_last);
    let next = last.map(|last| {
        binding.seal(&BlockPageToken {
            profile_id: last.profile_id.as_str().to_owned(),
        })
    });
    Ok(ListBlocksResponse {
        blocks: blocks.iter().map(show).collect(),
        next_page_token: next.unwrap_or_default(),
    })
}

/// Returns the profile in a page token; none for the first page.
fn parse(binding: &Binding<'_>, token: &str) -> Result<Option<ProfileId>, RpcError> {
    if token.is_empty() {
        return Ok(None);
    }
    let BlockPageToken { profile_id } = binding.open(token).ok_or(RpcError::PageContextInvalid)?;
    let profile_id = ProfileId::parse(&profile_id).map_err(|_| RpcError::PageContextInvalid)?;
    Ok(Some(profile_id))
}

fn show(block: &Block) -> BlockedProfile {
    BlockedProfile {
        profile_id: block.profile_id.as_str().to_owned(),
        create_time: Some(time::timestamp(block.create_ms)),
    }
}
