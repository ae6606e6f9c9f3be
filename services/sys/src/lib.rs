//! The service for the app itself: `postroom.sys.v1.Sys`.
//!
//! Each RPC has a file, in the order handle, parse, answer, tests. Conversions shared with the
//! service for users are in [`rpc::convert`]. A new RPC is a file, and here its module and its
//! method.

mod cancel_send_job;
mod delete_message;
mod delete_messages;
mod erase_app;
mod erase_profile;
mod export_profile;
mod get_app_settings;
mod get_bulk;
mod get_erasure;
mod get_message_counts_for_owner;
mod get_messages;
mod get_messages_for_owner_page;
mod get_messages_for_owner_page_offset;
mod get_messages_page;
mod get_messages_page_offset;
mod get_send_job;
mod job;
mod list_audit;
mod owner;
mod revoke_tokens;
mod send_bulk;
mod send_message;
mod send_message_simple;
mod send_to_profiles;
mod sender;
mod settings;
mod update_app_settings;
mod update_message;

use std::sync::Arc;

use proto::sys::v1;
use proto::sys::v1::sys_server::{Sys, SysServer};
use rpc::methods::sys;
use rpc::{GrpcResult, Limiter, Revocations, call};
use storage::Store;
use tonic::{Request, Streaming};

/// Service for the app itself.
pub struct Service {
    store: Arc<dyn Store>,
    limiter: Arc<Limiter>,
    revocations: Arc<Revocations>,
}

/// Creates the service over a store. Changed quotas go to `limiter`, new revocations to
/// `revocations`; requests of more than `max_request_bytes` are rejected.
pub fn service(
    store: Arc<dyn Store>,
    limiter: Arc<Limiter>,
    revocations: Arc<Revocations>,
    max_request_bytes: usize,
) -> SysServer<Service> {
    let service = Service {
        store,
        limiter,
        revocations,
    };
    SysServer::new(service).max_decoding_message_size(max_request_bytes)
}

#[tonic::async_trait]
impl Sys for Service {
    async fn get_messages(
        &self,
        request: Request<v1::GetMessagesRequest>,
    ) -> GrpcResult<v1::GetMessagesResponse> {
        call(&sys::GET_MESSAGES, request, |system, request, _| {
            get_messages::handle(&*self.store, system, request)
        })
        .await
    }

    async fn get_messages_page(
        &self,
        request: Request<v1::GetMessagesPageRequest>,
    ) -> GrpcResult<v1::GetMessagesPageResponse> {
        call(&sys::GET_MESSAGES_PAGE, request, |system, request, _| {
            get_messages_page::handle(&*self.store, system, request)
        })
        .await
    }

    async fn get_messages_page_offset(
        &self,
        request: Request<v1::GetMessagesPageOffsetRequest>,
    ) -> GrpcResult<v1::GetMessagesPageOffsetResponse> {
        call(
            &sys::GET_MESSAGES_PAGE_OFFSET,
            request,
            |system, request, _| get_messages_page_offset::handle(&*self.store, system, request),
        )
        .await
    }

    async fn get_messages_for_owner_page(
        &self,
        request: Request<v1::GetMessagesForOwnerPageRequest>,
    ) -> GrpcResult<v1::GetMessagesForOwnerPageResponse> {
        call(
            &sys::GET_MESSAGES_FOR_OWNER_PAGE,
            request,
            |system, request, _| get_messages_for_owner_page::handle(&*self.store, system, request),
        )
        .await
    }

    async fn get_messages_for_owner_page_offset(
        &self,
        request: Request<v1::GetMessagesForOwnerPageOffsetRequest>,
    ) -> GrpcResult<v1::GetMessagesForOwnerPageOffsetResponse> {
        call(
            &sys::GET_MESSAGES_FOR_OWNER_PAGE_OFFSET,
            request,
            |system, request, _| {
                get_messages_for_owner_page_offset::handle(&*self.store, system, request)
            },
        )
        .await
    }

    async fn get_message_counts_for_owner(
        &self,
        request: Request<v1::GetMessageCountsForOwnerRequest>,
    ) -> GrpcResult<v1::GetMessageCountsForOwnerResponse> {
        call(
            &sys::GET_MESSAGE_COUNTS_FOR_OWNER,
            request,
            |system, request, _| {
                get_message_counts_for_owner::handle(&*self.store, system, request)
            },
        )
        .await
    }

    async fn send_message(
        &self,
        request: Request<v1::SendMessageRequest>,
    ) -> GrpcResult<v1::SendMessageResponse> {
        call(&sys::SEND_MESSAGE, request, |system, request, budget| {
            send_message::handle(&*self.store, system, request, budget)
        })
        .await
    }

    async fn send_message_simple(
        &self,
        request: Request<v1::SendMessageSimpleRequest>,
    ) -> GrpcResult<v1::SendMessageSimpleResponse> {
        call(
            &sys::SEND_MESSAGE_SIMPLE,
            request,
            |system, request, budget| {
                send_message_simple::handle(&*self.store, system, request, budget)
            },
        )
        .await
    }

