//! The service for users: `postroom.v1.Messaging`.
//!
//! Each RPC has a file, in the order handle, parse, answer, tests. Conversions shared with the
//! service for the app are in [`rpc::convert`]. A new RPC is a file, and here its module and
//! its method.

mod block_profile;
mod clear_messages;
pub mod conversations;
mod delete_messages;
mod edit_message;
mod get_changes;
mod get_message_boxes;
mod get_message_counts;
mod get_messages;
mod get_messages_page;
mod get_messages_page_offset;
mod list_blocks;
mod mark_messages_delivered;
mod mark_messages_read;
mod send_message;
mod send_message_simple;
mod stream_timing;
mod subscribe;
#[cfg(test)]
mod testing;
mod unblock_profile;

use std::sync::Arc;

use proto::v1;
use proto::v1::messaging_server::{Messaging, MessagingServer};
use realtime::Hub;
use rpc::methods::messaging;
use rpc::{GrpcResult, Revocations, call};
use storage::MailStore;
use tonic::Request;

pub use self::stream_timing::StreamTiming;
use self::subscribe::Streams;

/// Maximum size of a response, in bytes: the default limit of clients. `GetMessages` and pages
/// have tighter limits of their own, so a larger response is a bug.
const RESPONSE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Service for users.
pub struct Service {
    store: Arc<dyn MailStore>,
    streams: Arc<Streams>,
}

/// Options of the service.
#[derive(Clone)]
pub struct Options {
    /// Maximum size of a request, in bytes.
    pub max_request_bytes: usize,
    /// Timings of streams.
    pub timing: StreamTiming,
    /// Revocations of tokens, against which those of open streams are held.
    pub revocations: Arc<Revocations>,
}

/// Creates the service over a store, whose changes the hub announces.
pub fn service(
    store: Arc<dyn MailStore>,
    hub: Arc<Hub>,
    options: Options,
) -> MessagingServer<Service> {
    let streams = Streams::new(hub, options.timing, options.revocations);
    MessagingServer::new(Service { store, streams })
        .max_decoding_message_size(options.max_request_bytes)
        .max_encoding_message_size(RESPONSE_BYTES_MAX)
}

#[tonic::async_trait]
impl Messaging for Service {
    async fn get_message_boxes(
        &self,
        request: Request<v1::GetMessageBoxesRequest>,
    ) -> GrpcResult<v1::GetMessageBoxesResponse> {
        call(&messaging::GET_MESSAGE_BOXES, request, |user, _, _| {
            get_message_boxes::handle(&*self.store, user)
        })
        .await
    }

    async fn get_message_counts(
        &self,
        request: Request<v1::GetMessageCountsRequest>,
    ) -> GrpcResult<v1::GetMessageCountsResponse> {
        call(&messaging::GET_MESSAGE_COUNTS, request, |user, _, _| {
            get_message_counts::handle(&*self.store, user)
        })
        .await
    }

    async fn get_messages(
        &self,
        request: Request<v1::GetMessagesRequest>,
    ) -> GrpcResult<v1::GetMessagesResponse> {
        call(
            &messaging::GET_MESSAGES,
            request,
            |user, request, budget| get_messages::handle(&*self.store, user, request, budget),
        )
        .await
    }

    async fn get_messages_page(
        &self,
        request: Request<v1::GetMessagesPageRequest>,
    ) -> GrpcResult<v1::GetMessagesPageResponse> {
        call(
            &messaging::GET_MESSAGES_PAGE,
            request,
            |user, request, budget| get_messages_page::handle(&*self.store, user, request, budget),
        )
        .await
    }

    async fn get_messages_page_offset(
        &self,
        request: Request<v1::GetMessagesPageOffsetRequest>,
    ) -> GrpcResult<v1::GetMessagesPageOffsetResponse> {
        call(
            &messaging::GET_MESSAGES_PAGE_OFFSET,
            request,
            |user, request, budget| {
                get_messages_page_offset::handle(&*self.store, user, request, budget)
            },
        )
        .await
    }

