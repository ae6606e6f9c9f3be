//! `GetMessages`: entries by message ids, optionally marked as read.

use std::time::Instant;

use domain::limits::GET_BYTES_MAX;
use domain::number::saturating;
use domain::operation::MarkMessagesRead;
use domain::{MessageId, Msgbox, Operation, Violations};
use proto::v1::{GetMessagesRequest, GetMessagesResponse};
use rpc::convert::message_ids::RequestedIds;
use rpc::convert::view::View;
use rpc::convert::{entry, msgbox, size};
use rpc::{RpcError, User};
use storage::{Error, Item, Lookup, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: GetMessagesRequest,
    deadline: Instant,
) -> Result<GetMessagesResponse, RpcError> {
    let wanted = parse(&request)?;
    let mut items = read(store, &user, wanted.msgbox, &wanted.message_ids.to_vec()).await?;
    if wanted.mark_as_read && items.found.iter().any(|item| item.entry.is_unread()) {
        items = mark(store, &user, wanted.msgbox, items, deadline).await?;
    }
    answer(&wanted, &items)
}

struct EntriesRequest {
    msgbox: Msgbox,
    message_ids: RequestedIds,
    mark_as_read: bool,
    view: View,
}

fn parse(request: &GetMessagesRequest) -> Result<EntriesRequest, Violations> {
    let mut violations = Violations::none();
    let msgbox = msgbox::parse(&request.msgbox, "msgbox", &mut violations);
    let message_ids = RequestedIds::parse(&request.message_ids, &mut violations);
    let view = View::parse(request.view, "view", &mut violations);
    violations.finish(msgbox.map(|msgbox| EntriesRequest {
        msgbox,
        message_ids,
        mark_as_read: request.mark_as_read,
        view,
    }))
}

async fn read(
    store: &dyn MailStore,
    user: &User,
    msgbox: Msgbox,
    message_ids: &[MessageId],
) -> Result<Lookup<Item>, Error> {
    let (app, owner) = (user.app(), user.profile());
    let mut items = store
        .entries(app, owner, msgbox, message_ids, GET_BYTES_MAX)
        .await?;
    let bytes = |item: &Item| size::of_message(&item.message);
    let others = size::fit(&mut items.found, GET_BYTES_MAX, bytes);
    let others = others.iter().map(|item| item.entry.message_id);
    items.remaining.splice(..0, others);
    Ok(items)
}

/// Marks the entries as read, and reads them again, so that the response shows the new state.
async fn mark(
    store: &dyn MailStore,
    user: &User,
    msgbox: Msgbox,
    items: Lookup<Item>,
    deadline: Instant,
) -> Result<Lookup<Item>, Error> {
    let message_ids: Vec<MessageId> = ids(&items.found).collect();
    let operation = Operation {
        request: None,
        action: MarkMessagesRead {
            owner: user.profile().clone(),
            msgbox,
            message_ids: message_ids.clone(),
            read: true,
        },
    };
    store.execute(user.app(), operation, deadline).await?;
    let mut after = read(store, user, msgbox, &message_ids).await?;
    after.remaining.extend(items.remaining);
    Ok(after)
}

fn ids(items: &[Item]) -> impl Iterator<Item = MessageId> {
    items.iter().map(|item| item.entry.message_id)
}

fn answer(wanted: &EntriesRequest, items: &Lookup<Item>) -> Result<GetMessagesResponse, RpcError> {
    if items.found.is_empty() {
        return Err(RpcError::MessageNotFound);
    }
    let there = ids(&items.found).chain(items.remaining.iter().copied());
    let missing_message_ids = wanted.message_ids.missing(there);
    Ok(GetMessagesResponse {
        requested: wanted.message_ids.requested(),
        actual: saturating(items.found.len()),
        items: entry::show_all(&items.found, wanted.view)?,
        missing_message_ids,
        remaining_message_ids: items.remaining.iter().map(MessageId::to_string).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fields;

    #[test]
    fn all_violations_are_reported_together() {
        let request = GetMessagesRequest {
            msgbox: "drafts".into(),
            view: 99,
            ..GetMessagesRequest::default()
        };
        let violations = parse(&request).err().expect("violations");
        assert_eq!(fields(&violations), ["msgbox", "message_ids", "view"]);
    }
}
