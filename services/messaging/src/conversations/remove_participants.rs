//! `RemoveParticipants`: a participant of a conversation removes participants.

use domain::operation::ParticipantsChange;
use proto::v1::{RemoveParticipantsRequest, RemoveParticipantsResponse};
use rpc::methods::conversations::REMOVE_PARTICIPANTS;
use rpc::{RpcError, User};
use storage::{Budget, MailStore};

use super::participants::ParticipantsRequest;

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: RemoveParticipantsRequest,
    budget: Budget,
) -> Result<RemoveParticipantsResponse, RpcError> {
    let request = ParticipantsRequest {
        change: ParticipantsChange::Remove,
        method: REMOVE_PARTICIPANTS.path,
        conversation_id: &request.conversation_id,
        participants: &request.participants,
        request_id: &request.request_id,
    };
    let operation = request.parse(user.profile())?;
    let version = store.execute(user.app(), operation, budget).await?;
    Ok(RemoveParticipantsResponse { version: version.0 })
}