    async fn send_message(
        &self,
        request: Request<v1::SendMessageRequest>,
    ) -> GrpcResult<v1::SendMessageResponse> {
        call(
            &messaging::SEND_MESSAGE,
            request,
            |user, request, budget| send_message::handle(&*self.store, user, request, budget),
        )
        .await
    }

    async fn send_message_simple(
        &self,
        request: Request<v1::SendMessageSimpleRequest>,
    ) -> GrpcResult<v1::SendMessageSimpleResponse> {
        call(
            &messaging::SEND_MESSAGE_SIMPLE,
            request,
            |user, request, budget| {
                send_message_simple::handle(&*self.store, user, request, budget)
            },
        )
        .await
    }

    async fn mark_messages_read(
        &self,
        request: Request<v1::MarkMessagesReadRequest>,
    ) -> GrpcResult<v1::MarkMessagesReadResponse> {
        call(
            &messaging::MARK_MESSAGES_READ,
            request,
            |user, request, budget| mark_messages_read::handle(&*self.store, user, request, budget),
        )
        .await
    }

    async fn delete_messages(
        &self,
        request: Request<v1::DeleteMessagesRequest>,
    ) -> GrpcResult<v1::DeleteMessagesResponse> {
        call(
            &messaging::DELETE_MESSAGES,
            request,
            |user, request, budget| delete_messages::handle(&*self.store, user, request, budget),
        )
        .await
    }

    async fn clear_messages(
        &self,
        request: Request<v1::ClearMessagesRequest>,
    ) -> GrpcResult<v1::ClearMessagesResponse> {
        call(
            &messaging::CLEAR_MESSAGES,
            request,
            |user, request, budget| clear_messages::handle(&*self.store, user, request, budget),
        )
        .await
    }

    async fn edit_message(
        &self,
        request: Request<v1::EditMessageRequest>,
    ) -> GrpcResult<v1::EditMessageResponse> {
        call(
            &messaging::EDIT_MESSAGE,
            request,
            |user, request, budget| edit_message::handle(&*self.store, user, request, budget),
        )
        .await
    }

    async fn mark_messages_delivered(
        &self,
        request: Request<v1::MarkMessagesDeliveredRequest>,
    ) -> GrpcResult<v1::MarkMessagesDeliveredResponse> {
        call(
            &messaging::MARK_MESSAGES_DELIVERED,
            request,
            |user, request, budget| {
                mark_messages_delivered::handle(&*self.store, user, request, budget)
            },
        )
        .await
    }

    async fn block_profile(
        &self,
        request: Request<v1::BlockProfileRequest>,
    ) -> GrpcResult<v1::BlockProfileResponse> {
        call(
            &messaging::BLOCK_PROFILE,
            request,
            |user, request, budget| block_profile::handle(&*self.store, user, request, budget),
        )
        .await
    }

    async fn unblock_profile(
        &self,
        request: Request<v1::UnblockProfileRequest>,
    ) -> GrpcResult<v1::UnblockProfileResponse> {
        call(
            &messaging::UNBLOCK_PROFILE,
            request,
            |user, request, budget| unblock_profile::handle(&*self.store, user, request, budget),
        )
        .await
    }

    async fn list_blocks(
        &self,
        request: Request<v1::ListBlocksRequest>,
    ) -> GrpcResult<v1::ListBlocksResponse> {
        call(&messaging::LIST_BLOCKS, request, |user, request, _| {
            list_blocks::handle(&*self.store, user, request)
        })
        .await
    }

    async fn get_changes(
        &self,
        request: Request<v1::GetChangesRequest>,
    ) -> GrpcResult<v1::GetChangesResponse> {
        call(&messaging::GET_CHANGES, request, |user, request, _| {
            get_changes::handle(&*self.store, user, request)
        })
        .await
    }

    type SubscribeStream = subscribe::FrameStream;

    async fn subscribe(
        &self,
        request: Request<v1::SubscribeRequest>,
    ) -> GrpcResult<Self::SubscribeStream> {
        call(&messaging::SUBSCRIBE, request, |user, request, _| {
            subscribe::handle(Arc::clone(&self.store), &self.streams, user, request)
        })
        .await
    }
}
