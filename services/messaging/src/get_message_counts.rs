//! `GetMessageCounts`: counts of a user's boxes, and the feed position at which they were read.

use proto::v1::GetMessageCountsResponse;
use rpc::convert::{counts, cursor};
use rpc::{RpcError, User};
use storage::{MailStore, Requester};

pub async fn handle(
    store: &dyn MailStore,
    user: User,
) -> Result<GetMessageCountsResponse, RpcError> {
    let counted = store
        .counts(user.app(), user.profile(), Requester::Owner)
        .await?;
    Ok(GetMessageCountsResponse {
        boxes: counts::boxes(&counted.counts),
        cursor: cursor::show(counted.offset, user.app(), user.profile()),
    })
}
