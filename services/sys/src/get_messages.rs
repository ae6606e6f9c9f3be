//! `GetMessages`: messages of the app by id.

use domain::limits::GET_BYTES_MAX;
use domain::number::saturating;
use domain::{MessageId, Violations};
use proto::sys::v1::{GetMessagesRequest, GetMessagesResponse};
use rpc::convert::message_ids::RequestedIds;
use rpc::convert::view::View;
use rpc::convert::{message, size};
use rpc::{RpcError, System};
use storage::MailStore;

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: GetMessagesRequest,
) -> Result<GetMessagesResponse, RpcError> {
    let (asked, view) = parse(&request)?;
    let mut items = store
        .messages(system.app(), &asked.to_vec(), GET_BYTES_MAX)
        .await?;
    let others = size::fit(&mut items.found, GET_BYTES_MAX, size::of_message);
    let others = others.iter().map(|message| message.envelope.message_id);
    items.remaining.splice(..0, others);
    if items.found.is_empty() {
        return Err(RpcError::MessageNotFound);
    }
    let found = items.found.iter().map(|found| found.envelope.message_id);
    let there = found.chain(items.remaining.iter().copied());
    Ok(GetMessagesResponse {
        requested: asked.requested(),
        actual: saturating(items.found.len()),
        missing_message_ids: asked.missing(there),
        items: message::show_all(&items.found, view)?,
        remaining_message_ids: items.remaining.iter().map(MessageId::to_string).collect(),
    })
}

fn parse(request: &GetMessagesRequest) -> Result<(RequestedIds, View), Violations> {
    let mut violations = Violations::none();
    let message_ids = RequestedIds::parse(&request.message_ids, &mut violations);
    let view = View::parse(request.view, "view", &mut violations);
    violations.finish(Some((message_ids, view)))
}
