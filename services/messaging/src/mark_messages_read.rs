//! `MarkMessagesRead`: a user marks entries as read or unread.

use domain::operation::{MarkMessagesRead, NamedEntries};
use domain::{Operation, ProfileId, Violations};
use proto::v1::{MarkMessagesReadRequest, MarkMessagesReadResponse};
use rpc::convert::idempotency::Canonical;
use rpc::convert::message_ids::RequestedIds;
use rpc::convert::{id, msgbox};
use rpc::methods::messaging::MARK_MESSAGES_READ;
use rpc::{RpcError, User};
use storage::{Budget, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: MarkMessagesReadRequest,
    budget: Budget,
) -> Result<MarkMessagesReadResponse, RpcError> {
    let (operation, requested) = parse(user.profile(), &request)?;
    let actual = store.execute(user.app(), operation, budget).await?;
    Ok(MarkMessagesReadResponse { requested, actual })
}

/// Returns the operation, and the number of messages that it names.
fn parse(
    owner: &ProfileId,
    request: &MarkMessagesReadRequest,
) -> Result<(Operation<MarkMessagesRead>, u32), Violations> {
    let mut violations = Violations::none();
    let msgbox = msgbox::parse(&request.msgbox, "msgbox", &mut violations);
    let message_ids = RequestedIds::parse(&request.message_ids, &mut violations);
    let request_id = id::request(&request.request_id, &mut violations);
    let msgbox = violations.finish(msgbox)?;
    let operation = Operation {
        request: Canonical::of(MARK_MESSAGES_READ.path)
            .field(msgbox.name())
            .list(message_ids.canonical())
            .field([u8::from(request.unread)])
            .of_user(owner, request_id.as_ref()),
        action: MarkMessagesRead {
            entries: NamedEntries::new(owner.clone(), msgbox, message_ids.to_vec()),
            read: !request.unread,
        },
    };
    Ok((operation, message_ids.requested()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FIRST, SECOND, alice, fields, fingerprint, texts};

    fn request(message_ids: &[&str], unread: bool) -> MarkMessagesReadRequest {
        MarkMessagesReadRequest {
            msgbox: "inbox".into(),
            message_ids: texts(message_ids),
            unread,
            request_id: "once".into(),
        }
    }

    #[test]
    fn all_violations_are_reported_together() {
        let violations =
            parse(&alice(), &MarkMessagesReadRequest::default()).expect_err("violations");
        assert_eq!(fields(&violations), ["msgbox", "message_ids"]);
    }

    #[test]
    fn distinct_ids_are_counted_malformed_ones_too() {
        let request = request(&[FIRST, "x", FIRST, SECOND], false);
        let (operation, requested) = parse(&alice(), &request).expect("an operation");
        assert_eq!(requested, 3);
        let mark = operation.action;
        assert!(mark.read && mark.entries.message_ids().len() == 2);
    }

    #[test]
    fn the_fingerprint_depends_on_the_mark_but_not_on_order() {
        let fingerprint = |message_ids: &[&str], unread| {
            let parsed = parse(&alice(), &request(message_ids, unread));
            fingerprint(&parsed.expect("an operation").0)
        };
        let first = fingerprint(&[FIRST, SECOND], false);
        assert_eq!(first, fingerprint(&[SECOND, FIRST, SECOND], false));
        assert_ne!(first, fingerprint(&[FIRST, SECOND], true));
        assert_ne!(first, fingerprint(&[FIRST], false));
    }
}
