//! The methods, one line each.

use std::sync::Arc;

use proto::v1;
use proto::v1::messaging_server::{Messaging, MessagingServer};
use realtime::Hub;
use rpc::convert::reply::{Reply, reply};
use storage::MailStore;
use tonic::Request;

use crate::subscribe::Streams;
use crate::{
    Pace, clear_messages, delete_messages, edit_message, get_changes, get_message_boxes,
    get_message_counts, get_messages, get_messages_page, get_messages_page_offset,
    mark_messages_delivered, mark_messages_read, send_message, send_message_simple, subscribe,
};

/// Bytes of an answer, which clients take by default. What is larger is a bug: `GetMessages`
/// and pages have tighter bounds of their own.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The service for users.
pub struct Service {
    store: Arc<dyn MailStore>,
    streams: Arc<Streams>,
}

/// What can be chosen about the service.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes of a request; larger ones are refused.
    pub max_request_bytes: usize,
    /// How long the things of a stream take.
    pub pace: Pace,
}

/// The service over a store, whose changes the hub hears of.
pub fn service(
    store: Arc<dyn MailStore>,
    hub: Arc<Hub>,
    options: Options,
) -> MessagingServer<Service> {
    let streams = Streams::new(hub, options.pace);
    MessagingServer::new(Service { store, streams })
        .max_decoding_message_size(options.max_request_bytes)
        .max_encoding_message_size(ANSWER_BYTES_MAX)
}

#[tonic::async_trait]
impl Messaging for Service {
    async fn get_message_boxes(
        &self,
        request: Request<v1::GetMessageBoxesRequest>,
    ) -> Reply<v1::GetMessageBoxesResponse> {
        reply(get_message_boxes::handle(&*self.store, request).await)
    }

    async fn get_message_counts(
        &self,
        request: Request<v1::GetMessageCountsRequest>,
    ) -> Reply<v1::GetMessageCountsResponse> {
        reply(get_message_counts::handle(&*self.store, request).await)
    }

    async fn get_messages(
        &self,
        request: Request<v1::GetMessagesRequest>,
    ) -> Reply<v1::GetMessagesResponse> {
        reply(get_messages::handle(&*self.store, request).await)
    }

    async fn get_messages_page(
        &self,
        request: Request<v1::GetMessagesPageRequest>,
    ) -> Reply<v1::GetMessagesPageResponse> {
        reply(get_messages_page::handle(&*self.store, request).await)
    }

    async fn get_messages_page_offset(
        &self,
        request: Request<v1::GetMessagesPageOffsetRequest>,
    ) -> Reply<v1::GetMessagesPageOffsetResponse> {
        reply(get_messages_page_offset::handle(&*self.store, request).await)
    }

    async fn send_message(
        &self,
        request: Request<v1::SendMessageRequest>,
    ) -> Reply<v1::SendMessageResponse> {
        reply(send_message::handle(&*self.store, request).await)
    }

    async fn send_message_simple(
        &self,
        request: Request<v1::SendMessageSimpleRequest>,
    ) -> Reply<v1::SendMessageSimpleResponse> {
        reply(send_message_simple::handle(&*self.store, request).await)
    }

    async fn mark_messages_read(
        &self,
        request: Request<v1::MarkMessagesReadRequest>,
    ) -> Reply<v1::MarkMessagesReadResponse> {
        reply(mark_messages_read::handle(&*self.store, request).await)
    }

    async fn delete_messages(
        &self,
        request: Request<v1::DeleteMessagesRequest>,
    ) -> Reply<v1::DeleteMessagesResponse> {
        reply(delete_messages::handle(&*self.store, request).await)
    }

    async fn clear_messages(
        &self,
        request: Request<v1::ClearMessagesRequest>,
    ) -> Reply<v1::ClearMessagesResponse> {
        reply(clear_messages::handle(&*self.store, request).await)
    }

    async fn edit_message(
        &self,
        request: Request<v1::EditMessageRequest>,
    ) -> Reply<v1::EditMessageResponse> {
        reply(edit_message::handle(&*self.store, request).await)
    }

    async fn mark_messages_delivered(
        &self,
        request: Request<v1::MarkMessagesDeliveredRequest>,
    ) -> Reply<v1::MarkMessagesDeliveredResponse> {
        reply(mark_messages_delivered::handle(&*self.store, request).await)
    }

    async fn get_changes(
        &self,
        request: Request<v1::GetChangesRequest>,
    ) -> Reply<v1::GetChangesResponse> {
        reply(get_changes::handle(&*self.store, request).await)
    }

    type SubscribeStream = subscribe::Frames;

    async fn subscribe(
        &self,
        request: Request<v1::SubscribeRequest>,
    ) -> Reply<Self::SubscribeStream> {
        let store = Arc::clone(&self.store);
        reply(subscribe::handle(store, &self.streams, request).await)
    }
}
