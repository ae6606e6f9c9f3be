//! A page of the caller's entries, by number.

use proto::v1::{GetMessagesPageRequest, GetMessagesPageResponse};
use rpc::convert::page::{Mailbox, Step};
use rpc::{RpcError, User};
use storage::{MailStore, Requester};
use tonic::Request;

pub async fn handle(
    store: &dyn MailStore,
    request: Request<GetMessagesPageRequest>,
) -> Result<GetMessagesPageResponse, RpcError> {
    let user = User::of(&request)?;
    let step = Step::parse(request.into_inner().context)?;
    let (context, results) = own(store, &user).page(step).await?;
    Ok(GetMessagesPageResponse {
        context,
        results: Some(results),
    })
}

/// The caller's mailbox.
pub fn own<'a>(store: &'a dyn MailStore, user: &'a User) -> Mailbox<'a> {
    Mailbox {
        store,
        app: user.app(),
        owner: user.profile(),
        requester: Requester::Owner,
    }
}
