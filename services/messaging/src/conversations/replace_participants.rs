//! `ReplaceParticipants`: a participant of a conversation replaces the others.

use domain::operation::ParticipantsChange;
use proto::v1::{ReplaceParticipantsRequest, ReplaceParticipantsResponse};
use rpc::methods::conversations::REPLACE_PARTICIPANTS;
use rpc::{RpcError, User};
use storage::{Budget, MailStore};

use super::participants::ParticipantsRequest;

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: ReplaceParticipantsRequest,
    budget: Budget,
) -> Result<ReplaceParticipantsResponse, RpcError> {
    let request = ParticipantsRequest {
        change: ParticipantsChange::Replace,
        method: REPLACE_PARTICIPANTS.path,
        conversation_id: &request.conversation_id,
        participants: &request.participants,
        request_id: &request.request_id,
    };
    let operation = request.parse(user.profile())?;
    let version = store.execute(user.app(), operation, budget).await?;
    Ok(ReplaceParticipantsResponse { version: version.0 })
}
