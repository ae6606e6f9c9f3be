//! The service for conversations: one file per RPC.
//!
//! The methods run as those of [`Messaging`](crate) do, on the same listener.

mod add_participants;
mod create_conversation;
mod get_conversations;
mod leave_conversation;
mod list_conversations;
mod participants;
mod remove_participants;
mod replace_participants;
mod update_conversation_metadata;

use std::sync::Arc;

use proto::v1;
use proto::v1::conversations_server::{Conversations, ConversationsServer};
use rpc::methods::conversations as methods;
use rpc::{GrpcResult, call};
use storage::MailStore;
use tonic::Request;

use crate::RESPONSE_BYTES_MAX;

/// Service for conversations of users.
pub struct Service {
    store: Arc<dyn MailStore>,
}

/// Creates the service over a store. `max_request_bytes`: maximum size of a request.
pub fn service(
    store: Arc<dyn MailStore>,
    max_request_bytes: usize,
) -> ConversationsServer<Service> {
    ConversationsServer::new(Service { store })
        .max_decoding_message_size(max_request_bytes)
        .max_encoding_message_size(RESPONSE_BYTES_MAX)
}

#[tonic::async_trait]
impl Conversations for Service {
    async fn create_conversation(
        &self,
        request: Request<v1::CreateConversationRequest>,
    ) -> GrpcResult<v1::CreateConversationResponse> {
        call(
            &methods::CREATE_CONVERSATION,
            request,
            |user, request, budget| {
                create_conversation::handle(&*self.store, user, request, budget)
            },
        )
        .await
    }

    async fn get_conversations(
        &self,
        request: Request<v1::GetConversationsRequest>,
    ) -> GrpcResult<v1::GetConversationsResponse> {
        call(&methods::GET_CONVERSATIONS, request, |user, request, _| {
            get_conversations::handle(&*self.store, user, request)
        })
        .await
    }

    async fn list_conversations(
        &self,
        request: Request<v1::ListConversationsRequest>,
    ) -> GrpcResult<v1::ListConversationsResponse> {
        call(
            &methods::LIST_CONVERSATIONS,
            request,
            |user, request, budget| list_conversations::handle(&*self.store, user, request, budget),
        )
        .await
    }

    async fn add_participants(
        &self,
        request: Request<v1::AddParticipantsRequest>,
    ) -> GrpcResult<v1::AddParticipantsResponse> {
        call(
            &methods::ADD_PARTICIPANTS,
            request,
            |user, request, budget| add_participants::handle(&*self.store, user, request, budget),
        )
        .await
    }

    async fn remove_participants(
        &self,
        request: Request<v1::RemoveParticipantsRequest>,
    ) -> GrpcResult<v1::RemoveParticipantsResponse> {
        call(
            &methods::REMOVE_PARTICIPANTS,
            request,
            |user, request, budget| {
                remove_participants::handle(&*self.store, user, request, budget)
            },
        )
        .await
    }

    async fn replace_participants(
        &self,
        request: Request<v1::ReplaceParticipantsRequest>,
    ) -> GrpcResult<v1::ReplaceParticipantsResponse> {
        call(
            &methods::REPLACE_PARTICIPANTS,
            request,
            |user, request, budget| {
                replace_participants::handle(&*self.store, user, request, budget)
            },
        )
        .await
    }

    async fn leave_conversation(
        &self,
        request: Request<v1::LeaveConversationRequest>,
    ) -> GrpcResult<v1::LeaveConversationResponse> {
        call(
            &methods::LEAVE_CONVERSATION,
            request,
            |user, request, budget| leave_conversation::handle(&*self.store, user, request, budget),
        )
        .await
    }

    async fn update_conversation_metadata(
        &self,
        request: Request<v1::UpdateConversationMetadataRequest>,
    ) -> GrpcResult<v1::UpdateConversationMetadataResponse> {
        call(
            &methods::UPDATE_CONVERSATION_METADATA,
            request,
            |user, request, budget| {
                update_conversation_metadata::handle(&*self.store, user, request, budget)
            },
        )
        .await
    }
}
