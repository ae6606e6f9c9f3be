//! A page of a user's entries, by number.

use domain::{ProfileId, Violations};
use proto::sys::v1::{GetMessagesForOwnerPageRequest, GetMessagesForOwnerPageResponse};
use rpc::convert::page::Step;
use rpc::{RpcError, System};
use storage::MailStore;
use tonic::Request;

use crate::owner;

pub async fn handle(
    store: &dyn MailStore,
    request: Request<GetMessagesForOwnerPageRequest>,
) -> Result<GetMessagesForOwnerPageResponse, RpcError> {
    let system = System::of(&request)?;
    let (owner, step) = parse(request.into_inner())?;
    let (context, results) = owner::mailbox(store, &system, &owner).page(step).await?;
    Ok(GetMessagesForOwnerPageResponse {
        context,
        results: Some(results),
    })
}

fn parse(request: GetMessagesForOwnerPageRequest) -> Result<(ProfileId, Step), Violations> {
    let mut violations = Violations::none();
    let owner = owner::parse(&request.owner_profile_id, &mut violations);
    let step = Step::to(request.context, &mut violations);
    violations.finish(owner.map(|owner| (owner, step)))
}
