//! `GetMessagesPageOffset`: a page of the app's messages, by its offset from an earlier page.

use proto::sys::v1::{
    GetMessagesPageOffsetRequest, GetMessagesPageOffsetResponse, RepositoryPageContext,
};
use rpc::convert::page::{PageRequest, RepositoryPages};
use rpc::{RpcError, System};
use storage::MailStore;

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: GetMessagesPageOffsetRequest,
) -> Result<GetMessagesPageOffsetResponse, RpcError> {
    let app = system.app();
    let repository = RepositoryPages { store, app };
    let page = PageRequest::offset::<RepositoryPageContext>(
        repository.binding(),
        &request.context,
        request.page_offset,
    )
    .ok_or(RpcError::PageContextInvalid)?;
    let (context, results) = repository.page(page).await?;
    Ok(GetMessagesPageOffsetResponse {
        context,
        results: Some(results),
    })
}
