//! `GetMessagesPage`: a page of a user's entries, by number.

use proto::v1::{GetMessagesPageRequest, GetMessagesPageResponse};
use rpc::convert::page::{MailboxPages, PageRequest};
use rpc::{RpcError, User};
use storage::{Budget, MailStore, Requester};

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: GetMessagesPageRequest,
    budget: Budget,
) -> Result<GetMessagesPageResponse, RpcError> {
    let page = PageRequest::parse(request.context)?;
    let (context, results) = own_pages(store, &user, budget).page(page).await?;
    Ok(GetMessagesPageResponse {
        context,
        results: Some(results),
    })
}

/// Returns the pages of the caller's mailbox.
pub fn own_pages<'a>(store: &'a dyn MailStore, user: &'a User, budget: Budget) -> MailboxPages<'a> {
    MailboxPages {
        store,
        app: user.app(),
        owner: user.profile(),
        requester: Requester::Owner,
        account: budget.account,
    }
}
