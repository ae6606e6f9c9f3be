//! `SendBulk`: the app sends a message to everyone.

use domain::operation::{SendBulk, Sent};
use domain::{Audience, Operation, Violations};
use proto::sys::v1::{BulkAudience, SendBulkRequest, SendBulkResponse};
use rpc::convert::idempotency::Canonical;
use rpc::convert::time::timestamp;
use rpc::convert::{draft, enums, id};
use rpc::methods::sys::SEND_BULK;
use rpc::{RpcError, System};
use storage::{Budget, MailStore};

use crate::sender;

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: SendBulkRequest,
    budget: Budget,
) -> Result<SendBulkResponse, RpcError> {
    let operation = parse(request)?;
    let sent = store.execute(system.app(), operation, budget).await?;
    Ok(answer(sent))
}

fn parse(mut request: SendBulkRequest) -> Result<Operation<SendBulk>, Violations> {
    let mut violations = Violations::none();
    let mut of_sender = Violations::none();
    let sender = sender::parse(request.sender.take(), &mut of_sender);
    // A sealed content has no wrapped keys here: recipients must have the key already.
    let draft = draft::parse(&mut request, sender, Some(&[]), &mut violations);
    violations.extend(of_sender);
    let audience = audience(request.audience, &mut violations);
    let request_id = id::request(&request.request_id, &mut violations);
    let (draft, audience) = violations.finish(draft.zip(audience))?;
    Ok(Operation {
        request: Canonical::of(SEND_BULK.path)
            .field(audience.code().to_be_bytes())
            .draft(&draft)
            .of_app(request_id.as_ref()),
        action: SendBulk { draft, audience },
    })
}

fn audience(number: i32, violations: &mut Violations) -> Option<Audience> {
    match enums::known(number, "audience", violations)? {
        BulkAudience::Unspecified | BulkAudience::Existing => Some(Audience::Existing),
        BulkAudience::Everyone => Some(Audience::Everyone),
    }
}

fn answer(sent: Sent) -> SendBulkResponse {
    SendBulkResponse {
        message_id: sent.message_id.to_string(),
        send_time: Some(timestamp(sent.send_ms)),
        expire_time: Some(timestamp(sent.expire_ms)),
    }
}

#[cfg(test)]
mod tests {
    use domain::Reason;
    use proto::v1::{Content, Sender, content::Body};

    use super::*;

    fn request(audience: BulkAudience) -> SendBulkRequest {
        SendBulkRequest {
            content: Some(Content {
                body: Some(Body::Json(b"\x20\x01"[..].into())),
            }),
            sender: Some(Sender {
                name: "News".into(),
                ..Sender::default()
            }),
            audience: audience.into(),
            request_id: "once".into(),
            ..SendBulkRequest::default()
        }
    }

    #[test]
    fn the_default_audience_is_existing_mailboxes() {
        let once = |audience| parse(request(audience)).expect("an operation");
        let (default, existing) = (BulkAudience::Unspecified, BulkAudience::Existing);
        assert_eq!(once(default), once(existing));
        let everyone = once(BulkAudience::Everyone);
        assert_ne!(everyone.request, once(existing).request);
    }

    #[test]
    fn all_violations_are_reported_together() {
        let wrong = SendBulkRequest {
            audience: 9,
            request_id: "a b".into(),
            ..SendBulkRequest::default()
        };
        let violations = parse(wrong).expect_err("violations");
        assert_eq!(violations.as_slice().len(), 4, "{violations:?}");
        assert_eq!(violations.reason(), Reason::InvalidRequest);
    }
}
