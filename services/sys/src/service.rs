//! The methods, one line each.

use std::sync::Arc;

use proto::sys::v1;
use proto::sys::v1::sys_server::{Sys, SysServer};
use rpc::Limiter;
use rpc::convert::reply::{Reply, reply};
use storage::MailStore;
use tonic::{Request, Streaming};

use crate::{
    cancel_send_job, delete_message, delete_messages, get_app_settings, get_bulk,
    get_message_counts_for_owner, get_messages, get_messages_for_owner_page,
    get_messages_for_owner_page_offset, get_messages_page, get_messages_page_offset, get_send_job,
    send_bulk, send_message, send_message_simple, send_to_profiles, update_app_settings,
    update_message,
};

/// The service for the app itself.
pub struct Service {
    store: Arc<dyn MailStore>,
    limiter: Arc<Limiter>,
}

/// The service over a store; `limiter` hears of new quotas, and requests of more than
/// `max_request_bytes` are refused.
pub fn service(
    store: Arc<dyn MailStore>,
    limiter: Arc<Limiter>,
    max_request_bytes: usize,
) -> SysServer<Service> {
    SysServer::new(Service { store, limiter }).max_decoding_message_size(max_request_bytes)
}

#[tonic::async_trait]
impl Sys for Service {
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

    async fn get_messages_for_owner_page(
        &self,
        request: Request<v1::GetMessagesForOwnerPageRequest>,
    ) -> Reply<v1::GetMessagesForOwnerPageResponse> {
        reply(get_messages_for_owner_page::handle(&*self.store, request).await)
    }

    async fn get_messages_for_owner_page_offset(
        &self,
        request: Request<v1::GetMessagesForOwnerPageOffsetRequest>,
    ) -> Reply<v1::GetMessagesForOwnerPageOffsetResponse> {
        reply(get_messages_for_owner_page_offset::handle(&*self.store, request).await)
    }

    async fn get_message_counts_for_owner(
        &self,
        request: Request<v1::GetMessageCountsForOwnerRequest>,
    ) -> Reply<v1::GetMessageCountsForOwnerResponse> {
        reply(get_message_counts_for_owner::handle(&*self.store, request).await)
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

    async fn update_message(
        &self,
        request: Request<v1::UpdateMessageRequest>,
    ) -> Reply<v1::UpdateMessageResponse> {
        reply(update_message::handle(&*self.store, request).await)
    }

    async fn delete_message(
        &self,
        request: Request<v1::DeleteMessageRequest>,
    ) -> Reply<v1::DeleteMessageResponse> {
        reply(delete_message::handle(&*self.store, request).await)
    }

    async fn delete_messages(
        &self,
        request: Request<v1::DeleteMessagesRequest>,
    ) -> Reply<v1::DeleteMessagesResponse> {
        reply(delete_messages::handle(&*self.store, request).await)
    }

    async fn get_app_settings(
        &self,
        request: Request<v1::GetAppSettingsRequest>,
    ) -> Reply<v1::GetAppSettingsResponse> {
        reply(get_app_settings::handle(&*self.store, request).await)
    }

    async fn update_app_settings(
        &self,
        request: Request<v1::UpdateAppSettingsRequest>,
    ) -> Reply<v1::UpdateAppSettingsResponse> {
        reply(update_app_settings::handle(&*self.store, &self.limiter, request).await)
    }

    async fn send_bulk(
        &self,
        request: Request<v1::SendBulkRequest>,
    ) -> Reply<v1::SendBulkResponse> {
        reply(send_bulk::handle(&*self.store, request).await)
    }

    async fn get_bulk(&self, request: Request<v1::GetBulkRequest>) -> Reply<v1::GetBulkResponse> {
        reply(get_bulk::handle(&*self.store, request).await)
    }

    async fn send_to_profiles(
        &self,
        request: Request<Streaming<v1::SendToProfilesRequest>>,
    ) -> Reply<v1::SendToProfilesResponse> {
        reply(send_to_profiles::handle(&*self.store, request).await)
    }

    async fn get_send_job(
        &self,
        request: Request<v1::GetSendJobRequest>,
    ) -> Reply<v1::GetSendJobResponse> {
        reply(get_send_job::handle(&*self.store, request).await)
    }

    async fn cancel_send_job(
        &self,
        request: Request<v1::CancelSendJobRequest>,
    ) -> Reply<v1::CancelSendJobResponse> {
        reply(cancel_send_job::handle(&*self.store, request).await)
    }
}
