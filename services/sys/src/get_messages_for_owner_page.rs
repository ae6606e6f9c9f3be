//! `GetMessagesForOwnerPage`: a page of a user's entries, by number.

use domain::{ProfileId, Violations};
use proto::sys::v1::{GetMessagesForOwnerPageRequest, GetMessagesForOwnerPageResponse};
use rpc::convert::page::PageRequest;
use rpc::{RpcError, System};
use storage::MailStore;

use crate::owner;

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: GetMessagesForOwnerPageRequest,
) -> Result<GetMessagesForOwnerPageResponse, RpcError> {
    let (owner, page) = parse(request)?;
    let (context, results) = owner::mailbox(store, &system, &owner).page(page).await?;
    Ok(GetMessagesForOwnerPageResponse {
        context,
        results: Some(results),
    })
}

fn parse(request: GetMessagesForOwnerPageRequest) -> Result<(ProfileId, PageRequest), Violations> {
    let mut violations = Violations::none();
    let owner = owner::parse(&request.owner_profile_id, &mut violations);
    let page = PageRequest::numbered(request.context, &mut violations);
    violations.finish(owner.map(|owner| (owner, page)))
}
