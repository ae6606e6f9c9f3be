//! `GetMessageCountsForOwner`: counts of a user's boxes, and the feed position at which they
//! were read.

use proto::sys::v1::{GetMessageCountsForOwnerRequest, GetMessageCountsForOwnerResponse};
use rpc::convert::{counts, cursor};
use rpc::{RpcError, System};
use storage::{MailStore, Requester};

use crate::owner;

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: GetMessageCountsForOwnerRequest,
) -> Result<GetMessageCountsForOwnerResponse, RpcError> {
    let owner = owner::parse_only(&request.owner_profile_id)?;
    let counted = store.counts(system.app(), &owner, Requester::App).await?;
    Ok(GetMessageCountsForOwnerResponse {
        boxes: counts::boxes(&counted.counts),
        cursor: cursor::show(counted.offset, system.app(), &owner),
    })
}
