//! The caller's boxes with their counts.

use proto::v1::{GetMessageBoxesRequest, GetMessageBoxesResponse};
use rpc::convert::counts;
use rpc::{RpcError, User};
use storage::{MailStore, Requester};
use tonic::Request;

pub async fn handle(
    store: &dyn MailStore,
    request: Request<GetMessageBoxesRequest>,
) -> Result<GetMessageBoxesResponse, RpcError> {
    let user = User::of(&request)?;
    let counted = store
        .counts(user.app(), user.profile(), Requester::Owner)
        .await?;
    Ok(GetMessageBoxesResponse {
        boxes: counts::boxes(&counted.counts),
    })
}
