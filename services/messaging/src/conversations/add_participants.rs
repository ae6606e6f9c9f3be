//! `AddParticipants`: a participant of a conversation brings others into it.

use domain::operation::ParticipantsChange;
use proto::v1::{AddParticipantsRequest, AddParticipantsResponse};
use rpc::methods::conversations::ADD_PARTICIPANTS;
use rpc::{RpcError, User};
use storage::{Budget, MailStore};

use super::participants::ParticipantsRequest;

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: AddParticipantsRequest,
    budget: Budget,
) -> Result<AddParticipantsResponse, RpcError> {
    let request = ParticipantsRequest {
        change: ParticipantsChange::Add,
        method: ADD_PARTICIPANTS.path,
        conversation_id: &request.conversation_id,
        participants: &request.participants,
        request_id: &request.request_id,
    };
    let operation = request.parse(user.profile())?;
    let version = store.execute(user.app(), operation, budget).await?;
    Ok(AddParticipantsResponse { version: version.0 })
}
