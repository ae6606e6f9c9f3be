//! `GetMessages`: messages of the app by id.

use domain::limits::GET_BYTES_MAX;
use domain::number::saturating;
use domain::{Message, MessageId, Violations};
use proto::sys::v1::{GetMessagesRequest, GetMessagesResponse};
use rpc::convert::message_ids::RequestedIds;
use rpc::convert::view::View;
use rpc::convert::{lookup, message};
use rpc::{RpcError, System};
use storage::MailStore;

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: GetMessagesRequest,
) -> Result<GetMessagesResponse, RpcError> {
    let (asked, view) = parse(&request)?;
    let app = system.app();
    let read = async |message_ids: Vec<MessageId>| {
        let messages = store.messages(app, &message_ids, GET_BYTES_MAX);
        let message_id = |message: &Message| message.envelope.message_id;
        lookup::shown(messages.await?, message_id, |found| {
            message::show(found, view)
        })
    };
    let items = lookup::fill(asked.to_vec(), read).await?;
    if items.found.is_empty() {
        return Err(RpcError::MessageNotFound);
    }
    let found = items.found.iter().map(|(message_id, _)| *message_id);
    let there = found.chain(items.remaining.iter().copied());
    Ok(GetMessagesResponse {
        requested: asked.requested(),
        actual: saturating(items.found.len()),
        missing_message_ids: asked.missing(there),
        items: items
            .found
            .into_iter()
            .map(|(_, message)| message)
            .collect(),
        remaining_message_ids: items.remaining.iter().map(MessageId::to_string).collect(),
    })
}

fn parse(request: &GetMessagesRequest) -> Result<(RequestedIds, View), Violations> {
    let mut violations = Violations::none();
    let message_ids = RequestedIds::parse(&request.message_ids, &mut violations);
    let view = View::parse(request.view, "view", &mut violations);
    violations.finish(Some((message_ids, view)))
}
