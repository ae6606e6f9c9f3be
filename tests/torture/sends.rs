//! Many messages, and which of them were acknowledged.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use proto::{sys, v1};
use support::boxes;
use support::process::ServerProcess;
use tonic::{Request, Status};

/// Deadline of a send: the longest that the service grants.
const PATIENCE: Duration = Duration::from_secs(30);
/// Concurrent sends on a connection: as many as it may have.
const AT_ONCE: usize = 100;

/// A numbered message to one of ten users, with a request id of its own.
pub fn request(number: usize) -> Request<v1::SendMessageSimpleRequest> {
    let mut request = Request::new(v1::SendMessageSimpleRequest {
        to: vec![recipient(number % RECIPIENTS)],
        text: format!("message {number}"),
        request_id: format!("send-{number}"),
        ..Default::default()
    });
    request.set_timeout(PATIENCE);
    request
}

/// Number of recipients.
pub const RECIPIENTS: usize = 10;

pub fn recipient(number: usize) -> String {
    format!("user-{number}")
}

/// Sends all of these, and answers the ids of all messages.
pub async fn send_all(server: &ServerProcess, numbers: impl Iterator<Item = usize>) -> Vec<String> {
    let alice = server.messaging(&server.tokens.alice);
    let one = |number| {
        let mut alice = alice.clone();
        async move { alice.send_message_simple(request(number)).await }
    };
    let sent: Vec<Result<_, Status>> = stream::iter(numbers.map(one))
        .buffered(AT_ONCE)
        .collect()
        .await;
    let id = |sent: Result<tonic::Response<v1::SendMessageSimpleResponse>, Status>| {
        sent.expect("a message").into_inner().message_id
    };
    sent.into_iter().map(id).collect()
}

/// Ids of messages that the service does not have.
pub async fn missing(server: &ServerProcess, ids: &[String]) -> Vec<String> {
    let mut missing = Vec::new();
    for message_ids in ids.chunks(500) {
        let view = v1::MessageView::Metadata.into();
        let request = sys::v1::GetMessagesRequest {
            message_ids: message_ids.to_vec(),
            view,
        };
        let found = server
            .system()
            .get_messages(request)
            .await
            .expect("messages");
        missing.extend(found.into_inner().missing_message_ids);
    }
    missing
}

/// Number of messages in the inboxes of all recipients.
pub async fn delivered(server: &ServerProcess) -> usize {
    let mut delivered = 0;
    for number in 0..RECIPIENTS {
        let owner_profile_id = recipient(number);
        let request = sys::v1::GetMessageCountsForOwnerRequest { owner_profile_id };
        let counts = server.system().get_message_counts_for_owner(request).await;
        let boxes = counts.expect("counts").into_inner().boxes;
        delivered += boxes::named(&boxes, "inbox").total as usize;
    }
    delivered
}
