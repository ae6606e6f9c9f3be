//! `GetMessagesPageOffset`: a page of a user's entries, by its offset from an earlier page.

use proto::v1::{GetMessagesPageOffsetRequest, GetMessagesPageOffsetResponse, PageContext};
use rpc::convert::page::PageRequest;
use rpc::{RpcError, User};
use storage::{Budget, MailStore};

use crate::get_messages_page::own_pages;

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: GetMessagesPageOffsetRequest,
    budget: Budget,
) -> Result<GetMessagesPageOffsetResponse, RpcError> {
    let mailbox = own_pages(store, &user, budget);
    let page = PageRequest::offset::<PageContext>(
        mailbox.binding(),
        &request.context,
        request.page_offset,
    )
    .ok_or(RpcError::PageContextInvalid)?;
    let (context, results) = mailbox.page(page).await?;
    Ok(GetMessagesPageOffsetResponse {
        context,
        results: Some(results),
    })
}
