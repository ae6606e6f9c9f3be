//! The page of the repository that lies some pages from one that was answered.

use proto::sys::v1::{
    GetMessagesPageOffsetRequest, GetMessagesPageOffsetResponse, RepositoryPageContext,
};
use rpc::convert::page::{Repository, Step};
use rpc::{RpcError, System};
use storage::MailStore;
use tonic::Request;

pub async fn handle(
    store: &dyn MailStore,
    request: Request<GetMessagesPageOffsetRequest>,
) -> Result<GetMessagesPageOffsetResponse, RpcError> {
    let system = System::of(&request)?;
    let app = system.app();
    let repository = Repository { store, app };
    let request = request.into_inner();
    let step = Step::from::<RepositoryPageContext>(
        repository.binding(),
        &request.context,
        request.page_offset,
    )
    .ok_or(RpcError::PageContextInvalid)?;
    let (context, results) = repository.page(step).await?;
    Ok(GetMessagesPageOffsetResponse {
        context,
        results: Some(results),
    })
}
