//! A page of the repository, by number.

use proto::sys::v1::{GetMessagesPageRequest, GetMessagesPageResponse};
use rpc::convert::page::{Repository, Step};
use rpc::{RpcError, System};
use storage::MailStore;
use tonic::Request;

pub async fn handle(
    store: &dyn MailStore,
    request: Request<GetMessagesPageRequest>,
) -> Result<GetMessagesPageResponse, RpcError> {
    let system = System::of(&request)?;
    let app = system.app();
    let step = Step::parse(request.into_inner().context)?;
    let (context, results) = Repository { store, app }.page(step).await?;
    Ok(GetMessagesPageResponse {
        context,
        results: Some(results),
    })
}
