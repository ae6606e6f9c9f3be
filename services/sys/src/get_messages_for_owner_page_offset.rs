//! The page of a user's entries that lies some pages from one that was answered.

use proto::sys::v1::{GetMessagesForOwnerPageOffsetRequest, GetMessagesForOwnerPageOffsetResponse};
use proto::v1::PageContext;
use rpc::convert::page::Step;
use rpc::{RpcError, System};
use storage::MailStore;
use tonic::Request;

use crate::owner;

pub async fn handle(
    store: &dyn MailStore,
    request: Request<GetMessagesForOwnerPageOffsetRequest>,
) -> Result<GetMessagesForOwnerPageOffsetResponse, RpcError> {
    let system = System::of(&request)?;
    let request = request.into_inner();
    let owner = owner::parse_only(&request.owner_profile_id)?;
    let mailbox = owner::mailbox(store, &system, &owner);
    let step = Step::from::<PageContext>(mailbox.binding(), &request.context, request.page_offset)
        .ok_or(RpcError::PageContextInvalid)?;
    let (context, results) = mailbox.page(step).await?;
    Ok(GetMessagesForOwnerPageOffsetResponse {
        context,
        results: Some(results),
    })
}
