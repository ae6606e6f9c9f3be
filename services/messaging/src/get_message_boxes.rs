//! `GetMessageBoxes`: a user's boxes with their counts.

use proto::v1::GetMessageBoxesResponse;
use rpc::convert::counts;
use rpc::{RpcError, User};
use storage::{MailStore, Requester};

pub async fn handle(
    store: &dyn MailStore,
    user: User,
) -> Result<GetMessageBoxesResponse, RpcError> {
    let counted = store
        .counts(user.app(), user.profile(), Requester::Owner)
        .await?;
    Ok(GetMessageBoxesResponse {
        boxes: counts::boxes(&counted.counts),
    })
}
