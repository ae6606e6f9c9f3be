//! A user deletes messages: the own entries, or everyone's.

use domain::operation::{Delete, Recall};
use domain::{Action, Msgbox, Operation, ProfileId, Violations};
use proto::v1::{DeleteMessagesRequest, DeleteMessagesResponse, DeleteScope};
use rpc::convert::idempotency::Canonical;
use rpc::convert::message_ids::MessageIds;
use rpc::convert::{enums, id, msgbox, outcome};
use rpc::{Deadline, RpcError, User};
use storage::MailStore;
use tonic::Request;

const METHOD: &str = "/postroom.v1.Messaging/DeleteMessages";

pub async fn handle(
    store: &dyn MailStore,
    request: Request<DeleteMessagesRequest>,
) -> Result<DeleteMessagesResponse, RpcError> {
    let user = User::of(&request)?;
    let deadline = Deadline::of(&request)?.at();
    let (operation, requested) = parse(user.profile(), &request.into_inner())?;
    let outcome = store.execute(user.app(), operation, deadline).await?;
    Ok(DeleteMessagesResponse {
        requested,
        actual: outcome::changed(outcome)?,
    })
}

/// The operation, and how many messages it names.
fn parse(
    owner: &ProfileId,
    request: &DeleteMessagesRequest,
) -> Result<(Operation, u32), Violations> {
    let mut violations = Violations::none();
    let msgbox = msgbox::parse(&request.msgbox, "msgbox", &mut violations);
    let message_ids = MessageIds::parse(&request.message_ids, &mut violations);
    let scope = enums::known(request.scope, "scope", &mut violations);
    let request_id = id::request(&request.request_id, &mut violations);
    let (msgbox, scope) = violations.finish(msgbox.zip(scope))?;
    let for_everyone = match scope {
        DeleteScope::Unspecified | DeleteScope::OwnCopy => false,
        DeleteScope::Everyone => true,
    };
    let operation = Operation {
        request: Canonical::of(METHOD)
            .field(msgbox.name())
            .list(message_ids.canonical())
            .field([u8::from(for_everyone)])
            .of_user(owner, request_id.as_ref()),
        action: action(owner.clone(), msgbox, &message_ids, for_everyone),
    };
    Ok((operation, message_ids.requested()))
}

fn action(
    owner: ProfileId,
    msgbox: Msgbox,
    message_ids: &MessageIds,
    for_everyone: bool,
) -> Action {
    let message_ids = message_ids.to_vec();
    if for_everyone {
        Action::Recall(Recall {
            owner,
            msgbox,
            message_ids,
        })
    } else {
        Action::Delete(Delete {
            owner,
            msgbox,
            message_ids,
        })
    }
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
    fn a_scope_that_is_not_known_deletes_nothing() {
        let violations = parse(&alice(), &request(99)).expect_err("violations");
        assert_eq!(fields(&violations), ["scope"]);
    }

    #[test]
    fn the_default_scope_is_the_own_copy() {
        let operation = |scope: DeleteScope| {
            let parsed = parse(&alice(), &request(scope.into()));
            parsed.expect("an operation").0
        };
        let unspecified = operation(DeleteScope::Unspecified);
        assert_eq!(unspecified, operation(DeleteScope::OwnCopy));
        assert!(matches!(unspecified.action, Action::Delete(_)));
        let everyone = operation(DeleteScope::Everyone);
        assert!(matches!(everyone.action, Action::Recall(_)));
        assert_ne!(fingerprint(&everyone), fingerprint(&unspecified));
    }
}
