//! `GetMessagesPage`: a page of the app's messages, by number.

use proto::sys::v1::{GetMessagesPageRequest, GetMessagesPageResponse};
use rpc::convert::page::{PageRequest, RepositoryPages};
use rpc::{RpcError, System};
use storage::MailStore;

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: GetMessagesPageRequest,
) -> Result<GetMessagesPageResponse, RpcError> {
    let app = system.app();
    let page = PageRequest::parse(request.context)?;
    let (context, results) = RepositoryPages { store, app }.page(page).await?;
    Ok(GetMessagesPageResponse {
        context,
        results: Some(results),
    })
}
