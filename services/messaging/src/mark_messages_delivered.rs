//! `MarkMessagesDelivered`: a user marks entries as delivered.

use domain::operation::MarkMessagesDelivered;
use domain::{Operation, ProfileId, Violations};
use proto::v1::{MarkMessagesDeliveredRequest, MarkMessagesDeliveredResponse};
use rpc::convert::message_ids::RequestedIds;
use rpc::{RpcError, User};
use storage::{Budget, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: MarkMessagesDeliveredRequest,
    budget: Budget,
) -> Result<MarkMessagesDeliveredResponse, RpcError> {
    let (operation, requested) = parse(user.profile(), &request)?;
    let actual = store.execute(user.app(), operation, budget).await?;
    Ok(MarkMessagesDeliveredResponse { requested, actual })
}

/// Returns the operation, and the number of messages that it names. It needs no request id: the
/// first delivery time is kept.
fn parse(
    owner: &ProfileId,
    request: &MarkMessagesDeliveredRequest,
) -> Result<(Operation<MarkMessagesDelivered>, u32), Violations> {
    let mut violations = Violations::none();
    let message_ids = RequestedIds::parse(&request.message_ids, &mut violations);
    violations.finish(Some(()))?;
    let operation = Operation {
        request: None,
        action: MarkMessagesDelivered::new(owner.clone(), message_ids.to_vec()),
    };
    Ok((operation, message_ids.requested()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FIRST, alice, fields, texts};

    #[test]
    fn distinct_ids_are_counted_and_none_is_a_violation() {
        let request = |ids: &[&str]| MarkMessagesDeliveredRequest {
            message_ids: texts(ids),
        };
        let parsed = parse(&alice(), &request(&[FIRST, "x", FIRST]));
        assert_eq!(parsed.expect("an operation").1, 2);
        let violations = parse(&alice(), &request(&[])).expect_err("violations");
        assert_eq!(fields(&violations), ["message_ids"]);
    }
}
