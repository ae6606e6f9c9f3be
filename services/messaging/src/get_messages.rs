//! `GetMessages`: entries by message ids, optionally marked as read.

use domain::limits::GET_BYTES_MAX;
use domain::number::saturating;
use domain::operation::{MarkMessagesRead, NamedEntries};
use domain::{MessageId, Msgbox, Operation, Violations};
use proto::v1::{GetMessagesRequest, GetMessagesResponse, MsgboxEntry};
use rpc::convert::message_ids::RequestedIds;
use rpc::convert::view::View;
use rpc::convert::{entry, lookup, msgbox};
use rpc::{RpcError, User};
use storage::{Budget, Error, Item, Lookup, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: GetMessagesRequest,
    budget: Budget,
) -> Result<GetMessagesResponse, RpcError> {
    let wanted = parse(&request)?;
    let mut entries = read(store, &user, &wanted, wanted.message_ids.to_vec()).await?;
    if wanted.mark_as_read && has_unread(&wanted, &entries) {
        entries = mark(store, &user, &wanted, entries, budget).await?;
    }
    answer(&wanted, entries)
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

type ShownEntries = Lookup<(MessageId, MsgboxEntry)>;

async fn read(
    store: &dyn MailStore,
    user: &User,
    wanted: &EntriesRequest,
    message_ids: Vec<MessageId>,
) -> Result<ShownEntries, Error> {
    let (app, owner) = (user.app(), user.profile());
    let read = async |message_ids: Vec<MessageId>| {
        let entries = store.entries(app, owner, wanted.msgbox, &message_ids, GET_BYTES_MAX);
        let message_id = |item: &Item| item.entry.message_id;
        lookup::shown(entries.await?, message_id, |item| {
            entry::show(item, wanted.view)
        })
    };
    lookup::fill(message_ids, read).await
}

fn has_unread(wanted: &EntriesRequest, entries: &ShownEntries) -> bool {
    wanted.msgbox == Msgbox::Inbox && entries.found.iter().any(|(_, entry)| !entry.read)
}

/// Marks the entries as read, and reads them again, so that the response shows the new state.
async fn mark(
    store: &dyn MailStore,
    user: &User,
    wanted: &EntriesRequest,
    entries: ShownEntries,
    budget: Budget,
) -> Result<ShownEntries, Error> {
    let message_ids: Vec<MessageId> = ids(&entries).collect();
    let operation = Operation {
        request: None,
        action: MarkMessagesRead {
            entries: NamedEntries::new(user.profile().clone(), wanted.msgbox, message_ids.clone()),
            read: true,
        },
    };
    store.execute(user.app(), operation, budget).await?;
    let mut after = read(store, user, wanted, message_ids).await?;
    after.remaining.extend(entries.remaining);
    Ok(after)
}

fn ids(entries: &ShownEntries) -> impl Iterator<Item = MessageId> {
    entries.found.iter().map(|(message_id, _)| *message_id)
}

fn answer(wanted: &EntriesRequest, entries: ShownEntries) -> Result<GetMessagesResponse, RpcError> {
    if entries.found.is_empty() {
        return Err(RpcError::MessageNotFound);
    }
    let there = ids(&entries).chain(entries.remaining.iter().copied());
    Ok(GetMessagesResponse {
        requested: wanted.message_ids.requested(),
        actual: saturating(entries.found.len()),
        missing_message_ids: wanted.message_ids.missing(there),
        items: entries.found.into_iter().map(|(_, entry)| entry).collect(),
        remaining_message_ids: entries.remaining.iter().map(MessageId::to_string).collect(),
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
