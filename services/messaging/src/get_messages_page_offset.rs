//! The page of the caller's entries that lies some pages from one that was answered.

use proto::v1::{GetMessagesPageOffsetRequest, GetMessagesPageOffsetResponse, PageContext};
use rpc::convert::page::Step;
use rpc::{RpcError, User};
use storage::MailStore;
use tonic::Request;

use crate::get_messages_page::own;

pub async fn handle(
    store: &dyn MailStore,
    request: Request<GetMessagesPageOffsetRequest>,
) -> Result<GetMessagesPageOffsetResponse, RpcError> {
    let user = User::of(&request)?;
    let request = request.into_inner();
    let mailbox = own(store, &user);
    let step = Step::from::<PageContext>(mailbox.binding(), &request.context, request.page_offset)
        .ok_or(RpcError::PageContextInvalid)?;
    let (context, results) = mailbox.page(step).await?;
    Ok(GetMessagesPageOffsetResponse {
        context,
        results: Some(results),
    })
}