    async fn update_message(
        &self,
        request: Request<v1::UpdateMessageRequest>,
    ) -> GrpcResult<v1::UpdateMessageResponse> {
        call(&sys::UPDATE_MESSAGE, request, |system, request, budget| {
            update_message::handle(&*self.store, system, request, budget)
        })
        .await
    }

    async fn delete_message(
        &self,
        request: Request<v1::DeleteMessageRequest>,
    ) -> GrpcResult<v1::DeleteMessageResponse> {
        call(&sys::DELETE_MESSAGE, request, |system, request, budget| {
            delete_message::handle(&*self.store, system, request, budget)
        })
        .await
    }

    async fn delete_messages(
        &self,
        request: Request<v1::DeleteMessagesRequest>,
    ) -> GrpcResult<v1::DeleteMessagesResponse> {
        call(&sys::DELETE_MESSAGES, request, |system, request, budget| {
            delete_messages::handle(&*self.store, system, request, budget)
        })
        .await
    }

    async fn get_app_settings(
        &self,
        request: Request<v1::GetAppSettingsRequest>,
    ) -> GrpcResult<v1::GetAppSettingsResponse> {
        call(&sys::GET_APP_SETTINGS, request, |system, _, _| {
            get_app_settings::handle(&*self.store, system)
        })
        .await
    }

    async fn update_app_settings(
        &self,
        request: Request<v1::UpdateAppSettingsRequest>,
    ) -> GrpcResult<v1::UpdateAppSettingsResponse> {
        call(
            &sys::UPDATE_APP_SETTINGS,
            request,
            |system, request, budget| {
                update_app_settings::handle(&*self.store, &self.limiter, system, request, budget)
            },
        )
        .await
    }

    async fn revoke_tokens(
        &self,
        request: Request<v1::RevokeTokensRequest>,
    ) -> GrpcResult<v1::RevokeTokensResponse> {
        call(&sys::REVOKE_TOKENS, request, |system, request, budget| {
            revoke_tokens::handle(&*self.store, &self.revocations, system, request, budget)
        })
        .await
    }

    async fn erase_profile(
        &self,
        request: Request<v1::EraseProfileRequest>,
    ) -> GrpcResult<v1::EraseProfileResponse> {
        call(&sys::ERASE_PROFILE, request, |system, request, budget| {
            erase_profile::handle(&*self.store, &self.revocations, system, request, budget)
        })
        .await
    }

    async fn get_erasure(
        &self,
        request: Request<v1::GetErasureRequest>,
    ) -> GrpcResult<v1::GetErasureResponse> {
        call(&sys::GET_ERASURE, request, |system, request, _| {
            get_erasure::handle(&*self.store, system, request)
        })
        .await
    }

    async fn erase_app(
        &self,
        request: Request<v1::EraseAppRequest>,
    ) -> GrpcResult<v1::EraseAppResponse> {
        call(&sys::ERASE_APP, request, |system, request, budget| {
            erase_app::handle(&*self.store, system, request, budget)
        })
        .await
    }

    async fn export_profile(
        &self,
        request: Request<v1::ExportProfileRequest>,
    ) -> GrpcResult<v1::ExportProfileResponse> {
        call(&sys::EXPORT_PROFILE, request, |system, request, _| {
            export_profile::handle(&*self.store, system, request)
        })
        .await
    }

    async fn send_bulk(
        &self,
        request: Request<v1::SendBulkRequest>,
    ) -> GrpcResult<v1::SendBulkResponse> {
        call(&sys::SEND_BULK, request, |system, request, budget| {
            send_bulk::handle(&*self.store, system, request, budget)
        })
        .await
    }

    async fn get_bulk(
        &self,
        request: Request<v1::GetBulkRequest>,
    ) -> GrpcResult<v1::GetBulkResponse> {
        call(&sys::GET_BULK, request, |system, request, _| {
            get_bulk::handle(&*self.store, system, request)
        })
        .await
    }

    async fn send_to_profiles(
        &self,
        request: Request<Streaming<v1::SendToProfilesRequest>>,
    ) -> GrpcResult<v1::SendToProfilesResponse> {
        call(
            &sys::SEND_TO_PROFILES,
            request,
            |system, request, budget| {
                send_to_profiles::handle(&*self.store, system, request, budget)
            },
        )
        .await
    }

    async fn get_send_job(
        &self,
        request: Request<v1::GetSendJobRequest>,
    ) -> GrpcResult<v1::GetSendJobResponse> {
        call(&sys::GET_SEND_JOB, request, |system, request, _| {
            get_send_job::handle(&*self.store, system, request)
        })
        .await
    }

    async fn cancel_send_job(
        &self,
        request: Request<v1::CancelSendJobRequest>,
    ) -> GrpcResult<v1::CancelSendJobResponse> {
        call(&sys::CANCEL_SEND_JOB, request, |system, request, budget| {
            cancel_send_job::handle(&*self.store, system, request, budget)
        })
        .await
    }

    async fn list_audit(
        &self,
        request: Request<v1::ListAuditRequest>,
    ) -> GrpcResult<v1::ListAuditResponse> {
        call(&sys::LIST_AUDIT, request, |system, request, _| {
            list_audit::handle(&*self.store, system, request)
        })
        .await
    }
}
