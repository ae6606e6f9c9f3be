//! `GetBulk`: a message to everyone, and its tally.

use domain::{MessageId, Violations};
use proto::sys::v1::{GetBulkRequest, GetBulkResponse};
use rpc::convert::view::View;
use rpc::convert::{id, message};
use rpc::{RpcError, System};
use storage::MailStore;

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: GetBulkRequest,
) -> Result<GetBulkResponse, RpcError> {
    let message_id = parse(&request)?;
    let report = store.bulk(system.app(), message_id).await?;
    let report = report.ok_or(RpcError::MessageNotFound)?;
    let message = if report.recalled {
        message::show_emptied(&report.message)
    } else {
        message::show(&report.message, View::Full)?
    };
    Ok(GetBulkResponse {
        message: Some(message),
        settled: report.tally.settled,
        read: report.tally.read,
        deleted: report.tally.deleted,
        recalled: report.recalled,
    })
}

fn parse(request: &GetBulkRequest) -> Result<MessageId, Violations> {
    let mut violations = Violations::none();
    let message_id = id::message(&request.message_id, &mut violations);
    violations.finish(Some(message_id))
}
