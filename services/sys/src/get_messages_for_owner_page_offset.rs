//! `GetMessagesForOwnerPageOffset`: a page of a user's entries, by its offset from an earlier
//! page.

use proto::sys::v1::{GetMessagesForOwnerPageOffsetRequest, GetMessagesForOwnerPageOffsetResponse};
use proto::v1::PageContext;
use rpc::convert::page::PageRequest;
use rpc::{RpcError, System};
use storage::MailStore;

use crate::owner;

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: GetMessagesForOwnerPageOffsetRequest,
) -> Result<GetMessagesForOwnerPageOffsetResponse, RpcError> {
    let owner = owner::parse_only(&request.owner_profile_id)?;
    let mailbox = owner::mailbox(store, &system, &owner);
    let page = PageRequest::offset::<PageContext>(
        mailbox.binding(),
        &request.context,
        request.page_offset,
    )
    .ok_or(RpcError::PageContextInvalid)?;
    let (context, results) = mailbox.page(page).await?;
    Ok(GetMessagesForOwnerPageOffsetResponse {
        context,
        results: Some(results),
    })
}
