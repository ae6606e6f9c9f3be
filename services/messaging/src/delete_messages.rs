//! `DeleteMessages`: a user deletes own entries, or messages for everyone.

use domain::operation::{DeleteEntries, DeleteForEveryone, NamedEntries};
use domain::{Operation, ProfileId, Violations};
use proto::v1::{DeleteMessagesRequest, DeleteMessagesResponse, DeleteScope};
use rpc::convert::idempotency::Canonical;
use rpc::convert::message_ids::RequestedIds;
use rpc::convert::{enums, id, msgbox};
use rpc::methods::messaging::DELETE_MESSAGES;
use rpc::{RpcError, User};
use storage::{Budget, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: DeleteMessagesRequest,
    budget: Budget,
) -> Result<DeleteMessagesResponse, RpcError> {
    let (deletion, requested) = parse(user.profile(), &request)?;
    let actual = match deletion {
        Deletion::OwnCopy(operation) => store.execute(user.app(), operation, budget).await?,
        Deletion::ForEveryone(operation) => store.execute(user.app(), operation, budget).await?,
    };
    Ok(DeleteMessagesResponse { requested, actual })
}

#[derive(Debug, PartialEq)]
enum Deletion {
    OwnCopy(Operation<DeleteEntries>),
    ForEveryone(Operation<DeleteForEveryone>),
}

/// Returns the operation, and the number of messages that it names.
fn parse(
    owner: &ProfileId,
    request: &DeleteMessagesRequest,
) -> Result<(Deletion, u32), Violations> {
    let mut violations = Violations::none();
    let msgbox = msgbox::parse(&request.msgbox, "msgbox", &mut violations);
    let message_ids = RequestedIds::parse(&request.message_ids, &mut violations);
    let scope = enums::known(request.scope, "scope", &mut violations);
    let request_id = id::request(&request.request_id, &mut violations);
    let (msgbox, scope) = violations.finish(msgbox.zip(scope))?;
    let for_everyone = match scope {
        DeleteScope::Unspecified | DeleteScope::OwnCopy => false,
        DeleteScope::Everyone => true,
    };
    let request = Canonical::of(DELETE_MESSAGES.path)
        .field(msgbox.name())
        .list(message_ids.canonical())
        .field([u8::from(for_everyone)])
        .of_user(owner, request_id.as_ref());
    let (owner, requested) = (owner.clone(), message_ids.requested());
    let message_ids = message_ids.to_vec();
    let deletion = if for_everyone {
        let action = DeleteForEveryone::new(owner, msgbox, message_ids);
        Deletion::ForEveryone(Operation { request, action })
    } else {
        let action = DeleteEntries(NamedEntries::new(owner, msgbox, message_ids));
        Deletion::OwnCopy(Operation { request, action })
    };
    Ok((deletion, requested))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FIRST, alice, fields, fingerprint, texts};

    fn request(scope: i32) -> DeleteMessagesRequest {
        DeleteMessagesRequest {
            msgbox: "sent".into(),
            message_ids: texts(&[FIRST]),
            scope,
            request_id: "once".into(),
        }
    }

    #[test]
    fn an_unknown_scope_is_a_violation() {
        let violations = parse(&alice(), &request(99)).expect_err("violations");
        assert_eq!(fields(&violations), ["scope"]);
    }

    #[test]
    fn the_default_scope_is_the_own_copy() {
        let deletion = |scope: DeleteScope| {
            let parsed = parse(&alice(), &request(scope.into()));
            parsed.expect("an operation").0
        };
        let unspecified = deletion(DeleteScope::Unspecified);
        assert_eq!(unspecified, deletion(DeleteScope::OwnCopy));
        let (Deletion::OwnCopy(own), Deletion::ForEveryone(everyone)) =
            (unspecified, deletion(DeleteScope::Everyone))
        else {
            panic!("a scope has the operation of the other");
        };
        assert_ne!(fingerprint(&everyone), fingerprint(&own));
    }
}
